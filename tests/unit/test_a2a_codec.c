/* Parts in each version's form, there and back, and answers found in messages: tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "a2a/answer.h"
#include "a2a/version.h"
#include "a2a/write.h"
#include "base/mem.h"

#include <string.h>

static struct ab_json json(const char *text)
{
    struct ab_json value;
    struct ab_json_error error;

    if (!ab_json_check(ab_str(text), 64, &value, &error))
        fail_msg("%s: %s", error.text, text);
    return value;
}

/* --- parts: what comes in, what agents get, and what goes out again --- */

static const struct round_trip {
    const struct ab_a2a_version *version;
    const char *given;
    const char *kept; /* NULL: refused */
    const char *rpc;
    const char *http;
} round_trips[] = {
    { &ab_a2a_v1_0, "{\"text\":\"\"}", "{\"text\":\"\"}", "{\"text\":\"\"}", "{\"text\":\"\"}" },
    { &ab_a2a_v1_0, "{\"text\":\"a\",\"media_type\":\"text/x\",\"filename\":\"\",\"metadata\":{}}",
      "{\"text\":\"a\",\"media_type\":\"text/x\",\"metadata\":{}}", "{\"text\":\"a\",\"mediaType\":\"text/x\"}",
      "{\"text\":\"a\",\"mediaType\":\"text/x\"}" },
    { &ab_a2a_v1_0, "{\"raw\":\"AA==\",\"mediaType\":\"image/png\",\"filename\":\"a.png\",\"metadata\":{\"k\":1}}",
      "{\"raw\":\"AA==\",\"media_type\":\"image/png\",\"filename\":\"a.png\",\"metadata\":{\"k\":1}}",
      "{\"raw\":\"AA==\",\"mediaType\":\"image/png\",\"filename\":\"a.png\",\"metadata\":{\"k\":1}}",
      "{\"raw\":\"AA==\",\"mediaType\":\"image/png\",\"filename\":\"a.png\",\"metadata\":{\"k\":1}}" },
    { &ab_a2a_v1_0, "{\"data\":null}", "{\"data\":null}", "{\"data\":null}", "{\"data\":null}" },
    { &ab_a2a_v1_0, "{\"text\":null,\"url\":\"u\"}", "{\"url\":\"u\"}", "{\"url\":\"u\"}", "{\"url\":\"u\"}" },
    { &ab_a2a_v1_0, "{\"data\":[1.50]}", "{\"data\":[1.50]}", "{\"data\":[1.50]}", "{\"data\":[1.50]}" },
    { &ab_a2a_v1_0, "{}", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "[]", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "{\"text\":\"a\",\"data\":1}", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "{\"raw\":\"A\"}", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "{\"text\":1}", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "{\"text\":\"a\",\"mediaType\":1}", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "{\"text\":\"a\",\"metadata\":1}", NULL, NULL, NULL },
    { &ab_a2a_v1_0, "{\"kind\":\"file\",\"file\":{\"uri\":\"u\"}}", NULL, NULL, NULL },

    { &ab_a2a_v0_3, "{\"kind\":\"text\",\"text\":\"a\",\"metadata\":{\"k\":1}}",
      "{\"text\":\"a\",\"metadata\":{\"k\":1}}", "{\"kind\":\"text\",\"text\":\"a\",\"metadata\":{\"k\":1}}",
      "{\"text\":\"a\"}" },
    { &ab_a2a_v0_3, "{\"text\":\"a\"}", "{\"text\":\"a\"}", "{\"kind\":\"text\",\"text\":\"a\"}", "{\"text\":\"a\"}" },
    { &ab_a2a_v0_3, "{\"kind\":\"file\",\"file\":{\"bytes\":\"AA==\",\"mimeType\":\"i/p\",\"name\":\"n\"}}",
      "{\"raw\":\"AA==\",\"media_type\":\"i/p\",\"filename\":\"n\"}",
      "{\"kind\":\"file\",\"file\":{\"bytes\":\"AA==\",\"mimeType\":\"i/p\",\"name\":\"n\"}}",
      "{\"file\":{\"fileWithBytes\":\"AA==\",\"mimeType\":\"i/p\"}}" },
    { &ab_a2a_v0_3, "{\"file\":{\"file_with_uri\":\"u\",\"mime_type\":\"i/p\"}}",
      "{\"url\":\"u\",\"media_type\":\"i/p\"}", "{\"kind\":\"file\",\"file\":{\"uri\":\"u\",\"mimeType\":\"i/p\"}}",
      "{\"file\":{\"fileWithUri\":\"u\",\"mimeType\":\"i/p\"}}" },
    { &ab_a2a_v0_3, "{\"kind\":\"data\",\"data\":{\"data\":{}}}", "{\"data\":{\"data\":{}}}",
      "{\"kind\":\"data\",\"data\":{\"data\":{}}}", "{\"data\":{\"data\":{\"data\":{}}}}" },
    { &ab_a2a_v0_3, "{\"data\":{\"data\":{\"a\":1}}}", "{\"data\":{\"a\":1}}", "{\"kind\":\"data\",\"data\":{\"a\":1}}",
      "{\"data\":{\"data\":{\"a\":1}}}" },
    { &ab_a2a_v0_3, "{\"kind\":\"data\",\"data\":{\"value\":[1]},\"metadata\":{\"data_part_compat\":true}}",
      "{\"data\":[1],\"metadata\":{}}",
      "{\"kind\":\"data\",\"data\":{\"value\":[1]},\"metadata\":{\"data_part_compat\":true}}",
      "{\"data\":{\"data\":{\"value\":[1]}}}" },
    { &ab_a2a_v0_3, "{\"kind\":\"text\"}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"kind\":\"song\",\"text\":\"a\"}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"kind\":\"data\",\"data\":[1]}", "{\"data\":[1]}",
      "{\"kind\":\"data\",\"data\":{\"value\":[1]},\"metadata\":{\"data_part_compat\":true}}",
      "{\"data\":{\"data\":{\"value\":[1]}}}" },
    { &ab_a2a_v0_3, "{\"kind\":\"text\",\"data\":{}}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"type\":\"song\",\"text\":\"a\"}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"kind\":\"file\",\"file\":{}}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"kind\":\"file\",\"file\":{\"bytes\":\"AA==\",\"uri\":\"u\"}}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"kind\":\"file\",\"file\":{\"bytes\":\"*\"}}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"kind\":\"file\",\"file\":{\"uri\":1}}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "{\"text\":\"a\",\"file\":{\"uri\":\"u\"}}", NULL, NULL, NULL },
    { &ab_a2a_v0_3, "4", NULL, NULL, NULL },
};

static void assert_written(const struct ab_a2a_form *form, const char *part, const char *expected)
{
    struct ab_buf out = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    form->write_part(&writer, json(part));
    assert_string_equal(out.data, expected);
    ab_buf_deinit(&out);
}

static void test_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof round_trips / sizeof *round_trips; i++) {
        const struct round_trip *trip = &round_trips[i];
        struct ab_buf out = AB_BUF_INIT(4096);
        struct ab_json_writer writer;
        char reason[256] = "";
        bool good;

        ab_json_writer_init(&writer, &out);
        good = trip->version->read_part(json(trip->given), &writer, reason, sizeof reason);
        if (good != (trip->kept != NULL))
            fail_msg("%s: %s", trip->given, good ? "was taken" : reason);
        if (good) {
            assert_string_equal(out.data, trip->kept);
            assert_written(trip->version->rpc_form, out.data, trip->rpc);
            assert_written(trip->version->http_form, out.data, trip->http);
        } else {
            assert_true(strlen(reason) > 5);
        }
        ab_buf_deinit(&out);
    }
}

