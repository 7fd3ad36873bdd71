/* The body of an invocation. What is taken becomes JSON for agents and rows, and no credential stands in what is
 * stored; what is not is told as JSON, each fault with its place. */
#include "support/fuzz.h"

#include "rest/body.h"

#include <string.h>

/* The same in every run. */
static void fill(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
}

/* Whether a text of the credentials that is long enough to be told from a word stands in what is kept. */
static bool leaks(const char *kept, struct ab_json secret)
{
    struct ab_str inside = secret.text;

    return ab_json_is(secret, AB_JSON_STRING) && inside.size > 24 &&
           memmem(kept, strlen(kept), inside.data, inside.size) != NULL;
}

static void look_at(const struct ab_rest_body *body, struct ab_json given)
{
    const char *const texts[] = { body->message_json, body->input_json, body->options_json };
    struct ab_json secrets = ab_json_trusted(body->secrets_json);
    struct ab_json value;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        HOLDS(texts[i] != NULL && ab_json_check(ab_str(texts[i]), 80, &value, NULL) &&
              ab_json_is(value, AB_JSON_OBJECT));
    HOLDS(body->secrets_json == NULL || ab_json_check(ab_str(body->secrets_json), 80, &value, NULL));
    HOLDS(body->webhooks_json == NULL || ab_json_check(ab_str(body->webhooks_json), 80, &value, NULL));
    HOLDS(body->thread_id == NULL || body->thread_id[0] != '\0');
    HOLDS(!ab_json_exists(ab_json_member(ab_json_trusted(body->options_json), "user_oidc_token")));
    HOLDS(!ab_json_exists(ab_json_member(ab_json_trusted(body->options_json), "user_tokens")));
    /* A caller may say the same where it is meant to be kept. */
    if (!leaks(body->input_json, ab_json_member(secrets, "user_oidc_token")) && ab_json_count(given) == 2)
        HOLDS(!leaks(body->options_json, ab_json_member(secrets, "user_oidc_token")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[1][AB_SEAL_KEY_BYTES] = { { 1 } };
    struct ab_sealer *sealer = ab_sealer_new(key, 1, (struct ab_random){ .fill = fill });
    struct ab_rest_body_reader reader = { .json_depth = 64,
                                          .strict = size % 2 == 1,
                                          .user_json = "{\"id\":\"local\"}",
                                          .version = "draft",
                                          .message_id = "1",
                                          .webhooks = { .sealer = sealer, .owner = "local" } };
    struct ab_rest_faults faults;
    struct ab_rest_body body;
    struct ab_json given = { { NULL, 0 } };
    struct ab_buf told = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_rest_faults_init(&faults);
    if (ab_rest_body_read(&reader, fuzz_text(data, size), &body, &faults)) {
        HOLDS(faults.n == 0 && fuzz_json(fuzz_text(data, size), &given));
        look_at(&body, given);
    } else {
        HOLDS(faults.n > 0);
    }
    ab_rest_faults_write(&faults, &told);
    fuzz_wrote_json(&told);
    ab_buf_deinit(&told);
    ab_rest_body_deinit(&body);
    ab_rest_faults_deinit(&faults);
    ab_sealer_free(sealer);
    return 0;
}
