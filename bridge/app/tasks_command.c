#include "app/tasks_command.h"

#include "app/command_line.h"
#include "app/config.h"
#include "app/tasks_client.h"
#include "app/tasks_line.h"
#include "app/tasks_text.h"
#include "base/mem.h"

#include <stdio.h>

struct command {
    struct ab_tasks_line line;
    struct ab_tasks_client *client;
    struct ab_buf reason;
};

static int fail(int code, const char *reason)
{
    (void)fprintf(stderr, "agentbridge: %s\n", reason);
    return code;
}

/* Prints and empties. */
static void print(struct ab_buf *text)
{
    if (text->size > 0)
        (void)fwrite(text->data, 1, text->size, stdout);
    (void)fflush(stdout);
    ab_buf_deinit(text);
}

/* Asks with one member of params after another, "name", value, ..., NULL; a NULL value leaves its name out. */
static bool ask(struct command *command, const char *method, const char *const *params, struct ab_json *result)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    bool good;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    for (; params[0] != NULL; params += 2)
        ab_json_put_optional_text(&writer, params[0], params[1]);
    ab_json_object_end(&writer);
    good = ab_tasks_client_ask(command->client, method, ab_buf_str(&text), NULL, NULL, result, &command->reason);
    ab_buf_deinit(&text);
    return good;
}

/* --- list --- */

static void print_page(struct ab_json result, bool json, bool first)
{
    struct ab_json_iterator tasks = ab_json_iterate(ab_json_member(result, "tasks"));
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json task;

    if (first && !json && ab_json_count(ab_json_member(result, "tasks")) > 0)
        ab_tasks_text_heading(&text);
    while (ab_json_next(&tasks, NULL, &task)) {
        if (json)
            ab_buf_printf(&text, "%.*s\n", AB_STR_ARGS(task.text));
        else
            ab_tasks_text_row(task, &text);
    }
    print(&text);
}

static int list(struct command *command)
{
    struct ab_json result;
    char *after = NULL;
    bool first = true;

    do {
        const char *const params[] = { "status", command->line.status, "agent", command->line.agent, "after", after,
                                       NULL };
        if (!ask(command, "tasks/list", params, &result)) {
            free(after);
            return fail(1, command->reason.data);
        }
        print_page(result, command->line.json, first);
        first = false;
        free(after);
        after = ab_json_string_dup(ab_json_member(result, "next"));
    } while (after != NULL);
    return 0;
}

/* --- show --- */

static int show(struct command *command)
{
    const char *const params[] = { "id", command->line.id, NULL };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json result;

    if (!ask(command, "tasks/show", params, &result))
        return fail(1, command->reason.data);
    if (command->line.json)
        ab_buf_printf(&text, "%.*s\n", AB_STR_ARGS(result.text));
    else
        ab_tasks_text_task(result, &text);
    print(&text);
    return 0;
}

/* --- all --- */

/* Where the tasks are, owned by the caller; NULL: said why. */
static char *data_directory(const struct ab_tasks_line *line)
{
    struct ab_config_overrides overrides = { .data = line->data };
    struct ab_problems problems = { 0 };
    struct ab_config config;
    char *data = NULL;

    if (line->data != NULL || line->config == NULL)
        return ab_strdup(line->data != NULL ? line->data : "./agentbridge-data");
    if (ab_config_load(&config, line->config, &overrides, &problems)) {
        data = ab_strdup(config.data);
    } else {
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_problems_render(&problems, line->config, &text);
        (void)fwrite(text.data, 1, text.size, stderr);
        ab_buf_deinit(&text);
    }
    ab_problems_deinit(&problems);
    ab_config_deinit(&config);
    return data;
}

static int run(struct command *command)
{
    switch (command->line.verb) {
    case AB_TASKS_LIST:
        return list(command);
    case AB_TASKS_SHOW:
        return show(command);
    case AB_TASKS_WATCH:
    case AB_TASKS_STOP:
    case AB_TASKS_REPLY:
    case AB_TASKS_HELP:
        break;
    }
    return fail(2, "this is not in this version; there are list and show");
}

static int help(void)
{
    struct ab_buf text = AB_BUF_INIT(16384);

    ab_command_line_help(&text);
    print(&text);
    return 0;
}

static int read_and_run(int n_words, const char **words)
{
    struct command command = { .reason = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    char reason[512];
    char *data;
    int code = 2;

    if (!ab_tasks_line_read(n_words, words, &command.line, reason, sizeof reason))
        return fail(2, reason);
    if (command.line.verb == AB_TASKS_HELP)
        return help();
    data = data_directory(&command.line);
    if (data != NULL) {
        command.client = ab_tasks_client_new(data, &command.reason);
        code = command.client != NULL ? run(&command) : fail(1, command.reason.data);
    }
    ab_tasks_client_free(command.client);
    ab_buf_deinit(&command.reason);
    free(data);
    return code;
}

int ab_tasks_command_run(int n_words, const char *const *words)
{
    const char **own = ab_alloc((size_t)n_words + 1, sizeof *own);
    int code;

    for (int i = 0; i < n_words; i++)
        own[i] = words[i];
    code = read_and_run(n_words, own);
    free(own);
    return code;
}
