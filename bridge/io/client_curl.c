/* The HTTP client: one curl multi handle whose sockets and timer are watched by the loop.
 *
 * The owner's events come out of curl's own callbacks, and curl allows next to nothing there. So start, cancel and
 * resume only note what is wanted; attend(), deferred and at most once pending for a call, does it. A call is freed
 * nowhere else. */
#include "io/client_curl.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "io/curl_guard.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#define HOST_CONNECTIONS 64
/* Headers of one answer. */
#define HEADER_BYTES 262144
/* Easy handles kept for the next calls. */
#define SPARE_HANDLES 32
/* Idle connections kept. */
#define SPARE_CONNECTIONS 256L

struct client {
    struct ab_http_client port;
    struct ab_loop *loop;
    uv_loop_t *uv;
    const struct ab_log *log;
    CURLM *multi;
    uv_timer_t timer;
    struct ab_list calls;
    CURL *spare[SPARE_HANDLES];
    size_t n_spare;
};

/* One of curl's sockets. */
struct watched {
    struct client *client;
    uv_poll_t poll;
    curl_socket_t fd;
};

struct ab_http_call {
    struct client *client; /* NULL once the client is gone */
    struct ab_link link;
    const struct ab_http_call_events *events;
    struct ab_http_call_events events_copy;
    void *arg;
    CURL *easy;
    struct curl_slist *request_headers;
    struct ab_buf headers; /* of the answer: lines, each ended by a newline */
    struct ab_timer *watchdog;
    uint32_t first_byte_timeout_ms;
    uint32_t idle_timeout_ms;
    int64_t last_byte_us; /* at first: the start */
    size_t max_body;
    size_t received;
    struct ab_curl_guard guard;
    bool added;
    bool heard; /* a byte of the answer has come */
    bool head_told;
    bool pause_wanted;
    bool paused;    /* curl has been told so */
    bool attending; /* attend() is deferred */
    bool over;      /* `outcome` stands; nothing but `done` is told any more */
    enum ab_http_call_outcome outcome;
    char text[CURL_ERROR_SIZE];
};

static void attend(void *arg);

static void want_attention(struct ab_http_call *call)
{
    if (call->attending)
        return;
    call->attending = true;
    ab_loop_defer(call->client->loop, attend, call);
}

static void finish(struct ab_http_call *call, enum ab_http_call_outcome outcome, const char *text)
{
    if (call->over)
        return;
    call->over = true;
    call->outcome = outcome;
    if (text != call->text) {
        strncpy(call->text, text, sizeof(call->text) - 1);
        call->text[sizeof(call->text) - 1] = '\0';
    }
    want_attention(call);
}

/* --- what curl hands over --- */

static int64_t now_us(const struct ab_http_call *call)
{
    return ab_clock_monotonic_us(&call->client->loop->clock);
}

static void restart_watchdog(struct ab_http_call *call, uint32_t after_ms)
{
    if (after_ms > 0)
        ab_timer_start(call->watchdog, after_ms);
    else
        ab_timer_stop(call->watchdog);
}

/* The watchdog is not moved at each byte: it looks itself, when due, how long ago the last one was. */
static void note_byte(struct ab_http_call *call)
{
    call->last_byte_us = now_us(call);
    if (call->heard)
        return;
    call->heard = true;
    if (call->watchdog != NULL)
        restart_watchdog(call, call->idle_timeout_ms);
}

static void on_watchdog(void *arg)
{
    struct ab_http_call *call = arg;
    uint32_t limit_ms = call->heard ? call->idle_timeout_ms : call->first_byte_timeout_ms;
    int64_t silent_ms = (now_us(call) - call->last_byte_us) / 1000;

    if (call->over)
        return;
    if (call->pause_wanted || call->paused) /* it is us who does not read */
        ab_timer_start(call->watchdog, limit_ms);
    else if (silent_ms < (int64_t)limit_ms)
        ab_timer_start(call->watchdog, (uint64_t)((int64_t)limit_ms - silent_ms));
    else
        finish(call, AB_HTTP_CALL_TIMED_OUT,
               call->heard ? "the answer stopped in the middle" : "no answer came in time");
}

