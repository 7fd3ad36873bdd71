/* One run of an `mcp` agent: one call of a tool, until its result. Shared by the files of the `mcp` agent; nobody else
 * includes it.
 *
 * A run is in one of these ways at a time: it waits for the server; its call is open; it waits for answers (on the open
 * call, or before the call is made again with them); it follows a task that the server made of the call. It ends in one
 * way only, by run_end: what is under way is dropped, and in a later turn everything is freed. */
#ifndef AB_AGENTS_MCP_RUN_H
#define AB_AGENTS_MCP_RUN_H

#include "agents/mcp.h"
#include "agents/mcp_server.h"
#include "mcp/client_result.h"

struct mcp_agent {
    struct ab_agent base;
    char *default_tool; /* or NULL */
    char *default_argument;
    struct ab_loop *loop;
    const struct ab_log *log;
    struct mcp_server *server;
    struct ab_list runs;
};

/* A request of the server's that waits for its answer (legacy). */
struct mcp_asked {
    struct ab_link link;
    char *key; /* the question's */
    char *id;  /* of the request, as JSON */
    char *method_json;
};

struct mcp_run {
    struct mcp_agent *agent;
    struct ab_run *run;
    struct ab_link link;
    struct mcp_waiter waiter;
    void (*when_ready)(struct mcp_run *run); /* what it waits for the server for */
    bool over;
    bool paused; /* a question is open */

    /* What is called. */
    char *tool;
    char *arguments; /* an object */
    char *refusal;   /* why nothing is called, or NULL */

    /* The call. */
    struct mcp_exchange *call;
    int64_t call_id;
    bool again;      /* it was made anew in a new session already */
    char *requests;  /* inputRequests that wait for answers, or NULL */
    char *state;     /* requestState as JSON, or NULL */
    char *responses; /* inputResponses for the next call, or NULL */
    unsigned rounds;
    struct ab_list asked;
    unsigned n_asked;

    /* The task that the server made of it; NULL: none. */
    char *task_id;
    bool core; /* of 2025-11-25, else of the extension */
    struct mcp_exchange *poll;
    struct mcp_exchange *update; /* answers on their way */
    struct ab_timer *timer;
    uint64_t poll_ms;
    unsigned poll_failures;
    char *answers; /* given, and not sent yet; or NULL */
    bool recall;   /* taken up: what is asked already is not known yet */
    char *told;    /* its latest words, or NULL */
    char *shown;   /* inputRequests that were asked: {"<key>":{...}} */
};

/* --- mcp_run.c --- */
AB_MUST struct mcp_run *mcp_run_new(struct mcp_agent *agent, struct ab_run *run);
/* Frees one that never began. */
void mcp_run_free(struct mcp_run *run);
/* Calls `then` as soon as the server can be had; at once, when it can. */
void mcp_run_wait(struct mcp_run *run, void (*then)(struct mcp_run *run));
/* The call is made (again). */
void mcp_run_call(struct mcp_run *run);
/* Report; an end, or the engine's word that the task is over, ends the run. */
void mcp_run_report_text(struct mcp_run *run, enum ab_report_kind kind, const char *text);
void mcp_run_report_json(struct mcp_run *run, enum ab_report_kind kind, const char *json);
void mcp_run_break(struct mcp_run *run, enum ab_task_reason reason, const char *text);
/* An answer to tools/call or tasks/result that is a result. */
void mcp_run_finish(struct mcp_run *run, struct ab_json result);
/* A JSON-RPC error in its place. */
void mcp_run_finish_error(struct mcp_run *run, struct ab_json error);
/* It is over: whoever works for it elsewhere is told if `cancel`. */
void mcp_run_end(struct mcp_run *run, bool cancel);
/* What the server says meanwhile: progress, log, questions. */
void mcp_run_hear(struct mcp_run *run, const struct ab_jsonrpc_message *message);
/* Notes what a restart must find: the task that is followed, or the questions of a call that waits for answers and what
 * the server wants back with them; of a plain call nothing. */
void mcp_run_remember(struct mcp_run *run);
/* The session is gone, with all that was under way. */
void mcp_run_cut_off(struct mcp_run *run, const char *text);

/* --- mcp_wish.c --- */
/* Finds out what is called. False: `run->refusal` says what is wrong and what would be right. */
AB_MUST bool mcp_run_read_wish(struct mcp_run *run, const struct ab_task_request *request);
/* Whether it can be: the tool exists, the arguments fit. False as above. */
AB_MUST bool mcp_run_check_wish(struct mcp_run *run);

/* --- mcp_ask.c --- */
/* A request of the server's on the open stream. */
void mcp_run_ask(struct mcp_run *run, const struct ab_jsonrpc_message *message);
/* It no longer wants its answer. */
void mcp_run_unask(struct mcp_run *run, struct ab_json params);
/* `inputRequests` and `requestState` in the place of a result. */
void mcp_run_take_input(struct mcp_run *run, struct ab_json result);
/* 2025-11-25: the error that wants pages to be visited first. False: it is another one. */
AB_MUST bool mcp_run_take_url_error(struct mcp_run *run, struct ab_json error);
void mcp_run_take_answers(struct mcp_run *run, const char *answers_json);
/* The notes by which an asking call is taken up; false: these are none of it. */
AB_MUST bool mcp_run_recall_input(struct mcp_run *run, struct ab_json notes);
void mcp_asked_free(struct mcp_asked *asked);

/* --- mcp_follow.c --- */
/* A task was made of the call. */
void mcp_run_follow(struct mcp_run *run, struct ab_json created);
/* Takes up one of an earlier process; false: the notes are none of it. */
AB_MUST bool mcp_run_recall_task(struct mcp_run *run, struct ab_json notes);
/* The next look at it, after its pace; later after each one that failed. */
void mcp_run_look_later(struct mcp_run *run);
void mcp_run_poll(struct mcp_run *run);
/* Answers for it. */
void mcp_run_update(struct mcp_run *run);
/* Has the server end it. */
void mcp_run_cancel_task(struct mcp_run *run);

#endif
