/* Creating tasks: what is stored first, who is told what, keys that come twice, turns of a thread, quotas. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static void stored_before_told(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.title = "a title";
    wish.surface_json = "{\"x\":1}";
    rig->store->holding = true;
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.n_calls, 0);
    assert_int_equal(rig->one->n_runs, 0);
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(made.n_calls, 1);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    assert_int_equal(made.status, AB_TASK_PENDING);
    struct ab_task row = rig_row(rig, made.id);
    assert_string_equal(row.thread_id, made.id);
    assert_string_equal(row.owner, "ann");
    assert_string_equal(row.title, "a title");
    assert_string_equal(row.surface_json, "{\"x\":1}");
    assert_int_equal(row.turn, 1);
    assert_int_equal(row.attempt, 1);
    ab_task_deinit(&row);
    assert_log(rig, made.id, "status:pending status:executing");
    assert_int_equal(rig->store->n_commits, 1); /* whoever can begin at once does so with the creation */
    assert_non_null(fake_agent_run(rig->one, made.id)->run);
}

static void unknown_agent_names_the_others(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.agent = "three";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_UNKNOWN_AGENT);
    assert_string_equal(made.text,
                        "there is no agent \"three\"; there are \"one\", \"two\", \"retry\", \"remote\", \"refuse\"");
    assert_int_equal(rig_count_tasks(rig), 0);
}

static void refused_by_the_store_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    wish.thread_id = "t";
    rig->store->fail_from = 1;
    rig->store->fail_count = 1;
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_NOT_STORED);
    assert_string_equal(made.id, "");
    assert_non_null(strstr(made.text, "disk full"));
    assert_int_equal(rig_count_tasks(rig), 0);
    assert_int_equal(rig->one->n_runs, 0);
    /* Key, thread and quota are free again. */
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.turn, 1);
    ab_task_deinit(&row);
}

static void a_refused_turn_frees_the_next(void **state)
{
    struct rig *rig = *state;
    struct made first = { 0 };
    struct made second = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.thread_id = "t";
    rig->store->fail_from = 1;
    rig->store->fail_count = 1;
    rig_create(rig, &wish, &first);
    rig_create(rig, &wish, &second);
    rig_run(rig);
    assert_int_equal(first.outcome, AB_CREATE_NOT_STORED);
    assert_int_equal(second.outcome, AB_CREATE_DONE);
    assert_int_equal(rig_status(rig, second.id), AB_TASK_EXECUTING);
}

/* --- idempotency --- */

static void one_key_in_one_turn_is_one_task(void **state)
{
    struct rig *rig = *state;
    struct made first = { 0 };
    struct made second = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    rig_create(rig, &wish, &first);
    rig_create(rig, &wish, &second);
    rig_run(rig);
    assert_int_equal(first.outcome, AB_CREATE_DONE);
    assert_int_equal(second.outcome, AB_CREATE_EXISTING);
    assert_string_equal(first.id, second.id);
    assert_int_equal(rig_count_tasks(rig), 1);
}

static void a_refused_creation_is_refused_for_both(void **state)
{
    struct rig *rig = *state;
    struct made first = { 0 };
    struct made second = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    rig->store->fail_from = 1;
    rig->store->fail_count = 1;
    rig_create(rig, &wish, &first);
    rig_create(rig, &wish, &second);
    rig_run(rig);
    assert_int_equal(first.outcome, AB_CREATE_NOT_STORED);
    assert_int_equal(second.outcome, AB_CREATE_NOT_STORED);
    assert_int_equal(rig_count_tasks(rig), 0);
}

static void a_second_try_waits_for_the_creation_alone(void **state)
{
    struct rig *rig = *state;
    struct made first = { 0 };
    struct made second = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    rig->store->holding = true;
    rig_create(rig, &wish, &first);
    rig_wait(rig, 60000); /* the end of its time waits behind the creation already */
    rig_create(rig, &wish, &second);
    rig->store->fail_from = 2;
    rig->store->fail_count = 1;
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(first.outcome, AB_CREATE_DONE);
    assert_int_equal(second.outcome, AB_CREATE_EXISTING);
    assert_int_equal(rig->one->n_runs, 0);
}

struct again {
    struct rig *rig;
    struct made made;
};

