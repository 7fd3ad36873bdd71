/* Lines to copy and paste. */
#include "app/hints.h"

void ab_hints_write(struct ab_buf *out, const char *url)
{
    ab_buf_printf(out,
                  "\n"
                  "Claude Code:\n"
                  "  claude mcp add --transport http agentbridge %s/mcp\n"
                  "\n"
                  "VS Code, .vscode/mcp.json:\n"
                  "  { \"servers\": { \"agentbridge\": { \"type\": \"http\", \"url\": \"%s/mcp\" } } }\n"
                  "\n"
                  "Cursor, .cursor/mcp.json:\n"
                  "  { \"mcpServers\": { \"agentbridge\": { \"url\": \"%s/mcp\" } } }\n"
                  "\n"
                  "Other agents (A2A): the default agent's card\n"
                  "  %s/.well-known/agent-card.json\n"
                  "\n"
                  "By hand:\n",
                  url, url, url, url);
    ab_buf_printf(
        out,
        "  curl -s %s/mcp \\\n"
        "    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n"
        "    -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: list-agents' \\\n"
        "    -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"list-agents\","
        "\"arguments\":{},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"curl\",\"version\":\"1\"},"
        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}'\n"
        "\n",
        url);
}
