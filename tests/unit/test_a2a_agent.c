/* The `a2a` agent against an HTTP client played by hand: from the card to the end of its task, with all that can go
 * wrong on the way. The engine around it is the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents/a2a.h"
#include "base/mem.h"
#include "store/memory.h"
#include "support/fake_client.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"
#include "task/engine.h"

#include <stdio.h>
#include <string.h>

struct remote {
    struct ab_loop *loop;
    struct ab_store *store;
    struct fake_client *client;
    struct fake_random random;
    struct ab_random source;
    struct ab_engine *engine;
    size_t seen; /* calls looked at so far */
    uint64_t n_engines;
    char task[AB_TASK_ID_SIZE]; /* made last */
};

#define CARD(streaming)                                                                                                \
    "{\"name\":\"Far\",\"description\":\"Far away\",\"version\":\"7\",\"capabilities\":{\"streaming\":" streaming      \
    "},\"skills\":[{\"id\":\"s\",\"name\":\"S\"}],\"supportedInterfaces\":[{\"url\":\"http://far.example/rpc\","       \
    "\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\"}]}"

static const char *const credentials[] = { "X-API-Key: hush", NULL };

static void run(struct remote *remote)
{
    fake_loop_run_ready(remote->loop);
}

/* --- the agent's side of the wire --- */

/* The next call that was made; fails the test when there is none. */
static size_t next_call(struct remote *remote, const char *piece)
{
    run(remote);
    if (remote->seen >= remote->client->n_calls)
        fail_msg("no call was made, where one with %s was expected", piece);
    struct fake_call *call = &remote->client->calls[remote->seen];
    if (strstr(call->url, piece) == NULL && strstr(call->body, piece) == NULL)
        fail_msg("%s %s %s: expected %s", call->method, call->url, call->body, piece);
    assert_false(call->guarded);
    assert_non_null(strstr(call->headers, "X-API-Key: hush\n"));
    return remote->seen++;
}

static void expect_no_call(struct remote *remote)
{
    run(remote);
    if (remote->seen < remote->client->n_calls)
        fail_msg("unexpected: %s %s", remote->client->calls[remote->seen].url,
                 remote->client->calls[remote->seen].body);
}

static void whole_answer(struct remote *remote, size_t call, unsigned status, const char *headers, const char *body)
{
    fake_client_head(remote->client, call, status, headers);
    fake_client_body(remote->client, call, body);
    fake_client_end(remote->client, call);
    run(remote);
}

static void give_card(struct remote *remote, const char *card)
{
    size_t call = next_call(remote, "http://far.example/card");
    whole_answer(remote, call, 200, "etag: \"1\"\ncache-control: public, max-age=3600\n", card);
}

static void begin_stream(struct remote *remote, size_t call)
{
    fake_client_head(remote->client, call, 200, "content-type: text/event-stream\n");
}

static void event(struct remote *remote, size_t call, const char *result)
{
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}\n\n", result);
    fake_client_body(remote->client, call, text);
    run(remote);
}

static void answer_result(struct remote *remote, size_t call, const char *result)
{
    AB_CLEANUP(ab_free_string) char *text = ab_format("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", result);
    whole_answer(remote, call, 200, "content-type: application/json\n", text);
}

static void answer_error(struct remote *remote, size_t call, int code, const char *message)
{
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"%s\"}}", code, message);
    whole_answer(remote, call, 200, "content-type: application/json\n", text);
}

#define TASK(state) "{\"id\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_" state "\"}}"
#define FIRST "{\"task\":" TASK("SUBMITTED") "}"
#define STATUS(state, parts)                                                                                           \
    "{\"statusUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_" state                \
    "\",\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_AGENT\",\"parts\":[" parts "]}}}}"
#define DONE "{\"statusUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_COMPLETED\"}}}"
#define ARTIFACT(id, text, more)                                                                                       \
    "{\"artifactUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"artifact\":{\"artifactId\":\"" id                     \
    "\",\"parts\":[{\"text\":\"" text "\"}]}" more "}}"

/* --- the bridge's side --- */

static void build(struct remote *remote)
{
    remote->source = fake_random(&remote->random, ++remote->n_engines);
    remote->engine = ab_engine_new(
        &(struct ab_engine_settings){ .loop = remote->loop, .store = remote->store, .random = remote->source });
    struct ab_agent *agent = ab_a2a_agent_new(&(struct ab_a2a_remote_settings){
        .id = "far",
        .card = "http://far.example/card",
        .credentials = credentials,
        .loop = remote->loop,
        .client = &remote->client->client,
        .store = remote->store,
        .random = remote->source,
    });
    ab_engine_add_agent(remote->engine,
                        &(struct ab_agent_settings){ .id = "far", .timeout_ms = 600000, .pause_timeout_ms = 86400000 },
                        agent);
    assert_int_equal(ab_engine_start(remote->engine), AB_OK);
}

