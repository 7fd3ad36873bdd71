/* A task as the agent platform shows it, with what a bridge has to add in the member "agentbridge". Credentials that
 * the caller gave are never in it: they are not in what it is written from. */
#ifndef AB_REST_TASK_H
#define AB_REST_TASK_H

#include "task/engine.h"

/* Writes the task as an object. `id` is what it is called here: its thread's id, or its own where it was asked for by
 * that. The rest is read from the log and from what it was created with. < 0: that cannot be read. */
AB_MUST int ab_rest_task_write(struct ab_json_writer *writer, struct ab_engine *engine, const struct ab_task *task,
                               const char *id);
/* Writes the shorter object that lists have. */
void ab_rest_item_write(struct ab_json_writer *writer, const struct ab_task *task);
/* Appends what a task says at its end: the result's text (data as JSON), or why there is none. False, and nothing
 * appended, when it has not ended or says nothing. */
AB_MUST bool ab_rest_result_text(const struct ab_task *task, struct ab_buf *out);

/* What this face keeps with a task for its lists: {"user_id"?,"parent"?,"triggering_agent_id"?,
 * "source_node_type"?,"workflow"?}
 * of the options and the input. The caller frees. */
AB_MUST char *ab_rest_surface(struct ab_json options, struct ab_json input, bool workflow);

#endif
