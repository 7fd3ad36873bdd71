/* Small values of HTTP messages, as browsers, hosts and attackers send them; and the exchange that tests hold. */
#include "base/mem.h"
#include "support/fake_exchange.h"
#include "support/fake_loop.h"
#include "wire/http_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void media_types(void **state)
{
    (void)state;
    assert_true(ab_http_is_media_type(AB_STR("application/json"), "application/json"));
    assert_true(ab_http_is_media_type(AB_STR(" Application/JSON ; charset=utf-8"), "application/json"));
    assert_false(ab_http_is_media_type(AB_STR("application/jsonp"), "application/json"));
    assert_false(ab_http_is_media_type(AB_STR("application/json, text/plain"), "application/json"));
    assert_false(ab_http_is_media_type(AB_STR(""), "application/json"));
    assert_false(ab_http_is_media_type((struct ab_str){ NULL, 0 }, "application/json"));
}

static void accepting(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool json;
        bool sse;
    } cases[] = {
        { "", true, true },
        { "  ", true, true },
        { "*/*", true, true },
        { "application/json", true, false },
        { "application/json, text/event-stream", true, true },
        { "text/event-stream;q=0.5,application/json;q=1.0", true, true },
        { "TEXT/EVENT-STREAM , Application/*", true, true },
        { "text/*", false, true },
        { "*/*, text/event-stream;q=0", true, false },
        { "text/event-stream;q=0.000, */*;q=0.1", true, false },
        { "text/*;q=0, text/event-stream", false, true },
        { "*/*;q=0", false, false },
        { "application/json;q=0.001", true, false },
        { "application/json;profile=\"a,b;q=0\"", true, false },
        { "text/html", false, false },
        { "application/jsonx, text/event", false, false },
        { ",,;;,application/json", true, false },
        { "application/json;profile=\"open", true, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_str accept = ab_str(cases[i].accept);
        if (ab_http_accepts(accept, "application/json") != cases[i].json ||
            ab_http_accepts(accept, "text/event-stream") != cases[i].sse) {
            fail_msg("\"%s\"", cases[i].accept);
        }
    }
}

static void hosts(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        { "localhost", "localhost", 0 },
        { "localhost:7800", "localhost", 7800 },
        { "127.0.0.1:65535", "127.0.0.1", 65535 },
        { "[::1]", "::1", 0 },
        { "[::1]:80", "::1", 80 },
        { "a_b-c.example.com", "a_b-c.example.com", 0 },
        { "", NULL, 0 },
        { ":80", NULL, 0 },
        { "host:", NULL, 0 },
        { "host:0", NULL, 0 },
        { "host:65536", NULL, 0 },
        { "host:80x", NULL, 0 },
        { "host:+80", NULL, 0 },
        { "::1", NULL, 0 },
        { "[::1", NULL, 0 },
        { "[]", NULL, 0 },
        { "[localhost]", NULL, 0 },
        { "[::1]x", NULL, 0 },
        { "[::1]80", NULL, 0 },
        { "user@host", NULL, 0 },
        { "host/path", NULL, 0 },
        { "ho st", NULL, 0 },
        { "localhost\t", NULL, 0 },
        { "h\xc3\xb6st", NULL, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_str host;
        uint16_t port = 1;
        bool good = ab_http_split_host(ab_str(cases[i].value), &host, &port);
        if (good != (cases[i].host != NULL) || (good && (!ab_str_is(host, cases[i].host) || port != cases[i].port))) {
            fail_msg("\"%s\"", cases[i].value);
        }
    }
}

static void origins(void **state)
{
    (void)state;
    struct ab_str scheme, host;
    uint16_t port;
    assert_true(ab_http_split_origin(AB_STR("http://localhost:7800"), &scheme, &host, &port));
    assert_true(ab_str_is(scheme, "http") && ab_str_is(host, "localhost") && port == 7800);
    assert_true(ab_http_split_origin(AB_STR("vscode-webview://abc"), &scheme, &host, &port));
    assert_true(ab_str_is(scheme, "vscode-webview") && ab_str_is(host, "abc") && port == 0);
    assert_true(ab_http_split_origin(AB_STR("https://[::1]:443"), &scheme, &host, &port));
    assert_true(ab_str_is(host, "::1") && port == 443);
    static const char *const cases[] = { "null",       "",         "localhost",          "http:/x",
                                         "://x",       "http://",  "http://x/",          "http://x y",
                                         "http://a@b", "1ttp://x", "http://a, http://b", "http://x:80:1" };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (ab_http_split_origin(ab_str(cases[i]), &scheme, &host, &port)) {
            fail_msg("\"%s\" was taken", cases[i]);
        }
    }
}

