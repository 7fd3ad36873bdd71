/* MCP 2025-03-26: Streamable HTTP, batches, tool annotations, audio. */
#include "mcp/version.h"

const struct ab_mcp_version ab_mcp_v2025_03_26 = {
    .name = "2025-03-26",
    .era = AB_MCP_LEGACY,
    .batches = true,
    .audio = true,
    .annotations = true,
    .resumable = true,
    .methods = ab_mcp_legacy_methods,
};
