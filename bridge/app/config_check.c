/* What a schema cannot say: names that must exist or be free, programs, the open door, and what is not there yet. */
#include "app/config_parts.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOOL_NAME_MAX 64

static void check_default_agent(struct ab_config_reader *reader, struct ab_json root)
{
    const char *wanted = reader->config->default_agent;
    struct ab_json agents = ab_json_member(root, "agents");
    struct ab_json_iterator iterator = ab_json_iterate(agents);
    struct ab_buf names = AB_BUF_INIT(300);
    struct ab_json key;

    if (wanted == NULL || ab_json_exists(ab_json_member(agents, wanted)))
        return;
    while (ab_json_next(&iterator, &key, NULL)) {
        ab_buf_append_text(&names, names.size > 0 ? ", " : "");
        ab_buf_append_str(&names, key.text);
    }
    ab_problem_error(reader->problems, "default_agent", "there is no agent \"%s\"; there are %s", wanted,
                     names.size > 0 ? names.data : "none");
    ab_buf_deinit(&names);
}

static const char *tool_name_fault(const char *name)
{
    static const char *const built_in[] = {
        "invoke", "get-task", "list-agents", "list-tasks", "reply-task", "stop-task"
    };
    size_t size = strlen(name);

    if (size == 0 || size > TOOL_NAME_MAX ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != size)
        return "must be 1 to 64 of A-Z a-z 0-9 _ . -";
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) {
        if (strcmp(name, built_in[i]) == 0)
            return "is the name of a built-in tool";
    }
    return NULL;
}

static void check_tool_name(const struct ab_config *config, size_t at, struct ab_problems *problems)
{
    const struct ab_config_agent *agent = &config->agents[at];
    char *where = ab_format("agents.%s.tool.name", agent->settings.id);
    const char *fault = agent->tool.name == NULL ? "must be text" : tool_name_fault(agent->tool.name);

    if (fault != NULL)
        ab_problem_error(problems, where, "%s; found \"%s\"", fault, agent->tool.name == NULL ? "" : agent->tool.name);
    for (size_t i = 0; fault == NULL && i < at; i++) {
        if (config->agents[i].published && config->agents[i].tool.name != NULL &&
            strcmp(config->agents[i].tool.name, agent->tool.name) == 0) {
            ab_problem_error(problems, where, "\"%s\" is the tool of agents.%s already", agent->tool.name,
                             config->agents[i].settings.id);
            break;
        }
    }
    free(where);
}

struct unsupported {
    struct ab_problems *problems;
    const char *where;
};

static void add_unsupported(void *arg, const char *path, const char *keyword)
{
    struct unsupported *unsupported = arg;
    struct ab_buf where = AB_BUF_INIT(1024);

    ab_buf_append_text(&where, unsupported->where);
    if (path[0] != '\0')
        ab_buf_append_char(&where, '.');
    ab_problem_path(path, &where);
    ab_problem_warning(unsupported->problems, where.data, "the keyword \"%s\" is not checked by agentbridge", keyword);
    ab_buf_deinit(&where);
}

static void check_tool_schema(const char *agent, const char *key, const char *json, struct ab_problems *problems)
{
    char *where = ab_format("agents.%s.tool.%s", agent, key);
    struct ab_schema_error fault;
    struct ab_schema *schema = ab_schema_new(ab_json_trusted(json), &fault);

    if (schema == NULL) {
        struct ab_buf place = AB_BUF_INIT(1024);

        ab_buf_append_text(&place, where);
        ab_buf_append_text(&place, fault.path[0] != '\0' ? "." : "");
        ab_problem_path(fault.path, &place);
        ab_problem_error(problems, place.data, "is no usable JSON Schema: %s", fault.text);
        ab_buf_deinit(&place);
    } else {
        ab_schema_unsupported(schema, add_unsupported, &(struct unsupported){ problems, where });
    }
    ab_schema_free(schema);
    free(where);
}

static void check_tool(const struct ab_config *config, size_t at, struct ab_problems *problems)
{
    const struct ab_config_agent *agent = &config->agents[at];
    struct ab_json type = ab_json_member(ab_json_trusted(agent->tool.input_schema_json), "type");

    check_tool_name(config, at, problems);
    if (!ab_json_string_is(type, "object")) {
        char *where = ab_format("agents.%s.tool.input_schema.type", agent->settings.id);

        ab_problem_error(problems, where, "must be \"object\": MCP gives arguments by name; found %.*s",
                         ab_json_exists(type) ? (int)type.text.size : 7,
                         ab_json_exists(type) ? type.text.data : "nothing");
        free(where);
    }
    check_tool_schema(agent->settings.id, "input_schema", agent->tool.input_schema_json, problems);
    if (agent->tool.output_schema_json != NULL)
        check_tool_schema(agent->settings.id, "output_schema", agent->tool.output_schema_json, problems);
}

/* Without authentication only this machine may come in, unless somebody says that he means it. */
static void check_door(struct ab_config_reader *reader)
{
    const struct ab_config *config = reader->config;

    if (ab_http_is_loopback_host(ab_str(config->address)))
        return;
    if (!config->insecure_open)
        ab_problem_error(
            reader->problems, "auth.mode",
            "none is for loopback addresses only, and %s can be reached by others; listen on 127.0.0.1, or "
            "set auth.insecure_open to true if everybody who reaches it may run your agents",
            config->listen);
    else
        ab_problem_warning(reader->problems, "auth.insecure_open", "everybody who reaches %s may run your agents",
                           config->listen);
}

