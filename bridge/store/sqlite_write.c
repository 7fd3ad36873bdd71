/* The writer's thread: takes changes in the order they were handed over, writes many of them in one transaction, and
 * puts them into the mailbox from which the loop tells how they ended.
 *
 * A transaction is as large as what waits, up to a number and a time: with little to do each change is on disk at
 * once, with much to do they share the price of a sync. */
#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <signal.h>
#include <string.h>

static const size_t group_max = 64;
static const int64_t group_us = 2000;
/* Pages (of 4 KiB) in the write-ahead log before they are carried over, and before readers are waited for as well. */
static const int checkpoint_pages = 1000;
static const int restart_pages = 8000;
static const int restart_busy_ms = 50;
static const int busy_ms = 5000;

/* --- the mailbox --- */

/* After close, once no other thread has it. Where the loop still holds a post to it, it goes with that one's look. */
static void mailbox_free(struct ab_sqlite_mailbox *mailbox)
{
    if (!mailbox->posted) {
        pthread_mutex_destroy(&mailbox->mutex);
        free(mailbox);
    }
}

static void look_into(void *arg)
{
    struct ab_sqlite_mailbox *mailbox = arg;
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->posted = false;
    bool closed = mailbox->closed;
    pthread_mutex_unlock(&mailbox->mutex);
    if (closed) {
        mailbox_free(mailbox);
        return;
    }
    ab_sqlite_tell(mailbox->store);
}

static void mailbox_put(struct ab_sqlite_writer *writer, struct ab_list *written)
{
    struct ab_sqlite_mailbox *mailbox = writer->mailbox;
    pthread_mutex_lock(&mailbox->mutex);
    ab_list_take(&mailbox->written, written);
    mailbox->groups++;
    for (size_t status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        mailbox->moved[status] += writer->moved[status];
    }
    bool post = !mailbox->posted && !mailbox->closed;
    mailbox->posted = mailbox->posted || post;
    pthread_mutex_unlock(&mailbox->mutex);
    if (post) {
        ab_loop_post(writer->loop, look_into, mailbox);
    }
}

void ab_sqlite_mailbox_take(struct ab_sqlite_mailbox *mailbox, struct ab_list *out,
                            uint64_t counts[AB_TASK_STATUS_COUNT], size_t *groups)
{
    pthread_mutex_lock(&mailbox->mutex);
    ab_list_take(out, &mailbox->written);
    *groups = mailbox->groups;
    mailbox->groups = 0;
    for (size_t status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        counts[status] += (uint64_t)mailbox->moved[status];
        mailbox->moved[status] = 0;
    }
    pthread_mutex_unlock(&mailbox->mutex);
}

static struct ab_sqlite_mailbox *mailbox_new(struct ab_sqlite_store *store)
{
    struct ab_sqlite_mailbox *mailbox = ab_alloc(1, sizeof(*mailbox));
    pthread_mutex_init(&mailbox->mutex, NULL);
    ab_list_init(&mailbox->written);
    mailbox->store = store;
    return mailbox;
}

void ab_sqlite_mailbox_close(struct ab_sqlite_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->closed = true;
    pthread_mutex_unlock(&mailbox->mutex);
}

/* --- one group --- */

/* Moves waiting changes into the group, as many as fit. */
static size_t take_waiting(struct ab_sqlite_writer *writer, struct ab_list *fresh, size_t room)
{
    size_t taken = 0;
    pthread_mutex_lock(&writer->mutex);
    struct ab_link *link;
    while (taken < room && (link = ab_list_first(&writer->waiting)) != NULL) {
        ab_link_remove(link);
        ab_list_append(fresh, link);
        taken++;
    }
    pthread_mutex_unlock(&writer->mutex);
    return taken;
}

/* Does `fresh` and moves it to `group`, all of it, whatever happens. */
static int apply_fresh(struct ab_sqlite_writer *writer, struct ab_list *fresh, struct ab_list *group)
{
    int code = SQLITE_OK;
    struct ab_link *link;
    while ((link = ab_list_first(fresh)) != NULL) {
        struct ab_change *change = AB_OWNER(link, struct ab_change, link);
        if (code == SQLITE_OK && change->outcome == AB_STORE_DONE) {
            code = ab_sqlite_apply(writer, change);
        }
        ab_link_remove(link);
        ab_list_append(group, link);
    }
    return code;
}

/* Fills one transaction while changes wait and the time lasts. */
static int fill_group(struct ab_sqlite_writer *writer, struct ab_list *group)
{
    struct ab_list fresh;
    ab_list_init(&fresh);
    int64_t until = ab_clock_monotonic_us(&writer->clock) + group_us;
    size_t room = group_max - take_waiting(writer, &fresh, group_max);
    int code = ab_sqlite_run(writer, AB_SQLITE_BEGIN);
    if (code != SQLITE_OK) {
        ab_list_take(group, &fresh);
        return code;
    }
    do {
        code = apply_fresh(writer, &fresh, group);
        if (code != SQLITE_OK || room == 0 || ab_clock_monotonic_us(&writer->clock) >= until) {
            break;
        }
        room -= take_waiting(writer, &fresh, room);
    } while (!ab_list_is_empty(&fresh));
    return code;
}

