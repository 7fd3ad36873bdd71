/* The SQLite store where the machine does its worst: no rights, no room, no time to say good-bye. */
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite.h"
#include "support/real_loop.h"
#include "support/store_contract.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { REASON_SIZE = 512 };

/* --- in a process of its own --- */

/* Runs `body` in a child, which must exit with 0. */
static void in_child(struct store_rig *rig, int (*body)(struct store_rig *rig))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(body(rig));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("the child ended with status %x", (unsigned)status);
    }
}

static bool is_refused(struct ab_loop *loop, const char *directory, const char *word)
{
    char reason[REASON_SIZE] = "";
    struct ab_store *store = ab_store_sqlite_new(loop, directory, NULL, NULL, reason, sizeof(reason));
    if (store != NULL || strstr(reason, word) == NULL || strstr(reason, directory) == NULL) {
        fprintf(stderr, "expected \"%s\": %s\n", word, reason);
        return false;
    }
    return true;
}

/* The super-user may write anywhere: the child becomes somebody else. Whoever owns the files already gets as far as the
 * database, and other words. */
static int open_what_may_not_be_written(struct store_rig *rig)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return 3;
    }
    struct ab_loop *loop = real_loop_new();
    AB_CLEANUP(ab_free_string) char *below = ab_format("%s/below", rig->directory);
    bool right = is_refused(loop, rig->directory, "writ") && is_refused(loop, below, "may write") &&
                 is_refused(loop, "/dev/null", "must be a directory");
    real_loop_free(loop);
    return right ? 0 : 1;
}

static void an_unwritable_directory_is_refused(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    assert_int_equal(chmod(rig->directory, 0555), 0);
    in_child(rig, open_what_may_not_be_written);
    assert_int_equal(chmod(rig->directory, 0700), 0);
}

/* Adds events until that is refused. Returns whether the words are about a full disk. */
static bool fill_up(struct store_rig *rig, struct ab_task *task)
{
    struct store_wait wait = { 0 };
    for (int round = 0; round < 1000 && wait.outcome == AB_STORE_DONE; round++) {
        struct ab_event *events = store_sample_events(task->last_event + 1, 2, 60000);
        task->last_event += 2;
        struct ab_store_commit commit = {
            .task = task, .expected_last_event = task->last_event - 2, .events = events, .n_events = 2
        };
        wait.done = false;
        rig->store->ops->commit(rig->store, &commit, store_wait_done, &wait);
        real_loop_run(rig->loop, &wait.done, 30);
        store_free_events(events, 2);
    }
    task->last_event -= 2;
    fprintf(stderr, "refused: %s\n", wait.text);
    return wait.outcome == AB_STORE_REFUSED && strstr(wait.text, "disk is full") != NULL;
}

/* While there is no room everything is refused and everything can be read; with room it goes on. */
static int live_with_a_full_disk(struct store_rig *rig, void (*make_room)(void *), void *arg)
{
    struct ab_task task;
    store_sample_task(&task, 1);
    if (store_create(rig, &task, NULL, 1) != AB_STORE_DONE || !fill_up(rig, &task)) {
        return 4;
    }
    if (store_update(rig, &task, 40, 30000) != AB_STORE_REFUSED) {
        return 5;
    }
    store_check_dense(rig->store, task.id);
    make_room(arg);
    if (store_update(rig, &task, 3, 60000) != AB_STORE_DONE) {
        return 6;
    }
    store_check_dense(rig->store, task.id);
    store_rig_reopen(rig);
    store_check_dense(rig->store, task.id);
    store_rig_close(rig);
    ab_task_deinit(&task);
    return 0;
}

static void lift_limit(void *arg)
{
    struct rlimit *limit = arg;
    limit->rlim_cur = limit->rlim_max;
    setrlimit(RLIMIT_FSIZE, limit);
}

static int live_with_a_file_limit(struct store_rig *rig)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 2;
    }
    rig->store = store_sqlite_maker.open(rig->loop, rig->directory);
    if (rig->store == NULL) {
        return 3;
    }
    limit.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_FSIZE, &limit);
    return live_with_a_full_disk(rig, lift_limit, &limit);
}

static void a_file_limit_is_survived(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    in_child(rig, live_with_a_file_limit);
}

static void remove_ballast(void *arg)
{
    unlink(arg);
}

enum { CANNOT_MOUNT = 77 };

static int live_on_a_small_disk(struct store_rig *rig)
{
    /* In a name space of its own: the mount goes with the child. */
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", rig->directory, "tmpfs", 0, "size=4m") != 0) {
        return CANNOT_MOUNT;
    }
    AB_CLEANUP(ab_free_string) char *ballast = ab_format("%s/ballast", rig->directory);
    int file = open(ballast, O_WRONLY | O_CREAT, 0600);
    if (file < 0 || posix_fallocate(file, 0, 2 << 20) != 0) {
        return 2;
    }
    close(file);
    rig->store = store_sqlite_maker.open(rig->loop, rig->directory);
    return rig->store != NULL ? live_with_a_full_disk(rig, remove_ballast, ballast) : 3;
}

