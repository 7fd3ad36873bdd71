/* The outbox of the store in memory. */
#include "base/mem.h"
#include "store/memory_internal.h"

#include <string.h>

struct row {
    struct ab_link link;
    struct ab_delivery delivery;
};

static struct ab_memory_store *store_of(struct ab_store *store)
{
    return (struct ab_memory_store *)(void *)store;
}

static struct row *first_row(const struct ab_memory_store *store)
{
    struct ab_link *link = ab_list_first(&store->deliveries);
    return link != NULL ? AB_OWNER(link, struct row, link) : NULL;
}

static struct row *next_row(const struct ab_memory_store *store, const struct row *row)
{
    struct ab_link *link = ab_list_next(&store->deliveries, &row->link);
    return link != NULL ? AB_OWNER(link, struct row, link) : NULL;
}

static void row_free(struct row *row)
{
    ab_link_remove(&row->link);
    ab_delivery_deinit(&row->delivery);
    free(row);
}

/* The first of a lane in this state. */
static struct row *first_of_lane(const struct ab_memory_store *store, const struct ab_delivery *lane,
                                 enum ab_delivery_state state)
{
    for (struct row *row = first_row(store); row != NULL; row = next_row(store, row)) {
        if (row->delivery.state == state && row->delivery.lane == lane->lane &&
            strcmp(row->delivery.task, lane->task) == 0) {
            return row;
        }
    }
    return NULL;
}

void ab_memory_add_deliveries(struct ab_memory_store *store, const struct ab_change *change)
{
    for (size_t index = 0; index < change->n_deliveries; index++) {
        struct row *row = ab_alloc(1, sizeof(*row));
        ab_delivery_copy(&row->delivery, &change->deliveries[index]);
        memcpy(row->delivery.task, change->task.id, sizeof(row->delivery.task));
        row->delivery.id = ++store->last_delivery;
        row->delivery.state =
            first_of_lane(store, &row->delivery, AB_DELIVERY_DUE) != NULL ? AB_DELIVERY_QUEUED : AB_DELIVERY_DUE;
        ab_list_append(&store->deliveries, &row->link);
    }
}

void ab_memory_remove_deliveries(struct ab_memory_store *store, const char *task)
{
    struct row *next;
    for (struct row *row = first_row(store); row != NULL; row = next) {
        next = next_row(store, row);
        if (strcmp(row->delivery.task, task) == 0) {
            row_free(row);
        }
    }
}

void ab_memory_drop_lane(struct ab_memory_store *store, const char *task, uint32_t lane)
{
    struct row *next;
    for (struct row *row = first_row(store); row != NULL; row = next) {
        next = next_row(store, row);
        if (row->delivery.lane == lane && strcmp(row->delivery.task, task) == 0) {
            row_free(row);
        }
    }
}

/* --- settling --- */

static void promote(struct ab_memory_store *store, const struct ab_delivery *lane, int64_t at)
{
    struct row *row = first_of_lane(store, lane, AB_DELIVERY_QUEUED);
    if (row != NULL && first_of_lane(store, lane, AB_DELIVERY_DUE) == NULL) {
        row->delivery.state = AB_DELIVERY_DUE;
        row->delivery.started_at = at;
        row->delivery.next_at = at;
    }
}

static void settle_row(struct ab_memory_store *store, struct row *row, const struct ab_settlement *settlement)
{
    struct ab_delivery *delivery = &row->delivery;
    struct ab_delivery lane = { .lane = delivery->lane };
    memcpy(lane.task, delivery->task, sizeof(lane.task));
    switch (settlement->kind) {
    case AB_SETTLE_SENT:
        row_free(row);
        promote(store, &lane, settlement->at);
        break;
    case AB_SETTLE_LATER:
        delivery->attempts++;
        delivery->next_at = settlement->at;
        ab_replace(&delivery->last_error, settlement->error);
        break;
    case AB_SETTLE_DEAD:
        delivery->attempts++;
        delivery->state = AB_DELIVERY_DEAD;
        ab_replace(&delivery->last_error, settlement->error);
        promote(store, &lane, settlement->at);
        break;
    case AB_SETTLE_RESEND:
        delivery->attempts = 0;
        delivery->state = AB_DELIVERY_DUE;
        delivery->started_at = settlement->at;
        delivery->next_at = settlement->at;
        break;
    }
}

