/* Sealing: text that leaves the program and comes back must be ours, whole, and meant for this purpose.
 * AES-256-GCM; a token is base64url(key number, 96-bit nonce, ciphertext, tag). */
#ifndef AB_AUTH_SEAL_H
#define AB_AUTH_SEAL_H

#include "base/buf.h"
#include "base/id.h"

#define AB_SEAL_KEY_BYTES 32

struct ab_sealer;

/* Keys of 32 bytes each, newest first: the first seals, all open. Copied, wiped on free. */
AB_MUST struct ab_sealer *ab_sealer_new(const unsigned char (*keys)[AB_SEAL_KEY_BYTES], size_t n_keys,
                                        struct ab_random random);
void ab_sealer_free(struct ab_sealer *sealer);
/* Appends the token. `purpose` ("mcp-session") and `bound` (principal, method ...) must be the same when it is opened.
 */
AB_MUST int ab_seal(const struct ab_sealer *sealer, const char *purpose, struct ab_str bound, struct ab_str text,
                    struct ab_buf *out);
/* False when the token is not ours, was changed, or is meant for something else. */
AB_MUST bool ab_unseal(const struct ab_sealer *sealer, const char *purpose, struct ab_str bound, struct ab_str token,
                       struct ab_buf *out);
/* The key made in a data directory: reads `path`, or makes it (0600). < 0 when neither works; `reason` (256) says why.
 */
AB_MUST int ab_seal_key_file(const char *path, const struct ab_random *random, unsigned char key[AB_SEAL_KEY_BYTES],
                             char *reason, size_t reason_size);

#endif
