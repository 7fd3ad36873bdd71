/* The port of an agent: whatever runs the work of a task and reports what happens.
 *
 * The engine calls the agent through `ab_agent_ops`; the agent answers through the `ab_run_...` functions below. All
 * of it happens on the loop's thread. One run is one attempt at one task. */
#ifndef AGENTBRIDGE_AGENT_H
#define AGENTBRIDGE_AGENT_H

#include "agentbridge/task.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ab_agent;
struct ab_run;        /* the engine's; valid from start() or take_up() until the agent calls ab_run_ended */
struct ab_agent_seat; /* the agent's place in the engine; valid from attach() until free() */

struct ab_agent_ops {
    /* Begins the work. Must not block. `task` and `request` are valid during the call; `history_json` is an array of
     * the thread's earlier turns, [{"role","parts"}...], oldest first. Reports may be given from inside the call.
     * Returns AB_OK, and then owes exactly one ab_run_ended; anything else means nothing was started and nothing is
     * owed: > 0 after an AB_REPORT_ERROR that said why, < 0 a fault. */
    int (*start)(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                 const struct ab_task_request *request, const char *history_json);
    /* Takes up a run that an earlier process left, with the notes of the last ab_run_remember. `task` is executing, or
     * paused: then its questions are still open. Returns and owes what start() does. NULL for an agent whose runs end
     * with the process; a run without notes is not taken up either, unless `finds_itself`. */
    int (*take_up)(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                   const struct ab_task_request *request, const char *notes_json);
    /* The open questions are answered: {"<key>":{"action","content"?}...}. Called once for each round; with take_up()
     * a round is given again after a restart until ab_run_heard. NULL for an agent that asks nothing. */
    void (*answer)(struct ab_agent *agent, struct ab_run *run, const char *answers_json);
    /* The task is over for the outside (stopped, timed out, not storable): wind the work down, at once and surely.
     * Called at most once for a run; reports given afterwards are ignored; ab_run_ended is still owed. */
    void (*stop)(struct ab_agent *agent, struct ab_run *run);
    /* The process goes down and the task goes on: let go of the run without ending the work, to take it up later. As
     * stop() otherwise, which is called instead where this is NULL. */
    void (*let_go)(struct ab_agent *agent, struct ab_run *run);
    /* The engine can take reports again after one returned AB_RUN_SLOW_DOWN. NULL for an agent that reports little. */
    void (*resume)(struct ab_agent *agent, struct ab_run *run);
    /* The engine has begun; from here on ab_agent_describe may be called. NULL for an agent with nothing to tell. */
    void (*attach)(struct ab_agent *agent, struct ab_agent_seat *seat);
    /* The process goes down and no run is left: end what the agent itself holds (a program that serves it), and call
     * `closed` once, at once or within a few seconds. NULL for an agent that holds nothing. */
    void (*close)(struct ab_agent *agent, void (*closed)(void *arg), void *arg);
    /* Frees the agent; only called when it has no runs. NULL when it lives elsewhere. */
    void (*free)(struct ab_agent *agent);
    /* take_up() finds the work of an executing task without notes, too: `notes_json` may be NULL. Where the process
     * died between start() and the first notes, the work may have been begun. */
    bool finds_itself;
};

/* First member of every implementation. */
struct ab_agent {
    const struct ab_agent_ops *ops;
};

enum ab_report_kind {
    AB_REPORT_EXECUTING,      /* text: what it does now, or NULL */
    AB_REPORT_PROGRESS,       /* progress_value, progress_total (NaN: none), text or NULL */
    AB_REPORT_LOG,            /* level, text */
    AB_REPORT_CHUNK,          /* text: a piece of the answer */
    AB_REPORT_ARTIFACT,       /* json: {"id","name"?,"description"?,"parts":[...],"append"?,"last"?} */
    AB_REPORT_ASK,            /* json: {"<key>":{"kind",...}}; the task pauses. At most 64 in a round,
                               * with 256 KiB of schemas each time */
    AB_REPORT_SAY,            /* json: {"parts":[...]}; completes: a message instead of a task */
    AB_REPORT_RESULT,         /* json: {"text"}|{"parts",...,"data"?}, or NULL: the collected chunks; completes */
    AB_REPORT_FAILED,         /* text; ends in failed */
    AB_REPORT_REJECTED,       /* text; ends in failed, rejected */
    AB_REPORT_ERROR,          /* reason, text; ends in error */
    AB_REPORT_PROTOCOL_ERROR, /* json: {"code","message","data"?}; ends in error, protocol */
    AB_REPORT_STOPPED         /* text or NULL; somebody stopped it where it runs: ends in stopped */
};

/* One thing that happened. Strings are valid UTF-8 and NUL-terminated, borrowed during the call. */
struct ab_report {
    enum ab_report_kind kind;
    const char *text;
    const char *level; /* an MCP level name: debug, info, notice, warning, error, critical, alert, emergency */
    const char *json;
    double progress_value;
    double progress_total;
    enum ab_task_reason reason;
};

enum ab_run_condition {
    AB_RUN_SLOW_DOWN = 1, /* taken, but the store is behind: stop reading until resume() */
    AB_RUN_OVER = 2       /* not taken: the task has ended already */
};

/* Reports one thing. AB_OK or an ab_run_condition. A report that ends the task is the last one taken. */
int ab_run_report(struct ab_run *run, const struct ab_report *report);
/* The run's resources are gone; `run` is invalid from here on. A task that had no end yet ends in error, crashed.
 * May be called from inside answer() and stop(), never from inside start(). */
void ab_run_ended(struct ab_run *run);
/* Notes about the run for take_up() after a restart: a JSON object, without secrets. Each call replaces the ones
 * before; they are stored soon, with what else is to be stored of the task, and go with its end. */
void ab_run_remember(struct ab_run *run, const char *notes_json);
/* The answers of the last answer() have reached whom they were for: they are not given again. */
void ab_run_heard(struct ab_run *run);
/* Credentials that the caller gave for this task alone, a JSON object; NULL when none was given, or when a restart came
 * between: they are kept in memory only. Borrowed until the task's end; never to be reported or logged. */
const char *ab_run_secrets(const struct ab_run *run);
/* The agent's own state of this run. */
void ab_run_set_context(struct ab_run *run, void *context);
void *ab_run_context(const struct ab_run *run);
/* The task's id, for logs. */
const char *ab_run_task_id(const struct ab_run *run);

/* What an agent tells of itself; NULL where it has nothing to say. */
struct ab_agent_profile {
    const char *title;
    const char *description;
    const char *version;
    /* [{"id","name","description"?,"tags"?,"examples"?,"inputModes"?,"outputModes"?,"input_schema"?,"output_schema"?,
     * "annotations"?}...] */
    const char *skills_json;
};
/* Replaces what was told before; copies. Where the configuration says something, that counts. Whoever shows lists of
 * agents hears of a change. */
void ab_agent_describe(struct ab_agent_seat *seat, const struct ab_agent_profile *profile);

#ifdef __cplusplus
}
#endif
#endif
