/* Streamable HTTP, the client's side (MCP basic/transports): each message is a POST, whose answer is plain JSON or an
 * event stream. In the legacy era a stream that breaks off is gone on with by GET from its last event, and one more GET
 * carries what the server says on its own. */
#include "agents/mcp_http.h"

#include "base/list.h"
#include "base/mem.h"
#include "mcp/client_message.h"
#include "wire/http_values.h"
#include "wire/sse.h"

#include <stdio.h>
#include <string.h>

enum {
    CONNECT_MS = 10000,
    LINGER_MS = 1000, /* after its response a stream may end by itself, so that the connection is kept */
    RETRY_MS = 1000,
    RETRY_MIN_MS = 100,
    RETRY_MAX_MS = 60000,
    LEAVE_MS = 1000, /* for the last words to get out */
    RESUMES = 8,     /* in a row, without an event in between */
    MESSAGE_BYTES = 16 << 20,
    ERROR_BYTES = 64 << 10,
    DEPTH = 64,
    ID_BYTES = 1024,
    MAX_HEADERS = 64
};

struct http_transport {
    struct mcp_transport base;
    char *url;
    char *authorization; /* the header's whole line, or NULL */
    size_t message_bytes;
    struct ab_loop *loop;
    struct ab_http_client *client;
    const struct ab_log *log;
    struct ab_list exchanges;
    struct mcp_exchange *stream; /* what the server says on its own, or NULL */
    struct ab_timer *leave_timer;
    void (*left)(void *arg); /* who waits for the last words to get out, or NULL */
    void *left_arg;
};

/* Freed only when no call of HTTP and no timer refers to it: in on_done and on_timer, or in settle(). */
struct mcp_exchange {
    struct http_transport *transport; /* NULL once that is gone */
    struct ab_link link;
    const struct mcp_exchange_events *events; /* NULL: nobody waits (any more) */
    void *arg;
    int64_t id;
    bool opens; /* it is `initialize`: its answer may bring a session */
    bool own;   /* the stream of what the server says on its own */
    bool answered;
    bool ending;               /* inside on_done, which frees it */
    struct ab_http_call *call; /* NULL between two GETs */
    unsigned status;
    bool is_stream;
    bool overfull; /* the answer is larger than allowed */
    struct ab_buf body;
    struct ab_sse_reader *reader;
    struct ab_timer *timer;
    char *last_event_id;
    uint32_t retry_ms;
    unsigned resumes;
};

static void get(struct mcp_exchange *exchange);

/* --- life of an exchange --- */

static void tell_left(struct http_transport *transport)
{
    void (*left)(void *arg) = transport->left;
    if (left != NULL && ab_list_is_empty(&transport->exchanges)) {
        transport->left = NULL;
        ab_timer_stop(transport->leave_timer);
        left(transport->left_arg);
    }
}

static void exchange_free(struct mcp_exchange *exchange)
{
    struct http_transport *transport = exchange->transport;
    if (exchange->transport != NULL && exchange->transport->stream == exchange) {
        exchange->transport->stream = NULL;
    }
    ab_link_remove(&exchange->link);
    ab_timer_free(exchange->timer);
    ab_sse_reader_free(exchange->reader);
    ab_buf_deinit(&exchange->body);
    free(exchange->last_event_id);
    free(exchange);
    if (transport != NULL) {
        tell_left(transport);
    }
}

/* From here on nothing is told of it. What is still open is closed; its end frees it. */
static void settle(struct mcp_exchange *exchange)
{
    exchange->events = NULL;
    exchange->answered = true;
    if (exchange->call == NULL && !exchange->ending) {
        exchange_free(exchange);
    } else if (exchange->call != NULL && exchange->transport != NULL) {
        exchange->transport->client->ops->cancel(exchange->call);
    }
}

static void fail(struct mcp_exchange *exchange, enum mcp_failure failure, const char *text)
{
    const struct mcp_exchange_events *events = exchange->events;
    exchange->events = NULL;
    exchange->answered = true;
    if (events != NULL) {
        events->failed(exchange->arg, failure, exchange->status, text);
    }
}

/* --- messages --- */

static bool is_for(const struct mcp_exchange *exchange, struct ab_json id)
{
    int64_t number;
    return ab_json_int(id, &number) && number == exchange->id;
}

