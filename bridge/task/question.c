/* Questions that a task asks, and whether an answer fits. Pure functions over JSON: the engine keeps the books. */
#include "task/question.h"

#include "base/mem.h"
#include "wire/schema.h"

#include <stdarg.h>
#include <stdio.h>

/* Of the schemas of all forms that are asked at once: compiling one takes some thirty times its size, and a while. */
enum { KEY_BYTES = 128, SCHEMAS_BYTES = 256 << 10 };

struct reason {
    char *text;
    size_t size;
};

/* Always false, so that a check can end with it. */
AB_PRINTF(2, 3) static bool wrong(struct reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason.text, reason.size, format, arguments);
    va_end(arguments);
    return false;
}

/* --- asking --- */

static bool is_flat_type(struct ab_json type)
{
    static const char *const flat[] = { "string", "number", "integer", "boolean", "array" };
    for (size_t i = 0; i < sizeof flat / sizeof flat[0]; i++) {
        if (ab_json_string_is(type, flat[i])) {
            return true;
        }
    }
    return false;
}

/* Hosts draw a form from the schema: only fields they can draw may be asked. */
static bool check_fields(struct ab_json schema, struct reason reason)
{
    struct ab_json_iterator iterator = ab_json_iterate(ab_json_member(schema, "properties"));
    struct ab_json key;
    struct ab_json field;
    while (ab_json_next(&iterator, &key, &field)) {
        struct ab_json type = ab_json_member(field, "type");
        bool chosen = ab_json_exists(ab_json_member(field, "enum")) || ab_json_exists(ab_json_member(field, "const")) ||
                      ab_json_exists(ab_json_member(field, "oneOf"));
        if (!is_flat_type(type) && !(chosen && !ab_json_exists(type))) {
            return wrong(reason,
                         "the schema's field %.*s must have the type string, number, integer, boolean, or array of "
                         "choices",
                         AB_STR_ARGS(key.text));
        }
    }
    return true;
}

static bool check_form(struct ab_json question, struct reason reason)
{
    struct ab_json schema = ab_json_member(question, "schema");
    if (!ab_json_is(ab_json_member(question, "message"), AB_JSON_STRING)) {
        return wrong(reason, "a form needs a \"message\"");
    }
    if (!ab_json_is(schema, AB_JSON_OBJECT) || !ab_json_string_is(ab_json_member(schema, "type"), "object")) {
        return wrong(reason, "a form needs a \"schema\" of the type \"object\"");
    }
    struct ab_schema_error error = { 0 };
    struct ab_schema *compiled = ab_schema_new(schema, &error);
    if (compiled == NULL) {
        return wrong(reason, "the schema is not usable at %s: %s", error.schema_path, error.text);
    }
    ab_schema_free(compiled);
    return check_fields(schema, reason);
}

static bool check_approval(struct ab_json question, struct reason reason)
{
    if (!ab_json_is(ab_json_member(question, "message"), AB_JSON_STRING) &&
        !ab_json_is(ab_json_member(question, "title"), AB_JSON_STRING)) {
        return wrong(reason, "an approval needs a \"title\" or a \"message\"");
    }
    return true;
}

static bool check_url(struct ab_json question, struct reason reason)
{
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(ab_json_member(question, "url"));
    if (!ab_str_starts(ab_str(url), "https://") && !ab_str_starts(ab_str(url), "http://")) {
        return wrong(reason, "a url question needs a \"url\" that begins with https:// or http://");
    }
    return true;
}

static bool check_request(struct ab_json question, struct reason reason)
{
    struct ab_json params = ab_json_member(question, "params");
    if (!ab_json_is(ab_json_member(question, "method"), AB_JSON_STRING)) {
        return wrong(reason, "a request needs a \"method\"");
    }
    if (ab_json_exists(params) && !ab_json_is(params, AB_JSON_OBJECT)) {
        return wrong(reason, "the \"params\" of a request must be an object, not %s", ab_json_type_name(params));
    }
    return true;
}

struct kind {
    const char *name;
    bool (*check)(struct ab_json question, struct reason reason);
};

static const struct kind kinds[] = {
    { "form", check_form },
    { "approval", check_approval },
    { "url", check_url },
    { "request", check_request },
};

