/* The HTTP client against a peer that is played by hand: what it sends and when is written in each test. */
#include "base/buf.h"
#include "base/mem.h"
#include "io/client_curl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

struct rig {
    struct ab_loop_uv *loop;
    struct ab_http_client *client;
    int listening;
    unsigned port;
    unsigned done; /* of all calls */
};

struct call {
    struct rig *rig;
    struct ab_http_call *call;
    struct ab_buf body;
    unsigned heads;
    unsigned bodies;
    unsigned done;
    unsigned status;
    char type[64]; /* the answer's content type */
    enum ab_http_call_outcome outcome;
    char text[300];
    bool cancel_in_head;
    bool cancel_in_body;
};

/* --- events --- */

static void on_head(void *arg, struct ab_http_call *port, unsigned status)
{
    struct call *call = arg;
    struct ab_str type;

    assert_int_equal(call->done, 0);
    call->heads++;
    call->status = status;
    if (call->rig->client->ops->header(port, "content-type", &type))
        snprintf(call->type, sizeof(call->type), "%.*s", AB_STR_ARGS(type));
    if (call->cancel_in_head)
        call->rig->client->ops->cancel(port);
}

static void on_body(void *arg, struct ab_http_call *port, struct ab_str data)
{
    struct call *call = arg;

    assert_int_equal(call->heads, 1);
    assert_int_equal(call->done, 0);
    call->bodies++;
    ab_buf_append_str(&call->body, data);
    if (call->cancel_in_body)
        call->rig->client->ops->cancel(port);
}

static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct call *call = arg;

    call->done++;
    call->rig->done++;
    call->outcome = outcome;
    snprintf(call->text, sizeof(call->text), "%s", text);
}

/* --- the rig --- */

