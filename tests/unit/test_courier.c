/* The courier: what is due is delivered at least once and in order, whatever receivers, store and restarts do. */
#include "base/mem.h"
#include "base/str.h"
#include "deliver/courier.h"
#include "store/memory.h"
#include "support/fake_client.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"
#include "support/fake_store.h"
#include "support/store_contract.h"
#include "task/as_of.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000
#define HOUR (INT64_C(3600) * 1000)

struct courier_rig {
    struct ab_loop *loop;
    struct fake_store *store;
    struct fake_client *client;
    struct fake_random random;
    struct ab_courier_settings settings;
    struct ab_courier *courier;
    enum ab_encoding encoding; /* of all that is to be encoded */
};

/* The body says task, lane, event and status; the URL is the receiver's. */
static enum ab_encoding encode(void *arg, const struct ab_delivery *delivery, const struct ab_task *task,
                               const struct ab_event *event, int64_t now_ms, struct ab_outgoing *out,
                               struct ab_buf *why)
{
    const struct courier_rig *rig = arg;

    assert_true(now_ms >= FAKE_LOOP_START_MS);
    assert_int_equal(event->number, delivery->event);
    if (rig->encoding != AB_ENCODED) {
        ab_buf_append_text(why, "it has no words");
        return rig->encoding;
    }
    out->url = ab_format("%s/", delivery->receiver);
    ab_outgoing_add(out, ab_strdup("Content-Type: text/plain"));
    ab_outgoing_add(out, ab_strdup("X-Second: 2"));
    ab_buf_printf(&out->body, "%d %u/%llu %s", atoi(task->id + 28), delivery->lane, (unsigned long long)delivery->event,
                  ab_task_status_name(task->status));
    return AB_ENCODED;
}

static void start_courier(struct courier_rig *rig)
{
    static struct ab_delivery_encoder encoder = { .kind = "test", .encode = encode };

    encoder.arg = rig;
    rig->settings.loop = rig->loop;
    rig->settings.store = &rig->store->store;
    rig->settings.client = &rig->client->client;
    rig->settings.random = fake_random(&rig->random, 7);
    rig->settings.encoders = &encoder;
    rig->settings.n_encoders = 1;
    rig->courier = ab_courier_new(&rig->settings);
    fake_loop_run_ready(rig->loop);
}

