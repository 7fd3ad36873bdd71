/* Signed claims (RFC 7519) that others check with the public key (auth/sign.h). */
#ifndef AB_AUTH_JWT_H
#define AB_AUTH_JWT_H

#include "auth/sign.h"

/* SHA-256 of these bytes as lower-case hexadecimal digits and the NUL. */
#define AB_SHA256_TEXT_SIZE 65
void ab_sha256_text(struct ab_str bytes, char out[AB_SHA256_TEXT_SIZE]);
/* Appends the compact form, signed with ES256, of these claims (JSON text). AB_OK or < 0. */
AB_MUST int ab_jwt_sign(const struct ab_signer *signer, struct ab_str claims_json, struct ab_buf *out);

#endif
