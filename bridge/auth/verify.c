#include "auth/verify.h"

#include "base/base64.h"
#include "base/mem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum { FIELD_BYTES = 32, POINT_BYTES = 1 + 2 * FIELD_BYTES, DER_BYTES = 80 };

/* One coordinate of the key's point. */
static bool read_coordinate(struct ab_json text, unsigned char *out)
{
    AB_CLEANUP(ab_free_string) char *encoded = ab_json_string_dup(text);
    struct ab_buf bytes = AB_BUF_INIT(4 * FIELD_BYTES);
    bool good = encoded != NULL && ab_base64url_decode(&bytes, ab_str(encoded)) && bytes.size == FIELD_BYTES;

    if (good)
        memcpy(out, bytes.data, FIELD_BYTES);
    ab_buf_deinit(&bytes);
    return good;
}

/* NULL when it is no such key; the library itself refuses points beside the curve. */
static EVP_PKEY *read_key(struct ab_json key)
{
    unsigned char point[POINT_BYTES] = { 4 };
    OSSL_PARAM_BLD *builder;
    EVP_PKEY_CTX *context;
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *out = NULL;

    if (!ab_json_string_is(ab_json_member(key, "kty"), "EC") ||
        !ab_json_string_is(ab_json_member(key, "crv"), "P-256") ||
        !read_coordinate(ab_json_member(key, "x"), point + 1) ||
        !read_coordinate(ab_json_member(key, "y"), point + 1 + FIELD_BYTES))
        return NULL;
    builder = OSSL_PARAM_BLD_new();
    context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (builder != NULL && context != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &out, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        out = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return out;
}

/* JOSE has the two numbers side by side, where the library wants them as DER; 0 when they are none. */
static size_t to_der(struct ab_str signature, unsigned char out[DER_BYTES])
{
    struct ab_buf raw = AB_BUF_INIT(4 * FIELD_BYTES);
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    unsigned char *end = out;
    int size = 0;

    if (numbers != NULL && ab_base64url_decode(&raw, signature) && raw.size == (size_t)2 * FIELD_BYTES) {
        BIGNUM *r = BN_bin2bn((const unsigned char *)raw.data, FIELD_BYTES, NULL);
        BIGNUM *s = BN_bin2bn((const unsigned char *)raw.data + FIELD_BYTES, FIELD_BYTES, NULL);
        if (r != NULL && s != NULL && ECDSA_SIG_set0(numbers, r, s) == 1) {
            size = i2d_ECDSA_SIG(numbers, &end);
        } else {
            BN_free(r);
            BN_free(s);
        }
    }
    ECDSA_SIG_free(numbers);
    ab_buf_deinit(&raw);
    return size > 0 ? (size_t)size : 0;
}

bool ab_verify_es256(struct ab_json key, struct ab_str input, struct ab_str signature)
{
    EVP_PKEY *public_key = read_key(key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char der[DER_BYTES];
    size_t size = to_der(signature, der);
    bool good = public_key != NULL && context != NULL && size > 0 &&
                EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public_key) == 1 &&
                EVP_DigestVerify(context, der, size, (const unsigned char *)input.data, input.size) == 1;

    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return good;
}
