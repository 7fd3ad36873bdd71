#include "mcp/wait.h"

#include "mcp/core_tasks.h"
#include "mcp/dialogue.h"
#include "mcp/event_id.h"
#include "mcp/ext_tasks.h"
#include "mcp/input.h"
#include "mcp/input_state.h"
#include "mcp/tools.h"
#include "task/question.h"

#include "base/mem.h"

#include <string.h>

/* Events told in one turn; the rest follows when the client has taken these. */
#define EVENTS_AT_ONCE 64

struct ab_mcp_wait {
    struct ab_mcp_operation operation;
    struct ab_mcp *mcp;
    struct ab_mcp_call_kind kind;
    struct ab_mcp_patience patience;
    bool starts_task;
    enum ab_on_disconnect on_disconnect;
    bool cancelled; /* while the task was being created */
    char *owner;
    char *agent;
    char task_id[AB_TASK_ID_SIZE]; /* "" until it is there */
    struct ab_mcp_place place;
    bool time_is_up;
    bool moved; /* its state may have changed since it was looked at */
    struct ab_watch *watch;
    struct ab_mcp_dialogue *dialogue; /* or NULL: made at the first question */
    char *responses; /* or NULL: inputResponses that came without a state, for questions that may come */
    struct ab_timer *deadline;
    struct ab_timer *heartbeat;
};

static void drop_timers(struct ab_mcp_wait *wait)
{
    ab_timer_free(wait->deadline);
    ab_timer_free(wait->heartbeat);
    wait->deadline = NULL;
    wait->heartbeat = NULL;
}

static void wait_free(struct ab_mcp_wait *wait)
{
    ab_mcp_dialogue_free(wait->dialogue);
    if (wait->operation.request != NULL) {
        wait->operation.request->place = NULL;
        wait->operation.request->related_task = NULL;
    }
    ab_mcp_operation_end(&wait->operation);
    ab_watch_free(wait->watch);
    drop_timers(wait);
    free(wait->agent);
    free(wait->responses);
    free(wait->owner);
    ab_mcp_published_release(wait->kind.tool);
    free(wait);
}

/* --- the client leaves --- */

static void steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    (void)arg;
    (void)outcome;
    (void)task;
    (void)text;
}

/* A caller that cancels its call wants the work to stop; one that only goes away has its policy. */
static void leave(struct ab_mcp_wait *wait)
{
    struct ab_engine *engine = wait->mcp->settings.engine;

    /* tasks/result only looks: its task has tasks/cancel. */
    if (!wait->starts_task || wait->kind.related)
        return;
    if (wait->cancelled || wait->on_disconnect == AB_DISCONNECT_CANCEL)
        ab_engine_stop(engine, wait->owner, wait->task_id, steered, NULL);
    else if (wait->on_disconnect == AB_DISCONNECT_GRACE)
        ab_engine_abandon(engine, wait->task_id, wait->mcp->settings.disconnect_grace_ms);
}

static void on_gone(struct ab_mcp_operation *operation, bool cancelled)
{
    struct ab_mcp_wait *wait = AB_OWNER(operation, struct ab_mcp_wait, operation);

    wait->cancelled = cancelled;
    ab_mcp_dialogue_detach(wait->dialogue);
    if (wait->task_id[0] == '\0') { /* the creation's answer will find nobody waiting */
        drop_timers(wait);
        return;
    }
    leave(wait);
    wait_free(wait);
}

/* --- the task moves --- */

static void tell_log(struct ab_mcp_wait *wait, struct ab_json event)
{
    struct ab_mcp_request *request = wait->operation.request;
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (request->log_level < 0 || ab_mcp_level_parse(ab_json_member(event, "level")) < request->log_level)
        return;
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "level", ab_json_member(event, "level"));
    ab_json_put_optional_text(&writer, "logger", wait->agent);
    ab_json_put_value(&writer, "data", ab_json_member(event, "text"));
    ab_mcp_put_related_task(&writer, request);
    ab_json_object_end(&writer);
    ab_mcp_notify(request, "notifications/message", ab_buf_str(&params));
    ab_buf_deinit(&params);
}

