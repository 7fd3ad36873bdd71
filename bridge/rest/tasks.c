/* One task: looked at, stopped, answered, followed, removed. */
#include "rest/body.h"
#include "rest/follow.h"
#include "rest/task.h"

#include "base/mem.h"

#include <string.h>

/* --- finding it --- */

static bool take_task(void *arg, const struct ab_task *task)
{
    ab_task_copy(arg, task);
    return false;
}

/* AB_OK, AB_TASK_UNKNOWN or < 0. */
static int find(struct ab_rest_call *call, const char *id, struct ab_rest_found *out)
{
    struct ab_engine *engine = call->rest->settings.engine;
    const struct ab_store_filter filter = { .owner = call->owner, .thread_id = id, .limit = 1 };
    int result = ab_engine_list(engine, &filter, take_task, &out->task);

    if (result < 0)
        return result;
    out->is_thread = out->task.owner != NULL;
    if (out->is_thread)
        return AB_OK;
    return ab_engine_get(engine, call->owner, id, &out->task);
}

static void refuse_unfound(struct ab_rest_call *call, int result)
{
    if (result < 0)
        ab_rest_refuse(call, 500, "The task cannot be read");
    else
        ab_rest_refuse(call, 404, "There is no task \"%.200s\"", call->id);
}

bool ab_rest_find(struct ab_rest_call *call, struct ab_rest_found *out)
{
    int result;

    *out = (struct ab_rest_found){ 0 };
    result = find(call, call->id, out);
    if (result != AB_OK) {
        refuse_unfound(call, result);
        return false;
    }
    ab_engine_touch(call->rest->settings.engine, out->task.id);
    return true;
}

/* What it is called here: its thread's id, or its own when it was asked for by that. */
static const char *found_id(const struct ab_rest_found *found)
{
    return found->is_thread ? found->task.thread_id : found->task.id;
}

void ab_rest_get_task(struct ab_rest_call *call)
{
    struct ab_rest_found found;

    if (!ab_rest_find(call, &found))
        return;
    ab_rest_answer_task(call, &found.task, found_id(&found));
    ab_task_deinit(&found.task);
}

/* --- steering it --- */

/* What it is called here, as it was asked for. */
static void answer_steered(struct ab_rest_call *call, const struct ab_task *task)
{
    ab_rest_answer_task(call, task, strcmp(call->id, task->thread_id) == 0 ? task->thread_id : task->id);
}

static void on_stopped(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_rest_call *call = arg;

    if (!ab_http_reply_kept(&call->reply))
        return;
    if (task != NULL && (outcome == AB_STEER_DONE || outcome == AB_STEER_TERMINAL))
        answer_steered(call, task); /* one that has ended stays as it is */
    else if (outcome == AB_STEER_NOT_STORED)
        ab_rest_refuse(call, 503, "%s", text);
    else
        refuse_unfound(call, AB_TASK_UNKNOWN);
}

void ab_rest_stop_task(struct ab_rest_call *call)
{
    struct ab_rest_found found;

    if (!ab_rest_find(call, &found))
        return;
    ab_http_reply_promise(&call->reply);
    ab_engine_stop(call->rest->settings.engine, call->owner, found.task.id, on_stopped, call);
    ab_task_deinit(&found.task);
}

static void refuse_misfit(struct ab_rest_call *call, const char *text)
{
    struct ab_rest_faults faults;

    ab_rest_faults_init(&faults);
    ab_rest_fault_add(&faults, "body.answers", "answer_misfit", "%s", text);
    ab_rest_refuse_faults(call, &faults);
    ab_rest_faults_deinit(&faults);
}

static void on_answered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_rest_call *call = arg;

    if (!ab_http_reply_kept(&call->reply))
        return;
    switch (outcome) {
    case AB_STEER_DONE:
        answer_steered(call, task);
        break;
    case AB_STEER_UNKNOWN:
        refuse_unfound(call, AB_TASK_UNKNOWN);
        break;
    case AB_STEER_TERMINAL:
    case AB_STEER_NO_QUESTION:
        ab_rest_refuse(call, 409, "%s", text);
        break;
    case AB_STEER_MISFIT:
        refuse_misfit(call, text);
        break;
    case AB_STEER_NOT_STORED:
        ab_rest_refuse(call, 503, "%s", text);
        break;
    }
}

/* The answers of the body, which the caller frees; NULL: it was refused. */
static char *read_answers(struct ab_rest_call *call)
{
    struct ab_rest_faults faults;
    struct ab_json body;
    char *answers = NULL;

    ab_rest_faults_init(&faults);
    if (ab_rest_object_read(ab_http_request(call->reply.exchange)->body, call->rest->settings.json_depth, &body,
                            &faults)) {
        struct ab_json given = ab_json_member(body, "answers");
        if (!ab_json_exists(given))
            ab_rest_fault_add(&faults, "body.answers", "missing",
                              "Is required: {\"<key>\":{\"action\":\"accept\",\"content\":{...}}}");
        else if (!ab_json_is(given, AB_JSON_OBJECT) || ab_json_count(given) == 0)
            ab_rest_fault_add(&faults, "body.answers", "dict_type",
                              "Must be an object with an answer under each question's key");
        else
            answers = ab_json_dup(given);
    }
    if (answers == NULL)
        ab_rest_refuse_faults(call, &faults);
    ab_rest_faults_deinit(&faults);
    return answers;
}

