/* The characters of JSON strings. */
#include "wire/json_text.h"

#include <string.h>

int json_hex4(const char *at, const char *end)
{
    if (end - at < 4) {
        return -1;
    }
    int value = 0;
    for (size_t i = 0; i < 4; i++) {
        char digit = at[i];
        if (digit >= '0' && digit <= '9') {
            value = value * 16 + (digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            value = value * 16 + (digit - 'a') + 10;
        } else if (digit >= 'A' && digit <= 'F') {
            value = value * 16 + (digit - 'A') + 10;
        } else {
            return -1;
        }
    }
    return value;
}

struct json_pieces json_pieces(struct ab_str inside)
{
    return (struct json_pieces){ .at = inside.data, .end = inside.data + inside.size };
}

static size_t put_utf8(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* Behind a "\u": one unit, or a pair of surrogates. */
static size_t take_unicode(struct json_pieces *pieces)
{
    int first = json_hex4(pieces->at, pieces->end);
    pieces->at += pieces->end - pieces->at < 4 ? pieces->end - pieces->at : 4;
    uint32_t code = first < 0 ? 0xfffd : (uint32_t)first;
    if (code >= 0xd800 && code <= 0xdbff && pieces->end - pieces->at >= 6) {
        int second = json_hex4(pieces->at + 2, pieces->end);
        if (second >= 0xdc00 && second <= 0xdfff) {
            code = 0x10000 + ((code & 0x3ff) << 10) + ((uint32_t)second & 0x3ff);
            pieces->at += 6;
        }
    }
    return put_utf8(pieces->character, code);
}

static size_t take_escape(struct json_pieces *pieces)
{
    char letter = *pieces->at++;
    switch (letter) {
    case 'b':
        pieces->character[0] = '\b';
        break;
    case 'f':
        pieces->character[0] = '\f';
        break;
    case 'n':
        pieces->character[0] = '\n';
        break;
    case 'r':
        pieces->character[0] = '\r';
        break;
    case 't':
        pieces->character[0] = '\t';
        break;
    case 'u':
        return take_unicode(pieces);
    default:
        pieces->character[0] = letter;
        break;
    }
    return 1;
}

bool json_next_piece(struct json_pieces *pieces, struct ab_str *piece)
{
    if (pieces->at >= pieces->end) {
        return false;
    }
    if (*pieces->at == '\\' && pieces->end - pieces->at >= 2) {
        pieces->at++;
        piece->size = take_escape(pieces);
        piece->data = pieces->character;
        return true;
    }
    size_t left = (size_t)(pieces->end - pieces->at);
    const char *backslash = memchr(pieces->at + 1, '\\', left - 1);
    piece->data = pieces->at;
    piece->size = backslash == NULL ? left : (size_t)(backslash - pieces->at);
    pieces->at += piece->size;
    return true;
}

/* The next piece unless some of the last one is left. */
static bool refill(struct json_pieces *pieces, struct ab_str *piece)
{
    return piece->size > 0 || json_next_piece(pieces, piece);
}

bool json_same_inside(struct ab_str left, struct ab_str right)
{
    if (left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0)) {
        return true;
    }
    struct json_pieces left_pieces = json_pieces(left);
    struct json_pieces right_pieces = json_pieces(right);
    struct ab_str a = { NULL, 0 };
    struct ab_str b = { NULL, 0 };
    for (;;) {
        bool more = refill(&left_pieces, &a);
        if (refill(&right_pieces, &b) != more) {
            return false;
        }
        if (!more) {
            return true;
        }
        size_t size = a.size < b.size ? a.size : b.size;
        if (memcmp(a.data, b.data, size) != 0) {
            return false;
        }
        a = (struct ab_str){ a.data + size, a.size - size };
        b = (struct ab_str){ b.data + size, b.size - size };
    }
}
