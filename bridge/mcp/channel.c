/* The answer's way out: plain JSON when all is said in time, else an event stream (MCP, basic/transports). */
#include "mcp/core_tasks.h"
#include "mcp/event_id.h"

#include "base/mem.h"
#include "wire/sse.h"

#include <stdarg.h>
#include <stdio.h>

static void write_held(struct ab_mcp_channel *channel);

static void on_writable(void *arg)
{
    struct ab_mcp_channel *channel = arg;
    struct ab_link *link = ab_list_first(&channel->requests);

    channel->behind = false;
    write_held(channel);
    if (!channel->behind)
        ab_mcp_session_stream_drained(channel);
    while (link != NULL && !channel->behind) {
        struct ab_mcp_request *request = AB_OWNER(link, struct ab_mcp_request, link);
        link = ab_list_next(&channel->requests, link);
        if (request->operation != NULL)
            request->operation->ops->drained(request->operation);
    }
}

static void forget_cancel_key(struct ab_mcp_request *request)
{
    if (request->cancel_key == NULL)
        return;
    if (ab_map_get(&request->mcp->cancellable, ab_str(request->cancel_key)) == request)
        ab_map_remove(&request->mcp->cancellable, ab_str(request->cancel_key));
    free(request->cancel_key);
    request->cancel_key = NULL;
}

static void drop_operation(struct ab_mcp_request *request, bool cancelled)
{
    struct ab_mcp_operation *operation = request->operation;

    if (operation == NULL)
        return;
    request->operation = NULL;
    request->place = NULL;
    request->related_task = NULL;
    operation->request = NULL;
    operation->ops->gone(operation, cancelled);
}

static void request_free(struct ab_mcp_request *request)
{
    drop_operation(request, false);
    forget_cancel_key(request);
    ab_link_remove(&request->link);
    ab_jsonrpc_message_deinit(&request->message);
    free(request);
}

static void on_closed(void *arg, bool finished)
{
    struct ab_mcp_channel *channel = arg;
    struct ab_link *link;

    (void)finished;
    channel->exchange = NULL;
    channel->done = true;
    while ((link = ab_list_first(&channel->requests)) != NULL)
        request_free(AB_OWNER(link, struct ab_mcp_request, link));
    ab_mcp_session_stream_closed(channel);
    ab_link_remove(&channel->stream_link);
    ab_stream_leave(channel->place);
    ab_timer_free(channel->head_timer);
    ab_buf_deinit(&channel->gathered);
    free(channel->session_token);
    free(channel->owner);
    free(channel->body);
    free(channel);
}

static void on_head_due(void *arg)
{
    ab_mcp_channel_stream(arg);
}

struct ab_mcp_channel *ab_mcp_channel_new(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner)
{
    static const struct ab_http_events events = { .writable = on_writable, .closed = on_closed };
    struct ab_mcp_channel *channel = ab_alloc(1, sizeof(*channel));

    channel->mcp = mcp;
    channel->exchange = exchange;
    channel->owner = ab_strdup(owner);
    channel->status = 200;
    ab_list_init(&channel->requests);
    ab_buf_init(&channel->gathered, AB_BUF_UNBOUNDED);
    ab_http_listen(exchange, &events, channel);
    return channel;
}

struct ab_mcp_request *ab_mcp_request_new(struct ab_mcp_channel *channel, struct ab_jsonrpc_message *message)
{
    struct ab_mcp_request *request = ab_alloc(1, sizeof(*request));

    request->mcp = channel->mcp;
    request->channel = channel;
    request->message = *message;
    *message = (struct ab_jsonrpc_message){ 0 };
    request->meta = ab_json_member(request->message.params, "_meta");
    request->progress_token = ab_json_member(request->meta, "progressToken");
    request->log_level = -1;
    ab_list_append(&channel->requests, &request->link);
    channel->n_open++;
    return request;
}

/* --- what leaves --- */

static void begin(struct ab_mcp_channel *channel, unsigned status, const char *content_type)
{
    struct ab_http_header headers[3];
    size_t n = 0;

    headers[n++] = (struct ab_http_header){ "Cache-Control", "no-store" };
    if (channel->session_token != NULL)
        headers[n++] = (struct ab_http_header){ "Mcp-Session-Id", channel->session_token };
    if (channel->streaming)
        headers[n++] = (struct ab_http_header){ "X-Accel-Buffering", "no" };

    struct ab_http_head head = { .status = status, .content_type = content_type, .headers = headers, .n_headers = n };
    if (channel->streaming)
        ab_http_begin(channel->exchange, &head);
    else
        ab_http_respond(channel->exchange, &head, ab_buf_str(&channel->gathered));
}