/* What agents wrongly put beside a part is not handed on. */
static void test_parts_of_careless_agents(void **state)
{
    (void)state;
    assert_written(ab_a2a_v1_0.rpc_form, "{\"text\":\"a\",\"kind\":1,\"media_type\":4,\"filename\":[],\"metadata\":3}",
                   "{\"text\":\"a\"}");
    assert_written(ab_a2a_v0_3.rpc_form, "{\"url\":\"u\",\"media_type\":4,\"metadata\":3}",
                   "{\"kind\":\"file\",\"file\":{\"uri\":\"u\"}}");
}

/* --- answers --- */

#define APPROVAL "{\"go\":{\"kind\":\"approval\",\"title\":\"Go on?\"}}"
#define TEXT_FIELD                                                                                                     \
    "{\"kind\":\"form\",\"message\":\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{\"who\":{\"type\":"       \
    "\"string\"},\"n\":{\"type\":\"integer\"}},\"required\":[\"who\"]}}"
#define FORM "{\"q\":" TEXT_FIELD "}"
#define NUMBER                                                                                                         \
    "{\"q\":{\"kind\":\"form\",\"message\":\"?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"     \
    "\"integer\"}},\"required\":[\"n\"]}}}"
#define TWO "{\"a\":" TEXT_FIELD ",\"b\":{\"kind\":\"approval\",\"title\":\"?\"}}"
#define HALF "{\"a\":{\"kind\":\"approval\",\"title\":\"?\",\"answer\":{\"action\":\"accept\"}},\"b\":" TEXT_FIELD "}"

