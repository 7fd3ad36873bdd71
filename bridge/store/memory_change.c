/* What each change does to the store in memory. */
#include "base/mem.h"
#include "base/str.h"
#include "store/memory_internal.h"

#include <string.h>

/* The sizes keep ("a", "bc") and ("ab", "c") apart. */
char *ab_memory_key(const char *first, const char *second, const char *third)
{
    return ab_format("%zu:%s %zu:%s %s", strlen(first), first, strlen(second), second, third);
}

struct ab_memory_entry *ab_memory_find(const struct ab_memory_store *store, const char *id)
{
    return ab_map_get(&store->by_id, ab_str(id));
}

struct ab_memory_entry *ab_memory_entry_of(struct ab_link *link)
{
    return link != NULL ? AB_OWNER(link, struct ab_memory_entry, link) : NULL;
}

/* --- tasks and events --- */

static bool is_newer(const struct ab_task *one, const struct ab_task *other)
{
    return one->created_at != other->created_at ? one->created_at > other->created_at : strcmp(one->id, other->id) > 0;
}

/* New tasks are nearly always the newest: the walk from the front ends at once. */
static void insert_in_order(struct ab_memory_store *store, struct ab_memory_entry *entry)
{
    struct ab_link *place = ab_list_first(&store->tasks);
    while (place != NULL && is_newer(&ab_memory_entry_of(place)->task, &entry->task)) {
        place = ab_list_next(&store->tasks, place);
    }
    struct ab_link *next = place != NULL ? place : &store->tasks.head;
    entry->link.next = next;
    entry->link.previous = next->previous;
    next->previous->next = &entry->link;
    next->previous = &entry->link;
}

static void append_events(struct ab_memory_entry *entry, const struct ab_change *change)
{
    size_t needed = entry->n_events + change->n_events;
    if (needed > entry->capacity) {
        entry->capacity = needed * 2;
        entry->events = ab_realloc(entry->events, entry->capacity * sizeof(*entry->events));
    }
    for (size_t index = 0; index < change->n_events; index++) {
        ab_event_copy(&entry->events[entry->n_events + index], &change->events[index]);
    }
    entry->n_events = needed;
}

enum ab_store_outcome ab_memory_create(struct ab_memory_store *store, const struct ab_change *change)
{
    const struct ab_task *task = &change->task;
    if (ab_memory_find(store, task->id) != NULL) {
        return AB_STORE_CONFLICT;
    }
    AB_CLEANUP(ab_free_string) char *key = NULL;
    if (change->request.idempotency_key != NULL) {
        key = ab_memory_key(task->owner, task->agent, change->request.idempotency_key);
        if (ab_map_get(&store->by_key, ab_str(key)) != NULL) {
            return AB_STORE_CONFLICT;
        }
    }
    struct ab_memory_entry *entry = ab_alloc(1, sizeof(*entry));
    ab_task_copy(&entry->task, task);
    ab_task_request_copy(&entry->request, &change->request);
    append_events(entry, change);
    ab_memory_add_deliveries(store, change);
    insert_in_order(store, entry);
    (void)ab_map_set(&store->by_id, ab_str(task->id), entry);
    if (key != NULL) {
        (void)ab_map_set(&store->by_key, ab_str(key), entry);
    }
    store->counts[task->status]++;
    return AB_STORE_DONE;
}

enum ab_store_outcome ab_memory_update(struct ab_memory_store *store, const struct ab_change *change)
{
    struct ab_memory_entry *entry = ab_memory_find(store, change->task.id);
    if (entry == NULL || entry->task.last_event != change->expected_last_event) {
        return AB_STORE_CONFLICT;
    }
    store->counts[entry->task.status]--;
    store->counts[change->task.status]++;
    ab_task_deinit(&entry->task);
    ab_task_copy(&entry->task, &change->task);
    append_events(entry, change);
    if (change->webhooks_json != NULL) {
        ab_replace(&entry->request.webhooks_json, change->webhooks_json);
    }
    for (size_t index = 0; index < change->n_dropped_lanes; index++) {
        ab_memory_drop_lane(store, change->task.id, change->dropped_lanes[index]);
    }
    ab_memory_add_deliveries(store, change);
    return AB_STORE_DONE;
}