static void tell_status(struct ab_mcp_wait *wait, struct ab_json event)
{
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(event, "message"));

    if (message != NULL && ab_json_string_is(ab_json_member(event, "status"), "executing"))
        ab_mcp_progress_step(&wait->place.progress, wait->operation.request, message);
}

struct pump {
    struct ab_mcp_wait *wait;
    size_t n;
};

static bool tell_event(void *arg, const struct ab_event *event)
{
    struct pump *pump = arg;
    struct ab_json body = ab_json_trusted(event->body_json);

    pump->n++;
    pump->wait->place.cursor = event->number;
    if (event->kind == AB_EVENT_STATUS) {
        pump->wait->moved = true;
        tell_status(pump->wait, body);
    } else if (event->kind == AB_EVENT_PROGRESS) {
        ab_mcp_progress_report(&pump->wait->place.progress, pump->wait->operation.request, body);
    } else if (event->kind == AB_EVENT_LOG) {
        tell_log(pump->wait, body);
    }
    return !ab_mcp_is_behind(pump->wait->operation.request);
}

/* What the caller could be told of; a kind nobody listens to is not even read. */
static uint32_t wanted_kinds(const struct ab_mcp_wait *wait)
{
    const struct ab_mcp_request *request = wait->operation.request;
    uint32_t kinds = AB_EVENT_BIT(AB_EVENT_STATUS);

    if (ab_json_exists(request->progress_token))
        kinds |= AB_EVENT_BIT(AB_EVENT_PROGRESS);
    if (request->log_level >= 0)
        kinds |= AB_EVENT_BIT(AB_EVENT_LOG);
    return kinds;
}

static void answer(struct ab_mcp_wait *wait, const struct ab_task *task)
{
    struct ab_mcp_request *request = wait->operation.request;
    struct ab_mcp_call_kind kind = wait->kind;
    struct ab_mcp_patience patience = wait->patience;
    bool starts_task = wait->starts_task;
    bool asks = task->status == AB_TASK_PAUSED && request->version->era == AB_MCP_MODERN &&
                (!patience.handle || patience.ask_on_call) && ab_mcp_can_answer(request, task);

    ab_mcp_published_hold(kind.tool);
    wait_free(wait);
    if (patience.core_task)
        ab_mcp_answer_core_task(request, task);
    else if (asks)
        ab_mcp_answer_input_required(request, task, NULL);
    else if (patience.handle && !ab_task_status_is_terminal(task->status))
        ab_mcp_answer_handle(request, task);
    else
        ab_mcp_answer_task(request, task, &kind, starts_task);
    ab_mcp_published_release(kind.tool);
}

/* Whether the pause can be settled while the call stays open: a legacy client is asked on its stream. */
static bool asks_on_stream(struct ab_mcp_wait *wait, const struct ab_task *task)
{
    if (wait->time_is_up || task->status != AB_TASK_PAUSED)
        return false;
    if (wait->dialogue == NULL)
        wait->dialogue = ab_mcp_dialogue_new(wait->operation.request, wait->task_id, wait->kind.related);
    return wait->dialogue != NULL && ab_mcp_dialogue_sync(wait->dialogue, task);
}

static bool all_fit(const struct ab_task *task, struct ab_json answers)
{
    struct ab_json_iterator each = ab_json_iterate(answers);
    char reason[512];
    struct ab_json key;
    struct ab_json answer;

    while (ab_json_next(&each, &key, &answer)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        struct ab_json question = ab_json_member(ab_json_trusted(task->questions_json), name != NULL ? name : "");
        if (!ab_question_fits(question, answer, reason, sizeof(reason)))
            return false;
    }
    return ab_json_count(answers) > 0;
}

/* A call may bring answers before it was asked, when its client did not keep the state: they are given once, and if
 * they do not fit the client is asked as if it had brought none. */
