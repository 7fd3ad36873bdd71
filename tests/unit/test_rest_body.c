/* The body of an invocation, as tables: what it becomes, what never becomes part of what is kept, what is refused. */
#include "rest/body.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char keys[1][AB_SEAL_KEY_BYTES] = { { 5 } };

/* Reads it with everything as it usually is. */
static bool read_body(const char *text, bool strict, const char *version, struct ab_rest_body *out,
                      struct ab_rest_faults *faults)
{
    struct ab_sealer *sealer = ab_sealer_new(keys, 1, ab_random_system());
    struct ab_rest_body_reader reader = { .json_depth = 64,
                                          .strict = strict,
                                          .user_json = "{\"id\":\"local\"}",
                                          .version = version,
                                          .message_id = "m-1",
                                          .webhooks = { .sealer = sealer, .owner = "ann" } };
    bool good;

    ab_rest_faults_init(faults);
    good = ab_rest_body_read(&reader, ab_str(text), out, faults);
    ab_sealer_free(sealer);
    return good;
}

static void same(const char *found, const char *expected)
{
    if (found == NULL || expected == NULL)
        assert_ptr_equal(found, expected);
    else if (!ab_json_equal(ab_json_trusted(found), ab_json_trusted(expected)))
        fail_msg("found %s, expected %s", found, expected);
}

