/* Steering: stopping, questions and their answers, callers that went away. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const char approval[] = "{\"ok\":{\"kind\":\"approval\",\"title\":\"Delete\",\"message\":\"Really?\"}}";
static const char two_forms[] =
    "{\"a\":{\"kind\":\"form\",\"message\":\"A?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
    "\"integer\",\"minimum\":1},\"c\":{\"type\":\"string\",\"default\":\"red\"}},\"required\":[\"n\"]}},"
    "\"b\":{\"kind\":\"approval\",\"message\":\"B?\"}}";

static struct fake_run *asking(struct rig *rig, struct made *made, const char *asked)
{
    *made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made->id);
    assert_int_equal(fake_report_json(run, AB_REPORT_ASK, asked), AB_OK);
    rig_run(rig);
    return run;
}

/* --- stop --- */

static void stop_is_durable_before_it_is_told(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct steered steered = { 0 };
    rig->store->holding = true;
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    assert_int_equal(steered.n_calls, 0);
    assert_int_equal(run->n_stops, 1);
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(steered.n_calls, 1);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_int_equal(steered.status, AB_TASK_STOPPED);
    assert_log(rig, made.id, "status:pending status:executing status:stopped");
}

static void a_stop_behind_other_events(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct steered steered = { 0 };
    rig->store->holding = true;
    (void)fake_report_text(fake_agent_run(rig->one, made.id), AB_REPORT_CHUNK, "x");
    rig_run(rig);
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    fake_store_release(rig->store); /* the chunk; the stop is still to be handed over */
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_int_equal(steered.status, AB_TASK_STOPPED);
}

static void reports_after_a_stop_are_not_taken(void **state)
{
    struct rig *rig = *state;
    rig->one->lingers = true;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct steered steered = { 0 };
    (void)fake_report_text(run, AB_REPORT_CHUNK, "x");
    rig_stop(rig, made.id, &steered);
    assert_int_equal(fake_report_json(run, AB_REPORT_RESULT, NULL), AB_RUN_OVER);
    rig_run(rig);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "y"), AB_RUN_OVER);
    fake_end(run);
    rig_run(rig);
    assert_log(rig, made.id, "status:pending status:executing chunk status:stopped");
}

static void the_end_that_came_first_stays(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct steered steered = { 0 };
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"done\"}");
    rig_stop(rig, made.id, &steered); /* the end is decided, not yet durable */
    fake_end(run);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_TERMINAL);
    assert_int_equal(steered.status, AB_TASK_COMPLETED);
    rig_stop(rig, made.id, &steered); /* not hot any more */
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_TERMINAL);
    assert_string_equal(steered.text, "the task has ended already: completed");
}

static void a_waiting_turn_is_stopped_without_a_run(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    struct made second = rig_made(rig, "one", "t");
    struct made third = rig_made(rig, "one", "t");
    struct steered steered = { 0 };
    rig_stop(rig, second.id, &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_log(rig, second.id, "status:pending status:stopped");
    fake_end(fake_agent_run(rig->one, first.id));
    rig_run(rig);
    assert_false(fake_agent_has(rig->one, second.id));
    assert_true(fake_agent_has(rig->one, third.id));
}

static void nobody_stops_what_is_not_theirs(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    struct steered steered = { 0 };
    wish.owner = "bob";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_UNKNOWN);
    assert_int_equal(steered.status, AB_TASK_STATUS_COUNT); /* no task shown */
    rig_stop(rig, "no such task", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_UNKNOWN);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
}

static void a_paused_task_can_be_stopped(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered steered = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    assert_int_equal(run->n_stops, 1);
    assert_int_equal(run->n_answers, 0);
    assert_log(rig, made.id, "status:pending status:executing question status:paused status:stopped");
}

/* --- questions --- */

static void a_question_pauses(void **state)
{
    struct rig *rig = *state;
    struct made made;
    (void)asking(rig, &made, approval);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.status, AB_TASK_PAUSED);
    assert_int_equal(row.reason, AB_REASON_APPROVAL);
    assert_string_equal(row.status_message, "Really?");
    assert_string_equal(row.questions_json, approval);
    ab_task_deinit(&row);
    assert_log(rig, made.id, "status:pending status:executing question status:paused");
}

static void the_agent_hears_of_it_when_it_is_durable(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered steered = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    rig->store->holding = true;
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.n_calls, 0);
    assert_int_equal(run->n_answers, 0);
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_int_equal(steered.status, AB_TASK_EXECUTING);
    assert_int_equal(run->n_answers, 1);
    assert_string_equal(run->answers, "{\"ok\":{\"action\":\"accept\"}}");
    assert_log(rig, made.id, "status:pending status:executing question status:paused answer status:executing");
}

