#include "app/tasks_text.h"

#include "base/mem.h"

#include <string.h>

/* --- words --- */

/* C0 but for what `lines` allows, DEL, and C1, which some terminals obey as well. */
static bool is_control(const char *at, size_t size, bool lines)
{
    unsigned char first = (unsigned char)at[0];

    if (lines && (first == '\n' || first == '\t'))
        return false;
    return first < 0x20 || first == 0x7f || (size == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0);
}

static void append_plain(struct ab_str text, size_t maximum, bool lines, struct ab_buf *out)
{
    size_t n = 0;

    while (text.size > 0) {
        size_t size = ab_utf8_character(text);

        size = size > 0 ? size : 1;
        if (maximum > 0 && n++ == maximum) {
            ab_buf_append_text(out, "...");
            return;
        }
        if (is_control(text.data, size, lines))
            ab_buf_append_char(out, ' ');
        else
            ab_buf_append(out, text.data, size);
        text.data += size;
        text.size -= size;
    }
}

void ab_tasks_text_words(struct ab_json string, size_t maximum, bool lines, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (ab_json_unescape(string, &text))
        append_plain(ab_buf_str(&text), maximum, lines, out);
    ab_buf_deinit(&text);
}

void ab_tasks_text_time(struct ab_json time, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(64);

    ab_tasks_text_words(time, 0, false, &text);
    if (text.size >= 19) {
        ab_buf_append(out, text.data, 10);
        ab_buf_append_char(out, ' ');
        ab_buf_append(out, text.data + 11, 8);
    }
    ab_buf_deinit(&text);
}

void ab_tasks_text_pad(struct ab_buf *out, size_t from, size_t width)
{
    do
        ab_buf_append_char(out, ' ');
    while (out->size < from + width);
}

static void append_state(struct ab_json task, struct ab_buf *out)
{
    ab_tasks_text_words(ab_json_member(task, "status"), 0, false, out);
    if (ab_json_exists(ab_json_member(task, "reason"))) {
        ab_buf_append_text(out, " (");
        ab_tasks_text_words(ab_json_member(task, "reason"), 0, false, out);
        ab_buf_append_char(out, ')');
    }
}

/* --- lists --- */

enum { ID_SHOWN = 12, ID_WIDTH = 14, STATE_WIDTH = 22, AGENT_WIDTH = 18, TIME_WIDTH = 21 };

void ab_tasks_text_heading(struct ab_buf *out)
{
    ab_buf_printf(out, "%-*s%-*s%-*s%-*s%s\n", ID_WIDTH, "ID", STATE_WIDTH, "STATUS", AGENT_WIDTH, "AGENT", TIME_WIDTH,
                  "CREATED (UTC)", "TITLE");
}

void ab_tasks_text_row(struct ab_json task, struct ab_buf *out)
{
    struct ab_json title = ab_json_member(task, "title");
    size_t from = out->size;
    struct ab_buf id = AB_BUF_INIT(64);

    ab_tasks_text_words(ab_json_member(task, "task_id"), 0, false, &id);
    ab_buf_append(out, id.data, id.size < ID_SHOWN ? id.size : ID_SHOWN);
    ab_buf_deinit(&id);
    ab_tasks_text_pad(out, from, ID_WIDTH);
    from = out->size;
    append_state(task, out);
    ab_tasks_text_pad(out, from, STATE_WIDTH);
    from = out->size;
    ab_tasks_text_words(ab_json_member(task, "agent"), 0, false, out);
    ab_tasks_text_pad(out, from, AGENT_WIDTH);
    from = out->size;
    ab_tasks_text_time(ab_json_member(task, "created_at"), out);
    ab_tasks_text_pad(out, from, TIME_WIDTH);
    ab_tasks_text_words(ab_json_exists(title) ? title : ab_json_member(task, "status_message"), 60, false, out);
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->data[--out->size] = '\0';
    ab_buf_append_char(out, '\n');
}

/* --- questions --- */

