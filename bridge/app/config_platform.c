/* Agents of kind `platform`: behind the agent platform's API, or behind another bridge. */
#include "app/config_parts.h"
#include "base/mem.h"

#include <string.h>

#define DAYS_MS ((int64_t)86400000)
/* Longer keys there are none. */
#define KEY_BYTES 16384
#define URL_BYTES 2048

static enum ab_rest_mode read_mode(struct ab_json agent)
{
    struct ab_json mode = ab_json_member(agent, "mode");

    if (ab_json_string_is(mode, "async"))
        return AB_REST_ASYNC;
    return ab_json_string_is(mode, "sync") ? AB_REST_SYNC : AB_REST_STREAM;
}

/* Written out, or by reference: where it differs from one place to the next. */
static const char *read_url(struct ab_config_reader *reader, const char *id, struct ab_json agent)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.url", id);
    struct ab_json reference = ab_json_member(agent, "url");
    struct ab_buf text = AB_BUF_INIT(URL_BYTES);
    const char *url = ab_config_text(reader->config, agent, "url");

    if (ab_json_is(reference, AB_JSON_OBJECT) && ab_config_secret(reader, reference, where, &text)) {
        const char *host = strstr(text.data, "://");
        bool known = ab_str_starts(ab_buf_str(&text), "https://") || ab_str_starts(ab_buf_str(&text), "http://");
        if (known && host[3] != '\0' && host[3] != '/' && strpbrk(text.data, "?# \t\r\n") == NULL && !text.full)
            url = ab_config_keep(reader->config, ab_strdup(text.data));
        else
            ab_problem_error(reader->problems, where,
                             "must be like https://platform.example.com, without a query; what is there is not");
    }
    ab_buf_deinit(&text);
    return url != NULL ? url : "";
}

/* A header carries it: what would end the header's line is no key. */
static const char *read_key(struct ab_config_reader *reader, const char *id, struct ab_json reference)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.api_key", id);
    struct ab_buf text = AB_BUF_INIT(KEY_BYTES);
    const char *key = NULL;

    if (ab_json_exists(reference) && ab_config_secret(reader, reference, where, &text)) {
        bool good = text.size > 0 && !text.full;
        for (size_t i = 0; i < text.size; i++)
            good = good && text.data[i] > ' ' && text.data[i] <= '~';
        if (good)
            key = ab_config_keep(reader->config, ab_strndup(text.data, text.size));
        else
            ab_problem_error(reader->problems, where,
                             "must be printable characters without blanks; what is there is not");
    }
    if (text.data != NULL)
        explicit_bzero(text.data, text.capacity);
    ab_buf_deinit(&text);
    return key;
}

static const char *const *read_headers(struct ab_config *config, struct ab_json headers)
{
    struct ab_json_iterator each = ab_json_iterate(headers);
    const char **out = ab_alloc(ab_json_count(headers) + 1, sizeof *out);
    struct ab_json key;
    struct ab_json value;
    size_t n = 0;

    (void)ab_config_keep(config, out);
    while (ab_json_is(headers, AB_JSON_OBJECT) && ab_json_next(&each, &key, &value)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(value);
        if (name != NULL && text != NULL)
            out[n++] = ab_config_keep(config, ab_format("%s: %s", name, text));
    }
    return out;
}

/* The modes that need to know who calls come with authentication. */
static bool drops_user_token(struct ab_config_reader *reader, const char *id, struct ab_json mode)
{
    static const char *const later[] = { "exchange", "own", "connection" };
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.user_token.mode", id);

    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (ab_json_string_is(mode, later[i]))
            ab_problem_error(reader->problems, where,
                             "\"%s\" comes with authentication, which is not in this version; \"passthrough\" and "
                             "\"none\" are",
                             later[i]);
    }
    return ab_json_string_is(mode, "none");
}

static const char *read_surface_field(struct ab_config *config, struct ab_json agent)
{
    struct ab_json field = ab_json_member(agent, "surface_field");

    if (ab_json_is(field, AB_JSON_NULL))
        return NULL;
    return ab_json_exists(field) ? ab_config_text(config, agent, "surface_field") : "source_node_type";
}

void ab_config_read_platform(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent)
{
    struct ab_config *config = reader->config;
    const char *id = out->settings.id;
    const char *workflow = ab_config_text(config, agent, "workflow_id");
    int64_t own_output = ab_config_int(agent, "output_bytes");

    out->platform = (struct ab_platform_settings){
        .id = id,
        .target = { .url = read_url(reader, id, agent),
                    .agent_id = workflow != NULL ? workflow : ab_config_text(config, agent, "agent_id"),
                    .workflow = workflow != NULL },
        .version = ab_config_text(config, agent, "version"),
        .mode = read_mode(agent),
        .api_key = read_key(reader, id, ab_json_member(agent, "api_key")),
        .api_key_header = ab_config_text(config, agent, "api_key_header"),
        .headers = read_headers(config, ab_json_member(agent, "headers")),
        .surface_field = read_surface_field(config, agent),
        .approve_route = ab_config_text(config, ab_json_member(agent, "hitl"), "approve"),
        .reject_route = ab_config_text(config, ab_json_member(agent, "hitl"), "reject"),
        .drop_user_token = drops_user_token(reader, id, ab_json_at(agent, "user_token", "mode", NULL)),
        .output_bytes = own_output > 0 ? (size_t)own_output : config->output_bytes,
        .poll_ms = (uint32_t)ab_config_ms(agent, "poll_s", DAYS_MS),
        .poll_longest_ms = (uint32_t)ab_config_ms(agent, "poll_longest_s", DAYS_MS),
        .answer_ms = (uint32_t)ab_config_ms(agent, "answer_s", DAYS_MS),
        .idle_ms = (uint32_t)ab_config_ms(agent, "idle_s", DAYS_MS),
        .retries = (uint32_t)ab_config_int(agent, "retries"),
    };
}
