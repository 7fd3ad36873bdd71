/* stdio, the client's side (MCP basic/transports): one message a line, to and from a program that all runs share. What
 * it writes to stderr is log. */
#include "agents/mcp_stdio.h"

#include "base/list.h"
#include "base/mem.h"
#include "wire/lines.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    INPUT_BYTES = 64 << 20, /* that may wait for a program that does not read */
    MESSAGE_BYTES = 16 << 20,
    ERROR_LINE_BYTES = 4096,
    DEPTH = 64,
    LEAVE_MS = 2000, /* from the end of its input to SIGTERM, and on to SIGKILL */
    TEXT_SIZE = 512
};

struct stdio_transport {
    struct mcp_transport base;
    char *id; /* of the agent, for logs */
    char **command;
    char *directory;
    char **environment; /* names */
    size_t message_bytes;
    struct ab_loop *loop;
    struct ab_process_host *processes;
    const struct ab_log *log;
    struct program *program; /* NULL: none runs */
    struct ab_list programs; /* those that still have to leave, too */
    struct ab_list exchanges;
    void (*left)(void *arg); /* who waits for the last program to go, or NULL */
    void *left_arg;
};

/* One life of the program. */
struct program {
    struct stdio_transport *home;
    struct stdio_transport *transport; /* NULL once closed, or ended */
    struct ab_link link;
    struct ab_loop *loop;
    struct ab_process *process;
    struct ab_timer *timer;
    struct ab_lines lines;
    struct ab_buf error_line;
    char last_words[TEXT_SIZE]; /* the last line on stderr */
    bool told_to_go;
};

struct mcp_exchange {
    struct stdio_transport *transport;
    struct ab_link link;
    const struct mcp_exchange_events *events;
    void *arg;
    int64_t id;
    struct ab_timer *timer; /* the limit on its answer, or the turn in which it is told as taken */
    bool not_taken;
};

/* --- exchanges --- */

static void exchange_free(struct mcp_exchange *exchange)
{
    ab_link_remove(&exchange->link);
    ab_timer_free(exchange->timer);
    free(exchange);
}

static void fail(struct mcp_exchange *exchange, enum mcp_failure failure, const char *text)
{
    const struct mcp_exchange_events *events = exchange->events;
    void *arg = exchange->arg;
    exchange_free(exchange);
    if (events != NULL) {
        events->failed(arg, failure, 0, text);
    }
}

static void fail_all(struct stdio_transport *transport, const char *text)
{
    struct ab_link *link;
    while ((link = ab_list_first(&transport->exchanges)) != NULL) {
        fail(AB_OWNER(link, struct mcp_exchange, link), MCP_BROKEN, text);
    }
}

static struct mcp_exchange *find(struct stdio_transport *transport, int64_t id)
{
    struct ab_link *link = ab_list_first(&transport->exchanges);
    for (; link != NULL; link = ab_list_next(&transport->exchanges, link)) {
        if (id > 0 && AB_OWNER(link, struct mcp_exchange, link)->id == id) {
            return AB_OWNER(link, struct mcp_exchange, link);
        }
    }
    return NULL;
}

/* --- what the program says --- */

static void take_response(struct stdio_transport *transport, const struct ab_jsonrpc_message *message)
{
    int64_t id = 0;
    struct mcp_exchange *exchange = ab_json_int(message->id, &id) ? find(transport, id) : NULL;
    if (exchange == NULL) {
        ab_log(transport->log, AB_LOG_DEBUG, "mcp", "the server answered a request that nobody waits for", "agent",
               transport->id, NULL);
        return;
    }
    const struct mcp_exchange_events *events = exchange->events;
    void *arg = exchange->arg;
    exchange_free(exchange);
    if (events != NULL) {
        events->answered(arg, message);
    }
}

/* Progress names its request; nothing else says what it belongs to. */
static void take_call(struct stdio_transport *transport, const struct ab_jsonrpc_message *message)
{
    int64_t token = 0;
    struct mcp_exchange *exchange = NULL;
    if (strcmp(message->method, "notifications/progress") == 0 &&
        ab_json_int(ab_json_member(message->params, "progressToken"), &token)) {
        exchange = find(transport, token);
    }
    if (exchange == NULL) {
        transport->base.events->said(transport->base.arg, message);
    } else if (exchange->events != NULL && exchange->events->said != NULL) {
        exchange->events->said(exchange->arg, message);
    }
}

