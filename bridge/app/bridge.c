/* One function builds each part; a table of them is the order. */
#include "app/bridge.h"

#include "a2a/push.h"
#include "app/secret.h"
#include "base/mem.h"
#include "rest/webhooks.h"
#include "store/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DRAIN_MS 10000
/* Each task that another bridge or a platform works on holds a stream to it, for as long as it waits for somebody, too;
 * an answer or a stop must still get through. */
#define HOST_CONNECTIONS 10000
#define KEEP_MS ((int64_t)7 * 24 * 3600 * 1000)
#define OUTPUT_BYTES ((size_t)16 << 20)

struct place {
    char *reason;
    size_t size;
};

static size_t or_default(size_t value, size_t fallback)
{
    return value > 0 ? value : fallback;
}

static bool build_loop(struct ab_bridge *bridge, struct place reason)
{
    bridge->loop = ab_loop_uv_new();
    if (bridge->loop == NULL) {
        snprintf(reason.reason, reason.size, "the system gives no event loop");
        return false;
    }
    bridge->processes = ab_process_uv_new(bridge->loop);
    return true;
}

/* The folder with all those above it; only its owner may look into it. */
static bool make_folder(const char *path, struct place reason)
{
    char *partial = ab_strdup(path);
    bool good = true;

    for (char *at = partial + 1; good && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        good = mkdir(partial, 0700) == 0 || errno == EEXIST;
        *at = '/';
    }
    good = good && (mkdir(path, 0700) == 0 || errno == EEXIST);
    if (!good)
        snprintf(reason.reason, reason.size, "the data folder %s cannot be made: %s", path, strerror(errno));
    free(partial);
    return good;
}

static bool build_store(struct ab_bridge *bridge, struct place reason)
{
    if (!make_folder(bridge->config->data, reason))
        return false;
    bridge->store = ab_store_sqlite_new(ab_loop_uv_port(bridge->loop), bridge->config->data, &bridge->log,
                                        bridge->metrics, reason.reason, reason.size);
    return bridge->store != NULL;
}

/* Absolute, because programs run where they like. What a process that died left there is nobody's any more. */
static bool build_files(struct ab_bridge *bridge, struct place reason)
{
    AB_CLEANUP(ab_free_string) char *data = realpath(bridge->config->data, NULL);

    if (data == NULL) {
        snprintf(reason.reason, reason.size, "the data folder %s cannot be found: %s", bridge->config->data,
                 strerror(errno));
        return false;
    }
    bridge->files = ab_format("%s/files", data);
    ab_fetched_files_sweep(bridge->files);
    return true;
}

static bool build_sealer(struct ab_bridge *bridge, struct place reason)
{
    const struct ab_config *config = bridge->config;
    struct ab_random random = ab_random_system();
    unsigned char key[1][AB_SEAL_KEY_BYTES];
    char *path;
    int result;

    if (config->n_seal_keys > 0) {
        bridge->sealer =
            ab_sealer_new((const unsigned char(*)[AB_SEAL_KEY_BYTES])config->seal_keys, config->n_seal_keys, random);
        return true;
    }
    path = ab_format("%s/seal.key", config->data);
    result = ab_seal_key_file(path, &random, key[0], reason.reason, reason.size);
    free(path);
    if (result != AB_OK)
        return false;
    bridge->sealer = ab_sealer_new((const unsigned char(*)[AB_SEAL_KEY_BYTES])key, 1, random);
    explicit_bzero(key, sizeof key);
    return true;
}

/* The key that others know us by: it stays the same for as long as the data directory. */
static bool build_signer(struct ab_bridge *bridge, struct place reason)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/sign.key", bridge->config->data);
    struct ab_random random = ab_random_system();
    unsigned char key[AB_SIGN_KEY_BYTES];

    if (bridge->config->unsigned_cards)
        return true;
    if (ab_seal_key_file(path, &random, key, reason.reason, reason.size) != AB_OK)
        return false;
    bridge->signer = ab_signer_new(key);
    explicit_bzero(key, sizeof key);
    if (bridge->signer == NULL)
        snprintf(reason.reason, reason.size, "%.200s: no signing key can be made of it", path);
    return bridge->signer != NULL;
}

