/* The one place where a task's status changes: which moves exist, and the function that makes one. */
#ifndef AB_TASK_TRANSITION_H
#define AB_TASK_TRANSITION_H

#include "agentbridge/task.h"

/* Whether a task may go from one status to another. Staying is no move, and no end is ever left. */
bool ab_transition_allowed(enum ab_task_status from, enum ab_task_status to);
/* Moves the task: status, reason, words (copied; or NULL) and times. False, and nothing changed, where the move does
 * not exist. */
AB_MUST bool ab_transition(struct ab_task *task, enum ab_task_status to, enum ab_task_reason reason,
                           const char *message, int64_t now);
/* Stays in its status, executing or paused, with another reason or other words. False for any other status. */
AB_MUST bool ab_transition_stay(struct ab_task *task, enum ab_task_reason reason, const char *message, int64_t now);

#endif
