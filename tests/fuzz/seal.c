/* Sealed tokens: only what was sealed opens, and only unchanged. The bytes are tried as a token, and as a text to be
 * sealed of which then one bit is changed. */
#include "support/fuzz.h"

#include "auth/seal.h"
#include "base/base64.h"

static const unsigned char keys[2][AB_SEAL_KEY_BYTES] = { { 1 }, { 2 } };

/* The same nonces in every run. */
static void fill(void *context, void *out, size_t size)
{
    unsigned char *next = context;
    unsigned char *bytes = out;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (*next)++;
}

/* The seeds hold tokens of these keys, all of this text. */
static void try_token(const struct ab_sealer *sealer, struct ab_str token)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (ab_unseal(sealer, "fuzz", AB_STR("local"), token, &out))
        HOLDS(ab_str_is(ab_buf_str(&out), "text"));
    else
        HOLDS(out.size == 0);
    ab_buf_deinit(&out);
}

static void change_one_bit(const struct ab_sealer *sealer, const struct ab_buf *token, size_t which)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf changed = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    HOLDS(ab_base64url_decode(&bytes, ab_buf_str(token)));
    which %= bytes.size * 8;
    bytes.data[which / 8] = (char)(bytes.data[which / 8] ^ (1 << (which % 8)));
    ab_base64url_encode(&changed, bytes.data, bytes.size);
    HOLDS(!ab_unseal(sealer, "fuzz", AB_STR("local"), ab_buf_str(&changed), &out) && out.size == 0);
    ab_buf_deinit(&bytes);
    ab_buf_deinit(&changed);
    ab_buf_deinit(&out);
}

static void seal_and_open(const struct ab_sealer *sealer, struct ab_str text)
{
    struct ab_buf token = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t which = text.size;

    for (size_t i = 0; i < text.size; i++)
        which = which * 31 + (unsigned char)text.data[i];
    HOLDS(ab_seal(sealer, "fuzz", AB_STR("local"), text, &token) == AB_OK);
    HOLDS(ab_unseal(sealer, "fuzz", AB_STR("local"), ab_buf_str(&token), &out));
    HOLDS(ab_str_equal(ab_buf_str(&out), text));
    change_one_bit(sealer, &token, which);
    ab_buf_deinit(&token);
    ab_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char next = 0;
    struct ab_sealer *sealer = ab_sealer_new(keys, 2, (struct ab_random){ fill, &next });

    try_token(sealer, fuzz_text(data, size));
    seal_and_open(sealer, fuzz_text(data, size));
    ab_sealer_free(sealer);
    return 0;
}
