/* The `a2a` agent against an HTTP client played by hand: from the card to the end of its task, with all that can go
 * wrong on the way. The engine around it is the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/a2a_rig.h"

#include <string.h>

/* A task whose message has been sent; the call of the stream. */
static size_t begun(struct remote *remote)
{
    far_give_card(remote, CARD("true"));
    far_create_in(remote, NULL);
    size_t call = far_next_call(remote, "SendStreamingMessage");
    far_begin_stream(remote, call);
    far_event(remote, call, FIRST);
    return call;
}

/* A stream is lost: what comes next is asked for after a moment. */
static void lose(struct remote *remote, size_t call)
{
    fake_client_fail(remote->client, call, AB_HTTP_CALL_BROKEN, "the connection was reset");
    far_run(remote);
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
    far_event(remote, call, STATUS("WORKING", "{\"text\":\"on it\"}"));
    far_event(remote, call, STATUS("WORKING", "{\"text\":\"on it\"}"));
    far_event(remote, call, ARTIFACT("a", "one", ""));
    far_event(remote, call, ARTIFACT("a", "two", ",\"append\":true,\"lastChunk\":true"));
    far_event(remote, call, DONE);
    far_expect_row(remote, "completed  {\"text\":\"onetwo\",\"parts\":[]}");
    far_expect_log(remote, "status {\"status\":\"executing\",\"message\":\"on it\"}\n"
                           "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"one\"}],\"append\":false,\"last\":false}\n"
                           "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"two\"}],\"append\":true,\"last\":true}\n");
    assert_true(remote->client->calls[call].cancelled); /* nobody waits for a stream to end by itself */
    far_expect_no_call(remote);
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
        far_event(remote, call, cases[i].event);
        if (cases[i].row == NULL)
            continue;
        if (strstr(cases[i].row, "whole") == NULL)
            far_expect_row(remote, cases[i].row);
        else
            far_expect_row(remote, "completed  {\"text\":\"whole\",\"parts\":[{\"text\":\"whole\"}]}");
        if (i + 1 == sizeof cases / sizeof *cases)
            break;
        far_create_in(remote, NULL);
        call = far_next_call(remote, "SendStreamingMessage");
        far_begin_stream(remote, call);
        far_event(remote, call, FIRST);
    }
}

static void test_a_message_instead_of_a_task(void **state)
{
    struct remote *remote = *state;

    far_give_card(remote, CARD("true"));
    far_create_in(remote, NULL);
    size_t call = far_next_call(remote, "SendStreamingMessage");
    far_begin_stream(remote, call);
    far_event(
        remote, call,
        "{\"message\":{\"messageId\":\"m\",\"contextId\":\"C\",\"role\":\"ROLE_AGENT\",\"parts\":[{\"text\":\"hi\"}]}"
        "}");
    far_expect_row(remote, "completed  {\"text\":\"hi\",\"parts\":[{\"text\":\"hi\"}]}");
    far_expect_log(remote, "say {\"parts\":[{\"text\":\"hi\"}]}\n");
}

static void test_pieces_of_another_bridge(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, ARTIFACT("T-result", "one ", ""));
    far_event(remote, call, ARTIFACT("T-result", "two", ",\"append\":true"));
    lose(remote, call);
    call = far_next_call(remote, "SubscribeToTask");
    far_begin_stream(remote, call);
    far_event(remote, call, "{\"task\":" TASK("WORKING") "}");
    far_event(remote, call, ARTIFACT("T-result", "one two three", ""));
    far_event(
        remote, call,
        "{\"statusUpdate\":{\"taskId\":\"T\",\"status\":{\"state\":\"TASK_STATE_WORKING\"},\"metadata\":{\"progress\":"
        "{\"value\":1,\"total\":3,\"message\":\"x\"}}}}");
    far_event(remote, call,
              "{\"artifactUpdate\":{\"taskId\":\"T\",\"artifact\":{\"artifactId\":\"T-result\",\"parts\":[{\"text\":"
              "\"one two three\"},{\"data\":{\"n\":3}}]},\"lastChunk\":true}}");
    far_event(remote, call, DONE);
    far_expect_row(
        remote, "completed  {\"text\":\"one two three\",\"parts\":[{\"text\":\"one two three\"}],\"data\":{\"n\":3}}");
    far_expect_log(remote, "chunk {\"text\":\"one \"}\nchunk {\"text\":\"two\"}\nchunk {\"text\":\" three\"}\n"
                           "progress {\"value\":1,\"total\":3}\n");
}

