#include "task/as_of.h"

#include "base/mem.h"
#include "wire/json.h"

static void read_status(struct ab_json body, enum ab_task_status *status, enum ab_task_reason *reason, char **message)
{
    AB_CLEANUP(ab_free_string) char *status_name = ab_json_string_dup(ab_json_member(body, "status"));
    AB_CLEANUP(ab_free_string) char *reason_name = ab_json_string_dup(ab_json_member(body, "reason"));

    if (status_name == NULL || !ab_task_status_parse(status_name, status))
        return;
    if (reason_name == NULL || !ab_task_reason_parse(reason_name, reason))
        *reason = AB_REASON_NONE;
    *message = ab_json_string_dup(ab_json_member(body, "message"));
}

void ab_task_as_of(struct ab_task *task, const struct ab_event *event)
{
    enum ab_task_status status = AB_TASK_EXECUTING; /* artifacts come while it works */
    enum ab_task_reason reason = AB_REASON_NONE;
    char *message = NULL;

    if (event->kind == AB_EVENT_STATUS)
        read_status(ab_json_trusted(event->body_json), &status, &reason, &message);
    if (!ab_task_status_is_terminal(status)) {
        task->finished_at = 0;
        ab_replace(&task->result_json, NULL);
        ab_replace(&task->error_json, NULL);
    }
    if (status != AB_TASK_PAUSED || task->status != AB_TASK_PAUSED)
        ab_replace(&task->questions_json, NULL);
    task->status = status;
    task->reason = reason;
    free(task->status_message);
    task->status_message = message;
    task->updated_at = event->at;
    task->last_event = event->number;
}
