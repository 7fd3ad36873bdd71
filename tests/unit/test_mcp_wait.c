/* How an MCP call waits, with the clock in the test's hand: grace, hold, wait_s, heartbeats, progress numbers, slow
 * clients, and clients that leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/seal.h"
#include "base/mem.h"
#include "mcp/mcp.h"
#include "support/engine_rig.h"
#include "support/fake_exchange.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct bench {
    struct rig *rig;
    struct ab_sealer *sealer;
    struct ab_mcp *mcp;
};

static int set_up(void **state)
{
    static const unsigned char keys[1][AB_SEAL_KEY_BYTES] = { { 7 } };
    struct bench *bench = ab_alloc(1, sizeof(*bench));
    void *rig = NULL;
    char reason[512] = "";

    assert_int_equal(rig_setup(&rig), 0);
    bench->rig = rig;
    bench->sealer = ab_sealer_new(keys, 1, ab_random_system());
    bench->mcp = ab_mcp_new(&(struct ab_mcp_settings){ .engine = bench->rig->engine,
                                                       .store = bench->rig->settings.store,
                                                       .loop = bench->rig->loop,
                                                       .sealer = bench->sealer,
                                                       .disconnect_grace_ms = 20000 },
                            reason, sizeof(reason));
    assert_string_equal(reason, "");
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *rig = bench->rig;

    ab_mcp_free(bench->mcp);
    ab_sealer_free(bench->sealer);
    assert_int_equal(rig_teardown(&rig), 0);
    free(bench);
    return 0;
}

enum client { PLAIN, WITH_TASKS };

/* Calls `tool` in the modern era. `meta` is more of `_meta` (",\"progressToken\":1"), `who` the client's name. */
static struct fake_exchange *call(struct bench *bench, enum client client, const char *who, const char *meta,
                                  const char *tool, const char *arguments)
{
    const char *const headers[] = { "content-type",
                                    "application/json",
                                    "accept",
                                    "application/json, text/event-stream",
                                    "mcp-protocol-version",
                                    "2026-07-28",
                                    "mcp-method",
                                    "tools/call",
                                    "mcp-name",
                                    tool,
                                    NULL };
    AB_CLEANUP(ab_free_string)
    char *body = ab_format(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":%s,"
        "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"%s\",\"version\":\"1\"},"
        "\"io.modelcontextprotocol/clientCapabilities\":%s%s}}}",
        tool, arguments, who, client == WITH_TASKS ? "{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}" : "{}",
        meta);
    struct fake_exchange *exchange = fake_exchange_new(bench->rig->loop, "POST", "/mcp", headers, body);

    ab_mcp_handle(bench->mcp, &exchange->base, "ann");
    rig_run(bench->rig);
    return exchange;
}

static struct fake_exchange *invoke(struct bench *bench, enum client client, const char *meta, const char *more)
{
    AB_CLEANUP(ab_free_string) char *arguments = ab_format("{\"agent\":\"one\",\"text\":\"x\"%s}", more);

    return call(bench, client, "test", meta, "invoke", arguments);
}

static struct fake_run *latest_run(struct bench *bench)
{
    assert_true(bench->rig->one->n_runs > 0);
    return &bench->rig->one->runs[bench->rig->one->n_runs - 1];
}

static void complete(struct bench *bench)
{
    struct fake_run *run = latest_run(bench);

    assert_true(fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"the result\"}") >= 0);
    if (run->run != NULL)
        fake_end(run);
    rig_run(bench->rig);
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

/* --- when the answer comes --- */

static const struct moment {
    const char *name;
    enum client client;
    const char *who;
    const char *more;   /* arguments */
    uint32_t before_ms; /* nothing is answered yet */
    uint32_t at_ms;     /* now it is */
    const char *says;
} moments[] = {
    { "the extension: a handle after the grace", WITH_TASKS, "test", "", 1999, 2000, "\"resultType\":\"task\"" },
    { "no extension: still running after the hold", PLAIN, "test", "", 44999, 45000, "\"retry_after_s\":1" },
    { "wait_s replaces the hold", PLAIN, "test", ",\"wait_s\":3.5", 3499, 3500, "\"status\":\"executing\"" },
    { "wait_s replaces the grace", WITH_TASKS, "test", ",\"wait_s\":5", 4999, 5000, "\"resultType\":\"task\"" },
    { "wait_s is lowered to the limit", PLAIN, "test", ",\"wait_s\":1000", 54999, 55000, "\"status\":\"executing\"" },
    { "a host of little patience", PLAIN, "openai-agents-mcp", "", 3999, 4000, "\"status\":\"executing\"" },
    { "a host of much patience", PLAIN, "claude-code", ",\"wait_s\":58", 57999, 58000, "\"status\":\"executing\"" },
};

