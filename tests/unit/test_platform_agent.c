/* The `platform` agent against a platform that is played by hand, with a clock that the test turns: what is asked next
 * after whatever happened, and when. */
#include "agents/platform.h"
#include "support/fake_client.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"
#include "support/fake_store.h"

#include "base/mem.h"
#include "store/memory.h"
#include "task/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Of one task. */
enum { OUTPUT_BYTES = 100000 };

struct bench {
    struct ab_loop *loop;
    struct fake_store *store;
    struct fake_client *client;
    struct fake_random random;
    struct ab_engine *engine;
    unsigned n_engines;
    enum ab_rest_mode mode;
    char id[AB_TASK_ID_SIZE];
    unsigned n_created;
};

/* --- the bench --- */

static void engine_begin(struct bench *bench)
{
    const struct ab_platform_settings settings = {
        .id = "far",
        .target = { .url = "http://p.example", .agent_id = "a" },
        .mode = bench->mode,
        .api_key = "key-0123456789",
        .surface_field = "source_node_type",
        .poll_ms = 1000,
        .poll_longest_ms = 4000,
        .retries = 3,
        .loop = bench->loop,
        .client = &bench->client->client,
        .random = fake_random(&bench->random, 7),
    };
    const struct ab_engine_settings engine = { .loop = bench->loop,
                                               .store = &bench->store->store,
                                               .output_bytes = OUTPUT_BYTES,
                                               .random = fake_random(&bench->random, ++bench->n_engines) };
    const struct ab_agent_settings agent = { .id = "far", .kind = "platform", .timeout_ms = 600000 };

    bench->engine = ab_engine_new(&engine);
    ab_engine_add_agent(bench->engine, &agent, ab_platform_agent_new(&settings));
    assert_int_equal(ab_engine_start(bench->engine), AB_OK);
    fake_loop_run_ready(bench->loop);
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

static void engine_end(struct bench *bench)
{
    bool down = false;

    ab_engine_shut_down(bench->engine, set_true, &down);
    fake_loop_run_ready(bench->loop);
    assert_true(down);
    ab_engine_free(bench->engine);
}

static int set_up(void **state)
{
    struct bench *bench = ab_alloc(1, sizeof *bench);

    bench->loop = fake_loop_new();
    bench->store = fake_store_new(ab_store_memory_new(bench->loop), bench->loop);
    bench->client = fake_client_new(bench->loop);
    engine_begin(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    engine_end(bench);
    bench->client->client.ops->free(&bench->client->client);
    bench->store->store.ops->free(&bench->store->store);
    fake_loop_run_ready(bench->loop);
    fake_loop_free(bench->loop);
    free(bench);
    return 0;
}

static void restart(struct bench *bench)
{
    engine_end(bench);
    engine_begin(bench);
}

static void set_mode(struct bench *bench, enum ab_rest_mode mode)
{
    bench->mode = mode;
    restart(bench);
}

static void on_created(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct bench *bench = arg;

    (void)text;
    assert_int_equal(outcome, AB_CREATE_DONE);
    memcpy(bench->id, task->id, sizeof bench->id);
    bench->n_created++;
}

static void create(struct bench *bench, const char *thread, const char *options, const char *secrets)
{
    ab_engine_create(
        bench->engine,
        &(struct ab_new_task){ .owner = "ann",
                               .agent = "far",
                               .surface = "mcp",
                               .thread_id = thread,
                               .message_json = "{\"message_id\":\"m\",\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}",
                               .input_json = "{\"text\":\"hi\",\"files\":[]}",
                               .options_json = options,
                               .secrets_json = secrets },
        on_created, bench);
    fake_loop_run_ready(bench->loop);
}

static void on_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    (void)arg;
    (void)task;
    (void)text;
    assert_int_equal(outcome, AB_STEER_DONE);
}

/* --- the platform --- */

/* The newest call, which is for this. */
static size_t call_for(struct bench *bench, const char *method, const char *url)
{
    const struct fake_call *call;

    assert_true(bench->client->n_calls > 0);
    call = &bench->client->calls[bench->client->n_calls - 1];
    if (strcmp(call->method, method) != 0 || strcmp(call->url, url) != 0)
        fail_msg("the last call is %s %s, not %s %s", call->method, call->url, method, url);
    return bench->client->n_calls - 1;
}

static size_t invoked(struct bench *bench)
{
    static const char *const urls[] = { "http://p.example/v1/agents/a/invoke/stream",
                                        "http://p.example/v1/agents/a/invoke/async",
                                        "http://p.example/v1/agents/a/invoke" };

    return call_for(bench, "POST", urls[bench->mode]);
}

/* The id that the newest invocation gave the conversation. */
static char *conversation(struct bench *bench)
{
    for (size_t i = bench->client->n_calls; i-- > 0;) {
        struct ab_json body;
        if (strcmp(bench->client->calls[i].method, "POST") == 0 &&
            ab_json_check(ab_str(bench->client->calls[i].body), 64, &body, NULL) &&
            ab_json_exists(ab_json_member(body, "id")))
            return ab_json_string_dup(ab_json_member(body, "id"));
    }
    fail_msg("nothing was invoked");
    return NULL;
}

static size_t task_call(struct bench *bench, const char *method, const char *behind)
{
    AB_CLEANUP(ab_free_string) char *id = conversation(bench);
    AB_CLEANUP(ab_free_string) char *url = ab_format("http://p.example/v1/tasks/%s%s", id, behind);

    return call_for(bench, method, url);
}

static void say_json(struct bench *bench, size_t call, unsigned status, const char *body)
{
    fake_client_head(bench->client, call, status, "content-type: application/json\n");
    fake_client_body(bench->client, call, body);
    fake_client_end(bench->client, call);
    fake_loop_run_ready(bench->loop);
}

static void say_task(struct bench *bench, size_t call, const char *members)
{
    AB_CLEANUP(ab_free_string) char *id = conversation(bench);
    AB_CLEANUP(ab_free_string) char *body = ab_format("{\"id\":\"%s\",%s}", id, members);

    say_json(bench, call, 200, body);
}

static void begin_stream(struct bench *bench, size_t call)
{
    fake_client_head(bench->client, call, 200, "content-type: text/event-stream\n");
}

static void say_event(struct bench *bench, size_t call, const char *event)
{
    AB_CLEANUP(ab_free_string) char *text = ab_format("data: %s\n\n", event);

    fake_client_body(bench->client, call, text);
    fake_loop_run_ready(bench->loop);
}

static void break_call(struct bench *bench, size_t call, enum ab_http_call_outcome outcome)
{
    fake_client_fail(bench->client, call, outcome, "broken");
    fake_loop_run_ready(bench->loop);
}

static struct ab_task row(struct bench *bench)
{
    struct ab_task task;

    assert_int_equal(ab_engine_get(bench->engine, "ann", bench->id, &task), AB_OK);
    return task;
}

static void expect(struct bench *bench, enum ab_task_status status, const char *error)
{
    struct ab_task task = row(bench);

    if (task.status != status || (error != NULL && (task.error_json == NULL || strstr(task.error_json, error) == NULL)))
        fail_msg("%s, %s", ab_task_status_name(task.status), task.error_json != NULL ? task.error_json : "no error");
    ab_task_deinit(&task);
}

/* Time passes until the next call, which comes within these milliseconds. */
static void await_call(struct bench *bench, int64_t least, int64_t most)
{
    size_t before = bench->client->n_calls;
    int64_t waited = 0;

    while (bench->client->n_calls == before && waited <= most) {
        int64_t next = fake_loop_next_timer(bench->loop);
        assert_true(next >= 0);
        fake_loop_advance(bench->loop, (uint64_t)(next > 0 ? next : 1));
        waited += next > 0 ? next : 1;
    }
    assert_in_range(waited, (uintmax_t)least, (uintmax_t)most);
    assert_int_equal(bench->client->n_calls, before + 1);
}

/* --- tests --- */

static void a_stream_to_its_end(void **state)
{
    struct bench *bench = *state;
    size_t call;

    create(bench, NULL, NULL, NULL);
    call = invoked(bench);
    assert_non_null(strstr(bench->client->calls[call].headers, "x-api-key: key-0123456789\n"));
    assert_non_null(strstr(bench->client->calls[call].headers, "Accept: text/event-stream"));
    assert_non_null(strstr(bench->client->calls[call].body, "\"source_node_type\":\"mcp\""));
    begin_stream(bench, call);
    say_event(bench, call, "{\"type\":\"chunk\",\"data\":\"Hel\"}");
    say_event(bench, call, "{\"type\":\"chunk\",\"data\":\"lo\"}");
    say_event(bench, call,
              "{\"type\":\"task_finished\",\"data\":{\"id\":\"x\",\"status\":\"completed\",\"result\":\"Hello\"}}");
    expect(bench, AB_TASK_COMPLETED, NULL);
    assert_int_equal(bench->client->n_calls, 1);
    assert_true(bench->client->calls[call].over);
}

static void a_lost_stream_is_asked_after(void **state)
{
    struct bench *bench = *state;
    size_t call;

    create(bench, NULL, NULL, NULL);
    call = invoked(bench);
    begin_stream(bench, call);
    say_event(bench, call, "{\"type\":\"chunk\",\"data\":\"Hel\"}");
    break_call(bench, call, AB_HTTP_CALL_BROKEN);
    await_call(bench, 750, 1250); /* each pause is longer than the one before, and none is exact */
    say_task(bench, task_call(bench, "GET", ""), "\"status\":\"executing\"");
    await_call(bench, 1125, 1875);
    say_json(bench, task_call(bench, "GET", ""), 503, "");
    await_call(bench, 187, 313);
    say_json(bench, task_call(bench, "GET", ""), 200, "{\"id\":\"x");
    await_call(bench, 375, 625);
    say_task(bench, task_call(bench, "GET", ""), "\"status\":\"executing\"");
    await_call(bench, 1687, 2813);
    say_task(bench, task_call(bench, "GET", ""), "\"status\":\"completed\",\"result\":\"done\"");
    expect(bench, AB_TASK_COMPLETED, NULL);
}

static void what_was_refused_is_sent_again(void **state)
{
    struct bench *bench = *state;

    create(bench, NULL, NULL, NULL);
    fake_client_answer(bench->client, invoked(bench), 429, "7");
    fake_loop_run_ready(bench->loop);
    await_call(bench, 7000, 8000);
    break_call(bench, invoked(bench), AB_HTTP_CALL_UNREACHABLE);
    await_call(bench, 375, 625);
    break_call(bench, invoked(bench), AB_HTTP_CALL_UNREACHABLE);
    await_call(bench, 750, 1250);
    break_call(bench, invoked(bench), AB_HTTP_CALL_UNREACHABLE);
    expect(bench, AB_TASK_ERROR, "the platform cannot be reached: broken");
    assert_int_equal(bench->client->n_calls, 4);
}

/* What may have arrived is looked for first, and sent again only when it is not there. */
static void what_may_have_arrived_is_looked_for(void **state)
{
    static const struct {
        enum ab_http_call_outcome outcome; /* without an answer; or */
        unsigned status;
    } ways[] = { { AB_HTTP_CALL_BROKEN, 0 },
                 { AB_HTTP_CALL_TIMED_OUT, 0 },
                 { AB_HTTP_CALL_DONE, 500 },
                 { AB_HTTP_CALL_DONE, 503 } };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        create(bench, NULL, NULL, NULL);
        if (ways[i].status != 0)
            say_json(bench, invoked(bench), ways[i].status, "{}");
        else
            break_call(bench, invoked(bench), ways[i].outcome);
        await_call(bench, 187, 313);
        say_json(bench, task_call(bench, "GET", ""), 404, "{\"detail\":\"none\"}");
        say_json(bench, invoked(bench), 502, "<html>");
        await_call(bench, 375, 625);
        say_task(bench, task_call(bench, "GET", ""), "\"status\":\"completed\",\"result\":\"done\"");
        expect(bench, AB_TASK_COMPLETED, NULL);
    }
}

