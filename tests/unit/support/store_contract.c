/* The contract of a store; see store_contract.h. */
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
    task->has_progress = true;
    task->has_progress_total = true;
    task->progress_value = 0.1;
    task->progress_total = 3;
    task->updated_at += 7;
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

/* --- lists --- */

/* Number, owner, agent, thread, status, created_at. */
static void add_listed(struct store_rig *rig, unsigned number, const char *owner, const char *agent,
                       const char *thread_id, enum ab_task_status status, int64_t created_at)
{
    struct ab_task task;
    store_sample_task(&task, number);
    ab_replace(&task.owner, owner);
    ab_replace(&task.agent, agent);
    ab_replace(&task.thread_id, thread_id);
    task.status = status;
    task.created_at = created_at;
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    ab_task_deinit(&task);
}

static void fill_lists(struct store_rig *rig)
{
    add_listed(rig, 1, "alice", "report", "t1", AB_TASK_COMPLETED, 100);
    add_listed(rig, 2, "alice", "report", "t2", AB_TASK_PENDING, 200);
    add_listed(rig, 4, "alice", "travel", "t1", AB_TASK_EXECUTING, 200);
    add_listed(rig, 3, "bob", "report", "t1", AB_TASK_PAUSED, 200);
    add_listed(rig, 6, "alice", "report", "t1", AB_TASK_FAILED, 150);
    add_listed(rig, 5, "bob", "travel", "t5", AB_TASK_STOPPED, 300);
    add_listed(rig, 7, "alice", "travel", "t7", AB_TASK_ERROR, 50);
}

static const char *last_id = "00000000000000000000000000000004";

static void lists_are_filtered_and_newest_first(void **state)
{
    struct store_rig *rig = *state;
    const uint32_t open = 1u << AB_TASK_PENDING | 1u << AB_TASK_EXECUTING | 1u << AB_TASK_PAUSED;
    const struct {
        struct ab_store_filter filter;
        const char *expected;
    } cases[] = {
        { { .limit = 0 }, "5 4 3 2 6 1 7" },
        { { .limit = 3 }, "5 4 3" },
        { { .limit = 100 }, "5 4 3 2 6 1 7" },
        { { .owner = "alice" }, "4 2 6 1 7" },
        { { .owner = "nobody" }, "" },
        { { .agent = "travel" }, "5 4 7" },
        { { .owner = "alice", .agent = "report" }, "2 6 1" },
        { { .owner = "alice", .agent = "report", .limit = 1 }, "2" },
        { { .thread_id = "t1" }, "4 3 6 1" },
        { { .owner = "alice", .thread_id = "t1" }, "4 6 1" },
        { { .owner = "alice", .agent = "report", .thread_id = "t1" }, "6 1" },
        { { .statuses = open }, "4 3 2" },
        { { .statuses = open, .limit = 2 }, "4 3" },
        { { .statuses = 1u << AB_TASK_PAUSED }, "3" },
        { { .owner = "alice", .statuses = open }, "4 2" },
        { { .agent = "report", .statuses = open }, "3 2" },
        { { .owner = "bob", .thread_id = "t1", .statuses = open }, "3" },
        { { .statuses = 1u << AB_TASK_FAILED | 1u << AB_TASK_PENDING }, "2 6" },
        { { .owner = "alice", .statuses = 1u << AB_TASK_COMPLETED | 1u << AB_TASK_ERROR, .limit = 1 }, "1" },
        { { .before_created_at = 200, .before_id = last_id }, "3 2 6 1 7" },
        { { .before_created_at = 200, .before_id = last_id, .owner = "alice" }, "2 6 1 7" },
        { { .before_created_at = 200, .before_id = last_id, .owner = "alice", .limit = 2 }, "2 6" },
        { { .before_created_at = 200, .before_id = last_id, .owner = "alice", .agent = "travel" }, "7" },
        { { .before_created_at = 200, .before_id = last_id, .thread_id = "t1", .owner = "alice" }, "6 1" },
        { { .before_created_at = 200, .before_id = last_id, .statuses = open }, "3 2" },
        { { .before_created_at = 151 }, "6 1 7" },
        { { .before_created_at = 50, .before_id = last_id }, "" },
    };
    fill_lists(rig);
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        AB_CLEANUP(ab_free_string) char *found = store_list_text(rig->store, &cases[index].filter);
        assert_string_equal(found, cases[index].expected);
    }
}