static bool answers_itself(struct ab_mcp_wait *wait, const struct ab_task *task)
{
    struct ab_buf answers = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool any = false;

    if (wait->responses == NULL || task->status != AB_TASK_PAUSED)
        return false;
    ab_mcp_answers_from_responses(&answers, task, ab_json_trusted(wait->responses));
    any = all_fit(task, ab_json_trusted(answers.data));
    if (any) {
        free(wait->responses);
        wait->responses = NULL;
        ab_engine_answer(wait->mcp->settings.engine, wait->owner, wait->task_id, answers.data, steered, NULL);
    }
    ab_buf_deinit(&answers);
    return any;
}

static bool is_due(struct ab_mcp_wait *wait, const struct ab_task *task)
{
    if (ab_task_status_is_terminal(task->status) || wait->time_is_up)
        return true;
    if (task->status == AB_TASK_PAUSED && !answers_itself(wait, task) && !asks_on_stream(wait, task))
        return true;
    if (task->status != AB_TASK_PAUSED && wait->dialogue != NULL)
        (void)ab_mcp_dialogue_sync(wait->dialogue, task); /* withdraws what another has answered */
    return wait->kind.with_events && task->last_event > wait->kind.events_after;
}

/* Answers when the task is where the caller waits for it; true when it did, and the wait is gone. */
static bool answer_if_due(struct ab_mcp_wait *wait, const struct ab_task *task)
{
    bool due = is_due(wait, task);

    if (due)
        answer(wait, task);
    return due;
}

/* The same for the task as it stands now. */
static bool look_and_answer(struct ab_mcp_wait *wait)
{
    struct ab_task task = { 0 };
    bool answered;
    int found = ab_engine_get(wait->mcp->settings.engine, wait->owner, wait->task_id, &task);

    if (found != AB_OK) {
        struct ab_mcp_request *request = ab_mcp_wait_abort(wait);
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The task cannot be read any more");
        return true;
    }
    answered = answer_if_due(wait, &task);
    ab_task_deinit(&task);
    return answered;
}

/* Tells what is new to this caller. What is not wanted is passed over once, not at each look. */
static void tell_events(struct ab_mcp_wait *wait)
{
    struct ab_engine *engine = wait->mcp->settings.engine;
    struct ab_mcp_place *place = &wait->place;
    uint64_t newest = ab_engine_newest_event(engine, wait->task_id);
    struct pump pump = { .wait = wait };

    do {
        pump.n = 0;
        if (ab_engine_events(engine, wait->task_id, place->cursor, wanted_kinds(wait), EVENTS_AT_ONCE, tell_event,
                             &pump) < 0)
            return;
    } while (pump.n == EVENTS_AT_ONCE && !ab_mcp_is_behind(wait->operation.request));
    if (!ab_mcp_is_behind(wait->operation.request) && newest > place->cursor)
        place->cursor = newest;
    if (newest == 0) /* the engine holds it no more: it has ended, or was removed with its log */
        wait->moved = true;
}

/* Tells what is new, then answers when that was what the caller waits for. */
static void pump_events(void *arg)
{
    struct ab_mcp_wait *wait = arg;

    if (wait->operation.request == NULL || ab_mcp_is_behind(wait->operation.request))
        return;
    tell_events(wait);
    if (ab_mcp_is_behind(wait->operation.request) || (!wait->moved && !wait->kind.with_events))
        return;
    wait->moved = false;
    (void)look_and_answer(wait);
}

static void on_drained(struct ab_mcp_operation *operation)
{
    struct ab_mcp_wait *wait = AB_OWNER(operation, struct ab_mcp_wait, operation);

    if (wait->task_id[0] != '\0')
        pump_events(wait);
}

static void on_deadline(void *arg)
{
    struct ab_mcp_wait *wait = arg;

    wait->time_is_up = true;
    if (wait->task_id[0] != '\0')
        (void)look_and_answer(wait);
}