/* The record there is that of the turn before until ours has arrived. */
static void the_turn_before_is_not_ours(void **state)
{
    static const struct {
        const char *record; /* %s: a time */
        int64_t ended_ago_ms;
        bool ours;
    } cases[] = {
        { "\"status\":\"completed\",\"input\":{\"text\":\"before\"},\"result\":\"r\",\"finished_at\":\"%s\"", 0,
          false },
        { "\"status\":\"completed\",\"input\":{\"text\":\"hi\"},\"result\":\"r\",\"finished_at\":\"%s\"", 60000,
          false },
        { "\"status\":\"completed\",\"input\":{\"text\":\"hi\"},\"result\":\"r\",\"finished_at\":\"%s\"", 0, true },
        { "\"status\":\"completed\",\"result\":\"r\",\"finished_at\":\"%s\"", 60000, false },
        { "\"status\":\"executing\",\"input\":{\"text\":\"before\"},\"started_at\":\"%s\"", 0, true },
        { "\"status\":\"completed\",\"result\":\"r\",\"created_at\":\"%s\"", 0, true }, /* never twice */
    };
    struct bench *bench = *state;

    set_mode(bench, AB_REST_ASYNC);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AB_CLEANUP(ab_free_string) char *thread = ab_format("thread %zu", i);
        char time[AB_TIME_TEXT_SIZE];
        create(bench, thread, NULL, NULL);
        say_task(bench, invoked(bench), "\"status\":\"completed\",\"result\":\"first\"");
        fake_loop_advance(bench->loop, 3600000);
        create(bench, thread, NULL, NULL);
        break_call(bench, invoked(bench), AB_HTTP_CALL_BROKEN);
        await_call(bench, 187, 313);
        ab_time_format(ab_clock_wall_ms(&bench->loop->clock) - cases[i].ended_ago_ms, time);
        AB_CLEANUP(ab_free_string)
        char *before = ab_strndup(cases[i].record, (size_t)(strstr(cases[i].record, "%s") - cases[i].record));
        AB_CLEANUP(ab_free_string) char *record = ab_format("%s%s\"", before, time);
        say_task(bench, task_call(bench, "GET", ""), record);
        if (!cases[i].ours)
            say_task(bench, invoked(bench), "\"status\":\"completed\",\"result\":\"second\"");
        else if (strstr(record, "executing") != NULL)
            await_call(bench, 750, 1250);
        if (strstr(record, "executing") != NULL)
            say_task(bench, task_call(bench, "GET", ""), "\"status\":\"completed\",\"result\":\"r\"");
        expect(bench, AB_TASK_COMPLETED, NULL);
    }
}

