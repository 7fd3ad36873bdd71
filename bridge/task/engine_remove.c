/* Removing a task: it is ended first, then taken out of the store. What is left of its run winds down by itself, and
 * finds nothing to report to. */
#include "task/engine_internal.h"

#include <string.h>

struct removal {
    struct ab_engine *engine;
    char id[AB_TASK_ID_SIZE];
    ab_steered_fn done;
    void *arg;
};

static void tell(struct removal *removal, enum ab_steer_outcome outcome, const char *text)
{
    engine_call_soon(removal->engine, engine_call_steered(removal->done, removal->arg, outcome, NULL, text));
    free(removal);
}

static void on_removed(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct removal *removal = arg;
    struct hot *hot = hot_find(removal->engine, removal->id);
    removal->engine->n_commits--;
    if (outcome == AB_STORE_DONE && hot != NULL) {
        hot->gone = true; /* its run still winds down */
        engine_attend(hot);
    }
    engine_watch_notify(removal->engine, removal->id);
    if (outcome == AB_STORE_REFUSED) {
        tell(removal, AB_STEER_NOT_STORED, text);
    } else {
        tell(removal, outcome == AB_STORE_DONE ? AB_STEER_DONE : AB_STEER_UNKNOWN, NULL);
    }
}

static void on_ended(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct removal *removal = arg;
    struct ab_store *store = removal->engine->settings.store;
    (void)task;
    if (outcome != AB_STEER_DONE && outcome != AB_STEER_TERMINAL) {
        tell(removal, outcome, text);
        return;
    }
    removal->engine->n_commits++;
    store->ops->remove(store, removal->id, on_removed, removal);
}

void ab_engine_remove(struct ab_engine *engine, const char *owner, const char *id, ab_steered_fn done, void *arg)
{
    struct removal *removal = ab_alloc(1, sizeof *removal);
    removal->engine = engine;
    removal->done = done;
    removal->arg = arg;
    memcpy(removal->id, id, strnlen(id, AB_TASK_ID_SIZE - 1));
    if (engine->shutting_down) {
        tell(removal, AB_STEER_NOT_STORED, "the bridge is going down; try again in a moment");
        return;
    }
    ab_engine_stop(engine, owner, id, on_ended, removal);
}