static void loopback(void **state)
{
    (void)state;
    static const char *const inside[] = { "localhost",       "LocalHost", "127.0.0.1",
                                          "127.255.255.254", "::1",       "0:0:0:0:0:0:0:1" };
    static const char *const outside[] = { "",
                                           "localhost.example.com",
                                           "127.0.0.1.example.com",
                                           "127.1",
                                           "0177.0.0.1",
                                           "2130706433",
                                           "0.0.0.0",
                                           "::",
                                           "::2",
                                           "10.0.0.1",
                                           "128.0.0.1",
                                           "evil-localhost",
                                           "localhost." };
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        assert_true(ab_http_is_loopback_host(ab_str(inside[i])));
    }
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_false(ab_http_is_loopback_host(ab_str(outside[i])));
    }
    assert_false(ab_http_is_loopback_host(AB_STR("localhost\0x")));
    assert_false(ab_http_is_loopback_host(AB_STR("127.0.0.1\0x")));
}

static void mcp_values(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *decoded; /* NULL: refused */
    } cases[] = {
        { "tools/call", "tools/call" },
        { "  padded ", "padded" },
        { "", "" },
        { "=?base64?w6Q=?=", "\xc3\xa4" },
        { "=?base64?"
          "?=",
          "" },
        { "=?base64?=", "=?base64?=" }, /* the two marks overlap: literal */
        { "=?base64?w6Q?=", NULL },
        { "=?base64?w6Q=", "=?base64?w6Q=" }, /* one mark alone: literal */
        { "w6Q=?=", "w6Q=?=" },
        { "=?base64?w 6Q=?=", NULL },
        { "=?base64?_w==?=", NULL },
        { "=?base64?/w==?=", NULL }, /* no UTF-8 */
        { "=?BASE64?w6Q=?=", "=?BASE64?w6Q=?=" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_buf out = AB_BUF_INIT(100);
        bool good = ab_http_decode_mcp_value(ab_str(cases[i].value), &out);
        if (good != (cases[i].decoded != NULL) || (good && !ab_str_is(ab_buf_str(&out), cases[i].decoded))) {
            fail_msg("\"%s\"", cases[i].value);
        }
        ab_buf_deinit(&out);
    }
}

static void queries(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *value; /* of "a"; NULL: absent or malformed */
    } cases[] = {
        { "", NULL },          { "a=1", "1" },    { "b=2&a=1&a=3", "1" },
        { "aa=1", NULL },      { "a", "" },       { "a=", "" },
        { "&&a=x=y&", "x=y" }, { "%61=1", "1" },  { "a=%C3%a4+%2B", "\xc3\xa4 +" },
        { "a=%", NULL },       { "a=%4", NULL },  { "a=%4g", NULL },
        { "a=%00", NULL },     { "a=%ff", NULL }, { "%4=1&a=2", "2" },
        { "b=%&a=2", "2" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_buf out = AB_BUF_INIT(100);
        bool good = ab_http_query_value(ab_str(cases[i].query), "a", &out);
        if (good != (cases[i].value != NULL) || (good && !ab_str_is(ab_buf_str(&out), cases[i].value))) {
            fail_msg("\"%s\"", cases[i].query);
        }
        ab_buf_deinit(&out);
    }
}

static void reasons(void **state)
{
    (void)state;
    assert_string_equal(ab_http_reason(404), "Not Found");
    assert_string_equal(ab_http_reason(799), "Unknown");
}

/* --- the fake exchange --- */

struct seen {
    int writable;
    int closed;
    bool finished;
};

static void see_writable(void *arg)
{
    ((struct seen *)arg)->writable++;
}

