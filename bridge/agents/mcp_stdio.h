/* MCP over a program's pipes, the client's side; see mcp_transport.h. */
#ifndef AB_AGENTS_MCP_STDIO_H
#define AB_AGENTS_MCP_STDIO_H

#include "agents/mcp.h"
#include "agents/mcp_transport.h"

AB_MUST struct mcp_transport *mcp_stdio_new(const struct ab_mcp_agent_settings *settings,
                                            const struct mcp_transport_events *events, void *arg);

#endif