static int setup(void **state)
{
    struct remote *remote = ab_alloc(1, sizeof *remote);

    remote->loop = fake_loop_new();
    remote->store = ab_store_memory_new(remote->loop);
    remote->client = fake_client_new(remote->loop);
    build(remote);
    *state = remote;
    return 0;
}

static void note_down(void *arg)
{
    *(bool *)arg = true;
}

static void shut_down(struct remote *remote)
{
    bool down = false;

    ab_engine_shut_down(remote->engine, note_down, &down);
    run(remote);
    assert_true(down);
    ab_engine_free(remote->engine);
    run(remote);
    assert_int_equal(fake_client_open(remote->client), 0);
}

static int teardown(void **state)
{
    struct remote *remote = *state;

    shut_down(remote);
    remote->client->client.ops->free(&remote->client->client);
    remote->store->ops->free(remote->store);
    fake_loop_free(remote->loop);
    free(remote);
    return 0;
}

static void note_created(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct remote *remote = arg;

    (void)text;
    assert_int_equal(outcome, AB_CREATE_DONE);
    snprintf(remote->task, sizeof remote->task, "%s", task->id);
}

static void create_in(struct remote *remote, const char *thread_id)
{
    ab_engine_create(
        remote->engine,
        &(struct ab_new_task){
            .owner = "ann",
            .agent = "far",
            .surface = "test",
            .thread_id = thread_id,
            .message_json = "{\"message_id\":\"mine\",\"role\":\"user\",\"parts\":[{\"text\":\"hello\"},{\"data\":"
                            "{\"n\":1}}],\"metadata\":{\"k\":1}}",
            .input_json = "{\"text\":\"hello\"}",
            .options_json = "{\"skill\":\"s\",\"metadata\":{\"r\":2},\"accepted_output_modes\":[\"text/plain\"]}",
        },
        note_created, remote);
    run(remote);
}

/* A task whose message has been sent; the call of the stream. */
static size_t begun(struct remote *remote)
{
    give_card(remote, CARD("true"));
    create_in(remote, NULL);
    size_t call = next_call(remote, "SendStreamingMessage");
    begin_stream(remote, call);
    event(remote, call, FIRST);
    return call;
}

static struct ab_task row_of(struct remote *remote)
{
    struct ab_task row;

    run(remote);
    assert_int_equal(remote->store->ops->get(remote->store, remote->task, &row), AB_OK);
    return row;
}

/* Status, reason, and the result, error or questions: "completed  {...}". */
static void expect_row(struct remote *remote, const char *expected)
{
    struct ab_task row = row_of(remote);
    const char *more = row.result_json != NULL  ? row.result_json
                       : row.error_json != NULL ? row.error_json
                                                : row.questions_json;
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("%s %s %s", ab_task_status_name(row.status), ab_task_reason_name(row.reason),
                           more != NULL ? more : "");
    assert_string_equal(text, expected);
    ab_task_deinit(&row);
}

static bool add_event(void *arg, const struct ab_event *one)
{
    if (one->kind != AB_EVENT_STATUS || strstr(one->body_json, "message") != NULL)
        ab_buf_printf(arg, "%s %s\n", ab_event_kind_name(one->kind), one->body_json);
    return true;
}

/* All events but bare changes of the status. */
static void expect_log(struct remote *remote, const char *expected)
{
    struct ab_buf text = AB_BUF_INIT(65536);

    run(remote);
    assert_int_equal(remote->store->ops->events(remote->store, remote->task, 0, AB_EVENTS_ALL, 0, add_event, &text),
                     AB_OK);
    assert_string_equal(text.size > 0 ? text.data : "", expected);
    ab_buf_deinit(&text);
}

static void note_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    (void)task;
    (void)text;
    *(enum ab_steer_outcome *)arg = outcome;
}

static void give_answer(struct remote *remote, const char *answers)
{
    enum ab_steer_outcome outcome = AB_STEER_UNKNOWN;

    ab_engine_answer(remote->engine, "ann", remote->task, answers, note_steered, &outcome);
    run(remote);
    assert_int_equal(outcome, AB_STEER_DONE);
}

static void stop_task(struct remote *remote)
{
    enum ab_steer_outcome outcome = AB_STEER_UNKNOWN;

    ab_engine_stop(remote->engine, "ann", remote->task, note_steered, &outcome);
    run(remote);
    assert_int_equal(outcome, AB_STEER_DONE);
}