static void take_response(struct mcp_exchange *exchange, const struct ab_jsonrpc_message *message)
{
    const struct mcp_exchange_events *events = exchange->events;
    if (exchange->answered || exchange->own) {
        return;
    }
    /* Who could not read a request answers it without its id. */
    if (!is_for(exchange, message->id) && ab_json_exists(message->id) && !ab_json_is(message->id, AB_JSON_NULL)) {
        ab_log(exchange->transport->log, AB_LOG_WARNING, "mcp", "the server answered a request that was not made",
               "url", exchange->transport->url, NULL);
        return;
    }
    exchange->answered = true;
    exchange->events = NULL;
    if (exchange->is_stream) {
        ab_timer_start(exchange->timer, LINGER_MS);
    }
    if (events != NULL) {
        events->answered(exchange->arg, message);
    }
}

/* False: it is no message of JSON-RPC. */
static bool take_message(struct mcp_exchange *exchange, struct ab_str text)
{
    struct ab_json value;
    struct ab_json_error error;
    struct ab_jsonrpc_message message;
    const char *reason = NULL;
    if (!ab_json_check(text, DEPTH, &value, &error)) {
        return false;
    }
    bool good = ab_jsonrpc_read(value, &message, &reason);
    if (good && message.kind == AB_JSONRPC_RESPONSE) {
        take_response(exchange, &message);
    } else if (good && exchange->own) {
        exchange->transport->base.events->said(exchange->transport->base.arg, &message);
    } else if (good && exchange->events != NULL && exchange->events->said != NULL) {
        exchange->events->said(exchange->arg, &message);
    }
    ab_jsonrpc_message_deinit(&message);
    return good;
}

static void on_event(void *arg, const struct ab_sse_event *event)
{
    struct mcp_exchange *exchange = arg;
    exchange->resumes = 0;
    if (event->id != NULL && event->id[0] != '\0' && strlen(event->id) <= ID_BYTES) {
        ab_replace(&exchange->last_event_id, event->id);
    }
    /* An event without data only brings an id. */
    if (exchange->transport != NULL && event->data.size > 0 && strcmp(event->event, "message") == 0 &&
        !take_message(exchange, event->data)) {
        ab_log(exchange->transport->log, AB_LOG_WARNING, "mcp", "the server sent an event that is no message", "url",
               exchange->transport->url, NULL);
    }
}

/* --- what HTTP brings --- */

static void keep_session(struct mcp_exchange *exchange, struct ab_http_call *call)
{
    struct http_transport *transport = exchange->transport;
    struct ab_str token;
    if (!transport->client->ops->header(call, "mcp-session-id", &token) || token.size == 0 || token.size > ID_BYTES) {
        return;
    }
    free(transport->base.session_id);
    transport->base.session_id = ab_strndup(token.data, token.size);
}

static void on_head(void *arg, struct ab_http_call *call, unsigned status)
{
    struct mcp_exchange *exchange = arg;
    struct http_transport *transport = exchange->transport;
    struct ab_str type = { NULL, 0 };
    exchange->status = status;
    if (transport == NULL) {
        return;
    }
    (void)transport->client->ops->header(call, "content-type", &type);
    exchange->is_stream = status == 200 && ab_http_is_media_type(type, "text/event-stream");
    if (exchange->is_stream) {
        ab_sse_reader_free(exchange->reader);
        exchange->reader = ab_sse_reader_new(transport->message_bytes, on_event, exchange);
    }
    if (exchange->opens && status == 200) {
        keep_session(exchange, call);
    }
}

static void on_body(void *arg, struct ab_http_call *call, struct ab_str data)
{
    struct mcp_exchange *exchange = arg;
    struct http_transport *transport = exchange->transport;
    if (transport == NULL || exchange->overfull) {
        return;
    }
    if (exchange->is_stream) {
        exchange->overfull = !ab_sse_reader_feed(exchange->reader, data.data, data.size);
    } else {
        size_t limit = exchange->status < 300 ? transport->message_bytes : (size_t)ERROR_BYTES;
        exchange->overfull = exchange->body.size + data.size > limit;
        if (!exchange->overfull) {
            ab_buf_append_str(&exchange->body, data);
        }
    }
    if (exchange->overfull) {
        transport->client->ops->cancel(call);
    }
}

/* --- how it ends --- */

static void session_gone(struct mcp_exchange *exchange)
{
    static const char text[] = "the server has forgotten the session";
    struct mcp_transport *transport = &exchange->transport->base;
    if (exchange->own) {
        transport->events->lost(transport->arg, text);
    } else {
        fail(exchange, MCP_SESSION_GONE, text);
    }
}

static void refuse(struct mcp_exchange *exchange)
{
    char text[160];
    (void)snprintf(text, sizeof text, "the server answered HTTP %u", exchange->status);
    if (exchange->status == 401 || exchange->status == 403) {
        fail(exchange, MCP_SIGN_IN, text);
    } else if (exchange->status == 404 && exchange->transport->base.session_id != NULL) {
        session_gone(exchange);
    } else if (exchange->id == 0 || !take_message(exchange, ab_buf_str(&exchange->body)) || !exchange->answered) {
        fail(exchange, MCP_REFUSED, text);
    }
}

