/* A store that refuses: whichever commit of a scenario fails, every caller is told once, every task that exists ends,
 * no log has a gap, and threads go on. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const char approval[] = "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}";

/* Reports as long as the run takes them; a run that the engine stopped has ended itself. */
static void say(struct fake_agent *agent, const char *id, enum ab_report_kind kind, const char *text, const char *json)
{
    if (id[0] == '\0' || !fake_agent_has(agent, id)) {
        return;
    }
    struct fake_run *run = fake_agent_run(agent, id);
    if (run->run != NULL) {
        struct ab_report report = { .kind = kind, .text = text, .json = json };
        (void)ab_run_report(run->run, &report);
    }
}

static void finish(struct fake_agent *agent, const char *id)
{
    if (id[0] != '\0' && fake_agent_has(agent, id) && fake_agent_run(agent, id)->run != NULL) {
        fake_end(fake_agent_run(agent, id));
    }
}

static void wish_for(struct rig *rig, const char *agent, const char *key, struct made *made)
{
    struct ab_new_task wish = rig_wish();
    wish.agent = agent;
    wish.thread_id = "t";
    wish.idempotency_key = key;
    rig_create(rig, &wish, made);
    rig_run(rig);
}

/* Two turns of one thread: one that asks and completes, one that is stopped. About ten commits. */
static void scenario(struct rig *rig)
{
    struct made first = { 0 };
    struct made second = { 0 };
    struct steered answered = { 0 };
    struct steered stopped = { 0 };
    wish_for(rig, "one", "k1", &first);
    say(rig->one, first.id, AB_REPORT_CHUNK, "some text", NULL);
    rig_run(rig);
    wish_for(rig, "two", "k2", &second);
    say(rig->one, first.id, AB_REPORT_ASK, NULL, approval);
    rig_run(rig);
    rig_answer(rig, first.id, "{\"ok\":{\"action\":\"accept\"}}", &answered);
    rig_run(rig);
    say(rig->one, first.id, AB_REPORT_LOG, "a line", NULL);
    rig_run(rig);
    say(rig->one, first.id, AB_REPORT_RESULT, NULL, NULL);
    rig_run(rig);
    finish(rig->one, first.id);
    rig_wait(rig, 5000);
    rig_stop(rig, second.id, &stopped);
    rig_wait(rig, 300000);
    assert_int_equal(first.n_calls, 1);
    assert_int_equal(second.n_calls, 1);
    assert_int_equal(answered.n_calls, 1);
    assert_int_equal(stopped.n_calls, 1);
}

static bool must_have_ended(void *arg, const struct ab_task *task)
{
    (void)arg;
    if (!ab_task_status_is_terminal(task->status)) {
        fail_msg("task %s of \"%s\" is still %s", task->id, task->agent, ab_task_status_name(task->status));
    }
    return true;
}

static void assert_all_ended(struct rig *rig)
{
    struct ab_store *inner = rig->store->inner;
    struct ab_store_filter all = { 0 };
    assert_int_equal(inner->ops->list(inner, &all, must_have_ended, NULL), AB_OK);
    struct fake_agent *agents[] = { rig->one, rig->two };
    for (size_t a = 0; a < 2; a++) {
        for (size_t i = 0; i < agents[a]->n_runs; i++) {
            assert_null(agents[a]->runs[i].run);
        }
    }
}

static void try_scenario(unsigned fail_from, unsigned fail_count, enum ab_store_outcome fail_as, unsigned *n_commits)
{
    void *state = NULL;
    (void)rig_setup(&state);
    struct rig *rig = state;
    rig->store->fail_from = fail_from;
    rig->store->fail_count = fail_count;
    rig->store->fail_as = fail_as;
    scenario(rig);
    assert_all_ended(rig);
    rig_check_logs(rig);
    *n_commits = rig->store->n_commits;
    /* The thread and the keys' owner are as good as new. */
    rig->store->fail_from = 0;
    struct made made = { 0 };
    wish_for(rig, "one", NULL, &made);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    (void)rig_teardown(&state);
}