static void test_turns_of_a_conversation(void **state)
{
    struct remote *remote = *state;
    size_t call;

    far_give_card(remote, CARD("true"));
    for (int turn = 0; turn < 2; turn++) {
        far_create_in(remote, "ours");
        call = far_next_call(remote, "SendStreamingMessage");
        assert_int_equal(strstr(remote->client->calls[call].body, "\"contextId\":\"C\"") != NULL, turn == 1);
        far_begin_stream(remote, call);
        far_event(remote, call, FIRST);
        far_event(remote, call, DONE);
        if (turn == 0) { /* the name is kept over a restart */
            far_shut_down(remote);
            far_build(remote);
            far_give_card(remote, CARD("true"));
        }
    }
    far_create_in(remote, "another");
    call = far_next_call(remote, "SendStreamingMessage");
    assert_null(strstr(remote->client->calls[call].body, "contextId"));
}

/* --- questions --- */

static void test_a_question_in_words(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, STATUS("INPUT_REQUIRED", "{\"text\":\"Where to?\"},{\"url\":\"map\"}"));
    assert_true(remote->client->calls[call].cancelled);
    far_expect_row(
        remote,
        "paused input {\"input\":{\"kind\":\"form\",\"message\":\"Where to?\",\"schema\":{\"type\":\"object\","
        "\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]},\"parts\":[{\"url\":\"map\"}]}}");
    far_give_answer(remote, "{\"input\":{\"action\":\"accept\",\"content\":{\"text\":\"Rome \\\"the\\\"\"}}}");
    call = far_next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "\"taskId\":\"T\""));
    assert_non_null(strstr(remote->client->calls[call].body, "[{\"text\":\"Rome \\\"the\\\"\"}]"));
    far_begin_stream(remote, call);
    /* Some agents first show the task as it stood when the answer came. */
    far_event(remote, call,
              "{\"task\":{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[{"
              "\"text\":\"Where "
              "to?\"},{\"url\":\"map\"}]}}}}");
    far_event(remote, call, DONE);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

#define KEYED                                                                                                          \
    "{\"text\":\"Go?\"},{\"data\":{\"questions\":{\"go\":{\"kind\":\"approval\",\"title\":\"Go?\"},\"who\":{\"kind\":" \
    "\"form\",\"message\":\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"string\"}}}}}}}"

static void test_questions_with_keys(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, STATUS("INPUT_REQUIRED", KEYED));
    far_expect_row(
        remote, "paused input {\"go\":{\"kind\":\"approval\",\"title\":\"Go?\"},\"who\":{\"kind\":\"form\",\"message\":"
                "\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"string\"}}}}}");
    far_give_answer(remote,
                    "{\"go\":{\"action\":\"decline\"},\"who\":{\"action\":\"accept\",\"content\":{\"n\":\"me\"}}}");
    call = far_next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body,
                           "[{\"data\":{\"answers\":{\"go\":{\"action\":\"decline\"},\"who\":{\"action\":\"accept\","
                           "\"content\":{\"n\":\"me\"}}}}}]"));
    /* The agent does not take it, and still asks. */
    far_answer_error(remote, call, -32602, "who must be somebody else");
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call,
                      "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[" KEYED
                      "]}}}");
    struct ab_task row = far_row_of(remote);
    assert_int_equal(row.status, AB_TASK_PAUSED);
    assert_non_null(strstr(row.questions_json, "\"who#2\""));
    assert_non_null(strstr(row.questions_json, "\"problem\":\"who must be somebody else\""));
    ab_task_deinit(&row);
    far_stop_task(remote);
    call = far_next_call(remote, "CancelTask");
    far_answer_result(remote, call, TASK("CANCELED"));
    far_expect_row(remote, "stopped  ");
}

