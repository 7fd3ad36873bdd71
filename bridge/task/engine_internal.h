/* What the engine's files share; nobody else includes it.
 *
 * How it works in one paragraph: a task is "hot" from its creation until it has ended, its end is durable and its run
 * is gone, and later for as long as its caller changes who is told of it. Decisions change the hot task at once and
 * collect events; nothing is called back from inside. Whatever is to be done outside (callbacks, calls to agents,
 * commits, freeing) is done by engine_turn(), which the loop calls after the current callback has returned. At most one
 * commit of a task is under way; what is reported meanwhile collects for the next. */
#ifndef AB_TASK_ENGINE_INTERNAL_H
#define AB_TASK_ENGINE_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "task/engine.h"
#include "task/question.h"
#include "task/transition.h"

/* The first event's body. */
#define ENGINE_STATUS_MADE "{\"status\":\"pending\"}"

struct ab_agent_seat {
    struct ab_engine *engine;
    struct ab_agent_profile told;    /* by the agent; strings owned */
    struct ab_agent_profile profile; /* with the configuration's words over it; strings of the two */
};

struct engine_agent {
    struct ab_agent_settings settings; /* strings owned */
    struct ab_agent_seat seat;
    struct ab_agent *agent;
    struct ab_metric *created;
    struct ab_metric *standing[AB_TASK_STATUS_COUNT]; /* gauges of those not terminal */
    struct ab_metric *finished[AB_TASK_STATUS_COUNT]; /* counters of those terminal */
    struct ab_metric *duration;
    struct ab_metric *first_report;
};

/* One conversation: its tasks in the order of their turns. Exists while it has hot tasks. */
struct thread {
    char *key;
    struct ab_list tasks;
};

/* How many unfinished tasks an owner has. */
struct owner {
    char *name;
    uint32_t unfinished;
};

/* A callback that is owed: either waiting in a hot task until its event (or its change of the wishes) `number` is
 * durable, or due. */
struct call {
    struct ab_link link;
    ab_created_fn created; /* one of the three */
    ab_steered_fn steered;
    ab_wished_fn wished;
    void *arg;
    int outcome;
    char *text;
    char task_id[AB_TASK_ID_SIZE]; /* "" : none to show */
    uint64_t number;
};

/* Answers that the agent has not heard yet. */
struct round {
    struct ab_link link;
    char *answers;
    uint64_t number; /* they are handed over once this event is durable */
};

/* A question of the open round, as the agent calls it and as it is shown. */
struct asked {
    char *key;
    char *shown;
};

struct hot {
    struct ab_engine *engine;
    struct ab_task task; /* what was decided; runs ahead of the store by the collected events */
    struct ab_task_request request;
    struct engine_agent *agent; /* NULL: no longer configured */
    struct ab_run *run;
    struct thread *thread;
    struct ab_link in_thread;
    struct ab_link in_attention; /* engine->attention */
    char *key;                   /* in engine->keys; or NULL */
    struct owner *owner;         /* while it counts against the quota */

    struct ab_event *events; /* collected, not yet handed to the store */
    size_t n_events;
    size_t events_capacity;
    size_t collected;        /* bytes of them */
    struct ab_event *flying; /* those of the commit under way */
    size_t n_flying;
    struct ab_event *recent; /* the newest of the durable ones, oldest first: watchers read them here */
    size_t n_recent;
    uint64_t durable;  /* number of the newest event in the store */
    uint64_t flight;   /* newest event of the commit under way; 0: none */
    bool flight_tells; /* it leaves deliveries */
    bool flight_moves; /* it has more than wishes */
    bool noted;        /* notes or answers of the row changed, with no event to tell of it */
    struct ab_list waiting;

    uint64_t wishes;         /* how often request.webhooks_json was changed */
    uint64_t wishes_durable; /* so many changes are in the store */
    uint64_t wishes_flight;  /* so many will be with the commit under way */
    uint32_t *dropped_lanes; /* for the next commit */
    size_t n_dropped_lanes;
    struct ab_list wish_calls;

    bool stored;  /* the row exists */
    bool begun;   /* executing was decided for the run of this process */
    bool started; /* and its agent was started */
    bool broken;  /* a commit was refused: only the end `storage` is still to come */
    bool astray;  /* broken, and the store could not say what it has: `task` is nobody's truth */
    bool gone;    /* nothing more to do: to be freed */
    bool left;    /* an earlier process began its run: the agent takes that up */
    bool counted; /* its end was logged and counted */
    char *broken_text;
    unsigned tries;

    struct ab_timer *timer; /* what it is for follows from the state: see engine_time.c */
    int64_t work_left_us;
    int64_t work_since_us; /* while `working` */
    bool working;
    int64_t paused_before_ms;       /* of the present pause, before this process */
    struct ab_timer *abandon_timer; /* while task.abandon_ms counts */
    int64_t born_us;