/* A stream is lost: what comes next is asked for after a moment. */
static void lose(struct remote *remote, size_t call)
{
    fake_client_fail(remote->client, call, AB_HTTP_CALL_BROKEN, "the connection was reset");
    run(remote);
    fake_loop_advance(remote->loop, 40000);
}

/* --- the way it should go --- */

static void test_a_message_and_its_stream(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    assert_non_null(
        strstr(remote->client->calls[call].body,
               "\"parts\":[{\"text\":\"hello\"},{\"data\":{\"n\":1}}],\"metadata\":{\"skillId\":\"s\",\"k\":1}"));
    assert_non_null(strstr(remote->client->calls[call].body, "\"acceptedOutputModes\":[\"text/plain\"]"));
    assert_non_null(strstr(remote->client->calls[call].body, "},\"metadata\":{\"r\":2}}"));
    assert_null(strstr(remote->client->calls[call].body, "contextId"));
    event(remote, call, STATUS("WORKING", "{\"text\":\"on it\"}"));
    event(remote, call, STATUS("WORKING", "{\"text\":\"on it\"}"));
    event(remote, call, ARTIFACT("a", "one", ""));
    event(remote, call, ARTIFACT("a", "two", ",\"append\":true,\"lastChunk\":true"));
    event(remote, call, DONE);
    expect_row(remote, "completed  {\"text\":\"onetwo\",\"parts\":[]}");
    expect_log(remote, "status {\"status\":\"executing\",\"message\":\"on it\"}\n"
                       "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"one\"}],\"append\":false,\"last\":false}\n"
                       "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"two\"}],\"append\":true,\"last\":true}\n");
    assert_true(remote->client->calls[call].cancelled); /* nobody waits for a stream to end by itself */
    expect_no_call(remote);
}

static void test_ends(void **state)
{
    static const struct {
        const char *event;
        const char *row;
    } cases[] = {
        { STATUS("COMPLETED", "{\"text\":\"all\"},{\"url\":\"u\"}"),
          "completed  {\"text\":\"all\",\"parts\":[{\"text\":\"all\"},{\"url\":\"u\"}]}" },
        { STATUS("FAILED", "{\"text\":\"no luck\"}"), "failed  {\"message\":\"no luck\"}" },
        { STATUS("REJECTED", "{\"text\":\"not mine\"}"), "failed rejected {\"message\":\"not mine\"}" },
        { STATUS("CANCELED", "{\"data\":1}"), "failed  {\"message\":\"the task was canceled at the agent\"}" },
        { ARTIFACT("T-result", "whole", ",\"lastChunk\":true"), NULL },
        { DONE, "completed  {\"parts\":[{\"text\":\"whole\"}]}" },
    };
    struct remote *remote = *state;
    size_t call = begun(remote);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        event(remote, call, cases[i].event);
        if (cases[i].row == NULL)
            continue;
        if (strstr(cases[i].row, "whole") == NULL)
            expect_row(remote, cases[i].row);
        else
            expect_row(remote, "completed  {\"text\":\"whole\",\"parts\":[{\"text\":\"whole\"}]}");
        if (i + 1 == sizeof cases / sizeof *cases)
            break;
        create_in(remote, NULL);
        call = next_call(remote, "SendStreamingMessage");
        begin_stream(remote, call);
        event(remote, call, FIRST);
    }
}

static void test_a_message_instead_of_a_task(void **state)
{
    struct remote *remote = *state;

    give_card(remote, CARD("true"));
    create_in(remote, NULL);
    size_t call = next_call(remote, "SendStreamingMessage");
    begin_stream(remote, call);
    event(remote, call,
          "{\"message\":{\"messageId\":\"m\",\"contextId\":\"C\",\"role\":\"ROLE_AGENT\",\"parts\":[{\"text\":\"hi\"}]}"
          "}");
    expect_row(remote, "completed  {\"text\":\"hi\",\"parts\":[{\"text\":\"hi\"}]}");
    expect_log(remote, "say {\"parts\":[{\"text\":\"hi\"}]}\n");
}