/* 2025-03-26 knew batches; a line is one message in all others. */
static void take_value(struct program *program, struct ab_json value)
{
    struct ab_jsonrpc_message message;
    const char *reason = NULL;
    if (ab_json_is(value, AB_JSON_ARRAY)) {
        struct ab_json_iterator each = ab_json_iterate(value);
        struct ab_json one;
        while (program->transport != NULL && ab_json_next(&each, NULL, &one)) {
            if (!ab_json_is(one, AB_JSON_ARRAY)) {
                take_value(program, one);
            }
        }
        return;
    }
    if (!ab_jsonrpc_read(value, &message, &reason)) {
        ab_log(program->transport->log, AB_LOG_WARNING, "mcp", "the server wrote a line that is no message", "agent",
               program->transport->id, "reason", reason, NULL);
    } else if (message.kind == AB_JSONRPC_RESPONSE) {
        take_response(program->transport, &message);
    } else {
        take_call(program->transport, &message);
    }
    ab_jsonrpc_message_deinit(&message);
}

static void take_line(struct program *program, struct ab_str line)
{
    struct ab_json value;
    struct ab_json_error error;
    if (ab_str_trim(line).size == 0) {
        return;
    }
    if (ab_json_check(line, DEPTH, &value, &error)) {
        take_value(program, value);
    } else {
        ab_log(program->transport->log, AB_LOG_WARNING, "mcp", "the server wrote a line that is not JSON", "agent",
               program->transport->id, "reason", error.text, NULL);
    }
}

static void on_output(void *arg, struct ab_str data)
{
    struct program *program = arg;
    struct ab_str line = { NULL, 0 };
    enum ab_lines_result result;
    if (program->transport == NULL || program->told_to_go) {
        return;
    }
    ab_lines_feed(&program->lines, data.data, data.size);
    while (program->transport != NULL && (result = ab_lines_next(&program->lines, &line)) != AB_LINES_NONE) {
        if (result == AB_LINES_TOO_LONG) {
            program->told_to_go = true;
            (void)snprintf(program->last_words, sizeof program->last_words, "a line is longer than %zu bytes",
                           program->transport->message_bytes);
            program->process->host->ops->kill(program->process, SIGKILL);
            return;
        }
        take_line(program, line);
    }
}

static void end_error_line(struct program *program)
{
    struct ab_str line = ab_str_trim(ab_buf_str(&program->error_line));
    line.size = ab_utf8_valid_prefix(line);
    if (line.size > 0) {
        (void)snprintf(program->last_words, sizeof program->last_words, "%.*s", AB_STR_ARGS(line));
        ab_log(program->transport->log, AB_LOG_DEBUG, "mcp", "the server says", "agent", program->transport->id, "text",
               program->last_words, NULL);
    }
    ab_buf_clear(&program->error_line);
}

static void on_error_output(void *arg, struct ab_str data)
{
    struct program *program = arg;
    for (size_t i = 0; program->transport != NULL && i < data.size; i++) {
        if (data.data[i] == '\n') {
            end_error_line(program);
        } else if (program->error_line.size < ERROR_LINE_BYTES) {
            ab_buf_append_char(&program->error_line, data.data[i]);
        }
    }
}

/* --- its life --- */

static void program_free(void *arg)
{
    struct program *program = arg;
    program->process->host->ops->free(program->process);
    ab_timer_free(program->timer);
    ab_lines_deinit(&program->lines);
    ab_buf_deinit(&program->error_line);
    free(program);
}

static void tell_left(struct stdio_transport *transport)
{
    void (*left)(void *arg) = transport->left;
    if (left != NULL && ab_list_is_empty(&transport->programs)) {
        transport->left = NULL;
        left(transport->left_arg);
    }
}

