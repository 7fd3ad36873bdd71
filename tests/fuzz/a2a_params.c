/* A2A: the parameters of a message sent, in both versions and bindings. What is taken becomes JSON for agents and rows
 * and can be told again; what is not is refused with a body that is JSON. */
#include "support/fuzz.h"

#include "a2a/message.h"
#include "base/mem.h"

#include <string.h>

/* An exchange that only looks at the answer. */
struct listener {
    struct ab_http_exchange base;
    bool answered;
};

static bool no_header(struct ab_http_exchange *exchange, const char *name, size_t nth, struct ab_str *value)
{
    (void)exchange;
    (void)name;
    (void)nth;
    (void)value;
    return false;
}

static void look_at_answer(struct ab_http_exchange *exchange, const struct ab_http_head *head, struct ab_str body)
{
    struct listener *listener = (struct listener *)exchange;
    struct ab_json value;

    HOLDS(!listener->answered && head->status >= 200 && fuzz_json(body, &value));
    listener->answered = true;
}

static void tell_parts(const struct ab_a2a_form *form, const char *message_json)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(ab_json_trusted(message_json), "parts"));
    struct ab_json part;

    while (ab_json_next(&each, NULL, &part)) {
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_json_writer writer;
        ab_json_writer_init(&writer, &out);
        form->write_part(&writer, part);
        fuzz_wrote_json(&out);
        ab_buf_deinit(&out);
    }
}

static void look_at_sent(const struct ab_a2a_sent *sent)
{
    const char *const texts[] = { sent->message_json, sent->input_json, sent->options_json };
    struct ab_json value;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        HOLDS(texts[i] != NULL && ab_json_check(ab_str(texts[i]), 80, &value, NULL));
    HOLDS(sent->push_wish == NULL || ab_json_check(ab_str(sent->push_wish), 80, &value, NULL));
    HOLDS(sent->history_length >= -1);
    for (const struct ab_a2a_version *const *version = ab_a2a_versions; *version != NULL; version++) {
        tell_parts((*version)->rpc_form, sent->message_json);
        tell_parts((*version)->http_form, sent->message_json);
    }
}

/* The same in every run. */
static void fill(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
}

static void try_params(const struct ab_a2a_version *version, bool rpc, struct ab_json params)
{
    static const struct ab_http_exchange_ops ops = { .header = no_header, .respond = look_at_answer };
    static const unsigned char key[1][AB_SEAL_KEY_BYTES] = { { 1 } };
    struct ab_random random = { .fill = fill };
    struct ab_sealer *sealer = ab_sealer_new(key, 1, random);
    struct ab_a2a a2a = { .settings = { .user_json = "{\"id\":\"local\"}", .sealer = sealer, .random = random } };
    struct listener listener = { .base.ops = &ops };
    struct ab_a2a_call call = { .a2a = &a2a, .reply.exchange = &listener.base, .version = version, .params = params };
    struct ab_a2a_sent sent = { 0 };
    char owner[] = "local";

    call.owner = owner;
    call.binding = rpc ? &ab_a2a_jsonrpc : &ab_a2a_http_json;
    call.form = rpc ? version->rpc_form : version->http_form;
    if (ab_a2a_sent_read(&call, &sent))
        look_at_sent(&sent);
    else
        HOLDS(listener.answered);
    ab_a2a_sent_deinit(&sent);
    ab_sealer_free(sealer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_json params;

    (void)ab_a2a_version_find(fuzz_text(data, size));
    if (!fuzz_json(fuzz_text(data, size), &params) || !ab_json_is(params, AB_JSON_OBJECT))
        return 0;
    for (const struct ab_a2a_version *const *version = ab_a2a_versions; *version != NULL; version++) {
        try_params(*version, true, params);
        try_params(*version, false, params);
    }
    return 0;
}
