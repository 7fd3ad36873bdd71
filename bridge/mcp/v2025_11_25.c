/* MCP 2025-11-25: icons; the last version with sessions. */
#include "mcp/version.h"

const struct ab_mcp_version ab_mcp_v2025_11_25 = {
    .name = "2025-11-25",
    .era = AB_MCP_LEGACY,
    .audio = true,
    .annotations = true,
    .structured = true,
    .icons = true,
    .methods = ab_mcp_legacy_methods,
};