static void on_ended(void *arg, int exit_code, int number)
{
    struct program *program = arg;
    struct stdio_transport *transport = program->transport;
    char text[TEXT_SIZE * 2];
    ab_timer_stop(program->timer);
    ab_link_remove(&program->link);
    ab_loop_defer(program->loop, program_free, program);
    if (transport == NULL) {
        tell_left(program->home);
        return;
    }
    if (number != 0) {
        (void)snprintf(text, sizeof text, "the server's program was killed by signal %d", number);
    } else {
        (void)snprintf(text, sizeof text, "the server's program ended with exit code %d", exit_code);
    }
    if (program->last_words[0] != '\0') {
        size_t size = strlen(text);
        (void)snprintf(text + size, sizeof text - size, ": %s", program->last_words);
    }
    program->transport = NULL;
    transport->program = NULL;
    fail_all(transport, text);
    transport->base.events->lost(transport->base.arg, text);
}

/* It has had its time since its input was closed, or since SIGTERM. */
static void on_overdue(void *arg)
{
    struct program *program = arg;
    bool first = !program->told_to_go;
    program->told_to_go = true;
    program->process->host->ops->kill(program->process, first ? SIGTERM : SIGKILL);
    if (first) {
        ab_timer_start(program->timer, LEAVE_MS);
    }
}

static char **environment_make(const struct stdio_transport *transport)
{
    size_t n = 0;
    size_t filled = 0;
    while (transport->environment[n] != NULL) {
        n++;
    }
    char **lines = ab_alloc(n + 1, sizeof *lines);
    for (size_t i = 0; i < n; i++) {
        const char *value = getenv(transport->environment[i]);
        if (value != NULL) {
            lines[filled++] = ab_format("%s=%s", transport->environment[i], value);
        }
    }
    return lines;
}

static bool stdio_open(struct mcp_transport *base, char *reason, size_t reason_size)
{
    static const struct ab_process_events events = { .output = on_output,
                                                     .error_output = on_error_output,
                                                     .ended = on_ended };
    struct stdio_transport *transport = AB_OWNER(base, struct stdio_transport, base);
    struct program *program = ab_alloc(1, sizeof *program);
    char **environment = environment_make(transport);
    struct ab_process_settings settings = { .arguments = (const char *const *)transport->command,
                                            .environment = (const char *const *)environment,
                                            .directory = transport->directory,
                                            .max_stdin = INPUT_BYTES };
    char why[TEXT_SIZE];
    int result = transport->processes->ops->spawn(transport->processes, &settings, &events, program, &program->process,
                                                  why, sizeof why);
    ab_strings_free(environment);
    if (result != AB_OK) {
        (void)snprintf(reason, reason_size, "the server's program could not be started: %.200s", why);
        free(program);
        return false;
    }
    program->home = transport;
    program->transport = transport;
    program->loop = transport->loop;
    program->timer = ab_timer_new(transport->loop, on_overdue, program);
    ab_lines_init(&program->lines, transport->message_bytes);
    ab_buf_init(&program->error_line, ERROR_LINE_BYTES);
    transport->program = program;
    ab_list_append(&transport->programs, &program->link);
    return true;
}

/* Its input ends, which tells it to go (basic/lifecycle, "Shutdown"). */
static void stdio_close(struct mcp_transport *base)
{
    struct stdio_transport *transport = AB_OWNER(base, struct stdio_transport, base);
    struct program *program = transport->program;
    struct ab_link *link;
    while ((link = ab_list_first(&transport->exchanges)) != NULL) {
        exchange_free(AB_OWNER(link, struct mcp_exchange, link));
    }
    base->version = NULL;
    transport->program = NULL;
    if (program != NULL) {
        program->transport = NULL;
        program->process->host->ops->close_input(program->process);
        ab_timer_start(program->timer, LEAVE_MS);
    }
}

/* --- sending --- */

static void on_timer(void *arg)
{
    struct mcp_exchange *exchange = arg;
    const struct mcp_exchange_events *events = exchange->events;
    void *user = exchange->arg;
    if (exchange->not_taken) {
        fail(exchange, MCP_UNREACHABLE, "the server's program does not read what it is sent");
    } else if (exchange->id > 0) {
        fail(exchange, MCP_TIMED_OUT, "no answer came in time");
    } else {
        exchange_free(exchange);
        if (events != NULL) {
            events->answered(user, NULL);
        }
    }
}

