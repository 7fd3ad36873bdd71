/* Who is told of a task, changed while it lives and after: what is acknowledged is stored, what is told follows, and a
 * refusal leaves everything as it was. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

struct wished {
    unsigned n_calls;
    enum ab_wish_outcome outcome;
    char text[256];
};

static void on_wished(void *arg, enum ab_wish_outcome outcome, const char *text)
{
    struct wished *wished = arg;

    wished->n_calls++;
    wished->outcome = outcome;
    snprintf(wished->text, sizeof wished->text, "%s", text != NULL ? text : "");
}

static void put(struct rig *rig, const char *owner, const char *id, const char *wish_id, struct wished *wished)
{
    AB_CLEANUP(ab_free_string)
    char *wish = ab_format("{\"id\":\"%s\",\"kind\":\"k\",\"receiver\":\"r\",\"target\":{},"
                           "\"events\":[\"executing\",\"completed\",\"artifact\"]}",
                           wish_id);

    *wished = (struct wished){ 0 };
    ab_engine_put_wish(rig->engine, owner, id, wish, on_wished, wished);
    assert_int_equal(wished->n_calls, 0);
}

static void take_out(struct rig *rig, const char *id, const char *wish_id, struct wished *wished)
{
    *wished = (struct wished){ 0 };
    ab_engine_remove_wish(rig->engine, "ann", id, wish_id, on_wished, wished);
    assert_int_equal(wished->n_calls, 0);
}

#define assert_wished(wished, expected)                                                                                \
    do {                                                                                                               \
        assert_int_equal((wished).n_calls, 1);                                                                         \
        assert_int_equal((wished).outcome, expected);                                                                  \
    } while (0)

static bool write_row(void *arg, const struct ab_delivery *delivery)
{
    ab_buf_printf(arg, "%u/%llu ", delivery->lane, (unsigned long long)delivery->event);
    return true;
}

/* What waits to be delivered, lane/event. */
static void check_outbox(struct rig *rig, const char *expected)
{
    struct ab_store *store = &rig->store->store;
    struct ab_buf text = AB_BUF_INIT(1000);

    assert_int_equal(store->ops->deliveries(store, AB_DELIVERY_DUE, 0, 0, write_row, &text), AB_OK);
    ab_buf_append_text(&text, "| ");
    assert_int_equal(store->ops->deliveries(store, AB_DELIVERY_QUEUED, 0, 0, write_row, &text), AB_OK);
    assert_string_equal(text.data, expected);
    ab_buf_deinit(&text);
}

/* The ids of a task's wishes, as the store has them. */
static void check_wishes(struct rig *rig, const char *id, const char *expected)
{
    struct ab_task_request request;
    struct ab_buf text = AB_BUF_INIT(1000);
    struct ab_json_iterator each;
    struct ab_json wish;

    assert_int_equal(ab_engine_request(rig->engine, id, &request), AB_OK);
    each = ab_json_iterate(ab_json_trusted(request.webhooks_json));
    while (request.webhooks_json != NULL && ab_json_next(&each, NULL, &wish)) {
        (void)!ab_json_unescape(ab_json_member(wish, "id"), &text);
        ab_buf_append_char(&text, ' ');
    }
    assert_string_equal(text.size > 0 ? text.data : "", expected);
    ab_buf_deinit(&text);
    ab_task_request_deinit(&request);
}

static void complete(struct rig *rig, const char *id)
{
    struct ab_report report = { .kind = AB_REPORT_RESULT, .text = "done" };

    assert_true(ab_run_report(fake_agent_run(rig->one, id)->run, &report) >= 0);
    fake_end(fake_agent_run(rig->one, id));
    rig_run(rig);
}

static void a_running_task_tells_from_then_on(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct wished wished;

    put(rig, "ann", made.id, "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_DONE);
    check_wishes(rig, made.id, "a ");
    check_outbox(rig, "| ");
    fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_ARTIFACT,
                     "{\"id\":\"x\",\"parts\":[{\"text\":\"1\"}]}");
    rig_run(rig);
    complete(rig, made.id);
    check_outbox(rig, "1000/3 | 1000/4 ");
}

static void an_ended_task_keeps_them(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", "t");
    struct wished first;
    struct wished second;
    struct made next;

    complete(rig, made.id);
    put(rig, "ann", made.id, "a", &first);
    put(rig, "ann", made.id, "b", &second);
    next = rig_made(rig, "one", "t"); /* the thread goes on meanwhile */
    assert_int_equal(next.outcome, AB_CREATE_DONE);
    rig_run(rig);
    assert_wished(first, AB_WISH_DONE);
    assert_wished(second, AB_WISH_DONE);
    check_wishes(rig, made.id, "a b ");
    assert_true(fake_agent_has(rig->one, next.id));
    rig_crash(rig);
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
    check_wishes(rig, made.id, "a b ");
}

