#include "app/tasks_answer.h"

#include "app/tasks_text.h"
#include "base/mem.h"

#include <string.h>

#define DEPTH 32

/* Where one pair goes. */
struct target {
    struct ab_json key;
    struct ab_str name;
    struct ab_json field;
    const char *value;
};

static void append_keys(struct ab_json object, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(object);
    struct ab_json key;
    const char *between = " ";

    while (ab_json_next(&each, &key, NULL)) {
        ab_buf_append_text(out, between);
        ab_tasks_text_words(key, 64, false, out);
        between = ", ";
    }
}

static void say_fields(struct ab_json questions, struct ab_str name, struct ab_buf *reason)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json key;
    struct ab_json question;

    ab_buf_printf(reason, "no open question has a field \"%.*s\":", (int)(name.size < 64 ? name.size : 64), name.data);
    while (ab_json_next(&each, &key, &question)) {
        struct ab_json properties = ab_json_at(question, "schema", "properties", NULL);
        ab_buf_append_char(reason, ' ');
        ab_tasks_text_words(key, 64, false, reason);
        if (ab_json_count(properties) > 0) {
            ab_buf_append_text(reason, " has");
            append_keys(properties, reason);
        } else {
            ab_buf_append_text(reason, " has none (--approve or --decline answers it)");
        }
        ab_buf_append_char(reason, ';');
    }
    if (reason->data[reason->size - 1] == ';')
        reason->data[--reason->size] = '\0';
}

/* `name` without the question's key and a point in front; the empty slice when it does not begin so. */
static struct ab_str behind_key(struct ab_json key, struct ab_str name)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_str rest = { NULL, 0 };

    if (ab_json_unescape(key, &text)) {
        ab_buf_append_char(&text, '.');
        if (name.size > text.size && memcmp(name.data, text.data, text.size) == 0)
            rest = (struct ab_str){ name.data + text.size, name.size - text.size };
    }
    ab_buf_deinit(&text);
    return rest;
}

static bool find_target(struct ab_json questions, struct ab_str name, struct target *out, struct ab_buf *reason)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json key;
    struct ab_json question;
    size_t n = 0;

    while (ab_json_next(&each, &key, &question)) {
        struct ab_json properties = ab_json_at(question, "schema", "properties", NULL);
        struct ab_str inner = behind_key(key, name);
        struct ab_json whole = ab_json_member_str(properties, name);
        struct ab_json part = inner.size > 0 ? ab_json_member_str(properties, inner) : (struct ab_json){ 0 };

        if (ab_json_exists(whole))
            *out = (struct target){ .key = key, .name = name, .field = whole };
        else if (ab_json_exists(part))
            *out = (struct target){ .key = key, .name = inner, .field = part };
        n += ab_json_exists(whole) || ab_json_exists(part);
    }
    if (n == 0)
        say_fields(questions, name, reason);
    else if (n > 1)
        ab_buf_printf(reason, "several questions have a field \"%.*s\": give QUESTION.%.*s=VALUE", AB_STR_ARGS(name),
                      AB_STR_ARGS(name));
    return n == 1;
}

static bool is_yes(const char *value)
{
    return strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
}

static bool is_no(const char *value)
{
    return strcmp(value, "false") == 0 || strcmp(value, "no") == 0;
}

/* The field's type says how the value is meant: what is no number, no boolean, no list is the text itself. */
static bool write_value(const struct target *target, struct ab_json_writer *writer, struct ab_buf *reason)
{
    struct ab_json type = ab_json_member(target->field, "type");
    bool is_number = ab_json_string_is(type, "number") || ab_json_string_is(type, "integer");
    bool is_list = ab_json_string_is(type, "array") || ab_json_string_is(type, "object");
    struct ab_json value = { 0 };

    if (ab_json_string_is(type, "boolean") && (is_yes(target->value) || is_no(target->value))) {
        ab_json_write_bool(writer, is_yes(target->value));
    } else if (ab_json_string_is(type, "boolean")) {
        ab_buf_printf(reason, "%.*s: \"%.64s\" is neither true nor false", AB_STR_ARGS(target->name), target->value);
        ab_json_write_null(writer);
    } else if (is_number || is_list) {
        if (!ab_json_check(ab_str(target->value), DEPTH, &value, NULL) ||
            (is_number && !ab_json_is(value, AB_JSON_NUMBER)))
            ab_buf_printf(reason, "%.*s: \"%.64s\" is no %s", AB_STR_ARGS(target->name), target->value,
                          is_number ? "number" : "JSON, like [\"a\", \"b\"]");
        ab_json_write_value(writer, value);
    } else {
        ab_json_write_text(writer, target->value);
    }
    return reason->size == 0;
}

