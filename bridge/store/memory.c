/* The store in memory: the plainest thing that keeps the port's contract. As in a store with a disk, a commit takes
 * effect later, in the loop's next turn, so that nobody comes to rely on more. */
#include "store/memory.h"

#include "base/mem.h"
#include "store/memory_internal.h"

static struct ab_memory_store *store_of(struct ab_store *store)
{
    return (struct ab_memory_store *)(void *)store;
}

/* --- changes, in order, a turn later --- */

static void finish(struct ab_change *change, enum ab_store_outcome outcome)
{
    ab_change_end(change, outcome, NULL);
    ab_change_finish(change);
}

static void apply_record(struct ab_memory_store *store, struct ab_change *change)
{
    ab_store_done_fn done = change->done;
    void *arg = change->arg;
    ab_memory_put_record(store, change);
    if (done != NULL) {
        done(arg, AB_STORE_DONE, NULL);
    }
}

static void apply(struct ab_memory_store *store, struct ab_change *change)
{
    if (change->outcome != AB_STORE_DONE) {
        ab_change_finish(change);
        return;
    }
    switch (change->kind) {
    case AB_CHANGE_COMMIT:
        finish(change, change->creates ? ab_memory_create(store, change) : ab_memory_update(store, change));
        break;
    case AB_CHANGE_SWEEP:
        ab_memory_sweep(store, change);
        finish(change, AB_STORE_DONE);
        break;
    case AB_CHANGE_REMOVE:
        finish(change, ab_memory_remove(store, change));
        break;
    case AB_CHANGE_PUT_RECORD:
        apply_record(store, change);
        break;
    case AB_CHANGE_REMOVE_RECORD:
        ab_memory_remove_record(store, change);
        finish(change, AB_STORE_DONE);
        break;
    case AB_CHANGE_SETTLE:
        finish(change, ab_memory_settle(store, change));
        break;
    }
}

/* What waits now; what completions hand over meanwhile waits for the next turn. */
static void apply_waiting(struct ab_memory_store *store)
{
    struct ab_list turn;
    ab_list_init(&turn);
    ab_list_take(&turn, &store->waiting);
    struct ab_link *link;
    while ((link = ab_list_first(&turn)) != NULL) {
        struct ab_change *change = AB_OWNER(link, struct ab_change, link);
        ab_link_remove(link);
        store->backlog -= change->bytes;
        apply(store, change);
    }
}

static void take_turn(void *arg)
{
    struct ab_memory_store *store = arg;
    store->turn_asked_for = false;
    if (store->closed) {
        free(store);
        return;
    }
    apply_waiting(store);
}

static void hand_over(struct ab_store *base, struct ab_change *change)
{
    struct ab_memory_store *store = store_of(base);
    store->backlog += change->bytes;
    ab_list_append(&store->waiting, &change->link);
    if (!store->turn_asked_for) {
        store->turn_asked_for = true;
        ab_loop_defer(store->loop, take_turn, store);
    }
}

static void memory_commit(struct ab_store *store, const struct ab_store_commit *commit, ab_store_done_fn done,
                          void *arg)
{
    hand_over(store, ab_change_commit(commit, done, arg));
}

static void memory_sweep(struct ab_store *store, int64_t finished_before, size_t limit, ab_store_done_fn done,
                         void *arg)
{
    int64_t now = ab_clock_wall_ms(&store_of(store)->loop->clock);
    hand_over(store, ab_change_sweep(finished_before, limit, now, done, arg));
}

static void memory_remove(struct ab_store *store, const char *id, ab_store_done_fn done, void *arg)
{
    hand_over(store, ab_change_remove(id, done, arg));
}

static void memory_put_record(struct ab_store *store, const struct ab_store_record *record, ab_store_done_fn done,
                              void *arg)
{
    hand_over(store, ab_change_put_record(record, done, arg));
}

static void memory_remove_record(struct ab_store *store, const char *kind, const char *id, ab_store_done_fn done,
                                 void *arg)
{
    hand_over(store, ab_change_remove_record(kind, id, done, arg));
}

static void memory_settle(struct ab_store *store, const struct ab_settlement *settlement, ab_store_done_fn done,
                          void *arg)
{
    hand_over(store, ab_change_settle(settlement, done, arg));
}

static size_t memory_backlog(struct ab_store *store)
{
    return store_of(store)->backlog;
}

static void memory_free(struct ab_store *base)
{
    if (base == NULL) {
        return;
    }
    struct ab_memory_store *store = store_of(base);
    while (!ab_list_is_empty(&store->waiting)) {
        apply_waiting(store);
    }
    ab_memory_clear(store);
    if (store->turn_asked_for) {
        store->closed = true;
        return;
    }
    free(store);
}

static const struct ab_store_ops memory_ops = {
    .commit = memory_commit,
    .get = ab_memory_get,
    .get_request = ab_memory_get_request,
    .find_key = ab_memory_find_key,
    .list = ab_memory_list,
    .total = ab_memory_total,
    .events = ab_memory_events,
    .count = ab_memory_count,
    .sweep = memory_sweep,
    .remove = memory_remove,
    .put_record = memory_put_record,
    .remove_record = memory_remove_record,
    .get_record = ab_memory_get_record,
    .receivers = ab_memory_receivers,
    .due_deliveries = ab_memory_due_deliveries,
    .deliveries = ab_memory_deliveries,
    .count_deliveries = ab_memory_count_deliveries,
    .settle = memory_settle,
    .backlog = memory_backlog,
    .free = memory_free,
};

struct ab_store *ab_store_memory_new(struct ab_loop *loop)
{
    struct ab_memory_store *store = ab_alloc(1, sizeof(*store));
    store->base.ops = &memory_ops;
    store->loop = loop;
    ab_list_init(&store->waiting);
    ab_list_init(&store->tasks);
    ab_list_init(&store->deliveries);
    ab_map_init(&store->by_id);
    ab_map_init(&store->by_key);
    ab_map_init(&store->records);
    return &store->base;
}
