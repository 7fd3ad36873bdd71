/* The reads of the store in memory. */
#include "base/mem.h"
#include "base/str.h"
#include "store/memory_internal.h"

#include <string.h>

static struct ab_memory_store *store_of(struct ab_store *store)
{
    return (struct ab_memory_store *)(void *)store;
}

int ab_memory_get(struct ab_store *store, const char *id, struct ab_task *out)
{
    const struct ab_memory_entry *entry = ab_memory_find(store_of(store), id);
    if (entry == NULL) {
        return AB_STORE_NONE;
    }
    ab_task_copy(out, &entry->task);
    return AB_OK;
}

int ab_memory_get_request(struct ab_store *store, const char *id, struct ab_task_request *out)
{
    const struct ab_memory_entry *entry = ab_memory_find(store_of(store), id);
    if (entry == NULL) {
        return AB_STORE_NONE;
    }
    ab_task_request_copy(out, &entry->request);
    return AB_OK;
}

int ab_memory_find_key(struct ab_store *store, const char *owner, const char *agent, const char *key,
                       char id[AB_TASK_ID_SIZE])
{
    AB_CLEANUP(ab_free_string) char *whole = ab_memory_key(owner, agent, key);
    const struct ab_memory_entry *entry = ab_map_get(&store_of(store)->by_key, ab_str(whole));
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
    if (filter->before_created_at != 0 &&
        ab_memory_compare_place(task, filter->before_created_at, filter->before_id) <= 0) {
        return false;
    }
    if (filter->id_prefix != NULL && strncmp(task->id, filter->id_prefix, strlen(filter->id_prefix)) != 0) {
        return false;
    }
    return is_or_any(filter->owner, task->owner) && is_or_any(filter->agent, task->agent) &&
           is_or_any(filter->thread_id, task->thread_id);
}

static struct ab_task without_texts(const struct ab_task *task)
{
    struct ab_task brief = *task;
    brief.questions_json = NULL;
    brief.result_json = NULL;
    brief.error_json = NULL;
    brief.notes_json = NULL;
    brief.answers_json = NULL;
    return brief;
}

int ab_memory_list(struct ab_store *base, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg)
{
    struct ab_memory_store *store = store_of(base);
    size_t left = filter->limit > 0 ? filter->limit : SIZE_MAX;
    struct ab_link *link = ab_list_first(&store->tasks);
    for (; link != NULL && left > 0; link = ab_list_next(&store->tasks, link)) {
        const struct ab_task *task = &ab_memory_entry_of(link)->task;
        if (!fits(task, filter)) {
            continue;
        }
        left--;
        struct ab_task brief = without_texts(task);
        if (!each(arg, filter->brief ? &brief : task)) {
            break;
        }
    }
    return AB_OK;
}

int ab_memory_events(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                     ab_store_event_fn each, void *arg)
{
    const struct ab_memory_entry *entry = ab_memory_find(store_of(store), id);
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

int ab_memory_count(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT])
{
    memcpy(counts, store_of(store)->counts, sizeof(store_of(store)->counts));
    return AB_OK;
}

int ab_memory_get_record(struct ab_store *base, const char *kind, const char *id, ab_store_record_fn each, void *arg)
{
    struct ab_memory_store *store = store_of(base);
    AB_CLEANUP(ab_free_string) char *key = ab_memory_key(kind, id, "");
    const struct ab_change *found = ab_map_get(&store->records, ab_str(key));
    if (found == NULL || ab_memory_is_expired(found, ab_clock_wall_ms(&store->loop->clock))) {
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
