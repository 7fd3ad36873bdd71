#include "support/fake_store.h"

#include "base/mem.h"
#include "store/change.h"

static struct fake_store *fake(struct ab_store *store)
{
    return (struct fake_store *)(void *)store;
}

struct refusal {
    ab_store_done_fn done;
    void *arg;
    enum ab_store_outcome outcome;
};

static void refuse_now(void *arg)
{
    struct refusal *refusal = arg;
    if (refusal->done != NULL) {
        refusal->done(refusal->arg, refusal->outcome, "disk full");
    }
    free(refusal);
}

static bool must_fail(struct fake_store *store)
{
    store->n_commits++;
    return store->fail_from != 0 && store->n_commits >= store->fail_from &&
           store->n_commits - store->fail_from < store->fail_count;
}

struct untold {
    struct ab_link link;
    struct fake_store *store;
    ab_store_done_fn done;
    void *arg;
    enum ab_store_outcome outcome;
};

static void keep_quiet(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct untold *untold = arg;
    (void)text;
    untold->outcome = outcome;
    ab_list_append(&untold->store->untold, &untold->link);
}

void fake_store_tell(struct fake_store *store)
{
    struct ab_link *link;
    store->quiet = false;
    while ((link = ab_list_first(&store->untold)) != NULL) {
        struct untold *untold = AB_OWNER(link, struct untold, link);
        ab_link_remove(link);
        untold->done(untold->arg, untold->outcome, NULL);
        free(untold);
    }
}

static void fake_commit(struct ab_store *store, const struct ab_store_commit *commit, ab_store_done_fn done, void *arg)
{
    struct fake_store *self = fake(store);
    if (must_fail(self)) {
        struct refusal *refusal = ab_alloc(1, sizeof *refusal);
        *refusal = (struct refusal){ done, arg, self->fail_as };
        if (self->fails_late && commit->request == NULL) {
            self->inner->ops->commit(self->inner, commit, NULL, NULL);
        }
        ab_loop_defer(self->loop, refuse_now, refusal);
    } else if (self->holding) {
        struct ab_change *change = ab_change_commit(commit, done, arg);
        ab_list_append(&self->held, &change->link);
    } else if (self->quiet) {
        struct untold *untold = ab_alloc(1, sizeof *untold);
        *untold = (struct untold){ .store = self, .done = done, .arg = arg };
        self->inner->ops->commit(self->inner, commit, keep_quiet, untold);
    } else {
        self->inner->ops->commit(self->inner, commit, done, arg);
    }
}

void fake_store_release(struct fake_store *store)
{
    struct ab_link *link;
    store->holding = false;
    while ((link = ab_list_first(&store->held)) != NULL) {
        struct ab_change *change = AB_OWNER(link, struct ab_change, link);
        struct ab_store_commit commit = {
            .task = &change->task,
            .request = change->creates ? &change->request : NULL,
            .expected_last_event = change->expected_last_event,
            .events = change->events,
            .n_events = change->n_events,
            .deliveries = change->deliveries,
            .n_deliveries = change->n_deliveries,
            .webhooks_json = change->webhooks_json,
            .dropped_lanes = change->dropped_lanes,
            .n_dropped_lanes = change->n_dropped_lanes,
        };
        ab_link_remove(link);
        store->inner->ops->commit(store->inner, &commit, change->done, change->arg);
        ab_change_free(change);
    }
}

static int fake_get(struct ab_store *store, const char *id, struct ab_task *out)
{
    struct ab_store *inner = fake(store)->inner;
    return fake(store)->unreadable ? AB_FAULT_SYSTEM : inner->ops->get(inner, id, out);
}

static int fake_get_request(struct ab_store *store, const char *id, struct ab_task_request *out)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->get_request(inner, id, out);
}

static int fake_find_key(struct ab_store *store, const char *owner, const char *agent, const char *key,
                         char id[AB_TASK_ID_SIZE])
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->find_key(inner, owner, agent, key, id);
}

static int fake_list(struct ab_store *store, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->list(inner, filter, each, arg);
}

static int fake_total(struct ab_store *store, const struct ab_store_filter *filter, uint64_t *total)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->total(inner, filter, total);
}

