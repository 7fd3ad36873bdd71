/* A reply: who is done first, the client or the house; and what is said too late. */
#include "wire/http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/fake_exchange.h"
#include "support/fake_loop.h"

struct bench {
    struct ab_loop *loop;
    struct fake_exchange *exchange;
    struct ab_http_reply reply;
    unsigned caught_up;
    unsigned left;
    unsigned done;
};

static void on_caught_up(void *arg)
{
    ((struct bench *)arg)->caught_up++;
}

static void on_left(void *arg)
{
    struct bench *bench = arg;

    assert_null(bench->reply.exchange);
    bench->left++;
}

static void on_done(void *arg)
{
    struct bench *bench = arg;

    assert_int_equal(bench->left, 1);
    bench->done++;
}

static int set_up(void **state)
{
    static const struct ab_http_reply_events events = { .caught_up = on_caught_up, .left = on_left, .done = on_done };
    struct bench *bench = ab_alloc(1, sizeof *bench);

    bench->loop = fake_loop_new();
    bench->exchange = fake_exchange_new(bench->loop, "POST", "/x", NULL, "");
    ab_http_reply_init(&bench->reply, &bench->exchange->base, &events, bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    fake_exchange_free(bench->exchange);
    fake_loop_free(bench->loop);
    free(bench);
    return 0;
}

static void leave(struct bench *bench)
{
    fake_exchange_leave(bench->exchange);
    fake_loop_run_ready(bench->loop);
}

static const struct ab_http_head plain = { .status = 200, .content_type = "text/plain" };
static const struct ab_http_head stream = { .status = 200, .content_type = "text/event-stream" };

static void test_whole(void **state)
{
    struct bench *bench = *state;

    ab_http_reply_whole(&bench->reply, &plain, AB_STR("yes"));
    assert_false(ab_http_reply_is_open(&bench->reply));
    ab_http_reply_whole(&bench->reply, &plain, AB_STR("no"));
    ab_http_reply_begin(&bench->reply, &stream);
    ab_http_reply_event(&bench->reply, NULL, NULL, AB_STR("no"));
    ab_http_reply_end(&bench->reply);
    fake_loop_run_ready(bench->loop);
    assert_string_equal(fake_exchange_body(bench->exchange), "yes");
    assert_int_equal(bench->done, 1);
}

static void test_stream(void **state)
{
    struct bench *bench = *state;

    ab_http_reply_event(&bench->reply, NULL, NULL, AB_STR("before the head"));
    ab_http_reply_comment(&bench->reply);
    ab_http_reply_end(&bench->reply);
    ab_http_reply_begin(&bench->reply, &stream);
    ab_http_reply_begin(&bench->reply, &stream);
    ab_http_reply_whole(&bench->reply, &plain, AB_STR("no"));
    ab_http_reply_event(&bench->reply, "error", "7", AB_STR("one"));
    ab_http_reply_comment(&bench->reply);
    ab_http_reply_end(&bench->reply);
    ab_http_reply_event(&bench->reply, NULL, NULL, AB_STR("behind the end"));
    fake_loop_run_ready(bench->loop);
    assert_string_equal(fake_exchange_body(bench->exchange), "event: error\nid: 7\ndata: one\n\n: still here\n\n");
    assert_int_equal(bench->done, 1);
}

/* What is said is taken, but a comment tells nothing that is worth waiting for. */
static void test_slow_client(void **state)
{
    struct bench *bench = *state;

    ab_http_reply_begin(&bench->reply, &stream);
    fake_exchange_behind(bench->exchange, true);
    ab_http_reply_event(&bench->reply, NULL, NULL, AB_STR("one"));
    assert_true(bench->reply.behind);
    ab_http_reply_comment(&bench->reply);
    fake_exchange_behind(bench->exchange, false);
    fake_loop_run_ready(bench->loop);
    assert_false(bench->reply.behind);
    assert_int_equal(bench->caught_up, 1);
    assert_string_equal(fake_exchange_body(bench->exchange), "data: one\n\n");
    leave(bench);
    assert_int_equal(bench->done, 1);
}

/* The client leaves while two callbacks are to come: the last of them is the end. */
static void test_client_leaves_first(void **state)
{
    struct bench *bench = *state;

    ab_http_reply_promise(&bench->reply);
    ab_http_reply_promise(&bench->reply);
    leave(bench);
    assert_int_equal(bench->left, 1);
    assert_int_equal(bench->done, 0);
    ab_http_reply_whole(&bench->reply, &plain, AB_STR("too late"));
    assert_false(ab_http_reply_kept(&bench->reply));
    assert_int_equal(bench->done, 0);
    assert_false(ab_http_reply_kept(&bench->reply));
    assert_int_equal(bench->done, 1);
    assert_false(bench->exchange->answered);
}

static void test_house_is_done_first(void **state)
{
    struct bench *bench = *state;

    ab_http_reply_promise(&bench->reply);
    assert_true(ab_http_reply_kept(&bench->reply));
    assert_int_equal(bench->done, 0);
    leave(bench);
    assert_int_equal(bench->done, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_client_leaves_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_house_is_done_first, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