static void a_restart_goes_on(void **state)
{
    struct bench *bench = *state;
    size_t call;

    create(bench, NULL, NULL, NULL);
    call = invoked(bench);
    begin_stream(bench, call);
    say_event(bench, call, "{\"type\":\"chunk\",\"data\":\"Hel\"}");
    restart(bench);
    assert_true(bench->client->calls[call].cancelled);
    await_call(bench, 750, 1250);
    say_task(bench, task_call(bench, "GET", ""), "\"status\":\"completed\",\"result\":\"done\"");
    expect(bench, AB_TASK_COMPLETED, NULL);
    assert_int_equal(bench->client->n_calls, 2); /* and nothing was stopped */
}

static void a_restart_before_anything_was_heard(void **state)
{
    struct bench *bench = *state;

    create(bench, NULL, NULL, NULL);
    (void)invoked(bench);
    restart(bench);
    say_json(bench, task_call(bench, "GET", ""), 404, "{}");
    begin_stream(bench, invoked(bench));
    say_event(bench, bench->client->n_calls - 1,
              "{\"type\":\"task_finished\",\"data\":{\"status\":\"failed\",\"result\":\"no\"}}");
    expect(bench, AB_TASK_FAILED, "no");
}

static void credentials_are_gone_after_a_restart(void **state)
{
    static const char given[] = "{\"credentials\":[\"user_oidc_token\"]}";
    struct bench *bench = *state;
    struct ab_task task;

    create(bench, NULL, given, "{\"user_oidc_token\":\"canary-0123\"}");
    assert_non_null(strstr(bench->client->calls[invoked(bench)].body, "\"user_oidc_token\":\"canary-0123\""));
    task = row(bench);
    assert_null(task.notes_json); /* one that is soon over needs none */
    ab_task_deinit(&task);
    fake_loop_advance(bench->loop, 250);
    task = row(bench);
    assert_non_null(task.notes_json);
    assert_null(strstr(task.notes_json, "canary"));
    assert_null(strstr(task.notes_json, "key-"));
    ab_task_deinit(&task);
    restart(bench);
    say_json(bench, task_call(bench, "GET", ""), 404, "{}");
    expect(bench, AB_TASK_ERROR, "credentials");
    /* One that arrived needs them no more. */
    create(bench, NULL, given, "{\"user_oidc_token\":\"canary-0123\"}");
    restart(bench);
    say_task(bench, task_call(bench, "GET", ""), "\"status\":\"completed\",\"result\":\"with canary-0123\"");
    expect(bench, AB_TASK_COMPLETED, NULL);
}

