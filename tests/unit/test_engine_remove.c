/* Removing tasks: open ones are stopped first, nothing of them is left, and nothing that still runs brings them back.
 */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static void note(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct steered *steered = arg;
    steered->n_calls++;
    steered->outcome = outcome;
    assert_null(task);
    (void)snprintf(steered->text, sizeof steered->text, "%s", text != NULL ? text : "");
}

static struct steered removed(struct rig *rig, const char *owner, const char *id)
{
    struct steered steered = { 0 };
    ab_engine_remove(rig->engine, owner, id, note, &steered);
    assert_int_equal(steered.n_calls, 0);
    rig_run(rig);
    assert_int_equal(steered.n_calls, 1);
    return steered;
}

static bool is_there(struct rig *rig, const char *id)
{
    struct ab_task task;
    if (ab_engine_get(rig->engine, "ann", id, &task) != AB_OK) {
        return false;
    }
    ab_task_deinit(&task);
    return true;
}

static void a_finished_task_goes(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    (void)fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_RESULT, "{\"text\":\"done\"}");
    fake_end(fake_agent_run(rig->one, made.id));
    rig_run(rig);
    assert_int_equal(removed(rig, "ann", made.id).outcome, AB_STEER_DONE);
    assert_false(is_there(rig, made.id));
    assert_int_equal(rig_count_tasks(rig), 0);
    assert_int_equal(removed(rig, "ann", made.id).outcome, AB_STEER_UNKNOWN);
}

static void a_running_one_is_stopped_first(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", "t");
    struct made next = rig_made(rig, "one", "t");
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    rig->one->lingers = true;
    assert_int_equal(removed(rig, "ann", made.id).outcome, AB_STEER_DONE);
    assert_int_equal(run->n_stops, 1);
    assert_false(is_there(rig, made.id));
    /* What still winds down brings nothing back, and the next turn waits for it. */
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "late"), AB_RUN_OVER);
    assert_int_equal(rig_status(rig, next.id), AB_TASK_PENDING);
    fake_end(run);
    rig_run(rig);
    assert_int_equal(rig_status(rig, next.id), AB_TASK_EXECUTING);
    assert_int_equal(rig_count_tasks(rig), 1);
}

static void its_key_is_free_again(void **state)
{
    struct rig *rig = *state;
    struct ab_new_task wish = rig_wish();
    struct made first = { 0 };
    struct made second = { 0 };
    wish.idempotency_key = "k";
    rig->one->lingers = true;
    rig_create(rig, &wish, &first);
    rig_run(rig);
    assert_int_equal(removed(rig, "ann", first.id).outcome, AB_STEER_DONE);
    rig_create(rig, &wish, &second);
    rig_run(rig);
    assert_int_equal(second.outcome, AB_CREATE_DONE);
    assert_string_not_equal(second.id, first.id);
    fake_end(fake_agent_run(rig->one, first.id));
    rig_run(rig);
}

/* What is left of the first one does not take the key with it. */
static void its_key_stays_with_the_next(void **state)
{
    struct rig *rig = *state;
    struct ab_new_task wish = rig_wish();
    struct made first = { 0 };
    struct made second = { 0 };
    struct made again = { 0 };
    wish.idempotency_key = "k";
    rig_create(rig, &wish, &first);
    rig_run(rig);
    rig->one->lingers = true;
    assert_int_equal(removed(rig, "ann", first.id).outcome, AB_STEER_DONE);
    rig->store->holding = true;
    rig_create(rig, &wish, &second);
    rig_run(rig);
    fake_end(fake_agent_run(rig->one, first.id));
    rig_run(rig);
    rig_create(rig, &wish, &again);
    rig_run(rig);
    rig->store->holding = false;
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(second.outcome, AB_CREATE_DONE);
    assert_int_equal(again.outcome, AB_CREATE_EXISTING);
    assert_string_equal(again.id, second.id);
}

static void count_down(void *arg)
{
    (*(unsigned *)arg)++;
}

/* Once nothing is under way any more, nothing begins. */
static void nothing_is_removed_while_going_down(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    unsigned down = 0;
    (void)fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_RESULT, "{\"text\":\"done\"}");
    fake_end(fake_agent_run(rig->one, made.id));
    rig_run(rig);
    ab_engine_shut_down(rig->engine, count_down, &down);
    rig_run(rig);
    assert_int_equal(down, 1);
    assert_int_equal(removed(rig, "ann", made.id).outcome, AB_STEER_NOT_STORED);
    assert_true(is_there(rig, made.id));
    rig_crash(rig);
}

static void nobody_removes_what_is_not_theirs(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    assert_int_equal(removed(rig, "bob", made.id).outcome, AB_STEER_UNKNOWN);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
}

static void a_store_that_refuses(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1;
    rig->store->fail_as = AB_STORE_REFUSED;
    assert_int_equal(removed(rig, "ann", made.id).outcome, AB_STEER_NOT_STORED);
    assert_true(is_there(rig, made.id));
    rig_wait(rig, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_finished_task_goes),        with_rig(a_running_one_is_stopped_first),
        with_rig(its_key_is_free_again),       with_rig(nobody_removes_what_is_not_theirs),
        with_rig(its_key_stays_with_the_next), with_rig(nothing_is_removed_while_going_down),
        with_rig(a_store_that_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
