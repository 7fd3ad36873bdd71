/* Agents whose work goes on elsewhere: taken up after a restart with their notes, open questions and unheard answers;
 * let go of when the process goes down; given secrets that are never stored; telling of themselves. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const char notes[] = "{\"upstream\":\"u-1\"}";
static const char approval[] = "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}";

static struct fake_run *run_of(struct rig *rig, const struct made *made)
{
    return fake_agent_run(rig->remote, made->id);
}

static struct made made_with_notes(struct rig *rig)
{
    struct made made = rig_made(rig, "remote", NULL);
    ab_run_remember(run_of(rig, &made)->run, notes);
    rig_run(rig);
    return made;
}

static void start_again(struct rig *rig)
{
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
}

static void finish(struct rig *rig, const struct made *made)
{
    struct fake_run *run = run_of(rig, made);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"done\"}");
    fake_end(run);
    rig_run(rig);
    struct ab_task row = rig_row(rig, made->id);
    assert_int_equal(row.status, AB_TASK_COMPLETED);
    assert_null(row.notes_json);
    assert_null(row.answers_json);
    ab_task_deinit(&row);
}

static void a_run_with_notes_is_taken_up(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    (void)fake_report_text(run_of(rig, &made), AB_REPORT_CHUNK, "half an ");
    rig_run(rig);
    start_again(rig);
    struct fake_run *run = run_of(rig, &made);
    assert_string_equal(run->notes, notes);
    assert_non_null(strstr(run->message, "hello"));
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.attempt, 1);
    ab_task_deinit(&row);
    (void)fake_report_text(run, AB_REPORT_CHUNK, "answer");
    (void)fake_report_json(run, AB_REPORT_RESULT, NULL);
    fake_end(run);
    rig_run(rig);
    row = rig_row(rig, made.id);
    assert_non_null(strstr(row.result_json, "half an answer"));
    ab_task_deinit(&row);
    assert_log(rig, made.id, "status:pending status:executing chunk chunk status:completed");
}

static void a_run_without_notes_ends(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "remote", NULL);
    start_again(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
    assert_int_equal(rig->remote->n_runs, 0);
}

static void an_agent_that_finds_its_work_needs_no_notes(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "remote", NULL);
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, false);
    struct ab_agent_ops finder = *rig->remote->agent.ops;
    finder.finds_itself = true;
    rig->remote->agent.ops = &finder;
    assert_int_equal(ab_engine_start(rig->engine), AB_OK);
    rig_run(rig);
    assert_null(run_of(rig, &made)->notes);
    finish(rig, &made);
    rig_crash(rig); /* while the table above still stands */
}

static void stopped_where_it_runs(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
    (void)fake_report_text(run_of(rig, &made), AB_REPORT_STOPPED, "somebody there stopped it");
    fake_end(run_of(rig, &made));
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.status, AB_TASK_STOPPED);
    assert_string_equal(row.status_message, "somebody there stopped it");
    assert_null(row.questions_json);
    assert_null(row.error_json);
    ab_task_deinit(&row);
    assert_int_equal(run_of(rig, &made)->n_stops, 0);
}

