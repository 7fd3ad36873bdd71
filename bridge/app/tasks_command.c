#include "app/tasks_command.h"

#include "app/tasks_answer.h"
#include "app/tasks_client.h"
#include "app/tasks_line.h"
#include "app/tasks_text.h"
#include "app/tasks_watch.h"
#include "app/terminal.h"
#include "base/mem.h"

#include <stdio.h>

struct command {
    struct ab_tasks_line line;
    const char *data;
    struct ab_tasks_client *client;
    struct ab_buf reason;
};

/* One member after another, "name", value, ..., NULL; a NULL value leaves its name out. */
static void write_params(const char *const *params, struct ab_buf *out)
{
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    for (; params[0] != NULL; params += 2)
        ab_json_put_optional_text(&writer, params[0], params[1]);
    ab_json_object_end(&writer);
}

/* Asks with these; `event` is told of a watched task's events. */
static bool ask_told(struct command *command, const char *method, const char *const *params, ab_tasks_event_fn event,
                     void *arg, struct ab_json *result)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    write_params(params, &text);
    good = ab_tasks_client_ask(command->client, method, ab_buf_str(&text), event, arg, result, &command->reason);
    ab_buf_deinit(&text);
    return good;
}

static bool ask(struct command *command, const char *method, const char *const *params, struct ab_json *result)
{
    return ask_told(command, method, params, NULL, NULL, result);
}

/* --- list --- */

/* A directory that this command holds itself is let go before a pager may make it wait. */
static void let_go(struct command *command)
{
    if (ab_tasks_client_is_served(command->client))
        return;
    ab_tasks_client_free(command->client);
    command->client = NULL;
}

struct listing {
    struct command *command;
    struct ab_buf text;
    bool begun;
};

/* What a bridge tells is printed as it comes. */
static void add_page(void *arg, struct ab_json page)
{
    struct listing *listing = arg;
    bool json = listing->command->line.json;
    struct ab_json_iterator tasks = ab_json_iterate(ab_json_member(page, "tasks"));
    struct ab_json task;

    if (!listing->begun && !json && ab_json_count(ab_json_member(page, "tasks")) > 0)
        ab_tasks_text_heading(&listing->text);
    listing->begun = true;
    while (ab_json_next(&tasks, NULL, &task)) {
        if (json)
            ab_buf_printf(&listing->text, "%.*s\n", AB_STR_ARGS(task.text));
        else
            ab_tasks_text_row(task, &listing->text);
    }
    if (ab_tasks_client_is_served(listing->command->client))
        ab_terminal_print(&listing->text);
}

static int list(struct command *command)
{
    const char *const params[] = { "status", command->line.status, "agent", command->line.agent, NULL };
    struct listing listing = { .command = command, .text = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    write_params(params, &text);
    good = ab_tasks_client_list(command->client, "tasks/list", ab_buf_str(&text), add_page, &listing, &command->reason);
    ab_buf_deinit(&text);
    let_go(command);
    ab_terminal_print(&listing.text);
    return good ? 0 : ab_terminal_fail(1, command->reason.data);
}

/* --- show --- */

static int show(struct command *command)
{
    const char *const params[] = { "id", command->line.id, NULL };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json result;

    if (!ask(command, "tasks/show", params, &result))
        return ab_terminal_fail(1, command->reason.data);
    if (command->line.json)
        ab_buf_printf(&text, "%.*s\n", AB_STR_ARGS(result.text));
    else
        ab_tasks_text_task(result, &text);
    let_go(command);
    ab_terminal_print(&text);
    return 0;
}

/* --- watch, stop, reply --- */

static bool status_is(struct ab_json shown, const char *status)
{
    return ab_json_string_is(ab_json_at(shown, "task", "status", NULL), status);
}

static bool is_over(struct ab_json shown)
{
    return ab_json_exists(ab_json_at(shown, "task", "finished_at", NULL));
}

/* Nobody serves: what there is to know of the task, and what can be done. */
static int fail_unserved(struct command *command, struct ab_json shown, const char *what)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_buf_append_text(&text, "the task ");
    if (is_over(shown)) {
        ab_buf_append_text(&text, "has ended already: ");
        ab_tasks_text_words(ab_json_at(shown, "task", "status", NULL), 0, false, &text);
    } else {
        ab_buf_append_text(&text, "stands at ");
        ab_tasks_text_words(ab_json_at(shown, "task", "status", NULL), 0, false, &text);
        ab_buf_printf(&text,
                      ", but no bridge serves %s, so nothing of it runs: it cannot be %s now. Start a bridge there "
                      "(agentbridge serve), which takes up what waits and ends what was cut off, and try again",
                      command->data, what);
    }
    (void)ab_terminal_fail(1, text.data);
    ab_buf_deinit(&text);
    return 1;
}

