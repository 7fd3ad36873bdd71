/* What a push notification of A2A says, and what is kept of a client's secrets. */
#include "a2a/push.h"
#include "auth/jwt.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "support/engine_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static char v1_0[] = "1.0";
static char v0_3[] = "0.3";
static char other[] = "2.0";
static char url[] = "https://a.example/x";
static char token[] = "the token";
static char bearer[] = "Bearer";
static char credentials[] = "the credentials";

static char paused[] = "{\"status\":\"paused\",\"reason\":\"input\"}";
static char artifact[] = "{\"id\":\"x\",\"name\":\"n\",\"parts\":[{\"text\":\"piece\"}],\"append\":true,\"last\":true}";
static char completed[] = "{\"status\":\"completed\"}";

static void a_body_says_what_happened(void **state)
{
    static const struct {
        char *version;
        enum ab_event_kind kind;
        char *event;
        enum ab_task_status status;
        const char *begins;
        const char *holds;
    } table[] = {
        { v1_0, AB_EVENT_STATUS, paused, AB_TASK_PAUSED,
          "{\"statusUpdate\":{\"taskId\":", "\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":" },
        { v1_0, AB_EVENT_ARTIFACT, artifact, AB_TASK_EXECUTING, "{\"artifactUpdate\":{\"taskId\":",
          "\"artifact\":{\"artifactId\":\"x\",\"name\":\"n\",\"parts\":[{\"text\":\"piece\"}]},\"append\":true,"
          "\"lastChunk\":true}}" },
        { v1_0, AB_EVENT_STATUS, completed, AB_TASK_COMPLETED,
          "{\"task\":{\"id\":", "\"state\":\"TASK_STATE_COMPLETED\"" },
        { v0_3, AB_EVENT_STATUS, paused, AB_TASK_PAUSED, "{\"kind\":\"task\",\"id\":", "\"state\":\"input-required\"" },
        { v0_3, AB_EVENT_ARTIFACT, artifact, AB_TASK_EXECUTING, "{\"kind\":\"task\",\"id\":", "\"state\":\"working\"" },
        { v0_3, AB_EVENT_STATUS, completed, AB_TASK_COMPLETED,
          "{\"kind\":\"task\",\"id\":", "\"parts\":[{\"kind\":\"text\",\"text\":\"the result\"}]" },
    };
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct ab_a2a_push_target target = { .version = table[i].version };
        const struct ab_event event = { .number = 3, .at = 5, .kind = table[i].kind, .body_json = table[i].event };
        struct ab_buf body = AB_BUF_INIT(65536);
        struct ab_task task = rig_row(rig, made.id);
        task.status = table[i].status;
        task.reason = task.status == AB_TASK_PAUSED ? AB_REASON_INPUT : AB_REASON_NONE;
        ab_replace(&task.questions_json, "{\"q\":{\"kind\":\"form\",\"message\":\"Who?\"}}");
        ab_replace(&task.result_json, "{\"parts\":[{\"text\":\"the result\"}]}");
        assert_int_equal(ab_a2a_push_body(rig->engine, &target, &task, &event, &body), AB_OK);
        if (strncmp(body.data, table[i].begins, strlen(table[i].begins)) != 0 ||
            strstr(body.data, table[i].holds) == NULL)
            fail_msg("%zu: %s", i, body.data);
        ab_buf_deinit(&body);
        ab_task_deinit(&task);
    }
}

static void an_unknown_version_has_no_body(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct ab_task task = rig_row(rig, made.id);
    const struct ab_event event = { .kind = AB_EVENT_STATUS, .body_json = completed };
    struct ab_buf none = AB_BUF_INIT(4096);

    assert_true(ab_a2a_push_body(rig->engine, &(struct ab_a2a_push_target){ .version = other }, &task, &event, &none) >
                0);
    ab_task_deinit(&task);
}