static void append_fields(struct ab_json question, struct ab_buf *out)
{
    struct ab_json properties = ab_json_at(question, "schema", "properties", NULL);
    struct ab_json_iterator each = ab_json_iterate(properties);
    struct ab_json name;
    struct ab_json field;

    while (ab_json_next(&each, &name, &field)) {
        ab_buf_append_text(out, "    ");
        ab_tasks_text_words(name, 0, false, out);
        ab_buf_append_text(out, "  ");
        ab_tasks_text_words(ab_json_member(field, "type"), 0, false, out);
        if (ab_json_exists(ab_json_member(field, "description"))) {
            ab_buf_append_text(out, ": ");
            ab_tasks_text_words(ab_json_member(field, "description"), 200, false, out);
        }
        ab_buf_append_char(out, '\n');
    }
}

static void append_question(struct ab_json key, struct ab_json question, struct ab_buf *out)
{
    struct ab_json message = ab_json_member(question, "message");

    ab_buf_append_text(out, "  ");
    ab_tasks_text_words(key, 0, false, out);
    ab_buf_append_text(out, " (");
    ab_tasks_text_words(ab_json_member(question, "kind"), 0, false, out);
    ab_buf_append_text(out, "): ");
    ab_tasks_text_words(ab_json_exists(message) ? message : ab_json_member(question, "title"), 500, false, out);
    if (ab_json_exists(ab_json_member(question, "url"))) {
        ab_buf_append_char(out, ' ');
        ab_tasks_text_words(ab_json_member(question, "url"), 0, false, out);
    }
    ab_buf_append_char(out, '\n');
    append_fields(question, out);
}

/* And how they are answered; nothing when there is none. */
static void append_questions(struct ab_json task, struct ab_buf *out)
{
    struct ab_json questions = ab_json_member(task, "questions");
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json key;
    struct ab_json question;
    bool only_forms = true;

    if (ab_json_count(questions) == 0)
        return;
    ab_buf_append_text(out, "It asks:\n");
    while (ab_json_next(&each, &key, &question)) {
        only_forms = only_forms && ab_json_exists(ab_json_member(question, "schema"));
        append_question(key, question, out);
    }
    ab_buf_append_text(out, "Answer with: agentbridge tasks reply ");
    ab_tasks_text_words(ab_json_member(task, "task_id"), 0, false, out);
    ab_buf_append_text(out, only_forms ? " FIELD=VALUE ... (or --decline)\n" : " --approve (or --decline)\n");
}

/* --- one task --- */

static void append_number(struct ab_json number, struct ab_buf *out)
{
    ab_buf_append_str(out, number.text);
}

static void append_progress(struct ab_json progress, struct ab_buf *out)
{
    struct ab_json total = ab_json_member(progress, "total");
    struct ab_json message = ab_json_member(progress, "message");

    append_number(ab_json_member(progress, "value"), out);
    if (ab_json_exists(total)) {
        ab_buf_append_char(out, '/');
        append_number(total, out);
    }
    if (ab_json_exists(message)) {
        ab_buf_append_char(out, ' ');
        ab_tasks_text_words(message, 200, false, out);
    }
}

static void line_of(const char *name, struct ab_json value, bool is_time, struct ab_buf *out)
{
    if (!ab_json_exists(value))
        return;
    ab_buf_printf(out, "%-10s", name);
    if (is_time)
        ab_tasks_text_time(value, out);
    else
        ab_tasks_text_words(value, 0, false, out);
    ab_buf_append_char(out, '\n');
}

static void append_artifacts(struct ab_json artifacts, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(artifacts);
    struct ab_json artifact;

    while (ab_json_next(&each, NULL, &artifact)) {
        struct ab_json name = ab_json_member(artifact, "name");
        line_of("artifact", ab_json_exists(name) ? name : ab_json_member(artifact, "id"), false, out);
    }
}

static void append_block(struct ab_json text, struct ab_buf *out)
{
    if (!ab_json_exists(text))
        return;
    ab_buf_append_char(out, '\n');
    ab_tasks_text_words(text, 0, true, out);
    if (out->data[out->size - 1] != '\n')
        ab_buf_append_char(out, '\n');
}

