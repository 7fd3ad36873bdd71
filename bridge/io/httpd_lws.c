/* The HTTP server: libwebsockets as a guest on the loop, behind a listener of our own. What it does not do by itself,
 * or does badly in version 4.1, is done here: refusing chunked bodies, `Expect: 100-continue`, upgrades to h2c. */
#include "io/httpd_internal.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define HEAD_TIMEOUT_MS 20000
#define KEEP_ALIVE_S 75

/* --- request headers --- */

/* libwebsockets' number for a header it knows, or -1. */
static int known_token(const char *name)
{
    size_t size = strlen(name);

    for (int token = 0; token < WSI_TOKEN_COUNT; token++) {
        const char *text = (const char *)lws_token_to_string((enum lws_token_indexes)token);
        if (text != NULL && strncmp(text, name, size) == 0 && text[size] == ':' && text[size + 1] == '\0')
            return token;
    }
    return -1;
}

/* One piece of a header: libwebsockets cuts the target at "&", and keeps headers of one name apart. */
static char *copy_piece(struct lws *wsi, int token, int piece)
{
    int room = lws_hdr_total_length(wsi, (enum lws_token_indexes)token) + 1;
    char *value;

    if (room <= 1)
        return NULL;
    value = ab_alloc((size_t)room, 1);
    if (lws_hdr_copy_fragment(wsi, value, room, (enum lws_token_indexes)token, piece) >= 0)
        return value;
    free(value);
    return NULL;
}

static void append_encoded(struct ab_buf *out, const char *text, const char *plain)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (letter || strchr("-._~", c) != NULL || strchr(plain, c) != NULL)
            ab_buf_append_char(out, (char)c);
        else
            ab_buf_printf(out, "%%%02X", c);
    }
}

/* libwebsockets hands the target over decoded, in pieces, and keeps no copy of what came. It is encoded again, so that
 * a value with a "&" or a line break in it is still one value. What cannot be told apart any more: "%2F" in a path is
 * "/", "+" is a space, ";" is "&", and "//" and "/../" are already resolved. */
static char *copy_target(struct lws *wsi, int token, bool is_query)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char *piece = copy_piece(wsi, token, 0);

    if (piece == NULL)
        return NULL;
    for (int i = 1; piece != NULL; i++) {
        char *value = is_query ? strchr(piece, '=') : NULL;
        if (i > 1)
            ab_buf_append_char(&out, '&');
        if (value != NULL)
            *value = '\0';
        append_encoded(&out, piece, is_query ? "/:@!$*," : "/:@!$*,=()'");
        if (value != NULL) {
            ab_buf_append_char(&out, '=');
            append_encoded(&out, value + 1, "/:@!$*,=");
        }
        free(piece);
        piece = copy_piece(wsi, token, i);
    }
    return ab_buf_steal(&out);
}

static char *copy_custom(struct lws *wsi, const char *name)
{
    AB_CLEANUP(ab_free_string) char *with_colon = ab_format("%s:", name);
    int name_size = (int)strlen(with_colon);
    int size = lws_hdr_custom_length(wsi, with_colon, name_size);
    char *value;

    if (size < 0)
        return NULL;
    value = ab_alloc((size_t)size + 1, 1);
    if (lws_hdr_custom_copy(wsi, value, size + 1, with_colon, name_size) >= 0)
        return value;
    free(value);
    return NULL;
}

bool httpd_copy_header(struct lws *wsi, const char *name, char **value)
{
    int token = known_token(name);

    *value = token >= 0 ? copy_piece(wsi, token, 0) : copy_custom(wsi, name);
    return *value != NULL;
}

static bool read_request_line(struct exchange *exchange, struct lws *wsi)
{
    static const struct {
        int token;
        const char *method;
    } methods[] = {
        { WSI_TOKEN_POST_URI, "POST" },   { WSI_TOKEN_GET_URI, "GET" },         { WSI_TOKEN_DELETE_URI, "DELETE" },
        { WSI_TOKEN_HEAD_URI, "HEAD" },   { WSI_TOKEN_OPTIONS_URI, "OPTIONS" }, { WSI_TOKEN_PUT_URI, "PUT" },
        { WSI_TOKEN_PATCH_URI, "PATCH" },
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        exchange->path = copy_target(wsi, methods[i].token, false);
        if (exchange->path == NULL)
            continue;
        exchange->method = ab_strdup(methods[i].method);
        exchange->query = copy_target(wsi, WSI_TOKEN_HTTP_URI_ARGS, true);
        exchange->head_only = methods[i].token == WSI_TOKEN_HEAD_URI;
        lws_get_peer_simple(wsi, exchange->peer, sizeof(exchange->peer));
        return true;
    }
    return false;
}

/* --- a request's head --- */

static bool value_of(struct exchange *exchange, const char *name, struct ab_str *value)
{
    *value = (struct ab_str){ 0 };
    return ab_http_header(&exchange->port, name, value);
}

