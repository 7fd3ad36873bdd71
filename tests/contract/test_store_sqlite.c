/* The SQLite store keeps the contract of stores, outlives its process and opens only what is its own. */
#include "base/embedded.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite.h"
#include "support/real_loop.h"
#include "support/store_contract.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { REASON_SIZE = 512 };

/* Opening must fail, with all of these words in the reason. */
static void check_refused(struct store_rig *rig, const char *directory, const char *word, const char *other_word)
{
    char reason[REASON_SIZE] = "";
    struct ab_store *store = ab_store_sqlite_new(rig->loop, directory, NULL, NULL, reason, sizeof(reason));
    assert_null(store);
    if (strstr(reason, word) == NULL || strstr(reason, other_word) == NULL) {
        fail_msg("\"%s\" and \"%s\" are not in: %s", word, other_word, reason);
    }
}

static void run_sql(struct store_rig *rig, const char *sql)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/agentbridge.db", rig->directory);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static off_t file_size(const struct store_rig *rig, const char *name)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/%s", rig->directory, name);
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

/* --- what is there after a restart --- */

static bool same_body(void *arg, const struct ab_store_record *record)
{
    return strcmp(record->body.data, arg) == 0;
}

static void everything_is_there_after_reopening(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task found;
    struct ab_task_request request;
    uint64_t counts[AB_TASK_STATUS_COUNT];
    char id[AB_TASK_ID_SIZE];
    char body[] = "sealed";
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, "key", 2), AB_STORE_DONE);
    task.status = AB_TASK_EXECUTING;
    assert_int_equal(store_update(rig, &task, 3, 5000), AB_STORE_DONE);
    struct ab_store_record record = { .kind = "k", .id = "r", .owner = "alice", .body = { body, sizeof(body) } };
    rig->store->ops->put_record(rig->store, &record, NULL, NULL);
    store_rig_reopen(rig);

    struct ab_store *store = rig->store;
    assert_int_equal(store->ops->get(store, task.id, &found), AB_OK);
    assert_int_equal(found.last_event, 5);
    assert_int_equal(found.status, AB_TASK_EXECUTING);
    ab_task_deinit(&found);
    store_check_dense(store, task.id);
    assert_int_equal(store->ops->get_request(store, task.id, &request), AB_OK);
    ab_task_request_deinit(&request);
    assert_int_equal(store->ops->find_key(store, "alice", "report", "key", id), AB_OK);
    assert_int_equal(store->ops->count(store, counts), AB_OK);
    assert_int_equal(counts[AB_TASK_EXECUTING], 1);
    assert_int_equal(counts[AB_TASK_PENDING], 0);
    assert_int_equal(store->ops->get_record(store, "k", "r", same_body, body), AB_OK);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    ab_task_deinit(&task);
}

static void files_are_the_users_alone(void **state)
{
    struct store_rig *rig = *state;
    static const char *const names[] = { "agentbridge.db", "agentbridge.db-wal", "agentbridge.db-shm", "lock" };
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
        AB_CLEANUP(ab_free_string) char *path = ab_format("%s/%s", rig->directory, names[index]);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    store_rig_close(rig);
    assert_int_equal(file_size(rig, "agentbridge.db-wal"), -1);
}

