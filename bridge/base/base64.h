/* Base64 of RFC 4648. Decoding is strict: padding where the alphabet has it, no blanks, no stray bits. */
#ifndef AB_BASE_BASE64_H
#define AB_BASE_BASE64_H

#include "base/buf.h"

void ab_base64_encode(struct ab_buf *out, const void *data, size_t size);
/* The URL alphabet, without padding. */
void ab_base64url_encode(struct ab_buf *out, const void *data, size_t size);
/* False when malformed; `out` may then hold a part. */
AB_MUST bool ab_base64_decode(struct ab_buf *out, struct ab_str text);
AB_MUST bool ab_base64url_decode(struct ab_buf *out, struct ab_str text);

#endif