static void on_head_whole(struct ab_http_call *call)
{
    long status = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 && status != 101)
        return; /* interim: the real one follows */
    call->head_told = true;
    if (call->events->head != NULL)
        call->events->head(call->arg, call, (unsigned)status);
}

static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
    struct ab_http_call *call = arg;
    size_t text_size = size;

    (void)one;
    if (call->over)
        return 0;
    note_byte(call);
    if (call->head_told) /* a trailer */
        return size;
    while (text_size > 0 && (data[text_size - 1] == '\n' || data[text_size - 1] == '\r'))
        text_size--;
    if (text_size == 0) {
        on_head_whole(call);
        return size;
    }
    if (text_size > 5 && memcmp(data, "HTTP/", 5) == 0)
        ab_buf_clear(&call->headers);
    ab_buf_append(&call->headers, data, text_size);
    ab_buf_append_char(&call->headers, '\n');
    if (!call->headers.full)
        return size;
    finish(call, AB_HTTP_CALL_TOO_LARGE, "the answer's headers are too large");
    return 0;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
    struct ab_http_call *call = arg;

    (void)one;
    if (call->over)
        return 0;
    if (call->pause_wanted) {
        call->paused = true;
        return CURL_WRITEFUNC_PAUSE; /* curl gives the same bytes again */
    }
    note_byte(call);
    if (call->max_body > 0 && size > call->max_body - call->received) {
        finish(call, AB_HTTP_CALL_TOO_LARGE, "the answer's body is too large");
        return 0;
    }
    call->received += size;
    if (call->events->body != NULL)
        call->events->body(call->arg, call, (struct ab_str){ data, size });
    return size;
}

/* --- ends --- */

static enum ab_http_call_outcome outcome_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return AB_HTTP_CALL_DONE;
    case CURLE_OPERATION_TIMEDOUT:
        return AB_HTTP_CALL_TIMED_OUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_PEER_FAILED_VERIFICATION:
        return AB_HTTP_CALL_UNREACHABLE;
    default:
        return AB_HTTP_CALL_BROKEN;
    }
}

/* A peer that speaks something else is told of like an address that asks for something else. */
static bool was_connected(CURL *easy)
{
    long port = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    return port != 0;
}

/* Outside curl's callbacks only. */
static void collect_finished(struct client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct ab_http_call *call = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        if (code == CURLE_UNSUPPORTED_PROTOCOL && was_connected(message->easy_handle))
            code = CURLE_WEIRD_SERVER_REPLY;
        if (code != CURLE_OK && call->guard.forbidden)
            finish(call, AB_HTTP_CALL_FORBIDDEN, "its address is not a public one, nor one that outbound.allow names");
        else if (code != CURLE_OK && call->text[0] == '\0')
            finish(call, outcome_of(code), curl_easy_strerror(code));
        else
            finish(call, outcome_of(code), call->text);
    }
}

/* Takes the call out of curl; the handle is kept for another one. */
static void release(struct ab_http_call *call)
{
    struct client *client = call->client;

    if (call->easy == NULL)
        return;
    if (call->added)
        curl_multi_remove_handle(client->multi, call->easy);
    if (client->n_spare < SPARE_HANDLES) {
        curl_easy_reset(call->easy);
        client->spare[client->n_spare++] = call->easy;
    } else {
        curl_easy_cleanup(call->easy);
    }
    call->easy = NULL;
    curl_slist_free_all(call->request_headers);
    call->request_headers = NULL;
    ab_timer_free(call->watchdog);
    call->watchdog = NULL;
    ab_link_remove(&call->link);
}

static void tell_done(struct ab_http_call *call)
{
    if (call->events->done != NULL)
        call->events->done(call->arg, call->outcome, call->text);
    ab_buf_deinit(&call->headers);
    free(call);
}

