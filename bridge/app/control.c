#include "app/control.h"

#include "app/tasks_look.h"
#include "app/webhooks_look.h"
#include "base/list.h"
#include "base/mem.h"
#include "mcp/shape.h"
#include "wire/jsonrpc.h"

#include <string.h>

#define DEPTH 64
/* Of one connection, watches and changes under way together. */
#define REQUESTS_AT_ONCE 64
/* Told in one message. */
#define EVENTS_AT_ONCE 16

struct ab_control {
    struct ab_tasks_look look;
    struct ab_control_settings settings;
    const struct ab_log *log;
    struct ab_list changes; /* the engine owes an answer to each, whether its peer still waits or not */
};

struct peer {
    struct ab_control *control;
    struct ab_pipe *pipe;
    struct ab_list watchings;
    struct ab_list changes;
    unsigned n_requests;
    bool behind;
};

/* A request that is answered in a later turn. */
struct change {
    struct ab_control *control;
    struct peer *peer; /* NULL: it has gone */
    struct ab_link link;
    struct ab_link in_peer;
    char *id;
    struct ab_webhooks_resend *resend; /* or NULL: the engine answers */
};

struct watching {
    struct peer *peer;
    struct ab_link link;
    struct ab_watch *watch;
    char *id;
    char task_id[AB_TASK_ID_SIZE];
    uint64_t seen; /* number of the last event told */
};

/* --- answers --- */

static void send_line(struct peer *peer, struct ab_buf *line)
{
    ab_buf_append_char(line, '\n');
    if (peer->pipe->ops->write(peer->pipe, ab_buf_str(line)) == AB_PIPE_BEHIND)
        peer->behind = true;
    ab_buf_deinit(line);
}

static void answer_error(struct peer *peer, struct ab_json id, int64_t code, const char *text)
{
    struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_jsonrpc_write_error(&line, ab_json_exists(id) ? id : ab_json_trusted("null"), code, text, NULL);
    send_line(peer, &line);
}

/* The result, or when there is a reason the error; empties both. */
static void answer(struct peer *peer, struct ab_json id, struct ab_buf *result, struct ab_buf *reason)
{
    struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (reason->size > 0) {
        answer_error(peer, id, AB_JSONRPC_INVALID_PARAMS, reason->data);
    } else {
        ab_jsonrpc_write_result(&line, ab_json_exists(id) ? id : ab_json_trusted("null"), ab_buf_str(result));
        send_line(peer, &line);
    }
    ab_buf_deinit(result);
    ab_buf_deinit(reason);
}

static void answer_task(struct peer *peer, struct ab_json id, const struct ab_task *task)
{
    struct ab_buf result = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)!ab_tasks_write(&peer->control->look, task, &result, &reason);
    answer(peer, id, &result, &reason);
}

/* --- list and show --- */

static void list_tasks(struct peer *peer, struct ab_json id, struct ab_json params)
{
    struct ab_buf result = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)!ab_tasks_list(&peer->control->look, params, &result, &reason);
    answer(peer, id, &result, &reason);
}

static void show_task(struct peer *peer, struct ab_json id, struct ab_json params)
{
    struct ab_buf result = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)!ab_tasks_show(&peer->control->look, params, &result, &reason);
    answer(peer, id, &result, &reason);
}

static void list_webhooks(struct peer *peer, struct ab_json id, struct ab_json params)
{
    struct ab_buf result = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)!ab_webhooks_list(peer->control->look.store, params, &result, &reason);
    answer(peer, id, &result, &reason);
}

static void show_webhook(struct peer *peer, struct ab_json id, struct ab_json params)
{
    struct ab_buf result = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)!ab_webhooks_show(peer->control->look.store, params, &result, &reason);
    answer(peer, id, &result, &reason);
}

