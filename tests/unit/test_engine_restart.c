/* After a restart: what waited runs, what ran is run again or ends with a clear word, and numbers go on. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const char approval[] = "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}";

static void crash_and_start(struct rig *rig)
{
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
}

static void assert_error(struct rig *rig, const char *id, enum ab_task_reason reason, const char *words)
{
    struct ab_task row = rig_row(rig, id);
    assert_int_equal(row.status, AB_TASK_ERROR);
    assert_int_equal(row.reason, reason);
    if (strstr(row.error_json, words) == NULL) {
        fail_msg("%s", row.error_json);
    }
    ab_task_deinit(&row);
}

static void a_cut_off_run_ends(void **state)
{
    struct rig *rig = *state;
    struct made running = rig_made(rig, "one", NULL);
    struct made paused = rig_made(rig, "one", NULL);
    (void)fake_report_json(fake_agent_run(rig->one, paused.id), AB_REPORT_ASK, approval);
    rig_run(rig);
    crash_and_start(rig);
    assert_error(rig, running.id, AB_REASON_INTERRUPTED, "restarted while the task ran");
    assert_error(rig, paused.id, AB_REASON_INTERRUPTED, "waited for an answer");
    assert_int_equal(rig->one->n_runs, 0);
    assert_log(rig, running.id, "status:pending status:executing status:error");
    struct steered steered = { 0 };
    rig_answer(rig, paused.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_TERMINAL);
}

static void a_retrying_agent_runs_again(void **state)
{
    struct rig *rig = *state;
    struct made running = rig_made(rig, "retry", NULL);
    struct made paused = rig_made(rig, "retry", NULL);
    (void)fake_report_json(fake_agent_run(rig->retry, paused.id), AB_REPORT_ASK, approval);
    rig_wait(rig, 50000); /* most of its time is gone */
    crash_and_start(rig);
    assert_log(rig, running.id, "status:pending status:executing status:executing");
    assert_log(rig, paused.id, "status:pending status:executing question status:paused status:executing");
    struct ab_task row = rig_row(rig, running.id);
    assert_int_equal(row.attempt, 2);
    assert_string_equal(row.status_message, "started again after a restart");
    ab_task_deinit(&row);
    assert_non_null(strstr(fake_agent_run(rig->retry, running.id)->message, "hello"));
    rig_wait(rig, 50000); /* its time began anew */
    assert_int_equal(rig_status(rig, running.id), AB_TASK_EXECUTING);
    (void)fake_report_json(fake_agent_run(rig->retry, running.id), AB_REPORT_RESULT, "{\"text\":\"done\"}");
    fake_end(fake_agent_run(rig->retry, running.id));
    /* The same key in the same task is shown under another name. */
    struct fake_run *run = fake_agent_run(rig->retry, paused.id);
    (void)fake_report_json(run, AB_REPORT_ASK, approval);
    rig_run(rig);
    struct steered steered = { 0 };
    rig_answer(rig, paused.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_NO_QUESTION);
    rig_answer(rig, paused.id, "{\"ok#2\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_string_equal(run->answers, "{\"ok\":{\"action\":\"accept\"}}");
}

static void waiting_turns_keep_their_order(void **state)
{
    struct rig *rig = *state;
    struct made made[3];
    for (size_t i = 0; i < 3; i++) {
        made[i] = rig_made(rig, "one", "t");
    }
    crash_and_start(rig);
    assert_error(rig, made[0].id, AB_REASON_INTERRUPTED, "restarted");
    assert_true(fake_agent_has(rig->one, made[1].id));
    assert_false(fake_agent_has(rig->one, made[2].id));
    struct made next = rig_made(rig, "one", "t");
    struct ab_task row = rig_row(rig, next.id);
    assert_int_equal(row.turn, 4);
    ab_task_deinit(&row);
    fake_end(fake_agent_run(rig->one, made[1].id));
    rig_run(rig);
    assert_true(fake_agent_has(rig->one, made[2].id));
    assert_false(fake_agent_has(rig->one, next.id));
}

static void a_retried_turn_goes_before_those_that_wait(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "retry", "t");
    struct made second = rig_made(rig, "one", "t");
    crash_and_start(rig);
    assert_int_equal(rig_status(rig, first.id), AB_TASK_EXECUTING);
    assert_int_equal(rig_status(rig, second.id), AB_TASK_PENDING);
    fake_end(fake_agent_run(rig->retry, first.id));
    rig_run(rig);
    assert_int_equal(rig_status(rig, second.id), AB_TASK_EXECUTING);
}