static void wish_again(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct again *again = arg;
    struct ab_new_task wish = rig_wish();
    wish.agent = "refuse";
    wish.thread_id = "t";
    wish.idempotency_key = "k";
    assert_int_equal(outcome, AB_CREATE_NOT_STORED);
    assert_null(task);
    assert_non_null(text);
    rig_create(again->rig, &wish, &again->made);
}

static void a_refused_creation_is_tried_again_at_once(void **state)
{
    struct rig *rig = *state;
    struct again again = { .rig = rig };
    struct ab_new_task wish = rig_wish();
    wish.agent = "refuse";
    wish.thread_id = "t";
    wish.idempotency_key = "k";
    rig->store->fail_from = 1;
    rig->store->fail_count = 1;
    ab_engine_create(rig->engine, &wish, wish_again, &again);
    rig_run(rig);
    assert_int_equal(again.made.outcome, AB_CREATE_DONE);
    assert_int_equal(rig_status(rig, again.made.id), AB_TASK_EXECUTING);
}

struct key_case {
    const char *what;
    void (*change)(struct ab_new_task *wish);
    enum ab_create_outcome outcome;
};

static void change_nothing(struct ab_new_task *wish)
{
    (void)wish;
}
static void change_message_id(struct ab_new_task *wish)
{
    wish->message_json = "{\"message_id\":\"other\", \"role\":\"user\",\"parts\":[{\"text\":\"hello\"}]}";
}
static void change_text(struct ab_new_task *wish)
{
    wish->message_json = "{\"message_id\":\"m\",\"role\":\"user\",\"parts\":[{\"text\":\"good bye\"}]}";
}
static void change_spelling(struct ab_new_task *wish)
{
    wish->input_json = "{ \"text\" : \"\\u0068ello\" }";
}
static void change_input(struct ab_new_task *wish)
{
    wish->input_json = "{\"text\":\"other\"}";
}
static void give_empty_options(struct ab_new_task *wish)
{
    wish->options_json = "{}";
}
static void change_options(struct ab_new_task *wish)
{
    wish->options_json = "{\"think_mode\":true}";
}
static void give_arguments(struct ab_new_task *wish)
{
    wish->arguments_json = "{}";
}
static void change_thread(struct ab_new_task *wish)
{
    wish->thread_id = "elsewhere";
}
static void change_owner(struct ab_new_task *wish)
{
    wish->owner = "bob";
}
static void change_agent(struct ab_new_task *wish)
{
    wish->agent = "two";
}

static const struct key_case key_cases[] = {
    { "the same", change_nothing, AB_CREATE_EXISTING },
    { "another message id", change_message_id, AB_CREATE_EXISTING },
    { "another text", change_text, AB_CREATE_KEY_REUSED },
    { "another spelling", change_spelling, AB_CREATE_EXISTING },
    { "another input", change_input, AB_CREATE_KEY_REUSED },
    { "empty options", give_empty_options, AB_CREATE_EXISTING },
    { "other options", change_options, AB_CREATE_KEY_REUSED },
    { "arguments", give_arguments, AB_CREATE_KEY_REUSED },
    { "another thread", change_thread, AB_CREATE_KEY_REUSED },
    { "another owner", change_owner, AB_CREATE_DONE },
    { "another agent", change_agent, AB_CREATE_DONE },
};

static void try_keys(struct rig *rig, const char *first_id)
{
    for (size_t i = 0; i < sizeof key_cases / sizeof key_cases[0]; i++) {
        struct made made = { 0 };
        struct ab_new_task wish = rig_wish();
        wish.idempotency_key = "k";
        key_cases[i].change(&wish);
        rig_create(rig, &wish, &made);
        rig_run(rig);
        if (made.outcome != key_cases[i].outcome && key_cases[i].outcome != AB_CREATE_DONE) {
            fail_msg("%s: outcome %d", key_cases[i].what, (int)made.outcome);
        }
        if (key_cases[i].outcome != AB_CREATE_DONE) {
            assert_string_equal(made.id, first_id);
        } else {
            assert_string_not_equal(made.id, first_id);
        }
        assert_int_equal(made.text[0] != '\0', made.outcome == AB_CREATE_KEY_REUSED);
    }
}

static void keys_of_hot_and_of_finished_tasks(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.idempotency_key = "k";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    try_keys(rig, made.id);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"done\"}");
    fake_end(run);
    rig_run(rig);
    try_keys(rig, made.id);
    /* And in another process. */
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
    try_keys(rig, made.id);
}

/* --- threads --- */

