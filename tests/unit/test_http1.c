/* HTTP/1.1 requests from bytes, cut anywhere. */
#include "base/mem.h"
#include "wire/http1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEADER_BYTES 400
#define BODY_BYTES 100

/* Reads all of `bytes`, handed over in two pieces, and writes down what came of it. */
static char *told_of(struct ab_str bytes, size_t cut)
{
    struct ab_http1_reader *reader = ab_http1_reader_new(HEADER_BYTES, BODY_BYTES);
    struct ab_str pieces[2] = { { bytes.data, cut }, { bytes.data + cut, bytes.size - cut } };
    struct ab_buf told = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool refused = false;

    for (int i = 0; i < 2; i++) {
        while (pieces[i].size > 0 && !refused) {
            enum ab_http1_step step = ab_http1_read(reader, &pieces[i]);
            const char *text;
            if (step == AB_HTTP1_WHOLE) {
                struct ab_http1_message *message = ab_http1_take(reader);
                struct ab_str value = AB_STR("-");
                (void)ab_http1_header(message, "x-a", &value);
                ab_buf_printf(&told, "%.*s %.*s ? %.*s [%.*s] (%.*s) %s%s%s; ", AB_STR_ARGS(message->method),
                              AB_STR_ARGS(message->path), AB_STR_ARGS(message->query), AB_STR_ARGS(value),
                              AB_STR_ARGS(ab_buf_str(&message->body)), message->keep_alive ? "k" : "",
                              message->expects_continue ? "e" : "", message->chunked ? "c" : "");
                ab_http1_message_free(message);
            } else if (step == AB_HTTP1_REFUSED) {
                ab_buf_printf(&told, "%u", ab_http1_refusal(reader, &text));
                refused = true;
            }
        }
    }
    if (ab_http1_is_inside(reader) && !refused)
        ab_buf_append_text(&told, "...");
    ab_http1_reader_free(reader);
    return ab_buf_steal(&told);
}

static const struct {
    const char *bytes;
    const char *told;
} cases[] = {
    { "GET / HTTP/1.1\r\n\r\n", "GET / ?  [-] () k; " },
    { "GET /a/b%2F?c=%26&d HTTP/1.1\r\nX-A: 1\r\n\r\n", "GET /a/b%2F ? c=%26&d [1] () k; " },
    { "GET /#f HTTP/1.1\r\nx-a:  spaced out \t\r\n\r\n", "GET / ?  [spaced out] () k; " },
    { "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "POST /p ?  [-] (abc) k; " },
    { "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n x", "POST /p ?  [-] (\n x) k; " },
    { "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\n x\nGET / HTTP/1.1\r\n\r\n",
      "POST /p ?  [-] ( x\n) k; GET / ?  [-] () k; " },
    { "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", "..." },
    { "POST /p HTTP/1.1\r\nContent-Length: 0\r\nX-A:\r\n\r\n", "POST /p ?  [] () k; " },
    { "POST /p HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", "POST /p ?  [-] (x) ke; " },
    { "GET / HTTP/1.1\r\nX-A: first\r\nx-a: second\r\n\r\n", "GET / ?  [first] () k; " },
    { "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / ?  [-] () ; " },
    { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / ?  [-] () ; " },
    { "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * ?  [-] () k; " },
    { "GET http://h:1/p?q HTTP/1.1\r\n\r\n", "GET /p ? q [-] () k; " },
    { "GET http://h HTTP/1.1\r\n\r\n", "GET / ?  [-] () k; " },
    { "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\naGET /b HTTP/1.1\r\n\r\nDELETE /c HTTP/1.1\r\n\r\n",
      "POST / ?  [-] (a) k; GET /b ?  [-] () k; DELETE /c ?  [-] () k; " },
    { "GET /h2c HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
      "GET /h2c ?  [-] () k; GET /b ?  [-] () k; " },
    { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "POST / ?  [-] (ab) kc; " },
    { "POST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: a trailer is no header, and longer than all "
      "that "
      "the head had room for\r\n\r\n",
      "POST /a ? b [-] () kc; " },
    /* refused */
    { "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "413" },
    { "GET / HTTP/1.1\r\nX-A: a\r\n b\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nX-A: a\r\n \r\nX-B: b\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nX-A:\r\n b\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nX-A: \n\tb\n\n", "400" },
    { "POST / HTTP/1.1\r\nContent-Length:\r\n 3\r\n\r\nabc", "400" },
    { "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\n X-A: a\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nX-A: \x01\r\n\r\n", "400" },
    { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: \x01\r\n\r\n", "400" },
    { "GET / HTTP/2.0\r\n\r\n", "505" },
    { "NONSENSE / HTTP/1.1\r\n\r\n", "400" },
    { "GET nowhere HTTP/1.1\r\n\r\n", "400" },
    { "\x16\x03\x01\x02\x03", "400" },
};

static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_str bytes = ab_str(cases[i].bytes);
        for (size_t cut = 0; cut <= bytes.size; cut++) {
            char *told = told_of(bytes, cut);
            if (strcmp(told, cases[i].told) != 0)
                fail_msg("%s\ncut at %zu gave \"%s\" instead of \"%s\"", cases[i].bytes, cut, told, cases[i].told);
            free(told);
        }
    }
}

static void heads_of_every_size(void **state)
{
    (void)state;
    for (size_t filler = 0; filler < 500; filler++) {
        struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        size_t head;
        char *told;
        ab_buf_append_text(&bytes, "POST / HTTP/1.1\r\nContent-Length: 1\r\nX-B: ");
        for (size_t i = 0; i < filler; i++)
            ab_buf_append_char(&bytes, 'b');
        ab_buf_append_text(&bytes, "\r\n\r\n");
        head = bytes.size;
        ab_buf_append_text(&bytes, "x");
        told = told_of(ab_buf_str(&bytes), filler % head);
        assert_string_equal(told, head <= HEADER_BYTES + 1 ? "POST / ?  [-] (x) k; " : "431");
        free(told);
        ab_buf_deinit(&bytes);
    }
}

/* Headers of three bytes are the ones that weigh most in what is kept of them. */
static void many_tiny_headers(void **state)
{
    struct ab_http1_reader *reader = ab_http1_reader_new(16384, 10);
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_http1_message *message;
    struct ab_str left;
    struct ab_str value;

    (void)state;
    ab_buf_append_text(&bytes, "GET / HTTP/1.1\r\n");
    while (bytes.size < 16300)
        ab_buf_append_text(&bytes, "a:\r\n");
    ab_buf_append_text(&bytes, "z: last\r\n\r\n");
    left = ab_buf_str(&bytes);
    assert_int_equal(ab_http1_read(reader, &left), AB_HTTP1_HEAD);
    assert_int_equal(ab_http1_read(reader, &left), AB_HTTP1_WHOLE);
    message = ab_http1_take(reader);
    assert_true(ab_http1_header(message, "z", &value));
    assert_true(ab_str_is(value, "last"));
    assert_true(ab_http1_header(message, "a", &value));
    assert_int_equal(value.size, 0);
    assert_true(ab_http1_header_at(message, "a", 1000, &value));
    assert_false(ab_http1_header_at(message, "z", 1, &value));
    ab_http1_message_free(message);
    ab_http1_reader_free(reader);
    ab_buf_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(heads_of_every_size),
        cmocka_unit_test(many_tiny_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