static int setup(void **state)
{
    struct courier_rig *rig = ab_alloc(1, sizeof *rig);

    rig->loop = fake_loop_new();
    rig->store = fake_store_new(ab_store_memory_new(rig->loop), rig->loop);
    rig->client = fake_client_new(rig->loop);
    start_courier(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct courier_rig *rig = *state;

    ab_courier_free(rig->courier);
    fake_loop_run_ready(rig->loop);
    assert_int_equal(fake_client_open(rig->client), 0);
    rig->client->client.ops->free(&rig->client->client);
    rig->store->store.ops->free(&rig->store->store);
    fake_loop_run_ready(rig->loop);
    fake_loop_free(rig->loop);
    free(rig);
    return 0;
}

static void run(struct courier_rig *rig)
{
    fake_loop_run_ready(rig->loop);
}

/* --- what there is to deliver --- */

static void commit(struct courier_rig *rig, struct ab_task *task, const struct ab_task_request *request,
                   const char *status, const struct ab_delivery *deliveries, size_t n)
{
    AB_CLEANUP(ab_free_string) char *body = ab_format("{\"status\":\"%s\"}", status);
    struct ab_event event = { .number = task->last_event + 1,
                              .at = ab_clock_wall_ms(&rig->loop->clock),
                              .kind = AB_EVENT_STATUS,
                              .body_json = body };
    struct ab_store_commit commit = { .task = task,
                                      .request = request,
                                      .expected_last_event = task->last_event,
                                      .events = &event,
                                      .n_events = 1,
                                      .deliveries = deliveries,
                                      .n_deliveries = n };

    assert_true(ab_task_status_parse(status, &task->status));
    task->finished_at = ab_task_status_is_terminal(task->status) ? event.at : 0;
    task->last_event++;
    rig->store->store.ops->commit(&rig->store->store, &commit, NULL, NULL);
    run(rig);
}

static struct ab_task new_task(struct courier_rig *rig, unsigned number)
{
    struct ab_task task;
    struct ab_task_request request;

    store_sample_task(&task, number);
    store_sample_request(&request, NULL);
    commit(rig, &task, &request, "pending", NULL, 0);
    ab_task_request_deinit(&request);
    return task;
}

/* The task moves on, and `lane` is to be told of it; the courier is woken. */
static void tell(struct courier_rig *rig, struct ab_task *task, const char *status, uint32_t lane, const char *receiver)
{
    char kind[] = "test";
    char target[] = "{}";
    AB_CLEANUP(ab_free_string) char *to = ab_strdup(receiver);
    int64_t now = ab_clock_wall_ms(&rig->loop->clock);
    const struct ab_delivery delivery = { .lane = lane,
                                          .event = task->last_event + 1,
                                          .kind = kind,
                                          .receiver = to,
                                          .target_json = target,
                                          .created_at = now,
                                          .started_at = now,
                                          .next_at = now };

    commit(rig, task, NULL, status, &delivery, 1);
    ab_courier_wake(rig->courier);
    run(rig);
}

static void check_counts(struct courier_rig *rig, uint64_t due, uint64_t queued, uint64_t dead)
{
    uint64_t counts[AB_DELIVERY_STATE_COUNT];

    assert_int_equal(rig->store->store.ops->count_deliveries(&rig->store->store, counts), AB_OK);
    assert_int_equal(counts[AB_DELIVERY_DUE], due);
    assert_int_equal(counts[AB_DELIVERY_QUEUED], queued);
    assert_int_equal(counts[AB_DELIVERY_DEAD], dead);
}

static bool note_error(void *arg, const struct ab_delivery *delivery)
{
    ab_replace(arg, delivery->last_error);
    return true;
}

static void check_error(struct courier_rig *rig, enum ab_delivery_state state, const char *words)
{
    char *error = NULL;

    assert_int_equal(rig->store->store.ops->deliveries(&rig->store->store, state, 0, 0, note_error, &error), AB_OK);
    assert_non_null(error);
    if (strstr(error, words) == NULL)
        fail_msg("\"%s\" says nothing of \"%s\"", error, words);
    free(error);
}

#define assert_call(rig, at, expected)                                                                                 \
    do {                                                                                                               \
        assert_true((rig)->client->n_calls > (at));                                                                    \
        assert_string_equal((rig)->client->calls[at].body, expected);                                                  \
    } while (0)

/* --- the tests --- */

static void what_is_due_is_posted_under_guard(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);

    tell(rig, &task, "executing", 0, "http://a:80");
    assert_int_equal(rig->client->n_calls, 1);
    assert_call(rig, 0, "1 0/2 executing");
    assert_string_equal(rig->client->calls[0].method, "POST");
    assert_string_equal(rig->client->calls[0].url, "http://a:80/");
    assert_string_equal(rig->client->calls[0].headers, "Content-Type: text/plain\nX-Second: 2\n");
    assert_true(rig->client->calls[0].guarded && rig->client->calls[0].listed_only);
    check_counts(rig, 1, 0, 0);
    fake_client_answer(rig->client, 0, 204, NULL);
    run(rig);
    check_counts(rig, 0, 0, 0);
    tell(rig, &task, "completed", 0, "https://a:443");
    assert_true(rig->client->calls[1].guarded && !rig->client->calls[1].listed_only);
    fake_client_answer(rig->client, 1, 204, NULL);
    run(rig);
    ab_task_deinit(&task);
}

