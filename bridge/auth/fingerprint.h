/* Names made of other names: the same for the same, another for every other, and nobody can make two meet. */
#ifndef AB_AUTH_FINGERPRINT_H
#define AB_AUTH_FINGERPRINT_H

#include "agentbridge/types.h"

#define AB_FINGERPRINT_SIZE 33

/* 128 bits of SHA-256 over the texts (NULL ends the list), each told apart from the next, as hexadecimal digits. < 0
 * when the library cannot. */
AB_MUST int ab_fingerprint(const char *const *texts, char out[AB_FINGERPRINT_SIZE]);

#endif
