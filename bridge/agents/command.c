/* The `command` agent: starts a program for each task, feeds it, hands on what it says, and sees to it that nothing of
 * it is left when the task is over. */
#include "agents/command_run.h"

#include "agents/agent_lines.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_BYTES = 1 << 20,
    OUTPUT_BYTES = 16 << 20,
    CANCEL_MS = 2000,
    TERMINATE_MS = 5000,
    LINGER_MS = 10000,      /* to leave by itself after its end event */
    INPUT_BYTES = 64 << 20, /* that may wait for a program that does not read */
    TEXT_VARIABLE_BYTES = 64 << 10,
    REASON_SIZE = 512,
    NOT_STARTED = 1
};

/* --- winding down --- */

static void signal_group(struct command_run *run, int number)
{
    run->process->host->ops->kill(run->process, number);
}

static void begin_phase(struct command_run *run, enum command_phase phase, uint32_t ms)
{
    run->phase = phase;
    ab_timer_start(run->timer, ms);
}

static void terminate(struct command_run *run)
{
    begin_phase(run, COMMAND_TERMINATING, run->agent->terminate_ms);
    signal_group(run, SIGTERM);
}

static void next_phase(void *arg)
{
    struct command_run *run = arg;
    if (run->phase == COMMAND_LINGERING || run->phase == COMMAND_CANCELLING) {
        terminate(run);
    } else if (run->phase == COMMAND_TERMINATING) {
        run->phase = COMMAND_KILLED;
        signal_group(run, SIGKILL);
    }
}

/* From here on its output is read only to be thrown away, so that it does not hang in a write. */
static void let_go(struct command_run *run)
{
    run->over = true;
    run->process->host->ops->pause(run->process, false);
    run->process->host->ops->close_input(run->process);
}

static void linger(struct command_run *run)
{
    if (run->phase == COMMAND_RUNNING) {
        let_go(run);
        begin_phase(run, COMMAND_LINGERING, LINGER_MS);
    }
}

/* A text agent has no ear for a cancel line; one that gave its end already was not waiting for it. */
static void wind_down(struct command_run *run)
{
    if (run->phase == COMMAND_LINGERING || (run->phase == COMMAND_RUNNING && run->agent->output == AB_COMMAND_TEXT)) {
        let_go(run);
        terminate(run);
    } else if (run->phase == COMMAND_RUNNING) {
        struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_agent_lines_write_cancel(&line);
        (void)run->process->host->ops->write(run->process, ab_buf_str(&line));
        ab_buf_deinit(&line);
        let_go(run);
        begin_phase(run, COMMAND_CANCELLING, run->agent->cancel_ms);
    }
}

/* --- reports --- */

static bool is_end(enum ab_report_kind kind)
{
    return kind == AB_REPORT_SAY || kind == AB_REPORT_RESULT || kind == AB_REPORT_FAILED ||
           kind == AB_REPORT_REJECTED || kind == AB_REPORT_ERROR || kind == AB_REPORT_PROTOCOL_ERROR;
}

void command_report(struct command_run *run, const struct ab_report *report)
{
    if (run->over) {
        return;
    }
    int result = ab_run_report(run->run, report);
    if (is_end(report->kind)) {
        run->over = true;
        linger(run);
    } else if (result == AB_RUN_SLOW_DOWN && run->phase == COMMAND_RUNNING) {
        run->process->host->ops->pause(run->process, true);
    } else if (result != AB_OK && result != AB_RUN_SLOW_DOWN) {
        run->over = true;
        wind_down(run);
    }
}

void command_break(struct command_run *run, const char *format, ...)
{
    char text[REASON_SIZE * 2];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct ab_report report = { .kind = AB_REPORT_ERROR, .reason = AB_REASON_CRASHED, .text = text };
    command_report(run, &report);
    if (run->phase == COMMAND_LINGERING) {
        terminate(run);
    }
}

/* --- the end --- */

static void run_free(void *arg)
{
    struct command_run *run = arg;
    struct ab_run *engine_run = run->run;
    if (run->process != NULL) {
        run->process->host->ops->free(run->process);
    }
    command_files_drop(run);
    ab_timer_free(run->timer);
    ab_lines_deinit(&run->lines);
    ab_buf_deinit(&run->cut);
    command_errors_deinit(&run->errors);
    free(run);
    ab_run_ended(engine_run);
}

/* What stderr said last is the best reason there is. */
static void report_failure(struct command_run *run, int exit_code, int number)
{
    AB_CLEANUP(ab_free_string) char *tail = command_errors_tail(&run->errors);
    AB_CLEANUP(ab_free_string)
    char *how = number != 0 ? ab_format("the program was killed by signal %d (%s)", number, strsignal(number))
                            : ab_format("the program ended with exit code %d", exit_code);
    AB_CLEANUP(ab_free_string) char *text = tail[0] != '\0' ? ab_format("%s: %s", how, tail) : ab_strdup(how);
    struct ab_report report = { .kind = AB_REPORT_FAILED, .text = text };
    if (number != 0) {
        report.kind = AB_REPORT_ERROR;
        report.reason = AB_REASON_CRASHED;
    }
    command_report(run, &report);
}