    size_t reported; /* bytes of all reports */
    bool reporting;  /* the first report has come */
    struct ab_buf chunks;
    struct ab_map used_keys; /* every key ever shown; values are not used */
    struct asked *asked;
    size_t n_asked;
    struct ab_list rounds; /* of answers for the agent, oldest first */
    char *secrets;         /* wiped at the end; or NULL */
};

/* One attempt at a task; handed to the agent. */
struct ab_run {
    struct hot *hot;
    void *context;
    struct ab_link in_slow; /* engine->slow */
    bool stop_due;
    bool stopped; /* ops->stop was called */
};

struct watch_list {
    struct ab_list watches;
};

struct ab_watch {
    struct ab_engine *engine; /* NULL once the engine is gone */
    struct ab_link in_list;
    struct ab_link in_due;
    char id[AB_TASK_ID_SIZE];
    ab_loop_fn changed;
    void *arg;
};

struct ab_engine {
    struct ab_engine_settings settings;
    struct engine_agent **agents;
    size_t n_agents;
    struct ab_map hot;     /* task id -> struct hot */
    struct ab_map threads; /* -> struct thread */
    struct ab_map keys;    /* owner, agent, idempotency key -> struct hot */
    struct ab_map owners;  /* -> struct owner */
    struct ab_map watches; /* task id -> struct watch_list */
    struct ab_list calls;  /* due */
    struct ab_list due_watches;
    struct ab_list attention; /* hot tasks with something to do */
    struct ab_list finished;  /* those that are freed at the turn's end */
    struct ab_list slow;      /* runs that were told to slow down */
    struct ab_timer *sweep_timer;
    struct ab_timer *slow_timer;
    size_t n_runs;
    size_t n_commits; /* under way, sweeps included */
    size_t collected; /* bytes of all events that wait for their task's commit under way */
    uint64_t swept_from;
    bool turn_due;
    bool shutting_down;
    bool freed; /* by its owner, while a turn was still due */
    ab_loop_fn shut_down_done;
    void *shut_down_arg;
    bool closing;     /* the agents have been told to */
    size_t n_closing; /* of them, those that have not closed yet */
    struct ab_metric *store_refused;
    struct ab_metric *create_seconds;
};

/* --- engine.c --- */
struct engine_agent *engine_agent_find(const struct ab_engine *engine, const char *id);

/* --- engine_turn.c --- */
void engine_turn_soon(struct ab_engine *engine);
/* Has the next turn look at this task: flush, start, stop, answer, free. */
void engine_attend(struct hot *hot);
int64_t engine_now(const struct ab_engine *engine);
int64_t engine_now_us(const struct ab_engine *engine);

/* --- engine_agents.c --- */
void engine_agents_attach(struct ab_engine *engine);
void engine_agents_free(struct ab_engine *engine);
/* Whether all agents have let go of what they hold; the first time it is asked, they are told to. */
bool engine_agents_closed(struct ab_engine *engine);

/* --- engine_call.c --- */
/* Both make a due call; `text` is copied, `task_id` may be NULL. */
struct call *engine_call_created(ab_created_fn created, void *arg, enum ab_create_outcome outcome, const char *task_id,
                                 const char *text);
struct call *engine_call_steered(ab_steered_fn steered, void *arg, enum ab_steer_outcome outcome, const char *task_id,
                                 const char *text);
struct call *engine_call_wished(ab_wished_fn wished, void *arg, enum ab_wish_outcome outcome, const char *text);
void engine_call_soon(struct ab_engine *engine, struct call *call);
/* Due once what is decided now about the task is durable. */
void engine_call_when_durable(struct hot *hot, struct call *call);
void engine_calls_release(struct hot *hot);
/* The commit they waited for was refused. */
void engine_calls_refuse(struct hot *hot, const char *text);
void engine_calls_run(struct ab_engine *engine);
void engine_call_free(struct call *call);

/* --- engine_hot.c --- */
/* Takes over `task` and `request` (both zeroed afterwards). It stands in the maps and at the end of its thread. */
AB_MUST struct hot *hot_new(struct ab_engine *engine, struct ab_task *task, struct ab_task_request *request);
void hot_free(struct hot *hot);
struct hot *hot_find(const struct ab_engine *engine, const char *id);
struct hot *hot_find_key(const struct ab_engine *engine, const char *owner, const char *agent, const char *key);
struct thread *thread_find(const struct ab_engine *engine, const char *owner, const char *thread_id);
struct hot *thread_first(const struct thread *thread);
/* Its owner may begin another one. */
void hot_discharge_owner(struct hot *hot);
uint32_t owner_unfinished(const struct ab_engine *engine, const char *owner);
bool hot_is_terminal(const struct hot *hot);
bool hot_is_durable(const struct hot *hot);
/* Whether it is the turn of this task in its thread. */
bool hot_has_turn(const struct hot *hot);
/* Moves the status (false: no such move) with event, gauges and timer; the _stay form keeps the status. */
bool hot_move(struct hot *hot, enum ab_task_status to, enum ab_task_reason reason, const char *message);
bool hot_stay(struct hot *hot, enum ab_task_reason reason, const char *message);
/* Ends it: open questions are withdrawn, `error_json` is made of `message` for failed and error. */
bool hot_end(struct hot *hot, enum ab_task_status to, enum ab_task_reason reason, const char *message);
/* As hot_end with error and a run that is to be wound down. */
AB_PRINTF(3, 4) void hot_fail(struct hot *hot, enum ab_task_reason reason, const char *format, ...);

