/* Signatures of the Standard Webhooks specification: HMAC-SHA256 over id, time and body. */
#ifndef AB_AUTH_WEBHOOK_SIGN_H
#define AB_AUTH_WEBHOOK_SIGN_H

#include "base/buf.h"

/* Whether this is a secret: "whsec_" and 24 to 64 bytes as base64. */
bool ab_webhook_secret_is_good(struct ab_str secret);
/* Appends "v1,<base64>". False when the secret is none. */
AB_MUST bool ab_webhook_sign(struct ab_str secret, const char *id, int64_t seconds, struct ab_str body,
                             struct ab_buf *out);

#endif
