/* Questions of a remote agent. Another bridge asks with keys and schemas, in a data part, and is answered in kind;
 * other agents ask in words, and get words. */
#include "agents/a2a_run.h"

#include "base/mem.h"
#include "task/question.h"

#include <string.h>

static const char words_key[] = "input";
static const char sign_in_key[] = "auth";

char *a2a_words(const char *parts_json)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(parts_json));
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json part;

    while (parts_json != NULL && ab_json_next(&each, NULL, &part)) {
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(ab_json_member(part, "text"));
        if (text == NULL || text[0] == '\0')
            continue;
        if (out.size > 0)
            ab_buf_append_char(&out, '\n');
        ab_buf_append_text(&out, text);
    }
    return out.size > 0 ? ab_buf_steal(&out) : NULL;
}

/* The questions in a data part, when they are ones that can be asked here. */
static struct ab_json keyed_questions(const char *parts_json)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(parts_json));
    struct ab_json part;
    char reason[512];

    while (parts_json != NULL && ab_json_next(&each, NULL, &part)) {
        struct ab_json questions = ab_json_at(part, "data", "questions", NULL);
        if (ab_json_is(questions, AB_JSON_OBJECT) && ab_json_count(questions) > 0 &&
            ab_questions_check(questions, reason, sizeof reason))
            return questions;
    }
    return (struct ab_json){ 0 };
}

/* --- a page to sign in at --- */

static bool is_url(const char *text)
{
    return text != NULL && (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0);
}

/* The first address in running text; the caller frees. */
static char *url_in(const char *text)
{
    const char *at = strstr(text, "https://");
    size_t size;

    if (at == NULL)
        at = strstr(text, "http://");
    if (at == NULL)
        return NULL;
    size = strcspn(at, " \t\r\n<>\"'`)]}");
    while (size > 0 && strchr(".,;:!?", at[size - 1]) != NULL)
        size--;
    return ab_strndup(at, size);
}

static char *sign_in_url(const char *parts_json, const char *words)
{
    static const char *const names[] = { "url", "authUrl", "auth_url", "authorizationUrl", "authorization_url" };
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(parts_json));
    struct ab_json part;

    while (parts_json != NULL && ab_json_next(&each, NULL, &part)) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct ab_json holder =
                i == 0 && ab_json_exists(ab_json_member(part, "url")) ? part : ab_json_member(part, "data");
            char *url = ab_json_string_dup(ab_json_member(holder, names[i]));
            if (is_url(url))
                return url;
            free(url);
        }
    }
    return words != NULL ? url_in(words) : NULL;
}

/* --- questions --- */

/* Parts that are no text are shown with the question. */
static void put_other_parts(struct ab_json_writer *writer, const char *parts_json)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(parts_json));
    bool any = false;
    struct ab_json part;

    while (parts_json != NULL && ab_json_next(&each, NULL, &part)) {
        if (ab_json_exists(ab_json_member(part, "text")))
            continue;
        if (!any) {
            ab_json_write_key(writer, "parts");
            ab_json_array_begin(writer);
        }
        any = true;
        ab_json_write_value(writer, part);
    }
    if (any)
        ab_json_array_end(writer);
}

static char *ask_in_words(const char *words, const char *parts_json, const char *problem)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, words_key);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "kind", "form");
    ab_json_put_text(&writer, "message", words != NULL ? words : "The agent waits for more input.");
    ab_json_put_optional_text(&writer, "problem", problem);
    ab_json_put_raw(&writer, "schema",
                    "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}");
    put_other_parts(&writer, parts_json);
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

static char *ask_to_sign_in(const char *words, const char *parts_json)
{
    AB_CLEANUP(ab_free_string) char *url = sign_in_url(parts_json, words);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, sign_in_key);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "kind", url != NULL ? "url" : "approval");
    ab_json_put_text(&writer, "message", words != NULL ? words : "The agent waits for somebody to sign in.");
    ab_json_put_optional_text(&writer, "url", url);
    ab_json_put_text(&writer, "reason", "auth");
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

/* Each question with the reason why the last answer to it was not taken. */
static char *with_problem(struct ab_json questions, const char *problem)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json question;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&each, &key, &question)) {
        ab_json_write_key_json(&writer, key);
        ab_json_object_begin(&writer);
        ab_json_put_members(&writer, question, (const char *const[]){ "problem", NULL });
        ab_json_put_text(&writer, "problem", problem);
        ab_json_object_end(&writer);
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

char *a2a_question(enum ab_a2a_state state, const char *parts_json, const char *problem, enum a2a_asked *asked)
{
    AB_CLEANUP(ab_free_string) char *words = a2a_words(parts_json);
    struct ab_json keyed = keyed_questions(parts_json);

    if (ab_json_exists(keyed)) {
        *asked = A2A_ASKED_BY_KEY;
        return problem != NULL ? with_problem(keyed, problem) : ab_json_dup(keyed);
    }
    *asked = state == AB_A2A_AUTH_REQUIRED ? A2A_ASKED_TO_SIGN_IN : A2A_ASKED_IN_WORDS;
    return state == AB_A2A_AUTH_REQUIRED ? ask_to_sign_in(words, parts_json) : ask_in_words(words, parts_json, problem);
}

/* --- answers --- */

char *a2a_answer_parts(enum a2a_asked asked, const char *answers_json)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(answers_json));
    struct ab_json answer = { 0 };
    struct ab_json text;
    bool accepted;

    if (asked == A2A_ASKED_BY_KEY)
        return ab_format("[{\"data\":{\"answers\":%s}}]", answers_json);
    (void)ab_json_next(&each, NULL, &answer);
    accepted = ab_json_string_is(ab_json_member(answer, "action"), "accept");
    if (asked == A2A_ASKED_TO_SIGN_IN)
        return ab_strdup(accepted ? "[{\"text\":\"Done.\"}]" : "[{\"text\":\"The user declined to sign in.\"}]");
    text = ab_json_at(answer, "content", "text", NULL);
    if (accepted && ab_json_is(text, AB_JSON_STRING))
        return ab_format("[{\"text\":%.*s}]", AB_STR_ARGS(text.text));
    return ab_strdup("[{\"text\":\"The user declined to answer.\"}]");
}
