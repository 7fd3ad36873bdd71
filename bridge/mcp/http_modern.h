/* A POST of MCP 2026-07-28: stateless, so headers and `_meta` say everything, and must agree. */
#ifndef AB_MCP_HTTP_MODERN_H
#define AB_MCP_HTTP_MODERN_H

#include "mcp/request.h"

/* Checks the headers and `_meta` of `body` in the published order, and answers or handles it. */
void ab_mcp_post_modern(struct ab_mcp_channel *channel, struct ab_json body);

#endif
