/* Questions of a hot task: asked by its agent, shown under keys that are unique in the task, answered by callers, and
 * handed to the agent once no key of the round is open. */
#include "task/engine_internal.h"

#include <string.h>

/* A round stands in the task's row as a whole and is written with it, so it cannot be of any size. */
enum { ASK_DEPTH = 64, ASK_REASON_SIZE = 512, ROUND_QUESTIONS = 64 };

/* --- keys --- */

/* How much of a shown key is the agent's own: all but a "#2", "#3" ... at its end. */
static size_t own_size(const char *shown)
{
    const char *mark = strrchr(shown, '#');
    uint64_t round = 0;
    return mark != NULL && mark > shown && ab_str_to_uint(ab_str(mark + 1), UINT32_MAX, &round) && round >= 2
               ? (size_t)(mark - shown)
               : strlen(shown);
}

/* "key", or "key#2", "key#3" ... when it was shown before, or when it could be taken for such a one: what an agent
 * called a question can be read off what it is shown as. */
static char *shown_key(struct hot *hot, const char *key)
{
    char *shown = own_size(key) == strlen(key) ? ab_strdup(key) : ab_format("%s#2", key);
    for (unsigned round = 2; ab_map_get(&hot->used_keys, ab_str(shown)) != NULL; round++) {
        free(shown);
        shown = ab_format("%s#%u", key, round);
    }
    ab_map_set(&hot->used_keys, ab_str(shown), hot);
    return shown;
}

static const char *remember_asked(struct hot *hot, struct ab_json key)
{
    hot->asked = ab_realloc(hot->asked, (hot->n_asked + 1) * sizeof *hot->asked);
    struct asked *asked = &hot->asked[hot->n_asked++];
    asked->key = ab_json_string_dup(key);
    asked->shown = shown_key(hot, asked->key);
    return asked->shown;
}

void hot_withdraw_questions(struct hot *hot)
{
    for (size_t i = 0; i < hot->n_asked; i++) {
        free(hot->asked[i].key);
        free(hot->asked[i].shown);
    }
    free(hot->asked);
    hot->asked = NULL;
    hot->n_asked = 0;
    ab_replace(&hot->task.questions_json, NULL);
}

static bool recall_event(void *arg, const struct ab_event *event)
{
    struct hot *hot = arg;
    struct ab_json_iterator iterator = ab_json_iterate(ab_json_trusted(event->body_json));
    struct ab_json key;
    while (ab_json_next(&iterator, &key, NULL)) {
        AB_CLEANUP(ab_free_string) char *shown = ab_json_string_dup(key);
        if (shown != NULL) {
            ab_map_set(&hot->used_keys, ab_str(shown), hot);
        }
    }
    return true;
}

void hot_recall_keys(struct hot *hot)
{
    struct ab_store *store = hot->engine->settings.store;
    (void)store->ops->events(store, hot->task.id, 0, AB_EVENT_BIT(AB_EVENT_QUESTION), 0, recall_event, hot);
}

void hot_recall_round(struct hot *hot)
{
    struct ab_json_iterator iterator = ab_json_iterate(ab_json_trusted(hot->task.questions_json));
    struct ab_json key;
    while (hot->task.questions_json != NULL && ab_json_next(&iterator, &key, NULL)) {
        hot->asked = ab_realloc(hot->asked, (hot->n_asked + 1) * sizeof *hot->asked);
        struct asked *asked = &hot->asked[hot->n_asked++];
        asked->shown = ab_json_string_dup(key);
        asked->key = ab_strndup(asked->shown, own_size(asked->shown));
    }
}

/* --- asking --- */

static const char *const problem_only[] = { "problem", NULL };

/* Under their shown keys: {"<shown>":{...}}. */
static char *asked_body(struct hot *hot, struct ab_json asked)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json_iterator iterator = ab_json_iterate(asked);
    struct ab_json key;
    struct ab_json question;
    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    while (ab_json_next(&iterator, &key, &question)) {
        ab_json_write_key_str(&writer, ab_str(remember_asked(hot, key)));
        ab_json_write_value(&writer, question);
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&body);
}

/* The open round, with what was asked before in it. */
static void add_to_round(struct hot *hot, const char *asked)
{
    struct ab_buf round = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &round);
    ab_json_object_begin(&writer);
    ab_json_put_members(&writer, ab_json_trusted(hot->task.questions_json), NULL);
    ab_json_put_members(&writer, ab_json_trusted(asked), NULL);
    ab_json_object_end(&writer);
    free(hot->task.questions_json);
    hot->task.questions_json = ab_buf_steal(&round);
}

