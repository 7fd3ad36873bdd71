/* One request and its answer. Its connection points to it; it may outlive the connection until `closed` has been told,
 * and a late call of its owner finds it without one. */
#include "io/httpd_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>

#define USUAL_HEAD_BYTES 512

static struct exchange *of(struct ab_http_exchange *port)
{
    return AB_OWNER(port, struct exchange, port);
}

/* --- the end --- */

static void exchange_free(struct exchange *exchange)
{
    struct ab_httpd *httpd = exchange->httpd;

    ab_link_remove(&exchange->link);
    ab_http1_message_free(exchange->message);
    ab_buf_deinit(&exchange->out);
    free(exchange);
    if (httpd->draining && httpd->drained != NULL && ab_list_is_empty(&httpd->exchanges)) {
        ab_loop_fn drained = httpd->drained;
        httpd->drained = NULL;
        ab_timer_stop(httpd->drain_timer);
        ab_loop_defer(httpd->port, drained, httpd->drained_arg);
    }
}

static void tell_closed(void *arg)
{
    struct exchange *exchange = arg;

    if (exchange->events != NULL && exchange->events->closed != NULL)
        exchange->events->closed(exchange->arg, exchange->finished);
    exchange_free(exchange);
}

static void count(const struct exchange *exchange)
{
    struct ab_httpd *httpd = exchange->httpd;
    int64_t now = ab_clock_monotonic_us(&httpd->port->clock);

    if (exchange->streamed)
        ab_metric_add(httpd->open_streams, -1);
    if (exchange->status >= 100 && exchange->status < 600)
        ab_metric_add(httpd->requests[exchange->status / 100], 1);
    ab_metric_observe(httpd->seconds, (double)(now - exchange->begun_us) / 1e6);
}

void exchange_detach(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_OVER)
        return;
    exchange->state = EXCHANGE_OVER;
    exchange->connection = NULL;
    ab_buf_deinit(&exchange->out);
    exchange->out_at = 0;
    count(exchange);
    ab_loop_defer(exchange->httpd->port, tell_closed, exchange);
}

/* --- writing --- */

static void tell_writable(void *arg)
{
    struct exchange *exchange = arg;

    if (exchange->state == EXCHANGE_ANSWERING && exchange->events != NULL && exchange->events->writable != NULL)
        exchange->events->writable(exchange->arg);
}

static void caught_up(struct exchange *exchange)
{
    size_t left = exchange->out.size - exchange->out_at;

    if (left == 0) {
        /* An idle stream keeps no buffer. */
        ab_buf_deinit(&exchange->out);
        exchange->out_at = 0;
    }
    if (exchange->behind && left <= exchange->httpd->stream_bytes / 4 && exchange->state == EXCHANGE_ANSWERING) {
        exchange->behind = false;
        ab_loop_defer(exchange->httpd->port, tell_writable, exchange);
    }
}

/* The answer is out: the connection is free for the next request. */
static void complete(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;

    exchange->finished = !exchange->dropped;
    exchange_detach(exchange);
    connection_answered(connection, exchange->close_after);
}

/* Hands bytes over until none is left or libwebsockets had to keep some of them. False when the peer is gone. */
static bool push(struct exchange *exchange)
{
    unsigned char *scratch = exchange->httpd->scratch + LWS_PRE;
    struct lws *wsi = exchange->connection->wsi;

    while (exchange->out_at < exchange->out.size && !lws_partial_buffered(wsi)) {
        size_t left = exchange->out.size - exchange->out_at;
        size_t size = left < AB_HTTPD_WRITE_BYTES ? left : AB_HTTPD_WRITE_BYTES;
        memcpy(scratch, exchange->out.data + exchange->out_at, size);
        if (lws_write(wsi, scratch, size, LWS_WRITE_RAW) < (int)size)
            return false;
        exchange->out_at += size;
    }
    if (exchange->out_at > 0 && exchange->out_at >= exchange->out.size / 2) {
        /* else a reader that is never quite done makes it grow */
        ab_buf_consume(&exchange->out, exchange->out_at);
        exchange->out_at = 0;
    }
    return true;
}

