/* The contract of a store: what is put in comes out, conflicts, order; see store_contract.h. */
#include "support/store_contract.h"

#include "base/mem.h"
#include "base/str.h"
#include "support/real_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int patience = 20;

/* --- what is put in comes out --- */

static void assert_text(const char *found, const char *expected)
{
    if (expected == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void assert_same_task(const struct ab_task *found, const struct ab_task *expected)
{
    assert_text(found->id, expected->id);
    assert_text(found->thread_id, expected->thread_id);
    assert_text(found->owner, expected->owner);
    assert_text(found->agent, expected->agent);
    assert_text(found->surface, expected->surface);
    assert_text(found->surface_json, expected->surface_json);
    assert_text(found->title, expected->title);
    assert_int_equal(found->status, expected->status);
    assert_int_equal(found->reason, expected->reason);
    assert_text(found->status_message, expected->status_message);
    assert_int_equal(found->has_progress, expected->has_progress);
    assert_int_equal(found->has_progress_total, expected->has_progress_total);
    assert_true(fabs(found->progress_value - expected->progress_value) < 1e-12);
    assert_true(fabs(found->progress_total - expected->progress_total) < 1e-12);
    assert_text(found->progress_message, expected->progress_message);
    assert_int_equal(found->created_at, expected->created_at);
    assert_int_equal(found->updated_at, expected->updated_at);
    assert_int_equal(found->finished_at, expected->finished_at);
    assert_int_equal(found->last_event, expected->last_event);
    assert_int_equal(found->turn, expected->turn);
    assert_int_equal(found->attempt, expected->attempt);
    assert_int_equal(found->n_artifacts, expected->n_artifacts);
    assert_text(found->questions_json, expected->questions_json);
    assert_text(found->result_json, expected->result_json);
    assert_text(found->error_json, expected->error_json);
    assert_text(found->notes_json, expected->notes_json);
    assert_text(found->answers_json, expected->answers_json);
    assert_int_equal(found->abandon_ms, expected->abandon_ms);
}

static void check_stored(struct store_rig *rig, const struct ab_task *expected)
{
    struct ab_task found;
    assert_int_equal(rig->store->ops->get(rig->store, expected->id, &found), AB_OK);
    assert_same_task(&found, expected);
    ab_task_deinit(&found);
}

static void fill_task(struct ab_task *task)
{
    ab_replace(&task->surface_json, "{\"a\":[1]}");
    ab_replace(&task->title, "T\xc3\xaftle");
    ab_replace(&task->status_message, "on it");
    ab_replace(&task->progress_message, "half");
    ab_replace(&task->questions_json, "{\"q\":{}}");
    ab_replace(&task->result_json, "{\"parts\":[]}");
    ab_replace(&task->error_json, "{\"message\":\"no\"}");
    ab_replace(&task->notes_json, "{\"id\":\"up\"}");
    ab_replace(&task->answers_json, "{\"q\":{\"action\":\"accept\"}}");
    task->has_progress = true;
    task->has_progress_total = true;
    task->progress_value = 0.1;
    task->progress_total = 3;
    task->updated_at += 7;
    task->abandon_ms = 600000;
    task->turn = 2;
    task->attempt = 3;
    task->n_artifacts = 4;
}

static void rows_come_back_whole(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 0), AB_STORE_DONE);
    check_stored(rig, &task);
    fill_task(&task);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    check_stored(rig, &task);
    for (int status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        for (int reason = 0; reason < AB_REASON_COUNT; reason++) {
            task.status = (enum ab_task_status)status;
            task.reason = (enum ab_task_reason)reason;
            task.finished_at = ab_task_status_is_terminal(task.status) ? task.updated_at : 0;
            assert_int_equal(store_update(rig, &task, 0, 0), AB_STORE_DONE);
            check_stored(rig, &task);
        }
    }
    task.has_progress = false;
    task.has_progress_total = false;
    task.progress_value = 0;
    task.progress_total = 0;
    ab_replace(&task.result_json, NULL);
    ab_replace(&task.questions_json, NULL);
    task.finished_at = 9999999999999;
    assert_int_equal(store_update(rig, &task, 0, 0), AB_STORE_DONE);
    check_stored(rig, &task);
    ab_task_deinit(&task);
}

static void requests_come_back_whole(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task_request found;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, "key-1", 1), AB_STORE_DONE);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    assert_int_equal(rig->store->ops->get_request(rig->store, task.id, &found), AB_OK);
    assert_text(found.message_json, "{\"parts\":[{\"text\":\"write\"}]}");
    assert_text(found.arguments_json, "{\"depth\":3}");
    assert_text(found.input_json, "{\"text\":\"write\",\"files\":[]}");
    assert_text(found.options_json, "{}");
    assert_text(found.idempotency_key, "key-1");
    ab_task_request_deinit(&found);
    ab_task_deinit(&task);
}