static void on_heartbeat(void *arg)
{
    struct ab_mcp_wait *wait = arg;

    if (!ab_mcp_is_behind(wait->operation.request)) {
        if (ab_json_exists(wait->operation.request->progress_token))
            ab_mcp_progress_step(&wait->place.progress, wait->operation.request, NULL);
        else
            ab_mcp_channel_keep_alive(wait->operation.request->channel);
    }
    ab_timer_start(wait->heartbeat, wait->mcp->settings.heartbeat_ms);
}

struct ab_mcp_wait *ab_mcp_wait_new(struct ab_mcp_request *request, const struct ab_mcp_call_kind *kind,
                                    const struct ab_mcp_patience *patience, bool starts_task,
                                    enum ab_on_disconnect on_disconnect)
{
    static const struct ab_mcp_operation_ops ops = { .gone = on_gone, .drained = on_drained };
    struct ab_mcp_wait *wait = ab_alloc(1, sizeof(*wait));
    struct ab_loop *loop = request->mcp->settings.loop;

    wait->mcp = request->mcp;
    wait->kind = *kind;
    ab_mcp_published_hold(kind->tool);
    wait->patience = *patience;
    wait->starts_task = starts_task;
    /* Only in the modern era does closing the stream say something (basic/transports, "Cancellation"). */
    wait->on_disconnect = request->version->era == AB_MCP_MODERN ? on_disconnect : AB_DISCONNECT_KEEP;
    wait->owner = ab_strdup(request->channel->owner);
    if (starts_task && request->version->era == AB_MCP_MODERN)
        wait->responses = ab_json_dup(ab_json_member(request->message.params, "inputResponses"));
    ab_mcp_operation_begin(&wait->operation, &ops, request);
    wait->place.until = patience->wait_ms < 0 ? -1 : ab_clock_wall_ms(&loop->clock) + patience->wait_ms;
    if (patience->wait_ms >= 0) {
        wait->deadline = ab_timer_new(loop, on_deadline, wait);
        ab_timer_start(wait->deadline, (uint64_t)patience->wait_ms);
    }
    wait->heartbeat = ab_timer_new(loop, on_heartbeat, wait);
    ab_timer_start(wait->heartbeat, request->mcp->settings.heartbeat_ms);
    return wait;
}

/* From here on the stream's events can say where they stand. */
static void set_place(struct ab_mcp_wait *wait)
{
    struct ab_mcp_place *place = &wait->place;

    memcpy(place->task_id, wait->task_id, sizeof(place->task_id));
    place->published = wait->kind.tool != NULL;
    place->starts_task = wait->starts_task;
    place->core_task = wait->patience.core_task;
    place->related = wait->kind.related;
    place->with_events = wait->kind.with_events;
    place->events_after = wait->kind.events_after;
    ab_mcp_request_set_place(wait->operation.request, place);
}

void ab_mcp_wait_for(struct ab_mcp_wait *wait, const struct ab_task *task, uint64_t cursor)
{
    memcpy(wait->task_id, task->id, sizeof(wait->task_id));
    wait->agent = ab_strdup(task->agent);
    wait->place.cursor = cursor;
    wait->moved = true;
    if (wait->operation.request == NULL) {
        leave(wait);
        wait_free(wait);
        return;
    }
    set_place(wait);
    if (wait->kind.related)
        wait->operation.request->related_task = wait->task_id;
    wait->watch = ab_engine_watch(wait->mcp->settings.engine, wait->task_id, pump_events, wait);
    if (cursor < task->last_event || ab_mcp_is_behind(wait->operation.request)) {
        pump_events(wait);
    } else { /* all there is to see is in hand: the store need not be asked */
        wait->moved = false;
        (void)answer_if_due(wait, task);
    }
}

void ab_mcp_wait_continue(struct ab_mcp_wait *wait, const struct ab_task *task, const struct ab_mcp_place *place)
{
    wait->place.progress = place->progress;
    ab_mcp_wait_for(wait, task, place->cursor);
}

struct ab_mcp_request *ab_mcp_wait_abort(struct ab_mcp_wait *wait)
{
    struct ab_mcp_request *request = wait->operation.request;

    wait_free(wait);
    return request;
}
