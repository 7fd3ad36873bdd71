/* The command line: what is taken, and the exact words for what is not. */
#include "app/command_line.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <string.h>

#define WORDS_MAX 8

static int count(const char *const *words)
{
    int n = 0;

    while (n < WORDS_MAX && words[n] != NULL)
        n++;
    return n;
}

static void good_lines(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        struct ab_command_line wanted;
    } cases[] = {
        { { "agentbridge" }, { .command = AB_COMMAND_HELP } },
        { { "agentbridge", "help" }, { .command = AB_COMMAND_HELP } },
        { { "agentbridge", "--help", "whatever" }, { .command = AB_COMMAND_HELP } },
        { { "agentbridge", "serve", "--data", "d", "--help" }, { .command = AB_COMMAND_HELP, .data = "d" } },
        { { "agentbridge", "--version" }, { .command = AB_COMMAND_VERSION } },
        { { "agentbridge", "serve" }, { .command = AB_COMMAND_SERVE } },
        { { "agentbridge", "serve", "--config", "a", "--listen", "b", "--hints" },
          { .command = AB_COMMAND_SERVE, .config = "a", .listen = "b", .hints = true } },
        { { "agentbridge", "serve", "--data=d=e", "--log-level=debug" },
          { .command = AB_COMMAND_SERVE, .data = "d=e", .has_log_level = true, .log_level = AB_LOG_DEBUG } },
        { { "agentbridge", "check", "--config", "a" }, { .command = AB_COMMAND_CHECK, .config = "a" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ab_command_line *wanted = &cases[i].wanted;
        struct ab_command_line line;
        char reason[256] = "";

        assert_true(ab_command_line_read(count(cases[i].words), cases[i].words, &line, reason, sizeof reason));
        assert_int_equal(line.command, wanted->command);
        assert_true(ab_str_equal(ab_str(line.config), ab_str(wanted->config)));
        assert_true(ab_str_equal(ab_str(line.listen), ab_str(wanted->listen)));
        assert_true(ab_str_equal(ab_str(line.data), ab_str(wanted->data)));
        assert_int_equal(line.has_log_level, wanted->has_log_level);
        assert_int_equal(line.log_level, wanted->log_level);
        assert_int_equal(line.hints, wanted->hints);
    }
}

static void bad_lines(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *reason;
    } cases[] = {
        { { "agentbridge", "sevre" },
          "unknown command \"sevre\"; there are serve, check, tasks, webhooks, --version and --help" },
        { { "agentbridge", "" },
          "unknown command \"\"; there are serve, check, tasks, webhooks, --version and --help" },
        { { "agentbridge", "stdio" }, "\"stdio\" is not in this version; there are serve, check, tasks and webhooks" },
        { { "agentbridge", "serve", "--prot", "1" },
          "unknown option \"--prot\"; serve knows --config, --listen, --data, --log-level, --hints" },
        { { "agentbridge", "serve", "extra" },
          "unknown option \"extra\"; serve knows --config, --listen, --data, --log-level, --hints" },
        { { "agentbridge", "serve", "--hints=1" },
          "unknown option \"--hints=1\"; serve knows --config, --listen, --data, --log-level, --hints" },
        { { "agentbridge", "check", "--listen", "x" }, "unknown option \"--listen\"; check knows --config" },
        { { "agentbridge", "serve", "--config" }, "--config needs a value" },
        { { "agentbridge", "serve", "--data=" }, "--data needs a value" },
        { { "agentbridge", "serve", "--log-level", "loud" },
          "--log-level: \"loud\" is none of debug, info, warning, error" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_command_line line;
        char reason[256] = "";

        assert_false(ab_command_line_read(count(cases[i].words), cases[i].words, &line, reason, sizeof reason));
        assert_string_equal(reason, cases[i].reason);
    }
}

static void no_long_word_breaks_the_reason(void **state)
{
    char word[5000];
    const char *const words[] = { "agentbridge", "serve", word };
    struct ab_command_line line;
    char reason[256];

    (void)state;
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_false(ab_command_line_read(3, words, &line, reason, sizeof reason));
    assert_non_null(strstr(reason, "serve knows --config"));
}

static void help_names_everything(void **state)
{
    static const char *const names[] = { "serve",   "check",     "--config", "--listen", "--data",     "--log-level",
                                         "--hints", "--version", "SIGHUP",   "7800",     "tasks list", "tasks reply" };
    struct ab_buf text = AB_BUF_INIT(16384);

    (void)state;
    ab_command_line_help(&text);
    assert_false(text.full);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(strstr(text.data, names[i]));
    ab_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(no_long_word_breaks_the_reason),
        cmocka_unit_test(help_names_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
