/* What the parts of the store in memory share. */
#ifndef AB_STORE_MEMORY_INTERNAL_H
#define AB_STORE_MEMORY_INTERNAL_H

#include "base/map.h"
#include "store/change.h"
#include "wire/loop.h"

/* One task with all that belongs to it. */
struct ab_memory_entry {
    struct ab_link link; /* in the store's order: newest first by (created_at, id) */
    struct ab_task task;
    struct ab_task_request request;
    struct ab_event *events; /* number n stands at n - 1 */
    size_t n_events;
    size_t capacity;
};

struct ab_memory_store {
    struct ab_store base;
    struct ab_loop *loop;
    struct ab_list waiting; /* of struct ab_change */
    size_t backlog;
    bool turn_asked_for; /* the loop will call take_turn */
    bool closed;         /* freed; the struct itself waits for that call */
    struct ab_list tasks;
    struct ab_map by_id;
    struct ab_map by_key;
    struct ab_map records; /* of struct ab_change, as it was handed over */
    uint64_t counts[AB_TASK_STATUS_COUNT];
    struct ab_list deliveries; /* by id */
    uint64_t last_delivery;
};

/* --- memory_change.c: what one change does --- */

enum ab_store_outcome ab_memory_create(struct ab_memory_store *store, const struct ab_change *change);
enum ab_store_outcome ab_memory_update(struct ab_memory_store *store, const struct ab_change *change);
enum ab_store_outcome ab_memory_remove(struct ab_memory_store *store, const struct ab_change *change);
void ab_memory_sweep(struct ab_memory_store *store, const struct ab_change *change);
/* Takes the change over: it holds all that a record has. */
void ab_memory_put_record(struct ab_memory_store *store, struct ab_change *change);
void ab_memory_remove_record(struct ab_memory_store *store, const struct ab_change *change);
/* Frees every task and record. */
void ab_memory_clear(struct ab_memory_store *store);

/* Several strings as one map key; the caller frees it. */
AB_MUST char *ab_memory_key(const char *first, const char *second, const char *third);
/* The task of this id, or NULL. */
struct ab_memory_entry *ab_memory_find(const struct ab_memory_store *store, const char *id);
/* The entry around a link of store->tasks; NULL for NULL. */
struct ab_memory_entry *ab_memory_entry_of(struct ab_link *link);
bool ab_memory_is_expired(const struct ab_change *record, int64_t now);

/* --- memory_read.c: the reads of the port --- */

int ab_memory_get(struct ab_store *store, const char *id, struct ab_task *out);
int ab_memory_get_request(struct ab_store *store, const char *id, struct ab_task_request *out);
int ab_memory_find_key(struct ab_store *store, const char *owner, const char *agent, const char *key,
                       char id[AB_TASK_ID_SIZE]);
int ab_memory_list(struct ab_store *store, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg);
int ab_memory_total(struct ab_store *store, const struct ab_store_filter *filter, uint64_t *total);
int ab_memory_events(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                     ab_store_event_fn each, void *arg);
int ab_memory_count(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT]);
int ab_memory_get_record(struct ab_store *store, const char *kind, const char *id, ab_store_record_fn each, void *arg);

/* --- memory_outbox.c --- */

void ab_memory_add_deliveries(struct ab_memory_store *store, const struct ab_change *change);
void ab_memory_remove_deliveries(struct ab_memory_store *store, const char *task);
void ab_memory_drop_lane(struct ab_memory_store *store, const char *task, uint32_t lane);
enum ab_store_outcome ab_memory_settle(struct ab_memory_store *store, const struct ab_change *change);
int ab_memory_receivers(struct ab_store *store, ab_store_receiver_fn each, void *arg);
int ab_memory_due_deliveries(struct ab_store *store, const char *receiver, int64_t due_by, size_t limit,
                             ab_store_delivery_fn each, void *arg);
int ab_memory_deliveries(struct ab_store *store, enum ab_delivery_state state, uint64_t after, size_t limit,
                         ab_store_delivery_fn each, void *arg);
int ab_memory_count_deliveries(struct ab_store *store, uint64_t counts[AB_DELIVERY_STATE_COUNT]);

#endif
