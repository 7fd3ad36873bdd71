/* What the agent platform is sent and what it answers, as tables: every form that was seen, and what breaks readers. */
#include "rest/client_error.h"
#include "rest/client_event.h"
#include "rest/client_request.h"
#include "rest/client_scrub.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ab_json parsed(const char *text)
{
    struct ab_json value = { { NULL, 0 } };
    struct ab_json_error error;

    if (text != NULL && !ab_json_check(ab_str(text), 64, &value, &error))
        fail_msg("%s: %s", text, error.text);
    return value;
}

/* --- addresses --- */

static const struct {
    struct ab_rest_target target;
    enum ab_rest_mode mode;
    const char *version;
    const char *url;
} invoke_urls[] = {
    { { "https://api.example", "a-1", false },
      AB_REST_STREAM,
      NULL,
      "https://api.example/v1/agents/a-1/invoke/stream" },
    { { "https://api.example/", "a-1", false },
      AB_REST_ASYNC,
      "draft",
      "https://api.example/v1/agents/a-1/invoke/async?version=draft" },
    { { "https://api.example/p//", "w", true },
      AB_REST_SYNC,
      "1 2&x=\xC3\xA4",
      "https://api.example/p/v1/workflows/w/invoke?version=1%202%26x%3D%C3%A4" },
    { { "http://h:1", "../a/b?c#d", false }, AB_REST_SYNC, NULL, "http://h:1/v1/agents/..%2Fa%2Fb%3Fc%23d/invoke" },
    { { "http://h", "..", false }, AB_REST_SYNC, NULL, "http://h/v1/agents/%2E%2E/invoke" },
};

static const struct {
    const char *id;
    const char *route;
    const char *url;
} task_urls[] = {
    { "t-1", "", "http://h/v1/tasks/t-1" },
    { "t 1/", "/stop", "http://h/v1/tasks/t%201%2F/stop" },
    { "t-1", "/hitl/{task_id}/approve", "http://h/hitl/t-1/approve" },
    { "a/b", "/x/{task_id}", "http://h/x/a%2Fb" },
};

static void addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof invoke_urls / sizeof *invoke_urls; i++) {
        struct ab_buf out = AB_BUF_INIT(1024);
        ab_rest_url_invoke(&out, &invoke_urls[i].target, invoke_urls[i].mode, invoke_urls[i].version);
        assert_string_equal(out.data, invoke_urls[i].url);
        ab_buf_deinit(&out);
    }
    for (size_t i = 0; i < sizeof task_urls / sizeof *task_urls; i++) {
        struct ab_buf out = AB_BUF_INIT(1024);
        ab_rest_url_task(&out, "http://h", task_urls[i].id, task_urls[i].route);
        assert_string_equal(out.data, task_urls[i].url);
        ab_buf_deinit(&out);
    }
}

/* --- bodies --- */

struct wish {
    const char *input;
    const char *text;
    const char *options;
    const char *secrets;
    const char *title;
    const char *field;
    const char *surface;
    bool events;
    const char *body;
};

