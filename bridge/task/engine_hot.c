/* Hot tasks: where they are found, whose turn it is, and the moves of their status. */
#include "task/engine_internal.h"

#include "wire/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Several names as one key; the lengths keep ("a","bc") and ("ab","c") apart. */
static char *joined_key(const char *owner, const char *second, const char *third)
{
    return ab_format("%zu:%s %zu:%s %s", strlen(owner), owner, strlen(second), second, third);
}

/* --- threads and owners --- */

struct thread *thread_find(const struct ab_engine *engine, const char *owner, const char *thread_id)
{
    AB_CLEANUP(ab_free_string) char *key = joined_key(owner, thread_id, "");
    return ab_map_get(&engine->threads, ab_str(key));
}

struct hot *thread_first(const struct thread *thread)
{
    struct ab_link *link = ab_list_first(&thread->tasks);
    return link != NULL ? AB_OWNER(link, struct hot, in_thread) : NULL;
}

static void join_thread(struct hot *hot)
{
    struct ab_engine *engine = hot->engine;
    char *key = joined_key(hot->task.owner, hot->task.thread_id, "");
    struct thread *thread = ab_map_get(&engine->threads, ab_str(key));
    if (thread == NULL) {
        thread = ab_alloc(1, sizeof *thread);
        thread->key = ab_strdup(key);
        ab_list_init(&thread->tasks);
        ab_map_set(&engine->threads, ab_str(key), thread);
    }
    free(key);
    ab_list_append(&thread->tasks, &hot->in_thread);
    hot->thread = thread;
}

static void leave_thread(struct hot *hot)
{
    struct thread *thread = hot->thread;
    ab_link_remove(&hot->in_thread);
    if (ab_list_is_empty(&thread->tasks)) {
        ab_map_remove(&hot->engine->threads, ab_str(thread->key));
        free(thread->key);
        free(thread);
    }
}

uint32_t owner_unfinished(const struct ab_engine *engine, const char *owner)
{
    const struct owner *found = ab_map_get(&engine->owners, ab_str(owner));
    return found != NULL ? found->unfinished : 0;
}

static void charge_owner(struct hot *hot)
{
    struct ab_map *owners = &hot->engine->owners;
    struct owner *owner = ab_map_get(owners, ab_str(hot->task.owner));
    if (owner == NULL) {
        owner = ab_alloc(1, sizeof *owner);
        owner->name = ab_strdup(hot->task.owner);
        ab_map_set(owners, ab_str(owner->name), owner);
    }
    owner->unfinished++;
    hot->owner = owner;
}

void hot_discharge_owner(struct hot *hot)
{
    struct owner *owner = hot->owner;
    hot->owner = NULL;
    if (owner != NULL && --owner->unfinished == 0) {
        ab_map_remove(&hot->engine->owners, ab_str(owner->name));
        free(owner->name);
        free(owner);
    }
}

/* --- the hot task --- */

struct hot *hot_find(const struct ab_engine *engine, const char *id)
{
    return ab_map_get(&engine->hot, ab_str(id));
}

struct hot *hot_find_key(const struct ab_engine *engine, const char *owner, const char *agent, const char *key)
{
    AB_CLEANUP(ab_free_string) char *joined = joined_key(owner, agent, key);
    return ab_map_get(&engine->keys, ab_str(joined));
}

struct hot *hot_new(struct ab_engine *engine, struct ab_task *task, struct ab_task_request *request)
{
    struct hot *hot = ab_alloc(1, sizeof *hot);
    hot->engine = engine;
    hot->task = *task;
    hot->request = *request;
    memset(task, 0, sizeof *task);
    memset(request, 0, sizeof *request);
    hot->agent = engine_agent_find(engine, hot->task.agent);
    hot->born_us = engine_now_us(engine);
    ab_list_init(&hot->waiting);
    ab_list_init(&hot->wish_calls);
    ab_list_init(&hot->rounds);
    ab_map_init(&hot->used_keys);
    ab_buf_init(&hot->chunks, engine->settings.output_bytes + 1);
    ab_map_set(&engine->hot, ab_str(hot->task.id), hot);
    if (hot->request.idempotency_key != NULL) {
        hot->key = joined_key(hot->task.owner, hot->task.agent, hot->request.idempotency_key);
        ab_map_set(&engine->keys, ab_str(hot->key), hot);
    }
    join_thread(hot);
    charge_owner(hot);
    engine_count_move(hot, AB_TASK_STATUS_COUNT, hot->task.status);
    return hot;
}

static void free_calls(struct ab_list *calls)
{
    struct ab_link *link;
    while ((link = ab_list_first(calls)) != NULL) {
        engine_call_free(AB_OWNER(link, struct call, link));
    }
}

