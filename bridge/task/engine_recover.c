/* After a restart: unfinished tasks of an earlier process are taken up again or ended with a clear word. */
#include "task/engine_internal.h"

#include <string.h>

struct found {
    struct ab_task *tasks;
    size_t n_tasks;
    size_t capacity;
};

static bool collect(void *arg, const struct ab_task *task)
{
    struct found *found = arg;
    if (found->n_tasks == found->capacity) {
        found->capacity = found->capacity == 0 ? 16 : found->capacity * 2;
        found->tasks = ab_realloc(found->tasks, found->capacity * sizeof *found->tasks);
    }
    ab_task_copy(&found->tasks[found->n_tasks++], task);
    return true;
}

static void end_interrupted(struct hot *hot, const char *message)
{
    (void)hot_end(hot, AB_TASK_ERROR, AB_REASON_INTERRUPTED, message);
}

static bool goes_on_elsewhere(const struct hot *hot)
{
    const struct ab_agent_ops *ops = hot->agent->agent->ops;
    return hot->task.status != AB_TASK_PENDING && ops->take_up != NULL &&
           (hot->task.notes_json != NULL || ops->finds_itself);
}

/* Decides about one of them; what may run waits for its turn. */
static void take_up(struct hot *hot, bool readable)
{
    hot->stored = true;
    hot->durable = hot->task.last_event;
    if (hot->agent == NULL) {
        AB_CLEANUP(ab_free_string)
        char *message = ab_format("the agent \"%s\" is no longer configured", hot->task.agent);
        (void)hot_end(hot, AB_TASK_ERROR, AB_REASON_UNREACHABLE, message);
    } else if (!readable) {
        end_interrupted(hot, "the bridge was restarted, and what the task was asked cannot be read any more");
    } else if (goes_on_elsewhere(hot)) {
        run_continue(hot);
        hot_abandon_arm(hot);
        engine_attend(hot);
    } else if (hot->task.status == AB_TASK_PENDING || hot->agent->settings.retry_after_restart) {
        hot_abandon_arm(hot);
        engine_attend(hot);
    } else if (hot->task.status == AB_TASK_PAUSED) {
        end_interrupted(hot, "the bridge was restarted while the task waited for an answer; start it anew");
    } else {
        end_interrupted(hot, "the bridge was restarted while the task ran; start it anew");
    }
}

int ab_engine_start(struct ab_engine *engine)
{
    struct ab_store *store = engine->settings.store;
    struct found found = { 0 };
    struct ab_store_filter unfinished = {
        .statuses = 1u << AB_TASK_PENDING | 1u << AB_TASK_EXECUTING | 1u << AB_TASK_PAUSED,
    };
    int result = store->ops->list(store, &unfinished, collect, &found);
    /* Listed newest first; threads are joined oldest first. */
    for (size_t i = found.n_tasks; i-- > 0;) {
        struct ab_task_request request = { 0 };
        if (result < 0) {
            ab_task_deinit(&found.tasks[i]);
            continue;
        }
        bool readable = store->ops->get_request(store, found.tasks[i].id, &request) == AB_OK;
        struct hot *hot = hot_new(engine, &found.tasks[i], &request);
        ab_log(engine->settings.log, AB_LOG_DEBUG, "task", "taken up after a restart", "task", hot->task.id, "status",
               ab_task_status_name(hot->task.status), NULL);
        take_up(hot, readable);
    }
    free(found.tasks);
    if (result < 0) {
        return result;
    }
    engine_sweep_arm(engine);
    engine_agents_attach(engine);
    return AB_OK;
}
