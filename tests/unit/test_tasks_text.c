/* What a person reads of a task, and what becomes of what a person answers. */
#include "app/tasks_answer.h"
#include "app/tasks_text.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void no_control_character_gets_through(void **state)
{
    static const struct {
        const char *json;
        size_t maximum;
        bool lines;
        const char *expected;
    } cases[] = {
        { "\"plain\"", 0, false, "plain" },
        { "\"\\u001b[31m\\u0007\\u007f\"", 0, false, " [31m  " },
        { "\"a\\u009b31mb\"", 0, false, "a 31mb" },
        { "\"a\\nb\\tc\"", 0, false, "a b c" },
        { "\"a\\nb\\tc\\r\\u0000\"", 0, true, "a\nb\tc  " },
        { "\"\\u00a0\\u00e9\\ud83d\\ude00\"", 0, false, "\xc2\xa0\xc3\xa9\xf0\x9f\x98\x80" },
        { "\"\\u00e9\\u00e9\\u00e9\"", 2, false, "\xc3\xa9\xc3\xa9..." },
        { "\"\\u00e9\\u00e9\"", 2, false, "\xc3\xa9\xc3\xa9" },
        { "17", 0, false, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_buf out = AB_BUF_INIT(4096);

        ab_buf_append_text(&out, "");
        ab_tasks_text_words(ab_json_trusted(cases[i].json), cases[i].maximum, cases[i].lines, &out);
        assert_string_equal(out.data != NULL ? out.data : "", cases[i].expected);
        ab_buf_deinit(&out);
    }
}

static void a_row_keeps_its_columns(void **state)
{
    static const char task[] = "{\"task_id\":\"0123456789abcdef0123456789abcdef\",\"agent\":\"report\","
                               "\"status\":\"paused\",\"reason\":\"input\",\"status_message\":\"Who?\","
                               "\"created_at\":\"2026-07-28T09:30:00.125Z\"}";
    struct ab_buf out = AB_BUF_INIT(4096);

    (void)state;
    ab_tasks_text_row(ab_json_trusted(task), &out);
    assert_string_equal(out.data, "0123456789ab  paused (input)        report            2026-07-28 09:30:00  Who?\n");
    ab_buf_clear(&out);
    ab_tasks_text_row(ab_json_trusted("{}"), &out);
    assert_string_equal(out.data, "\n");
    ab_buf_deinit(&out);
}

static void events_in_a_line(void **state)
{
    static const struct {
        const char *json;
        const char *expected;
    } cases[] = {
        { "{\"kind\":\"status\",\"status\":\"error\",\"reason\":\"crashed\",\"message\":\"exit 3\"}",
          "error (crashed): exit 3" },
        { "{\"kind\":\"progress\",\"value\":1.5,\"total\":3,\"message\":\"a\\nb\"}", "1.5/3 a b" },
        { "{\"kind\":\"progress\",\"value\":2}", "2" },
        { "{\"kind\":\"log\",\"level\":\"info\",\"text\":\"hello\"}", "hello" },
        { "{\"kind\":\"artifact\",\"id\":\"1\",\"name\":\"report.md\"}", "artifact report.md" },
        { "{\"kind\":\"question\",\"questions\":{\"go\":{\"kind\":\"approval\",\"title\":\"Go?\"},"
          "\"who\":{\"kind\":\"form\",\"message\":\"Who?\"}}}",
          "asks go: Go?; who: Who?" },
        { "{\"kind\":\"say\",\"parts\":[]}", "say" },
        { "{\"kind\":\"\\u001bnew\"}", " new" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_buf out = AB_BUF_INIT(4096);

        ab_tasks_text_event(ab_json_trusted(cases[i].json), false, &out);
        assert_string_equal(out.data, cases[i].expected);
        ab_buf_deinit(&out);
    }
}

/* --- answers --- */

static const char questions[] =
    "{\"who\":{\"kind\":\"form\",\"schema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"age\":{\"type\":\"integer\"},\"well\":{\"type\":\"boolean\"},\"tags\":{\"type\":\"array\"}}}},"
    "\"other\":{\"kind\":\"form\",\"schema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"a\\u00e9\":{\"type\":\"string\"}}}},"
    "\"go\":{\"kind\":\"approval\",\"message\":\"Go?\"}}";

static void pairs_become_answers(void **state)
{
    static const struct {
        const char *pairs[4];
        const char *expected; /* or what the reason holds, with a "!" in front */
    } cases[] = {
        { { "age=3" }, "{\"who\":{\"action\":\"accept\",\"content\":{\"age\":3}}}" },
        { { "who.name=a \"b\"=c", "well=yes" },
          "{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"a \\\"b\\\"=c\",\"well\":true}}}" },
        { { "who.name=x", "other.name=y", "age=-1" },
          "{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"x\",\"age\":-1}},"
          "\"other\":{\"action\":\"accept\",\"content\":{\"name\":\"y\"}}}" },
        { { "tags=[\"a\"]" }, "{\"who\":{\"action\":\"accept\",\"content\":{\"tags\":[\"a\"]}}}" },
        { { "a\xc3\xa9=" }, "{\"other\":{\"action\":\"accept\",\"content\":{\"a\xc3\xa9\":\"\"}}}" },
        { { "name=x" }, "!several questions have a field \"name\"" },
        { { "nme=x" }, "!no open question has a field \"nme\": who has name, age, well, tags; other has name" },
        { { "go=yes" }, "!go has none (--approve or --decline answers it)" },
        { { "age=three" }, "!age: \"three\" is no number" },
        { { "age=" }, "!is no number" },
        { { "well=perhaps" }, "!neither true nor false" },
        { { "tags=a,b" }, "!is no JSON" },
        { { "age=1", "who.age=2" }, "!age is given twice" },
        { { "=x" }, "!no open question" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_buf out = AB_BUF_INIT(4096);
        struct ab_buf reason = AB_BUF_INIT(4096);
        size_t n = 0;

        while (n < 4 && cases[i].pairs[n] != NULL)
            n++;
        if (ab_tasks_answer_pairs(ab_json_trusted(questions), cases[i].pairs, n, &out, &reason))
            assert_string_equal(out.data, cases[i].expected);
        else
            assert_non_null(cases[i].expected[0] == '!' ? strstr(reason.data, cases[i].expected + 1) : NULL);
        ab_buf_deinit(&out);
        ab_buf_deinit(&reason);
    }
}

static void yes_and_no(void **state)
{
    static const struct {
        const char *questions;
        bool approve;
        const char *expected;
    } cases[] = {
        { "{\"go#2\":{\"kind\":\"approval\"}}", true, "{\"go#2\":{\"action\":\"accept\"}}" },
        { "{\"go\":{\"kind\":\"approval\"}}", false, "{\"go\":{\"action\":\"decline\"}}" },
        { "{\"page\":{\"kind\":\"url\"}}", true, "{\"page\":{\"action\":\"accept\"}}" },
        { "{\"who\":{\"kind\":\"form\"}}", false, "{\"who\":{\"action\":\"decline\"}}" },
        { "{\"who\":{\"kind\":\"form\",\"schema\":{\"properties\":{\"name\":{}}}}}", true,
          "!who is a form: answer with FIELD=VALUE; its fields are name" },
        { "{\"raw\":{\"kind\":\"request\"}}", true, "!raw is answered with --json" },
        { questions, true, "!several questions are open" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_buf out = AB_BUF_INIT(4096);
        struct ab_buf reason = AB_BUF_INIT(4096);

        if (ab_tasks_answer_choice(ab_json_trusted(cases[i].questions), cases[i].approve, &out, &reason))
            assert_string_equal(out.data, cases[i].expected);
        else
            assert_non_null(cases[i].expected[0] == '!' ? strstr(reason.data, cases[i].expected + 1) : NULL);
        ab_buf_deinit(&out);
        ab_buf_deinit(&reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_control_character_gets_through),
        cmocka_unit_test(a_row_keeps_its_columns),
        cmocka_unit_test(events_in_a_line),
        cmocka_unit_test(pairs_become_answers),
        cmocka_unit_test(yes_and_no),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
