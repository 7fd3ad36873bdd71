/* The contract of a store's reads, sweep and records; see store_contract.h. */
#include "base/mem.h"
#include "base/str.h"
#include "support/real_loop.h"
#include "support/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int patience = 20;

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
    task.finished_at = ab_task_status_is_terminal(status) ? 1000 + created_at : 0;
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
        { { .before_at = 200, .before_id = last_id }, "3 2 6 1 7" },
        { { .before_at = 200, .before_id = last_id, .owner = "alice" }, "2 6 1 7" },
        { { .before_at = 200, .before_id = last_id, .owner = "alice", .limit = 2 }, "2 6" },
        { { .before_at = 200, .before_id = last_id, .owner = "alice", .agent = "travel" }, "7" },
        { { .before_at = 200, .before_id = last_id, .thread_id = "t1", .owner = "alice" }, "6 1" },
        { { .before_at = 200, .before_id = last_id, .statuses = open }, "3 2" },
        { { .before_at = 151 }, "6 1 7" },
        { { .before_at = 50, .before_id = last_id }, "" },
        { { .id_prefix = "0000" }, "5 4 3 2 6 1 7" },
        { { .id_prefix = "0000", .owner = "alice", .limit = 2 }, "4 2" },
        { { .id_prefix = last_id }, "4" },
        { { .id_prefix = "1" }, "" },
        { { .id_prefix = "0000000000000000000000000000000f" }, "" },
    };
    fill_lists(rig);
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        AB_CLEANUP(ab_free_string) char *found = store_list_text(rig->store, &cases[index].filter);
        assert_string_equal(found, cases[index].expected);
    }
}

static bool has_texts(void *arg, const struct ab_task *task)
{
    bool *has = arg;
    *has = task->questions_json != NULL || task->result_json != NULL || task->error_json != NULL ||
           task->notes_json != NULL || task->answers_json != NULL;
    assert_non_null(task->thread_id);
    return false;
}

static void a_brief_list_leaves_the_texts_out(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    bool has = false;
    store_sample_task(&task, 1);
    ab_replace(&task.questions_json, "{}");
    ab_replace(&task.result_json, "{}");
    ab_replace(&task.error_json, "{}");
    ab_replace(&task.notes_json, "{}");
    ab_replace(&task.answers_json, "{}");
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    ab_task_deinit(&task);
    struct ab_store_filter filter = { .limit = 1 };
    assert_int_equal(rig->store->ops->list(rig->store, &filter, has_texts, &has), AB_OK);
    assert_true(has);
    filter.brief = true;
    assert_int_equal(rig->store->ops->list(rig->store, &filter, has_texts, &has), AB_OK);
    assert_false(has);
}

/* Every combination of conditions gives what filtering the whole list gives. */
static void every_combination_of_filters_works(void **state)
{
    struct store_rig *rig = *state;
    fill_lists(rig);
    for (unsigned bits = 0; bits < 64; bits++) {
        struct ab_store_filter filter = { .owner = (bits & 1) != 0 ? "alice" : NULL,
                                          .agent = (bits & 2) != 0 ? "travel" : NULL,
                                          .thread_id = (bits & 4) != 0 ? "t1" : NULL,
                                          .statuses = (bits & 8) != 0 ? 1u << AB_TASK_EXECUTING : 0,
                                          .before_at = (bits & 16) != 0 ? 250 : 0,
                                          .id_prefix = (bits & 32) != 0 ? "00" : NULL };
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

static void one_is_removed_with_all_it_had(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task_request request;
    uint64_t counts[AB_TASK_STATUS_COUNT];
    const char *gone = "00000000000000000000000000000001";
    char id[AB_TASK_ID_SIZE];
    add_finished(rig, 1, 300);
    add_finished(rig, 2, 100);
    add_finished(rig, 3, 0);
    assert_int_equal(store_remove(rig, gone), AB_STORE_DONE);
    check_list(rig, "3 2");
    assert_int_equal(rig->store->ops->events(rig->store, gone, 0, AB_EVENTS_ALL, 0, never_event, NULL), AB_OK);
    assert_int_equal(rig->store->ops->get_request(rig->store, gone, &request), AB_STORE_NONE);
    assert_int_equal(rig->store->ops->find_key(rig->store, "alice", "report", "key-1", id), AB_STORE_NONE);
    assert_int_equal(store_remove(rig, gone), AB_STORE_CONFLICT);
    assert_int_equal(store_remove(rig, "00000000000000000000000000000003"), AB_STORE_CONFLICT); /* still open */
    check_list(rig, "3 2");
    assert_int_equal(rig->store->ops->count(rig->store, counts), AB_OK);
    uint64_t all = 0;
    for (size_t status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        all += counts[status];
    }
    assert_int_equal(all, 2);
    add_finished(rig, 1, 500);
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

const struct store_case *store_read_cases(size_t *count)
{
    static const struct store_case cases[] = {
        { "lists are filtered and newest first", lists_are_filtered_and_newest_first },
        { "a brief list leaves the texts out", a_brief_list_leaves_the_texts_out },
        { "every combination of filters works", every_combination_of_filters_works },
        { "reading inside a reading works", reading_inside_a_reading_works },
        { "events are a cursor", events_are_a_cursor },
        { "counts follow the tasks", counts_follow_the_tasks },
        { "one is removed with all it had", one_is_removed_with_all_it_had },
        { "a sweep takes the oldest with all they had", a_sweep_takes_the_oldest_with_all_they_had },
        { "records are put, replaced and removed", records_are_put_replaced_and_removed },
        { "records expire", records_expire },
    };
    *count = sizeof(cases) / sizeof(cases[0]);
    return cases;
}
