/* A connection: requests are read one after the other, the next one when the last was answered. What a peer sends ahead
 * waits, within a bound; who keeps the server waiting is shown out. */
#include "io/httpd_internal.h"

#include "base/mem.h"

#include <string.h>
#include <sys/socket.h>

/* How much a peer may send ahead before its socket is left unread. */
#define PENDING_BYTES 65536

static const int64_t patience_us[LINES] = {
    [LINE_HEAD] = 20000000,
    [LINE_BODY] = 30000000,
    [LINE_IDLE] = 75000000,
    [LINE_LINGER] = 2000000,
};

/* --- waiting --- */

static void on_sweep(void *arg);

static void wait_in(struct connection *connection, enum httpd_line line)
{
    struct ab_httpd *httpd = connection->httpd;

    ab_link_remove(&connection->link);
    connection->line = line;
    if (line == LINE_NONE)
        return;
    connection->since_us = ab_clock_monotonic_us(&httpd->port->clock);
    ab_list_append(&httpd->lines[line], &connection->link);
    if (httpd->sweep_timer == NULL)
        httpd->sweep_timer = ab_timer_new(httpd->port, on_sweep, httpd);
    if (!httpd->sweeping)
        ab_timer_start(httpd->sweep_timer, 1000);
    httpd->sweeping = true;
}

static void refuse(struct connection *connection, unsigned status, const char *text)
{
    wait_in(connection, LINE_NONE);
    connection->exchange = exchange_new(connection, NULL);
    exchange_refuse(connection->exchange, status, text);
}

static void lose_patience(struct connection *connection)
{
    bool began = ab_http1_is_inside(connection->reader) && connection->line != LINE_LINGER;

    if (began)
        refuse(connection, 408, "the rest of the request did not arrive in time");
    else
        connection_close(connection);
}

static void on_sweep(void *arg)
{
    struct ab_httpd *httpd = arg;
    int64_t now = ab_clock_monotonic_us(&httpd->port->clock);
    struct ab_link *link;

    httpd->sweeping = false;
    for (int line = 0; line < LINES; line++) {
        while ((link = ab_list_first(&httpd->lines[line])) != NULL) {
            struct connection *connection = AB_OWNER(link, struct connection, link);
            if (now - connection->since_us < patience_us[line])
                break;
            lose_patience(connection);
        }
        httpd->sweeping = httpd->sweeping || !ab_list_is_empty(&httpd->lines[line]);
    }
    if (httpd->sweeping)
        ab_timer_start(httpd->sweep_timer, 1000);
}

/* --- reading --- */

/* The answer for a request that is not let in; 0 when it is. */
static unsigned check_head(const struct ab_httpd *httpd, const struct ab_http1_message *head, const char **text)
{
    struct ab_str value = AB_STR("");

    (void)ab_http1_header(head, "host", &value);
    *text = httpd_check_host(httpd, value);
    if (*text == NULL && ab_http1_header(head, "origin", &value))
        *text = httpd_check_origin(httpd, value);
    if (*text != NULL)
        return 403;
    *text = "chunked bodies are not taken: send Content-Length";
    return head->chunked ? 411 : 0;
}

static void on_head(struct connection *connection)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct ab_http1_message *head = ab_http1_head(connection->reader);
    unsigned char *scratch = connection->httpd->scratch + LWS_PRE;
    const char *text;
    unsigned status = check_head(connection->httpd, head, &text);

    if (status != 0) {
        refuse(connection, status, text);
    } else if (head->expects_continue && head->content_length > 0) {
        memcpy(scratch, line, sizeof(line) - 1);
        if (lws_write(connection->wsi, scratch, sizeof(line) - 1, LWS_WRITE_RAW) < 0)
            connection_close(connection);
    }
}

static void on_request(struct connection *connection)
{
    wait_in(connection, LINE_NONE);
    connection->exchange = exchange_new(connection, ab_http1_take(connection->reader));
    exchange_handle(connection->exchange);
}

static void take_step(struct connection *connection, struct ab_str *bytes)
{
    const char *text;
    unsigned status;

    switch (ab_http1_read(connection->reader, bytes)) {
    case AB_HTTP1_MORE:
        break;
    case AB_HTTP1_HEAD:
        on_head(connection);
        break;
    case AB_HTTP1_WHOLE:
        on_request(connection);
        break;
    case AB_HTTP1_REFUSED:
        status = ab_http1_refusal(connection->reader, &text);
        refuse(connection, status, text);
        break;
    }
}

