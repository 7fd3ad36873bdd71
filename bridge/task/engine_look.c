/* What of a task is durable, for those who look at it. Most of them do so right after a commit, so that its newest
 * events are kept in memory for a while: a watcher that keeps up costs no read of the store. */
#include "task/engine_internal.h"

#include <string.h>

enum { RECENT_EVENTS = 32, RECENT_BYTES = 16 << 10 };

/* --- the newest events --- */

static void free_events(struct ab_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ab_event_deinit(&events[i]);
    }
    free(events);
}

/* How many at the end of these are kept. */
static size_t count_kept(const struct ab_event *events, size_t n)
{
    size_t bytes = 0;
    size_t kept = 0;
    while (kept < n && kept < RECENT_EVENTS) {
        bytes += strlen(events[n - 1 - kept].body_json);
        if (bytes > RECENT_BYTES) {
            break;
        }
        kept++;
    }
    return kept;
}

void hot_landed(struct hot *hot)
{
    size_t n = hot->n_recent + hot->n_flying;
    if (hot->n_flying == 0) {
        return;
    }
    hot->recent = ab_realloc(hot->recent, n * sizeof *hot->recent);
    memcpy(hot->recent + hot->n_recent, hot->flying, hot->n_flying * sizeof *hot->flying);
    free(hot->flying);
    hot->flying = NULL;
    hot->n_flying = 0;
    hot->n_recent = count_kept(hot->recent, n);
    for (size_t i = 0; i < n - hot->n_recent; i++) {
        ab_event_deinit(&hot->recent[i]);
    }
    memmove(hot->recent, hot->recent + (n - hot->n_recent), hot->n_recent * sizeof *hot->recent);
}

void hot_lost(struct hot *hot)
{
    free_events(hot->flying, hot->n_flying);
    hot->flying = NULL;
    hot->n_flying = 0;
}

void hot_forget_recent(struct hot *hot)
{
    free_events(hot->recent, hot->n_recent);
    hot->recent = NULL;
    hot->n_recent = 0;
}

/* Whether all events behind `after` that the store has are in memory. Of a commit under way only the store knows: a row
 * that was read there may have its events already, and whoever read it expects them. */
static bool remembers(const struct hot *hot, uint64_t after)
{
    return hot != NULL && hot->stored && !hot->gone && hot->flight == 0 && after + hot->n_recent >= hot->durable;
}

static void tell_recent(const struct hot *hot, uint64_t after, uint32_t kinds, size_t limit, ab_store_event_fn each,
                        void *arg)
{
    size_t told = 0;
    for (size_t i = 0; i < hot->n_recent && (limit == 0 || told < limit); i++) {
        const struct ab_event *event = &hot->recent[i];
        if (event->number > after && (AB_EVENT_BIT(event->kind) & kinds) != 0) {
            told++;
            if (!each(arg, event)) {
                return;
            }
        }
    }
}

/* --- looking --- */

uint64_t ab_engine_newest_event(const struct ab_engine *engine, const char *id)
{
    const struct hot *hot = hot_find(engine, id);
    return hot != NULL && !hot->gone ? hot->durable : 0;
}

int ab_engine_events(struct ab_engine *engine, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                     ab_store_event_fn each, void *arg)
{
    struct ab_store *store = engine->settings.store;
    const struct hot *hot = hot_find(engine, id);
    if (remembers(hot, after)) {
        tell_recent(hot, after, kinds, limit, each, arg);
        return AB_OK;
    }
    return store->ops->events(store, id, after, kinds, limit, each, arg);
}

int engine_durable_row(struct ab_engine *engine, const char *id, struct ab_task *out)
{
    struct ab_store *store = engine->settings.store;
    const struct hot *hot = hot_find(engine, id);
    if (hot != NULL && hot->stored && !hot->gone && !hot->broken && hot_is_durable(hot)) {
        ab_task_copy(out, &hot->task);
        return AB_OK;
    }
    return store->ops->get(store, id, out);
}

int ab_engine_get(struct ab_engine *engine, const char *owner, const char *id, struct ab_task *out)
{
    int result = engine_durable_row(engine, id, out);
    if (result != AB_OK) {
        return result < 0 ? result : AB_TASK_UNKNOWN;
    }
    if (strcmp(out->owner, owner) != 0) {
        ab_task_deinit(out);
        return AB_TASK_UNKNOWN;
    }
    return AB_OK;
}
