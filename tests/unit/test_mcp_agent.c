/* The `mcp` agent against a server that the test plays by hand: eras, sessions, streams that break off, questions,
 * tasks, and what a restart finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents/mcp.h"
#include "base/mem.h"
#include "support/engine_rig.h"
#include "support/fake_client.h"

#include <stdio.h>
#include <string.h>

struct bench {
    struct rig *rig;
    struct fake_client *client;
    struct ab_sealer *sealer;
    const char *url;
    size_t next; /* the first call that was not looked at yet */
};

static void begin(struct bench *bench)
{
    struct ab_mcp_agent_settings settings = { .id = "tools",
                                              .url = bench->url,
                                              .api_key = "sesame",
                                              .default_tool = "echo",
                                              .loop = bench->rig->loop,
                                              .client = &bench->client->client,
                                              .store = &bench->rig->store->store,
                                              .sealer = bench->sealer };

    rig_restart(bench->rig, &(struct ab_engine_settings){ 0 }, false);
    ab_engine_add_agent(bench->rig->engine, &(struct ab_agent_settings){ .id = "tools", .kind = "mcp" },
                        ab_mcp_agent_new(&settings));
    assert_int_equal(ab_engine_start(bench->rig->engine), AB_OK);
    rig_run(bench->rig);
}

static int set_up(void **state)
{
    static const unsigned char key[1][AB_SEAL_KEY_BYTES] = { "of the test" };
    struct bench *bench = ab_alloc(1, sizeof *bench);
    void *rig = NULL;

    assert_int_equal(rig_setup(&rig), 0);
    bench->rig = rig;
    bench->url = "http://tools.example/mcp";
    bench->sealer = ab_sealer_new(key, 1, ab_random_system());
    bench->client = fake_client_new(bench->rig->loop);
    begin(bench);
    *state = bench;
    return 0;
}

static void on_down(void *arg)
{
    *(bool *)arg = true;
}

static void shut_down(struct bench *bench)
{
    bool down = false;

    ab_engine_shut_down(bench->rig->engine, on_down, &down);
    rig_run(bench->rig);
    if (!down) /* last words that nobody answers */
        rig_wait(bench->rig, 1000);
    assert_true(down);
    rig_crash(bench->rig);
    fake_loop_run_ready(bench->rig->loop);
    bench->next = bench->client->n_calls;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *rig = bench->rig;

    shut_down(bench);
    bench->client->client.ops->free(&bench->client->client);
    rig_restart(bench->rig, &(struct ab_engine_settings){ 0 }, true);
    assert_int_equal(rig_teardown(&rig), 0);
    ab_sealer_free(bench->sealer);
    free(bench);
    return 0;
}

/* --- the server, by hand --- */

static const struct fake_call *peek(const struct bench *bench)
{
    if (bench->next >= bench->client->n_calls)
        fail_msg("the server was asked nothing more");
    return &bench->client->calls[bench->next];
}

/* The next call must be this: an HTTP method, and a text in its body. Its number. */
static size_t expect(struct bench *bench, const char *method, const char *text)
{
    const struct fake_call *call = peek(bench);

    if (strcmp(call->method, method) != 0 || strstr(call->body, text) == NULL)
        fail_msg("expected %s with %s, found %s %s", method, text, call->method, call->body);
    return bench->next++;
}

static size_t expect_rpc(struct bench *bench, const char *method)
{
    AB_CLEANUP(ab_free_string) char *text = ab_format("\"method\":\"%s\"", method);

    return expect(bench, "POST", text);
}

static void expect_silence(const struct bench *bench)
{
    if (bench->next < bench->client->n_calls)
        fail_msg("not expected: %s", bench->client->calls[bench->next].body);
}

static void assert_header(const struct bench *bench, size_t at, const char *line)
{
    if (strstr(bench->client->calls[at].headers, line) == NULL)
        fail_msg("no %s in: %s", line, bench->client->calls[at].headers);
}

static void assert_no_header(const struct bench *bench, size_t at, const char *name)
{
    if (strstr(bench->client->calls[at].headers, name) != NULL)
        fail_msg("there is %s in: %s", name, bench->client->calls[at].headers);
}

