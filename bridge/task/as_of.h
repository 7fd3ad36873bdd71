/* A task as it was when something happened to it: what is told of an event must not run ahead of it. */
#ifndef AB_TASK_AS_OF_H
#define AB_TASK_AS_OF_H

#include "agentbridge/task.h"

/* Turns the row back to this event of its log (a status or an artifact): the status with its words, its time, and of
 * questions, result and error only what belongs to it. Questions that were answered meanwhile are not asked again.
 * Progress and artifacts are those of now. */
void ab_task_as_of(struct ab_task *task, const struct ab_event *event);

#endif