/* The task of a request that needs one more place among those under way; false: answered. */
static bool begin(struct peer *peer, struct ab_json id, struct ab_json params, struct ab_task *task)
{
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good = peer->n_requests < REQUESTS_AT_ONCE;

    if (!good)
        ab_buf_append_text(&reason, "too many requests of this connection are under way");
    else
        good = ab_tasks_find(&peer->control->look, ab_json_member(params, "id"), task, &reason);
    if (!good)
        answer_error(peer, id, AB_JSONRPC_INVALID_PARAMS, reason.data);
    ab_buf_deinit(&reason);
    return good;
}

/* --- watch --- */

static void watching_free(struct watching *watching)
{
    ab_link_remove(&watching->link);
    watching->peer->n_requests--;
    ab_watch_free(watching->watch);
    free(watching->id);
    free(watching);
}

/* Tells the next events; false when there is none or they cannot be read. */
static bool tell_events(struct watching *watching, const struct ab_task *task)
{
    struct ab_buf events = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t n = 0;

    if (ab_mcp_events_array(watching->peer->control->look.engine, task, watching->seen, EVENTS_AT_ONCE, &events) ==
        AB_OK)
        n = ab_json_count(ab_json_trusted(events.data));
    if (n > 0) {
        watching->seen += n;
        ab_buf_printf(&params, "{\"request\":%s,\"task_id\":\"%s\",\"events\":", watching->id, task->id);
        ab_buf_append_str(&params, ab_buf_str(&events));
        ab_buf_append_char(&params, '}');
        ab_jsonrpc_write_call(&line, (struct ab_json){ 0 }, "tasks/events", params.data);
        send_line(watching->peer, &line);
    }
    ab_buf_deinit(&events);
    ab_buf_deinit(&params);
    return n > 0;
}

/* Tells what is new, as far as the peer reads it; at the task's end answers and frees. */
static void go_on(struct watching *watching)
{
    struct peer *peer = watching->peer;
    struct ab_json id = ab_json_trusted(watching->id);
    struct ab_task task = { 0 };
    bool over = false;

    if (peer->control->look.store->ops->get(peer->control->look.store, watching->task_id, &task) != AB_OK) {
        answer_error(peer, id, AB_JSONRPC_INTERNAL_ERROR, "the task cannot be read any more");
        over = true;
    }
    while (!over && !peer->behind && watching->seen < task.last_event) {
        if (!tell_events(watching, &task)) {
            answer_error(peer, id, AB_JSONRPC_INTERNAL_ERROR, "the task's events cannot be read");
            over = true;
        }
    }
    if (!over && !peer->behind && ab_task_status_is_terminal(task.status)) {
        answer_task(peer, id, &task);
        over = true;
    }
    ab_task_deinit(&task);
    if (over)
        watching_free(watching);
}

static void on_changed(void *arg)
{
    struct watching *watching = arg;

    if (!watching->peer->behind)
        go_on(watching);
}

static void watch_task(struct peer *peer, struct ab_json id, struct ab_json params)
{
    struct ab_task task = { 0 };
    struct watching *watching;
    int64_t after = 0;

    if (!begin(peer, id, params, &task))
        return;
    watching = ab_alloc(1, sizeof *watching);
    watching->peer = peer;
    watching->id = ab_json_exists(id) ? ab_json_dup(id) : ab_strdup("null");
    memcpy(watching->task_id, task.id, sizeof watching->task_id);
    if (ab_json_int(ab_json_member(params, "after"), &after) && after > 0)
        watching->seen = (uint64_t)after;
    watching->watch = ab_engine_watch(peer->control->look.engine, task.id, on_changed, watching);
    ab_list_append(&peer->watchings, &watching->link);
    peer->n_requests++;
    ab_task_deinit(&task);
    go_on(watching);
}

/* --- stop and reply --- */

static struct change *change_new(struct peer *peer, struct ab_json id)
{
    struct change *change = ab_alloc(1, sizeof *change);

    change->control = peer->control;
    change->peer = peer;
    change->id = ab_json_exists(id) ? ab_json_dup(id) : ab_strdup("null");
    ab_list_append(&peer->control->changes, &change->link);
    ab_list_append(&peer->changes, &change->in_peer);
    peer->n_requests++;
    return change;
}