static void test_pieces_of_another_bridge(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, ARTIFACT("T-result", "one ", ""));
    event(remote, call, ARTIFACT("T-result", "two", ",\"append\":true"));
    lose(remote, call);
    call = next_call(remote, "SubscribeToTask");
    begin_stream(remote, call);
    event(remote, call, "{\"task\":" TASK("WORKING") "}");
    event(remote, call, ARTIFACT("T-result", "one two three", ""));
    event(
        remote, call,
        "{\"statusUpdate\":{\"taskId\":\"T\",\"status\":{\"state\":\"TASK_STATE_WORKING\"},\"metadata\":{\"progress\":"
        "{\"value\":1,\"total\":3,\"message\":\"x\"}}}}");
    event(remote, call,
          "{\"artifactUpdate\":{\"taskId\":\"T\",\"artifact\":{\"artifactId\":\"T-result\",\"parts\":[{\"text\":"
          "\"one two three\"},{\"data\":{\"n\":3}}]},\"lastChunk\":true}}");
    event(remote, call, DONE);
    expect_row(remote,
               "completed  {\"text\":\"one two three\",\"parts\":[{\"text\":\"one two three\"}],\"data\":{\"n\":3}}");
    expect_log(remote, "chunk {\"text\":\"one \"}\nchunk {\"text\":\"two\"}\nchunk {\"text\":\" three\"}\n"
                       "progress {\"value\":1,\"total\":3}\n");
}

static void test_turns_of_a_conversation(void **state)
{
    struct remote *remote = *state;
    size_t call;

    give_card(remote, CARD("true"));
    for (int turn = 0; turn < 2; turn++) {
        create_in(remote, "ours");
        call = next_call(remote, "SendStreamingMessage");
        assert_int_equal(strstr(remote->client->calls[call].body, "\"contextId\":\"C\"") != NULL, turn == 1);
        begin_stream(remote, call);
        event(remote, call, FIRST);
        event(remote, call, DONE);
        if (turn == 0) { /* the name is kept over a restart */
            shut_down(remote);
            build(remote);
            give_card(remote, CARD("true"));
        }
    }
    create_in(remote, "another");
    call = next_call(remote, "SendStreamingMessage");
    assert_null(strstr(remote->client->calls[call].body, "contextId"));
}

/* --- questions --- */

static void test_a_question_in_words(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, STATUS("INPUT_REQUIRED", "{\"text\":\"Where to?\"},{\"url\":\"map\"}"));
    assert_true(remote->client->calls[call].cancelled);
    expect_row(
        remote,
        "paused input {\"input\":{\"kind\":\"form\",\"message\":\"Where to?\",\"schema\":{\"type\":\"object\","
        "\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]},\"parts\":[{\"url\":\"map\"}]}}");
    give_answer(remote, "{\"input\":{\"action\":\"accept\",\"content\":{\"text\":\"Rome \\\"the\\\"\"}}}");
    call = next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "\"taskId\":\"T\""));
    assert_non_null(strstr(remote->client->calls[call].body, "[{\"text\":\"Rome \\\"the\\\"\"}]"));
    begin_stream(remote, call);
    /* Some agents first show the task as it stood when the answer came. */
    event(remote, call,
          "{\"task\":{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[{"
          "\"text\":\"Where "
          "to?\"},{\"url\":\"map\"}]}}}}");
    event(remote, call, DONE);
    expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

#define KEYED                                                                                                          \
    "{\"text\":\"Go?\"},{\"data\":{\"questions\":{\"go\":{\"kind\":\"approval\",\"title\":\"Go?\"},\"who\":{\"kind\":" \
    "\"form\",\"message\":\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"string\"}}}}}}}"

static void test_questions_with_keys(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, STATUS("INPUT_REQUIRED", KEYED));
    expect_row(remote,
               "paused input {\"go\":{\"kind\":\"approval\",\"title\":\"Go?\"},\"who\":{\"kind\":\"form\",\"message\":"
               "\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"string\"}}}}}");
    give_answer(remote, "{\"go\":{\"action\":\"decline\"},\"who\":{\"action\":\"accept\",\"content\":{\"n\":\"me\"}}}");
    call = next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body,
                           "[{\"data\":{\"answers\":{\"go\":{\"action\":\"decline\"},\"who\":{\"action\":\"accept\","
                           "\"content\":{\"n\":\"me\"}}}}}]"));
    /* The agent does not take it, and still asks. */
    answer_error(remote, call, -32602, "who must be somebody else");
    call = next_call(remote, "GetTask");
    answer_result(remote, call,
                  "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[" KEYED
                  "]}}}");
    struct ab_task row = row_of(remote);
    assert_int_equal(row.status, AB_TASK_PAUSED);
    assert_non_null(strstr(row.questions_json, "\"who#2\""));
    assert_non_null(strstr(row.questions_json, "\"problem\":\"who must be somebody else\""));
    ab_task_deinit(&row);
    stop_task(remote);
    call = next_call(remote, "CancelTask");
    answer_result(remote, call, TASK("CANCELED"));
    expect_row(remote, "stopped  ");
}

