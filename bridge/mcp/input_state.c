#include "mcp/input_state.h"

#include "mcp/input.h"

#include "base/mem.h"

#include <string.h>

static const char purpose[] = "mcp-request-state";

/* Long enough for a person to find the answer, short enough to be worthless in an old log. */
#define STATE_LIVES_MS ((int64_t)3600 * 1000)

/* What the state is bound to: caller, method, tool and arguments, each as its own text. */
static char *bound_text(const struct ab_mcp_request *request)
{
    struct ab_json name = ab_json_member(request->message.params, "name");
    struct ab_json arguments = ab_json_member(request->message.params, "arguments");

    return ab_format("%s\n%s\n%.*s\n%.*s", request->channel->owner, request->message.method, AB_STR_ARGS(name.text),
                     AB_STR_ARGS(arguments.text));
}

static int write_state(const struct ab_mcp_request *request, const struct ab_task *task, struct ab_buf *token)
{
    const struct ab_mcp_settings *settings = &request->mcp->settings;
    int64_t expires = ab_clock_wall_ms(&settings->loop->clock) + STATE_LIVES_MS;
    AB_CLEANUP(ab_free_string) char *bound = bound_text(request);
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("{\"task\":\"%s\",\"expires\":%lld}", task->id, (long long)expires);

    return ab_seal(settings->sealer, purpose, ab_str(bound), ab_str(text), token);
}

void ab_mcp_answer_input_required(struct ab_mcp_request *request, const struct ab_task *task, const char *problem)
{
    struct ab_buf token = AB_BUF_INIT(8192);
    struct ab_mcp_result result;

    if (write_state(request, task, &token) != AB_OK) {
        ab_buf_deinit(&token);
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The question cannot be put");
        return;
    }
    ab_mcp_result_begin(&result, request, "input_required");
    ab_json_write_key(&result.writer, "inputRequests");
    ab_mcp_write_input_requests(&result.writer, task, request->capabilities, problem);
    ab_json_put_text(&result.writer, "requestState", token.data);
    ab_mcp_result_send(&result);
    ab_buf_deinit(&token);
}

bool ab_mcp_can_answer(const struct ab_mcp_request *request, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    bool any;

    if (task->status != AB_TASK_PAUSED)
        return false;
    ab_json_writer_init(&writer, &text);
    ab_mcp_write_input_requests(&writer, task, request->capabilities, NULL);
    any = ab_json_count(ab_json_trusted(text.data)) > 0;
    ab_buf_deinit(&text);
    return any;
}

static bool read_state(const struct ab_mcp_request *request, struct ab_str text, char task_id[AB_TASK_ID_SIZE])
{
    int64_t now = ab_clock_wall_ms(&request->mcp->settings.loop->clock);
    struct ab_json value;
    int64_t expires = 0;

    if (!ab_json_check(text, 2, &value, NULL) || !ab_json_int(ab_json_member(value, "expires"), &expires) ||
        expires < now)
        return false;
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(value, "task"));
    if (id == NULL || strlen(id) != AB_TASK_ID_SIZE - 1)
        return false;
    memcpy(task_id, id, AB_TASK_ID_SIZE);
    return true;
}

enum ab_mcp_retry ab_mcp_read_request_state(struct ab_mcp_request *request, char task_id[AB_TASK_ID_SIZE])
{
    struct ab_json state = ab_json_member(request->message.params, "requestState");
    AB_CLEANUP(ab_free_string) char *token = ab_json_string_dup(state);
    AB_CLEANUP(ab_free_string) char *bound = NULL;
    struct ab_buf text = AB_BUF_INIT(8192);
    bool good;

    if (!ab_json_exists(state) || request->version->era != AB_MCP_MODERN)
        return AB_MCP_RETRY_NONE;
    bound = bound_text(request);
    good = token != NULL && ab_unseal(request->mcp->settings.sealer, purpose, ab_str(bound), ab_str(token), &text) &&
           read_state(request, ab_buf_str(&text), task_id);
    ab_buf_deinit(&text);
    if (good)
        return AB_MCP_RETRY_GOOD;
    ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                         "params.requestState is not the one given for this call, or too old: call again without it");
    return AB_MCP_RETRY_REFUSED;
}
