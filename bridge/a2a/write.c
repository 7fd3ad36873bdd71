#include "a2a/write.h"

#include "task/question.h"

#include "base/mem.h"

#include <inttypes.h>

enum ab_a2a_state ab_a2a_state_of(enum ab_task_status status, enum ab_task_reason reason)
{
    switch (status) {
    case AB_TASK_PENDING:
        return AB_A2A_SUBMITTED;
    case AB_TASK_EXECUTING:
        return AB_A2A_WORKING;
    case AB_TASK_PAUSED:
        return reason == AB_REASON_AUTH ? AB_A2A_AUTH_REQUIRED : AB_A2A_INPUT_REQUIRED;
    case AB_TASK_COMPLETED:
        return AB_A2A_COMPLETED;
    case AB_TASK_FAILED:
        return reason == AB_REASON_REJECTED ? AB_A2A_REJECTED : AB_A2A_FAILED;
    case AB_TASK_STOPPED:
        return AB_A2A_CANCELED;
    case AB_TASK_ERROR:
    case AB_TASK_STATUS_COUNT:
        break;
    }
    return AB_A2A_FAILED;
}

bool ab_a2a_state_is_terminal(enum ab_a2a_state state)
{
    return state == AB_A2A_COMPLETED || state == AB_A2A_FAILED || state == AB_A2A_CANCELED || state == AB_A2A_REJECTED;
}

void ab_a2a_begin(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *name, const char *kind)
{
    ab_json_object_begin(writer);
    if (form->wraps) {
        ab_json_write_key(writer, name);
        ab_json_object_begin(writer);
    }
    if (form->kinds)
        ab_json_put_text(writer, "kind", kind);
}

void ab_a2a_end(struct ab_json_writer *writer, const struct ab_a2a_form *form)
{
    ab_json_object_end(writer);
    if (form->wraps)
        ab_json_object_end(writer);
}

/* --- messages --- */

/* The array must not be empty: one that would be gets an empty text. */
static void write_parts(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *key,
                        struct ab_json parts)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;

    ab_json_write_key(writer, key);
    ab_json_array_begin(writer);
    while (ab_json_next(&each, NULL, &part))
        form->write_part(writer, part);
    if (ab_json_count(parts) == 0)
        form->write_part(writer, ab_json_trusted("{\"text\":\"\"}"));
    ab_json_array_end(writer);
}

void ab_a2a_put_filled(struct ab_json_writer *writer, const char *key, struct ab_json value, enum ab_json_type type)
{
    bool empty = type == AB_JSON_STRING ? ab_json_string_is(value, "") : ab_json_count(value) == 0;

    if (ab_json_is(value, type) && !empty)
        ab_json_put_value(writer, key, value);
}

void ab_a2a_write_message(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                          const struct ab_a2a_message *message)
{
    ab_json_put_text(writer, "messageId", message->id);
    ab_json_put_text(writer, "role", form->roles[message->role]);
    ab_json_put_optional_text(writer, "contextId", message->context_id);
    ab_json_put_optional_text(writer, "taskId", message->task_id);
    write_parts(writer, form, form->message_parts, message->parts);
    ab_a2a_put_filled(writer, "metadata", message->metadata, AB_JSON_OBJECT);
    ab_a2a_put_filled(writer, "extensions", message->extensions, AB_JSON_ARRAY);
    ab_a2a_put_filled(writer, "referenceTaskIds", message->references, AB_JSON_ARRAY);
}

/* --- status --- */

struct ab_a2a_status ab_a2a_status_of(const struct ab_task *task, struct ab_buf *open)
{
    if (task->status == AB_TASK_PAUSED)
        ab_questions_write_open(ab_json_trusted(task->questions_json), open);
    return (struct ab_a2a_status){
        .state = ab_a2a_state_of(task->status, task->reason),
        .at = task->updated_at,
        .text = task->status == AB_TASK_COMPLETED ? NULL : task->status_message,
        .questions = ab_json_trusted(open->data),
        .context_id = task->thread_id,
        .task_id = task->id,
        .number = task->last_event,
    };
}

/* The words, then the questions for a program to read. */
static void write_status_parts(const struct ab_a2a_status *status, struct ab_buf *out)
{
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_json_array_begin(&writer);
    if (status->text != NULL) {
        ab_json_object_begin(&writer);
        ab_json_put_text(&writer, "text", status->text);
        ab_json_object_end(&writer);
    }
    if (ab_json_exists(status->questions)) {
        ab_json_object_begin(&writer);
        ab_json_write_key(&writer, "data");
        ab_json_object_begin(&writer);
        ab_json_put_value(&writer, "questions", status->questions);
        ab_json_object_end(&writer);
        ab_json_object_end(&writer);
    }
    ab_json_array_end(&writer);
}