static int watch(struct command *command)
{
    const char *const params[] = { "id", command->line.id, NULL };
    struct ab_tasks_show show;
    struct ab_json result;

    ab_tasks_show_init(&show, stdout);
    if (ab_tasks_client_is_served(command->client)) {
        if (!ask_told(command, "tasks/watch", params, ab_tasks_show_event, &show, &result)) {
            ab_tasks_show_end(&show, (struct ab_json){ 0 });
            return ab_terminal_fail(1, command->reason.data);
        }
    } else if (!ask(command, "tasks/show", params, &result)) {
        return ab_terminal_fail(1, command->reason.data);
    } else if (!is_over(result)) {
        return fail_unserved(command, result, "watched");
    }
    ab_tasks_show_end(&show, result);
    return status_is(result, "completed") ? 0 : 1;
}

static void print_state(struct ab_json shown)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_tasks_text_words(ab_json_at(shown, "task", "task_id", NULL), 0, false, &text);
    ab_buf_append_text(&text, " is ");
    ab_tasks_text_words(ab_json_at(shown, "task", "status", NULL), 0, false, &text);
    ab_buf_append_char(&text, '\n');
    ab_terminal_print(&text);
}

static int stop(struct command *command)
{
    const char *const params[] = { "id", command->line.id, NULL };
    struct ab_json result;

    if (!ab_tasks_client_is_served(command->client))
        return ask(command, "tasks/show", params, &result) ? fail_unserved(command, result, "stopped")
                                                           : ab_terminal_fail(1, command->reason.data);
    if (!ask(command, "tasks/stop", params, &result))
        return ab_terminal_fail(1, command->reason.data);
    print_state(result);
    return 0;
}

/* What was typed as answers by key; false: a sentence in `reason`. */
static bool build_answers(struct command *command, struct ab_json shown, struct ab_buf *answers)
{
    const struct ab_tasks_line *line = &command->line;
    struct ab_json questions = ab_json_at(shown, "task", "questions", NULL);

    if (ab_json_count(questions) == 0) {
        ab_buf_append_text(&command->reason, "the task asks nothing: it is ");
        ab_tasks_text_words(ab_json_at(shown, "task", "status", NULL), 0, false, &command->reason);
        return false;
    }
    if (line->answers != NULL) {
        ab_buf_append_text(answers, line->answers);
        return true;
    }
    if (line->n_pairs > 0)
        return ab_tasks_answer_pairs(questions, line->pairs, line->n_pairs, answers, &command->reason);
    return ab_tasks_answer_choice(questions, line->approve, answers, &command->reason);
}

/* The whole id, so that it is the task whose questions were looked at. */
static bool send_answers(struct command *command, struct ab_json shown, const struct ab_buf *answers,
                         struct ab_json *result)
{
    struct ab_json id = ab_json_at(shown, "task", "task_id", NULL);
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    ab_buf_printf(&params, "{\"id\":%.*s,\"answers\":", AB_STR_ARGS(id.text));
    ab_buf_append_str(&params, ab_buf_str(answers));
    ab_buf_append_char(&params, '}');
    good =
        ab_tasks_client_ask(command->client, "tasks/reply", ab_buf_str(&params), NULL, NULL, result, &command->reason);
    ab_buf_deinit(&params);
    return good;
}

static int reply(struct command *command)
{
    const char *const params[] = { "id", command->line.id, NULL };
    struct ab_buf answers = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_error error;
    struct ab_json result;
    bool good;

    if (command->line.answers != NULL &&
        (!ab_json_check(ab_str(command->line.answers), 64, &result, &error) || !ab_json_is(result, AB_JSON_OBJECT)))
        return ab_terminal_fail(2, "--json takes one JSON object: {\"KEY\":{\"action\":\"accept\",\"content\":{...}}}");
    if (!ask(command, "tasks/show", params, &result))
        return ab_terminal_fail(1, command->reason.data);
    if (!ab_tasks_client_is_served(command->client))
        return fail_unserved(command, result, "answered");
    good = build_answers(command, result, &answers) && send_answers(command, result, &answers, &result);
    ab_buf_deinit(&answers);
    if (!good)
        return ab_terminal_fail(1, command->reason.data);
    print_state(result);
    return 0;
}

/* --- all --- */

static int run(struct command *command)
{
    switch (command->line.verb) {
    case AB_TASKS_LIST:
        return list(command);
    case AB_TASKS_SHOW:
        return show(command);
    case AB_TASKS_WATCH:
        return watch(command);
    case AB_TASKS_STOP:
        return stop(command);
    case AB_TASKS_REPLY:
        return reply(command);
    case AB_TASKS_HELP:
        break;
    }
    return 2;
}

static int read_and_run(int n_words, const char **words)
{
    struct command command = { .reason = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    char reason[512];
    char *data;
    int code = 2;

    if (!ab_tasks_line_read(n_words, words, &command.line, reason, sizeof reason))
        return ab_terminal_fail(2, reason);
    if (command.line.verb == AB_TASKS_HELP)
        return ab_terminal_help();
    data = ab_terminal_data_directory(command.line.config, command.line.data);
    command.data = data;
    if (data != NULL) {
        command.client = ab_tasks_client_new(data, &command.reason);
        code = command.client != NULL ? run(&command) : ab_terminal_fail(1, command.reason.data);
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
