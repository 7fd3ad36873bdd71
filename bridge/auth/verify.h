/* Checking what others have signed, by their public keys. */
#ifndef AB_AUTH_VERIFY_H
#define AB_AUTH_VERIFY_H

#include "wire/json.h"

/* Whether `signature` (base64url) is one of ES256 (RFC 7518, section 3.4) over `input`, by this JWK (RFC 7517; kty EC,
 * crv P-256). False for a key of another kind, too. */
AB_MUST bool ab_verify_es256(struct ab_json key, struct ab_str input, struct ab_str signature);

#endif
