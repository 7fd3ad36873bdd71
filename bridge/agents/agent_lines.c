/* Reads and writes agent lines. The order of the checks is that of the most common mistakes: something printed that is
 * no event at all, a misspelt event, two events in one line, a wrong member within. */
#include "agents/agent_lines.h"

#include "base/mem.h"
#include "task/question.h"
#include "task/result.h"
#include "wire/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_DEPTH = 64, SHOWN_BYTES = 60, PART_REASON_SIZE = 400 };

/* What a reading function works on. */
struct reading {
    struct ab_json line;  /* the whole object */
    struct ab_json value; /* what stands under the event's name */
    struct ab_agent_line *out;
    char *reason;
    size_t reason_size;
};

AB_PRINTF(2, 3) static bool refuse(const struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reading->reason, reading->reason_size, format, arguments);
    va_end(arguments);
    return false;
}

/* The beginning of a text, for an error. */
static struct ab_str shown(struct ab_str text)
{
    struct ab_str start = { text.data, text.size < SHOWN_BYTES ? text.size : SHOWN_BYTES };
    start.size = ab_utf8_valid_prefix(start);
    return start;
}

/* --- members --- */

/* Copies a string to *out. An absent one stays NULL where it may. */
static bool read_text(const struct reading *reading, const char *name, struct ab_json value, bool may_lack, char **out)
{
    if (!ab_json_exists(value) && may_lack) {
        return true;
    }
    if (!ab_json_is(value, AB_JSON_STRING)) {
        return refuse(reading, "%s must be a string, not %s", name, ab_json_type_name(value));
    }
    *out = ab_json_string_dup(value);
    return *out != NULL || refuse(reading, "%s must not contain U+0000", name);
}

static bool read_number(const struct reading *reading, const char *name, struct ab_json value, double *out)
{
    if (!ab_json_double(value, out)) {
        return refuse(reading, "%s must be a number, not %s", name, ab_json_type_name(value));
    }
    return isfinite(*out) || refuse(reading, "%s is out of range", name);
}

static bool needs_object(const struct reading *reading, const char *name)
{
    return ab_json_is(reading->value, AB_JSON_OBJECT) ||
           refuse(reading, "\"%s\" must be an object, not %s", name, ab_json_type_name(reading->value));
}

/* The value goes on as its own text, once `checked` found it well formed. */
static bool take_json(const struct reading *reading, const char *name, bool checked, const char *reason)
{
    if (!checked) {
        return refuse(reading, "\"%s\": %s", name, reason);
    }
    reading->out->json = ab_json_dup(reading->value);
    return true;
}

/* --- one function for each event --- */

static bool read_status(const struct reading *reading)
{
    if (!ab_json_string_is(reading->value, "executing")) {
        return refuse(reading, "\"status\" can only be \"executing\"; an end is told by \"result\", \"failed\", "
                               "\"rejected\" or \"error\", a question by \"ask\"");
    }
    return read_text(reading, "\"message\"", ab_json_member(reading->line, "message"), true, &reading->out->text);
}

static bool read_progress(const struct reading *reading)
{
    struct ab_report *report = &reading->out->report;
    struct ab_json total = ab_json_member(reading->value, "total");
    return needs_object(reading, "progress") &&
           read_number(reading, "\"progress\": \"value\"", ab_json_member(reading->value, "value"),
                       &report->progress_value) &&
           (!ab_json_exists(total) ||
            read_number(reading, "\"progress\": \"total\"", total, &report->progress_total)) &&
           read_text(reading, "\"progress\": \"message\"", ab_json_member(reading->value, "message"), true,
                     &reading->out->text);
}

static bool read_level(const struct reading *reading, struct ab_json level)
{
    static const char *const levels[] = { "debug", "info",     "notice", "warning",
                                          "error", "critical", "alert",  "emergency" };
    reading->out->report.level = levels[1];
    if (!ab_json_exists(level)) {
        return true;
    }
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (ab_json_string_is(level, levels[i])) {
            reading->out->report.level = levels[i];
            return true;
        }
    }
    struct ab_str found = shown(level.text);
    return refuse(reading,
                  "\"log\": \"level\" must be one of debug, info, notice, warning, error, critical, alert, emergency; "
                  "found %.*s",
                  AB_STR_ARGS(found));
}

static bool read_log(const struct reading *reading)
{
    return needs_object(reading, "log") && read_level(reading, ab_json_member(reading->value, "level")) &&
           read_text(reading, "\"log\": \"text\"", ab_json_member(reading->value, "text"), false, &reading->out->text);
}

static bool read_chunk(const struct reading *reading)
{
    return read_text(reading, "\"chunk\"", reading->value, false, &reading->out->text);
}

