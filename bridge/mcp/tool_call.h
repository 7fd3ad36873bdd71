/* The built-in tools' handlers; each gets checked arguments. */
#ifndef AB_MCP_TOOL_CALL_H
#define AB_MCP_TOOL_CALL_H

#include "mcp/result.h"

typedef void (*ab_mcp_tool_fn)(struct ab_mcp_request *request, struct ab_json arguments);

/* invoke.c */
void ab_mcp_tool_invoke(struct ab_mcp_request *request, struct ab_json arguments);
void ab_mcp_call_published(struct ab_mcp_request *request, const struct ab_mcp_published *tool,
                           struct ab_json arguments);
/* task_tools.c */
void ab_mcp_tool_get_task(struct ab_mcp_request *request, struct ab_json arguments);
void ab_mcp_tool_reply_task(struct ab_mcp_request *request, struct ab_json arguments);
void ab_mcp_tool_stop_task(struct ab_mcp_request *request, struct ab_json arguments);
/* lists.c */
void ab_mcp_tool_list_agents(struct ab_mcp_request *request, struct ab_json arguments);
void ab_mcp_tool_list_tasks(struct ab_mcp_request *request, struct ab_json arguments);

/* Whether the caller wants a task of the 2025-11-25 dialect (params.task). */
bool ab_mcp_wants_core_task(const struct ab_mcp_request *request);

/* How long this caller's call may be held, in ms: `wait_s` if given, else `fallback_ms`, never above its host's limit.
 */
int64_t ab_mcp_hold_ms(const struct ab_mcp_request *request, struct ab_json wait_s, int64_t fallback_ms);

#endif