static void report_end(struct command_run *run, int exit_code, int number)
{
    if (exit_code != 0 || number != 0) {
        report_failure(run, exit_code, number);
    } else if (run->asking) {
        struct ab_report report = { .kind = AB_REPORT_ERROR,
                                    .reason = AB_REASON_CRASHED,
                                    .text = "the program ended while its question was open" };
        command_report(run, &report);
    } else {
        command_report(run, &(struct ab_report){ .kind = AB_REPORT_RESULT });
    }
}

/* --- from the process --- */

static void on_output(void *arg, struct ab_str data)
{
    struct command_run *run = arg;
    run->output_size += data.size;
    if (!run->over && run->output_size > run->agent->output_bytes) {
        command_break(run, "the program wrote more than %zu bytes (limits.output_bytes)", run->agent->output_bytes);
    } else if (run->agent->output == AB_COMMAND_TEXT) {
        command_text_output(run, data);
    } else {
        command_events_output(run, data);
    }
}

static void on_error_output(void *arg, struct ab_str data)
{
    command_errors_output(arg, data);
}

static void on_ended(void *arg, int exit_code, int number)
{
    struct command_run *run = arg;
    if (run->agent->output == AB_COMMAND_TEXT) {
        command_text_output_end(run);
    } else {
        command_events_output_end(run);
    }
    command_errors_output_end(run);
    run->phase = COMMAND_ENDED;
    ab_timer_stop(run->timer);
    if (!run->over) {
        report_end(run, exit_code, number);
    }
    run->over = true;
    signal_group(run, SIGKILL); /* what it left behind in its group goes with it */
    ab_loop_defer(run->agent->loop, run_free, run);
}

/* --- starting --- */

struct environment {
    char **names; /* "NAME=value", NULL-terminated */
    size_t n;
};

static void environment_free(struct environment *environment)
{
    for (size_t i = 0; i < environment->n; i++) {
        free(environment->names[i]);
    }
    free(environment->names);
}

/* The paths, a line each. */
static char *files_variable(const struct ab_fetched_files *files)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_text(&text, "AGENTBRIDGE_FILES=");
    for (size_t i = 0; i < ab_fetched_files_count(files); i++) {
        ab_buf_printf(&text, "%s%s", i > 0 ? "\n" : "", ab_fetched_files_path(files, i));
    }
    return ab_buf_steal(&text);
}

/* Only what the configuration lists, and what says which task this is. */
static struct environment environment_make(const struct command_run *run, const struct ab_task *task,
                                           struct ab_str text)
{
    const struct command_agent *agent = run->agent;
    struct environment environment = { 0 };
    size_t n = 0;
    while (agent->environment[n] != NULL) {
        n++;
    }
    environment.names = ab_alloc(n + 6, sizeof *environment.names);
    for (size_t i = 0; i < n; i++) {
        const char *value = getenv(agent->environment[i]);
        if (value != NULL) {
            environment.names[environment.n++] = ab_format("%s=%s", agent->environment[i], value);
        }
    }
    environment.names[environment.n++] = ab_format("AGENTBRIDGE_TASK=%s", task->id);
    environment.names[environment.n++] = ab_format("AGENTBRIDGE_THREAD=%s", task->thread_id);
    environment.names[environment.n++] = ab_format("AGENTBRIDGE_AGENT=%s", task->agent);
    if (agent->output == AB_COMMAND_TEXT && text.size < TEXT_VARIABLE_BYTES &&
        (text.size == 0 || memchr(text.data, '\0', text.size) == NULL)) {
        environment.names[environment.n++] = ab_format("AGENTBRIDGE_TEXT=%.*s", AB_STR_ARGS(text));
    }
    if (run->files != NULL) {
        environment.names[environment.n++] = files_variable(run->files);
    }
    return environment;
}

static int spawn(struct command_run *run, const struct environment *environment, char *reason, size_t size)
{
    static const struct ab_process_events events = { .output = on_output,
                                                     .error_output = on_error_output,
                                                     .ended = on_ended };
    const struct command_agent *agent = run->agent;
    struct ab_process_settings settings = { .arguments = (const char *const *)agent->command,
                                            .environment = (const char *const *)environment->names,
                                            .directory = agent->directory,
                                            .max_stdin = INPUT_BYTES };
    return agent->processes->ops->spawn(agent->processes, &settings, &events, run, &run->process, reason, size);
}

static struct command_run *run_new(struct command_agent *agent, struct ab_run *engine_run)
{
    struct command_run *run = ab_alloc(1, sizeof *run);
    run->agent = agent;
    run->run = engine_run;
    run->timer = ab_timer_new(agent->loop, next_phase, run);
    ab_lines_init(&run->lines, agent->line_bytes);
    ab_buf_init(&run->cut, AB_BUF_UNBOUNDED);
    command_errors_init(&run->errors);
    return run;
}

static void run_abandon(struct command_run *run)
{
    ab_timer_free(run->timer);
    ab_lines_deinit(&run->lines);
    command_errors_deinit(&run->errors);
    free(run);
}