/* Proxies and clients with a first-byte timer see a byte at once. */
static const char opening[] = ": open\n\n";

/* Operations ask before they write, so what is held while the client is behind is at most its answers. */
static void write_stream(struct ab_mcp_channel *channel, struct ab_str bytes)
{
    if (channel->exchange == NULL)
        return;
    if (channel->behind)
        ab_buf_append_str(&channel->gathered, bytes);
    else if (ab_http_write(channel->exchange, bytes) == AB_HTTP_BEHIND)
        channel->behind = true;
}

static void write_held(struct ab_mcp_channel *channel)
{
    struct ab_buf held = channel->gathered;

    if (held.size == 0)
        return;
    ab_buf_init(&channel->gathered, AB_BUF_UNBOUNDED);
    write_stream(channel, ab_buf_str(&held));
    ab_buf_deinit(&held);
    if (channel->done)
        ab_http_end(channel->exchange);
}

static void append_priming(const struct ab_mcp *mcp, const char *id, struct ab_buf *out)
{
    ab_sse_write_retry(out, mcp->settings.poll_interval_ms);
    ab_sse_write(out, NULL, id, AB_STR(""));
}

void ab_mcp_channel_prime(struct ab_mcp_channel *channel, const char *event_id)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    append_priming(channel->mcp, event_id, &bytes);
    write_stream(channel, ab_buf_str(&bytes));
    ab_buf_deinit(&bytes);
}

/* An id before there is anything to tell, so that a stream that breaks early can be resumed (2025-11-25,
 * basic/transports); false when the request has none to give. */
static bool write_priming(const struct ab_mcp_request *request, struct ab_buf *out)
{
    struct ab_buf id = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (request->version->priming && request->place != NULL)
        ab_mcp_event_id_write(request, &id);
    if (id.size > 0)
        append_priming(request->mcp, id.data, out);
    ab_buf_deinit(&id);
    return out->size > 0;
}

static void write_opening(struct ab_mcp_channel *channel, struct ab_buf *out)
{
    struct ab_link *first = ab_list_first(&channel->requests);

    if (channel->opened)
        return;
    channel->opened = true;
    if (first == NULL || !write_priming(AB_OWNER(first, struct ab_mcp_request, link), out))
        ab_buf_append_text(out, opening);
}

/* `id` or NULL. */
static void write_event(struct ab_mcp_channel *channel, const char *id, struct ab_str message)
{
    struct ab_buf event = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    write_opening(channel, &event);
    ab_sse_write(&event, "message", id, message);
    write_stream(channel, ab_buf_str(&event));
    ab_buf_deinit(&event);
}

static void write_request_event(const struct ab_mcp_request *request, struct ab_str message)
{
    struct ab_buf id = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_mcp_event_id_write(request, &id);
    write_event(request->channel, id.size > 0 ? id.data : NULL, message);
    ab_buf_deinit(&id);
}

static void begin_stream(struct ab_mcp_channel *channel)
{
    if (channel->streaming || channel->done || !channel->can_stream)
        return;
    channel->streaming = true;
    ab_timer_free(channel->head_timer);
    channel->head_timer = NULL;
    begin(channel, 200, "text/event-stream");
}

void ab_mcp_channel_stream(struct ab_mcp_channel *channel)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    begin_stream(channel);
    if (!channel->streaming || channel->opened)
        return;
    write_opening(channel, &bytes);
    write_stream(channel, ab_buf_str(&bytes));
    ab_buf_deinit(&bytes);
}

static void finish(struct ab_mcp_channel *channel)
{
    channel->done = true;
    if (channel->exchange == NULL)
        return;
    if (channel->streaming && channel->gathered.size > 0)
        return; /* ends when what is held has been written */
    if (channel->streaming)
        ab_http_end(channel->exchange);
    else
        begin(channel, channel->status, channel->gathered.size > 0 ? "application/json" : NULL);
}

void ab_mcp_channel_end(struct ab_mcp_channel *channel)
{
    if (!channel->done)
        finish(channel);
}

void ab_mcp_channel_keep_alive(struct ab_mcp_channel *channel)
{
    if (channel->streaming && !channel->behind && !channel->done)
        write_stream(channel, AB_STR(AB_SSE_KEEP_ALIVE));
}

/* Plain answers wait for each other: a batch leaves as one array. */
static void gather(struct ab_mcp_channel *channel, struct ab_str message)
{
    if (channel->batch)
        ab_buf_append_char(&channel->gathered, channel->gathered.size == 0 ? '[' : ',');
    ab_buf_append_str(&channel->gathered, message);
}

