/* What the files of the `a2a` agent share; nobody else includes it.
 *
 * A run follows one task of the remote agent. It has at most one request open (`call`), and a timer that leads to the
 * next one. It ends in one way only: a2a_run_end lets go of the request and the timer, and in the loop's next turn
 * everything is freed and the engine hears ab_run_ended. */
#ifndef AB_AGENTS_A2A_RUN_H
#define AB_AGENTS_A2A_RUN_H

#include "a2a/client_card.h"
#include "a2a/client_news.h"
#include "a2a/client_reply.h"
#include "a2a/client_request.h"
#include "agents/a2a.h"
#include "agents/a2a_receiver.h"
#include "base/list.h"

struct a2a_agent;
struct a2a_call;

/* --- a2a_card.c: the card, fetched ahead and kept fresh --- */

struct a2a_directory {
    struct a2a_agent *agent; /* NULL once that is gone: the fetch under way still comes to its end */
    struct ab_a2a_client_card card;
    bool known;    /* `card` holds one */
    char *failure; /* why the last fetch came to nothing; or NULL */
    char *tag;     /* the card's ETag; or NULL */
    struct ab_http_call *call;
    struct ab_buf body;
    unsigned status;
    uint32_t fresh_ms; /* what the answer's Cache-Control allows; 0: it says nothing */
    struct ab_timer *timer;
    unsigned failures; /* in a row */

    struct ab_a2a_client_card extended; /* what it says of itself there is told in place of what `card` says */
    bool extended_known;
    bool extended_failed;    /* the last one that came */
    struct a2a_call *asking; /* for it; or NULL */
};

AB_MUST struct a2a_directory *a2a_directory_new(struct a2a_agent *agent);
void a2a_directory_free(struct a2a_directory *directory);
/* Fetches the card unless that is under way; a2a_agent_card_came follows. */
void a2a_directory_fetch(struct a2a_directory *directory);
/* Reads a card as the operator wants it; see ab_a2a_client_card_read. */
AB_MUST bool a2a_directory_read(const struct a2a_directory *directory, struct ab_str text,
                                struct ab_a2a_client_card *out, char *reason, size_t reason_size);
/* Tells the engine what the agent says of itself. */
void a2a_directory_describe(const struct a2a_directory *directory);

/* --- a2a_extended.c: the card for those who are let in --- */

/* Asks for it, where the card that is known now offers one. */
void a2a_extended_ask(struct a2a_directory *directory);
/* Asks no more. */
void a2a_extended_drop(struct a2a_directory *directory);

/* --- a2a.c --- */

struct a2a_agent {
    struct ab_agent base;
    struct ab_a2a_remote_settings settings; /* strings owned */
    struct ab_agent_seat *seat;             /* or NULL: the engine has not begun */
    struct a2a_directory *directory;
    struct ab_list waiting; /* runs that need the card first */
};

/* There is a card now, or the fetch of one failed: runs that wait go on, or end. */
void a2a_agent_card_came(struct a2a_agent *agent);

/* --- a2a_call.c: one request to the agent --- */

struct a2a_call_events {
    void (*alive)(void *arg); /* bytes came */
    void (*result)(void *arg, struct ab_json result);
    /* One of these is the last event. */
    void (*refused)(void *arg, const struct ab_a2a_client_refusal *refusal);
    void (*broken)(void *arg, const char *reason);             /* what came is no answer of an A2A agent */
    void (*lost)(void *arg, bool reached, const char *reason); /* cut off; `reached`: the request had got there */
    void (*ended)(void *arg);
};

/* Takes the request over. `patience_ms` bounds the whole call; 0: it is a stream, or may take as long as it likes. */
AB_MUST struct a2a_call *a2a_call_new(struct a2a_agent *agent, struct ab_a2a_client_request *request,
                                      uint32_t patience_ms, const struct a2a_call_events *events, void *arg);
