/* Questions and answers as tables. */
#include "task/question.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FORM(fields)                                                                                                   \
    "{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"object\",\"properties\":{" fields "}}}"

static struct ab_json parsed(const char *text)
{
    struct ab_json value;
    struct ab_json_error error;
    if (!ab_json_check(ab_str(text), 64, &value, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    return value;
}

static const struct {
    const char *asked;
    const char *wrong; /* NULL: well formed */
    enum ab_task_reason reason;
} asked_cases[] = {
    { "{\"k\":" FORM("\"a\":{\"type\":\"string\"}") "}", NULL, AB_REASON_INPUT },
    { "{\"k\":" FORM("") "}", NULL, AB_REASON_INPUT },
    { "{\"k\":" FORM("\"a\":{\"enum\":[\"x\"]}") "}", NULL, AB_REASON_INPUT },
    { "{\"k\":" FORM("\"a\":{\"type\":\"array\",\"items\":{\"enum\":[\"x\"]}}") "}", NULL, AB_REASON_INPUT },
    { "{\"k\":{\"kind\":\"approval\",\"title\":\"t\"}}", NULL, AB_REASON_APPROVAL },
    { "{\"k\":{\"kind\":\"approval\",\"title\":\"t\",\"elsewhere\":\"at the desk\"}}", NULL, AB_REASON_APPROVAL },
    { "{\"k\":{\"kind\":\"approval\",\"title\":\"t\",\"elsewhere\":true}}", "must be a string that says where", 0 },
    { "{\"k\":{\"kind\":\"approval\",\"message\":\"m\"},\"l\":{\"kind\":\"approval\",\"message\":\"m\"}}", NULL,
      AB_REASON_APPROVAL },
    { "{\"k\":{\"kind\":\"approval\",\"message\":\"m\"},\"l\":" FORM("") "}", NULL, AB_REASON_INPUT },
    { "{\"k\":" FORM("") ",\"l\":{\"kind\":\"url\",\"url\":\"https://x.example/\"}}", NULL, AB_REASON_AUTH },
    { "{\"k\":{\"kind\":\"request\",\"method\":\"sampling/createMessage\",\"params\":{}}}", NULL, AB_REASON_INPUT },
    { "{}", "under each key", 0 },
    { "[]", "under each key", 0 },
    { "{\"\":" FORM("") "}", "1 to 126 bytes", 0 },
    { "{\"a\\u0000b\":" FORM("") "}", "1 to 126 bytes", 0 },
    { "{\"k\":7}", "question \"k\": \"kind\" must be one of", 0 },
    { "{\"k\":{\"kind\":\"form\",\"schema\":{\"type\":\"object\"}}}", "needs a \"message\"", 0 },
    { "{\"k\":{\"kind\":\"form\",\"message\":\"m\"}}", "needs a \"schema\"", 0 },
    { "{\"k\":{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"string\"}}}", "of the type \"object\"", 0 },
    { "{\"k\":{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"object\",\"required\":7}}}", "not usable",
      0 },
    { "{\"k\":" FORM("\"deep\":{\"type\":\"object\"}") "}", "field \"deep\"", 0 },
    { "{\"k\":" FORM("\"any\":{}") "}", "field \"any\"", 0 },
    { "{\"k\":{\"kind\":\"approval\"}}", "a \"title\" or a \"message\"", 0 },
    { "{\"k\":{\"kind\":\"approval\",\"message\":1}}", "must be a string, not number", 0 },
    { "{\"k\":{\"kind\":\"approval\",\"message\":\"m\",\"answer\":{}}}", "a question has none", 0 },
    { "{\"k\":{\"kind\":\"url\",\"message\":\"m\"}}", "begins with https://", 0 },
    { "{\"k\":{\"kind\":\"url\",\"url\":\"javascript:alert(1)\"}}", "begins with https://", 0 },
    { "{\"k\":{\"kind\":\"request\"}}", "needs a \"method\"", 0 },
    { "{\"k\":{\"kind\":\"request\",\"method\":\"m\",\"params\":[]}}", "must be an object, not array", 0 },
};

static void asking(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof asked_cases / sizeof asked_cases[0]; i++) {
        char reason[512] = "";
        struct ab_json asked = parsed(asked_cases[i].asked);
        bool good = ab_questions_check(asked, reason, sizeof reason);
        if (good != (asked_cases[i].wrong == NULL)) {
            fail_msg("%s: %s", asked_cases[i].asked, reason);
        }
        if (good) {
            assert_int_equal(ab_questions_reason(asked), asked_cases[i].reason);
        } else if (strstr(reason, asked_cases[i].wrong) == NULL) {
            fail_msg("%s: %s", asked_cases[i].asked, reason);
        }
    }
}

static void a_long_key_and_a_short_reason(void **state)
{
    (void)state;
    AB_CLEANUP(ab_free_string) char *asked = ab_format("{\"%0200d\":" FORM("") "}", 1);
    char reason[16];
    assert_false(ab_questions_check(parsed(asked), reason, sizeof reason));
    assert_int_equal(strlen(reason), 15);
}

#define BOOKING                                                                                                        \
    "{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"object\",\"required\":[\"seats\",\"class\"],"         \
    "\"properties\":{\"seats\":{\"type\":\"integer\",\"minimum\":1},"                                                  \
    "\"class\":{\"type\":\"string\",\"enum\":[\"first\",\"second\"],\"default\":\"second\"}}}}"
#define APPROVAL "{\"kind\":\"approval\",\"message\":\"m\"}"
#define REQUEST "{\"kind\":\"request\",\"method\":\"m\"}"
#define URL "{\"kind\":\"url\",\"url\":\"https://x.example\"}"

static const struct {
    const char *question;
    const char *answer;
    const char *wrong;   /* NULL: fits */
    const char *written; /* what the agent gets */
} answer_cases[] = {
    { BOOKING, "{\"action\":\"accept\",\"content\":{\"seats\":2}}", NULL,
      "{\"action\":\"accept\",\"content\":{\"seats\":2,\"class\":\"second\"}}" },
    { BOOKING, "{\"action\":\"accept\",\"content\":{\"class\":\"first\",\"seats\":2.0}}", NULL,
      "{\"action\":\"accept\",\"content\":{\"class\":\"first\",\"seats\":2.0}}" },
    { BOOKING, "{\"action\":\"decline\",\"content\":{\"seats\":-1}}", NULL, "{\"action\":\"decline\"}" },
    { BOOKING, "{\"action\":\"cancel\"}", NULL, "{\"action\":\"cancel\"}" },
    { BOOKING, "{\"action\":\"accept\"}", "seats", NULL },
    { BOOKING, "{\"action\":\"accept\",\"content\":{\"seats\":0}}", "\"content/seats\"", NULL },
    { BOOKING, "{\"action\":\"accept\",\"content\":{\"seats\":1,\"class\":\"third\"}}", "\"content/class\"", NULL },
    { BOOKING, "{\"action\":\"accept\",\"content\":null}", "must be an object", NULL },
    { BOOKING, "{\"content\":{\"seats\":1}}", "\"action\" must be", NULL },
    { BOOKING, "\"accept\"", "must be an object, not string", NULL },
    { APPROVAL, "{\"action\":\"accept\",\"note\":1}", NULL, "{\"action\":\"accept\"}" },
    { APPROVAL, "{\"action\":\"accept\",\"content\":{\"note\":1}}", NULL,
      "{\"action\":\"accept\",\"content\":{\"note\":1}}" },
    { APPROVAL, "{\"action\":true}", "\"action\" must be", NULL },
    { URL, "{\"action\":\"accept\"}", NULL, "{\"action\":\"accept\"}" },
    { REQUEST, "{\"result\":{\"x\":1.10}}", NULL, "{\"result\":{\"x\":1.10}}" },
    { REQUEST, "{\"action\":\"decline\"}", NULL, "{\"action\":\"decline\"}" },
    { REQUEST, "{\"action\":\"accept\"}", "answered by {\"result\"", NULL },
    { REQUEST, "{\"result\":[]}", "answered by {\"result\"", NULL },
};

/* A peer's schema is compiled here: alone or with others, it must not keep everybody waiting. */
static void schemas_have_a_limit(void **state)
{
    static const char form[] = "{\"kind\":\"form\",\"message\":\"m\",\"schema\":{\"type\":\"object\",\"properties\":{},"
                               "\"x\":[";
    (void)state;
    for (unsigned n_forms = 1; n_forms <= 2; n_forms++) {
        for (int over = 0; over < 2; over++) {
            struct ab_buf asked = AB_BUF_INIT(AB_BUF_UNBOUNDED);
            char reason[256] = "";
            ab_buf_append_text(&asked, "{");
            for (unsigned i = 0; i < n_forms; i++) {
                ab_buf_printf(&asked, "%s\"k%u\":%s0", i > 0 ? "," : "", i, form);
                for (unsigned n = 0; n < (over != 0 ? 262144 : 260000) / n_forms / 2; n++) {
                    ab_buf_append_text(&asked, ",0");
                }
                ab_buf_append_text(&asked, "]}}");
            }
            ab_buf_append_text(&asked, "}");
            assert_int_equal(ab_questions_check(parsed(asked.data), reason, sizeof reason), over == 0);
            assert_int_equal(strstr(reason, "larger than 262144 bytes") != NULL, over != 0);
            ab_buf_deinit(&asked);
        }
    }
}

static void answering(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_cases / sizeof answer_cases[0]; i++) {
        char reason[512] = "";
        struct ab_json question = parsed(answer_cases[i].question);
        struct ab_json answer = parsed(answer_cases[i].answer);
        bool fits = ab_question_fits(question, answer, reason, sizeof reason);
        if (fits != (answer_cases[i].wrong == NULL) || (!fits && strstr(reason, answer_cases[i].wrong) == NULL)) {
            fail_msg("%s: %s", answer_cases[i].answer, reason);
        }
        if (fits) {
            struct ab_buf written = AB_BUF_INIT(4096);
            ab_question_write_answer(question, answer, &written);
            assert_string_equal(written.data, answer_cases[i].written);
            ab_buf_deinit(&written);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asking),
        cmocka_unit_test(a_long_key_and_a_short_reason),
        cmocka_unit_test(schemas_have_a_limit),
        cmocka_unit_test(answering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
