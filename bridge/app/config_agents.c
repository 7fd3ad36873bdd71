/* One agent of the configuration: what all kinds have, and the tool it is published as. What only one kind has is read
 * in config_<kind>.c. Its parts fit the schema when they come here. */
#include "app/config_parts.h"

#define DAYS_MS ((int64_t)86400000)

/* What a text agent understands; the same shape serves where the author gave none. */
static const char *const default_input =
    "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\",\"description\":\"What to do.\"}},"
    "\"required\":[\"text\"]}";

static enum ab_tool_task_mode task_mode(struct ab_json tool)
{
    struct ab_json value = ab_json_member(tool, "task");

    if (ab_json_string_is(value, "never"))
        return AB_TOOL_TASK_NEVER;
    return ab_json_string_is(value, "always") ? AB_TOOL_TASK_ALWAYS : AB_TOOL_TASK_AUTO;
}

/* Of programs only those that speak in events can ask; what stands elsewhere may always. */
static bool may_ask(const struct ab_config_agent *agent)
{
    return agent->kind != AB_CONFIG_COMMAND || agent->command.output == AB_COMMAND_EVENTS;
}

static void read_tool(struct ab_config *config, struct ab_config_agent *out, struct ab_json agent, struct ab_json tool)
{
    struct ab_json can_ask = ab_json_member(tool, "can_ask");
    const char *title = ab_config_text(config, tool, "title");
    const char *description = ab_config_text(config, tool, "description");
    const char *input = ab_config_raw(config, tool, "input_schema");

    out->published = true;
    out->tool = (struct ab_mcp_tool){
        .agent = out->settings.id,
        .name = ab_config_text(config, tool, "name"),
        .title = title != NULL ? title : out->settings.title,
        .description = description != NULL ? description : out->settings.description,
        .input_schema_json = input != NULL ? input : default_input,
        .output_schema_json = ab_config_raw(config, tool, "output_schema"),
        .annotations_json = ab_config_raw(config, tool, "annotations"),
        .icons_json = ab_config_raw(config, tool, "icons"),
        .requires_json = ab_config_raw(config, tool, "requires"),
        .task = task_mode(tool),
        .ask_on_call = ab_json_string_is(ab_json_member(tool, "ask"), "call"),
        .can_ask = ab_json_exists(can_ask) ? ab_json_is_true(can_ask) : may_ask(out),
        .on_disconnect = ab_config_on_disconnect(tool, ab_config_on_disconnect(agent, config->on_disconnect)),
    };
}

static void read_a2a(struct ab_config *config, struct ab_config_agent *out, struct ab_json a2a)
{
    out->a2a = (struct ab_a2a_agent_settings){
        .agent = out->settings.id,
        .version = ab_config_text(config, a2a, "version"),
        .skills_json = ab_config_raw(config, a2a, "skills"),
        .input_modes_json = ab_config_raw(config, a2a, "input_modes"),
        .output_modes_json = ab_config_raw(config, a2a, "output_modes"),
        .extensions_json = ab_config_raw(config, a2a, "extensions"),
        .provider_json = ab_config_raw(config, a2a, "provider"),
        .documentation_url = ab_config_text(config, a2a, "documentation_url"),
        .icon_url = ab_config_text(config, a2a, "icon_url"),
    };
}

static const struct {
    const char *name;
    enum ab_config_kind kind;
    void (*read)(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent);
} kinds[] = {
    { "command", AB_CONFIG_COMMAND, ab_config_read_command },
    { "mcp", AB_CONFIG_MCP, ab_config_read_mcp },
    { "a2a", AB_CONFIG_A2A, ab_config_read_a2a },
    { "platform", AB_CONFIG_PLATFORM, ab_config_read_platform },
};

bool ab_config_knows_kind(struct ab_json agent)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (ab_json_string_is(ab_json_member(agent, "kind"), kinds[i].name))
            return true;
    }
    return false;
}

static void read_kind(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (ab_json_string_is(ab_json_member(agent, "kind"), kinds[i].name)) {
            out->kind = kinds[i].kind;
            kinds[i].read(reader, out, agent);
        }
    }
}

void ab_config_read_agent(struct ab_config_reader *reader, struct ab_json key, struct ab_json agent)
{
    struct ab_config *config = reader->config;
    struct ab_config_agent *out = &config->agents[config->n_agents++];
    bool refuse = ab_json_string_is(ab_json_member(agent, "turns"), "refuse");
    struct ab_json tool = ab_json_member(agent, "tool");

    *out = (struct ab_config_agent){ 0 };
    out->settings = (struct ab_agent_settings){
        .id = ab_config_keep(config, ab_json_string_dup(key)),
        .title = ab_config_text(config, agent, "title"),
        .description = ab_config_text(config, agent, "description"),
        .kind = ab_config_text(config, agent, "kind"),
        .timeout_ms = ab_config_ms(agent, "timeout_s", 3650 * DAYS_MS),
        .pause_timeout_ms = ab_config_ms(agent, "pause_timeout_s", 3650 * DAYS_MS),
        .turns = refuse ? AB_TURNS_REFUSE : AB_TURNS_QUEUE,
        .turns_deep = (uint32_t)ab_config_int(agent, "turns_deep"),
        .retry_after_restart = ab_json_string_is(ab_json_member(agent, "restart"), "retry"),
    };
    out->settings.webhooks_json = ab_config_webhooks(reader, out->settings.id, ab_json_member(agent, "webhooks"));
    read_kind(reader, out, agent);
    out->skills_published = ab_json_string_is(ab_json_member(agent, "publish"), "skills");
    out->on_disconnect = ab_config_on_disconnect(agent, config->on_disconnect);
    read_a2a(config, out, ab_json_member(agent, "a2a"));
    if (ab_json_exists(tool))
        read_tool(config, out, agent, tool);
}
