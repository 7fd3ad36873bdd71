/* Those who look at tasks while these change: what is told is durable, comes in order and once, whatever the store
 * refuses and whatever the watchers themselves do to the tasks from inside their callbacks. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const char approval[] = "{\"ok\":{\"kind\":\"approval\",\"message\":\"Go on?\"}}";

static void finish(struct rig *rig, const char *id)
{
    struct fake_run *run = fake_agent_run(rig->one, id);
    (void)fake_report_json(run, AB_REPORT_RESULT, "{\"text\":\"done\"}");
    fake_end(run);
    rig_run(rig);
}

/* --- a watcher that reads on from its cursor --- */

struct reader {
    struct rig *rig;
    struct ab_watch *watch;
    char id[AB_TASK_ID_SIZE];
    uint64_t cursor;
    uint64_t changes; /* how often it was woken */
};

/* The event of this number as the store has it. */
static bool same_event(void *arg, const struct ab_event *stored)
{
    const struct ab_event **told = arg;
    if (stored->number == (*told)->number && stored->kind == (*told)->kind && stored->at == (*told)->at &&
        strcmp(stored->body_json, (*told)->body_json) == 0) {
        *told = NULL;
    }
    return false;
}

static bool hear(void *arg, const struct ab_event *event)
{
    struct reader *reader = arg;
    struct ab_store *inner = reader->rig->store->inner;
    const struct ab_event *told = event;
    if (event->number != reader->cursor + 1) {
        fail_msg("event %u was told behind %u", (unsigned)event->number, (unsigned)reader->cursor);
    }
    assert_int_equal(inner->ops->events(inner, reader->id, reader->cursor, AB_EVENTS_ALL, 1, same_event, &told), AB_OK);
    assert_null(told); /* durable, and the same word by word */
    reader->cursor = event->number;
    return true;
}

static void read_on(struct reader *reader, size_t limit)
{
    struct rig *rig = reader->rig;
    assert_int_equal(ab_engine_events(rig->engine, reader->id, reader->cursor, AB_EVENTS_ALL, limit, hear, reader),
                     AB_OK);
}

static void read_all(void *arg)
{
    struct reader *reader = arg;
    reader->changes++;
    read_on(reader, 0);
}

static struct reader reading(struct rig *rig, const char *id)
{
    struct reader reader = { .rig = rig };
    (void)snprintf(reader.id, sizeof reader.id, "%s", id);
    return reader;
}

/* --- gone in the moment in which they were to be shown --- */

static void vanish(struct rig *rig, const char *id)
{
    struct ab_store *inner = rig->store->inner;
    inner->ops->remove(inner, id, NULL, NULL);
}

static void a_key_whose_task_goes(void **state)
{
    struct rig *rig = *state;
    struct ab_new_task wish = rig_wish();
    struct made first = { 0 };
    struct made again = { 0 };
    wish.idempotency_key = "k";
    rig_create(rig, &wish, &first);
    rig_run(rig);
    finish(rig, first.id);
    vanish(rig, first.id); /* in the loop's next turn, before the engine's */
    rig_create(rig, &wish, &again);
    rig_run(rig);
    assert_int_equal(again.n_calls, 1);
    assert_int_equal(again.outcome, AB_CREATE_NOT_STORED);
    assert_string_equal(again.id, "");
    assert_non_null(strstr(again.text, "removed"));
    rig_create(rig, &wish, &again);
    rig_run(rig);
    assert_int_equal(again.outcome, AB_CREATE_DONE);
}

static void a_steered_task_that_goes(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct steered stopped = { 0 };
    struct steered answered = { 0 };
    finish(rig, made.id);
    vanish(rig, made.id);
    rig_stop(rig, made.id, &stopped);
    rig_answer(rig, made.id, "{}", &answered);
    rig_run(rig);
    assert_int_equal(stopped.outcome, AB_STEER_UNKNOWN);
    assert_int_equal(answered.outcome, AB_STEER_UNKNOWN);
}

static void a_steered_task_that_cannot_be_read(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct steered stopped = { 0 };
    finish(rig, made.id);
    rig_stop(rig, made.id, &stopped);
    rig->store->unreadable = true;
    rig_run(rig);
    rig->store->unreadable = false;
    assert_int_equal(stopped.outcome, AB_STEER_NOT_STORED);
    assert_non_null(strstr(stopped.text, "cannot be read"));
}