static void what_is_answered_elsewhere_is_not_answered_here(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    struct steered steered = { 0 };
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK,
                           "{\"go\":{\"kind\":\"approval\",\"message\":\"Go on?\",\"elsewhere\":\"at the desk\"}}");
    rig_run(rig);
    rig_answer(rig, made.id, "{\"go\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_MISFIT);
    assert_string_equal(steered.text, "\"go\": it cannot be answered here: at the desk");
    assert_int_equal(rig_status(rig, made.id), AB_TASK_PAUSED);
    assert_int_equal(run_of(rig, &made)->n_answers, 0);
    (void)fake_report_text(run_of(rig, &made), AB_REPORT_EXECUTING, NULL); /* it was answered there */
    rig_run(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    finish(rig, &made);
}

static void notes_are_the_latest(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    rig->store->holding = true;
    ab_run_remember(run_of(rig, &made)->run, "{\"n\":2}");
    rig_run(rig);
    ab_run_remember(run_of(rig, &made)->run, "{\"n\":3}"); /* while the other is on its way */
    rig_run(rig);
    fake_store_release(rig->store);
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_string_equal(row.notes_json, "{\"n\":3}");
    assert_int_equal(row.last_event, 2);
    ab_task_deinit(&row);
    finish(rig, &made);
}

static void one_that_cannot_be_taken_up(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig->remote->start_result = AB_FAULT_SYSTEM;
    rig_run(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
}

static void an_open_question_is_still_answered(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    struct steered steered = { 0 };
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
    rig_run(rig);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    ab_run_heard(run_of(rig, &made)->run);
    /* Asked once more, so shown under another name; a second one looks like such a name and is none. */
    (void)fake_report_json(
        run_of(rig, &made), AB_REPORT_ASK,
        "{\"ok\":{\"kind\":\"approval\",\"message\":\"Sure?\"},\"n#7\":{\"kind\":\"approval\",\"message\":\"7?\"}}");
    rig_run(rig);
    rig_answer(rig, made.id, "{\"n#7#2\":{\"action\":\"decline\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    start_again(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_PAUSED);
    rig_answer(rig, made.id, "{\"ok#2\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_DONE);
    assert_string_equal(run_of(rig, &made)->answers,
                        "{\"ok\":{\"action\":\"accept\"},\"n#7\":{\"action\":\"decline\"}}");
    ab_run_heard(run_of(rig, &made)->run);
    finish(rig, &made);
}

static void answers_are_given_until_heard(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    struct steered steered = { 0 };
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
    rig_run(rig);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 1);
    start_again(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 1);
    assert_string_equal(run_of(rig, &made)->answers, "{\"ok\":{\"action\":\"accept\"}}");
    ab_run_heard(run_of(rig, &made)->run);
    rig_run(rig);
    start_again(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 0);
    finish(rig, &made);
}

/* Word of the first round's answers may come when the second round's are on their way. */
static void what_was_not_given_cannot_have_been_heard(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    struct steered steered = { 0 };
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
    rig_run(rig);
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    rig_run(rig);
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
    rig_run(rig);
    rig->store->holding = true;
    rig_answer(rig, made.id, "{\"ok#2\":{\"action\":\"decline\"}}", &steered);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 1);
    ab_run_heard(run_of(rig, &made)->run);
    rig->store->holding = false;
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 2);
    start_again(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 1);
    assert_string_equal(run_of(rig, &made)->answers, "{\"ok\":{\"action\":\"decline\"}}");
    finish(rig, &made);
}

/* Two rounds in one moment, and the process dies before the agent has said that it heard either. */
static void rounds_that_wait_outlive_the_process(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    struct steered steered = { 0 };
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
    rig_run(rig);
    rig->store->holding = true;
    rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
    (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, "{\"go\":{\"kind\":\"approval\",\"message\":\"Go?\"}}");
    rig_answer(rig, made.id, "{\"go\":{\"action\":\"decline\"}}", &steered);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 0);
    rig->store->holding = false;
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_answers, 2);
    start_again(rig);
    assert_string_equal(run_of(rig, &made)->answers,
                        "{\"ok\":{\"action\":\"accept\"},\"go\":{\"action\":\"decline\"}}");
    ab_run_heard(run_of(rig, &made)->run);
    finish(rig, &made);
}

static void a_shut_down_lets_go(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    ab_engine_shut_down(rig->engine, NULL, NULL);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_let_go, 1);
    assert_int_equal(run_of(rig, &made)->n_stops, 0);
    start_again(rig);
    struct steered steered = { 0 };
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    assert_int_equal(run_of(rig, &made)->n_stops, 1);
    assert_int_equal(run_of(rig, &made)->n_let_go, 0);
}

/* What goes on elsewhere takes its time there also while no process follows it. The remote agent has 300 s for its
 * work, and a pause 600 s; after a restart there are 60 s at least. */
static void the_time_goes_on(void **state)
{
    static const struct {
        int64_t worked;   /* s, before anything else */
        int64_t paused;   /* then; -1: it was not */
        int64_t answered; /* worked after that pause; -1: it lasts */
        int64_t left;     /* what the task has after the restart */
    } rows[] = {
        { 0, -1, -1, 300 },  { 100, -1, -1, 200 },  { 250, -1, -1, 60 }, { 299, -1, -1, 60 },
        { 0, 500, -1, 100 }, { 200, 500, -1, 100 }, { 0, 590, -1, 60 },  { 100, 500, 50, 150 },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made = made_with_notes(rig);
        struct steered steered = { 0 };
        rig_wait(rig, rows[i].worked * 1000);
        if (rows[i].paused >= 0) {
            (void)fake_report_json(run_of(rig, &made), AB_REPORT_ASK, approval);
            rig_wait(rig, rows[i].paused * 1000);
        }
        if (rows[i].answered >= 0) {
            rig_answer(rig, made.id, "{\"ok\":{\"action\":\"accept\"}}", &steered);
            rig_wait(rig, rows[i].answered * 1000);
        }
        start_again(rig);
        rig_wait(rig, rows[i].left * 1000 - 500);
        assert_true(!ab_task_status_is_terminal(rig_status(rig, made.id)));
        rig_wait(rig, 1000);
        assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
        assert_int_equal(run_of(rig, &made)->n_stops, 1);
    }
}

