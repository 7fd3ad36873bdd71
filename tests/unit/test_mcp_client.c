/* What the bridge says to MCP servers and reads from them: tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mcp/client_message.h"
#include "mcp/client_result.h"
#include "mcp/client_tool.h"

#include <math.h>
#include <string.h>

static struct ab_json json(const char *text)
{
    struct ab_json value;
    struct ab_json_error error;

    if (!ab_json_check(ab_str(text), 64, &value, &error))
        fail_msg("%s: %s", error.text, text);
    return value;
}

static void assert_text(struct ab_buf *got, const char *expected)
{
    assert_string_equal(got->data != NULL ? got->data : "", expected);
    ab_buf_deinit(got);
}

/* --- requests --- */

static void test_requests(void **state)
{
    const struct ab_mcp_client_words modern = { .version = &ab_mcp_v2026_07_28, .capabilities = AB_MCP_CAN_FORM };
    const struct ab_mcp_client_words legacy = { .version = &ab_mcp_v2025_11_25,
                                                .capabilities = AB_MCP_CAN_URL | AB_MCP_CAN_TASKS };
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_mcp_client_message message;

    (void)state;
    ab_mcp_client_write_initialize(&out, &legacy, 1);
    assert_text(&out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                      "\"2025-11-25\",\"capabilities\":{\"elicitation\":{\"url\":{}}},\"clientInfo\":{\"name\":"
                      "\"agentbridge\",\"title\":\"agentbridge\",\"version\":\"" AB_VERSION "\"}}}");
    ab_mcp_client_write_plain(&out, &legacy, 2, "tools/list", "cursor", "");
    assert_text(&out, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{\"cursor\":\"\"}}");
    ab_mcp_client_write_plain(&out, &legacy, 0, "notifications/initialized", NULL, NULL);
    assert_text(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\",\"params\":{}}");
    ab_mcp_client_write_cancelled(&out, &legacy, 7);
    assert_text(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7,"
                      "\"reason\":\"nobody waits for it any more\"}}");
    ab_mcp_client_begin(&message, &legacy, 3, "tools/call", true);
    ab_mcp_client_end(&message);
    assert_text(&message.text, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
                               "\"progressToken\":3}}}");
    ab_mcp_client_begin(&message, &modern, 4, "tools/call", true);
    ab_mcp_client_end(&message);
    assert_text(&message.text,
                "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
                "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":{"
                "\"name\":\"agentbridge\",\"title\":\"agentbridge\",\"version\":\"" AB_VERSION "\"},"
                "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{\"form\":{}}},"
                "\"io.modelcontextprotocol/logLevel\":\"info\",\"progressToken\":4}}}");
}

static void test_header_values(void **state)
{
    static const struct {
        const char *value;
        const char *header;
    } rows[] = {
        { "us-west1", "us-west1" },
        { "", "" },
        { "a b", "a b" },
        { " padded ", "=?base64?IHBhZGRlZCA=?=" },
        { "tab\there", "=?base64?dGFiCWhlcmU=?=" },
        { "a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?=" },
        { "\xC3\xA9", "=?base64?w6k=?=" },
        { "=?base64?AA==?=", "=?base64?PT9iYXNlNjQ/QUE9PT89?=" },
        { "=?base64?open", "=?base64?open" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_mcp_client_write_header_value(&out, ab_str(rows[i].value));
        assert_text(&out, rows[i].header);
    }
}

/* --- what servers say of themselves --- */

static void test_initialize_results(void **state)
{
    struct ab_mcp_client_server server;
    char reason[256];

    (void)state;
    assert_true(ab_mcp_client_read_initialize(
        json("{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{\"listChanged\":true},\"tasks\":{"
             "\"requests\":{\"tools\":{\"call\":{}}}}},\"serverInfo\":{\"name\":\"n\",\"title\":\"T\",\"version\":"
             "\"3\"},"
             "\"instructions\":\"I\"}"),
        &server, reason, sizeof(reason)));
    assert_ptr_equal(server.version, &ab_mcp_v2025_11_25);
    assert_string_equal(server.title, "T");
    assert_string_equal(server.server_version, "3");
    assert_string_equal(server.instructions, "I");
    assert_true(server.tells_changes);
    assert_true(server.core_tasks);
    ab_mcp_client_server_deinit(&server);

    /* 2025-06-18 knows no tasks, whatever it declares. */
    assert_true(ab_mcp_client_read_initialize(json("{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tasks\":{"
                                                   "\"requests\":{\"tools\":{\"call\":{}}}}}}"),
                                              &server, reason, sizeof(reason)));
    assert_false(server.core_tasks);
    assert_null(server.title);
    ab_mcp_client_server_deinit(&server);

    static const char *const wrong[] = { "{}", "{\"protocolVersion\":\"1999-01-01\"}", "{\"protocolVersion\":1}",
                                         "{\"protocolVersion\":\"2026-07-28\"}", "[]" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(ab_mcp_client_read_initialize(json(wrong[i]), &server, reason, sizeof(reason)));
        assert_non_null(strstr(reason, "protocol version"));
        ab_mcp_client_server_deinit(&server);
    }
}

static void test_discover_results(void **state)
{
    struct ab_mcp_client_server server;
    char reason[256];

    (void)state;
    assert_true(ab_mcp_client_read_discover(
        json("{\"resultType\":\"complete\",\"supportedVersions\":[\"2099-01-01\",\"2026-07-28\",\"2025-11-25\"],"
             "\"capabilities\":{\"tools\":{}},\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"n\"}}}"),
        &server, reason, sizeof(reason)));
    assert_ptr_equal(server.version, &ab_mcp_v2026_07_28);
    assert_string_equal(server.title, "n");
    assert_false(server.tells_changes);
    assert_false(server.core_tasks);
    ab_mcp_client_server_deinit(&server);

    static const char *const wrong[] = { "{}", "{\"supportedVersions\":\"2026-07-28\"}",
                                         "{\"supportedVersions\":[\"2025-11-25\"]}", "{\"supportedVersions\":[]}" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(ab_mcp_client_read_discover(json(wrong[i]), &server, reason, sizeof(reason)));
        ab_mcp_client_server_deinit(&server);
    }
}

static void test_errors(void **state)
{
    (void)state;
    assert_true(ab_mcp_client_is_modern_error(json("{\"code\":-32020,\"message\":\"\"}")));
    assert_true(ab_mcp_client_is_modern_error(json("{\"code\":-32022,\"message\":\"\"}")));
    assert_false(ab_mcp_client_is_modern_error(json("{\"code\":-32601,\"message\":\"\"}")));
    assert_false(ab_mcp_client_is_modern_error(json("{\"code\":-32000,\"message\":\"\"}")));
    assert_false(ab_mcp_client_is_modern_error((struct ab_json){ { NULL, 0 } }));
    assert_ptr_equal(ab_mcp_client_supported(json("{\"code\":-32022,\"data\":{\"supported\":[\"2025-11-25\","
                                                  "\"2026-07-28\"]}}")),
                     &ab_mcp_v2026_07_28);
    assert_ptr_equal(ab_mcp_client_supported(json("{\"code\":-32022,\"data\":{\"supported\":[\"2025-06-18\"]}}")),
                     &ab_mcp_v2025_06_18);
    assert_null(ab_mcp_client_supported(json("{\"code\":-32022,\"data\":{\"supported\":[\"x\"]}}")));
    assert_null(ab_mcp_client_supported(json("{\"code\":-32020,\"data\":{\"supported\":[\"2026-07-28\"]}}")));
}

static void test_notifications(void **state)
{
    struct ab_mcp_client_progress progress;
    const char *level = NULL;

    (void)state;
    assert_true(ab_mcp_client_read_progress(
        json("{\"progressToken\":5,\"progress\":0.5,\"total\":2,\"message\":\"half\"}"), 5, &progress));
    assert_true(progress.value == 0.5 && progress.total == 2);
    assert_string_equal(progress.message, "half");
    free(progress.message);
    assert_true(ab_mcp_client_read_progress(json("{\"progressToken\":\"5\",\"progress\":1}"), 5, &progress));
    assert_true(isnan(progress.total));
    assert_null(progress.message);
    assert_false(ab_mcp_client_read_progress(json("{\"progressToken\":6,\"progress\":1}"), 5, &progress));
    assert_false(ab_mcp_client_read_progress(json("{\"progressToken\":5}"), 5, &progress));

    static const struct {
        const char *params;
        const char *level;
        const char *text;
    } rows[] = {
        { "{\"level\":\"warning\",\"data\":\"hot\"}", "warning", "hot" },
        { "{\"level\":\"loud\",\"data\":{\"a\": 1}}", "info", "{\"a\": 1}" },
        { "{\"level\":\"error\",\"logger\":\"db\",\"data\":[1]}", "error", "db: [1]" },
        { "{}", "info", "" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AB_CLEANUP(ab_free_string) char *text = ab_mcp_client_read_log(json(rows[i].params), &level);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(level, rows[i].level);
    }
}

/* --- tools --- */

#define SCHEMA(properties) "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"properties\":{" properties "}}}"

static void test_tools(void **state)
{
    static const struct {
        const char *tool;
        bool legacy;
        bool modern;
    } rows[] = {
        { SCHEMA(""), true, true },
        { SCHEMA("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}"), true, true },
        { SCHEMA("\"a\":{\"type\":[\"integer\",\"null\"],\"x-mcp-header\":\"A\"}"), true, true },
        { SCHEMA("\"x-mcp-header\":{\"type\":\"number\"}"), true, true },
        { SCHEMA("\"a\":{\"default\":{\"x-mcp-header\":\"A\"}}"), true, true },
        { SCHEMA("\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"B\"}}}"),
          true, true },
        { SCHEMA("\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}"), true, false },
        { SCHEMA("\"a\":{\"x-mcp-header\":\"A\"}"), true, false },
        { SCHEMA("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\"}"), true, false },
        { SCHEMA("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A b\"}"), true, false },
        { SCHEMA("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\\r\\nB\"}"), true, false },
        { SCHEMA("\"a\":{\"type\":\"string\",\"x-mcp-header\":1}"), true, false },
        { SCHEMA(
              "\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},\"b\":{\"type\":\"string\",\"x-mcp-header\":\"a\"}"),
          true, false },
        { SCHEMA("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}"), true, false },
        { SCHEMA("\"a\":{\"anyOf\":[{\"type\":\"string\",\"x-mcp-header\":\"A\"}]}"), true, false },
        { "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"$defs\":{\"d\":{\"properties\":{\"a\":{\"type\":"
          "\"string\",\"x-mcp-header\":\"A\"}}}}}}",
          true, false },
        { "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"$ref\":\"http://127.0.0.1/x\"}}", true, true },
        { "{\"name\":\"t\",\"inputSchema\":{\"type\":\"string\"}}", false, false },
        { "{\"name\":\"t\"}", false, false },
        { "{\"name\":\"\",\"inputSchema\":{\"type\":\"object\"}}", false, false },
        { "{\"inputSchema\":{\"type\":\"object\"}}", false, false },
        { "[]", false, false },
    };
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ab_mcp_client_tool tool;
        bool legacy = ab_mcp_client_tool_read(json(rows[i].tool), &ab_mcp_v2025_11_25, &tool, reason, sizeof(reason));
        if (legacy)
            ab_mcp_client_tool_deinit(&tool);
        bool modern = ab_mcp_client_tool_read(json(rows[i].tool), &ab_mcp_v2026_07_28, &tool, reason, sizeof(reason));
        if (modern)
            ab_mcp_client_tool_deinit(&tool);
        if (legacy != rows[i].legacy || modern != rows[i].modern)
            fail_msg("%s: legacy %d, modern %d", rows[i].tool, legacy, modern);
    }
}

static void test_tool_members(void **state)
{
    struct ab_mcp_client_tool tool;
    char reason[256];

    (void)state;
    assert_true(ab_mcp_client_tool_read(
        json("{\"name\":\"a\",\"description\":\"D\",\"inputSchema\":{ \"type\":\"object\" },\"outputSchema\":{\"x\":1},"
             "\"annotations\":{\"title\":\"T\"},\"execution\":{\"taskSupport\":\"required\"}}"),
        &ab_mcp_v2025_11_25, &tool, reason, sizeof(reason)));
    assert_string_equal(tool.title, "T");
    assert_string_equal(tool.input_json, "{ \"type\":\"object\" }");
    assert_string_equal(tool.output_json, "{\"x\":1}");
    assert_int_equal(tool.task_support, AB_MCP_TASK_REQUIRED);
    ab_mcp_client_tool_deinit(&tool);
}

static void add_line(void *arg, const char *line)
{
    struct ab_buf *out = arg;

    ab_buf_append_text(out, line);
    ab_buf_append_char(out, '|');
}

static void test_tool_headers(void **state)
{
    static const char schema[] =
        "{\"properties\":{\"s\":{\"type\":\"string\",\"x-mcp-header\":\"S\"},\"i\":{\"type\":\"integer\","
        "\"x-mcp-header\":\"I\"},\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"B\"},\"plain\":{},"
        "\"o\":{\"type\":\"object\",\"properties\":{\"in\":{\"type\":\"string\",\"x-mcp-header\":\"In\"}}}}}";
    static const struct {
        const char *arguments;
        const char *lines;
    } rows[] = {
        { "{}", "" },
        { "{\"s\":\"x\",\"i\":42,\"b\":false,\"plain\":1}", "Mcp-Param-S: x|Mcp-Param-I: 42|Mcp-Param-B: false|" },
        { "{\"s\":null,\"i\":1.0}", "Mcp-Param-I: 1|" },
        { "{\"s\":\"\"}", "Mcp-Param-S: |" },
        { "{\"o\":{\"in\":\"y\"}}", "Mcp-Param-In: y|" },
        { "{\"o\":1,\"s\":[1]}", "" },
        { "{\"i\":12345678901234567890}", "Mcp-Param-I: 12345678901234567890|" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_mcp_client_tool_headers(json(schema), json(rows[i].arguments), add_line, &out);
        assert_text(&out, rows[i].lines);
    }
}

/* --- results --- */

static void test_result_kinds(void **state)
{
    static const struct {
        const char *result;
        enum ab_mcp_call_result modern;
        enum ab_mcp_call_result legacy;
    } rows[] = {
        { "{\"content\":[]}", AB_MCP_CALL_RESULT, AB_MCP_CALL_RESULT },
        { "{\"structuredContent\":1}", AB_MCP_CALL_RESULT, AB_MCP_CALL_RESULT },
        { "{\"resultType\":\"complete\",\"content\":[]}", AB_MCP_CALL_RESULT, AB_MCP_CALL_RESULT },
        { "{\"resultType\":\"strange\",\"content\":[]}", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_RESULT },
        { "{\"resultType\":1,\"content\":[]}", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_RESULT },
        { "{\"resultType\":\"input_required\",\"inputRequests\":{}}", AB_MCP_CALL_INPUT, AB_MCP_CALL_MALFORMED },
        { "{\"resultType\":\"input_required\",\"requestState\":\"s\"}", AB_MCP_CALL_INPUT, AB_MCP_CALL_MALFORMED },
        { "{\"resultType\":\"input_required\"}", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_MALFORMED },
        { "{\"resultType\":\"input_required\",\"requestState\":1}", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_MALFORMED },
        { "{\"resultType\":\"task\",\"taskId\":\"t\"}", AB_MCP_CALL_TASK, AB_MCP_CALL_MALFORMED },
        { "{\"task\":{\"taskId\":\"t\"}}", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_TASK },
        { "{}", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_MALFORMED },
        { "[]", AB_MCP_CALL_MALFORMED, AB_MCP_CALL_MALFORMED },
    };
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ab_json result = json(rows[i].result);
        if (ab_mcp_client_result_kind(result, &ab_mcp_v2026_07_28, reason, sizeof(reason)) != rows[i].modern ||
            ab_mcp_client_result_kind(result, &ab_mcp_v2025_11_25, reason, sizeof(reason)) != rows[i].legacy)
            fail_msg("%s", rows[i].result);
    }
}

static void test_content(void **state)
{
    static const struct {
        const char *block;
        const char *part;
    } rows[] = {
        { "{\"type\":\"text\",\"text\":\"a\"}", "{\"text\":\"a\"}" },
        { "{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"audience\":[\"user\"]}}",
          "{\"text\":\"a\",\"metadata\":{\"annotations\":{\"audience\":[\"user\"]}}}" },
        { "{\"type\":\"image\",\"data\":\"AA==\",\"mimeType\":\"image/png\"}",
          "{\"raw\":\"AA==\",\"media_type\":\"image/png\"}" },
        { "{\"type\":\"audio\",\"data\":\"AA==\",\"mimeType\":\"audio/wav\"}",
          "{\"raw\":\"AA==\",\"media_type\":\"audio/wav\"}" },
        { "{\"type\":\"image\",\"data\":\"A\",\"mimeType\":\"image/png\"}",
          "{\"data\":{\"type\":\"image\",\"data\":\"A\",\"mimeType\":\"image/png\"}}" },
        { "{\"type\":\"resource_link\",\"uri\":\"u:x\",\"name\":\"n\",\"mimeType\":\"a/b\",\"size\":3}",
          "{\"url\":\"u:x\",\"media_type\":\"a/b\",\"filename\":\"n\",\"metadata\":{\"size\":3}}" },
        { "{\"type\":\"resource\",\"resource\":{\"uri\":\"u:x\",\"mimeType\":\"a/b\",\"text\":\"t\"}}",
          "{\"text\":\"t\",\"media_type\":\"a/b\",\"metadata\":{\"uri\":\"u:x\"}}" },
        { "{\"type\":\"resource\",\"resource\":{\"uri\":\"u:x\",\"blob\":\"AA==\"}}",
          "{\"raw\":\"AA==\",\"metadata\":{\"uri\":\"u:x\"}}" },
        { "{\"type\":\"resource\",\"resource\":{\"text\":\"t\"}}",
          "{\"data\":{\"type\":\"resource\",\"resource\":{\"text\":\"t\"}}}" },
        { "{\"type\":\"hologram\",\"x\":1}", "{\"data\":{\"type\":\"hologram\",\"x\":1}}" },
        { "{\"type\":\"text\"}", "{\"data\":{\"type\":\"text\"}}" },
        { "7", "{\"data\":7}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AB_CLEANUP(ab_free_string)
        char *result = ab_format("{\"content\":[%s],\"structuredContent\":[1.50]}", rows[i].block);
        AB_CLEANUP(ab_free_string) char *expected = ab_format("{\"parts\":[%s],\"data\":[1.50]}", rows[i].part);
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_mcp_client_write_result(&out, json(result));
        assert_text(&out, expected);
    }
}

static void test_failures(void **state)
{
    static const struct {
        const char *result;
        const char *text;
        bool more;
    } rows[] = {
        { "{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}",
          "a\nb", false },
        { "{\"isError\":true,\"content\":[{\"type\":\"image\"}]}", "the tool failed without saying why", true },
        { "{\"isError\":true,\"content\":[],\"structuredContent\":{\"why\":1}}", "{\"why\":1}", true },
        { "{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"a\\u0000b\"}]}",
          "the tool failed without saying why", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AB_CLEANUP(ab_free_string) char *text = ab_mcp_client_error_text(json(rows[i].result));
        assert_true(ab_mcp_client_is_error(json(rows[i].result)));
        assert_string_equal(text, rows[i].text);
        assert_int_equal(ab_mcp_client_has_more_than_text(json(rows[i].result)), rows[i].more);
    }
    assert_false(ab_mcp_client_is_error(json("{\"isError\":\"yes\"}")));
}

/* --- questions --- */

static void test_questions(void **state)
{
    static const struct {
        const char *requests;
        const char *questions; /* NULL: refused */
        uint32_t capabilities;
    } rows[] = {
        { "{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\",\"requestedSchema\":{\"type\":"
          "\"object\"}}}}",
          "{\"a\":{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"object\"}}}", 0 },
        { "{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":\"m\",\"url\":\"https://"
          "x\","
          "\"elicitationId\":\"e\"}}}",
          "{\"a\":{\"kind\":\"url\",\"message\":\"m\",\"url\":\"https://x\"}}", 0 },
        { "{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":\"m\"}}}", NULL, 0 },
        { "{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}}", NULL, 0 },
        { "{\"a\":{\"method\":\"elicitation/create\"}}", NULL, 0 },
        { "{\"a\":{\"method\":\"roots/list\"}}", NULL, AB_MCP_CAN_SAMPLE },
        { "{\"a\":{\"method\":\"roots/list\"}}", "{\"a\":{\"kind\":\"request\",\"method\":\"roots/list\"}}",
          AB_MCP_CAN_ROOTS },
        { "{\"a\":{\"method\":\"sampling/createMessage\",\"params\":{\"maxTokens\":5}}}",
          "{\"a\":{\"kind\":\"request\",\"method\":\"sampling/createMessage\",\"params\":{\"maxTokens\":5}}}",
          AB_MCP_CAN_SAMPLE },
        { "{\"a\":{\"method\":\"tools/call\"}}", NULL, AB_MCP_CAN_SAMPLE | AB_MCP_CAN_ROOTS },
        { "{\"a\":{}}", NULL, 0 },
        { "{\"a\":7}", NULL, 0 },
        { "{\"known\":{\"method\":\"roots/list\"}}", "{}", 0 },
    };
    char reason[256];
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        bool good = ab_mcp_client_write_questions(&out, json(rows[i].requests), json("{\"known\":true}"),
                                                  rows[i].capabilities, &n, reason, sizeof(reason));
        if (good != (rows[i].questions != NULL))
            fail_msg("%s: %s", rows[i].requests, good ? "taken" : reason);
        if (good)
            assert_string_equal(out.data, rows[i].questions);
        ab_buf_deinit(&out);
    }
}

static void test_answers(void **state)
{
    struct ab_json requests = json("{\"e\":{\"method\":\"elicitation/create\"},\"s\":{\"method\":\"roots/list\"}}");
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)state;
    assert_true(ab_mcp_client_write_responses(
        &out, requests,
        json("{\"e\":{\"action\":\"accept\",\"content\":{\"n\": 1}},\"s\":{\"result\":{\"roots\":[]}},\"other\":{}}")));
    assert_text(&out, "{\"e\":{\"action\":\"accept\",\"content\":{\"n\": 1}},\"s\":{\"roots\":[]}}");
    assert_true(ab_mcp_client_write_responses(&out, requests, json("{\"e\":{\"action\":\"decline\"}}")));
    assert_text(&out, "{\"e\":{\"action\":\"decline\"}}");
    assert_false(ab_mcp_client_write_responses(&out, requests, json("{\"s\":{\"action\":\"decline\"}}")));
    ab_buf_deinit(&out);
}

/* --- tasks --- */

static void test_tasks(void **state)
{
    struct ab_mcp_remote_task task;

    (void)state;
    assert_true(ab_mcp_client_read_task(
        json("{\"task\":{\"taskId\":\"t\",\"status\":\"working\",\"pollInterval\":250}}"), &task));
    assert_string_equal(task.id, "t");
    assert_int_equal(task.status, AB_MCP_REMOTE_WORKING);
    assert_int_equal(task.poll_ms, 250);
    ab_mcp_remote_task_deinit(&task);
    assert_true(ab_mcp_client_read_task(
        json("{\"taskId\":\"t\",\"status\":\"input_required\",\"statusMessage\":\"m\",\"pollIntervalMs\":-5,"
             "\"inputRequests\":{\"a\":{}}}"),
        &task));
    assert_int_equal(task.status, AB_MCP_REMOTE_INPUT);
    assert_string_equal(task.message, "m");
    assert_int_equal(task.poll_ms, 0);
    assert_int_equal(ab_json_count(task.requests), 1);
    ab_mcp_remote_task_deinit(&task);

    static const char *const wrong[] = { "{}",
                                         "[]",
                                         "{\"taskId\":\"t\"}",
                                         "{\"taskId\":\"t\",\"status\":\"done\"}",
                                         "{\"status\":\"working\"}",
                                         "{\"taskId\":\"\",\"status\":\"working\"}",
                                         "{\"taskId\":1,\"status\":\"working\"}" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(ab_mcp_client_read_task(json(wrong[i]), &task));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_header_values),
        cmocka_unit_test(test_initialize_results),
        cmocka_unit_test(test_discover_results),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_notifications),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_tool_members),
        cmocka_unit_test(test_tool_headers),
        cmocka_unit_test(test_result_kinds),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_tasks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
