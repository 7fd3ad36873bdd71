/* What the local operator sees of the outbox, page by page, and what is sent again. */
#include "app/webhooks_look.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/memory.h"
#include "support/fake_loop.h"
#include "support/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct look {
    struct ab_loop *loop;
    struct ab_store *store;
    struct ab_task task;
};

static int set_up(void **state)
{
    struct look *look = ab_alloc(1, sizeof *look);
    struct ab_task_request request;
    struct ab_store_commit commit = { .task = &look->task, .request = &request };

    look->loop = fake_loop_new();
    look->store = ab_store_memory_new(look->loop);
    store_sample_task(&look->task, 1);
    store_sample_request(&request, NULL);
    look->store->ops->commit(look->store, &commit, NULL, NULL);
    ab_task_request_deinit(&request);
    fake_loop_run_ready(look->loop);
    *state = look;
    return 0;
}

static int tear_down(void **state)
{
    struct look *look = *state;

    ab_task_deinit(&look->task);
    look->store->ops->free(look->store);
    fake_loop_run_ready(look->loop);
    fake_loop_free(look->loop);
    free(look);
    return 0;
}

static void settle(struct look *look, uint64_t id, enum ab_settlement_kind kind)
{
    look->store->ops->settle(look->store, &(struct ab_settlement){ id, kind, 1, "refused" }, NULL, NULL);
    fake_loop_run_ready(look->loop);
}

/* One event, and `n` deliveries of it in the lanes from `first` on. */
static void add(struct look *look, uint32_t first, uint32_t n)
{
    static char kind[] = "rest-webhook";
    static char receiver[] = "https://a.example:443";
    static char target[] = "{\"url\":\"https://a.example/x?key=canary\",\"sealed\":\"canary\"}";
    struct ab_event *event = store_sample_events(look->task.last_event + 1, 1, 0);
    struct ab_delivery *deliveries = ab_alloc(n, sizeof *deliveries);
    struct ab_store_commit commit = { .task = &look->task,
                                      .expected_last_event = look->task.last_event,
                                      .events = event,
                                      .n_events = 1,
                                      .deliveries = deliveries,
                                      .n_deliveries = n };

    for (uint32_t i = 0; i < n; i++)
        deliveries[i] = (struct ab_delivery){ .lane = first + i,
                                              .event = look->task.last_event + 1,
                                              .kind = kind,
                                              .receiver = receiver,
                                              .target_json = target };
    look->task.last_event++;
    look->store->ops->commit(look->store, &commit, NULL, NULL);
    fake_loop_run_ready(look->loop);
    store_free_events(event, 1);
    free(deliveries);
}

/* How many rows a list has in all, over how many pages; all ids differ. */
static size_t count_rows(struct look *look, const char *state, size_t *n_pages)
{
    bool seen[1000] = { false };
    char *after = NULL;
    size_t n = 0;

    *n_pages = 0;
    do {
        AB_CLEANUP(ab_free_string)
        char *params =
            ab_format("{%s%s%s%s%s%s%s}", state != NULL ? "\"state\":\"" : "", state != NULL ? state : "",
                      state != NULL ? "\"" : "", state != NULL && after != NULL ? "," : "",
                      after != NULL ? "\"after\":\"" : "", after != NULL ? after : "", after != NULL ? "\"" : "");
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_buf reason = AB_BUF_INIT(1000);
        struct ab_json_iterator each;
        struct ab_json row;
        int64_t id;
        assert_true(ab_webhooks_list(look->store, ab_json_trusted(params), &out, &reason));
        each = ab_json_iterate(ab_json_member(ab_json_trusted(out.data), "webhooks"));
        while (ab_json_next(&each, NULL, &row)) {
            assert_true(ab_json_int(ab_json_member(row, "id"), &id));
            assert_false(seen[id]);
            seen[id] = true;
            n++;
        }
        assert_null(strstr(out.data, "canary"));
        free(after);
        after = ab_json_string_dup(ab_json_member(ab_json_trusted(out.data), "next"));
        ab_buf_deinit(&out);
        (*n_pages)++;
    } while (after != NULL);
    return n;
}

static void every_row_is_on_one_page(void **state)
{
    struct look *look = *state;
    size_t n_pages;

    assert_int_equal(count_rows(look, NULL, &n_pages), 0);
    assert_int_equal(n_pages, 1);
    add(look, 0, 150);
    add(look, 0, 150); /* queued behind them */
    for (uint64_t id = 1; id <= 20; id++)
        settle(look, id, AB_SETTLE_DEAD);
    assert_int_equal(count_rows(look, NULL, &n_pages), 300);
    assert_int_equal(n_pages, 3);
    assert_int_equal(count_rows(look, "dead", &n_pages), 20);
    assert_int_equal(n_pages, 1);
    assert_int_equal(count_rows(look, "due", &n_pages), 150);
    assert_int_equal(count_rows(look, "queued", &n_pages), 130);
    assert_int_equal(n_pages, 2);
}

