/* The table of moves, written out a second time by hand. */
#include "task/transition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const expected[AB_TASK_STATUS_COUNT] = {
    /* to: pending, executing, paused, completed, failed, error, stopped */
    [AB_TASK_PENDING] = ".x..xxx",   [AB_TASK_EXECUTING] = "..xxxxx", [AB_TASK_PAUSED] = ".x.xxxx",
    [AB_TASK_COMPLETED] = ".......", [AB_TASK_FAILED] = ".......",    [AB_TASK_ERROR] = ".......",
    [AB_TASK_STOPPED] = ".......",
};

static void test_every_move(void **state)
{
    (void)state;
    for (int from = 0; from < AB_TASK_STATUS_COUNT; from++) {
        for (int to = 0; to < AB_TASK_STATUS_COUNT; to++) {
            struct ab_task task = { .status = (enum ab_task_status)from, .updated_at = 5 };
            bool moves = expected[from][to] == 'x';
            assert_int_equal(ab_transition_allowed(task.status, (enum ab_task_status)to), moves);
            assert_int_equal(ab_transition(&task, (enum ab_task_status)to, AB_REASON_CRASHED, "why", 9), moves);
            assert_int_equal(task.status, moves ? to : from);
            assert_int_equal(task.updated_at, moves ? 9 : 5);
            assert_int_equal(task.finished_at, moves && to >= AB_TASK_COMPLETED ? 9 : 0);
            assert_int_equal(task.status_message != NULL, moves);
            ab_task_deinit(&task);
        }
    }
}

static void test_out_of_range(void **state)
{
    (void)state;
    assert_false(ab_transition_allowed((enum ab_task_status)99, AB_TASK_STOPPED));
    assert_false(ab_transition_allowed(AB_TASK_PENDING, AB_TASK_STATUS_COUNT));
}

static void test_staying(void **state)
{
    (void)state;
    for (int status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        struct ab_task task = { .status = (enum ab_task_status)status };
        bool stays = status == AB_TASK_EXECUTING || status == AB_TASK_PAUSED;
        assert_int_equal(ab_transition_stay(&task, AB_REASON_NONE, "words", 3), stays);
        assert_int_equal(task.status, status);
        ab_task_deinit(&task);
    }
}

static void test_times_never_go_back(void **state)
{
    (void)state;
    struct ab_task task = { .status = AB_TASK_EXECUTING, .updated_at = 100 };
    assert_true(ab_transition(&task, AB_TASK_COMPLETED, AB_REASON_NONE, NULL, 50));
    assert_int_equal(task.finished_at, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_move),
        cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_staying),
        cmocka_unit_test(test_times_never_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