static void a_stop_is_given_until_it_is_heard(void **state)
{
    struct bench *bench = *state;

    create(bench, NULL, NULL, NULL);
    ab_engine_stop(bench->engine, "ann", bench->id, on_steered, NULL);
    fake_loop_run_ready(bench->loop);
    expect(bench, AB_TASK_STOPPED, NULL);
    for (unsigned i = 0; i < 4; i++) { /* it may still be on its way */
        say_json(bench, task_call(bench, "POST", "/stop"), i == 1 ? 500 : 404, "{}");
        await_call(bench, 187, 3000);
    }
    say_task(bench, task_call(bench, "POST", "/stop"), "\"status\":\"stopped\"");
    assert_int_equal(fake_client_open(bench->client), 0);
    assert_int_equal(bench->client->n_calls, 6);
}

/* Whatever ends it here, it is stopped there, once. */
static void what_the_engine_ends_is_stopped_there(void **state)
{
    struct bench *bench = *state;
    struct ab_buf event = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t call;

    ab_buf_append_text(&event, "{\"type\":\"chunk\",\"data\":\"");
    for (unsigned i = 0; i < OUTPUT_BYTES / 8; i++)
        ab_buf_append_text(&event, "too much ");
    ab_buf_append_text(&event, "\"}");
    for (int too_much = 0; too_much < 2; too_much++) {
        create(bench, NULL, NULL, NULL);
        call = invoked(bench);
        begin_stream(bench, call);
        if (too_much)
            say_event(bench, call, event.data);
        else
            fake_loop_advance(bench->loop, 600000);
        expect(bench, AB_TASK_ERROR, NULL);
        assert_true(bench->client->calls[call].cancelled);
        say_task(bench, task_call(bench, "POST", "/stop"), "\"status\":\"stopped\"");
        assert_int_equal(fake_client_open(bench->client), 0);
    }
    ab_buf_deinit(&event);
}

