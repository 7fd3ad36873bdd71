/* How an A2A call follows its task, with the clock in the test's hand: blocking sends, streams and subscriptions, slow
 * clients, clients that leave, a message instead of a task, and the end of the bridge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "a2a/a2a.h"
#include "base/mem.h"
#include "support/engine_rig.h"
#include "support/fake_exchange.h"

#include <string.h>

struct bench {
    struct rig *rig;
    struct ab_sealer *sealer;
    struct ab_a2a *a2a;
};

static int set_up(void **state)
{
    static const unsigned char keys[1][AB_SEAL_KEY_BYTES] = { { 7 } };
    struct bench *bench = ab_alloc(1, sizeof *bench);
    void *rig = NULL;

    assert_int_equal(rig_setup(&rig), 0);
    bench->rig = rig;
    bench->sealer = ab_sealer_new(keys, 1, ab_random_system());
    bench->a2a = ab_a2a_new(&(struct ab_a2a_settings){
        .engine = bench->rig->engine, .loop = bench->rig->loop, .sealer = bench->sealer, .default_agent = "one" });
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *rig = bench->rig;

    ab_a2a_free(bench->a2a);
    ab_sealer_free(bench->sealer);
    assert_int_equal(rig_teardown(&rig), 0);
    free(bench);
    return 0;
}

/* Without running the loop. */
static struct fake_exchange *ask(struct bench *bench, const char *method, const char *params)
{
    static const char *const headers[] = { "content-type", "application/json", NULL };
    AB_CLEANUP(ab_free_string)
    char *body = ab_format("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    struct fake_exchange *exchange = fake_exchange_new(bench->rig->loop, "POST", "/a2a/one", headers, body);

    ab_a2a_handle(bench->a2a, &exchange->base, "ann");
    return exchange;
}

static struct fake_exchange *call(struct bench *bench, const char *method, const char *params)
{
    struct fake_exchange *exchange = ask(bench, method, params);