static void missing_directories_are_made(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    AB_CLEANUP(ab_free_string) char *above = ab_format("%s/a", rig->directory);
    AB_CLEANUP(ab_free_string) char *inside = ab_format("%s/a/b", rig->directory);
    AB_CLEANUP(ab_free_string) char *file = ab_format("%s/a/b/agentbridge.db", rig->directory);
    AB_CLEANUP(ab_free_string) char *lock = ab_format("%s/a/b/lock", rig->directory);
    struct ab_store *store = store_sqlite_maker.open(rig->loop, inside);
    struct stat status;
    assert_non_null(store);
    assert_int_equal(stat(inside, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    store->ops->free(store);
    unlink(file);
    unlink(lock);
    rmdir(inside);
    rmdir(above);
}

/* Makes the database anew as an older version left it, filled, and leaves it closed. */
static void make_older(struct store_rig *rig, int version, const char *filling)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/agentbridge.db", rig->directory);
    struct ab_buf sql = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    store_rig_close(rig);
    assert_int_equal(unlink(path), 0);
    for (int number = 1; number <= version; number++) {
        AB_CLEANUP(ab_free_string) char *name = ab_format("store/%03d.sql", number);
        ab_buf_append_str(&sql, ab_embedded(name));
    }
    ab_buf_printf(&sql, "%s; PRAGMA user_version = %d", filling, version);
    run_sql(rig, sql.data);
    ab_buf_deinit(&sql);
}

static void open_store(struct store_rig *rig)
{
    rig->store = store_sqlite_maker.open(rig->loop, rig->directory);
    assert_non_null(rig->store);
}

/* Tasks as every schema has them; an empty thread is one of its own. */
static const char old_tasks[] =
    "CREATE TEMP TABLE old (seq, thread, owner, agent, status, reason, created_at, updated_at, finished_at);"
    "INSERT INTO old VALUES"
    " (1, '', 'alice', 'report', 'completed', '', 100, 150, 150),"
    " (2, '', 'alice', 'report', 'completed', '', 110, 500, 500),"
    " (3, 't', 'alice', 'report', 'failed', 'rejected', 120, 130, 130),"
    " (4, 't', 'alice', 'report', 'failed', '', 140, 145, 145),"
    " (5, 't', 'alice', 'travel', 'executing', '', 160, 165, 0),"
    " (6, 't', 'bob', 'report', 'error', 'crashed', 170, 180, 180),"
    " (7, '', 'alice', 'travel', 'paused', 'auth', 90, 600, 0),"
    " (8, 't8', 'alice', 'report', 'completed', '', 200, 205, 205),"
    " (9, 't8', 'alice', 'report', 'completed', '', 200, 206, 206);"
    "INSERT INTO task (seq, id, thread_id, owner, agent, surface, status, reason, created_at, updated_at, "
    "finished_at, last_event, turn, attempt, n_artifacts) "
    "SELECT seq, printf('%032x', seq), iif(thread = '', printf('%032x', seq), thread), owner, agent, 'mcp', status, "
    "reason, created_at, updated_at, finished_at, 1, 1, 1, 0 FROM old;"
    "INSERT INTO event SELECT seq, 1, created_at, 'log', '{}' FROM old;"
    "INSERT INTO request (task, message_json, input_json, options_json) SELECT seq, '{}', '{}', '{}' FROM old;"
    "INSERT INTO task_count SELECT status, count(*) FROM old GROUP BY status";

static void check_filtered(struct ab_store *store, const struct ab_store_filter *filter, const char *expected,
                           uint64_t expected_total)
{
    uint64_t total = 0;
    AB_CLEANUP(ab_free_string) char *found = store_list_text(store, filter);
    assert_string_equal(found, expected);
    assert_int_equal(store->ops->total(store, filter, &total), AB_OK);
    assert_int_equal(total, expected_total);
}

static void check_old_tasks(struct store_rig *rig)
{
    struct ab_store *store = rig->store;
    const uint64_t expected[AB_TASK_STATUS_COUNT] = { 0, 1, 1, 4, 2, 1, 0 };
    uint64_t counts[AB_TASK_STATUS_COUNT];
    check_filtered(store, &(struct ab_store_filter){ 0 }, "9 8 6 5 4 3 2 1 7", 9);
    check_filtered(store, &(struct ab_store_filter){ .owner = "alice" }, "9 8 5 4 3 2 1 7", 8);
    check_filtered(store, &(struct ab_store_filter){ .owner = "alice", .agent = "report", .order = AB_STORE_BY_CHANGE },
                   "2 9 8 1 4 3", 6);
    check_filtered(store, &(struct ab_store_filter){ .owner = "alice", .latest = true }, "9 5 2 1 7", 5);
    check_filtered(store, &(struct ab_store_filter){ .owner = "bob", .latest = true }, "6", 1);
    check_filtered(store,
                   &(struct ab_store_filter){ .statuses = 1u << AB_TASK_FAILED, .reasons = 1u << AB_REASON_REJECTED },
                   "3", 1);
    check_filtered(store, &(struct ab_store_filter){ .owner = "alice", .thread_id = "t" }, "5 4 3", 3);
    check_filtered(store, &(struct ab_store_filter){ .thread_id = "00000000000000000000000000000002" }, "2", 1);
    assert_int_equal(store->ops->count(store, counts), AB_OK);
    assert_memory_equal(counts, expected, sizeof(expected));
}

/* Goes on with what is there: a task ends, a latest turn is removed, old ones are swept. */
static void use_old_tasks(struct store_rig *rig)
{
    struct ab_task task;
    const struct ab_store_filter latest = { .owner = "alice", .latest = true };
    assert_int_equal(rig->store->ops->get(rig->store, "00000000000000000000000000000005", &task), AB_OK);
    task.status = AB_TASK_STOPPED;
    task.finished_at = task.updated_at = 700;
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    ab_task_deinit(&task);
    check_filtered(rig->store, &(struct ab_store_filter){ .owner = "alice", .order = AB_STORE_BY_CHANGE },
                   "5 7 2 9 8 1 4 3", 8);
    assert_int_equal(store_remove(rig, "00000000000000000000000000000005"), AB_STORE_DONE);
    check_filtered(rig->store, &latest, "9 4 2 1 7", 5);
    assert_int_equal(store_sweep(rig, 181, 0), AB_STORE_DONE);
    check_filtered(rig->store, &latest, "9 2 7", 3);
    check_filtered(rig->store, &(struct ab_store_filter){ 0 }, "9 8 2 7", 4);
}

static void older_schemas_are_brought_up_to_date(void **state)
{
    struct store_rig *rig = *state;
    for (int version = 1; version <= 6; version++) {
        make_older(rig, version, old_tasks);
        open_store(rig);
        check_old_tasks(rig);
        use_old_tasks(rig);
        store_rig_reopen(rig);
        check_filtered(rig->store, &(struct ab_store_filter){ 0 }, "9 8 2 7", 4);
    }
}

/* The last step fails half way: neither it nor those before it may be left behind. */
static void a_schema_that_cannot_be_brought_up_to_date_stays(void **state)
{
    static const int versions[] = { 1, 6 };
    struct store_rig *rig = *state;
    for (size_t index = 0; index < sizeof(versions) / sizeof(versions[0]); index++) {
        make_older(rig, versions[index], old_tasks);
        run_sql(rig, "CREATE TABLE task_created (a)");
        check_refused(rig, rig->directory, "cannot prepare", "task_created");
        run_sql(rig, "DROP TABLE task_created");
        open_store(rig);
        check_old_tasks(rig);
    }
}

/* --- what does not open --- */

static void a_newer_schema_is_refused(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    run_sql(rig, "PRAGMA user_version = 4711");
    check_refused(rig, rig->directory, "newer agentbridge (schema 4711", "install");
}

static void anothers_database_is_refused(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    run_sql(rig, "PRAGMA user_version = 0");
    check_refused(rig, rig->directory, "another program", rig->directory);
}

static void a_directory_in_use_is_refused(void **state)
{
    struct store_rig *rig = *state;
    AB_CLEANUP(ab_free_string) char *process = ab_format("process %ld", (long)getpid());
    check_refused(rig, rig->directory, rig->directory, process);
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    ab_task_deinit(&task);
}

static void damage(const struct store_rig *rig, off_t from, size_t size)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/agentbridge.db", rig->directory);
    int file = open(path, O_WRONLY);
    assert_true(file >= 0);
    AB_CLEANUP(ab_free_string) char *noise = ab_alloc(size, 1);
    memset(noise, 0x5a, size);
    assert_int_equal(pwrite(file, noise, size, from), size);
    close(file);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    damage(rig, 0, 4096);
    check_refused(rig, rig->directory, "damaged", "backup");
}

