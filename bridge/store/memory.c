/* The store in memory: the plainest thing that keeps the port's contract. As in a store with a disk, a commit takes
 * effect later, in the loop's next turn, so that nobody comes to rely on more. */
#include "store/memory.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/change.h"

#include <string.h>

struct entry {
    struct ab_link link; /* in the store's order: newest first by (created_at, id) */
    struct ab_task task;
    struct ab_task_request request;
    struct ab_event *events; /* number n stands at n - 1 */
    size_t n_events;
    size_t capacity;
};

struct memory_store {
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
};

static struct memory_store *memory_of(struct ab_store *store)
{
    return (struct memory_store *)(void *)store;
}

/* Several strings as one map key; the sizes keep ("a", "bc") and ("ab", "c") apart. */
static char *key_of(const char *first, const char *second, const char *third)
{
    return ab_format("%zu:%s %zu:%s %s", strlen(first), first, strlen(second), second, third);
}

static struct entry *find(const struct memory_store *store, const char *id)
{
    return ab_map_get(&store->by_id, ab_str(id));
}

static struct entry *entry_of(struct ab_link *link)
{
    return link != NULL ? AB_OWNER(link, struct entry, link) : NULL;
}

/* --- tasks and events --- */

/* > 0 when `task` comes after (created_at, id) in the store's order, that is, when it is older. */
static int compare_place(const struct ab_task *task, int64_t created_at, const char *id)
{
    if (task->created_at != created_at) {
        return task->created_at < created_at ? 1 : -1;
    }
    return -strcmp(task->id, id != NULL ? id : "");
}

/* New tasks are nearly always the newest: the walk from the front ends at once. */
static void insert_in_order(struct memory_store *store, struct entry *entry)
{
    struct ab_link *place = ab_list_first(&store->tasks);
    while (place != NULL && compare_place(&entry_of(place)->task, entry->task.created_at, entry->task.id) < 0) {
        place = ab_list_next(&store->tasks, place);
    }
    struct ab_link *next = place != NULL ? place : &store->tasks.head;
    entry->link.next = next;
    entry->link.previous = next->previous;
    next->previous->next = &entry->link;
    next->previous = &entry->link;
}

static void append_events(struct entry *entry, const struct ab_change *change)
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

static enum ab_store_outcome create(struct memory_store *store, const struct ab_change *change)
{
    const struct ab_task *task = &change->task;
    if (find(store, task->id) != NULL) {
        return AB_STORE_CONFLICT;
    }
    AB_CLEANUP(ab_free_string) char *key = NULL;
    if (change->request.idempotency_key != NULL) {
        key = key_of(task->owner, task->agent, change->request.idempotency_key);
        if (ab_map_get(&store->by_key, ab_str(key)) != NULL) {
            return AB_STORE_CONFLICT;
        }
    }
    struct entry *entry = ab_alloc(1, sizeof(*entry));
    ab_task_copy(&entry->task, task);
    ab_task_request_copy(&entry->request, &change->request);
    append_events(entry, change);
    insert_in_order(store, entry);
    (void)ab_map_set(&store->by_id, ab_str(task->id), entry);
    if (key != NULL) {
        (void)ab_map_set(&store->by_key, ab_str(key), entry);
    }
    store->counts[task->status]++;
    return AB_STORE_DONE;
}

static enum ab_store_outcome update(struct memory_store *store, const struct ab_change *change)
{
    struct entry *entry = find(store, change->task.id);
    if (entry == NULL || entry->task.last_event != change->expected_last_event) {
        return AB_STORE_CONFLICT;
    }
    store->counts[entry->task.status]--;
    store->counts[change->task.status]++;
    ab_task_deinit(&entry->task);
    ab_task_copy(&entry->task, &change->task);
    append_events(entry, change);
    return AB_STORE_DONE;
}

static void entry_free(struct entry *entry)
{
    for (size_t index = 0; index < entry->n_events; index++) {
        ab_event_deinit(&entry->events[index]);
    }
    free(entry->events);
    ab_task_deinit(&entry->task);
    ab_task_request_deinit(&entry->request);
    free(entry);
}

static void remove_entry(struct memory_store *store, struct entry *entry)
{
    const struct ab_task *task = &entry->task;
    if (entry->request.idempotency_key != NULL) {
        AB_CLEANUP(ab_free_string) char *key = key_of(task->owner, task->agent, entry->request.idempotency_key);
        (void)ab_map_remove(&store->by_key, ab_str(key));
    }
    (void)ab_map_remove(&store->by_id, ab_str(task->id));
    store->counts[task->status]--;
    ab_link_remove(&entry->link);
    entry_free(entry);
}

