/* Whom a task's caller wants told elsewhere, changed after its creation. A change goes to the store with the task's
 * next commit, or with one of its own; a task that has ended becomes hot again for as long as that takes, so that two
 * changes never meet in the store. */
#include "task/engine_internal.h"
#include "task/outbox.h"

bool hot_has_wishes(const struct hot *hot)
{
    return hot->wishes > hot->wishes_durable;
}

/* --- how it ended --- */

void hot_wishes_stored(struct hot *hot)
{
    hot->wishes_durable = hot->wishes_flight;
    struct ab_link *link;
    while ((link = ab_list_first(&hot->wish_calls)) != NULL &&
           AB_OWNER(link, struct call, link)->number <= hot->wishes_durable) {
        ab_link_remove(link);
        engine_call_soon(hot->engine, AB_OWNER(link, struct call, link));
    }
}

/* What the store has is what holds; where it cannot be read, the next change begins with what was wanted. */
static void fall_back(struct hot *hot)
{
    struct ab_store *store = hot->engine->settings.store;
    struct ab_task_request request;
    if (store->ops->get_request(store, hot->task.id, &request) == AB_OK) {
        ab_replace(&hot->request.webhooks_json, request.webhooks_json);
        ab_task_request_deinit(&request);
    }
    hot->wishes_durable = hot->wishes;
    hot->n_dropped_lanes = 0;
}

void hot_wishes_refused(struct hot *hot, const char *text)
{
    if (!hot_has_wishes(hot)) {
        return;
    }
    fall_back(hot);
    struct ab_link *link;
    while ((link = ab_list_first(&hot->wish_calls)) != NULL) {
        struct call *call = AB_OWNER(link, struct call, link);
        ab_link_remove(link);
        call->outcome = (int)AB_WISH_NOT_STORED;
        free(call->text);
        call->text = ab_format("it could not be stored: %s", text != NULL ? text : "the store refused");
        engine_call_soon(hot->engine, call);
    }
}

/* --- changing --- */

static void tell(struct ab_engine *engine, enum ab_wish_outcome outcome, const char *text, ab_wished_fn done, void *arg)
{
    engine_call_soon(engine, engine_call_wished(done, arg, outcome, text));
}

/* A task that has ended, taken up from the store; NULL: there is none of this owner. */
static struct hot *warm(struct ab_engine *engine, const char *owner, const char *id)
{
    struct ab_store *store = engine->settings.store;
    struct ab_task task;
    struct ab_task_request request = { 0 };
    if (ab_engine_get(engine, owner, id, &task) != AB_OK) {
        return NULL;
    }
    if (!ab_task_status_is_terminal(task.status) || store->ops->get_request(store, id, &request) != AB_OK) {
        ab_task_deinit(&task);
        return NULL;
    }
    struct hot *hot = hot_new(engine, &task, &request);
    hot_discharge_owner(hot);
    hot->stored = true;
    hot->counted = true;
    hot->durable = hot->task.last_event;
    return hot;
}

/* The task whose wishes may be changed; NULL: `done` is being told why not. */
static struct hot *changeable(struct ab_engine *engine, const char *owner, const char *id, ab_wished_fn done, void *arg)
{
    if (engine->shutting_down) {
        tell(engine, AB_WISH_NOT_STORED, "the bridge is going down; try again in a moment", done, arg);
        return NULL;
    }
    struct hot *hot = hot_find(engine, id);
    bool usable = hot != NULL && hot->stored && !hot->gone && ab_str_equal(ab_str(hot->task.owner), ab_str(owner));
    if (hot == NULL) {
        hot = warm(engine, owner, id);
        usable = hot != NULL;
    }
    if (!usable) {
        tell(engine, AB_WISH_UNKNOWN, "there is no such task", done, arg);
        return NULL;
    }
    if (hot->broken && !(hot_is_terminal(hot) && hot_is_durable(hot))) {
        AB_CLEANUP(ab_free_string) char *text = ab_format("it could not be stored: %s", hot->broken_text);
        tell(engine, AB_WISH_NOT_STORED, text, done, arg);
        return NULL;
    }
    return hot;
}

/* What was decided before, too: nobody hears of a removal that could still come back. */
static void tell_when_durable(struct hot *hot, ab_wished_fn done, void *arg)
{
    engine_attend(hot);
    if (!hot_has_wishes(hot)) {
        tell(hot->engine, AB_WISH_DONE, NULL, done, arg);
        return;
    }
    struct call *call = engine_call_wished(done, arg, AB_WISH_DONE, NULL);
    call->number = hot->wishes;
    ab_list_append(&hot->wish_calls, &call->link);
}

static void take(struct hot *hot, struct ab_outbox_edit *edit)
{
    free(hot->request.webhooks_json);
    hot->request.webhooks_json = edit->webhooks_json;
    hot->wishes++;
    if (edit->removed) {
        hot->dropped_lanes = ab_realloc(hot->dropped_lanes, (hot->n_dropped_lanes + 1) * sizeof *hot->dropped_lanes);
        hot->dropped_lanes[hot->n_dropped_lanes++] = edit->lane;
    }
}

void ab_engine_put_wish(struct ab_engine *engine, const char *owner, const char *id, const char *wish_json,
                        ab_wished_fn done, void *arg)
{
    struct hot *hot = changeable(engine, owner, id, done, arg);
    struct ab_outbox_edit edit;
    if (hot == NULL) {
        return;
    }
    ab_outbox_put(hot->request.webhooks_json, wish_json, engine->settings.wishes_per_task, &edit);
    if (edit.full) {
        AB_CLEANUP(ab_free_string)
        char *text = ab_format("the task has %u of them already, which is the limit; delete one first",
                               (unsigned)engine->settings.wishes_per_task);
        tell(engine, AB_WISH_FULL, text, done, arg);
        engine_attend(hot);
        return;
    }
    take(hot, &edit);
    tell_when_durable(hot, done, arg);
}

void ab_engine_remove_wish(struct ab_engine *engine, const char *owner, const char *id, const char *wish_id,
                           ab_wished_fn done, void *arg)
{
    struct hot *hot = changeable(engine, owner, id, done, arg);
    struct ab_outbox_edit edit;
    if (hot == NULL) {
        return;
    }
    ab_outbox_remove(hot->request.webhooks_json, wish_id, &edit);
    if (edit.webhooks_json != NULL) {
        take(hot, &edit);
    }
    tell_when_durable(hot, done, arg);
}
