/* Agents of kind `a2a`: remote ones, found by their cards. */
#include "a2a/version.h"
#include "app/config_parts.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <string.h>

#define LOOK_MOST_MS ((int64_t)24 * 3600 * 1000)

/* "Name: value", or NULL. A line break in a secret would be a header of its own. */
static const char *read_credential(struct ab_config_reader *reader, const struct ab_config_agent *agent,
                                   struct ab_json value)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.api_key", agent->settings.id);
    const char *header = ab_config_text(reader->config, value, "api_key_header");
    struct ab_json reference = ab_json_member(value, "api_key");
    struct ab_buf key = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char *line = NULL;

    if (ab_json_exists(reference) && ab_config_secret(reader, reference, where, &key)) {
        if (strcspn(key.data, "\r\n") != key.size)
            ab_config_agent_problem(reader, agent, ".api_key", "must be one line: it is sent in a header");
        else
            line = header != NULL ? ab_format("%s: %s", header, key.data)
                                  : ab_format("Authorization: Bearer %s", key.data);
        explicit_bzero(key.data, key.size);
    }
    ab_buf_deinit(&key);
    return ab_config_keep(reader->config, line);
}

static const char *const *read_credentials(struct ab_config_reader *reader, const struct ab_config_agent *agent,
                                           struct ab_json value)
{
    const char **list = ab_alloc(2, sizeof *list);

    (void)ab_config_keep(reader->config, list);
    list[0] = read_credential(reader, agent, value);
    return list;
}

/* The agent's host, from the address of its card; empty where that is none. */
static struct ab_str host_of(const char *card)
{
    const char *rest = card != NULL ? strstr(card, "://") : NULL;
    struct ab_str scheme;
    struct ab_str host;
    uint16_t port;

    if (rest == NULL ||
        !ab_http_split_origin((struct ab_str){ card, (size_t)(rest - card) + 3 + strcspn(rest + 3, "/?#") }, &scheme,
                              &host, &port))
        return AB_STR("");
    return host;
}

/* Whether another machine does not come here by it. */
static bool leads_nowhere(const char *address)
{
    return ab_http_is_loopback_host(ab_str(address)) || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static void check_push(struct ab_config_reader *reader, const struct ab_config_agent *agent, struct ab_json value)
{
    const struct ab_config *config = reader->config;
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.push", agent->settings.id);

    if (ab_json_exists(ab_json_member(value, "push_look_s")) && !agent->remote.push)
        ab_config_agent_problem(reader, agent, ".push_look_s", "belongs to \"push\": true, and that is not there");
    if (agent->remote.push && config->public_url == NULL && leads_nowhere(config->address) &&
        !ab_http_is_loopback_host(host_of(agent->remote.card)))
        ab_problem_warning(reader->problems, where,
                           "the agent will be told to post to %s, which does not lead here from another machine; set "
                           "public_url to the address that does",
                           config->listen);
}

static void check(struct ab_config_reader *reader, const struct ab_config_agent *agent, struct ab_json value)
{
    struct ab_json mode = ab_json_at(value, "user_token", "mode", NULL);

    if (ab_json_exists(ab_json_member(value, "api_key_header")) && !ab_json_exists(ab_json_member(value, "api_key")))
        ab_config_agent_problem(reader, agent, ".api_key_header", "belongs to an \"api_key\", and there is none");
    if (ab_json_exists(mode) && !ab_json_string_is(mode, "none"))
        ab_config_agent_problem(reader, agent, ".user_token.mode", "only \"none\" is in this version");
    check_push(reader, agent, value);
}

void ab_config_read_a2a(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent)
{
    struct ab_config *config = reader->config;

    out->remote = (struct ab_a2a_remote_settings){
        .id = out->settings.id,
        .card = ab_config_text(config, agent, "card"),
        .version = ab_config_text(config, agent, "version"),
        .binding = ab_config_text(config, agent, "binding"),
        .hosts = ab_config_texts(config, ab_json_member(agent, "hosts"), NULL),
        .extensions = ab_config_texts(config, ab_json_member(agent, "extensions"), NULL),
        .credentials = read_credentials(reader, out, agent),
        .keys_json = ab_config_raw(config, agent, "signed_by"),
        .answer_bytes = config->output_bytes,
        .push = ab_json_is_true(ab_json_member(agent, "push")),
        .push_look_ms = (uint32_t)ab_config_ms(agent, "push_look_s", LOOK_MOST_MS),
    };
    check(reader, out, agent);
}