/* The words of the first question, for those who see only a status. */
static char *first_message(struct ab_json questions)
{
    struct ab_json_iterator iterator = ab_json_iterate(questions);
    struct ab_json question = { { NULL, 0 } };
    (void)ab_json_next(&iterator, NULL, &question);
    char *message = ab_json_string_dup(ab_json_member(question, "message"));
    return message != NULL ? message : ab_json_string_dup(ab_json_member(question, "title"));
}

void hot_ask(struct hot *hot, const char *asked_json)
{
    struct ab_json asked = { { NULL, 0 } };
    struct ab_json_error error = { 0 };
    char reason[ASK_REASON_SIZE];
    if (!ab_json_check(ab_str(asked_json), ASK_DEPTH, &asked, &error)) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent asked something that is not JSON: %s", error.text);
        return;
    }
    if (!ab_questions_check(asked, reason, sizeof reason)) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent asked a malformed question: %s", reason);
        return;
    }
    if (hot->n_asked + ab_json_count(asked) > ROUND_QUESTIONS) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent asked more than %d questions before one round was answered",
                 ROUND_QUESTIONS);
        return;
    }
    char *body = asked_body(hot, asked);
    add_to_round(hot, body);
    hot_collect(hot, AB_EVENT_QUESTION, body);
    struct ab_json round = ab_json_trusted(hot->task.questions_json);
    AB_CLEANUP(ab_free_string) char *message = first_message(round);
    if (hot->task.status == AB_TASK_PAUSED) {
        (void)hot_stay(hot, ab_questions_reason(round), message);
    } else {
        (void)hot_move(hot, AB_TASK_PAUSED, ab_questions_reason(round), message);
    }
}

/* --- answering --- */

/* The question under a shown key, when it is still open. */
static struct ab_json open_question(const struct hot *hot, struct ab_json key)
{
    struct ab_json none = { { NULL, 0 } };
    struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json question = none;
    if (ab_json_unescape(key, &name)) {
        question = ab_json_member_str(ab_json_trusted(hot->task.questions_json), ab_buf_str(&name));
    }
    ab_buf_deinit(&name);
    return ab_json_exists(ab_json_member(question, "answer")) ? none : question;
}

enum ab_steer_outcome hot_check_answers(const struct hot *hot, struct ab_json answers, struct ab_json *misfit,
                                        char **text)
{
    struct ab_json_iterator iterator = ab_json_iterate(answers);
    struct ab_json key;
    struct ab_json answer;
    enum ab_steer_outcome outcome = AB_STEER_NO_QUESTION;
    while (ab_json_next(&iterator, &key, &answer)) {
        char reason[ASK_REASON_SIZE];
        struct ab_json question = open_question(hot, key);
        if (!ab_json_exists(question)) {
            continue;
        }
        if (!ab_question_fits(question, answer, reason, sizeof reason)) {
            *misfit = key;
            *text = ab_question_is_open(question)
                        ? ab_format("the answer to %.*s does not fit: %s", AB_STR_ARGS(key.text), reason)
                        : ab_format("%.*s: %s", AB_STR_ARGS(key.text), reason);
            return AB_STEER_MISFIT;
        }
        outcome = AB_STEER_DONE;
    }
    return outcome;
}

void hot_note_problem(struct hot *hot, struct ab_json key, const char *problem)
{
    struct ab_json questions = ab_json_trusted(hot->task.questions_json);
    AB_CLEANUP(ab_free_string)
    char *message = hot->task.status_message != NULL ? ab_strdup(hot->task.status_message) : NULL;
    AB_CLEANUP(ab_free_string) char *wanted = ab_json_string_dup(key);
    struct ab_buf round = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &round);
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < hot->n_asked; i++) {
        const char *shown = hot->asked[i].shown;
        bool is_it = wanted != NULL && strcmp(shown, wanted) == 0;
        ab_json_write_key_str(&writer, ab_str(shown));
        ab_json_object_begin(&writer);
        ab_json_put_members(&writer, ab_json_member_str(questions, ab_str(shown)), is_it ? problem_only : NULL);
        if (is_it) {
            ab_json_put_text(&writer, "problem", problem);
        }
        ab_json_object_end(&writer);
    }
    ab_json_object_end(&writer);
    free(hot->task.questions_json);
    hot->task.questions_json = ab_buf_steal(&round);
    (void)hot_stay(hot, hot->task.reason, message);
}