static int64_t id_of(const struct bench *bench, size_t at)
{
    int64_t id = 0;

    assert_true(ab_json_int(ab_json_member(ab_json_trusted(bench->client->calls[at].body), "id"), &id));
    return id;
}

/* A whole answer in JSON: `members` follow the id. */
static void reply(struct bench *bench, size_t at, unsigned status, const char *headers, const char *members)
{
    AB_CLEANUP(ab_free_string) char *head = ab_format("content-type: application/json\n%s", headers);
    AB_CLEANUP(ab_free_string)
    char *body = ab_format("{\"jsonrpc\":\"2.0\",\"id\":%lld,%s}", (long long)id_of(bench, at), members);

    fake_client_head(bench->client, at, status, head);
    fake_client_body(bench->client, at, body);
    fake_client_end(bench->client, at);
    rig_run(bench->rig);
}

static void result(struct bench *bench, size_t at, const char *json)
{
    AB_CLEANUP(ab_free_string) char *members = ab_format("\"result\":%s", json);

    reply(bench, at, 200, "", members);
}

static void status(struct bench *bench, size_t at, unsigned code)
{
    fake_client_head(bench->client, at, code, "");
    fake_client_end(bench->client, at);
    rig_run(bench->rig);
}

static void open_stream(struct bench *bench, size_t at)
{
    fake_client_head(bench->client, at, 200, "content-type: text/event-stream\n");
}

static void event(struct bench *bench, size_t at, const char *fields, const char *data)
{
    AB_CLEANUP(ab_free_string) char *text = ab_format("%sdata: %s\n\n", fields, data);

    fake_client_body(bench->client, at, text);
    rig_run(bench->rig);
}

static void event_result(struct bench *bench, size_t at, int64_t id, const char *json)
{
    AB_CLEANUP(ab_free_string)
    char *data = ab_format("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}", (long long)id, json);

    event(bench, at, "", data);
}

#define TOOLS                                                                                                          \
    "{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":"          \
    "\"string\",\"x-mcp-header\":\"Text\"}}}}]}"
