/* Configurations, good and bad, and the words that a person gets for the bad ones. */
#include "app/config.h"
#include "base/mem.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AGENT(members) "{\"agents\":{\"a\":{\"kind\":\"command\",\"command\":[\"x\"]" members "}}}"
#define PLATFORM(members) "{\"agents\":{\"p\":{\"kind\":\"platform\",\"url\":\"https://x.example\"" members "}}}"
#define TOP(members) "{" members ",\"agents\":{\"a\":{\"kind\":\"command\",\"command\":[\"x\"]}}}"
#define MCP(more) "{\"agents\":{\"m\":{\"kind\":\"mcp\"," more "}}}"
#define A2A(members) "{\"agents\":{\"r\":{\"kind\":\"a2a\",\"card\":\"https://x.example/card\"" members "}}}"
#define TOOL(members) AGENT(",\"tool\":{\"name\":\"t\"" members "}")

/* All problems as check prints them, under the name "c". */
static char *problems_of(const char *text, const struct ab_config_overrides *overrides)
{
    struct ab_problems problems = { 0 };
    struct ab_buf out = AB_BUF_INIT(65536);
    struct ab_config config;
    bool good = ab_config_read(&config, ab_str(text), "/etc/agents", overrides, &problems);

    assert_int_equal(good, problems.errors == 0);
    ab_problems_render(&problems, "c", &out);
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
    return ab_buf_steal(&out);
}

