/* A tool of an MCP server as its tools/list shows it (server/tools). */
#ifndef AB_MCP_CLIENT_TOOL_H
#define AB_MCP_CLIENT_TOOL_H

#include "mcp/version.h"
#include "wire/schema.h"

/* 2025-11-25: whether a call may, must not or must be a task. */
enum ab_mcp_task_support { AB_MCP_TASK_FORBIDDEN, AB_MCP_TASK_OPTIONAL, AB_MCP_TASK_REQUIRED };

/* Strings owned; NULL where absent. Schemas and annotations are the author's own text. */
struct ab_mcp_client_tool {
    char *name;
    char *title; /* of the tool, or of its annotations */
    char *description;
    char *input_json;
    char *output_json;
    char *annotations_json;
    struct ab_schema *input; /* NULL: not one that can be checked here; the server does */
    enum ab_mcp_task_support task_support;
};

/* Reads one element of `tools`. False: it cannot be used, `reason` (256) says why. */
AB_MUST bool ab_mcp_client_tool_read(struct ab_json value, const struct ab_mcp_version *version,
                                     struct ab_mcp_client_tool *out, char *reason, size_t reason_size);
void ab_mcp_client_tool_deinit(struct ab_mcp_client_tool *tool);

/* 2026-07-28: calls `each` with the header's whole line, "Mcp-Param-X: value", for every argument that the schema
 * annotates with x-mcp-header; absent and null ones have none. */
void ab_mcp_client_tool_headers(struct ab_json schema, struct ab_json arguments,
                                void (*each)(void *arg, const char *line), void *arg);

#endif