/* Every combination of conditions gives what filtering the whole list gives. */
static void every_combination_of_filters_works(void **state)
{
    struct store_rig *rig = *state;
    fill_lists(rig);
    for (unsigned bits = 0; bits < 32; bits++) {
        struct ab_store_filter filter = { .owner = (bits & 1) != 0 ? "alice" : NULL,
                                          .agent = (bits & 2) != 0 ? "travel" : NULL,
                                          .thread_id = (bits & 4) != 0 ? "t1" : NULL,
                                          .statuses = (bits & 8) != 0 ? 1u << AB_TASK_EXECUTING : 0,
                                          .before_created_at = (bits & 16) != 0 ? 250 : 0 };
        AB_CLEANUP(ab_free_string) char *found = store_list_text(rig->store, &filter);
        assert_non_null(strchr(found, '4'));
    }
}

static bool list_inside(void *arg, const struct ab_task *task)
{
    struct ab_store *store = arg;
    AB_CLEANUP(ab_free_string) char *text = store_list_text(store, &(struct ab_store_filter){ .owner = "alice" });
    assert_string_equal(text, "4 2 6 1 7");
    struct ab_task found;
    assert_int_equal(store->ops->get(store, task->id, &found), AB_OK);
    ab_task_deinit(&found);
    return strcmp(task->id, last_id) == 0;
}

static void reading_inside_a_reading_works(void **state)
{
    struct store_rig *rig = *state;
    fill_lists(rig);
    struct ab_store_filter filter = { .owner = "alice" };
    assert_int_equal(rig->store->ops->list(rig->store, &filter, list_inside, rig->store), AB_OK);
    assert_int_equal(rig->store->ops->list(rig->store, &filter, list_inside, rig->store), AB_OK);
}

/* --- events --- */

struct seen {
    char text[256];
    size_t stop_at;
    size_t n;
};

static bool see_event(void *arg, const struct ab_event *event)
{
    struct seen *seen = arg;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof(seen->text) - used, "%s%llu:%s@%lld%s", used > 0 ? " " : "",
             (unsigned long long)event->number, ab_event_kind_name(event->kind), (long long)event->at,
             event->body_json);
    return ++seen->n != seen->stop_at;
}

static void add_mixed_events(struct store_rig *rig, struct ab_task *task)
{
    store_sample_task(task, 1);
    assert_int_equal(store_create(rig, task, NULL, 0), AB_STORE_DONE);
    struct ab_event events[AB_EVENT_KIND_COUNT];
    for (int kind = 0; kind < AB_EVENT_KIND_COUNT; kind++) {
        events[kind] =
            (struct ab_event){ .number = (uint64_t)kind + 1, .at = 10 + kind, .kind = (enum ab_event_kind)kind };
        events[kind].body_json = ab_strdup("{}");
    }
    task->last_event = AB_EVENT_KIND_COUNT;
    struct store_wait wait = { 0 };
    struct ab_store_commit commit = { .task = task, .events = events, .n_events = AB_EVENT_KIND_COUNT };
    rig->store->ops->commit(rig->store, &commit, store_wait_done, &wait);
    for (int kind = 0; kind < AB_EVENT_KIND_COUNT; kind++) {
        ab_event_deinit(&events[kind]);
    }
    real_loop_run(rig->loop, &wait.done, patience);
    assert_int_equal(wait.outcome, AB_STORE_DONE);
}

static void events_are_a_cursor(void **state)
{
    struct store_rig *rig = *state;
    static const struct {
        uint64_t after;
        uint32_t kinds;
        size_t limit;
        size_t stop_at;
        const char *expected;
    } cases[] = {
        { 0, AB_EVENTS_ALL, 2, 0, "1:status@10{} 2:progress@11{}" },
        { 6, AB_EVENTS_ALL, 0, 0, "7:answer@16{} 8:say@17{}" },
        { 2, AB_EVENT_BIT(AB_EVENT_LOG) | AB_EVENT_BIT(AB_EVENT_SAY), 0, 0, "3:log@12{} 8:say@17{}" },
        { 0, AB_EVENT_BIT(AB_EVENT_ARTIFACT) | AB_EVENT_BIT(AB_EVENT_SAY), 1, 0, "5:artifact@14{}" },
        { 3, AB_EVENTS_ALL, 0, 2, "4:chunk@13{} 5:artifact@14{}" },
        { 8, AB_EVENTS_ALL, 0, 0, "" },
        { 1000, AB_EVENTS_ALL, 0, 0, "" },
        { UINT64_MAX, AB_EVENTS_ALL, 0, 0, "" },
        { 0, 0, 0, 0, "" },
    };
    struct ab_task task;
    add_mixed_events(rig, &task);
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct seen seen = { .stop_at = cases[index].stop_at };
        assert_int_equal(rig->store->ops->events(rig->store, task.id, cases[index].after, cases[index].kinds,
                                                 cases[index].limit, see_event, &seen),
                         AB_OK);
        assert_string_equal(seen.text, cases[index].expected);
    }
    ab_task_deinit(&task);
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

