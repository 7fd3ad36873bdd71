/* One request and its answer. libwebsockets' transaction points to it; it may outlive the transaction until `closed`
 * has been told, and a late call of its owner finds it without a connection. */
#include "io/httpd_internal.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct exchange *of(struct ab_http_exchange *port)
{
    return AB_OWNER(port, struct exchange, port);
}

/* --- the end --- */

static void exchange_free(struct exchange *exchange)
{
    struct ab_httpd *httpd = exchange->httpd;

    ab_link_remove(&exchange->link);
    while (exchange->headers != NULL) {
        struct exchange_header *header = exchange->headers;
        exchange->headers = header->next;
        free(header->name);
        free((void *)(uintptr_t)header->value.data);
        free(header);
    }
    ab_buf_deinit(&exchange->body);
    ab_buf_deinit(&exchange->out);
    free(exchange->method);
    free(exchange->path);
    free(exchange->query);
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
    exchange->wsi = NULL;
    *exchange->slot = NULL;
    exchange->slot = NULL;
    ab_peerwatch_free(exchange->peerwatch);
    exchange->peerwatch = NULL;
    ab_buf_deinit(&exchange->out);
    exchange->out_at = 0;
    count(exchange);
    ab_loop_defer(exchange->httpd->port, tell_closed, exchange);
}

