#include "app/webhooks_command.h"

#include "app/tasks_client.h"
#include "app/tasks_text.h"
#include "app/terminal.h"
#include "app/webhooks_line.h"
#include "base/mem.h"

#include <stdio.h>

struct command {
    struct ab_webhooks_line line;
    struct ab_tasks_client *client;
    struct ab_buf reason;
};

static void write_params(const struct ab_webhooks_line *line, struct ab_buf *out)
{
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_put_optional_text(&writer, "id", line->id);
    ab_json_put_optional_text(&writer, "state", line->state);
    if (line->all)
        ab_json_put_bool(&writer, "all", true);
    ab_json_object_end(&writer);
}

static bool ask(struct command *command, const char *method, struct ab_json *result)
{
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    write_params(&command->line, &params);
    good = ab_tasks_client_ask(command->client, method, ab_buf_str(&params), NULL, NULL, result, &command->reason);
    ab_buf_deinit(&params);
    return good;
}

/* --- list --- */

enum {
    ID_WIDTH = 8,
    STATE_WIDTH = 8,
    TASK_SHOWN = 12,
    TASK_WIDTH = 14,
    TRIES_WIDTH = 7,
    NEXT_WIDTH = 21,
    TO_WIDTH = 34
};

static void append_heading(struct ab_buf *out)
{
    ab_buf_printf(out, "%-*s%-*s%-*s%-*s%-*s%-*s%s\n", ID_WIDTH, "ID", STATE_WIDTH, "STATE", TASK_WIDTH, "TASK",
                  TRIES_WIDTH, "TRIES", NEXT_WIDTH, "NEXT TRY (UTC)", TO_WIDTH, "RECEIVER", "LAST ERROR");
}

static void append_column(struct ab_json value, size_t most, size_t width, struct ab_buf *out)
{
    size_t from = out->size;

    if (ab_json_is(value, AB_JSON_STRING))
        ab_tasks_text_words(value, most, false, out);
    else
        ab_buf_append_str(out, value.text);
    ab_tasks_text_pad(out, from, width);
}

static void append_row(struct ab_json row, struct ab_buf *out)
{
    AB_CLEANUP(ab_free_string) char *task = ab_json_string_dup(ab_json_member(row, "task_id"));
    size_t from;

    append_column(ab_json_member(row, "id"), 0, ID_WIDTH, out);
    append_column(ab_json_member(row, "state"), 0, STATE_WIDTH, out);
    ab_buf_printf(out, "%-*.*s", TASK_WIDTH, TASK_SHOWN, task != NULL ? task : "");
    append_column(ab_json_member(row, "attempts"), 0, TRIES_WIDTH, out);
    from = out->size;
    ab_tasks_text_time(ab_json_member(row, "next_at"), out);
    ab_tasks_text_pad(out, from, NEXT_WIDTH);
    append_column(ab_json_member(row, "receiver"), 0, TO_WIDTH, out);
    ab_tasks_text_words(ab_json_member(row, "last_error"), 80, false, out);
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->data[--out->size] = '\0';
    ab_buf_append_char(out, '\n');
}

struct listing {
    bool json;
    struct ab_buf text;
};

static void add_page(void *arg, struct ab_json page)
{
    struct listing *listing = arg;
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(page, "webhooks"));
    struct ab_json row;

    while (ab_json_next(&each, NULL, &row)) {
        if (!listing->json && listing->text.size == 0)
            append_heading(&listing->text);
        if (listing->json)
            ab_buf_printf(&listing->text, "%.*s\n", AB_STR_ARGS(row.text));
        else
            append_row(row, &listing->text);
    }
}

static bool list(struct command *command)
{
    struct listing listing = { .json = command->line.json, .text = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    write_params(&command->line, &params);
    good = ab_tasks_client_list(command->client, "webhooks/list", ab_buf_str(&params), add_page, &listing,
                                &command->reason);
    ab_buf_deinit(&params);
    ab_terminal_print(&listing.text);
    return good;
}

/* --- show and resend --- */

static void append_line(const char *name, struct ab_json value, bool is_time, struct ab_buf *out)
{
    if (!ab_json_exists(value))
        return;
    ab_buf_printf(out, "%-12s", name);
    if (is_time)
        ab_tasks_text_time(value, out);
    else if (ab_json_is(value, AB_JSON_STRING))
        ab_tasks_text_words(value, 0, false, out);
    else
        ab_buf_append_str(out, value.text);
    ab_buf_append_char(out, '\n');
}

static bool show(struct command *command)
{
    static const struct {
        const char *name;
        const char *member;
        bool is_time;
    } lines[] = {
        { "webhook", "id", false },        { "state", "state", false },
        { "kind", "kind", false },         { "task", "task_id", false },
        { "event", "event", false },       { "address", "url", false },
        { "created", "created_at", true }, { "next try", "next_at", true },
        { "tries", "attempts", false },    { "last error", "last_error", false },
    };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json result;
    struct ab_json webhook;

    if (!ask(command, "webhooks/show", &result))
        return false;
    webhook = ab_json_member(result, "webhook");
    if (command->line.json)
        ab_buf_printf(&text, "%.*s\n", AB_STR_ARGS(webhook.text));
    for (size_t i = 0; !command->line.json && i < sizeof lines / sizeof *lines; i++)
        append_line(lines[i].name, ab_json_member(webhook, lines[i].member), lines[i].is_time, &text);
    ab_terminal_print(&text);
    return true;
}

static bool resend(struct command *command)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json result;
    int64_t n = 0;

    if (!ask(command, "webhooks/resend", &result))
        return false;
    (void)!ab_json_int(ab_json_member(result, "resent"), &n);
    if (n == 0)
        ab_buf_append_text(&text, "none was given up\n");
    else
        ab_buf_printf(&text, "%lld %s sent again%s\n", (long long)n, n == 1 ? "is" : "are",
                      ab_tasks_client_is_served(command->client) ? "" : " when a bridge serves this directory");
    ab_terminal_print(&text);
    return true;
}

/* --- all --- */

static bool run(struct command *command)
{
    switch (command->line.verb) {
    case AB_WEBHOOKS_LIST:
        return list(command);
    case AB_WEBHOOKS_SHOW:
        return show(command);
    case AB_WEBHOOKS_RESEND:
        return resend(command);
    case AB_WEBHOOKS_HELP:
        break;
    }
    return false;
}

int ab_webhooks_command_run(int n_words, const char *const *words)
{
    struct command command = { .reason = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    AB_CLEANUP(ab_free_string) char *data = NULL;
    char reason[512];
    bool good;

    if (!ab_webhooks_line_read(n_words, words, &command.line, reason, sizeof reason))
        return ab_terminal_fail(2, reason);
    if (command.line.verb == AB_WEBHOOKS_HELP)
        return ab_terminal_help();
    data = ab_terminal_data_directory(command.line.config, command.line.data);
    if (data == NULL)
        return 2;
    command.client = ab_tasks_client_new(data, &command.reason);
    good = command.client != NULL && run(&command);
    if (!good)
        (void)ab_terminal_fail(1, command.reason.data);
    ab_tasks_client_free(command.client);
    ab_buf_deinit(&command.reason);
    return good ? 0 : 1;
}
