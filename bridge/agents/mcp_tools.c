/* The tools of a server: read page by page, told as the agent's skills. */
#include "agents/mcp_server.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    REASON_SIZE = 256,
    TOOL_BYTES = 256 << 10,
    ALL_BYTES = 8 << 20,
    NAMED_IN_LOG = 10,
    DESCRIPTION_BYTES = 4096 /* of the server as a whole */
};

struct mcp_tools *mcp_tools_new(void)
{
    return ab_alloc(1, sizeof(struct mcp_tools));
}

void mcp_tools_free(struct mcp_tools *tools)
{
    if (tools == NULL) {
        return;
    }
    for (size_t i = 0; i < tools->n; i++) {
        ab_mcp_client_tool_deinit(&tools->items[i]);
    }
    free(tools->items);
    free(tools);
}

static bool is_listed(const struct mcp_tools *tools, const char *name)
{
    for (size_t i = 0; i < tools->n; i++) {
        if (strcmp(tools->items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void leave_out(struct mcp_tools *tools, const struct mcp_server *server, struct ab_json tool, const char *reason)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_member(tool, "name"));
    if (++tools->dropped > NAMED_IN_LOG) {
        return;
    }
    ab_log(server->log, AB_LOG_WARNING, "mcp", "a tool of the server is left out", "agent", server->id, "tool", name,
           "reason", reason, NULL);
}

static void add_one(struct mcp_tools *tools, struct ab_json value, const struct mcp_server *server)
{
    struct ab_mcp_client_tool tool;
    char reason[REASON_SIZE];
    if (value.text.size > TOOL_BYTES) {
        leave_out(tools, server, value, "its definition is too large");
    } else if (!ab_mcp_client_tool_read(value, server->words.version, &tool, reason, sizeof reason)) {
        leave_out(tools, server, value, reason);
    } else if (is_listed(tools, tool.name)) {
        leave_out(tools, server, value, "its name stands twice");
        ab_mcp_client_tool_deinit(&tool);
    } else {
        tools->items = ab_realloc(tools->items, (tools->n + 1) * sizeof *tools->items);
        tools->items[tools->n++] = tool;
        tools->bytes += value.text.size;
    }
}

bool mcp_tools_full(const struct mcp_tools *tools, const struct mcp_server *server)
{
    return tools->n >= server->max_tools || tools->bytes >= ALL_BYTES;
}

void mcp_tools_add(struct mcp_tools *tools, struct ab_json page, const struct mcp_server *server)
{
    struct ab_json_iterator each = ab_json_iterate(page);
    struct ab_json value;
    while (ab_json_is(page, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &value)) {
        if (!mcp_tools_full(tools, server)) {
            add_one(tools, value, server);
        } else {
            tools->dropped++;
        }
    }
}

static void write_skill(struct ab_json_writer *writer, const struct ab_mcp_client_tool *tool)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", tool->name);
    ab_json_put_text(writer, "name", tool->title != NULL ? tool->title : tool->name);
    ab_json_put_text(writer, "description", tool->description != NULL ? tool->description : tool->name);
    ab_json_put_raw(writer, "tags", "[\"mcp\"]");
    ab_json_put_raw(writer, "inputModes", "[\"application/json\"]");
    ab_json_put_raw(writer, "input_schema", tool->input_json);
    ab_json_put_optional_raw(writer, "output_schema", tool->output_json);
    ab_json_put_optional_raw(writer, "annotations", tool->annotations_json);
    ab_json_object_end(writer);
}

/* Instructions are meant for a model, and may be a book. */
static char *shortened(const char *text)
{
    struct ab_str start = ab_str(text);
    if (start.size <= DESCRIPTION_BYTES) {
        return ab_strdup(text);
    }
    start.size = DESCRIPTION_BYTES;
    return ab_strndup(text, ab_utf8_valid_prefix(start));
}

void mcp_tools_describe(const struct mcp_tools *tools, const struct ab_mcp_client_server *described,
                        struct ab_agent_seat *seat)
{
    struct ab_buf skills = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    AB_CLEANUP(ab_free_string) char *description = shortened(described->instructions);
    ab_json_writer_init(&writer, &skills);
    ab_json_array_begin(&writer);
    for (size_t i = 0; i < tools->n; i++) {
        write_skill(&writer, &tools->items[i]);
    }
    ab_json_array_end(&writer);
    ab_agent_describe(seat, &(struct ab_agent_profile){ .title = described->title,
                                                        .description = description,
                                                        .version = described->server_version,
                                                        .skills_json = skills.data });
    ab_buf_deinit(&skills);
}