static void turns_run_one_after_the_other(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    struct made second = rig_made(rig, "two", "t");
    struct fake_run *run = fake_agent_run(rig->one, first.id);
    assert_int_equal(rig->two->n_runs, 0);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"first done\"}");
    rig_run(rig);
    assert_int_equal(rig_status(rig, first.id), AB_TASK_COMPLETED);
    assert_int_equal(rig->two->n_runs, 0); /* its run has not ended yet */
    fake_end(run);
    rig_run(rig);
    assert_int_equal(rig->two->n_runs, 1);
    assert_string_equal(fake_agent_run(rig->two, second.id)->history,
                        "[{\"role\":\"user\",\"parts\":[{\"text\":\"hello\"}]},"
                        "{\"role\":\"agent\",\"parts\":[{\"text\":\"first done\"}]}]");
    struct ab_task row = rig_row(rig, second.id);
    assert_int_equal(row.turn, 2);
    ab_task_deinit(&row);
}

static void the_next_turn_waits_for_a_durable_end(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    struct made second = rig_made(rig, "one", "t");
    struct fake_run *run = fake_agent_run(rig->one, first.id);
    rig->store->holding = true;
    (void)fake_report_json(run, AB_REPORT_RESULT, NULL);
    fake_end(run);
    rig_run(rig);
    assert_false(fake_agent_has(rig->one, second.id));
    fake_store_release(rig->store);
    rig_run(rig);
    assert_true(fake_agent_has(rig->one, second.id));
}

static void a_queue_has_an_end(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.thread_id = "t";
    (void)rig_made(rig, "one", "t");
    (void)rig_made(rig, "one", "t"); /* agent "one" lets two wait */
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_THREAD_BUSY);
    assert_string_equal(made.id, first.id);
    assert_non_null(strstr(made.text, first.id));
    /* Another owner's thread of the same name is another thread. */
    wish.owner = "bob";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
}

static void refusing_agents_refuse(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "refuse", "t");
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.agent = "refuse";
    wish.thread_id = "t";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_THREAD_BUSY);
    assert_string_equal(made.id, first.id);
    /* Ended, though its run still winds down: the next turn may be asked for. */
    rig->refuse->lingers = true;
    struct steered steered = { 0 };
    rig_stop(rig, first.id, &steered);
    rig_run(rig);
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    assert_int_equal(rig->refuse->n_runs, 1);
    fake_end(fake_agent_run(rig->refuse, first.id));
    rig_run(rig);
    assert_int_equal(rig->refuse->n_runs, 2);
}

static void nobody_queues_behind_a_pause(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    (void)fake_report_json(fake_agent_run(rig->one, first.id), AB_REPORT_ASK,
                           "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}");
    rig_run(rig);
    wish.thread_id = "t";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_THREAD_BUSY);
    assert_string_equal(made.id, first.id);
    assert_int_equal(made.status, AB_TASK_PAUSED);
    assert_non_null(strstr(made.text, "answer"));
}

static void history_is_bounded(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 40; i++) {
        struct made made = rig_made(rig, "one", "t");
        struct fake_run *run = fake_agent_run(rig->one, made.id);
        char text[64];
        (void)snprintf(text, sizeof text, "{\"text\":\"answer %u\"}", i);
        (void)fake_report_json(run, AB_REPORT_RESULT, text);
        fake_end(run);
        rig_run(rig);
    }
    struct made last = rig_made(rig, "two", "t");
    const char *history = fake_agent_run(rig->two, last.id)->history;
    struct ab_json all;
    assert_true(ab_json_check(ab_str(history), 64, &all, NULL));
    assert_int_equal(ab_json_count(all), 64);
    assert_null(strstr(history, "answer 7\""));
    assert_true(strstr(history, "answer 8\"") < strstr(history, "answer 39\""));
}

static void history_leaves_out_what_is_too_much(void **state)
{
    struct rig *rig = *state;
    char *long_text = ab_alloc(1, 700000);
    memset(long_text, 'x', 699999);
    AB_CLEANUP(ab_free_string) char *json = ab_format("{\"text\":\"%s\"}", long_text);
    free(long_text);
    for (unsigned i = 0; i < 2; i++) {
        struct made made = rig_made(rig, "one", "t");
        struct fake_run *run = fake_agent_run(rig->one, made.id);
        (void)fake_report_json(run, AB_REPORT_RESULT, json);
        fake_end(run);
        rig_run(rig);
    }
    struct made last = rig_made(rig, "two", "t");
    struct ab_json all;
    assert_true(ab_json_check(ab_str(fake_agent_run(rig->two, last.id)->history), 64, &all, NULL));
    assert_int_equal(ab_json_count(all), 2);
}