#define LEGACY                                                                                                         \
    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{\"listChanged\":true}},\"serverInfo\":{"         \
    "\"name\":\"peer\",\"version\":\"3\"}}"
#define MODERN "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}}"
#define FINE "{\"content\":[{\"type\":\"text\",\"text\":\"fine\"}]}"

static void initialize(struct bench *bench, const char *session)
{
    AB_CLEANUP(ab_free_string) char *header = ab_format("mcp-session-id: %s\n", session);
    AB_CLEANUP(ab_free_string) char *members = ab_format("\"result\":%s", LEGACY);

    status(bench, expect_rpc(bench, "server/discover"), 400);
    reply(bench, expect_rpc(bench, "initialize"), 200, header, members);
    status(bench, expect_rpc(bench, "notifications/initialized"), 202);
}

/* A legacy server is ready; the number of its own stream. */
static size_t ready_legacy(struct bench *bench)
{
    size_t stream;

    initialize(bench, "one");
    result(bench, expect_rpc(bench, "tools/list"), TOOLS);
    stream = expect(bench, "GET", "");
    open_stream(bench, stream);
    return stream;
}

static void ready_modern(struct bench *bench)
{
    result(bench, expect_rpc(bench, "server/discover"), MODERN);
    result(bench, expect_rpc(bench, "tools/list"), TOOLS);
}

/* --- tasks --- */

static struct made ask_for(struct bench *bench, const char *text)
{
    AB_CLEANUP(ab_free_string)
    char *message =
        ab_format("{\"message_id\":\"m\",\"role\":\"user\",\"parts\":[{\"text\":\"%s\"}],\"metadata\":{}}", text);
    struct ab_new_task wish = rig_wish();
    struct made made;

    wish.agent = "tools";
    wish.message_json = message;
    rig_create(bench->rig, &wish, &made);
    rig_run(bench->rig);
    return made;
}

static void assert_ended(struct bench *bench, const struct made *made, enum ab_task_status expected, const char *said)
{
    struct ab_task task = rig_row(bench->rig, made->id);
    const char *words = task.result_json != NULL ? task.result_json : task.error_json;

    if (task.status != expected || words == NULL || strstr(words, said) == NULL)
        fail_msg("expected %s with %s, found %s with %s", ab_task_status_name(expected), said,
                 ab_task_status_name(task.status), words);
    ab_task_deinit(&task);
}

static void assert_status(struct bench *bench, const struct made *made, enum ab_task_status expected)
{
    assert_string_equal(ab_task_status_name(rig_status(bench->rig, made->id)), ab_task_status_name(expected));
}

static void answer(struct bench *bench, const struct made *made, const char *answers)
{
    struct steered steered;

    rig_answer(bench->rig, made->id, answers, &steered);
    rig_run(bench->rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
}

/* --- eras --- */

static void test_legacy_handshake(void **state)
{
    struct bench *bench = *state;
    size_t at = expect_rpc(bench, "server/discover");

    assert_header(bench, at, "MCP-Protocol-Version: 2026-07-28\n");
    assert_header(bench, at, "Mcp-Method: server/discover\n");
    assert_header(bench, at, "Accept: application/json, text/event-stream\n");
    assert_header(bench, at, "Authorization: Bearer sesame\n");
    status(bench, at, 404);
    at = expect_rpc(bench, "initialize");
    assert_no_header(bench, at, "MCP-Protocol-Version");
    assert_no_header(bench, at, "Mcp-Method");
    reply(bench, at, 200, "mcp-session-id: s-1\n", "\"result\":" LEGACY);
    at = expect_rpc(bench, "notifications/initialized");
    assert_header(bench, at, "Mcp-Session-Id: s-1\n");
    assert_header(bench, at, "MCP-Protocol-Version: 2025-11-25\n");
    status(bench, at, 202);
    at = expect_rpc(bench, "tools/list");
    assert_no_header(bench, at, "Mcp-Method");
    assert_null(ab_engine_profile(bench->rig->engine, "tools")->skills_json);
    result(bench, at, TOOLS);
    at = expect(bench, "GET", "");
    assert_header(bench, at, "Mcp-Session-Id: s-1\n");
    const struct ab_agent_profile *profile = ab_engine_profile(bench->rig->engine, "tools");
    assert_string_equal(profile->title, "peer");
    assert_string_equal(profile->version, "3");
    assert_non_null(strstr(profile->skills_json, "\"id\":\"echo\""));
    status(bench, at, 405);
    expect_silence(bench);
}

static void test_modern_headers(void **state)
{
    struct bench *bench = *state;
    struct made made;
    size_t at;

    ready_modern(bench);
    made = ask_for(bench, "\\u00e9");
    at = expect_rpc(bench, "tools/call");
    assert_header(bench, at, "MCP-Protocol-Version: 2026-07-28\n");
    assert_header(bench, at, "Mcp-Method: tools/call\n");
    assert_header(bench, at, "Mcp-Name: echo\n");
    assert_header(bench, at, "Mcp-Param-Text: =?base64?w6k=?=\n");
    assert_no_header(bench, at, "Mcp-Session-Id");
    result(bench, at, FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

/* Each row: what server/discover is answered with, and what must come next. */
static void test_probing(void **state)
{
    static const struct {
        unsigned status;
        const char *members; /* NULL: no body */
        const char *next;    /* NULL: the server is given up for now */
    } rows[] = {
        { 400, "\"error\":{\"code\":-32022,\"message\":\"\",\"data\":{\"supported\":[\"2026-07-28\"]}}",
          "server/discover" },
        { 400, "\"error\":{\"code\":-32022,\"message\":\"\",\"data\":{\"supported\":[\"2025-11-25\"]}}", "initialize" },
        { 400, "\"error\":{\"code\":-32020,\"message\":\"\"}", NULL },
        { 400, "\"error\":{\"code\":-32000,\"message\":\"No session\"}", "initialize" },
        { 200, "\"error\":{\"code\":-32601,\"message\":\"\"}", "initialize" },
        { 200, "\"result\":{}", "initialize" },
        { 200, "\"result\":" MODERN, "tools/list" },
        { 404, NULL, "initialize" },
        { 405, NULL, "initialize" },
        { 500, NULL, NULL },
        { 401, NULL, NULL },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench *bench = *state;
        size_t at = expect_rpc(bench, "server/discover");
        if (rows[i].members != NULL)
            reply(bench, at, rows[i].status, "", rows[i].members);
        else
            status(bench, at, rows[i].status);
        if (rows[i].next != NULL)
            (void)expect_rpc(bench, rows[i].next);
        else
            expect_silence(bench);
        shut_down(bench);
        begin(bench);
    }
}

/* A server that is away is looked for again, ever more seldom; a task that needs it does not wait for that. */
static void test_backoff(void **state)
{
    static const int64_t waits[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
    struct bench *bench = *state;
    struct made made;

    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        fake_client_fail(bench->client, expect_rpc(bench, "server/discover"), AB_HTTP_CALL_UNREACHABLE, "no route");
        rig_run(bench->rig);
        rig_wait(bench->rig, waits[i] - 1);
        expect_silence(bench);
        rig_wait(bench->rig, 1);
    }
    fake_client_fail(bench->client, expect_rpc(bench, "server/discover"), AB_HTTP_CALL_UNREACHABLE, "no route");
    rig_run(bench->rig);
    made = ask_for(bench, "x");
    assert_status(bench, &made, AB_TASK_EXECUTING);
    fake_client_fail(bench->client, expect_rpc(bench, "server/discover"), AB_HTTP_CALL_UNREACHABLE, "no route");
    rig_run(bench->rig);
    assert_ended(bench, &made, AB_TASK_ERROR, "no route");
    made = ask_for(bench, "x");
    ready_modern(bench);
    result(bench, expect_rpc(bench, "tools/call"), FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

static void test_stopped_while_it_waits(void **state)
{
    struct bench *bench = *state;
    struct made made = ask_for(bench, "x");
    struct steered steered;

    rig_stop(bench->rig, made.id, &steered);
    rig_run(bench->rig);
    assert_status(bench, &made, AB_TASK_STOPPED);
    ready_modern(bench);
    expect_silence(bench);
}

/* --- sessions and streams --- */

static void test_forgotten_session(void **state)
{
    struct bench *bench = *state;
    struct made made;
    size_t at;

    (void)ready_legacy(bench);
    made = ask_for(bench, "x");
    status(bench, expect_rpc(bench, "tools/call"), 404);
    initialize(bench, "two");
    result(bench, expect_rpc(bench, "tools/list"), TOOLS);
    (void)expect(bench, "GET", "");
    at = expect_rpc(bench, "tools/call");
    assert_header(bench, at, "Mcp-Session-Id: two\n");
    /* Once is enough. */
    status(bench, at, 404);
    assert_ended(bench, &made, AB_TASK_ERROR, "forgotten the session");
}

/* The server's own stream finds out that it was restarted: nobody has to call first. */
static void test_own_stream_finds_a_new_server(void **state)
{
    struct bench *bench = *state;
    size_t stream = ready_legacy(bench);

    fake_client_end(bench->client, stream);
    rig_run(bench->rig);
    rig_wait(bench->rig, 1000);
    fake_client_fail(bench->client, expect(bench, "GET", ""), AB_HTTP_CALL_UNREACHABLE, "away");
    rig_run(bench->rig);
    rig_wait(bench->rig, 2000);
    status(bench, expect(bench, "GET", ""), 404);
    rig_wait(bench->rig, 1000);
    (void)ready_legacy(bench);
}

static void test_broken_stream(void **state)
{
    struct bench *bench = *state;
    struct made made;
    size_t at;
    int64_t id;

    (void)ready_legacy(bench);
    made = ask_for(bench, "x");
    at = expect_rpc(bench, "tools/call");
    id = id_of(bench, at);
    open_stream(bench, at);
    event(bench, at, "id: e1\nretry: 500\n", "");
    fake_client_end(bench->client, at);
    rig_run(bench->rig);
    rig_wait(bench->rig, 499);
    expect_silence(bench);
    rig_wait(bench->rig, 1);
    at = expect(bench, "GET", "");
    assert_header(bench, at, "Last-Event-ID: e1\n");
    open_stream(bench, at);
    event(bench, at, "id: e2\n",
          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"data\":\"d\"}}");
    fake_client_fail(bench->client, at, AB_HTTP_CALL_BROKEN, "cut");
    rig_run(bench->rig);
    rig_wait(bench->rig, 500);
    at = expect(bench, "GET", "");
    assert_header(bench, at, "Last-Event-ID: e2\n");
    open_stream(bench, at);
    event_result(bench, at, id, FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
    rig_wait(bench->rig, 1000); /* a stream that does not end by itself is closed */
    assert_true(bench->client->calls[at].cancelled);
}

static void test_list_changes(void **state)
{
    static const char changed[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}";
    struct bench *bench = *state;
    size_t stream = ready_legacy(bench);
    size_t at;

    event(bench, stream, "", changed);
    expect_silence(bench);
    rig_wait(bench->rig, 1000); /* once a second at most */
    at = expect_rpc(bench, "tools/list");
    event(bench, stream, "", changed); /* while it is listed: once more afterwards */
    event(bench, stream, "", changed);
    expect_silence(bench);
    result(bench, at, "{\"tools\":[],\"nextCursor\":\"p2\"}");
    result(bench, expect(bench, "POST", "\"cursor\":\"p2\""), TOOLS);
    rig_wait(bench->rig, 1000);
    result(bench, expect_rpc(bench, "tools/list"), "{\"tools\":[]}");
    expect_silence(bench);
    assert_string_equal(ab_engine_profile(bench->rig->engine, "tools")->skills_json, "[]");
    rig_wait(bench->rig, 300000); /* and now and then */
    at = expect_rpc(bench, "tools/list");
    /* What was known stays known. */
    status(bench, at, 500);
    assert_string_equal(ab_engine_profile(bench->rig->engine, "tools")->skills_json, "[]");
}

static void test_cancelled(void **state)
{
    struct bench *bench = *state;
    struct made made;
    struct steered steered;
    AB_CLEANUP(ab_free_string) char *text = NULL;
    size_t at;

    (void)ready_legacy(bench);
    made = ask_for(bench, "x");
    at = expect_rpc(bench, "tools/call");
    rig_stop(bench->rig, made.id, &steered);
    rig_run(bench->rig);
    text = ab_format("\"params\":{\"requestId\":%lld", (long long)id_of(bench, at));
    (void)expect(bench, "POST", text);
    assert_true(bench->client->calls[at].cancelled);

    shut_down(bench);
    bench->url = "http://modern.example/mcp";
    begin(bench);
    ready_modern(bench);
    made = ask_for(bench, "x");
    at = expect_rpc(bench, "tools/call");
    rig_stop(bench->rig, made.id, &steered);
    rig_run(bench->rig);
    assert_true(bench->client->calls[at].cancelled);
    expect_silence(bench); /* the closed stream says it */
}

/* --- questions --- */

#define ELICIT(id)                                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":\"" id "\",\"method\":\"elicitation/create\",\"params\":{\"message\":\"Who?\","       \
    "\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}}}"

static void test_legacy_question(void **state)
{
    struct bench *bench = *state;
    struct made made;
    size_t at;

    (void)ready_legacy(bench);
    made = ask_for(bench, "x");
    at = expect_rpc(bench, "tools/call");
    open_stream(bench, at);
    event(bench, at, "", ELICIT("q7"));
    assert_status(bench, &made, AB_TASK_PAUSED);
    answer(bench, &made, "{\"question-1\":{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}}");
    (void)expect(bench, "POST",
                 "{\"jsonrpc\":\"2.0\",\"id\":\"q7\",\"result\":{\"action\":\"accept\",\"content\":{\"name\":"
                 "\"Ann\"}}}");
    /* One that is withdrawn lets the task go on. */
    event(bench, at, "", ELICIT("q8"));
    assert_status(bench, &made, AB_TASK_PAUSED);
    event(bench, at, "",
          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"q8\"}}");
    assert_status(bench, &made, AB_TASK_EXECUTING);
    event_result(bench, at, id_of(bench, at), FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

/* On the stream that belongs to no call a question is that of the only call there is; of two it is nobody's. */
static void test_question_without_a_call(void **state)
{
    struct bench *bench = *state;
    size_t stream = ready_legacy(bench);
    struct made first = ask_for(bench, "x");
    struct made second;

    (void)expect_rpc(bench, "tools/call");
    event(bench, stream, "", ELICIT("q1"));
    assert_status(bench, &first, AB_TASK_PAUSED);
    second = ask_for(bench, "y");
    (void)expect_rpc(bench, "tools/call");
    event(bench, stream, "", ELICIT("q2"));
    (void)expect(bench, "POST",
                 "{\"jsonrpc\":\"2.0\",\"id\":\"q2\",\"error\":{\"code\":-32600,\"message\":\"it cannot be told "
                 "which call this belongs to");
    assert_status(bench, &second, AB_TASK_EXECUTING);
}

#define STATE "a\\u0062\\n \\\"c\\\""
#define MRTR                                                                                                           \
    "{\"resultType\":\"input_required\",\"requestState\":\"" STATE "\",\"inputRequests\":{\"who\":{\"method\":"        \
    "\"elicitation/create\",\"params\":{\"message\":\"Who?\",\"requestedSchema\":{\"type\":\"object\"}}}}}"

/* The call is made again under a new id, with the answer, and the state as it came: also after a restart. */
static void check_mrtr(struct bench *bench, bool restart)
{
    struct made made;
    size_t at;
    int64_t first;

    ready_modern(bench);
    made = ask_for(bench, "x");
    at = expect_rpc(bench, "tools/call");
    first = id_of(bench, at);
    result(bench, at, MRTR);
    assert_status(bench, &made, AB_TASK_PAUSED);
    if (restart) {
        shut_down(bench);
        begin(bench);
        assert_status(bench, &made, AB_TASK_PAUSED);
        ready_modern(bench);
    }
    answer(bench, &made, "{\"who\":{\"action\":\"decline\"}}");
    at = expect_rpc(bench, "tools/call");
    assert_true(restart || id_of(bench, at) != first);
    assert_non_null(strstr(bench->client->calls[at].body,
                           "\"inputResponses\":{\"who\":{\"action\":\"decline\"}},\"requestState\":\"" STATE "\""));
    result(bench, at, FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

static void test_mrtr(void **state)
{
    check_mrtr(*state, false);
}

static void test_mrtr_across_a_restart(void **state)
{
    check_mrtr(*state, true);
}

/* --- tasks of the server, and restarts --- */

#define WORKING                                                                                                        \
    "{\"resultType\":\"task\",\"taskId\":\"t1\",\"status\":\"working\",\"pollIntervalMs\":700,\"statusMessage\":\"on " \
    "it\"}"
#define ASKING                                                                                                         \
    "{\"taskId\":\"t1\",\"status\":\"input_required\",\"inputRequests\":{\"who\":{\"method\":\"elicitation/create\","  \
    "\"params\":{\"message\":\"Who?\",\"requestedSchema\":{\"type\":\"object\"}}}}}"

static void test_followed_across_a_restart(void **state)
{
    struct bench *bench = *state;
    struct made made;
    size_t at;

    ready_modern(bench);
    made = ask_for(bench, "x");
    result(bench, expect_rpc(bench, "tools/call"), WORKING);
    rig_wait(bench->rig, 699);
    expect_silence(bench);
    rig_wait(bench->rig, 1);
    at = expect_rpc(bench, "tasks/get");
    assert_header(bench, at, "Mcp-Name: t1\n");
    result(bench, at, ASKING);
    assert_status(bench, &made, AB_TASK_PAUSED);

    shut_down(bench); /* nothing is cancelled */
    begin(bench);
    ready_modern(bench);
    result(bench, expect_rpc(bench, "tasks/get"), ASKING); /* which was asked already */
    assert_status(bench, &made, AB_TASK_PAUSED);
    answer(bench, &made, "{\"who\":{\"action\":\"accept\",\"content\":{}}}");
    at = expect_rpc(bench, "tasks/update");
    assert_non_null(strstr(bench->client->calls[at].body, "\"taskId\":\"t1\",\"inputResponses\":{\"who\":{\"action\":"
                                                          "\"accept\",\"content\":{}}}"));
    result(bench, at, "{\"resultType\":\"complete\"}");
    rig_wait(bench->rig, 100);
    result(bench, expect_rpc(bench, "tasks/get"), "{\"taskId\":\"t1\",\"status\":\"completed\",\"result\":" FINE "}");
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

static void test_followed_task_is_stopped(void **state)
{
    struct bench *bench = *state;
    struct made made;
    struct steered steered;

    ready_modern(bench);
    made = ask_for(bench, "x");
    result(bench, expect_rpc(bench, "tools/call"), WORKING);
    rig_stop(bench->rig, made.id, &steered);
    rig_run(bench->rig);
    (void)expect_rpc(bench, "tasks/cancel");
    rig_wait(bench->rig, 5000);
    expect_silence(bench);
}

static void test_plain_call_ends_with_the_bridge(void **state)
{
    struct bench *bench = *state;
    struct made made;
    bool down = false;
    size_t at;

    (void)ready_legacy(bench);
    made = ask_for(bench, "x");
    at = expect_rpc(bench, "tools/call");
    ab_engine_shut_down(bench->rig->engine, on_down, &down);
    rig_run(bench->rig);
    assert_true(bench->client->calls[at].cancelled);
    assert_false(down); /* the server hears of it first */
    status(bench, expect_rpc(bench, "notifications/cancelled"), 202);
    assert_true(down);
    rig_crash(bench->rig);
    begin(bench);
    assert_ended(bench, &made, AB_TASK_ERROR, "restarted");
}

#define CORE_TOOLS                                                                                                     \
    "{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{\"type\":\"object\"},\"execution\":{\"taskSupport\":"             \
    "\"required\"}}]}"

/* The session "one" of 2025-11-25, and a task in it. */
static struct made begin_core_task(struct bench *bench)
{
    struct made made;

    status(bench, expect_rpc(bench, "server/discover"), 400);
    reply(bench, expect_rpc(bench, "initialize"), 200, "mcp-session-id: one\n",
          "\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{},\"tasks\":{\"requests\":{"
          "\"tools\":{\"call\":{}}}}}}");
    status(bench, expect_rpc(bench, "notifications/initialized"), 202);
    result(bench, expect_rpc(bench, "tools/list"), CORE_TOOLS);
    status(bench, expect(bench, "GET", ""), 405);
    made = ask_for(bench, "x");
    result(bench, expect(bench, "POST", "\"task\":{}"),
           "{\"task\":{\"taskId\":\"t1\",\"status\":\"working\",\"pollInterval\":200}}");
    return made;
}

/* 2025-11-25: questions and result come by tasks/result. */
static void test_core_task(void **state)
{
    struct bench *bench = *state;
    struct made made;
    size_t at;

    made = begin_core_task(bench);
    rig_wait(bench->rig, 200);
    result(bench, expect_rpc(bench, "tasks/get"), "{\"taskId\":\"t1\",\"status\":\"input_required\"}");
    at = expect_rpc(bench, "tasks/result");
    open_stream(bench, at);
    event(bench, at, "", ELICIT("q1"));
    assert_status(bench, &made, AB_TASK_PAUSED);
    /* The stream breaks off: what it asked is asked anew. */
    fake_client_fail(bench->client, at, AB_HTTP_CALL_BROKEN, "cut");
    rig_run(bench->rig);
    assert_status(bench, &made, AB_TASK_EXECUTING);
    rig_wait(bench->rig, 2000);
    result(bench, expect_rpc(bench, "tasks/get"), "{\"taskId\":\"t1\",\"status\":\"completed\"}");
    result(bench, expect_rpc(bench, "tasks/result"), FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

/* --- a session outlives the bridge --- */

/* A server may tie its tasks to the session they were made in. */
static void test_session_across_a_restart(void **state)
{
    struct bench *bench = *state;
    struct made made = begin_core_task(bench);
    int64_t last = id_of(bench, bench->next - 1);
    size_t at;

    shut_down(bench);
    begin(bench);
    at = expect_rpc(bench, "tools/list");
    assert_header(bench, at, "Mcp-Session-Id: one\n");
    assert_header(bench, at, "MCP-Protocol-Version: 2025-11-25\n");
    assert_true(id_of(bench, at) > last); /* no id is used twice in a session */
    result(bench, at, CORE_TOOLS);
    status(bench, expect(bench, "GET", ""), 405);
    at = expect_rpc(bench, "tasks/get");
    assert_header(bench, at, "Mcp-Session-Id: one\n");
    result(bench, at, "{\"taskId\":\"t1\",\"status\":\"completed\"}");
    result(bench, expect_rpc(bench, "tasks/result"), FINE);
    assert_ended(bench, &made, AB_TASK_COMPLETED, "fine");
}

/* Each row: what the kept session meets, and what comes next. */
static void test_session_is_of_no_use(void **state)
{
    static const char no_session[] = "\"error\":{\"code\":-32000,\"message\":\"no such session\"}";
    static const struct {
        unsigned status;
        const char *members; /* NULL: no body */
        enum ab_http_call_outcome failure;
        const char *next;
    } rows[] = {
        { 404, NULL, AB_HTTP_CALL_DONE, "server/discover" },
        { 404, no_session, AB_HTTP_CALL_DONE, "server/discover" },
        { 400, no_session, AB_HTTP_CALL_DONE, "server/discover" },
        { 200, no_session, AB_HTTP_CALL_DONE, "server/discover" },
        { 500, NULL, AB_HTTP_CALL_DONE, "server/discover" },
        { 0, NULL, AB_HTTP_CALL_BROKEN, "server/discover" },
        /* Whoever is away may know it when he is back. */
        { 0, NULL, AB_HTTP_CALL_UNREACHABLE, "tools/list" },
        { 0, NULL, AB_HTTP_CALL_TIMED_OUT, "tools/list" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench *bench = *state;
        size_t at;

        (void)ready_legacy(bench);
        shut_down(bench);
        begin(bench);
        at = expect_rpc(bench, "tools/list");
        if (rows[i].failure != AB_HTTP_CALL_DONE) {
            fake_client_fail(bench->client, at, rows[i].failure, "gone");
            rig_run(bench->rig);
            rig_wait(bench->rig, strcmp(rows[i].next, "tools/list") == 0 ? 1000 : 0);
        } else if (rows[i].members != NULL) {
            reply(bench, at, rows[i].status, "", rows[i].members);
        } else {
            status(bench, at, rows[i].status);
        }
        at = expect_rpc(bench, rows[i].next);
        if (strcmp(rows[i].next, "tools/list") == 0) {
            assert_header(bench, at, "Mcp-Session-Id: one\n");
            status(bench, at, 404);
            at = expect_rpc(bench, "server/discover");
        }
        assert_no_header(bench, at, "Mcp-Session-Id");
        bench->next = at; /* for ready_legacy of the next row */
    }
}

/* What stood behind it may be gone for good, without anybody left to say so. */
static void test_session_in_which_nobody_answers(void **state)
{
    struct bench *bench = *state;

    (void)ready_legacy(bench);
    shut_down(bench);
    begin(bench);
    for (int n = 0; n < 3; n++) {
        size_t at = expect_rpc(bench, "tools/list");
        assert_header(bench, at, "Mcp-Session-Id: one\n");
        fake_client_fail(bench->client, at, AB_HTTP_CALL_TIMED_OUT, "too late");
        rig_wait(bench->rig, n < 2 ? 4000 : 0);
    }
    assert_no_header(bench, expect_rpc(bench, "server/discover"), "Mcp-Session-Id");
}

static void test_session_of_another_address(void **state)
{
    struct bench *bench = *state;

    (void)ready_legacy(bench);
    shut_down(bench);
    bench->url = "http://others.example/mcp";
    begin(bench);
    assert_no_header(bench, expect_rpc(bench, "server/discover"), "Mcp-Session-Id");
}

/* A server that has not noticed yet that the stream before is gone is asked again. */
static void test_own_stream_is_taken(void **state)
{
    struct bench *bench = *state;

    initialize(bench, "one");
    result(bench, expect_rpc(bench, "tools/list"), TOOLS);
    status(bench, expect(bench, "GET", ""), 409);
    expect_silence(bench);
    rig_wait(bench->rig, 1000);
    open_stream(bench, expect(bench, "GET", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_legacy_handshake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_modern_headers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_backoff, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgotten_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_stream_finds_a_new_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_legacy_question, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_question_without_a_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mrtr, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mrtr_across_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_followed_across_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_followed_task_is_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain_call_ends_with_the_bridge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_core_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_across_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_is_of_no_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_in_which_nobody_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_of_another_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_stream_is_taken, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