/* --- counts and the sweep --- */

static void check_counts(struct ab_store *store, const uint64_t expected[AB_TASK_STATUS_COUNT])
{
    uint64_t counts[AB_TASK_STATUS_COUNT];
    assert_int_equal(store->ops->count(store, counts), AB_OK);
    for (int status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        assert_int_equal(counts[status], expected[status]);
    }
}

static void counts_follow_the_tasks(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    fill_lists(rig);
    check_counts(rig->store, (uint64_t[]){ 1, 1, 1, 1, 1, 1, 1 });
    store_sample_task(&task, 50);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    check_counts(rig->store, (uint64_t[]){ 2, 1, 1, 1, 1, 1, 1 });
    task.status = AB_TASK_EXECUTING;
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    check_counts(rig->store, (uint64_t[]){ 1, 2, 1, 1, 1, 1, 1 });
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    check_counts(rig->store, (uint64_t[]){ 1, 2, 1, 1, 1, 1, 1 });
    task.status = AB_TASK_COMPLETED;
    task.finished_at = 77;
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    check_counts(rig->store, (uint64_t[]){ 1, 1, 1, 2, 1, 1, 1 });
    assert_int_equal(store_sweep(rig, 78, 0), AB_STORE_DONE);
    check_counts(rig->store, (uint64_t[]){ 1, 1, 1, 1, 1, 1, 1 });
    ab_task_deinit(&task);
}

static void add_finished(struct store_rig *rig, unsigned number, int64_t finished_at)
{
    struct ab_task task;
    AB_CLEANUP(ab_free_string) char *key = ab_format("key-%u", number);
    store_sample_task(&task, number);
    task.status = finished_at > 0 ? AB_TASK_COMPLETED : AB_TASK_EXECUTING;
    task.finished_at = finished_at;
    assert_int_equal(store_create(rig, &task, key, 3), AB_STORE_DONE);
    ab_task_deinit(&task);
}

static void check_list(struct store_rig *rig, const char *expected)
{
    AB_CLEANUP(ab_free_string)
    char *found = store_list_text(rig->store, &(struct ab_store_filter){ .owner = "alice" });
    assert_string_equal(found, expected);
}

static void a_sweep_takes_the_oldest_with_all_they_had(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task_request request;
    char id[AB_TASK_ID_SIZE];
    add_finished(rig, 1, 300);
    add_finished(rig, 2, 100);
    add_finished(rig, 3, 0);
    add_finished(rig, 4, 200);
    add_finished(rig, 5, 400);
    assert_int_equal(store_sweep(rig, 100, 10), AB_STORE_DONE);
    check_list(rig, "5 4 3 2 1");
    assert_int_equal(store_sweep(rig, 400, 2), AB_STORE_DONE);
    check_list(rig, "5 3 1");
    assert_int_equal(store_sweep(rig, 400, 2), AB_STORE_DONE);
    check_list(rig, "5 3");
    const char *gone = "00000000000000000000000000000002";
    assert_int_equal(rig->store->ops->events(rig->store, gone, 0, AB_EVENTS_ALL, 0, never_event, NULL), AB_OK);
    assert_int_equal(rig->store->ops->get_request(rig->store, gone, &request), AB_STORE_NONE);
    assert_int_equal(rig->store->ops->find_key(rig->store, "alice", "report", "key-2", id), AB_STORE_NONE);
    add_finished(rig, 2, 500);
    check_list(rig, "5 3 2");
    store_check_dense(rig->store, gone);
}

/* --- records --- */

static void put(struct store_rig *rig, const char *kind, const char *id, struct ab_str body, int64_t expires_at)
{
    struct store_wait wait = { 0 };
    struct ab_store_record record = {
        .kind = kind, .id = id, .owner = "alice", .expires_at = expires_at, .body = body
    };
    rig->store->ops->put_record(rig->store, &record, store_wait_done, &wait);
    real_loop_run(rig->loop, &wait.done, patience);
    assert_int_equal(wait.outcome, AB_STORE_DONE);
}

static bool expect_record(void *arg, const struct ab_store_record *record)
{
    const struct ab_store_record *expected = arg;
    assert_string_equal(record->kind, expected->kind);
    assert_string_equal(record->id, expected->id);
    assert_string_equal(record->owner, "alice");
    assert_int_equal(record->expires_at, expected->expires_at);
    assert_int_equal(record->body.size, expected->body.size);
    if (record->body.size > 0) {
        assert_memory_equal(record->body.data, expected->body.data, expected->body.size);
    }
    return true;
}