/* For agents that stand elsewhere, and for those elsewhere who want to be told. */
static bool build_client(struct ab_bridge *bridge, struct place reason)
{
    bridge->client = ab_client_curl_new(bridge->loop, &bridge->log, HOST_CONNECTIONS);
    if (bridge->client == NULL)
        snprintf(reason.reason, reason.size, "libcurl gives no client");
    return bridge->client != NULL;
}

/* For agents that post what becomes of their tasks. */
static bool build_receiver(struct ab_bridge *bridge, struct place reason)
{
    (void)reason;
    bridge->receiver = ab_a2a_receiver_new(&(struct ab_a2a_receiver_settings){
        .sealer = bridge->sealer,
        .store = bridge->store,
        .json_depth = bridge->config->json_depth,
        .log = &bridge->log,
    });
    return true;
}

/* The engine's limit holds for every task, so the most generous agent sets it. */
static size_t largest_output(const struct ab_config *config)
{
    size_t largest = or_default(config->output_bytes, OUTPUT_BYTES);

    for (size_t i = 0; i < config->n_agents; i++) {
        if (config->agents[i].command.output_bytes > largest)
            largest = config->agents[i].command.output_bytes;
        if (config->agents[i].platform.output_bytes > largest)
            largest = config->agents[i].platform.output_bytes;
    }
    return largest;
}

static struct ab_agent *make_command(struct ab_bridge *bridge, const struct ab_config_agent *agent)
{
    struct ab_command_settings command = agent->command;

    command.loop = ab_loop_uv_port(bridge->loop);
    command.processes = bridge->processes;
    command.fetch.loop = command.loop;
    command.fetch.client = bridge->client;
    command.fetch.guard = &bridge->config->guard;
    command.fetch.folder = bridge->files;
    command.log = &bridge->log;
    return ab_command_agent_new(&command);
}

static struct ab_agent *make_mcp(struct ab_bridge *bridge, const struct ab_config_agent *agent)
{
    struct ab_mcp_agent_settings mcp = agent->mcp;

    mcp.loop = ab_loop_uv_port(bridge->loop);
    mcp.client = bridge->client;
    mcp.processes = bridge->processes;
    mcp.store = bridge->store;
    mcp.sealer = bridge->sealer;
    mcp.log = &bridge->log;
    return ab_mcp_agent_new(&mcp);
}

static struct ab_agent *make_a2a(struct ab_bridge *bridge, const struct ab_config_agent *agent)
{
    struct ab_a2a_remote_settings remote = agent->remote;

    remote.loop = ab_loop_uv_port(bridge->loop);
    remote.client = bridge->client;
    remote.store = bridge->store;
    remote.random = ab_random_system();
    remote.receiver = bridge->receiver;
    remote.log = &bridge->log;
    return ab_a2a_agent_new(&remote);
}

static struct ab_agent *make_platform(struct ab_bridge *bridge, const struct ab_config_agent *agent)
{
    struct ab_platform_settings platform = agent->platform;

    platform.loop = ab_loop_uv_port(bridge->loop);
    platform.client = bridge->client;
    platform.random = ab_random_system();
    platform.log = &bridge->log;
    return ab_platform_agent_new(&platform);
}

static struct ab_agent *make_embedded(struct ab_bridge *bridge, const struct ab_config_agent *agent)
{
    (void)bridge;
    return agent->embedded;
}

static void add_agent(struct ab_bridge *bridge, const struct ab_config_agent *agent)
{
    static struct ab_agent *(*const makers[AB_CONFIG_KIND_COUNT])(struct ab_bridge *,
                                                                  const struct ab_config_agent *) = {
        [AB_CONFIG_COMMAND] = make_command,   [AB_CONFIG_MCP] = make_mcp,           [AB_CONFIG_A2A] = make_a2a,
        [AB_CONFIG_PLATFORM] = make_platform, [AB_CONFIG_EMBEDDED] = make_embedded,
    };

    ab_engine_add_agent(bridge->engine, &agent->settings, makers[agent->kind](bridge, agent));
}

static void on_outbox_grew(void *arg)
{
    const struct ab_bridge *bridge = arg;

    if (bridge->courier != NULL)
        ab_courier_wake(bridge->courier);
}

