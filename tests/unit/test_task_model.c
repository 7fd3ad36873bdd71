/* The task's names, copies and ends of life. */
#include "agentbridge/task.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AB_TASK_STATUS_COUNT; i++) {
        enum ab_task_status status = AB_TASK_STATUS_COUNT;
        assert_true(ab_task_status_parse(ab_task_status_name((enum ab_task_status)i), &status));
        assert_int_equal(status, i);
    }
    for (unsigned i = 0; i < AB_REASON_COUNT; i++) {
        enum ab_task_reason reason = AB_REASON_COUNT;
        assert_true(ab_task_reason_parse(ab_task_reason_name((enum ab_task_reason)i), &reason));
        assert_int_equal(reason, i);
    }
    for (unsigned i = 0; i < AB_EVENT_KIND_COUNT; i++) {
        enum ab_event_kind kind = AB_EVENT_KIND_COUNT;
        assert_true(ab_event_kind_parse(ab_event_kind_name((enum ab_event_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    assert_string_equal(ab_task_reason_name(AB_REASON_NONE), "");
    assert_string_equal(ab_task_reason_name(AB_REASON_TIMED_OUT), "timed_out");
    assert_non_null(ab_task_status_name(AB_TASK_STATUS_COUNT));
}

static void unknown_names(void **state)
{
    (void)state;
    enum ab_task_status status;
    enum ab_task_reason reason;
    enum ab_event_kind kind;
    assert_false(ab_task_status_parse("Pending", &status));
    assert_false(ab_task_status_parse(NULL, &status));
    assert_false(ab_task_reason_parse("no such", &reason));
    assert_false(ab_event_kind_parse("", &kind));
}

static void ends(void **state)
{
    (void)state;
    unsigned count = 0;
    for (unsigned i = 0; i < AB_TASK_STATUS_COUNT; i++) {
        count += ab_task_status_is_terminal((enum ab_task_status)i) ? 1 : 0;
    }
    assert_int_equal(count, 4);
    assert_false(ab_task_status_is_terminal(AB_TASK_PAUSED));
    assert_true(ab_task_status_is_terminal(AB_TASK_STOPPED));
}

static void copies_of_tasks(void **state)
{
    (void)state;
    struct ab_task task = { .id = "0123456789abcdef0123456789abcdef", .status = AB_TASK_ERROR, .turn = 3 };
    char **const texts[] = { &task.thread_id,      &task.owner,       &task.agent,          &task.surface,
                             &task.surface_json,   &task.title,       &task.status_message, &task.progress_message,
                             &task.questions_json, &task.result_json, &task.error_json,     &task.notes_json,
                             &task.answers_json };
    const size_t count = sizeof(texts) / sizeof(texts[0]);
    for (size_t i = 0; i < count; i++) {
        *texts[i] = ab_format("text %zu", i);
    }
    struct ab_task copy;
    ab_task_copy(&copy, &task);
    for (size_t i = 0; i < count; i++) { /* the same member, in the copy */
        const char *moved = (const char *)(const void *)&copy + ((const char *)texts[i] - (const char *)&task);
        char *text;
        memcpy(&text, moved, sizeof(text));
        assert_ptr_not_equal(text, *texts[i]);
        assert_string_equal(text, *texts[i]);
    }
    ab_task_deinit(&task);
    ab_task_deinit(&task);
    assert_string_equal(copy.answers_json, "text 12");
    assert_string_equal(copy.id, "0123456789abcdef0123456789abcdef");
    assert_int_equal(copy.turn, 3);
    ab_task_deinit(&copy);
}

static void copies_of_the_rest(void **state)
{
    (void)state;
    struct ab_task_request request = { .message_json = ab_strdup("{}"), .idempotency_key = ab_strdup("k") };
    struct ab_task_request copy;
    ab_task_request_copy(&copy, &request);
    ab_task_request_deinit(&request);
    ab_task_request_deinit(&request);
    assert_string_equal(copy.message_json, "{}");
    assert_null(copy.arguments_json);
    assert_string_equal(copy.idempotency_key, "k");
    ab_task_request_deinit(&copy);

    struct ab_event event = { .number = 4, .kind = AB_EVENT_CHUNK, .body_json = ab_strdup("{\"text\":\"x\"}") };
    struct ab_event other;
    ab_event_copy(&other, &event);
    ab_event_deinit(&event);
    assert_int_equal(other.number, 4);
    assert_string_equal(other.body_json, "{\"text\":\"x\"}");
    ab_event_deinit(&other);
    ab_event_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_there_and_back), cmocka_unit_test(unknown_names),      cmocka_unit_test(ends),
        cmocka_unit_test(copies_of_tasks),      cmocka_unit_test(copies_of_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
