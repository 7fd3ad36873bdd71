/* The words behind "agentbridge tasks". */
#include "app/tasks_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOST 8

static int count(const char *const *words)
{
    int n = 0;

    while (n < MOST && words[n] != NULL)
        n++;
    return n;
}

static bool read_words(const char *const *words, const char **own, struct ab_tasks_line *line, char *reason)
{
    memcpy(own, words, MOST * sizeof *own);
    return ab_tasks_line_read(count(words), own, line, reason, 256);
}

static void good_lines(void **state)
{
    const char *const words[][MOST] = {
        { "list" },
        { "list", "--status", "paused", "--json", "--data=d" },
        { "show", "--json", "ab12", "--config", "c.jsonc" },
        { "watch", "ab12" },
        { "reply", "ab12", "name=x", "--data", "d", "age==3" },
        { "reply", "--json={}", "ab12" },
        { "reply", "ab12", "--decline" },
        { "show", "--help" },
        { "--help" },
    };
    const char *own[MOST];
    struct ab_tasks_line line;
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_true(read_words(words[i], own, &line, reason));
    assert_true(read_words(words[1], own, &line, reason));
    assert_true(line.verb == AB_TASKS_LIST && line.json && line.id == NULL);
    assert_string_equal(line.status, "paused");
    assert_string_equal(line.data, "d");
    assert_true(read_words(words[2], own, &line, reason));
    assert_true(line.verb == AB_TASKS_SHOW && line.json);
    assert_string_equal(line.id, "ab12");
    assert_string_equal(line.config, "c.jsonc");
    assert_true(read_words(words[4], own, &line, reason));
    assert_int_equal(line.n_pairs, 2);
    assert_string_equal(line.pairs[0], "name=x");
    assert_string_equal(line.pairs[1], "age==3");
    assert_string_equal(line.data, "d");
    assert_true(read_words(words[5], own, &line, reason));
    assert_string_equal(line.answers, "{}");
    assert_false(line.json);
    assert_true(read_words(words[7], own, &line, reason) && line.verb == AB_TASKS_HELP);
}

static void bad_lines(void **state)
{
    static const struct {
        const char *words[MOST];
        const char *sentence;
    } cases[] = {
        { { NULL }, "tasks needs one of list, show, watch, stop and reply" },
        { { "" }, "there are list, show, watch, stop and reply" },
        { { "lst" }, "unknown word \"lst\"" },
        { { "show" }, "tasks show needs a task's id" },
        { { "show", "a", "b" }, "\"b\" is one word too many" },
        { { "list", "a" }, "\"a\" is one word too many" },
        { { "list", "--follow" }, "tasks list knows --config, --data, --status, --agent, --json" },
        { { "stop", "a", "--json" }, "tasks stop knows --config, --data" },
        { { "show", "a", "--data" }, "--data needs a value" },
        { { "show", "a", "--data=" }, "--data needs a value" },
        { { "show", "a", "--json=x" }, "unknown option \"--json=x\"" },
        { { "reply", "a" }, "one kind of answer" },
        { { "reply", "a", "--approve", "--decline" }, "one kind of answer" },
        { { "reply", "a", "x=y", "--json", "{}" }, "one kind of answer" },
        { { "reply", "a", "yes" }, "an answer is KEY=VALUE" },
    };
    const char *own[MOST];
    struct ab_tasks_line line;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char reason[256] = "";

        assert_false(read_words(cases[i].words, own, &line, reason));
        assert_non_null(strstr(reason, cases[i].sentence));
    }
}

static void no_long_word_breaks_the_reason(void **state)
{
    char word[5000] = "-";
    const char *words[] = { "reply", word };
    struct ab_tasks_line line;
    char reason[256];

    (void)state;
    memset(word + 1, 'x', sizeof word - 2);
    assert_false(ab_tasks_line_read(2, words, &line, reason, sizeof reason));
    assert_non_null(strstr(reason, "tasks reply knows"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(no_long_word_breaks_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
