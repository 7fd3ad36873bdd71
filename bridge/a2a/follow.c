#include "a2a/follow.h"

#include "a2a/methods.h"
#include "a2a/write.h"
#include "base/mem.h"

#include <string.h>

/* Events told in one turn; the rest follows when the client has taken these. */
#define EVENTS_AT_ONCE 64
/* What a stream tells; log lines are for the operator's and the developer's eyes, on other faces. */
#define TOLD (AB_EVENTS_ALL & ~AB_EVENT_BIT(AB_EVENT_LOG) & ~AB_EVENT_BIT(AB_EVENT_SAY))
/* What shows that there is a task, not only a message. */
#define BEGUN (TOLD & ~AB_EVENT_BIT(AB_EVENT_STATUS))

struct ab_a2a_follow {
    struct ab_a2a_call *call;
    enum ab_a2a_follow_kind kind;
    int64_t history_length;
    char task_id[AB_TASK_ID_SIZE];
    char *context_id;
    struct ab_watch *watch;
    struct ab_timer *head_timer; /* while a new task may still turn out to be a message */
    uint64_t cursor;
    bool fresh;      /* the call has made the task, and its caller knows of none yet */
    bool told;       /* the stream has begun with the task */
    bool chunked;    /* pieces of the result have been told */
    bool over;       /* nothing follows */
    char *questions; /* asked last */
};

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

static struct ab_engine *engine_of(const struct ab_a2a_follow *follow)
{
    return follow->call->a2a->settings.engine;
}

/* Nothing is waited for any more; the exchange's end frees the rest. */
static void stop(struct ab_a2a_follow *follow)
{
    follow->over = true;
    ab_watch_free(follow->watch);
    ab_timer_free(follow->head_timer);
    follow->watch = NULL;
    follow->head_timer = NULL;
}

