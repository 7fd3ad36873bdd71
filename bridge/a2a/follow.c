#include "a2a/follow_internal.h"

#include "base/mem.h"

#include <string.h>

/* What shows that there is a task, not only a message. */
#define BEGUN (FOLLOW_TOLD & ~AB_EVENT_BIT(AB_EVENT_STATUS))

struct ab_a2a_follow *ab_a2a_follow_new(struct ab_a2a_call *call, enum ab_a2a_follow_kind kind, int64_t history_length)
{
    struct ab_a2a_follow *follow = ab_alloc(1, sizeof *follow);

    follow->call = call;
    follow->kind = kind;
    follow->history_length = history_length;
    return follow;
}

void ab_a2a_follow_free(struct ab_a2a_follow *follow)
{
    if (follow == NULL)
        return;
    ab_watch_free(follow->watch);
    ab_timer_free(follow->head_timer);
    free(follow->context_id);
    free(follow->questions);
    free(follow);
}

bool ab_a2a_follow_is_stream(const struct ab_a2a_follow *follow)
{
    return follow->kind == AB_A2A_FOLLOW_STREAM || follow->kind == AB_A2A_FOLLOW_SUBSCRIBE;
}

bool ab_a2a_follow_is_open_ended(const struct ab_a2a_follow *follow)
{
    return follow->kind == AB_A2A_FOLLOW_SUBSCRIBE;
}

struct ab_engine *follow_engine(const struct ab_a2a_follow *follow)
{
    return follow->call->a2a->settings.engine;
}

void follow_pass(struct ab_a2a_follow *follow, uint64_t number)
{
    if (number > follow->cursor)
        follow->cursor = number;
}

void follow_stop(struct ab_a2a_follow *follow)
{
    follow->over = true;
    ab_watch_free(follow->watch);
    ab_timer_free(follow->head_timer);
    follow->watch = NULL;
    follow->head_timer = NULL;
}

void follow_fail(struct ab_a2a_follow *follow)
{
    follow_stop(follow);
    ab_a2a_refuse(follow->call, AB_A2A_INTERNAL_ERROR, "The task cannot be read any more");
}

/* --- a message instead of a task --- */

static bool take_said(void *arg, const struct ab_event *event)
{
    char **said = arg;

    *said = ab_strdup(event->body_json);
    return false;
}

/* What the agent said in place of a task, or NULL; the caller frees. */
static char *said_by(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    char *said = NULL;

    if (follow->fresh && task->status == AB_TASK_COMPLETED &&
        ab_engine_events(follow_engine(follow), task->id, 0, AB_EVENT_BIT(AB_EVENT_SAY), 1, take_said, &said) < 0)
        return NULL;
    return said;
}

static void write_said(const struct ab_a2a_follow *follow, const struct ab_task *task, const char *said,
                       struct ab_buf *out)
{
    const struct ab_a2a_form *form = follow->call->form;
    AB_CLEANUP(ab_free_string) char *id = ab_format("%s-message", task->id);
    struct ab_json body = ab_json_trusted(said);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_a2a_begin(&writer, form, "message", "message");
    ab_a2a_write_message(&writer, form,
                         &(struct ab_a2a_message){ .id = id,
                                                   .role = AB_A2A_AGENT,
                                                   .context_id = task->thread_id,
                                                   .parts = ab_json_member(body, "parts"),
                                                   .metadata = ab_json_member(body, "metadata"),
                                                   .extensions = ab_json_member(body, "extensions") });
    ab_a2a_end(&writer, form);
}

/* --- a blocking call --- */

