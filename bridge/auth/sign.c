#include "auth/sign.h"

#include "base/base64.h"
#include "base/mem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum { FIELD_BYTES = 32, POINT_BYTES = 1 + 2 * FIELD_BYTES, DIGEST_BYTES = 32 };

struct ab_signer {
    EVP_PKEY *key;
    char *x; /* base64url */
    char *y;
    char *id;
};

/* --- the key --- */

struct numbers {
    BN_CTX *context;
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *secret;
    BIGNUM *limit;
};

static void numbers_deinit(struct numbers *numbers)
{
    BN_clear_free(numbers->secret);
    BN_free(numbers->limit);
    EC_POINT_free(numbers->point);
    EC_GROUP_free(numbers->group);
    BN_CTX_free(numbers->context);
}

/* Any 32 bytes become a number from 1 to below the group's order, and that the public point. */
static bool numbers_init(struct numbers *numbers, const unsigned char *key)
{
    *numbers = (struct numbers){
        .context = BN_CTX_new(),
        .group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1),
        .secret = BN_bin2bn(key, AB_SIGN_KEY_BYTES, NULL),
        .limit = BN_new(),
    };
    if (numbers->context == NULL || numbers->group == NULL || numbers->secret == NULL || numbers->limit == NULL)
        return false;
    numbers->point = EC_POINT_new(numbers->group);
    return numbers->point != NULL && EC_GROUP_get_order(numbers->group, numbers->limit, numbers->context) == 1 &&
           BN_sub_word(numbers->limit, 1) == 1 &&
           BN_nnmod(numbers->secret, numbers->secret, numbers->limit, numbers->context) == 1 &&
           BN_add_word(numbers->secret, 1) == 1 &&
           EC_POINT_mul(numbers->group, numbers->point, numbers->secret, NULL, NULL, numbers->context) == 1;
}

static EVP_PKEY *key_from(const BIGNUM *secret, const unsigned char *point)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;

    if (builder != NULL && context != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_BYTES) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

static char *encoded(const unsigned char *data, size_t size)
{
    struct ab_buf text = AB_BUF_INIT(256);

    ab_base64url_encode(&text, data, size);
    return ab_buf_steal(&text);
}

/* The members that RFC 7638 hashes, in its order. */
static char *thumbprint(const struct ab_signer *signer)
{
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", signer->x, signer->y);
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };

    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
        return ab_strdup("key");
    return encoded(digest, DIGEST_BYTES);
}

struct ab_signer *ab_signer_new(const unsigned char key[AB_SIGN_KEY_BYTES])
{
    struct ab_signer *signer = ab_alloc(1, sizeof *signer);
    unsigned char point[POINT_BYTES] = { 0 };
    struct numbers numbers;

    if (numbers_init(&numbers, key) && EC_POINT_point2oct(numbers.group, numbers.point, POINT_CONVERSION_UNCOMPRESSED,
                                                          point, sizeof point, numbers.context) == sizeof point)
        signer->key = key_from(numbers.secret, point);
    numbers_deinit(&numbers);
    if (signer->key == NULL) {
        free(signer);
        return NULL;
    }
    signer->x = encoded(point + 1, FIELD_BYTES);
    signer->y = encoded(point + 1 + FIELD_BYTES, FIELD_BYTES);
    signer->id = thumbprint(signer);
    return signer;
}

void ab_signer_free(struct ab_signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_free(signer->key);
    free(signer->x);
    free(signer->y);
    free(signer->id);
    free(signer);
}

const char *ab_signer_key_id(const struct ab_signer *signer)
{
    return signer->id;
}

void ab_signer_write_key(const struct ab_signer *signer, struct ab_json_writer *writer)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "kty", "EC");
    ab_json_put_text(writer, "crv", "P-256");
    ab_json_put_text(writer, "x", signer->x);
    ab_json_put_text(writer, "y", signer->y);
    ab_json_put_text(writer, "kid", signer->id);
    ab_json_put_text(writer, "alg", "ES256");
    ab_json_put_text(writer, "use", "sig");
    ab_json_object_end(writer);
}

/* --- signing --- */

/* JOSE wants the two numbers side by side, where the library writes them as DER. */
static bool to_jose(const unsigned char *der, size_t size, unsigned char out[2 * FIELD_BYTES])
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
    bool good = signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, FIELD_BYTES) == FIELD_BYTES &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + FIELD_BYTES, FIELD_BYTES) == FIELD_BYTES;

    ECDSA_SIG_free(signature);
    return good;
}

int ab_signer_sign(const struct ab_signer *signer, struct ab_str protected_header, struct ab_str payload,
                   struct ab_buf *out)
{
    struct ab_buf input = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char der[128];
    unsigned char raw[2 * FIELD_BYTES];
    size_t size = sizeof der;
    bool good;

    ab_base64url_encode(&input, protected_header.data, protected_header.size);
    ab_buf_append_char(&input, '.');
    ab_base64url_encode(&input, payload.data, payload.size);
    good = context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->key) == 1 &&
           EVP_DigestSign(context, der, &size, (const unsigned char *)input.data, input.size) == 1 &&
           to_jose(der, size, raw);
    if (good)
        ab_base64url_encode(out, raw, sizeof raw);
    EVP_MD_CTX_free(context);
    ab_buf_deinit(&input);
    return good ? AB_OK : AB_FAULT_SYSTEM;
}
