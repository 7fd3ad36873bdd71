/* A caller's list of webhooks: what it becomes, and what is refused with which words and where. */
#include "auth/seal.h"
#include "base/mem.h"
#include "base/str.h"
#include "rest/webhooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const unsigned char keys[1][AB_SEAL_KEY_BYTES] = { { 7 } };

static char *read_list(const struct ab_sealer *sealer, const char *list, struct ab_rest_webhooks_fault *fault)
{
    const struct ab_rest_webhooks_reader reader = { .sealer = sealer, .owner = "ann" };

    return ab_rest_webhooks_read(&reader, ab_json_trusted(list), fault);
}

static void a_list_becomes_wishes(void **state)
{
    static const char *const cases[][2] = {
        { "[]", "[]" },
        { "[{\"url\":\"https://a.example/x\"}]",
          "[{\"kind\":\"rest-webhook\",\"receiver\":\"https://a.example:443\",\"target\":{\"url\":\"https://a.example/"
          "x\"}}]" },
        { "[{\"url\":\"https://a.example/x\",\"events\":[\"paused\",\"executing\"],\"secret\":null}]",
          "[{\"kind\":\"rest-webhook\",\"receiver\":\"https://a.example:443\",\"events\":[\"paused\",\"executing\"],"
          "\"target\":{\"url\":\"https://a.example/x\"}}]" },
    };
    struct ab_sealer *sealer = ab_sealer_new(keys, 1, ab_random_system());

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_rest_webhooks_fault fault;
        char *wishes = read_list(sealer, cases[i][0], &fault);
        assert_non_null(wishes);
        assert_string_equal(wishes, cases[i][1]);
        free(wishes);
    }
    ab_sealer_free(sealer);
}

static void a_secret_is_sealed_for_its_owner_and_address(void **state)
{
    struct ab_sealer *sealer = ab_sealer_new(keys, 1, ab_random_system());
    struct ab_rest_webhooks_fault fault;
    char *wishes = read_list(sealer, "[{\"url\":\"https://a.example/x\",\"secret\":\"" SECRET "\"}]", &fault);
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(wishes));
    struct ab_buf out = AB_BUF_INIT(1000);
    struct ab_json wish;
    char *sealed;

    (void)state;
    assert_non_null(wishes);
    assert_null(strstr(wishes, "whsec_"));
    assert_true(ab_json_next(&each, NULL, &wish));
    sealed = ab_json_string_dup(ab_json_at(wish, "target", "sealed", NULL));
    assert_non_null(sealed);
    assert_false(ab_unseal(sealer, AB_REST_WEBHOOK_SEAL, AB_STR("bob\nhttps://a.example/x"), ab_str(sealed), &out));
    assert_false(ab_unseal(sealer, AB_REST_WEBHOOK_SEAL, AB_STR("ann\nhttps://b.example/x"), ab_str(sealed), &out));
    assert_true(ab_unseal(sealer, AB_REST_WEBHOOK_SEAL, AB_STR("ann\nhttps://a.example/x"), ab_str(sealed), &out));
    assert_string_equal(out.data, SECRET);
    ab_buf_deinit(&out);
    free(sealed);
    free(wishes);
    ab_sealer_free(sealer);
}

static void what_is_wrong_is_said_where(void **state)
{
    static const struct {
        const char *list;
        int index;
        const char *member;
        const char *words;
    } cases[] = {
        { "{}", -1, NULL, "array" },
        { "\"https://a.example\"", -1, NULL, "array" },
        { "[1,2,3,4,5,6,7,8,9]", -1, NULL, "at most 8" },
        { "[\"https://a.example\"]", 0, NULL, "object" },
        { "[{\"url\":\"https://a.example\",\"token\":\"x\"}]", 0, NULL, "no \"token\"" },
        { "[{}]", 0, "url", "string" },
        { "[{\"url\":\"https://a.example\"},{\"url\":\"http://10.0.0.1/\"}]", 1, "url", "outbound.allow" },
        { "[{\"url\":\"https://a.example\",\"events\":\"completed\"}]", 0, "events", "array" },
        { "[{\"url\":\"https://a.example\",\"events\":[]}]", 0, "events", "at least one" },
        { "[{\"url\":\"https://a.example\",\"events\":[\"done\"]}]", 0, "events", "\"done\"" },
        { "[{\"url\":\"https://a.example\",\"events\":[\"pending\"]}]", 0, "events", "\"pending\"" },
        { "[{\"url\":\"https://a.example\",\"secret\":{\"env\":\"HOME\"}}]", 0, "secret", "itself" },
        { "[{\"url\":\"https://a.example\",\"secret\":\"short\"}]", 0, "secret", "whsec_" },
    };
    struct ab_sealer *sealer = ab_sealer_new(keys, 1, ab_random_system());

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_rest_webhooks_fault fault;
        if (read_list(sealer, cases[i].list, &fault) != NULL)
            fail_msg("%s is taken", cases[i].list);
        assert_int_equal(fault.index, cases[i].index);
        assert_string_equal(fault.member != NULL ? fault.member : "", cases[i].member != NULL ? cases[i].member : "");
        if (strstr(fault.reason, cases[i].words) == NULL)
            fail_msg("%s: \"%s\"", cases[i].list, fault.reason);
        assert_null(strstr(fault.reason, "short"));
    }
    ab_sealer_free(sealer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_becomes_wishes),
        cmocka_unit_test(a_secret_is_sealed_for_its_owner_and_address),
        cmocka_unit_test(what_is_wrong_is_said_where),
    };

    return cmocka_run_group_tests_name("a caller's webhooks", tests, NULL, NULL);
}