static void good_ones_are_silent(void **state)
{
    static const char *const cases[] = {
        AGENT(""),
        TOP("\"listen\":\"[::1]:0\""),
        TOP("\"default_agent\":\"a\""),
        TOOL(",\"input_schema\":{\"type\":\"object\"},\"output_schema\":{\"type\":\"object\"}"),
        "// a comment\n{\"agents\": {\"a\": {\"kind\": \"command\", /* another */ \"command\": [\"x\"]}}}\n",
        "\xEF\xBB\xBF" AGENT(""),
        TOP("\"auth\":{\"mode\":[\"none\"],\"issuers\":[],\"rules\":[]},\"outbound\":{\"allow\":[]},\"hosts\":[\"h\"]"),
        A2A(",\"version\":\"0.3\",\"binding\":\"HTTP+JSON\",\"hosts\":[\"y.example:8443\"],\"extensions\":[\"urn:x\"],"
            "\"signed_by\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"a\",\"y\":\"b\"}],\"restart\":\"retry\""),
        TOP("\"public_url\":\"https://agents.example.com/x\",\"origins\":[\"https://web.example.com\"]"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = problems_of(cases[i], NULL);

        assert_string_equal(text, "");
        free(text);
    }
}

static void exact_words(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        { TOP("\"default_agent\":\"b\""), "c: default_agent: there is no agent \"b\"; there are \"a\"\n" },
        { TOP("\"listen\":\"7800\""),
          "c: listen: must be ADDRESS:PORT, like 127.0.0.1:7800 or [::1]:7800; found \"7800\"\n" },
        { TOP("\"listen\":\"127.0.0.1:65536\""),
          "c: listen: must be ADDRESS:PORT, like 127.0.0.1:7800 or [::1]:7800; found \"127.0.0.1:65536\"\n" },
        { TOP("\"listen\":\"0.0.0.0:80\""),
          "c: auth.mode: none is for loopback addresses only, and 0.0.0.0:80 can be reached by others; listen on "
          "127.0.0.1, or set auth.insecure_open to true if everybody who reaches it may run your agents\n" },
        { TOP("\"listen\":\"0.0.0.0:80\",\"auth\":{\"insecure_open\":true}"),
          "c: warning: auth.insecure_open: everybody who reaches 0.0.0.0:80 may run your agents\n" },
        { TOP("\"auth\":{\"mode\":[\"oauth\"],\"issuers\":[{\"url\":\"u\",\"audience\":\"a\"}]}"),
          "c: auth.mode: \"oauth\" is not in this version; \"none\" is\n"
          "c: auth.issuers: signing in is not in this version, so this would protect nothing; leave it out\n" },
        { TOP("\"tls\":{\"certificate\":\"c\",\"key\":\"k\"}"),
          "c: tls: TLS is not in this version; put a proxy that speaks it in front\n" },
        { TOP("\"outbound\":{\"allow\":[\"10.0.0.0/8\",\"fd00:1::/32\",\"127.0.0.1\"]}"), "" },
        { TOP("\"outbound\":{\"allow\":[\"10.0.0.0/8\",\"10.0.0.1/8\"]}"),
          "c: outbound.allow.1: must be a network or an address, like 10.1.2.0/24 or fd00:1::1; found "
          "\"10.0.0.1/8\"\n" },
        { TOP("\"limits\":{\"streams_per_principal\":4096}"), "" },
        { A2A(",\"api_key\":{\"env\":\"AGENTBRIDGE_NO_SUCH\"}"),
          "c: agents.r.api_key: the environment variable AGENTBRIDGE_NO_SUCH is not set\n" },
        { A2A(",\"api_key_header\":\"X-API-Key\""),
          "c: agents.r.api_key_header: belongs to an \"api_key\", and there is none\n" },
        { A2A(",\"push\":true"),
          "c: warning: agents.r.push: the agent will be told to post to 127.0.0.1:7800, which does not lead here from "
          "another machine; set public_url to the address that does\n" },
        { A2A(",\"push_look_s\":5"), "c: agents.r.push_look_s: belongs to \"push\": true, and that is not there\n" },
        { A2A(",\"push\":\"yes\""), "c: agents.r.push: must be boolean; found string\n" },
        { "{\"public_url\":\"https://me.example\",\"agents\":{\"r\":{\"kind\":\"a2a\",\"card\":\"https://x.example/"
          "card\",\"push\":true,\"push_look_s\":60}}}",
          "" },
        { "{\"agents\":{\"r\":{\"kind\":\"a2a\",\"card\":\"http://localhost:7900/card\",\"push\":true}}}", "" },
        { A2A(",\"user_token\":{\"mode\":\"exchange\"}"),
          "c: agents.r.user_token.mode: only \"none\" is in this version\n" },
        { MCP("\"url\":\"https://x.example/"
              "mcp\",\"publish\":\"skills\",\"relay\":[\"roots\"],\"version\":\"2025-11-25\","
              "\"default_tool\":\"t\",\"default_argument\":\"a\",\"max_tools\":5,\"refresh_s\":9,\"restart\":"
              "\"retry\""),
          "" },
        { MCP("\"command\":[\"x\"],\"env\":[\"PATH\"],\"directory\":\"/\",\"version\":\"auto\""), "" },
        { MCP("\"timeout_s\":5"), "c: agents.m: needs either \"url\" (Streamable HTTP) or \"command\" (stdio)\n" },
        { MCP("\"url\":\"https://x.example\",\"command\":[\"x\"]"),
          "c: agents.m: needs either \"url\" (Streamable HTTP) or \"command\" (stdio)\n" },
        { MCP("\"url\":\"https://x.example\",\"version\":\"1.0\",\"default_argument\":\"a\","
              "\"user_token\":{\"mode\":\"exchange\"}"),
          "c: agents.m.version: must be \"auto\" or a version of MCP that the bridge speaks\n"
          "c: agents.m.default_argument: belongs to a \"default_tool\", and there is none\n"
          "c: agents.m.user_token.mode: only \"none\" is in this version\n" },
        { MCP("\"command\":[\"x\"],\"api_key\":{\"env\":\"AB_TEST_SHORT\"}"),
          "c: agents.m.api_key: is for servers with a \"url\"; a program gets its secrets by \"env\"\n" },
        { AGENT(",\"webhooks\":[{\"url\":\"https://x.example\"}]"), "" },
        { AGENT(",\"webhooks\":[{\"url\":\"https://x.example\",\"secret\":{\"env\":\"AB_TEST_NONE\"}},{\"url\":"
                "\"http://10.0.0.1/\"},{\"url\":\"https://a@x.example\",\"secret\":{\"env\":\"AB_TEST_SHORT\"}},"
                "{\"url\":\"https://x.example\",\"secret\":{\"env\":\"AB_TEST_SHORT\"}}]"),
          "c: agents.a.webhooks.0.secret: the environment variable AB_TEST_NONE is not set\n"
          "c: agents.a.webhooks.1.url: leads to 10.0.0.1, which is not a public address; the operator may allow it "
          "(outbound.allow)\n"
          "c: agents.a.webhooks.2.url: must not hold a user or a password\n"
          "c: agents.a.webhooks.3.secret: must be whsec_ and 24 to 64 bytes as base64; what is there is not\n" },
        { PLATFORM(",\"agent_id\":\"a\",\"user_token\":{\"mode\":\"passthrough\"},\"surface_field\":null,\"hitl\":{"
                   "\"approve\":\"/hitl/{task_id}/approve\",\"reject\":\"/hitl/{task_id}/reject\"}"),
          "" },
        { PLATFORM(",\"workflow_id\":\"w\",\"user_token\":{\"mode\":\"exchange\",\"audience\":\"x\"}"),
          "c: agents.p.user_token.mode: \"exchange\" comes with authentication, which is not in this version; "
          "\"passthrough\" and \"none\" are\n" },
        { "{\"agents\":{\"p\":{\"kind\":\"platform\",\"url\":{\"env\":\"AB_TEST_SHORT\"},\"agent_id\":\"a\"}}}",
          "c: agents.p.url: must be like https://platform.example.com, without a query; what is there is not\n" },
        { "{\"agents\":{\"p\":{\"kind\":\"platform\",\"url\":{\"env\":\"AB_TEST_URL\"},\"agent_id\":\"a\"}}}", "" },
        { PLATFORM(",\"agent_id\":\"a\",\"api_key\":{\"env\":\"AB_TEST_NONE\"}"),
          "c: agents.p.api_key: the environment variable AB_TEST_NONE is not set\n" },
        { PLATFORM(",\"agent_id\":\"a\",\"api_key\":{\"env\":\"AB_TEST_BLANKS\"}"),
          "c: agents.p.api_key: must be printable characters without blanks; what is there is not\n" },
        { TOP("\"a2a\":{\"sign\":false,\"sign_push\":true}"),
          "c: a2a.sign_push: needs the key that a2a.sign switches off; found both\n" },
        { TOP("\"seal_keys\":[{\"env\":\"AB_TEST_NONE\"}]"),
          "c: seal_keys.0: the environment variable AB_TEST_NONE is not set\n" },
        { TOP("\"seal_keys\":[{\"env\":\"AB_TEST_SHORT\"}]"),
          "c: seal_keys.0: must be 32 bytes as 64 hexadecimal digits or as base64; what is there is not\n" },
        { TOP("\"seal_keys\":[{\"file\":\"none.key\"}]"),
          "c: seal_keys.0: the file /etc/agents/none.key cannot be opened: No such file or directory\n" },
        { AGENT(",\"tool\":{\"name\":\"get-task\"}"),
          "c: agents.a.tool.name: is the name of a built-in tool; found \"get-task\"\n" },
        { AGENT(",\"tool\":{\"name\":\"a b\"}"),
          "c: agents.a.tool.name: must be 1 to 64 of A-Z a-z 0-9 _ . -; found \"a b\"\n" },
        { "{\"agents\":{\"a\":{\"kind\":\"command\",\"command\":[\"x\"],\"tool\":{\"name\":\"t\"}},"
          "\"b\":{\"kind\":\"command\",\"command\":[\"x\"],\"tool\":{\"name\":\"t\"}}}}",
          "c: agents.b.tool.name: \"t\" is the tool of agents.a already\n" },
        { TOOL(",\"input_schema\":{\"type\":\"string\"}"),
          "c: agents.a.tool.input_schema.type: must be \"object\": MCP gives arguments by name; found \"string\"\n" },
        { TOOL(",\"input_schema\":{}"),
          "c: agents.a.tool.input_schema.type: must be \"object\": MCP gives arguments by name; found nothing\n" },
        { TOOL(",\"output_schema\":{\"$dynamicRef\":\"#x\"}"),
          "c: warning: agents.a.tool.output_schema.$dynamicRef: the keyword \"$dynamicRef\" is not checked by "
          "agentbridge\n" },
    };

    (void)state;
    assert_int_equal(setenv("AB_TEST_SHORT", "abcd", 1), 0);
    assert_int_equal(setenv("AB_TEST_URL", "https://x.example/api", 1), 0);
    assert_int_equal(setenv("AB_TEST_BLANKS", "a key\r\nX-Other: b", 1), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = problems_of(cases[i].text, NULL);

        assert_string_equal(text, cases[i].wanted);
        free(text);
    }
}

