/* A verb, then options and words in any order; a table says which option belongs to which verb. */
#include "app/tasks_line.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    enum ab_tasks_verb verb;
} verbs[] = {
    { "list", AB_TASKS_LIST },   { "show", AB_TASKS_SHOW },   { "watch", AB_TASKS_WATCH }, { "stop", AB_TASKS_STOP },
    { "reply", AB_TASKS_REPLY }, { "--help", AB_TASKS_HELP }, { "-h", AB_TASKS_HELP },     { "help", AB_TASKS_HELP },
};

#define OF(verb) (1u << (unsigned)(verb))
#define OF_ALL (~0u)

enum option_name {
    OPTION_CONFIG,
    OPTION_DATA,
    OPTION_STATUS,
    OPTION_AGENT,
    OPTION_JSON,
    OPTION_ANSWERS,
    OPTION_APPROVE,
    OPTION_DECLINE
};

static const struct option {
    const char *text;
    enum option_name name;
    bool takes_value;
    unsigned verbs;
} options[] = {
    { "--config", OPTION_CONFIG, true, OF_ALL },
    { "--data", OPTION_DATA, true, OF_ALL },
    { "--status", OPTION_STATUS, true, OF(AB_TASKS_LIST) },
    { "--agent", OPTION_AGENT, true, OF(AB_TASKS_LIST) },
    { "--json", OPTION_JSON, false, OF(AB_TASKS_LIST) | OF(AB_TASKS_SHOW) },
    { "--json", OPTION_ANSWERS, true, OF(AB_TASKS_REPLY) },
    { "--approve", OPTION_APPROVE, false, OF(AB_TASKS_REPLY) },
    { "--decline", OPTION_DECLINE, false, OF(AB_TASKS_REPLY) },
};

static const char *verb_name(enum ab_tasks_verb verb)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (verbs[i].verb == verb)
            return verbs[i].text;
    }
    return "";
}

static bool read_verb(const char *text, struct ab_tasks_line *out, char *reason, size_t reason_size)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(text, verbs[i].text) == 0) {
            out->verb = verbs[i].verb;
            return true;
        }
    }
    snprintf(reason, reason_size, "tasks: unknown word \"%.64s\"; there are list, show, watch, stop and reply", text);
    return false;
}

static const struct option *find_option(const char *text, enum ab_tasks_verb verb, const char **value)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t size = strlen(options[i].text);

        if ((options[i].verbs & OF(verb)) == 0 || strncmp(text, options[i].text, size) != 0)
            continue;
        if (text[size] == '\0' || (text[size] == '=' && options[i].takes_value)) {
            *value = text[size] == '=' ? text + size + 1 : NULL;
            return &options[i];
        }
    }
    return NULL;
}

static void say_unknown(const char *text, enum ab_tasks_verb verb, char *reason, size_t reason_size)
{
    snprintf(reason, reason_size, "unknown option \"%.64s\"; tasks %s knows", text, verb_name(verb));
    for (size_t i = 0, n = 0; i < sizeof options / sizeof *options; i++) {
        size_t used = strlen(reason);
        if ((options[i].verbs & OF(verb)) != 0)
            snprintf(reason + used, reason_size - used, "%s %s", n++ > 0 ? "," : "", options[i].text);
    }
}

static void take(struct ab_tasks_line *out, enum option_name name, const char *value)
{
    switch (name) {
    case OPTION_CONFIG:
        out->config = value;
        break;
    case OPTION_DATA:
        out->data = value;
        break;
    case OPTION_STATUS:
        out->status = value;
        break;
    case OPTION_AGENT:
        out->agent = value;
        break;
    case OPTION_JSON:
        out->json = true;
        break;
    case OPTION_ANSWERS:
        out->answers = value;
        break;
    case OPTION_APPROVE:
        out->approve = true;
        break;
    case OPTION_DECLINE:
        out->decline = true;
        break;
    }
}

static bool read_option(int n_words, const char **words, int *at, struct ab_tasks_line *out, char *reason,
                        size_t reason_size)
{
    const char *value = NULL;
    const struct option *option = find_option(words[*at], out->verb, &value);

    if (option == NULL) {
        say_unknown(words[*at], out->verb, reason, reason_size);
        return false;
    }
    if (option->takes_value && value == NULL && *at + 1 < n_words)
        value = words[++*at];
    if (option->takes_value && (value == NULL || value[0] == '\0')) {
        snprintf(reason, reason_size, "%s needs a value", option->text);
        return false;
    }
    take(out, option->name, value);
    return true;
}

/* A word that is no option: the id, then pairs, which are moved together to the front. */
static bool read_plain(const char *word, const char **words, struct ab_tasks_line *out, char *reason,
                       size_t reason_size)
{
    if (out->verb != AB_TASKS_LIST && out->id == NULL) {
        out->id = word;
        return true;
    }
    if (out->verb == AB_TASKS_REPLY && strchr(word, '=') != NULL) {
        words[out->n_pairs++] = word;
        return true;
    }
    snprintf(reason, reason_size, "tasks %s: \"%.64s\" is one word too many%s", verb_name(out->verb), word,
             out->verb == AB_TASKS_REPLY ? "; an answer is KEY=VALUE" : "");
    return false;
}

static bool check_whole(const struct ab_tasks_line *line, char *reason, size_t reason_size)
{
    int ways = (line->answers != NULL) + (line->n_pairs > 0) + line->approve + line->decline;

    if (line->verb != AB_TASKS_LIST && line->id == NULL)
        snprintf(reason, reason_size, "tasks %s needs a task's id; \"agentbridge tasks list\" shows them",
                 verb_name(line->verb));
    else if (line->verb == AB_TASKS_REPLY && ways != 1)
        snprintf(reason, reason_size,
                 "tasks reply needs one kind of answer: KEY=VALUE ..., --json '{...}', --approve or --decline");
    else
        return true;
    return false;
}

bool ab_tasks_line_read(int n_words, const char **words, struct ab_tasks_line *out, char *reason, size_t reason_size)
{
    *out = (struct ab_tasks_line){ .verb = AB_TASKS_HELP, .pairs = words };
    if (n_words < 1) {
        snprintf(reason, reason_size, "tasks needs one of list, show, watch, stop and reply");
        return false;
    }
    if (!read_verb(words[0], out, reason, reason_size))
        return false;
    for (int i = 1; i < n_words && out->verb != AB_TASKS_HELP; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            out->verb = AB_TASKS_HELP;
        else if (words[i][0] == '-' ? !read_option(n_words, words, &i, out, reason, reason_size)
                                    : !read_plain(words[i], words, out, reason, reason_size))
            return false;
    }
    return out->verb == AB_TASKS_HELP || check_whole(out, reason, reason_size);
}