/* The answer for a request that is not let in; 0 when it is. */
static unsigned check_doors(struct exchange *exchange, const char **text)
{
    struct ab_str value;

    value_of(exchange, "host", &value);
    *text = httpd_check_host(exchange->httpd, value);
    if (*text == NULL && value_of(exchange, "origin", &value))
        *text = httpd_check_origin(exchange->httpd, value);
    return *text != NULL ? 403 : 0;
}

static int refuse_size(struct exchange *exchange)
{
    char text[128];

    snprintf(text, sizeof(text), "the request's body is larger than %zu bytes", exchange->httpd->request_bytes);
    return exchange_refuse(exchange, 413, text);
}

static int send_continue(struct lws *wsi)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char buffer[LWS_PRE + sizeof(line)];

    memcpy(buffer + LWS_PRE, line, sizeof(line) - 1);
    return lws_write(wsi, buffer + LWS_PRE, sizeof(line) - 1, LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

static int on_head(struct ab_httpd *httpd, struct lws *wsi, struct exchange **slot)
{
    struct exchange *exchange = exchange_new(httpd, wsi, slot);
    const char *text = NULL;
    struct ab_str value;
    uint64_t length = 0;
    unsigned status;

    if (!read_request_line(exchange, wsi))
        return -1;
    status = check_doors(exchange, &text);
    if (status != 0)
        return exchange_refuse(exchange, status, text);
    if (value_of(exchange, "transfer-encoding", &value))
        return exchange_refuse(exchange, 411, "chunked bodies are not taken: send Content-Length");
    if (value_of(exchange, "content-length", &value) && !ab_str_to_uint(ab_str_trim(value), UINT64_MAX, &length))
        return exchange_refuse(exchange, 400, "Content-Length is no number");
    if (length > httpd->request_bytes)
        return refuse_size(exchange);
    /* libwebsockets 4.1 loses its place in a second request of a connection when it had to put bytes aside, and reads
     * the head again as the body: one connection carries one request (docs/decisions.md). */
    exchange->close_after = true;
    if (length == 0)
        return exchange_handle(exchange);
    if (value_of(exchange, "expect", &value) && ab_str_equal_nocase(ab_str_trim(value), AB_STR("100-continue")))
        return send_continue(wsi);
    return 0;
}

static int on_body(struct exchange *exchange, const void *data, size_t size)
{
    if (exchange == NULL || exchange->state != EXCHANGE_READING)
        return 0;
    ab_buf_append(&exchange->body, data, size);
    return exchange->body.full ? refuse_size(exchange) : 0;
}

/* A client that offers h2c goes on as HTTP/1.1: with the token blanked, 4.1 finds nothing to upgrade to. */
static int on_upgrade(const char *token)
{
    char *text = (char *)(uintptr_t)token;

    if (text != NULL)
        memset(text, ' ', strlen(text));
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    struct lws_context *context = wsi != NULL ? lws_get_context(wsi) : NULL;
    struct ab_httpd *httpd = context != NULL ? lws_context_user(context) : NULL;
    struct exchange **slot = user;

    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        return on_head(httpd, wsi, slot);
    case LWS_CALLBACK_HTTP_BODY:
        return slot != NULL ? on_body(*slot, in, size) : 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        if (slot == NULL || *slot == NULL || (*slot)->state != EXCHANGE_READING)
            return 0;
        return exchange_handle(*slot);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return slot != NULL && *slot != NULL ? exchange_flush(*slot) : 0;
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (slot != NULL && *slot != NULL)
            exchange_detach(*slot);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_upgrade(in);
    case LWS_CALLBACK_WSI_DESTROY:
        if (httpd != NULL)
            ab_metric_add(httpd->open_connections, -1);
        return 0;
    default:
        return 0;
    }
}

static void on_adopt(void *arg, int fd)
{
    struct ab_httpd *httpd = arg;

    if (httpd->draining) {
        close(fd);
        return;
    }
    ab_metric_add(httpd->open_connections, 1);
    (void)lws_adopt_socket_vhost(httpd->vhost, fd); /* closes the socket itself when it fails */
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
        { .name = "http", .callback = callback, .per_session_data_size = sizeof(struct exchange *) },
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
    info.keepalive_timeout = KEEP_ALIVE_S;
    info.max_http_header_data2 = (unsigned)(httpd->header_bytes + 4096);
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
    init_metrics(httpd);
    httpd->listener = ab_listener_new(loop,
                                      &(struct ab_listener_settings){ .address = settings->address,
                                                                      .port = settings->port,
                                                                      .header_bytes = httpd->header_bytes,
                                                                      .head_timeout_ms = HEAD_TIMEOUT_MS,
                                                                      .adopt = on_adopt,
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
    free_names(httpd->hosts);
    free_names(httpd->origins);
    free(httpd->scratch);
    free(httpd);
}