static int set_up(void **state)
{
    struct rig *rig = ab_alloc(1, sizeof(*rig));
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    rig->loop = ab_loop_uv_new();
    rig->client = ab_client_curl_new(rig->loop, NULL, 4);
    rig->listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(rig->listening, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(rig->listening, 100), 0);
    assert_int_equal(getsockname(rig->listening, (struct sockaddr *)&address, &size), 0);
    rig->port = ntohs(address.sin_port);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    if (rig->client != NULL)
        rig->client->ops->free(rig->client);
    ab_loop_uv_free(rig->loop);
    close(rig->listening);
    free(rig);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* One wait of the loop, of at most 5 ms. */
static void turn(struct rig *rig)
{
    struct ab_timer *timer = ab_timer_new(ab_loop_uv_port(rig->loop), nothing, NULL);

    ab_timer_start(timer, 5);
    uv_run(ab_loop_uv_raw(rig->loop), UV_RUN_ONCE);
    ab_timer_free(timer);
}

static void until(struct rig *rig, const unsigned *value, unsigned wanted)
{
    for (int64_t end = now_ms() + PATIENCE_MS; *value < wanted;) {
        if (now_ms() > end)
            fail_msg("waited in vain: %u instead of %u", *value, wanted);
        turn(rig);
    }
}

static void start(struct rig *rig, struct call *call, struct ab_http_call_settings settings)
{
    static const struct ab_http_call_events events = { on_head, on_body, on_done };
    char url[64];

    *call = (struct call){ .rig = rig };
    ab_buf_init(&call->body, AB_BUF_UNBOUNDED);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/path?q=1", rig->port);
    if (settings.url == NULL)
        settings.url = url;
    if (settings.method == NULL)
        settings.method = "GET";
    settings.connect_timeout_ms = 5000;
    call->call = rig->client->ops->start(rig->client, &settings, &events, call);
    assert_int_equal(call->done, 0); /* events come later */
}

static int take_connection(struct rig *rig)
{
    for (int64_t end = now_ms() + PATIENCE_MS; now_ms() < end;) {
        int fd = accept4(rig->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            return fd;
        turn(rig);
    }
    fail_msg("no connection came");
    return -1;
}

/* Reads until the request holds `mark`; the caller frees. */
static char *take_request(struct rig *rig, int fd, const char *mark)
{
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    for (int64_t end = now_ms() + PATIENCE_MS; now_ms() < end;) {
        char bytes[4096];
        ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
        if (size > 0)
            ab_buf_append(&in, bytes, (size_t)size);
        if (in.data != NULL && strstr(in.data, mark) != NULL)
            return ab_buf_steal(&in);
        turn(rig);
    }
    fail_msg("no request came");
    return NULL;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* --- requests and answers --- */

static void what_is_sent(void **state)
{
    static const char *const typed[] = { "Content-Type: x/y", "X-A: b", NULL };
    static const char *const empty[] = { "X-Empty:", NULL };
    static const struct {
        struct ab_http_call_settings settings;
        const char *mark;
        const char *has[5];
        const char *has_not[3];
    } cases[] = {
        { .settings = { .method = "GET" },
          .mark = "\r\n\r\n",
          .has = { "GET /path?q=1 HTTP/1.1\r\n", "User-Agent: agentbridge/" },
          .has_not = { "Content-" } },
        { .settings = { .method = "POST", .body = { "abc", 3 }, .headers = typed },
          .mark = "\r\n\r\nabc",
          .has = { "POST /path?q=1 HTTP/1.1\r\n", "Content-Length: 3\r\n", "Content-Type: x/y\r\n", "X-A: b\r\n" },
          .has_not = { "Expect", "urlencoded" } },
        { .settings = { .method = "POST" },
          .mark = "\r\n\r\n",
          .has = { "Content-Length: 0\r\n" },
          .has_not = { "Content-Type" } },
        { .settings = { .method = "DELETE" },
          .mark = "\r\n\r\n",
          .has = { "DELETE /path?q=1 HTTP/1.1\r\n" },
          .has_not = { "Content-" } },
        { .settings = { .method = "GET", .headers = empty }, .mark = "\r\n\r\n", .has = { "X-Empty:" } },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call;
        int fd;
        char *request;
        start(rig, &call, cases[i].settings);
        fd = take_connection(rig);
        request = take_request(rig, fd, cases[i].mark);
        for (int k = 0; k < 5 && cases[i].has[k] != NULL; k++)
            if (strstr(request, cases[i].has[k]) == NULL)
                fail_msg("\"%s\" is missing in %s", cases[i].has[k], request);
        for (int k = 0; k < 3 && cases[i].has_not[k] != NULL; k++)
            if (strstr(request, cases[i].has_not[k]) != NULL)
                fail_msg("\"%s\" is in %s", cases[i].has_not[k], request);
        free(request);
        say(fd, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        close(fd);
        until(rig, &call.done, 1);
        assert_int_equal(call.status, 204);
        ab_buf_deinit(&call.body);
    }
}

static void answers(void **state)
{
    static const struct {
        const char *bytes;
        enum ab_http_call_outcome outcome;
        unsigned status; /* 0: no head was told */
        const char *body;
        size_t max_body;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\ncontent-TYPE:  a/b \r\nContent-Length: 2\r\n\r\nhi", AB_HTTP_CALL_DONE, 200, "hi", 0 },
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
          AB_HTTP_CALL_DONE, 200, "hi!", 0 },
        { "HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\nto the end", AB_HTTP_CALL_DONE, 200, "to the end", 0 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nno",
          AB_HTTP_CALL_DONE, 404, "no", 0 },
        { "HTTP/1.1 302 Found\r\nContent-Type: a/b\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
          AB_HTTP_CALL_DONE, 302, "", 0 },
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhi", AB_HTTP_CALL_BROKEN, 200, "hi", 0 },
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", AB_HTTP_CALL_BROKEN, 200,
          "hi", 0 },
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi", AB_HTTP_CALL_BROKEN,
          200, "", 0 },
        { "SSH-2.0-OpenSSH\r\n", AB_HTTP_CALL_BROKEN, 0, "", 0 },
        { "", AB_HTTP_CALL_BROKEN, 0, "", 0 },
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 6\r\n\r\nfar to", AB_HTTP_CALL_TOO_LARGE, 200, "",
          5 },
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\njusto", AB_HTTP_CALL_DONE, 200, "justo",
          5 },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call;
        int fd;
        start(rig, &call, (struct ab_http_call_settings){ .max_body = cases[i].max_body });
        fd = take_connection(rig);
        free(take_request(rig, fd, "\r\n\r\n"));
        say(fd, cases[i].bytes);
        shutdown(fd, SHUT_WR);
        until(rig, &call.done, 1);
        if (call.outcome != cases[i].outcome || call.status != cases[i].status)
            fail_msg("%s\ngave %d, %u: %s", cases[i].bytes, (int)call.outcome, call.status, call.text);
        assert_string_equal(call.body.data != NULL ? call.body.data : "", cases[i].body);
        assert_string_equal(call.type, cases[i].status != 0 ? "a/b" : "");
        assert_true(call.outcome == AB_HTTP_CALL_DONE || call.text[0] != '\0');
        ab_buf_deinit(&call.body);
        close(fd);
    }
}

