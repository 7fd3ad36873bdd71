/* A call that comes back with answers: the earlier task hears them, then the call waits on (MCP 2026-07-28,
 * basic/mrtr). */
#include "mcp/input.h"
#include "mcp/input_state.h"
#include "mcp/tools.h"
#include "mcp/wait.h"

#include "base/mem.h"

struct resume {
    struct ab_mcp_ticket *ticket;
    struct ab_mcp_call_kind kind;
    struct ab_mcp_patience patience;
    bool starts_task;
    enum ab_on_disconnect on_disconnect;
};

static void wait_on(struct ab_mcp_request *request, const struct resume *resume, const struct ab_task *task)
{
    struct ab_mcp_wait *wait =
        ab_mcp_wait_new(request, &resume->kind, &resume->patience, resume->starts_task, resume->on_disconnect);

    ab_mcp_wait_for(wait, task, task->last_event);
}

/* Answers that came too late, or to nothing, are ignored: the call goes on with whatever became of the task. */
static void on_answered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct resume *resume = arg;
    struct ab_mcp_request *request = ab_mcp_ticket_redeem(resume->ticket);

    if (request == NULL)
        ; /* gone; the answers stand */
    else if (task == NULL || outcome == AB_STEER_NOT_STORED || outcome == AB_STEER_UNKNOWN)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The answers were not taken: %s",
                             text != NULL ? text : "the task is gone");
    else if (outcome == AB_STEER_MISFIT && ab_mcp_can_answer(request, task))
        ab_mcp_answer_input_required(request, task, text);
    else
        wait_on(request, resume, task);
    ab_mcp_published_release(resume->kind.tool);
    free(resume);
}

void ab_mcp_wait_resume(struct ab_mcp_request *request, const char *task_id, const struct ab_mcp_call_kind *kind,
                        const struct ab_mcp_patience *patience, bool starts_task, enum ab_on_disconnect on_disconnect)
{
    struct ab_engine *engine = request->mcp->settings.engine;
    struct ab_json responses = ab_json_member(request->message.params, "inputResponses");
    struct ab_buf answers = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_task task = { 0 };
    struct resume *resume;

    if (ab_engine_get(engine, request->channel->owner, task_id, &task) != AB_OK) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "The task of params.requestState is gone");
        return;
    }
    ab_engine_touch(engine, task_id);
    ab_mcp_answers_from_responses(&answers, &task, responses);
    resume = ab_alloc(1, sizeof(*resume));
    *resume = (struct resume){
        .kind = *kind, .patience = *patience, .starts_task = starts_task, .on_disconnect = on_disconnect
    };
    ab_mcp_published_hold(kind->tool);
    if (ab_json_count(ab_json_trusted(answers.data)) == 0) {
        wait_on(request, resume, &task);
        ab_mcp_published_release(kind->tool);
        free(resume);
    } else {
        resume->ticket = ab_mcp_ticket_new(request);
        ab_engine_answer(engine, request->channel->owner, task.id, answers.data, on_answered, resume);
    }
    ab_buf_deinit(&answers);
    ab_task_deinit(&task);
}