/* The schema check has words of its own; here it counts that place, finding and choice are in them. */
static void the_schema_speaks_at_the_path(void **state)
{
    static const struct {
        const char *text;
        const char *wanted[4];
    } cases[] = {
        { "{\"agents\":{\"report\":{\"kind\":\"comand\"}}}",
          { "c: agents.report.kind: ", "\"command\"", "\"platform\"", "comand" } },
        { TOP("\"listn\":\"x\""), { "listn" } },
        { AGENT(",\"comand\":[]"), { "c: agents.a", "comand" } },
        { "{}", { "agents" } },
        { "{\"agents\":{}}", { "agents" } },
        { "[]", { "object", "array" } },
        { "{\"agents\":{\"a\":{\"kind\":\"command\"}}}", { "c: agents.a", "command" } },
        { "{\"agents\":{\"a b\":{\"kind\":\"command\",\"command\":[\"x\"]}}}", { "a b" } },
        { PLATFORM(""), { "c: agents.p", "agent_id" } },
        { PLATFORM(",\"agent_id\":\"a\",\"workflow_id\":\"w\""), { "c: agents.p" } },
        { PLATFORM(",\"agent_id\":\"a\",\"mode\":\"push\""), { "c: agents.p.mode: ", "\"async\"", "push" } },
        { PLATFORM(",\"agent_id\":\"a\",\"headers\":{\"X-A\":\"b\\r\\nX-C: d\"}"), { "c: agents.p.headers" } },
        { PLATFORM(",\"agent_id\":\"a\",\"hitl\":{\"approve\":\"/a\",\"reject\":\"/r/{task_id}\"}"),
          { "c: agents.p.hitl.approve" } },
        { AGENT(",\"timeout_s\":\"5\""), { "c: agents.a.timeout_s: ", "number", "string" } },
        { AGENT(",\"output\":\"json\""), { "c: agents.a.output: ", "\"text\"", "\"events\"", "json" } },
        { TOP("\"limits\":{\"request_bytes\":1}"), { "c: limits.request_bytes: ", "1024" } },
        { TOP("\"seal_keys\":[\"hunter2\"]"), { "c: seal_keys.0: ", "object" } },
        { "{\n  \"agents\": {,}\n}", { "c: line 2, column " } },
        { "{\n  \"agents\": {},\n  \"agents\": {}\n}", { "c: line 3, column ", "agents" } },
        { "", { "c: line 1" } },
        { "{\"agents\":{\"a\":{\"kind\":\"command\",\"command\":[\"x\"]}}} x", { "c: line 1" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = problems_of(cases[i].text, NULL);

        for (size_t j = 0; j < 4 && cases[i].wanted[j] != NULL; j++) {
            if (strstr(text, cases[i].wanted[j]) == NULL)
                fail_msg("case %zu: \"%s\" has no \"%s\"", i, text, cases[i].wanted[j]);
        }
        free(text);
    }
}

static void one_mistake_hides_no_other(void **state)
{
    char *text =
        problems_of("{\"listn\":\"x\",\"limits\":{\"json_depth\":\"deep\"},\"default_agent\":\"z\",\"agents\":{"
                    "\"a\":{\"kind\":\"command\",\"command\":[]},"
                    "\"b\":{\"kind\":\"command\",\"command\":[\"x\"],\"tool\":{\"name\":\"invoke\"}},"
                    "\"c\":{\"kind\":\"robot\"}}}",
                    NULL);
    static const char *const wanted[] = {
        "listn", "limits.json_depth", "default_agent", "agents.a.command", "agents.b.tool.name", "agents.c.kind"
    };

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strstr(text, wanted[i]) == NULL)
            fail_msg("\"%s\" has no \"%s\"", text, wanted[i]);
    }
    free(text);
}

