/* The handlers that the versions' tables point to, and what the transports call around them. */
#ifndef AB_MCP_METHODS_H
#define AB_MCP_METHODS_H

#include "mcp/request.h"

/* Lifecycle (lifecycle.c). */
void ab_mcp_initialize(struct ab_mcp_request *request);
void ab_mcp_ping(struct ab_mcp_request *request);
void ab_mcp_set_level(struct ab_mcp_request *request);
void ab_mcp_discover(struct ab_mcp_request *request);

/* Tools (tools.c, tool_call.c). */
void ab_mcp_tools_list(struct ab_mcp_request *request);
void ab_mcp_tools_call(struct ab_mcp_request *request);

/* The Tasks extension (ext_tasks.c) and subscriptions (listen.c). */
void ab_mcp_tasks_get(struct ab_mcp_request *request);
void ab_mcp_tasks_update(struct ab_mcp_request *request);
void ab_mcp_tasks_cancel(struct ab_mcp_request *request);
void ab_mcp_subscriptions_listen(struct ab_mcp_request *request);
/* Ends an open listen stream from the server's side, with its result. */
void ab_mcp_listen_end(struct ab_mcp_request *request);
/* Tells the listen streams that want to know that the list of tools has changed. */
void ab_mcp_listen_tell_tools(struct ab_mcp *mcp);

/* Tasks of 2025-11-25 (core_tasks.c). */
void ab_mcp_core_tasks_get(struct ab_mcp_request *request);
void ab_mcp_core_tasks_result(struct ab_mcp_request *request);
void ab_mcp_core_tasks_list(struct ab_mcp_request *request);
void ab_mcp_core_tasks_cancel(struct ab_mcp_request *request);

#endif