/* --- commits that seemed refused --- */

static void a_commit_that_is_there_all_the_same(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct reader reader = reading(rig, made.id);
    reader.watch = ab_engine_watch(rig->engine, made.id, read_all, &reader);
    (void)fake_report_text(fake_agent_run(rig->one, made.id), AB_REPORT_CHUNK, "heard");
    rig_run(rig);
    assert_int_equal(reader.cursor, 3);
    rig->store->fails_late = true;
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1;
    (void)fake_report_text(fake_agent_run(rig->one, made.id), AB_REPORT_CHUNK, "written, though it seemed not to be");
    rig_run(rig);
    assert_int_equal(reader.cursor, 4);
    rig_wait(rig, 2000);
    assert_int_equal(reader.cursor, 5);
    assert_log(rig, made.id, "status:pending status:executing chunk chunk status:error");
    ab_watch_free(reader.watch);
}

/* Nothing follows such an end: it is told now or never. */
static void an_end_that_is_there_all_the_same(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct reader reader = reading(rig, made.id);
    reader.watch = ab_engine_watch(rig->engine, made.id, read_all, &reader);
    rig->store->fails_late = true;
    rig->store->fail_from = rig->store->n_commits + 1;
    rig->store->fail_count = 1;
    (void)fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_RESULT, NULL);
    rig_wait(rig, 100000);
    assert_int_equal(reader.cursor, 3);
    assert_log(rig, made.id, "status:pending status:executing status:completed");
    ab_watch_free(reader.watch);
}

/* --- removed ones --- */

static void nothing_is_new_of_a_removed_task(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    rig->one->lingers = true; /* so that the engine still holds it */
    assert_int_equal(ab_engine_newest_event(rig->engine, made.id), 2);
    ab_engine_remove(rig->engine, "ann", made.id, NULL, NULL);
    rig_run(rig);
    assert_int_equal(ab_engine_newest_event(rig->engine, made.id), 0);
    fake_end(run);
}

/* --- anything, in any order, from inside watchers as well --- */

enum { WALK_READERS = 48, WALK_STEPS = 200, WALKS = 200 };

struct walk {
    struct rig *rig;
    struct fake_random random;
    struct ab_random source;
    struct reader readers[WALK_READERS];
    unsigned n_readers;
    unsigned calls_due;
};

static unsigned dice(struct walk *walk, unsigned sides)
{
    uint32_t number = 0;
    ab_random_fill(&walk->source, &number, sizeof number);
    return (unsigned)(number % sides);
}

static void walk_create(struct walk *walk);
static void walk_act(struct walk *walk, const char *id);

static struct walk *the_walk; /* the one that is under way: readers are of their own */

static void walk_changed(void *arg)
{
    struct reader *reader = arg;
    struct walk *walk = the_walk;
    bool quick = (reader - walk->readers) % 3 != 0;
    reader->changes++;
    if (quick) {
        read_on(reader, 0);
    } else if (dice(walk, 4) == 0) {
        read_on(reader, 1 + dice(walk, 3));
    }
    if (dice(walk, 3) == 0) {
        walk_act(walk, reader->id);
    }
    if (dice(walk, 12) == 0) {
        ab_watch_free(reader->watch);
        reader->watch = NULL;
    }
}

static void walk_watch(struct walk *walk, const char *id)
{
    if (walk->n_readers == WALK_READERS) {
        return;
    }
    struct reader *reader = &walk->readers[walk->n_readers++];
    *reader = reading(walk->rig, id);
    reader->watch = ab_engine_watch(walk->rig->engine, id, walk_changed, reader);
    if (dice(walk, 2) == 0) {
        read_on(reader, 0);
    }
}

static void on_made(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct walk *walk = arg;
    walk->calls_due--;
    assert_true(task != NULL || (outcome != AB_CREATE_DONE && outcome != AB_CREATE_EXISTING));
    assert_true(outcome == AB_CREATE_DONE || outcome == AB_CREATE_EXISTING || text != NULL);
    if (task != NULL) {
        walk_watch(walk, task->id);
        if (dice(walk, 3) == 0) {
            walk_act(walk, task->id);
        }
    }
}