static void settle(struct ab_mcp_channel *channel)
{
    if (channel->handling || channel->done || channel->n_open > 0)
        return;
    if (channel->batch && !channel->streaming && channel->gathered.size > 0)
        ab_buf_append_char(&channel->gathered, ']');
    finish(channel);
}

static void answer(struct ab_mcp_request *request, struct ab_str message, unsigned status)
{
    struct ab_mcp_channel *channel = request->channel;

    if (request->answered)
        return;
    request->answered = true;
    request->operation = NULL;
    forget_cancel_key(request);
    channel->n_open--;
    if (!channel->can_json)
        begin_stream(channel);
    if (channel->streaming) {
        write_request_event(request, message);
    } else {
        gather(channel, message);
        if (!channel->batch)
            channel->status = status;
    }
    settle(channel);
}

void ab_mcp_channel_handle(struct ab_mcp_channel *channel, void (*handle)(struct ab_mcp_request *request))
{
    struct ab_link *link = ab_list_first(&channel->requests);

    channel->handling = true;
    for (; link != NULL; link = ab_list_next(&channel->requests, link))
        handle(AB_OWNER(link, struct ab_mcp_request, link));
    channel->handling = false;
    settle(channel);
    /* A batch is answered whole: gathered answers cannot become events any more once they form an array. */
    if (!channel->done && !channel->streaming && channel->can_stream && !channel->batch) {
        struct ab_loop *loop = channel->mcp->settings.loop;
        channel->head_timer = ab_timer_new(loop, on_head_due, channel);
        ab_timer_start(channel->head_timer, channel->mcp->settings.head_ms);
    }
}

/* --- operations --- */

void ab_mcp_operation_begin(struct ab_mcp_operation *operation, const struct ab_mcp_operation_ops *ops,
                            struct ab_mcp_request *request)
{
    operation->ops = ops;
    operation->request = request;
    request->operation = operation;
}

void ab_mcp_operation_end(struct ab_mcp_operation *operation)
{
    if (operation->request != NULL)
        operation->request->operation = NULL;
    operation->request = NULL;
}

struct ab_mcp_ticket {
    struct ab_mcp_operation operation;
};

static void ticket_gone(struct ab_mcp_operation *operation, bool cancelled)
{
    (void)operation;
    (void)cancelled;
}

static void ticket_drained(struct ab_mcp_operation *operation)
{
    (void)operation;
}

struct ab_mcp_ticket *ab_mcp_ticket_new(struct ab_mcp_request *request)
{
    static const struct ab_mcp_operation_ops ops = { .gone = ticket_gone, .drained = ticket_drained };
    struct ab_mcp_ticket *ticket = ab_alloc(1, sizeof(*ticket));

    ab_mcp_operation_begin(&ticket->operation, &ops, request);
    return ticket;
}

struct ab_mcp_request *ab_mcp_ticket_redeem(struct ab_mcp_ticket *ticket)
{
    struct ab_mcp_request *request = ticket->operation.request;

    ab_mcp_operation_end(&ticket->operation);
    free(ticket);
    return request;
}

void ab_mcp_request_cancel(struct ab_mcp_request *request)
{
    if (request->answered)
        return;
    request->answered = true;
    request->channel->n_open--;
    forget_cancel_key(request);
    drop_operation(request, true);
    if (!request->channel->batch)
        ab_mcp_channel_stream(request->channel);
    settle(request->channel);
}

void ab_mcp_request_displace(struct ab_mcp_request *request)
{
    if (request->answered)
        return;
    request->answered = true;
    request->channel->n_open--;
    forget_cancel_key(request);
    drop_operation(request, false);
    settle(request->channel);
}

/* Ids repeat the call's own id and token; somebody's giant ones are not worth a header that nobody takes. */
#define NAMES_MAX 1024

void ab_mcp_request_set_place(struct ab_mcp_request *request, const struct ab_mcp_place *place)
{
    struct ab_mcp_channel *channel = request->channel;
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!request->version->resumable || channel->batch || !channel->can_stream ||
        request->message.id.text.size + request->progress_token.text.size > NAMES_MAX)
        return;
    request->place = place;
    request->resumable = true;
    if (channel->opened && write_priming(request, &bytes))
        write_stream(channel, ab_buf_str(&bytes));
    ab_buf_deinit(&bytes);
}

bool ab_mcp_is_behind(const struct ab_mcp_request *request)
{
    return request->channel->behind;
}

