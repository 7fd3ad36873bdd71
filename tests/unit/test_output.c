/* Answers against the output_schema that their caller gave. */
#include "base/mem.h"
#include "task/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SCHEMA "{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":\"integer\"}}}"
#define WISH "{\"output_format\":\"json\",\"output_schema\":" SCHEMA "}"

static void what_fits(void **state)
{
    static const struct {
        const char *options;
        const char *result;
        const char *reason; /* NULL: it fits; else a piece of the reason */
    } cases[] = {
        { WISH, "{\"text\":\"{\\\"n\\\":1}\",\"parts\":[]}", NULL },
        { WISH, "{\"text\":\"I found\",\"parts\":[],\"data\":{\"n\":1}}", NULL },
        { WISH, "{\"text\":\"{\\\"n\\\":\\\"1\\\"}\",\"parts\":[]}", "does not fit output_schema at /n: " },
        { WISH, "{\"parts\":[],\"data\":{\"n\":1.5}}", "does not fit output_schema at /n: " },
        { WISH, "{\"text\":\"{}\",\"parts\":[]}", "does not fit output_schema at its root: " },
        { WISH, "{\"text\":\"none\",\"parts\":[]}", "not the JSON that was asked for" },
        { WISH, "{\"text\":\"\",\"parts\":[]}", "not the JSON that was asked for" },
        { WISH, "{\"parts\":[{\"url\":\"https://x.example/\"}]}", "neither data nor text" },
        /* Nothing is checked without both wishes. */
        { "{}", "{\"text\":\"none\",\"parts\":[]}", NULL },
        { "{\"output_schema\":" SCHEMA "}", "{\"text\":\"none\",\"parts\":[]}", NULL },
        { "{\"output_format\":\"json\"}", "{\"text\":\"none\",\"parts\":[]}", NULL },
        { "{\"output_format\":\"json\",\"output_schema\":null}", "{\"text\":\"none\",\"parts\":[]}", NULL },
        { "{\"output_format\":\"text\",\"output_schema\":" SCHEMA "}", "{\"text\":\"none\",\"parts\":[]}", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char reason[AB_OUTPUT_REASON_SIZE] = "";
        bool fits =
            ab_output_fits(ab_json_trusted(cases[i].options), ab_json_trusted(cases[i].result), reason, sizeof reason);
        if (fits != (cases[i].reason == NULL) || (!fits && strstr(reason, cases[i].reason) == NULL)) {
            fail_msg("%s: %s", cases[i].result, reason);
        }
    }
}

static void what_can_be_checked(void **state)
{
    char reason[AB_OUTPUT_REASON_SIZE] = "";
    (void)state;
    assert_true(ab_output_can_be_checked(ab_json_trusted("{}"), reason, sizeof reason));
    assert_true(ab_output_can_be_checked(ab_json_trusted(WISH), reason, sizeof reason));
    assert_false(ab_output_can_be_checked(
        ab_json_trusted("{\"output_format\":\"json\",\"output_schema\":{\"properties\":{\"n\":{\"type\":7}}}}"), reason,
        sizeof reason));
    assert_non_null(strstr(reason, "output_schema/properties/n/type is no usable JSON Schema: "));
    AB_CLEANUP(ab_free_string)
    char *large = ab_format("{\"output_format\":\"json\",\"output_schema\":{\"$comment\":\"%032768d\"}}", 0);
    assert_false(ab_output_can_be_checked(ab_json_trusted(large), reason, sizeof reason));
    assert_string_equal(reason, "output_schema is larger than 32768 bytes");
    /* What is not going to be used may be anything. */
    assert_true(ab_output_can_be_checked(ab_json_trusted("{\"output_schema\":{\"type\":7}}"), reason, sizeof reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits),
        cmocka_unit_test(what_can_be_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