void exchange_flush(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;

    if (connection == NULL || connection->closing)
        return;
    if (!push(exchange)) {
        connection_close(connection);
    } else if (exchange->out.size > 0 || lws_partial_buffered(connection->wsi)) {
        lws_callback_on_writable(connection->wsi);
        caught_up(exchange);
    } else if (exchange->state == EXCHANGE_ENDED) {
        complete(exchange);
    } else {
        caught_up(exchange);
    }
}

static void flush_now(void *arg)
{
    struct exchange *exchange = arg;

    exchange->flush_due = false;
    exchange_flush(exchange);
}

/* Bytes leave once a turn, however many pieces they were written in. */
static void want_write(struct exchange *exchange)
{
    if (exchange->in_handler || exchange->flush_due || exchange->connection == NULL)
        return;
    exchange->flush_due = true;
    ab_loop_defer(exchange->httpd->port, flush_now, exchange);
}

static void write_header(struct ab_buf *out, const char *name, const char *value)
{
    ab_buf_append_text(out, name);
    ab_buf_append_text(out, ": ");
    ab_buf_append_text(out, value);
    ab_buf_append_text(out, "\r\n");
}

/* A header's value cannot end its line. */
static bool is_header_value(const char *value)
{
    return strpbrk(value, "\r\n") == NULL;
}

static void write_head(struct exchange *exchange, const struct ab_http_head *head)
{
    struct ab_buf *out = &exchange->out;
    char date[AB_TIME_HTTP_SIZE];

    exchange->status = head->status;
    if (exchange->httpd->draining)
        exchange->close_after = true;
    ab_buf_printf(out, "HTTP/1.1 %u %s\r\n", head->status, ab_http_reason(head->status));
    ab_time_format_http(ab_clock_wall_ms(&exchange->httpd->port->clock), date);
    write_header(out, "Date", date);
    if (head->content_type != NULL) {
        write_header(out, "Content-Type", head->content_type);
        write_header(out, "X-Content-Type-Options", "nosniff");
    }
    for (size_t i = 0; i < head->n_headers; i++)
        if (is_header_value(head->headers[i].value))
            write_header(out, head->headers[i].name, head->headers[i].value);
    if (exchange->close_after)
        ab_buf_append_text(out, "Connection: close\r\n");
}

static void respond(struct ab_http_exchange *port, const struct ab_http_head *head, struct ab_str body)
{
    struct exchange *exchange = of(port);

    if (exchange->state != EXCHANGE_WAITING)
        return;
    (void)!ab_buf_reserve(&exchange->out, USUAL_HEAD_BYTES + body.size); /* once, instead of growing step by step */
    write_head(exchange, head);
    if (head->status != 204 && head->status != 304)
        ab_buf_printf(&exchange->out, "Content-Length: %zu\r\n", body.size);
    ab_buf_append_text(&exchange->out, "\r\n");
    if (!exchange->head_only)
        ab_buf_append_str(&exchange->out, body);
    exchange->state = EXCHANGE_ENDED;
    want_write(exchange);
}