/* The content for one question: the pairs that go there. */
static void write_content(const struct target *targets, size_t n, struct ab_json key, struct ab_json_writer *writer,
                          struct ab_buf *reason)
{
    for (size_t i = 0; i < n && reason->size == 0; i++) {
        if (targets[i].key.text.data != key.text.data)
            continue;
        for (size_t j = 0; j < i; j++) {
            if (targets[j].key.text.data == key.text.data && ab_str_equal(targets[i].name, targets[j].name))
                ab_buf_printf(reason, "%.*s is given twice", AB_STR_ARGS(targets[i].name));
        }
        ab_json_write_key_str(writer, targets[i].name);
        (void)!write_value(&targets[i], writer, reason);
    }
}

static bool is_meant(const struct target *targets, size_t n, struct ab_json key)
{
    for (size_t i = 0; i < n; i++) {
        if (targets[i].key.text.data == key.text.data)
            return true;
    }
    return false;
}

static void write_answers(struct ab_json questions, const struct target *targets, size_t n, struct ab_buf *out,
                          struct ab_buf *reason)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json_writer writer;
    struct ab_json key;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&each, &key, NULL) && reason->size == 0) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);

        if (is_meant(targets, n, key) && ab_json_unescape(key, &name)) {
            ab_json_write_key_str(&writer, ab_buf_str(&name));
            ab_json_object_begin(&writer);
            ab_json_put_text(&writer, "action", "accept");
            ab_json_write_key(&writer, "content");
            ab_json_object_begin(&writer);
            write_content(targets, n, key, &writer, reason);
            ab_json_object_end(&writer);
            ab_json_object_end(&writer);
        }
        ab_buf_deinit(&name);
    }
    ab_json_object_end(&writer);
}

bool ab_tasks_answer_pairs(struct ab_json questions, const char *const *pairs, size_t n_pairs, struct ab_buf *out,
                           struct ab_buf *reason)
{
    struct target *targets = ab_alloc(n_pairs + 1, sizeof *targets);
    bool good = true;

    for (size_t i = 0; i < n_pairs && good; i++) {
        size_t size = strcspn(pairs[i], "=");

        good = find_target(questions, (struct ab_str){ pairs[i], size }, &targets[i], reason);
        targets[i].value = pairs[i] + size + (pairs[i][size] == '=');
    }
    if (good)
        write_answers(questions, targets, n_pairs, out, reason);
    free(targets);
    return reason->size == 0;
}

bool ab_tasks_answer_choice(struct ab_json questions, bool approve, struct ab_buf *out, struct ab_buf *reason)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json key = { 0 };
    struct ab_json question = { 0 };
    struct ab_json kind;

    if (ab_json_count(questions) != 1 || !ab_json_next(&each, &key, &question)) {
        ab_buf_append_text(reason,
                           "several questions are open: answer with --json '{\"KEY\":{\"action\":\"accept\"}}', "
                           "each under its key:");
        append_keys(questions, reason);
        return false;
    }
    kind = ab_json_member(question, "kind");
    if (approve && ab_json_string_is(kind, "form")) {
        ab_tasks_text_words(key, 64, false, reason);
        ab_buf_append_text(reason, " is a form: answer with FIELD=VALUE; its fields are");
        append_keys(ab_json_at(question, "schema", "properties", NULL), reason);
        return false;
    }
    if (ab_json_string_is(kind, "request")) {
        ab_tasks_text_words(key, 64, false, reason);
        ab_buf_append_text(reason, " is answered with --json '{\"KEY\":{\"result\":{...}}}'");
        return false;
    }
    ab_buf_printf(out, "{%.*s:{\"action\":\"%s\"}}", AB_STR_ARGS(key.text), approve ? "accept" : "decline");
    return true;
}
