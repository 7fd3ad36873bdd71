/* The engine's beginning and end, and what it lets others read. */
#include "task/engine.h"

#include "task/engine_internal.h"

#include <string.h>

enum { DEFAULT_RUNNING_PER_OWNER = 1000, DEFAULT_WISHES_PER_TASK = 16 };
static const int64_t default_keep_ms = INT64_C(7) * 24 * 3600 * 1000;
static const int64_t default_sweep_ms = INT64_C(60) * 1000;
static const size_t default_output_bytes = (size_t)16 << 20;
static const size_t default_backlog_bytes = (size_t)32 << 20;

static void fill_defaults(struct ab_engine_settings *settings)
{
    if (settings->running_per_owner == 0) {
        settings->running_per_owner = DEFAULT_RUNNING_PER_OWNER;
    }
    if (settings->wishes_per_task == 0) {
        settings->wishes_per_task = DEFAULT_WISHES_PER_TASK;
    }
    if (settings->keep_ms == 0) {
        settings->keep_ms = default_keep_ms;
    }
    if (settings->sweep_every_ms == 0) {
        settings->sweep_every_ms = default_sweep_ms;
    }
    if (settings->output_bytes == 0) {
        settings->output_bytes = default_output_bytes;
    }
    if (settings->store_backlog_bytes == 0) {
        settings->store_backlog_bytes = default_backlog_bytes;
    }
}

struct ab_engine *ab_engine_new(const struct ab_engine_settings *settings)
{
    struct ab_engine *engine = ab_alloc(1, sizeof *engine);
    engine->settings = *settings;
    fill_defaults(&engine->settings);
    ab_map_init(&engine->hot);
    ab_map_init(&engine->threads);
    ab_map_init(&engine->keys);
    ab_map_init(&engine->owners);
    ab_map_init(&engine->watches);
    ab_list_init(&engine->calls);
    ab_list_init(&engine->due_watches);
    ab_list_init(&engine->attention);
    ab_list_init(&engine->finished);
    ab_list_init(&engine->slow);
    engine->slow_timer = ab_timer_new(settings->loop, engine_slow_check, engine);
    engine_metrics_init(engine);
    return engine;
}

/* --- the end --- */

void ab_engine_shut_down(struct ab_engine *engine, ab_loop_fn done, void *arg)
{
    engine->shutting_down = true;
    engine->shut_down_done = done;
    engine->shut_down_arg = arg;
    ab_timer_free(engine->sweep_timer);
    engine->sweep_timer = NULL;
    size_t position = 0;
    void *value = NULL;
    while (ab_map_next(&engine->hot, &position, NULL, &value)) {
        struct hot *hot = value;
        /* Neither a deadline nor a caller that went away ends a task while the bridge goes down. */
        hot_clock_stop(hot);
        ab_timer_free(hot->abandon_timer);
        hot->abandon_timer = NULL;
        if (hot->run != NULL) {
            run_stop_soon(hot);
        }
    }
    engine_turn_soon(engine);
}

static void free_calls(struct ab_engine *engine)
{
    struct ab_link *link;
    while ((link = ab_list_first(&engine->calls)) != NULL) {
        engine_call_free(AB_OWNER(link, struct call, link));
    }
}

void ab_engine_free(struct ab_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    size_t position = 0;
    void *value = NULL;
    while (ab_map_next(&engine->hot, &position, NULL, &value)) {
        hot_free(value);
    }
    free_calls(engine);
    engine_watches_orphan(engine);
    engine_agents_free(engine);
    ab_timer_free(engine->sweep_timer);
    ab_timer_free(engine->slow_timer);
    ab_map_deinit(&engine->hot);
    ab_map_deinit(&engine->threads);
    ab_map_deinit(&engine->keys);
    ab_map_deinit(&engine->owners);
    ab_map_deinit(&engine->watches);
    engine->freed = true;
    /* A turn that the loop still owes us finds nothing but this struct, and frees it. */
    if (!engine->turn_due) {
        free(engine);
    }
}

/* --- looking --- */

int ab_engine_list(struct ab_engine *engine, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg)
{
    struct ab_store *store = engine->settings.store;
    return store->ops->list(store, filter, each, arg);
}

int ab_engine_total(struct ab_engine *engine, const struct ab_store_filter *filter, uint64_t *total)
{
    struct ab_store *store = engine->settings.store;
    return store->ops->total(store, filter, total);
}

int ab_engine_request(struct ab_engine *engine, const char *id, struct ab_task_request *out)
{
    struct ab_store *store = engine->settings.store;
    return store->ops->get_request(store, id, out);
}
