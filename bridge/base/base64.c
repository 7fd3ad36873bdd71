/* Base64 of RFC 4648, both alphabets. */
#include "base/base64.h"

#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct ab_buf *out, const void *data, size_t size, const char *alphabet, bool pad)
{
    const unsigned char *bytes = data;
    size_t rest = size % 3;
    char *to = ab_buf_reserve(out, size / 3 * 4 + (rest == 0 ? 0 : pad ? 4 : rest + 1));
    if (to == NULL) {
        return;
    }
    char *start = to;
    for (; size >= 3; size -= 3, bytes += 3) {
        *to++ = alphabet[bytes[0] >> 2];
        *to++ = alphabet[(bytes[0] & 3) << 4 | bytes[1] >> 4];
        *to++ = alphabet[(bytes[1] & 15) << 2 | bytes[2] >> 6];
        *to++ = alphabet[bytes[2] & 63];
    }
    if (size > 0) {
        unsigned second = size == 2 ? bytes[1] : 0;
        *to++ = alphabet[bytes[0] >> 2];
        *to++ = alphabet[(bytes[0] & 3U) << 4 | second >> 4];
        if (size == 2) {
            *to++ = alphabet[(second & 15) << 2];
        }
        for (size_t i = size; pad && i < 3; i++) {
            *to++ = '=';
        }
    }
    ab_buf_grew(out, (size_t)(to - start));
}

void ab_base64_encode(struct ab_buf *out, const void *data, size_t size)
{
    encode(out, data, size, standard, true);
}

void ab_base64url_encode(struct ab_buf *out, const void *data, size_t size)
{
    encode(out, data, size, for_urls, false);
}

/* A digit's value, or 64. The alphabets differ in their last two digits. */
static unsigned digit_value(char digit, const char *alphabet)
{
    if (digit >= 'A' && digit <= 'Z') {
        return (unsigned)(digit - 'A');
    }
    if (digit >= 'a' && digit <= 'z') {
        return (unsigned)(digit - 'a') + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return (unsigned)(digit - '0') + 52;
    }
    if (digit == alphabet[62]) {
        return 62;
    }
    return digit == alphabet[63] ? 63 : 64;
}

/* The last two or three digits: whatever does not fill a byte must be zero. */
static bool decode_rest(struct ab_buf *out, const unsigned *values, size_t count)
{
    if (count == 1 || (count == 2 && (values[1] & 15) != 0) || (count == 3 && (values[2] & 3) != 0)) {
        return false;
    }
    if (count >= 2) {
        ab_buf_append_char(out, (char)(values[0] << 2 | values[1] >> 4));
    }
    if (count == 3) {
        ab_buf_append_char(out, (char)((values[1] & 15) << 4 | values[2] >> 2));
    }
    return !out->full;
}

/* `text` has no padding any more. */
static bool decode(struct ab_buf *out, struct ab_str text, const char *alphabet)
{
    unsigned values[4];
    size_t count = 0;
    char *to = ab_buf_reserve(out, text.size / 4 * 3);
    if (to == NULL) {
        return false;
    }
    char *start = to;
    for (size_t i = 0; i < text.size; i++) {
        values[count] = digit_value(text.data[i], alphabet);
        if (values[count] == 64) {
            return false;
        }
        if (++count == 4) {
            *to++ = (char)(values[0] << 2 | values[1] >> 4);
            *to++ = (char)((values[1] & 15) << 4 | values[2] >> 2);
            *to++ = (char)((values[2] & 3) << 6 | values[3]);
            count = 0;
        }
    }
    ab_buf_grew(out, (size_t)(to - start));
    return decode_rest(out, values, count);
}

bool ab_base64_decode(struct ab_buf *out, struct ab_str text)
{
    if (text.size % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < 2 && text.size > 0 && text.data[text.size - 1] == '='; i++) {
        text.size--;
    }
    return decode(out, text, standard);
}

bool ab_base64url_decode(struct ab_buf *out, struct ab_str text)
{
    return decode(out, text, for_urls);
}