static void test_somebody_else_answers(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, STATUS("INPUT_REQUIRED", "{\"text\":\"Where to?\"}"));
    fake_loop_advance(remote->loop, 40000);
    call = next_call(remote, "GetTask");
    answer_result(
        remote, call,
        "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[{\"text\":\"Where "
        "to?\"}]}}}");
    fake_loop_advance(remote->loop, 60000);
    call = next_call(remote, "GetTask");
    answer_result(remote, call, TASK("WORKING"));
    expect_row(remote, "executing  ");
    fake_loop_advance(remote->loop, 60000);
    call = next_call(remote, "SubscribeToTask");
    begin_stream(remote, call);
    event(remote, call, "{\"task\":" TASK("COMPLETED") "}");
    expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

static void test_a_sign_in(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, STATUS("AUTH_REQUIRED", "{\"text\":\"Sign in at https://idp.example/x, please.\"}"));
    expect_row(remote,
               "paused auth {\"auth\":{\"kind\":\"url\",\"message\":\"Sign in at https://idp.example/x, please.\","
               "\"url\":\"https://idp.example/x\",\"reason\":\"auth\"}}");
    assert_false(remote->client->calls[call].over); /* it goes on when the agent does */
    event(remote, call, STATUS("WORKING", "{\"text\":\"thanks\"}"));
    expect_row(remote, "executing  ");
    event(remote, call, STATUS("AUTH_REQUIRED", "{\"text\":\"Show your pass.\"}"));
    expect_row(remote,
               "paused auth {\"auth#2\":{\"kind\":\"approval\",\"message\":\"Show your pass.\",\"reason\":\"auth\"}}");
    give_answer(remote, "{\"auth#2\":{\"action\":\"accept\"}}");
    call = next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "[{\"text\":\"Done.\"}]"));
    begin_stream(remote, call);
    event(remote, call, DONE);
    expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* --- what goes wrong --- */

static void test_a_lost_stream_is_subscribed_to_again(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, ARTIFACT("a", "one", ",\"lastChunk\":true"));
    lose(remote, call);
    call = next_call(remote, "SubscribeToTask");
    begin_stream(remote, call);
    event(remote, call,
          "{\"task\":{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_WORKING\"},\"artifacts\":[{\"artifactId\":\"a\","
          "\"parts\":"
          "[{\"text\":\"one\"}]},{\"artifactId\":\"b\",\"parts\":[{\"text\":\"two\"}]}]}}");
    fake_client_end(remote->client, call); /* the agent closes, with the task at work */
    run(remote);
    fake_loop_advance(remote->loop, 60000);
    call = next_call(remote, "SubscribeToTask");
    answer_error(remote, call, -32004, "the task has ended");
    call = next_call(remote, "GetTask");
    answer_result(
        remote, call,
        "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_COMPLETED\"},\"artifacts\":[{\"artifactId\":\"a\",\"parts\":"
        "[{\"text\":\"one\"}]},{\"artifactId\":\"b\",\"parts\":[{\"text\":\"more\"}]}]}");
    expect_row(remote, "completed  {\"text\":\"one\\n\\nmore\",\"parts\":[]}");
    expect_log(remote, "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"one\"}],\"append\":false,\"last\":true}\n"
                       "artifact {\"id\":\"b\",\"parts\":[{\"text\":\"two\"}],\"append\":false,\"last\":true}\n"
                       "artifact {\"id\":\"b\",\"parts\":[{\"text\":\"more\"}],\"append\":false,\"last\":true}\n");
}

static void test_a_silent_stream_is_asked_for_anew(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    fake_loop_advance(remote->loop, 50000);
    fake_client_body(remote->client, call, ": still here\n\n");
    fake_loop_advance(remote->loop, 50000);
    expect_no_call(remote);
    fake_loop_advance(remote->loop, 20000);
    assert_true(remote->client->calls[call].cancelled);
    (void)next_call(remote, "SubscribeToTask");
}

static void test_an_agent_without_streams_is_polled(void **state)
{
    struct remote *remote = *state;
    uint64_t waited[6];
    size_t call;

    give_card(remote, CARD("false"));
    create_in(remote, NULL);
    call = next_call(remote, "\"SendMessage\"");
    assert_non_null(strstr(remote->client->calls[call].body, "\"returnImmediately\":true"));
    answer_result(remote, call, FIRST);
    for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
        waited[i] = 0;
        while (remote->client->n_calls == remote->seen && waited[i] < 100000) {
            fake_loop_advance(remote->loop, 10);
            waited[i] += 10;
        }
        call = next_call(remote, "GetTask");
        answer_result(remote, call, TASK("WORKING"));
    }
    assert_true(waited[0] < 300 && waited[5] > 2 * waited[0] && waited[5] < 10000);
    fake_loop_advance(remote->loop, 60000);
    call = next_call(remote, "GetTask");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    run(remote);
    fake_loop_advance(remote->loop, 60000);
    call = next_call(remote, "GetTask");
    answer_result(remote, call, TASK("FAILED"));
    expect_row(remote, "failed  {\"message\":\"the agent failed and did not say why\"}");
}

