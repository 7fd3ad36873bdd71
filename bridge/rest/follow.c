#include "rest/follow.h"

#include "rest/names.h"
#include "rest/task.h"
#include "task/as_of.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* A wait is over that much later than its agent's time: what the engine ends is told as it ended. */
#define LATE_MS 2000
/* Events told in one turn; the rest follows when the client has taken these. */
#define EVENTS_AT_ONCE 64

struct ab_rest_follow {
    struct ab_rest_call *call;
    enum ab_rest_follow_kind kind;
    char task_id[AB_TASK_ID_SIZE];
    char *id; /* what it is called here */
    struct ab_watch *watch;
    struct ab_timer *deadline; /* of a wait; or NULL */
    uint64_t cursor;
    bool over;       /* nothing follows */
    char *questions; /* asked last; or NULL */
};

void ab_rest_follow_free(struct ab_rest_follow *follow)
{
    if (follow == NULL)
        return;
    ab_watch_free(follow->watch);
    ab_timer_free(follow->deadline);
    free(follow->id);
    free(follow->questions);
    free(follow);
}

bool ab_rest_follow_is_open_ended(const struct ab_rest_follow *follow)
{
    return follow->kind == AB_REST_FOLLOW_EVENTS;
}

static struct ab_engine *engine_of(const struct ab_rest_follow *follow)
{
    return follow->call->rest->settings.engine;
}

/* Nothing is waited for any more; the exchange's end frees the rest. */
static void stop(struct ab_rest_follow *follow)
{
    follow->over = true;
    ab_watch_free(follow->watch);
    ab_timer_free(follow->deadline);
    follow->watch = NULL;
    follow->deadline = NULL;
}

/* Somebody removed the task, or it cannot be read. */
static void fail(struct ab_rest_follow *follow, int result)
{
    stop(follow);
    if (result < 0)
        ab_rest_refuse(follow->call, 500, "The task cannot be read");
    else
        ab_rest_refuse(follow->call, 404, "The task was removed");
}

/* --- waiting --- */

static void answer(struct ab_rest_follow *follow, const struct ab_task *task)
{
    stop(follow);
    ab_rest_answer_task(follow->call, task, follow->id);
}

static void look(struct ab_rest_follow *follow, bool late)
{
    struct ab_task task = { 0 };
    int result = ab_engine_get(engine_of(follow), follow->call->owner, follow->task_id, &task);

    if (result != AB_OK) {
        fail(follow, result);
        return;
    }
    if (late || ab_task_status_is_terminal(task.status) || task.status == AB_TASK_PAUSED)
        answer(follow, &task);
    ab_task_deinit(&task);
}

/* Its agent's time is over, and it did not even get a turn. */
static void on_deadline(void *arg)
{
    look(arg, true);
}

/* --- what a stream says --- */

static void begin_event(struct ab_rest_follow *follow, struct ab_json_writer *writer, const char *type,
                        const struct ab_event *event)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "type", type);
    ab_json_put_text(writer, "task_id", follow->id);
    ab_json_put_text(writer, "organization_id", AB_REST_ORGANIZATION);
    ab_json_put_time(writer, "time", event->at);
    ab_json_write_key(writer, "data");
}

/* Where one goes on that was cut off here. */
static void end_event(struct ab_rest_follow *follow, struct ab_json_writer *writer, const struct ab_event *event)
{
    AB_CLEANUP(ab_free_string) char *id = ab_format("%s:%" PRIu64, follow->task_id, event->number);

    ab_json_write_key(writer, "agentbridge");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "task_id", follow->task_id);
    ab_json_put_int(writer, "last_event", (int64_t)event->number);
    ab_json_object_end(writer);
    ab_json_object_end(writer);
    ab_rest_stream_event(follow->call, follow->kind == AB_REST_FOLLOW_EVENTS ? id : NULL, ab_buf_str(writer->out));
    ab_buf_deinit(writer->out);
}

static void tell(struct ab_rest_follow *follow, const char *type, const struct ab_event *event, struct ab_json data)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    begin_event(follow, &writer, type, event);
    ab_json_write_value(&writer, data);
    end_event(follow, &writer, event);
}

static const char *type_of(const struct ab_task *task)
{
    if (task->status == AB_TASK_PENDING)
        return AB_REST_TASK_CREATED;
    return ab_task_status_is_terminal(task->status) ? AB_REST_TASK_FINISHED : AB_REST_TASK_UPDATED;
}

