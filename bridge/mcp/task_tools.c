/* Tools about a task that is there: get-task, reply-task, stop-task. */
#include "mcp/input_state.h"
#include "mcp/tool_call.h"
#include "mcp/wait.h"
#include "task/question.h"

#include "base/mem.h"

#include <string.h>

/* Loads the task that the argument names; answers and returns false when there is none. */
static bool load_task(struct ab_mcp_request *request, struct ab_json arguments, struct ab_task *task)
{
    struct ab_engine *engine = request->mcp->settings.engine;
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(arguments, "task_id"));
    int found = id != NULL ? ab_engine_get(engine, request->channel->owner, id, task) : AB_TASK_UNKNOWN;

    if (found == AB_OK) {
        ab_engine_touch(engine, task->id);
        return true;
    }
    if (found < 0)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The task cannot be read");
    else
        ab_mcp_answer_tool_error(request, "There is no task \"%s\"; list-tasks says which there are",
                                 id != NULL ? id : "");
    return false;
}

void ab_mcp_tool_get_task(struct ab_mcp_request *request, struct ab_json arguments)
{
    const struct ab_mcp_settings *settings = &request->mcp->settings;
    struct ab_json after = ab_json_member(arguments, "events_after");
    struct ab_mcp_call_kind kind = { .with_events = ab_json_exists(after) };
    struct ab_mcp_patience patience = { .wait_ms = ab_mcp_hold_ms(request, ab_json_member(arguments, "wait_s"),
                                                                  settings->hold_ms) };
    char earlier[AB_TASK_ID_SIZE];
    enum ab_mcp_retry retry = ab_mcp_read_request_state(request, earlier);
    struct ab_task task = { 0 };
    int64_t number = 0;

    if (retry == AB_MCP_RETRY_GOOD)
        ab_mcp_wait_resume(request, earlier, &kind, &patience, false, AB_DISCONNECT_KEEP);
    if (retry != AB_MCP_RETRY_NONE || !load_task(request, arguments, &task))
        return;
    if (kind.with_events && ab_json_int(after, &number))
        kind.events_after = (uint64_t)number;
    /* What happened before is in the answer's state; only what happens from now on is told on the way. */
    if (patience.wait_ms == 0 || ab_task_status_is_terminal(task.status))
        ab_mcp_answer_task(request, &task, &kind, false);
    else
        ab_mcp_wait_for(ab_mcp_wait_new(request, &kind, &patience, false, AB_DISCONNECT_KEEP), &task, task.last_event);
    ab_task_deinit(&task);
}

/* --- steering --- */

static void on_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    static const struct ab_mcp_call_kind kind = { 0 };
    struct ab_mcp_request *request = ab_mcp_ticket_redeem(arg);

    if (request == NULL)
        return;
    switch (outcome) {
    case AB_STEER_DONE:
        ab_mcp_answer_task(request, task, &kind, false);
        break;
    case AB_STEER_TERMINAL:
        ab_mcp_answer_tool_error(request, "The task has ended already: it is %s", ab_task_status_name(task->status));
        break;
    case AB_STEER_UNKNOWN:
        ab_mcp_answer_tool_error(request, "There is no such task");
        break;
    case AB_STEER_NO_QUESTION:
        ab_mcp_answer_tool_error(request, "None of these questions is open%s%s", text != NULL ? ": " : "",
                                 text != NULL ? text : "");
        break;
    case AB_STEER_MISFIT:
    case AB_STEER_NOT_STORED:
        ab_mcp_answer_tool_error(request, "%s", text);
        break;
    }
}

void ab_mcp_tool_stop_task(struct ab_mcp_request *request, struct ab_json arguments)
{
    struct ab_task task = { 0 };

    if (!load_task(request, arguments, &task))
        return;
    ab_engine_stop(request->mcp->settings.engine, request->channel->owner, task.id, on_steered,
                   ab_mcp_ticket_new(request));
    ab_task_deinit(&task);
}

/* Turns `text` or `approve` into answers by key; NULL: `reason` says why not. */
static char *short_answer(const struct ab_task *task, struct ab_json arguments, const char **reason)
{
    struct ab_json text = ab_json_member(arguments, "text");
    struct ab_json approve = ab_json_member(arguments, "approve");
    struct ab_json key = { 0 };
    struct ab_json question = { 0 };
    struct ab_json field;

    *reason = "Give answers by key: text and approve need exactly one open question";
    if (!ab_questions_single(ab_json_trusted(task->questions_json), &key, &question))
        return NULL;
    if (ab_json_exists(approve)) {
        return ab_format("{%.*s:{\"action\":\"%s\"}}", AB_STR_ARGS(key.text),
                         ab_json_is_true(approve) ? "accept" : "decline");
    }
    field = ab_question_text_field(question);
    *reason = "The open question is not answered by one text: see its schema in get-task, and give answers by key";
    if (!ab_json_exists(text) || !ab_json_exists(field))
        return NULL;
    return ab_format("{%.*s:{\"action\":\"accept\",\"content\":{%.*s:%.*s}}}", AB_STR_ARGS(key.text),
                     AB_STR_ARGS(field.text), AB_STR_ARGS(text.text));
}

void ab_mcp_tool_reply_task(struct ab_mcp_request *request, struct ab_json arguments)
{
    struct ab_json given = ab_json_member(arguments, "answers");
    const char *reason = NULL;
    AB_CLEANUP(ab_free_string) char *answers = NULL;
    struct ab_task task = { 0 };

    if (!load_task(request, arguments, &task))
        return;
    answers = ab_json_exists(given) ? ab_json_dup(given) : short_answer(&task, arguments, &reason);
    if (answers == NULL)
        ab_mcp_answer_tool_error(request, "%s", reason);
    else
        ab_engine_answer(request->mcp->settings.engine, request->channel->owner, task.id, answers, on_steered,
                         ab_mcp_ticket_new(request));
    ab_task_deinit(&task);
}