static void entry_free(struct ab_memory_entry *entry)
{
    for (size_t index = 0; index < entry->n_events; index++) {
        ab_event_deinit(&entry->events[index]);
    }
    free(entry->events);
    ab_task_deinit(&entry->task);
    ab_task_request_deinit(&entry->request);
    free(entry);
}

static void remove_entry(struct ab_memory_store *store, struct ab_memory_entry *entry)
{
    const struct ab_task *task = &entry->task;
    if (entry->request.idempotency_key != NULL) {
        AB_CLEANUP(ab_free_string) char *key = ab_memory_key(task->owner, task->agent, entry->request.idempotency_key);
        (void)ab_map_remove(&store->by_key, ab_str(key));
    }
    (void)ab_map_remove(&store->by_id, ab_str(task->id));
    store->counts[task->status]--;
    ab_memory_remove_deliveries(store, task->id);
    ab_link_remove(&entry->link);
    entry_free(entry);
}

enum ab_store_outcome ab_memory_remove(struct ab_memory_store *store, const struct ab_change *change)
{
    struct ab_memory_entry *entry = ab_memory_find(store, change->removed_id);
    if (entry == NULL || entry->task.finished_at == 0) {
        return AB_STORE_CONFLICT;
    }
    remove_entry(store, entry);
    return AB_STORE_DONE;
}

static struct ab_memory_entry *oldest_finished(const struct ab_memory_store *store, int64_t before)
{
    struct ab_memory_entry *oldest = NULL;
    struct ab_link *link = ab_list_first(&store->tasks);
    for (; link != NULL; link = ab_list_next(&store->tasks, link)) {
        struct ab_memory_entry *entry = ab_memory_entry_of(link);
        int64_t at = entry->task.finished_at;
        if (at > 0 && at < before && (oldest == NULL || at < oldest->task.finished_at)) {
            oldest = entry;
        }
    }
    return oldest;
}

/* --- records --- */

bool ab_memory_is_expired(const struct ab_change *record, int64_t now)
{
    return record->expires_at > 0 && record->expires_at <= now;
}

void ab_memory_put_record(struct ab_memory_store *store, struct ab_change *change)
{
    AB_CLEANUP(ab_free_string) char *key = ab_memory_key(change->record_kind, change->record_id, "");
    ab_change_free(ab_map_set(&store->records, ab_str(key), change));
}

void ab_memory_remove_record(struct ab_memory_store *store, const struct ab_change *change)
{
    AB_CLEANUP(ab_free_string) char *key = ab_memory_key(change->record_kind, change->record_id, "");
    ab_change_free(ab_map_remove(&store->records, ab_str(key)));
}

static void sweep_records(struct ab_memory_store *store, int64_t now)
{
    size_t position = 0;
    struct ab_str key;
    void *value;
    while (ab_map_next(&store->records, &position, &key, &value)) {
        if (ab_memory_is_expired(value, now)) {
            (void)ab_map_remove(&store->records, key);
            ab_change_free(value);
        }
    }
}

void ab_memory_sweep(struct ab_memory_store *store, const struct ab_change *change)
{
    size_t left = change->limit > 0 ? change->limit : SIZE_MAX;
    for (; left > 0; left--) {
        struct ab_memory_entry *entry = oldest_finished(store, change->finished_before);
        if (entry == NULL) {
            break;
        }
        remove_entry(store, entry);
    }
    sweep_records(store, change->now);
}

void ab_memory_clear(struct ab_memory_store *store)
{
    struct ab_link *link;
    while ((link = ab_list_first(&store->tasks)) != NULL) {
        remove_entry(store, ab_memory_entry_of(link));
    }
    size_t position = 0;
    struct ab_str key;
    void *value;
    while (ab_map_next(&store->records, &position, &key, &value)) {
        ab_change_free(value);
    }
    ab_map_deinit(&store->records);
    ab_map_deinit(&store->by_id);
    ab_map_deinit(&store->by_key);
}
