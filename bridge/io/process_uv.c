/* Processes are started by io/spawn; libuv carries their pipes and says when one of them has ended.
 *
 * A program that has exited stays unreaped until its end has been told: its id is also that of its group, and must not
 * become somebody else's while the group can still be sent signals. */
#include "io/process_uv.h"

#include "base/list.h"
#include "base/mem.h"
#include "io/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

/* How long the pipes may stay open behind a process that has exited: a grandchild may hold them for ever. */
#define OUTPUT_GRACE_MS 1000
#define READ_BYTES 65536

struct host {
    struct ab_process_host port;
    uv_loop_t *loop;
    uv_signal_t child_signal;
    struct ab_list processes; /* those not yet reaped */
    char buffer[READ_BYTES];  /* reads are handed on before the next one begins */
};

struct process {
    struct ab_process port;
    struct ab_link link;
    struct host *host;
    const struct ab_process_events *events; /* NULL once freed by its owner */
    struct ab_process_events events_copy;
    void *arg;
    pid_t pid; /* 0: reaped */
    uv_pipe_t input;
    uv_pipe_t output;
    uv_pipe_t error_output;
    uv_timer_t grace;
    unsigned n_open; /* handles not yet closed */
    size_t waiting;  /* bytes on their way to stdin */
    size_t max_stdin;
    bool input_closing;
    bool exited;
    bool output_ended;
    bool error_ended;
    bool ended;
    bool paused;
    int exit_code;
    int signal;
};

struct input_write {
    uv_write_t request;
    struct process *process;
    size_t size;
    char data[];
};

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;

    if (--process->n_open == 0)
        free(process);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct process *process)
{
    close_handle(&process->input);
    close_handle(&process->output);
    close_handle(&process->error_output);
    close_handle(&process->grace);
}

static void stop_reading(struct process *process)
{
    uv_timer_stop(&process->grace);
    uv_read_stop((uv_stream_t *)&process->output);
    uv_read_stop((uv_stream_t *)&process->error_output);
}

static void reap(struct process *process)
{
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    process->pid = 0;
    ab_link_remove(&process->link);
}

static void end(struct process *process)
{
    if (process->ended)
        return;
    process->ended = true;
    stop_reading(process);
    if (process->events != NULL)
        process->events->ended(process->arg, process->exit_code, process->signal);
    reap(process);
    if (process->events == NULL)
        close_all(process);
}

static void end_if_done(struct process *process)
{
    if (process->exited && process->output_ended && process->error_ended)
        end(process);
}

static void on_grace_over(uv_timer_t *timer)
{
    end(timer->data);
}

static void on_exit_of(struct process *process, const siginfo_t *how)
{
    bool by_signal = how->si_code != CLD_EXITED;

    process->exited = true;
    process->exit_code = by_signal ? 0 : how->si_status;
    process->signal = by_signal ? how->si_status : 0;
    if (process->events == NULL) {
        end(process);
        return;
    }
    if (!process->paused)
        uv_timer_start(&process->grace, on_grace_over, OUTPUT_GRACE_MS, 0);
    end_if_done(process);
}

/* One signal may stand for several ends, and for ends of children that are not ours. */
static void on_child_signal(uv_signal_t *handle, int number)
{
    struct host *host = handle->data;
    struct ab_link *next;

    (void)number;
    for (struct ab_link *link = ab_list_first(&host->processes); link != NULL; link = next) {
        struct process *process = AB_OWNER(link, struct process, link);
        siginfo_t how = { 0 };
        next = ab_list_next(&host->processes, link);
        if (!process->exited && waitid(P_PID, (id_t)process->pid, &how, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            how.si_pid == process->pid)
            on_exit_of(process, &how);
    }
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct process *process = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(process->host->buffer, sizeof(process->host->buffer));
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct process *process = stream->data;

    if (size > 0 && process->events != NULL)
        process->events->output(process->arg, (struct ab_str){ buffer->base, (size_t)size });
    if (size >= 0)
        return;
    uv_read_stop(stream);
    process->output_ended = true;
    end_if_done(process);
}

static void on_error_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct process *process = stream->data;

    if (size > 0 && process->events != NULL)
        process->events->error_output(process->arg, (struct ab_str){ buffer->base, (size_t)size });
    if (size >= 0)
        return;
    uv_read_stop(stream);
    process->error_ended = true;
    end_if_done(process);
}

/* A process whose output nobody reads is not over before its output is: the grace waits as well. */
static void pause_process(struct ab_process *port, bool paused)
{
    struct process *process = AB_OWNER(port, struct process, port);

    if (process->paused == paused || process->output_ended || process->ended)
        return;
    process->paused = paused;
    if (paused) {
        uv_read_stop((uv_stream_t *)&process->output);
        uv_timer_stop(&process->grace);
        return;
    }
    uv_read_start((uv_stream_t *)&process->output, on_alloc, on_output);
    if (process->exited)
        uv_timer_start(&process->grace, on_grace_over, OUTPUT_GRACE_MS, 0);
}

/* --- writing --- */

static void close_input_if_done(struct process *process)
{
    if (process->input_closing && process->waiting == 0)
        close_handle(&process->input);
}