static void a_wish_for_patience_is_limited(void **state)
{
    struct bench *bench = *state;

    create(bench, NULL, NULL, NULL);
    fake_client_answer(bench->client, invoked(bench), 429, "86400");
    fake_loop_run_ready(bench->loop);
    expect(bench, AB_TASK_ERROR, "a limit of the platform is reached (429)");
    assert_int_equal(bench->client->n_calls, 1);
}

/* The answer is the next turn. Whether that was sent before a restart is not known: it is looked for. */
static void an_answered_question_after_a_restart(void **state)
{
    static const char asks[] =
        "\"status\":\"completed\",\"input\":{\"text\":\"hi\"},\"result\":\"Which?\",\"deep_planning\":{"
        "\"question_raised\":true}";
    struct bench *bench = *state;

    set_mode(bench, AB_REST_ASYNC);
    for (int arrived = 0; arrived < 2; arrived++) {
        create(bench, NULL, NULL, NULL);
        say_task(bench, invoked(bench), asks);
        expect(bench, AB_TASK_PAUSED, NULL);
        ab_engine_answer(bench->engine, "ann", bench->id,
                         "{\"question\":{\"action\":\"accept\",\"content\":{\"text\":\"this\"}}}", on_steered, NULL);
        fake_loop_run_ready(bench->loop);
        assert_non_null(strstr(bench->client->calls[invoked(bench)].body, "\"text\":\"this\""));
        restart(bench);
        if (arrived) {
            say_task(bench, task_call(bench, "GET", ""),
                     "\"status\":\"completed\",\"input\":{\"text\":\"this\"},\"result\":\"done\"");
        } else {
            say_task(bench, task_call(bench, "GET", ""), asks);
            assert_non_null(strstr(bench->client->calls[invoked(bench)].body, "\"text\":\"this\""));
            say_task(bench, invoked(bench), "\"status\":\"completed\",\"result\":\"done\"");
        }
        expect(bench, AB_TASK_COMPLETED, NULL);
    }
}