static void every_commit_of_a_scenario(void **state)
{
    (void)state;
    unsigned n_commits = 0;
    unsigned failed = 0;
    try_scenario(0, 0, AB_STORE_REFUSED, &n_commits);
    assert_true(n_commits >= 9);
    for (unsigned n = 1; n <= n_commits; n++) {
        const unsigned counts[] = { 1, 2, 5 };
        for (size_t c = 0; c < 3; c++) {
            try_scenario(n, counts[c], AB_STORE_REFUSED, &failed);
            try_scenario(n, counts[c], AB_STORE_CONFLICT, &failed);
        }
    }
}

/* The gauges have gone up and down equally often. */
static void assert_nothing_unfinished(struct rig *rig)
{
    static const char *const statuses[] = { "pending", "executing", "paused" };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_metrics_render(rig->metrics, &text);
    for (size_t i = 0; i < 3; i++) {
        AB_CLEANUP(ab_free_string)
        char *line = ab_format("agentbridge_tasks_unfinished{agent=\"one\",status=\"%s\"} 0\n", statuses[i]);
        if (strstr(text.data, line) == NULL) {
            fail_msg("not %s", line);
        }
    }
    ab_buf_deinit(&text);
}

static void a_refused_report_ends_the_task(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    rig->one->lingers = true;
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 3; /* the report, then two tries to end it */
    (void)fake_report_text(run, AB_REPORT_CHUNK, "lost");
    rig_run(rig);
    assert_int_equal(run->n_stops, 1);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "late"), AB_RUN_OVER);
    struct steered steered = { 0 };
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_NOT_STORED);
    assert_int_equal(steered.status, AB_TASK_EXECUTING);
    rig_wait(rig, 1000); /* first try */
    rig_wait(rig, 2000); /* second */
    assert_log(rig, made.id, "status:pending status:executing");
    rig_wait(rig, 3900);
    assert_log(rig, made.id, "status:pending status:executing");
    rig_wait(rig, 200); /* third, four seconds after the second */
    assert_log(rig, made.id, "status:pending status:executing status:error");
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.reason, AB_REASON_STORAGE);
    assert_non_null(strstr(row.error_json, "disk full"));
    ab_task_deinit(&row);
    fake_end(run);
}

static void tries_go_on_once_a_minute(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    unsigned before = rig->store->n_commits;
    rig->store->fail_from = before + 1;
    rig->store->fail_count = 1000;
    (void)fake_report_text(fake_agent_run(rig->one, made.id), AB_REPORT_CHUNK, "lost");
    rig_wait(rig, 3600000);
    assert_true(rig->store->n_commits - before > 50);
    assert_true(rig->store->n_commits - before < 70);
    rig->store->fail_from = 0;
    rig_wait(rig, 60000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
}

static void a_stop_that_is_refused_is_said_so(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct steered steered = { 0 };
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1;
    rig_stop(rig, made.id, &steered);
    rig_run(rig);
    assert_int_equal(steered.outcome, AB_STEER_NOT_STORED);
    assert_non_null(strstr(steered.text, "disk full"));
    assert_int_equal(fake_agent_run(rig->one, made.id)->n_stops, 1);
    rig_wait(rig, 2000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
}

/* Another process on the same store appends an event, the task's third. */
static void change_elsewhere(struct rig *rig, const char *id, enum ab_task_status to)
{
    struct ab_store *inner = rig->store->inner;
    struct ab_task row = rig_row(rig, id);
    char stopped[] = "{\"status\":\"stopped\"}";
    char executing[] = "{\"status\":\"executing\"}";
    char *body = to == AB_TASK_STOPPED ? stopped : executing;
    struct ab_event event = { .number = 3, .at = row.updated_at, .kind = AB_EVENT_STATUS, .body_json = body };
    struct ab_store_commit commit = { .task = &row, .expected_last_event = 2, .events = &event, .n_events = 1 };
    row.status = to;
    row.last_event = 3;
    row.finished_at = to == AB_TASK_STOPPED ? row.updated_at : 0;
    inner->ops->commit(inner, &commit, NULL, NULL);
    ab_task_deinit(&row);
    rig_run(rig);
}

static void what_collected_behind_a_conflict_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    rig->store->holding = true;
    (void)fake_report_text(run, AB_REPORT_CHUNK, "in the commit that conflicts");
    rig_run(rig);
    (void)fake_report_text(run, AB_REPORT_CHUNK, "behind it");
    change_elsewhere(rig, made.id, AB_TASK_EXECUTING);
    fake_store_release(rig->store);
    rig_wait(rig, 2000);
    assert_log(rig, made.id, "status:pending status:executing status:executing status:error");
}

static void an_end_from_elsewhere_stays(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    change_elsewhere(rig, made.id, AB_TASK_STOPPED);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"too late\"}");
    rig_wait(rig, 100000);
    assert_int_equal(run->n_stops, 1);
    assert_log(rig, made.id, "status:pending status:executing status:stopped");
}