static void take_whole(struct mcp_exchange *exchange)
{
    const struct mcp_exchange_events *events = exchange->events;
    if (exchange->id == 0) {
        exchange->answered = true;
        exchange->events = NULL;
        if (events != NULL) {
            events->answered(exchange->arg, NULL);
        }
    } else if (!take_message(exchange, ab_buf_str(&exchange->body))) {
        fail(exchange, MCP_BROKEN, "the server's answer is no message of JSON-RPC");
    } else if (!exchange->answered) {
        fail(exchange, MCP_BROKEN, "the server answered a request that was not made");
    }
}

/* Whether the rest of the stream can be had; then it is asked for after a while. */
static bool resume_later(struct mcp_exchange *exchange)
{
    struct http_transport *transport = exchange->transport;
    bool legacy = transport->base.version != NULL && transport->base.version->era == AB_MCP_LEGACY;
    uint32_t wait = exchange->retry_ms > 0 ? exchange->retry_ms : (uint32_t)RETRY_MS;
    if (!legacy || (exchange->last_event_id == NULL && !exchange->own) ||
        (exchange->resumes >= RESUMES && !exchange->own)) {
        return false;
    }
    for (unsigned i = 1; i < exchange->resumes && wait < RETRY_MAX_MS; i++) {
        wait *= 2;
    }
    exchange->resumes++;
    ab_timer_start(exchange->timer, wait < RETRY_MAX_MS ? wait : (uint32_t)RETRY_MAX_MS);
    return true;
}

static enum mcp_failure failure_of(enum ab_http_call_outcome outcome)
{
    switch (outcome) {
    case AB_HTTP_CALL_UNREACHABLE:
    case AB_HTTP_CALL_FORBIDDEN:
        return MCP_UNREACHABLE;
    case AB_HTTP_CALL_TIMED_OUT:
        return MCP_TIMED_OUT;
    case AB_HTTP_CALL_TOO_LARGE:
        return MCP_TOO_LARGE;
    case AB_HTTP_CALL_DONE:
    case AB_HTTP_CALL_BROKEN:
        break;
    }
    return MCP_BROKEN;
}

/* A stream has ended without the response, or could not be gone on with. True: it goes on. */
static bool end_of_stream(struct mcp_exchange *exchange, const char *text)
{
    uint32_t wish = exchange->reader != NULL ? ab_sse_reader_retry(exchange->reader) : 0;
    if (wish > 0) {
        exchange->retry_ms = wish > RETRY_MIN_MS ? wish : (uint32_t)RETRY_MIN_MS;
    }
    if (resume_later(exchange)) {
        return true;
    }
    fail(exchange, MCP_BROKEN, text);
    return false;
}

/* What the server says on its own can be had in a while: it is in trouble, or has not noticed yet that the stream
 * before this one is gone. */
static bool may_listen_later(const struct mcp_exchange *exchange)
{
    return exchange->own && (exchange->status >= 500 || exchange->status == 409);
}

/* True: the exchange goes on. */
static bool conclude(struct mcp_exchange *exchange, enum ab_http_call_outcome outcome, const char *text)
{
    /* A GET that goes on with a stream is under way when there is something to go on from. */
    bool was_stream = exchange->is_stream || exchange->reader != NULL || exchange->own;
    if (exchange->overfull) {
        fail(exchange, MCP_TOO_LARGE, "the server's answer is too large");
    } else if (outcome == AB_HTTP_CALL_DONE && exchange->status >= 300 && !may_listen_later(exchange)) {
        refuse(exchange);
    } else if (was_stream && outcome != AB_HTTP_CALL_TIMED_OUT) {
        return end_of_stream(exchange, "the stream ended before the answer came");
    } else if (outcome != AB_HTTP_CALL_DONE) {
        fail(exchange, failure_of(outcome), text);
    } else {
        take_whole(exchange);
    }
    return false;
}

static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct mcp_exchange *exchange = arg;
    exchange->call = NULL;
    exchange->ending = true;
    if (exchange->transport == NULL || exchange->answered || !conclude(exchange, outcome, text)) {
        exchange_free(exchange);
    } else {
        exchange->ending = false;
    }
}

