/* What time does: working time without pauses, unanswered questions, the sweep. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const char approval[] = "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}";
static const char yes[] = "{\"ok\":{\"action\":\"accept\"}}";

static void assert_timed_out(struct rig *rig, const char *id, const char *words)
{
    struct ab_task row = rig_row(rig, id);
    assert_int_equal(row.status, AB_TASK_ERROR);
    assert_int_equal(row.reason, AB_REASON_TIMED_OUT);
    assert_non_null(strstr(row.error_json, words));
    ab_task_deinit(&row);
}

/* The rig's agents have 60 s to work and wait 600 s for an answer. */
static void working_time_is_bounded(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    rig_wait(rig, 59000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    rig_wait(rig, 2000);
    assert_timed_out(rig, made.id, "longer than the 60 seconds");
    assert_int_equal(fake_agent_run(rig->one, made.id)->n_stops, 1);
}

static void pauses_do_not_count(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct steered steered = { 0 };
    rig_wait(rig, 40000);
    (void)fake_report_json(run, AB_REPORT_ASK, approval);
    rig_wait(rig, 500000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_PAUSED);
    rig_answer(rig, made.id, yes, &steered);
    rig_wait(rig, 19000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    rig_wait(rig, 2000);
    assert_timed_out(rig, made.id, "longer than");
}

static void words_do_not_buy_time(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    for (unsigned i = 0; i < 7; i++) {
        struct fake_run *run = fake_agent_run(rig->one, made.id);
        if (run->run != NULL) {
            (void)fake_report_text(run, AB_REPORT_EXECUTING, "still busy");
        }
        rig_wait(rig, 10000);
    }
    assert_timed_out(rig, made.id, "longer than");
}

static void waiting_turns_have_all_their_time(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    struct made second = rig_made(rig, "one", "t");
    rig_wait(rig, 61000);
    assert_timed_out(rig, first.id, "longer than");
    rig_wait(rig, 50000);
    assert_int_equal(rig_status(rig, second.id), AB_TASK_EXECUTING);
    rig_wait(rig, 10000);
    assert_timed_out(rig, second.id, "longer than");
}

static void nobody_answered(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    (void)fake_report_json(run, AB_REPORT_ASK, approval);
    rig_wait(rig, 599000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_PAUSED);
    rig_wait(rig, 2000);
    assert_timed_out(rig, made.id, "nobody answered");
    assert_int_equal(run->n_stops, 1);
    struct steered steered = { 0 };
    rig_answer(rig, made.id, yes, &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_TERMINAL);
}

static void the_wall_clock_ends_nothing(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    fake_loop_jump_wall(rig->loop, INT64_C(86400000));
    rig_wait(rig, 1000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    fake_loop_jump_wall(rig->loop, -2 * INT64_C(86400000));
    (void)fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_RESULT, NULL);
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_true(row.finished_at >= row.created_at);
    ab_task_deinit(&row);
    fake_end(fake_agent_run(rig->one, made.id));
}

static void finished_tasks_are_swept(void **state)
{
    struct rig *rig = *state;
    rig_restart(rig, &(struct ab_engine_settings){ .keep_ms = 3600000, .sweep_every_ms = 60000 }, true);
    struct made open = rig_made(rig, "one", NULL);
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.agent = "two";
    wish.idempotency_key = "k";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    (void)fake_report_json(fake_agent_run(rig->one, open.id), AB_REPORT_ASK, approval);
    fake_end(fake_agent_run(rig->two, made.id));
    rig_wait(rig, 3500000);
    assert_int_equal(rig_count_tasks(rig), 2);
    rig_wait(rig, 200000);
    assert_int_equal(rig_count_tasks(rig), 1); /* the other timed out late */
    struct made again = { 0 };
    rig_create(rig, &wish, &again);
    rig_run(rig);
    assert_int_equal(again.outcome, AB_CREATE_DONE); /* the key went with its task */
    assert_string_not_equal(again.id, made.id);
}

static void a_large_sweep_goes_on_at_once(void **state)
{
    struct rig *rig = *state;
    rig_restart(rig, &(struct ab_engine_settings){ .keep_ms = 1, .sweep_every_ms = 60000 }, true);
    const struct ab_report no = { .kind = AB_REPORT_ERROR, .text = "no" };
    rig->one->start_result = 1;
    rig->one->script = &no;
    rig->one->n_script = 1;
    for (unsigned i = 0; i < 2500; i++) {
        (void)rig_made(rig, "one", NULL);
    }
    assert_int_equal(rig_count_tasks(rig), 2500);
    rig_wait(rig, 61000);
    assert_int_equal(rig_count_tasks(rig), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(working_time_is_bounded),  with_rig(pauses_do_not_count),
        with_rig(words_do_not_buy_time),    with_rig(waiting_turns_have_all_their_time),
        with_rig(nobody_answered),          with_rig(the_wall_clock_ends_nothing),
        with_rig(finished_tasks_are_swept), with_rig(a_large_sweep_goes_on_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