void ab_config_check_meaning(struct ab_config_reader *reader, struct ab_json root)
{
    check_default_agent(reader, root);
    check_door(reader);
    for (size_t i = 0; i < reader->config->n_agents; i++) {
        if (reader->config->agents[i].published)
            check_tool(reader->config, i, reader->problems);
    }
}

/* --- not in this version --- */

static bool holds_something(struct ab_json value)
{
    if (ab_json_is(value, AB_JSON_ARRAY) || ab_json_is(value, AB_JSON_OBJECT))
        return ab_json_count(value) > 0;
    return ab_json_is(value, AB_JSON_TRUE);
}

static void check_later_auth(struct ab_json auth, struct ab_problems *problems)
{
    static const char *const members[] = { "issuers", "login", "rules" };
    static const char *const places[] = { "auth.issuers", "auth.login", "auth.rules" };
    struct ab_json_iterator modes = ab_json_iterate(ab_json_member(auth, "mode"));
    struct ab_json mode;

    while (ab_json_next(&modes, NULL, &mode)) {
        if (ab_json_is(mode, AB_JSON_STRING) && !ab_json_string_is(mode, "none"))
            ab_problem_error(problems, "auth.mode", "%.*s is not in this version; \"none\" is", AB_STR_ARGS(mode.text));
    }
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (holds_something(ab_json_member(auth, members[i])))
            ab_problem_error(problems, places[i],
                             "signing in is not in this version, so this would protect nothing; leave it out");
    }
}

void ab_config_check_later(struct ab_json root, struct ab_problems *problems)
{

    if (holds_something(ab_json_member(root, "tls")))
        ab_problem_error(problems, "tls", "TLS is not in this version; put a proxy that speaks it in front");
    check_later_auth(ab_json_member(root, "auth"), problems);
}

/* --- programs --- */

/* Why this file cannot be run, or NULL. */
static const char *file_fault(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return strerror(errno);
    if (S_ISDIR(status.st_mode))
        return "Is a directory";
    if (!S_ISREG(status.st_mode))
        return "Is no regular file";
    return access(path, X_OK) == 0 ? NULL : "Is not executable (chmod +x)";
}

static bool is_in_path(const char *name)
{
    const char *path = getenv("PATH");
    struct ab_str rest = ab_str(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    bool found = false;

    while (!found && rest.size > 0) {
        const char *colon = memchr(rest.data, ':', rest.size);
        size_t size = colon != NULL ? (size_t)(colon - rest.data) : rest.size;
        char *file = ab_format("%.*s/%s", (int)size, rest.data, name);

        found = size > 0 && file_fault(file) == NULL;
        free(file);
        rest.data += colon != NULL ? size + 1 : size;
        rest.size -= colon != NULL ? size + 1 : size;
    }
    return found;
}

static void add(struct ab_problems *problems, bool only_warn, const char *id, const char *key, const char *sentence)
{
    char *where = ab_format("agents.%s.%s", id, key);

    if (only_warn)
        ab_problem_warning(problems, where, "%s", sentence);
    else
        ab_problem_error(problems, where, "%s", sentence);
    free(where);
}

static void check_program(const struct ab_config_agent *agent, const char *const *command, bool only_warn,
                          struct ab_problems *problems)
{
    const char *program = command[0];
    bool is_path = program != NULL && strchr(program, '/') != NULL;
    const char *fault = is_path ? file_fault(program) : NULL;
    char *sentence = NULL;

    if (program == NULL || program[0] == '\0')
        sentence = ab_strdup("the program's name is empty");
    else if (fault != NULL)
        sentence = ab_format("%s: %s", program, fault);
    else if (!is_path && !is_in_path(program))
        sentence = ab_format("there is no program \"%s\" in PATH", program);
    if (sentence != NULL)
        add(problems, only_warn, agent->settings.id, "command.0", sentence);
    free(sentence);
}

static void check_directory(const struct ab_config_agent *agent, const char *directory, bool only_warn,
                            struct ab_problems *problems)
{
    struct stat status;
    char *sentence = NULL;

    if (directory == NULL)
        return;
    if (stat(directory, &status) != 0)
        sentence = ab_format("%s: %s", directory, strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        sentence = ab_format("%s: Is no directory", directory);
    if (sentence != NULL)
        add(problems, only_warn, agent->settings.id, "directory", sentence);
    free(sentence);
}

void ab_config_check_programs(const struct ab_config *config, bool only_warn, struct ab_problems *problems)
{
    for (size_t i = 0; i < config->n_agents; i++) {
        const struct ab_config_agent *agent = &config->agents[i];
        bool program = agent->kind == AB_CONFIG_COMMAND;

        if (!program && (agent->kind != AB_CONFIG_MCP || agent->mcp.command[0] == NULL))
            continue;
        check_program(agent, program ? agent->command.command : agent->mcp.command, only_warn, problems);
        check_directory(agent, program ? agent->command.directory : agent->mcp.directory, only_warn, problems);
    }
}
