/* Callbacks that are owed to callers: made at once or when a change has become durable, always from the turn. */
#include "task/as_of.h"
#include "task/engine_internal.h"

#include <string.h>

static struct call *call_new(void *arg, int outcome, const char *task_id, const char *text)
{
    struct call *call = ab_alloc(1, sizeof *call);
    call->arg = arg;
    call->outcome = outcome;
    call->text = ab_strdup(text);
    if (task_id != NULL) {
        memcpy(call->task_id, task_id, strnlen(task_id, AB_TASK_ID_SIZE - 1));
    }
    return call;
}

struct call *engine_call_created(ab_created_fn created, void *arg, enum ab_create_outcome outcome, const char *task_id,
                                 const char *text)
{
    struct call *call = call_new(arg, (int)outcome, task_id, text);
    call->created = created;
    return call;
}

struct call *engine_call_steered(ab_steered_fn steered, void *arg, enum ab_steer_outcome outcome, const char *task_id,
                                 const char *text)
{
    struct call *call = call_new(arg, (int)outcome, task_id, text);
    call->steered = steered;
    return call;
}

struct call *engine_call_wished(ab_wished_fn wished, void *arg, enum ab_wish_outcome outcome, const char *text)
{
    struct call *call = call_new(arg, (int)outcome, NULL, text);
    call->wished = wished;
    return call;
}

void engine_call_free(struct call *call)
{
    ab_link_remove(&call->link);
    free(call->text);
    free(call);
}

void engine_call_soon(struct ab_engine *engine, struct call *call)
{
    ab_list_append(&engine->calls, &call->link);
    engine_turn_soon(engine);
}

void engine_call_when_durable(struct hot *hot, struct call *call)
{
    if (hot_is_durable(hot)) {
        engine_call_soon(hot->engine, call);
        return;
    }
    /* Of a task that is being created nothing but its creation matters, whatever was decided since. */
    call->number = hot->stored ? hot->task.last_event : 1;
    ab_list_append(&hot->waiting, &call->link);
}

void engine_calls_release(struct hot *hot)
{
    struct ab_link *link = ab_list_first(&hot->waiting);
    /* They stand in the order of their numbers. */
    while (link != NULL && AB_OWNER(link, struct call, link)->number <= hot->durable) {
        struct call *call = AB_OWNER(link, struct call, link);
        ab_link_remove(link);
        engine_call_soon(hot->engine, call);
        link = ab_list_first(&hot->waiting);
    }
}

void engine_calls_refuse(struct hot *hot, const char *text)
{
    struct ab_link *link;
    while ((link = ab_list_first(&hot->waiting)) != NULL) {
        struct call *call = AB_OWNER(link, struct call, link);
        ab_link_remove(link);
        call->outcome = call->created != NULL ? (int)AB_CREATE_NOT_STORED : (int)AB_STEER_NOT_STORED;
        free(call->text);
        call->text = ab_format("it could not be stored: %s", text != NULL ? text : "the store refused");
        if (!hot->stored) {
            call->task_id[0] = '\0';
        }
        engine_call_soon(hot->engine, call);
    }
}

/* Whoever made it hears of it as it was made, though "executing" may have come with the same commit. */
static void tell_created(const struct call *call, struct ab_task *row)
{
    char body[] = ENGINE_STATUS_MADE;
    const struct ab_event made = { .number = 1, .at = row->created_at, .kind = AB_EVENT_STATUS, .body_json = body };
    if (call->outcome == (int)AB_CREATE_DONE) {
        ab_task_as_of(row, &made);
    }
    call->created(call->arg, (enum ab_create_outcome)call->outcome, row, call->text);
}

/* The task that was to be shown is gone or unreadable by now: an outcome that comes with a task is none any more. */
static void miss_task(struct call *call, int found)
{
    const char *why = found < 0 ? "the task cannot be read" : "the task was removed in the same moment";
    if (call->created != NULL) {
        if (call->outcome != (int)AB_CREATE_DONE && call->outcome != (int)AB_CREATE_EXISTING) {
            return;
        }
        call->outcome = (int)AB_CREATE_NOT_STORED;
    } else {
        call->outcome = found < 0 ? (int)AB_STEER_NOT_STORED : (int)AB_STEER_UNKNOWN;
    }
    ab_replace(&call->text, why);
}

static void call_run(struct ab_engine *engine, struct call *call)
{
    struct ab_task row = { 0 }; /* copied: the callback may change the hot one */
    int found = call->task_id[0] != '\0' ? engine_durable_row(engine, call->task_id, &row) : AB_STORE_NONE;
    bool have = found == AB_OK;
    if (call->task_id[0] != '\0' && !have) {
        miss_task(call, found);
    }
    if (call->created != NULL && have) {
        tell_created(call, &row);
    } else if (call->created != NULL) {
        call->created(call->arg, (enum ab_create_outcome)call->outcome, NULL, call->text);
    } else if (call->steered != NULL) {
        call->steered(call->arg, (enum ab_steer_outcome)call->outcome, have ? &row : NULL, call->text);
    } else if (call->wished != NULL) {
        call->wished(call->arg, (enum ab_wish_outcome)call->outcome, call->text);
    }
    if (have) {
        ab_task_deinit(&row);
    }
}

void engine_calls_run(struct ab_engine *engine)
{
    struct ab_list now;
    ab_list_init(&now);
    ab_list_take(&now, &engine->calls);
    struct ab_link *link;
    while ((link = ab_list_first(&now)) != NULL) {
        struct call *call = AB_OWNER(link, struct call, link);
        ab_link_remove(link);
        call_run(engine, call);
        engine_call_free(call);
    }
}
