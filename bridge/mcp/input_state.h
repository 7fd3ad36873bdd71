/* `requestState` of an InputRequiredResult (MCP 2026-07-28, basic/mrtr): which task a retried call goes on with. It
 * leaves the program and comes back from a stranger, so it is sealed, bound to caller, method and parameters, and short
 * lived. */
#ifndef AB_MCP_INPUT_STATE_H
#define AB_MCP_INPUT_STATE_H

#include "mcp/request.h"

/* Answers a call with input_required: the open questions the client can answer, and the state. `problem` (or NULL) is
 * why the answers given did not fit. */
void ab_mcp_answer_input_required(struct ab_mcp_request *request, const struct ab_task *task, const char *problem);
/* Whether the client can answer at least one of the open questions. */
bool ab_mcp_can_answer(const struct ab_mcp_request *request, const struct ab_task *task);

enum ab_mcp_retry { AB_MCP_RETRY_NONE, AB_MCP_RETRY_GOOD, AB_MCP_RETRY_REFUSED };
/* Whether this call goes on with an earlier one. GOOD: `task_id` is filled. REFUSED: the state is not ours, was
 * changed, is too old or belongs to another call; the request has been answered with an error. */
enum ab_mcp_retry ab_mcp_read_request_state(struct ab_mcp_request *request, char task_id[AB_TASK_ID_SIZE]);

#endif
