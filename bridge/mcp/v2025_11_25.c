/* MCP 2025-11-25: icons, tasks in the core; the last version with sessions. */
#include "mcp/methods.h"
#include "mcp/version.h"

static const struct ab_mcp_method methods[] = {
    { .name = "initialize", .handle = ab_mcp_initialize },
    { .name = "ping", .handle = ab_mcp_ping },
    { .name = "logging/setLevel", .handle = ab_mcp_set_level },
    { .name = "tools/list", .handle = ab_mcp_tools_list },
    { .name = "tools/call", .handle = ab_mcp_tools_call },
    { .name = "tasks/get", .handle = ab_mcp_core_tasks_get },
    { .name = "tasks/result", .handle = ab_mcp_core_tasks_result },
    { .name = "tasks/list", .handle = ab_mcp_core_tasks_list },
    { .name = "tasks/cancel", .handle = ab_mcp_core_tasks_cancel },
    { .name = NULL },
};

const struct ab_mcp_version ab_mcp_v2025_11_25 = {
    .name = "2025-11-25",
    .era = AB_MCP_LEGACY,
    .audio = true,
    .annotations = true,
    .resumable = true,
    .priming = true,
    .structured = true,
    .icons = true,
    .elicits_pages = true,
    .core_tasks = true,
    .methods = methods,
};
