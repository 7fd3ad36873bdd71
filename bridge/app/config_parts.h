/* What the files that read the configuration share; nobody else includes it.
 *
 * The readers take a checked value and are lenient: where a member has the wrong type, the schema check has said so
 * already, and the default stands. */
#ifndef AB_APP_CONFIG_PARTS_H
#define AB_APP_CONFIG_PARTS_H

#include "app/config.h"
#include "wire/schema.h"

struct ab_config_reader {
    struct ab_config *config;
    const char *directory; /* relative paths start here; absolute itself or "." */
    struct ab_problems *problems;
};

/* Hands memory over to the configuration; returns it. */
char *ab_config_keep(struct ab_config *config, void *memory);
/* Members, kept; NULL when absent or of another type. */
const char *ab_config_text(struct ab_config *config, struct ab_json object, const char *key);
const char *ab_config_raw(struct ab_config *config, struct ab_json object, const char *key);
/* An array's strings, with a NULL behind them; an empty one when absent. `extra` (or NULL) is added at the end. */
const char *const *ab_config_texts(struct ab_config *config, struct ab_json array, const char *extra);
/* An integer, or 0 when absent. */
int64_t ab_config_int(struct ab_json object, const char *key);
/* Seconds as whole milliseconds, at least 1; 0 when absent; at most `maximum`. */
int64_t ab_config_ms(struct ab_json object, const char *key, int64_t maximum);
/* `path`, or `directory`/`path` when it is relative; kept. */
const char *ab_config_path(struct ab_config_reader *reader, const char *path);
enum ab_on_disconnect ab_config_on_disconnect(struct ab_json object, enum ab_on_disconnect fallback);
/* What is wrong with an agent; `key` is ".version", or "" for the agent as a whole. */
void ab_config_agent_problem(struct ab_config_reader *reader, const struct ab_config_agent *agent, const char *key,
                             const char *text);

/* Everything but the agents (config_read.c). */
void ab_config_read_top(struct ab_config_reader *reader, struct ab_json root,
                        const struct ab_config_overrides *overrides);
/* The agents whose parts the schema took (config_agents.c). */
void ab_config_read_agent(struct ab_config_reader *reader, struct ab_json key, struct ab_json agent);
/* Whether its kind is one that this version can run. */
bool ab_config_knows_kind(struct ab_json agent);
/* What only agents of one kind have (config_<kind>.c); the rest of `out` is filled already. */
void ab_config_read_command(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent);
void ab_config_read_platform(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent);
void ab_config_read_mcp(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent);
/* A program and its arguments, NULL-terminated: with a slash in it, the program is a path relative to the file. */
const char *const *ab_config_command(struct ab_config_reader *reader, struct ab_json command);
void ab_config_read_a2a(struct ab_config_reader *reader, struct ab_config_agent *out, struct ab_json agent);

/* An agent's webhooks as wishes of task/outbox.h, kept; NULL when there is none (config_webhooks.c). */
const char *ab_config_webhooks(struct ab_config_reader *reader, const char *agent, struct ab_json webhooks);

/* The configuration's own schema, from the binary (config_schema.c). */
AB_MUST struct ab_schema *ab_config_schema(void);
/* Finds fault with each part on its own, so that one mistake does not hide the next. */
void ab_config_check_schema(const struct ab_schema *schema, struct ab_json root, struct ab_problems *problems);
/* Whether this agent alone fits the schema; `problems` (or NULL) learns why not. */
bool ab_config_check_agent(const struct ab_schema *schema, struct ab_json key, struct ab_json agent,
                           struct ab_problems *problems);

/* What a schema cannot say: names that must exist, programs, the open door (config_check.c). */
void ab_config_check_meaning(struct ab_config_reader *reader, struct ab_json root);
/* What configurations may hold and this version cannot do (config_check.c). */
void ab_config_check_later(struct ab_json root, struct ab_problems *problems);
/* {"env"} or {"file"} with an absolute path, as a text of its own; kept. */
const char *ab_config_reference(struct ab_config_reader *reader, struct ab_json reference);
/* The bytes a {"env"} or {"file"} names; false and a problem at `where` when they cannot be had. */
AB_MUST bool ab_config_secret(struct ab_config_reader *reader, struct ab_json reference, const char *where,
                              struct ab_buf *out);

#endif