static bool is_flag(struct ab_json value)
{
    return !ab_json_exists(value) || ab_json_is(value, AB_JSON_TRUE) || ab_json_is(value, AB_JSON_FALSE);
}

static bool read_artifact(const struct reading *reading)
{
    char reason[PART_REASON_SIZE] = "";
    struct ab_json id = ab_json_member(reading->value, "id");
    if (!needs_object(reading, "artifact")) {
        return false;
    }
    if (!ab_json_is(id, AB_JSON_STRING) || ab_json_string_is(id, "")) {
        return refuse(reading, "\"artifact\": \"id\" must be a string that is not empty");
    }
    if (!is_flag(ab_json_member(reading->value, "append")) || !is_flag(ab_json_member(reading->value, "last"))) {
        return refuse(reading, "\"artifact\": \"append\" and \"last\" must be true or false");
    }
    bool checked = ab_parts_check(ab_json_member(reading->value, "parts"), reason, sizeof reason);
    return take_json(reading, "artifact", checked, reason);
}

static bool read_ask(const struct reading *reading)
{
    char reason[PART_REASON_SIZE] = "";
    if (!needs_object(reading, "ask")) {
        return false;
    }
    bool checked = ab_questions_check(reading->value, reason, sizeof reason);
    return take_json(reading, "ask", checked, reason);
}

static bool read_say(const struct reading *reading)
{
    char reason[PART_REASON_SIZE] = "";
    if (!needs_object(reading, "say")) {
        return false;
    }
    bool checked = ab_parts_check(ab_json_member(reading->value, "parts"), reason, sizeof reason);
    return take_json(reading, "say", checked, reason);
}

static bool read_result(const struct reading *reading)
{
    char reason[PART_REASON_SIZE] = "\"text\" must be a string";
    struct ab_json text = ab_json_member(reading->value, "text");
    struct ab_json parts = ab_json_member(reading->value, "parts");
    if (!needs_object(reading, "result")) {
        return false;
    }
    bool checked = !ab_json_exists(text) || ab_json_is(text, AB_JSON_STRING);
    if (checked && ab_json_exists(parts)) {
        checked = ab_parts_check(parts, reason, sizeof reason);
    }
    return take_json(reading, "result", checked, reason);
}

static bool read_failed(const struct reading *reading)
{
    return read_text(reading, "\"failed\"", reading->value, false, &reading->out->text);
}

static bool read_rejected(const struct reading *reading)
{
    return read_text(reading, "\"rejected\"", reading->value, false, &reading->out->text);
}

static bool read_error(const struct reading *reading)
{
    return take_json(reading, "error", ab_error_is_well_formed(reading->value),
                     "it must be an object with an integer \"code\" and a string \"message\"");
}

/* --- the line --- */

struct event {
    const char *name;
    enum ab_report_kind kind;
    bool (*read)(const struct reading *reading);
};

static const struct event events[] = {
    { "status", AB_REPORT_EXECUTING, read_status },
    { "progress", AB_REPORT_PROGRESS, read_progress },
    { "log", AB_REPORT_LOG, read_log },
    { "chunk", AB_REPORT_CHUNK, read_chunk },
    { "artifact", AB_REPORT_ARTIFACT, read_artifact },
    { "ask", AB_REPORT_ASK, read_ask },
    { "say", AB_REPORT_SAY, read_say },
    { "result", AB_REPORT_RESULT, read_result },
    { "failed", AB_REPORT_FAILED, read_failed },
    { "rejected", AB_REPORT_REJECTED, read_rejected },
    { "error", AB_REPORT_PROTOCOL_ERROR, read_error },
};

#define EVENT_NAMES "status, progress, log, chunk, artifact, ask, say, result, failed, rejected, error"

static const struct event *event_named(struct ab_json key)
{
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (ab_json_string_is(key, events[i].name)) {
            return &events[i];
        }
    }
    return NULL;
}

static bool parse(struct ab_str line, struct reading *reading)
{
    struct ab_json_error error = { 0 };
    struct ab_str start = shown(line);
    if (!ab_json_check(line, LINE_DEPTH, &reading->line, &error)) {
        /* It is one line, so only the column tells something. */
        static const char place[] = "line 1, ";
        const char *why =
            strncmp(error.text, place, sizeof place - 1) == 0 ? error.text + sizeof place - 1 : error.text;
        return refuse(reading, "it is no JSON (%s): %.*s%s (stdout is for events only; other words may go to stderr)",
                      why, AB_STR_ARGS(start), start.size < line.size ? "..." : "");
    }
    return ab_json_is(reading->line, AB_JSON_OBJECT) ||
           refuse(reading, "an event is an object like {\"chunk\":\"text\"}, not %s: %.*s",
                  ab_json_type_name(reading->line), AB_STR_ARGS(start));
}

