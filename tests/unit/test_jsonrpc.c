/* JSON-RPC messages: which are taken, and ids that come back exactly as they came. */
#include "wire/jsonrpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ab_json checked(const char *text)
{
    struct ab_json value;
    struct ab_json_error error;
    if (!ab_json_check(ab_str(text), 64, &value, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    return value;
}

static void taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ab_jsonrpc_kind kind;
        const char *id; /* or NULL */
        const char *method;
        const char *params;
    } cases[] = {
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", AB_JSONRPC_REQUEST, "1", "ping", NULL },
        { "{\"params\":{\"a\":1},\"method\":\"x\",\"id\":\"a\\u0062\",\"jsonrpc\":\"2.0\"}", AB_JSONRPC_REQUEST,
          "\"a\\u0062\"", "x", "{\"a\":1}" },
        { "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"method\":\"x\",\"params\":[]}", AB_JSONRPC_REQUEST,
          "9007199254740993", "x", "[]" },
        { "{\"jsonrpc\":\"2.0\",\"id\":-123456789012345678901234567890,\"method\":\"x\"}", AB_JSONRPC_REQUEST,
          "-123456789012345678901234567890", "x", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"x\"}", AB_JSONRPC_REQUEST, "1.0", "x", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"x\",\"params\":null}", AB_JSONRPC_REQUEST, "\"\"", "x", NULL },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"tools\\/call\"}", AB_JSONRPC_NOTIFICATION, NULL, "tools/call", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"extra\":1}", AB_JSONRPC_REQUEST, "1", "x", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", AB_JSONRPC_RESPONSE, "1", NULL, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", AB_JSONRPC_RESPONSE, "1", NULL, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"\"}}", AB_JSONRPC_RESPONSE, NULL, NULL,
          NULL },
        { "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"\"}}", AB_JSONRPC_RESPONSE, NULL, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_jsonrpc_message message;
        const char *reason;
        if (!ab_jsonrpc_read(checked(cases[i].text), &message, &reason)) {
            fail_msg("%s: %s", cases[i].text, reason);
        }
        assert_int_equal(message.kind, cases[i].kind);
        assert_true(ab_str_is(message.id.text, cases[i].id));
        assert_true(ab_str_is(message.params.text, cases[i].params));
        if (cases[i].method == NULL) {
            assert_null(message.method);
            assert_true(ab_json_exists(message.result) != ab_json_exists(message.error));
        } else {
            assert_string_equal(message.method, cases[i].method);
        }
        ab_jsonrpc_message_deinit(&message);
        ab_jsonrpc_message_deinit(&message);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *id; /* what an error would be sent with */
    } cases[] = {
        { "[]", NULL },
        { "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}]", NULL },
        { "1", NULL },
        { "null", NULL },
        { "{}", NULL },
        { "{\"id\":1,\"method\":\"x\"}", "1" },
        { "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}", "1" },
        { "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"x\"}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":\"k\",\"method\":1}", "\"k\"" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000b\"}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"x\"}", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":\"p\"}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"result\":{}}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"result\":{}}", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}", NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,\"message\":\"\"}}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1.5,\"message\":\"\"}}", "1" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"text\"}", "1" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_jsonrpc_message message;
        const char *reason = NULL;
        if (ab_jsonrpc_read(checked(cases[i].text), &message, &reason)) {
            fail_msg("%s was taken", cases[i].text);
        }
        assert_non_null(reason);
        assert_true(ab_str_is(message.id.text, cases[i].id));
        assert_null(message.method);
    }
}

static void written(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(1000);
    struct ab_json id = ab_json_trusted("9007199254740993");
    ab_jsonrpc_write_result(&out, id, AB_STR("{\"a\":1}"));
    assert_string_equal(out.data, "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"result\":{\"a\":1}}");
    ab_buf_clear(&out);
    ab_jsonrpc_write_error(&out, ab_json_trusted("\"\\u0061\""), AB_JSONRPC_INVALID_PARAMS, "no \"x\"", "{\"b\":2}");
    assert_string_equal(out.data, "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0061\",\"error\":{\"code\":-32602,"
                                  "\"message\":\"no \\\"x\\\"\",\"data\":{\"b\":2}}}");
    ab_buf_clear(&out);
    ab_jsonrpc_write_error(&out, ab_json_trusted(NULL), AB_JSONRPC_PARSE_ERROR, "no JSON", NULL);
    assert_string_equal(out.data, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"no JSON\"}}");
    ab_buf_clear(&out);
    ab_jsonrpc_write_call(&out, ab_json_trusted("7"), "ping", NULL);
    assert_string_equal(out.data, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}");
    ab_buf_clear(&out);
    ab_jsonrpc_write_call(&out, ab_json_trusted(NULL), "notifications/progress", "{\"progress\":1}");
    assert_string_equal(out.data,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progress\":1}}");
    ab_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken),
        cmocka_unit_test(refused),
        cmocka_unit_test(written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
