/* The task's names, copies and ends of life. What moves a task stands in transition.c. */
#include "agentbridge/task.h"

#include "base/mem.h"

#include <string.h>

static const char *const status_names[AB_TASK_STATUS_COUNT] = {
    [AB_TASK_PENDING] = "pending",     [AB_TASK_EXECUTING] = "executing", [AB_TASK_PAUSED] = "paused",
    [AB_TASK_COMPLETED] = "completed", [AB_TASK_FAILED] = "failed",       [AB_TASK_ERROR] = "error",
    [AB_TASK_STOPPED] = "stopped",
};

static const char *const reason_names[AB_REASON_COUNT] = {
    [AB_REASON_NONE] = "",
    [AB_REASON_INPUT] = "input",
    [AB_REASON_APPROVAL] = "approval",
    [AB_REASON_AUTH] = "auth",
    [AB_REASON_REJECTED] = "rejected",
    [AB_REASON_UNREACHABLE] = "unreachable",
    [AB_REASON_CRASHED] = "crashed",
    [AB_REASON_TIMED_OUT] = "timed_out",
    [AB_REASON_INTERRUPTED] = "interrupted",
    [AB_REASON_PROTOCOL] = "protocol",
    [AB_REASON_STORAGE] = "storage",
};

static const char *const event_names[AB_EVENT_KIND_COUNT] = {
    [AB_EVENT_STATUS] = "status", [AB_EVENT_PROGRESS] = "progress", [AB_EVENT_LOG] = "log",
    [AB_EVENT_CHUNK] = "chunk",   [AB_EVENT_ARTIFACT] = "artifact", [AB_EVENT_QUESTION] = "question",
    [AB_EVENT_ANSWER] = "answer", [AB_EVENT_SAY] = "say",
};

static const char *name_at(const char *const *names, size_t count, size_t index)
{
    return index < count ? names[index] : "unknown";
}

/* The index of a name, or `count`. */
static size_t index_of(const char *const *names, size_t count, const char *name)
{
    size_t index = 0;
    while (index < count && (name == NULL || strcmp(names[index], name) != 0)) {
        index++;
    }
    return index;
}

const char *ab_task_status_name(enum ab_task_status status)
{
    return name_at(status_names, AB_TASK_STATUS_COUNT, (size_t)status);
}

const char *ab_task_reason_name(enum ab_task_reason reason)
{
    return name_at(reason_names, AB_REASON_COUNT, (size_t)reason);
}

const char *ab_event_kind_name(enum ab_event_kind kind)
{
    return name_at(event_names, AB_EVENT_KIND_COUNT, (size_t)kind);
}

bool ab_task_status_parse(const char *name, enum ab_task_status *out)
{
    size_t index = index_of(status_names, AB_TASK_STATUS_COUNT, name);
    if (index == AB_TASK_STATUS_COUNT) {
        return false;
    }
    *out = (enum ab_task_status)index;
    return true;
}

bool ab_task_reason_parse(const char *name, enum ab_task_reason *out)
{
    size_t index = index_of(reason_names, AB_REASON_COUNT, name);
    if (index == AB_REASON_COUNT) {
        return false;
    }
    *out = (enum ab_task_reason)index;
    return true;
}

bool ab_event_kind_parse(const char *name, enum ab_event_kind *out)
{
    size_t index = index_of(event_names, AB_EVENT_KIND_COUNT, name);
    if (index == AB_EVENT_KIND_COUNT) {
        return false;
    }
    *out = (enum ab_event_kind)index;
    return true;
}

bool ab_task_status_is_terminal(enum ab_task_status status)
{
    return status == AB_TASK_COMPLETED || status == AB_TASK_FAILED || status == AB_TASK_ERROR ||
           status == AB_TASK_STOPPED;
}

void ab_task_copy(struct ab_task *out, const struct ab_task *task)
{
    *out = *task;
    out->thread_id = ab_strdup(task->thread_id);
    out->owner = ab_strdup(task->owner);
    out->agent = ab_strdup(task->agent);
    out->surface = ab_strdup(task->surface);
    out->surface_json = ab_strdup(task->surface_json);
    out->title = ab_strdup(task->title);
    out->status_message = ab_strdup(task->status_message);
    out->progress_message = ab_strdup(task->progress_message);
    out->questions_json = ab_strdup(task->questions_json);
    out->result_json = ab_strdup(task->result_json);
    out->error_json = ab_strdup(task->error_json);
    out->notes_json = ab_strdup(task->notes_json);
    out->answers_json = ab_strdup(task->answers_json);
}

void ab_task_deinit(struct ab_task *task)
{
    ab_replace(&task->thread_id, NULL);
    ab_replace(&task->owner, NULL);
    ab_replace(&task->agent, NULL);
    ab_replace(&task->surface, NULL);
    ab_replace(&task->surface_json, NULL);
    ab_replace(&task->title, NULL);
    ab_replace(&task->status_message, NULL);
    ab_replace(&task->progress_message, NULL);
    ab_replace(&task->questions_json, NULL);
    ab_replace(&task->result_json, NULL);
    ab_replace(&task->error_json, NULL);
    ab_replace(&task->notes_json, NULL);
    ab_replace(&task->answers_json, NULL);
}

void ab_task_request_copy(struct ab_task_request *out, const struct ab_task_request *request)
{
    out->message_json = ab_strdup(request->message_json);
    out->arguments_json = ab_strdup(request->arguments_json);
    out->input_json = ab_strdup(request->input_json);
    out->options_json = ab_strdup(request->options_json);
    out->webhooks_json = ab_strdup(request->webhooks_json);
    out->idempotency_key = ab_strdup(request->idempotency_key);
}

void ab_task_request_deinit(struct ab_task_request *request)
{
    ab_replace(&request->message_json, NULL);
    ab_replace(&request->arguments_json, NULL);
    ab_replace(&request->input_json, NULL);
    ab_replace(&request->options_json, NULL);
    ab_replace(&request->webhooks_json, NULL);
    ab_replace(&request->idempotency_key, NULL);
}

void ab_event_copy(struct ab_event *out, const struct ab_event *event)
{
    *out = *event;
    out->body_json = ab_strdup(event->body_json);
}

void ab_event_deinit(struct ab_event *event)
{
    ab_replace(&event->body_json, NULL);
}