/* A run that is left here is one whose agent broke its promise; the engine's end frees it. */
static void free_run(struct hot *hot)
{
    if (hot->run != NULL) {
        ab_link_remove(&hot->run->in_slow);
        free(hot->run);
    }
}

static void free_rounds(struct hot *hot)
{
    struct ab_link *link;
    while ((link = ab_list_first(&hot->rounds)) != NULL) {
        struct round *round = AB_OWNER(link, struct round, link);
        ab_link_remove(link);
        free(round->answers);
        free(round);
    }
}

void hot_free(struct hot *hot)
{
    struct ab_engine *engine = hot->engine;
    engine_count_move(hot, hot->task.status, AB_TASK_STATUS_COUNT);
    ab_map_remove(&engine->hot, ab_str(hot->task.id));
    /* After its removal another task may have taken the key. */
    if (hot->key != NULL && ab_map_get(&engine->keys, ab_str(hot->key)) == hot) {
        ab_map_remove(&engine->keys, ab_str(hot->key));
    }
    ab_link_remove(&hot->in_attention);
    leave_thread(hot);
    hot_discharge_owner(hot);
    free_calls(&hot->waiting);
    free_calls(&hot->wish_calls);
    free(hot->dropped_lanes);
    free_run(hot);
    hot_drop_events(hot);
    free(hot->events);
    hot_lost(hot);
    hot_forget_recent(hot);
    hot_withdraw_questions(hot);
    ab_map_deinit(&hot->used_keys);
    ab_buf_deinit(&hot->chunks);
    ab_timer_free(hot->timer);
    ab_timer_free(hot->abandon_timer);
    free_rounds(hot);
    ab_free_secret(&hot->secrets);
    free(hot->broken_text);
    free(hot->key);
    ab_task_request_deinit(&hot->request);
    ab_task_deinit(&hot->task);
    free(hot);
}

bool hot_is_terminal(const struct hot *hot)
{
    return ab_task_status_is_terminal(hot->task.status);
}

bool hot_is_durable(const struct hot *hot)
{
    return hot->durable == hot->task.last_event;
}

bool hot_has_turn(const struct hot *hot)
{
    return !hot->started && !hot->broken && !hot->gone && !hot_is_terminal(hot) && !hot->engine->shutting_down &&
           thread_first(hot->thread) == hot;
}

/* --- moves --- */

static char *status_body(const struct ab_task *task)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "status", ab_task_status_name(task->status));
    if (task->reason != AB_REASON_NONE) {
        ab_json_put_text(&writer, "reason", ab_task_reason_name(task->reason));
    }
    ab_json_put_optional_text(&writer, "message", task->status_message);
    ab_json_object_end(&writer);
    return ab_buf_steal(&body);
}

bool hot_move(struct hot *hot, enum ab_task_status to, enum ab_task_reason reason, const char *message)
{
    enum ab_task_status from = hot->task.status;
    hot_clock_stop(hot);
    bool moved = ab_transition(&hot->task, to, reason, message, engine_now(hot->engine));
    if (moved) {
        engine_count_move(hot, from, to);
        hot_collect(hot, AB_EVENT_STATUS, status_body(&hot->task));
    }
    hot_clock_arm(hot);
    return moved;
}

bool hot_stay(struct hot *hot, enum ab_task_reason reason, const char *message)
{
    bool stayed = ab_transition_stay(&hot->task, reason, message, engine_now(hot->engine));
    if (stayed) {
        hot_collect(hot, AB_EVENT_STATUS, status_body(&hot->task));
    }
    return stayed;
}

static char *error_body(const char *message)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "message", message);
    ab_json_object_end(&writer);
    return ab_buf_steal(&body);
}

bool hot_end(struct hot *hot, enum ab_task_status to, enum ab_task_reason reason, const char *message)
{
    if (!ab_transition_allowed(hot->task.status, to)) {
        return false;
    }
    if ((to == AB_TASK_FAILED || to == AB_TASK_ERROR) && hot->task.error_json == NULL) {
        hot->task.error_json = error_body(message);
    }
    hot_withdraw_questions(hot);
    ab_free_secret(&hot->secrets);
    ab_replace(&hot->task.notes_json, NULL);
    ab_replace(&hot->task.answers_json, NULL);
    hot->task.abandon_ms = 0;
    ab_timer_free(hot->abandon_timer);
    hot->abandon_timer = NULL;
    return hot_move(hot, to, reason, message);
}

void hot_fail(struct hot *hot, enum ab_task_reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = NULL;
    int size = vasprintf(&message, format, arguments);
    va_end(arguments);
    hot_end(hot, AB_TASK_ERROR, reason, size >= 0 ? message : "an error that could not be described");
    if (size >= 0) {
        free(message);
    }
    if (hot->run != NULL) {
        run_stop_soon(hot);
    }
}