static void a_lane_keeps_its_order(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);

    tell(rig, &task, "executing", 0, "http://a:80");
    tell(rig, &task, "paused", 0, "http://a:80");
    tell(rig, &task, "executing", 0, "http://a:80");
    tell(rig, &task, "completed", 1, "http://a:80");
    assert_int_equal(rig->client->n_calls, 2); /* another lane does not wait */
    assert_call(rig, 0, "1 0/2 executing");
    assert_call(rig, 1, "1 1/5 completed");
    fake_client_answer(rig->client, 0, 500, NULL);
    fake_client_answer(rig->client, 1, 200, NULL);
    run(rig);
    assert_int_equal(rig->client->n_calls, 2);
    rig->client->answers = 200;
    fake_loop_advance(rig->loop, 6 * SECOND);
    assert_int_equal(rig->client->n_calls, 5);
    assert_call(rig, 2, "1 0/2 executing");
    assert_call(rig, 3, "1 0/3 paused");
    assert_call(rig, 4, "1 0/4 executing");
    check_counts(rig, 0, 0, 0);
    ab_task_deinit(&task);
}

static void pauses_double_with_jitter_until_a_day_is_over(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);
    int64_t begun = ab_clock_wall_ms(&rig->loop->clock);
    int64_t last = begun;
    int64_t expected = 5 * SECOND;
    size_t n = 1;
    bool jittered = false;

    tell(rig, &task, "executing", 0, "http://a:80");
    tell(rig, &task, "completed", 0, "http://a:80");
    while (fake_client_open(rig->client) > 0) {
        fake_client_answer(rig->client, n - 1, 503, NULL);
        run(rig);
        if (fake_client_open(rig->client) > 0)
            break; /* the next of the lane: this one was given up */
        for (int i = 0; i < 3601 && fake_client_open(rig->client) == 0; i++)
            fake_loop_advance(rig->loop, SECOND);
        int64_t pause = ab_clock_wall_ms(&rig->loop->clock) - last;
        assert_in_range(pause, (uintmax_t)(expected / 2), (uintmax_t)(expected + SECOND));
        jittered = jittered || pause / SECOND != expected / SECOND;
        last += pause;
        expected = expected * 2 < HOUR ? expected * 2 : HOUR;
        n++;
        assert_true(n < FAKE_CALLS - 1);
    }
    assert_true(jittered);
    assert_in_range(last - begun, (uintmax_t)(22 * HOUR), (uintmax_t)(24 * HOUR));
    check_counts(rig, 1, 0, 1);
    check_error(rig, AB_DELIVERY_DEAD, "503");
    assert_call(rig, n, "1 0/3 completed");
    fake_client_answer(rig->client, n, 200, NULL);
    run(rig);
    check_counts(rig, 0, 0, 1);
    ab_task_deinit(&task);
}

static void a_receiver_says_when_within_bounds(void **state)
{
    static const struct {
        const char *retry_after;
        int64_t least;
        int64_t most;
    } cases[] = {
        { "120", 120 * SECOND, 121 * SECOND },
        { "999999", HOUR, HOUR + SECOND },
        { "1", 2500, 6 * SECOND },
        { "nonsense", 2500, 6 * SECOND },
        { "Tue, 28 Jul 2026 00:02:00 GMT", 2500, 121 * SECOND },
    };
    struct courier_rig *rig = *state;

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_task task = new_task(rig, i + 1);
        size_t before = rig->client->n_calls;
        int64_t begun = ab_clock_wall_ms(&rig->loop->clock);
        tell(rig, &task, "executing", 0, "http://a:80");
        fake_client_answer(rig->client, before, 429, cases[i].retry_after);
        run(rig);
        for (int k = 0; k < 80000 && rig->client->n_calls == before + 1; k++)
            fake_loop_advance(rig->loop, 100);
        assert_in_range(ab_clock_wall_ms(&rig->loop->clock) - begun, (uintmax_t)cases[i].least,
                        (uintmax_t)cases[i].most);
        fake_client_answer(rig->client, before + 1, 200, NULL);
        run(rig);
        ab_task_deinit(&task);
    }
}