static void headers(void **state)
{
    static char split[] = "a\r\nHost: b";
    static char broken[] = "Bearer\n";
    static char rubbed_out[] = "c\x7f";
    static const struct {
        struct ab_a2a_push_target target;
        const char *jwt;
        const char *headers[AB_A2A_PUSH_HEADERS];
    } table[] = {
        { { .version = v1_0 }, NULL, { "Content-Type: application/a2a+json" } },
        { { .version = v0_3, .token = token },
          NULL,
          { "Content-Type: application/json", "X-A2A-Notification-Token: the token" } },
        { { .version = v0_3, .token = token, .scheme = bearer, .credentials = credentials },
          "j.w.t",
          { "Content-Type: application/json", "X-A2A-Notification-Token: the token",
            "Authorization: Bearer the credentials" } },
        { { .version = v1_0, .scheme = bearer }, NULL, { "Content-Type: application/a2a+json" } },
        { { .version = v1_0 }, "j.w.t", { "Content-Type: application/a2a+json", "Authorization: Bearer j.w.t" } },
        { { .version = v1_0, .token = split }, NULL, { NULL } },
        { { .version = v1_0, .scheme = broken, .credentials = credentials }, NULL, { NULL } },
        { { .version = v1_0, .scheme = bearer, .credentials = rubbed_out }, NULL, { NULL } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *found[AB_A2A_PUSH_HEADERS];
        assert_int_equal(ab_a2a_push_headers(&table[i].target, table[i].jwt, found), table[i].headers[0] != NULL);
        for (size_t h = 0; h < AB_A2A_PUSH_HEADERS; h++) {
            assert_int_equal(found[h] != NULL, table[i].headers[h] != NULL);
            if (found[h] != NULL)
                assert_string_equal(found[h], table[i].headers[h]);
            free(found[h]);
        }
    }
}

static void secrets_are_kept_sealed(void **state)
{
    static const unsigned char keys[1][AB_SEAL_KEY_BYTES] = { { 9 } };
    struct ab_sealer *sealer = ab_sealer_new(keys, 1, ab_random_system());
    const struct ab_a2a_push_target target = { v1_0, url, token, bearer, credentials };
    struct ab_a2a_push_target back;
    struct ab_buf text = AB_BUF_INIT(65536);
    struct ab_json_writer writer;

    (void)state;
    ab_json_writer_init(&writer, &text);
    assert_int_equal(ab_a2a_push_target_write(&writer, sealer, "ann", &target), AB_OK);
    assert_null(strstr(text.data, token));
    assert_null(strstr(text.data, credentials));
    assert_true(ab_a2a_push_target_read(ab_json_trusted(text.data), sealer, "ann", &back));
    assert_string_equal(back.version, v1_0);
    assert_string_equal(back.url, url);
    assert_string_equal(back.token, token);
    assert_string_equal(back.scheme, bearer);
    assert_string_equal(back.credentials, credentials);
    ab_a2a_push_target_deinit(&back);
    assert_false(ab_a2a_push_target_read(ab_json_trusted(text.data), sealer, "bob", &back));
    ab_a2a_push_target_deinit(&back);
    ab_buf_deinit(&text);
    ab_sealer_free(sealer);
}

static void a_jwt_names_its_receiver_and_its_body(void **state)
{
    static const unsigned char key[AB_SIGN_KEY_BYTES] = { 3 };
    struct ab_signer *signer = ab_signer_new(key);
    struct ab_buf jwt = AB_BUF_INIT(65536);
    struct ab_buf claims = AB_BUF_INIT(65536);
    const struct ab_a2a_push_claims wanted = {
        "https://bridge.example", url, "t1", "t1-1000-3-5", 1785196800500, AB_STR("{}")
    };
    const char *first;
    const char *second;

    (void)state;
    assert_int_equal(ab_a2a_push_jwt(signer, &wanted, &jwt), AB_OK);
    first = strchr(jwt.data, '.');
    assert_non_null(first);
    second = strchr(first + 1, '.');
    assert_non_null(second);
    assert_true(ab_base64url_decode(&claims, (struct ab_str){ first + 1, (size_t)(second - first) - 1 }));
    assert_string_equal(
        claims.data, "{\"iss\":\"https://bridge.example\",\"aud\":\"https://a.example/x\",\"iat\":1785196800,\"exp\":"
                     "1785197100,\"jti\":\"t1-1000-3-5\",\"taskId\":\"t1\",\"request_body_sha256\":"
                     "\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}");
    ab_buf_deinit(&jwt);
    ab_buf_deinit(&claims);
    ab_signer_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_body_says_what_happened),
        with_rig(an_unknown_version_has_no_body),
        cmocka_unit_test(headers),
        cmocka_unit_test(secrets_are_kept_sealed),
        cmocka_unit_test(a_jwt_names_its_receiver_and_its_body),
    };

    return cmocka_run_group_tests_name("push notifications of A2A", tests, NULL, NULL);
}