static int live_on_a_small_disk_if_mountable(struct store_rig *rig)
{
    int result = live_on_a_small_disk(rig);
    if (result == CANNOT_MOUNT) {
        fprintf(stderr, "skipped: no small file system can be mounted here\n");
        return 0;
    }
    return result;
}

static void a_full_disk_is_survived(void **state)
{
    struct store_rig *rig = *state;
    store_rig_close(rig);
    in_child(rig, live_on_a_small_disk_if_mountable);
}

/* --- killed while committing --- */

enum { KILL_TASKS = 8 };

struct killed_task {
    struct store_rig *rig;
    struct ab_task task;
    int report; /* where to tell what is durable */
    unsigned number;
};

static void commit_more(struct killed_task *killed);

static void tell_durable(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct killed_task *killed = arg;
    (void)text;
    uint64_t durable[2] = { killed->number, killed->task.last_event };
    if (outcome != AB_STORE_DONE || write(killed->report, durable, sizeof(durable)) != sizeof(durable)) {
        _exit(9);
    }
    commit_more(killed);
}

static void commit_more(struct killed_task *killed)
{
    uint64_t before = killed->task.last_event;
    struct ab_event *events = store_sample_events(before + 1, 3, 700);
    killed->task.last_event += 3;
    struct ab_store_commit commit = {
        .task = &killed->task, .expected_last_event = before, .events = events, .n_events = 3
    };
    struct ab_store *store = killed->rig->store;
    store->ops->commit(store, &commit, tell_durable, killed);
    store_free_events(events, 3);
}

static void commit_for_ever(struct store_rig *rig, int report)
{
    struct killed_task killed[KILL_TASKS];
    bool never = false;
    rig->store = store_sqlite_maker.open(rig->loop, rig->directory);
    for (unsigned number = 0; number < KILL_TASKS; number++) {
        killed[number] = (struct killed_task){ .rig = rig, .report = report, .number = number };
        store_sample_task(&killed[number].task, number);
        if (store_create(rig, &killed[number].task, NULL, 0) != AB_STORE_DONE) {
            _exit(8);
        }
    }
    for (unsigned number = 0; number < KILL_TASKS; number++) {
        commit_more(&killed[number]);
    }
    real_loop_run(rig->loop, &never, 60);
}

/* Reads what the child says is durable and kills it after `enough` words; what was on its way still counts. */
static void kill_in_the_middle(pid_t child, int reports, size_t enough, uint64_t durable[KILL_TASKS])
{
    uint64_t word[2];
    size_t n_words = 0;
    while (read(reports, word, sizeof(word)) == sizeof(word)) {
        assert_true(word[0] < KILL_TASKS);
        durable[word[0]] = word[1];
        if (++n_words == enough) {
            assert_int_equal(kill(child, SIGKILL), 0);
        }
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check_after_kill(struct store_rig *rig, const uint64_t durable[KILL_TASKS])
{
    uint64_t counts[AB_TASK_STATUS_COUNT];
    rig->store = store_sqlite_maker.open(rig->loop, rig->directory);
    assert_non_null(rig->store);
    for (unsigned number = 0; number < KILL_TASKS; number++) {
        struct ab_task sample;
        struct ab_task found;
        store_sample_task(&sample, number);
        assert_int_equal(rig->store->ops->get(rig->store, sample.id, &found), AB_OK);
        assert_true(found.last_event >= durable[number]);
        assert_int_equal(found.last_event % 3, 0);
        store_check_dense(rig->store, sample.id);
        ab_task_deinit(&found);
        ab_task_deinit(&sample);
    }
    assert_int_equal(rig->store->ops->count(rig->store, counts), AB_OK);
    assert_int_equal(counts[AB_TASK_PENDING], KILL_TASKS);
}

static void a_kill_loses_nothing_that_was_done(void **state)
{
    struct store_rig *rig = *state;
    uint64_t durable[KILL_TASKS] = { 0 };
    int ends[2];
    store_rig_close(rig);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        commit_for_ever(rig, ends[1]);
        _exit(7);
    }
    close(ends[1]);
    kill_in_the_middle(child, ends[0], 3000, durable);
    close(ends[0]);
    check_after_kill(rig, durable);
}

int main(void)
{
    struct store_maker maker = store_sqlite_maker;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unwritable_directory_is_refused),
        cmocka_unit_test(a_file_limit_is_survived),
        cmocka_unit_test(a_full_disk_is_survived),
        cmocka_unit_test(a_kill_loses_nothing_that_was_done),
    };
    for (size_t index = 0; index < sizeof(tests) / sizeof(tests[0]); index++) {
        tests[index].setup_func = store_rig_setup;
        tests[index].teardown_func = store_rig_teardown;
        tests[index].initial_state = &maker;
    }
    return cmocka_run_group_tests_name("store in SQLite, at its worst", tests, NULL, NULL);
}