static void on_peer_gone(void *arg)
{
    struct exchange *exchange = arg;

    if (exchange->wsi != NULL)
        lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
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
static int complete(struct exchange *exchange)
{
    struct lws *wsi = exchange->wsi;
    bool close_after = exchange->close_after;

    exchange->finished = !exchange->dropped;
    exchange_detach(exchange);
    return close_after || lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

int exchange_flush(struct exchange *exchange)
{
    struct ab_httpd *httpd = exchange->httpd;
    size_t left = exchange->out.size - exchange->out_at;
    size_t size = left < AB_HTTPD_WRITE_BYTES ? left : AB_HTTPD_WRITE_BYTES;

    if (size > 0) {
        memcpy(httpd->scratch + LWS_PRE, exchange->out.data + exchange->out_at, size);
        if (lws_write(exchange->wsi, httpd->scratch + LWS_PRE, size, LWS_WRITE_HTTP_HEADERS) < (int)size)
            return -1;
        exchange->out_at += size;
        left -= size;
        if (exchange->out_at >= exchange->out.size / 2) { /* else a reader that is never quite done makes it grow */
            ab_buf_consume(&exchange->out, exchange->out_at);
            exchange->out_at = 0;
        }
    }
    if (left > 0 || (exchange->state == EXCHANGE_ENDED && lws_partial_buffered(exchange->wsi) != 0)) {
        lws_callback_on_writable(exchange->wsi);
        caught_up(exchange);
        return 0;
    }
    if (exchange->state == EXCHANGE_ENDED)
        return complete(exchange);
    caught_up(exchange);
    return 0;
}

/* Inside the handler's call the bytes leave when it returns; later libwebsockets has to be asked. */
static void want_write(struct exchange *exchange)
{
    if (!exchange->in_callback && exchange->wsi != NULL)
        lws_callback_on_writable(exchange->wsi);
}

static void write_date(struct ab_buf *out)
{
    time_t now = time(NULL);
    struct tm parts;
    char text[64];

    gmtime_r(&now, &parts);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    ab_buf_printf(out, "Date: %s\r\n", text);
}

/* A header's value cannot end its line. */
static bool is_header_value(const char *value)
{
    return strpbrk(value, "\r\n") == NULL;
}

static void write_head(struct exchange *exchange, const struct ab_http_head *head)
{
    struct ab_buf *out = &exchange->out;

    exchange->status = head->status;
    if (exchange->httpd->draining)
        exchange->close_after = true;
    ab_buf_printf(out, "HTTP/1.1 %u %s\r\n", head->status, ab_http_reason(head->status));
    write_date(out);
    if (head->content_type != NULL)
        ab_buf_printf(out, "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n", head->content_type);
    for (size_t i = 0; i < head->n_headers; i++)
        if (is_header_value(head->headers[i].value))
            ab_buf_printf(out, "%s: %s\r\n", head->headers[i].name, head->headers[i].value);
    if (exchange->close_after)
        ab_buf_append_text(out, "Connection: close\r\n");
}

static void respond(struct ab_http_exchange *port, const struct ab_http_head *head, struct ab_str body)
{
    struct exchange *exchange = of(port);

    if (exchange->state != EXCHANGE_WAITING && exchange->state != EXCHANGE_READING)
        return;
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
    ab_buf_append_text(&exchange->out, "Transfer-Encoding: chunked\r\n\r\n");
    exchange->state = EXCHANGE_ANSWERING;
    exchange->streamed = true;
    ab_metric_add(exchange->httpd->open_streams, 1);
    want_write(exchange);
}

/* The owner writes on though it was told not to: better to lose this one peer than the memory. */
static void drop(struct exchange *exchange)
{
    ab_log(exchange->httpd->log, AB_LOG_WARNING, "io", "a stream was dropped: its peer does not read", "path",
           exchange->path, NULL);
    ab_buf_deinit(&exchange->out);
    exchange->out_at = 0;
    exchange->state = EXCHANGE_ENDED;
    exchange->dropped = true;
    exchange->close_after = true;
    lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static int write_stream(struct ab_http_exchange *port, struct ab_str data)
{
    struct exchange *exchange = of(port);
    size_t limit = exchange->httpd->stream_bytes;

    if (exchange->state != EXCHANGE_ANSWERING || data.size == 0)
        return AB_OK;
    if (!exchange->head_only) {
        ab_buf_printf(&exchange->out, "%zx\r\n", data.size);
        ab_buf_append_str(&exchange->out, data);
        ab_buf_append_text(&exchange->out, "\r\n");
    }
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
    if (!exchange->head_only)
        ab_buf_append_text(&exchange->out, "0\r\n\r\n");
    exchange->state = EXCHANGE_ENDED;
    want_write(exchange);
}

/* --- reading --- */

static const struct ab_http_request *request(struct ab_http_exchange *port)
{
    return &of(port)->request;
}

static bool header(struct ab_http_exchange *port, const char *name, struct ab_str *value)
{
    struct exchange *exchange = of(port);
    struct exchange_header *found = exchange->headers;
    char *copy;

    while (found != NULL && strcmp(found->name, name) != 0)
        found = found->next;
    if (found == NULL) {
        if (exchange->wsi == NULL || !httpd_copy_header(exchange->wsi, name, &copy))
            return false;
        found = ab_alloc(1, sizeof(*found));
        found->name = ab_strdup(name);
        found->value = ab_str(copy);
        found->next = exchange->headers;
        exchange->headers = found;
    }
    *value = found->value;
    return true;
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

struct exchange *exchange_new(struct ab_httpd *httpd, struct lws *wsi, struct exchange **slot)
{
    struct exchange *exchange = ab_alloc(1, sizeof(*exchange));

    exchange->port.ops = &ops;
    exchange->httpd = httpd;
    exchange->wsi = wsi;
    exchange->slot = slot;
    exchange->begun_us = ab_clock_monotonic_us(&httpd->port->clock);
    ab_buf_init(&exchange->body, httpd->request_bytes);
    ab_buf_init(&exchange->out, AB_BUF_UNBOUNDED);
    ab_list_append(&httpd->exchanges, &exchange->link);
    *slot = exchange;
    return exchange;
}

/* What stays open needs somebody who notices when the peer goes, and no timeout of libwebsockets' own. */
static void keep_open(struct exchange *exchange)
{
    lws_set_timeout(exchange->wsi, NO_PENDING_TIMEOUT, 0);
    if (strcmp(exchange->method, "POST") != 0 && exchange->peerwatch == NULL)
        exchange->peerwatch =
            ab_peerwatch_new(exchange->httpd->loop, (int)lws_get_socket_fd(exchange->wsi), on_peer_gone, exchange);
}

int exchange_handle(struct exchange *exchange)
{
    exchange->request = (struct ab_http_request){ .method = ab_str(exchange->method),
                                                  .path = ab_str(exchange->path),
                                                  .query = ab_str(exchange->query),
                                                  .body = ab_buf_str(&exchange->body),
                                                  .peer = ab_str(exchange->peer) };
    exchange->state = EXCHANGE_WAITING;
    exchange->in_callback = true;
    exchange->httpd->handler(exchange->httpd->arg, &exchange->port);
    exchange->in_callback = false;
    if (exchange->state != EXCHANGE_ENDED)
        keep_open(exchange);
    return exchange->out.size > 0 ? exchange_flush(exchange) : 0;
}

int exchange_refuse(struct exchange *exchange, unsigned status, const char *text)
{
    struct ab_buf body = AB_BUF_INIT(1024);

    ab_buf_printf(&body, "{\"error\":\"%s\"}", text);
    exchange->close_after = true;
    exchange->in_callback = true;
    respond(&exchange->port, &(struct ab_http_head){ .status = status, .content_type = "application/json" },
            ab_buf_str(&body));
    exchange->in_callback = false;
    ab_buf_deinit(&body);
    return exchange_flush(exchange);
}