enum ab_store_outcome ab_memory_settle(struct ab_memory_store *store, const struct ab_change *change)
{
    const struct ab_settlement *settlement = &change->settlement;
    struct row *row = first_row(store);
    while (row != NULL && row->delivery.id != settlement->delivery) {
        row = next_row(store, row);
    }
    if (row == NULL || row->delivery.state == AB_DELIVERY_QUEUED ||
        (row->delivery.state == AB_DELIVERY_DEAD && settlement->kind != AB_SETTLE_RESEND)) {
        return AB_STORE_CONFLICT;
    }
    settle_row(store, row, settlement);
    return AB_STORE_DONE;
}

/* --- reads --- */

/* The earliest due row of this receiver, or of all, that comes after `last` in the order of time and id. */
static struct row *earliest(const struct ab_memory_store *store, const char *receiver, const struct row *last)
{
    struct row *best = NULL;
    for (struct row *row = first_row(store); row != NULL; row = next_row(store, row)) {
        const struct ab_delivery *delivery = &row->delivery;
        if (delivery->state != AB_DELIVERY_DUE || strcmp(delivery->receiver, receiver) != 0) {
            continue;
        }
        if (last != NULL && (delivery->next_at < last->delivery.next_at ||
                             (delivery->next_at == last->delivery.next_at && delivery->id <= last->delivery.id))) {
            continue;
        }
        if (best == NULL || delivery->next_at < best->delivery.next_at) {
            best = row;
        }
    }
    return best;
}

static bool is_first_of_receiver(const struct ab_memory_store *store, const struct row *row)
{
    for (struct row *before = first_row(store); before != row; before = next_row(store, before)) {
        if (before->delivery.state == AB_DELIVERY_DUE &&
            strcmp(before->delivery.receiver, row->delivery.receiver) == 0) {
            return false;
        }
    }
    return true;
}

int ab_memory_receivers(struct ab_store *base, ab_store_receiver_fn each, void *arg)
{
    const struct ab_memory_store *store = store_of(base);
    for (struct row *row = first_row(store); row != NULL; row = next_row(store, row)) {
        if (row->delivery.state == AB_DELIVERY_DUE && is_first_of_receiver(store, row) &&
            !each(arg, row->delivery.receiver, earliest(store, row->delivery.receiver, NULL)->delivery.next_at)) {
            break;
        }
    }
    return AB_OK;
}

int ab_memory_due_deliveries(struct ab_store *base, const char *receiver, int64_t due_by, size_t limit,
                             ab_store_delivery_fn each, void *arg)
{
    const struct ab_memory_store *store = store_of(base);
    struct row *row = earliest(store, receiver, NULL);
    for (size_t left = limit > 0 ? limit : SIZE_MAX; row != NULL && row->delivery.next_at <= due_by && left > 0;
         left--) {
        if (!each(arg, &row->delivery)) {
            break;
        }
        row = earliest(store, receiver, row);
    }
    return AB_OK;
}

int ab_memory_deliveries(struct ab_store *base, enum ab_delivery_state state, uint64_t after, size_t limit,
                         ab_store_delivery_fn each, void *arg)
{
    const struct ab_memory_store *store = store_of(base);
    size_t left = limit > 0 ? limit : SIZE_MAX;
    for (struct row *row = first_row(store); row != NULL && left > 0; row = next_row(store, row)) {
        if (row->delivery.state != state || row->delivery.id <= after) {
            continue;
        }
        left--;
        if (!each(arg, &row->delivery)) {
            break;
        }
    }
    return AB_OK;
}

int ab_memory_count_deliveries(struct ab_store *base, uint64_t counts[AB_DELIVERY_STATE_COUNT])
{
    const struct ab_memory_store *store = store_of(base);
    memset(counts, 0, AB_DELIVERY_STATE_COUNT * sizeof(*counts));
    for (struct row *row = first_row(store); row != NULL; row = next_row(store, row)) {
        counts[row->delivery.state]++;
    }
    return AB_OK;
}
