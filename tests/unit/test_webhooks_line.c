/* The words behind "agentbridge webhooks". */
#include "app/webhooks_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOST 8

static bool read_words(const char *const *words, struct ab_webhooks_line *line, char *reason)
{
    int n = 0;

    while (n < MOST && words[n] != NULL)
        n++;
    return ab_webhooks_line_read(n, words, line, reason, 256);
}

static void good_lines(void **state)
{
    static const struct {
        const char *words[MOST];
        struct ab_webhooks_line line;
    } cases[] = {
        { { "list" }, { .verb = AB_WEBHOOKS_LIST } },
        { { "list", "--json", "--state", "dead", "--data=d" },
          { .verb = AB_WEBHOOKS_LIST, .json = true, .state = "dead", .data = "d" } },
        { { "show", "7", "--config", "c.jsonc" }, { .verb = AB_WEBHOOKS_SHOW, .id = "7", .config = "c.jsonc" } },
        { { "show", "--json", "7" }, { .verb = AB_WEBHOOKS_SHOW, .id = "7", .json = true } },
        { { "resend", "7" }, { .verb = AB_WEBHOOKS_RESEND, .id = "7" } },
        { { "resend", "--all", "--data", "d" }, { .verb = AB_WEBHOOKS_RESEND, .all = true, .data = "d" } },
        { { "--help" }, { .verb = AB_WEBHOOKS_HELP } },
        { { "resend", "-h" }, { .verb = AB_WEBHOOKS_HELP } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_webhooks_line line;
        char reason[256] = "";
        if (!read_words(cases[i].words, &line, reason))
            fail_msg("%zu: %s", i, reason);
        const char *const texts[][2] = { { line.id, cases[i].line.id },
                                         { line.state, cases[i].line.state },
                                         { line.config, cases[i].line.config },
                                         { line.data, cases[i].line.data } };
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            assert_string_equal(texts[k][0] != NULL ? texts[k][0] : "", texts[k][1] != NULL ? texts[k][1] : "");
        assert_int_equal(line.verb, cases[i].line.verb);
        assert_int_equal(line.json, cases[i].line.json);
        assert_int_equal(line.all, cases[i].line.all);
    }
}

static void bad_lines(void **state)
{
    static const struct {
        const char *words[MOST];
        const char *reason;
    } cases[] = {
        { { NULL }, "webhooks needs one of list, show and resend" },
        { { "lsit" }, "webhooks needs one of list, show and resend; found \"lsit\"" },
        { { "list", "7" }, "one word too many: \"7\"" },
        { { "list", "--all" }, "unknown option \"--all\"; there are --config, --data, --state and --json" },
        { { "list", "--state" }, "--state needs a value" },
        { { "list", "--data=" }, "--data needs a value" },
        { { "show" }, "webhooks show needs an id; \"agentbridge webhooks list\" shows them" },
        { { "show", "7", "8" }, "one word too many: \"8\"" },
        { { "show", "7", "--state", "dead" }, "unknown option \"--state\"; there are --config, --data and --json" },
        { { "resend" }, "webhooks resend needs an id, or --all for all that were given up" },
        { { "resend", "7", "--all" }, "webhooks resend needs an id, or --all for all that were given up" },
        { { "resend", "7", "--json" }, "unknown option \"--json\"; there are --config, --data and --all" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_webhooks_line line;
        char reason[256] = "";
        assert_false(read_words(cases[i].words, &line, reason));
        assert_string_equal(reason, cases[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(bad_lines),
    };

    return cmocka_run_group_tests_name("the words behind webhooks", tests, NULL, NULL);
}
