#include "auth/jwt.h"

#include "base/base64.h"
#include "base/id.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <string.h>

enum { DIGEST_BYTES = 32 };

void ab_sha256_text(struct ab_str bytes, char out[AB_SHA256_TEXT_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };

    (void)EVP_Digest(bytes.data, bytes.size, digest, NULL, EVP_sha256(), NULL);
    ab_hex(digest, DIGEST_BYTES, out);
}

int ab_jwt_sign(const struct ab_signer *signer, struct ab_str claims_json, struct ab_buf *out)
{
    AB_CLEANUP(ab_free_string)
    char *header = ab_format("{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", ab_signer_key_id(signer));

    ab_base64url_encode(out, header, strlen(header));
    ab_buf_append_char(out, '.');
    ab_base64url_encode(out, claims_json.data, claims_json.size);
    ab_buf_append_char(out, '.');
    return ab_signer_sign(signer, ab_str(header), claims_json, out);
}