/* --- engine_commit.c --- */
/* Collects an event; takes over `body` (from malloc). */
void hot_collect(struct hot *hot, enum ab_event_kind kind, char *body);
void hot_drop_events(struct hot *hot);
void hot_flush(struct hot *hot);
/* The next try to store the end of a broken task. */
void hot_try_again(struct hot *hot);

/* --- engine_look.c --- */
/* The commit under way is durable: its events are among the newest in memory. */
void hot_landed(struct hot *hot);
/* It was refused: its events are gone. */
void hot_lost(struct hot *hot);
/* Whoever looks is answered by the store again. */
void hot_forget_recent(struct hot *hot);
/* The row as it is durable, copied; returns as the store's get. */
int engine_durable_row(struct ab_engine *engine, const char *id, struct ab_task *out);

/* --- engine_run.c --- */
/* Decides that it executes; once that is durable, run_start starts the agent: a crash in between must not run it twice.
 */
void run_begin(struct hot *hot);
/* The same for one that the agent takes up: nothing is decided anew. */
void run_continue(struct hot *hot);
void run_start(struct hot *hot);
void run_stop_soon(struct hot *hot);
void run_attend(struct hot *hot);
void engine_slow_check(void *arg);

/* --- engine_report.c --- */
void hot_report(struct hot *hot, const struct ab_report *report);

/* --- engine_history.c --- */
/* The thread's earlier turns as a JSON array; the caller frees. */
AB_MUST char *engine_history(struct ab_engine *engine, const struct ab_task *task);

/* --- engine_ask.c --- */
/* The agent asks; what is malformed ends the task. */
void hot_ask(struct hot *hot, const char *asked_json);
void hot_withdraw_questions(struct hot *hot);
/* Whether these may be taken: DONE, NO_QUESTION, or MISFIT with `text`, which the caller frees. */
enum ab_steer_outcome hot_check_answers(const struct hot *hot, struct ab_json answers, struct ab_json *misfit,
                                        char **text);
/* Keeps with an open question why an answer to it was not taken, and tells the watchers. */
void hot_note_problem(struct hot *hot, struct ab_json key, const char *problem);
/* Takes them, checked; the agent hears of them once they are durable and no question is open. */
void hot_take_answers(struct hot *hot, struct ab_json answers);
/* A whole round for the agent, once event `number` is durable; takes over `answers` (from malloc). */
void hot_add_round(struct hot *hot, char *answers, uint64_t number);
/* The oldest round, which the agent may hear now; NULL: none. The caller frees. */
AB_MUST char *hot_take_round(struct hot *hot);
/* Fills used_keys from the log, for a task that is run again. */
void hot_recall_keys(struct hot *hot);
/* Fills in what the open round is called by the agent, for a run that is taken up. */
void hot_recall_round(struct hot *hot);

/* --- engine_time.c --- */
void hot_clock_stop(struct hot *hot);
void hot_clock_arm(struct hot *hot);
/* Between hot_clock_stop and hot_clock_arm, for a task whose work went on while no process followed it: its time went
 * on as well. */
void hot_clock_recall(struct hot *hot);
/* Starts the time of an abandoned task, where it is one. */
void hot_abandon_arm(struct hot *hot);
void engine_sweep_arm(struct ab_engine *engine);

/* --- engine_watch.c --- */
/* Whether anybody watches this task. */
bool engine_is_watched(const struct ab_engine *engine, const char *id);
void engine_watch_notify(struct ab_engine *engine, const char *id);
void engine_watches_run(struct ab_engine *engine);
void engine_watches_orphan(struct ab_engine *engine);

/* --- engine_wish.c --- */
/* Whether a change of the wishes waits for its commit. */
bool hot_has_wishes(const struct hot *hot);
/* The commit that held them is durable, or was refused: then they are again what the store has. */
void hot_wishes_stored(struct hot *hot);
void hot_wishes_refused(struct hot *hot, const char *text);

/* --- engine_steer.c --- */
void hot_stop(struct hot *hot, const char *message);

/* --- engine_metrics.c --- */
void engine_metrics_init(struct ab_engine *engine);
void engine_metrics_agent(struct ab_engine *engine, struct engine_agent *agent);
void engine_count_created(struct hot *hot);
void engine_count_finished(struct hot *hot);
void engine_count_move(struct hot *hot, enum ab_task_status from, enum ab_task_status to);

#endif
