/* Looking at a task, and ending it: GetTask, CancelTask, SubscribeToTask; and the methods that are not here. */
#include "a2a/follow.h"
#include "a2a/methods.h"
#include "a2a/write.h"

#include "base/mem.h"

#include <string.h>

/* --- one task --- */

bool ab_a2a_load_task(struct ab_a2a_call *call, const char *id, struct ab_task *out)
{
    int found = ab_engine_get(call->a2a->settings.engine, call->owner, id, out);

    if (found == AB_OK && strcmp(out->agent, call->agent) == 0) {
        ab_engine_touch(call->a2a->settings.engine, out->id);
        return true;
    }
    if (found == AB_OK)
        ab_task_deinit(out);
    if (found < 0)
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
    else
        ab_a2a_refuse_task(call, AB_A2A_TASK_NOT_FOUND, id, "Task not found: there is no task \"%.100s\"", id);
    return false;
}

/* The task that the parameters name. */
static bool load_named(struct ab_a2a_call *call, struct ab_task *out)
{
    AB_CLEANUP(ab_free_string) char *id = NULL;

    if (!ab_a2a_read_text(call, call->params, "id", &id))
        return false;
    if (id == NULL) {
        ab_a2a_refuse_field(call, "id", "id is missing: it names the task");
        return false;
    }
    return ab_a2a_load_task(call, id, out);
}

static void answer_task(struct ab_a2a_call *call, const struct ab_task *task, int64_t history_length)
{
    const struct ab_a2a_task_wish wish = { .history_length = history_length, .artifacts = true };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    if (call->form->kinds)
        ab_json_put_text(&writer, "kind", "task");
    if (ab_a2a_write_task(&writer, ab_a2a_view_of(call), task, &wish) < 0) {
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
    } else {
        ab_json_object_end(&writer);
        ab_a2a_answer(call, ab_buf_str(&text));
    }
    ab_buf_deinit(&text);
}

void ab_a2a_get_task(struct ab_a2a_call *call)
{
    struct ab_task task = { 0 };
    int64_t history_length = -1;

    if (!ab_a2a_read_count(call, call->params, "historyLength", &history_length) || !load_named(call, &task))
        return;
    answer_task(call, &task, history_length);
    ab_task_deinit(&task);
}

void ab_a2a_subscribe(struct ab_a2a_call *call)
{
    struct ab_task task = { 0 };

    if (!load_named(call, &task))
        return;
    if (ab_task_status_is_terminal(task.status)) {
        ab_a2a_refuse_task(call, AB_A2A_UNSUPPORTED_OPERATION, task.id,
                           "The task has ended: it is %s, and nothing follows", ab_task_status_name(task.status));
    } else if (ab_a2a_take_place(call)) {
        call->follow = ab_a2a_follow_new(call, AB_A2A_FOLLOW_SUBSCRIBE, -1);
        ab_a2a_follow_task(call->follow, &task, false);
    }
    ab_task_deinit(&task);
}

/* --- cancelling --- */

static void on_stopped(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_a2a_call *call = arg;

    if (!ab_http_reply_kept(&call->reply))
        return;
    if (outcome == AB_STEER_DONE)
        answer_task(call, task, -1);
    else if (outcome == AB_STEER_TERMINAL)
        ab_a2a_refuse_task(call, AB_A2A_TASK_NOT_CANCELABLE, task->id, "The task has ended already: it is %s",
                           ab_task_status_name(task->status));
    else if (outcome == AB_STEER_UNKNOWN)
        ab_a2a_refuse(call, AB_A2A_TASK_NOT_FOUND, "Task not found: there is no such task");
    else
        ab_a2a_refuse(call, AB_A2A_UNAVAILABLE, "%s", text != NULL ? text : "The task could not be stopped");
}

void ab_a2a_cancel_task(struct ab_a2a_call *call)
{
    struct ab_task task = { 0 };

    if (!load_named(call, &task))
        return;
    ab_http_reply_promise(&call->reply);
    ab_engine_stop(call->a2a->settings.engine, call->owner, task.id, on_stopped, call);
    ab_task_deinit(&task);
}

/* --- what is not here --- */

void ab_a2a_extended_card(struct ab_a2a_call *call)
{
    ab_a2a_refuse(call, call->version->no_extended_card, "There is no extended card: the public one says all");
}