static bool never_task(void *arg, const struct ab_task *task)
{
    (void)arg;
    (void)task;
    fail();
    return false;
}

static bool never_event(void *arg, const struct ab_event *event)
{
    (void)arg;
    (void)event;
    fail();
    return false;
}

static bool never_record(void *arg, const struct ab_store_record *record)
{
    (void)arg;
    (void)record;
    fail();
    return false;
}

static void an_empty_store_has_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct ab_store *store = rig->store;
    struct ab_task task;
    struct ab_task_request request;
    char id[AB_TASK_ID_SIZE];
    uint64_t counts[AB_TASK_STATUS_COUNT];
    assert_int_equal(store->ops->get(store, "x", &task), AB_STORE_NONE);
    assert_int_equal(store->ops->get_request(store, "x", &request), AB_STORE_NONE);
    assert_int_equal(store->ops->find_key(store, "a", "b", "c", id), AB_STORE_NONE);
    assert_int_equal(store->ops->list(store, &(struct ab_store_filter){ 0 }, never_task, NULL), AB_OK);
    assert_int_equal(store->ops->events(store, "x", 0, AB_EVENTS_ALL, 0, never_event, NULL), AB_OK);
    assert_int_equal(store->ops->get_record(store, "k", "x", never_record, NULL), AB_STORE_NONE);
    assert_int_equal(store->ops->count(store, counts), AB_OK);
    for (int status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        assert_int_equal(counts[status], 0);
    }
    assert_int_equal(store->ops->backlog(store), 0);
    assert_int_equal(store_sweep(rig, INT64_MAX, 0), AB_STORE_DONE);
}

static void large_bodies_come_back_whole(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 0), AB_STORE_DONE);
    assert_int_equal(store_update(rig, &task, 3, 1 << 20), AB_STORE_DONE);
    task.result_json = ab_format("{\"text\":\"%*s\"}", 3 << 20, "");
    assert_int_equal(store_update(rig, &task, 0, 0), AB_STORE_DONE);
    check_stored(rig, &task);
    store_check_dense(rig->store, task.id);
    ab_task_deinit(&task);
}

/* --- conflicts --- */

static void a_row_that_moved_on_is_a_conflict(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task stale;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 2), AB_STORE_DONE);
    ab_task_copy(&stale, &task);
    ab_replace(&task.title, "first");
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    ab_replace(&stale.title, "second");
    stale.status = AB_TASK_STOPPED;
    stale.finished_at = stale.updated_at;
    assert_int_equal(store_update(rig, &stale, 3, 0), AB_STORE_CONFLICT);
    check_stored(rig, &task);
    store_check_dense(rig->store, task.id);
    uint64_t counts[AB_TASK_STATUS_COUNT];
    assert_int_equal(rig->store->ops->count(rig->store, counts), AB_OK);
    assert_int_equal(counts[AB_TASK_PENDING], 1);
    assert_int_equal(counts[AB_TASK_STOPPED], 0);
    ab_task_deinit(&stale);
    ab_task_deinit(&task);
}

static void a_task_that_is_not_there_is_a_conflict(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_CONFLICT);
    assert_int_equal(rig->store->ops->get(rig->store, task.id, &task), AB_STORE_NONE);
    assert_int_equal(rig->store->ops->events(rig->store, task.id, 0, AB_EVENTS_ALL, 0, never_event, NULL), AB_OK);
    ab_task_deinit(&task);
}

static void an_id_is_taken_once(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task other;
    store_sample_task(&task, 1);
    store_sample_task(&other, 1);
    ab_replace(&other.owner, "bob");
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    assert_int_equal(store_create(rig, &other, "key", 2), AB_STORE_CONFLICT);
    check_stored(rig, &task);
    store_check_dense(rig->store, task.id);
    char id[AB_TASK_ID_SIZE];
    assert_int_equal(rig->store->ops->find_key(rig->store, "bob", "report", "key", id), AB_STORE_NONE);
    ab_task_deinit(&task);
    ab_task_deinit(&other);
}