    rig_run(bench->rig);
    return exchange;
}

#define MESSAGE "{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"parts\":[{\"text\":\"x\"}]}}"

static struct fake_run *latest_run(struct bench *bench)
{
    assert_true(bench->rig->one->n_runs > 0);
    return &bench->rig->one->runs[bench->rig->one->n_runs - 1];
}

static void report(struct bench *bench, enum ab_report_kind kind, const char *json)
{
    struct fake_run *run = latest_run(bench);
    bool ends = kind == AB_REPORT_RESULT || kind == AB_REPORT_SAY;

    assert_true(fake_report_json(run, kind, json) >= 0);
    if (ends && run->run != NULL)
        fake_end(run);
    rig_run(bench->rig);
}

static void report_text(struct bench *bench, enum ab_report_kind kind, const char *text)
{
    assert_true(fake_report_text(latest_run(bench), kind, text) >= 0);
    rig_run(bench->rig);
}

static void complete(struct bench *bench)
{
    report(bench, AB_REPORT_RESULT, "{\"text\":\"the result\"}");
}

static void assert_says(struct fake_exchange *exchange, const char *text)
{
    if (strstr(fake_exchange_body(exchange), text) == NULL)
        fail_msg("expected %s in: %s", text, fake_exchange_body(exchange));
}

static void assert_silent_about(struct fake_exchange *exchange, const char *text)
{
    if (strstr(fake_exchange_body(exchange), text) != NULL)
        fail_msg("did not expect %s in: %s", text, fake_exchange_body(exchange));
}

static size_t count(struct fake_exchange *exchange, const char *text)
{
    size_t n = 0;

    for (const char *at = fake_exchange_body(exchange); (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

/* The latest task, as a parameter. */
static char *named(struct bench *bench)
{
    return ab_format("{\"id\":\"%s\"}", latest_run(bench)->task_id);
}

/* --- a blocking send --- */

/* What is not told is passed over once, by a call that waits and by a stream: both stay among the newest events, which
 * need no reading of the store. */
static void test_what_is_not_told_is_passed_once(void **state)
{
    static const char *const methods[] = { "SendMessage", "SendStreamingMessage" };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct fake_exchange *exchange = call(bench, methods[i], MESSAGE);
        unsigned reads = bench->rig->store->event_reads;
        report_text(bench, AB_REPORT_CHUNK, "a piece");
        for (int n = 0; n < 100; n++)
            report_text(bench, AB_REPORT_LOG, "a line");
        assert_int_equal(bench->rig->store->event_reads, reads);
        complete(bench);
        assert_says(exchange, "the result");
        fake_exchange_free(exchange);
    }
}

static void test_send_waits_for_the_end(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = call(bench, "SendMessage", MESSAGE);

    report_text(bench, AB_REPORT_CHUNK, "a piece");
    rig_wait(bench->rig, 3000);
    assert_false(exchange->answered);
    complete(bench);
    assert_true(exchange->ended);
    assert_false(exchange->streamed);
    assert_says(exchange, "TASK_STATE_COMPLETED");
    fake_exchange_free(exchange);
}

static void test_send_returns_when_asked(void **state)
{
    static const struct {
        const char *question;
        const char *says;
    } table[] = {
        { "{\"q\":{\"kind\":\"approval\",\"title\":\"Go on?\"}}", "TASK_STATE_INPUT_REQUIRED" },
        { "{\"q\":{\"kind\":\"url\",\"message\":\"Sign in\",\"url\":\"https://example.com\"}}",
          "TASK_STATE_AUTH_REQUIRED" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fake_exchange *exchange = call(bench, "SendMessage", MESSAGE);
        report(bench, AB_REPORT_ASK, table[i].question);
        assert_true(exchange->ended);
        assert_says(exchange, table[i].says);
        assert_says(exchange, "\"questions\":{\"q\"");
        fake_exchange_free(exchange);
        complete(bench);
    }
}

static void test_leaving_cancels_nothing(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *early = ask(bench, "SendMessage", MESSAGE);

    fake_exchange_leave(early); /* before the task is there */
    rig_run(bench->rig);
    assert_int_equal(rig_status(bench->rig, latest_run(bench)->task_id), AB_TASK_EXECUTING);
    complete(bench);
    fake_exchange_free(early);

    struct fake_exchange *late = call(bench, "SendStreamingMessage", MESSAGE);
    report_text(bench, AB_REPORT_CHUNK, "a piece");
    fake_exchange_leave(late);
    rig_wait(bench->rig, 3600 * 1000);
    assert_int_equal(latest_run(bench)->n_stops, 1); /* its working time is over, long after */
    fake_exchange_free(late);
}

/* --- a stream --- */

static void test_stream_begins_when_there_is_a_task(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *quiet = call(bench, "SendStreamingMessage", MESSAGE);

    rig_wait(bench->rig, 249);
    assert_false(quiet->answered);
    rig_wait(bench->rig, 1);
    assert_true(quiet->streamed);
    assert_says(quiet, "\"task\":{");
    assert_says(quiet, "TASK_STATE_WORKING");
    complete(bench);
    assert_true(quiet->ended);
    fake_exchange_free(quiet);

    struct fake_exchange *busy = call(bench, "SendStreamingMessage", MESSAGE);
    report_text(bench, AB_REPORT_CHUNK, "a piece");
    assert_says(busy, "a piece");
    complete(bench);
    fake_exchange_free(busy);
}

static void test_message_instead_of_a_task(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *quick = call(bench, "SendStreamingMessage", MESSAGE);

    report(bench, AB_REPORT_SAY, "{\"parts\":[{\"text\":\"hello\"}]}");
    assert_true(quick->ended);
    assert_int_equal(count(quick, "data: "), 1);
    assert_says(quick, "\"message\":{");
    assert_silent_about(quick, "taskId");
    fake_exchange_free(quick);

    /* Once it was told of a task, what the agent says is that task's result. */
    struct fake_exchange *late = call(bench, "SendStreamingMessage", MESSAGE);
    rig_wait(bench->rig, 300);
    report(bench, AB_REPORT_SAY, "{\"parts\":[{\"text\":\"hello\"}]}");
    assert_true(late->ended);
    assert_says(late, "\"artifactUpdate\":{");
    assert_says(late, "TASK_STATE_COMPLETED");
    fake_exchange_free(late);
}

static void test_stream_and_authorization(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = call(bench, "SendStreamingMessage", MESSAGE);

    report(bench, AB_REPORT_ASK, "{\"q\":{\"kind\":\"url\",\"message\":\"Sign in\",\"url\":\"https://example.com\"}}");
    assert_says(exchange, "TASK_STATE_AUTH_REQUIRED");
    assert_false(exchange->ended);
    report_text(bench, AB_REPORT_EXECUTING, "signed in");
    complete(bench);
    assert_true(exchange->ended);
    assert_says(exchange, "signed in");
    fake_exchange_free(exchange);
}

static void test_subscription_stays_through_questions(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *send = call(bench, "SendStreamingMessage", MESSAGE);
    AB_CLEANUP(ab_free_string) char *task = named(bench);
    struct fake_exchange *one = call(bench, "SubscribeToTask", task);
    struct fake_exchange *two = call(bench, "tasks/resubscribe", task);

    assert_says(one, "\"task\":{");
    report(bench, AB_REPORT_ASK, "{\"q\":{\"kind\":\"approval\",\"title\":\"Go on?\"}}");
    assert_true(send->ended);
    assert_false(one->ended);
    assert_says(two, "\"state\":\"input-required\"");
    assert_silent_about(two, "\"final\":true");
    complete(bench);
    assert_true(one->ended);
    assert_true(two->ended);
    assert_int_equal(count(two, "\"final\":true"), 1);
    fake_exchange_free(send);
    fake_exchange_free(one);
    fake_exchange_free(two);
}

static void test_subscription_tells_earlier_pieces(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *send = call(bench, "SendMessage", MESSAGE);
    AB_CLEANUP(ab_free_string) char *task = named(bench);
    struct fake_exchange *late;

    report_text(bench, AB_REPORT_CHUNK, "one ");
    report_text(bench, AB_REPORT_CHUNK, "two ");
    late = call(bench, "SubscribeToTask", task);
    assert_says(late, "\"parts\":[{\"text\":\"one two \"}]");
    assert_silent_about(late, "append");
    report_text(bench, AB_REPORT_CHUNK, "three");
    assert_says(late, "\"parts\":[{\"text\":\"three\"}]},\"append\":true");
    complete(bench);
    fake_exchange_free(send);
    fake_exchange_free(late);
}

static void test_slow_client_lags(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = call(bench, "SendStreamingMessage", MESSAGE);
    size_t writes;

    report_text(bench, AB_REPORT_CHUNK, "first");
    fake_exchange_behind(exchange, true);
    report_text(bench, AB_REPORT_CHUNK, "second"); /* is taken, and says that it is too much */
    writes = exchange->writes;
    for (size_t i = 0; i < 200; i++)
        report_text(bench, AB_REPORT_CHUNK, "more");
    rig_wait(bench->rig, 20000);
    assert_int_equal(exchange->writes, writes);
    fake_exchange_behind(exchange, false);
    rig_run(bench->rig);
    assert_int_equal(count(exchange, "\"more\""), 200);
    complete(bench);
    assert_true(exchange->ended);
    fake_exchange_free(exchange);
}

static void test_silence_is_broken(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = call(bench, "SendStreamingMessage", MESSAGE);

    rig_wait(bench->rig, 300);
    fake_exchange_forget(exchange);
    rig_wait(bench->rig, 10000);
    assert_says(exchange, ": ");
    complete(bench);
    fake_exchange_free(exchange);
}

/* It was behind while its task ended and was removed: there is nothing left to read on from. */
static void test_a_slow_stream_of_a_removed_task_ends(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = call(bench, "SendStreamingMessage", MESSAGE);

    report_text(bench, AB_REPORT_CHUNK, "a piece");
    assert_says(exchange, "a piece");
    fake_exchange_behind(exchange, true);
    report_text(bench, AB_REPORT_CHUNK, "more");
    complete(bench);
    ab_engine_remove(bench->rig->engine, "ann", latest_run(bench)->task_id, NULL, NULL);
    rig_run(bench->rig);
    fake_exchange_behind(exchange, false);
    rig_run(bench->rig);
    assert_says(exchange, "cannot be read any more");
    assert_true(exchange->ended);
    fake_exchange_free(exchange);
}

static void test_drain_ends_subscriptions(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *send = call(bench, "SendMessage", MESSAGE);
    AB_CLEANUP(ab_free_string) char *task = named(bench);
    struct fake_exchange *subscription = call(bench, "SubscribeToTask", task);

    ab_a2a_drain(bench->a2a);
    rig_run(bench->rig);
    assert_true(subscription->ended);
    assert_false(send->ended);
    complete(bench);
    assert_true(send->ended);
    fake_exchange_free(send);
    fake_exchange_free(subscription);
}

/* --- what cannot be done now --- */

static void test_storage_that_refuses(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange;

    bench->rig->store->fail_from = 1;
    bench->rig->store->fail_count = 1;
    bench->rig->store->fail_as = AB_STORE_REFUSED;
    exchange = call(bench, "SendMessage", MESSAGE);
    assert_true(exchange->ended);
    assert_int_equal(exchange->status, 200);
    assert_says(exchange, "\"reason\":\"UNAVAILABLE\"");
    fake_exchange_free(exchange);
}

/* What goes wrong on an open stream is its last event. */
static void test_error_on_an_open_stream(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = call(bench, "SendStreamingMessage", MESSAGE);

    report_text(bench, AB_REPORT_CHUNK, "first");
    fake_exchange_behind(exchange, true);
    for (size_t i = 0; i < 200; i++)
        report_text(bench, AB_REPORT_CHUNK, "more");
    bench->rig->store->unreadable = true;
    fake_exchange_forget(exchange);
    fake_exchange_behind(exchange, false);
    rig_run(bench->rig);
    bench->rig->store->unreadable = false;
    assert_true(exchange->ended);
    assert_says(exchange, "event: error\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,");
    fake_exchange_free(exchange);
    complete(bench); /* the task has lost nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_not_told_is_passed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_send_waits_for_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_send_returns_when_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaving_cancels_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stream_begins_when_there_is_a_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_message_instead_of_a_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stream_and_authorization, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subscription_stays_through_questions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subscription_tells_earlier_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_client_lags, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence_is_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_slow_stream_of_a_removed_task_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drain_ends_subscriptions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_storage_that_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_error_on_an_open_stream, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("a2a_follow", tests, NULL, NULL);
}