static void change_leave(struct change *change)
{
    ab_link_remove(&change->in_peer);
    change->peer->n_requests--;
    change->peer = NULL;
}

static void change_free(struct change *change)
{
    if (change->peer != NULL)
        change_leave(change);
    if (change->resend != NULL)
        ab_webhooks_resend_forget(change->resend);
    ab_link_remove(&change->link);
    free(change->id);
    free(change);
}

static void on_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct change *change = arg;
    struct ab_json id = ab_json_trusted(change->id);

    if (change->peer != NULL) {
        if (outcome == AB_STEER_DONE && task != NULL)
            answer_task(change->peer, id, task);
        else
            answer_error(change->peer, id,
                         outcome == AB_STEER_NOT_STORED ? AB_JSONRPC_INTERNAL_ERROR : AB_JSONRPC_INVALID_PARAMS,
                         text != NULL ? text : "the task cannot be changed");
    }
    change_free(change);
}

static void stop_task(struct peer *peer, struct ab_json id, struct ab_json params)
{
    struct ab_task task = { 0 };

    if (!begin(peer, id, params, &task))
        return;
    ab_log(peer->control->log, AB_LOG_INFO, "app", "a task is stopped by the local operator", "task", task.id, NULL);
    ab_engine_stop(peer->control->look.engine, task.owner, task.id, on_steered, change_new(peer, id));
    ab_task_deinit(&task);
}

static void reply_task(struct peer *peer, struct ab_json id, struct ab_json params)
{
    AB_CLEANUP(ab_free_string) char *answers = ab_json_dup(ab_json_member(params, "answers"));
    struct ab_task task = { 0 };

    if (answers == NULL) {
        answer_error(peer, id, AB_JSONRPC_INVALID_PARAMS,
                     "\"answers\" is missing: {\"<key>\":{\"action\":\"accept\",\"content\":{...}}}");
        return;
    }
    if (!begin(peer, id, params, &task))
        return;
    ab_log(peer->control->log, AB_LOG_INFO, "app", "a task is answered by the local operator", "task", task.id, NULL);
    ab_engine_answer(peer->control->look.engine, task.owner, task.id, answers, on_steered, change_new(peer, id));
    ab_task_deinit(&task);
}

/* --- webhooks again --- */

static void on_resent(void *arg, size_t n_resent, const char *text)
{
    struct change *change = arg;
    const struct ab_control_settings *settings = &change->control->settings;
    struct ab_buf result = AB_BUF_INIT(256);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    change->resend = NULL;
    if (n_resent > 0)
        settings->outbox_grew(settings->outbox_arg);
    if (change->peer != NULL) {
        ab_webhooks_write_resent(n_resent, &result);
        if (text != NULL)
            ab_buf_append_text(&reason, text);
        answer(change->peer, ab_json_trusted(change->id), &result, &reason);
    }
    change_free(change);
}

static void resend_webhooks(struct peer *peer, struct ab_json id, struct ab_json params)
{
    int64_t now = ab_clock_wall_ms(&peer->control->settings.loop->clock);
    struct ab_buf result = AB_BUF_INIT(256);
    struct ab_buf reason = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct change *change;

    if (peer->n_requests >= REQUESTS_AT_ONCE) {
        answer_error(peer, id, AB_JSONRPC_INVALID_PARAMS, "too many requests of this connection are under way");
        return;
    }
    change = change_new(peer, id);
    change->resend = ab_webhooks_resend(peer->control->look.store, params, now, on_resent, change, &reason);
    if (change->resend != NULL) {
        ab_log(peer->control->log, AB_LOG_INFO, "app", "webhooks are sent again by the local operator", NULL);
        return;
    }
    ab_webhooks_write_resent(0, &result);
    answer(peer, id, &result, &reason);
    change_free(change);
}

/* --- lines --- */

