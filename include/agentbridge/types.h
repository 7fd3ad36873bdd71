/* The few words every public header shares: attributes, slices, return codes. */
#ifndef AGENTBRIDGE_TYPES_H
#define AGENTBRIDGE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The caller must look at the result. */
#define AB_MUST __attribute__((warn_unused_result))
/* Checks a printf-like function's arguments; `text` and `first` count from 1. */
#define AB_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Return codes of every function that can go wrong:
 *   < 0  a fault of ours or of the machine: always propagated, never matched on, ends in a log line and a wire error;
 *     0  done;
 *   > 0  a condition that the function documents and its caller handles. A peer's mistake is never < 0. */
enum ab_fault {
    AB_OK = 0,
    AB_FAULT_SYSTEM = -1,  /* the operating system or a library refused: the log says what and why */
    AB_FAULT_CORRUPT = -2, /* what we stored ourselves cannot be read back */
    AB_FAULT_LIMIT = -3    /* one of our own limits was reached where no peer is to blame */
};

/* A slice of bytes that somebody else owns; not NUL-terminated. `data` may be NULL when `size` is 0. */
struct ab_str {
    const char *data;
    size_t size;
};

#ifdef __cplusplus
}
#endif
#endif