/* --- behind another bridge --- */

#define BRIDGE(number) "\"agentbridge\":{\"task_id\":\"0123456789abcdef0123456789abcdef\",\"last_event\":" number "}"
#define ASKS                                                                                                           \
    "{\"type\":\"task_updated\",\"data\":{\"status\":\"paused\",\"agentbridge\":{\"questions\":{\"go\":{\"kind\":"     \
    "\"approval\","                                                                                                    \
    "\"message\":\"Go on?\"}}}}," BRIDGE("4") "}"

static size_t a_question_of_a_bridge(struct bench *bench)
{
    size_t call;

    create(bench, NULL, NULL, NULL);
    call = invoked(bench);
    begin_stream(bench, call);
    say_event(bench, call, "{\"type\":\"chunk\",\"data\":\"Hel\"," BRIDGE("3") "}");
    say_event(bench, call, ASKS);
    expect(bench, AB_TASK_PAUSED, NULL);
    return call;
}

static void accept_it(struct bench *bench)
{
    ab_engine_answer(bench->engine, "ann", bench->id, "{\"go\":{\"action\":\"accept\"}}", on_steered, NULL);
    fake_loop_run_ready(bench->loop);
}

static void an_answer_goes_until_it_is_heard(void **state)
{
    struct bench *bench = *state;
    size_t stream = a_question_of_a_bridge(bench);
    size_t reply;
    struct ab_task task;

    accept_it(bench);
    reply = task_call(bench, "POST", "/reply");
    assert_string_equal(bench->client->calls[reply].body, "{\"answers\":{\"go\":{\"action\":\"accept\"}}}");
    say_json(bench, reply, 503, "{}");
    await_call(bench, 187, 313);
    restart(bench); /* it was not heard yet: it is given again */
    assert_true(bench->client->calls[stream].cancelled);
    reply = bench->client->n_calls - 1;
    assert_non_null(strstr(bench->client->calls[reply].url, "/reply"));
    say_json(bench, reply, 200, "{\"status\":\"executing\"}");
    task = row(bench);
    assert_null(task.answers_json);
    ab_task_deinit(&task);
    expect(bench, AB_TASK_EXECUTING, NULL);
    say_event(bench, reply - 1, "{\"type\":\"task_finished\",\"data\":{\"status\":\"completed\",\"result\":\"done\"}}");
}

static void a_lost_stream_of_a_bridge_is_found_again(void **state)
{
    struct bench *bench = *state;
    size_t stream = a_question_of_a_bridge(bench);
    size_t again;

    break_call(bench, stream, AB_HTTP_CALL_BROKEN);
    again = task_call(bench, "GET", "/events");
    assert_non_null(strstr(bench->client->calls[again].headers, "Last-Event-ID: 0123456789abcdef0123456789abcdef:4\n"));
    begin_stream(bench, again);
    say_event(bench, again, ASKS); /* told twice, asked once */
    say_event(bench, again, "{\"type\":\"task_updated\",\"data\":{\"status\":\"executing\"}," BRIDGE("6") "}");
    expect(bench, AB_TASK_EXECUTING, NULL);
    restart(bench);
    again = task_call(bench, "GET", "/events");
    assert_non_null(strstr(bench->client->calls[again].headers, ":6\n"));
    say_json(bench, again, 502, "{}");
    await_call(bench, 187, 313);
    begin_stream(bench, task_call(bench, "GET", "/events"));
    say_event(bench, bench->client->n_calls - 1,
              "{\"type\":\"task_finished\",\"data\":{\"status\":\"error\",\"result\":\"x\",\"agentbridge\":{\"reason\":"
              "\"interrupted\"}}}");
    struct ab_task task = row(bench);
    assert_int_equal(task.reason, AB_REASON_INTERRUPTED);
    ab_task_deinit(&task);
}

