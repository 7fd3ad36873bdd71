/* Deliveries put into words: what a webhook and a push notification hold, and what is said when they cannot be sent. */
#include "a2a/push.h"
#include "auth/webhook_sign.h"
#include "base/mem.h"
#include "base/str.h"
#include "deliver/a2a_push.h"
#include "deliver/rest_webhook.h"
#include "rest/webhooks.h"
#include "support/engine_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define NOW INT64_C(1785196800999)

static const unsigned char keys[2][AB_SEAL_KEY_BYTES] = { { 1 }, { 2 } };

/* {"env":"GOOD"} and {"env":"ODD"} can be had. */
static bool look_up(void *arg, struct ab_json reference, struct ab_buf *out, char *reason, size_t reason_size)
{
    struct ab_json name = ab_json_member(reference, "env");

    (void)arg;
    if (ab_json_string_is(name, "GOOD") || ab_json_string_is(name, "ODD")) {
        ab_buf_append_text(out, ab_json_string_is(name, "GOOD") ? SECRET : "hunter2");
        return true;
    }
    snprintf(reason, reason_size, "the environment variable is not set");
    return false;
}

struct encoding {
    struct rig *rig;
    struct ab_task task;
    char *event_body;
    struct ab_event event;
    struct ab_sealer *sealer;
    struct ab_sealer *other; /* of another key */
};

static int set_up(void **state)
{
    struct encoding *it = ab_alloc(1, sizeof *it);
    void *rig = NULL;
    struct made made;

    assert_int_equal(rig_setup(&rig), 0);
    it->rig = rig;
    made = rig_made(it->rig, "one", NULL);
    it->task = rig_row(it->rig, made.id);
    it->event_body = ab_strdup("{\"status\":\"executing\"}");
    it->event = (struct ab_event){ .number = 2, .at = 5, .kind = AB_EVENT_STATUS, .body_json = it->event_body };
    it->sealer = ab_sealer_new(keys, 1, ab_random_system());
    it->other = ab_sealer_new(keys + 1, 1, ab_random_system());
    *state = it;
    return 0;
}

static int tear_down(void **state)
{
    struct encoding *it = *state;
    void *rig = it->rig;

    ab_task_deinit(&it->task);
    free(it->event_body);
    ab_sealer_free(it->sealer);
    ab_sealer_free(it->other);
    (void)rig_teardown(&rig);
    free(it);
    return 0;
}

/* The value of a header, or NULL. */
static const char *header(const struct ab_outgoing *out, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; out->headers != NULL && out->headers[i] != NULL; i++)
        if (strncmp(out->headers[i], name, size) == 0 && strncmp(out->headers[i] + size, ": ", 2) == 0)
            return out->headers[i] + size + 2;
    return NULL;
}

static char *caller_target(const struct encoding *it)
{
    const struct ab_rest_webhooks_reader reader = { .sealer = it->sealer, .owner = it->task.owner };
    struct ab_rest_webhooks_fault fault;
    AB_CLEANUP(ab_free_string)
    char *wishes = ab_rest_webhooks_read(
        &reader, ab_json_trusted("[{\"url\":\"https://a.example/x\",\"secret\":\"" SECRET "\"}]"), &fault);
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(wishes));
    struct ab_json wish;

    assert_true(ab_json_next(&each, NULL, &wish));
    return ab_json_dup(ab_json_member(wish, "target"));
}

