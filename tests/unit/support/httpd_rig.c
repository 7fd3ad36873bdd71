/* The HTTP server under test; see httpd_rig.h. */
#include "support/httpd_rig.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the handler --- */

static void on_writable(void *arg)
{
    ((struct rig_exchange *)arg)->writable++;
}

static void on_closed(void *arg, bool finished)
{
    struct rig_exchange *kept = arg;

    kept->closed++;
    kept->finished = finished;
    kept->exchange = NULL;
    kept->rig->closed++;
}

static void answer_later(void *arg)
{
    struct rig_exchange *kept = arg;

    if (kept->exchange != NULL)
        ab_http_respond_simple(kept->exchange, 200, "text/plain", AB_STR("later"));
}

static void answer_echo(struct ab_http_exchange *exchange)
{
    const struct ab_http_request *request = ab_http_request(exchange);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_buf_printf(&out, "%.*s %.*s?%.*s|", AB_STR_ARGS(request->method), AB_STR_ARGS(request->path),
                  AB_STR_ARGS(request->query));
    ab_buf_append_str(&out, request->body);
    ab_http_respond_simple(exchange, 200, "text/plain", ab_buf_str(&out));
    ab_buf_deinit(&out);
}

static void answer_bytes(struct ab_http_exchange *exchange)
{
    uint64_t size = 0;
    char *bytes;

    assert_true(ab_str_to_uint(ab_http_request(exchange)->query, 100000000, &size));
    bytes = ab_alloc(size, 1);
    memset(bytes, 'x', size);
    ab_http_respond_simple(exchange, 200, "text/plain", (struct ab_str){ bytes, size });
    free(bytes);
}

static void handle(void *arg, struct ab_http_exchange *exchange)
{
    static const struct ab_http_events events = { .writable = on_writable, .closed = on_closed };
    struct httpd_rig *rig = arg;
    struct rig_exchange *kept = ab_alloc(1, sizeof(*kept));
    struct ab_str path = ab_http_request(exchange)->path;
    struct ab_str value = AB_STR("(none)");

    kept->rig = rig;
    kept->exchange = exchange;
    kept->next = rig->exchanges;
    rig->exchanges = kept;
    rig->handled++;
    ab_http_listen(exchange, &events, kept);
    if (ab_str_is(path, "/header")) {
        (void)ab_http_header(exchange, "x-test", &value);
        ab_http_respond_simple(exchange, 200, "text/plain", value);
    } else if (ab_str_is(path, "/bytes")) {
        answer_bytes(exchange);
    } else if (ab_str_is(path, "/later")) {
        ab_loop_defer(ab_loop_uv_port(rig->loop), answer_later, kept);
    } else if (!ab_str_is(path, "/keep")) {
        answer_echo(exchange);
    }
}

/* --- the rig --- */

struct httpd_rig *httpd_rig_new(struct ab_httpd_settings settings)
{
    struct httpd_rig *rig = ab_alloc(1, sizeof(*rig));
    char reason[256] = "";
    const char *colon;

    if (settings.address == NULL)
        settings.address = "127.0.0.1";
    rig->loop = ab_loop_uv_new();
    rig->metrics = ab_metrics_new();
    settings.metrics = rig->metrics;
    rig->httpd = ab_httpd_new(rig->loop, &settings, handle, rig, reason, sizeof(reason));
    if (rig->httpd == NULL)
        fail_msg("%s", reason);
    colon = strrchr(ab_httpd_address(rig->httpd), ':');
    rig->port = (unsigned)strtoul(colon + 1, NULL, 10);
    return rig;
}

void httpd_rig_free(struct httpd_rig *rig)
{
    ab_httpd_free(rig->httpd);
    ab_loop_uv_free(rig->loop);
    ab_metrics_free(rig->metrics);
    while (rig->exchanges != NULL) {
        struct rig_exchange *kept = rig->exchanges;
        rig->exchanges = kept->next;
        free(kept);
    }
    free(rig);
}

static void on_tick(void *arg)
{
    *(bool *)arg = true;
}

/* One wait of the loop, of at most 5 ms. */
static void turn(struct httpd_rig *rig)
{
    bool ticked = false;
    struct ab_timer *tick = ab_timer_new(ab_loop_uv_port(rig->loop), on_tick, &ticked);

    ab_timer_start(tick, 5);
    uv_run(ab_loop_uv_raw(rig->loop), UV_RUN_ONCE);
    ab_timer_free(tick);
}

void httpd_rig_run(struct httpd_rig *rig, unsigned ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end;)
        turn(rig);
}

void httpd_rig_until(struct httpd_rig *rig, const unsigned *value, unsigned wanted)
{
    int64_t end = now_ms() + PATIENCE_MS;

    while (*value < wanted) {
        if (now_ms() > end)
            fail_msg("waited in vain: %u instead of %u", *value, wanted);
        turn(rig);
    }
}

/* --- clients --- */

int rig_connect(struct httpd_rig *rig)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)rig->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

bool rig_send_bytes(struct httpd_rig *rig, int fd, const void *data, size_t size)
{
    const char *at = data;
    int64_t end = now_ms() + PATIENCE_MS;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        }
        assert_true(now_ms() < end);
        turn(rig);
    }
    return true;
}

bool rig_send(struct httpd_rig *rig, int fd, const char *text)
{
    return rig_send_bytes(rig, fd, text, strlen(text));
}

bool rig_read(struct httpd_rig *rig, int fd, struct ab_buf *in, const char *mark)
{
    int64_t end = now_ms() + PATIENCE_MS;

    for (;;) {
        char bytes[16384];
        ssize_t size;
        if (mark != NULL && in->data != NULL && memmem(in->data, in->size, mark, strlen(mark)) != NULL)
            return true;
        size = recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);
        if (size > 0) {
            ab_buf_append(in, bytes, (size_t)size);
            continue;
        }
        if (size == 0 || (errno != EAGAIN && errno != EINTR))
            return mark == NULL;
        if (now_ms() > end)
            fail_msg("waited in vain for \"%s\", got \"%s\"", mark != NULL ? mark : "the close",
                     in->data != NULL ? in->data : "");
        turn(rig);
    }
}

char *rig_ask(struct httpd_rig *rig, const char *request, const char *mark)
{
    struct ab_buf in = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int fd = rig_connect(rig);

    (void)rig_send(rig, fd, request);
    (void)rig_read(rig, fd, &in, mark);
    close(fd);
    return ab_buf_steal(&in);
}
