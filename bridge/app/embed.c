/* The embedding API: the same bridge as `agentbridge serve`, with agents that the program brings. */
#include "agentbridge/embed.h"

#include "app/bridge.h"
#include "app/config_parts.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct ab_embed {
    struct ab_config config;
    struct ab_bridge bridge;
};

static char *keep_text(struct ab_config *config, const char *text)
{
    return text != NULL ? ab_config_keep(config, ab_strdup(text)) : NULL;
}

static void describe(struct ab_config *config, struct ab_config_agent *out, const struct ab_embed_agent *agent)
{
    *out = (struct ab_config_agent){
        .settings = { .id = keep_text(config, agent->id),
                      .title = keep_text(config, agent->title),
                      .description = keep_text(config, agent->description),
                      .kind = "embedded",
                      .timeout_ms = agent->timeout_ms,
                      .retry_after_restart = agent->retry_after_restart },
        .kind = AB_CONFIG_EMBEDDED,
        .embedded = agent->agent,
        .published = agent->tool_name != NULL,
        .tool = { .name = keep_text(config, agent->tool_name),
                  .input_schema_json = keep_text(config, agent->input_schema_json != NULL ? agent->input_schema_json
                                                                                          : "{\"type\":\"object\"}"),
                  .output_schema_json = keep_text(config, agent->output_schema_json),
                  .can_ask = agent->can_ask,
                  .on_disconnect = config->on_disconnect },
    };
    out->tool.agent = out->settings.id;
    out->tool.title = out->settings.title;
    out->tool.description = out->settings.description;
}

static void add_agents(struct ab_config *config, const struct ab_embed_settings *settings)
{
    size_t n = config->n_agents + settings->n_agents;

    config->agents = ab_realloc(config->agents, (n > 0 ? n : 1) * sizeof(*config->agents));
    for (size_t i = 0; i < settings->n_agents; i++)
        describe(config, &config->agents[config->n_agents + i], &settings->agents[i]);
    config->n_agents = n;
}

/* Two agents of one id, or none, are a mistake of the program that the configuration's own check cannot see. */
static bool check_agents(const struct ab_config *config, char *reason, size_t reason_size)
{
    for (size_t i = 0; i < config->n_agents; i++) {
        const char *id = config->agents[i].settings.id;
        if (id == NULL || id[0] == '\0') {
            snprintf(reason, reason_size, "agents: an agent needs an id");
            return false;
        }
        for (size_t other = 0; other < i; other++) {
            if (strcmp(config->agents[other].settings.id, id) == 0) {
                snprintf(reason, reason_size, "agents: there are two of the id \"%s\"", id);
                return false;
            }
        }
    }
    return true;
}

static bool read_config(struct ab_embed *embed, const struct ab_embed_settings *settings, char *reason,
                        size_t reason_size)
{
    const char *text = settings->config != NULL ? settings->config : "{\"agents\":{}}";
    struct ab_config_overrides overrides = { .listen = settings->listen,
                                             .data = settings->data,
                                             .agents_elsewhere = settings->n_agents > 0 };
    struct ab_problems problems = { 0 };
    bool good = ab_config_read(&embed->config, ab_str(text), settings->directory != NULL ? settings->directory : ".",
                               &overrides, &problems);

    if (!good) {
        struct ab_buf told = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_problems_render(&problems, "config", &told);
        snprintf(reason, reason_size, "%s", told.data != NULL ? told.data : "");
        ab_buf_deinit(&told);
    }
    ab_problems_deinit(&problems);
    return good;
}

static void end_now(void *arg)
{
    struct ab_embed *embed = arg;

    (void)ab_bridge_end(&embed->bridge);
}

static bool build(struct ab_embed *embed, const struct ab_embed_settings *settings, char *reason, size_t reason_size)
{
    struct ab_bridge *bridge = &embed->bridge;

    ab_log_init(&bridge->log, embed->config.log_level);
    if (!ab_bridge_build(bridge, &embed->config, reason, reason_size))
        return false;
    if (!settings->end_on_signals || (ab_loop_uv_on_signal(bridge->loop, SIGTERM, end_now, embed) == AB_OK &&
                                      ab_loop_uv_on_signal(bridge->loop, SIGINT, end_now, embed) == AB_OK))
        return true;
    snprintf(reason, reason_size, "the system lets no signals be watched");
    return false;
}

/* Those that never came to the engine. */
static void free_agents(const struct ab_embed_settings *settings)
{
    for (size_t i = 0; i < settings->n_agents; i++)
        if (settings->agents[i].agent->ops->free != NULL)
            settings->agents[i].agent->ops->free(settings->agents[i].agent);
}

struct ab_embed *ab_embed_new(const struct ab_embed_settings *settings, char *reason, size_t reason_size)
{
    struct ab_embed *embed = ab_alloc(1, sizeof(*embed));
    bool good = read_config(embed, settings, reason, reason_size);

    (void)signal(SIGPIPE, SIG_IGN);
    if (good) {
        add_agents(&embed->config, settings);
        good = check_agents(&embed->config, reason, reason_size) && build(embed, settings, reason, reason_size);
    }
    if (good)
        return embed;
    if (embed->bridge.engine == NULL)
        free_agents(settings);
    ab_embed_free(embed);
    return NULL;
}

const char *ab_embed_address(const struct ab_embed *embed)
{
    return ab_httpd_address(embed->bridge.httpd);
}

void ab_embed_run(struct ab_embed *embed)
{
    ab_loop_uv_run(embed->bridge.loop);
}

void ab_embed_end(struct ab_embed *embed)
{
    ab_embed_post(embed, end_now, embed);
}

void ab_embed_post(struct ab_embed *embed, void (*fn)(void *arg), void *arg)
{
    ab_loop_post(ab_loop_uv_port(embed->bridge.loop), fn, arg);
}

void ab_embed_free(struct ab_embed *embed)
{
    if (embed == NULL)
        return;
    if (!embed->bridge.runs_gone)
        ab_bridge_give_up(&embed->bridge);
    ab_bridge_free(&embed->bridge);
    ab_config_deinit(&embed->config);
    free(embed);
}
