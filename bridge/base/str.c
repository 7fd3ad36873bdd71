/* Slices of text. */
#include "base/str.h"

#include <string.h>

struct ab_str ab_str(const char *text)
{
    return (struct ab_str){ text, text == NULL ? 0 : strlen(text) };
}

bool ab_str_equal(struct ab_str left, struct ab_str right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

bool ab_str_is(struct ab_str slice, const char *text)
{
    return ab_str_equal(slice, ab_str(text));
}

static unsigned char lower(char character)
{
    unsigned char byte = (unsigned char)character;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

bool ab_str_equal_nocase(struct ab_str left, struct ab_str right)
{
    if (left.size != right.size) {
        return false;
    }
    for (size_t i = 0; i < left.size; i++) {
        if (lower(left.data[i]) != lower(right.data[i])) {
            return false;
        }
    }
    return true;
}

bool ab_str_starts(struct ab_str slice, const char *prefix)
{
    size_t size = strlen(prefix);
    return slice.size >= size && (size == 0 || memcmp(slice.data, prefix, size) == 0);
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

struct ab_str ab_str_trim(struct ab_str slice)
{
    while (slice.size > 0 && is_blank(slice.data[0])) {
        slice.data++;
        slice.size--;
    }
    while (slice.size > 0 && is_blank(slice.data[slice.size - 1])) {
        slice.size--;
    }
    return slice;
}

bool ab_str_to_uint(struct ab_str slice, uint64_t maximum, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < slice.size; i++) {
        if (slice.data[i] < '0' || slice.data[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(slice.data[i] - '0');
        if (number > maximum / 10 || number * 10 > maximum - digit || digit > maximum) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (slice.size == 0) {
        return false;
    }
    *out = number;
    return true;
}

/* How many bytes the character at the start needs, and the range of its second byte (RFC 3629, section 4); 0 for a
 * byte that begins nothing. */
static size_t sequence_size(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *low = first == 0xe0 ? 0xa0 : 0x80;
        *high = first == 0xed ? 0x9f : 0xbf;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *low = first == 0xf0 ? 0x90 : 0x80;
        *high = first == 0xf4 ? 0x8f : 0xbf;
        return 4;
    }
    return 0;
}

size_t ab_utf8_character(struct ab_str slice)
{
    if (slice.size == 0) {
        return 0;
    }
    unsigned char low, high;
    size_t size = sequence_size((unsigned char)slice.data[0], &low, &high);
    if (size > slice.size) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        unsigned char byte = (unsigned char)slice.data[i];
        if (byte < low || byte > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return size;
}

size_t ab_utf8_valid_prefix(struct ab_str slice)
{
    const uint64_t high_bits = 0x8080808080808080U;
    size_t at = 0;
    while (at < slice.size) {
        uint64_t word;
        if (slice.size - at >= sizeof(word)) {
            memcpy(&word, slice.data + at, sizeof(word));
            if ((word & high_bits) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        size_t size = ab_utf8_character((struct ab_str){ slice.data + at, slice.size - at });
        if (size == 0) {
            break;
        }
        at += size;
    }
    return at;
}

bool ab_utf8_valid(struct ab_str slice)
{
    return ab_utf8_valid_prefix(slice) == slice.size;
}
