/* Tasks as MCP 2025-11-25 has them in its core: params.task on a call, tasks/get, tasks/result, tasks/list,
 * tasks/cancel, notifications/tasks/status. Another dialect than the extension of 2026-07-28, on the same tasks. */
#ifndef AB_MCP_CORE_TASKS_H
#define AB_MCP_CORE_TASKS_H

#include "mcp/result.h"

/* Answers a call that asked for a task (CreateTaskResult), and has the session's GET stream told of its states. */
void ab_mcp_answer_core_task(struct ab_mcp_request *request, const struct ab_task *task);
/* The key of _meta that ties a message to its task, and its value {"taskId":"..."}, which the caller frees. */
#define AB_MCP_RELATED_TASK "io.modelcontextprotocol/related-task"
AB_MUST char *ab_mcp_related_task(const char *task_id);
/* `_meta` with it, when messages on this request's stream have to say whose they are. */
void ab_mcp_put_related_task(struct ab_json_writer *writer, const struct ab_mcp_request *request);
/* A GET stream has been opened, or is closed. `told`: where it goes on with an earlier one, what that one's last event
 * id says of tasks (event_id.h); else absent. */
void ab_mcp_session_stream_opened(struct ab_mcp_channel *channel, const struct ab_mcp_session *session,
                                  struct ab_json told);
void ab_mcp_session_stream_closed(struct ab_mcp_channel *channel);
/* Its client reads again. */
void ab_mcp_session_stream_drained(struct ab_mcp_channel *channel);
/* Tells every session that has a stream open that the list of tools has changed. */
void ab_mcp_session_streams_tell_tools(struct ab_mcp *mcp);
/* The session was ended: so is its GET stream, if it has one. */
void ab_mcp_session_stream_end(struct ab_mcp *mcp, const char *session_id);

#endif