/* The wall clock that the log's times are of may have been set back. */
static void a_clock_that_was_set_back_gives_no_more_time(void **state)
{
    struct rig *rig = *state;
    struct made made = made_with_notes(rig);
    rig_wait(rig, 100000);
    fake_loop_jump_wall(rig->loop, -3600000);
    start_again(rig);
    rig_wait(rig, 299000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    rig_wait(rig, 2000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
}

/* --- secrets --- */

static void secrets_stay_in_memory(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.agent = "remote";
    wish.secrets_json = "{\"token\":\"canary\"}";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_string_equal(ab_run_secrets(run_of(rig, &made)->run), "{\"token\":\"canary\"}");
    ab_run_remember(run_of(rig, &made)->run, notes);
    rig_run(rig);
    struct ab_task_request request;
    assert_int_equal(ab_engine_request(rig->engine, made.id, &request), AB_OK);
    const char *stored[] = { request.message_json, request.input_json, request.options_json };
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        assert_null(strstr(stored[i], "canary"));
    }
    ab_task_request_deinit(&request);
    start_again(rig);
    assert_null(ab_run_secrets(run_of(rig, &made)->run));
    finish(rig, &made);
}

static void secrets_go_with_the_end(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.agent = "remote";
    wish.secrets_json = "{\"token\":\"canary\"}";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    struct fake_run *run = run_of(rig, &made);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"done\"}");
    assert_null(ab_run_secrets(run->run));
    fake_end(run);
    rig_run(rig);
}

/* --- profiles --- */

static void count(void *arg)
{
    (*(unsigned *)arg)++;
}

static void agents_tell_of_themselves(void **state)
{
    struct rig *rig = *state;
    unsigned told = 0;
    struct ab_watch *watch = ab_engine_watch(rig->engine, AB_WATCH_AGENTS, count, &told);
    const struct ab_agent_profile said = { .description = "travels", .skills_json = "[{\"id\":\"s\",\"name\":\"S\"}]" };
    assert_null(ab_engine_profile(rig->engine, "nobody"));
    assert_null(ab_engine_profile(rig->engine, "remote")->description);
    ab_agent_describe(rig->remote->seat, &said);
    assert_int_equal(told, 0); /* never from inside */
    rig_run(rig);
    assert_int_equal(told, 1);
    assert_string_equal(ab_engine_profile(rig->engine, "remote")->description, "travels");
    assert_string_equal(ab_engine_profile(rig->engine, "remote")->skills_json, said.skills_json);
    ab_agent_describe(rig->remote->seat, &said); /* nothing new */
    rig_run(rig);
    assert_int_equal(told, 1);
    ab_watch_free(watch);
}

static void the_configuration_has_the_first_word(void **state)
{
    struct rig *rig = *state;
    rig_crash(rig);
    struct ab_engine *engine = ab_engine_new(&rig->settings);
    struct fake_agent *agent = fake_remote_new();
    ab_engine_add_agent(engine, &(struct ab_agent_settings){ .id = "r", .kind = "fake", .title = "Ours" },
                        &agent->agent);
    assert_int_equal(ab_engine_start(engine), AB_OK);
    ab_agent_describe(agent->seat, &(struct ab_agent_profile){ .title = "Theirs", .description = "of theirs" });
    assert_string_equal(ab_engine_profile(engine, "r")->title, "Ours");
    assert_string_equal(ab_engine_profile(engine, "r")->description, "of theirs");
    rig_run(rig);
    ab_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_run_with_notes_is_taken_up),
        with_rig(a_run_without_notes_ends),
        with_rig(an_agent_that_finds_its_work_needs_no_notes),
        with_rig(stopped_where_it_runs),
        with_rig(what_is_answered_elsewhere_is_not_answered_here),
        with_rig(notes_are_the_latest),
        with_rig(one_that_cannot_be_taken_up),
        with_rig(an_open_question_is_still_answered),
        with_rig(answers_are_given_until_heard),
        with_rig(what_was_not_given_cannot_have_been_heard),
        with_rig(rounds_that_wait_outlive_the_process),
        with_rig(a_shut_down_lets_go),
        with_rig(the_time_goes_on),
        with_rig(a_clock_that_was_set_back_gives_no_more_time),
        with_rig(secrets_stay_in_memory),
        with_rig(secrets_go_with_the_end),
        with_rig(agents_tell_of_themselves),
        with_rig(the_configuration_has_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
