/* From decided to durable: events collect, one commit of a task is under way at a time, and what the store refuses
 * ends the task without a gap in its log. */
#include "task/engine_internal.h"
#include "task/outbox.h"

#include <string.h>

static const uint64_t first_try_ms = 1000;
static const uint64_t longest_try_ms = 60000;

/* --- collecting --- */

/* The last collected event, when it is of this kind and nothing came after it. */
static struct ab_event *last_collected(struct hot *hot, enum ab_event_kind kind)
{
    if (hot->n_events == 0) {
        return NULL;
    }
    struct ab_event *last = &hot->events[hot->n_events - 1];
    return last->kind == kind ? last : NULL;
}

void hot_collect(struct hot *hot, enum ab_event_kind kind, char *body)
{
    int64_t now = engine_now(hot->engine);
    size_t size = strlen(body);
    hot->collected += size;
    hot->engine->collected += size;
    if (now > hot->task.updated_at) {
        hot->task.updated_at = now;
    }
    struct ab_event *last = kind == AB_EVENT_PROGRESS ? last_collected(hot, kind) : NULL;
    if (last != NULL) {
        /* Nobody has seen the number before this one yet. */
        ab_event_deinit(last);
        last->at = hot->task.updated_at;
        last->body_json = body;
        return;
    }
    if (hot->n_events == hot->events_capacity) {
        hot->events_capacity = hot->events_capacity == 0 ? 4 : hot->events_capacity * 2;
        hot->events = ab_realloc(hot->events, hot->events_capacity * sizeof *hot->events);
    }
    hot->events[hot->n_events++] = (struct ab_event){
        .number = ++hot->task.last_event, .at = hot->task.updated_at, .kind = kind, .body_json = body
    };
    engine_attend(hot);
}

void hot_drop_events(struct hot *hot)
{
    for (size_t i = 0; i < hot->n_events; i++) {
        ab_event_deinit(&hot->events[i]);
    }
    hot->n_events = 0;
    hot->engine->collected -= hot->collected;
    hot->collected = 0;
}

/* --- refused --- */

static uint64_t pause_before(unsigned tries)
{
    uint64_t pause = tries < 6 ? first_try_ms << tries : longest_try_ms;
    return pause < longest_try_ms ? pause : longest_try_ms;
}

static void creation_refused(struct hot *hot, const char *text)
{
    hot->gone = true;
    hot_drop_events(hot);
    engine_calls_refuse(hot, text);
}

/* The hot task becomes what the store has; false when the store cannot say. */
static bool fall_back(struct hot *hot)
{
    struct ab_store *store = hot->engine->settings.store;
    struct ab_task row;
    int result = store->ops->get(store, hot->task.id, &row);
    hot->astray = result < 0;
    if (hot->astray) {
        return false;
    }
    if (result == AB_STORE_NONE) {
        hot->gone = true; /* somebody removed it: there is nothing to end */
        engine_watch_notify(hot->engine, hot->task.id);
        return true;
    }
    if (row.last_event != hot->durable) { /* written by another, or by the commit that seemed refused */
        hot_forget_recent(hot);
        engine_watch_notify(hot->engine, hot->task.id);
    }
    engine_count_move(hot, hot->task.status, row.status);
    ab_task_deinit(&hot->task);
    hot->task = row;
    hot->durable = row.last_event;
    return true;
}

static void not_stored(struct hot *hot, const char *text)
{
    struct ab_engine *engine = hot->engine;
    hot->broken = true;
    ab_replace(&hot->broken_text, text != NULL ? text : "the store refused");
    hot_drop_events(hot);
    hot->noted = false;
    hot_withdraw_questions(hot);
    engine_calls_refuse(hot, hot->broken_text);
    if (hot->run != NULL) {
        run_stop_soon(hot);
    }
    hot_clock_stop(hot);
    bool settled = fall_back(hot) && (hot->gone || hot_is_terminal(hot));
    if (!settled && !engine->shutting_down) {
        ab_timer_start(hot->timer, pause_before(hot->tries++));
    }
}

void hot_try_again(struct hot *hot)
{
    if (!fall_back(hot)) {
        ab_timer_start(hot->timer, pause_before(hot->tries++));
    } else if (!hot->gone && !hot_is_terminal(hot)) {
        hot_fail(hot, AB_REASON_STORAGE, "what the agent reported could not be stored: %s", hot->broken_text);
    }
    engine_attend(hot);
}

/* --- commits --- */

static void stored(struct hot *hot)
{
    struct ab_engine *engine = hot->engine;
    hot->durable = hot->flight;
    hot_landed(hot);
    if (!hot->stored) {
        hot->stored = true;
        engine_count_created(hot);
    }
    hot->tries = 0;
    if (hot->flight_tells && engine->settings.outbox_grew != NULL) {
        engine->settings.outbox_grew(engine->settings.outbox_arg);
    }
    engine_watch_notify(engine, hot->task.id);
    engine_calls_release(hot);
    if (hot_is_terminal(hot) && hot_is_durable(hot) && !hot->counted) {
        hot->counted = true;
        hot_discharge_owner(hot);
        engine_count_finished(hot);
    }
}

static void commit_done(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct hot *hot = arg;
    struct ab_engine *engine = hot->engine;
    engine->n_commits--;
    if (outcome == AB_STORE_DONE) {
        stored(hot);
        hot_wishes_stored(hot);
        hot->flight = 0;
    } else {
        hot->flight = 0;
        hot_lost(hot);
        ab_metric_add(engine->store_refused, 1);
        ab_log(engine->settings.log, AB_LOG_ERROR, "task", "a task's change was not stored", "task", hot->task.id,
               "why", text, NULL);
        hot_wishes_refused(hot, text);
        if (!hot->stored) {
            creation_refused(hot, text);
        } else if (hot->flight_moves) {
            not_stored(hot, text);
        }
    }
    engine_attend(hot);
}

void hot_flush(struct hot *hot)
{
    bool changed = hot->stored && hot_has_wishes(hot);
    if (hot->flight != 0 || (hot->n_events == 0 && !hot->noted && !changed)) {
        return;
    }
    struct ab_store *store = hot->engine->settings.store;
    struct ab_outbox_rows rows = { 0 };
    ab_outbox_collect(&rows, hot->agent != NULL ? hot->agent->settings.webhooks_json : NULL, 0, hot->events,
                      hot->n_events);
    ab_outbox_collect(&rows, hot->request.webhooks_json, AB_OUTBOX_CALLER_LANES, hot->events, hot->n_events);
    struct ab_store_commit commit = {
        .task = &hot->task,
        .request = hot->stored ? NULL : &hot->request,
        .expected_last_event = hot->durable,
        .events = hot->events,
        .n_events = hot->n_events,
        .deliveries = rows.rows,
        .n_deliveries = rows.count,
        .webhooks_json = changed ? hot->request.webhooks_json : NULL,
        .dropped_lanes = hot->dropped_lanes,
        .n_dropped_lanes = hot->n_dropped_lanes,
    };
    hot->flight_tells = rows.count > 0;
    hot->flight_moves = hot->n_events > 0 || hot->noted;
    hot->noted = false;
    hot->wishes_flight = hot->wishes;
    hot->flight = hot->task.last_event;
    hot->engine->n_commits++;
    store->ops->commit(store, &commit, commit_done, hot);
    ab_outbox_deinit(&rows);
    hot->flying = hot->events;
    hot->n_flying = hot->n_events;
    hot->events = NULL;
    hot->n_events = hot->events_capacity = 0;
    hot_drop_events(hot);
    hot->n_dropped_lanes = 0;
}