static void values_arrive(void **state)
{
    static const char text[] =
        "{\"listen\":\"localhost:81\",\"data\":\"d\",\"log_level\":\"debug\",\"user\":{\"id\":\"u\"},"
        "\"public_url\":\"https://p.example:8443/\",\"hosts\":[\"h\"],\"default_agent\":\"a\","
        "\"limits\":{\"line_bytes\":2048,\"output_bytes\":4096},\"waits\":{\"hold_s\":0.5,\"grace_s\":0.0001},"
        "\"on_disconnect\":\"keep\",\"disconnect_grace_s\":3,\"agents\":{\"a\":{\"kind\":\"command\","
        "\"command\":[\"./bin/x\",\"./y\"],\"env\":[\"HOME\"],\"output\":\"events\",\"output_bytes\":8192,"
        "\"timeout_s\":1.5,\"turns\":\"refuse\",\"restart\":\"retry\",\"title\":\"T\",\"directory\":\"w\","
        "\"tool\":{\"name\":\"t\",\"task\":\"always\",\"ask\":\"call\",\"input_schema\":{\"type\":\"object\"},"
        "\"on_disconnect\":\"cancel\"}},\"b\":{\"kind\":\"command\",\"command\":[\"y\"],\"tool\":{\"name\":\"u\"}}}}";
    struct ab_problems problems = { 0 };
    struct ab_config config;
    const struct ab_config_agent *agent;

    (void)state;
    assert_true(ab_config_read(&config, AB_STR(text), "/etc/agents", NULL, &problems));
    assert_string_equal(config.address, "127.0.0.1");
    assert_int_equal(config.port, 81);
    assert_string_equal(config.data, "/etc/agents/d");
    assert_int_equal(config.log_level, AB_LOG_DEBUG);
    assert_string_equal(config.user_json, "{\"id\":\"u\"}");
    assert_string_equal(config.hosts[0], "h");
    assert_string_equal(config.hosts[1], "p.example");
    assert_null(config.hosts[2]);
    assert_string_equal(config.origins[0], "https://p.example:8443");
    assert_int_equal(config.hold_ms, 500);
    assert_int_equal(config.grace_ms, 1);
    assert_int_equal(config.disconnect_grace_ms, 3000);
    assert_int_equal(config.on_disconnect, AB_DISCONNECT_KEEP);
    assert_int_equal(config.n_agents, 2);

    agent = &config.agents[0];
    assert_string_equal(agent->settings.id, "a");
    assert_int_equal(agent->settings.timeout_ms, 1500);
    assert_int_equal(agent->settings.turns, AB_TURNS_REFUSE);
    assert_true(agent->settings.retry_after_restart);
    assert_string_equal(agent->command.command[0], "/etc/agents/bin/x");
    assert_string_equal(agent->command.command[1], "./y");
    assert_null(agent->command.command[2]);
    assert_string_equal(agent->command.directory, "/etc/agents/w");
    assert_string_equal(agent->command.environment[0], "HOME");
    assert_int_equal(agent->command.line_bytes, 2048);
    assert_int_equal(agent->command.output_bytes, 8192);
    assert_string_equal(agent->tool.title, "T");
    assert_int_equal(agent->tool.task, AB_TOOL_TASK_ALWAYS);
    assert_true(agent->tool.ask_on_call && agent->tool.can_ask);
    assert_int_equal(agent->tool.on_disconnect, AB_DISCONNECT_CANCEL);

    agent = &config.agents[1];
    assert_string_equal(agent->command.command[0], "y");
    assert_string_equal(agent->command.environment[0], "PATH");
    assert_int_equal(agent->command.output_bytes, 4096);
    assert_non_null(strstr(agent->tool.input_schema_json, "\"text\""));
    assert_false(agent->tool.can_ask);
    assert_int_equal(agent->tool.on_disconnect, AB_DISCONNECT_KEEP);
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
}

