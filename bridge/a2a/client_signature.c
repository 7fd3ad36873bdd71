#include "a2a/client_signature.h"

#include "auth/verify.h"
#include "base/base64.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* What a card of 1.0 has at its top; a reader that drops the rest signs and checks nothing else. */
static const char *const known[] = {
    "name",
    "description",
    "supportedInterfaces",
    "provider",
    "version",
    "capabilities",
    "documentationUrl",
    "securitySchemes",
    "defaultInputModes",
    "defaultOutputModes",
    "skills",
    "iconUrl",
    "securityRequirements",
    NULL,
};

static bool is_known(struct ab_json key)
{
    for (size_t i = 0; known[i] != NULL; i++)
        if (ab_json_string_is(key, known[i]))
            return true;
    return false;
}

/* The card without its signatures, and where `only_known` without what 1.0 does not know. */
static void write_signed(struct ab_json card, bool only_known, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(card);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json value;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&each, &key, &value)) {
        if (!ab_json_string_is(key, "signatures") && (!only_known || is_known(key)))
            ab_json_put_member(&writer, key, value);
    }
    ab_json_object_end(&writer);
}

/* The bytes that may have been signed: signers differ in whether they leave out what is empty, and what they do not
 * know. Each of these is the same card. */
#define READINGS 3
static void write_reading(struct ab_json card, size_t reading, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    write_signed(card, reading == 1, &text);
    ab_json_canonical(ab_json_trusted(text.data), reading < 2, out);
    ab_buf_deinit(&text);
}

static bool fits(const char *protected64, struct ab_str payload, const char *signature64, struct ab_json key)
{
    struct ab_buf input = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    ab_buf_append_text(&input, protected64);
    ab_buf_append_char(&input, '.');
    ab_base64url_encode(&input, payload.data, payload.size);
    good = ab_verify_es256(key, ab_buf_str(&input), ab_str(signature64));
    ab_buf_deinit(&input);
    return good;
}

/* Whether the signature's header names ES256, and this key or none. */
static bool header_fits(const char *protected64, struct ab_json key)
{
    struct ab_buf text = AB_BUF_INIT(8192);
    struct ab_json header = { 0 };
    bool good = ab_base64url_decode(&text, ab_str(protected64)) && ab_json_check(ab_buf_str(&text), 8, &header, NULL) &&
                ab_json_string_is(ab_json_member(header, "alg"), "ES256");
    struct ab_json named = ab_json_member(header, "kid");
    struct ab_json own = ab_json_member(key, "kid");

    good = good && (!ab_json_exists(named) || !ab_json_exists(own) || ab_json_equal(named, own));
    ab_buf_deinit(&text);
    return good;
}

static bool is_by(struct ab_json card, struct ab_json signature, struct ab_json key)
{
    AB_CLEANUP(ab_free_string) char *protected64 = ab_json_string_dup(ab_json_member(signature, "protected"));
    AB_CLEANUP(ab_free_string) char *signature64 = ab_json_string_dup(ab_json_member(signature, "signature"));
    bool good = false;

    if (protected64 == NULL || signature64 == NULL || !header_fits(protected64, key))
        return false;
    for (size_t i = 0; i < READINGS && !good; i++) {
        struct ab_buf payload = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        write_reading(card, i, &payload);
        good = fits(protected64, ab_buf_str(&payload), signature64, key);
        ab_buf_deinit(&payload);
    }
    return good;
}

bool ab_a2a_client_signature_check(struct ab_json card, struct ab_json keys, char *reason, size_t reason_size)
{
    struct ab_json signatures = ab_json_member(card, "signatures");
    struct ab_json_iterator each = ab_json_iterate(signatures);
    struct ab_json signature;
    struct ab_json key;

    while (ab_json_is(signatures, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &signature)) {
        struct ab_json_iterator each_key = ab_json_iterate(keys);
        while (ab_json_next(&each_key, NULL, &key))
            if (is_by(card, signature, key))
                return true;
    }
    snprintf(reason, reason_size, "%s",
             ab_json_count(signatures) == 0 ? "the card is not signed, and the configuration wants it to be"
                                            : "none of the card's signatures is by one of the configured keys");
    return false;
}