static void test_somebody_else_answers(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, STATUS("INPUT_REQUIRED", "{\"text\":\"Where to?\"}"));
    fake_loop_advance(remote->loop, 40000);
    call = far_next_call(remote, "GetTask");
    far_answer_result(
        remote, call,
        "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[{\"text\":\"Where "
        "to?\"}]}}}");
    fake_loop_advance(remote->loop, 60000);
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, TASK("WORKING"));
    far_expect_row(remote, "executing  ");
    fake_loop_advance(remote->loop, 60000);
    call = far_next_call(remote, "SubscribeToTask");
    far_begin_stream(remote, call);
    far_event(remote, call, "{\"task\":" TASK("COMPLETED") "}");
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

static void test_a_sign_in(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, STATUS("AUTH_REQUIRED", "{\"text\":\"Sign in at https://idp.example/x, please.\"}"));
    far_expect_row(remote,
                   "paused auth {\"auth\":{\"kind\":\"url\",\"message\":\"Sign in at https://idp.example/x, please.\","
                   "\"url\":\"https://idp.example/x\",\"reason\":\"auth\"}}");
    assert_false(remote->client->calls[call].over); /* it goes on when the agent does */
    far_event(remote, call, STATUS("WORKING", "{\"text\":\"thanks\"}"));
    far_expect_row(remote, "executing  ");
    far_event(remote, call, STATUS("AUTH_REQUIRED", "{\"text\":\"Show your pass.\"}"));
    far_expect_row(
        remote, "paused auth {\"auth#2\":{\"kind\":\"approval\",\"message\":\"Show your pass.\",\"reason\":\"auth\"}}");
    far_give_answer(remote, "{\"auth#2\":{\"action\":\"accept\"}}");
    call = far_next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "[{\"text\":\"Done.\"}]"));
    far_begin_stream(remote, call);
    far_event(remote, call, DONE);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* --- what goes wrong --- */

static void test_a_lost_stream_is_subscribed_to_again(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, ARTIFACT("a", "one", ",\"lastChunk\":true"));
    lose(remote, call);
    call = far_next_call(remote, "SubscribeToTask");
    far_begin_stream(remote, call);
    far_event(
        remote, call,
        "{\"task\":{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_WORKING\"},\"artifacts\":[{\"artifactId\":\"a\","
        "\"parts\":"
        "[{\"text\":\"one\"}]},{\"artifactId\":\"b\",\"parts\":[{\"text\":\"two\"}]}]}}");
    fake_client_end(remote->client, call); /* the agent closes, with the task at work */
    far_run(remote);
    fake_loop_advance(remote->loop, 60000);
    call = far_next_call(remote, "SubscribeToTask");
    far_answer_error(remote, call, -32004, "the task has ended");
    call = far_next_call(remote, "GetTask");
    far_answer_result(
        remote, call,
        "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_COMPLETED\"},\"artifacts\":[{\"artifactId\":\"a\",\"parts\":"
        "[{\"text\":\"one\"}]},{\"artifactId\":\"b\",\"parts\":[{\"text\":\"more\"}]}]}");
    far_expect_row(remote, "completed  {\"text\":\"one\\n\\nmore\",\"parts\":[]}");
    far_expect_log(remote, "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"one\"}],\"append\":false,\"last\":true}\n"
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
    far_expect_no_call(remote);
    fake_loop_advance(remote->loop, 20000);
    assert_true(remote->client->calls[call].cancelled);
    (void)far_next_call(remote, "SubscribeToTask");
}

