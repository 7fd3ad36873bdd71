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

/* --- lists --- */

/* What fits, in the list's order. */
struct picked {
    const struct ab_store_filter *filter;
    bool continues;        /* only what comes after the filter's place */
    struct ab_map threads; /* those whose latest turn was seen */
    const struct ab_task **tasks;
    size_t n;
    size_t capacity;
};

static bool is_or_any(const char *wanted, const char *found)
{
    return wanted == NULL || strcmp(wanted, found) == 0;
}

static int64_t time_of(const struct ab_store_filter *filter, const struct ab_task *task)
{
    return filter->order == AB_STORE_BY_CHANGE ? task->updated_at : task->created_at;
}

static bool is_in_place(const struct picked *picked, const struct ab_task *task)
{
    const struct ab_store_filter *filter = picked->filter;
    int64_t at = time_of(filter, task);
    if (at < filter->from_at || (filter->to_at != 0 && at > filter->to_at)) {
        return false;
    }
    if (!picked->continues || filter->before_at == 0 || at != filter->before_at) {
        return !picked->continues || filter->before_at == 0 || at < filter->before_at;
    }
    return strcmp(task->id, filter->before_id != NULL ? filter->before_id : "") < 0;
}

static bool fits(const struct picked *picked, const struct ab_task *task)
{
    const struct ab_store_filter *filter = picked->filter;
    if ((filter->statuses != 0 && (filter->statuses & (1u << (unsigned)task->status)) == 0) ||
        (filter->reasons != 0 && (filter->reasons & (1u << (unsigned)task->reason)) == 0) ||
        !is_in_place(picked, task)) {
        return false;
    }
    if (filter->id_prefix != NULL && strncmp(task->id, filter->id_prefix, strlen(filter->id_prefix)) != 0) {
        return false;
    }
    return is_or_any(filter->owner, task->owner) && is_or_any(filter->agent, task->agent) &&
           is_or_any(filter->thread_id, task->thread_id);
}

/* Asked for all tasks, the newest first. */
static bool is_latest(struct picked *picked, const struct ab_task *task)
{
    AB_CLEANUP(ab_free_string) char *thread = ab_memory_key(task->owner, task->thread_id, "");
    return ab_map_set(&picked->threads, ab_str(thread), picked) == NULL;
}

static int newest_change_first(const void *left, const void *right)
{
    const struct ab_task *one = *(const struct ab_task *const *)left;
    const struct ab_task *other = *(const struct ab_task *const *)right;
    if (one->updated_at != other->updated_at) {
        return one->updated_at < other->updated_at ? 1 : -1;
    }
    return strcmp(other->id, one->id);
}

static void pick(struct picked *picked, const struct ab_memory_store *store, const struct ab_store_filter *filter,
                 bool continues)
{
    *picked = (struct picked){ .filter = filter, .continues = continues };
    ab_map_init(&picked->threads);
    struct ab_link *link = ab_list_first(&store->tasks);
    for (; link != NULL; link = ab_list_next(&store->tasks, link)) {
        const struct ab_task *task = &ab_memory_entry_of(link)->task;
        if ((filter->latest && !is_latest(picked, task)) || !fits(picked, task)) {
            continue;
        }
        if (picked->n == picked->capacity) {
            picked->capacity = picked->capacity * 2 + 16;
            picked->tasks = ab_realloc(picked->tasks, picked->capacity * sizeof(*picked->tasks));
        }
        picked->tasks[picked->n++] = task;
    }
    if (filter->order == AB_STORE_BY_CHANGE && picked->n > 1) {
        qsort(picked->tasks, picked->n, sizeof(*picked->tasks), newest_change_first);
    }
}

static void picked_deinit(struct picked *picked)
{
    ab_map_deinit(&picked->threads);
    free(picked->tasks);
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

int ab_memory_list(struct ab_store *store, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg)
{
    struct picked picked;
    pick(&picked, store_of(store), filter, true);
    size_t left = filter->limit > 0 ? filter->limit : SIZE_MAX;
    for (size_t index = filter->skip; index < picked.n && left > 0; index++, left--) {
        struct ab_task brief = without_texts(picked.tasks[index]);
        if (!each(arg, filter->brief ? &brief : picked.tasks[index])) {
            break;
        }
    }
    picked_deinit(&picked);
    return AB_OK;
}

int ab_memory_total(struct ab_store *store, const struct ab_store_filter *filter, uint64_t *total)
{
    struct picked picked;
    pick(&picked, store_of(store), filter, false);
    *total = picked.n;
    picked_deinit(&picked);
    return AB_OK;
}

/* --- events, counts, records --- */

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
