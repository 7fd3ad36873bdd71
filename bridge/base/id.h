/* Random names. */
#ifndef AB_BASE_ID_H
#define AB_BASE_ID_H

#include "agentbridge/types.h"

/* Where random bytes come from; tests replace it. */
struct ab_random {
    void (*fill)(void *context, void *out, size_t size);
    void *context;
};

/* The kernel's generator. */
struct ab_random ab_random_system(void);
void ab_random_fill(const struct ab_random *source, void *out, size_t size);
/* 128 random bits as 32 hexadecimal digits and a NUL. */
void ab_id_make(const struct ab_random *source, char out[33]);
/* `size` bytes as lower-case hexadecimal digits, with a NUL: `out` holds 2 * size + 1. */
void ab_hex(const void *data, size_t size, char *out);

#endif