static void check_record(struct store_rig *rig, const char *kind, const char *id, struct ab_str body,
                         int64_t expires_at)
{
    struct ab_store_record expected = { .kind = kind, .id = id, .expires_at = expires_at, .body = body };
    assert_int_equal(rig->store->ops->get_record(rig->store, kind, id, expect_record, &expected), AB_OK);
}

static void records_are_put_replaced_and_removed(void **state)
{
    struct store_rig *rig = *state;
    put(rig, "session", "1", AB_STR("a\0b\xff"), 0);
    put(rig, "session", "2", AB_STR(""), 0);
    put(rig, "connection", "1", AB_STR("other"), 0);
    check_record(rig, "session", "1", AB_STR("a\0b\xff"), 0);
    check_record(rig, "session", "2", AB_STR(""), 0);
    check_record(rig, "connection", "1", AB_STR("other"), 0);
    put(rig, "session", "1", AB_STR("new"), 0);
    check_record(rig, "session", "1", AB_STR("new"), 0);
    for (int round = 0; round < 2; round++) {
        struct store_wait wait = { 0 };
        rig->store->ops->remove_record(rig->store, "session", "1", store_wait_done, &wait);
        real_loop_run(rig->loop, &wait.done, patience);
        assert_int_equal(wait.outcome, AB_STORE_DONE);
        assert_int_equal(rig->store->ops->get_record(rig->store, "session", "1", never_record, NULL), AB_STORE_NONE);
    }
    check_record(rig, "connection", "1", AB_STR("other"), 0);
}

static void records_expire(void **state)
{
    struct store_rig *rig = *state;
    int64_t now = ab_clock_wall_ms(&rig->loop->clock);
    put(rig, "k", "past", AB_STR("x"), now - 1);
    put(rig, "k", "soon", AB_STR("x"), now + 100000);
    put(rig, "k", "never", AB_STR("x"), 0);
    assert_int_equal(rig->store->ops->get_record(rig->store, "k", "past", never_record, NULL), AB_STORE_NONE);
    check_record(rig, "k", "soon", AB_STR("x"), now + 100000);
    real_loop_jump_wall(rig->loop, 200000);
    assert_int_equal(rig->store->ops->get_record(rig->store, "k", "soon", never_record, NULL), AB_STORE_NONE);
    assert_int_equal(store_sweep(rig, 1, 100), AB_STORE_DONE);
    real_loop_jump_wall(rig->loop, -200000);
    assert_int_equal(rig->store->ops->get_record(rig->store, "k", "soon", never_record, NULL), AB_STORE_NONE);
    check_record(rig, "k", "never", AB_STR("x"), 0);
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

int store_contract_run(const struct store_maker *maker)
{
    static const struct {
        const char *name;
        CMUnitTestFunction test;
    } cases[] = {
        { "rows come back whole", rows_come_back_whole },
        { "requests come back whole", requests_come_back_whole },
        { "an empty store has nothing", an_empty_store_has_nothing },
        { "a row that moved on is a conflict", a_row_that_moved_on_is_a_conflict },
        { "a task that is not there is a conflict", a_task_that_is_not_there_is_a_conflict },
        { "an id is taken once", an_id_is_taken_once },
        { "keys are unique for owner and agent", keys_are_unique_for_owner_and_agent },
        { "events with gaps are refused", events_with_gaps_are_refused },
        { "lists are filtered and newest first", lists_are_filtered_and_newest_first },
        { "every combination of filters works", every_combination_of_filters_works },
        { "reading inside a reading works", reading_inside_a_reading_works },
        { "events are a cursor", events_are_a_cursor },
        { "large bodies come back whole", large_bodies_come_back_whole },
        { "counts follow the tasks", counts_follow_the_tasks },
        { "a sweep takes the oldest with all they had", a_sweep_takes_the_oldest_with_all_they_had },
        { "records are put, replaced and removed", records_are_put_replaced_and_removed },
        { "records expire", records_expire },
        { "a burst ends in order", a_burst_ends_in_order },
        { "freeing writes what was handed over", freeing_writes_what_was_handed_over },
        { "completions may commit", completions_may_commit },
        { "nobody has to wait", nobody_has_to_wait },
    };
    enum { COUNT = sizeof(cases) / sizeof(cases[0]) };
    struct CMUnitTest tests[COUNT];
    struct store_maker copy = *maker;
    for (size_t index = 0; index < COUNT; index++) {
        tests[index] = (struct CMUnitTest){ .name = cases[index].name,
                                            .test_func = cases[index].test,
                                            .setup_func = store_rig_setup,
                                            .teardown_func = store_rig_teardown,
                                            .initial_state = &copy };
    }
    return _cmocka_run_group_tests(maker->name, tests, COUNT, NULL, NULL);
}
