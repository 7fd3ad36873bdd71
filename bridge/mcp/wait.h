/* A call that waits for its task (CONTRACTS: "How a call waits"): it reads the task's log from its own cursor, tells
 * progress and log messages, and answers when the task has come where the caller wanted it, or when time is up. */
#ifndef AB_MCP_WAIT_H
#define AB_MCP_WAIT_H

#include "mcp/result.h"

/* What a call may cost its caller in time. */
struct ab_mcp_patience {
    int64_t wait_ms;  /* how long the call is held; < 0: to the task's end */
    bool core_task;   /* the answer is a task of the 2025-11-25 dialect, at once */
    bool handle;      /* then the answer is a handle of the Tasks extension */
    bool ask_on_call; /* a question is put on the call itself, although there could be a handle */
};

struct ab_mcp_wait;

/* Begins to wait on `request`'s behalf; the task's id follows with ab_mcp_wait_for. `starts_task`: the request made
 * the task (invoke, a published tool), so errors are the call's, and a client that leaves may mean "cancel". */
AB_MUST struct ab_mcp_wait *ab_mcp_wait_new(struct ab_mcp_request *request, const struct ab_mcp_call_kind *kind,
                                            const struct ab_mcp_patience *patience, bool starts_task,
                                            enum ab_on_disconnect on_disconnect);
/* The task is there: waits from event number `cursor` on. */
void ab_mcp_wait_for(struct ab_mcp_wait *wait, const struct ab_task *task, uint64_t cursor);
/* A broken stream goes on: waits from this place on, with the numbers of progress that were sent. */
void ab_mcp_wait_continue(struct ab_mcp_wait *wait, const struct ab_task *task, const struct ab_mcp_place *place);
/* A retried call with answers (InputRequiredResult): goes on with its earlier task. Answers it, then waits as a new
 * call would. */
void ab_mcp_wait_resume(struct ab_mcp_request *request, const char *task_id, const struct ab_mcp_call_kind *kind,
                        const struct ab_mcp_patience *patience, bool starts_task, enum ab_on_disconnect on_disconnect);
/* There will be no task: hands the request back (NULL when it is gone) and frees the wait. */
struct ab_mcp_request *ab_mcp_wait_abort(struct ab_mcp_wait *wait);

#endif