static const struct wish wishes[] = {
    { .input = "{\"text\":\"hi\",\"files\":[]}",
      .options = "{}",
      .body = "{\"input\":{\"text\":\"hi\"},\"id\":\"t\"}" },
    { .input =
          "{\"text\":\"hi\",\"files\":[\"https://f.example/1\"],\"user\":{\"id\":\"u\",\"email\":\"u@x.example\"}}",
      .options = "{}",
      .body = "{\"input\":{\"text\":\"hi\",\"files\":[\"https://f.example/1\"],\"user\":{\"id\":\"u\",\"email\":"
              "\"u@x.example\"}},\"id\":\"t\"}" },
    /* A user of the bridge's own configuration has one name, and may have no address. */
    { .input = "{\"text\":\"\",\"user\":{\"id\":\"u\",\"email\":\"e\",\"name\":\"Ann Mary Lee\"}}",
      .options = "{}",
      .body =
          "{\"input\":{\"text\":\"\",\"user\":{\"id\":\"u\",\"email\":\"e\",\"first_name\":\"Ann Mary\",\"last_name\":"
          "\"Lee\"}},\"id\":\"t\"}" },
    { .input = "{\"text\":\"x\",\"user\":{\"id\":\"local\"}}",
      .options = "{}",
      .body = "{\"input\":{\"text\":\"x\"},\"id\":\"t\"}" },
    { .input = "{}",
      .text = "an answer",
      .options = "{}",
      .events = true,
      .body = "{\"input\":{\"text\":\"an answer\"},\"id\":\"t\",\"events_streaming\":true}" },
    /* Everything a caller can wish, in whatever order; what is none of the platform's stays here. */
    { .input = "{\"text\":\"x\"}",
      .options =
          "{\"llm_reasoning_effort\":\"xhigh\",\"llm_model_name\":\"m\",\"llm_model_provider\":\"p\",\"think_mode\":"
          "\"harder\",\"expected_output\":\"e\",\"instructions_override\":\"i\",\"additional_context\":\"c\","
          "\"disable_attachment_injection\":true,\"output_schema\":{\"b\":1.0,\"a\":2},\"output_format\":\"json\","
          "\"payload_extension\":{\"k\":9007199254740993},\"title\":\"T\",\"parent_execution_id\":\"pe\","
          "\"triggering_agent_id\":\"ta\",\"source\":\"portal\",\"mcp_servers\":[{\"name\":\"n\"}],"
          "\"events_streaming\":false,\"worker_id\":\"w\",\"run_locally\":false,\"test_run_node_id\":\"n\","
          "\"return_metrics\":true,\"version\":\"3\",\"credentials\":[\"user_oidc_token\"],\"metadata\":{}}",
      .title = "not this one",
      .events = true,
      .body =
          "{\"input\":{\"text\":\"x\"},\"id\":\"t\",\"output_format\":\"json\",\"output_schema\":{\"b\":1.0,\"a\":2},"
          "\"expected_output\":\"e\",\"instructions_override\":\"i\",\"additional_context\":\"c\",\"think_mode\":"
          "\"harder\",\"disable_attachment_injection\":true,\"llm_model_provider\":\"p\",\"llm_model_name\":\"m\","
          "\"llm_reasoning_effort\":\"xhigh\",\"source\":\"portal\",\"payload_extension\":{\"k\":9007199254740993},"
          "\"parent_execution_id\":\"pe\",\"triggering_agent_id\":\"ta\",\"worker_id\":\"w\",\"run_locally\":false,"
          "\"test_run_node_id\":\"n\",\"return_metrics\":true,\"title\":\"T\",\"mcp_servers\":[{\"name\":\"n\"}],"
          "\"events_streaming\":false}" },
    /* Credentials, and where the caller comes from. */
    { .input = "{\"text\":\"x\"}",
      .options = "{\"mcp_servers\":[]}",
      .secrets = "{\"user_tokens\":{\"n\":\"t\"},\"user_oidc_token\":\"jwt\",\"mcp_servers\":[{\"api_key\":\"k\"}]}",
      .title = "mine",
      .field = "source_node_type",
      .surface = "mcp",
      .body = "{\"input\":{\"text\":\"x\"},\"id\":\"t\",\"title\":\"mine\",\"mcp_servers\":[{\"api_key\":\"k\"}],"
              "\"source_node_type\":\"mcp\",\"user_oidc_token\":\"jwt\",\"user_tokens\":{\"n\":\"t\"}}" },
    { .input = "{\"text\":\"x\"}",
      .options = "{\"source\":\"slack\"}",
      .field = "source",
      .surface = "mcp",
      .body = "{\"input\":{\"text\":\"x\"},\"id\":\"t\",\"source\":\"slack\"}" },
    { .input = "{\"text\":\"x\"}",
      .options = "{\"source_node_type\":\"telegram\"}",
      .field = "source_node_type",
      .surface = NULL,
      .body = "{\"input\":{\"text\":\"x\"},\"id\":\"t\",\"source_node_type\":\"telegram\"}" },
};

static void bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        const struct wish *wish = &wishes[i];
        struct ab_buf out = AB_BUF_INIT(65536);
        const struct ab_rest_invocation invocation = {
            .input = parsed(wish->input),
            .text = wish->text,
            .options = parsed(wish->options),
            .secrets = parsed(wish->secrets),
            .id = "t",
            .title = wish->title,
            .surface_field = wish->field,
            .surface = wish->surface,
            .events = wish->events,
        };
        ab_rest_invocation_write(&out, &invocation);
        assert_string_equal(out.data, wish->body);
        (void)parsed(out.data);
        ab_buf_deinit(&out);
    }
}

/* --- tasks --- */