static void attend(void *arg)
{
    struct ab_http_call *call = arg;

    call->attending = false;
    if (call->over) {
        if (call->client != NULL)
            release(call);
        tell_done(call);
        return;
    }
    if (!call->added) {
        CURLMcode code = curl_multi_add_handle(call->client->multi, call->easy);
        if (code == CURLM_OK)
            call->added = true;
        else
            finish(call, AB_HTTP_CALL_UNREACHABLE, curl_multi_strerror(code));
    } else if (call->paused && !call->pause_wanted) {
        struct client *client = call->client;
        call->paused = false;
        call->last_byte_us = now_us(call);
        curl_easy_pause(call->easy, CURLPAUSE_CONT);
        collect_finished(client);
    }
}

/* --- curl as a guest on the loop --- */

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = poll->data;
    struct client *client = watched->client;
    int flags = 0;
    int running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if ((events & UV_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(client->multi, watched->fd, flags, &running);
    collect_finished(client);
}

static void on_watched_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watched *watch(struct client *client, curl_socket_t fd)
{
    struct watched *watched = ab_alloc(1, sizeof(*watched));

    if (uv_poll_init_socket(client->uv, &watched->poll, fd) != 0) {
        free(watched);
        return NULL;
    }
    watched->client = client;
    watched->fd = fd;
    watched->poll.data = watched;
    curl_multi_assign(client->multi, fd, watched);
    return watched;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct client *client = arg;
    struct watched *watched = socket_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watched == NULL)
            return 0;
        curl_multi_assign(client->multi, fd, NULL);
        uv_poll_stop(&watched->poll);
        uv_close((uv_handle_t *)&watched->poll, on_watched_closed);
        return 0;
    }
    if (watched == NULL)
        watched = watch(client, fd);
    if (watched == NULL)
        return -1;
    return uv_poll_start(&watched->poll,
                         ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                             ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0),
                         on_socket_event);
}

static void on_timeout(uv_timer_t *timer)
{
    struct client *client = timer->data;
    int running;

    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_finished(client);
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct client *client = arg;

    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

/* --- starting --- */

static bool names_header(const char *line, const char *name)
{
    size_t size = strlen(name);

    return strncasecmp(line, name, size) == 0 && line[size] == ':';
}

/* curl writes a header without a value as "Name;" ("Name:" is one it is to leave out). */
static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
    size_t name_size = strcspn(line, ":");
    struct ab_str value = ab_str_trim(ab_str(line[name_size] == ':' ? line + name_size + 1 : ""));
    AB_CLEANUP(ab_free_string) char *empty = ab_format("%.*s;", (int)name_size, line);

    return curl_slist_append(list, value.size > 0 ? line : empty);
}

/* curl adds headers of its own to bodies: a content type nobody named, and an Expect that only costs time. */
static void set_headers(struct ab_http_call *call, const char *const *headers)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool typed = false;

    for (; headers != NULL && *headers != NULL; headers++) {
        if (strpbrk(*headers, "\r\n") != NULL) /* a value from outside must not become a header */
            finish(call, AB_HTTP_CALL_UNREACHABLE, "a request header has a line break in it");
        typed = typed || names_header(*headers, "content-type");
        list = add_header(list, *headers);
    }
    if (!typed)
        list = curl_slist_append(list, "Content-Type:");
    call->request_headers = list;
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, list);
}

static void set_request(struct ab_http_call *call, const struct ab_http_call_settings *settings)
{
    CURL *easy = call->easy;
    bool has_body = settings->body.size > 0 || strcmp(settings->method, "POST") == 0 ||
                    strcmp(settings->method, "PUT") == 0 || strcmp(settings->method, "PATCH") == 0;

    curl_easy_setopt(easy, CURLOPT_URL, settings->url);
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)settings->body.size);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, settings->body.size > 0 ? settings->body.data : "");
    } else if (strcmp(settings->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, settings->method);
    set_headers(call, settings->headers);
}

/* No redirects (the default): whoever checked the address checked this one. libcurl sends a request once more when the
 * idle connection it took dies under it, a POST too; on a connection of its own it does not. */
static void set_behaviour(struct ab_http_call *call, const struct ab_http_call_settings *settings)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, settings->sent_once ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, settings->alone ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "agentbridge/" AB_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)settings->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->text);
}

