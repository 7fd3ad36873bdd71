/* The engine: the one place where a task changes. Faces ask it to create, stop and answer; agents report to it; the
 * store holds what it decided; watchers are told once it is durable.
 *
 * What the engine decides on is its own running state; what anyone else sees is what the store has committed. */
#ifndef AB_TASK_ENGINE_H
#define AB_TASK_ENGINE_H

#include "agentbridge/agent.h"
#include "agentbridge/store.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "wire/json.h"
#include "wire/loop.h"

struct ab_engine;

/* All borrowed; they outlive the engine. Times in ms; 0 takes the default in brackets. */
struct ab_engine_settings {
    struct ab_loop *loop;
    struct ab_store *store;
    struct ab_random random;
    const struct ab_log *log;   /* or NULL */
    struct ab_metrics *metrics; /* or NULL */
    uint32_t running_per_owner; /* [1000] tasks that are not terminal */
    int64_t keep_ms;            /* [7 days] finished tasks are swept later than this */
    int64_t sweep_every_ms;     /* [60 s] */
    size_t output_bytes;        /* [16 MiB] all that one task may report */
    size_t store_backlog_bytes; /* [32 MiB] above it agents are told to slow down */
    uint32_t wishes_per_task;   /* [16] of its caller, about who is told; see ab_engine_put_wish */
    ab_loop_fn outbox_grew;     /* or NULL: called when deliveries have been committed */
    void *outbox_arg;
};

enum ab_turns { AB_TURNS_QUEUE, AB_TURNS_REFUSE };

/* What the engine knows of an agent. All strings are copied. */
struct ab_agent_settings {
    const char *id;
    const char *title;        /* or NULL */
    const char *description;  /* or NULL */
    const char *kind;         /* "command", ...: for display only */
    int64_t timeout_ms;       /* [600 s] working time; pauses do not count */
    int64_t pause_timeout_ms; /* [24 h] an unanswered pause ends in error "nobody answered" */
    enum ab_turns turns;
    uint32_t turns_deep;       /* [16] waiting turns of one thread */
    const char *webhooks_json; /* or NULL: who is told of its tasks, see task/outbox.h */
    bool retry_after_restart;  /* else a run that a restart cut off ends in error, interrupted */
};

AB_MUST struct ab_engine *ab_engine_new(const struct ab_engine_settings *settings);
/* Adds an agent; the engine owns it from here on. Before ab_engine_start. */
void ab_engine_add_agent(struct ab_engine *engine, const struct ab_agent_settings *settings, struct ab_agent *agent);
/* Takes up what an earlier process left: pending turns wait or run again, cut-off runs end or are run again, pauses
 * of cut-off runs end as well. Returns AB_OK or < 0 (the store cannot be read). */
AB_MUST int ab_engine_start(struct ab_engine *engine);
/* Stops every run without ending its task (they are resumed by the next start), and no longer takes new ones. `done`
 * is called when the last run is gone. */
void ab_engine_shut_down(struct ab_engine *engine, ab_loop_fn done, void *arg);
/* After shut down's `done`. Frees the agents too. Watches still held become inert; they are still to be freed. */
void ab_engine_free(struct ab_engine *engine);

/* The agents in the order they were added; index from 0; NULL at the end. */
const struct ab_agent_settings *ab_engine_agent_at(const struct ab_engine *engine, size_t index);
const struct ab_agent_settings *ab_engine_agent(const struct ab_engine *engine, const char *id);

/* What the configuration and the agent itself say of it, the configuration first. NULL for an unknown id; valid until
 * the agent describes itself anew, of which AB_WATCH_AGENTS tells. */
const struct ab_agent_profile *ab_engine_profile(const struct ab_engine *engine, const char *id);

/* --- creating --- */

/* What a caller wants; borrowed during the call. JSON members as in struct ab_task_request. */
struct ab_new_task {
    const char *owner;
    const char *agent;
    const char *surface;
    const char *surface_json; /* or NULL */
    const char *thread_id;    /* or NULL: a new thread under the task's own id */
    const char *title;        /* or NULL */
    const char *message_json;
    const char *arguments_json; /* or NULL */
    const char *input_json;
    const char *options_json;    /* or NULL: {} */
    const char *idempotency_key; /* or NULL */
    const char *webhooks_json;   /* or NULL: who else is told of this task, see task/outbox.h */
    const char *secrets_json;    /* or NULL; credentials for the agent, a JSON object: kept in memory, never stored */
};

enum ab_create_outcome {
    AB_CREATE_DONE = 0,      /* stored: `task` is the new one as it was made, whatever stands behind that already */
    AB_CREATE_EXISTING,      /* the same key and wishes came before: `task` is that one */
    AB_CREATE_UNKNOWN_AGENT, /* `text` names those that exist */
    AB_CREATE_KEY_REUSED,    /* the same key with other wishes; `task` is the earlier one */
    AB_CREATE_THREAD_BUSY,   /* refused, full, or behind a paused turn; `task` is the open one */
    AB_CREATE_OVER_QUOTA,
    AB_CREATE_BAD_OPTIONS, /* the options wish for what cannot be; `text` names the option */
    AB_CREATE_NOT_STORED,  /* the store refused (disk full), or an earlier task was removed in that moment */
    AB_CREATE_SHUTTING_DOWN
};

/* Once for each ab_engine_create, in a later turn of the loop. `task` (or NULL, but for DONE and EXISTING) and `text`
 * (a sentence for the caller when the outcome is a refusal) are valid during the call. */
typedef void (*ab_created_fn)(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text);
void ab_engine_create(struct ab_engine *engine, const struct ab_new_task *wanted, ab_created_fn created, void *arg);

