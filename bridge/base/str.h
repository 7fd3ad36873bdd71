/* Slices of text that somebody else owns. */
#ifndef AB_BASE_STR_H
#define AB_BASE_STR_H

#include "agentbridge/types.h"

/* A slice of a string literal. */
#define AB_STR(literal) ((struct ab_str){ (literal), sizeof(literal) - 1 })
/* For printf's "%.*s". */
#define AB_STR_ARGS(slice) (int)(slice).size, (slice).data

/* The slice of a NUL-terminated string; NULL gives the empty slice. */
struct ab_str ab_str(const char *text);
bool ab_str_equal(struct ab_str left, struct ab_str right);
bool ab_str_is(struct ab_str slice, const char *text);
/* ASCII only, for names of headers. */
bool ab_str_equal_nocase(struct ab_str left, struct ab_str right);
bool ab_str_starts(struct ab_str slice, const char *prefix);
/* Without spaces and tabs at both ends. */
struct ab_str ab_str_trim(struct ab_str slice);
/* Decimal digits only, no sign, no blanks: false when malformed, empty or above `maximum`. */
AB_MUST bool ab_str_to_uint(struct ab_str slice, uint64_t maximum, uint64_t *out);
/* Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool ab_utf8_valid(struct ab_str slice);
/* How many bytes at the start are whole, well-formed characters; what follows is broken or cut off. */
size_t ab_utf8_valid_prefix(struct ab_str slice);
/* How many bytes the first character has; 0 when it is broken or cut off, or the slice is empty. */
size_t ab_utf8_character(struct ab_str slice);

#endif