static void a_store_that_cannot_be_read_either(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1;
    rig->store->unreadable = true;
    (void)fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_RESULT, NULL);
    rig_wait(rig, 20000);
    rig->store->unreadable = false;
    rig_wait(rig, 60000);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_ERROR);
    assert_nothing_unfinished(rig);
    assert_log(rig, made.id, "status:pending status:executing status:error");
}

static void shutting_down_while_the_store_refuses(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "retry", NULL);
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1000;
    (void)fake_report_text(fake_agent_run(rig->retry, made.id), AB_REPORT_CHUNK, "lost");
    rig_run(rig);
    ab_engine_shut_down(rig->engine, NULL, NULL);
    rig_wait(rig, 100000);
    rig->store->fail_from = 0;
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
    assert_log(rig, made.id, "status:pending status:executing status:executing");
}

/* --- anything, in any order --- */

enum { WALK_TASKS = 24, WALK_STEPS = 150, WALKS = 150 };

struct walk {
    struct rig *rig;
    struct fake_random random;
    struct ab_random source;
    struct made made[WALK_TASKS];
    unsigned asked_for; /* how many of `made` */
    struct steered steered[WALK_STEPS];
    unsigned n_steered;
};

static unsigned dice(struct walk *walk, unsigned sides)
{
    uint32_t number = 0;
    ab_random_fill(&walk->source, &number, sizeof number);
    return (unsigned)(number % sides);
}

static void walk_create(struct walk *walk)
{
    static const char *const agents[] = { "one", "two", "retry", "refuse" };
    static const char *const threads[] = { NULL, "s", "t" };
    static const char *const keys[] = { NULL, NULL, "k", "l" };
    if (walk->asked_for == WALK_TASKS) {
        return;
    }
    struct ab_new_task wish = rig_wish();
    wish.agent = agents[dice(walk, 4)];
    wish.thread_id = threads[dice(walk, 3)];
    wish.idempotency_key = keys[dice(walk, 4)];
    rig_create(walk->rig, &wish, &walk->made[walk->asked_for++]);
}

/* Any run that is still there. */
static struct fake_run *walk_run(struct walk *walk)
{
    struct rig *rig = walk->rig;
    struct fake_agent *agents[] = { rig->one, rig->two, rig->retry, rig->refuse };
    struct fake_agent *agent = agents[dice(walk, 4)];
    size_t start = agent->n_runs > 0 ? dice(walk, (unsigned)agent->n_runs) : 0;
    for (size_t i = 0; i < agent->n_runs; i++) {
        struct fake_run *run = &agent->runs[(start + i) % agent->n_runs];
        if (run->run != NULL) {
            return run;
        }
    }
    return NULL;
}

static void walk_report(struct walk *walk)
{
    static const struct ab_report reports[] = {
        { .kind = AB_REPORT_EXECUTING, .text = "busy" },
        { .kind = AB_REPORT_PROGRESS, .progress_value = 1, .progress_total = 2 },
        { .kind = AB_REPORT_LOG, .text = "line" },
        { .kind = AB_REPORT_CHUNK, .text = "chunk" },
        { .kind = AB_REPORT_ARTIFACT, .json = "{\"id\":\"a\",\"parts\":[],\"append\":true}" },
        { .kind = AB_REPORT_ASK, .json = approval },
        { .kind = AB_REPORT_ASK, .json = approval },
        { .kind = AB_REPORT_RESULT },
        { .kind = AB_REPORT_SAY, .json = "{\"parts\":[{\"text\":\"hi\"}]}" },
        { .kind = AB_REPORT_FAILED, .text = "no" },
        { .kind = AB_REPORT_ASK, .json = "{\"bad\":1}" },
    };
    struct fake_run *run = walk_run(walk);
    if (run != NULL) {
        (void)ab_run_report(run->run, &reports[dice(walk, sizeof reports / sizeof reports[0])]);
    }
}

