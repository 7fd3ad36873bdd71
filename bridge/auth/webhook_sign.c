#include "auth/webhook_sign.h"

#include "base/base64.h"
#include "base/str.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define PREFIX "whsec_"

enum { KEY_LEAST = 24, KEY_MOST = 64 };

static bool decode(struct ab_str secret, struct ab_buf *key)
{
    size_t prefix = sizeof PREFIX - 1;

    if (!ab_str_starts(secret, PREFIX))
        return false;
    return ab_base64_decode(key, (struct ab_str){ secret.data + prefix, secret.size - prefix }) &&
           key->size >= KEY_LEAST && key->size <= KEY_MOST;
}

static void forget(struct ab_buf *key)
{
    if (key->data != NULL)
        OPENSSL_cleanse(key->data, key->capacity);
    ab_buf_deinit(key);
}

bool ab_webhook_secret_is_good(struct ab_str secret)
{
    struct ab_buf key = AB_BUF_INIT(256);
    bool good = decode(secret, &key);

    forget(&key);
    return good;
}

bool ab_webhook_sign(struct ab_str secret, const char *id, int64_t seconds, struct ab_str body, struct ab_buf *out)
{
    struct ab_buf key = AB_BUF_INIT(256);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool good = decode(secret, &key);

    if (good) {
        ab_buf_printf(&text, "%s.%lld.", id, (long long)seconds);
        ab_buf_append_str(&text, body);
        good = HMAC(EVP_sha256(), key.data, (int)key.size, (const unsigned char *)text.data, text.size, mac, &size) !=
               NULL;
    }
    if (good) {
        ab_buf_append_text(out, "v1,");
        ab_base64_encode(out, mac, size);
    }
    ab_buf_deinit(&text);
    forget(&key);
    return good;
}
