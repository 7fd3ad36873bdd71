/* MCP 2025-06-18: structured content, resource links, titles; no more batches. */
#include "mcp/version.h"

const struct ab_mcp_version ab_mcp_v2025_06_18 = {
    .name = "2025-06-18",
    .era = AB_MCP_LEGACY,
    .audio = true,
    .annotations = true,
    .resumable = true,
    .structured = true,
    .methods = ab_mcp_legacy_methods,
};