/* No more events; may be called from inside one. NULL is accepted. */
void a2a_call_drop(struct a2a_call *call);
void a2a_call_pause(struct a2a_call *call, bool paused);

/* --- a2a_ask.c: what the agent asks, and the answers --- */

/* How the open question came, which is how it is answered. */
enum a2a_asked {
    A2A_ASKED_NOTHING,
    A2A_ASKED_BY_KEY,   /* as data {"questions"}: answered as data {"answers"} */
    A2A_ASKED_IN_WORDS, /* answered in words */
    A2A_ASKED_TO_SIGN_IN
};

/* The question of a task in INPUT_REQUIRED or AUTH_REQUIRED, as AB_REPORT_ASK has it; the caller frees. `parts_json` of
 * its status' message, or NULL; `problem`: why the last answer was not taken, or NULL. */
AB_MUST char *a2a_question(enum ab_a2a_state state, const char *parts_json, const char *problem, enum a2a_asked *asked);
/* The parts of the message that gives these answers; the caller frees. */
AB_MUST char *a2a_answer_parts(enum a2a_asked asked, const char *answers_json);
/* The texts of parts together; the caller frees. NULL where there are none. */
AB_MUST char *a2a_words(const char *parts_json);

/* --- a2a_context.c: which conversation of the agent a thread of ours is --- */

/* NULL, or a fresh text. */
AB_MUST char *a2a_context_recall(const struct a2a_agent *agent, const char *owner, const char *thread_id);
void a2a_context_keep(const struct a2a_agent *agent, const char *owner, const char *thread_id, const char *context);

/* --- a2a_receiver.c: where the agent posts what becomes of the task --- */

struct a2a_run;

/* Posts for this run reach it (a2a_run_notified), until it leaves; nothing without `push`. */
void a2a_receiver_enter(struct a2a_run *run);
void a2a_receiver_leave(struct a2a_run *run);
/* The run's own address and a token for it, to be freed; NULL without `push`, or where none can be had. Each token is
 * another, and each is good. */
AB_MUST char *a2a_receiver_url(const struct a2a_run *run);
AB_MUST char *a2a_receiver_token(const struct a2a_run *run);

/* --- a2a_run.c --- */

enum a2a_call_kind {
    A2A_CALL_NONE,
    A2A_CALL_SEND,
    A2A_CALL_SUBSCRIBE,
    A2A_CALL_GET,
    A2A_CALL_CANCEL,
    A2A_CALL_FORGET /* takes back the address for posts */
};

/* An artifact as far as it has been told here. */
struct a2a_artifact {
    char *id;
    uint64_t hash; /* of its parts */
    struct ab_buf text;
};

/* A message that the agent has not been heard to have taken; JSON or NULL. */
struct a2a_message {
    char *parts;
    char *metadata;
    char *extensions;
    char *request_metadata;
    char *output_modes;
};

struct a2a_run {
    struct a2a_agent *agent;
    struct ab_run *run;
    struct ab_link waiting; /* for the card */
    struct ab_timer *timer;
    void (*due)(struct a2a_run *run); /* what the timer leads to */
    struct a2a_call *call;
    enum a2a_call_kind kind;
    const struct ab_a2a_version *version; /* that the call was made in: the card may change meanwhile */
    bool paused;                          /* the engine is behind: nothing is read */
    bool over;                            /* nothing more is reported */
    bool stopping;                        /* it is being cancelled there */
    bool ended;                           /* to be freed in the next turn */

    char *owner;
    char *thread_id;
    char *id;      /* of the messages, but for their number; a2a_run_id */
    char *task;    /* there; or NULL: not known yet */
    char *context; /* there; or NULL */
    unsigned messages;
    struct a2a_message message; /* `parts` NULL: none is under way */
    bool heard;                 /* the present send was answered */
    bool answering;             /* the message answers `question`, and nothing has come of it yet */
    bool look_first;            /* it may have got there before: the task says whether it still asks */
    bool unmoved;               /* it does */
    bool taken_up;              /* an earlier process began it, and no answer was given since */