static void test_an_agent_without_streams_is_polled(void **state)
{
    struct remote *remote = *state;
    uint64_t waited[6];
    size_t call;

    far_give_card(remote, CARD("false"));
    far_create_in(remote, NULL);
    call = far_next_call(remote, "\"SendMessage\"");
    assert_non_null(strstr(remote->client->calls[call].body, "\"returnImmediately\":true"));
    far_answer_result(remote, call, FIRST);
    for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
        waited[i] = 0;
        while (remote->client->n_calls == remote->seen && waited[i] < 100000) {
            fake_loop_advance(remote->loop, 10);
            waited[i] += 10;
        }
        call = far_next_call(remote, "GetTask");
        far_answer_result(remote, call, TASK("WORKING"));
    }
    assert_true(waited[0] < 300 && waited[5] > 2 * waited[0] && waited[5] < 10000);
    fake_loop_advance(remote->loop, 60000);
    call = far_next_call(remote, "GetTask");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    far_run(remote);
    fake_loop_advance(remote->loop, 60000);
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, TASK("FAILED"));
    far_expect_row(remote, "failed  {\"message\":\"the agent failed and did not say why\"}");
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

    far_give_card(remote, CARD("true"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        far_create_in(remote, NULL);
        size_t call = far_next_call(remote, "SendStreamingMessage");
        far_begin_stream(remote, call);
        far_event(remote, call, FIRST);
        fake_client_body(remote->client, call, cases[i].body);
        struct ab_task row = far_row_of(remote);
        AB_CLEANUP(ab_free_string)
        char *text =
            ab_format("%s %s %s", ab_task_status_name(row.status), ab_task_reason_name(row.reason), row.error_json);
        if (strncmp(text, cases[i].row, strlen(cases[i].row)) != 0)
            fail_msg("%s", text);
        ab_task_deinit(&row);
        if (cases[i].cancelled) {
            call = far_next_call(remote, "CancelTask");
            fake_client_fail(remote->client, call, AB_HTTP_CALL_TIMED_OUT, "timed out");
        }
        far_expect_no_call(remote);
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
        far_event(remote, call, one);
    }
    far_expect_row(remote, "error crashed {\"message\":\"the agent gave more than 1000 artifacts\"}");
    call = far_next_call(remote, "CancelTask");
    far_answer_result(remote, call, TASK("CANCELED"));
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

    far_give_card(remote, CARD("true"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        far_create_in(remote, NULL);
        size_t call = far_next_call(remote, "SendStreamingMessage");
        far_whole_answer(remote, call, cases[i].status, "content-type: application/json\n", cases[i].body);
        far_expect_row(remote, cases[i].row);
    }
}

static void test_an_agent_out_of_reach(void **state)
{
    struct remote *remote = *state;
    size_t call;

    far_give_card(remote, CARD("true"));
    far_create_in(remote, NULL);
    for (int i = 0; i < 4; i++) {
        call = far_next_call(remote, "SendStreamingMessage");
        assert_non_null(strstr(remote->client->calls[call].body, "-1\",\"role\"")); /* the same message each time */
        fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
        far_run(remote);
        fake_loop_advance(remote->loop, 40000);
    }
    far_expect_row(remote, "error unreachable {\"message\":\"the agent cannot be reached: connection refused\"}");
    far_create_in(remote, NULL);
    call = far_next_call(remote, "SendStreamingMessage");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_BROKEN, "reset"); /* it may be at work: not sent twice */
    far_expect_row(remote,
                   "error unreachable {\"message\":\"the connection was lost before the agent said what becomes of the "
                   "message: reset\"}");
    far_expect_no_call(remote);
}

static void test_a_task_it_does_not_know_any_more(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    lose(remote, call);
    call = far_next_call(remote, "SubscribeToTask");
    far_answer_error(remote, call, -32001, "no such task");
    call = far_next_call(remote, "GetTask");
    far_answer_error(remote, call, -32001, "no such task");
    far_expect_row(remote, "error crashed {\"message\":\"the agent does not know the task any more: no such task\"}");
}

/* --- stopping --- */

static void test_stopping(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_stop_task(remote);
    far_expect_row(remote, "stopped  ");
    assert_true(remote->client->calls[call].cancelled);
    call = far_next_call(remote, "CancelTask");
    far_answer_result(remote, call, TASK("CANCELED"));
    far_expect_no_call(remote);

    /* Before the agent has named the task: it is awaited, to cancel it. */
    far_create_in(remote, NULL);
    call = far_next_call(remote, "SendStreamingMessage");
    far_begin_stream(remote, call);
    far_stop_task(remote);
    assert_false(remote->client->calls[call].over);
    far_event(remote, call, FIRST);
    call = far_next_call(remote, "CancelTask");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_TIMED_OUT, "timed out");
    far_expect_no_call(remote);

    /* It never does. */
    far_create_in(remote, NULL);
    call = far_next_call(remote, "SendStreamingMessage");
    far_stop_task(remote);
    fake_loop_advance(remote->loop, 10000);
    assert_true(remote->client->calls[call].cancelled);
    far_expect_no_call(remote);
}

