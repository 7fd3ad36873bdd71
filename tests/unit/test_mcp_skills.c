/* Skills of agents as tools: their names, their coming and going, and who is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mcp/mcp.h"
#include "mcp/skills.h"
#include "support/engine_rig.h"
#include "support/fake_exchange.h"

#include <string.h>

/* --- names --- */

static bool is_listed(void *arg, const char *name)
{
    const char *const *names = arg;

    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

#define SIXTY "123456789012345678901234567890123456789012345678901234567890"

static void test_names(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const taken[] = { "a_b", NULL };
    const struct {
        const char *agent;
        const char *skill;
        const char *const *taken;
        const char *name; /* NULL: with a hash at its end */
    } rows[] = {
        { "notes", "add", none, "notes_add" },
        { "notes", "a/b c", none, "notes_a_b_c" },
        { "notes", "a.b-c_d", none, "notes_a.b-c_d" },
        { "n", "\xC3\xA9", none, "n___" },
        { "abc", SIXTY, none, "abc_" SIXTY },
        { "abcd", SIXTY, none, NULL },
        { "a", "b", taken, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *arg = (void *)(uintptr_t)rows[i].taken;
        AB_CLEANUP(ab_free_string) char *name = ab_mcp_skill_name(rows[i].agent, rows[i].skill, is_listed, arg);
        AB_CLEANUP(ab_free_string) char *again = ab_mcp_skill_name(rows[i].agent, rows[i].skill, is_listed, arg);
        assert_true(strlen(name) <= 64);
        assert_string_equal(name, again);
        if (rows[i].name != NULL)
            assert_string_equal(name, rows[i].name);
        else
            assert_true(strlen(name) > 9 && name[strlen(name) - 9] == '_' && !is_listed(arg, name));
    }
}

/* --- the list --- */

struct bench {
    struct rig *rig;
    struct ab_sealer *sealer;
    struct ab_mcp *mcp;
};

static int set_up(void **state)
{
    static const unsigned char keys[1][AB_SEAL_KEY_BYTES] = { { 7 } };
    static const struct ab_mcp_skills skills = { .agent = "remote" };
    struct bench *bench = ab_alloc(1, sizeof(*bench));
    void *rig = NULL;
    char reason[512] = "";

    assert_int_equal(rig_setup(&rig), 0);
    bench->rig = rig;
    bench->sealer = ab_sealer_new(keys, 1, ab_random_system());
    bench->mcp = ab_mcp_new(&(struct ab_mcp_settings){ .engine = bench->rig->engine,
                                                       .store = bench->rig->settings.store,
                                                       .loop = bench->rig->loop,
                                                       .sealer = bench->sealer,
                                                       .skills = &skills,
                                                       .n_skills = 1 },
                            reason, sizeof(reason));
    assert_string_equal(reason, "");
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *rig = bench->rig;

    ab_mcp_free(bench->mcp);
    ab_sealer_free(bench->sealer);
    assert_int_equal(rig_teardown(&rig), 0);
    free(bench);
    return 0;
}

static void describe(struct bench *bench, const char *skills_json)
{
    ab_agent_describe(bench->rig->remote->seat, &(struct ab_agent_profile){ .skills_json = skills_json });
    rig_run(bench->rig);
}

static struct fake_exchange *post(struct bench *bench, const char *method, const char *name, const char *params)
{
    const char *const headers[] = { "content-type",
                                    "application/json",
                                    "accept",
                                    "application/json, text/event-stream",
                                    "mcp-protocol-version",
                                    "2026-07-28",
                                    "mcp-method",
                                    method,
                                    name != NULL ? "mcp-name" : NULL,
                                    name,
                                    NULL };
    AB_CLEANUP(ab_free_string)
    char *body = ab_format("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"%s\",\"params\":{%s%s\"_meta\":{"
                           "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                           "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
                           method, params, params[0] != '\0' ? "," : "");
    struct fake_exchange *exchange = fake_exchange_new(bench->rig->loop, "POST", "/mcp", headers, body);

    ab_mcp_handle(bench->mcp, &exchange->base, "ann");
    rig_run(bench->rig);
    return exchange;
}

/* Whether tools/list shows this text. */
static bool lists(struct bench *bench, const char *text)
{
    struct fake_exchange *exchange = post(bench, "tools/list", NULL, "");
    bool found = strstr(fake_exchange_body(exchange), text) != NULL;

    fake_exchange_free(exchange);
    return found;
}

static void test_they_come_and_go(void **state)
{
    struct bench *bench = *state;

    assert_false(lists(bench, "remote_"));
    describe(bench, "[{\"id\":\"add\",\"name\":\"Add\",\"description\":\"D\",\"input_schema\":{ \"type\":\"object\" }},"
                    "{\"id\":\"say\"}]");
    assert_true(lists(bench, "{\"name\":\"remote_add\",\"title\":\"Add\",\"description\":\"D\",\"inputSchema\":{ "
                             "\"type\":\"object\" }"));
    assert_true(lists(bench, "{\"name\":\"remote_say\",\"description\":\"remote_say\",\"inputSchema\":{\"type\":"
                             "\"object\",\"properties\":{\"text\""));
    describe(bench, "[{\"id\":\"say\"}]");
    assert_false(lists(bench, "remote_add"));
    assert_true(lists(bench, "remote_say"));
    describe(bench, NULL);
    assert_false(lists(bench, "remote_"));
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

static void test_listeners_are_told(void **state)
{
    static const char told[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":"
        "{\"io.modelcontextprotocol/subscriptionId\":9}}}";
    struct bench *bench = *state;
    struct fake_exchange *listening =
        post(bench, "subscriptions/listen", NULL, "\"notifications\":{\"toolsListChanged\":true}");
    struct fake_exchange *other = post(bench, "subscriptions/listen", NULL, "\"notifications\":{}");

    assert_non_null(strstr(fake_exchange_body(listening), "\"notifications\":{\"toolsListChanged\":true}"));
    describe(bench, "[{\"id\":\"a\"}]");
    assert_int_equal(count(fake_exchange_body(listening), told), 1);
    /* Titles are not part of the list. */
    ab_agent_describe(bench->rig->remote->seat,
                      &(struct ab_agent_profile){ .title = "T", .skills_json = "[{\"id\":\"a\"}]" });
    rig_run(bench->rig);
    assert_int_equal(count(fake_exchange_body(listening), told), 1);

    /* Who reads slowly is told once, of all of it. */
    fake_exchange_behind(listening, true);
    describe(bench, "[{\"id\":\"b\"}]");
    describe(bench, "[{\"id\":\"c\"}]");
    fake_exchange_behind(listening, false);
    rig_run(bench->rig);
    assert_true(count(fake_exchange_body(listening), told) >= 2);
    assert_int_equal(count(fake_exchange_body(other), "list_changed"), 0);
    fake_exchange_leave(listening);
    fake_exchange_leave(other);
    rig_run(bench->rig);
    fake_exchange_free(listening);
    fake_exchange_free(other);
}

/* A call of a tool that goes away meanwhile is answered as what it was when it began. */
static void test_a_call_outlives_its_tool(void **state)
{
    struct bench *bench = *state;
    struct fake_exchange *exchange;
    struct fake_run *run;

    describe(bench, "[{\"id\":\"add\",\"input_schema\":{\"type\":\"object\",\"required\":[\"n\"]},\"output_schema\":{"
                    "\"type\":\"object\",\"required\":[\"sum\"]}}]");
    exchange = post(bench, "tools/call", "remote_add", "\"name\":\"remote_add\",\"arguments\":{}");
    assert_non_null(strstr(fake_exchange_body(exchange), "Invalid arguments"));
    fake_exchange_free(exchange);

    exchange = post(bench, "tools/call", "remote_add", "\"name\":\"remote_add\",\"arguments\":{\"n\":1}");
    run = &bench->rig->remote->runs[bench->rig->remote->n_runs - 1];
    describe(bench, NULL);
    assert_true(fake_report_json(run, AB_REPORT_RESULT, "{\"parts\":[],\"data\":{\"sum\":2}}") >= 0);
    if (run->run != NULL)
        fake_end(run);
    rig_run(bench->rig);
    assert_non_null(strstr(fake_exchange_body(exchange), "\"structuredContent\":{\"sum\":2}"));
    fake_exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_they_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listeners_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_call_outlives_its_tool, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
