/* Agents of kind `command`: programs on this machine. */
#include "app/config_parts.h"
#include "base/mem.h"

#include <string.h>

#define DAYS_MS ((int64_t)86400000)

/* The program with a slash is a path relative to the configuration; the arguments are the program's business. */
const char *const *ab_config_command(struct ab_config_reader *reader, struct ab_json command)
{
    const char *const *texts = ab_config_texts(reader->config, command, NULL);
    size_t n = ab_json_count(command);
    const char **out = ab_alloc(n + 1, sizeof *out);

    (void)ab_config_keep(reader->config, out);
    memcpy(out, texts, n * sizeof *out);
    if (n > 0 && out[0] != NULL && strchr(out[0], '/') != NULL)
        out[0] = ab_config_path(reader, out[0]);
    return out;
}

static const char *const *read_environment(struct ab_config *config, struct ab_json names)
{
    static const char *const path_only[] = { "PATH", NULL };

    return ab_json_exists(names) ? ab_config_texts(config, names, NULL) : path_only;
}

static size_t own_or(struct ab_json agent, const char *key, size_t common)
{
    int64_t own = ab_config_int(agent, key);

    return own > 0 ? (size_t)own : common;
}

void ab_config_read_command(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent)
{
    struct ab_config *config = reader->config;
    bool events = ab_json_string_is(ab_json_member(agent, "output"), "events");

    out->command = (struct ab_command_settings){
        .id = out->settings.id,
        .command = ab_config_command(reader, ab_json_member(agent, "command")),
        .directory = ab_config_path(reader, ab_config_text(config, agent, "directory")),
        .environment = read_environment(config, ab_json_member(agent, "env")),
        .output = events ? AB_COMMAND_EVENTS : AB_COMMAND_TEXT,
        .line_bytes = own_or(agent, "line_bytes", config->line_bytes),
        .output_bytes = own_or(agent, "output_bytes", config->output_bytes),
        .cancel_ms = (uint32_t)ab_config_ms(agent, "cancel_s", DAYS_MS),
        .fetch_files = ab_json_string_is(ab_json_member(agent, "files"), "fetch"),
        .fetch = { .file_bytes = config->file_bytes },
        .terminate_ms = (uint32_t)ab_config_ms(agent, "terminate_s", DAYS_MS),
    };
}
