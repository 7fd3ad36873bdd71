/* Agent lines: what is read, what is refused and in which words, and that the published schema says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents/agent_lines.h"
#include "base/embedded.h"
#include "base/mem.h"
#include "wire/schema.h"

#include <string.h>

static struct ab_schema *schema_of_lines(void)
{
    struct ab_schema_error error;
    struct ab_schema *schema = ab_schema_new(ab_json_trusted(ab_embedded("agent-lines.schema.json").data), &error);

    if (schema == NULL)
        fail_msg("the schema: %s %s", error.path, error.text);
    return schema;
}

static const struct good {
    const char *line;
    enum ab_report_kind kind;
    const char *text;
} good[] = {
    { "{\"status\":\"executing\"}", AB_REPORT_EXECUTING, NULL },
    { "{\"status\":\"executing\",\"message\":\"m\"}", AB_REPORT_EXECUTING, "m" },
    { "{\"progress\":{\"value\":1}}", AB_REPORT_PROGRESS, NULL },
    { " {\"progress\":{\"value\":1.5,\"total\":3,\"message\":\"p\"}} ", AB_REPORT_PROGRESS, "p" },
    { "{\"log\":{\"text\":\"l\"}}", AB_REPORT_LOG, "l" },
    { "{\"log\":{\"level\":\"emergency\",\"text\":\"l\"}}", AB_REPORT_LOG, "l" },
    { "{\"chunk\":\"\\u00e4\\n\"}", AB_REPORT_CHUNK, "\xC3\xA4\n" },
    { "{\"artifact\":{\"id\":\"a\",\"parts\":[{\"text\":\"t\"}],\"append\":true,\"last\":false}}", AB_REPORT_ARTIFACT,
      NULL },
    { "{\"artifact\":{\"id\":\"a\",\"parts\":[{\"raw\":\"AAAA\",\"media_type\":\"image/png\"},{\"data\":[1]}]}}",
      AB_REPORT_ARTIFACT, NULL },
    { "{\"ask\":{\"k\":{\"kind\":\"approval\",\"title\":\"t\",\"message\":\"m\"}}}", AB_REPORT_ASK, NULL },
    { "{\"ask\":{\"k\":{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"object\",\"properties\":{}}},"
      "\"l\":{\"kind\":\"url\",\"message\":\"m\",\"url\":\"https://example.com\"}}}",
      AB_REPORT_ASK, NULL },
    { "{\"ask\":{\"k\":{\"kind\":\"request\",\"method\":\"roots/list\",\"params\":{}}}}", AB_REPORT_ASK, NULL },
    { "{\"say\":{\"parts\":[{\"text\":\"hello\"}]}}", AB_REPORT_SAY, NULL },
    { "{\"result\":{\"text\":\"r\"}}", AB_REPORT_RESULT, NULL },
    { "{\"result\":{\"parts\":[{\"url\":\"https://example.com/x\"}],\"data\":{\"n\":9007199254740993}}}",
      AB_REPORT_RESULT, NULL },
    { "{\"failed\":\"no\"}", AB_REPORT_FAILED, "no" },
    { "{\"rejected\":\"never\"}", AB_REPORT_REJECTED, "never" },
    { "{\"error\":{\"code\":4711,\"message\":\"m\",\"data\":null}}", AB_REPORT_PROTOCOL_ERROR, NULL },
};

static void test_good_lines(void **state)
{
    struct ab_schema *schema = schema_of_lines();

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char reason[AB_AGENT_LINE_REASON_SIZE] = "";
        struct ab_schema_error error;
        struct ab_agent_line line;
        if (!ab_agent_line_read(ab_str(good[i].line), &line, reason, sizeof(reason)))
            fail_msg("%s: %s", good[i].line, reason);
        assert_int_equal(line.report.kind, good[i].kind);
        if (good[i].text == NULL)
            assert_null(line.report.text);
        else
            assert_string_equal(line.report.text, good[i].text);
        ab_agent_line_deinit(&line);

        struct ab_json value;
        assert_true(ab_json_check(ab_str(good[i].line), 64, &value, NULL));
        if (!ab_schema_check(schema, value, &error))
            fail_msg("the schema refuses %s: %s %s", good[i].line, error.path, error.text);
    }
    ab_schema_free(schema);
}

static const struct bad {
    const char *line;
    const char *says; /* a part of the reason */
    bool schema_too;  /* the schema refuses it as well */
} bad[] = {
    { "hello world", "it is no JSON", false },
    { "{\"chunk\":\"\xFF\"}", "it is no JSON", false },
    { "{\"chunk\":\"a\",\"chunk\":\"b\"}", "it is no JSON", false },
    { "[1]", "an event is an object", true },
    { "{}", "it has none of the events", true },
    { "{\"reslut\":{\"text\":\"x\"}}", "but \"reslut\"", true },
    { "{\"chunk\":\"a\",\"failed\":\"b\"}", "\"chunk\" and \"failed\"", true },
    { "{\"chunk\":\"a\",\"more\":1}", "\"more\" does not belong beside \"chunk\"", true },
    { "{\"chunk\":1}", "must be a string, not number", true },
    { "{\"chunk\":\"a\\u0000b\"}", "U+0000", false },
    { "{\"status\":\"completed\"}", "can only be \"executing\"", true },
    { "{\"progress\":{\"value\":\"1\"}}", "must be a number", true },
    { "{\"progress\":{\"value\":1e999}}", "out of range", false },
    { "{\"progress\":3}", "must be an object", true },
    { "{\"log\":{\"level\":\"loud\",\"text\":\"x\"}}", "must be one of debug", true },
    { "{\"log\":{\"level\":\"info\"}}", "\"text\"", true },
    { "{\"artifact\":{\"parts\":[{\"text\":\"t\"}]}}", "\"id\"", true },
    { "{\"artifact\":{\"id\":\"a\"}}", "\"artifact\"", true },
    { "{\"artifact\":{\"id\":\"a\",\"parts\":[{\"text\":\"t\",\"url\":\"u\"}]}}", "\"artifact\"", true },
    { "{\"artifact\":{\"id\":\"a\",\"parts\":[{\"text\":\"t\"}],\"append\":1}}", "true or false", true },
    { "{\"ask\":{}}", "\"ask\"", true },
    { "{\"ask\":{\"k\":{\"kind\":\"guess\"}}}", "\"ask\"", true },
    { "{\"ask\":{\"k\":{\"kind\":\"form\",\"message\":\"m\"}}}", "\"ask\"", true },
    { "{\"say\":{}}", "\"say\"", true },
    { "{\"result\":{\"text\":1}}", "\"text\" must be a string", true },
    { "{\"error\":{\"message\":\"m\"}}", "an integer \"code\"", true },
};