static const struct {
    const char *text;
    bool good;
    int status; /* -1: none that is known */
    const char *result;
} tasks[] = {
    { "{\"id\":\"t\",\"status\":\"pending\",\"result\":null,\"hitl_request\":null}", true, AB_TASK_PENDING, NULL },
    { "{\"id\":\"t\",\"status\":\"executing\"}", true, AB_TASK_EXECUTING, NULL },
    { "{\"id\":\"t\",\"status\":\"paused\"}", true, AB_TASK_PAUSED, NULL },
    { "{\"id\":\"t\",\"status\":\"completed\",\"result\":\"4\"}", true, AB_TASK_COMPLETED, "\"4\"" },
    { "{\"id\":\"t\",\"status\":\"failed\",\"result\":\"no\"}", true, AB_TASK_FAILED, "\"no\"" },
    { "{\"id\":\"t\",\"status\":\"error\",\"result\":\"died\"}", true, AB_TASK_ERROR, "\"died\"" },
    { "{\"id\":\"t\",\"status\":\"stopped\",\"is_manually_stopped\":true}", true, AB_TASK_STOPPED, NULL },
    { "{\"id\":\"t\",\"status\":\"queued\"}", true, AB_TASK_PENDING, NULL },
    { "{\"id\":\"t\",\"status\":\"running\"}", true, AB_TASK_EXECUTING, NULL },
    { "{\"id\":\"t\",\"status\":\"cancelled\"}", true, AB_TASK_STOPPED, NULL },
    { "{\"id\":\"t\",\"status\":\"dreaming\"}", true, -1, NULL },
    { "{\"id\":\"t\"}", true, -1, NULL },
    { "{\"status\":\"completed\",\"result\":{\"not\":\"a string\"}}", true, AB_TASK_COMPLETED, NULL },
    { "{}", false, -1, NULL },
    { "{\"detail\":\"Not Found\"}", false, -1, NULL },
    { "[]", false, -1, NULL },
    { "\"completed\"", false, -1, NULL },
    { "null", false, -1, NULL },
};

static void task_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        struct ab_rest_task task;
        assert_int_equal(ab_rest_task_read(parsed(tasks[i].text), &task), tasks[i].good);
        assert_int_equal(task.has_status, tasks[i].status >= 0);
        if (task.has_status)
            assert_int_equal((int)task.status, tasks[i].status);
        assert_int_equal(ab_json_exists(task.result), tasks[i].result != NULL);
        if (tasks[i].result != NULL)
            assert_true(ab_str_is(task.result.text, tasks[i].result));
    }
}

static void what_a_task_waits_for(void **state)
{
    struct ab_rest_task task;

    (void)state;
    assert_true(ab_rest_task_read(
        parsed("{\"id\":\"t\",\"status\":\"paused\",\"hitl_request\":{\"wait_node_id\":\"n\"},\"pending_eca_request\":"
               "{\"connector_name\":\"Mail\",\"auth_url\":\"https://"
               "a.example\"},\"deep_planning\":{\"question_raised\":true},"
               "\"agentbridge\":{\"reason\":\"input\"},\"input\":{\"text\":\"q\"}}"),
        &task));
    assert_true(ab_json_exists(task.hitl) && ab_json_exists(task.sign_in) && ab_json_exists(task.bridge));
    assert_true(task.question_raised);
    assert_true(ab_json_string_is(task.input_text, "q"));
    assert_true(
        ab_rest_task_read(parsed("{\"id\":\"t\",\"hitl_request\":null,\"deep_planning\":{\"question_raised\":false},"
                                 "\"agentbridge\":7,\"input\":\"a string\"}"),
                          &task));
    assert_false(ab_json_exists(task.hitl) || ab_json_exists(task.sign_in) || ab_json_exists(task.bridge));
    assert_false(task.question_raised || ab_json_exists(task.input_text));
}

static const struct {
    const char *text;
    int64_t at; /* -1: none */
} times[] = {
    { "\"1970-01-01T00:00:01Z\"", 1000 },
    { "\"1970-01-01T00:00:01.5Z\"", 1500 },
    { "\"1970-01-01T00:00:01.234567Z\"", 1234 },
    { "\"1970-01-01T02:00:00+02:00\"", 0 },
    { "\"1970-01-01T00:00:00-0130\"", 5400000 },
    { "\"1970-01-01 00:00:03\"", 3000 },
    { "\"1970-01-01T00:00:01.\"", 1000 },
    { "\"1970-13-01T00:00:01Z\"", -1 },
    { "\"1970-01-01T00:00:01Zulu\"", -1 },
    { "\"1970-01-01T00:00:01\\u0000\"", -1 },
    { "\"yesterday\"", -1 },
    { "17", -1 },
    { "null", -1 },
};