static const struct {
    const char *name;
    void (*run)(struct peer *peer, struct ab_json id, struct ab_json params);
} methods[] = {
    { "tasks/list", list_tasks },      { "tasks/show", show_task },
    { "tasks/watch", watch_task },     { "tasks/stop", stop_task },
    { "tasks/reply", reply_task },     { "webhooks/list", list_webhooks },
    { "webhooks/show", show_webhook }, { "webhooks/resend", resend_webhooks },
};

static bool is_id(struct ab_json id)
{
    return !ab_json_exists(id) || ab_json_is(id, AB_JSON_STRING) || ab_json_is_integer(id);
}

static void run_method(struct peer *peer, struct ab_json message)
{
    struct ab_json id = ab_json_member(message, "id");
    struct ab_json method = ab_json_member(message, "method");

    if (!is_id(id) || !ab_json_is(method, AB_JSON_STRING)) {
        answer_error(peer, (struct ab_json){ 0 }, AB_JSONRPC_INVALID_REQUEST,
                     "a request is {\"id\":1,\"method\":\"tasks/list\",\"params\":{}}");
        return;
    }
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (ab_json_string_is(method, methods[i].name)) {
            methods[i].run(peer, id, ab_json_member(message, "params"));
            return;
        }
    }
    answer_error(
        peer, id, AB_JSONRPC_METHOD_NOT_FOUND,
        "unknown method; there are tasks/list, show, watch, stop and reply, and webhooks/list, show and resend");
}

static void on_line(void *arg, struct ab_pipe *pipe, struct ab_str line)
{
    struct ab_json_error error = { 0 };
    struct ab_json message;

    (void)arg;
    if (line.size == 0)
        return;
    if (ab_json_check(line, DEPTH, &message, &error))
        run_method(pipe->context, message);
    else
        answer_error(pipe->context, (struct ab_json){ 0 }, AB_JSONRPC_PARSE_ERROR, error.text);
}

/* --- peers --- */

static void on_opened(void *arg, struct ab_pipe *pipe)
{
    struct peer *peer = ab_alloc(1, sizeof *peer);

    peer->control = arg;
    peer->pipe = pipe;
    ab_list_init(&peer->watchings);
    ab_list_init(&peer->changes);
    pipe->context = peer;
}

static void on_drained(void *arg, struct ab_pipe *pipe)
{
    struct peer *peer = pipe->context;
    struct ab_link *link = ab_list_first(&peer->watchings);
    struct ab_link *next;

    (void)arg;
    peer->behind = false;
    for (; link != NULL && !peer->behind; link = next) {
        next = ab_list_next(&peer->watchings, link);
        go_on(AB_OWNER(link, struct watching, link));
    }
}

static void on_refused(void *arg, struct ab_pipe *pipe, const char *why)
{
    (void)arg;
    answer_error(pipe->context, (struct ab_json){ 0 }, AB_JSONRPC_INVALID_REQUEST, why);
}

static void on_closed(void *arg, struct ab_pipe *pipe)
{
    struct peer *peer = pipe->context;
    struct ab_link *link;

    (void)arg;
    while ((link = ab_list_first(&peer->watchings)) != NULL)
        watching_free(AB_OWNER(link, struct watching, link));
    while ((link = ab_list_first(&peer->changes)) != NULL)
        change_leave(AB_OWNER(link, struct change, in_peer));
    free(peer);
}

const struct ab_pipe_events *ab_control_pipe_events(void)
{
    static const struct ab_pipe_events events = {
        .opened = on_opened,
        .line = on_line,
        .drained = on_drained,
        .refused = on_refused,
        .closed = on_closed,
    };

    return &events;
}

struct ab_control *ab_control_new(const struct ab_control_settings *settings)
{
    struct ab_control *control = ab_alloc(1, sizeof *control);

    control->look = (struct ab_tasks_look){ .engine = settings->engine, .store = settings->store };
    control->settings = *settings;
    control->log = settings->log;
    ab_list_init(&control->changes);
    return control;
}

void ab_control_free(struct ab_control *control)
{
    struct ab_link *link;

    if (control == NULL)
        return;
    while ((link = ab_list_first(&control->changes)) != NULL)
        change_free(AB_OWNER(link, struct change, link));
    free(control);
}
