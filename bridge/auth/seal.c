/* AES-256-GCM. The key number is authenticated with purpose and bound text; it is the start of the key's SHA-256, so a
 * key keeps its number wherever it stands in the list. */
#include "auth/seal.h"

#include "base/base64.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_BYTES = 4, NONCE_BYTES = 12, TAG_BYTES = 16, OVERHEAD = NUMBER_BYTES + NONCE_BYTES + TAG_BYTES };

struct sealing_key {
    unsigned char number[NUMBER_BYTES];
    unsigned char key[AB_SEAL_KEY_BYTES];
};

struct ab_sealer {
    struct sealing_key *keys;
    size_t n_keys;
    struct ab_random random;
};

struct ab_sealer *ab_sealer_new(const unsigned char (*keys)[AB_SEAL_KEY_BYTES], size_t n_keys, struct ab_random random)
{
    struct ab_sealer *sealer = ab_alloc(1, sizeof *sealer);

    sealer->keys = ab_alloc(n_keys > 0 ? n_keys : 1, sizeof *sealer->keys);
    sealer->random = random;
    for (; sealer->n_keys < n_keys; sealer->n_keys++) {
        struct sealing_key *own = &sealer->keys[sealer->n_keys];
        unsigned char digest[EVP_MAX_MD_SIZE];

        memcpy(own->key, keys[sealer->n_keys], AB_SEAL_KEY_BYTES);
        if (EVP_Digest(own->key, AB_SEAL_KEY_BYTES, digest, NULL, EVP_sha256(), NULL) == 1)
            memcpy(own->number, digest, NUMBER_BYTES);
        OPENSSL_cleanse(digest, sizeof digest);
    }
    return sealer;
}

void ab_sealer_free(struct ab_sealer *sealer)
{
    if (sealer == NULL)
        return;
    OPENSSL_cleanse(sealer->keys, sealer->n_keys * sizeof *sealer->keys);
    free(sealer->keys);
    free(sealer);
}

/* What the tag covers besides the text: key number, purpose, bound; the lengths keep them apart. */
static bool add_context(EVP_CIPHER_CTX *cipher, bool sealing, const unsigned char *number, const char *purpose,
                        struct ab_str bound)
{
    int (*update)(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int) =
        sealing ? EVP_EncryptUpdate : EVP_DecryptUpdate;
    size_t size = strlen(purpose) + 1;
    int written;

    if (bound.size > INT_MAX || size > INT_MAX)
        return false;
    if (update(cipher, NULL, &written, number, NUMBER_BYTES) != 1 ||
        update(cipher, NULL, &written, (const unsigned char *)purpose, (int)size) != 1)
        return false;
    return bound.size == 0 || update(cipher, NULL, &written, (const unsigned char *)bound.data, (int)bound.size) == 1;
}

/* `out` is OVERHEAD bytes longer than the text. */
static bool encrypt(const struct sealing_key *key, const char *purpose, struct ab_str bound, struct ab_str text,
                    unsigned char *out)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char *body = out + NUMBER_BYTES + NONCE_BYTES;
    int written = 0;
    bool good;

    good = cipher != NULL && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->key, out + NUMBER_BYTES) == 1 &&
           add_context(cipher, true, key->number, purpose, bound) &&
           (text.size == 0 ||
            EVP_EncryptUpdate(cipher, body, &written, (const unsigned char *)text.data, (int)text.size) == 1) &&
           EVP_EncryptFinal_ex(cipher, body + text.size, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + text.size) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return good;
}

int ab_seal(const struct ab_sealer *sealer, const char *purpose, struct ab_str bound, struct ab_str text,
            struct ab_buf *out)
{
    unsigned char *bytes;
    bool good;

    if (sealer->n_keys == 0 || text.size > INT_MAX - OVERHEAD)
        return AB_FAULT_LIMIT;
    bytes = ab_alloc(1, text.size + OVERHEAD);
    memcpy(bytes, sealer->keys[0].number, NUMBER_BYTES);
    ab_random_fill(&sealer->random, bytes + NUMBER_BYTES, NONCE_BYTES);
    good = encrypt(&sealer->keys[0], purpose, bound, text, bytes);
    if (good)
        ab_base64url_encode(out, bytes, text.size + OVERHEAD);
    free(bytes);
    if (!good)
        return AB_FAULT_SYSTEM;
    return out->full ? AB_FAULT_LIMIT : AB_OK;
}