static void time_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t at = -7;
        bool good = ab_rest_time_read(parsed(times[i].text), &at);
        assert_int_equal(good, times[i].at >= 0);
        assert_int_equal(at, good ? times[i].at : -7);
    }
}

/* --- events --- */

static const struct {
    const char *data;
    const char *name;  /* of the event field */
    int kind;          /* -1: refused */
    const char *words; /* or NULL: not looked at */
} events[] = {
    { "{\"type\":\"task_created\",\"task_id\":\"t\",\"data\":{\"id\":\"t\",\"status\":\"pending\"}}", "message",
      AB_REST_EVENT_TASK, NULL },
    { "{\"type\":\"task_updated\",\"data\":{\"id\":\"t\",\"status\":\"executing\"}}", "message", AB_REST_EVENT_TASK,
      NULL },
    { "{\"type\":\"task_finished\",\"data\":{\"id\":\"t\",\"status\":\"completed\",\"result\":\"r\"}}", "message",
      AB_REST_EVENT_FINISHED, NULL },
    { "{\"type\":\"chunk\",\"task_id\":\"t\",\"data\":\"Hel\"}", "message", AB_REST_EVENT_CHUNK, NULL },
    { "{\"type\":\"chunk\",\"data\":{\"text\":\"Hel\"}}", "message", AB_REST_EVENT_CHUNK, NULL },
    { "{\"type\":\"chunk\",\"data\":7}", "message", AB_REST_EVENT_WORDS, "chunk: 7" },
    { "{\"type\":\"progress\",\"data\":{\"value\":1}}", "message", AB_REST_EVENT_PROGRESS, NULL },
    { "{\"type\":\"plan_updated\",\"data\":{\"tasks\":[]}}", "message", AB_REST_EVENT_PLAN, NULL },
    { "{\"type\":\"auth_event\",\"data\":{\"type\":\"token_ready\",\"data\":{\"access_token\":\"REDACTED\"}}}",
      "message", AB_REST_EVENT_AUTH, "the sign-in is done" },
    { "{\"type\":\"auth_event\",\"data\":{\"type\":\"token_issue\",\"data\":{\"message\":\"why\"}}}", "message",
      AB_REST_EVENT_AUTH, "the sign-in failed: why" },
    { "{\"type\":\"think\",\"data\":\"first\\nthis\"}", "message", AB_REST_EVENT_WORDS, "first this" },
    { "{\"type\":\"analyze\",\"data\":{\"title\":\"Look\",\"thought\":\"closer\",\"confidence\":0.5}}", "message",
      AB_REST_EVENT_WORDS, "Look: closer" },
    { "{\"type\":\"think\",\"data\":{\"title\":\"Look\"}}", "message", AB_REST_EVENT_WORDS, "Look" },
    { "{\"type\":\"think\",\"data\":{}}", "message", AB_REST_EVENT_WORDS, "think: {}" },
    { "{\"type\":\"tool_call_request\",\"data\":{\"tool_name\":\"search\",\"payload\":{\"q\":1},\"reasoning\":{"
      "\"title\":"
      "\"to know\"}}}",
      "message", AB_REST_EVENT_WORDS, "calls search: to know" },
    { "{\"type\":\"tool_call_request\",\"data\":{\"operation_id\":\"op\",\"tool_name\":null,\"reasoning\":null}}",
      "message", AB_REST_EVENT_WORDS, "calls op" },
    { "{\"type\":\"tool_call_result\",\"data\":{\"tool_name\":\"search\",\"is_error\":true}}", "message",
      AB_REST_EVENT_WORDS, "search failed" },
    { "{\"type\":\"tool_call_result\",\"data\":{\"tool_name\":\"search\"}}", "message", AB_REST_EVENT_WORDS,
      "search has answered" },
    { "{\"type\":\"sub_agent_trigger\",\"data\":{\"agent_id\":\"b\",\"query\":\"do it\"}}", "message",
      AB_REST_EVENT_WORDS, "hands over to b: do it" },
    { "{\"type\":\"task_compactization\",\"data\":{\"type\":\"retry\"}}", "message", AB_REST_EVENT_WORDS,
      "task_compactization: {\"type\":\"retry\"}" },
    { "{\"type\":\"brand_new\"}", "message", AB_REST_EVENT_WORDS, "brand_new" },
    { "{\"type\":\"task_updated\",\"data\":{\"nothing\":1}}", "message", AB_REST_EVENT_WORDS, NULL },
    /* Older and contradicting forms. */
    { "{\"event\":\"task_created\",\"data\":{\"id\":\"t\",\"status\":\"running\"}}", "message", AB_REST_EVENT_TASK,
      NULL },
    { "{\"type\":\"task_started\",\"task_id\":\"t\",\"timestamp\":\"x\"}", "message", AB_REST_EVENT_TASK, NULL },
    { "{\"type\":\"content_chunk\",\"content\":\"Hel\",\"is_final\":false}", "message", AB_REST_EVENT_CHUNK, NULL },
    { "{\"type\":\"task_completed\",\"task_id\":\"t\",\"result\":\"r\"}", "message", AB_REST_EVENT_FINISHED, NULL },
    { "{\"type\":\"error\",\"message\":\"it broke\"}", "message", AB_REST_EVENT_FINISHED, NULL },
    { "{\"data\":\"Hel\"}", "chunk", AB_REST_EVENT_CHUNK, NULL },
    /* None. */
    { "{\"data\":\"Hel\"}", "message", -1, NULL },
    { "[DONE]", "message", -1, NULL },
    { "", "message", -1, NULL },
    { "[]", "message", -1, NULL },
    { "{\"type\":\"chunk\",\"data\":\"Hel", "message", -1, NULL },
};