static void test_moments(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        const struct moment *moment = &moments[i];
        AB_CLEANUP(ab_free_string) char *arguments = ab_format("{\"agent\":\"one\",\"text\":\"x\"%s}", moment->more);
        struct fake_exchange *exchange = call(bench, moment->client, moment->who, "", "invoke", arguments);
        rig_wait(bench->rig, moment->before_ms);
        if (exchange->ended)
            fail_msg("%s: answered too early: %s", moment->name, fake_exchange_body(exchange));
        rig_wait(bench->rig, (int64_t)moment->at_ms - (int64_t)moment->before_ms);
        if (!exchange->ended)
            fail_msg("%s: not answered", moment->name);
        assert_says(exchange, moment->says);
        assert_silent_about(exchange, "isError");
        fake_exchange_free(exchange);
        complete(bench);
    }
}

static void test_at_once(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, WITH_TASKS, "", ",\"wait_s\":0");

    rig_wait(bench->rig, 0);
    assert_true(exchange->ended);
    assert_false(exchange->streamed);
    assert_says(exchange, "\"resultType\":\"task\"");
    complete(bench);
    fake_exchange_free(exchange);
}

static void test_quick_answer_is_plain_json(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, WITH_TASKS, "", "");

    rig_wait(bench->rig, 200);
    complete(bench);
    assert_true(exchange->ended);
    assert_false(exchange->streamed);
    assert_string_equal(exchange->content_type, "application/json");
    assert_says(exchange, "the result");
    fake_exchange_free(exchange);
}

static void test_late_answer_is_a_stream(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, "", "");

    rig_wait(bench->rig, 249);
    assert_false(exchange->answered);
    rig_wait(bench->rig, 1);
    assert_true(exchange->streamed);
    complete(bench);
    assert_true(exchange->ended);
    assert_says(exchange, "the result");
    fake_exchange_free(exchange);
}

/* --- progress --- */

static void test_progress_rises(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, ",\"progressToken\":\"t\"", "");
    struct fake_run *run = latest_run(bench);

    (void)fake_report_progress(run, 10, 100, "ten");
    rig_run(bench->rig);
    assert_says(exchange, "\"progress\":10,\"total\":100,\"message\":\"ten\"");
    fake_exchange_forget(exchange);
    /* Lower than before: a small step instead, (100 - 10) / 1000. */
    (void)fake_report_progress(run, 5, 100, "back");
    rig_run(bench->rig);
    assert_says(exchange, "\"progress\":10.09,");
    fake_exchange_forget(exchange);
    rig_wait(bench->rig, 10000);
    assert_says(exchange, "notifications/progress");
    complete(bench);
    fake_exchange_free(exchange);
}

static void test_nothing_without_a_token(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, "", "");

    (void)fake_report_progress(latest_run(bench), 1, (double)NAN, "one");
    rig_wait(bench->rig, 30000);
    assert_silent_about(exchange, "notifications/");
    complete(bench);
    fake_exchange_free(exchange);
}

static void test_heartbeat_only_after_a_while(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, ",\"progressToken\":3", "");

    rig_wait(bench->rig, 9999);
    assert_silent_about(exchange, "notifications/");
    rig_wait(bench->rig, 1);
    assert_says(exchange, "\"progressToken\":3");
    complete(bench);
    fake_exchange_free(exchange);
}

/* Pieces of an answer that nobody follows are passed over once: the waiting call stays among the newest events, which
 * need no reading of the store. */
static void test_what_is_not_wanted_is_passed_once(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, "", "");

    for (int i = 0; i < 100; i++) {
        (void)fake_report_text(latest_run(bench), AB_REPORT_CHUNK, "a piece");
        rig_run(bench->rig);
    }
    assert_int_equal(bench->rig->store->event_reads, 0);
    complete(bench);
    assert_true(exchange->ended);
    assert_says(exchange, "the result");
    fake_exchange_free(exchange);
}

/* --- a slow client --- */

static void test_slow_client_lags(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, ",\"progressToken\":\"t\"", "");
    struct fake_run *run = latest_run(bench);
    size_t writes;

    fake_exchange_behind(exchange, true);
    (void)fake_report_progress(run, 1, 100, NULL);
    rig_run(bench->rig);
    writes = exchange->writes;
    for (int i = 2; i < 50; i++) {
        (void)fake_report_progress(run, i, 100, NULL);
        rig_run(bench->rig);
    }
    assert_int_equal(exchange->writes, writes); /* nothing was read for it, so nothing waits */
    fake_exchange_behind(exchange, false);
    rig_run(bench->rig);
    assert_says(exchange, "\"progress\":49,");
    complete(bench);
    assert_true(exchange->ended);
    fake_exchange_free(exchange);
}

/* --- clients that leave --- */