static void keys_are_unique_for_owner_and_agent(void **state)
{
    struct store_rig *rig = *state;
    static const struct {
        const char *owner;
        const char *agent;
        const char *key;
        enum ab_store_outcome outcome;
    } cases[] = {
        { "alice", "report", "k", AB_STORE_DONE },  { "alice", "report", "k", AB_STORE_CONFLICT },
        { "bob", "report", "k", AB_STORE_DONE },    { "alice", "travel", "k", AB_STORE_DONE },
        { "alice", "report", "K", AB_STORE_DONE },  { "alicer", "eport", "k", AB_STORE_DONE },
        { "alice", "report", NULL, AB_STORE_DONE }, { "alice", "report", NULL, AB_STORE_DONE },
    };
    for (unsigned index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct ab_task task;
        char id[AB_TASK_ID_SIZE];
        store_sample_task(&task, index);
        ab_replace(&task.owner, cases[index].owner);
        ab_replace(&task.agent, cases[index].agent);
        assert_int_equal(store_create(rig, &task, cases[index].key, 1), cases[index].outcome);
        if (cases[index].key != NULL) {
            assert_int_equal(rig->store->ops->find_key(rig->store, task.owner, task.agent, cases[index].key, id),
                             AB_OK);
            assert_string_equal(id,
                                cases[index].outcome == AB_STORE_DONE ? task.id : "00000000000000000000000000000000");
        }
        ab_task_deinit(&task);
    }
}

static enum ab_store_outcome commit_odd_events(struct store_rig *rig, const struct ab_task *task,
                                               const struct ab_event *events, size_t n_events)
{
    struct store_wait wait = { 0 };
    struct ab_store_commit commit = { .task = task, .expected_last_event = 1, .events = events, .n_events = n_events };
    rig->store->ops->commit(rig->store, &commit, store_wait_done, &wait);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

/* The sweep goes by the time, lists go by the status. */
static void an_end_without_its_time_is_refused(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    task.status = AB_TASK_COMPLETED;
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_REFUSED);
    task.status = AB_TASK_EXECUTING;
    task.finished_at = 10;
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_REFUSED);
    task.status = AB_TASK_COMPLETED;
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    ab_task_deinit(&task);
}

static void events_with_gaps_are_refused(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    struct ab_event *events = store_sample_events(3, 1, 0);
    task.last_event = 3;
    assert_int_equal(commit_odd_events(rig, &task, events, 1), AB_STORE_REFUSED);
    events[0].number = 2;
    assert_int_equal(commit_odd_events(rig, &task, events, 1), AB_STORE_REFUSED);
    task.last_event = 2;
    assert_int_equal(commit_odd_events(rig, &task, events, 1), AB_STORE_DONE);
    store_check_dense(rig->store, task.id);
    store_free_events(events, 1);
    ab_task_deinit(&task);
}

/* --- order --- */

enum { BURST = 1000 };

struct burst {
    struct ab_store *store;
    size_t n_done;
    bool all_done;
    struct burst_step {
        struct burst *burst;
        size_t number;
    } steps[BURST];
};

static void burst_step_done(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct burst_step *step = arg;
    assert_int_equal(outcome, AB_STORE_DONE);
    assert_null(text);
    assert_int_equal(step->number, step->burst->n_done);
    step->burst->n_done++;
    step->burst->all_done = step->burst->n_done == BURST;
}

/* Commit 0 creates the task; each further one adds an event to what the one before left. */
static void hand_over_burst(struct store_rig *rig, struct burst *burst, struct ab_task *task)
{
    struct ab_task_request request;
    store_sample_request(&request, NULL);
    for (size_t number = 0; number < BURST; number++) {
        struct ab_event *events = store_sample_events(number, 1, 20);
        task->last_event = number;
        struct ab_store_commit commit = { .task = task,
                                          .request = number == 0 ? &request : NULL,
                                          .expected_last_event = number > 0 ? number - 1 : 0,
                                          .events = number > 0 ? events : NULL,
                                          .n_events = number > 0 ? 1 : 0 };
        burst->steps[number] = (struct burst_step){ burst, number };
        rig->store->ops->commit(rig->store, &commit, burst_step_done, &burst->steps[number]);
        store_free_events(events, 1);
    }
    ab_task_request_deinit(&request);
}

static void a_burst_ends_in_order(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct burst *burst = ab_alloc(1, sizeof(*burst));
    store_sample_task(&task, 1);
    hand_over_burst(rig, burst, &task);
    assert_int_equal(burst->n_done, 0);
    assert_true(rig->store->ops->backlog(rig->store) > BURST * 20);
    real_loop_run(rig->loop, &burst->all_done, patience);
    assert_int_equal(rig->store->ops->backlog(rig->store), 0);
    store_check_dense(rig->store, task.id);
    check_stored(rig, &task);
    free(burst);
    ab_task_deinit(&task);
}

static void freeing_writes_what_was_handed_over(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct burst *burst = ab_alloc(1, sizeof(*burst));
    store_sample_task(&task, 1);
    hand_over_burst(rig, burst, &task);
    rig->store->ops->free(rig->store);
    rig->store = NULL;
    assert_true(burst->all_done);
    real_loop_run_ready(rig->loop);
    assert_int_equal(burst->n_done, BURST);
    free(burst);
    ab_task_deinit(&task);
}

