/* The contract of a store's outbox; see store_contract.h. */
#include "base/buf.h"
#include "base/mem.h"
#include "support/real_loop.h"
#include "support/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int patience = 20;

/* Adds one event and what is to leave with it: lanes 0 ... n - 1, receivers "a", "b" ... */
static enum ab_store_outcome add(struct store_rig *rig, struct ab_task *task, uint32_t n)
{
    struct ab_event *events = store_sample_events(task->last_event + 1, 1, 0);
    struct ab_delivery *deliveries = ab_alloc(n + 1, sizeof(*deliveries));
    struct store_wait wait = { 0 };
    static const char *const receivers[] = { "a", "b", "c" };
    for (uint32_t lane = 0; lane < n; lane++) {
        deliveries[lane] = (struct ab_delivery){ .lane = lane, .event = task->last_event + 1, .created_at = 50 };
        deliveries[lane].started_at = 60;
        deliveries[lane].next_at = 100 + lane;
        deliveries[lane].kind = ab_strdup("rest-webhook");
        deliveries[lane].receiver = ab_strdup(receivers[lane]);
        deliveries[lane].target_json = ab_strdup("{\"config\":1}");
    }
    struct ab_store_commit commit = { .task = task,
                                      .expected_last_event = task->last_event,
                                      .events = events,
                                      .n_events = 1,
                                      .deliveries = deliveries,
                                      .n_deliveries = n };
    task->last_event++;
    rig->store->ops->commit(rig->store, &commit, store_wait_done, &wait);
    store_free_events(events, 1);
    for (uint32_t lane = 0; lane < n; lane++) {
        ab_delivery_deinit(&deliveries[lane]);
    }
    free(deliveries);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

static void make(struct store_rig *rig, struct ab_task *task, unsigned number)
{
    store_sample_task(task, number);
    assert_int_equal(store_create(rig, task, NULL, 0), AB_STORE_DONE);
}

static enum ab_store_outcome settle(struct store_rig *rig, uint64_t id, enum ab_settlement_kind kind, int64_t at)
{
    struct ab_settlement settlement = { id, kind, at, kind == AB_SETTLE_SENT ? NULL : "said no" };
    struct store_wait wait = { 0 };
    rig->store->ops->settle(rig->store, &settlement, store_wait_done, &wait);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

static bool write_delivery(void *arg, const struct ab_delivery *delivery)
{
    ab_buf_printf(arg, "%s%llu:%u/%llu", ((struct ab_buf *)arg)->size > 0 ? " " : "", (unsigned long long)delivery->id,
                  delivery->lane, (unsigned long long)delivery->event);
    return true;
}

static void check_due(struct store_rig *rig, const char *receiver, int64_t due_by, const char *expected)
{
    struct ab_buf text = AB_BUF_INIT(4096);
    assert_int_equal(rig->store->ops->due_deliveries(rig->store, receiver, due_by, 0, write_delivery, &text), AB_OK);
    assert_string_equal(text.size > 0 ? text.data : "", expected);
    ab_buf_deinit(&text);
}

static void check_in(struct store_rig *rig, enum ab_delivery_state state, const char *expected)
{
    struct ab_buf text = AB_BUF_INIT(4096);
    assert_int_equal(rig->store->ops->deliveries(rig->store, state, 0, 0, write_delivery, &text), AB_OK);
    assert_string_equal(text.size > 0 ? text.data : "", expected);
    ab_buf_deinit(&text);
}

static bool write_receiver(void *arg, const char *receiver, int64_t next_at)
{
    ab_buf_printf(arg, "%s@%lld ", receiver, (long long)next_at);
    return true;
}

static void check_receivers(struct store_rig *rig, const char *expected)
{
    struct ab_buf text = AB_BUF_INIT(4096);
    assert_int_equal(rig->store->ops->receivers(rig->store, write_receiver, &text), AB_OK);
    assert_string_equal(text.size > 0 ? text.data : "", expected);
    ab_buf_deinit(&text);
}

static void check_counts(struct store_rig *rig, uint64_t due, uint64_t queued, uint64_t dead)
{
    uint64_t counts[AB_DELIVERY_STATE_COUNT];
    assert_int_equal(rig->store->ops->count_deliveries(rig->store, counts), AB_OK);
    assert_int_equal(counts[AB_DELIVERY_DUE], due);
    assert_int_equal(counts[AB_DELIVERY_QUEUED], queued);
    assert_int_equal(counts[AB_DELIVERY_DEAD], dead);
}

static bool check_row(void *arg, const struct ab_delivery *delivery)
{
    const struct ab_delivery *expected = arg;
    assert_string_equal(delivery->task, expected->task);
    assert_string_equal(delivery->kind, "rest-webhook");
    assert_string_equal(delivery->receiver, "a");
    assert_string_equal(delivery->target_json, "{\"config\":1}");
    assert_int_equal(delivery->created_at, 50);
    assert_int_equal(delivery->started_at, expected->started_at);
    assert_int_equal(delivery->next_at, expected->next_at);
    assert_int_equal(delivery->attempts, expected->attempts);
    if (expected->last_error == NULL) {
        assert_null(delivery->last_error);
    } else {
        assert_string_equal(delivery->last_error, expected->last_error);
    }
    return true;
}

static void what_waits_comes_back_whole(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    make(rig, &task, 1);
    struct ab_delivery expected = { .started_at = 60, .next_at = 100 };
    memcpy(expected.task, task.id, sizeof(expected.task));
    check_receivers(rig, "");
    assert_int_equal(add(rig, &task, 1), AB_STORE_DONE);
    assert_int_equal(rig->store->ops->deliveries(rig->store, AB_DELIVERY_DUE, 0, 0, check_row, &expected), AB_OK);
    assert_int_equal(settle(rig, 1, AB_SETTLE_LATER, 700), AB_STORE_DONE);
    expected.next_at = 700;
    expected.attempts = 1;
    expected.last_error = ab_strdup("said no");
    if (rig->maker->has_directory) {
        store_rig_reopen(rig);
    }
    assert_int_equal(rig->store->ops->deliveries(rig->store, AB_DELIVERY_DUE, 0, 0, check_row, &expected), AB_OK);
    check_due(rig, "a", 699, "");
    check_due(rig, "a", 700, "1:0/1");
    ab_delivery_deinit(&expected);
    ab_task_deinit(&task);
}

static void a_lane_keeps_its_order(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    make(rig, &task, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(add(rig, &task, 2), AB_STORE_DONE);
    }
    check_counts(rig, 2, 4, 0);
    check_receivers(rig, "a@100 b@101 ");
    check_due(rig, "a", 1000, "1:0/1");
    assert_int_equal(settle(rig, 3, AB_SETTLE_SENT, 200), AB_STORE_CONFLICT);
    assert_int_equal(settle(rig, 1, AB_SETTLE_SENT, 200), AB_STORE_DONE);
    check_due(rig, "a", 1000, "3:0/2");
    assert_int_equal(settle(rig, 3, AB_SETTLE_DEAD, 300), AB_STORE_DONE);
    check_due(rig, "a", 299, "");
    check_due(rig, "a", 300, "5:0/3");
    check_in(rig, AB_DELIVERY_DEAD, "3:0/2");
    check_in(rig, AB_DELIVERY_QUEUED, "4:1/2 6:1/3");
    check_counts(rig, 2, 2, 1);
    assert_int_equal(settle(rig, 3, AB_SETTLE_LATER, 1), AB_STORE_CONFLICT);
    assert_int_equal(settle(rig, 3, AB_SETTLE_RESEND, 250), AB_STORE_DONE);
    check_due(rig, "a", 1000, "3:0/2 5:0/3");
    assert_int_equal(settle(rig, 3, AB_SETTLE_SENT, 400), AB_STORE_DONE);
    assert_int_equal(settle(rig, 5, AB_SETTLE_SENT, 400), AB_STORE_DONE);
    assert_int_equal(settle(rig, 5, AB_SETTLE_SENT, 400), AB_STORE_CONFLICT);
    check_receivers(rig, "b@101 ");
    ab_task_deinit(&task);
}

static void a_commit_that_fails_leaves_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    make(rig, &task, 1);
    task.last_event = 7;
    assert_int_equal(add(rig, &task, 2), AB_STORE_CONFLICT);
    check_counts(rig, 0, 0, 0);
    ab_task_deinit(&task);
}

static void they_go_with_their_task(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task other;
    make(rig, &task, 1);
    make(rig, &other, 2);
    task.status = AB_TASK_COMPLETED;
    task.finished_at = 10;
    assert_int_equal(add(rig, &task, 2), AB_STORE_DONE);
    assert_int_equal(add(rig, &other, 1), AB_STORE_DONE);
    assert_int_equal(store_sweep(rig, 11, 0), AB_STORE_DONE);
    check_counts(rig, 1, 0, 0);
    check_in(rig, AB_DELIVERY_DUE, "3:0/1");
    ab_task_deinit(&task);
    ab_task_deinit(&other);
}

static void check_webhooks(struct store_rig *rig, const char *id, const char *expected)
{
    struct ab_task_request request;
    assert_int_equal(rig->store->ops->get_request(rig->store, id, &request), AB_OK);
    assert_string_equal(request.webhooks_json != NULL ? request.webhooks_json : "none", expected);
    ab_task_request_deinit(&request);
}

static enum ab_store_outcome change_webhooks(struct store_rig *rig, const struct ab_task *task, const char *webhooks,
                                             const uint32_t *dropped, size_t n_dropped)
{
    struct store_wait wait = { 0 };
    struct ab_store_commit commit = { .task = task,
                                      .expected_last_event = task->last_event,
                                      .webhooks_json = webhooks,
                                      .dropped_lanes = dropped,
                                      .n_dropped_lanes = n_dropped };
    rig->store->ops->commit(rig->store, &commit, store_wait_done, &wait);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

static void wishes_change_and_take_their_lanes_along(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task other;
    static const uint32_t dropped[] = { 0, 2 };
    make(rig, &task, 1);
    make(rig, &other, 2);
    check_webhooks(rig, task.id, "none");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(add(rig, &task, 3), AB_STORE_DONE);
    }
    assert_int_equal(add(rig, &other, 1), AB_STORE_DONE);
    assert_int_equal(settle(rig, 3, AB_SETTLE_DEAD, 1), AB_STORE_DONE);
    assert_int_equal(change_webhooks(rig, &task, "[{\"id\":\"a\"}]", NULL, 0), AB_STORE_DONE);
    check_counts(rig, 4, 2, 1);
    assert_int_equal(change_webhooks(rig, &task, "[]", dropped, 2), AB_STORE_DONE);
    check_counts(rig, 2, 1, 0);
    check_in(rig, AB_DELIVERY_DUE, "2:1/1 7:0/1");
    if (rig->maker->has_directory) {
        store_rig_reopen(rig);
    }
    check_webhooks(rig, task.id, "[]");
    check_webhooks(rig, other.id, "none");
    assert_int_equal(add(rig, &task, 1), AB_STORE_DONE);
    check_webhooks(rig, task.id, "[]");
    task.last_event = 9;
    assert_int_equal(change_webhooks(rig, &task, "[1]", NULL, 0), AB_STORE_CONFLICT);
    check_webhooks(rig, task.id, "[]");
    ab_task_deinit(&task);
    ab_task_deinit(&other);
}

const struct store_case *store_outbox_cases(size_t *count)
{
    static const struct store_case cases[] = {
        { "what waits comes back whole", what_waits_comes_back_whole },
        { "a lane keeps its order", a_lane_keeps_its_order },
        { "a commit that fails leaves nothing in the outbox", a_commit_that_fails_leaves_nothing },
        { "deliveries go with their task", they_go_with_their_task },
        { "a task's wishes change and take their lanes along", wishes_change_and_take_their_lanes_along },
    };
    *count = sizeof(cases) / sizeof(*cases);
    return cases;
}