static void fail(struct ab_a2a_follow *follow)
{
    stop(follow);
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
        ab_engine_events(engine_of(follow), task->id, 0, AB_EVENT_BIT(AB_EVENT_SAY), 1, take_said, &said) < 0)
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

    stop(follow);
    if (said != NULL) {
        write_said(follow, task, said, &text);
    } else {
        ab_json_writer_init(&writer, &text);
        ab_a2a_begin(&writer, call->form, "task", "task");
        if (ab_a2a_write_task(&writer, call, task, &wish) < 0) {
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

/* --- a stream --- */

static void send_event(struct ab_a2a_follow *follow, struct ab_buf *text)
{
    ab_a2a_stream_event(follow->call, ab_buf_str(text));
    ab_buf_deinit(text);
}

static bool tell_task(struct ab_a2a_follow *follow, const struct ab_task *task, bool artifacts)
{
    const struct ab_a2a_task_wish wish = { .history_length = follow->history_length, .artifacts = artifacts };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_begin(&writer, follow->call->form, "task", "task");
    if (ab_a2a_write_task(&writer, follow->call, task, &wish) < 0) {
        ab_buf_deinit(&text);
        fail(follow);
        return false;
    }
    ab_a2a_end(&writer, follow->call->form);
    follow->told = true;
    send_event(follow, &text);
    return true;
}

/* Whether the stream ends with this state: with the task, or when it is the caller's turn to speak. */
static bool ends_with(const struct ab_a2a_follow *follow, enum ab_a2a_state state)
{
    return ab_a2a_state_is_terminal(state) || (state == AB_A2A_INPUT_REQUIRED && follow->kind == AB_A2A_FOLLOW_STREAM);
}

/* `metadata_json` or NULL. */
static void tell_status(struct ab_a2a_follow *follow, const struct ab_a2a_status *status, const char *metadata_json)
{
    const struct ab_a2a_form *form = follow->call->form;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_begin(&writer, form, "statusUpdate", "status-update");
    ab_json_put_text(&writer, "taskId", follow->task_id);
    ab_json_put_text(&writer, "contextId", follow->context_id);
    ab_json_write_key(&writer, "status");
    ab_a2a_write_status(&writer, form, status);
    if (form->final)
        ab_json_put_bool(&writer, "final", ends_with(follow, status->state));
    ab_json_put_optional_raw(&writer, "metadata", metadata_json);
    ab_a2a_end(&writer, form);
    send_event(follow, &text);
    if (ends_with(follow, status->state)) {
        stop(follow);
        ab_a2a_stream_end(follow->call);
    }
}

static void begin_artifact_update(struct ab_a2a_follow *follow, struct ab_json_writer *writer)
{
    ab_a2a_begin(writer, follow->call->form, "artifactUpdate", "artifact-update");
    ab_json_put_text(writer, "taskId", follow->task_id);
    ab_json_put_text(writer, "contextId", follow->context_id);
    ab_json_write_key(writer, "artifact");
}

static void end_artifact_update(struct ab_a2a_follow *follow, struct ab_json_writer *writer, bool append, bool last)
{
    if (append)
        ab_json_put_bool(writer, "append", true);
    if (last)
        ab_json_put_bool(writer, "lastChunk", true);
    ab_a2a_end(writer, follow->call->form);
    send_event(follow, writer->out);
}

static void tell_artifact(struct ab_a2a_follow *follow, struct ab_json artifact)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    begin_artifact_update(follow, &writer);
    ab_a2a_write_artifact(&writer, follow->call->form, artifact);
    end_artifact_update(follow, &writer, ab_json_is_true(ab_json_member(artifact, "append")),
                        ab_json_is_true(ab_json_member(artifact, "last")));
}

/* A piece of the answer as it comes: the beginning, or more, of what will be the result. */
static void tell_chunk(struct ab_a2a_follow *follow, struct ab_json chunk)
{
    AB_CLEANUP(ab_free_string) char *id = ab_a2a_result_id(follow->task_id);
    struct ab_json piece = ab_json_member(chunk, "text");
    AB_CLEANUP(ab_free_string)
    char *artifact = ab_format("{\"id\":\"%s\",\"name\":\"result\",\"parts\":[{\"text\":%.*s}],\"append\":%s}", id,
                               AB_STR_ARGS(piece.text), follow->chunked ? "true" : "false");

    follow->chunked = true;
    tell_artifact(follow, ab_json_trusted(artifact));
}

/* The whole result, in place of the pieces that may have been told: what is final is told as it is kept. */
static void tell_result(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    begin_artifact_update(follow, &writer);
    if (ab_a2a_write_result(&writer, follow->call->form, task))
        end_artifact_update(follow, &writer, false, true);
    else
        ab_buf_deinit(&text);
}

static void tell_status_event(struct ab_a2a_follow *follow, const struct ab_event *event, struct ab_json body)
{
    AB_CLEANUP(ab_free_string) char *status_name = ab_json_string_dup(ab_json_member(body, "status"));
    AB_CLEANUP(ab_free_string) char *reason_name = ab_json_string_dup(ab_json_member(body, "reason"));
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(body, "message"));
    enum ab_task_status status;
    enum ab_task_reason reason = AB_REASON_NONE;
    struct ab_task task = { 0 };

    if (status_name == NULL || !ab_task_status_parse(status_name, &status) || status == AB_TASK_PENDING)
        return;
    if (reason_name != NULL && !ab_task_reason_parse(reason_name, &reason))
        reason = AB_REASON_NONE;
    if (status == AB_TASK_COMPLETED) {
        if (ab_engine_get(engine_of(follow), follow->call->owner, follow->task_id, &task) != AB_OK) {
            fail(follow);
            return;
        }
        tell_result(follow, &task);
        ab_task_deinit(&task);
    }
    tell_status(follow,
                &(struct ab_a2a_status){
                    .state = ab_a2a_state_of(status, reason),
                    .at = event->at,
                    .text = status == AB_TASK_COMPLETED ? NULL : message,
                    .questions = ab_json_trusted(status == AB_TASK_PAUSED ? follow->questions : NULL),
                    .context_id = follow->context_id,
                    .task_id = follow->task_id,
                    .number = event->number,
                },
                NULL);
}