static bool build_engine(struct ab_bridge *bridge, struct place reason)
{
    const struct ab_config *config = bridge->config;
    struct ab_engine_settings settings = {
        .loop = ab_loop_uv_port(bridge->loop),
        .store = bridge->store,
        .random = ab_random_system(),
        .log = &bridge->log,
        .metrics = bridge->metrics,
        .running_per_owner = config->running_per_principal,
        .keep_ms = config->keep_ms,
        .sweep_every_ms = config->sweep_every_ms,
        .output_bytes = largest_output(config),
        .wishes_per_task = config->wishes_per_task,
        .outbox_grew = on_outbox_grew,
        .outbox_arg = bridge,
    };

    (void)reason;
    bridge->engine = ab_engine_new(&settings);
    for (size_t i = 0; i < config->n_agents; i++)
        add_agent(bridge, &config->agents[i]);
    return true;
}

static void set_mcp_limits(struct ab_mcp_settings *settings, const struct ab_config *config)
{
    settings->json_depth = config->json_depth;
    settings->grace_ms = config->grace_ms;
    settings->hold_ms = config->hold_ms;
    settings->wait_max_ms = config->wait_max_ms;
    settings->head_ms = config->head_ms;
    settings->heartbeat_ms = config->heartbeat_ms;
    settings->poll_interval_ms = config->poll_interval_ms;
    settings->disconnect_grace_ms = config->disconnect_grace_ms;
    settings->on_disconnect = config->on_disconnect;
    settings->subscribed_tasks = config->subscribed_tasks;
    settings->keep_ms = config->keep_ms > 0 ? config->keep_ms : KEEP_MS;
}

static bool build_mcp(struct ab_bridge *bridge, struct place reason)
{
    const struct ab_config *config = bridge->config;
    struct ab_mcp_tool *tools = ab_alloc(config->n_agents + 1, sizeof *tools);
    struct ab_mcp_skills *skills = ab_alloc(config->n_agents + 1, sizeof *skills);
    struct ab_mcp_settings settings = {
        .engine = bridge->engine,
        .store = bridge->store,
        .loop = ab_loop_uv_port(bridge->loop),
        .streams = bridge->streams,
        .sealer = bridge->sealer,
        .log = &bridge->log,
        .metrics = bridge->metrics,
        .default_agent = config->default_agent,
        .user_json = config->user_json,
        .tools = tools,
        .skills = skills,
    };

    for (size_t i = 0; i < config->n_agents; i++) {
        const struct ab_config_agent *agent = &config->agents[i];

        if (agent->published)
            tools[settings.n_tools++] = agent->tool;
        if (agent->skills_published)
            skills[settings.n_skills++] = (struct ab_mcp_skills){ agent->settings.id, agent->on_disconnect };
    }
    set_mcp_limits(&settings, config);
    bridge->mcp = ab_mcp_new(&settings, reason.reason, reason.size);
    free(tools);
    free(skills);
    return bridge->mcp != NULL;
}

static bool build_a2a(struct ab_bridge *bridge, struct place reason)
{
    const struct ab_config *config = bridge->config;
    struct ab_a2a_agent_settings *agents = ab_alloc(config->n_agents + 1, sizeof *agents);
    struct ab_a2a_settings settings = {
        .engine = bridge->engine,
        .loop = ab_loop_uv_port(bridge->loop),
        .streams = bridge->streams,
        .sealer = bridge->sealer,
        .signer = bridge->signer,
        .guard = &config->guard,
        .random = ab_random_system(),
        .default_agent = config->default_agent,
        .user_json = config->user_json,
        .agents = agents,
        .n_agents = config->n_agents,
        .card_form = config->card_form,
        .json_depth = config->json_depth,
        .head_ms = config->head_ms,
        .heartbeat_ms = config->heartbeat_ms,
    };

    (void)reason;
    for (size_t i = 0; i < config->n_agents; i++) {
        agents[i] = config->agents[i].a2a;
        agents[i].agent = config->agents[i].settings.id;
    }
    bridge->a2a = ab_a2a_new(&settings);
    free(agents);
    return true;
}