/* Line breaks stand only between the tokens of JSON; those that callers wrote become blanks. */
static void write_line(struct ab_buf *out, struct ab_str text)
{
    ab_buf_append_str(out, text);
    for (size_t i = 0; i < out->size; i++) {
        if (out->data[i] == '\n' || out->data[i] == '\r') {
            out->data[i] = ' ';
        }
    }
    ab_buf_append_char(out, '\n');
}

static struct mcp_exchange *stdio_send(struct mcp_transport *base, const struct mcp_outgoing *outgoing,
                                       const struct mcp_exchange_events *events, void *arg)
{
    struct stdio_transport *transport = AB_OWNER(base, struct stdio_transport, base);
    struct mcp_exchange *exchange = ab_alloc(1, sizeof *exchange);
    struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    exchange->transport = transport;
    exchange->id = outgoing->id;
    exchange->events = events;
    exchange->arg = arg;
    exchange->timer = ab_timer_new(transport->loop, on_timer, exchange);
    ab_list_append(&transport->exchanges, &exchange->link);
    write_line(&line, outgoing->text);
    exchange->not_taken = transport->program == NULL ||
                          transport->processes->ops->write(transport->program->process, ab_buf_str(&line)) != AB_OK;
    ab_buf_deinit(&line);
    if (exchange->not_taken || exchange->id == 0) {
        ab_timer_start(exchange->timer, 0);
    } else if (outgoing->timeout_ms > 0) {
        ab_timer_start(exchange->timer, outgoing->timeout_ms);
    }
    return exchange;
}

/* --- the port --- */

static void stdio_drop(struct mcp_exchange *exchange)
{
    exchange_free(exchange);
}

/* One run that is behind must not stop the others: the engine's limits hold for it. */
static void stdio_pause(struct mcp_exchange *exchange, bool paused)
{
    (void)exchange;
    (void)paused;
}

static void stdio_listen(struct mcp_transport *base)
{
    (void)base;
}

static void stdio_leave(struct mcp_transport *base, void (*left)(void *arg), void *arg)
{
    struct stdio_transport *transport = AB_OWNER(base, struct stdio_transport, base);
    stdio_close(base);
    transport->left = left;
    transport->left_arg = arg;
    tell_left(transport);
}

static void stdio_free(struct mcp_transport *base)
{
    struct stdio_transport *transport = AB_OWNER(base, struct stdio_transport, base);
    struct ab_link *link;
    stdio_close(base);
    while ((link = ab_list_first(&transport->programs)) != NULL) {
        ab_link_remove(link);
        program_free(AB_OWNER(link, struct program, link));
    }
    free(transport->id);
    free(transport->directory);
    ab_strings_free(transport->command);
    ab_strings_free(transport->environment);
    free(transport);
}

struct mcp_transport *mcp_stdio_new(const struct ab_mcp_agent_settings *settings,
                                    const struct mcp_transport_events *events, void *arg)
{
    static const struct mcp_transport_ops ops = {
        .open = stdio_open,
        .close = stdio_close,
        .send = stdio_send,
        .drop = stdio_drop,
        .pause = stdio_pause,
        .listen = stdio_listen,
        .leave = stdio_leave,
        .free = stdio_free,
    };
    struct stdio_transport *transport = ab_alloc(1, sizeof *transport);
    transport->base.ops = &ops;
    transport->base.events = events;
    transport->base.arg = arg;
    transport->id = ab_strdup(settings->id);
    transport->command = ab_strings_dup(settings->command);
    transport->directory = ab_strdup(settings->directory);
    transport->environment = ab_strings_dup(settings->environment);
    transport->message_bytes = settings->message_bytes > 0 ? settings->message_bytes : (size_t)MESSAGE_BYTES;
    transport->loop = settings->loop;
    transport->processes = settings->processes;
    transport->log = settings->log;
    ab_list_init(&transport->programs);
    ab_list_init(&transport->exchanges);
    return &transport->base;
}
