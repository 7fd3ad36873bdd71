/* What the files of the `command` agent share; nobody else includes it.
 *
 * A run is one process. It ends in one way only: the process host says `ended`, the last words are reported, and in
 * the loop's next turn everything is freed and the engine hears ab_run_ended. */
#ifndef AB_AGENTS_COMMAND_RUN_H
#define AB_AGENTS_COMMAND_RUN_H

#include "agents/command.h"
#include "base/buf.h"
#include "wire/lines.h"

struct command_agent {
    struct ab_agent base;
    char *id;
    char **command;
    char *directory;
    char **environment; /* names */
    enum ab_command_output output;
    size_t line_bytes;
    size_t output_bytes;
    uint32_t cancel_ms;
    uint32_t terminate_ms;
    struct ab_loop *loop;
    struct ab_process_host *processes;
    const struct ab_log *log;
    bool fetch_files;
    struct ab_fetch_settings fetch;
    char *fetch_folder;
};

/* How far its winding down has come; the timer leads from each step to the next. */
enum command_phase {
    COMMAND_RUNNING,
    COMMAND_LINGERING,   /* it gave its end and may leave by itself */
    COMMAND_CANCELLING,  /* it was told to stop; SIGTERM is next */
    COMMAND_TERMINATING, /* SIGTERM was sent; SIGKILL is next */
    COMMAND_KILLED,
    COMMAND_FETCHING, /* files are on their way; there is no process yet */
    COMMAND_ENDED     /* the process is gone */
};

/* stderr: each line a log report, bounded in size and rate; and the last of it, for a failure. */
struct command_errors {
    struct ab_buf line;
    struct ab_buf tail;
    size_t reported;        /* bytes so far */
    int64_t window_us;      /* when the present second began */
    unsigned in_window;     /* lines reported in it */
    unsigned long left_out; /* lines since the last that was reported */
};

/* What a run is started on, kept while its files are fetched. */
struct command_start {
    struct ab_task task;
    struct ab_task_request request;
    char *history_json;
};

struct command_run {
    struct command_agent *agent;
    struct ab_run *run;
    struct ab_process *process;     /* NULL before it was started */
    struct command_start *waiting;  /* or NULL */
    struct ab_fetched_files *files; /* or NULL */
    struct ab_timer *timer;
    enum command_phase phase;
    bool over;   /* nothing more is reported */
    bool asking; /* its question has no answer yet */
    size_t output_size;
    struct ab_lines lines; /* output "events" */
    struct ab_buf cut;     /* output "text": the beginning of a character */
    struct command_errors errors;
};

/* --- command.c --- */
/* Starts the program; false: `reason` says why it cannot be. */
AB_MUST bool command_begin(struct command_run *run, const struct ab_task *task, const struct ab_task_request *request,
                           const char *history_json, char *reason, size_t reason_size);
/* It cannot be begun: reports that, and ends the run in the loop's next turn. */
void command_not_begun(struct command_run *run, const char *text);
/* Reports; an end, or the engine's word that the task is over, begins the winding down. */
void command_report(struct command_run *run, const struct ab_report *report);
/* The agent broke its protocol or a limit: error, crashed; it is terminated. */
AB_PRINTF(2, 3) void command_break(struct command_run *run, const char *format, ...);

/* --- command_files.c --- */
/* Whether there are files to fetch before it can begin. */
bool command_files_wanted(const struct command_agent *agent, const struct ab_task_request *request);
/* Fetches them, then begins. */
void command_files_fetch(struct command_run *run, const struct ab_task *task, const struct ab_task_request *request,
                         const char *history_json);
/* They are wanted no more: what is there of them is removed. */
void command_files_drop(struct command_run *run);

/* --- command_text.c --- */
/* What goes to the stdin of a text agent; the caller frees `out`. May hold NUL bytes. `files`, or NULL, are named
 * instead of the URLs they came from. */
void command_text_input(struct ab_buf *out, const struct ab_task_request *request,
                        const struct ab_fetched_files *files);
void command_text_output(struct command_run *run, struct ab_str data);
void command_text_output_end(struct command_run *run);
/* Appends the bytes as valid UTF-8 without NUL: each byte that does not belong becomes U+FFFD. A character cut off at
 * the end is left alone unless `last`. Returns how many bytes were used. */
size_t command_text_clean(struct ab_buf *out, struct ab_str data, bool last);

/* --- command_events.c --- */
void command_events_output(struct command_run *run, struct ab_str data);
void command_events_output_end(struct command_run *run);

/* --- command_errors.c --- */
void command_errors_init(struct command_errors *errors);
void command_errors_deinit(struct command_errors *errors);
void command_errors_output(struct command_run *run, struct ab_str data);
void command_errors_output_end(struct command_run *run);
/* The last of it, at most 2 KiB, valid UTF-8, without blanks at its ends; the caller frees. */
AB_MUST char *command_errors_tail(const struct command_errors *errors);

#endif