static bool check_question(struct ab_json question, struct reason reason)
{
    struct ab_json kind = ab_json_member(question, "kind");
    struct ab_json message = ab_json_member(question, "message");
    if (ab_json_exists(message) && !ab_json_is(message, AB_JSON_STRING)) {
        return wrong(reason, "\"message\" must be a string, not %s", ab_json_type_name(message));
    }
    if (ab_json_exists(ab_json_member(question, "answer"))) {
        return wrong(reason, "\"answer\" is the answer's place, a question has none");
    }
    struct ab_json elsewhere = ab_json_member(question, "elsewhere");
    if (ab_json_exists(elsewhere) && !ab_json_is(elsewhere, AB_JSON_STRING)) {
        return wrong(reason, "\"elsewhere\" must be a string that says where, not %s", ab_json_type_name(elsewhere));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (ab_json_string_is(kind, kinds[i].name)) {
            return kinds[i].check(question, reason);
        }
    }
    return wrong(reason, "\"kind\" must be one of form, approval, url, request");
}

bool ab_questions_check(struct ab_json asked, char *reason, size_t reason_size)
{
    struct reason why = { reason, reason_size };
    if (!ab_json_is(asked, AB_JSON_OBJECT) || ab_json_count(asked) == 0) {
        return wrong(why, "\"ask\" must be an object with a question under each key");
    }
    struct ab_json_iterator iterator = ab_json_iterate(asked);
    struct ab_json key;
    struct ab_json question;
    size_t schemas = 0;
    while (ab_json_next(&iterator, &key, &question)) {
        char inner[256];
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (name == NULL || name[0] == '\0' || key.text.size > KEY_BYTES) {
            return wrong(why, "a question's key must be a text of 1 to %d bytes", KEY_BYTES - 2);
        }
        schemas += ab_json_member(question, "schema").text.size;
        if (schemas > SCHEMAS_BYTES) {
            return wrong(why, "the schemas of the questions are larger than %d bytes", SCHEMAS_BYTES);
        }
        if (!check_question(question, (struct reason){ inner, sizeof inner })) {
            return wrong(why, "question \"%s\": %s", name, inner);
        }
    }
    return true;
}

bool ab_question_is_open(struct ab_json question)
{
    return ab_json_exists(question) && !ab_json_exists(ab_json_member(question, "answer")) &&
           !ab_json_exists(ab_json_member(question, "elsewhere"));
}

enum ab_task_reason ab_questions_reason(struct ab_json asked)
{
    struct ab_json_iterator iterator = ab_json_iterate(asked);
    struct ab_json question;
    bool only_approvals = true;
    while (ab_json_next(&iterator, NULL, &question)) {
        struct ab_json kind = ab_json_member(question, "kind");
        if (ab_json_string_is(kind, "url") || ab_json_string_is(ab_json_member(question, "reason"), "auth")) {
            return AB_REASON_AUTH;
        }
        only_approvals = only_approvals && ab_json_string_is(kind, "approval");
    }
    return only_approvals ? AB_REASON_APPROVAL : AB_REASON_INPUT;
}

/* --- answering in short --- */

bool ab_questions_single(struct ab_json questions, struct ab_json *key, struct ab_json *question)
{
    struct ab_json_iterator iterator = ab_json_iterate(questions);
    struct ab_json next_key;
    struct ab_json next;
    size_t n_open = 0;
    while (ab_json_next(&iterator, &next_key, &next)) {
        if (ab_json_exists(ab_json_member(next, "answer"))) {
            continue;
        }
        *key = next_key;
        *question = next;
        n_open++;
    }
    return n_open == 1;
}

void ab_questions_write_open(struct ab_json questions, struct ab_buf *out)
{
    struct ab_json_iterator iterator = ab_json_iterate(questions);
    struct ab_json key;
    struct ab_json question;
    const char *before = "{";
    while (ab_json_next(&iterator, &key, &question)) {
        if (ab_json_exists(ab_json_member(question, "answer"))) {
            continue;
        }
        ab_buf_printf(out, "%s%.*s:", before, AB_STR_ARGS(key.text));
        ab_buf_append_str(out, question.text);
        before = ",";
    }
    if (*before == ',') {
        ab_buf_append_char(out, '}');
    }
}

struct ab_json ab_question_text_field(struct ab_json question)
{
    struct ab_json none = { { NULL, 0 } };
    struct ab_json schema = ab_json_member(question, "schema");
    struct ab_json required = ab_json_member(schema, "required");
    struct ab_json properties = ab_json_member(schema, "properties");
    struct ab_json_iterator names = ab_json_iterate(required);
    struct ab_json_iterator fields = ab_json_iterate(properties);
    struct ab_json name = none;
    struct ab_json key;
    struct ab_json field;
    if (ab_json_count(required) == 1) {
        (void)ab_json_next(&names, NULL, &name);
    } else if (ab_json_count(properties) != 1) {
        return none;
    }
    while (ab_json_next(&fields, &key, &field)) {
        if (!ab_json_exists(name) || ab_json_equal(key, name)) {
            return ab_json_string_is(ab_json_member(field, "type"), "string") ? key : none;
        }
    }
    return none;
}

