/* MCP 2024-11-05, as far as it is spoken over Streamable HTTP. */
#include "mcp/methods.h"
#include "mcp/version.h"

const struct ab_mcp_method ab_mcp_legacy_methods[] = {
    { .name = "initialize", .handle = ab_mcp_initialize },      { .name = "ping", .handle = ab_mcp_ping },
    { .name = "logging/setLevel", .handle = ab_mcp_set_level }, { .name = "tools/list", .handle = ab_mcp_tools_list },
    { .name = "tools/call", .handle = ab_mcp_tools_call },      { .name = NULL },
};

const struct ab_mcp_version ab_mcp_v2024_11_05 = {
    .name = "2024-11-05",
    .era = AB_MCP_LEGACY,
    .methods = ab_mcp_legacy_methods,
};