struct chain {
    struct store_rig *rig;
    struct ab_task *task;
    int left;
    bool ended;
};

static void commit_next(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct chain *chain = arg;
    (void)text;
    assert_int_equal(outcome, AB_STORE_DONE);
    if (chain->left-- == 0) {
        chain->ended = true;
        return;
    }
    struct ab_store *store = chain->rig->store;
    struct ab_store_commit commit = { .task = chain->task };
    store->ops->commit(store, &commit, commit_next, chain);
}

/* Each completion hands over the next change: also those of a store that is going. */
static void completions_may_commit(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 0), AB_STORE_DONE);
    struct chain chain = { .rig = rig, .task = &task, .left = 20 };
    commit_next(&chain, AB_STORE_DONE, NULL);
    real_loop_run(rig->loop, &chain.ended, patience);
    chain = (struct chain){ .rig = rig, .task = &task, .left = 20 };
    commit_next(&chain, AB_STORE_DONE, NULL);
    rig->store->ops->free(rig->store);
    assert_true(chain.ended);
    rig->store = NULL;
    ab_task_deinit(&task);
}

static void nobody_has_to_wait(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 0), AB_STORE_DONE);
    struct ab_store_commit commit = { .task = &task };
    rig->store->ops->commit(rig->store, &commit, NULL, NULL);
    rig->store->ops->remove_record(rig->store, "k", "x", NULL, NULL);
    rig->store->ops->put_record(rig->store, &(struct ab_store_record){ .kind = "k", .id = "x" }, NULL, NULL);
    rig->store->ops->sweep(rig->store, 0, 1, NULL, NULL);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    ab_task_deinit(&task);
}

/* Appends to `tests` and returns how many there are now. */
static size_t add_cases(struct CMUnitTest *tests, size_t n_tests, const struct store_case *cases, size_t n_cases,
                        struct store_maker *maker)
{
    for (size_t index = 0; index < n_cases; index++) {
        tests[n_tests + index] = (struct CMUnitTest){ .name = cases[index].name,
                                                      .test_func = cases[index].test,
                                                      .setup_func = store_rig_setup,
                                                      .teardown_func = store_rig_teardown,
                                                      .initial_state = maker };
    }
    return n_tests + n_cases;
}

int store_contract_run(const struct store_maker *maker)
{
    static const struct store_case write_cases[] = {
        { "rows come back whole", rows_come_back_whole },
        { "requests come back whole", requests_come_back_whole },
        { "an empty store has nothing", an_empty_store_has_nothing },
        { "a row that moved on is a conflict", a_row_that_moved_on_is_a_conflict },
        { "a task that is not there is a conflict", a_task_that_is_not_there_is_a_conflict },
        { "an id is taken once", an_id_is_taken_once },
        { "keys are unique for owner and agent", keys_are_unique_for_owner_and_agent },
        { "an end without its time is refused", an_end_without_its_time_is_refused },
        { "events with gaps are refused", events_with_gaps_are_refused },
        { "large bodies come back whole", large_bodies_come_back_whole },
        { "a burst ends in order", a_burst_ends_in_order },
        { "freeing writes what was handed over", freeing_writes_what_was_handed_over },
        { "completions may commit", completions_may_commit },
        { "nobody has to wait", nobody_has_to_wait },
    };
    enum { N_WRITE_CASES = sizeof(write_cases) / sizeof(write_cases[0]) };
    size_t n_read_cases = 0;
    const struct store_case *read_cases = store_read_cases(&n_read_cases);
    size_t n_outbox_cases = 0;
    const struct store_case *outbox_cases = store_outbox_cases(&n_outbox_cases);
    size_t n_list_cases = 0;
    const struct store_case *list_cases = store_list_cases(&n_list_cases);
    struct store_maker copy = *maker;
    struct CMUnitTest *tests = ab_alloc(N_WRITE_CASES + n_read_cases + n_outbox_cases + n_list_cases, sizeof(*tests));
    size_t n_tests = add_cases(tests, 0, write_cases, N_WRITE_CASES, &copy);
    n_tests = add_cases(tests, n_tests, read_cases, n_read_cases, &copy);
    n_tests = add_cases(tests, n_tests, outbox_cases, n_outbox_cases, &copy);
    n_tests = add_cases(tests, n_tests, list_cases, n_list_cases, &copy);
    int failed = _cmocka_run_group_tests(maker->name, tests, n_tests, NULL, NULL);
    free(tests);
    return failed;
}