/* Nothing of the group is in the database: everyone in it hears why. */
static void refuse_group(struct ab_sqlite_writer *writer, struct ab_list *group, int code)
{
    AB_CLEANUP(ab_free_string) char *text = ab_sqlite_explain(writer->db, code, writer->seen_errno);
    if (sqlite3_get_autocommit(writer->db) == 0 && ab_sqlite_run(writer, AB_SQLITE_ROLLBACK) != SQLITE_OK) {
        /* No harm done: the next group is refused as well, and tries this again. */
        ab_log(writer->log, AB_LOG_WARNING, "store", "a transaction cannot be rolled back yet", "directory",
               writer->directory, NULL);
    }
    struct ab_link *link = ab_list_first(group);
    for (; link != NULL; link = ab_list_next(group, link)) {
        ab_change_end(AB_OWNER(link, struct ab_change, link), AB_STORE_REFUSED, text);
    }
    if (!writer->failing) {
        ab_log(writer->log, AB_LOG_ERROR, "store", "changes cannot be stored", "directory", writer->directory, "why",
               text, NULL);
    }
    writer->failing = true;
}

static void accept_group(struct ab_sqlite_writer *writer)
{
    if (writer->failing) {
        ab_log(writer->log, AB_LOG_INFO, "store", "changes can be stored again", "directory", writer->directory, NULL);
    }
    writer->failing = false;
}

/* Carries the log's pages over to the database, so that the log starts anew and stays short. After the group was told:
 * nobody waits for it. What fails here fails again later, or shows in a commit. */
static void checkpoint(struct ab_sqlite_writer *writer)
{
    if (writer->wal_pages < writer->checkpoint_at) {
        return;
    }
    bool restart = writer->wal_pages >= restart_pages;
    (void)sqlite3_busy_timeout(writer->db, restart_busy_ms);
    (void)sqlite3_wal_checkpoint_v2(writer->db, NULL, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
                                    NULL, NULL);
    (void)sqlite3_busy_timeout(writer->db, busy_ms);
    writer->checkpoint_at = writer->wal_pages + checkpoint_pages;
}

static void write_group(struct ab_sqlite_writer *writer)
{
    struct ab_list group;
    ab_list_init(&group);
    memset(writer->moved, 0, sizeof(writer->moved));
    ab_sqlite_shelves_begin(writer);
    writer->seen_errno = 0;
    int code = fill_group(writer, &group);
    if (code == SQLITE_OK) {
        code = ab_sqlite_shelves_write(writer);
    }
    if (code == SQLITE_OK) {
        code = ab_sqlite_run(writer, AB_SQLITE_COMMIT);
    }
    if (code == SQLITE_OK) {
        accept_group(writer);
    } else {
        refuse_group(writer, &group, code);
        memset(writer->moved, 0, sizeof(writer->moved));
    }
    mailbox_put(writer, &group);
    checkpoint(writer);
}

/* --- the thread --- */

static int after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct ab_sqlite_writer *writer = arg;
    (void)db;
    (void)name;
    if (pages < writer->wal_pages) {
        writer->checkpoint_at = checkpoint_pages;
    }
    writer->wal_pages = pages;
    return SQLITE_OK;
}

/* True when something waits; false when the thread is to end. */
static bool wait_for_changes(struct ab_sqlite_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    while (ab_list_is_empty(&writer->waiting) && !writer->closing) {
        pthread_cond_wait(&writer->wake, &writer->mutex);
    }
    bool waits = !ab_list_is_empty(&writer->waiting);
    pthread_mutex_unlock(&writer->mutex);
    return waits;
}

static void *run(void *arg)
{
    struct ab_sqlite_writer *writer = arg;
    while (wait_for_changes(writer)) {
        write_group(writer);
    }
    return NULL;
}

void ab_sqlite_writer_init(struct ab_sqlite_writer *writer, struct ab_sqlite_store *store)
{
    writer->directory = store->directory;
    writer->log = store->log;
    writer->loop = store->loop;
    writer->clock = ab_clock_system();
    writer->mailbox = mailbox_new(store);
    ab_list_init(&writer->waiting);
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->wake, NULL);
}

int ab_sqlite_writer_start(struct ab_sqlite_writer *writer)
{
    writer->checkpoint_at = checkpoint_pages;
    (void)sqlite3_wal_hook(writer->db, after_commit, writer);

    /* Signals are the loop's business; one that says a file may not grow is seen as an error of the write. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fault = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (fault != 0) {
        return AB_FAULT_SYSTEM;
    }
    writer->running = true;
    return AB_OK;
}

void ab_sqlite_writer_add(struct ab_sqlite_writer *writer, struct ab_change *change)
{
    pthread_mutex_lock(&writer->mutex);
    bool was_empty = ab_list_is_empty(&writer->waiting);
    ab_list_append(&writer->waiting, &change->link);
    pthread_mutex_unlock(&writer->mutex);
    if (was_empty) {
        pthread_cond_signal(&writer->wake);
    }
}

void ab_sqlite_writer_stop(struct ab_sqlite_writer *writer)
{
    if (!writer->running) {
        return;
    }
    pthread_mutex_lock(&writer->mutex);
    writer->closing = true;
    pthread_mutex_unlock(&writer->mutex);
    pthread_cond_signal(&writer->wake);
    pthread_join(writer->thread, NULL);
    writer->running = false;
}

void ab_sqlite_writer_drain(struct ab_sqlite_writer *writer)
{
    while (!ab_list_is_empty(&writer->waiting)) {
        write_group(writer);
    }
}

void ab_sqlite_writer_deinit(struct ab_sqlite_writer *writer)
{
    for (size_t index = 0; index < AB_SQLITE_WRITE_COUNT; index++) {
        (void)sqlite3_finalize(writer->statements[index]);
    }
    (void)sqlite3_close(writer->db);
    free(writer->filings);
    mailbox_free(writer->mailbox);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->mutex);
}
