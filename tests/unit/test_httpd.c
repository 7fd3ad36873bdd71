/* The HTTP server as clients meet it: raw bytes in, raw bytes out. */
#include "base/mem.h"
#include "base/str.h"
#include "support/httpd_rig.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: localhost\r\n"
#define CLOSE "Connection: close\r\n"

static int set_up(void **state)
{
    *state = httpd_rig_new((struct ab_httpd_settings){ .request_bytes = 1000, .stream_bytes = 65536 });
    return 0;
}

static int tear_down(void **state)
{
    httpd_rig_free(*state);
    return 0;
}

static void one_answer(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        const char *text; /* in the answer; NULL: anything */
    } cases[] = {
        { "GET /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "GET /echo?|" },
        { "GET /echo?a=1&b=%20 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "GET /echo?a=1&b=%20|" },
        { "GET /a%20b%2Fc HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "GET /a%20b%2Fc?|" },
        { "GET /echo?a=%26b%3Dc&d=e%2Ff HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "?a=%26b%3Dc&d=e%2Ff|" },
        { "POST /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 3\r\n\r\nabc", "200 OK", "POST /echo?|abc" },
        { "POST /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 0\r\n\r\n", "200 OK", "POST /echo?|" },
        { "POST /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "POST /echo?|" },
        { "DELETE /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "DELETE /echo?|" },
        { "OPTIONS /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "OPTIONS /echo?|" },
        { "PUT /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 1\r\n\r\nx", "200 OK", "PUT /echo?|x" },
        { "PATCH /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 1\r\n\r\nx", "200 OK", "PATCH /echo?|x" },
        { "DELETE /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 2\r\n\r\nxy", "200 OK", "DELETE /echo?|xy" },
        { "GET /later HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "later" },
        { "GET /header HTTP/1.1\r\n" HOST CLOSE "X-Test: some value \r\n\r\n", "200 OK", "some value" },
        { "GET /header HTTP/1.1\r\n" HOST CLOSE "x-TEST: v\r\n\r\n", "200 OK", "\r\n\r\nv" },
        { "GET /header HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "(none)" },
        { "GET http://localhost:1/echo?q HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "GET /echo?q|" },
        { "\r\nGET /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200 OK", "GET /echo?|" },
        { "GET /echo HTTP/1.0\r\n" HOST "\r\n", "200 OK", "GET /echo?|" },
        /* Refused. */
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n", "413 ", "1000 bytes" },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", "400 ", "{\"error\":\"" },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4294967299\r\n\r\nabc", "413 ", "1000 bytes" },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", "400 ", "{\"error\":\"" },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n", "400 ", "{\"error\":\"" },
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411 ", "Content-Length" },
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", "400 ",
          "Transfer-Encoding" },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400 ",
          "Content-Length" },
        { "GET /echo HTTP/1.1\r\n" HOST HOST "\r\n", "400 ", "Host" },
        { "GET /echo HTTP/2.0\r\n" HOST "\r\n", "505 ", NULL },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 ", NULL },
        { "GET echo HTTP/1.1\r\n" HOST "\r\n", "400 ", NULL },
        { "GET /echo\r\n\r\n", "505 ", NULL },
        { "GET /echo HTTP/1.1\r\n" HOST "Bad Name: x\r\n\r\n", "400 ", NULL },
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", "400 ", NULL },
        { "GET /echo HTTP/1.1\r\n" HOST "X-Test: a\r\n b\r\n\r\n", "400 ", "folded" },
        { "GET /echo HTTP/1.1\r\n" HOST "X-Test: a\x01\r\n\r\n", "400 ", NULL },
        { "\x16\x03\x01\x02", "400 ", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *answer = rig_ask(*state, cases[i].request, NULL);
        char start[64];
        snprintf(start, sizeof(start), "HTTP/1.1 %s", cases[i].status);
        if (!ab_str_starts(ab_str(answer), start) || (cases[i].text != NULL && strstr(answer, cases[i].text) == NULL))
            fail_msg("%s\ngave\n%s", cases[i].request, answer);
        free(answer);
    }
}

static void the_doors(void **state)
{
    static const struct {
        const char *headers;
        bool allowed;
    } cases[] = {
        { "Host: localhost\r\n", true },
        { "Host: LOCALHOST:7800\r\n", true },
        { "Host: 127.0.0.1\r\n", true },
        { "Host: 127.9.9.9:1\r\n", true },
        { "Host: [::1]:80\r\n", true },
        { "Host: good.example\r\n", true },
        { "Host: good.example:8443\r\n", true },
        { "Host: evil.example\r\n", false },
        { "Host: localhost.evil.example\r\n", false },
        { "Host: 127.0.0.1.evil.example\r\n", false },
        { "Host: good.example.evil.example\r\n", false },
        { "Host: \r\n", false },
        { "", false },
        { "Host: localhost\r\nOrigin: http://localhost:3000\r\n", true },
        { "Host: localhost\r\nOrigin: https://127.0.0.1\r\n", true },
        { "Host: localhost\r\nOrigin: http://[::1]:5173\r\n", true },
        { "Host: localhost\r\nOrigin: https://app.example\r\n", true },
        { "Host: localhost\r\nOrigin: http://app.example\r\n", false },
        { "Host: localhost\r\nOrigin: https://evil.example\r\n", false },
        { "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n", false },
        { "Host: localhost\r\nOrigin: null\r\n", false },
        { "Host: localhost\r\nOrigin: file://localhost\r\n", false },
    };
    static const char *const hosts[] = { "good.example", NULL };
    static const char *const origins[] = { "https://app.example", NULL };
    struct httpd_rig *rig = httpd_rig_new((struct ab_httpd_settings){ .hosts = hosts, .origins = origins });

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[512];
        char *answer;
        snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\n%s" CLOSE "\r\n", cases[i].headers);
        answer = rig_ask(rig, request, NULL);
        if (!ab_str_starts(ab_str(answer), cases[i].allowed ? "HTTP/1.1 200" : "HTTP/1.1 403"))
            fail_msg("%s\ngave\n%s", cases[i].headers, answer);
        free(answer);
    }
    httpd_rig_free(rig);
}

static void head_has_no_body(void **state)
{
    char *answer = rig_ask(*state, "HEAD /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", NULL);

    assert_non_null(strstr(answer, "Content-Length: 12\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
}

static void keep_alive_and_pipelining(void **state)
{
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf many = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    for (int i = 0; i < 5; i++) {
        ab_buf_clear(&in);
        assert_true(rig_send(rig, fd, "POST /echo?one HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"));
        assert_true(rig_read(rig, fd, &in, "|hello"));
    }
    /* All at once, GET and POST in turn, answered in order; one answer comes a turn later. */
    for (int i = 0; i < 20; i++)
        ab_buf_printf(
            &many, "POST /echo?%d HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /later HTTP/1.1\r\n" HOST "\r\n",
            i);
    ab_buf_append_text(&many, "GET /echo?last HTTP/1.1\r\n" HOST "\r\n");
    ab_buf_clear(&in);
    assert_true(rig_send(rig, fd, many.data));
    assert_true(rig_read(rig, fd, &in, "?last|"));
    const char *at = in.data;
    for (int i = 0; i < 20; i++) {
        char mark[32];
        snprintf(mark, sizeof(mark), "/echo?%d|abc", i);
        at = strstr(at, mark);
        assert_non_null(at);
        at = strstr(at, "\r\n\r\nlater");
        assert_non_null(at);
    }
    httpd_rig_until(rig, &rig->closed, 46);
    assert_int_equal(rig->handled, 46);
    close(fd);
    ab_buf_deinit(&in);
    ab_buf_deinit(&many);
}

static void bytes_one_by_one(void **state)
{
    static const char request[] = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd";
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    for (size_t i = 0; i < sizeof(request) - 1; i++)
        assert_true(rig_send_bytes(rig, fd, request + i, 1));
    assert_true(rig_read(rig, fd, &in, "|abcd"));
    close(fd);
    ab_buf_deinit(&in);
}

static void large_bodies_both_ways(void **state)
{
    struct httpd_rig *rig = httpd_rig_new((struct ab_httpd_settings){ .request_bytes = 4000000 });
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf request = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    (void)state;
    ab_buf_append_text(&request, "POST /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 4000000\r\n\r\n");
    for (int i = 0; i < 400000; i++)
        ab_buf_append_text(&request, "0123456789");
    assert_true(rig_send_bytes(rig, fd, request.data, request.size));
    assert_true(rig_read(rig, fd, &in, NULL));
    assert_true(in.size > 4000000);
    assert_memory_equal(in.data + in.size - 4000000, request.data + request.size - 4000000, 4000000);
    httpd_rig_until(rig, &rig->closed, 1);
    assert_true(rig->exchanges->finished);
    close(fd);
    ab_buf_deinit(&in);
    ab_buf_deinit(&request);
    httpd_rig_free(rig);
}

/* The refusal reaches a client that is still busy sending what is refused. */
static void too_large_while_sending(void **state)
{
    static char body[400000];
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    memset(body, 'x', sizeof(body));
    assert_true(rig_send(rig, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 400000\r\n\r\n"));
    (void)rig_send_bytes(rig, fd, body, sizeof(body));
    (void)rig_read(rig, fd, &in, NULL);
    assert_true(ab_str_starts(ab_buf_str(&in), "HTTP/1.1 413"));
    assert_int_equal(rig->handled, 0);
    close(fd);
    ab_buf_deinit(&in);
}

static void a_stream(void **state)
{
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);
    struct ab_http_exchange *exchange;

    assert_true(rig_send(rig, fd, "GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    httpd_rig_until(rig, &rig->handled, 1);
    exchange = rig->exchanges->exchange;
    ab_http_begin(exchange, &(struct ab_http_head){ .status = 200, .content_type = "text/event-stream" });
    assert_true(rig_read(rig, fd, &in, "\r\n\r\n")); /* the head goes out before any data */
    assert_non_null(strstr(in.data, "Transfer-Encoding: chunked\r\n"));
    assert_int_equal(ab_http_write(exchange, AB_STR("data: 1\n\n")), AB_OK);
    assert_true(rig_read(rig, fd, &in, "9\r\ndata: 1\n\n\r\n"));
    assert_int_equal(ab_http_write(exchange, AB_STR("data: 2\n\n")), AB_OK);
    ab_http_end(exchange);
    assert_true(rig_read(rig, fd, &in, "data: 2\n\n\r\n0\r\n\r\n"));
    httpd_rig_until(rig, &rig->closed, 1);
    assert_true(rig->exchanges->finished);
    /* The connection goes on. */
    ab_buf_clear(&in);
    assert_true(rig_send(rig, fd, "GET /echo?next HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(rig_read(rig, fd, &in, "/echo?next|"));
    close(fd);
    ab_buf_deinit(&in);
}

/* Writes until the server says that the peer is behind. */
static size_t write_until_behind(struct ab_http_exchange *exchange)
{
    static char piece[4096];
    size_t written = 0;

    memset(piece, 'p', sizeof(piece));
    for (int i = 0; i < 10000; i++) {
        written += sizeof(piece);
        if (ab_http_write(exchange, (struct ab_str){ piece, sizeof(piece) }) == AB_HTTP_BEHIND)
            return written;
    }
    fail_msg("never behind");
    return 0;
}

static void a_slow_reader(void **state)
{
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);
    struct rig_exchange *kept;
    size_t written = 0;

    assert_true(rig_send(rig, fd, "GET /keep HTTP/1.1\r\n" HOST CLOSE "\r\n"));
    httpd_rig_until(rig, &rig->handled, 1);
    kept = rig->exchanges;
    ab_http_begin(kept->exchange, &(struct ab_http_head){ .status = 200, .content_type = "text/plain" });
    for (unsigned round = 1; round <= 50; round++) {
        written += write_until_behind(kept->exchange);
        while (kept->writable < round) {
            char bytes[8192];
            ssize_t size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
            if (size > 0)
                ab_buf_append(&in, bytes, (size_t)size);
            httpd_rig_run(rig, 1);
        }
    }
    ab_http_end(kept->exchange);
    assert_true(rig_read(rig, fd, &in, NULL));
    size_t received = 0;
    for (size_t i = 0; i < in.size; i++)
        received += in.data[i] == 'p' ? 1 : 0;
    /* "p" occurs in the head too: text/plain, nosniff's header has one in "Options" and "Type". */
    assert_in_range(received, written, written + 10);
    httpd_rig_until(rig, &rig->closed, 1);
    assert_true(kept->finished);
    close(fd);
    ab_buf_deinit(&in);
}

/* Whoever writes on though the peer never reads loses the peer, not the memory. */
static void a_reader_that_never_reads(void **state)
{
    static char piece[16384];
    struct httpd_rig *rig = *state;
    int fd = rig_connect(rig);
    struct rig_exchange *kept;

    assert_true(rig_send(rig, fd, "GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    httpd_rig_until(rig, &rig->handled, 1);
    kept = rig->exchanges;
    ab_http_begin(kept->exchange, &(struct ab_http_head){ .status = 200, .content_type = "text/plain" });
    for (int i = 0; i < 2000 && kept->exchange != NULL; i++) {
        (void)!ab_http_write(kept->exchange, (struct ab_str){ piece, sizeof(piece) });
        if (i % 20 == 0)
            httpd_rig_run(rig, 1);
    }
    httpd_rig_until(rig, &rig->closed, 1);
    assert_false(kept->finished);
    close(fd);
}

/* Its answer does not wait for ever: neither one that is whole, nor a stream whose owner has stopped writing. */
static void a_reader_that_stops(void **state)
{
    struct httpd_rig *rig = httpd_rig_new((struct ab_httpd_settings){ .unread_ms = 300 });
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    (void)state;
    assert_true(rig_send(rig, fd, "GET /bytes?50000000 HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(rig_read(rig, fd, &in, "xxxx"));
    httpd_rig_until(rig, &rig->closed, 1);
    assert_false(rig->exchanges->finished);
    close(fd);
    ab_buf_deinit(&in);
    httpd_rig_free(rig);
}

/* --- descriptors --- */

/* In place of the C library's: while one connection is refused, another thread may open a file. */
static int opened_meanwhile;

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
    bool is_refusal = (flags & SOCK_NONBLOCK) == 0;

    if (is_refusal && opened_meanwhile < 0)
        opened_meanwhile = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return (int)syscall(SYS_accept4, fd, address.__sockaddr__, size, flags);
}

/* Connections beyond the limit are refused, and nobody else's file is touched by that. */
static void out_of_descriptors(void **state)
{
    struct httpd_rig *rig = *state;
    struct rlimit before;
    struct rlimit none;
    struct stat file;
    int clients[3];

    for (size_t i = 0; i < 3; i++)
        clients[i] = rig_connect(rig);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){ .rlim_cur = (rlim_t)clients[2] + 1, .rlim_max = before.rlim_max };
    opened_meanwhile = -1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    httpd_rig_run(rig, 50);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(opened_meanwhile >= 0);
    assert_int_equal(fstat(opened_meanwhile, &file), 0);
    assert_true(S_ISCHR(file.st_mode));
    close(opened_meanwhile);
    for (size_t i = 0; i < 3; i++)
        close(clients[i]);
    free(rig_ask(rig, "GET /echo HTTP/1.1\r\n" HOST "\r\n", "|"));
}

static void answering_twice_is_harmless(void **state)
{
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);
    struct ab_http_exchange *exchange;

    assert_true(rig_send(rig, fd, "GET /keep HTTP/1.1\r\n" HOST CLOSE "\r\n"));
    httpd_rig_until(rig, &rig->handled, 1);
    exchange = rig->exchanges->exchange;
    ab_http_respond_simple(exchange, 200, "text/plain", AB_STR("first"));
    ab_http_respond_simple(exchange, 500, "text/plain", AB_STR("second"));
    ab_http_end(exchange);
    assert_int_equal(ab_http_write(exchange, AB_STR("third")), AB_OK);
    assert_true(rig_read(rig, fd, &in, NULL));
    assert_non_null(strstr(in.data, "first"));
    assert_null(strstr(in.data, "second"));
    assert_null(strstr(in.data, "third"));
    httpd_rig_until(rig, &rig->closed, 1);
    assert_int_equal(rig->exchanges->closed, 1);
    close(fd);
    ab_buf_deinit(&in);
}

static void the_peer_leaves(void **state)
{
    static const struct {
        const char *request;
        bool begun;
    } cases[] = {
        { "GET /keep HTTP/1.1\r\n" HOST "\r\n", false },
        { "GET /keep HTTP/1.1\r\n" HOST "\r\n", true },
        { "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", false },
        { "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", true },
        { "POST /keep HTTP/1.1\r\n" HOST "\r\n", true },
        { "DELETE /keep HTTP/1.1\r\n" HOST "\r\n", false },
    };
    struct httpd_rig *rig = *state;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = rig_connect(rig);
        assert_true(rig_send(rig, fd, cases[i].request));
        httpd_rig_until(rig, &rig->handled, i + 1);
        if (cases[i].begun)
            ab_http_begin(rig->exchanges->exchange,
                          &(struct ab_http_head){ .status = 200, .content_type = "text/event-stream" });
        httpd_rig_run(rig, 10);
        close(fd);
        httpd_rig_until(rig, &rig->closed, i + 1);
        assert_int_equal(rig->exchanges->closed, 1);
        assert_false(rig->exchanges->finished);
    }
}

/* A body that never comes whole never reaches the handler. */
static void the_peer_leaves_in_the_body(void **state)
{
    struct httpd_rig *rig = *state;
    int fd = rig_connect(rig);

    assert_true(rig_send(rig, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc"));
    httpd_rig_run(rig, 10);
    close(fd);
    httpd_rig_run(rig, 30);
    assert_int_equal(rig->handled, 0);
}

static void freed_with_open_exchanges(void **state)
{
    struct httpd_rig *rig = httpd_rig_new((struct ab_httpd_settings){ 0 });
    int fds[3] = { rig_connect(rig), rig_connect(rig), rig_connect(rig) };

    (void)state;
    assert_true(rig_send(rig, fds[0], "GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(rig_send(rig, fds[1], "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"));
    assert_true(rig_send(rig, fds[2], "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nx"));
    httpd_rig_until(rig, &rig->handled, 2);
    ab_httpd_free(rig->httpd);
    rig->httpd = NULL;
    assert_int_equal(rig->closed, 2);
    httpd_rig_free(rig);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void count_up(void *arg)
{
    ++*(unsigned *)arg;
}

static void draining(void **state)
{
    struct httpd_rig *rig = *state;
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf idle_in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int busy = rig_connect(rig);
    int idle = rig_connect(rig);
    unsigned drained = 0;

    assert_true(rig_send(rig, idle, "GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(rig_read(rig, idle, &idle_in, "/echo?|"));
    assert_true(rig_send(rig, busy, "GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    httpd_rig_until(rig, &rig->handled, 2);
    ab_httpd_drain(rig->httpd, 8000, count_up, &drained);
    assert_true(rig_read(rig, idle, &idle_in, NULL)); /* the idle one is closed */
    httpd_rig_run(rig, 20);
    assert_int_equal(drained, 0);
    ab_http_respond_simple(rig->exchanges->exchange, 200, "text/plain", AB_STR("goes on"));
    assert_true(rig_read(rig, busy, &in, NULL));
    assert_non_null(strstr(in.data, "Connection: close"));
    assert_non_null(strstr(in.data, "goes on"));
    httpd_rig_until(rig, &drained, 1);
    httpd_rig_run(rig, 20);
    assert_int_equal(drained, 1);
    close(busy);
    close(idle);
    ab_buf_deinit(&in);
    ab_buf_deinit(&idle_in);
}

static void draining_takes_no_longer_than_asked(void **state)
{
    struct httpd_rig *rig = *state;
    int fd = rig_connect(rig);
    unsigned drained = 0;

    assert_true(rig_send(rig, fd, "GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    httpd_rig_until(rig, &rig->handled, 1);
    ab_httpd_drain(rig->httpd, 30, count_up, &drained);
    httpd_rig_until(rig, &drained, 1);
    close(fd);
}

static void metrics_tell(void **state)
{
    struct httpd_rig *rig = *state;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    free(rig_ask(rig, "GET /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", NULL));
    free(rig_ask(rig, "GET /echo HTTP/1.1\r\nHost: evil.example\r\n" CLOSE "\r\n", NULL));
    assert_true(rig_send(rig, fd, "GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    httpd_rig_until(rig, &rig->handled, 2);
    ab_http_begin(rig->exchanges->exchange, &(struct ab_http_head){ .status = 200, .content_type = "text/plain" });
    httpd_rig_run(rig, 20);
    ab_metrics_render(rig->metrics, &text);
    assert_non_null(strstr(text.data, "agentbridge_http_requests_total{class=\"2xx\"} 1\n"));
    assert_non_null(strstr(text.data, "agentbridge_http_requests_total{class=\"4xx\"} 1\n"));
    assert_non_null(strstr(text.data, "agentbridge_http_streams 1\n"));
    assert_non_null(strstr(text.data, "agentbridge_http_connections 1\n"));
    assert_non_null(strstr(text.data, "agentbridge_http_request_seconds_count 2\n"));
    close(fd);
    httpd_rig_until(rig, &rig->closed, 2);
    httpd_rig_run(rig, 20);
    ab_buf_clear(&text);
    ab_metrics_render(rig->metrics, &text);
    assert_non_null(strstr(text.data, "agentbridge_http_streams 0\n"));
    assert_non_null(strstr(text.data, "agentbridge_http_connections 0\n"));
    ab_buf_deinit(&text);
}

static void an_address_in_use(void **state)
{
    struct httpd_rig *rig = *state;
    char reason[256] = "";
    const struct ab_httpd_settings settings = { .address = "127.0.0.1", .port = (uint16_t)rig->port };

    assert_null(ab_httpd_new(rig->loop, &settings, NULL, NULL, reason, sizeof(reason)));
    assert_non_null(strstr(reason, "Address already in use"));
    assert_non_null(strstr(reason, ab_httpd_address(rig->httpd)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_answer),
        cmocka_unit_test(the_doors),
        TEST(head_has_no_body),
        TEST(keep_alive_and_pipelining),
        TEST(bytes_one_by_one),
        cmocka_unit_test(large_bodies_both_ways),
        TEST(too_large_while_sending),
        TEST(a_stream),
        TEST(a_slow_reader),
        TEST(a_reader_that_never_reads),
        cmocka_unit_test(a_reader_that_stops),
        TEST(out_of_descriptors),
        TEST(answering_twice_is_harmless),
        TEST(the_peer_leaves),
        TEST(the_peer_leaves_in_the_body),
        cmocka_unit_test(freed_with_open_exchanges),
        TEST(draining),
        TEST(draining_takes_no_longer_than_asked),
        TEST(metrics_tell),
        TEST(an_address_in_use),
    };
    cmocka_set_test_filter(getenv("AB_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