static void a_shut_down_leaves_tasks_for_the_next_start(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "retry", NULL);
    for (unsigned attempt = 2; attempt <= 4; attempt++) {
        bool before = rig->engine != NULL;
        assert_true(before);
        ab_engine_shut_down(rig->engine, NULL, NULL);
        rig_run(rig);
        assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
        crash_and_start(rig);
        struct ab_task row = rig_row(rig, made.id);
        assert_int_equal(row.attempt, attempt);
        ab_task_deinit(&row);
    }
}

/* An engine that knows none of the agents. */
static void note(void *arg)
{
    (*(unsigned *)arg)++;
}

/* Whoever was told that nothing is under way any more frees the engine, and nothing may come to it after that. */
static void a_shut_down_is_the_last_word(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "retry", NULL);
    struct steered stopped = { 0 };
    unsigned down = 0;
    ab_engine_shut_down(rig->engine, note, &down);
    rig_run(rig);
    assert_int_equal(down, 1);
    rig_stop(rig, made.id, &stopped);
    fake_loop_run_ready(rig->loop);
    assert_int_equal(stopped.outcome, AB_STEER_NOT_STORED);
    assert_non_null(strstr(stopped.text, "going down"));
    rig_stop(rig, made.id, &stopped);
    crash_and_start(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    rig_stop(rig, made.id, &stopped);
    rig_run(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_STOPPED);
}

static void an_agent_that_is_gone(void **state)
{
    struct rig *rig = *state;
    struct made running = rig_made(rig, "retry", "t");
    struct made waiting = rig_made(rig, "one", "t");
    rig_crash(rig);
    struct ab_engine *bare = ab_engine_new(&rig->settings);
    assert_int_equal(ab_engine_start(bare), AB_OK);
    rig_run(rig);
    assert_error(rig, running.id, AB_REASON_UNREACHABLE, "\\\"retry\\\" is no longer configured");
    assert_error(rig, waiting.id, AB_REASON_UNREACHABLE, "\\\"one\\\" is no longer configured");
    ab_engine_free(bare);
}

static void stopping_what_was_taken_up(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "retry", "t");
    struct made second = rig_made(rig, "retry", "t");
    struct steered steered[2] = { { 0 }, { 0 } };
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_stop(rig, first.id, &steered[0]); /* before anything could happen */
    rig_stop(rig, second.id, &steered[1]);
    rig_run(rig);
    assert_int_equal(steered[0].outcome, AB_STEER_DONE);
    assert_int_equal(steered[1].outcome, AB_STEER_DONE);
    assert_int_equal(rig->retry->n_runs, 0);
    assert_log(rig, first.id, "status:pending status:executing status:stopped");
}

static void taken_up_tasks_count_against_the_quota(void **state)
{
    struct rig *rig = *state;
    (void)rig_made(rig, "retry", NULL);
    rig_restart(rig, &(struct ab_engine_settings){ .running_per_owner = 1 }, true);
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_OVER_QUOTA);
}

static void a_creation_that_reached_the_store(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    wish.agent = "two";
    struct made busy = rig_made(rig, "two", "t");
    (void)busy;
    wish.thread_id = "t";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    crash_and_start(rig);
    /* Its caller never heard, and asks again. */
    struct made again = { 0 };
    rig_create(rig, &wish, &again);
    rig_run(rig);
    assert_int_equal(again.outcome, AB_CREATE_EXISTING);
    assert_string_equal(again.id, made.id);
    assert_int_equal(rig->two->n_runs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_cut_off_run_ends),
        with_rig(a_retrying_agent_runs_again),
        with_rig(waiting_turns_keep_their_order),
        with_rig(a_retried_turn_goes_before_those_that_wait),
        with_rig(a_shut_down_leaves_tasks_for_the_next_start),
        with_rig(a_shut_down_is_the_last_word),
        with_rig(an_agent_that_is_gone),
        with_rig(stopping_what_was_taken_up),
        with_rig(taken_up_tasks_count_against_the_quota),
        with_rig(a_creation_that_reached_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