static void answer(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    struct ab_a2a_call *call = follow->call;
    AB_CLEANUP(ab_free_string) char *said = said_by(follow, task);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    const struct ab_a2a_task_wish wish = { .history_length = follow->history_length, .artifacts = true };

    follow_stop(follow);
    if (said != NULL) {
        write_said(follow, task, said, &text);
    } else {
        ab_json_writer_init(&writer, &text);
        ab_a2a_begin(&writer, call->form, "task", "task");
        if (ab_a2a_write_task(&writer, ab_a2a_view_of(call), task, &wish) < 0) {
            ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
            ab_buf_deinit(&text);
            return;
        }
        ab_a2a_end(&writer, call->form);
    }
    ab_a2a_answer(call, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

static void answer_if_at_rest(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    if (ab_task_status_is_terminal(task->status) || task->status == AB_TASK_PAUSED)
        answer(follow, task);
}

/* --- the beginning of a stream --- */

/* A new task is told of as it was at its beginning, and then all that happened: nothing is skipped. */
static void tell_beginning(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    struct ab_task young = *task;

    young.status = AB_TASK_PENDING;
    young.reason = AB_REASON_NONE;
    young.status_message = NULL;
    young.updated_at = task->created_at;
    young.last_event = 1;
    if (follow_tell_task(follow, &young, false))
        follow_tell_events(follow);
}

static bool see_event(void *arg, const struct ab_event *event)
{
    bool *seen = arg;

    (void)event;
    *seen = true;
    return false;
}

/* Before the first event: whether it is a message, a task, or not known yet. `late`: it was waited for long enough. */
static void begin_stream(struct ab_a2a_follow *follow, const struct ab_task *task, bool late)
{
    bool terminal = ab_task_status_is_terminal(task->status);
    AB_CLEANUP(ab_free_string) char *said = terminal ? said_by(follow, task) : NULL;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool begun = late || terminal;

    if (said != NULL) {
        write_said(follow, task, said, &text);
        follow_stop(follow);
        ab_a2a_stream_event(follow->call, ab_buf_str(&text));
        ab_buf_deinit(&text);
        ab_http_reply_end(&follow->call->reply);
        return;
    }
    if (!begun && ab_engine_events(follow_engine(follow), task->id, 0, BEGUN, 1, see_event, &begun) < 0) {
        follow_fail(follow);
        return;
    }
    if (begun) {
        ab_timer_free(follow->head_timer);
        follow->head_timer = NULL;
        tell_beginning(follow, task);
    }
}

static void look(struct ab_a2a_follow *follow, bool late)
{
    struct ab_task task = { 0 };

    if (ab_engine_get(follow_engine(follow), follow->call->owner, follow->task_id, &task) != AB_OK) {
        follow_fail(follow);
        return;
    }
    if (ab_a2a_follow_is_stream(follow))
        begin_stream(follow, &task, late);
    else
        answer_if_at_rest(follow, &task);
    if (follow->kind == AB_A2A_FOLLOW_WAIT)
        follow->cursor = task.last_event;
    ab_task_deinit(&task);
}

static void on_head_due(void *arg)
{
    struct ab_a2a_follow *follow = arg;

    if (!follow->told)
        look(follow, true);
}

/* Only a change of its state is worth another look to one that waits; what the engine does not hold any more may have
 * been removed. */
static bool has_moved(struct ab_a2a_follow *follow)
{
    uint64_t newest = ab_engine_newest_event(follow_engine(follow), follow->task_id);
    bool moved = false;

    if (ab_engine_events(follow_engine(follow), follow->task_id, follow->cursor, AB_EVENT_BIT(AB_EVENT_STATUS), 1,
                         see_event, &moved) < 0)
        return false;
    if (!moved)
        follow_pass(follow, newest);
    return moved || newest == 0;
}

void ab_a2a_follow_go_on(struct ab_a2a_follow *follow)
{
    if (follow->over || follow->task_id[0] == '\0' || follow->call->reply.behind)
        return;
    if (follow->told)
        follow_tell_events(follow);
    else if (follow->kind != AB_A2A_FOLLOW_WAIT || has_moved(follow))
        look(follow, false);
}

static void on_changed(void *arg)
{
    ab_a2a_follow_go_on(arg);
}

/* The task as it stands, and what follows. */
static void begin_here(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    struct ab_buf open = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_a2a_status status = ab_a2a_status_of(task, &open);

    follow->cursor = task->last_event;
    ab_replace(&follow->questions, open.data);
    if (follow_tell_task(follow, task, true)) {
        if (follow_ends_with(follow, status.state)) {
            follow_tell_status(follow, &status, NULL); /* said once more as the end that clients look for */
        } else {
            follow_tell_pieces(follow);
            follow_tell_events(follow);
        }
    }
    ab_buf_deinit(&open);
}

void ab_a2a_follow_task(struct ab_a2a_follow *follow, const struct ab_task *task, bool fresh)
{
    struct ab_loop *loop = follow->call->a2a->settings.loop;

    memcpy(follow->task_id, task->id, sizeof follow->task_id);
    follow->context_id = ab_strdup(task->thread_id);
    follow->fresh = fresh;
    if (follow->kind == AB_A2A_FOLLOW_NOT) {
        answer(follow, task);
        return;
    }
    follow->watch = ab_engine_watch(follow_engine(follow), follow->task_id, on_changed, follow);
    if (!ab_a2a_follow_is_stream(follow)) {
        follow->cursor = task->last_event;
        answer_if_at_rest(follow, task);
    } else if (fresh) {
        follow->cursor = 1;
        follow->head_timer = ab_timer_new(loop, on_head_due, follow);
        ab_timer_start(follow->head_timer, follow->call->a2a->settings.head_ms);
        begin_stream(follow, task, false);
    } else {
        begin_here(follow, task);
    }
}