static void tell_progress(struct ab_a2a_follow *follow, const struct ab_event *event, struct ab_json body)
{
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(body, "message"));
    AB_CLEANUP(ab_free_string) char *metadata = ab_format("{\"progress\":%.*s}", AB_STR_ARGS(body.text));

    tell_status(follow,
                &(struct ab_a2a_status){ .state = AB_A2A_WORKING,
                                         .at = event->at,
                                         .text = message,
                                         .context_id = follow->context_id,
                                         .task_id = follow->task_id,
                                         .number = event->number },
                metadata);
}

struct pump {
    struct ab_a2a_follow *follow;
    size_t n;
};

static bool tell_event(void *arg, const struct ab_event *event)
{
    struct pump *pump = arg;
    struct ab_a2a_follow *follow = pump->follow;
    struct ab_json body = ab_json_trusted(event->body_json);

    pump->n++;
    follow->cursor = event->number;
    if (event->kind == AB_EVENT_STATUS)
        tell_status_event(follow, event, body);
    else if (event->kind == AB_EVENT_PROGRESS)
        tell_progress(follow, event, body);
    else if (event->kind == AB_EVENT_CHUNK)
        tell_chunk(follow, body);
    else if (event->kind == AB_EVENT_ARTIFACT)
        tell_artifact(follow, body);
    else if (event->kind == AB_EVENT_QUESTION)
        ab_replace(&follow->questions, event->body_json);
    return !follow->over && !follow->call->behind;
}

static void pump_events(struct ab_a2a_follow *follow)
{
    struct pump pump = { .follow = follow };

    do {
        pump.n = 0;
        if (ab_engine_events(engine_of(follow), follow->task_id, follow->cursor, TOLD, EVENTS_AT_ONCE, tell_event,
                             &pump) < 0) {
            fail(follow);
            return;
        }
    } while (pump.n == EVENTS_AT_ONCE && !follow->over && !follow->call->behind);
}

/* A new task is told of as it was at its beginning, and then all that happened: nothing is skipped. */
static void tell_beginning(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    struct ab_task young = *task;

    young.status = AB_TASK_PENDING;
    young.reason = AB_REASON_NONE;
    young.status_message = NULL;
    young.updated_at = task->created_at;
    young.last_event = 1;
    if (tell_task(follow, &young, false))
        pump_events(follow);
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
        stop(follow);
        send_event(follow, &text);
        ab_a2a_stream_end(follow->call);
        return;
    }
    if (!begun && ab_engine_events(engine_of(follow), task->id, 0, BEGUN, 1, see_event, &begun) < 0) {
        fail(follow);
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

    if (ab_engine_get(engine_of(follow), follow->call->owner, follow->task_id, &task) != AB_OK) {
        fail(follow);
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

void ab_a2a_follow_go_on(struct ab_a2a_follow *follow)
{
    bool moved = false;

    if (follow->over || follow->task_id[0] == '\0' || follow->call->behind)
        return;
    if (follow->told) {
        pump_events(follow);
        return;
    }
    if (follow->kind == AB_A2A_FOLLOW_WAIT) { /* only a change of its state is worth another look */
        if (ab_engine_events(engine_of(follow), follow->task_id, follow->cursor, AB_EVENT_BIT(AB_EVENT_STATUS), 1,
                             see_event, &moved) < 0 ||
            !moved)
            return;
    }
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
    if (tell_task(follow, task, true)) {
        if (ends_with(follow, status.state))
            tell_status(follow, &status, NULL); /* said once more as the end that clients look for */
        else
            pump_events(follow);
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
    follow->watch = ab_engine_watch(engine_of(follow), follow->task_id, on_changed, follow);
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