/* --- answering --- */

static bool is_form(struct ab_json question)
{
    return ab_json_string_is(ab_json_member(question, "kind"), "form");
}

static bool is_request(struct ab_json question)
{
    return ab_json_string_is(ab_json_member(question, "kind"), "request");
}

static bool is_accepted(struct ab_json answer)
{
    return ab_json_string_is(ab_json_member(answer, "action"), "accept");
}

/* The content, and behind it the defaults of the fields that it lacks. */
static void write_content(struct ab_json_writer *writer, struct ab_json question, struct ab_json content)
{
    struct ab_json key;
    struct ab_json value;
    ab_json_object_begin(writer);
    struct ab_json_iterator given = ab_json_iterate(content);
    while (ab_json_next(&given, &key, &value)) {
        ab_json_put_member(writer, key, value);
    }
    struct ab_json_iterator fields = ab_json_iterate(ab_json_at(question, "schema", "properties", NULL));
    while (ab_json_next(&fields, &key, &value)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_json fallback = ab_json_member(value, "default");
        if (ab_json_exists(fallback) && ab_json_unescape(key, &name) &&
            !ab_json_exists(ab_json_member_str(content, ab_buf_str(&name)))) {
            ab_json_put_member(writer, key, fallback);
        }
        ab_buf_deinit(&name);
    }
    ab_json_object_end(writer);
}

static bool check_content(struct ab_json question, struct ab_json answer, struct reason reason)
{
    struct ab_json content = ab_json_member(answer, "content");
    if (ab_json_exists(content) && !ab_json_is(content, AB_JSON_OBJECT)) {
        return wrong(reason, "\"content\" must be an object with the form's fields, not %s",
                     ab_json_type_name(content));
    }
    struct ab_schema_error error = { 0 };
    struct ab_schema *schema = ab_schema_new(ab_json_member(question, "schema"), &error);
    if (schema == NULL) {
        return wrong(reason, "the question's schema is not usable at %s: %s", error.schema_path, error.text);
    }
    struct ab_buf filled = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &filled);
    write_content(&writer, question, content);
    bool fits = ab_schema_check(schema, (struct ab_json){ ab_buf_str(&filled) }, &error);
    if (!fits) {
        (void)wrong(reason, "\"content%s\" %s", error.path, error.text);
    }
    ab_buf_deinit(&filled);
    ab_schema_free(schema);
    return fits;
}

bool ab_question_fits(struct ab_json question, struct ab_json answer, char *reason, size_t reason_size)
{
    struct reason why = { reason, reason_size };
    if (!ab_json_is(answer, AB_JSON_OBJECT)) {
        return wrong(why, "an answer must be an object, not %s", ab_json_type_name(answer));
    }
    AB_CLEANUP(ab_free_string) char *elsewhere = ab_json_string_dup(ab_json_member(question, "elsewhere"));
    if (elsewhere != NULL) {
        return wrong(why, "it cannot be answered here: %s", elsewhere);
    }
    struct ab_json action = ab_json_member(answer, "action");
    bool refused = ab_json_string_is(action, "decline") || ab_json_string_is(action, "cancel");
    if (refused) {
        return true;
    }
    if (is_request(question)) {
        return ab_json_is(ab_json_member(answer, "result"), AB_JSON_OBJECT) ||
               wrong(why, "this question is answered by {\"result\":{...}}");
    }
    if (!ab_json_string_is(action, "accept")) {
        return wrong(why, "\"action\" must be \"accept\", \"decline\" or \"cancel\"");
    }
    return !is_form(question) || check_content(question, answer, why);
}

void ab_question_write_answer(struct ab_json question, struct ab_json answer, struct ab_buf *out)
{
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, out);
    if (is_request(question) && ab_json_exists(ab_json_member(answer, "result"))) {
        ab_json_object_begin(&writer);
        ab_json_put_value(&writer, "result", ab_json_member(answer, "result"));
        ab_json_object_end(&writer);
        return;
    }
    struct ab_json content = ab_json_member(answer, "content");
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "action", ab_json_member(answer, "action"));
    if (is_accepted(answer) && is_form(question)) {
        ab_json_write_key(&writer, "content");
        write_content(&writer, question, content);
    } else if (is_accepted(answer) && ab_json_is(content, AB_JSON_OBJECT)) {
        ab_json_put_value(&writer, "content", content);
    }
    ab_json_object_end(&writer);
}
