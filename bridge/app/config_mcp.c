/* Agents of kind `mcp`: the tools of an MCP server, at a URL or as a program. */
#include "app/config_parts.h"
#include "base/mem.h"
#include "mcp/version.h"

#include <string.h>

#define DAYS_MS ((int64_t)86400000)

static const char *read_api_key(struct ab_config_reader *reader, const struct ab_config_agent *agent,
                                struct ab_json reference)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.api_key", agent->settings.id);
    struct ab_buf key = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool found = ab_json_exists(reference) && ab_config_secret(reader, reference, where, &key);

    if (!found) {
        ab_buf_deinit(&key);
        return NULL;
    }
    return ab_config_keep(reader->config, ab_buf_steal(&key));
}

/* NULL: the server is asked. */
static const char *read_version(struct ab_config_reader *reader, const struct ab_config_agent *agent,
                                struct ab_json value)
{
    const char *version = ab_config_keep(reader->config, ab_json_string_dup(value));

    if (version == NULL || strcmp(version, "auto") == 0)
        return NULL;
    if (ab_mcp_version_find(ab_str(version)) == NULL) {
        ab_config_agent_problem(reader, agent, ".version",
                                "must be \"auto\" or a version of MCP that the bridge speaks");
        return NULL;
    }
    return version;
}

static bool relays(struct ab_json names, const char *name)
{
    struct ab_json_iterator each = ab_json_iterate(names);
    struct ab_json one;

    while (ab_json_next(&each, NULL, &one)) {
        if (ab_json_string_is(one, name))
            return true;
    }
    return false;
}

static void check(struct ab_config_reader *reader, const struct ab_config_agent *agent, struct ab_json value)
{
    struct ab_json mode = ab_json_at(value, "user_token", "mode", NULL);
    const struct ab_mcp_agent_settings *mcp = &agent->mcp;

    if ((mcp->url != NULL) == (mcp->command[0] != NULL))
        ab_config_agent_problem(reader, agent, "", "needs either \"url\" (Streamable HTTP) or \"command\" (stdio)");
    if (mcp->command[0] != NULL && ab_json_exists(ab_json_member(value, "api_key")))
        ab_config_agent_problem(reader, agent, ".api_key",
                                "is for servers with a \"url\"; a program gets its secrets by \"env\"");
    if (mcp->default_tool == NULL && mcp->default_argument != NULL)
        ab_config_agent_problem(reader, agent, ".default_argument", "belongs to a \"default_tool\", and there is none");
    if (ab_json_exists(mode) && !ab_json_string_is(mode, "none"))
        ab_config_agent_problem(reader, agent, ".user_token.mode", "only \"none\" is in this version");
}

void ab_config_read_mcp(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent)
{
    static const char *const path_only[] = { "PATH", NULL };
    struct ab_config *config = reader->config;
    struct ab_json names = ab_json_member(agent, "env");
    struct ab_json relay = ab_json_member(agent, "relay");

    out->mcp = (struct ab_mcp_agent_settings){
        .id = out->settings.id,
        .url = ab_config_text(config, agent, "url"),
        .api_key = read_api_key(reader, out, ab_json_member(agent, "api_key")),
        .command = ab_config_command(reader, ab_json_member(agent, "command")),
        .directory = ab_config_path(reader, ab_config_text(config, agent, "directory")),
        .environment = ab_json_exists(names) ? ab_config_texts(config, names, NULL) : path_only,
        .version = read_version(reader, out, ab_json_member(agent, "version")),
        .default_tool = ab_config_text(config, agent, "default_tool"),
        .default_argument = ab_config_text(config, agent, "default_argument"),
        .sampling = relays(relay, "sampling"),
        .roots = relays(relay, "roots"),
        .max_tools = (uint32_t)ab_config_int(agent, "max_tools"),
        .refresh_ms = (uint32_t)ab_config_ms(agent, "refresh_s", DAYS_MS),
        .message_bytes = config->output_bytes,
    };
    check(reader, out, agent);
}
