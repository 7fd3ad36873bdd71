/* The task: one turn of work for one agent, the same whichever protocol looks at it.
 *
 * Everything that came from outside is kept as JSON text (`..._json`): valid, NUL-terminated, written out unchanged. */
#ifndef AGENTBRIDGE_TASK_H
#define AGENTBRIDGE_TASK_H

#include "agentbridge/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ab_task_status {
    AB_TASK_PENDING,
    AB_TASK_EXECUTING,
    AB_TASK_PAUSED,
    AB_TASK_COMPLETED,
    AB_TASK_FAILED,  /* the agent's own "no" */
    AB_TASK_ERROR,   /* the agent could not be run to its end */
    AB_TASK_STOPPED, /* somebody asked for it to stop */
    AB_TASK_STATUS_COUNT
};

/* Why a task is in its status; AB_REASON_NONE where the status says it all. */
enum ab_task_reason {
    AB_REASON_NONE,
    AB_REASON_INPUT,       /* paused: an answer is awaited */
    AB_REASON_APPROVAL,    /* paused: a yes or no is awaited */
    AB_REASON_AUTH,        /* paused: a sign-in is awaited */
    AB_REASON_REJECTED,    /* failed: the agent refused the work */
    AB_REASON_UNREACHABLE, /* error: the agent could not be started or reached */
    AB_REASON_CRASHED,     /* error: it died, flooded its output or broke its protocol */
    AB_REASON_TIMED_OUT,   /* error: its time, or the time to answer its question, was over */
    AB_REASON_INTERRUPTED, /* error: the bridge went down while it ran */
    AB_REASON_PROTOCOL,    /* error: the agent gave a JSON-RPC error of its own */
    AB_REASON_STORAGE,     /* error: what it reported could not be stored */
    AB_REASON_COUNT
};

/* 128 random bits in hexadecimal, and the NUL. */
#define AB_TASK_ID_SIZE 33

/* One task as it stands. Every pointer is owned by the struct and may be NULL where the comment says "or NULL".
 * Times are milliseconds since 1970-01-01T00:00:00Z; 0 means "not yet". */
struct ab_task {
    char id[AB_TASK_ID_SIZE];
    char *thread_id;
    char *owner;        /* opaque here: the principal, as auth/ names it */
    char *agent;        /* the agent's id in the configuration */
    char *surface;      /* opaque here: which face made it ("mcp", "a2a", "rest", "embedded") */
    char *surface_json; /* or NULL; opaque here: what that face must remember about the call */
    char *title;        /* or NULL */
    enum ab_task_status status;
    enum ab_task_reason reason;
    char *status_message; /* or NULL; the latest words about its state, for a person */
    bool has_progress;
    bool has_progress_total;
    double progress_value;
    double progress_total;
    char *progress_message; /* or NULL */
    int64_t created_at;
    int64_t updated_at;
    int64_t finished_at;
    uint64_t last_event;  /* number of its newest event; events are numbered 1, 2, 3 ... without gaps */
    uint32_t turn;        /* 1 for the first task of its thread */
    uint32_t attempt;     /* 1, and one more each time it is run again after a restart */
    uint32_t n_artifacts; /* artifact events in the log; 0 spares reading it */
    char *questions_json; /* or NULL; {"<key>":{"kind","message",...,"answer"?:{...}}} of the open round, see
                             task/question.h */
    char *result_json;    /* or NULL; {"text"?:"...","parts":[...],"data"?:...} once completed */
    char *error_json;     /* or NULL; {"message":"...","code"?:int,"data"?:...} once failed or in error */
    char *notes_json;     /* or NULL; what its agent needs to take the run up after a restart: for nobody else */
    int64_t
        abandon_ms; /* > 0: its caller went away, and it is stopped when its owner asks for it no more for so long */
    char *answers_json; /* or NULL; a whole round of answers that may not have reached its agent's other end */
};

/* What the caller handed over: written once with the task, read when it is run (again). Owned strings as above. */
struct ab_task_request {
    char *message_json;    /* {"message_id","role":"user","parts":[...],"metadata":{}} */
    char *arguments_json;  /* or NULL; a published tool's own arguments */
    char *input_json;      /* {"text","files":[],"user":{...}} */
    char *options_json;    /* {} or the caller's further wishes, named as in the platform's API */
    char *webhooks_json;   /* or NULL; whom the caller wants told besides the agent's own webhooks, see task/outbox.h */
    char *idempotency_key; /* or NULL; unique for owner and agent, kept as long as the task */
};

enum ab_event_kind {
    AB_EVENT_STATUS,   /* {"status","reason"?,"message"?} */
    AB_EVENT_PROGRESS, /* {"value","total"?,"message"?} */
    AB_EVENT_LOG,      /* {"level","text"} */
    AB_EVENT_CHUNK,    /* {"text"} */
    AB_EVENT_ARTIFACT, /* {"id","name"?,"description"?,"parts":[...],"append":bool,"last":bool} */
    AB_EVENT_QUESTION, /* {"<key>":{"kind",...}} */
    AB_EVENT_ANSWER,   /* {"<key>":{"action","content"?}} */
    AB_EVENT_SAY,      /* {"parts":[...]}: a message instead of a task */
    AB_EVENT_KIND_COUNT
};

/* Set of kinds, for reading the log: AB_EVENTS_ALL or AB_EVENT_BIT(kind) | ... */
#define AB_EVENT_BIT(kind) (1u << (unsigned)(kind))
#define AB_EVENTS_ALL ((1u << (unsigned)AB_EVENT_KIND_COUNT) - 1u)

struct ab_event {
    uint64_t number; /* 1 for the task's first */
    int64_t at;      /* ms since the epoch */
    enum ab_event_kind kind;
    char *body_json; /* an object of the shape given at the kind */
};

/* Names as they stand in answers and rows: "pending", "timed_out", "progress". Never NULL; the reverse ones return
 * true and fill `out`, or false for an unknown name. ab_task_reason_name(AB_REASON_NONE) is "". */
const char *ab_task_status_name(enum ab_task_status status);
const char *ab_task_reason_name(enum ab_task_reason reason);
const char *ab_event_kind_name(enum ab_event_kind kind);
AB_MUST bool ab_task_status_parse(const char *name, enum ab_task_status *out);
AB_MUST bool ab_task_reason_parse(const char *name, enum ab_task_reason *out);
AB_MUST bool ab_event_kind_parse(const char *name, enum ab_event_kind *out);

/* completed, failed, error or stopped: nothing follows. */
bool ab_task_status_is_terminal(enum ab_task_status status);

/* Deep copies; the caller owns the copy. deinit frees what the struct points to, not the struct, and may be repeated.
 */
void ab_task_copy(struct ab_task *out, const struct ab_task *task);
void ab_task_deinit(struct ab_task *task);
void ab_task_request_copy(struct ab_task_request *out, const struct ab_task_request *request);
void ab_task_request_deinit(struct ab_task_request *request);
void ab_event_copy(struct ab_event *out, const struct ab_event *event);
void ab_event_deinit(struct ab_event *event);

#ifdef __cplusplus
}
#endif
#endif