static void removal_takes_what_waits_along(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct wished wished;

    put(rig, "ann", made.id, "a", &wished);
    put(rig, "ann", made.id, "b", &wished);
    complete(rig, made.id);
    check_outbox(rig, "1000/3 1001/3 | ");
    take_out(rig, made.id, "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_DONE);
    check_wishes(rig, made.id, "b ");
    check_outbox(rig, "1001/3 | ");
    take_out(rig, made.id, "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_DONE);
    put(rig, "ann", made.id, "b", &wished);
    rig_run(rig);
    check_wishes(rig, made.id, "b ");
    check_outbox(rig, "1001/3 | ");
}

static void strangers_find_nothing(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct wished wished;

    put(rig, "bob", made.id, "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_UNKNOWN);
    complete(rig, made.id);
    put(rig, "bob", made.id, "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_UNKNOWN);
    put(rig, "ann", "nothing", "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_UNKNOWN);
    check_wishes(rig, made.id, "");
}

static void there_is_a_limit(void **state)
{
    struct rig *rig = *state;
    struct wished wished;
    struct wished other;
    struct wished third;
    struct made made;

    rig_crash(rig);
    rig_restart(rig, &(struct ab_engine_settings){ .wishes_per_task = 2 }, true);
    made = rig_made(rig, "one", NULL);
    put(rig, "ann", made.id, "a", &wished);
    put(rig, "ann", made.id, "b", &other);
    put(rig, "ann", made.id, "c", &third);
    rig_run(rig);
    assert_wished(wished, AB_WISH_DONE);
    assert_wished(other, AB_WISH_DONE);
    assert_wished(third, AB_WISH_FULL);
    assert_non_null(strstr(third.text, "2"));
    put(rig, "ann", made.id, "b", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_DONE);
    check_wishes(rig, made.id, "a b ");
}

/* Refuses the next commit. */
static void refuse_next(struct rig *rig)
{
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1;
    rig->store->fail_as = AB_STORE_REFUSED;
}

static void a_refused_change_harms_nothing_else(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct wished wished;

    put(rig, "ann", made.id, "a", &wished);
    rig_run(rig);
    refuse_next(rig);
    put(rig, "ann", made.id, "b", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_NOT_STORED);
    check_wishes(rig, made.id, "a ");
    assert_int_equal(rig_status(rig, made.id), AB_TASK_EXECUTING);
    complete(rig, made.id);
    check_outbox(rig, "1000/3 | ");
    refuse_next(rig);
    put(rig, "ann", made.id, "b", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_NOT_STORED);
    refuse_next(rig);
    take_out(rig, made.id, "a", &wished);
    rig_run(rig);
    assert_wished(wished, AB_WISH_NOT_STORED);
    check_wishes(rig, made.id, "a ");
    check_outbox(rig, "1000/3 | ");
}

/* Decided while a commit is under way: acknowledged with its own, not with that one. */
static void nobody_hears_of_it_too_early(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct wished first;
    struct wished second;
    struct wished gone;

    rig->store->holding = true;
    put(rig, "ann", made.id, "a", &first);
    rig_run(rig);
    put(rig, "ann", made.id, "b", &second);
    take_out(rig, made.id, "a", &gone);
    rig_run(rig);
    assert_int_equal(first.n_calls + second.n_calls + gone.n_calls, 0);
    fake_store_release(rig->store);
    rig_run(rig);
    assert_wished(first, AB_WISH_DONE);
    assert_wished(second, AB_WISH_DONE);
    assert_wished(gone, AB_WISH_DONE);
    check_wishes(rig, made.id, "b ");
}

static void on_removed(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    unsigned *n_done = arg;

    (void)task;
    (void)text;
    *n_done += outcome == AB_STEER_DONE ? 1 : 100;
}

/* Somebody removes the task while its wishes are being changed, in either order. */
static void a_task_may_go_meanwhile(void **state)
{
    struct rig *rig = *state;

    for (int wish_first = 0; wish_first < 2; wish_first++) {
        struct made made = rig_made(rig, "one", NULL);
        struct wished wished;
        unsigned n_removed = 0;
        complete(rig, made.id);
        if (wish_first == 1)
            put(rig, "ann", made.id, "a", &wished);
        ab_engine_remove(rig->engine, "ann", made.id, on_removed, &n_removed);
        if (wish_first == 0)
            put(rig, "ann", made.id, "a", &wished);
        rig_run(rig);
        assert_int_equal(wished.n_calls, 1);
        assert_int_equal(n_removed, 1);
        take_out(rig, made.id, "a", &wished);
        rig_run(rig);
        assert_wished(wished, AB_WISH_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_running_task_tells_from_then_on),
        with_rig(an_ended_task_keeps_them),
        with_rig(removal_takes_what_waits_along),
        with_rig(strangers_find_nothing),
        with_rig(there_is_a_limit),
        with_rig(a_refused_change_harms_nothing_else),
        with_rig(nobody_hears_of_it_too_early),
        with_rig(a_task_may_go_meanwhile),
    };

    return cmocka_run_group_tests_name("engine: wishes", tests, NULL, NULL);
}