static void what_cannot_be_reached(void **state)
{
    struct rig *rig = *state;
    static const char *const breaks[] = { "X-A: b\r\nX-C: d", NULL };
    const struct ab_http_call_settings cases[] = {
        { .url = "http://127.0.0.1:1/" },
        { .url = "http://no-such-host.invalid/" },
        { .url = "file:///etc/passwd" },
        { .url = "gopher://127.0.0.1:1/" },
        { .url = "not a url" },
        { .url = "http://[::1" },
        { .headers = breaks, .url = "http://127.0.0.1:1/" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call;
        start(rig, &call, cases[i]);
        until(rig, &call.done, 1);
        if (call.outcome != AB_HTTP_CALL_UNREACHABLE || call.heads != 0 || call.text[0] == '\0')
            fail_msg("%s gave %d: %s", cases[i].url, (int)call.outcome, call.text);
        ab_buf_deinit(&call.body);
    }
}

static void a_stream_comes_as_it_is_sent(void **state)
{
    struct rig *rig = *state;
    struct call call;
    int fd;

    start(rig, &call, (struct ab_http_call_settings){ .idle_timeout_ms = 10000 });
    fd = take_connection(rig);
    free(take_request(rig, fd, "\r\n\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    until(rig, &call.heads, 1);
    for (unsigned i = 1; i <= 5; i++) {
        say(fd, "data: x\n\n");
        until(rig, &call.bodies, i);
        assert_int_equal(call.body.size, 9 * i);
    }
    close(fd);
    until(rig, &call.done, 1);
    assert_int_equal(call.outcome, AB_HTTP_CALL_DONE);
    ab_buf_deinit(&call.body);
}

static void timeouts(void **state)
{
    static const struct {
        struct ab_http_call_settings settings;
        const char *bytes;
    } cases[] = {
        { { .first_byte_timeout_ms = 60 }, "" },
        { { .idle_timeout_ms = 60 }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome" },
        { { .total_timeout_ms = 60 }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome" },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call;
        int fd;
        start(rig, &call, cases[i].settings);
        fd = take_connection(rig);
        free(take_request(rig, fd, "\r\n\r\n"));
        say(fd, cases[i].bytes);
        until(rig, &call.done, 1);
        assert_int_equal(call.outcome, AB_HTTP_CALL_TIMED_OUT);
        ab_buf_deinit(&call.body);
        close(fd);
    }
}

/* --- cancelling, pausing, freeing --- */

static void cancelled(void **state)
{
    struct rig *rig = *state;

    for (int when = 0; when < 4; when++) {
        struct call call;
        int fd = -1;
        start(rig, &call, (struct ab_http_call_settings){ 0 });
        call.cancel_in_head = when == 2;
        call.cancel_in_body = when == 3;
        if (when >= 1) {
            fd = take_connection(rig);
            free(take_request(rig, fd, "\r\n\r\n"));
        }
        if (when >= 2)
            say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
        else
            rig->client->ops->cancel(call.call);
        assert_int_equal(call.done, 0); /* it comes in a later turn */
        until(rig, &call.done, 1);
        assert_int_equal(call.outcome, AB_HTTP_CALL_BROKEN);
        assert_int_equal(call.heads, when >= 2 ? 1 : 0);
        for (int i = 0; i < 5; i++)
            turn(rig);
        assert_int_equal(call.done, 1);
        ab_buf_deinit(&call.body);
        if (fd >= 0)
            close(fd);
    }
}

static void a_pause_stops_the_reading(void **state)
{
    static char piece[65536];
    struct rig *rig = *state;
    struct call call;
    size_t sent = 0;
    const size_t all = 8000000;
    size_t before;
    int fd;

    memset(piece, 'z', sizeof(piece));
    start(rig, &call, (struct ab_http_call_settings){ .idle_timeout_ms = 100 });
    fd = take_connection(rig);
    free(take_request(rig, fd, "\r\n\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
    until(rig, &call.heads, 1);
    rig->client->ops->pause(call.call, true);
    /* Longer than the idle time, which does not count: it is us who waits. */
    for (int64_t end = now_ms() + 300; now_ms() < end;) {
        size_t left = all - sent < sizeof(piece) ? all - sent : sizeof(piece);
        ssize_t size = send(fd, piece, left, MSG_NOSIGNAL);
        if (size > 0)
            sent += (size_t)size;
        turn(rig);
    }
    before = call.body.size;
    assert_true(before < 200000 && sent < all);
    rig->client->ops->pause(call.call, false);
    while (sent < all) {
        size_t left = all - sent < sizeof(piece) ? all - sent : sizeof(piece);
        ssize_t size = send(fd, piece, left, MSG_NOSIGNAL);
        if (size > 0)
            sent += (size_t)size;
        turn(rig);
    }
    until(rig, &call.done, 1);
    assert_int_equal(call.outcome, AB_HTTP_CALL_DONE);
    assert_int_equal(call.body.size, all);
    ab_buf_deinit(&call.body);
    close(fd);
}

static void connections_are_used_again(void **state)
{
    struct rig *rig = *state;
    int fd = -1;

    for (int i = 0; i < 5; i++) {
        struct call call;
        start(rig, &call, (struct ab_http_call_settings){ .method = "POST", .body = AB_STR("x") });
        if (fd < 0)
            fd = take_connection(rig);
        free(take_request(rig, fd, "\r\n\r\nx"));
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        until(rig, &call.done, 1);
        assert_int_equal(call.outcome, AB_HTTP_CALL_DONE);
        ab_buf_deinit(&call.body);
    }
    assert_int_equal(accept(rig->listening, NULL, NULL), -1);
    close(fd);
}

static void no_more_connections_than_allowed(void **state)
{
    static struct call calls[40];
    struct rig *rig = *state;
    int fds[4];

    for (int i = 0; i < 40; i++)
        start(rig, &calls[i], (struct ab_http_call_settings){ 0 });
    for (int i = 0; i < 4; i++)
        fds[i] = take_connection(rig);
    for (int64_t end = now_ms() + 50; now_ms() < end;)
        turn(rig);
    assert_int_equal(accept(rig->listening, NULL, NULL), -1);
    for (int served = 0; served < 40; served++) { /* each connection carries ten */
        free(take_request(rig, fds[served % 4], "\r\n\r\n"));
        say(fds[served % 4], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    until(rig, &rig->done, 40);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(calls[i].outcome, AB_HTTP_CALL_DONE);
        ab_buf_deinit(&calls[i].body);
    }
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

/* Also by a name, and by a connection that an unguarded call left open. */
static void a_guarded_call_goes_where_it_may(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0",
    };
    struct rig *rig = *state;
    struct ab_guard_network loopback;
    struct ab_guard guard = { .networks = &loopback, .n_networks = 1 };
    struct call open;
    int fd;

    start(rig, &open, (struct ab_http_call_settings){ 0 });
    fd = take_connection(rig);
    free(take_request(rig, fd, "\r\n\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    until(rig, &open.done, 1);
    ab_buf_deinit(&open.body);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct call call;
        AB_CLEANUP(ab_free_string) char *url = ab_format("http://%s:%u/", hosts[i], rig->port);
        char bytes[1];
        start(rig, &call, (struct ab_http_call_settings){ .url = url, .guarded = true });
        until(rig, &call.done, 1);
        if (call.outcome != AB_HTTP_CALL_FORBIDDEN || strstr(call.text, "outbound.allow") == NULL)
            fail_msg("%s gave %d: %s", url, (int)call.outcome, call.text);
        assert_int_equal(accept(rig->listening, NULL, NULL), -1);
        assert_true(recv(fd, bytes, 1, 0) <= 0);
        ab_buf_deinit(&call.body);
    }
    close(fd);
    assert_true(ab_guard_network_parse(AB_STR("127.0.0.0/8"), &loopback));
    start(rig, &open, (struct ab_http_call_settings){ .guarded = true, .guard = &guard });
    fd = take_connection(rig);
    free(take_request(rig, fd, "\r\n\r\n"));
    say(fd, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    until(rig, &open.done, 1);
    assert_int_equal(open.status, 307);
    ab_buf_deinit(&open.body);
    close(fd);
}

static void freed_with_open_calls(void **state)
{
    struct rig *rig = *state;
    struct call calls[3];
    int fd;

    start(rig, &calls[0], (struct ab_http_call_settings){ 0 });
    fd = take_connection(rig);
    free(take_request(rig, fd, "\r\n\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
    until(rig, &calls[0].bodies, 1);
    rig->client->ops->pause(calls[0].call, true);
    start(rig, &calls[1], (struct ab_http_call_settings){ .first_byte_timeout_ms = 1000 });
    turn(rig);
    start(rig, &calls[2], (struct ab_http_call_settings){ .url = "http://no-such-host.invalid/" });
    rig->client->ops->free(rig->client);
    rig->client = NULL;
    assert_int_equal(rig->done, 0);
    until(rig, &rig->done, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(calls[i].done, 1);
        assert_int_equal(calls[i].outcome, AB_HTTP_CALL_BROKEN);
        ab_buf_deinit(&calls[i].body);
    }
    close(fd);
}

/* The peer takes the request, works, and dies: libcurl would send it again, as the connection was an idle one. */
static void sent_once_at_most(void **state)
{
    struct rig *rig = *state;
    struct call first;
    struct call second;
    int idle;
    int fresh;

    start(rig, &first, (struct ab_http_call_settings){ .method = "POST" });
    idle = take_connection(rig);
    free(take_request(rig, idle, "\r\n\r\n"));
    say(idle, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    until(rig, &first.done, 1);
    start(rig, &second, (struct ab_http_call_settings){ .method = "POST", .sent_once = true });
    fresh = take_connection(rig);
    free(take_request(rig, fresh, "\r\n\r\n"));
    close(fresh);
    until(rig, &second.done, 1);
    assert_int_equal(second.outcome, AB_HTTP_CALL_BROKEN);
    assert_int_equal(accept(rig->listening, NULL, NULL), -1);
    close(idle);
}

/* The answer would leave the connection open for another call. */
static void alone(void **state)
{
    struct rig *rig = *state;
    struct call call;
    char byte;
    int fd;

    start(rig, &call, (struct ab_http_call_settings){ .method = "GET", .alone = true });
    fd = take_connection(rig);
    free(take_request(rig, fd, "\r\n\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    until(rig, &call.done, 1);
    turn(rig);
    assert_int_equal(call.outcome, AB_HTTP_CALL_DONE);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_sent),
        TEST(answers),
        TEST(what_cannot_be_reached),
        TEST(a_stream_comes_as_it_is_sent),
        TEST(timeouts),
        TEST(cancelled),
        TEST(a_pause_stops_the_reading),
        TEST(connections_are_used_again),
        TEST(sent_once_at_most),
        TEST(alone),
        TEST(no_more_connections_than_allowed),
        TEST(a_guarded_call_goes_where_it_may),
        TEST(freed_with_open_calls),
    };
    cmocka_set_test_filter(getenv("AB_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