static void on_written(uv_write_t *request, int status)
{
    struct input_write *write = AB_OWNER(request, struct input_write, request);
    struct process *process = write->process;

    process->waiting -= write->size;
    if (status < 0) /* it does not read any more: what it missed is its own affair */
        process->input_closing = true;
    free(write);
    close_input_if_done(process);
}

static int write_input(struct ab_process *port, struct ab_str data)
{
    struct process *process = AB_OWNER(port, struct process, port);
    struct input_write *write;
    uv_buf_t buffer;

    if (process->input_closing || process->ended || data.size > process->max_stdin - process->waiting)
        return 1;
    if (data.size == 0)
        return AB_OK;
    write = ab_alloc(1, sizeof(*write) + data.size);
    memcpy(write->data, data.data, data.size);
    write->process = process;
    write->size = data.size;
    process->waiting += data.size;
    buffer = uv_buf_init(write->data, (unsigned)data.size);
    if (uv_write(&write->request, (uv_stream_t *)&process->input, &buffer, 1, on_written) == 0)
        return AB_OK;
    process->waiting -= data.size;
    free(write);
    return 1;
}

static void close_input(struct ab_process *port)
{
    struct process *process = AB_OWNER(port, struct process, port);

    process->input_closing = true;
    close_input_if_done(process);
}

/* --- signals and freeing --- */

static void kill_group(struct ab_process *port, int signal)
{
    struct process *process = AB_OWNER(port, struct process, port);

    if (process->pid > 0)
        (void)kill(-process->pid, signal);
}

static void process_free(struct ab_process *port)
{
    struct process *process = AB_OWNER(port, struct process, port);

    process->events = NULL;
    if (process->ended) {
        close_all(process);
        return;
    }
    kill_group(port, SIGKILL);
    stop_reading(process);
    close_handle(&process->input);
    if (process->exited)
        end(process);
}

/* --- starting --- */

static bool check_directory(const char *directory, char *reason, size_t reason_size)
{
    if (directory == NULL || access(directory, X_OK) == 0)
        return true;
    snprintf(reason, reason_size, "%s: the working directory cannot be entered", directory);
    return false;
}

static void init_handles(struct process *process)
{
    uv_loop_t *loop = process->host->loop;

    uv_pipe_init(loop, &process->input, 0);
    uv_pipe_init(loop, &process->output, 0);
    uv_pipe_init(loop, &process->error_output, 0);
    uv_timer_init(loop, &process->grace);
    process->n_open = 4;
    process->input.data = process;
    process->output.data = process;
    process->error_output.data = process;
    process->grace.data = process;
}

static int start(struct process *process, const struct ab_process_settings *settings)
{
    struct ab_spawned spawned;
    int fault = ab_spawn(settings, &spawned);

    if (fault != 0)
        return fault;
    process->pid = spawned.pid;
    ab_list_append(&process->host->processes, &process->link);
    uv_pipe_open(&process->input, spawned.input);
    uv_pipe_open(&process->output, spawned.output);
    uv_pipe_open(&process->error_output, spawned.error_output);
    return 0;
}

static int spawn(struct ab_process_host *port, const struct ab_process_settings *settings,
                 const struct ab_process_events *events, void *arg, struct ab_process **out, char *reason,
                 size_t reason_size)
{
    struct process *process;
    int result;

    if (!check_directory(settings->directory, reason, reason_size))
        return 1;
    process = ab_alloc(1, sizeof(*process));
    process->port.host = port;
    process->host = AB_OWNER(port, struct host, port);
    process->events_copy = *events;
    process->events = &process->events_copy;
    process->arg = arg;
    process->max_stdin = settings->max_stdin;
    init_handles(process);
    result = start(process, settings);
    if (result != 0) {
        snprintf(reason, reason_size, "%s: %s", settings->arguments[0], strerror(result));
        process->events = NULL;
        close_all(process);
        return 1;
    }
    uv_read_start((uv_stream_t *)&process->output, on_alloc, on_output);
    uv_read_start((uv_stream_t *)&process->error_output, on_alloc, on_error_output);
    *out = &process->port;
    return AB_OK;
}

static const struct ab_process_host_ops ops = {
    .spawn = spawn,
    .write = write_input,
    .close_input = close_input,
    .kill = kill_group,
    .pause = pause_process,
    .free = process_free,
};

struct ab_process_host *ab_process_uv_new(struct ab_loop_uv *loop)
{
    struct host *host = ab_alloc(1, sizeof(*host));

    (void)signal(SIGPIPE, SIG_IGN); /* a program that no longer reads its stdin is no reason to die */
    host->port.ops = &ops;
    host->loop = ab_loop_uv_raw(loop);
    ab_list_init(&host->processes);
    uv_signal_init(host->loop, &host->child_signal);
    host->child_signal.data = host;
    uv_signal_start(&host->child_signal, on_child_signal, SIGCHLD);
    return &host->port;
}

static void on_host_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void ab_process_uv_free(struct ab_process_host *port)
{
    struct host *host;
    struct ab_link *link;

    if (port == NULL)
        return;
    host = AB_OWNER(port, struct host, port);
    while ((link = ab_list_first(&host->processes)) != NULL) /* freed by their owners, so killed: this is soon */
        end(AB_OWNER(link, struct process, link));
    uv_close((uv_handle_t *)&host->child_signal, on_host_closed);
}
