/* What a commit leaves behind for those who want to be told elsewhere, and the signature they check. */
#include "auth/webhook_sign.h"
#include "base/mem.h"
#include "base/str.h"
#include "task/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char completed[] = "{\"status\":\"completed\"}";
static char executing[] = "{\"status\":\"executing\"}";
static char artifact[] = "{\"id\":\"completed\",\"status\":\"completed\",\"parts\":[]}";
static char chunk[] = "{\"status\":\"completed\",\"text\":\"x\"}";

static void only_what_was_wished_for(void **state)
{
    static const struct {
        const char *wishes;
        const char *rows; /* lane/event of each */
    } cases[] = {
        { NULL, "" },
        { "[]", "" },
        { "[{\"kind\":\"k\",\"receiver\":\"r\",\"target\":{}}]", "7/3 " },
        { "[{\"kind\":\"k\",\"receiver\":\"r\",\"target\":{},\"events\":[\"executing\"]}]", "7/1 " },
        { "[{\"kind\":\"k\",\"receiver\":\"r\",\"target\":{},\"events\":[]}]", "" },
        { "[{\"kind\":\"k\",\"receiver\":\"r\",\"target\":{},\"events\":[\"failed\"]},"
          "{\"kind\":\"k\",\"receiver\":\"s\",\"target\":{},\"events\":[\"executing\",\"completed\"]}]",
          "8/1 8/3 " },
        { "[{\"kind\":\"k\",\"target\":{}}]", "" },
        { "[{\"kind\":\"k\",\"receiver\":\"r\",\"target\":{},\"lane\":44,\"events\":[\"artifact\",\"chunk\"]},"
          "{\"kind\":\"k\",\"receiver\":\"r\",\"target\":{}}]",
          "8/3 44/4 " },
    };
    const struct ab_event events[] = {
        { .number = 1, .at = 10, .kind = AB_EVENT_STATUS, .body_json = executing },
        { .number = 2, .at = 11, .kind = AB_EVENT_CHUNK, .body_json = chunk },
        { .number = 3, .at = 12, .kind = AB_EVENT_STATUS, .body_json = completed },
        { .number = 4, .at = 13, .kind = AB_EVENT_ARTIFACT, .body_json = artifact },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_outbox_rows rows = { 0 };
        struct ab_buf text = AB_BUF_INIT(1000);
        ab_outbox_collect(&rows, cases[i].wishes, 7, events, 4);
        for (size_t k = 0; k < rows.count; k++)
            ab_buf_printf(&text, "%u/%llu ", rows.rows[k].lane, (unsigned long long)rows.rows[k].event);
        assert_string_equal(text.size > 0 ? text.data : "", cases[i].rows);
        ab_buf_deinit(&text);
        ab_outbox_deinit(&rows);
    }
}

#define A "{\"lane\":1000,\"id\":\"a\",\"kind\":\"k\"}"
#define B "{\"lane\":1001,\"id\":\"b\",\"kind\":\"k\"}"

static void a_list_of_wishes_is_edited(void **state)
{
    static const struct {
        const char *before;
        const char *put;    /* a wish */
        const char *remove; /* or an id */
        const char *after;  /* NULL: as it was */
        bool full;
        bool removed;
        uint32_t lane;
    } cases[] = {
        { NULL, "{\"id\":\"a\",\"kind\":\"k\"}", NULL, "[" A "]", false, false, 1000 },
        { "[]", "{\"id\":\"a\",\"kind\":\"k\"}", NULL, "[" A "]", false, false, 1000 },
        { "[" A "]", "{\"id\":\"b\",\"kind\":\"k\"}", NULL, "[" A "," B "]", false, false, 1001 },
        { "[" A "," B "]", "{\"id\":\"c\"}", NULL, NULL, true, false, 1002 },
        { "[" A "," B "]", "{\"id\":\"a\"}", NULL, "[{\"lane\":1000,\"id\":\"a\"}," B "]", false, false, 1000 },
        { "[" B "]", "{\"id\":\"a\"}", NULL, "[" B ",{\"lane\":1002,\"id\":\"a\"}]", false, false, 1002 },
        { "[{\"kind\":\"w\"}]", "{\"id\":\"a\"}", NULL, "[{\"lane\":1000,\"kind\":\"w\"},{\"lane\":1001,\"id\":\"a\"}]",
          false, false, 1001 },
        { "[" A "," B "]", NULL, "a", "[" B "]", false, true, 1000 },
        { "[" A "]", NULL, "a", "[]", false, true, 1000 },
        { "[" A "]", NULL, "z", NULL, false, false, 0 },
        { NULL, NULL, "a", NULL, false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_outbox_edit edit;
        if (cases[i].put != NULL)
            ab_outbox_put(cases[i].before, cases[i].put, 2, &edit);
        else
            ab_outbox_remove(cases[i].before, cases[i].remove, &edit);
        assert_string_equal(edit.webhooks_json != NULL ? edit.webhooks_json : "as it was",
                            cases[i].after != NULL ? cases[i].after : "as it was");
        assert_int_equal(edit.full, cases[i].full);
        assert_int_equal(edit.removed, cases[i].removed);
        if (cases[i].after != NULL)
            assert_int_equal(edit.lane, cases[i].lane);
        free(edit.webhooks_json);
    }
}

static void a_signature_is_the_specifications(void **state)
{
    struct ab_buf out = AB_BUF_INIT(200);

    (void)state;
    assert_true(ab_webhook_sign(AB_STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                1614265330, AB_STR("{\"test\": 2432232314}"), &out));
    assert_string_equal(out.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    ab_buf_deinit(&out);
}

static void what_is_no_secret(void **state)
{
    static const char *const cases[] = {
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "whsec_MfKQ9r8G!!!!",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_false(ab_webhook_secret_is_good(ab_str(cases[i])));
    assert_true(ab_webhook_secret_is_good(AB_STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_wished_for),
        cmocka_unit_test(a_list_of_wishes_is_edited),
        cmocka_unit_test(a_signature_is_the_specifications),
        cmocka_unit_test(what_is_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