static void event_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct ab_rest_event event;
        struct ab_buf words = AB_BUF_INIT(4096);
        bool good = ab_rest_event_read(ab_str(events[i].data), events[i].name, &event);
        if (good != (events[i].kind >= 0) || (good && (int)event.kind != events[i].kind))
            fail_msg("%s: kind %d", events[i].data, good ? (int)event.kind : -1);
        if (event.kind == AB_REST_EVENT_CHUNK)
            assert_true(ab_json_string_is(event.data, "Hel"));
        if (good && events[i].words != NULL) {
            ab_rest_event_words(&words, &event);
            assert_string_equal(words.data, events[i].words);
        }
        ab_buf_deinit(&words);
    }
}

static void tasks_of_older_events(void **state)
{
    struct ab_rest_event event;

    (void)state;
    assert_true(ab_rest_event_read(AB_STR("{\"type\":\"task_completed\",\"task_id\":\"t\",\"result\":\"r\"}"),
                                   "message", &event));
    assert_true(event.task.has_status && event.task.status == AB_TASK_COMPLETED);
    assert_true(ab_json_string_is(event.task.id, "t") && ab_json_string_is(event.task.result, "r"));
    assert_true(ab_rest_event_read(AB_STR("{\"type\":\"error\",\"message\":\"it broke\"}"), "message", &event));
    assert_true(event.task.status == AB_TASK_ERROR && ab_json_string_is(event.task.result, "it broke"));
    assert_true(ab_rest_event_read(AB_STR("{\"type\":\"task_started\",\"task_id\":\"t\"}"), "message", &event));
    assert_true(event.task.status == AB_TASK_EXECUTING);
}

static void long_unknown_data_is_cut(void **state)
{
    struct ab_buf data = AB_BUF_INIT(65536);
    struct ab_buf words = AB_BUF_INIT(65536);
    struct ab_rest_event event;

    (void)state;
    ab_buf_append_text(&data, "{\"type\":\"n\",\"data\":[\"x");
    for (unsigned i = 0; i < 5000; i++)
        ab_buf_append_text(&data, "\xC3\xA4");
    ab_buf_append_text(&data, "\"]}");
    assert_true(ab_rest_event_read(ab_buf_str(&data), "message", &event));
    ab_rest_event_words(&words, &event);
    assert_in_range(words.size, 1000, 2100);
    assert_true(ab_utf8_valid(ab_buf_str(&words)));
    ab_buf_deinit(&data);
    ab_buf_deinit(&words);
}