static void webhooks(void **state)
{
    struct encoding *it = *state;
    AB_CLEANUP(ab_free_string) char *sealed = caller_target(it);
    const struct {
        const char *target;
        bool other_key;
        enum ab_encoding encoding;
        bool is_signed;
        const char *why;
    } cases[] = {
        { "{\"url\":\"https://a.example/x\"}", false, AB_ENCODED, false, "" },
        { "{\"url\":\"https://a.example/x\",\"secret\":{\"env\":\"GOOD\"}}", false, AB_ENCODED, true, "" },
        { sealed, false, AB_ENCODED, true, "" },
        { sealed, true, AB_ENCODE_LATER, false, "no longer configured" },
        { "{\"url\":\"https://a.example/x\",\"secret\":{\"env\":\"NONE\"}}", false, AB_ENCODE_LATER, false,
          "is not set" },
        { "{\"url\":\"https://a.example/x\",\"secret\":{\"env\":\"ODD\"}}", false, AB_ENCODE_LATER, false, "whsec_" },
        { "{}", false, AB_ENCODE_NEVER, false, "no address" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_rest_webhook_encoder encoder = { .engine = it->rig->engine,
                                                   .sealer = cases[i].other_key ? it->other : it->sealer,
                                                   .secret = look_up };
        AB_CLEANUP(ab_free_string) char *target = ab_strdup(cases[i].target);
        const struct ab_delivery delivery = { .lane = 1000, .event = 2, .target_json = target };
        struct ab_outgoing out = { .body = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
        struct ab_buf why = AB_BUF_INIT(1024);
        struct ab_buf signature = AB_BUF_INIT(256);
        assert_int_equal(ab_rest_webhook_encode(&encoder, &delivery, &it->task, &it->event, NOW, &out, &why),
                         cases[i].encoding);
        assert_non_null(strstr(why.size > 0 ? why.data : "", cases[i].why));
        assert_null(strstr(why.size > 0 ? why.data : "", "hunter2"));
        if (cases[i].encoding == AB_ENCODED) {
            AB_CLEANUP(ab_free_string) char *id = ab_format("msg_%s_1000_2", it->task.id);
            assert_string_equal(out.url, "https://a.example/x");
            assert_string_equal(header(&out, "webhook-id"), id);
            assert_string_equal(header(&out, "webhook-timestamp"), "1785196800");
            assert_non_null(strstr(out.body.data, it->task.thread_id));
            assert_int_equal(header(&out, "webhook-signature") != NULL, cases[i].is_signed);
            assert_true(ab_webhook_sign(AB_STR(SECRET), id, 1785196800, ab_buf_str(&out.body), &signature));
            if (cases[i].is_signed)
                assert_string_equal(header(&out, "webhook-signature"), signature.data);
        }
        ab_outgoing_deinit(&out);
        ab_buf_deinit(&why);
        ab_buf_deinit(&signature);
    }
}

static void push_notifications(void **state)
{
    static char v1_0[] = "1.0";
    static char future[] = "9.0";
    static char url[] = "https://a.example/x";
    static char token[] = "canary";
    static char bearer[] = "Bearer";
    static char broken[] = "a\nb";
    static const struct {
        struct ab_a2a_push_target target;
        bool other_key;
        bool signs;
        enum ab_encoding encoding;
        const char *authorization; /* how it begins; NULL: there is none */
        const char *why;
    } cases[] = {
        { { v1_0, url, NULL, NULL, NULL }, false, false, AB_ENCODED, NULL, "" },
        { { v1_0, url, token, bearer, token }, false, true, AB_ENCODED, "Bearer canary", "" },
        { { v1_0, url, NULL, NULL, NULL }, false, true, AB_ENCODED, "Bearer ey", "" },
        { { v1_0, url, token, NULL, NULL }, true, false, AB_ENCODE_LATER, NULL, "no longer configured" },
        { { future, url, NULL, NULL, NULL }, false, false, AB_ENCODE_NEVER, NULL, "does not speak" },
        { { v1_0, url, broken, NULL, NULL }, false, false, AB_ENCODE_NEVER, NULL, "header" },
    };
    struct encoding *it = *state;
    static const unsigned char key[AB_SIGN_KEY_BYTES] = { 3 };
    struct ab_signer *signer = ab_signer_new(key);
    struct ab_a2a *a2a = ab_a2a_new(&(struct ab_a2a_settings){ .engine = it->rig->engine, .loop = it->rig->loop });

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_a2a_push_encoder encoder = { .engine = it->rig->engine,
                                               .sealer = cases[i].other_key ? it->other : it->sealer,
                                               .signer = cases[i].signs ? signer : NULL,
                                               .a2a = a2a };
        struct ab_buf target = AB_BUF_INIT(65536);
        struct ab_outgoing out = { .body = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
        struct ab_buf why = AB_BUF_INIT(1024);
        struct ab_json_writer writer;
        ab_json_writer_init(&writer, &target);
        assert_int_equal(ab_a2a_push_target_write(&writer, it->sealer, it->task.owner, &cases[i].target), AB_OK);
        const struct ab_delivery delivery = { .lane = 1000, .event = 2, .target_json = target.data };
        assert_int_equal(ab_a2a_push_encode(&encoder, &delivery, &it->task, &it->event, NOW, &out, &why),
                         cases[i].encoding);
        assert_non_null(strstr(why.size > 0 ? why.data : "", cases[i].why));
        if (cases[i].encoding == AB_ENCODED) {
            const char *found = header(&out, "Authorization");
            assert_string_equal(out.url, url);
            assert_int_equal(found != NULL, cases[i].authorization != NULL);
            if (found != NULL)
                assert_memory_equal(found, cases[i].authorization, strlen(cases[i].authorization));
            assert_memory_equal(out.body.data, "{\"statusUpdate\":", 16);
        }
        ab_outgoing_deinit(&out);
        ab_buf_deinit(&why);
        ab_buf_deinit(&target);
    }
    ab_a2a_free(a2a);
    ab_signer_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(webhooks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(push_notifications, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("deliveries in words", tests, NULL, NULL);
}