void ab_tasks_text_task(struct ab_json shown, struct ab_buf *out)
{
    struct ab_json task = ab_json_member(shown, "task");
    struct ab_json progress = ab_json_member(task, "progress");

    line_of("task", ab_json_member(task, "task_id"), false, out);
    line_of("thread", ab_json_member(task, "thread_id"), false, out);
    line_of("agent", ab_json_member(task, "agent"), false, out);
    line_of("title", ab_json_member(task, "title"), false, out);
    line_of("owner", ab_json_member(shown, "owner"), false, out);
    ab_buf_printf(out, "%-10s", "status");
    append_state(task, out);
    ab_buf_append_char(out, '\n');
    line_of("message", ab_json_member(task, "status_message"), false, out);
    if (ab_json_exists(progress)) {
        ab_buf_printf(out, "%-10s", "progress");
        append_progress(progress, out);
        ab_buf_append_char(out, '\n');
    }
    line_of("created", ab_json_member(task, "created_at"), true, out);
    line_of("updated", ab_json_member(task, "updated_at"), true, out);
    line_of("finished", ab_json_member(task, "finished_at"), true, out);
    line_of("error", ab_json_at(task, "error", "message", NULL), false, out);
    append_artifacts(ab_json_member(task, "artifacts"), out);
    append_questions(task, out);
    append_block(ab_json_member(task, "result"), out);
}

void ab_tasks_text_end(struct ab_json task, struct ab_buf *out)
{
    struct ab_json error = ab_json_at(task, "error", "message", NULL);

    append_state(task, out);
    if (ab_json_exists(error)) {
        ab_buf_append_text(out, ": ");
        ab_tasks_text_words(error, 0, false, out);
    }
    ab_buf_append_char(out, '\n');
    append_block(ab_json_member(task, "result"), out);
}

/* --- events --- */

static void append_asked(struct ab_json questions, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json key;
    struct ab_json question;
    const char *between = "asks ";

    while (ab_json_next(&each, &key, &question)) {
        struct ab_json message = ab_json_member(question, "message");
        ab_buf_append_text(out, between);
        ab_tasks_text_words(key, 64, false, out);
        ab_buf_append_text(out, ": ");
        ab_tasks_text_words(ab_json_exists(message) ? message : ab_json_member(question, "title"), 500, false, out);
        between = "; ";
    }
}

static void append_body(struct ab_json event, struct ab_json kind, struct ab_buf *out)
{
    if (ab_json_string_is(kind, "status")) {
        append_state(event, out);
        if (ab_json_is(ab_json_member(event, "message"), AB_JSON_STRING)) {
            ab_buf_append_text(out, ": ");
            ab_tasks_text_words(ab_json_member(event, "message"), 500, false, out);
        }
    } else if (ab_json_string_is(kind, "progress")) {
        append_progress(event, out);
    } else if (ab_json_string_is(kind, "log") || ab_json_string_is(kind, "chunk")) {
        ab_tasks_text_words(ab_json_member(event, "text"), 500, false, out);
    } else if (ab_json_string_is(kind, "artifact")) {
        struct ab_json name = ab_json_member(event, "name");
        ab_buf_append_text(out, "artifact ");
        ab_tasks_text_words(ab_json_exists(name) ? name : ab_json_member(event, "id"), 200, false, out);
    } else if (ab_json_string_is(kind, "answer")) {
        ab_buf_append_text(out, "answered");
    } else if (ab_json_string_is(kind, "question")) {
        append_asked(ab_json_member(event, "questions"), out);
    }
}

void ab_tasks_text_event(struct ab_json event, bool dated, struct ab_buf *out)
{
    struct ab_json kind = ab_json_member(event, "kind");
    size_t from;

    if (dated) {
        ab_tasks_text_time(ab_json_member(event, "at"), out);
        ab_buf_append_text(out, "  ");
    }
    from = out->size;
    append_body(event, kind, out);
    if (out->size == from)
        ab_tasks_text_words(kind, 0, false, out);
}
