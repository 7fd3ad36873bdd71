#include "mcp/core_tasks.h"

#include "mcp/event_id.h"
#include "mcp/ext_tasks.h"
#include "mcp/methods.h"
#include "mcp/page.h"
#include "mcp/wait.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define PAGE_OF_TASKS 50

/* DESIGN, "The task": here every bad end is `failed`; tasks/result says whether it is an isError or an error. */
static const char *status_name(const struct ab_task *task)
{
    switch (task->status) {
    case AB_TASK_PENDING:
    case AB_TASK_EXECUTING:
        return "working";
    case AB_TASK_PAUSED:
        return "input_required";
    case AB_TASK_FAILED:
    case AB_TASK_ERROR:
        return "failed";
    case AB_TASK_STOPPED:
        return "cancelled";
    case AB_TASK_COMPLETED:
    case AB_TASK_STATUS_COUNT:
        break;
    }
    return "completed";
}

static void write_members(struct ab_json_writer *writer, const struct ab_mcp *mcp, const struct ab_task *task)
{
    bool ended = ab_task_status_is_terminal(task->status);
    const char *message = !ended && task->progress_message != NULL ? task->progress_message : task->status_message;

    ab_json_put_text(writer, "taskId", task->id);
    ab_json_put_text(writer, "status", status_name(task));
    ab_json_put_optional_text(writer, "statusMessage", message);
    ab_json_put_time(writer, "createdAt", task->created_at);
    ab_json_put_time(writer, "lastUpdatedAt", task->updated_at);
    if (ended)
        ab_json_put_int(writer, "ttl", task->finished_at - task->created_at + mcp->settings.keep_ms);
    else
        ab_json_put_raw(writer, "ttl", NULL);
    ab_json_put_int(writer, "pollInterval", mcp->settings.poll_interval_ms);
}

static void write_task(struct ab_json_writer *writer, const struct ab_mcp *mcp, const struct ab_task *task)
{
    ab_json_object_begin(writer);
    write_members(writer, mcp, task);
    ab_json_object_end(writer);
}

static void answer_task(struct ab_mcp_request *request, const struct ab_task *task)
{
    struct ab_mcp_result result;

    ab_mcp_result_begin(&result, request, "complete");
    write_members(&result.writer, request->mcp, task);
    ab_mcp_result_send(&result);
}

char *ab_mcp_related_task(const char *task_id)
{
    return ab_format("{\"taskId\":\"%s\"}", task_id);
}

void ab_mcp_put_related_task(struct ab_json_writer *writer, const struct ab_mcp_request *request)
{
    if (request->related_task == NULL)
        return;
    AB_CLEANUP(ab_free_string) char *related = ab_mcp_related_task(request->related_task);
    ab_json_write_key(writer, "_meta");
    ab_json_object_begin(writer);
    ab_json_put_raw(writer, AB_MCP_RELATED_TASK, related);
    ab_json_object_end(writer);
}

/* --- states on the session's GET stream --- */

struct session_stream {
    struct ab_mcp_channel *channel;
    char *session_id;
    bool priming;
    struct ab_list told; /* tasks whose states are told */
    bool tools_changed;  /* and it was not told yet */
};

struct told_task {
    struct ab_link link;
    struct session_stream *stream;
    struct ab_watch *watch;
    char id[AB_TASK_ID_SIZE];
    uint64_t seen; /* number of the task's newest event when it was told last */
};

/* An event id names so many tasks, the newest; it comes back in a header. */
#define TOLD_IN_ID 20

/* The id of what is told next: which tasks, and how far. Empty where the version has no use for it. */
static void write_event_id(const struct session_stream *stream, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_link *link = ab_list_first(&stream->told);
    struct ab_json_writer writer;
    size_t n = 0;

    if (!stream->priming)
        return;
    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    for (; link != NULL; link = ab_list_next(&stream->told, link))
        n++;
    for (link = ab_list_first(&stream->told); link != NULL; link = ab_list_next(&stream->told, link)) {
        if (n-- > TOLD_IN_ID)
            continue;
        const struct told_task *told = AB_OWNER(link, struct told_task, link);
        ab_json_put_int(&writer, told->id, (int64_t)told->seen);
    }
    ab_json_object_end(&writer);
    ab_mcp_event_id_write_told(stream->channel->mcp, stream->channel->owner, stream->session_id, ab_buf_str(&text),
                               out);
    ab_buf_deinit(&text);
}

static void prime(struct session_stream *stream)
{
    struct ab_buf id = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!stream->channel->behind)
        write_event_id(stream, &id);
    if (id.size > 0)
        ab_mcp_channel_prime(stream->channel, id.data);
    ab_buf_deinit(&id);
}

static void told_free(struct told_task *told)
{
    ab_link_remove(&told->link);
    ab_watch_free(told->watch);
    free(told);
}

