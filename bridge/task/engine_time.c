/* Everything about a task that time does: its working time, the time to answer, tries to store, callers that went
 * away, and the sweep of old tasks.
 *
 * A hot task has one timer; what it means when due follows from the task's state alone. */
#include "task/engine_internal.h"

#include "wire/json.h"

/* How long a run may take to wind down after its task's end before it is told to stop. */
static const uint64_t wind_down_ms = 10000;
/* What a task has at least after a restart, so that what became of it meanwhile can still be heard. */
static const int64_t restart_grace_ms = 60000;
static const size_t sweep_limit = 1000;
static const uint64_t sweep_again_ms = 100;

static void timed_out(struct hot *hot)
{
    int64_t limit_ms = hot->agent->settings.timeout_ms;
    hot_fail(hot, AB_REASON_TIMED_OUT, "the agent worked longer than the %.15g seconds it has", (double)limit_ms / 1e3);
}

static void timer_due(void *arg)
{
    struct hot *hot = arg;
    if (hot_is_terminal(hot) && !hot->astray) {
        if (hot->run != NULL) {
            run_stop_soon(hot);
        }
    } else if (hot->broken) {
        hot_try_again(hot);
    } else if (hot->task.status == AB_TASK_EXECUTING) {
        timed_out(hot);
    } else if (hot->task.status == AB_TASK_PAUSED) {
        hot_fail(hot, AB_REASON_TIMED_OUT, "nobody answered");
    }
}

void hot_clock_stop(struct hot *hot)
{
    if (hot->timer == NULL) {
        hot->timer = ab_timer_new(hot->engine->settings.loop, timer_due, hot);
        hot->work_left_us = hot->agent != NULL ? hot->agent->settings.timeout_ms * 1000 : 0;
    }
    ab_timer_stop(hot->timer);
    if (hot->working) {
        hot->work_left_us -= engine_now_us(hot->engine) - hot->work_since_us;
        hot->working = false;
    }
    hot->paused_before_ms = 0;
}

/* --- time that earlier processes saw --- */

struct spent {
    enum ab_task_status status;
    int64_t since;
    int64_t worked_ms;
};

static bool add_span(void *arg, const struct ab_event *event)
{
    struct spent *spent = arg;
    AB_CLEANUP(ab_free_string)
    char *name = ab_json_string_dup(ab_json_member(ab_json_trusted(event->body_json), "status"));
    enum ab_task_status status;
    if (name == NULL || !ab_task_status_parse(name, &status) || status == spent->status) {
        return true;
    }
    if (spent->status == AB_TASK_EXECUTING && event->at > spent->since) {
        spent->worked_ms += event->at - spent->since;
    }
    spent->status = status;
    spent->since = event->at;
    return true;
}

static int64_t at_most(int64_t spent_ms, int64_t limit_ms)
{
    int64_t most = limit_ms > restart_grace_ms ? limit_ms - restart_grace_ms : 0;
    return spent_ms < most ? spent_ms : most;
}

void hot_clock_recall(struct hot *hot)
{
    struct ab_store *store = hot->engine->settings.store;
    const struct ab_agent_settings *agent = &hot->agent->settings;
    struct spent spent = { .status = AB_TASK_PENDING };
    (void)store->ops->events(store, hot->task.id, 0, AB_EVENT_BIT(AB_EVENT_STATUS), 0, add_span, &spent);
    int64_t span = engine_now(hot->engine) - spent.since;
    span = span > 0 ? span : 0;
    if (spent.status == AB_TASK_EXECUTING) {
        spent.worked_ms += span;
    } else if (spent.status == AB_TASK_PAUSED) {
        hot->paused_before_ms = at_most(span, agent->pause_timeout_ms);
    }
    hot->work_left_us = (agent->timeout_ms - at_most(spent.worked_ms, agent->timeout_ms)) * 1000;
}

/* --- the clock of this process --- */

