/* The HTTP server: libwebsockets as a guest on the loop carries the bytes of connections that our own listener accepts.
 * Its HTTP role is left out (docs/decisions.md says why): requests are read by wire/http1. */
#include "io/httpd_internal.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define PROTOCOL "http1"

/* --- libwebsockets' events --- */

static int on_adopted(struct ab_httpd *httpd, struct lws *wsi, struct connection **slot)
{
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* who waits too long is shown out by the connection's own lines */
    *slot = connection_new(httpd, wsi);
    return 0;
}

static int on_event(struct connection *connection, enum lws_callback_reasons reason, void *in, size_t size)
{
    connection->in_callback = true;
    if (reason == LWS_CALLBACK_RAW_RX)
        connection_receive(connection, (struct ab_str){ in, size });
    else
        connection_writable(connection);
    connection->in_callback = false;
    return connection->closing ? -1 : 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    struct lws_context *context = wsi != NULL ? lws_get_context(wsi) : NULL;
    struct ab_httpd *httpd = context != NULL ? lws_context_user(context) : NULL;
    struct connection **slot = user;

    switch ((int)reason) {
    case LWS_CALLBACK_RAW_ADOPT:
        return on_adopted(httpd, wsi, slot);
    case LWS_CALLBACK_RAW_RX:
    case LWS_CALLBACK_RAW_WRITEABLE:
        return slot != NULL && *slot != NULL ? on_event(*slot, reason, in, size) : 0;
    case LWS_CALLBACK_RAW_CLOSE:
        if (slot != NULL && *slot != NULL)
            connection_lost(*slot);
        if (slot != NULL)
            *slot = NULL;
        return 0;
    default:
        return 0;
    }
}

static void on_accepted(void *arg, int fd)
{
    struct ab_httpd *httpd = arg;
    lws_sock_file_fd_type socket = { .sockfd = fd };

    if (httpd->draining)
        close(fd);
    else /* closes the socket itself when it fails */
        (void)lws_adopt_descriptor_vhost(httpd->vhost, LWS_ADOPT_SOCKET, socket, PROTOCOL, NULL);
}

/* --- life --- */

static char **copy_names(const char *const *names)
{
    size_t n = 0;
    char **copy;

    while (names != NULL && names[n] != NULL)
        n++;
    copy = ab_alloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = ab_strdup(names[i]);
    return copy;
}

static void free_names(char **names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        free(names[i]);
    free(names);
}

static void init_metrics(struct ab_httpd *httpd)
{
    struct ab_metrics *metrics = httpd->metrics;

    httpd->open_connections =
        ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_http_connections", "Open HTTP connections", NULL);
    httpd->open_streams =
        ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_http_streams", "Open streamed answers", NULL);
    httpd->seconds = ab_metric(metrics, AB_METRIC_HISTOGRAM, "agentbridge_http_request_seconds",
                               "From a request's head to the end of its answer", NULL);
    for (unsigned class = 1; class < 6; class ++) {
        char labels[32];
        snprintf(labels, sizeof(labels), "class=\"%uxx\"", class);
        httpd->requests[class] =
            ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_http_requests_total", "Answered HTTP requests", labels);
    }
    httpd->requests[0] = httpd->requests[1];
}

static bool open_context(struct ab_httpd *httpd, struct ab_loop_uv *loop)
{
    static const struct lws_protocols protocols[] = {
        { .name = PROTOCOL, .callback = callback, .per_session_data_size = sizeof(struct connection *) },
        { .name = NULL },
    };
    void *loops[1] = { ab_loop_uv_raw(loop) };
    struct lws_context_creation_info info = { 0 };

    lws_set_log_level(0, NULL); /* what matters of it is told here, in our own form */
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info.foreign_loops = loops;
    info.protocols = protocols;
    info.user = httpd;
    info.alpn = "http/1.1";
    info.pt_serv_buf_size = 32768;
    httpd->context = lws_create_context(&info);
    if (httpd->context == NULL)
        return false;
    httpd->vhost = lws_create_vhost(httpd->context, &info);
    return httpd->vhost != NULL;
}

