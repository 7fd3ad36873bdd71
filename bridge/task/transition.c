/* The one place where a task's status changes. Nothing else writes `status`, so that "an end is never left" is a
 * property of one table. */
#include "task/transition.h"

#include "base/mem.h"

static const bool moves[AB_TASK_STATUS_COUNT][AB_TASK_STATUS_COUNT] = {
    [AB_TASK_PENDING] = { [AB_TASK_EXECUTING] = true,
                          [AB_TASK_FAILED] = true,
                          [AB_TASK_ERROR] = true,
                          [AB_TASK_STOPPED] = true },
    [AB_TASK_EXECUTING] = { [AB_TASK_PAUSED] = true,
                            [AB_TASK_COMPLETED] = true,
                            [AB_TASK_FAILED] = true,
                            [AB_TASK_ERROR] = true,
                            [AB_TASK_STOPPED] = true },
    [AB_TASK_PAUSED] = { [AB_TASK_EXECUTING] = true,
                         [AB_TASK_COMPLETED] = true,
                         [AB_TASK_FAILED] = true,
                         [AB_TASK_ERROR] = true,
                         [AB_TASK_STOPPED] = true },
};

bool ab_transition_allowed(enum ab_task_status from, enum ab_task_status to)
{
    return from < AB_TASK_STATUS_COUNT && to < AB_TASK_STATUS_COUNT && moves[from][to];
}

/* The wall clock may jump back; a task's own times never do. */
static void stamp(struct ab_task *task, int64_t now)
{
    if (now > task->updated_at) {
        task->updated_at = now;
    }
}

bool ab_transition(struct ab_task *task, enum ab_task_status to, enum ab_task_reason reason, const char *message,
                   int64_t now)
{
    if (!ab_transition_allowed(task->status, to)) {
        return false;
    }
    task->status = to;
    task->reason = reason;
    ab_replace(&task->status_message, message);
    stamp(task, now);
    if (ab_task_status_is_terminal(to)) {
        task->finished_at = task->updated_at;
    }
    return true;
}

bool ab_transition_stay(struct ab_task *task, enum ab_task_reason reason, const char *message, int64_t now)
{
    if (task->status != AB_TASK_EXECUTING && task->status != AB_TASK_PAUSED) {
        return false;
    }
    task->reason = reason;
    ab_replace(&task->status_message, message);
    stamp(task, now);
    return true;
}