static void a_body_becomes_its_parts(void **state)
{
    static const struct {
        const char *body;
        const char *version;
        const char *thread;
        const char *input;
        const char *options;
        const char *message;
        const char *secrets;
    } cases[] = {
        { "{\"input\":{\"text\":\"go\"}}", NULL, NULL, "{\"text\":\"go\",\"files\":[],\"user\":{\"id\":\"local\"}}",
          "{}", "{\"message_id\":\"m-1\",\"role\":\"user\",\"parts\":[{\"text\":\"go\"}],\"metadata\":{}}", NULL },
        { "{\"input\":{\"text\":\"\",\"files\":[\"https://"
          "a.example\"],\"user\":{\"id\":null,\"extra\":[1]}},\"id\":\"t\"}",
          "draft", "t", "{\"text\":\"\",\"files\":[\"https://a.example\"],\"user\":{\"id\":null,\"extra\":[1]}}",
          "{\"version\":\"draft\"}",
          "{\"message_id\":\"m-1\",\"role\":\"user\",\"parts\":[{\"text\":\"\"},{\"url\":\"https://a.example\"}],"
          "\"metadata\":{}}",
          NULL },
        { "{\"input\":{\"text\":\"x\",\"images\":[]},\"unknown\":1,\"title\":null,\"think_mode\":\"harder\",\"payload_"
          "extension\":"
          "{\"n\":9007199254740993},\"run_locally\":false}",
          NULL, NULL, "{\"text\":\"x\",\"files\":[],\"user\":{\"id\":\"local\"}}",
          "{\"think_mode\":\"harder\",\"payload_extension\":{\"n\":9007199254740993},\"run_locally\":false}",
          "{\"message_id\":\"m-1\",\"role\":\"user\",\"parts\":[{\"text\":\"x\"}],\"metadata\":{}}", NULL },
        { "{\"input\":{\"text\":\"x\"},\"user_oidc_token\":\"\",\"user_tokens\":{},\"mcp_servers\":[]}", NULL, NULL,
          "{\"text\":\"x\",\"files\":[],\"user\":{\"id\":\"local\"}}", "{}",
          "{\"message_id\":\"m-1\",\"role\":\"user\",\"parts\":[{\"text\":\"x\"}],\"metadata\":{}}", NULL },
        { "{\"input\":{\"text\":\"x\"},\"user_oidc_token\":\"T\",\"user_tokens\":{\"a\":\"b\"}}", NULL, NULL,
          "{\"text\":\"x\",\"files\":[],\"user\":{\"id\":\"local\"}}",
          "{\"credentials\":[\"user_oidc_token\",\"user_tokens\"]}",
          "{\"message_id\":\"m-1\",\"role\":\"user\",\"parts\":[{\"text\":\"x\"}],\"metadata\":{}}",
          "{\"user_oidc_token\":\"T\",\"user_tokens\":{\"a\":\"b\"}}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_rest_faults faults;
        struct ab_rest_body body;
        if (!read_body(cases[i].body, false, cases[i].version, &body, &faults))
            fail_msg("%s: %s", cases[i].body, faults.text.data);
        same(body.input_json, cases[i].input);
        same(body.options_json, cases[i].options);
        same(body.message_json, cases[i].message);
        same(body.secrets_json, cases[i].secrets);
        assert_true((body.thread_id == NULL) == (cases[i].thread == NULL));
        ab_rest_body_deinit(&body);
        ab_rest_faults_deinit(&faults);
    }
}

/* Of a server there is kept what it is, and not how one gets in. */
static void servers_are_kept_without_their_keys(void **state)
{
    static const struct {
        const char *server;
        const char *kept;
    } cases[] = {
        { "{\"name\":\"s\",\"type\":\"remote\",\"transport\":\"sse\",\"auth_type\":\"api_key\",\"api_key\":\"K\"}",
          "{\"name\":\"s\",\"type\":\"remote\",\"transport\":\"sse\",\"auth_type\":\"api_key\"}" },
        { "{\"url\":\"https://mcp.example.com:8443/K/mcp?k=K#K\"}", "{\"url\":\"https://mcp.example.com:8443\"}" },
        { "{\"url\":\"https://user:K@mcp.example.com\"}", "{\"url\":\"https://mcp.example.com\"}" },
        { "{\"url\":\"https://mcp.example.com/a@K\"}", "{\"url\":\"https://mcp.example.com\"}" },
        { "{\"url\":\"https://mcp.example.com?a@K\"}", "{\"url\":\"https://mcp.example.com\"}" },
        { "{\"url\":\"K\"}", "{}" },
        { "{\"url\":7}", "{}" },
        { "{\"command\":\"run --key K\",\"headers\":{\"X\":\"K\"},\"env_vars\":{\"A\":\"K\"},\"client_secret\":\"K\"}",
          "{}" },
        { "{\"name\":\"s\",\"config\":{\"key\":\"K\"},\"allowed_tools\":[\"t\"]}",
          "{\"name\":\"s\",\"allowed_tools\":[\"t\"]}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AB_CLEANUP(ab_free_string)
        char *text = ab_format("{\"input\":{\"text\":\"x\"},\"mcp_servers\":[%s]}", cases[i].server);
        AB_CLEANUP(ab_free_string)
        char *options = ab_format("{\"mcp_servers\":[%s],\"credentials\":[\"mcp_servers\"]}", cases[i].kept);
        AB_CLEANUP(ab_free_string) char *secrets = ab_format("{\"mcp_servers\":[%s]}", cases[i].server);
        struct ab_rest_faults faults;
        struct ab_rest_body body;
        assert_true(read_body(text, false, NULL, &body, &faults));
        same(body.options_json, options);
        same(body.secrets_json, secrets);
        ab_rest_body_deinit(&body);
        ab_rest_faults_deinit(&faults);
    }
}

static void faults_have_their_place(void **state)
{
    static const struct {
        const char *body;
        bool strict;
        const char *detail; /* type and loc of each, in order */
    } cases[] = {
        { "", false, "json_invalid [\"body\",0]\n" },
        { "7", false, "dict_type [\"body\"]\n" },
        { "{}", false, "missing [\"body\",\"input\"]\n" },
        { "{\"input\":{\"files\":[\"a\",null,2]}}", false,
          "missing [\"body\",\"input\",\"text\"]\nstring_type [\"body\",\"input\",\"files\",1]\n"
          "string_type [\"body\",\"input\",\"files\",2]\n" },
        { "{\"input\":{\"text\":\"x\"}}", true, "missing [\"body\",\"input\",\"user\"]\n" },
        { "{\"input\":{\"text\":\"x\",\"user\":{\"id\":\"a\",\"email\":null}}}", true,
          "missing [\"body\",\"input\",\"user\",\"email\"]\n" },
        { "{\"input\":{\"text\":\"x\"},\"title\":1,\"think_mode\":\"x\",\"id\":2}", false,
          "string_type [\"body\",\"title\"]\nenum [\"body\",\"think_mode\"]\nstring_type [\"body\",\"id\"]\n" },
        { "{\"input\":{\"text\":\"x\"},\"webhooks\":[{\"url\":\"https://a.example\"},{\"url\":4}]}", false,
          "value_error [\"body\",\"webhooks\",1,\"url\"]\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_rest_faults faults;
        struct ab_rest_body body;
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_buf found = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_json fault;
        assert_false(read_body(cases[i].body, cases[i].strict, NULL, &body, &faults));
        ab_rest_faults_write(&faults, &text);
        struct ab_json_iterator each = ab_json_iterate(ab_json_member(ab_json_trusted(text.data), "detail"));
        while (ab_json_next(&each, NULL, &fault)) {
            assert_true(ab_json_unescape(ab_json_member(fault, "type"), &found));
            ab_buf_printf(&found, " %.*s\n", AB_STR_ARGS(ab_json_member(fault, "loc").text));
        }
        assert_string_equal(found.data, cases[i].detail);
        ab_buf_deinit(&text);
        ab_buf_deinit(&found);
        ab_rest_body_deinit(&body);
        ab_rest_faults_deinit(&faults);
    }
}

static void there_is_an_end_to_faults(void **state)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_rest_faults faults;
    struct ab_rest_body body;

    (void)state;
    ab_buf_append_text(&text, "{\"input\":{\"text\":\"x\",\"files\":[0");
    for (int i = 0; i < 10000; i++)
        ab_buf_append_text(&text, ",0");
    ab_buf_append_text(&text, "]}}");
    assert_false(read_body(text.data, false, NULL, &body, &faults));
    assert_true(faults.n < 100);
    ab_buf_deinit(&text);
    ab_rest_body_deinit(&body);
    ab_rest_faults_deinit(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_becomes_its_parts),
        cmocka_unit_test(servers_are_kept_without_their_keys),
        cmocka_unit_test(faults_have_their_place),
        cmocka_unit_test(there_is_an_end_to_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