/* Its end is not in any log any more: the call must not wait for it until its time is up. */
static void test_slow_client_of_a_removed_task(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, ",\"progressToken\":1", "");

    (void)fake_report_progress(latest_run(bench), 1, 100, NULL);
    rig_run(bench->rig);
    fake_exchange_behind(exchange, true);
    (void)fake_report_progress(latest_run(bench), 2, 100, NULL);
    rig_run(bench->rig);
    complete(bench);
    ab_engine_remove(bench->rig->engine, "ann", latest_run(bench)->task_id, NULL, NULL);
    rig_run(bench->rig);
    assert_false(exchange->ended);
    fake_exchange_behind(exchange, false);
    rig_run(bench->rig);
    assert_says(exchange, "The task cannot be read any more");
    assert_true(exchange->ended);
    fake_exchange_free(exchange);
}

static void test_leaving_gives_a_grace(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, "", "");
    char id[AB_TASK_ID_SIZE];

    memcpy(id, latest_run(bench)->task_id, sizeof(id));
    fake_exchange_leave(exchange);
    rig_wait(bench->rig, 19999);
    assert_int_equal(rig_status(bench->rig, id), AB_TASK_EXECUTING);
    rig_wait(bench->rig, 2000);
    assert_int_not_equal(rig_status(bench->rig, id), AB_TASK_EXECUTING);
    fake_exchange_free(exchange);
}

static void test_coming_back_keeps_it(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, PLAIN, "", "");
    struct fake_exchange *again;
    AB_CLEANUP(ab_free_string)
    char *arguments = ab_format("{\"task_id\":\"%s\",\"wait_s\":0}", latest_run(bench)->task_id);

    fake_exchange_leave(exchange);
    rig_wait(bench->rig, 1000);
    again = call(bench, PLAIN, "test", "", "get-task", arguments);
    assert_says(again, "\"status\":\"executing\"");
    complete(bench);
    assert_int_equal(rig_status(bench->rig, latest_run(bench)->task_id), AB_TASK_COMPLETED);
    fake_exchange_free(again);
    fake_exchange_free(exchange);
}

static void test_a_handle_is_no_disconnect(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange = invoke(bench, WITH_TASKS, "", ",\"wait_s\":0");

    rig_wait(bench->rig, 0);
    assert_true(exchange->ended);
    fake_exchange_free(exchange);
    assert_int_equal(rig_status(bench->rig, latest_run(bench)->task_id), AB_TASK_EXECUTING);
    complete(bench);
}

static void test_leaving_before_the_task_is_stored(void **state)
{
    struct bench *bench = *state;
    const char *const headers[] = { "content-type",
                                    "application/json",
                                    "accept",
                                    "text/event-stream",
                                    "mcp-protocol-version",
                                    "2026-07-28",
                                    "mcp-method",
                                    "tools/call",
                                    "mcp-name",
                                    "invoke",
                                    NULL };
    struct fake_exchange *exchange = fake_exchange_new(
        bench->rig->loop, "POST", "/mcp", headers,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"invoke\",\"arguments\":"
        "{\"agent\":\"one\",\"text\":\"x\"},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}");

    ab_mcp_handle(bench->mcp, &exchange->base, "ann");
    fake_exchange_leave(exchange);
    rig_run(bench->rig);
    fake_exchange_free(exchange);
    assert_int_equal(rig_count_tasks(bench->rig), 1);
    rig_wait(bench->rig, 602000);
}

/* --- get-task --- */

static void test_get_task_waits_for_the_end(void **state)
{
    struct bench *bench = *state;
    struct made made = rig_made(bench->rig, "one", NULL);
    AB_CLEANUP(ab_free_string) char *arguments = ab_format("{\"task_id\":\"%s\"}", made.id);
    struct fake_exchange *exchange = call(bench, PLAIN, "test", "", "get-task", arguments);

    rig_wait(bench->rig, 20000);
    assert_false(exchange->ended);
    complete(bench);
    assert_true(exchange->ended);
    assert_says(exchange, "\"status\":\"completed\"");
    fake_exchange_free(exchange);
}

static void test_get_task_returns_at_the_next_event(void **state)
{
    struct bench *bench = *state;
    struct made made = rig_made(bench->rig, "one", NULL);
    struct ab_task row = rig_row(bench->rig, made.id);
    AB_CLEANUP(ab_free_string)
    char *arguments =
        ab_format("{\"task_id\":\"%s\",\"events_after\":%llu}", made.id, (unsigned long long)row.last_event);
    struct fake_exchange *exchange = call(bench, PLAIN, "test", "", "get-task", arguments);

    ab_task_deinit(&row);
    rig_wait(bench->rig, 1000);
    assert_false(exchange->ended);
    (void)fake_report_text(latest_run(bench), AB_REPORT_CHUNK, "a piece");
    rig_run(bench->rig);
    assert_true(exchange->ended);
    assert_says(exchange, "\"kind\":\"chunk\",\"text\":\"a piece\"");
    complete(bench);
    fake_exchange_free(exchange);
}

