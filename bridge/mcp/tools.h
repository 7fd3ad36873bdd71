/* The tools that tools/list shows: the six built-in ones, and the agents published under a name of their own. */
#ifndef AB_MCP_TOOLS_H
#define AB_MCP_TOOLS_H

#include "mcp/request.h"

/* Fills mcp->builtin and mcp->published. False when a tool's settings are wrong; `reason` says which and why. */
AB_MUST bool ab_mcp_tools_init(struct ab_mcp *mcp, const struct ab_mcp_tool *tools, size_t n_tools, char *reason,
                               size_t reason_size);
void ab_mcp_tools_deinit(struct ab_mcp *mcp);

/* A tool with a copy of these settings, held once, its schemas not compiled yet. */
AB_MUST struct ab_mcp_published *ab_mcp_published_new(const struct ab_mcp_tool *settings);
/* Whoever keeps one longer than a call of a handler holds it meanwhile. NULL is accepted. */
void ab_mcp_published_hold(const struct ab_mcp_published *tool);
void ab_mcp_published_release(const struct ab_mcp_published *tool);

const struct ab_mcp_published *ab_mcp_find_published(const struct ab_mcp *mcp, struct ab_json name);
/* The tool that this agent as a whole is published as, or NULL. */
const struct ab_mcp_published *ab_mcp_published_of(const struct ab_mcp *mcp, const char *agent);
const struct ab_mcp_builtin *ab_mcp_find_builtin(const struct ab_mcp *mcp, struct ab_json name);

#endif