bool command_begin(struct command_run *run, const struct ab_task *task, const struct ab_task_request *request,
                   const char *history_json, char *reason, size_t reason_size)
{
    const struct command_agent *agent = run->agent;
    struct ab_buf input = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (agent->output == AB_COMMAND_TEXT) {
        command_text_input(&input, request, run->files);
    } else {
        ab_agent_lines_write_task(&input, task, request, history_json);
    }
    struct environment environment = environment_make(run, task, ab_buf_str(&input));
    bool begun = spawn(run, &environment, reason, reason_size) == AB_OK;
    environment_free(&environment);
    if (begun) {
        run->phase = COMMAND_RUNNING;
        (void)agent->processes->ops->write(run->process, ab_buf_str(&input));
        if (agent->output == AB_COMMAND_TEXT) {
            agent->processes->ops->close_input(run->process);
        }
    }
    ab_buf_deinit(&input);
    return begun;
}

static void report_unreachable(struct ab_run *engine_run, const char *text)
{
    (void)ab_run_report(engine_run,
                        &(struct ab_report){ .kind = AB_REPORT_ERROR, .reason = AB_REASON_UNREACHABLE, .text = text });
}

void command_not_begun(struct command_run *run, const char *text)
{
    report_unreachable(run->run, text);
    run->over = true;
    run->phase = COMMAND_ENDED;
    ab_loop_defer(run->agent->loop, run_free, run);
}

static int start(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                 const struct ab_task_request *request, const char *history_json)
{
    struct command_agent *agent = AB_OWNER(base, struct command_agent, base);
    struct command_run *run = run_new(agent, engine_run);
    char reason[REASON_SIZE];
    ab_run_set_context(engine_run, run);
    if (command_files_wanted(agent, request)) {
        command_files_fetch(run, task, request, history_json);
        return AB_OK;
    }
    if (command_begin(run, task, request, history_json, reason, sizeof reason)) {
        return AB_OK;
    }
    AB_CLEANUP(ab_free_string) char *text = ab_format("the program could not be started: %s", reason);
    run_abandon(run);
    report_unreachable(engine_run, text);
    return NOT_STARTED;
}

/* --- from the engine --- */

static void answer(struct ab_agent *base, struct ab_run *engine_run, const char *answers_json)
{
    struct command_run *run = ab_run_context(engine_run);
    struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    (void)base;
    run->asking = false;
    if (run->phase == COMMAND_RUNNING) {
        ab_agent_lines_write_answer(&line, answers_json);
        (void)run->process->host->ops->write(run->process, ab_buf_str(&line));
        ab_buf_deinit(&line);
    }
}

static void stop(struct ab_agent *base, struct ab_run *engine_run)
{
    struct command_run *run = ab_run_context(engine_run);
    (void)base;
    run->over = true;
    if (run->phase == COMMAND_FETCHING) {
        run->phase = COMMAND_ENDED;
        ab_loop_defer(run->agent->loop, run_free, run);
    } else if (run->phase != COMMAND_ENDED) {
        wind_down(run);
    }
}

static void resume(struct ab_agent *base, struct ab_run *engine_run)
{
    struct command_run *run = ab_run_context(engine_run);
    (void)base;
    if (run->phase == COMMAND_RUNNING) {
        run->process->host->ops->pause(run->process, false);
    }
}

/* --- life --- */

static void agent_free(struct ab_agent *base)
{
    struct command_agent *agent = AB_OWNER(base, struct command_agent, base);
    free(agent->id);
    free(agent->directory);
    ab_strings_free(agent->command);
    ab_strings_free(agent->environment);
    free(agent->fetch_folder);
    free(agent);
}

struct ab_agent *ab_command_agent_new(const struct ab_command_settings *settings)
{
    static const struct ab_agent_ops ops = {
        .start = start, .answer = answer, .stop = stop, .resume = resume, .free = agent_free
    };
    struct command_agent *agent = ab_alloc(1, sizeof *agent);
    agent->base.ops = &ops;
    agent->id = ab_strdup(settings->id);
    agent->command = ab_strings_dup(settings->command);
    agent->directory = ab_strdup(settings->directory);
    agent->environment = ab_strings_dup(settings->environment);
    agent->output = settings->output;
    agent->line_bytes = settings->line_bytes > 0 ? settings->line_bytes : LINE_BYTES;
    agent->output_bytes = settings->output_bytes > 0 ? settings->output_bytes : OUTPUT_BYTES;
    agent->cancel_ms = settings->cancel_ms > 0 ? settings->cancel_ms : CANCEL_MS;
    agent->terminate_ms = settings->terminate_ms > 0 ? settings->terminate_ms : TERMINATE_MS;
    agent->loop = settings->loop;
    agent->processes = settings->processes;
    agent->log = settings->log;
    agent->fetch_files = settings->fetch_files;
    agent->fetch = settings->fetch;
    agent->fetch_folder = ab_strdup(settings->fetch.folder);
    agent->fetch.folder = agent->fetch_folder;
    return &agent->base;
}