/* A state that a slow client cannot take is left out: it polls, or hears the next one. */
static void tell(void *arg)
{
    struct told_task *told = arg;
    struct ab_mcp_channel *channel = told->stream->channel;
    struct ab_mcp *mcp = channel->mcp;
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf id = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_task task = { 0 };

    if (ab_engine_get(mcp->settings.engine, channel->owner, told->id, &task) != AB_OK) {
        told_free(told);
        return;
    }
    if (!channel->behind) {
        ab_json_writer_init(&writer, &params);
        write_task(&writer, mcp, &task);
        told->seen = task.last_event;
        write_event_id(told->stream, &id);
        ab_mcp_channel_notify(channel, id.size > 0 ? id.data : NULL, "notifications/tasks/status", ab_buf_str(&params));
        ab_buf_deinit(&params);
        ab_buf_deinit(&id);
    }
    if (ab_task_status_is_terminal(task.status))
        told_free(told);
    ab_task_deinit(&task);
}

static void tell_tools(struct session_stream *stream)
{
    struct ab_buf id = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!stream->tools_changed || stream->channel->behind)
        return;
    stream->tools_changed = false;
    write_event_id(stream, &id);
    ab_mcp_channel_notify(stream->channel, id.size > 0 ? id.data : NULL, "notifications/tools/list_changed",
                          AB_STR("{}"));
    ab_buf_deinit(&id);
}

void ab_mcp_session_stream_drained(struct ab_mcp_channel *channel)
{
    if (channel->session_stream != NULL)
        tell_tools(channel->session_stream);
}

void ab_mcp_session_streams_tell_tools(struct ab_mcp *mcp)
{
    size_t position = 0;
    void *value;

    while (ab_map_next(&mcp->session_streams, &position, NULL, &value)) {
        struct session_stream *stream = value;
        stream->tools_changed = true;
        tell_tools(stream);
    }
}

static struct told_task *told_new(struct session_stream *stream, const char *task_id, uint64_t seen)
{
    struct told_task *told = ab_alloc(1, sizeof(*told));

    told->stream = stream;
    told->seen = seen;
    memcpy(told->id, task_id, sizeof(told->id));
    told->watch = ab_engine_watch(stream->channel->mcp->settings.engine, task_id, tell, told);
    ab_list_append(&stream->told, &told->link);
    return told;
}

/* A state is told on one stream only. */
static void tell_no_more(struct session_stream *stream, const char *task_id)
{
    struct ab_link *link = stream != NULL ? ab_list_first(&stream->told) : NULL;

    while (link != NULL) {
        struct told_task *told = AB_OWNER(link, struct told_task, link);
        link = ab_list_next(&stream->told, link);
        if (strcmp(told->id, task_id) == 0)
            told_free(told);
    }
}

/* Goes on with the tasks an earlier stream told of: what moved since is told now, as it stands. */
static void take_over(struct session_stream *stream, struct session_stream *earlier, struct ab_json told)
{
    struct ab_json_iterator each = ab_json_iterate(told);
    struct ab_json key;
    struct ab_json value;

    while (ab_json_next(&each, &key, &value)) {
        AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(key);
        struct ab_task task = { 0 };
        int64_t seen = 0;
        if (id == NULL || !ab_json_int(value, &seen) ||
            ab_engine_get(stream->channel->mcp->settings.engine, stream->channel->owner, id, &task) != AB_OK)
            continue;
        tell_no_more(earlier, id);
        if (task.last_event > (uint64_t)seen)
            tell(told_new(stream, task.id, (uint64_t)seen));
        else if (!ab_task_status_is_terminal(task.status))
            (void)told_new(stream, task.id, (uint64_t)seen);
        ab_task_deinit(&task);
    }
}

void ab_mcp_session_stream_opened(struct ab_mcp_channel *channel, const struct ab_mcp_session *session,
                                  struct ab_json told)
{
    struct session_stream *earlier = ab_map_get(&channel->mcp->session_streams, ab_str(session->id));
    struct session_stream *stream = ab_alloc(1, sizeof(*stream));

    stream->channel = channel;
    stream->session_id = ab_strdup(session->id);
    stream->priming = session->version->priming;
    ab_list_init(&stream->told);
    channel->session_stream = stream;
    ab_map_set(&channel->mcp->session_streams, ab_str(session->id), stream);
    if (ab_json_exists(told))
        take_over(stream, earlier, told);
    prime(stream);
}

void ab_mcp_session_stream_closed(struct ab_mcp_channel *channel)
{
    struct session_stream *stream = channel->session_stream;
    struct ab_link *link;

    if (stream == NULL)
        return;
    while ((link = ab_list_first(&stream->told)) != NULL)
        told_free(AB_OWNER(link, struct told_task, link));
    if (ab_map_get(&channel->mcp->session_streams, ab_str(stream->session_id)) == stream)
        ab_map_remove(&channel->mcp->session_streams, ab_str(stream->session_id));
    free(stream->session_id);
    free(stream);
    channel->session_stream = NULL;
}

