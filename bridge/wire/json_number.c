/* Numbers: exact where they are whole, else the nearest double. */
#include "wire/json_number.h"

#include "base/mem.h"
#include "wire/json.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beyond it exponents are all alike: no number of that size can be written out anyway. */
#define EXPONENT_LIMIT INT64_C(1000000000000000)

static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    int64_t exponent = 0;
    for (; at < end && exponent < EXPONENT_LIMIT; at++) {
        exponent = exponent * 10 + (*at - '0');
    }
    return negative ? -exponent : exponent;
}

struct json_decimal json_decimal(struct ab_str text)
{
    struct json_decimal decimal = { 0 };
    const char *at = text.data;
    const char *end = text.data + text.size;
    if (at < end && *at == '-') {
        decimal.negative = true;
        at++;
    }
    const char *behind = at; /* of the digits before the exponent */
    const char *point = NULL;
    const char *first = NULL;
    const char *last = NULL;
    for (; behind < end && *behind != 'e' && *behind != 'E'; behind++) {
        if (*behind == '.') {
            point = behind;
        } else if (*behind != '0') {
            first = first == NULL ? behind : first;
            last = behind;
        }
    }
    if (first == NULL) {
        return (struct json_decimal){ 0 };
    }
    point = point == NULL ? behind : point;
    decimal.digits = (struct ab_str){ first, (size_t)(last - first) + 1 };
    decimal.count = decimal.digits.size - (first < point && point < last ? 1 : 0);
    decimal.exponent = first < point ? point - first - 1 : point - first;
    if (behind < end) {
        decimal.exponent += read_exponent(behind + 1, end);
    }
    return decimal;
}

bool json_same_number(struct ab_str left_text, struct ab_str right_text)
{
    struct json_decimal left = json_decimal(left_text);
    struct json_decimal right = json_decimal(right_text);
    if (left.negative != right.negative || left.exponent != right.exponent || left.count != right.count) {
        return false;
    }
    const char *a = left.digits.data;
    const char *b = right.digits.data;
    for (size_t i = 0; i < left.count; i++, a++, b++) {
        a += *a == '.' ? 1 : 0;
        b += *b == '.' ? 1 : 0;
        if (*a != *b) {
            return false;
        }
    }
    return true;
}

bool ab_json_is_integer(struct ab_json number)
{
    if (!ab_json_is(number, AB_JSON_NUMBER)) {
        return false;
    }
    struct json_decimal decimal = json_decimal(number.text);
    return decimal.count == 0 || decimal.exponent >= (int64_t)decimal.count - 1;
}

bool ab_json_int(struct ab_json number, int64_t *out)
{
    if (!ab_json_is_integer(number)) {
        return false;
    }
    struct json_decimal decimal = json_decimal(number.text);
    if (decimal.exponent > 18) {
        return false;
    }
    uint64_t value = 0; /* at most 19 digits: cannot overflow */
    const char *at = decimal.digits.data;
    for (int64_t i = 0; decimal.count > 0 && i <= decimal.exponent; i++) {
        unsigned digit = 0;
        if ((size_t)i < decimal.count) {
            at += *at == '.' ? 1 : 0;
            digit = (unsigned)(*at++ - '0');
        }
        value = value * 10 + digit;
    }
    if (value > (uint64_t)INT64_MAX + (decimal.negative ? 1 : 0)) {
        return false;
    }
    if (value > INT64_MAX) {
        *out = INT64_MIN;
    } else {
        *out = decimal.negative ? -(int64_t)value : (int64_t)value;
    }
    return true;
}

/* Reads as in the "C" locale, whatever locale a program that embeds us has set. */
static double read_double(const char *text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return strtod(text, NULL);
    }
    double value = strtod_l(text, NULL, plain);
    freelocale(plain);
    return value;
}

bool ab_json_double(struct ab_json number, double *out)
{
    if (!ab_json_is(number, AB_JSON_NUMBER)) {
        return false;
    }
    char small[64];
    if (number.text.size < sizeof(small)) {
        memcpy(small, number.text.data, number.text.size);
        small[number.text.size] = '\0';
        *out = read_double(small);
    } else {
        char *copy = ab_json_dup(number);
        *out = read_double(copy);
        free(copy);
    }
    return true;
}