static void send_call(struct ab_mcp_request *request, struct ab_json id, const char *method, struct ab_str params)
{
    struct ab_mcp_channel *channel = request->channel;
    struct ab_buf message = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    AB_CLEANUP(ab_free_string) char *text = NULL;

    if (!channel->can_stream || channel->batch || request->answered)
        return;
    begin_stream(channel);
    text = ab_strndup(params.data, params.size);
    ab_jsonrpc_write_call(&message, id, method, text);
    write_request_event(request, ab_buf_str(&message));
    ab_buf_deinit(&message);
}

void ab_mcp_channel_notify(struct ab_mcp_channel *channel, const char *event_id, const char *method,
                           struct ab_str params)
{
    struct ab_buf message = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    AB_CLEANUP(ab_free_string) char *text = ab_strndup(params.data, params.size);

    ab_jsonrpc_write_call(&message, (struct ab_json){ 0 }, method, text);
    write_event(channel, event_id, ab_buf_str(&message));
    ab_buf_deinit(&message);
}

void ab_mcp_notify(struct ab_mcp_request *request, const char *method, struct ab_str params)
{
    send_call(request, (struct ab_json){ 0 }, method, params);
}

void ab_mcp_send_request(struct ab_mcp_request *request, const char *id_json, const char *method, struct ab_json params)
{
    send_call(request, ab_json_trusted(id_json), method, params.text);
}

/* --- results and errors --- */

void ab_mcp_result_begin(struct ab_mcp_result *result, struct ab_mcp_request *request, const char *type)
{
    *result = (struct ab_mcp_result){ .request = request };
    ab_buf_init(&result->text, AB_BUF_UNBOUNDED);
    ab_json_writer_init(&result->writer, &result->text);
    ab_json_object_begin(&result->writer);
    if (request->version->era == AB_MCP_MODERN)
        ab_json_put_text(&result->writer, "resultType", type);
}

void ab_mcp_result_meta(struct ab_mcp_result *result, const char *key, struct ab_json value)
{
    result->meta_key = key;
    result->meta_value = value;
}

void ab_mcp_result_send(struct ab_mcp_result *result)
{
    struct ab_mcp_request *request = result->request;
    struct ab_buf message = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    bool modern = request->version->era == AB_MCP_MODERN;

    if (modern || result->meta_key != NULL) {
        ab_json_write_key(&result->writer, "_meta");
        ab_json_object_begin(&result->writer);
        if (modern) {
            ab_json_write_key(&result->writer, "io.modelcontextprotocol/serverInfo");
            ab_mcp_write_server_info(&result->writer);
        }
        if (result->meta_key != NULL)
            ab_json_put_value(&result->writer, result->meta_key, result->meta_value);
        ab_json_object_end(&result->writer);
    }
    ab_json_object_end(&result->writer);
    ab_jsonrpc_write_result(&message, request->message.id, ab_buf_str(&result->text));
    answer(request, ab_buf_str(&message), 200);
    ab_buf_deinit(&message);
    ab_buf_deinit(&result->text);
}

void ab_mcp_answer_empty(struct ab_mcp_request *request)
{
    struct ab_mcp_result result;

    ab_mcp_result_begin(&result, request, "complete");
    ab_mcp_result_send(&result);
}

/* The one place where an error becomes an HTTP status (MCP 2026-07-28, basic/transports, "Error codes"). */
static unsigned http_status(enum ab_mcp_era era, int64_t code)
{
    if (era == AB_MCP_LEGACY)
        return 200;
    switch (code) {
    case AB_JSONRPC_METHOD_NOT_FOUND:
        return 404;
    case AB_MCP_HEADER_MISMATCH:
    case AB_MCP_MISSING_CAPABILITY:
    case AB_MCP_UNSUPPORTED_VERSION:
    case AB_JSONRPC_PARSE_ERROR:
    case AB_JSONRPC_INVALID_REQUEST:
        return 400;
    default:
        return 200;
    }
}

void ab_mcp_answer_error(struct ab_mcp_request *request, int64_t code, const char *message, const char *data_json)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_jsonrpc_write_error(&text, request->message.id, code, message, data_json);
    answer(request, ab_buf_str(&text), http_status(request->version->era, code));
    ab_buf_deinit(&text);
}

void ab_mcp_answer_errorf(struct ab_mcp_request *request, int64_t code, const char *format, ...)
{
    char line[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    ab_mcp_answer_error(request, code, line, NULL);
}

void ab_mcp_channel_refuse(struct ab_mcp_channel *channel, unsigned status, struct ab_json id, int64_t code,
                           const char *message, const char *data_json)
{
    ab_buf_clear(&channel->gathered);
    ab_jsonrpc_write_error(&channel->gathered, id, code, message, data_json);
    channel->status = status;
    finish(channel);
}
