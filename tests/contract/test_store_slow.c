/* The SQLite store on a slow disk: the layer below it (a VFS of SQLite) takes its time for each sync. Nobody waits who
 * need not, many share one sync, and nothing is left half-written. */
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite.h"
#include "support/real_loop.h"
#include "support/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include <cmocka.h>

enum { COMMITS = 200, PATIENCE_S = 60 };

/* --- the slow layer --- */

static const long sync_ns = 50 * 1000 * 1000;
static sqlite3_vfs slow_vfs;
static sqlite3_io_methods slow_methods;
static const sqlite3_io_methods *quick_methods;
static atomic_uint n_syncs;

static int slow_sync(sqlite3_file *file, int flags)
{
    struct timespec pause = { .tv_nsec = sync_ns };
    nanosleep(&pause, NULL);
    atomic_fetch_add(&n_syncs, 1);
    return quick_methods->xSync(file, flags);
}

static int slow_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    sqlite3_vfs *below = vfs->pAppData;
    int code = below->xOpen(below, name, file, flags, out_flags);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) { /* what every commit syncs */
        quick_methods = file->pMethods;
        slow_methods = *quick_methods;
        slow_methods.xSync = slow_sync;
        file->pMethods = &slow_methods;
    }
    return code;
}

static void slow_down(void)
{
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    assert_non_null(below);
    slow_vfs = *below;
    slow_vfs.zName = "slow";
    slow_vfs.pNext = NULL;
    slow_vfs.pAppData = below;
    slow_vfs.xOpen = slow_open;
    assert_int_equal(sqlite3_vfs_register(&slow_vfs, 1), SQLITE_OK);
}

/* --- tests --- */

struct progress {
    unsigned done;
    bool all;
};

static void count_done(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct progress *progress = arg;
    (void)text;
    assert_int_equal(outcome, AB_STORE_DONE);
    progress->all = ++progress->done == COMMITS;
}

static void commit_many(struct store_rig *rig, struct ab_task *task, struct progress *progress)
{
    for (unsigned i = 0; i < COMMITS; i++) {
        struct ab_event *events = store_sample_events(task->last_event + 1, 1, 100);
        task->last_event++;
        rig->store->ops->commit(
            rig->store,
            &(struct ab_store_commit){
                .task = task, .expected_last_event = task->last_event - 1, .events = events, .n_events = 1 },
            count_done, progress);
        store_free_events(events, 1);
    }
}

static void many_share_a_slow_sync(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task row;
    struct progress progress = { 0 };
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    unsigned before = atomic_load(&n_syncs);
    commit_many(rig, &task, &progress);
    assert_true(rig->store->ops->backlog(rig->store) > 0);
    /* What is committed can be read at once, what is not cannot be seen. */
    assert_int_equal(rig->store->ops->get(rig->store, task.id, &row), AB_OK);
    assert_true(row.last_event < task.last_event);
    ab_task_deinit(&row);
    assert_int_equal(progress.done, 0);
    real_loop_run(rig->loop, &progress.all, PATIENCE_S);
    unsigned syncs = atomic_load(&n_syncs) - before;
    assert_int_equal(progress.done, COMMITS);
    assert_true(syncs >= 1 && syncs <= COMMITS / 8); /* groups, not one by one */
    assert_int_equal(rig->store->ops->backlog(rig->store), 0);
    store_check_dense(rig->store, task.id);
    store_rig_reopen(rig);
    store_check_dense(rig->store, task.id);
    ab_task_deinit(&task);
}

/* Closing waits for the disk: nothing handed over is left half-written. */
static void a_close_waits_for_the_disk(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task row;
    struct progress progress = { 0 };
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    commit_many(rig, &task, &progress);
    store_rig_reopen(rig);
    assert_int_equal(progress.done, COMMITS);
    assert_int_equal(rig->store->ops->get(rig->store, task.id, &row), AB_OK);
    assert_int_equal(row.last_event, task.last_event);
    store_check_dense(rig->store, task.id);
    ab_task_deinit(&row);
    ab_task_deinit(&task);
}

int main(void)
{
    struct store_maker maker = store_sqlite_maker;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(many_share_a_slow_sync),
        cmocka_unit_test(a_close_waits_for_the_disk),
    };
    for (size_t index = 0; index < sizeof(tests) / sizeof(tests[0]); index++) {
        tests[index].setup_func = store_rig_setup;
        tests[index].teardown_func = store_rig_teardown;
        tests[index].initial_state = &maker;
    }
    slow_down();
    return cmocka_run_group_tests_name("store in SQLite, on a slow disk", tests, NULL, NULL);
}