void ab_mcp_session_stream_end(struct ab_mcp *mcp, const char *session_id)
{
    struct session_stream *stream = ab_map_get(&mcp->session_streams, ab_str(session_id));

    if (stream != NULL)
        ab_mcp_channel_end(stream->channel);
}

static void tell_from_now_on(struct ab_mcp_request *request, const struct ab_task *task)
{
    struct session_stream *stream = ab_map_get(&request->mcp->session_streams, ab_str(request->session_id));

    if (stream == NULL || ab_task_status_is_terminal(task->status))
        return;
    (void)told_new(stream, task->id, task->last_event);
    prime(stream); /* else an id given before would not know of it */
}

void ab_mcp_answer_core_task(struct ab_mcp_request *request, const struct ab_task *task)
{
    struct ab_mcp_result result;

    tell_from_now_on(request, task);
    ab_mcp_result_begin(&result, request, "complete");
    ab_json_write_key(&result.writer, "task");
    write_task(&result.writer, request->mcp, task);
    ab_mcp_result_send(&result);
}

/* --- methods --- */

void ab_mcp_core_tasks_get(struct ab_mcp_request *request)
{
    struct ab_task task = { 0 };

    if (!ab_mcp_load_task(request, &task))
        return;
    answer_task(request, &task);
    ab_task_deinit(&task);
}

/* Waits for the end, puts the questions on its way, and gives what the call would have given. */
void ab_mcp_core_tasks_result(struct ab_mcp_request *request)
{
    static const struct ab_mcp_patience patience = { .wait_ms = -1 };
    struct ab_mcp_call_kind kind;
    struct ab_task task = { 0 };

    if (!ab_mcp_load_task(request, &task))
        return;
    ab_mcp_call_kind_of(request->mcp, &task, &kind);
    kind.related = true;
    ab_mcp_wait_for(ab_mcp_wait_new(request, &kind, &patience, true, AB_DISCONNECT_KEEP), &task, task.last_event);
    ab_task_deinit(&task);
}

static void on_stopped(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_mcp_request *request = ab_mcp_ticket_redeem(arg);

    if (request == NULL)
        return;
    if (outcome == AB_STEER_DONE && task != NULL)
        answer_task(request, task);
    else if (outcome == AB_STEER_TERMINAL && task != NULL)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "The task has ended already: it is %s",
                             status_name(task));
    else
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The task could not be stopped: %s",
                             text != NULL ? text : "it is gone");
}

void ab_mcp_core_tasks_cancel(struct ab_mcp_request *request)
{
    struct ab_task task = { 0 };

    if (!ab_mcp_load_task(request, &task))
        return;
    ab_engine_stop(request->mcp->settings.engine, request->channel->owner, task.id, on_stopped,
                   ab_mcp_ticket_new(request));
    ab_task_deinit(&task);
}

struct page {
    struct ab_json_writer *writer;
    const struct ab_mcp *mcp;
    size_t n;
    bool more;
    char last[64];
};

static bool add_task(void *arg, const struct ab_task *task)
{
    struct page *page = arg;

    if (page->n == PAGE_OF_TASKS) {
        page->more = true;
        return false;
    }
    write_task(page->writer, page->mcp, task);
    snprintf(page->last, sizeof(page->last), "%lld %s", (long long)task->created_at, task->id);
    page->n++;
    return true;
}

void ab_mcp_core_tasks_list(struct ab_mcp_request *request)
{
    static const char purpose[] = "mcp-core-tasks-page";
    AB_CLEANUP(ab_free_string) char *place = NULL;
    struct ab_store_filter filter = { .owner = request->channel->owner, .limit = PAGE_OF_TASKS + 1 };
    struct ab_mcp_result result;
    struct page page = { .writer = &result.writer, .mcp = request->mcp };

    if (!ab_mcp_read_page(request, ab_json_member(request->message.params, "cursor"), purpose, &place)) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "This cursor is unknown");
        return;
    }
    ab_mcp_page_filter(place, &filter);
    ab_mcp_result_begin(&result, request, "complete");
    ab_json_write_key(&result.writer, "tasks");
    ab_json_array_begin(&result.writer);
    if (ab_engine_list(request->mcp->settings.engine, &filter, add_task, &page) < 0) {
        ab_buf_deinit(&result.text);
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The tasks cannot be read");
        return;
    }
    ab_json_array_end(&result.writer);
    if (page.more)
        ab_mcp_put_page(request, &result.writer, "nextCursor", purpose, page.last);
    ab_mcp_result_send(&result);
}