static struct entry *oldest_finished(const struct memory_store *store, int64_t before)
{
    struct entry *oldest = NULL;
    struct ab_link *link = ab_list_first(&store->tasks);
    for (; link != NULL; link = ab_list_next(&store->tasks, link)) {
        struct entry *entry = entry_of(link);
        int64_t at = entry->task.finished_at;
        if (at > 0 && at < before && (oldest == NULL || at < oldest->task.finished_at)) {
            oldest = entry;
        }
    }
    return oldest;
}

/* --- records --- */

static bool is_expired(const struct ab_change *record, int64_t now)
{
    return record->expires_at > 0 && record->expires_at <= now;
}

/* The map keeps the change itself: it holds all that a record has. */
static void put_record(struct memory_store *store, struct ab_change *change)
{
    AB_CLEANUP(ab_free_string) char *key = key_of(change->record_kind, change->record_id, "");
    ab_change_free(ab_map_set(&store->records, ab_str(key), change));
}

static void remove_record(struct memory_store *store, const struct ab_change *change)
{
    AB_CLEANUP(ab_free_string) char *key = key_of(change->record_kind, change->record_id, "");
    ab_change_free(ab_map_remove(&store->records, ab_str(key)));
}

static void sweep_records(struct memory_store *store, int64_t now)
{
    size_t position = 0;
    struct ab_str key;
    void *value;
    while (ab_map_next(&store->records, &position, &key, &value)) {
        if (is_expired(value, now)) {
            (void)ab_map_remove(&store->records, key);
            ab_change_free(value);
        }
    }
}

static void sweep(struct memory_store *store, const struct ab_change *change)
{
    size_t left = change->limit > 0 ? change->limit : SIZE_MAX;
    for (; left > 0; left--) {
        struct entry *entry = oldest_finished(store, change->finished_before);
        if (entry == NULL) {
            break;
        }
        remove_entry(store, entry);
    }
    sweep_records(store, change->now);
}

/* --- changes, in order, a turn later --- */

static void finish(struct ab_change *change, enum ab_store_outcome outcome)
{
    ab_change_end(change, outcome, NULL);
    ab_change_finish(change);
}

static void apply_record(struct memory_store *store, struct ab_change *change)
{
    ab_store_done_fn done = change->done;
    void *arg = change->arg;
    put_record(store, change);
    if (done != NULL) {
        done(arg, AB_STORE_DONE, NULL);
    }
}

static void apply(struct memory_store *store, struct ab_change *change)
{
    if (change->outcome != AB_STORE_DONE) {
        ab_change_finish(change);
        return;
    }
    switch (change->kind) {
    case AB_CHANGE_COMMIT:
        finish(change, change->creates ? create(store, change) : update(store, change));
        break;
    case AB_CHANGE_SWEEP:
        sweep(store, change);
        finish(change, AB_STORE_DONE);
        break;
    case AB_CHANGE_PUT_RECORD:
        apply_record(store, change);
        break;
    case AB_CHANGE_REMOVE_RECORD:
        remove_record(store, change);
        finish(change, AB_STORE_DONE);
        break;
    }
}

static void apply_waiting(struct memory_store *store)
{
    struct ab_link *link;
    while ((link = ab_list_first(&store->waiting)) != NULL) {
        struct ab_change *change = AB_OWNER(link, struct ab_change, link);
        ab_link_remove(link);
        store->backlog -= change->bytes;
        apply(store, change);
    }
}

static void take_turn(void *arg)
{
    struct memory_store *store = arg;
    store->turn_asked_for = false;
    if (store->closed) {
        free(store);
        return;
    }
    apply_waiting(store);
}

