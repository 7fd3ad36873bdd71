/* What a call of a tool answers with, once its task has come somewhere: the same for an open call, for tasks/get and
 * for get-task. */
#ifndef AB_MCP_RESULT_H
#define AB_MCP_RESULT_H

#include "mcp/shape.h"

/* How the caller called: kept with the task (surface_json), so that the answer can be given again later. */
struct ab_mcp_call_kind {
    const struct ab_mcp_published *tool; /* NULL: invoke, get-task ... */
    uint64_t events_after;
    bool with_events;
    bool related; /* the answer names its task in _meta (2025-11-25, tasks/result) */
};

/* Which tool made this task, from its surface_json; `tool` NULL for invoke and for tasks of other faces. */
void ab_mcp_call_kind_of(const struct ab_mcp *mcp, const struct ab_task *task, struct ab_mcp_call_kind *out);

/* Writes the members of a CallToolResult (content, structuredContent, isError) of a task in any state. Without
 * `error_as_result` (get-task and the like) a failed task is no error of the call. */
int ab_mcp_write_call_result(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                             const struct ab_task *task, const struct ab_mcp_call_kind *kind, bool error_as_result);
/* Answers an open request with it, or with the agent's own JSON-RPC error. */
void ab_mcp_answer_task(struct ab_mcp_request *request, const struct ab_task *task, const struct ab_mcp_call_kind *kind,
                        bool error_as_result);
/* A result that is an error of the tool itself. */
AB_PRINTF(2, 3) void ab_mcp_answer_tool_error(struct ab_mcp_request *request, const char *format, ...);
/* A result with structured content and its text form (the lists). `structured_json` is an object. */
void ab_mcp_answer_structured(struct ab_mcp_request *request, const char *structured_json);

/* Codes an agent may give: -32603 and those outside -32768...-32000; others become -32603 with the original in data.
 * Fills message (owned by the caller) and data_json (owned, or NULL). */
int64_t ab_mcp_agent_error(const struct ab_task *task, char **message, char **data_json);

#endif