static bool build_rest(struct ab_bridge *bridge, struct place reason)
{
    const struct ab_config *config = bridge->config;
    struct ab_rest_settings settings = {
        .engine = bridge->engine,
        .loop = ab_loop_uv_port(bridge->loop),
        .streams = bridge->streams,
        .sealer = bridge->sealer,
        .guard = &config->guard,
        .metrics = bridge->metrics,
        .user_json = config->user_json,
        .strict = config->rest_strict,
        .json_depth = config->json_depth,
        .heartbeat_ms = config->heartbeat_ms,
    };

    (void)reason;
    bridge->rest = ab_rest_new(&settings);
    return true;
}

/* What was left in the outbox goes out in the loop's first turn. */
static bool build_courier(struct ab_bridge *bridge, struct place reason)
{
    bridge->webhooks = (struct ab_rest_webhook_encoder){ .engine = bridge->engine,
                                                         .sealer = bridge->sealer,
                                                         .secret = ab_secret_read };
    bridge->pushes = (struct ab_a2a_push_encoder){
        .engine = bridge->engine,
        .sealer = bridge->sealer,
        .signer = bridge->config->signed_pushes ? bridge->signer : NULL,
        .a2a = bridge->a2a,
    };
    bridge->encoders[1] = (struct ab_delivery_encoder){ AB_A2A_PUSH_KIND, ab_a2a_push_encode, &bridge->pushes };
    bridge->encoders[0] =
        (struct ab_delivery_encoder){ AB_REST_WEBHOOK_KIND, ab_rest_webhook_encode, &bridge->webhooks };
    struct ab_courier_settings settings = {
        .loop = ab_loop_uv_port(bridge->loop),
        .store = bridge->store,
        .client = bridge->client,
        .guard = &bridge->config->guard,
        .plain_guard = &bridge->config->plain_guard,
        .random = ab_random_system(),
        .log = &bridge->log,
        .metrics = bridge->metrics,
        .encoders = bridge->encoders,
        .n_encoders = sizeof bridge->encoders / sizeof *bridge->encoders,
        .retry_first_ms = bridge->config->retry_first_ms,
        .retry_longest_ms = bridge->config->retry_longest_ms,
        .give_up_ms = bridge->config->give_up_ms,
        .timeout_ms = bridge->config->delivery_timeout_ms,
    };

    (void)reason;
    bridge->courier = ab_courier_new(&settings);
    return true;
}

/* Where the bridge is, for cards and for agents that post to it: its public name, or where it listens. */
static void tell_address(struct ab_bridge *bridge)
{
    AB_CLEANUP(ab_free_string) char *own = ab_format("http://%s", ab_httpd_address(bridge->httpd));
    const char *url = bridge->config->public_url != NULL ? bridge->config->public_url : own;

    ab_a2a_set_url(bridge->a2a, url);
    ab_a2a_receiver_set_url(bridge->receiver, url);
}

static bool build_httpd(struct ab_bridge *bridge, struct place reason)
{
    const struct ab_config *config = bridge->config;
    struct ab_httpd_settings settings = {
        .address = config->address,
        .port = config->port,
        .request_bytes = or_default(config->request_bytes, (size_t)4 << 20),
        .header_bytes = or_default(config->header_bytes, (size_t)16 << 10),
        .stream_bytes = (size_t)256 << 10,
        .hosts = config->hosts,
        .origins = config->origins,
        .log = &bridge->log,
        .metrics = bridge->metrics,
    };
    struct ab_clock clock = ab_clock_system();

    bridge->health = (struct ab_health){
        .store = bridge->store,
        .metrics = bridge->metrics,
        .clock = clock,
        .started_us = ab_clock_monotonic_us(&clock),
    };
    bridge->routes = (struct ab_routes){ .mcp = bridge->mcp,
                                         .a2a = bridge->a2a,
                                         .rest = bridge->rest,
                                         .receiver = bridge->receiver,
                                         .health = &bridge->health };
    bridge->httpd =
        ab_httpd_new(bridge->loop, &settings, ab_routes_handle, &bridge->routes, reason.reason, reason.size);
    if (bridge->httpd != NULL)
        tell_address(bridge);
    return bridge->httpd != NULL;
}

/* Last, so that a port in use leaves the tasks as they were. */
static bool start_engine(struct ab_bridge *bridge, struct place reason)
{
    if (ab_engine_start(bridge->engine) == AB_OK)
        return true;
    snprintf(reason.reason, reason.size, "the tasks in %s cannot be read; the log says why", bridge->config->data);
    return false;
}

