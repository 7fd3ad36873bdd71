/* The Tasks extension of MCP 2026-07-28 (io.modelcontextprotocol/tasks). */
#ifndef AB_MCP_EXT_TASKS_H
#define AB_MCP_EXT_TASKS_H

#include "mcp/result.h"

/* Answers a tools/call with the task's handle (CreateTaskResult). The task is durable already. */
void ab_mcp_answer_handle(struct ab_mcp_request *request, const struct ab_task *task);
/* Writes the members of a DetailedTask: state, and its result, error or inputRequests. */
int ab_mcp_write_detailed_task(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                               uint32_t capabilities, const struct ab_task *task);

/* Loads the task that params.taskId names (the caller deinits it); answers and returns false when there is none. */
AB_MUST bool ab_mcp_load_task(struct ab_mcp_request *request, struct ab_task *task);

#endif
