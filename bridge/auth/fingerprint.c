#include "auth/fingerprint.h"

#include "base/id.h"

#include <openssl/evp.h>
#include <string.h>

int ab_fingerprint(const char *const *texts, char out[AB_FINGERPRINT_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    /* With the NUL behind it each text ends where it ends. */
    for (; good && *texts != NULL; texts++)
        good = EVP_DigestUpdate(context, *texts, strlen(*texts) + 1) == 1;
    good = good && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!good)
        return AB_FAULT_SYSTEM;
    ab_hex(digest, (AB_FINGERPRINT_SIZE - 1) / 2, out);
    return AB_OK;
}