void ab_a2a_write_status(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                         const struct ab_a2a_status *status)
{
    struct ab_buf parts = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "state", form->states[status->state]);
    if (status->text != NULL || ab_json_exists(status->questions)) {
        AB_CLEANUP(ab_free_string) char *id = ab_format("%s-%" PRIu64, status->task_id, status->number);
        write_status_parts(status, &parts);
        ab_json_write_key(writer, "message");
        ab_json_object_begin(writer);
        if (form->kinds)
            ab_json_put_text(writer, "kind", "message");
        ab_a2a_write_message(writer, form,
                             &(struct ab_a2a_message){ .id = id,
                                                       .role = AB_A2A_AGENT,
                                                       .context_id = status->context_id,
                                                       .task_id = status->task_id,
                                                       .parts = ab_json_trusted(parts.data) });
        ab_json_object_end(writer);
    }
    ab_json_put_time(writer, "timestamp", status->at);
    ab_json_object_end(writer);
    ab_buf_deinit(&parts);
}

/* --- artifacts --- */

void ab_a2a_write_artifact(struct ab_json_writer *writer, const struct ab_a2a_form *form, struct ab_json artifact)
{
    static const char *const texts[] = { "name", "description" };

    ab_json_object_begin(writer);
    ab_json_put_value(writer, "artifactId", ab_json_member(artifact, "id"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ab_a2a_put_filled(writer, texts[i], ab_json_member(artifact, texts[i]), AB_JSON_STRING);
    write_parts(writer, form, "parts", ab_json_member(artifact, "parts"));
    ab_a2a_put_filled(writer, "metadata", ab_json_member(artifact, "metadata"), AB_JSON_OBJECT);
    ab_a2a_put_filled(writer, "extensions", ab_json_member(artifact, "extensions"), AB_JSON_ARRAY);
    ab_json_object_end(writer);
}

char *ab_a2a_result_id(const char *task_id)
{
    return ab_format("%s-result", task_id);
}

static bool is_empty_text(struct ab_json parts)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;

    while (ab_json_next(&each, NULL, &part))
        if (!ab_json_string_is(ab_json_member(part, "text"), ""))
            return false;
    return true;
}

static bool has_result(const struct ab_task *task)
{
    struct ab_json result = ab_json_trusted(task->result_json);

    return task->status == AB_TASK_COMPLETED &&
           (!is_empty_text(ab_json_member(result, "parts")) || ab_json_exists(ab_json_member(result, "data")));
}

bool ab_a2a_write_result(struct ab_json_writer *writer, const struct ab_a2a_form *form, const struct ab_task *task)
{
    struct ab_json result = ab_json_trusted(task->result_json);
    struct ab_json parts = ab_json_member(result, "parts");
    struct ab_json data = ab_json_member(result, "data");
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;
    struct ab_buf data_part = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    AB_CLEANUP(ab_free_string) char *id = ab_a2a_result_id(task->id);

    if (!has_result(task))
        return false;
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "artifactId", id);
    ab_json_put_text(writer, "name", "result");
    ab_json_write_key(writer, "parts");
    ab_json_array_begin(writer);
    while (ab_json_next(&each, NULL, &part))
        form->write_part(writer, part);
    if (ab_json_exists(data)) {
        ab_buf_printf(&data_part, "{\"data\":%.*s}", AB_STR_ARGS(data.text));
        form->write_part(writer, ab_json_trusted(data_part.data));
        ab_buf_deinit(&data_part);
    }
    ab_json_array_end(writer);
    ab_json_object_end(writer);
    return true;
}

static int write_artifacts(struct ab_json_writer *writer, struct ab_a2a_view view, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int result = task->n_artifacts > 0 ? ab_engine_artifacts(view.engine, task->id, &text) : AB_OK;
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(text.data));
    struct ab_json artifact;

    ab_json_write_key(writer, "artifacts");
    ab_json_array_begin(writer);
    while (ab_json_next(&each, NULL, &artifact))
        ab_a2a_write_artifact(writer, view.form, artifact);
    (void)ab_a2a_write_result(writer, view.form, task);
    ab_json_array_end(writer);
    ab_buf_deinit(&text);
    return result;
}

struct ab_a2a_view ab_a2a_view_of(const struct ab_a2a_call *call)
{
    return (struct ab_a2a_view){ .engine = call->a2a->settings.engine, .form = call->form };
}

int ab_a2a_write_task(struct ab_json_writer *writer, struct ab_a2a_view view, const struct ab_task *task,
                      const struct ab_a2a_task_wish *wish)
{
    struct ab_buf open = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_a2a_status status = ab_a2a_status_of(task, &open);
    int result = AB_OK;

    if (wish->said != NULL)
        status.text = wish->said;
    ab_json_put_text(writer, "id", task->id);
    ab_json_put_text(writer, "contextId", task->thread_id);
    ab_json_write_key(writer, "status");
    ab_a2a_write_status(writer, view.form, &status);
    if (wish->artifacts && (wish->artifacts_always || task->n_artifacts > 0 || has_result(task)))
        result = write_artifacts(writer, view, task);
    if (result == AB_OK)
        result = ab_a2a_write_history(writer, view, task, wish->history_length);
    ab_buf_deinit(&open);
    return result;
}