/* {"<shown>":{answer}} of those that are open, with defaults filled in. */
static char *answers_body(const struct hot *hot, struct ab_json answers)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json_iterator iterator = ab_json_iterate(answers);
    struct ab_json key;
    struct ab_json answer;
    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    while (ab_json_next(&iterator, &key, &answer)) {
        struct ab_json question = open_question(hot, key);
        if (ab_json_exists(question)) {
            struct ab_buf value = AB_BUF_INIT(AB_BUF_UNBOUNDED);
            ab_question_write_answer(question, answer, &value);
            ab_json_put_member(&writer, key, (struct ab_json){ ab_buf_str(&value) });
            ab_buf_deinit(&value);
        }
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&body);
}

/* Puts each answer beside its question; returns how many questions stay open. */
static size_t note_answers(struct hot *hot, struct ab_json given)
{
    struct ab_json questions = ab_json_trusted(hot->task.questions_json);
    struct ab_buf round = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    size_t still_open = 0;
    ab_json_writer_init(&writer, &round);
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < hot->n_asked; i++) {
        struct ab_str shown = ab_str(hot->asked[i].shown);
        struct ab_json question = ab_json_member_str(questions, shown);
        struct ab_json answer = ab_json_member_str(given, shown);
        ab_json_write_key_str(&writer, shown);
        ab_json_object_begin(&writer);
        ab_json_put_members(&writer, question, ab_json_exists(answer) ? problem_only : NULL);
        if (ab_json_exists(answer)) {
            ab_json_put_value(&writer, "answer", answer);
        } else if (!ab_json_exists(ab_json_member(question, "answer"))) {
            still_open++;
        }
        ab_json_object_end(&writer);
    }
    ab_json_object_end(&writer);
    free(hot->task.questions_json);
    hot->task.questions_json = ab_buf_steal(&round);
    return still_open;
}

/* The whole round under the agent's own keys. A key asked twice in one round carries its latest answer. */
static char *answers_for_agent(const struct hot *hot)
{
    struct ab_json questions = ab_json_trusted(hot->task.questions_json);
    struct ab_buf answers = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &answers);
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < hot->n_asked; i++) {
        bool asked_again = false;
        for (size_t later = i + 1; later < hot->n_asked; later++) {
            asked_again = asked_again || strcmp(hot->asked[i].key, hot->asked[later].key) == 0;
        }
        if (!asked_again) {
            struct ab_json question = ab_json_member_str(questions, ab_str(hot->asked[i].shown));
            ab_json_write_key_str(&writer, ab_str(hot->asked[i].key));
            ab_json_write_value(&writer, ab_json_member(question, "answer"));
        }
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&answers);
}

/* --- rounds on their way to the agent --- */

void hot_add_round(struct hot *hot, char *answers, uint64_t number)
{
    struct round *round = ab_alloc(1, sizeof *round);
    round->answers = answers;
    round->number = number;
    ab_list_append(&hot->rounds, &round->link);
}

char *hot_take_round(struct hot *hot)
{
    struct ab_link *link = ab_list_first(&hot->rounds);
    struct round *round = link != NULL ? AB_OWNER(link, struct round, link) : NULL;
    /* An answer may have effects in the world: it is on disk before the agent hears it. */
    if (round == NULL || hot->durable < round->number) {
        return NULL;
    }
    char *answers = round->answers;
    ab_link_remove(link);
    free(round);
    return answers;
}

/* Kept for a restart: the agent's latest round, and what it has not been given of the ones before, under their keys. */
static void keep_answers(struct hot *hot, const char *answers)
{
    struct ab_json latest = ab_json_trusted(answers);
    struct ab_json_iterator earlier = ab_json_iterate(ab_json_trusted(hot->task.answers_json));
    struct ab_json key;
    struct ab_json value;
    struct ab_buf all = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &all);
    ab_json_object_begin(&writer);
    while (!ab_list_is_empty(&hot->rounds) && ab_json_next(&earlier, &key, &value)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (name != NULL && !ab_json_exists(ab_json_member_str(latest, ab_str(name)))) {
            ab_json_put_member(&writer, key, value);
        }
    }
    ab_json_put_members(&writer, latest, NULL);
    ab_json_object_end(&writer);
    free(hot->task.answers_json);
    hot->task.answers_json = ab_buf_steal(&all);
}

void hot_take_answers(struct hot *hot, struct ab_json answers)
{
    char *body = answers_body(hot, answers);
    size_t still_open = note_answers(hot, ab_json_trusted(body));
    hot_collect(hot, AB_EVENT_ANSWER, body);
    if (still_open > 0) {
        return;
    }
    char *round = answers_for_agent(hot);
    if (hot->agent->agent->ops->take_up != NULL) {
        keep_answers(hot, round);
    }
    hot_withdraw_questions(hot);
    (void)hot_move(hot, AB_TASK_EXECUTING, AB_REASON_NONE, NULL);
    hot_add_round(hot, round, hot->task.last_event);
}
