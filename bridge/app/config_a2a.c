/* Agents of kind `a2a`: remote ones, found by their cards. */
#include "a2a/version.h"
#include "app/config_parts.h"
#include "base/mem.h"

#include <string.h>

static void add_problem(struct ab_config_reader *reader, const struct ab_config_agent *agent, const char *key,
                        const char *text)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.%s", agent->settings.id, key);

    ab_problem_error(reader->problems, where, "%s", text);
}

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
            add_problem(reader, agent, "api_key", "must be one line: it is sent in a header");
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

static void check(struct ab_config_reader *reader, const struct ab_config_agent *agent, struct ab_json value)
{
    struct ab_json mode = ab_json_at(value, "user_token", "mode", NULL);

    if (ab_json_exists(ab_json_member(value, "api_key_header")) && !ab_json_exists(ab_json_member(value, "api_key")))
        add_problem(reader, agent, "api_key_header", "belongs to an \"api_key\", and there is none");
    if (ab_json_exists(mode) && !ab_json_string_is(mode, "none"))
        add_problem(reader, agent, "user_token.mode", "only \"none\" is in this version");
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
    };
    check(reader, out, agent);
}