/* What stands in a line: its event, and the first member that is none. */
struct members {
    const struct event *event;
    struct ab_json value;
    struct ab_json stray;
    bool message; /* that of a status */
};

static bool sort_members(const struct reading *reading, struct members *out)
{
    struct ab_json key;
    struct ab_json value;
    struct ab_json_iterator iterator = ab_json_iterate(reading->line);
    while (ab_json_next(&iterator, &key, &value)) {
        const struct event *event = event_named(key);
        if (event != NULL && out->event != NULL) {
            return refuse(reading, "a line holds one event, this one has \"%s\" and \"%s\"", out->event->name,
                          event->name);
        }
        if (event != NULL) {
            out->event = event;
            out->value = value;
        } else if (ab_json_string_is(key, "message")) {
            out->message = true;
        } else if (!ab_json_exists(out->stray)) {
            out->stray = key;
        }
    }
    return true;
}

/* Members beside the event are refused, since they are misspelt events more often than not. */
static bool find_event(struct reading *reading, const struct event **out)
{
    struct members members = { 0 };
    if (!sort_members(reading, &members)) {
        return false;
    }
    if (members.event != NULL && members.event->kind != AB_REPORT_EXECUTING && members.message) {
        members.stray = ab_json_trusted("\"message\"");
    }
    struct ab_str stray = shown(members.stray.text);
    if (members.event == NULL) {
        return refuse(reading, "it has none of the events " EVENT_NAMES "%s%.*s", stray.size > 0 ? ", but " : "",
                      AB_STR_ARGS(stray));
    }
    if (stray.size > 0) {
        return refuse(reading, "%.*s does not belong beside \"%s\"", AB_STR_ARGS(stray), members.event->name);
    }
    reading->value = members.value;
    *out = members.event;
    return true;
}

bool ab_agent_line_read(struct ab_str line, struct ab_agent_line *out, char *reason, size_t reason_size)
{
    struct reading reading = { .out = out, .reason = reason, .reason_size = reason_size };
    *out = (struct ab_agent_line){ .report = { .progress_total = (double)NAN } };
    if (!parse(line, &reading)) {
        return false;
    }
    const struct event *event = NULL;
    if (!find_event(&reading, &event) || !event->read(&reading)) {
        ab_agent_line_deinit(out);
        return false;
    }
    out->report.kind = event->kind;
    out->report.text = out->text;
    out->report.json = out->json;
    return true;
}

void ab_agent_line_deinit(struct ab_agent_line *line)
{
    free(line->text);
    free(line->json);
    *line = (struct ab_agent_line){ 0 };
}

/* --- to the agent --- */

/* What callers gave is carried as its own text and may be spread over lines; a line break in JSON can only stand
 * between tokens, where a blank does the same. */
static void end_line(struct ab_buf *out, size_t start)
{
    for (size_t i = start; i < out->size; i++) {
        if (out->data[i] == '\n' || out->data[i] == '\r') {
            out->data[i] = ' ';
        }
    }
    ab_buf_append_char(out, '\n');
}

static void write_task(struct ab_json_writer *writer, const struct ab_task *task)
{
    ab_json_write_key(writer, "task");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", task->id);
    ab_json_put_text(writer, "thread_id", task->thread_id);
    ab_json_put_text(writer, "agent", task->agent);
    ab_json_put_int(writer, "turn", task->turn);
    ab_json_object_end(writer);
}

void ab_agent_lines_write_task(struct ab_buf *out, const struct ab_task *task, const struct ab_task_request *request,
                               const char *history_json)
{
    size_t start = out->size;
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    write_task(&writer, task);
    ab_json_put_raw(&writer, "message", request->message_json);
    ab_json_put_optional_raw(&writer, "arguments", request->arguments_json);
    ab_json_put_raw(&writer, "input", request->input_json != NULL ? request->input_json : "{}");
    ab_json_put_raw(&writer, "options", request->options_json != NULL ? request->options_json : "{}");
    ab_json_put_raw(&writer, "history", history_json != NULL ? history_json : "[]");
    ab_json_object_end(&writer);
    end_line(out, start);
}

void ab_agent_lines_write_answer(struct ab_buf *out, const char *answers_json)
{
    size_t start = out->size;
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_put_raw(&writer, "answer", answers_json);
    ab_json_object_end(&writer);
    end_line(out, start);
}

void ab_agent_lines_write_cancel(struct ab_buf *out)
{
    ab_buf_append_text(out, "{\"cancel\":true}\n");
}
