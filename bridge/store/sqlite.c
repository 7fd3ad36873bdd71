/* The SQLite store as the port sees it: changes go to the writer's thread and come back through the mailbox, reads are
 * answered from the reader's connection. */
#include "store/sqlite.h"

#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <stdio.h>
#include <unistd.h>

static struct ab_sqlite_store *store_of(struct ab_store *store)
{
    return (struct ab_sqlite_store *)(void *)store;
}

/* --- changes --- */

static void show_queue(struct ab_sqlite_store *store)
{
    ab_metric_set(store->queue_changes, (double)store->waiting);
    ab_metric_set(store->queue_bytes, (double)store->backlog);
}

static void hand_over(struct ab_store *base, struct ab_change *change)
{
    struct ab_sqlite_store *store = store_of(base);
    change->handed_over_us = ab_clock_monotonic_us(&store->loop->clock);
    store->waiting++;
    store->backlog += change->bytes;
    show_queue(store);
    ab_sqlite_writer_add(&store->writer, change);
}

static void tell_one(struct ab_sqlite_store *store, struct ab_change *change, int64_t now)
{
    store->waiting--;
    store->backlog -= change->bytes;
    ab_metric_observe(store->seconds, (double)(now - change->handed_over_us) / 1e6);
    ab_metric_add(store->changes, 1);
    ab_metric_add(store->refused, change->outcome == AB_STORE_REFUSED ? 1 : 0);
    ab_change_finish(change);
}

void ab_sqlite_tell(struct ab_sqlite_store *store)
{
    struct ab_list written;
    ab_list_init(&written);
    size_t groups = 0;
    ab_sqlite_mailbox_take(store->writer.mailbox, &written, store->counts, &groups);
    ab_metric_add(store->groups, (double)groups);
    int64_t now = ab_clock_monotonic_us(&store->loop->clock);
    struct ab_link *link;
    while ((link = ab_list_first(&written)) != NULL) {
        ab_link_remove(link);
        tell_one(store, AB_OWNER(link, struct ab_change, link), now);
    }
    show_queue(store);
}

static void sqlite_commit(struct ab_store *store, const struct ab_store_commit *commit, ab_store_done_fn done,
                          void *arg)
{
    hand_over(store, ab_change_commit(commit, done, arg));
}

static void sqlite_sweep(struct ab_store *store, int64_t finished_before, size_t limit, ab_store_done_fn done,
                         void *arg)
{
    int64_t now = ab_clock_wall_ms(&store_of(store)->loop->clock);
    hand_over(store, ab_change_sweep(finished_before, limit, now, done, arg));
}

static void sqlite_remove(struct ab_store *store, const char *id, ab_store_done_fn done, void *arg)
{
    hand_over(store, ab_change_remove(id, done, arg));
}

static void sqlite_put_record(struct ab_store *store, const struct ab_store_record *record, ab_store_done_fn done,
                              void *arg)
{
    hand_over(store, ab_change_put_record(record, done, arg));
}

static void sqlite_remove_record(struct ab_store *store, const char *kind, const char *id, ab_store_done_fn done,
                                 void *arg)
{
    hand_over(store, ab_change_remove_record(kind, id, done, arg));
}

static void sqlite_settle(struct ab_store *store, const struct ab_settlement *settlement, ab_store_done_fn done,
                          void *arg)
{
    hand_over(store, ab_change_settle(settlement, done, arg));
}

static size_t sqlite_backlog(struct ab_store *store)
{
    return store_of(store)->backlog;
}

/* --- life --- */

/* The reader goes first: whoever closes last carries the log over and removes it. The lock goes at the very end. */
static void release(struct ab_sqlite_store *store)
{
    ab_sqlite_reader_close(&store->reader);
    ab_sqlite_writer_deinit(&store->writer);
    if (store->lock >= 0) {
        close(store->lock);
    }
    free(store->directory);
    free(store);
}

