/* The numbers of notifications/progress: they must rise, whatever the agent reports (CONTRACTS, section 2, point 6). */
#ifndef AB_MCP_PROGRESS_H
#define AB_MCP_PROGRESS_H

#include "mcp/request.h"

struct ab_mcp_progress {
    double last;  /* number sent last */
    double total; /* the agent's, when has_total */
    bool has_total;
    bool any; /* something was sent */
};

/* The agent reported: its value if it exceeds the last number, else a small step. */
void ab_mcp_progress_report(struct ab_mcp_progress *progress, struct ab_mcp_request *request, struct ab_json event);
/* Anything else that is worth telling: a small step, with `message` (or NULL). */
void ab_mcp_progress_step(struct ab_mcp_progress *progress, struct ab_mcp_request *request, const char *message);

#endif
