/* The port of child processes: a program with its three pipes, in a process group of its own. */
#ifndef AB_WIRE_PROCESS_H
#define AB_WIRE_PROCESS_H

#include "base/str.h"

struct ab_process;

struct ab_process_settings {
    const char *const *arguments;   /* NULL-terminated; the first is the program: a path, or a name looked up in PATH */
    const char *const *environment; /* "NAME=value", NULL-terminated; the whole of it */
    const char *directory;          /* or NULL: the bridge's own */
    size_t max_stdin;               /* bytes that may wait to be written */
};

struct ab_process_events {
    /* Bytes as they come. */
    void (*output)(void *arg, struct ab_str data);
    void (*error_output)(void *arg, struct ab_str data);
    /* Exactly once, when the process has exited and both its outputs have ended, or a grace (1 s after the exit) is
     * over because a grandchild holds them open. `signal` is 0 unless it was killed by one. What it left in its group
     * can be sent signals until this returns; then it is reaped, and free() is due. */
    void (*ended)(void *arg, int exit_code, int signal);
};

struct ab_process_host;
struct ab_process_host_ops {
    /* AB_OK; or > 0: it could not be started, `reason` (at least 256 bytes) says why ("./x.py: Permission denied").
     * No other descriptor of the bridge is open in the child. Events come later, never from inside. */
    int (*spawn)(struct ab_process_host *host, const struct ab_process_settings *settings,
                 const struct ab_process_events *events, void *arg, struct ab_process **out, char *reason,
                 size_t reason_size);
    /* Adds to its stdin; copies. AB_OK, or 1: over max_stdin, or closed already: not taken. A broken pipe is silent. */
    int (*write)(struct ab_process *process, struct ab_str data);
    /* Closes stdin once all is written. */
    void (*close_input)(struct ab_process *process);
    /* Sends a signal to the whole group; harmless once the end has been told. */
    void (*kill)(struct ab_process *process, int signal);
    /* Stops and starts the reading of stdout. */
    void (*pause)(struct ab_process *process, bool paused);
    /* After `ended`; or before: kills the group with SIGKILL, reaps it, and calls nothing any more. */
    void (*free)(struct ab_process *process);
};

/* First member of every implementation: io/process_uv.c, tests/unit/fake_process.c. */
struct ab_process_host {
    const struct ab_process_host_ops *ops;
};

/* First member of the host's processes. */
struct ab_process {
    struct ab_process_host *host;
};

#endif