static void sqlite_free(struct ab_store *base)
{
    if (base == NULL) {
        return;
    }
    struct ab_sqlite_store *store = store_of(base);
    ab_sqlite_mailbox_close(store->writer.mailbox);
    ab_sqlite_writer_stop(&store->writer);
    ab_sqlite_tell(store);
    while (store->waiting > 0) {
        ab_sqlite_writer_drain(&store->writer);
        ab_sqlite_tell(store);
    }
    release(store);
}

static const struct ab_store_ops sqlite_ops = {
    .commit = sqlite_commit,
    .get = ab_sqlite_get,
    .get_request = ab_sqlite_get_request,
    .find_key = ab_sqlite_find_key,
    .list = ab_sqlite_list,
    .total = ab_sqlite_total,
    .events = ab_sqlite_events,
    .count = ab_sqlite_count,
    .sweep = sqlite_sweep,
    .remove = sqlite_remove,
    .put_record = sqlite_put_record,
    .remove_record = sqlite_remove_record,
    .get_record = ab_sqlite_get_record,
    .receivers = ab_sqlite_receivers,
    .due_deliveries = ab_sqlite_due_deliveries,
    .deliveries = ab_sqlite_deliveries,
    .count_deliveries = ab_sqlite_count_deliveries,
    .settle = sqlite_settle,
    .backlog = sqlite_backlog,
    .free = sqlite_free,
};

static void add_metrics(struct ab_sqlite_store *store, struct ab_metrics *metrics)
{
    store->seconds = ab_metric(metrics, AB_METRIC_HISTOGRAM, "agentbridge_store_change_seconds",
                               "Time from handing a change to the store until it is known how it ended.", NULL);
    store->changes = ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_store_changes_total",
                               "Changes handed to the store that have ended.", NULL);
    store->groups = ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_store_groups_total",
                              "Transactions that wrote those changes.", NULL);
    store->refused = ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_store_refused_total",
                               "Changes that the disk or the database refused.", NULL);
    store->queue_changes = ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_store_queue_changes",
                                     "Changes handed to the store that have not ended yet.", NULL);
    store->queue_bytes =
        ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_store_queue_bytes", "About the bytes they hold.", NULL);
}

/* AB_OK, or AB_FAULT_SYSTEM after `reason` was filled. */
static int start(struct ab_sqlite_store *store, char *reason, size_t reason_size)
{
    int result = ab_sqlite_open(store, reason, reason_size);
    if (result != AB_OK) {
        return result;
    }
    int code = ab_sqlite_apply_prepare(&store->writer);
    if (code != SQLITE_OK) {
        AB_CLEANUP(ab_free_string) char *text = ab_sqlite_explain(store->writer.db, code, 0);
        snprintf(reason, reason_size, "cannot use the database in %s: %s", store->directory, text);
        return AB_FAULT_SYSTEM;
    }
    if (ab_sqlite_read_counts(&store->reader, store->counts) != AB_OK) {
        AB_CLEANUP(ab_free_string)
        char *text = ab_sqlite_explain(store->reader.db, sqlite3_errcode(store->reader.db), 0);
        snprintf(reason, reason_size, "cannot read the database in %s: %s", store->directory, text);
        return AB_FAULT_SYSTEM;
    }
    result = ab_sqlite_writer_start(&store->writer);
    if (result != AB_OK) {
        snprintf(reason, reason_size, "cannot start a thread for the database in %s", store->directory);
    }
    return result;
}

struct ab_store *ab_store_sqlite_new(struct ab_loop *loop, const char *directory, const struct ab_log *log,
                                     struct ab_metrics *metrics, char *reason, size_t reason_size)
{
    struct ab_sqlite_store *store = ab_alloc(1, sizeof(*store));
    store->base.ops = &sqlite_ops;
    store->loop = loop;
    store->log = log;
    store->directory = ab_strdup(directory);
    store->lock = -1;
    store->reader.directory = store->directory;
    store->reader.log = log;
    ab_sqlite_writer_init(&store->writer, store);
    add_metrics(store, metrics);
    if (start(store, reason, reason_size) != AB_OK) {
        release(store);
        return NULL;
    }
    return &store->base;
}