void ab_rest_reply(struct ab_rest_call *call)
{
    AB_CLEANUP(ab_free_string) char *answers = ab_rest_is_json(call) ? read_answers(call) : NULL;
    struct ab_rest_found found;

    if (answers == NULL || !ab_rest_find(call, &found))
        return;
    ab_http_reply_promise(&call->reply);
    ab_engine_answer(call->rest->settings.engine, call->owner, found.task.id, answers, on_answered, call);
    ab_task_deinit(&found.task);
}

/* --- removing it --- */

static void on_removed(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_rest_call *call = arg;

    (void)task;
    if (!ab_http_reply_kept(&call->reply))
        return;
    if (outcome != AB_STEER_DONE && outcome != AB_STEER_UNKNOWN && call->failure == NULL)
        call->failure = ab_strdup(text != NULL ? text : "The task could not be removed");
    if (call->reply.promised > 0)
        return; /* more turns of it */
    if (call->failure != NULL)
        ab_rest_refuse(call, 503, "%s", call->failure);
    else
        ab_rest_answer(call, 204, AB_STR(""));
}

static bool remove_turn(void *arg, const struct ab_task *task)
{
    struct ab_rest_call *call = arg;

    ab_http_reply_promise(&call->reply);
    ab_engine_remove(call->rest->settings.engine, call->owner, task->id, on_removed, call);
    return true;
}

/* The newest turns first: those that wait get no chance to begin. */
void ab_rest_delete_task(struct ab_rest_call *call)
{
    struct ab_rest_found found;

    if (!ab_rest_find(call, &found))
        return;
    const struct ab_store_filter turns = { .owner = call->owner, .thread_id = found.task.thread_id };
    if (!found.is_thread)
        (void)remove_turn(call, &found.task);
    else if (ab_engine_list(call->rest->settings.engine, &turns, remove_turn, call) < 0 && call->reply.promised == 0)
        ab_rest_refuse(call, 500, "The task cannot be read");
    ab_task_deinit(&found.task);
}

/* --- following it --- */

/* Where a reader was: "<task>:<number>", or the number alone. */
struct place {
    char task[AB_TASK_ID_SIZE]; /* "": not said */
    uint64_t number;
};

static bool read_place(struct ab_rest_call *call, struct place *out)
{
    struct ab_rest_faults faults;
    struct ab_str text = AB_STR("");
    const char *colon;

    *out = (struct place){ .number = 0 };
    if (!ab_http_header(call->reply.exchange, "last-event-id", &text) || text.size == 0)
        return true;
    colon = memchr(text.data, ':', text.size);
    if (colon != NULL && (size_t)(colon - text.data) < sizeof out->task) {
        memcpy(out->task, text.data, (size_t)(colon - text.data));
        text.size -= (size_t)(colon + 1 - text.data);
        text.data = colon + 1;
    }
    if (ab_str_to_uint(text, INT64_MAX, &out->number))
        return true;
    ab_rest_faults_init(&faults);
    ab_rest_fault_add(&faults, "header.last-event-id", "value_error", "Is no id of an event of this task");
    ab_rest_refuse_faults(call, &faults);
    ab_rest_faults_deinit(&faults);
    return false;
}

/* The turn that was being read, where the thread has gone on since. */
static bool turn_back(struct ab_rest_call *call, const struct place *place, struct ab_rest_found *found)
{
    struct ab_task earlier = { 0 };

    if (place->task[0] == '\0' || strcmp(place->task, found->task.id) == 0)
        return true;
    if (ab_engine_get(call->rest->settings.engine, call->owner, place->task, &earlier) != AB_OK ||
        strcmp(earlier.thread_id, found->task.thread_id) != 0) {
        ab_task_deinit(&earlier);
        ab_rest_refuse(call, 404, "The task of the event in Last-Event-ID is not here");
        return false;
    }
    ab_task_deinit(&found->task);
    found->task = earlier;
    return true;
}

void ab_rest_events(struct ab_rest_call *call)
{
    struct ab_rest_found found;
    struct place place;

    if (!read_place(call, &place) || !ab_rest_find(call, &found))
        return;
    if (turn_back(call, &place, &found)) {
        /* An empty stream would only be fetched again by a client that knows no better. */
        if (ab_task_status_is_terminal(found.task.status) && place.number >= found.task.last_event)
            ab_rest_answer(call, 204, AB_STR(""));
        else if (ab_rest_take_place(call))
            ab_rest_follow_task(call, AB_REST_FOLLOW_EVENTS, &found.task, found_id(&found), place.number);
    }
    ab_task_deinit(&found.task);
}