static void some_ends_are_for_good(void **state)
{
    static const struct {
        unsigned status; /* 0: the outcome */
        enum ab_http_call_outcome outcome;
        enum ab_delivery_state state;
        const char *words;
    } cases[] = {
        { 410, AB_HTTP_CALL_DONE, AB_DELIVERY_DEAD, "no more" },
        { 0, AB_HTTP_CALL_FORBIDDEN, AB_DELIVERY_DEAD, "plain http" },
        { 302, AB_HTTP_CALL_DONE, AB_DELIVERY_DUE, "redirects are not followed" },
        { 404, AB_HTTP_CALL_DONE, AB_DELIVERY_DUE, "404" },
        { 0, AB_HTTP_CALL_UNREACHABLE, AB_DELIVERY_DUE, "not allowed" },
        { 0, AB_HTTP_CALL_TIMED_OUT, AB_DELIVERY_DUE, "not allowed" },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct courier_rig *rig = *state;
        struct ab_task task = new_task(rig, 1);
        tell(rig, &task, "executing", 0, "http://a:80");
        if (cases[i].status != 0)
            fake_client_answer(rig->client, 0, cases[i].status, NULL);
        else
            fake_client_fail(rig->client, 0, cases[i].outcome, "not allowed");
        run(rig);
        check_error(rig, cases[i].state, cases[i].words);
        ab_task_deinit(&task);
        if (i + 1 < sizeof cases / sizeof *cases) {
            (void)teardown(state);
            (void)setup(state);
        }
    }
}

static void what_has_no_words(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);

    rig->encoding = AB_ENCODE_NEVER;
    tell(rig, &task, "executing", 0, "http://a:80");
    check_counts(rig, 0, 0, 1);
    check_error(rig, AB_DELIVERY_DEAD, "no words");
    rig->encoding = AB_ENCODE_LATER;
    tell(rig, &task, "completed", 0, "http://a:80");
    check_counts(rig, 1, 0, 1);
    check_error(rig, AB_DELIVERY_DUE, "no words");
    assert_int_equal(rig->client->n_calls, 0);
    rig->encoding = AB_ENCODED;
    rig->client->answers = 200;
    fake_loop_advance(rig->loop, 6 * SECOND);
    assert_int_equal(rig->client->n_calls, 1);
    check_counts(rig, 0, 0, 1);
    ab_task_deinit(&task);
}

static void a_kind_that_nobody_knows_is_kept(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);

    ab_courier_free(rig->courier);
    rig->settings.n_encoders = 0;
    rig->courier = ab_courier_new(&(struct ab_courier_settings){ .loop = rig->loop,
                                                                 .store = &rig->store->store,
                                                                 .client = &rig->client->client,
                                                                 .random = rig->settings.random });
    tell(rig, &task, "executing", 0, "http://a:80");
    check_error(rig, AB_DELIVERY_DEAD, "kind test");
    ab_task_deinit(&task);
}

static void the_operator_sends_again(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);
    const struct ab_settlement again = { 1, AB_SETTLE_RESEND, FAKE_LOOP_START_MS, NULL };

    tell(rig, &task, "executing", 0, "http://a:80");
    fake_client_answer(rig->client, 0, 410, NULL);
    run(rig);
    check_counts(rig, 0, 0, 1);
    rig->store->store.ops->settle(&rig->store->store, &again, NULL, NULL);
    run(rig);
    ab_courier_wake(rig->courier);
    run(rig);
    assert_int_equal(rig->client->n_calls, 2);
    assert_call(rig, 1, "1 0/2 executing");
    fake_client_answer(rig->client, 1, 200, NULL);
    run(rig);
    check_counts(rig, 0, 0, 0);
    ab_task_deinit(&task);
}

static void a_restart_in_the_middle_repeats(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);

    tell(rig, &task, "executing", 0, "http://a:80");
    tell(rig, &task, "completed", 0, "http://a:80");
    ab_courier_free(rig->courier);
    assert_true(rig->client->calls[0].cancelled);
    rig->client->answers = 200;
    start_courier(rig);
    assert_int_equal(rig->client->n_calls, 3);
    assert_call(rig, 1, "1 0/2 executing");
    assert_call(rig, 2, "1 0/3 completed");
    check_counts(rig, 0, 0, 0);
    ab_task_deinit(&task);
}