static void test_what_the_agent_may_not_do(void **state)
{
    static const struct {
        const char *body;
        const char *row; /* the beginning of it */
        bool cancelled;  /* the task there is */
    } cases[] = {
        { "data: "
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"statusUpdate\":{\"taskId\":\"X\",\"status\":{\"state\":3}}}}"
          "\n\n",
          "error crashed {\"message\":\"the agent answered for another task: X instead of T\"}", true },
        { "data: garbage\n\n",
          "error crashed {\"message\":\"the agent broke the protocol: an event in the stream of the agent is no JSON",
          true },
        { "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"song\":1}}\n\n",
          "error crashed {\"message\":\"the agent broke the protocol: the agent's answer is neither", true },
        { "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n\n",
          "error crashed {\"message\":\"the agent broke the protocol: the agent answered another request", true },
    };
    struct remote *remote = *state;

    give_card(remote, CARD("true"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        create_in(remote, NULL);
        size_t call = next_call(remote, "SendStreamingMessage");
        begin_stream(remote, call);
        event(remote, call, FIRST);
        fake_client_body(remote->client, call, cases[i].body);
        struct ab_task row = row_of(remote);
        AB_CLEANUP(ab_free_string)
        char *text =
            ab_format("%s %s %s", ab_task_status_name(row.status), ab_task_reason_name(row.reason), row.error_json);
        if (strncmp(text, cases[i].row, strlen(cases[i].row)) != 0)
            fail_msg("%s", text);
        ab_task_deinit(&row);
        if (cases[i].cancelled) {
            call = next_call(remote, "CancelTask");
            fake_client_fail(remote->client, call, AB_HTTP_CALL_TIMED_OUT, "timed out");
        }
        expect_no_call(remote);
    }
}

static void test_artifacts_without_end(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    for (int i = 0; i <= 1000; i++) {
        AB_CLEANUP(ab_free_string)
        char *one =
            ab_format("{\"artifactUpdate\":{\"taskId\":\"T\",\"artifact\":{\"artifactId\":\"%d\",\"parts\":[]}}}", i);
        event(remote, call, one);
    }
    expect_row(remote, "error crashed {\"message\":\"the agent gave more than 1000 artifacts\"}");
    call = next_call(remote, "CancelTask");
    answer_result(remote, call, TASK("CANCELED"));
}

static void test_refusals(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        const char *row;
    } cases[] = {
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32005,\"message\":\"no pictures\"}}",
          "failed rejected {\"message\":\"no pictures\"}" },
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"what?\"}}",
          "error unreachable {\"message\":\"the agent does not know this call, though its card says so: what?\"}" },
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":\"ouch\"}}",
          "error crashed {\"message\":\"the agent failed: ouch\"}" },
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":4711,\"message\":\"own\",\"data\":1}}",
          "error protocol {\"code\":4711,\"message\":\"own\",\"data\":1}" },
        { 401, "",
          "error unreachable {\"message\":\"the agent does not let the bridge in (HTTP status 401): HTTP status "
          "401\"}" },
        { 307, "",
          "error unreachable {\"message\":\"the agent's address redirects (HTTP status 307), which is not "
          "followed\"}" },
        { 404, "{}",
          "error unreachable {\"message\":\"the agent does not know this call, though its card says so: HTTP status "
          "404\"}" },
        { 500, "<html>", "error crashed {\"message\":\"the agent failed: HTTP status 500\"}" },
    };
    struct remote *remote = *state;

    give_card(remote, CARD("true"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        create_in(remote, NULL);
        size_t call = next_call(remote, "SendStreamingMessage");
        whole_answer(remote, call, cases[i].status, "content-type: application/json\n", cases[i].body);
        expect_row(remote, cases[i].row);
    }
}

static void test_an_agent_out_of_reach(void **state)
{
    struct remote *remote = *state;
    size_t call;

    give_card(remote, CARD("true"));
    create_in(remote, NULL);
    for (int i = 0; i < 4; i++) {
        call = next_call(remote, "SendStreamingMessage");
        assert_non_null(strstr(remote->client->calls[call].body, "-1\",\"role\"")); /* the same message each time */
        fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
        run(remote);
        fake_loop_advance(remote->loop, 40000);
    }
    expect_row(remote, "error unreachable {\"message\":\"the agent cannot be reached: connection refused\"}");
    create_in(remote, NULL);
    call = next_call(remote, "SendStreamingMessage");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_BROKEN, "reset"); /* it may be at work: not sent twice */
    expect_row(remote,
               "error unreachable {\"message\":\"the connection was lost before the agent said what becomes of the "
               "message: reset\"}");
    expect_no_call(remote);
}