static void on_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct walk *walk = arg;
    (void)text;
    walk->calls_due--;
    assert_true(task != NULL || outcome == AB_STEER_UNKNOWN || outcome == AB_STEER_NOT_STORED);
    if (task != NULL && dice(walk, 4) == 0) {
        walk_act(walk, task->id);
    }
}

static void on_removed(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct walk *walk = arg;
    (void)outcome;
    (void)text;
    walk->calls_due--;
    assert_null(task);
}

static void on_wished(void *arg, enum ab_wish_outcome outcome, const char *text)
{
    struct walk *walk = arg;
    (void)outcome;
    (void)text;
    walk->calls_due--;
}

static void walk_create(struct walk *walk)
{
    static const char *const agents[] = { "one", "two", "retry", "refuse" };
    static const char *const threads[] = { NULL, "s", "t" };
    static const char *const keys[] = { NULL, NULL, "k", "l" };
    struct ab_new_task wish = rig_wish();
    wish.agent = agents[dice(walk, 4)];
    wish.thread_id = threads[dice(walk, 3)];
    wish.idempotency_key = keys[dice(walk, 4)];
    walk->calls_due++;
    ab_engine_create(walk->rig->engine, &wish, on_made, walk);
}

/* Whatever a face may do to a task. */
static void walk_act(struct walk *walk, const char *id)
{
    static const char wish[] = "{\"id\":\"w\",\"kind\":\"test\",\"receiver\":\"r\",\"events\":[\"completed\"]}";
    struct ab_engine *engine = walk->rig->engine;
    char own[AB_TASK_ID_SIZE]; /* `id` may be a part of what goes */
    (void)snprintf(own, sizeof own, "%s", id);
    unsigned what = dice(walk, 8);
    if (what < 6 && what != 2) {
        walk->calls_due++;
    }
    switch (what) {
    case 0:
        ab_engine_stop(engine, "ann", own, on_steered, walk);
        break;
    case 1:
        ab_engine_answer(engine, "ann", own, "{\"ok\":{\"action\":\"accept\"}}", on_steered, walk);
        break;
    case 2:
        walk_create(walk);
        break;
    case 3:
        ab_engine_remove(engine, "ann", own, on_removed, walk);
        break;
    case 4:
        ab_engine_put_wish(engine, "ann", own, wish, on_wished, walk);
        break;
    case 5:
        ab_engine_remove_wish(engine, "ann", own, "w", on_wished, walk);
        break;
    case 6:
        ab_engine_abandon(engine, own, (int64_t)dice(walk, 3) * 1000);
        break;
    default:
        walk_watch(walk, own);
        break;
    }
}

/* Any run that is still there reports or ends. */
static void walk_report(struct walk *walk)
{
    static const struct ab_report reports[] = {
        { .kind = AB_REPORT_EXECUTING, .text = "busy" },
        { .kind = AB_REPORT_PROGRESS, .progress_value = 1, .progress_total = 2 },
        { .kind = AB_REPORT_LOG, .text = "line" },
        { .kind = AB_REPORT_CHUNK, .text = "chunk" },
        { .kind = AB_REPORT_ASK, .json = approval },
        { .kind = AB_REPORT_RESULT },
        { .kind = AB_REPORT_FAILED, .text = "no" },
    };
    struct rig *rig = walk->rig;
    struct fake_agent *agents[] = { rig->one, rig->two, rig->retry, rig->refuse };
    struct fake_agent *agent = agents[dice(walk, 4)];
    size_t start = agent->n_runs > 0 ? dice(walk, (unsigned)agent->n_runs) : 0;
    for (size_t i = 0; i < agent->n_runs; i++) {
        struct fake_run *run = &agent->runs[(start + i) % agent->n_runs];
        if (run->run != NULL) {
            (void)ab_run_report(run->run, &reports[dice(walk, sizeof reports / sizeof reports[0])]);
            if (run->run != NULL && dice(walk, 8) == 0) {
                fake_end(run);
            }
            return;
        }
    }
}

/* Many events at once, more than are kept in memory. */
static void walk_flood(struct walk *walk)
{
    for (unsigned i = 0; i < 40; i++) {
        walk_report(walk);
    }
}