    enum ab_a2a_state state;
    enum a2a_asked asked;
    uint64_t question; /* hash of the open one */
    char *problem;     /* why the last answer was refused; or NULL */
    char *doing;       /* last words about what it does */
    struct a2a_artifact *artifacts;
    size_t n_artifacts;
    size_t chunked;    /* bytes of the answer that were told in pieces */
    char *result;      /* the whole answer's parts, where it came as the result's artifact */
    unsigned failures; /* in a row */
    uint32_t interval_ms;
    bool no_subscribe;

    bool pushing;      /* the present send has an address for posts with it */
    char *pushed;      /* the address that the agent has of us; or NULL: it does not post */
    bool no_push;      /* it did not take one */
    bool notified;     /* it posted since the last look began */
    int64_t looked_us; /* when that was; 0: never */
};

/* What the run of this task's attempt is called at the agent; the caller frees. */
AB_MUST char *a2a_run_id(const struct ab_task *task);

AB_MUST struct a2a_run *a2a_run_new(struct a2a_agent *agent, struct ab_run *run, const struct ab_task *task);
/* The card is there, or the run needs no other: begins, or goes on. */
void a2a_run_go(struct a2a_run *run);
/* The open question is answered; `doubtful`: an earlier process may have told the agent already. */
void a2a_run_answer(struct a2a_run *run, const char *answers_json, bool doubtful);
/* Reads on after a report that was too much. */
void a2a_run_resume(struct a2a_run *run);
/* The agent, or whoever has its token, posted that something became of the task. */
void a2a_run_notified(struct a2a_run *run);
/* Nothing is reported any more; what runs there is cancelled, for as long as that takes at most. */
void a2a_run_stop(struct a2a_run *run);
/* Lets go of everything, in the next turn. */
void a2a_run_end(struct a2a_run *run);
/* Reports; an end, or the engine's word that the task is over, is noted in `over`. */
void a2a_run_report(struct a2a_run *run, const struct ab_report *report);
/* The agent broke the protocol or cannot be reached: the task ends in error. */
AB_PRINTF(3, 4) void a2a_run_fail(struct a2a_run *run, enum ab_task_reason reason, const char *format, ...);

/* The way through, as a2a_refused.c goes back to it. The timer leads to `due` in so many ms, in place of what it led to
 * before. */
void a2a_run_wait(struct a2a_run *run, uint64_t ms, void (*due)(struct a2a_run *run));
/* A fifth more or less, so that many runs do not come at once. */
uint64_t a2a_run_jittered(const struct a2a_run *run, uint64_t ms);
/* Sends the message that is under way; looks at the task; follows it by what the agent offers. */
void a2a_run_send(struct a2a_run *run);
void a2a_run_look(struct a2a_run *run);
void a2a_run_follow(struct a2a_run *run);
/* What the message was for has happened: it is not sent again. */
void a2a_run_taken(struct a2a_run *run);

/* --- a2a_refused.c: a request came to nothing, and its call is gone --- */

/* A message that nothing had been heard of, a look, or anything else. */
void a2a_send_refused(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal);
void a2a_look_refused(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal);
void a2a_stream_refused(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal);
/* Nothing shows that the message got there; `reached`: it may have. */
void a2a_send_lost(struct a2a_run *run, bool reached, const char *reason);
/* A look or a stream. */
void a2a_follow_lost(struct a2a_run *run);

/* --- a2a_tell.c: what is told there becomes reports here --- */

/* False: it is told of another task; the run has failed. */
AB_MUST bool a2a_tell(struct a2a_run *run, const struct ab_a2a_news *news);

/* --- a2a_notes.c: what a run must know after a restart --- */

/* Hands the engine the notes as they are now. */
void a2a_notes_keep(struct a2a_run *run);
void a2a_notes_read(struct a2a_run *run, const char *notes_json);

#endif
