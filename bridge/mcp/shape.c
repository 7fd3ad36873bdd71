#include "mcp/shape.h"

#include "task/question.h"
#include "task/result.h"

#include "base/mem.h"

#include <string.h>

bool ab_mcp_is_error(const struct ab_task *task)
{
    return task->status == AB_TASK_FAILED || task->status == AB_TASK_ERROR || task->status == AB_TASK_STOPPED;
}

static void write_head(struct ab_json_writer *writer, const struct ab_task *task)
{
    ab_json_put_text(writer, "task_id", task->id);
    ab_json_put_text(writer, "thread_id", task->thread_id);
    ab_json_put_text(writer, "agent", task->agent);
    ab_json_put_optional_text(writer, "title", task->title);
    ab_json_put_text(writer, "status", ab_task_status_name(task->status));
    if (task->reason != AB_REASON_NONE)
        ab_json_put_text(writer, "reason", ab_task_reason_name(task->reason));
    ab_json_put_optional_text(writer, "status_message", task->status_message);
}

static void write_times(struct ab_json_writer *writer, const struct ab_task *task)
{
    ab_json_put_time(writer, "created_at", task->created_at);
    ab_json_put_time(writer, "updated_at", task->updated_at);
    if (task->finished_at != 0)
        ab_json_put_time(writer, "finished_at", task->finished_at);
    ab_json_put_int(writer, "last_event", (int64_t)task->last_event);
}

static void put_if_there(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_exists(value))
        ab_json_put_value(writer, key, value);
}

static void put_questions(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (task->status == AB_TASK_PAUSED)
        ab_questions_write_open(ab_json_trusted(task->questions_json), &text);
    ab_json_put_optional_raw(writer, "questions", text.data);
    ab_buf_deinit(&text);
}

void ab_mcp_write_task(struct ab_json_writer *writer, const struct ab_task *task, const char *artifacts_json,
                       const char *events_json, unsigned retry_after_s)
{
    struct ab_json result = ab_json_trusted(task->result_json);

    ab_json_object_begin(writer);
    write_head(writer, task);
    ab_progress_put(writer, task);
    put_if_there(writer, "result", ab_json_member(result, "text"));
    put_if_there(writer, "data", ab_json_member(result, "data"));
    ab_json_put_optional_raw(writer, "artifacts", artifacts_json);
    put_questions(writer, task);
    ab_json_put_optional_raw(writer, "error", task->error_json);
    write_times(writer, task);
    ab_json_put_optional_raw(writer, "events", events_json);
    if (retry_after_s > 0)
        ab_json_put_int(writer, "retry_after_s", retry_after_s);
    ab_json_object_end(writer);
}

void ab_mcp_write_task_summary(struct ab_json_writer *writer, const struct ab_task *task)
{
    ab_json_object_begin(writer);
    write_head(writer, task);
    write_times(writer, task);
    ab_json_object_end(writer);
}

/* Whether any of them can be answered here. */
static bool describe_questions(const struct ab_task *task, struct ab_buf *out)
{
    struct ab_json_iterator questions = ab_json_iterate(ab_json_trusted(task->questions_json));
    struct ab_json key;
    struct ab_json question;
    bool any = false;

    while (ab_json_next(&questions, &key, &question)) {
        struct ab_json url = ab_json_member(question, "url");
        if (ab_json_exists(ab_json_member(question, "answer")))
            continue;
        ab_buf_printf(out, "\n- %.*s (", AB_STR_ARGS(key.text));
        if (!ab_json_unescape(ab_json_member(question, "kind"), out))
            ab_buf_append_text(out, "form");
        ab_buf_append_text(out, "): ");
        if (!ab_json_unescape(ab_json_member(question, "message"), out) &&
            !ab_json_unescape(ab_json_member(question, "title"), out))
            ab_buf_append_text(out, "see questions");
        if (ab_json_exists(url))
            ab_buf_printf(out, " %.*s", AB_STR_ARGS(url.text));
        if (ab_json_exists(ab_json_member(question, "elsewhere"))) {
            ab_buf_append_text(out, " ");
            (void)!ab_json_unescape(ab_json_member(question, "elsewhere"), out);
        }
        any = any || ab_question_is_open(question);
    }
    return any;
}

void ab_mcp_describe(const struct ab_task *task, struct ab_buf *out)
{
    const char *status = ab_task_status_name(task->status);

    ab_buf_printf(out, "Task %s of agent %s is %s", task->id, task->agent, status);
    if (task->status_message != NULL && task->status_message[0] != '\0')
        ab_buf_printf(out, ": %s", task->status_message);
    ab_buf_append_text(out, ".");
    switch (task->status) {
    case AB_TASK_PENDING:
    case AB_TASK_EXECUTING:
        ab_buf_printf(out, " It is still running: call get-task with task_id %s to wait for its result.", task->id);
        break;
    case AB_TASK_PAUSED:
        ab_buf_append_text(out, " It asks:");
        ab_buf_printf(out,
                      describe_questions(task, out)
                          ? "\nAnswer with reply-task, task_id %s."
                          : "\nOnce that is done it goes on: call get-task with task_id %s to wait for its result.",
                      task->id);
        break;
    case AB_TASK_COMPLETED:
    case AB_TASK_FAILED:
    case AB_TASK_ERROR:
    case AB_TASK_STOPPED:
    case AB_TASK_STATUS_COUNT:
        break;
    }
}

/* --- events --- */

struct events_array {
    struct ab_json_writer writer;
    uint64_t until;
};

static bool add_event(void *arg, const struct ab_event *event)
{
    struct events_array *array = arg;
    struct ab_json_iterator members = ab_json_iterate(ab_json_trusted(event->body_json));
    struct ab_json key;
    struct ab_json value;

    if (event->number > array->until)
        return false;
    ab_json_object_begin(&array->writer);
    ab_json_put_int(&array->writer, "number", (int64_t)event->number);
    ab_json_put_time(&array->writer, "at", event->at);
    ab_json_put_text(&array->writer, "kind", ab_event_kind_name(event->kind));
    if (event->kind == AB_EVENT_QUESTION || event->kind == AB_EVENT_ANSWER) {
        ab_json_put_raw(&array->writer, event->kind == AB_EVENT_QUESTION ? "questions" : "answers", event->body_json);
    } else {
        while (ab_json_next(&members, &key, &value)) {
            AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
            if (name == NULL)
                continue;
            ab_json_write_key_str(&array->writer, ab_str(name));
            ab_json_write_value(&array->writer, value);
        }
    }
    ab_json_object_end(&array->writer);
    return true;
}

int ab_mcp_events_array(struct ab_engine *engine, const struct ab_task *task, uint64_t after, size_t limit,
                        struct ab_buf *out)
{
    struct events_array array = { .until = task->last_event };
    int result;

    ab_json_writer_init(&array.writer, out);
    ab_json_array_begin(&array.writer);
    result = ab_engine_events(engine, task->id, after, AB_EVENTS_ALL, limit, add_event, &array);
    ab_json_array_end(&array.writer);
    return result;
}