/* Between two GETs: the next one. After the response: the stream has had its time to end. */
static void on_timer(void *arg)
{
    struct mcp_exchange *exchange = arg;
    if (exchange->transport == NULL) {
        return; /* on_done is still to come */
    }
    if (exchange->call == NULL) {
        get(exchange);
    } else {
        exchange->transport->client->ops->cancel(exchange->call);
    }
}

/* --- sending --- */

struct header_lines {
    const char *lines[MAX_HEADERS + 1];
    size_t n;
    char *own[8]; /* made here */
    size_t n_own;
};

static void add_line(struct header_lines *headers, const char *line)
{
    if (line != NULL && headers->n < MAX_HEADERS) {
        headers->lines[headers->n++] = line;
        headers->lines[headers->n] = NULL;
    }
}

static void add_own_line(struct header_lines *headers, const char *name, const char *value)
{
    if (value != NULL) {
        char *line = ab_format("%s: %s", name, value);
        headers->own[headers->n_own++] = line;
        add_line(headers, line);
    }
}

static void header_lines_deinit(struct header_lines *headers)
{
    for (size_t i = 0; i < headers->n_own; i++) {
        free(headers->own[i]);
    }
}

/* A modern message names its version in its _meta, also before one was agreed on. */
static const char *version_header(const struct http_transport *transport, const struct mcp_outgoing *outgoing)
{
    if (transport->base.version != NULL) {
        return transport->base.version->name;
    }
    return strcmp(outgoing->method, "initialize") == 0 ? NULL : ab_mcp_version_newest(AB_MCP_MODERN)->name;
}

static void collect_headers(const struct http_transport *transport, const struct mcp_outgoing *outgoing,
                            struct header_lines *out)
{
    const char *version = version_header(transport, outgoing);
    bool modern = version != NULL && ab_mcp_version_find(ab_str(version))->era == AB_MCP_MODERN;
    struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    add_line(out, "Content-Type: application/json");
    add_line(out, "Accept: application/json, text/event-stream");
    add_line(out, transport->authorization);
    add_own_line(out, "MCP-Protocol-Version", version);
    add_own_line(out, "Mcp-Session-Id", transport->base.session_id);
    if (modern) {
        add_own_line(out, "Mcp-Method", outgoing->method);
    }
    if (modern && outgoing->name != NULL) {
        ab_mcp_client_write_header_value(&name, ab_str(outgoing->name));
        add_own_line(out, "Mcp-Name", name.data);
    }
    for (size_t i = 0; modern && outgoing->headers != NULL && outgoing->headers[i] != NULL; i++) {
        add_line(out, outgoing->headers[i]);
    }
    ab_buf_deinit(&name);
}

static void start_call(struct mcp_exchange *exchange, const char *method, const struct header_lines *headers,
                       struct ab_str body, uint32_t timeout_ms)
{
    static const struct ab_http_call_events events = { .head = on_head, .body = on_body, .done = on_done };
    struct http_transport *transport = exchange->transport;
    struct ab_http_call_settings settings = { .method = method,
                                              .url = transport->url,
                                              .headers = headers->lines,
                                              .body = body,
                                              .connect_timeout_ms = CONNECT_MS,
                                              .total_timeout_ms = timeout_ms };
    exchange->status = 0;
    exchange->is_stream = false;
    ab_buf_clear(&exchange->body);
    exchange->call = transport->client->ops->start(transport->client, &settings, &events, exchange);
}

static struct mcp_exchange *exchange_new(struct http_transport *transport, const struct mcp_exchange_events *events,
                                         void *arg)
{
    struct mcp_exchange *exchange = ab_alloc(1, sizeof *exchange);
    exchange->transport = transport;
    exchange->events = events;
    exchange->arg = arg;
    exchange->timer = ab_timer_new(transport->loop, on_timer, exchange);
    ab_buf_init(&exchange->body, AB_BUF_UNBOUNDED);
    ab_list_append(&transport->exchanges, &exchange->link);
    return exchange;
}

static struct mcp_exchange *http_send(struct mcp_transport *base, const struct mcp_outgoing *outgoing,
                                      const struct mcp_exchange_events *events, void *arg)
{
    struct http_transport *transport = AB_OWNER(base, struct http_transport, base);
    struct mcp_exchange *exchange = exchange_new(transport, events, arg);
    struct header_lines headers = { 0 };
    exchange->id = outgoing->id;
    exchange->opens = strcmp(outgoing->method, "initialize") == 0;
    collect_headers(transport, outgoing, &headers);
    start_call(exchange, "POST", &headers, outgoing->text, outgoing->timeout_ms);
    header_lines_deinit(&headers);
    return exchange;
}

