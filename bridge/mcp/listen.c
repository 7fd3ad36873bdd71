/* subscriptions/listen (MCP 2026-07-28, basic/subscriptions): one long stream that tells what was asked for.
 *
 * A task that moved is marked and told once the client can take it, as it stands then: a slow client misses steps in
 * between, never the last state, and costs no memory. */
#include "mcp/ext_tasks.h"
#include "mcp/methods.h"

#include "base/mem.h"

#include <string.h>

struct listen;

/* A task on the stream. */
struct subscribed {
    struct listen *listen;
    char id[AB_TASK_ID_SIZE];
    struct ab_watch *watch;
    bool moved;
    bool ended; /* its terminal state was told */
};

struct listen {
    struct ab_mcp_operation operation;
    struct ab_mcp *mcp;
    struct subscribed *tasks;
    size_t n_tasks;
    bool tools;         /* changes of the list of tools are told */
    bool tools_changed; /* and one was not told yet */
};

static void listen_free(struct listen *listen)
{
    ab_mcp_operation_end(&listen->operation);
    for (size_t i = 0; i < listen->n_tasks; i++)
        ab_watch_free(listen->tasks[i].watch);
    free(listen->tasks);
    free(listen);
}

static void on_gone(struct ab_mcp_operation *operation, bool cancelled)
{
    (void)cancelled;
    listen_free(AB_OWNER(operation, struct listen, operation));
}

static void put_subscription(struct ab_json_writer *writer, struct ab_json id)
{
    ab_json_write_key(writer, "_meta");
    ab_json_object_begin(writer);
    ab_json_put_value(writer, "io.modelcontextprotocol/subscriptionId", id);
    ab_json_object_end(writer);
}

static void tell_task(struct subscribed *subscribed)
{
    struct ab_mcp_request *request = subscribed->listen->operation.request;
    struct ab_task task = { 0 };
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    subscribed->moved = false;
    if (ab_engine_get(request->mcp->settings.engine, request->channel->owner, subscribed->id, &task) != AB_OK) {
        subscribed->ended = true; /* swept: nothing follows */
        return;
    }
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    put_subscription(&writer, request->message.id);
    if (ab_mcp_write_detailed_task(&writer, request->mcp, request->version, request->capabilities, &task) == AB_OK) {
        ab_json_object_end(&writer);
        ab_mcp_notify(request, "notifications/tasks", ab_buf_str(&params));
    }
    subscribed->ended = ab_task_status_is_terminal(task.status);
    ab_buf_deinit(&params);
    ab_task_deinit(&task);
}

static void tell_tools(struct listen *listen)
{
    struct ab_mcp_request *request = listen->operation.request;
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    listen->tools_changed = false;
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    put_subscription(&writer, request->message.id);
    ab_json_object_end(&writer);
    ab_mcp_notify(request, "notifications/tools/list_changed", ab_buf_str(&params));
    ab_buf_deinit(&params);
}

static void on_drained(struct ab_mcp_operation *operation)
{
    struct listen *listen = AB_OWNER(operation, struct listen, operation);

    if (listen->tools_changed && !ab_mcp_is_behind(operation->request))
        tell_tools(listen);
    for (size_t i = 0; i < listen->n_tasks && !ab_mcp_is_behind(operation->request); i++)
        if (listen->tasks[i].moved && !listen->tasks[i].ended)
            tell_task(&listen->tasks[i]);
}

static void on_moved(void *arg)
{
    struct subscribed *subscribed = arg;

    if (subscribed->ended)
        return;
    subscribed->moved = true;
    on_drained(&subscribed->listen->operation);
}

/* --- the beginning --- */

static bool has_task(const struct listen *listen, const char *id)
{
    for (size_t i = 0; i < listen->n_tasks; i++)
        if (strcmp(listen->tasks[i].id, id) == 0)
            return true;
    return false;
}

static bool add_task(struct listen *listen, struct ab_json id)
{
    struct ab_mcp_request *request = listen->operation.request;
    struct ab_engine *engine = listen->mcp->settings.engine;
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(id);
    struct subscribed *subscribed = &listen->tasks[listen->n_tasks];
    struct ab_task task = { 0 };

    if (text == NULL || has_task(listen, text) || ab_engine_get(engine, request->channel->owner, text, &task) != AB_OK)
        return false;
    ab_engine_touch(engine, task.id);
    memcpy(subscribed->id, task.id, sizeof(subscribed->id));
    subscribed->listen = listen;
    subscribed->moved = true; /* its state now is told first, so that nothing falls between */
    subscribed->watch = ab_engine_watch(engine, task.id, on_moved, subscribed);
    listen->n_tasks++;
    ab_task_deinit(&task);
    return true;
}