static void a_store_that_refuses_makes_no_second_post(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);
    struct ab_task other = new_task(rig, 2);

    tell(rig, &task, "executing", 0, "http://a:80");
    rig->store->unsettled = 3;
    fake_client_answer(rig->client, 0, 200, NULL);
    run(rig);
    tell(rig, &other, "executing", 0, "http://b:80");
    assert_int_equal(rig->client->n_calls, 1); /* nothing is begun that could not be noted */
    for (int i = 0; i < 12; i++) {             /* what keeps coming in does not put it off */
        fake_loop_advance(rig->loop, SECOND);
        ab_courier_wake(rig->courier);
    }
    assert_int_equal(rig->store->unsettled, 0);
    assert_int_equal(rig->client->n_calls, 1);
    rig->client->answers = 200;
    fake_loop_advance(rig->loop, 5 * SECOND);
    assert_int_equal(rig->client->n_calls, 2);
    assert_call(rig, 1, "2 0/2 executing");
    check_counts(rig, 0, 0, 0);
    rig->store->unsettled = 1; /* and the courier may go while one waits */
    tell(rig, &task, "completed", 0, "http://a:80");
    ab_task_deinit(&task);
    ab_task_deinit(&other);
}

static void a_slow_receiver_holds_nobody_up(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task tasks[8];
    struct ab_task other = new_task(rig, 100);

    for (unsigned i = 0; i < 8; i++) {
        tasks[i] = new_task(rig, i + 1);
        tell(rig, &tasks[i], "executing", 0, "http://slow:80");
    }
    assert_int_equal(fake_client_open(rig->client), 4);
    for (unsigned i = 0; i < 3; i++)
        tell(rig, &other, i % 2 == 0 ? "executing" : "paused", i, "http://quick:80");
    assert_int_equal(fake_client_open(rig->client), 7);
    fake_client_answer(rig->client, 1, 200, NULL);
    run(rig);
    assert_call(rig, 7, "5 0/2 executing");
    rig->client->answers = 200;
    for (size_t i = 0; i < 8; i++) {
        if (rig->client->open[i] != NULL)
            fake_client_answer(rig->client, i, 200, NULL);
    }
    run(rig);
    check_counts(rig, 0, 0, 0);
    for (unsigned i = 0; i < 8; i++)
        ab_task_deinit(&tasks[i]);
    ab_task_deinit(&other);
}

static void so_many_at_once_and_no_more(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task tasks[12];
    char receiver[32];

    ab_courier_free(rig->courier);
    rig->settings.parallel = 5;
    start_courier(rig);
    for (unsigned i = 0; i < 12; i++) {
        snprintf(receiver, sizeof receiver, "http://r%u:80", i);
        tasks[i] = new_task(rig, i + 1);
        tell(rig, &tasks[i], "executing", 0, receiver);
        assert_true(fake_client_open(rig->client) <= 5);
    }
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(fake_client_open(rig->client), i < 7 ? 5 : 12 - i);
        fake_client_answer(rig->client, i, 200, NULL);
        run(rig);
    }
    check_counts(rig, 0, 0, 0);
    for (unsigned i = 0; i < 12; i++)
        ab_task_deinit(&tasks[i]);
}

/* Of a receiver with one delivery under way another is due before that ends. */
static void one_under_way_hides_no_other(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task first = new_task(rig, 1);
    struct ab_task second = new_task(rig, 2);

    tell(rig, &second, "executing", 0, "http://a:80");
    fake_client_answer(rig->client, 0, 500, NULL);
    run(rig);
    tell(rig, &first, "executing", 0, "http://a:80");
    assert_int_equal(fake_client_open(rig->client), 1);
    fake_loop_advance(rig->loop, 6 * SECOND);
    assert_int_equal(fake_client_open(rig->client), 2);
    fake_client_answer(rig->client, 1, 200, NULL);
    fake_client_answer(rig->client, 2, 200, NULL);
    run(rig);
    check_counts(rig, 0, 0, 0);
    ab_task_deinit(&first);
    ab_task_deinit(&second);
}

