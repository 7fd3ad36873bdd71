/* The configuration: read once, then only looked at. Its agents stand in the very structs that the rooms below take,
 * so that nothing is told twice. */
#ifndef AB_APP_CONFIG_H
#define AB_APP_CONFIG_H

#include "a2a/a2a.h"
#include "agents/a2a.h"
#include "agents/command.h"
#include "agents/mcp.h"
#include "agents/platform.h"
#include "app/problems.h"
#include "auth/seal.h"
#include "mcp/mcp.h"
#include "wire/guard.h"

enum ab_config_kind {
    AB_CONFIG_COMMAND,
    AB_CONFIG_MCP,
    AB_CONFIG_A2A,
    AB_CONFIG_PLATFORM,
    AB_CONFIG_EMBEDDED,
    AB_CONFIG_KIND_COUNT
};

/* What only one kind has stands in that kind's own settings, whose ports are for the composition root to fill in. */
struct ab_config_agent {
    struct ab_agent_settings settings;
    enum ab_config_kind kind;
    struct ab_command_settings command;
    struct ab_platform_settings platform;
    struct ab_mcp_agent_settings mcp;
    struct ab_a2a_remote_settings remote;
    struct ab_agent *embedded; /* one that the embedding program brings */
    bool published;            /* as the tool below */
    struct ab_mcp_tool tool;
    bool skills_published; /* each of its skills as a tool */
    enum ab_on_disconnect on_disconnect;
    struct ab_a2a_agent_settings a2a; /* what its card says beside the rest */
};

/* Texts live as long as the configuration. Sizes and times are 0 where the default of the room below holds. */
struct ab_config {
    const char *listen; /* as written */
    const char *address;
    uint16_t port;
    const char *public_url; /* or NULL */
    const char *data;
    enum ab_log_level log_level;
    const char *default_agent; /* or NULL */
    const char *user_json;     /* or NULL */
    bool insecure_open;
    const char *const *hosts; /* NULL-terminated; that of public_url too */
    const char *const *origins;
    struct ab_guard guard;       /* what requests to addresses of callers may reach besides the public ones */
    struct ab_guard plain_guard; /* the same for notifications over plain http: no public ones */
    int64_t retry_first_ms;      /* of notifications; see deliver/courier.h */
    int64_t retry_longest_ms;
    int64_t give_up_ms;
    uint32_t delivery_timeout_ms;
    unsigned char (*seal_keys)[AB_SEAL_KEY_BYTES];
    size_t n_seal_keys;

    size_t request_bytes;
    size_t header_bytes;
    unsigned json_depth;
    size_t line_bytes;
    size_t output_bytes;
    size_t file_bytes;
    uint32_t running_per_principal;
    size_t streams_per_principal;
    uint32_t subscribed_tasks;
    uint32_t wishes_per_task;

    uint32_t grace_ms;
    uint32_t hold_ms;
    uint32_t wait_max_ms;
    uint32_t head_ms;
    uint32_t heartbeat_ms;
    uint32_t poll_interval_ms;
    int64_t keep_ms;
    int64_t sweep_every_ms;
    enum ab_on_disconnect on_disconnect;
    int64_t disconnect_grace_ms;
    enum ab_a2a_card_form card_form;
    bool unsigned_cards;
    bool rest_strict;
    bool signed_pushes;

    struct ab_config_agent *agents;
    size_t n_agents;

    void **kept; /* what the texts above point to */
    size_t n_kept;
};

/* What the command line says over the file; NULL where it says nothing. Paths of the command line are relative to the
 * current directory, those of the file to the file. */
struct ab_config_overrides {
    const char *listen;
    const char *data;
    bool agents_elsewhere; /* there may be none in the configuration */
};

/* Reads and checks the file `path`. Adds to `problems` all it finds, also things that only deserve a warning. True when
 * nothing stands against serving it. `config` needs deinit either way. */
AB_MUST bool ab_config_load(struct ab_config *config, const char *path, const struct ab_config_overrides *overrides,
                            struct ab_problems *problems);
/* The same for a text already read; `directory` is what its relative paths are relative to. */
AB_MUST bool ab_config_read(struct ab_config *config, struct ab_str text, const char *directory,
                            const struct ab_config_overrides *overrides, struct ab_problems *problems);
void ab_config_deinit(struct ab_config *config);

/* Whether the agents' programs are there and may be run: errors, or warnings for a bridge that serves the others. */
void ab_config_check_programs(const struct ab_config *config, bool only_warn, struct ab_problems *problems);

#endif