static void answers_are_collected(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered steered = { 0 };
    struct fake_run *run = asking(rig, &made, two_forms);
    rig_answer(rig, made.id, "{\"a\":{\"action\":\"accept\",\"content\":{\"n\":3}},\"zzz\":5}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_int_equal(steered.status, AB_TASK_PAUSED);
    assert_int_equal(run->n_answers, 0);
    struct ab_task row = rig_row(rig, made.id);
    struct ab_json given = ab_json_at(ab_json_trusted(row.questions_json), "a", "answer", "content", NULL);
    assert_true(ab_str_is(given.text, "{\"n\":3,\"c\":\"red\"}"));
    ab_task_deinit(&row);
    /* The first answer wins. */
    rig_answer(rig, made.id, "{\"a\":{\"action\":\"cancel\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_NO_QUESTION);
    rig_answer(rig, made.id, "{\"a\":{\"action\":\"cancel\"},\"b\":{\"action\":\"decline\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_int_equal(run->n_answers, 1);
    assert_string_equal(run->answers, "{\"a\":{\"action\":\"accept\",\"content\":{\"n\":3,\"c\":\"red\"}},"
                                      "\"b\":{\"action\":\"decline\"}}");
    assert_log(rig, made.id, "status:pending status:executing question status:paused answer answer status:executing");
}

static void two_answers_at_once(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered first = { 0 };
    struct steered second = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &first);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"decline\"}}", &second);
    rig_run(rig);
    assert_int_equal(first.outcome, AB_STEER_DONE);
    assert_int_equal(second.outcome, AB_STEER_NO_QUESTION);
    assert_string_equal(run->answers, "{\"ok\":{\"action\":\"accept\"}}");
}

/* The agent asks on while its last answers are on their way to the disk, and is answered in that same moment. */
static void no_round_is_lost(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered first = { 0 };
    struct steered second = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    rig->store->holding = true;
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &first);
    (void)fake_report_json(run, AB_REPORT_ASK, approval);
    rig_answer(rig, made.id, "{\"ok#2\":{\"action\":\"decline\"}}", &second);
    rig_run(rig);
    assert_int_equal(run->n_answers, 0);
    rig->store->holding = false;
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(first.outcome, AB_STEER_DONE);
    assert_int_equal(second.outcome, AB_STEER_DONE);
    assert_int_equal(run->n_answers, 2);
    assert_string_equal(run->earlier_answers, "{\"ok\":{\"action\":\"accept\"}}");
    assert_string_equal(run->answers, "{\"ok\":{\"action\":\"decline\"}}");
}

struct misfit {
    const char *answers;
    const char *words;
};

static const struct misfit misfits[] = {
    { "{\"a\":{\"action\":\"accept\",\"content\":{\"n\":0}}}", "/n" },
    { "{\"a\":{\"action\":\"accept\",\"content\":{\"n\":\"x\"}}}", "/n" },
    { "{\"a\":{\"action\":\"accept\"}}", "\"a\"" },
    { "{\"a\":{\"action\":\"accept\",\"content\":[]}}", "must be an object" },
    { "{\"a\":{\"action\":\"yes\"}}", "\"accept\", \"decline\" or \"cancel\"" },
    { "{\"a\":true}", "must be an object, not boolean" },
    { "{\"b\":{\"action\":\"accept\"},\"a\":{}}", "the answer to \"a\"" },
    { "[]", "answers must be an object" },
    { "{\"a\":", "answers must be an object" },
};

static void one_misfit_takes_none(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct fake_run *run = asking(rig, &made, two_forms);
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        struct steered steered = { 0 };
        rig_answer(rig, made.id, misfits[i].answers, &steered);
        rig_run(rig);
        assert_int_equal(steered.outcome, AB_STEER_MISFIT);
        if (strstr(steered.text, misfits[i].words) == NULL) {
            fail_msg("case %zu: %s", i, steered.text);
        }
    }
    assert_log(rig, made.id, "status:pending status:executing question status:paused");
    assert_int_equal(run->n_answers, 0);
}

static void keys_used_again_are_shown_anew(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered steered = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    for (unsigned round = 2; round <= 3; round++) {
        AB_CLEANUP(ab_free_string) char *answers = ab_format("{\"ok#%u\":{\"action\":\"decline\"}}", round);
        (void)fake_report_json(run, AB_REPORT_ASK, approval);
        rig_run(rig);
        rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
        rig_run(rig);
        assert_int_equal(steered.outcome, AB_STEER_NO_QUESTION);
        rig_answer(rig, made.id, answers, &steered);
        rig_run(rig);
        assert_int_equal(steered.outcome, AB_STEER_DONE);
        assert_int_equal(run->n_answers, round);
        assert_string_equal(run->answers, "{\"ok\":{\"action\":\"decline\"}}");
    }
}

static void more_questions_join_the_open_round(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered steered = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    (void)fake_report_json(run, AB_REPORT_ASK, "{\"in\":{\"kind\":\"url\",\"url\":\"https://a.example/\"}}");
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.reason, AB_REASON_AUTH);
    assert_int_equal(ab_json_count(ab_json_trusted(row.questions_json)), 2);
    ab_task_deinit(&row);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(run->n_answers, 0);
    rig_answer(rig, made.id, "{\"in\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(run->n_answers, 1);
    assert_string_equal(run->answers, "{\"ok\":{\"action\":\"accept\"},\"in\":{\"action\":\"accept\"}}");
}

