/* How JSON's characters are walked over; shared by the files of wire/json.h, nobody else includes it. */
#ifndef AB_WIRE_JSON_TEXT_H
#define AB_WIRE_JSON_TEXT_H

#include "base/str.h"

/* The first place from `at` on that is no blank. */
static inline const char *json_skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

/* Walks over the inside of a checked string: runs of plain text, and escaped characters one by one. */
struct json_pieces {
    const char *at;
    const char *end;
    char character[4];
};

/* What stands between a string's quotes; nothing when the text was never checked and has no two of them. */
static inline struct ab_str json_inside(struct ab_str string)
{
    bool has_quotes = string.size >= 2;
    return has_quotes ? (struct ab_str){ string.data + 1, string.size - 2 } : (struct ab_str){ string.data, 0 };
}
/* `inside` is what stands between the quotes. */
struct json_pieces json_pieces(struct ab_str inside);
/* False at the end. The piece is valid until the next call. */
bool json_next_piece(struct json_pieces *pieces, struct ab_str *piece);
/* Whether two strings' insides are the same text, however it is spelled. */
bool json_same_inside(struct ab_str left, struct ab_str right);
/* The value of four hexadecimal digits, or -1. */
int json_hex4(const char *at, const char *end);

#endif
