#include "a2a/answer.h"

#include "base/mem.h"
#include "task/question.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct open_question {
    struct ab_json key;
    struct ab_json question;
};

static bool is_kind(struct ab_json question, const char *kind)
{
    return ab_json_string_is(ab_json_member(question, "kind"), kind);
}

/* --- by key --- */

/* The data part's own answers: it holds them under "answers", or is them. */
static struct ab_json keyed_answers(struct ab_json data)
{
    struct ab_json inner = ab_json_member(data, "answers");

    return ab_json_is(inner, AB_JSON_OBJECT) ? inner : data;
}

static bool is_open(struct ab_json questions, struct ab_json key)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
    struct ab_json question = ab_json_member(questions, name != NULL ? name : "");

    return name != NULL && ab_json_exists(question) && !ab_json_exists(ab_json_member(question, "answer"));
}

/* Adds those members of a data part that answer an open question. */
static void take_keyed(struct ab_json_writer *writer, struct ab_json questions, struct ab_json data)
{
    struct ab_json_iterator each = ab_json_iterate(data);
    struct ab_json key;
    struct ab_json value;

    while (ab_json_is(data, AB_JSON_OBJECT) && ab_json_next(&each, &key, &value)) {
        if (!is_open(questions, key))
            continue;
        if (writer->out->size == 0)
            ab_json_object_begin(writer);
        ab_json_put_member(writer, key, value);
    }
}

/* --- in words --- */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

/* "accept" or "decline"; NULL when the words say neither. */
static const char *judge(struct ab_json text)
{
    static const char *const yes[] = { "yes",      "y",       "ok",       "okay", "accept",
                                       "accepted", "approve", "approved", "true", NULL };
    static const char *const no[] = { "no",   "n",      "decline", "declined", "reject", "rejected",
                                      "deny", "denied", "cancel",  "false",    NULL };
    AB_CLEANUP(ab_free_string) char *word = ab_json_string_dup(text);
    struct ab_str trimmed;

    if (word == NULL)
        return NULL;
    word[strcspn(word, "\r\n")] = '\0';
    trimmed = ab_str_trim(ab_str(word));
    if (trimmed.size > 0 && strchr(".!", trimmed.data[trimmed.size - 1]) != NULL)
        trimmed.size--;
    AB_CLEANUP(ab_free_string) char *plain = ab_strndup(trimmed.data, trimmed.size);
    if (is_one_of(plain, yes))
        return "accept";
    return is_one_of(plain, no) ? "decline" : NULL;
}

static char *answer_in_words(const struct open_question *open, struct ab_json text)
{
    struct ab_json field = ab_question_text_field(open->question);
    const char *action = NULL;

    if (is_kind(open->question, "approval") || is_kind(open->question, "url"))
        action = judge(text);
    if (action != NULL)
        return ab_format("{%.*s:{\"action\":\"%s\"}}", AB_STR_ARGS(open->key.text), action);
    if (is_kind(open->question, "form") && ab_json_exists(field))
        return ab_format("{%.*s:{\"action\":\"accept\",\"content\":{%.*s:%.*s}}}", AB_STR_ARGS(open->key.text),
                         AB_STR_ARGS(field.text), AB_STR_ARGS(text.text));
    return NULL;
}

static void say_expected(struct ab_json questions, char *expected, size_t size)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_buf keys = AB_BUF_INIT(256);
    struct open_question open = { 0 };
    struct ab_json key;
    struct ab_json question;

    while (ab_json_next(&each, &key, &question))
        if (!ab_json_exists(ab_json_member(question, "answer")))
            ab_buf_printf(&keys, "%s%.*s", keys.size > 0 ? ", " : "", AB_STR_ARGS(key.text));
    if (ab_questions_single(questions, &open.key, &open.question) && !is_kind(open.question, "form") &&
        !is_kind(open.question, "request"))
        snprintf(expected, size,
                 "This is no answer. Say yes or no, or send a data part {%.*s:{\"action\":\"accept\"}} (or decline).",
                 AB_STR_ARGS(open.key.text));
    else
        snprintf(expected, size,
                 "This is no answer. Send a data part {\"<key>\":{\"action\":\"accept\",\"content\":{...}}} (or "
                 "decline, or cancel) for: %s.",
                 keys.size > 0 ? keys.data : "the open questions");
    ab_buf_deinit(&keys);
}

char *ab_a2a_answers_from_parts(const struct ab_task *task, struct ab_json parts, char *expected, size_t expected_size)
{
    struct ab_json questions = ab_json_trusted(task->questions_json);
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_buf keyed = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct open_question open = { 0 };
    bool single = ab_questions_single(questions, &open.key, &open.question);
    char *worded = NULL;
    struct ab_json part;

    ab_json_writer_init(&writer, &keyed);
    while (ab_json_next(&each, NULL, &part)) {
        struct ab_json text = ab_json_member(part, "text");
        take_keyed(&writer, questions, keyed_answers(ab_json_member(part, "data")));
        if (ab_json_exists(text) && single && worded == NULL)
            worded = answer_in_words(&open, text);
    }
    if (keyed.size > 0) {
        ab_json_object_end(&writer);
        free(worded);
        return ab_buf_steal(&keyed);
    }
    if (worded == NULL)
        say_expected(questions, expected, expected_size);
    return worded;
}

/* --- the reverse --- */

char *ab_a2a_answer_parts(struct ab_json asked, struct ab_json answers)
{
    struct open_question open = { 0 };
    struct ab_json_iterator each = ab_json_iterate(answers);
    struct ab_json key;
    struct ab_json answer;

    if (ab_questions_single(asked, &open.key, &open.question) && ab_json_next(&each, &key, &answer) &&
        is_kind(open.question, "form")) {
        AB_CLEANUP(ab_free_string) char *field = ab_json_string_dup(ab_question_text_field(open.question));
        struct ab_json content = ab_json_member(answer, "content");
        struct ab_json text = ab_json_member(content, field != NULL ? field : "");
        if (ab_json_is(text, AB_JSON_STRING) && ab_json_count(content) == 1)
            return ab_format("[{\"text\":%.*s}]", AB_STR_ARGS(text.text));
    }
    return ab_format("[{\"data\":{\"answers\":%.*s}}]", AB_STR_ARGS(answers.text));
}