static void what_came_another_way_withdraws_the_question(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct steered steered = { 0 };
    struct fake_run *run = asking(rig, &made, approval);
    (void)fake_report_text(run, AB_REPORT_EXECUTING, "signed in elsewhere");
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_NO_QUESTION);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
}

static void reports_during_a_pause(void **state)
{
    struct rig *rig = *state;
    struct made made;
    struct fake_run *run = asking(rig, &made, approval);
    (void)fake_report_text(run, AB_REPORT_LOG, "still here");
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_string_equal(row.status_message, "Really?");
    ab_task_deinit(&row);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"never mind\"}");
    rig_run(rig);
    assert_log(rig, made.id, "status:pending status:executing question status:paused log status:completed");
    fake_end(run);
}

static void answers_to_what_asks_nothing(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct steered steered = { 0 };
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_NO_QUESTION);
    fake_end(fake_agent_run(rig->one, made.id));
    rig_run(rig);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_TERMINAL);
}

/* --- callers that went away --- */

static void an_abandoned_task_is_stopped_after_its_grace(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    ab_engine_abandon(rig->engine, made.id, 10000);
    rig_wait(rig, 9000);
    ab_engine_touch(rig->engine, made.id);
    rig_wait(rig, 9000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    rig_wait(rig, 2000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_STOPPED);
    assert_int_equal(fake_agent_run(rig->one, made.id)->n_stops, 1);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* A long wait, or a stream that is listened to: a caller that is back asks as long as it lasts. */
static void a_watched_task_is_not_stopped(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct ab_watch *watch = ab_engine_watch(rig->engine, made.id, nothing, NULL);
    ab_engine_abandon(rig->engine, made.id, 10000);
    rig_wait(rig, 25000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    ab_watch_free(watch);
    rig_wait(rig, 10000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_STOPPED);
}

static void an_abandoned_task_stays_so_over_a_restart(void **state)
{
    struct rig *rig = *state;
    static const char *const agents[] = { "retry", "remote" };
    for (size_t i = 0; i < 2; i++) {
        struct made made = rig_made(rig, agents[i], NULL);
        if (i == 1) {
            ab_run_remember(fake_agent_run(rig->remote, made.id)->run, "{}");
        }
        ab_engine_abandon(rig->engine, made.id, 10000);
        rig_run(rig);
        rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
        rig_wait(rig, 9000);
        ab_engine_touch(rig->engine, made.id);
        rig_wait(rig, 9000);
        assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
        rig_wait(rig, 1001);
        struct ab_task row = rig_row(rig, made.id);
        assert_int_equal(row.status, AB_TASK_STOPPED);
        assert_int_equal(row.abandon_ms, 0);
        assert_string_equal(row.status_message, "its caller went away");
        ab_task_deinit(&row);
    }
}

static void a_key_used_again_touches(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    ab_engine_abandon(rig->engine, made.id, 10000);
    rig_wait(rig, 9000);
    rig_create(rig, &wish, &made);
    rig_wait(rig, 9000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
}

static void no_grace_stops_at_once(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    ab_engine_abandon(rig->engine, made.id, 0);
    rig_run(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_STOPPED);
    ab_engine_abandon(rig->engine, made.id, 0); /* ended: nothing to do */
    ab_engine_touch(rig->engine, made.id);
    rig_run(rig);
}

static void an_end_during_the_grace(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    ab_engine_abandon(rig->engine, made.id, 1000);
    (void)fake_report_json(run, AB_REPORT_RESULT, NULL);
    rig_wait(rig, 5000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_COMPLETED);
    fake_end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(stop_is_durable_before_it_is_told),
        with_rig(a_stop_behind_other_events),
        with_rig(reports_after_a_stop_are_not_taken),
        with_rig(the_end_that_came_first_stays),
        with_rig(a_waiting_turn_is_stopped_without_a_run),
        with_rig(nobody_stops_what_is_not_theirs),
        with_rig(a_paused_task_can_be_stopped),
        with_rig(a_question_pauses),
        with_rig(the_agent_hears_of_it_when_it_is_durable),
        with_rig(answers_are_collected),
        with_rig(two_answers_at_once),
        with_rig(no_round_is_lost),
        with_rig(one_misfit_takes_none),
        with_rig(keys_used_again_are_shown_anew),
        with_rig(more_questions_join_the_open_round),
        with_rig(what_came_another_way_withdraws_the_question),
        with_rig(reports_during_a_pause),
        with_rig(answers_to_what_asks_nothing),
        with_rig(an_abandoned_task_is_stopped_after_its_grace),
        with_rig(a_watched_task_is_not_stopped),
        with_rig(an_abandoned_task_stays_so_over_a_restart),
        with_rig(a_key_used_again_touches),
        with_rig(no_grace_stops_at_once),
        with_rig(an_end_during_the_grace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