static void see_closed(void *arg, bool finished)
{
    ((struct seen *)arg)->closed++;
    ((struct seen *)arg)->finished = finished;
}

static const struct ab_http_events events = { .writable = see_writable, .closed = see_closed };

static void a_whole_answer(void **state)
{
    (void)state;
    struct ab_loop *loop = fake_loop_new();
    struct seen seen = { 0 };
    const char *const headers[] = { "Mcp-Method", "tools/call", NULL };
    struct fake_exchange *fake = fake_exchange_new(loop, "POST", "/mcp?x=1", headers, "{}");
    const struct ab_http_request *request = ab_http_request(&fake->base);
    assert_true(ab_str_is(request->path, "/mcp") && ab_str_is(request->query, "x=1"));
    struct ab_str value;
    assert_true(ab_http_header(&fake->base, "mcp-method", &value));
    assert_true(ab_str_is(value, "tools/call"));
    assert_false(ab_http_header(&fake->base, "origin", &value));
    ab_http_listen(&fake->base, &events, &seen);
    ab_http_respond_simple(&fake->base, 404, "text/plain", AB_STR("nothing"));
    assert_int_equal(seen.closed, 0);
    fake_loop_run_ready(loop);
    fake_exchange_leave(fake); /* too late to matter */
    fake_loop_run_ready(loop);
    assert_true(seen.closed == 1 && seen.finished && fake->status == 404);
    assert_string_equal(fake_exchange_body(fake), "nothing");
    fake_exchange_free(fake);
    fake_loop_free(loop);
}

static void a_slow_peer_that_leaves(void **state)
{
    (void)state;
    struct ab_loop *loop = fake_loop_new();
    struct seen seen = { 0 };
    struct fake_exchange *fake = fake_exchange_new(loop, "GET", "/", NULL, NULL);
    const struct ab_http_header header = { "Mcp-Session-Id", "s" };
    const struct ab_http_head head = { 200, "text/event-stream", &header, 1 };
    ab_http_listen(&fake->base, &events, &seen);
    ab_http_begin(&fake->base, &head);
    assert_int_equal(ab_http_write(&fake->base, AB_STR("a")), AB_OK);
    fake_exchange_behind(fake, true);
    assert_int_equal(ab_http_write(&fake->base, AB_STR("b")), AB_HTTP_BEHIND);
    fake_loop_run_ready(loop);
    assert_int_equal(seen.writable, 0);
    fake_exchange_behind(fake, false);
    fake_loop_run_ready(loop);
    assert_int_equal(seen.writable, 1);
    fake_exchange_leave(fake);
    assert_int_equal(ab_http_write(&fake->base, AB_STR("c")), AB_OK); /* ignored */
    fake_loop_run_ready(loop);
    assert_true(seen.closed == 1 && !seen.finished);
    assert_string_equal(fake_exchange_body(fake), "ab");
    assert_string_equal(fake_exchange_header(fake, "mcp-session-id"), "s");
    fake_exchange_free(fake);
    fake_loop_free(loop);
}

static void retry_after(void **state)
{
    static const struct {
        const char *value;
        int64_t ms; /* -1: malformed */
    } cases[] = {
        { "0", 0 },
        { " 120 ", 120000 },
        { "86401", 86401000 },
        { "Tue, 28 Jul 2026 00:01:00 GMT", 60000 },
        { "Mon, 27 Jul 2026 23:59:00 GMT", 0 },
        { "", -1 },
        { "-1", -1 },
        { "1.5", -1 },
        { "soon", -1 },
        { "99999999999999999999", -1 },
        { "Tue, 28 Jul 2026 00:01:00 CET", -1 },
        { "2026-07-28T00:01:00Z", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = -1;
        if (!ab_http_retry_after(ab_str(cases[i].value), FAKE_LOOP_START_MS, &ms)) {
            ms = -1;
        }
        assert_int_equal(ms, cases[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types),
        cmocka_unit_test(accepting),
        cmocka_unit_test(hosts),
        cmocka_unit_test(origins),
        cmocka_unit_test(loopback),
        cmocka_unit_test(mcp_values),
        cmocka_unit_test(queries),
        cmocka_unit_test(reasons),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(a_whole_answer),
        cmocka_unit_test(a_slow_peer_that_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