/* A head has its time from its first byte on, a body from one piece to the next. */
static void wait_for_more(struct connection *connection)
{
    if (!ab_http1_is_inside(connection->reader)) {
        if (connection->line == LINE_NONE)
            wait_in(connection, LINE_IDLE);
    } else if (ab_http1_head(connection->reader) != NULL) {
        wait_in(connection, LINE_BODY);
    } else if (connection->line != LINE_HEAD) {
        wait_in(connection, LINE_HEAD);
    }
}

static bool is_ending(const struct connection *connection)
{
    return connection->lingering || connection->closing;
}

/* Reads requests until one is under way or the bytes are used up. */
static void read_requests(struct connection *connection, struct ab_str *bytes)
{
    connection->reading = true;
    while (connection->exchange == NULL && !is_ending(connection) && bytes->size > 0)
        take_step(connection, bytes);
    connection->reading = false;
    if (connection->exchange == NULL && !is_ending(connection))
        wait_for_more(connection);
}

static void put_aside(struct connection *connection, struct ab_str bytes)
{
    ab_buf_append_str(&connection->pending, bytes);
    if (connection->pending.size > PENDING_BYTES && !connection->paused) {
        connection->paused = true;
        lws_rx_flow_control(connection->wsi, 0);
    }
}

void connection_receive(struct connection *connection, struct ab_str bytes)
{
    if (is_ending(connection))
        return;
    if (connection->exchange == NULL)
        read_requests(connection, &bytes);
    if (bytes.size > 0 && connection->exchange != NULL && !connection->exchange->close_after)
        put_aside(connection, bytes);
}

static void read_pending(struct connection *connection)
{
    struct ab_str bytes = ab_buf_str(&connection->pending);

    read_requests(connection, &bytes);
    if (is_ending(connection))
        return;
    ab_buf_consume(&connection->pending, connection->pending.size - bytes.size);
    if (connection->pending.size == 0)
        ab_buf_deinit(&connection->pending);
    if (connection->paused && connection->pending.size <= PENDING_BYTES) {
        connection->paused = false;
        lws_rx_flow_control(connection->wsi, 1);
    }
}

/* --- ending --- */

void connection_close(struct connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    wait_in(connection, LINE_NONE);
    /* libwebsockets would wait for a peer that does not read to take what is left. */
    if (lws_partial_buffered(connection->wsi))
        shutdown((int)lws_get_socket_fd(connection->wsi), SHUT_RDWR);
    if (connection->in_callback)
        return;
    lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    lws_cancel_service(connection->httpd->context); /* it looks at its timeouts only when woken */
}

/* A close with bytes unread would reset the connection, and take the answer with it. */
static void linger(struct connection *connection)
{
    connection->lingering = true;
    shutdown((int)lws_get_socket_fd(connection->wsi), SHUT_WR);
    wait_in(connection, LINE_LINGER);
}

void connection_answered(struct connection *connection, bool close_after)
{
    connection->exchange = NULL;
    if (close_after) {
        linger(connection);
    } else if (!connection->reading) {
        if (connection->pending.size > 0)
            read_pending(connection);
        else
            wait_for_more(connection);
    }
}

void connections_close_idle(struct ab_httpd *httpd)
{
    static const enum httpd_line idle[] = { LINE_IDLE, LINE_HEAD };

    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        struct ab_list *line = &httpd->lines[idle[i]];
        struct ab_link *next;
        for (struct ab_link *link = ab_list_first(line); link != NULL; link = next) {
            struct connection *connection = AB_OWNER(link, struct connection, link);
            next = ab_list_next(line, link);
            if (!ab_http1_is_inside(connection->reader))
                connection_close(connection);
        }
    }
}

/* --- life --- */

struct connection *connection_new(struct ab_httpd *httpd, struct lws *wsi)
{
    struct connection *connection = ab_alloc(1, sizeof(*connection));

    connection->httpd = httpd;
    connection->wsi = wsi;
    connection->line = LINE_NONE;
    connection->reader = ab_http1_reader_new(httpd->header_bytes, httpd->request_bytes);
    ab_buf_init(&connection->pending, AB_BUF_UNBOUNDED);
    lws_get_peer_simple(wsi, connection->peer, sizeof(connection->peer));
    ab_metric_add(httpd->open_connections, 1);
    wait_in(connection, LINE_HEAD);
    return connection;
}

void connection_writable(struct connection *connection)
{
    if (connection->exchange != NULL)
        exchange_flush(connection->exchange);
}

void connection_lost(struct connection *connection)
{
    ab_link_remove(&connection->link);
    if (connection->exchange != NULL)
        exchange_detach(connection->exchange);
    ab_metric_add(connection->httpd->open_connections, -1);
    ab_http1_reader_free(connection->reader);
    ab_buf_deinit(&connection->pending);
    free(connection);
}