static struct ab_http_call *start(struct ab_http_client *port, const struct ab_http_call_settings *settings,
                                  const struct ab_http_call_events *events, void *arg)
{
    struct client *client = AB_OWNER(port, struct client, port);
    struct ab_http_call *call = ab_alloc(1, sizeof(*call));

    call->client = client;
    call->events_copy = *events;
    call->events = &call->events_copy;
    call->arg = arg;
    call->max_body = settings->max_body;
    call->first_byte_timeout_ms = settings->first_byte_timeout_ms;
    call->idle_timeout_ms = settings->idle_timeout_ms;
    call->last_byte_us = now_us(call);
    ab_buf_init(&call->headers, HEADER_BYTES);
    ab_list_append(&client->calls, &call->link);
    call->easy = client->n_spare > 0 ? client->spare[--client->n_spare] : curl_easy_init();
    if (call->easy == NULL) {
        finish(call, AB_HTTP_CALL_UNREACHABLE, "libcurl gives no handle");
        return call;
    }
    set_request(call, settings);
    set_behaviour(call, settings);
    call->guard = (struct ab_curl_guard){ .guarded = settings->guarded, .guard = settings->guard };
    ab_curl_guard_set(call->easy, &call->guard);
    if (call->first_byte_timeout_ms > 0 || call->idle_timeout_ms > 0) {
        call->watchdog = ab_timer_new(client->loop, on_watchdog, call);
        restart_watchdog(call, call->first_byte_timeout_ms);
    }
    want_attention(call);
    return call;
}

static void cancel(struct ab_http_call *call)
{
    finish(call, AB_HTTP_CALL_BROKEN, "cancelled");
}

static void pause_call(struct ab_http_call *call, bool paused)
{
    if (call->over)
        return;
    call->pause_wanted = paused;
    if (!paused && call->paused)
        want_attention(call);
}

static bool header(struct ab_http_call *call, const char *name, struct ab_str *value)
{
    size_t name_size = strlen(name);
    const char *line = call->headers.data;
    const char *line_end;

    for (; line != NULL && (line_end = strchr(line, '\n')) != NULL; line = line_end + 1)
        if (strncasecmp(line, name, name_size) == 0 && line[name_size] == ':') {
            const char *text = line + name_size + 1;
            *value = ab_str_trim((struct ab_str){ text, (size_t)(line_end - text) });
            return true;
        }
    return false;
}

/* --- life --- */

static void on_client_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* The calls outlive the client by a turn: their ends are told from the loop, as always. */
static void client_free(struct ab_http_client *port)
{
    struct client *client;
    struct ab_link *link;

    if (port == NULL)
        return;
    client = AB_OWNER(port, struct client, port);
    while ((link = ab_list_first(&client->calls)) != NULL) {
        struct ab_http_call *call = AB_OWNER(link, struct ab_http_call, link);
        finish(call, AB_HTTP_CALL_BROKEN, "cancelled: the client is closed");
        release(call);
        ab_link_remove(&call->link);
        call->client = NULL;
    }
    while (client->n_spare > 0)
        curl_easy_cleanup(client->spare[--client->n_spare]);
    curl_multi_cleanup(client->multi);
    uv_close((uv_handle_t *)&client->timer, on_client_closed);
    curl_global_cleanup();
}

static const struct ab_http_client_ops ops = {
    .start = start,
    .cancel = cancel,
    .pause = pause_call,
    .header = header,
    .free = client_free,
};

struct ab_http_client *ab_client_curl_new(struct ab_loop_uv *loop, const struct ab_log *log, long host_connections)
{
    struct client *client;
    CURLM *multi;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    multi = curl_multi_init();
    if (multi == NULL) {
        curl_global_cleanup();
        return NULL;
    }
    client = ab_alloc(1, sizeof(*client));
    client->port.ops = &ops;
    client->loop = ab_loop_uv_port(loop);
    client->uv = ab_loop_uv_raw(loop);
    client->log = log;
    client->multi = multi;
    ab_list_init(&client->calls);
    uv_timer_init(client->uv, &client->timer);
    client->timer.data = client;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      host_connections > 0 ? host_connections : (long)HOST_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, SPARE_CONNECTIONS);
    return &client->port;
}