static void turns_stay_in_order_when_the_clock_goes_back(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", "t");
    fake_loop_jump_wall(rig->loop, -3600000);
    struct made second = rig_made(rig, "one", "t");
    struct ab_task one = rig_row(rig, first.id);
    struct ab_task two = rig_row(rig, second.id);
    assert_true(two.created_at > one.created_at);
    assert_int_equal(two.turn, 2);
    ab_task_deinit(&one);
    ab_task_deinit(&two);
}

/* --- quotas, shutting down --- */

static void quota_counts_unfinished_tasks_of_an_owner(void **state)
{
    struct rig *rig = *state;
    rig_restart(rig, &(struct ab_engine_settings){ .running_per_owner = 2 }, true);
    struct made first = rig_made(rig, "one", NULL);
    (void)rig_made(rig, "one", NULL);
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_OVER_QUOTA);
    assert_non_null(strstr(made.text, "2 of your tasks"));
    wish.owner = "bob";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    struct steered steered = { 0 };
    rig_stop(rig, first.id, &steered);
    rig_run(rig);
    wish.owner = "ann";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
}

static void note(void *arg)
{
    (*(unsigned *)arg)++;
}

static void shutting_down_takes_nothing_new(void **state)
{
    struct rig *rig = *state;
    struct made running = rig_made(rig, "retry", NULL);
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    unsigned down = 0;
    rig->retry->lingers = true;
    ab_engine_shut_down(rig->engine, note, &down);
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_SHUTTING_DOWN);
    struct fake_run *run = fake_agent_run(rig->retry, running.id);
    assert_int_equal(run->n_stops, 1);
    assert_int_equal(down, 0);
    assert_int_equal(fake_report_json(run, AB_REPORT_RESULT, NULL), AB_RUN_OVER);
    fake_end(run);
    rig_run(rig);
    assert_int_equal(down, 1);
    assert_int_equal(rig_status(rig, running.id), AB_TASK_EXECUTING); /* for the next start */
    rig_crash(rig);
}

static void a_creation_under_way_outlives_shut_down(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    unsigned down = 0;
    rig_create(rig, &wish, &made);
    ab_engine_shut_down(rig->engine, note, &down);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    assert_int_equal(down, 1);
    assert_int_equal(rig->one->n_runs, 0);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_PENDING);
    rig_crash(rig);
}

static void agents_in_their_order(void **state)
{
    struct rig *rig = *state;
    assert_string_equal(ab_engine_agent_at(rig->engine, 0)->id, "one");
    assert_string_equal(ab_engine_agent_at(rig->engine, 4)->id, "refuse");
    assert_null(ab_engine_agent_at(rig->engine, 5));
    assert_int_equal(ab_engine_agent(rig->engine, "one")->turns_deep, 2);
    assert_int_equal(ab_engine_agent(rig->engine, "two")->turns_deep, 16);
    assert_null(ab_engine_agent(rig->engine, "three"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(stored_before_told),
        with_rig(unknown_agent_names_the_others),
        with_rig(refused_by_the_store_leaves_nothing),
        with_rig(a_refused_turn_frees_the_next),
        with_rig(one_key_in_one_turn_is_one_task),
        with_rig(a_refused_creation_is_refused_for_both),
        with_rig(a_second_try_waits_for_the_creation_alone),
        with_rig(a_refused_creation_is_tried_again_at_once),
        with_rig(keys_of_hot_and_of_finished_tasks),
        with_rig(turns_run_one_after_the_other),
        with_rig(the_next_turn_waits_for_a_durable_end),
        with_rig(a_queue_has_an_end),
        with_rig(refusing_agents_refuse),
        with_rig(nobody_queues_behind_a_pause),
        with_rig(history_is_bounded),
        with_rig(history_leaves_out_what_is_too_much),
        with_rig(turns_stay_in_order_when_the_clock_goes_back),
        with_rig(quota_counts_unfinished_tasks_of_an_owner),
        with_rig(shutting_down_takes_nothing_new),
        with_rig(a_creation_under_way_outlives_shut_down),
        with_rig(agents_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
