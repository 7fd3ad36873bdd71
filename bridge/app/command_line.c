/* The command line: a word, then options, each in a table with the words it belongs to. */
#include "app/command_line.h"

#include <stdio.h>
#include <string.h>

enum option_name { OPTION_CONFIG, OPTION_LISTEN, OPTION_DATA, OPTION_LOG_LEVEL, OPTION_HINTS };

struct option {
    const char *text;
    bool takes_value;
    bool of_check; /* serve takes them all */
};

static const struct option options[] = {
    [OPTION_CONFIG] = { "--config", true, true }, [OPTION_LISTEN] = { "--listen", true, false },
    [OPTION_DATA] = { "--data", true, false },    [OPTION_LOG_LEVEL] = { "--log-level", true, false },
    [OPTION_HINTS] = { "--hints", false, false },
};

static const struct {
    const char *text;
    enum ab_command command;
} words[] = {
    { "serve", AB_COMMAND_SERVE },       { "check", AB_COMMAND_CHECK },     { "help", AB_COMMAND_HELP },
    { "--help", AB_COMMAND_HELP },       { "-h", AB_COMMAND_HELP },         { "--version", AB_COMMAND_VERSION },
    { "-V", AB_COMMAND_VERSION },        { "version", AB_COMMAND_VERSION }, { "tasks", AB_COMMAND_TASKS },
    { "webhooks", AB_COMMAND_WEBHOOKS },
};

static const char *const later[] = { "stdio" };

void ab_command_line_help(struct ab_buf *out)
{
    ab_buf_append_text(
        out, "agentbridge " AB_VERSION ": makes any agent callable by assistants, as durable tasks\n"
             "\n"
             "  agentbridge serve [--config FILE] [--listen ADDR:PORT] [--data DIR] [--log-level LEVEL] [--hints]\n"
             "      serves the configured agents; without --config the example agents, on 127.0.0.1:7800,\n"
             "      with data in ./agentbridge-data\n"
             "  agentbridge check [--config FILE]\n"
             "      says what is wrong with a configuration, where, and what is allowed\n"
             "  agentbridge tasks list [--status STATUS] [--agent AGENT] [--json]\n"
             "  agentbridge tasks show ID [--json]\n"
             "  agentbridge tasks watch ID        exit 0: it completed\n"
             "  agentbridge tasks stop ID\n"
             "  agentbridge tasks reply ID FIELD=VALUE ... | --json ANSWERS | --approve | --decline\n"
             "      looks at the tasks of the bridge that runs here or ran here, and steers those of one that runs;\n"
             "      each takes --config FILE or --data DIR, and the beginning of an ID is enough\n"
             "  agentbridge webhooks list [--state dead|due|queued] [--json]\n"
             "  agentbridge webhooks show ID [--json]\n"
             "  agentbridge webhooks resend ID | --all\n"
             "      what is still to be delivered to webhooks and push notification receivers, and what was given\n"
             "      up (dead), which can be sent again; each takes --config FILE or --data DIR\n"
             "  agentbridge --version\n"
             "  agentbridge --help\n"
             "\n"
             "  --config FILE         the configuration, JSON with comments\n"
             "  --listen ADDR:PORT    where to listen instead; port 0 picks a free one\n"
             "  --data DIR            where to keep the tasks instead\n"
             "  --log-level LEVEL     debug, info (default), warning or error; logs go to standard error\n"
             "  --hints               say how to connect, also when standard output is no terminal\n"
             "\n"
             "SIGTERM and SIGINT end it once open calls are answered (at most 10 s; a second one ends it at once).\n"
             "SIGHUP reads the configuration again and takes over its log level; all else needs a restart.\n"
             "Exit: 0 done, 1 it could not run, 2 the command line or the configuration is wrong.\n");
}

static bool read_word(const char *text, struct ab_command_line *out, char *reason, size_t reason_size)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i].text) == 0) {
            out->command = words[i].command;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(text, later[i]) == 0) {
            snprintf(reason, reason_size, "\"%s\" is not in this version; there are serve, check, tasks and webhooks",
                     text);
            return false;
        }
    }
    snprintf(reason, reason_size,
             "unknown command \"%.64s\"; there are serve, check, tasks, webhooks, --version and --help", text);
    return false;
}

static bool belongs(const struct option *option, enum ab_command command)
{
    return command == AB_COMMAND_SERVE || (command == AB_COMMAND_CHECK && option->of_check);
}

static void say_unknown(const char *text, enum ab_command command, char *reason, size_t reason_size)
{
    const char *word = command == AB_COMMAND_SERVE ? "serve" : "check";
    size_t used;

    snprintf(reason, reason_size, "unknown option \"%.64s\"; %s knows", text, word);
    for (size_t i = 0, n = 0; i < sizeof options / sizeof *options; i++) {
        used = strlen(reason);
        if (belongs(&options[i], command))
            snprintf(reason + used, reason_size - used, "%s %s", n++ > 0 ? "," : "", options[i].text);
    }
}

/* The option that `text` is, "--data=DIR" included: `value` is then what follows the "=". */
static const struct option *find_option(const char *text, enum ab_command command, const char **value)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t size = strlen(options[i].text);

        if (!belongs(&options[i], command) || strncmp(text, options[i].text, size) != 0)
            continue;
        if (text[size] == '\0' || (text[size] == '=' && options[i].takes_value)) {
            *value = text[size] == '=' ? text + size + 1 : NULL;
            return &options[i];
        }
    }
    return NULL;
}

static bool take(struct ab_command_line *out, enum option_name name, const char *value, char *reason,
                 size_t reason_size)
{
    switch (name) {
    case OPTION_CONFIG:
        out->config = value;
        break;
    case OPTION_LISTEN:
        out->listen = value;
        break;
    case OPTION_DATA:
        out->data = value;
        break;
    case OPTION_LOG_LEVEL:
        out->has_log_level = ab_log_level_parse(value, &out->log_level);
        if (!out->has_log_level)
            snprintf(reason, reason_size, "--log-level: \"%.64s\" is none of debug, info, warning, error", value);
        return out->has_log_level;
    case OPTION_HINTS:
        out->hints = true;
        break;
    }
    return true;
}

static bool read_option(int argc, const char *const *argv, int *at, struct ab_command_line *out, char *reason,
                        size_t reason_size)
{
    const char *value = NULL;
    const struct option *option = find_option(argv[*at], out->command, &value);

    if (option == NULL) {
        say_unknown(argv[*at], out->command, reason, reason_size);
        return false;
    }
    if (option->takes_value && value == NULL) {
        if (*at + 1 < argc)
            value = argv[++*at];
    }
    if (option->takes_value && (value == NULL || value[0] == '\0')) {
        snprintf(reason, reason_size, "%s needs a value", option->text);
        return false;
    }
    return take(out, (enum option_name)(option - options), value, reason, reason_size);
}

bool ab_command_line_read(int argc, const char *const *argv, struct ab_command_line *out, char *reason,
                          size_t reason_size)
{
    *out = (struct ab_command_line){ .command = AB_COMMAND_HELP };
    if (argc < 2)
        return true;
    if (!read_word(argv[1], out, reason, reason_size))
        return false;
    if (out->command != AB_COMMAND_SERVE && out->command != AB_COMMAND_CHECK)
        return true;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out->command = AB_COMMAND_HELP;
            return true;
        }
        if (!read_option(argc, argv, &i, out, reason, reason_size))
            return false;
    }
    return true;
}
