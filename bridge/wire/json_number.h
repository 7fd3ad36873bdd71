/* Numbers as their decimal digits, exact at any size; shared by the files of wire/json.h, nobody else includes it. */
#ifndef AB_WIRE_JSON_NUMBER_H
#define AB_WIRE_JSON_NUMBER_H

#include "base/str.h"

/* d.ddd times ten to the power of `exponent`. */
struct json_decimal {
    bool negative;
    struct ab_str digits; /* from the first to the last that is not 0, perhaps with a point between; empty: zero */
    size_t count;         /* of the digits */
    int64_t exponent;
};

/* `text` is a checked number. */
struct json_decimal json_decimal(struct ab_str text);
/* Whether both are the same number, however spelled; zero has no sign. */
bool json_same_number(struct ab_str left, struct ab_str right);

#endif
