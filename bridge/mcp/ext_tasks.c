#include "mcp/ext_tasks.h"

#include "mcp/input.h"
#include "mcp/methods.h"

#include "base/mem.h"

#include <string.h>

/* DESIGN, "The task": only an agent's own JSON-RPC error is `failed`; any other bad end is a result with isError. */
static const char *status_name(const struct ab_task *task)
{
    switch (task->status) {
    case AB_TASK_PENDING:
    case AB_TASK_EXECUTING:
        return "working";
    case AB_TASK_PAUSED:
        return "input_required";
    case AB_TASK_ERROR:
        return task->reason == AB_REASON_PROTOCOL ? "failed" : "completed";
    case AB_TASK_STOPPED:
        return "cancelled";
    case AB_TASK_COMPLETED:
    case AB_TASK_FAILED:
    case AB_TASK_STATUS_COUNT:
        break;
    }
    return "completed";
}

/* Progress and log messages never reach a task's watchers, so the latest of them is the status message. */
static void put_status_message(struct ab_json_writer *writer, const struct ab_task *task)
{
    const char *text = task->status_message;

    if (!ab_task_status_is_terminal(task->status) && task->progress_message != NULL)
        text = task->progress_message;
    ab_json_put_optional_text(writer, "statusMessage", text);
}

static void write_task(struct ab_json_writer *writer, const struct ab_mcp *mcp, const struct ab_task *task)
{
    ab_json_put_text(writer, "taskId", task->id);
    ab_json_put_text(writer, "status", status_name(task));
    put_status_message(writer, task);
    ab_json_put_time(writer, "createdAt", task->created_at);
    ab_json_put_time(writer, "lastUpdatedAt", task->updated_at);
    /* Counted from creation; open until the task has ended, since only finished tasks are ever swept. */
    if (task->finished_at != 0)
        ab_json_put_int(writer, "ttlMs", task->finished_at - task->created_at + mcp->settings.keep_ms);
    else
        ab_json_put_raw(writer, "ttlMs", NULL);
    ab_json_put_int(writer, "pollIntervalMs", mcp->settings.poll_interval_ms);
}

void ab_mcp_answer_handle(struct ab_mcp_request *request, const struct ab_task *task)
{
    struct ab_mcp_result result;

    ab_mcp_result_begin(&result, request, "task");
    write_task(&result.writer, request->mcp, task);
    ab_mcp_result_send(&result);
}

static int write_inner_result(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                              const struct ab_task *task)
{
    struct ab_mcp_call_kind kind;
    int result;

    ab_mcp_call_kind_of(mcp, task, &kind);
    ab_json_write_key(writer, "result");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "resultType", "complete");
    result = ab_mcp_write_call_result(writer, mcp, version, task, &kind, true);
    ab_json_object_end(writer);
    return result;
}

static void write_error(struct ab_json_writer *writer, const struct ab_task *task)
{
    AB_CLEANUP(ab_free_string) char *message = NULL;
    AB_CLEANUP(ab_free_string) char *data = NULL;
    int64_t code = ab_mcp_agent_error(task, &message, &data);

    ab_json_write_key(writer, "error");
    ab_json_object_begin(writer);
    ab_json_put_int(writer, "code", code);
    ab_json_put_text(writer, "message", message);
    ab_json_put_optional_raw(writer, "data", data);
    ab_json_object_end(writer);
}

int ab_mcp_write_detailed_task(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                               uint32_t capabilities, const struct ab_task *task)
{
    const char *status = status_name(task);

    write_task(writer, mcp, task);
    if (strcmp(status, "input_required") == 0) {
        ab_json_write_key(writer, "inputRequests");
        ab_mcp_write_input_requests(writer, task, capabilities, NULL);
    } else if (strcmp(status, "failed") == 0) {
        write_error(writer, task);
    } else if (strcmp(status, "completed") == 0) {
        return write_inner_result(writer, mcp, version, task);
    }
    return AB_OK;
}

/* --- tasks/get, tasks/update, tasks/cancel --- */

bool ab_mcp_load_task(struct ab_mcp_request *request, struct ab_task *task)
{
    struct ab_engine *engine = request->mcp->settings.engine;
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(request->message.params, "taskId"));
    int found;

    if (id == NULL) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params.taskId must be a string");
        return false;
    }
    found = ab_engine_get(engine, request->channel->owner, id, task);
    if (found == AB_OK) {
        ab_engine_touch(engine, id);
        return true;
    }
    if (found < 0)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The task cannot be read");
    else
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "There is no task \"%s\"", id);
    return false;
}

void ab_mcp_tasks_get(struct ab_mcp_request *request)
{
    struct ab_task task = { 0 };
    struct ab_mcp_result result;

    if (!ab_mcp_load_task(request, &task))
        return;
    ab_mcp_result_begin(&result, request, "complete");
    if (ab_mcp_write_detailed_task(&result.writer, request->mcp, request->version, request->capabilities, &task) < 0) {
        ab_buf_deinit(&result.text);
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The task's log cannot be read");
    } else {
        ab_mcp_result_send(&result);
    }
    ab_task_deinit(&task);
}

/* Answers to questions that are closed or unknown are ignored, and a stopped task may be stopped again. */
static void acknowledge(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_mcp_request *request = ab_mcp_ticket_redeem(arg);

    (void)task;
    if (request == NULL)
        return;
    if (outcome == AB_STEER_NOT_STORED)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "It could not be stored: %s", text);
    else
        ab_mcp_answer_empty(request);
}

void ab_mcp_tasks_update(struct ab_mcp_request *request)
{
    struct ab_json responses = ab_json_member(request->message.params, "inputResponses");
    struct ab_task task = { 0 };
    struct ab_buf answers = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!ab_json_is(responses, AB_JSON_OBJECT)) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params.inputResponses must be an object, found %s",
                             ab_json_type_name(responses));
        return;
    }
    if (!ab_mcp_load_task(request, &task))
        return;
    ab_mcp_answers_from_responses(&answers, &task, responses);
    ab_engine_answer_unheard(request->mcp->settings.engine, request->channel->owner, task.id, answers.data, acknowledge,
                             ab_mcp_ticket_new(request));
    ab_buf_deinit(&answers);
    ab_task_deinit(&task);
}

void ab_mcp_tasks_cancel(struct ab_mcp_request *request)
{
    struct ab_task task = { 0 };

    if (!ab_mcp_load_task(request, &task))
        return;
    ab_engine_stop(request->mcp->settings.engine, request->channel->owner, task.id, acknowledge,
                   ab_mcp_ticket_new(request));
    ab_task_deinit(&task);
}