static void begin(struct ab_http_exchange *port, const struct ab_http_head *head)
{
    struct exchange *exchange = of(port);

    if (exchange->state != EXCHANGE_WAITING)
        return;
    write_head(exchange, head);
    ab_buf_append_text(&exchange->out, exchange->chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    exchange->state = EXCHANGE_ANSWERING;
    exchange->streamed = true;
    ab_metric_add(exchange->httpd->open_streams, 1);
    want_write(exchange);
}

/* The owner writes on though it was told not to: better to lose this one peer than the memory. */
static void drop(struct exchange *exchange)
{
    AB_CLEANUP(ab_free_string) char *path = ab_strndup(exchange->request.path.data, exchange->request.path.size);

    ab_log(exchange->httpd->log, AB_LOG_WARNING, "io", "a stream was dropped: its peer does not read", "path", path,
           NULL);
    ab_buf_deinit(&exchange->out);
    exchange->out_at = 0;
    exchange->state = EXCHANGE_ENDED;
    exchange->dropped = true;
    connection_close(exchange->connection);
}

static int write_stream(struct ab_http_exchange *port, struct ab_str data)
{
    struct exchange *exchange = of(port);
    size_t limit = exchange->httpd->stream_bytes;

    if (exchange->state != EXCHANGE_ANSWERING || data.size == 0)
        return AB_OK;
    if (exchange->chunked && !exchange->head_only)
        ab_buf_printf(&exchange->out, "%zx\r\n", data.size);
    if (!exchange->head_only)
        ab_buf_append_str(&exchange->out, data);
    if (exchange->chunked && !exchange->head_only)
        ab_buf_append_text(&exchange->out, "\r\n");
    want_write(exchange);
    if (exchange->behind && exchange->out.size - exchange->out_at > 4 * limit + data.size) {
        drop(exchange);
        return AB_OK;
    }
    if (exchange->out.size - exchange->out_at > limit)
        exchange->behind = true;
    return exchange->behind ? AB_HTTP_BEHIND : AB_OK;
}

static void end(struct ab_http_exchange *port)
{
    struct exchange *exchange = of(port);

    if (exchange->state != EXCHANGE_ANSWERING)
        return;
    if (exchange->chunked && !exchange->head_only)
        ab_buf_append_text(&exchange->out, "0\r\n\r\n");
    exchange->state = EXCHANGE_ENDED;
    want_write(exchange);
}

/* --- reading --- */

static const struct ab_http_request *request(struct ab_http_exchange *port)
{
    return &of(port)->request;
}

static bool header(struct ab_http_exchange *port, const char *name, size_t nth, struct ab_str *value)
{
    const struct exchange *exchange = of(port);

    return exchange->message != NULL && ab_http1_header_at(exchange->message, name, nth, value);
}

static void listen_events(struct ab_http_exchange *port, const struct ab_http_events *events, void *arg)
{
    struct exchange *exchange = of(port);

    exchange->events = events;
    exchange->arg = arg;
}

/* --- beginning --- */

static const struct ab_http_exchange_ops ops = {
    .request = request,
    .header = header,
    .listen = listen_events,
    .respond = respond,
    .begin = begin,
    .write = write_stream,
    .end = end,
};

struct exchange *exchange_new(struct connection *connection, struct ab_http1_message *message)
{
    struct ab_httpd *httpd = connection->httpd;
    struct exchange *exchange = ab_alloc(1, sizeof(*exchange));

    exchange->port.ops = &ops;
    exchange->httpd = httpd;
    exchange->connection = connection;
    exchange->message = message;
    exchange->begun_us = ab_clock_monotonic_us(&httpd->port->clock);
    memcpy(exchange->peer, connection->peer, sizeof(exchange->peer));
    exchange->chunked = message == NULL || !message->is_1_0;
    exchange->close_after = message == NULL || !message->keep_alive;
    exchange->head_only = message != NULL && ab_str_is(message->method, "HEAD");
    exchange->request.peer = ab_str(exchange->peer);
    if (message != NULL) {
        exchange->request.method = message->method;
        exchange->request.path = message->path;
        exchange->request.query = message->query;
        exchange->request.body = ab_buf_str(&message->body);
    }
    ab_buf_init(&exchange->out, AB_BUF_UNBOUNDED);
    ab_list_append(&httpd->exchanges, &exchange->link);
    return exchange;
}

void exchange_handle(struct exchange *exchange)
{
    exchange->in_handler = true;
    exchange->httpd->handler(exchange->httpd->arg, &exchange->port);
    exchange->in_handler = false;
    if (exchange->out.size > 0)
        exchange_flush(exchange);
}

void exchange_refuse(struct exchange *exchange, unsigned status, const char *text)
{
    struct ab_buf body = AB_BUF_INIT(1024);

    ab_buf_printf(&body, "{\"error\":\"%s\"}", text);
    exchange->in_handler = true;
    respond(&exchange->port, &(struct ab_http_head){ .status = status, .content_type = "application/json" },
            ab_buf_str(&body));
    exchange->in_handler = false;
    ab_buf_deinit(&body);
    exchange_flush(exchange);
}