static void walk_step(struct walk *walk)
{
    struct fake_store *store = walk->rig->store;
    switch (dice(walk, 14)) {
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
        walk_flood(walk);
        break;
    case 6:
    case 7:
        if (walk->n_readers > 0) {
            walk_act(walk, walk->readers[dice(walk, walk->n_readers)].id);
        }
        break;
    case 8:
        store->fail_from = store->n_commits + 1 + dice(walk, 4);
        store->fail_count = dice(walk, 3);
        store->fail_as = dice(walk, 2) == 0 ? AB_STORE_REFUSED : AB_STORE_CONFLICT;
        store->fails_late = dice(walk, 2) == 0;
        break;
    case 9:
        rig_wait(walk->rig, (int64_t)dice(walk, 20000));
        break;
    case 10:
        if (store->holding) {
            fake_store_release(store);
        } else {
            store->holding = true;
        }
        break;
    default:
        rig_run(walk->rig);
        break;
    }
}

static void walk_end(struct walk *walk)
{
    struct fake_store *store = walk->rig->store;
    store->fail_from = 0;
    if (store->holding) {
        fake_store_release(store);
    }
    for (unsigned i = 0; i < 4; i++) {
        rig_wait(walk->rig, 3600000); /* every deadline has passed */
    }
    assert_int_equal(walk->calls_due, 0);
    for (unsigned i = 0; i < walk->n_readers; i++) {
        struct reader *reader = &walk->readers[i];
        struct ab_task row;
        bool quick = i % 3 != 0;
        if (store->inner->ops->get(store->inner, reader->id, &row) != AB_OK) {
            continue;
        }
        if (quick && reader->watch != NULL && reader->changes > 0) { /* nobody had to ask twice */
            assert_int_equal(reader->cursor, row.last_event);
        }
        read_on(reader, 0);
        assert_int_equal(reader->cursor, row.last_event);
        ab_task_deinit(&row);
    }
}

static void watchers_that_act(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= WALKS; seed++) {
        struct walk *walk = ab_alloc(1, sizeof *walk);
        void *rig = NULL;
        (void)rig_setup(&rig);
        the_walk = walk;
        walk->rig = rig;
        walk->source = fake_random(&walk->random, seed);
        for (unsigned i = 0; i < WALK_STEPS; i++) {
            walk_step(walk);
        }
        walk_end(walk);
        for (unsigned i = 0; i < walk->n_readers; i++) {
            ab_watch_free(walk->readers[i].watch);
        }
        (void)rig_teardown(&rig);
        free(walk);
    }
}

/* --- the end of the bridge, from inside a watcher --- */

struct ending {
    struct rig *rig;
    struct ab_watch *watch;
    char id[AB_TASK_ID_SIZE];
    unsigned downs;
    struct steered removed;
};

static void note_down(void *arg)
{
    struct ending *ending = arg;
    ending->downs++;
}

static void note_removed(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct steered *steered = arg;
    (void)task;
    (void)text;
    steered->n_calls++;
    steered->outcome = outcome;
}

static void end_everything(void *arg)
{
    struct ending *ending = arg;
    if (ending->watch == NULL) {
        return;
    }
    ab_engine_remove(ending->rig->engine, "ann", ending->id, note_removed, &ending->removed);
    ab_engine_shut_down(ending->rig->engine, note_down, ending);
    ab_watch_free(ending->watch);
    ending->watch = NULL;
}

static void the_bridge_ends_inside_a_watcher(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", "t");
    struct made next = rig_made(rig, "one", "t");
    struct ending ending = { .rig = rig };
    (void)snprintf(ending.id, sizeof ending.id, "%s", made.id);
    ending.watch = ab_engine_watch(rig->engine, made.id, end_everything, &ending);
    finish(rig, made.id);
    rig_run(rig);
    assert_int_equal(ending.downs, 1);
    assert_int_equal(ending.removed.n_calls, 1);
    assert_int_equal(ending.removed.outcome, AB_STEER_DONE);
    assert_log(rig, next.id, "status:pending");
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
    assert_log(rig, next.id, "status:pending status:executing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_key_whose_task_goes),
        with_rig(a_steered_task_that_goes),
        with_rig(a_steered_task_that_cannot_be_read),
        with_rig(a_commit_that_is_there_all_the_same),
        with_rig(an_end_that_is_there_all_the_same),
        with_rig(nothing_is_new_of_a_removed_task),
        with_rig(the_bridge_ends_inside_a_watcher),
        cmocka_unit_test(watchers_that_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