/* What is told of an event is the task as it was then: a receiver that was down hears every step, not the end twice. */
static void a_late_word_is_of_its_time(void **state)
{
    struct courier_rig *rig = *state;
    struct ab_task task = new_task(rig, 1);

    tell(rig, &task, "executing", 0, "http://a:80");
    tell(rig, &task, "completed", 0, "http://a:80");
    fake_client_answer(rig->client, 0, 500, NULL);
    run(rig);
    rig->client->answers = 200;
    fake_loop_advance(rig->loop, 6 * SECOND);
    assert_call(rig, 1, "1 0/2 executing");
    assert_call(rig, 2, "1 0/3 completed");
    ab_task_deinit(&task);
}

static void a_task_as_of_an_event(void **state)
{
    static const struct {
        enum ab_task_status now;
        enum ab_event_kind kind;
        const char *body;
        enum ab_task_status status;
        enum ab_task_reason reason;
        const char *message;
        bool questions;
        bool result;
    } cases[] = {
        { AB_TASK_PAUSED, AB_EVENT_STATUS, "{\"status\":\"paused\",\"reason\":\"input\",\"message\":\"Who?\"}",
          AB_TASK_PAUSED, AB_REASON_INPUT, "Who?", true, false },
        { AB_TASK_COMPLETED, AB_EVENT_STATUS, "{\"status\":\"paused\",\"reason\":\"auth\"}", AB_TASK_PAUSED,
          AB_REASON_AUTH, NULL, false, false },
        { AB_TASK_COMPLETED, AB_EVENT_STATUS, "{\"status\":\"executing\",\"message\":\"at it\"}", AB_TASK_EXECUTING,
          AB_REASON_NONE, "at it", false, false },
        { AB_TASK_COMPLETED, AB_EVENT_STATUS, "{\"status\":\"completed\"}", AB_TASK_COMPLETED, AB_REASON_NONE, NULL,
          false, true },
        { AB_TASK_COMPLETED, AB_EVENT_ARTIFACT, "{\"id\":\"a\",\"status\":\"failed\",\"parts\":[]}", AB_TASK_EXECUTING,
          AB_REASON_NONE, NULL, false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AB_CLEANUP(ab_free_string) char *body = ab_strdup(cases[i].body);
        const struct ab_event event = { .number = 3, .at = 77, .kind = cases[i].kind, .body_json = body };
        struct ab_task task;
        store_sample_task(&task, 1);
        task.status = cases[i].now;
        task.last_event = 9;
        task.finished_at = 99;
        ab_replace(&task.status_message, "the last words");
        ab_replace(&task.questions_json, "{}");
        ab_replace(&task.result_json, "{}");
        ab_task_as_of(&task, &event);
        assert_int_equal(task.status, cases[i].status);
        assert_int_equal(task.reason, cases[i].reason);
        assert_string_equal(task.status_message != NULL ? task.status_message : "",
                            cases[i].message != NULL ? cases[i].message : "");
        assert_int_equal(task.questions_json != NULL, cases[i].questions);
        assert_int_equal(task.result_json != NULL, cases[i].result);
        assert_int_equal(task.finished_at != 0, cases[i].result);
        assert_int_equal(task.updated_at, 77);
        assert_int_equal(task.last_event, 3);
        ab_task_deinit(&task);
    }
}

#define with_rig(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(what_is_due_is_posted_under_guard),
        with_rig(a_lane_keeps_its_order),
        with_rig(pauses_double_with_jitter_until_a_day_is_over),
        with_rig(a_receiver_says_when_within_bounds),
        with_rig(some_ends_are_for_good),
        with_rig(what_has_no_words),
        with_rig(a_kind_that_nobody_knows_is_kept),
        with_rig(the_operator_sends_again),
        with_rig(a_restart_in_the_middle_repeats),
        with_rig(a_store_that_refuses_makes_no_second_post),
        with_rig(a_slow_receiver_holds_nobody_up),
        with_rig(so_many_at_once_and_no_more),
        with_rig(one_under_way_hides_no_other),
        with_rig(a_late_word_is_of_its_time),
        cmocka_unit_test(a_task_as_of_an_event),
    };

    return cmocka_run_group_tests_name("courier", tests, NULL, NULL);
}