static void the_command_line_goes_first(void **state)
{
    struct ab_config_overrides overrides = { .listen = "127.0.0.2:0", .data = "here" };
    struct ab_config_overrides wrong = { .listen = "nowhere" };
    struct ab_problems problems = { 0 };
    struct ab_config config;
    char *text;

    (void)state;
    assert_true(ab_config_read(&config, AB_STR(TOP("\"listen\":\"0.0.0.0:80\",\"data\":\"d\"")), "/etc", &overrides,
                               &problems));
    assert_string_equal(config.address, "127.0.0.2");
    assert_string_equal(config.data, "here");
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
    text = problems_of(AGENT(""), &wrong);
    assert_string_equal(text,
                        "c: --listen: must be ADDRESS:PORT, like 127.0.0.1:7800 or [::1]:7800; found \"nowhere\"\n");
    free(text);
}

static void seal_keys_are_read(void **state)
{
    struct ab_problems problems = { 0 };
    struct ab_config config;

    (void)state;
    assert_int_equal(setenv("AB_TEST_HEX", "00112233445566778899AABBccddeeff00112233445566778899aabbccddeeff", 1), 0);
    assert_int_equal(setenv("AB_TEST_BASE64", "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=", 1), 0);
    assert_true(ab_config_read(&config,
                               AB_STR(TOP("\"seal_keys\":[{\"env\":\"AB_TEST_HEX\"},{\"env\":\"AB_TEST_BASE64\"}]")),
                               "/", NULL, &problems));
    assert_int_equal(config.n_seal_keys, 2);
    assert_int_equal(config.seal_keys[0][1], 0x11);
    assert_memory_equal(config.seal_keys[0], config.seal_keys[1], AB_SEAL_KEY_BYTES);
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
}

