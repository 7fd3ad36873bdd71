/* Who wants to know that a task has new durable events. A watch says "look again", never what is new: the watcher's
 * own cursor does that, so a slow one costs nothing. */
#include "task/engine_internal.h"

#include <string.h>

struct ab_watch *ab_engine_watch(struct ab_engine *engine, const char *id, ab_loop_fn changed, void *arg)
{
    struct ab_watch *watch = ab_alloc(1, sizeof *watch);
    watch->engine = engine;
    watch->changed = changed;
    watch->arg = arg;
    memcpy(watch->id, id, strnlen(id, AB_TASK_ID_SIZE - 1));
    struct ab_str key = ab_str(watch->id);
    struct watch_list *list = ab_map_get(&engine->watches, key);
    if (list == NULL) {
        list = ab_alloc(1, sizeof *list);
        ab_list_init(&list->watches);
        ab_map_set(&engine->watches, key, list);
    }
    ab_list_append(&list->watches, &watch->in_list);
    return watch;
}

void ab_watch_free(struct ab_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    ab_link_remove(&watch->in_list);
    ab_link_remove(&watch->in_due);
    if (watch->engine != NULL) {
        struct watch_list *list = ab_map_get(&watch->engine->watches, ab_str(watch->id));
        if (list != NULL && ab_list_is_empty(&list->watches)) {
            ab_map_remove(&watch->engine->watches, ab_str(watch->id));
            free(list);
        }
    }
    free(watch);
}

bool engine_is_watched(const struct ab_engine *engine, const char *id)
{
    return ab_map_get(&engine->watches, ab_str(id)) != NULL;
}

void engine_watch_notify(struct ab_engine *engine, const char *id)
{
    const struct watch_list *list = ab_map_get(&engine->watches, ab_str(id));
    if (list == NULL) {
        return;
    }
    struct ab_link *link = ab_list_first(&list->watches);
    for (; link != NULL; link = ab_list_next(&list->watches, link)) {
        struct ab_watch *watch = AB_OWNER(link, struct ab_watch, in_list);
        if (!ab_link_is_linked(&watch->in_due)) {
            ab_list_append(&engine->due_watches, &watch->in_due);
        }
    }
    engine_turn_soon(engine);
}

void engine_watches_run(struct ab_engine *engine)
{
    struct ab_list now;
    ab_list_init(&now);
    ab_list_take(&now, &engine->due_watches);
    struct ab_link *link;
    while ((link = ab_list_first(&now)) != NULL) {
        struct ab_watch *watch = AB_OWNER(link, struct ab_watch, in_due);
        ab_link_remove(link);
        watch->changed(watch->arg);
    }
}

void engine_watches_orphan(struct ab_engine *engine)
{
    size_t position = 0;
    void *value = NULL;
    while (ab_map_next(&engine->watches, &position, NULL, &value)) {
        struct watch_list *list = value;
        struct ab_link *link;
        while ((link = ab_list_first(&list->watches)) != NULL) {
            struct ab_watch *watch = AB_OWNER(link, struct ab_watch, in_list);
            ab_link_remove(link);
            ab_link_remove(&watch->in_due);
            watch->engine = NULL;
        }
        free(list);
    }
}