/* The task as it was then: what is told of an event does not run ahead of it. */
static int tell_task(struct ab_rest_follow *follow, const struct ab_event *event, struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    int result;

    ab_task_as_of(task, event);
    if (!ab_task_status_is_terminal(task->status)) {
        task->has_progress = false;
        task->n_artifacts = 0;
    }
    if (task->status == AB_TASK_PAUSED && follow->questions != NULL)
        ab_replace(&task->questions_json, follow->questions);
    ab_json_writer_init(&writer, &text);
    begin_event(follow, &writer, type_of(task), event);
    result = ab_rest_task_write(&writer, engine_of(follow), task, follow->id);
    if (result < 0)
        ab_buf_deinit(&text);
    else
        end_event(follow, &writer, event);
    return result;
}

static void tell_status(struct ab_rest_follow *follow, const struct ab_event *event)
{
    struct ab_task task = { 0 };
    int result = ab_engine_get(engine_of(follow), follow->call->owner, follow->task_id, &task);

    if (result == AB_OK)
        result = tell_task(follow, event, &task);
    if (result != AB_OK) {
        fail(follow, result);
    } else if (ab_task_status_is_terminal(task.status)) {
        stop(follow);
        ab_http_reply_end(&follow->call->reply);
    }
    ab_task_deinit(&task);
}

/* Questions stand in the task that is told next, answers are followed by its next status. */
static void tell_event(struct ab_rest_follow *follow, const struct ab_event *event)
{
    struct ab_json body = ab_json_trusted(event->body_json);

    if (event->kind == AB_EVENT_STATUS)
        tell_status(follow, event);
    else if (event->kind == AB_EVENT_CHUNK)
        tell(follow, AB_REST_CHUNK, event, ab_json_member(body, "text"));
    else if (event->kind == AB_EVENT_PROGRESS)
        tell(follow, AB_REST_PROGRESS, event, body);
    else if (event->kind == AB_EVENT_LOG)
        tell(follow, AB_REST_LOG, event, body);
    else if (event->kind == AB_EVENT_ARTIFACT)
        tell(follow, AB_REST_ARTIFACT, event, body);
    else if (event->kind == AB_EVENT_QUESTION)
        ab_replace(&follow->questions, event->body_json);
}

struct pump {
    struct ab_rest_follow *follow;
    size_t n;
};

static bool pump_event(void *arg, const struct ab_event *event)
{
    struct pump *pump = arg;
    struct ab_rest_follow *follow = pump->follow;

    pump->n++;
    follow->cursor = event->number;
    tell_event(follow, event);
    return !follow->over && !follow->call->reply.behind;
}

static void end_if_gone(struct ab_rest_follow *follow)
{
    struct ab_task task = { 0 };
    int result = ab_engine_get(engine_of(follow), follow->call->owner, follow->task_id, &task);

    if (result != AB_OK)
        fail(follow, result);
    ab_task_deinit(&task);
}

/* Tells what stands in the log behind the cursor, until the client is behind or nothing follows. */
static void tell_events(struct ab_rest_follow *follow)
{
    struct pump pump = { .follow = follow };
    bool told = false;
    int result;

    do {
        pump.n = 0;
        result = ab_engine_events(engine_of(follow), follow->task_id, follow->cursor, AB_EVENTS_ALL, EVENTS_AT_ONCE,
                                  pump_event, &pump);
        told = told || pump.n > 0;
    } while (result >= 0 && pump.n == EVENTS_AT_ONCE && !follow->over && !follow->call->reply.behind);
    if (result < 0 && !follow->over)
        fail(follow, result);
    else if (!told)
        end_if_gone(follow);
}

void ab_rest_follow_go_on(struct ab_rest_follow *follow)
{
    if (follow->over || follow->call->reply.behind)
        return;
    if (follow->kind == AB_REST_FOLLOW_WAIT)
        look(follow, false);
    else
        tell_events(follow);
}

static void on_changed(void *arg)
{
    ab_rest_follow_go_on(arg);
}

void ab_rest_follow_task(struct ab_rest_call *call, enum ab_rest_follow_kind kind, const struct ab_task *task,
                         const char *id, uint64_t after)
{
    const struct ab_agent_settings *agent = ab_engine_agent(call->rest->settings.engine, task->agent);
    struct ab_rest_follow *follow = ab_alloc(1, sizeof *follow);

    call->follow = follow;
    follow->call = call;
    follow->kind = kind;
    follow->cursor = after;
    follow->id = ab_strdup(id);
    memcpy(follow->task_id, task->id, sizeof follow->task_id);
    follow->watch = ab_engine_watch(engine_of(follow), follow->task_id, on_changed, follow);
    if (kind == AB_REST_FOLLOW_WAIT) {
        follow->deadline = ab_timer_new(call->rest->settings.loop, on_deadline, follow);
        if (agent != NULL)
            ab_timer_start(follow->deadline, (uint64_t)agent->timeout_ms + LATE_MS);
    } else {
        ab_rest_stream_begin(call);
    }
    ab_rest_follow_go_on(follow);
}
