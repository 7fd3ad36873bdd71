/* MCP 2026-07-28: stateless requests, discovery, subscriptions, and the Tasks extension. */
#include "mcp/methods.h"
#include "mcp/version.h"

static const struct ab_mcp_method methods[] = {
    { .name = "server/discover", .handle = ab_mcp_discover },
    { .name = "tools/list", .handle = ab_mcp_tools_list },
    { .name = "tools/call", .handle = ab_mcp_tools_call, .name_header = AB_MCP_NAME_NAME },
    { .name = "tasks/get", .handle = ab_mcp_tasks_get, .name_header = AB_MCP_NAME_TASK, .needs_tasks = true },
    { .name = "tasks/update", .handle = ab_mcp_tasks_update, .name_header = AB_MCP_NAME_TASK, .needs_tasks = true },
    { .name = "tasks/cancel", .handle = ab_mcp_tasks_cancel, .name_header = AB_MCP_NAME_TASK, .needs_tasks = true },
    { .name = "subscriptions/listen", .handle = ab_mcp_subscriptions_listen },
    { .name = NULL },
};

const struct ab_mcp_version ab_mcp_v2026_07_28 = {
    .name = "2026-07-28",
    .era = AB_MCP_MODERN,
    .audio = true,
    .annotations = true,
    .structured = true,
    .icons = true,
    .elicits_pages = true,
    .any_structured = true,
    .methods = methods,
};