/* The first message: which of the wishes are honoured. Tasks that are not the caller's are left out. */
static void acknowledge(struct listen *listen, struct ab_json wishes)
{
    struct ab_mcp_request *request = listen->operation.request;
    struct ab_json ids = ab_json_member(wishes, "taskIds");
    struct ab_json_iterator each = ab_json_iterate(ids);
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json id;

    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    put_subscription(&writer, request->message.id);
    ab_json_write_key(&writer, "notifications");
    ab_json_object_begin(&writer);
    if (listen->tools)
        ab_json_put_bool(&writer, "toolsListChanged", true);
    if (ab_json_is(ids, AB_JSON_ARRAY)) {
        ab_json_write_key(&writer, "taskIds");
        ab_json_array_begin(&writer);
        while (ab_json_next(&each, NULL, &id))
            if (add_task(listen, id))
                ab_json_write_value(&writer, id);
        ab_json_array_end(&writer);
    }
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    ab_mcp_notify(request, "notifications/subscriptions/acknowledged", ab_buf_str(&params));
    ab_buf_deinit(&params);
}

/* Answers and returns false when the wishes cannot be honoured at all. */
static bool check_wishes(struct ab_mcp_request *request, struct ab_json wishes)
{
    struct ab_json ids = ab_json_member(wishes, "taskIds");

    if (!ab_json_is(wishes, AB_JSON_OBJECT)) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params.notifications must be an object, found %s",
                             ab_json_type_name(wishes));
        return false;
    }
    if (ab_json_exists(ids) && !ab_json_is(ids, AB_JSON_ARRAY)) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                             "params.notifications.taskIds must be an array of task ids, found %s",
                             ab_json_type_name(ids));
        return false;
    }
    if (ab_json_exists(ids) && (request->capabilities & AB_MCP_CAN_TASKS) == 0) {
        ab_mcp_answer_error(request, AB_MCP_MISSING_CAPABILITY,
                            "taskIds need the client capability extensions[\"io.modelcontextprotocol/tasks\"]",
                            "{\"requiredCapabilities\":{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}");
        return false;
    }
    if (ab_json_count(ids) > request->mcp->settings.subscribed_tasks) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                             "params.notifications.taskIds names %zu tasks; at most %u may be watched on one stream",
                             ab_json_count(ids), request->mcp->settings.subscribed_tasks);
        return false;
    }
    return true;
}

/* Answers and returns false when the caller has as many streams as he may. */
static bool take_place(struct ab_mcp_request *request)
{
    struct ab_mcp_channel *channel = request->channel;
    char text[AB_STREAMS_TEXT_SIZE];

    if (ab_streams_enter(request->mcp->settings.streams, channel->owner, &channel->place, text))
        return true;
    ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "%s", text);
    return false;
}

void ab_mcp_subscriptions_listen(struct ab_mcp_request *request)
{
    static const struct ab_mcp_operation_ops ops = { .gone = on_gone, .drained = on_drained };
    struct ab_json wishes = ab_json_member(request->message.params, "notifications");
    struct listen *listen;

    if (!check_wishes(request, wishes))
        return;
    if (!request->channel->can_stream) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_REQUEST, "Accept must take text/event-stream");
        return;
    }
    if (!take_place(request))
        return;
    listen = ab_alloc(1, sizeof(*listen));
    listen->mcp = request->mcp;
    /* Only skills come and go. */
    listen->tools = request->mcp->settings.n_skills > 0 && ab_json_is_true(ab_json_member(wishes, "toolsListChanged"));
    listen->tasks = ab_alloc(ab_json_count(ab_json_member(wishes, "taskIds")) + 1, sizeof(*listen->tasks));
    ab_mcp_operation_begin(&listen->operation, &ops, request);
    ab_list_append(&request->mcp->streams, &request->channel->stream_link);
    acknowledge(listen, wishes);
    on_drained(&listen->operation);
    if (request->mcp->draining)
        ab_mcp_listen_end(request);
}

void ab_mcp_listen_tell_tools(struct ab_mcp *mcp)
{
    struct ab_link *link = ab_list_first(&mcp->streams);

    while (link != NULL) {
        struct ab_mcp_channel *channel = AB_OWNER(link, struct ab_mcp_channel, stream_link);
        struct ab_link *first = ab_list_first(&channel->requests);
        link = ab_list_next(&mcp->streams, link);
        struct ab_mcp_operation *operation =
            first != NULL ? AB_OWNER(first, struct ab_mcp_request, link)->operation : NULL;
        if (operation == NULL) /* a GET stream */
            continue;
        struct listen *listen = AB_OWNER(operation, struct listen, operation);
        listen->tools_changed = listen->tools;
        on_drained(operation);
    }
}

void ab_mcp_listen_end(struct ab_mcp_request *request)
{
    struct ab_mcp_operation *operation = request->operation;
    struct ab_mcp_result result;

    if (operation == NULL)
        return;
    listen_free(AB_OWNER(operation, struct listen, operation));
    ab_mcp_result_begin(&result, request, "complete");
    ab_mcp_result_meta(&result, "io.modelcontextprotocol/subscriptionId", request->message.id);
    ab_mcp_result_send(&result);
}