static void test_a_task_it_does_not_know_any_more(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    lose(remote, call);
    call = next_call(remote, "SubscribeToTask");
    answer_error(remote, call, -32001, "no such task");
    call = next_call(remote, "GetTask");
    answer_error(remote, call, -32001, "no such task");
    expect_row(remote, "error crashed {\"message\":\"the agent does not know the task any more: no such task\"}");
}

/* --- stopping --- */

static void test_stopping(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    stop_task(remote);
    expect_row(remote, "stopped  ");
    assert_true(remote->client->calls[call].cancelled);
    call = next_call(remote, "CancelTask");
    answer_result(remote, call, TASK("CANCELED"));
    expect_no_call(remote);

    /* Before the agent has named the task: it is awaited, to cancel it. */
    create_in(remote, NULL);
    call = next_call(remote, "SendStreamingMessage");
    begin_stream(remote, call);
    stop_task(remote);
    assert_false(remote->client->calls[call].over);
    event(remote, call, FIRST);
    call = next_call(remote, "CancelTask");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_TIMED_OUT, "timed out");
    expect_no_call(remote);

    /* It never does. */
    create_in(remote, NULL);
    call = next_call(remote, "SendStreamingMessage");
    stop_task(remote);
    fake_loop_advance(remote->loop, 10000);
    assert_true(remote->client->calls[call].cancelled);
    expect_no_call(remote);
}

/* --- restarts --- */

static void start_again(struct remote *remote)
{
    shut_down(remote);
    build(remote);
    give_card(remote, CARD("true"));
}

static void test_a_restart_at_work(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, ARTIFACT("a", "one", ""));
    event(remote, call, ARTIFACT("T-result", "half", ""));
    start_again(remote);
    call = next_call(remote, "SubscribeToTask");
    begin_stream(remote, call);
    event(remote, call,
          "{\"task\":{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_WORKING\"},\"artifacts\":[{\"artifactId\":\"a\","
          "\"parts\":"
          "[{\"text\":\"one\"}]}]}}");
    event(remote, call, ARTIFACT("T-result", "half and", ""));
    event(remote, call, DONE);
    expect_row(remote, "completed  {\"text\":\"half and\",\"parts\":[{\"text\":\"half and\"}]}");
    expect_log(remote, "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"one\"}],\"append\":false,\"last\":false}\n"
                       "chunk {\"text\":\"half\"}\nchunk {\"text\":\" and\"}\n");
}

static void test_a_restart_while_the_agent_is_away(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    (void)call;
    shut_down(remote);
    build(remote);
    call = next_call(remote, "http://far.example/card");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    expect_row(remote, "executing  "); /* it may be there later */
    fake_loop_advance(remote->loop, 3000);
    call = next_call(remote, "http://far.example/card");
    stop_task(remote);
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    expect_row(remote, "stopped  ");
    expect_no_call(remote);
}

static void test_a_restart_with_an_open_question(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    event(remote, call, STATUS("INPUT_REQUIRED", KEYED));
    start_again(remote);
    call = next_call(remote, "GetTask");
    answer_result(remote, call,
                  "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[" KEYED
                  "]}}}");
    struct ab_task row = row_of(remote);
    assert_null(strstr(row.questions_json, "go#2"));
    ab_task_deinit(&row);
    give_answer(remote, "{\"go\":{\"action\":\"accept\"},\"who\":{\"action\":\"cancel\"}}");
    call = next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "{\"answers\":{\"go\":{\"action\":\"accept\"}"));
}

static void answer_then_restart(struct remote *remote)
{
    size_t call = begun(remote);

    event(remote, call, STATUS("INPUT_REQUIRED", KEYED));
    give_answer(remote, "{\"go\":{\"action\":\"accept\"},\"who\":{\"action\":\"cancel\"}}");
    (void)next_call(remote, "SendStreamingMessage");
    start_again(remote);
    run(remote);
    while (strstr(remote->client->calls[remote->seen].body, "SubscribeToTask") != NULL)
        assert_true(remote->client->calls[remote->seen++].cancelled);
}

