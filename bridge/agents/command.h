/* The `command` agent: a program on this machine, one process for each task. */
#ifndef AB_AGENTS_COMMAND_H
#define AB_AGENTS_COMMAND_H

#include "agentbridge/agent.h"
#include "agents/fetched_files.h"
#include "base/log.h"
#include "wire/loop.h"
#include "wire/process.h"

enum ab_command_output { AB_COMMAND_TEXT, AB_COMMAND_EVENTS };

/* Copied, but for the ports, which outlive the agent. */
struct ab_command_settings {
    const char *id;                 /* the agent's id */
    const char *const *command;     /* NULL-terminated: program and arguments */
    const char *directory;          /* where it runs; or NULL */
    const char *const *environment; /* NULL-terminated: names of variables it gets from the bridge's own */
    enum ab_command_output output;
    size_t line_bytes;              /* [1 MiB] longest line of agent lines */
    size_t output_bytes;            /* [16 MiB] all it may write to stdout; beyond it the task ends in error */
    uint32_t cancel_ms;             /* [2 s] from the cancel line to SIGTERM */
    uint32_t terminate_ms;          /* [5 s] from SIGTERM to SIGKILL */
    bool fetch_files;               /* files that the caller names are fetched for it; else it gets their URLs */
    struct ab_fetch_settings fetch; /* how */
    struct ab_loop *loop;
    struct ab_process_host *processes;
    const struct ab_log *log; /* or NULL */
};

AB_MUST struct ab_agent *ab_command_agent_new(const struct ab_command_settings *settings);

#endif