void hot_clock_arm(struct hot *hot)
{
    if (hot->engine->shutting_down || hot->agent == NULL) {
        return;
    }
    if (hot_is_terminal(hot)) {
        ab_timer_start(hot->timer, wind_down_ms);
    } else if (hot->task.status == AB_TASK_EXECUTING) {
        hot->work_since_us = engine_now_us(hot->engine);
        hot->working = true;
        int64_t left_ms = (hot->work_left_us + 999) / 1000;
        ab_timer_start(hot->timer, left_ms > 0 ? (uint64_t)left_ms : 0);
    } else if (hot->task.status == AB_TASK_PAUSED) {
        ab_timer_start(hot->timer, (uint64_t)(hot->agent->settings.pause_timeout_ms - hot->paused_before_ms));
    }
}

/* --- callers that went away --- */

/* Whoever waits for it or listens to it is still asking. */
static void abandoned(void *arg)
{
    struct hot *hot = arg;
    if (engine_is_watched(hot->engine, hot->task.id)) {
        hot_abandon_arm(hot);
    } else {
        hot_stop(hot, "its caller went away");
    }
}

void hot_abandon_arm(struct hot *hot)
{
    if (hot->task.abandon_ms <= 0) {
        return;
    }
    if (hot->abandon_timer == NULL) {
        hot->abandon_timer = ab_timer_new(hot->engine->settings.loop, abandoned, hot);
    }
    ab_timer_start(hot->abandon_timer, (uint64_t)hot->task.abandon_ms);
}

void ab_engine_abandon(struct ab_engine *engine, const char *id, int64_t grace_ms)
{
    struct hot *hot = hot_find(engine, id);
    if (hot == NULL || hot_is_terminal(hot) || hot->broken || engine->shutting_down) {
        return;
    }
    if (grace_ms <= 0) {
        hot_stop(hot, "its caller went away");
        return;
    }
    /* The row keeps it: after a restart the time counts anew. */
    hot->noted = hot->noted || hot->task.abandon_ms != grace_ms;
    hot->task.abandon_ms = grace_ms;
    hot_abandon_arm(hot);
    engine_attend(hot);
}

void ab_engine_touch(struct ab_engine *engine, const char *id)
{
    struct hot *hot = hot_find(engine, id);
    if (hot != NULL && hot->abandon_timer != NULL) {
        hot_abandon_arm(hot);
    }
}

/* --- the sweep --- */

static uint64_t stored_tasks(struct ab_engine *engine)
{
    struct ab_store *store = engine->settings.store;
    uint64_t counts[AB_TASK_STATUS_COUNT] = { 0 };
    uint64_t sum = 0;
    if (store->ops->count(store, counts) == AB_OK) {
        for (size_t i = 0; i < AB_TASK_STATUS_COUNT; i++) {
            sum += counts[i];
        }
    }
    return sum;
}

static void sweep_done(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct ab_engine *engine = arg;
    engine->n_commits--;
    if (engine->shutting_down) {
        engine_turn_soon(engine);
        return;
    }
    uint64_t now_there = stored_tasks(engine);
    bool took_many = engine->swept_from > now_there && engine->swept_from - now_there >= sweep_limit / 2;
    if (outcome != AB_STORE_DONE) {
        ab_log(engine->settings.log, AB_LOG_WARNING, "task", "old tasks could not be removed", "why", text, NULL);
    } else if (took_many) {
        ab_timer_start(engine->sweep_timer, sweep_again_ms);
        return;
    }
    ab_timer_start(engine->sweep_timer, (uint64_t)engine->settings.sweep_every_ms);
}

static void sweep(void *arg)
{
    struct ab_engine *engine = arg;
    struct ab_store *store = engine->settings.store;
    engine->swept_from = stored_tasks(engine);
    engine->n_commits++;
    store->ops->sweep(store, engine_now(engine) - engine->settings.keep_ms, sweep_limit, sweep_done, engine);
}

void engine_sweep_arm(struct ab_engine *engine)
{
    if (engine->sweep_timer == NULL) {
        engine->sweep_timer = ab_timer_new(engine->settings.loop, sweep, engine);
    }
    ab_timer_start(engine->sweep_timer, (uint64_t)engine->settings.sweep_every_ms);
}