static const struct sealing_key *find_key(const struct ab_sealer *sealer, const unsigned char *number)
{
    for (size_t i = 0; i < sealer->n_keys; i++) {
        if (memcmp(sealer->keys[i].number, number, NUMBER_BYTES) == 0)
            return &sealer->keys[i];
    }
    return NULL;
}

static bool decrypt(const struct sealing_key *key, const char *purpose, struct ab_str bound, unsigned char *bytes,
                    size_t size, unsigned char *text)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char *body = bytes + NUMBER_BYTES + NONCE_BYTES;
    size_t text_size = size - OVERHEAD;
    int written = 0;
    bool good;

    good = cipher != NULL && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->key, bytes + NUMBER_BYTES) == 1 &&
           add_context(cipher, false, bytes, purpose, bound) &&
           (text_size == 0 || EVP_DecryptUpdate(cipher, text, &written, body, (int)text_size) == 1) &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, body + text_size) == 1 &&
           EVP_DecryptFinal_ex(cipher, text + text_size, &written) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return good;
}

bool ab_unseal(const struct ab_sealer *sealer, const char *purpose, struct ab_str bound, struct ab_str token,
               struct ab_buf *out)
{
    struct ab_buf bytes = AB_BUF_INIT((size_t)INT_MAX);
    const struct sealing_key *key;
    unsigned char *text;
    bool good = false;

    if (ab_base64url_decode(&bytes, token) && !bytes.full && bytes.size >= OVERHEAD &&
        (key = find_key(sealer, (unsigned char *)bytes.data)) != NULL) {
        text = ab_alloc(1, bytes.size);
        good = decrypt(key, purpose, bound, (unsigned char *)bytes.data, bytes.size, text);
        if (good)
            ab_buf_append(out, text, bytes.size - OVERHEAD);
        OPENSSL_cleanse(text, bytes.size);
        free(text);
    }
    ab_buf_deinit(&bytes);
    return good && !out->full;
}

/* --- the key file --- */

static int say(char *reason, size_t reason_size, const char *path, const char *what)
{
    snprintf(reason, reason_size, "%.160s: %s", path, what);
    return AB_FAULT_SYSTEM;
}

static int read_key(int fd, const char *path, unsigned char key[AB_SEAL_KEY_BYTES], char *reason, size_t reason_size)
{
    unsigned char bytes[AB_SEAL_KEY_BYTES + 1];
    struct stat status;
    ssize_t size;

    if (fstat(fd, &status) == 0 && (status.st_mode & 077) != 0)
        return say(reason, reason_size, path, "others can read it; chmod 600, or delete it for a new one");
    size = read(fd, bytes, sizeof bytes);
    if (size == AB_SEAL_KEY_BYTES)
        memcpy(key, bytes, AB_SEAL_KEY_BYTES);
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (size < 0)
        return say(reason, reason_size, path, strerror(errno));
    return size == AB_SEAL_KEY_BYTES ? AB_OK : say(reason, reason_size, path, "is no key of 32 bytes; delete it");
}

/* Whole or not at all: written beside, synced, then linked in place, which fails when another was faster. */
static int make_key(const char *path, const struct ab_random *random, char *reason, size_t reason_size)
{
    AB_CLEANUP(ab_free_string) char *fresh = ab_format("%s.%ld", path, (long)getpid());
    unsigned char key[AB_SEAL_KEY_BYTES];
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good;
    int fault;

    if (fd < 0)
        return say(reason, reason_size, path, strerror(errno));
    ab_random_fill(random, key, sizeof key);
    good = write(fd, key, sizeof key) == (ssize_t)sizeof key && fsync(fd) == 0;
    OPENSSL_cleanse(key, sizeof key);
    good = good && (link(fresh, path) == 0 || errno == EEXIST);
    fault = errno;
    (void)close(fd);
    (void)unlink(fresh);
    return good ? AB_OK : say(reason, reason_size, path, strerror(fault));
}

int ab_seal_key_file(const char *path, const struct ab_random *random, unsigned char key[AB_SEAL_KEY_BYTES],
                     char *reason, size_t reason_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result;

    if (fd < 0 && errno == ENOENT) {
        result = make_key(path, random, reason, reason_size);
        if (result != AB_OK)
            return result;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return say(reason, reason_size, path, strerror(errno));
    result = read_key(fd, path, key, reason, reason_size);
    (void)close(fd);
    return result;
}