struct ab_httpd *ab_httpd_new(struct ab_loop_uv *loop, const struct ab_httpd_settings *settings,
                              ab_http_handler_fn handler, void *arg, char *reason, size_t reason_size)
{
    struct ab_httpd *httpd = ab_alloc(1, sizeof(*httpd));

    httpd->loop = loop;
    httpd->port = ab_loop_uv_port(loop);
    httpd->request_bytes = settings->request_bytes > 0 ? settings->request_bytes : 4194304;
    httpd->header_bytes = settings->header_bytes > 0 ? settings->header_bytes : 16384;
    httpd->stream_bytes = settings->stream_bytes > 0 ? settings->stream_bytes : 262144;
    httpd->hosts = copy_names(settings->hosts);
    httpd->origins = copy_names(settings->origins);
    httpd->loopback = ab_http_is_loopback_host(ab_str(settings->address));
    httpd->log = settings->log;
    httpd->metrics = settings->metrics;
    httpd->handler = handler;
    httpd->arg = arg;
    httpd->scratch = ab_alloc(LWS_PRE + AB_HTTPD_WRITE_BYTES, 1);
    ab_list_init(&httpd->exchanges);
    for (int line = 0; line < LINES; line++)
        ab_list_init(&httpd->lines[line]);
    init_metrics(httpd);
    httpd->listener = ab_listener_new(loop,
                                      &(struct ab_listener_settings){ .address = settings->address,
                                                                      .port = settings->port,
                                                                      .unread_ms = settings->unread_ms,
                                                                      .accepted = on_accepted,
                                                                      .arg = httpd },
                                      reason, reason_size);
    if (httpd->listener != NULL && open_context(httpd, loop))
        return httpd;
    if (httpd->listener != NULL)
        snprintf(reason, reason_size, "libwebsockets could not be started (is libwebsockets-evlib-uv installed?)");
    ab_httpd_free(httpd);
    return NULL;
}

const char *ab_httpd_address(const struct ab_httpd *httpd)
{
    return ab_listener_address(httpd->listener);
}

static void on_drain_time_over(void *arg)
{
    struct ab_httpd *httpd = arg;
    ab_loop_fn drained = httpd->drained;

    httpd->drained = NULL;
    if (drained != NULL)
        drained(httpd->drained_arg);
}

void ab_httpd_drain(struct ab_httpd *httpd, uint64_t wait_ms, ab_loop_fn done, void *arg)
{
    httpd->draining = true;
    httpd->drained = done;
    httpd->drained_arg = arg;
    ab_listener_close(httpd->listener);
    connections_close_idle(httpd);
    httpd->drain_timer = ab_timer_new(httpd->port, on_drain_time_over, httpd);
    ab_timer_start(httpd->drain_timer, ab_list_is_empty(&httpd->exchanges) ? 0 : wait_ms);
}

void ab_httpd_free(struct ab_httpd *httpd)
{
    if (httpd == NULL)
        return;
    httpd->drained = NULL;
    ab_timer_free(httpd->drain_timer);
    ab_listener_free(httpd->listener);
    if (httpd->context != NULL)
        lws_context_destroy(httpd->context);
    /* Its connections close in later turns; their exchanges still have to be told. */
    for (int i = 0; i < 100 && (i < 3 || !ab_list_is_empty(&httpd->exchanges)); i++)
        uv_run(ab_loop_uv_raw(httpd->loop), UV_RUN_NOWAIT);
    /* On a foreign loop the first call only begins; once its handles are closed a second one frees the context. */
    if (httpd->context != NULL)
        lws_context_destroy(httpd->context);
    ab_timer_free(httpd->sweep_timer);
    free_names(httpd->hosts);
    free_names(httpd->origins);
    free(httpd->scratch);
    free(httpd);
}