static const struct answer {
    const char *questions;
    const char *parts;
    const char *answers; /* NULL: none */
} answers[] = {
    { APPROVAL, "[{\"text\":\"yes\"}]", "{\"go\":{\"action\":\"accept\"}}" },
    { APPROVAL, "[{\"text\":\" Yes. \"}]", "{\"go\":{\"action\":\"accept\"}}" },
    { APPROVAL, "[{\"text\":\"NO\"}]", "{\"go\":{\"action\":\"decline\"}}" },
    { APPROVAL, "[{\"text\":\"nobody knows\"}]", NULL },
    { APPROVAL, "[{\"text\":\"\"}]", NULL },
    { APPROVAL, "[{\"url\":\"u\"},{\"text\":\"ok\"}]", "{\"go\":{\"action\":\"accept\"}}" },
    { APPROVAL, "[{\"data\":{\"go\":{\"action\":\"decline\"}}}]", "{\"go\":{\"action\":\"decline\"}}" },
    { APPROVAL, "[{\"data\":{\"answers\":{\"go\":{\"action\":\"decline\"}}}},{\"text\":\"yes\"}]",
      "{\"go\":{\"action\":\"decline\"}}" },
    { APPROVAL, "[{\"data\":{\"other\":{\"action\":\"accept\"}}}]", NULL },
    { APPROVAL, "[{\"data\":7}]", NULL },
    { FORM, "[{\"text\":\"Ann \\\"A\\\"\"}]",
      "{\"q\":{\"action\":\"accept\",\"content\":{\"who\":\"Ann \\\"A\\\"\"}}}" },
    { FORM, "[{\"data\":{\"q\":4}}]", "{\"q\":4}" }, /* the engine says what is wrong with it */
    { NUMBER, "[{\"text\":\"4\"}]", NULL },
    { TWO, "[{\"text\":\"yes\"}]", NULL },
    { TWO, "[{\"data\":{\"b\":{\"action\":\"accept\"}}}]", "{\"b\":{\"action\":\"accept\"}}" },
    { HALF, "[{\"text\":\"Ann\"}]", "{\"b\":{\"action\":\"accept\",\"content\":{\"who\":\"Ann\"}}}" },
    { HALF, "[{\"data\":{\"a\":{\"action\":\"accept\"}}}]", NULL },
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct ab_task task = { .questions_json = ab_strdup(answers[i].questions) };
        char expected[512] = "";
        char *found = ab_a2a_answers_from_parts(&task, json(answers[i].parts), expected, sizeof expected);
        if ((found != NULL) != (answers[i].answers != NULL) ||
            (found != NULL && strcmp(found, answers[i].answers) != 0))
            fail_msg("%s to %s gave %s", answers[i].parts, answers[i].questions, found != NULL ? found : expected);
        assert_true(found != NULL || expected[0] != '\0');
        free(found);
        free(task.questions_json);
    }
}

static void test_answers_shown_again(void **state)
{
    static const struct {
        const char *asked;
        const char *answers;
        const char *parts;
    } table[] = {
        { FORM, "{\"q\":{\"action\":\"accept\",\"content\":{\"who\":\"Ann\"}}}", "[{\"text\":\"Ann\"}]" },
        { FORM, "{\"q\":{\"action\":\"decline\"}}", "[{\"data\":{\"answers\":{\"q\":{\"action\":\"decline\"}}}}]" },
        { FORM, "{\"q\":{\"action\":\"accept\",\"content\":{\"who\":\"Ann\",\"n\":1}}}",
          "[{\"data\":{\"answers\":{\"q\":{\"action\":\"accept\",\"content\":{\"who\":\"Ann\",\"n\":1}}}}}]" },
        { NULL, "{\"q\":{\"action\":\"accept\"}}", "[{\"data\":{\"answers\":{\"q\":{\"action\":\"accept\"}}}}]" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *parts = ab_a2a_answer_parts(ab_json_trusted(table[i].asked), json(table[i].answers));
        assert_string_equal(parts, table[i].parts);
        free(parts);
    }
}

/* --- names --- */

static void test_versions(void **state)
{
    static const struct {
        const char *name;
        const struct ab_a2a_version *version;
    } table[] = {
        { "1.0", &ab_a2a_v1_0 }, { "1.0.1", &ab_a2a_v1_0 },
        { "0.3", &ab_a2a_v0_3 }, { "0.3.0", &ab_a2a_v0_3 },
        { "1.1", NULL },         { "1", NULL },
        { "1.00", NULL },        { "0.30", NULL },
        { "10.0", NULL },        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_ptr_equal(ab_a2a_version_find(ab_str(table[i].name)), table[i].version);
}

/* Every status and reason has a state, and only what has ended looks ended. */
static void test_states(void **state)
{
    (void)state;
    for (unsigned status = 0; status < AB_TASK_STATUS_COUNT; status++)
        for (unsigned reason = 0; reason < AB_REASON_COUNT; reason++) {
            enum ab_a2a_state found = ab_a2a_state_of((enum ab_task_status)status, (enum ab_task_reason)reason);
            assert_int_equal(ab_a2a_state_is_terminal(found), ab_task_status_is_terminal((enum ab_task_status)status));
        }
    assert_int_equal(ab_a2a_state_of(AB_TASK_FAILED, AB_REASON_REJECTED), AB_A2A_REJECTED);
    assert_int_equal(ab_a2a_state_of(AB_TASK_PAUSED, AB_REASON_AUTH), AB_A2A_AUTH_REQUIRED);
    assert_int_equal(ab_a2a_state_of(AB_TASK_PAUSED, AB_REASON_APPROVAL), AB_A2A_INPUT_REQUIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_parts_of_careless_agents),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_answers_shown_again),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests_name("a2a_codec", tests, NULL, NULL);
}