static void programs_are_looked_for(void **state)
{
    static const char text[] = "{\"agents\":{\"ok\":{\"kind\":\"command\",\"command\":[\"sh\"]},"
                               "\"none\":{\"kind\":\"command\",\"command\":[\"no-such-program-here\"]},"
                               "\"gone\":{\"kind\":\"command\",\"command\":[\"./gone.py\"]},"
                               "\"plain\":{\"kind\":\"command\",\"command\":[\"/etc/passwd\"]},"
                               "\"folder\":{\"kind\":\"command\",\"command\":[\"/etc\"],\"directory\":\"nowhere\"}}}";
    struct ab_problems problems = { 0 };
    struct ab_buf out = AB_BUF_INIT(8192);
    struct ab_config config;

    (void)state;
    assert_true(ab_config_read(&config, AB_STR(text), "/etc/agents", NULL, &problems));
    ab_config_check_programs(&config, false, &problems);
    ab_problems_render(&problems, "c", &out);
    assert_string_equal(out.data, "c: agents.none.command.0: there is no program \"no-such-program-here\" in PATH\n"
                                  "c: agents.gone.command.0: /etc/agents/gone.py: No such file or directory\n"
                                  "c: agents.plain.command.0: /etc/passwd: Is not executable (chmod +x)\n"
                                  "c: agents.folder.command.0: /etc: Is a directory\n"
                                  "c: agents.folder.directory: /etc/agents/nowhere: No such file or directory\n");
    assert_int_equal(problems.errors, 5);
    ab_buf_deinit(&out);
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
}

static void a_file_that_cannot_be_read(void **state)
{
    struct ab_problems problems = { 0 };
    struct ab_config config;

    (void)state;
    assert_false(ab_config_load(&config, "/nowhere/at/all.jsonc", NULL, &problems));
    assert_string_equal(problems.items[0].text, "cannot be opened: No such file or directory");
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_silent),
        cmocka_unit_test(exact_words),
        cmocka_unit_test(the_schema_speaks_at_the_path),
        cmocka_unit_test(one_mistake_hides_no_other),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(the_command_line_goes_first),
        cmocka_unit_test(seal_keys_are_read),
        cmocka_unit_test(programs_are_looked_for),
        cmocka_unit_test(a_file_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