/* Where the table or index of this name begins. */
static off_t root_of(const struct store_rig *rig, const char *name)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/agentbridge.db", rig->directory);
    AB_CLEANUP(ab_free_string)
    char *sql = ab_format("SELECT (rootpage - 1) * 4096 FROM sqlite_schema WHERE name = '%s'", name);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    off_t root = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return root;
}

static bool any_task(void *arg, const struct ab_task *task)
{
    (void)arg;
    (void)task;
    return true;
}

/* Pages are looked at only when they are read: that must end in a fault, not in nonsense. */
static void a_damaged_page_is_a_fault(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    struct ab_task found;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    store_rig_close(rig);
    damage(rig, root_of(rig, "sqlite_autoindex_task_1"), 4096);
    open_store(rig);
    struct ab_store_filter filter = { .id_prefix = "0" };
    assert_int_equal(rig->store->ops->get(rig->store, task.id, &found), AB_FAULT_CORRUPT);
    assert_int_equal(rig->store->ops->list(rig->store, &filter, any_task, NULL), AB_FAULT_CORRUPT);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_REFUSED);
    ab_task_deinit(&task);
}

/* A start counts what is open: without that it would go on as if there were nothing. */
static void damage_that_a_start_meets_is_told(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    ab_task_deinit(&task);
    store_rig_close(rig);
    damage(rig, root_of(rig, "task_open"), 4096);
    check_refused(rig, rig->directory, "damaged", "backup");
}