static void test_a_restart_with_an_answer_under_way(void **state)
{
    struct remote *remote = *state;
    size_t call;

    answer_then_restart(remote);
    call = next_call(remote, "GetTask"); /* had it got there? */
    answer_result(remote, call,
                  "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[" KEYED
                  "]}}}");
    call = next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "{\"answers\":{\"go\":{\"action\":\"accept\"}"));
    assert_non_null(strstr(remote->client->calls[call].body, "-2\",\"role\""));
    expect_row(remote, "executing  ");
}

static void test_a_restart_with_an_answer_that_got_through(void **state)
{
    struct remote *remote = *state;
    size_t call;

    answer_then_restart(remote);
    call = next_call(remote, "GetTask");
    answer_result(remote, call, TASK("WORKING"));
    fake_loop_advance(remote->loop, 2000);
    call = next_call(remote, "SubscribeToTask");
    begin_stream(remote, call);
    event(remote, call, DONE);
    expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* --- the card --- */

static void test_a_card_that_cannot_be_had(void **state)
{
    struct remote *remote = *state;
    size_t call = next_call(remote, "http://far.example/card");

    create_in(remote, NULL); /* it waits for the fetch under way */
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    expect_row(remote, "error unreachable {\"message\":\"the agent's card at http://far.example/card cannot be had: "
                       "connection refused\"}");
    create_in(remote, NULL); /* a new task asks at once, whenever the next look would be */
    call = next_call(remote, "http://far.example/card");
    whole_answer(remote, call, 302, "location: http://evil.example/\n", "");
    expect_row(remote,
               "error unreachable {\"message\":\"the agent's card at http://far.example/card cannot be had: the "
               "card's address redirects, which is not followed; if http://evil.example/ is meant, configure "
               "that\"}");
    create_in(remote, NULL);
    call = next_call(remote, "http://far.example/card");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_TOO_LARGE, "too large");
    expect_row(remote,
               "error unreachable {\"message\":\"the agent's card at http://far.example/card cannot be had: the "
               "card is larger than 262144 bytes\"}");
    create_in(remote, NULL);
    give_card(remote, CARD("true"));
    (void)next_call(remote, "SendStreamingMessage");
}

static void test_a_card_is_kept_fresh(void **state)
{
    struct remote *remote = *state;
    const struct ab_agent_profile *profile;
    size_t call;

    call = next_call(remote, "http://far.example/card");
    whole_answer(remote, call, 200, "etag: \"1\"\ncache-control: max-age=60\n", CARD("true"));
    profile = ab_engine_profile(remote->engine, "far");
    assert_string_equal(profile->title, "Far");
    assert_string_equal(profile->version, "7");
    assert_string_equal(profile->skills_json, "[{\"id\":\"s\",\"name\":\"S\"}]");
    fake_loop_advance(remote->loop, 61000);
    call = next_call(remote, "http://far.example/card");
    assert_non_null(strstr(remote->client->calls[call].headers, "If-None-Match: \"1\"\n"));
    whole_answer(remote, call, 304, "", "");
    fake_loop_advance(remote->loop, 301000);
    call = next_call(remote, "http://far.example/card");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    create_in(remote, NULL); /* the old one serves */
    (void)next_call(remote, "SendStreamingMessage");
    fake_loop_advance(remote->loop, 2500);
    call = next_call(remote, "http://far.example/card");
    whole_answer(remote, call, 200, "", "{\"name\":\"Near\",\"url\":\"http://far.example/old\"}");
    assert_string_equal(ab_engine_profile(remote->engine, "far")->title, "Near");
}

#define with_remote(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_remote(test_a_message_and_its_stream),
        with_remote(test_ends),
        with_remote(test_a_message_instead_of_a_task),
        with_remote(test_pieces_of_another_bridge),
        with_remote(test_turns_of_a_conversation),
        with_remote(test_a_question_in_words),
        with_remote(test_questions_with_keys),
        with_remote(test_somebody_else_answers),
        with_remote(test_a_sign_in),
        with_remote(test_a_lost_stream_is_subscribed_to_again),
        with_remote(test_a_silent_stream_is_asked_for_anew),
        with_remote(test_an_agent_without_streams_is_polled),
        with_remote(test_what_the_agent_may_not_do),
        with_remote(test_artifacts_without_end),
        with_remote(test_refusals),
        with_remote(test_an_agent_out_of_reach),
        with_remote(test_a_task_it_does_not_know_any_more),
        with_remote(test_stopping),
        with_remote(test_a_restart_at_work),
        with_remote(test_a_restart_while_the_agent_is_away),
        with_remote(test_a_restart_with_an_open_question),
        with_remote(test_a_restart_with_an_answer_under_way),
        with_remote(test_a_restart_with_an_answer_that_got_through),
        with_remote(test_a_card_that_cannot_be_had),
        with_remote(test_a_card_is_kept_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
