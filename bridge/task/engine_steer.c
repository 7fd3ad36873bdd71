/* Steering from outside: stop and answer. What was decided is told once it is durable. */
#include "task/engine_internal.h"

#include <string.h>

enum { ANSWER_DEPTH = 64 };

void hot_stop(struct hot *hot, const char *message)
{
    if (hot->broken || !hot_end(hot, AB_TASK_STOPPED, AB_REASON_NONE, message)) {
        return;
    }
    if (hot->run != NULL) {
        run_stop_soon(hot);
    }
}

/* Tells at once what needs no commit. */
static void tell(struct ab_engine *engine, const char *id, enum ab_steer_outcome outcome, const char *text,
                 ab_steered_fn done, void *arg)
{
    engine_call_soon(engine, engine_call_steered(done, arg, outcome, id, text));
}

static void tell_when_durable(struct hot *hot, enum ab_steer_outcome outcome, const char *text, ab_steered_fn done,
                              void *arg)
{
    engine_call_when_durable(hot, engine_call_steered(done, arg, outcome, hot->task.id, text));
}

/* Tells about a task that is not hot: it has ended, or it is none of this owner's. */
static void tell_cold(struct ab_engine *engine, const char *owner, const char *id, ab_steered_fn done, void *arg)
{
    struct ab_task task;
    if (ab_engine_get(engine, owner, id, &task) != AB_OK) {
        tell(engine, NULL, AB_STEER_UNKNOWN, "there is no such task", done, arg);
        return;
    }
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("the task has ended already: %s", ab_task_status_name(task.status));
    ab_task_deinit(&task);
    tell(engine, id, AB_STEER_TERMINAL, text, done, arg);
}

/* The hot task that may be steered; NULL: `done` is being told why not. */
static struct hot *steerable(struct ab_engine *engine, const char *owner, const char *id, ab_steered_fn done, void *arg)
{
    struct hot *hot = hot_find(engine, id);
    if (hot == NULL || !hot->stored || hot->gone || strcmp(hot->task.owner, owner) != 0) {
        tell_cold(engine, owner, id, done, arg);
        return NULL;
    }
    ab_engine_touch(engine, id);
    if (hot->broken && !(hot_is_terminal(hot) && hot_is_durable(hot))) {
        AB_CLEANUP(ab_free_string) char *text = ab_format("it could not be stored: %s", hot->broken_text);
        tell(engine, id, AB_STEER_NOT_STORED, text, done, arg);
        return NULL;
    }
    if (hot_is_terminal(hot)) {
        AB_CLEANUP(ab_free_string)
        char *text = ab_format("the task has ended already: %s", ab_task_status_name(hot->task.status));
        tell_when_durable(hot, AB_STEER_TERMINAL, text, done, arg);
        return NULL;
    }
    if (engine->shutting_down) {
        /* Its run is let go of or wound down, to be taken up by the next start: nobody would hear of this. */
        tell(engine, id, AB_STEER_NOT_STORED, "the bridge is going down; try again in a moment", done, arg);
        return NULL;
    }
    return hot;
}

void ab_engine_stop(struct ab_engine *engine, const char *owner, const char *id, ab_steered_fn done, void *arg)
{
    struct hot *hot = steerable(engine, owner, id, done, arg);
    if (hot != NULL) {
        hot_stop(hot, NULL);
        tell_when_durable(hot, AB_STEER_DONE, NULL, done, arg);
    }
}

/* --- answers --- */

static void answer(struct hot *hot, const char *answers_json, bool keep_problem, ab_steered_fn done, void *arg)
{
    struct ab_engine *engine = hot->engine;
    const char *id = hot->task.id;
    struct ab_json answers = { { NULL, 0 } };
    struct ab_json_error error = { 0 };
    if (!ab_json_check(ab_str(answers_json), ANSWER_DEPTH, &answers, &error) || !ab_json_is(answers, AB_JSON_OBJECT)) {
        AB_CLEANUP(ab_free_string)
        char *text = ab_format("answers must be an object with an answer under each "
                               "question's key%s%s",
                               error.text[0] != '\0' ? ": " : "", error.text);
        tell(engine, id, AB_STEER_MISFIT, text, done, arg);
        return;
    }
    AB_CLEANUP(ab_free_string) char *text = NULL;
    struct ab_json misfit;
    enum ab_steer_outcome outcome = hot_check_answers(hot, answers, &misfit, &text);
    if (outcome == AB_STEER_DONE) {
        hot_take_answers(hot, answers);
        tell_when_durable(hot, outcome, NULL, done, arg);
    } else if (outcome == AB_STEER_MISFIT && keep_problem) {
        hot_note_problem(hot, misfit, text);
        tell_when_durable(hot, outcome, text, done, arg);
    } else {
        tell(engine, id, outcome, text != NULL ? text : "none of these questions is open", done, arg);
    }
}

static void answer_by_id(struct ab_engine *engine, const char *owner, const char *id, const char *answers_json,
                         bool keep_problem, ab_steered_fn done, void *arg)
{
    struct hot *hot = steerable(engine, owner, id, done, arg);
    if (hot != NULL) {
        answer(hot, answers_json, keep_problem, done, arg);
    }
}

void ab_engine_answer(struct ab_engine *engine, const char *owner, const char *id, const char *answers_json,
                      ab_steered_fn done, void *arg)
{
    answer_by_id(engine, owner, id, answers_json, false, done, arg);
}

void ab_engine_answer_unheard(struct ab_engine *engine, const char *owner, const char *id, const char *answers_json,
                              ab_steered_fn done, void *arg)
{
    answer_by_id(engine, owner, id, answers_json, true, done, arg);
}