/* It serves without one, too: on a file system that has no sockets, for instance. */
static bool build_control(struct ab_bridge *bridge, struct place reason)
{
    struct ab_pipe_server_settings settings = {
        .directory = bridge->config->data,
        .name = AB_CONTROL_SOCKET,
        .line_bytes = (size_t)1 << 20,
        .behind_bytes = (size_t)256 << 10,
        .connections = 128,
    };

    bridge->control = ab_control_new(&(struct ab_control_settings){
        .engine = bridge->engine,
        .store = bridge->store,
        .loop = ab_loop_uv_port(bridge->loop),
        .log = &bridge->log,
        .outbox_grew = on_outbox_grew,
        .outbox_arg = bridge,
    });
    bridge->control_server = ab_pipe_server_new(bridge->loop, &settings, ab_control_pipe_events(), bridge->control,
                                                reason.reason, reason.size);
    if (bridge->control_server == NULL)
        ab_log(&bridge->log, AB_LOG_WARNING, "app", "there is no control socket: agentbridge tasks cannot be used",
               "reason", reason.reason, NULL);
    return true;
}

bool ab_bridge_build(struct ab_bridge *bridge, const struct ab_config *config, char *reason, size_t reason_size)
{
    static bool (*const steps[])(struct ab_bridge *, struct place) = {
        build_loop, build_store, build_files, build_sealer,  build_signer, build_client, build_receiver, build_engine,
        build_mcp,  build_a2a,   build_rest,  build_courier, build_httpd,  start_engine, build_control,
    };

    bridge->config = config;
    bridge->metrics = ab_metrics_new();
    bridge->streams = ab_streams_new(config->streams_per_principal);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (!steps[i](bridge, (struct place){ reason, reason_size }))
            return false;
    }
    return true;
}

/* --- the end --- */

static void on_runs_gone(void *arg)
{
    struct ab_bridge *bridge = arg;

    bridge->runs_gone = true;
    ab_loop_uv_stop(bridge->loop);
}

static void wind_down(void *arg)
{
    struct ab_bridge *bridge = arg;

    if (bridge->winding_down)
        return;
    bridge->winding_down = true;
    ab_engine_shut_down(bridge->engine, on_runs_gone, bridge);
}

bool ab_bridge_end(struct ab_bridge *bridge)
{
    bool hurry = bridge->ending;

    if (bridge->winding_down)
        return false;
    ab_log(&bridge->log, AB_LOG_INFO, "app",
           hurry ? "shutting down at once" : "shutting down: open calls are answered first", NULL);
    bridge->ending = true;
    bridge->health.draining = true;
    if (hurry) {
        wind_down(bridge);
    } else {
        ab_mcp_drain(bridge->mcp);
        ab_a2a_drain(bridge->a2a);
        ab_rest_drain(bridge->rest);
        ab_httpd_drain(bridge->httpd, DRAIN_MS, wind_down, bridge);
    }
    return true;
}

void ab_bridge_give_up(struct ab_bridge *bridge)
{
    if (bridge->engine == NULL)
        return;
    wind_down(bridge);
    if (!bridge->runs_gone)
        ab_loop_uv_run(bridge->loop);
}

void ab_bridge_free(struct ab_bridge *bridge)
{
    ab_pipe_server_free(bridge->control_server);
    if (bridge->httpd != NULL)
        ab_httpd_free(bridge->httpd);
    ab_courier_free(bridge->courier);
    if (bridge->mcp != NULL)
        ab_mcp_free(bridge->mcp);
    ab_a2a_free(bridge->a2a);
    ab_rest_free(bridge->rest);
    ab_control_free(bridge->control);
    if (bridge->engine != NULL)
        ab_engine_free(bridge->engine);
    ab_a2a_receiver_free(bridge->receiver);
    if (bridge->client != NULL)
        bridge->client->ops->free(bridge->client);
    free(bridge->files);
    if (bridge->processes != NULL)
        ab_process_uv_free(bridge->processes);
    ab_sealer_free(bridge->sealer);
    ab_signer_free(bridge->signer);
    if (bridge->store != NULL)
        bridge->store->ops->free(bridge->store);
    if (bridge->loop != NULL)
        ab_loop_uv_free(bridge->loop);
    ab_streams_free(bridge->streams);
    ab_metrics_free(bridge->metrics);
}