/* --- looking: only what is durable, only what the owner owns --- */

#define AB_TASK_UNKNOWN 1

/* AB_OK and `out` is the caller's (ab_task_deinit); AB_TASK_UNKNOWN also when it is somebody else's; < 0. */
AB_MUST int ab_engine_get(struct ab_engine *engine, const char *owner, const char *id, struct ab_task *out);
AB_MUST int ab_engine_list(struct ab_engine *engine, const struct ab_store_filter *filter, ab_store_task_fn each,
                           void *arg);
/* How many a list without a limit would tell of, wherever it begins; see ab_store_ops.total. */
AB_MUST int ab_engine_total(struct ab_engine *engine, const struct ab_store_filter *filter, uint64_t *total);
/* See ab_store_ops.events. The caller has made sure of the owner (ab_engine_get). */
AB_MUST int ab_engine_events(struct ab_engine *engine, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                             ab_store_event_fn each, void *arg);
/* The number of a task's newest event that can be read, while it has not ended; 0 of all others, removed ones too.
 * Asked before ab_engine_events, it says up to where nothing more of those kinds stands. */
uint64_t ab_engine_newest_event(const struct ab_engine *engine, const char *id);
/* What the task was created with, owner as above; `out` is the caller's (ab_task_request_deinit). AB_OK, or
 * AB_STORE_NONE and `out` untouched, or < 0. */
AB_MUST int ab_engine_request(struct ab_engine *engine, const char *id, struct ab_task_request *out);
/* A task's artifacts as one JSON array, appended chunks joined, appended to `out`. */
AB_MUST int ab_engine_artifacts(struct ab_engine *engine, const char *id, struct ab_buf *out);

/* --- watching --- */

struct ab_watch;
/* Instead of a task's id: the profiles of the agents. */
#define AB_WATCH_AGENTS "agents"
/* `changed` is called on the loop, never from inside an engine call, when events of this task have been committed
 * since the last call (several commits may share one). The watcher then reads on from its own cursor. */
AB_MUST struct ab_watch *ab_engine_watch(struct ab_engine *engine, const char *id, ab_loop_fn changed, void *arg);
/* NULL is accepted; may be called from `changed`. */
void ab_watch_free(struct ab_watch *watch);

/* --- steering --- */

enum ab_steer_outcome {
    AB_STEER_DONE = 0,
    AB_STEER_UNKNOWN,     /* no such task of this owner */
    AB_STEER_TERMINAL,    /* it has ended already */
    AB_STEER_NO_QUESTION, /* answers: none of the keys is open */
    AB_STEER_MISFIT, /* answers: an answer does not fit its question; `text` names key, field and what is expected */
    AB_STEER_NOT_STORED
};
/* Once for each call, in a later turn, after the change is durable. `task` is the task as it stands; NULL only with
 * UNKNOWN and NOT_STORED, and where it was removed. */
typedef void (*ab_steered_fn)(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text);

/* Ends the task as stopped, then has its agent wind down. */
void ab_engine_stop(struct ab_engine *engine, const char *owner, const char *id, ab_steered_fn done, void *arg);
/* Answers open questions: {"<key>":{"action":"accept|decline|cancel","content"?:{...}}}. Keys that are not open are
 * ignored unless none is. All given answers are checked first; one misfit takes none. */
void ab_engine_answer(struct ab_engine *engine, const char *owner, const char *id, const char *answers_json,
                      ab_steered_fn done, void *arg);
/* The same for a caller whose protocol cannot tell him of a misfit: the reason is kept with the question, as its member
 * "problem", and told to those who watch. */
void ab_engine_answer_unheard(struct ab_engine *engine, const char *owner, const char *id, const char *answers_json,
                              ab_steered_fn done, void *arg);
/* --- who is told elsewhere --- */

enum ab_wish_outcome {
    AB_WISH_DONE = 0,
    AB_WISH_UNKNOWN, /* no such task of this owner */
    AB_WISH_FULL,    /* it has as many as it may have; `text` says how many */
    AB_WISH_NOT_STORED
};
/* Once for each call, in a later turn, after the change is durable; `text` is valid during the call. */
typedef void (*ab_wished_fn)(void *arg, enum ab_wish_outcome outcome, const char *text);

/* Adds a wish (task/outbox.h: trusted, with an "id") to those of the task's caller, or puts it in place of that of the
 * same id: from now on it is told of what happens. A task that has ended keeps it as well. What there is stands in
 * ab_engine_request's webhooks_json. */
void ab_engine_put_wish(struct ab_engine *engine, const char *owner, const char *id, const char *wish_json,
                        ab_wished_fn done, void *arg);
/* Removes the wish of this id, and what still was to be delivered for it; one that is not there is removed already. */
void ab_engine_remove_wish(struct ab_engine *engine, const char *owner, const char *id, const char *wish_id,
                           ab_wished_fn done, void *arg);

/* Removes the task with all that belongs to it; one that is not over is stopped first. AB_STEER_DONE, with no task to
 * show, AB_STEER_UNKNOWN or AB_STEER_NOT_STORED. */
void ab_engine_remove(struct ab_engine *engine, const char *owner, const char *id, ab_steered_fn done, void *arg);
/* The caller whose disconnect means "cancel" has gone: the task is stopped unless ab_engine_touch comes within
 * `grace_ms` (each touch starts the time anew, and so does a restart), or somebody watches it then. */
void ab_engine_abandon(struct ab_engine *engine, const char *id, int64_t grace_ms);
/* The owner asked about this task. */
void ab_engine_touch(struct ab_engine *engine, const char *id);

#endif