/* --- the log, the groups and the numbers --- */

static void the_log_stays_short(void **state)
{
    struct store_rig *rig = *state;
    struct ab_task task;
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 0), AB_STORE_DONE);
    for (int round = 0; round < 40; round++) {
        assert_int_equal(store_update(rig, &task, 4, 256 * 1024), AB_STORE_DONE);
    }
    assert_in_range(file_size(rig, "agentbridge.db-wal"), 1, 16 << 20);
    store_check_dense(rig->store, task.id);
    ab_task_deinit(&task);
}

static void a_burst_shares_its_syncs(void **state)
{
    struct store_rig *rig = *state;
    enum { BURST = 1000 };
    size_t before = real_loop_posts(rig->loop);
    for (unsigned number = 0; number < BURST; number++) {
        struct ab_task task;
        struct ab_task_request request;
        store_sample_task(&task, number);
        store_sample_request(&request, NULL);
        struct ab_store_commit commit = { .task = &task, .request = &request };
        rig->store->ops->commit(rig->store, &commit, NULL, NULL);
        ab_task_request_deinit(&request);
        ab_task_deinit(&task);
    }
    struct ab_task last;
    store_sample_task(&last, BURST);
    assert_int_equal(store_create(rig, &last, NULL, 1), AB_STORE_DONE);
    assert_true(real_loop_posts(rig->loop) - before < BURST / 2);
    ab_task_deinit(&last);
}

static void metrics_tell_what_happened(void **state)
{
    struct store_rig *rig = *state;
    char reason[REASON_SIZE];
    struct ab_task task;
    struct ab_metrics *metrics = ab_metrics_new();
    store_rig_close(rig);
    rig->store = ab_store_sqlite_new(rig->loop, rig->directory, NULL, metrics, reason, sizeof(reason));
    assert_non_null(rig->store);
    store_sample_task(&task, 1);
    assert_int_equal(store_create(rig, &task, NULL, 1), AB_STORE_DONE);
    assert_int_equal(store_update(rig, &task, 1, 0), AB_STORE_DONE);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_metrics_render(metrics, &text);
    assert_non_null(strstr(text.data, "\nagentbridge_store_changes_total 2\n"));
    assert_non_null(strstr(text.data, "\nagentbridge_store_groups_total 2\n"));
    assert_non_null(strstr(text.data, "\nagentbridge_store_refused_total 0\n"));
    assert_non_null(strstr(text.data, "\nagentbridge_store_queue_changes 0\n"));
    assert_non_null(strstr(text.data, "\nagentbridge_store_change_seconds_count 2\n"));
    ab_buf_deinit(&text);
    store_rig_close(rig);
    ab_metrics_free(metrics);
    ab_task_deinit(&task);
}

static int run_own_tests(void)
{
    struct store_maker maker = store_sqlite_maker;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there_after_reopening),
        cmocka_unit_test(files_are_the_users_alone),
        cmocka_unit_test(missing_directories_are_made),
        cmocka_unit_test(older_schemas_are_brought_up_to_date),
        cmocka_unit_test(a_schema_that_cannot_be_brought_up_to_date_stays),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(anothers_database_is_refused),
        cmocka_unit_test(a_directory_in_use_is_refused),
        cmocka_unit_test(a_file_that_is_no_database_is_refused),
        cmocka_unit_test(a_damaged_page_is_a_fault),
        cmocka_unit_test(damage_that_a_start_meets_is_told),

        cmocka_unit_test(the_log_stays_short),
        cmocka_unit_test(a_burst_shares_its_syncs),
        cmocka_unit_test(metrics_tell_what_happened),
    };
    for (size_t index = 0; index < sizeof(tests) / sizeof(tests[0]); index++) {
        tests[index].setup_func = store_rig_setup;
        tests[index].teardown_func = store_rig_teardown;
        tests[index].initial_state = &maker;
    }
    return cmocka_run_group_tests_name("store in SQLite, on its own", tests, NULL, NULL);
}

int main(void)
{
    int failed = store_contract_run(&store_sqlite_maker);
    return failed + run_own_tests();
}
