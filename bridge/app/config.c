/* From a file to a configuration: comments out, JSON, schema, then what a schema cannot say. */
#include "app/config.h"

#include "app/config_parts.h"
#include "base/mem.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A configuration with thousands of agents fits; something that is no configuration is not read whole. */
#define CONFIG_BYTES ((size_t)16 << 20)
#define CONFIG_DEPTH 128

static void set_defaults(struct ab_config *config)
{
    static const char *const none[] = { NULL };

    *config = (struct ab_config){
        .listen = "127.0.0.1:7800",
        .log_level = AB_LOG_INFO,
        .hosts = none,
        .origins = none,
        .disconnect_grace_ms = 600000,
        .on_disconnect = AB_DISCONNECT_GRACE,
    };
}

/* The text without the byte order mark that some editors put in front. */
static struct ab_str skip_mark(struct ab_str text)
{
    if (ab_str_starts(text, "\xEF\xBB\xBF"))
        return (struct ab_str){ text.data + 3, text.size - 3 };
    return text;
}

static void read_agents(struct ab_config_reader *reader, const struct ab_schema *schema, struct ab_json root)
{
    struct ab_json agents = ab_json_member(root, "agents");
    struct ab_json_iterator iterator = ab_json_iterate(agents);
    struct ab_json key;
    struct ab_json agent;

    reader->config->agents = ab_alloc(ab_json_count(agents) + 1, sizeof *reader->config->agents);
    while (ab_json_next(&iterator, &key, &agent)) {
        if (ab_config_knows_kind(agent) && ab_config_check_agent(schema, key, agent, NULL))
            ab_config_read_agent(reader, key, agent);
    }
}

static void read_root(struct ab_config_reader *reader, struct ab_json root, const struct ab_config_overrides *overrides)
{
    struct ab_schema *schema = ab_config_schema();

    ab_config_check_schema(schema, root, reader->problems);
    if (ab_json_is(root, AB_JSON_OBJECT)) {
        ab_config_check_later(root, reader->problems);
        ab_config_read_top(reader, root, overrides);
        read_agents(reader, schema, root);
        ab_config_check_meaning(reader, root);
        if (ab_json_is(ab_json_member(root, "agents"), AB_JSON_OBJECT) &&
            ab_json_count(ab_json_member(root, "agents")) == 0 && (overrides == NULL || !overrides->agents_elsewhere))
            ab_problem_error(reader->problems, "agents", "must have at least one agent; found none");
    }
    ab_schema_free(schema);
}

bool ab_config_read(struct ab_config *config, struct ab_str text, const char *directory,
                    const struct ab_config_overrides *overrides, struct ab_problems *problems)
{
    struct ab_config_reader reader = { .config = config, .directory = directory, .problems = problems };
    struct ab_str bare = skip_mark(text);
    char *json = ab_strndup(bare.data, bare.size);
    struct ab_json_error error;
    struct ab_json root;

    set_defaults(config);
    ab_json_strip_comments(json, bare.size);
    if (ab_json_check((struct ab_str){ json, bare.size }, CONFIG_DEPTH, &root, &error))
        read_root(&reader, root, overrides);
    else
        ab_problem_error(problems, NULL, "%s", error.text);
    free(json);
    return problems->errors == 0;
}

/* True and the file's bytes, or a problem. */
static bool read_file(const char *path, struct ab_buf *out, struct ab_problems *problems)
{
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t size;
    int fault;

    if (file == NULL) {
        ab_problem_error(problems, NULL, "cannot be opened: %s", strerror(errno));
        return false;
    }
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        ab_buf_append(out, piece, size);
    fault = ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (fault != 0)
        ab_problem_error(problems, NULL, "cannot be read: %s", strerror(fault));
    else if (out->full)
        ab_problem_error(problems, NULL, "is larger than %zu bytes, so it is no configuration", out->maximum);
    return fault == 0 && !out->full;
}

bool ab_config_load(struct ab_config *config, const char *path, const struct ab_config_overrides *overrides,
                    struct ab_problems *problems)
{
    struct ab_buf text = AB_BUF_INIT(CONFIG_BYTES);
    char *copy = ab_strdup(path);
    char *directory = realpath(dirname(copy), NULL);
    bool good;

    set_defaults(config);
    good = read_file(path, &text, problems) &&
           ab_config_read(config, ab_buf_str(&text), directory != NULL ? directory : ".", overrides, problems);
    ab_buf_deinit(&text);
    free(directory);
    free(copy);
    return good;
}

void ab_config_deinit(struct ab_config *config)
{
    for (size_t i = 0; i < config->n_kept; i++)
        free(config->kept[i]);
    free(config->kept);
    free(config->agents);
    if (config->seal_keys != NULL)
        explicit_bzero(config->seal_keys, config->n_seal_keys * AB_SEAL_KEY_BYTES);
    free(config->seal_keys);
    *config = (struct ab_config){ 0 };
}