static void hand_over(struct ab_store *base, struct ab_change *change)
{
    struct memory_store *store = memory_of(base);
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
    int64_t now = ab_clock_wall_ms(&memory_of(store)->loop->clock);
    hand_over(store, ab_change_sweep(finished_before, limit, now, done, arg));
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

/* --- reads --- */

static int memory_get(struct ab_store *store, const char *id, struct ab_task *out)
{
    const struct entry *entry = find(memory_of(store), id);
    if (entry == NULL) {
        return AB_STORE_NONE;
    }
    ab_task_copy(out, &entry->task);
    return AB_OK;
}

static int memory_get_request(struct ab_store *store, const char *id, struct ab_task_request *out)
{
    const struct entry *entry = find(memory_of(store), id);
    if (entry == NULL) {
        return AB_STORE_NONE;
    }
    ab_task_request_copy(out, &entry->request);
    return AB_OK;
}

static int memory_find_key(struct ab_store *store, const char *owner, const char *agent, const char *key,
                           char id[AB_TASK_ID_SIZE])
{
    AB_CLEANUP(ab_free_string) char *whole = key_of(owner, agent, key);
    const struct entry *entry = ab_map_get(&memory_of(store)->by_key, ab_str(whole));
    if (entry == NULL) {
        return AB_STORE_NONE;
    }
    memcpy(id, entry->task.id, AB_TASK_ID_SIZE);
    return AB_OK;
}

static bool is_or_any(const char *wanted, const char *found)
{
    return wanted == NULL || strcmp(wanted, found) == 0;
}

static bool fits(const struct ab_task *task, const struct ab_store_filter *filter)
{
    if (filter->statuses != 0 && (filter->statuses & (1u << (unsigned)task->status)) == 0) {
        return false;
    }
    if (filter->before_created_at != 0 && compare_place(task, filter->before_created_at, filter->before_id) <= 0) {
        return false;
    }
    return is_or_any(filter->owner, task->owner) && is_or_any(filter->agent, task->agent) &&
           is_or_any(filter->thread_id, task->thread_id);
}

static int memory_list(struct ab_store *base, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg)
{
    struct memory_store *store = memory_of(base);
    size_t left = filter->limit > 0 ? filter->limit : SIZE_MAX;
    struct ab_link *link = ab_list_first(&store->tasks);
    for (; link != NULL && left > 0; link = ab_list_next(&store->tasks, link)) {
        const struct ab_task *task = &entry_of(link)->task;
        if (!fits(task, filter)) {
            continue;
        }
        left--;
        if (!each(arg, task)) {
            break;
        }
    }
    return AB_OK;
}

static int memory_events(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                         ab_store_event_fn each, void *arg)
{
    const struct entry *entry = find(memory_of(store), id);
    size_t left = limit > 0 ? limit : SIZE_MAX;
    for (uint64_t index = after; entry != NULL && index < entry->n_events && left > 0; index++) {
        const struct ab_event *event = &entry->events[index];
        if ((AB_EVENT_BIT(event->kind) & kinds) == 0) {
            continue;
        }
        left--;
        if (!each(arg, event)) {
            break;
        }
    }
    return AB_OK;
}

static int memory_count(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT])
{
    memcpy(counts, memory_of(store)->counts, sizeof(memory_of(store)->counts));
    return AB_OK;
}

static int memory_get_record(struct ab_store *base, const char *kind, const char *id, ab_store_record_fn each,
                             void *arg)
{
    struct memory_store *store = memory_of(base);
    AB_CLEANUP(ab_free_string) char *key = key_of(kind, id, "");
    const struct ab_change *found = ab_map_get(&store->records, ab_str(key));
    if (found == NULL || is_expired(found, ab_clock_wall_ms(&store->loop->clock))) {
        return AB_STORE_NONE;
    }
    struct ab_store_record record = { .kind = found->record_kind,
                                      .id = found->record_id,
                                      .owner = found->record_owner,
                                      .expires_at = found->expires_at,
                                      .body = { found->record_body, found->record_size } };
    (void)each(arg, &record);
    return AB_OK;
}

static size_t memory_backlog(struct ab_store *store)
{
    return memory_of(store)->backlog;
}

static void memory_free(struct ab_store *base)
{
    if (base == NULL) {
        return;
    }
    struct memory_store *store = memory_of(base);
    apply_waiting(store);
    struct ab_link *link;
    while ((link = ab_list_first(&store->tasks)) != NULL) {
        remove_entry(store, entry_of(link));
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
    if (store->turn_asked_for) {
        store->closed = true;
        return;
    }
    free(store);
}

static const struct ab_store_ops memory_ops = {
    .commit = memory_commit,
    .get = memory_get,
    .get_request = memory_get_request,
    .find_key = memory_find_key,
    .list = memory_list,
    .events = memory_events,
    .count = memory_count,
    .sweep = memory_sweep,
    .put_record = memory_put_record,
    .remove_record = memory_remove_record,
    .get_record = memory_get_record,
    .backlog = memory_backlog,
    .free = memory_free,
};

struct ab_store *ab_store_memory_new(struct ab_loop *loop)
{
    struct memory_store *store = ab_alloc(1, sizeof(*store));
    store->base.ops = &memory_ops;
    store->loop = loop;
    ab_list_init(&store->waiting);
    ab_list_init(&store->tasks);
    ab_map_init(&store->by_id);
    ab_map_init(&store->by_key);
    ab_map_init(&store->records);
    return &store->base;
}
