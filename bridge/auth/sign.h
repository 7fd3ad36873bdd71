/* Signing: what leaves the program and is to be known as ours by others, who get the public key. ES256 (RFC 7518). */
#ifndef AB_AUTH_SIGN_H
#define AB_AUTH_SIGN_H

#include "wire/json.h"

#define AB_SIGN_KEY_BYTES 32

struct ab_signer;

/* From the private key's 32 bytes, whatever they are. NULL when the library cannot. */
AB_MUST struct ab_signer *ab_signer_new(const unsigned char key[AB_SIGN_KEY_BYTES]);
/* NULL is accepted. */
void ab_signer_free(struct ab_signer *signer);
/* The key's name: the thumbprint of RFC 7638. */
const char *ab_signer_key_id(const struct ab_signer *signer);
/* The public key as a JWK, to be served in a key set. */
void ab_signer_write_key(const struct ab_signer *signer, struct ab_json_writer *writer);
/* Appends the signature of a JWS: of base64url(protected) "." base64url(payload), in base64url itself (RFC 7515).
 * AB_OK or < 0. */
AB_MUST int ab_signer_sign(const struct ab_signer *signer, struct ab_str protected_header, struct ab_str payload,
                           struct ab_buf *out);

#endif