static void sign_ins_and_plans(void **state)
{
    struct ab_rest_event event;
    struct ab_json first;
    struct ab_json second;
    unsigned done;
    unsigned all;

    (void)state;
    assert_true(
        ab_rest_event_read(AB_STR("{\"type\":\"auth_event\",\"data\":{\"type\":\"login_required\",\"data\":{\"url\":"
                                  "\"https://i.example\",\"server_name\":\"mail\"}}}"),
                           "message", &event));
    assert_true(ab_rest_event_sign_in(&event, &first, &second));
    assert_true(ab_json_string_is(first, "https://i.example") && ab_json_string_is(second, "mail"));
    assert_true(ab_rest_event_read(
        AB_STR("{\"type\":\"auth_event\",\"data\":{\"type\":\"login_required\",\"auth_url\":\"https://i.example\"}}"),
        "message", &event));
    assert_true(ab_rest_event_sign_in(&event, &first, &second));
    assert_true(ab_rest_event_read(
        AB_STR("{\"type\":\"auth_event\",\"data\":{\"type\":\"login_required\",\"data\":{}}}"), "message", &event));
    assert_false(ab_rest_event_sign_in(&event, &first, &second));
    assert_true(ab_rest_event_read(
        AB_STR("{\"type\":\"plan_updated\",\"data\":{\"tasks\":[{\"title\":\"a\",\"completed\":true},"
               "{\"title\":\"b\",\"completed\":false},{\"title\":\"c\"}]}}"),
        "message", &event));
    assert_true(ab_rest_event_plan(&event, &done, &all, &first));
    assert_int_equal(done, 1);
    assert_int_equal(all, 3);
    assert_true(ab_json_string_is(first, "b"));
}

/* --- errors --- */

static const struct {
    unsigned status;
    const char *body;
    const char *line;
} errors[] = {
    { 401, "{\"detail\":\"Invalid or missing API key\"}",
      "the platform does not accept the API key (401): Invalid or missing API key" },
    { 403, "{\"detail\":\"no\"}", "the API key is not allowed to do this (403): no" },
    { 404, "", "the platform knows no such agent or task (404)" },
    { 422,
      "{\"detail\":[{\"loc\":[\"body\",\"input\",\"files\",0],\"msg\":\"field "
      "required\",\"type\":\"missing\",\"input\":"
      "null,\"ctx\":{}}]}",
      "the platform does not accept the request (422): body.input.files.0: field required" },
    { 422, "{\"detail\":[{\"msg\":\"a\"},{\"type\":\"b\"},\"c\",{\"msg\":\"d\"}]}",
      "the platform does not accept the request (422): a; b; c; and more" },
    { 429, "{\"detail\":{\"message\":\"billing limit\",\"code\":7}}",
      "a limit of the platform is reached (429): billing limit" },
    { 429, "{\"detail\":{\"code\":7}}", "a limit of the platform is reached (429): {\"code\":7}" },
    { 500, "<html>\n<body>", "the platform failed (500): the answer is no JSON" },
    { 503, "{\"message\":\"later\\n\\tplease\"}", "the platform failed (503): later please" },
    { 409, "{\"detail\":\"task t is open\"}", "the conversation is busy (409): task t is open" },
    { 302, "", "the platform answers from another address, and redirects are not followed (302)" },
    { 418, "{\"detail\":null}", "the platform gave an answer that is not understood (418)" },
};

static void error_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct ab_buf line = AB_BUF_INIT(1024);
        ab_rest_error_describe(&line, errors[i].status, ab_str(errors[i].body));
        assert_string_equal(line.data, errors[i].line);
        ab_buf_deinit(&line);
    }
}

static void a_long_error_is_cut(void **state)
{
    struct ab_buf body = AB_BUF_INIT(65536);
    struct ab_buf line = AB_BUF_INIT(65536);

    (void)state;
    ab_buf_append_text(&body, "{\"detail\":\"");
    for (unsigned i = 0; i < 5000; i++)
        ab_buf_append_text(&body, "\xE2\x82\xAC");
    ab_buf_append_text(&body, "\"}");
    ab_rest_error_describe(&line, 400, ab_buf_str(&body));
    assert_in_range(line.size, 300, 500);
    assert_true(ab_utf8_valid(ab_buf_str(&line)));
    assert_non_null(strstr(line.data, "..."));
    ab_buf_deinit(&body);
    ab_buf_deinit(&line);
}