static void walk_steer(struct walk *walk)
{
    const char *id = walk->asked_for > 0 ? walk->made[dice(walk, walk->asked_for)].id : "";
    struct steered *steered = &walk->steered[walk->n_steered];
    if (id[0] == '\0') {
        return;
    }
    walk->n_steered++;
    if (dice(walk, 3) == 0) {
        rig_stop(walk->rig, id, steered);
    } else {
        rig_answer(walk->rig, id, "{\"ok\":{\"action\":\"accept\"},\"ok#2\":{\"action\":\"decline\"}}", steered);
    }
}

static void walk_step(struct walk *walk)
{
    struct fake_store *store = walk->rig->store;
    struct fake_run *run = NULL;
    switch (dice(walk, 12)) {
    case 0:
    case 1:
        walk_create(walk);
        break;
    case 2:
    case 3:
    case 4:
        walk_report(walk);
        break;
    case 5:
        walk_steer(walk);
        break;
    case 6:
        run = walk_run(walk);
        if (run != NULL) {
            fake_end(run);
        }
        break;
    case 7:
        store->fail_from = store->n_commits + 1 + dice(walk, 4);
        store->fail_count = dice(walk, 3);
        store->fail_as = dice(walk, 2) == 0 ? AB_STORE_REFUSED : AB_STORE_CONFLICT;
        break;
    case 8:
        rig_wait(walk->rig, (int64_t)dice(walk, 20000));
        break;
    default:
        rig_run(walk->rig);
        break;
    }
}

static void anything_in_any_order(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= WALKS; seed++) {
        struct walk *walk = ab_alloc(1, sizeof *walk);
        void *rig = NULL;
        (void)rig_setup(&rig);
        walk->rig = rig;
        walk->source = fake_random(&walk->random, seed);
        for (unsigned i = 0; i < WALK_STEPS; i++) {
            walk_step(walk);
        }
        walk->rig->store->fail_from = 0;
        rig_wait(walk->rig, 3600000); /* every deadline has passed */
        rig_wait(walk->rig, 3600000);
        rig_wait(walk->rig, 3600000);
        assert_all_ended(walk->rig);
        assert_nothing_unfinished(walk->rig);
        for (unsigned i = 0; i < walk->asked_for; i++) {
            assert_int_equal(walk->made[i].n_calls, 1);
        }
        for (unsigned i = 0; i < walk->n_steered; i++) {
            assert_int_equal(walk->steered[i].n_calls, 1);
        }
        (void)rig_teardown(&rig);
        free(walk);
    }
}

/* --- who looks while a commit is under way --- */

static bool note_number(void *arg, const struct ab_event *event)
{
    *(uint64_t *)arg = event->number;
    return true;
}

/* The store has it, the engine does not know that yet. A row that is read then has its events: otherwise who goes on
 * from its last_event never hears of them. */
static void a_row_is_never_ahead_of_its_events(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", "t");
    struct ab_task task;
    uint64_t newest = 0;
    rig->store->quiet = true;
    (void)fake_report_text(fake_agent_run(rig->one, made.id), AB_REPORT_LOG, "written");
    rig_run(rig);
    assert_int_equal(ab_engine_get(rig->engine, "ann", made.id, &task), AB_OK);
    assert_true(task.last_event > ab_engine_newest_event(rig->engine, made.id));
    assert_int_equal(ab_engine_events(rig->engine, made.id, 0, AB_EVENTS_ALL, 0, note_number, &newest), AB_OK);
    assert_int_equal(newest, task.last_event);
    ab_task_deinit(&task);
    fake_store_tell(rig->store);
    rig_run(rig);
    assert_int_equal(ab_engine_newest_event(rig->engine, made.id), newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_commit_of_a_scenario),
        with_rig(a_refused_report_ends_the_task),
        with_rig(tries_go_on_once_a_minute),
        with_rig(a_stop_that_is_refused_is_said_so),
        with_rig(what_collected_behind_a_conflict_is_dropped),
        with_rig(an_end_from_elsewhere_stays),
        with_rig(a_store_that_cannot_be_read_either),
        with_rig(shutting_down_while_the_store_refuses),
        with_rig(a_row_is_never_ahead_of_its_events),
        cmocka_unit_test(anything_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