static void get(struct mcp_exchange *exchange)
{
    struct http_transport *transport = exchange->transport;
    struct header_lines headers = { 0 };
    add_line(&headers, "Accept: text/event-stream");
    add_line(&headers, transport->authorization);
    add_own_line(&headers, "MCP-Protocol-Version",
                 transport->base.version != NULL ? transport->base.version->name : NULL);
    add_own_line(&headers, "Mcp-Session-Id", transport->base.session_id);
    add_own_line(&headers, "Last-Event-ID", exchange->last_event_id);
    start_call(exchange, "GET", &headers, (struct ab_str){ NULL, 0 }, 0);
    header_lines_deinit(&headers);
}

/* --- the port --- */

static bool http_open(struct mcp_transport *base, char *reason, size_t reason_size)
{
    (void)base;
    (void)reason;
    (void)reason_size;
    return true;
}

static void http_drop(struct mcp_exchange *exchange)
{
    settle(exchange);
}

static void http_pause(struct mcp_exchange *exchange, bool paused)
{
    if (exchange->call != NULL && exchange->transport != NULL) {
        exchange->transport->client->ops->pause(exchange->call, paused);
    }
}

static void http_listen(struct mcp_transport *base)
{
    struct http_transport *transport = AB_OWNER(base, struct http_transport, base);
    if (transport->stream != NULL) {
        return;
    }
    transport->stream = exchange_new(transport, NULL, NULL);
    transport->stream->own = true;
    get(transport->stream);
}

static void http_close(struct mcp_transport *base)
{
    struct http_transport *transport = AB_OWNER(base, struct http_transport, base);
    struct ab_link *link = ab_list_first(&transport->exchanges);
    while (link != NULL) {
        struct mcp_exchange *exchange = AB_OWNER(link, struct mcp_exchange, link);
        link = ab_list_next(&transport->exchanges, link);
        settle(exchange);
    }
    transport->stream = NULL;
    base->version = NULL;
    free(transport->base.session_id);
    transport->base.session_id = NULL;
}

static void on_leave_timer(void *arg)
{
    struct http_transport *transport = arg;
    void (*left)(void *arg) = transport->left;
    transport->left = NULL;
    http_close(&transport->base);
    left(transport->left_arg);
}

/* Last words are those that nobody waits for an answer to: what was cancelled. Sessions that nobody uses any more are
 * the server's to forget. */
static void http_leave(struct mcp_transport *base, void (*left)(void *arg), void *arg)
{
    struct http_transport *transport = AB_OWNER(base, struct http_transport, base);
    struct ab_link *link = ab_list_first(&transport->exchanges);
    while (link != NULL) {
        struct mcp_exchange *exchange = AB_OWNER(link, struct mcp_exchange, link);
        link = ab_list_next(&transport->exchanges, link);
        if (exchange->events != NULL || exchange->own) {
            settle(exchange);
        }
    }
    transport->left = left;
    transport->left_arg = arg;
    ab_timer_start(transport->leave_timer, LEAVE_MS);
    tell_left(transport);
}

/* Exchanges outlive it until their calls have ended. */
static void http_free(struct mcp_transport *base)
{
    struct http_transport *transport = AB_OWNER(base, struct http_transport, base);
    struct ab_link *link;
    http_close(base);
    while ((link = ab_list_first(&transport->exchanges)) != NULL) {
        AB_OWNER(link, struct mcp_exchange, link)->transport = NULL;
        ab_link_remove(link);
    }
    ab_timer_free(transport->leave_timer);
    free(transport->url);
    ab_free_secret(&transport->authorization);
    free(transport);
}

struct mcp_transport *mcp_http_new(const struct ab_mcp_agent_settings *settings,
                                   const struct mcp_transport_events *events, void *arg)
{
    static const struct mcp_transport_ops ops = {
        .open = http_open,
        .close = http_close,
        .send = http_send,
        .drop = http_drop,
        .pause = http_pause,
        .listen = http_listen,
        .leave = http_leave,
        .free = http_free,
    };
    struct http_transport *transport = ab_alloc(1, sizeof *transport);
    transport->base.ops = &ops;
    transport->base.events = events;
    transport->base.arg = arg;
    transport->url = ab_strdup(settings->url);
    transport->authorization =
        settings->api_key != NULL ? ab_format("Authorization: Bearer %s", settings->api_key) : NULL;
    transport->message_bytes = settings->message_bytes > 0 ? settings->message_bytes : (size_t)MESSAGE_BYTES;
    transport->loop = settings->loop;
    transport->client = settings->client;
    transport->log = settings->log;
    ab_list_init(&transport->exchanges);
    transport->leave_timer = ab_timer_new(settings->loop, on_leave_timer, transport);
    return &transport->base;
}