/* --- restarts --- */

static void start_again(struct remote *remote)
{
    far_shut_down(remote);
    far_build(remote);
    far_give_card(remote, CARD("true"));
}

static void test_a_restart_at_work(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, ARTIFACT("a", "one", ""));
    far_event(remote, call, ARTIFACT("T-result", "half", ""));
    start_again(remote);
    call = far_next_call(remote, "SubscribeToTask");
    far_begin_stream(remote, call);
    far_event(
        remote, call,
        "{\"task\":{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_WORKING\"},\"artifacts\":[{\"artifactId\":\"a\","
        "\"parts\":"
        "[{\"text\":\"one\"}]}]}}");
    far_event(remote, call, ARTIFACT("T-result", "half and", ""));
    far_event(remote, call, DONE);
    far_expect_row(remote, "completed  {\"text\":\"half and\",\"parts\":[{\"text\":\"half and\"}]}");
    far_expect_log(remote, "artifact {\"id\":\"a\",\"parts\":[{\"text\":\"one\"}],\"append\":false,\"last\":false}\n"
                           "chunk {\"text\":\"half\"}\nchunk {\"text\":\" and\"}\n");
}

static void test_a_restart_while_the_agent_is_away(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    (void)call;
    far_shut_down(remote);
    far_build(remote);
    call = far_next_call(remote, "http://far.example/card");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    far_expect_row(remote, "executing  "); /* it may be there later */
    fake_loop_advance(remote->loop, 3000);
    call = far_next_call(remote, "http://far.example/card");
    far_stop_task(remote);
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    far_expect_row(remote, "stopped  ");
    far_expect_no_call(remote);
}

static void test_a_restart_with_an_open_question(void **state)
{
    struct remote *remote = *state;
    size_t call = begun(remote);

    far_event(remote, call, STATUS("INPUT_REQUIRED", KEYED));
    start_again(remote);
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call,
                      "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[" KEYED
                      "]}}}");
    struct ab_task row = far_row_of(remote);
    assert_null(strstr(row.questions_json, "go#2"));
    ab_task_deinit(&row);
    far_give_answer(remote, "{\"go\":{\"action\":\"accept\"},\"who\":{\"action\":\"cancel\"}}");
    call = far_next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "{\"answers\":{\"go\":{\"action\":\"accept\"}"));
}

static void answer_then_restart(struct remote *remote)
{
    size_t call = begun(remote);

    far_event(remote, call, STATUS("INPUT_REQUIRED", KEYED));
    far_give_answer(remote, "{\"go\":{\"action\":\"accept\"},\"who\":{\"action\":\"cancel\"}}");
    (void)far_next_call(remote, "SendStreamingMessage");
    start_again(remote);
    far_run(remote);
    while (strstr(remote->client->calls[remote->seen].body, "SubscribeToTask") != NULL)
        assert_true(remote->client->calls[remote->seen++].cancelled);
}

static void test_a_restart_with_an_answer_under_way(void **state)
{
    struct remote *remote = *state;
    size_t call;

    answer_then_restart(remote);
    call = far_next_call(remote, "GetTask"); /* had it got there? */
    far_answer_result(remote, call,
                      "{\"id\":\"T\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[" KEYED
                      "]}}}");
    call = far_next_call(remote, "SendStreamingMessage");
    assert_non_null(strstr(remote->client->calls[call].body, "{\"answers\":{\"go\":{\"action\":\"accept\"}"));
    assert_non_null(strstr(remote->client->calls[call].body, "-2\",\"role\""));
    far_expect_row(remote, "executing  ");
}