static void test_bad_lines(void **state)
{
    struct ab_schema *schema = schema_of_lines();

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char reason[AB_AGENT_LINE_REASON_SIZE] = "";
        struct ab_agent_line line;
        struct ab_json value;
        if (ab_agent_line_read(ab_str(bad[i].line), &line, reason, sizeof(reason)))
            fail_msg("taken: %s", bad[i].line);
        if (strstr(reason, bad[i].says) == NULL)
            fail_msg("%s: expected \"%s\" in: %s", bad[i].line, bad[i].says, reason);
        if (bad[i].schema_too) {
            assert_true(ab_json_check(ab_str(bad[i].line), 64, &value, NULL));
            if (ab_schema_check(schema, value, NULL))
                fail_msg("the schema takes %s", bad[i].line);
        }
    }
    ab_schema_free(schema);
}

static void test_written_lines(void **state)
{
    struct ab_schema *schema = schema_of_lines();
    struct ab_task task = { .id = "0123", .thread_id = (char[]){ "th" }, .agent = (char[]){ "a" }, .turn = 2 };
    struct ab_task_request request = {
        .message_json =
            (char[]){
                "{\"message_id\":\"m\",\"role\":\"user\",\"parts\":[{\"text\":\"a\\nb\"}],\"metadata\":{\"x\":1}}" },
        .arguments_json = (char[]){ "{\n  \"n\": 9007199254740993\n}" },
        .input_json = (char[]){ "{\"text\":\"a\",\"files\":[]}" },
        .options_json = (char[]){ "{}" },
    };
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t breaks = 0;

    (void)state;
    ab_agent_lines_write_task(&out, &task, &request, "[{\"role\":\"user\",\"parts\":[{\"text\":\"before\"}]}]");
    ab_agent_lines_write_answer(&out, "{\"k\":{\"action\":\"accept\"}}");
    ab_agent_lines_write_cancel(&out);
    assert_non_null(strstr(out.data, "9007199254740993"));
    for (struct ab_str rest = ab_buf_str(&out); rest.size > 0; breaks++) {
        size_t size = (size_t)((const char *)memchr(rest.data, '\n', rest.size) - rest.data);
        struct ab_schema_error error;
        struct ab_json value;
        assert_true(ab_json_check((struct ab_str){ rest.data, size }, 64, &value, NULL));
        if (!ab_schema_check(schema, value, &error))
            fail_msg("line %zu: %s %s", breaks + 1, error.path, error.text);
        rest.data += size + 1;
        rest.size -= size + 1;
    }
    assert_int_equal(breaks, 3);
    ab_buf_deinit(&out);
    ab_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_written_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