static void test_foreign_task_does_not_exist(void **state)
{
    struct bench *bench = *state;
    struct ab_new_task wish = rig_wish();
    struct made made = { 0 };

    wish.owner = "bob";
    rig_create(bench->rig, &wish, &made);
    rig_run(bench->rig);
    AB_CLEANUP(ab_free_string) char *arguments = ab_format("{\"task_id\":\"%s\"}", made.id);
    struct fake_exchange *exchange = call(bench, PLAIN, "test", "", "get-task", arguments);
    assert_says(exchange, "There is no task");
    assert_says(exchange, "\"isError\":true");
    fake_exchange_free(exchange);
    complete(bench);
}

/* --- requestState --- */

/* invoke by a client that can be asked; `more` goes into the params. */
static struct fake_exchange *asked(struct bench *bench, const char *owner, const char *more)
{
    const char *const headers[] = { "content-type",
                                    "application/json",
                                    "accept",
                                    "application/json, text/event-stream",
                                    "mcp-protocol-version",
                                    "2026-07-28",
                                    "mcp-method",
                                    "tools/call",
                                    "mcp-name",
                                    "invoke",
                                    NULL };
    AB_CLEANUP(ab_free_string)
    char *body = ab_format(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"invoke\",\"arguments\":"
        "{\"agent\":\"one\",\"text\":\"x\"},%s\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
        "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}}}}",
        more);
    struct fake_exchange *exchange = fake_exchange_new(bench->rig->loop, "POST", "/mcp", headers, body);

    ab_mcp_handle(bench->mcp, &exchange->base, owner);
    rig_run(bench->rig);
    return exchange;
}

static struct fake_exchange *retry(struct bench *bench, const char *owner, const char *state)
{
    AB_CLEANUP(ab_free_string)
    char *more = ab_format("\"requestState\":\"%s\",\"inputResponses\":{\"ok\":{\"action\":\"accept\"}},", state);

    return asked(bench, owner, more);
}

static void assert_refused_state(struct bench *bench, const char *owner, const char *state)
{
    struct fake_exchange *exchange = retry(bench, owner, state);

    assert_says(exchange, "\"code\":-32602");
    assert_says(exchange, "requestState");
    assert_int_equal(latest_run(bench)->n_answers, 0);
    fake_exchange_free(exchange);
}

/* The state that a question on the call came with; the caller frees. */
static char *ask(struct bench *bench)
{
    struct fake_exchange *exchange = asked(bench, "ann", "");

    (void)fake_report_json(latest_run(bench), AB_REPORT_ASK, "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}");
    rig_run(bench->rig);
    const char *begin = strstr(fake_exchange_body(exchange), "\"requestState\":\"");
    assert_non_null(begin);
    begin += strlen("\"requestState\":\"");
    char *state = ab_strndup(begin, strcspn(begin, "\""));
    fake_exchange_free(exchange);
    return state;
}

static void test_a_state_is_its_callers(void **state)
{
    struct bench *bench = *state;
    AB_CLEANUP(ab_free_string) char *token = ask(bench);

    assert_refused_state(bench, "bob", token);
    rig_wait(bench->rig, 10000);
    struct fake_exchange *exchange = retry(bench, "ann", token);
    assert_int_equal(latest_run(bench)->n_answers, 1);
    complete(bench);
    assert_says(exchange, "the result");
    fake_exchange_free(exchange);
}

static void test_a_state_expires(void **state)
{
    struct bench *bench = *state;
    AB_CLEANUP(ab_free_string) char *token = ask(bench);

    rig_wait(bench->rig, 3600 * 1000 + 1000);
    assert_refused_state(bench, "ann", token);
    struct fake_exchange *exchange = retry(bench, "ann", token);
    assert_says(exchange, "too old");
    fake_exchange_free(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_moments),
        TEST(test_at_once),
        TEST(test_quick_answer_is_plain_json),
        TEST(test_late_answer_is_a_stream),
        TEST(test_progress_rises),
        TEST(test_nothing_without_a_token),
        TEST(test_what_is_not_wanted_is_passed_once),
        TEST(test_heartbeat_only_after_a_while),
        TEST(test_slow_client_lags),
        TEST(test_slow_client_of_a_removed_task),
        TEST(test_leaving_gives_a_grace),
        TEST(test_coming_back_keeps_it),
        TEST(test_a_handle_is_no_disconnect),
        TEST(test_leaving_before_the_task_is_stored),
        TEST(test_get_task_waits_for_the_end),
        TEST(test_get_task_returns_at_the_next_event),
        TEST(test_foreign_task_does_not_exist),
        TEST(test_a_state_is_its_callers),
        TEST(test_a_state_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