static void test_a_restart_with_an_answer_that_got_through(void **state)
{
    struct remote *remote = *state;
    size_t call;

    answer_then_restart(remote);
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, TASK("WORKING"));
    fake_loop_advance(remote->loop, 2000);
    call = far_next_call(remote, "SubscribeToTask");
    far_begin_stream(remote, call);
    far_event(remote, call, DONE);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* --- the card --- */

static void test_a_card_that_cannot_be_had(void **state)
{
    struct remote *remote = *state;
    size_t call = far_next_call(remote, "http://far.example/card");

    far_create_in(remote, NULL); /* it waits for the fetch under way */
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    far_expect_row(remote,
                   "error unreachable {\"message\":\"the agent's card at http://far.example/card cannot be had: "
                   "connection refused\"}");
    far_create_in(remote, NULL); /* a new task asks at once, whenever the next look would be */
    call = far_next_call(remote, "http://far.example/card");
    far_whole_answer(remote, call, 302, "location: http://evil.example/\n", "");
    far_expect_row(remote,
                   "error unreachable {\"message\":\"the agent's card at http://far.example/card cannot be had: the "
                   "card's address redirects, which is not followed; if http://evil.example/ is meant, configure "
                   "that\"}");
    far_create_in(remote, NULL);
    call = far_next_call(remote, "http://far.example/card");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_TOO_LARGE, "too large");
    far_expect_row(remote,
                   "error unreachable {\"message\":\"the agent's card at http://far.example/card cannot be had: the "
                   "card is larger than 262144 bytes\"}");
    far_create_in(remote, NULL);
    far_give_card(remote, CARD("true"));
    (void)far_next_call(remote, "SendStreamingMessage");
}

/* --- the card for those who are let in --- */

#define MORE_CARD CARD_OF("true", ",\"extendedAgentCard\":true")
#define EXTENDED(name, url)                                                                                            \
    "{\"name\":\"" name "\",\"version\":\"8\",\"skills\":[{\"id\":\"x\",\"name\":\"X\"}],\"supportedInterfaces\":[{"   \
    "\"url\":\"" url "\",\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\"}]}"

/* Its extension is none that the bridge speaks. */
#define NEEDY                                                                                                          \
    "{\"name\":\"Evil\",\"url\":\"http://far.example/x\",\"capabilities\":{\"extensions\":[{\"uri\":\"urn:x\","        \
    "\"required\":true}]}}"

static void expect_told(struct remote *remote, const char *title, const char *version, const char *skills)
{
    const struct ab_agent_profile *profile;

    far_run(remote);
    profile = ab_engine_profile(remote->engine, "far");
    assert_string_equal(profile->title, title);
    assert_string_equal(profile->version, version);
    assert_string_equal(profile->skills_json, skills);
}

static void expect_public(struct remote *remote)
{
    expect_told(remote, "Far", "7", "[{\"id\":\"s\",\"name\":\"S\"}]");
}

static void expect_extended(struct remote *remote)
{
    expect_told(remote, "Farther", "8", "[{\"id\":\"x\",\"name\":\"X\"}]");
}

/* The card is asked for again, and has not changed. */
static void refresh(struct remote *remote)
{
    fake_loop_advance(remote->loop, 3601000);
    far_whole_answer(remote, far_next_call(remote, "http://far.example/card"), 304, "", "");
}

static void test_an_extended_card(void **state)
{
    struct remote *remote = *state;
    size_t call;

    far_give_card(remote, MORE_CARD);
    expect_public(remote);
    call = far_next_call(remote, "GetExtendedAgentCard");
    assert_string_equal(remote->client->calls[call].url, "http://far.example/rpc");
    far_answer_result(remote, call, EXTENDED("Farther", "http://far.example/elsewhere"));
    expect_extended(remote);
    far_create_in(remote, NULL);
    call = far_next_call(remote, "SendStreamingMessage");
    assert_string_equal(remote->client->calls[call].url, "http://far.example/rpc");
    far_begin_stream(remote, call);
    far_event(remote, call, FIRST);
    far_event(remote, call, DONE);

    refresh(remote);
    expect_extended(remote);
    fake_client_fail(remote->client, far_next_call(remote, "GetExtendedAgentCard"), AB_HTTP_CALL_TIMED_OUT,
                     "timed out");
    expect_extended(remote); /* it is only away */
    refresh(remote);
    far_answer_error(remote, far_next_call(remote, "GetExtendedAgentCard"), -32007, "none for you");
    expect_public(remote);
    refresh(remote);
    far_answer_result(remote, far_next_call(remote, "GetExtendedAgentCard"),
                      EXTENDED("Farther", "http://far.example/"));
    expect_extended(remote);
    fake_loop_advance(remote->loop, 3601000);
    call = far_next_call(remote, "http://far.example/card");
    far_whole_answer(remote, call, 200, "cache-control: max-age=3600\n", CARD("true")); /* there is none any more */
    expect_public(remote);
    far_expect_no_call(remote);
}