/* The task was asked after, then its events are gone through from where they broke off: how it stood before is over. */
static void what_was_before_is_not_told_again(void **state)
{
    struct bench *bench = *state;
    size_t stream;

    create(bench, NULL, NULL, NULL);
    stream = invoked(bench);
    begin_stream(bench, stream);
    say_event(bench, stream, "{\"type\":\"task_created\",\"data\":{\"status\":\"pending\"}," BRIDGE("1") "}");
    break_call(bench, stream, AB_HTTP_CALL_BROKEN);
    say_json(bench, task_call(bench, "GET", "/events"), 404, "{}");
    say_task(bench, task_call(bench, "GET", ""),
             "\"status\":\"paused\",\"agentbridge\":{\"last_event\":4,\"questions\":{\"go\":{\"kind\":\"approval\","
             "\"message\":"
             "\"Go on?\"}}}");
    expect(bench, AB_TASK_PAUSED, NULL);
    stream = task_call(bench, "GET", "/events");
    begin_stream(bench, stream);
    say_event(bench, stream, "{\"type\":\"task_updated\",\"data\":{\"status\":\"executing\"}," BRIDGE("2") "}");
    expect(bench, AB_TASK_PAUSED, NULL);
    say_event(bench, stream, ASKS);
    say_event(bench, stream, "{\"type\":\"task_updated\",\"data\":{\"status\":\"executing\"}," BRIDGE("6") "}");
    expect(bench, AB_TASK_EXECUTING, NULL);
    say_event(bench, stream, "{\"type\":\"task_finished\",\"data\":{\"status\":\"completed\",\"result\":\"r\"}}");
}

/* It knows by the key what it has: nothing has to be looked for. */
static void a_bridge_is_asked_once_more(void **state)
{
    struct bench *bench = *state;
    size_t stream = a_question_of_a_bridge(bench);
    size_t again;
    char *key;

    say_event(bench, stream, "{\"type\":\"task_finished\",\"data\":{\"status\":\"completed\",\"result\":\"r\"}}");
    create(bench, "thread", NULL, NULL);
    key = strstr(bench->client->calls[invoked(bench)].headers, "Idempotency-Key: ");
    break_call(bench, invoked(bench), AB_HTTP_CALL_BROKEN);
    await_call(bench, 187, 313);
    again = invoked(bench);
    assert_memory_equal(strstr(bench->client->calls[again].headers, "Idempotency-Key: "), key, strcspn(key, "\n"));
    begin_stream(bench, again);
    say_event(bench, again, "{\"type\":\"task_finished\",\"data\":{\"status\":\"completed\",\"result\":\"r\"}}");
    expect(bench, AB_TASK_COMPLETED, NULL);
}

static void an_answer_that_nobody_wants(void **state)
{
    struct bench *bench = *state;
    size_t stream = a_question_of_a_bridge(bench);

    accept_it(bench);
    say_json(bench, task_call(bench, "POST", "/reply"), 409, "{\"detail\":\"none of these questions is open\"}");
    assert_true(bench->client->calls[stream].cancelled); /* it is looked how things stand */
    say_task(bench, task_call(bench, "GET", ""), "\"status\":\"executing\"," BRIDGE("9"));
    begin_stream(bench, task_call(bench, "GET", "/events"));
    expect(bench, AB_TASK_EXECUTING, NULL);
    say_event(bench, bench->client->n_calls - 1,
              "{\"type\":\"task_finished\",\"data\":{\"status\":\"completed\",\"result\":\"r\"}}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_to_its_end),
        TEST(a_lost_stream_is_asked_after),
        TEST(what_was_refused_is_sent_again),
        TEST(what_may_have_arrived_is_looked_for),
        TEST(the_turn_before_is_not_ours),
        TEST(a_restart_goes_on),
        TEST(a_restart_before_anything_was_heard),
        TEST(credentials_are_gone_after_a_restart),
        TEST(a_stop_is_given_until_it_is_heard),
        TEST(what_the_engine_ends_is_stopped_there),
        TEST(a_wish_for_patience_is_limited),
        TEST(an_answered_question_after_a_restart),
        TEST(an_answer_goes_until_it_is_heard),
        TEST(a_lost_stream_of_a_bridge_is_found_again),
        TEST(what_was_before_is_not_told_again),
        TEST(a_bridge_is_asked_once_more),
        TEST(an_answer_that_nobody_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