static int fake_events(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                       ab_store_event_fn each, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    fake(store)->event_reads++;
    return fake(store)->unreadable ? AB_FAULT_SYSTEM : inner->ops->events(inner, id, after, kinds, limit, each, arg);
}

static int fake_count(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT])
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->count(inner, counts);
}

static void fake_sweep(struct ab_store *store, int64_t finished_before, size_t limit, ab_store_done_fn done, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    inner->ops->sweep(inner, finished_before, limit, done, arg);
}

static void fake_remove(struct ab_store *store, const char *id, ab_store_done_fn done, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    inner->ops->remove(inner, id, done, arg);
}

static void fake_put_record(struct ab_store *store, const struct ab_store_record *record, ab_store_done_fn done,
                            void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    inner->ops->put_record(inner, record, done, arg);
}

static void fake_remove_record(struct ab_store *store, const char *kind, const char *id, ab_store_done_fn done,
                               void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    inner->ops->remove_record(inner, kind, id, done, arg);
}

static int fake_get_record(struct ab_store *store, const char *kind, const char *id, ab_store_record_fn each, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->get_record(inner, kind, id, each, arg);
}

static int fake_receivers(struct ab_store *store, ab_store_receiver_fn each, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->receivers(inner, each, arg);
}

static int fake_due_deliveries(struct ab_store *store, const char *receiver, int64_t due_by, size_t limit,
                               ab_store_delivery_fn each, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->due_deliveries(inner, receiver, due_by, limit, each, arg);
}

static int fake_deliveries(struct ab_store *store, enum ab_delivery_state state, uint64_t after, size_t limit,
                           ab_store_delivery_fn each, void *arg)
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->deliveries(inner, state, after, limit, each, arg);
}

static int fake_count_deliveries(struct ab_store *store, uint64_t counts[AB_DELIVERY_STATE_COUNT])
{
    struct ab_store *inner = fake(store)->inner;
    return inner->ops->count_deliveries(inner, counts);
}

static void fake_settle(struct ab_store *store, const struct ab_settlement *settlement, ab_store_done_fn done,
                        void *arg)
{
    struct fake_store *self = fake(store);
    if (self->unsettled > 0) {
        struct refusal *refusal = ab_alloc(1, sizeof *refusal);
        *refusal = (struct refusal){ done, arg, AB_STORE_REFUSED };
        self->unsettled--;
        ab_loop_defer(self->loop, refuse_now, refusal);
        return;
    }
    self->inner->ops->settle(self->inner, settlement, done, arg);
}

static size_t fake_backlog(struct ab_store *store)
{
    struct ab_store *inner = fake(store)->inner;
    return fake(store)->backlog + inner->ops->backlog(inner);
}

static void fake_free(struct ab_store *store)
{
    struct ab_store *inner = fake(store)->inner;
    struct ab_link *link;
    while ((link = ab_list_first(&fake(store)->held)) != NULL) {
        struct ab_change *change = AB_OWNER(link, struct ab_change, link);
        ab_link_remove(link);
        ab_change_free(change);
    }
    inner->ops->free(inner);
    free(store);
}

static const struct ab_store_ops fake_ops = {
    .commit = fake_commit,
    .get = fake_get,
    .get_request = fake_get_request,
    .find_key = fake_find_key,
    .list = fake_list,
    .total = fake_total,
    .events = fake_events,
    .count = fake_count,
    .sweep = fake_sweep,
    .remove = fake_remove,
    .put_record = fake_put_record,
    .remove_record = fake_remove_record,
    .get_record = fake_get_record,
    .receivers = fake_receivers,
    .due_deliveries = fake_due_deliveries,
    .deliveries = fake_deliveries,
    .count_deliveries = fake_count_deliveries,
    .settle = fake_settle,
    .backlog = fake_backlog,
    .free = fake_free,
};

struct fake_store *fake_store_new(struct ab_store *inner, struct ab_loop *loop)
{
    struct fake_store *store = ab_alloc(1, sizeof *store);
    store->store.ops = &fake_ops;
    store->inner = inner;
    store->loop = loop;
    store->fail_as = AB_STORE_REFUSED;
    ab_list_init(&store->held);
    ab_list_init(&store->untold);
    return store;
}
