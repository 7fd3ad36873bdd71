/* JSON-RPC: what is read as a message is written again as the same one. */
#include "support/fuzz.h"

#include "base/mem.h"
#include "wire/jsonrpc.h"

#include <string.h>

static void write_again(const struct ab_jsonrpc_message *message, struct ab_buf *out)
{
    AB_CLEANUP(ab_free_string) char *params = ab_json_dup(message->params);
    AB_CLEANUP(ab_free_string) char *error = ab_json_dup(message->error);

    if (message->kind != AB_JSONRPC_RESPONSE)
        ab_jsonrpc_write_call(out, message->id, message->method, params);
    else if (ab_json_exists(message->result))
        ab_jsonrpc_write_result(out, message->id, message->result.text);
    else
        ab_jsonrpc_write_error(out, message->id, AB_JSONRPC_INTERNAL_ERROR, "failed", error);
}

static void compare(const struct ab_jsonrpc_message *message, const struct ab_buf *written)
{
    struct ab_jsonrpc_message again = { 0 };
    const char *reason = NULL;
    struct ab_json value;

    HOLDS(ab_json_check(ab_buf_str(written), 128, &value, NULL));
    HOLDS(ab_jsonrpc_read(value, &again, &reason));
    HOLDS(again.kind == message->kind);
    HOLDS(ab_json_exists(again.id) == ab_json_exists(message->id));
    HOLDS(!ab_json_exists(again.id) || ab_json_equal(again.id, message->id));
    HOLDS(message->method == NULL || strcmp(again.method, message->method) == 0);
    HOLDS(ab_str_equal(again.params.text, message->params.text));
    HOLDS(ab_str_equal(again.result.text, message->result.text));
    HOLDS(ab_json_exists(again.error) == ab_json_exists(message->error));
    ab_jsonrpc_message_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_buf written = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_jsonrpc_message message = { 0 };
    const char *reason = NULL;
    struct ab_json value;

    if (!fuzz_json(fuzz_text(data, size), &value))
        return 0;
    if (ab_jsonrpc_read(value, &message, &reason)) {
        write_again(&message, &written);
        compare(&message, &written);
        ab_jsonrpc_message_deinit(&message);
    } else {
        HOLDS(reason != NULL && reason[0] != '\0');
        ab_jsonrpc_write_error(&written, message.id, AB_JSONRPC_INVALID_REQUEST, reason, NULL);
        fuzz_wrote_json(&written);
    }
    ab_buf_deinit(&written);
    return 0;
}