static void test_extended_cards_of_no_use(void **state)
{
    static const char *const results[] = {
        EXTENDED("Evil", "http://evil.example/rpc"),
        EXTENDED("Evil", "file:///etc/passwd"),
        "{\"name\":\"Evil\"}",
        NEEDY,
        "[]",
        "null",
        "\"Evil\"",
    };
    struct remote *remote = *state;
    struct ab_buf large = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t call;

    far_give_card(remote, MORE_CARD);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        far_answer_result(remote, far_next_call(remote, "GetExtendedAgentCard"), results[i]);
        expect_public(remote);
        refresh(remote);
    }
    ab_buf_printf(&large, "{\"name\":\"%0300000d\",\"url\":\"http://far.example/x\"}", 1);
    far_answer_result(remote, far_next_call(remote, "GetExtendedAgentCard"), large.data);
    ab_buf_deinit(&large);
    expect_public(remote);
    refresh(remote);
    call = far_next_call(remote, "GetExtendedAgentCard");
    far_whole_answer(remote, call, 200, "content-type: text/html\n", "<html>");
    expect_public(remote);
    refresh(remote);
    call = far_next_call(remote, "GetExtendedAgentCard");
    far_begin_stream(remote, call); /* of cards */
    far_event(remote, call, EXTENDED("Farther", "http://far.example/"));
    assert_true(remote->client->calls[call].cancelled);
    expect_extended(remote);
    refresh(remote);
    call = far_next_call(remote, "GetExtendedAgentCard"); /* asked for when everything goes down */
    assert_false(remote->client->calls[call].over);
}

static void test_a_card_is_kept_fresh(void **state)
{
    struct remote *remote = *state;
    const struct ab_agent_profile *profile;
    size_t call;

    call = far_next_call(remote, "http://far.example/card");
    far_whole_answer(remote, call, 200, "etag: \"1\"\ncache-control: max-age=60\n", CARD("true"));
    profile = ab_engine_profile(remote->engine, "far");
    assert_string_equal(profile->title, "Far");
    assert_string_equal(profile->version, "7");
    assert_string_equal(profile->skills_json, "[{\"id\":\"s\",\"name\":\"S\"}]");
    fake_loop_advance(remote->loop, 61000);
    call = far_next_call(remote, "http://far.example/card");
    assert_non_null(strstr(remote->client->calls[call].headers, "If-None-Match: \"1\"\n"));
    far_whole_answer(remote, call, 304, "", "");
    fake_loop_advance(remote->loop, 301000);
    call = far_next_call(remote, "http://far.example/card");
    fake_client_fail(remote->client, call, AB_HTTP_CALL_UNREACHABLE, "connection refused");
    far_create_in(remote, NULL); /* the old one serves */
    (void)far_next_call(remote, "SendStreamingMessage");
    fake_loop_advance(remote->loop, 2500);
    call = far_next_call(remote, "http://far.example/card");
    far_whole_answer(remote, call, 200, "", "{\"name\":\"Near\",\"url\":\"http://far.example/old\"}");
    assert_string_equal(ab_engine_profile(remote->engine, "far")->title, "Near");
}

#define with_remote(test) cmocka_unit_test_setup_teardown(test, far_setup, far_teardown)

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
        with_remote(test_an_extended_card),
        with_remote(test_extended_cards_of_no_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
