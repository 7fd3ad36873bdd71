/* The one way to get and give back memory. Running out ends the process with a log line: everything that grows has a
 * limit, what was acknowledged is on disk, and code that cannot fail stays short (docs/decisions.md). */
#ifndef AB_BASE_MEM_H
#define AB_BASE_MEM_H

#include "agentbridge/types.h"

#include <stdlib.h>

/* Zeroed memory for `count` things of `size` bytes; never NULL. Free with free(). */
AB_MUST void *ab_alloc(size_t count, size_t size);
/* As realloc, never NULL; the new part is not zeroed. */
AB_MUST void *ab_realloc(void *memory, size_t size);
/* Copies, NUL-terminated, owned by the caller. NULL gives NULL. */
AB_MUST char *ab_strdup(const char *text);
AB_MUST char *ab_strndup(const char *data, size_t size);
/* printf into a fresh string, owned by the caller. */
AB_MUST AB_PRINTF(1, 2) char *ab_format(const char *format, ...);
/* A copy of an array of strings that ends with NULL, and its end; NULL copies to an empty one. */
AB_MUST char **ab_strings_dup(const char *const *strings);
void ab_strings_free(char **strings);
/* Frees *slot and puts a copy of `text` (or NULL) there. `text` may be *slot itself. */
void ab_replace(char **slot, const char *text);

/* `AB_CLEANUP(ab_free_string) char *text = ...;` frees at the end of the scope. */
#define AB_CLEANUP(function) __attribute__((cleanup(function)))
void ab_free_string(char **text);
/* The same for a secret: its bytes are overwritten first. */
void ab_free_secret(char **text);

#endif