static const struct {
    const char *retry_after;
    const char *reset;
    int64_t wait;
} waits[] = {
    { "7", NULL, 7000 },
    { "7", "2000000100", 7000 },
    { NULL, "2000000005", 5000 },
    { NULL, "1999999999", 0 },
    { "Wed, 18 May 2033 03:33:30 GMT", NULL, 10000 },
    { "Wed, 18 May 2033 03:33:10 GMT", NULL, 0 },
    { "soon", NULL, 0 },
    { "Wed, 18 Mai 2033 03:33:30 GMT", "", 0 },
    { "-5", NULL, 0 },
    { "999999", NULL, 60000 },
    { "99999999999999999999", NULL, 0 },
    { NULL, NULL, 0 },
};

static void when_to_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_int_equal(
            ab_rest_retry_after(ab_str(waits[i].retry_after), ab_str(waits[i].reset), INT64_C(2000000000000), 60000),
            waits[i].wait);
}

/* --- what must not come back --- */

static void secrets_are_replaced(void **state)
{
    struct ab_rest_scrub *scrub = ab_rest_scrub_new();
    struct ab_buf out = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    (void)state;
    ab_rest_scrub_add(scrub, "key-12345678");
    ab_rest_scrub_add(scrub, NULL);
    ab_rest_scrub_add(scrub, "short");
    ab_rest_scrub_add_credentials(
        scrub, parsed("{\"user_oidc_token\":\"canary/0123\",\"user_tokens\":{\"n\":{\"Authorization\":"
                      "\"Bearer "
                      "canary/0123-longer\"},\"m\":[\"canary-two\"]},\"mcp_servers\":[{\"url\":\"https://"
                      "m.example\",\"api_key\":\"key-of-server\"}]}"));
    ab_rest_scrub_text(
        scrub,
        AB_STR("a key-12345678, canary/0123-longer canary/0123 canary-two, short key-of-server https://m.example"),
        &out);
    assert_string_equal(out.data, "a [redacted], [redacted] [redacted] [redacted], short [redacted] https://m.example");
    ab_buf_clear(&out);
    ab_json_writer_init(&writer, &out);
    ab_rest_scrub_json(
        scrub, parsed("{\"a\":[\"x canary\\/0123 y\",1.50,null,true],\"user_oidc_token\":\"z\",\"o\":{\"API_Key\":1}}"),
        true, &writer);
    assert_string_equal(out.data, "{\"a\":[\"x [redacted] y\",1.50,null,true],\"o\":{}}");
    ab_buf_clear(&out);
    ab_json_writer_init(&writer, &out);
    ab_rest_scrub_json(scrub, parsed("{\"token\":\"of the answer\",\"n\":9007199254740993}"), false, &writer);
    assert_string_equal(out.data, "{\"token\":\"of the answer\",\"n\":9007199254740993}");
    ab_buf_deinit(&out);
    ab_rest_scrub_free(scrub);
    ab_rest_scrub_free(NULL);
}

/* However the text is cut, the secret does not get through. */
static void secrets_in_pieces(void **state)
{
    static const char text[] = "say canary-0123456789 and canary-01 again canary-";
    static const char clean[] = "say [redacted] and canary-01 again canary-";

    (void)state;
    for (size_t size = 1; size < sizeof text; size++) {
        struct ab_rest_scrub *scrub = ab_rest_scrub_new();
        struct ab_buf out = AB_BUF_INIT(4096);
        ab_rest_scrub_add(scrub, "canary-0123456789");
        for (size_t at = 0; at < sizeof text - 1; at += size) {
            size_t rest = sizeof text - 1 - at;
            ab_rest_scrub_piece(scrub, (struct ab_str){ text + at, rest < size ? rest : size }, false, &out);
        }
        ab_rest_scrub_piece(scrub, (struct ab_str){ NULL, 0 }, true, &out);
        assert_string_equal(out.data, clean);
        ab_buf_deinit(&out);
        ab_rest_scrub_free(scrub);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(bodies),
        cmocka_unit_test(task_forms),
        cmocka_unit_test(what_a_task_waits_for),
        cmocka_unit_test(time_forms),
        cmocka_unit_test(event_forms),
        cmocka_unit_test(tasks_of_older_events),
        cmocka_unit_test(long_unknown_data_is_cut),
        cmocka_unit_test(sign_ins_and_plans),
        cmocka_unit_test(error_forms),
        cmocka_unit_test(a_long_error_is_cut),
        cmocka_unit_test(when_to_come_back),
        cmocka_unit_test(secrets_are_replaced),
        cmocka_unit_test(secrets_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
