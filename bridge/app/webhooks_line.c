#include "app/webhooks_line.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    enum ab_webhooks_verb verb;
} verbs[] = {
    { "list", AB_WEBHOOKS_LIST },   { "show", AB_WEBHOOKS_SHOW }, { "resend", AB_WEBHOOKS_RESEND },
    { "--help", AB_WEBHOOKS_HELP }, { "-h", AB_WEBHOOKS_HELP },   { "help", AB_WEBHOOKS_HELP },
};

static bool read_verb(const char *text, struct ab_webhooks_line *out)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].text, text) == 0) {
            out->verb = verbs[i].verb;
            return true;
        }
    }
    return false;
}

/* Where the value of this option goes; NULL when it is none of this verb. */
static const char **value_of(struct ab_webhooks_line *out, const char *name, size_t size)
{
    if (strncmp(name, "--config", size) == 0 && size == strlen("--config"))
        return &out->config;
    if (strncmp(name, "--data", size) == 0 && size == strlen("--data"))
        return &out->data;
    if (out->verb == AB_WEBHOOKS_LIST && strncmp(name, "--state", size) == 0 && size == strlen("--state"))
        return &out->state;
    return NULL;
}

static bool *flag_of(struct ab_webhooks_line *out, const char *name)
{
    if (out->verb != AB_WEBHOOKS_RESEND && strcmp(name, "--json") == 0)
        return &out->json;
    return out->verb == AB_WEBHOOKS_RESEND && strcmp(name, "--all") == 0 ? &out->all : NULL;
}

static bool read_option(int n_words, const char *const *words, int *at, struct ab_webhooks_line *out, char *reason,
                        size_t reason_size)
{
    const char *word = words[*at];
    size_t size = strcspn(word, "=");
    bool *flag = flag_of(out, word);
    const char **value = value_of(out, word, size);

    if (flag != NULL) {
        *flag = true;
        return true;
    }
    if (value == NULL) {
        snprintf(reason, reason_size, "unknown option \"%.64s\"; there are --config, --data%s", word,
                 out->verb == AB_WEBHOOKS_RESEND ? " and --all"
                 : out->verb == AB_WEBHOOKS_LIST ? ", --state and --json"
                                                 : " and --json");
        return false;
    }
    *value = word[size] == '=' ? word + size + 1 : *at + 1 < n_words ? words[++*at] : "";
    if ((*value)[0] == '\0')
        snprintf(reason, reason_size, "%.*s needs a value", (int)size, word);
    return (*value)[0] != '\0';
}

static bool read_word(const char *word, struct ab_webhooks_line *out, char *reason, size_t reason_size)
{
    if (out->verb == AB_WEBHOOKS_LIST || out->id != NULL) {
        snprintf(reason, reason_size, "one word too many: \"%.64s\"", word);
        return false;
    }
    out->id = word;
    return true;
}

static bool check_whole(const struct ab_webhooks_line *line, char *reason, size_t reason_size)
{
    if (line->verb == AB_WEBHOOKS_SHOW && line->id == NULL)
        snprintf(reason, reason_size, "webhooks show needs an id; \"agentbridge webhooks list\" shows them");
    else if (line->verb == AB_WEBHOOKS_RESEND && (line->id != NULL) == line->all)
        snprintf(reason, reason_size, "webhooks resend needs an id, or --all for all that were given up");
    else
        return true;
    return false;
}

bool ab_webhooks_line_read(int n_words, const char *const *words, struct ab_webhooks_line *out, char *reason,
                           size_t reason_size)
{
    *out = (struct ab_webhooks_line){ .verb = AB_WEBHOOKS_HELP };
    if (n_words < 1 || !read_verb(words[0], out)) {
        snprintf(reason, reason_size, "webhooks needs one of list, show and resend%s%.64s%s",
                 n_words > 0 ? "; found \"" : "", n_words > 0 ? words[0] : "", n_words > 0 ? "\"" : "");
        return false;
    }
    for (int i = 1; i < n_words && out->verb != AB_WEBHOOKS_HELP; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            out->verb = AB_WEBHOOKS_HELP;
        else if (words[i][0] == '-' ? !read_option(n_words, words, &i, out, reason, reason_size)
                                    : !read_word(words[i], out, reason, reason_size))
            return false;
    }
    return out->verb == AB_WEBHOOKS_HELP || check_whole(out, reason, reason_size);
}