static void wrong_words_are_told(void **state)
{
    static const char *const cases[][2] = {
        { "{\"state\":\"lost\"}", "there are dead, due and queued" },
        { "{\"after\":\"x\"}", "\"next\" of an earlier page" },
        { "{\"after\":\"dead-x\"}", "\"next\" of an earlier page" },
        { "{\"after\":\"lost-1\"}", "\"next\" of an earlier page" },
    };
    struct look *look = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_buf reason = AB_BUF_INIT(1000);
        assert_false(ab_webhooks_list(look->store, ab_json_trusted(cases[i][0]), &out, &reason));
        assert_non_null(strstr(reason.data, cases[i][1]));
        ab_buf_deinit(&out);
        ab_buf_deinit(&reason);
    }
}

struct resent {
    unsigned n_calls;
    size_t n;
    char text[128];
};

static void on_resent(void *arg, size_t n_resent, const char *text)
{
    struct resent *resent = arg;

    resent->n_calls++;
    resent->n = n_resent;
    snprintf(resent->text, sizeof resent->text, "%s", text != NULL ? text : "");
}

/* What the reason says, or "" when it begins. */
static void resend(struct look *look, const char *params, struct resent *resent, bool begins, const char *words)
{
    struct ab_buf reason = AB_BUF_INIT(1000);
    const struct ab_webhooks_resend *under_way;

    *resent = (struct resent){ 0 };
    under_way = ab_webhooks_resend(look->store, ab_json_trusted(params), 9, on_resent, resent, &reason);
    assert_int_equal(under_way != NULL, begins);
    assert_int_equal(resent->n_calls, 0);
    if (strstr(reason.size > 0 ? reason.data : "", words) == NULL || (words[0] == '\0' && reason.size > 0))
        fail_msg("%s: \"%s\"", params, reason.size > 0 ? reason.data : "");
    fake_loop_run_ready(look->loop);
    assert_int_equal(resent->n_calls, begins ? 1 : 0);
    ab_buf_deinit(&reason);
}

static void one_or_all_are_sent_again(void **state)
{
    struct look *look = *state;
    struct resent resent;

    add(look, 0, 3);
    add(look, 0, 1);
    resend(look, "{\"all\":true}", &resent, false, "");
    settle(look, 1, AB_SETTLE_DEAD);
    settle(look, 2, AB_SETTLE_DEAD);
    resend(look, "{\"id\":\"2\"}", &resent, true, "");
    assert_int_equal(resent.n, 1);
    resend(look, "{\"id\":3}", &resent, true, ""); /* that waits for its next try: at once */
    settle(look, 2, AB_SETTLE_DEAD);
    resend(look, "{\"all\":true}", &resent, true, "");
    assert_int_equal(resent.n, 2);
    resend(look, "{\"id\":77}", &resent, false, "no webhook 77");
    resend(look, "{\"id\":0}", &resent, false, "number");
    resend(look, "{\"id\":\"all\"}", &resent, false, "number");
    resend(look, "{}", &resent, false, "number");
    add(look, 1, 1);
    resend(look, "{\"id\":5}", &resent, false, "earlier one");
}

static void whoever_has_gone_is_not_told(void **state)
{
    struct look *look = *state;
    struct resent resent = { 0 };
    struct ab_buf reason = AB_BUF_INIT(1000);
    struct ab_webhooks_resend *under_way;

    add(look, 0, 2);
    under_way = ab_webhooks_resend(look->store, ab_json_trusted("{\"id\":1}"), 9, on_resent, &resent, &reason);
    assert_non_null(under_way);
    ab_webhooks_resend_forget(under_way);
    fake_loop_run_ready(look->loop);
    assert_int_equal(resent.n_calls, 0);
}

static void one_is_shown_without_its_secrets(void **state)
{
    struct look *look = *state;
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf reason = AB_BUF_INIT(1000);
    struct ab_json webhook;

    add(look, 0, 1);
    settle(look, 1, AB_SETTLE_DEAD);
    assert_true(ab_webhooks_show(look->store, ab_json_trusted("{\"id\":\"1\"}"), &out, &reason));
    webhook = ab_json_member(ab_json_trusted(out.data), "webhook");
    assert_true(ab_json_string_is(ab_json_member(webhook, "url"), "https://a.example/x"));
    assert_true(ab_json_string_is(ab_json_member(webhook, "state"), "dead"));
    assert_true(ab_json_string_is(ab_json_member(webhook, "last_error"), "refused"));
    assert_true(ab_json_string_is(ab_json_member(webhook, "task_id"), look->task.id));
    assert_null(strstr(out.data, "canary"));
    ab_buf_deinit(&out);
}

#define with_look(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_look(every_row_is_on_one_page),         with_look(wrong_words_are_told),
        with_look(one_or_all_are_sent_again),        with_look(whoever_has_gone_is_not_told),
        with_look(one_is_shown_without_its_secrets),
    };

    return cmocka_run_group_tests_name("looking at the outbox", tests, NULL, NULL);
}
