/* What the files of the `platform` agent share; nobody else includes it.
 *
 * A run has two calls at most: the main one asks for the work and follows it, the side one carries what is said
 * meanwhile (an answer, a stop). Whatever happens to a call, one function decides what comes next (platform_next.c).
 * A run ends in one way only: `ending` is set, both calls are gone, and in the loop's next turn everything is freed and
 * the engine hears ab_run_ended. */
#ifndef AB_AGENTS_PLATFORM_RUN_H
#define AB_AGENTS_PLATFORM_RUN_H

#include "agents/platform.h"
#include "base/buf.h"
#include "base/map.h"
#include "rest/client_event.h"
#include "rest/client_scrub.h"
#include "wire/sse.h"

struct platform_agent {
    struct ab_agent base;
    struct ab_platform_settings settings; /* strings owned */
    char **headers;                       /* of every call, the key among them; NULL-terminated */
    bool no_streams;                      /* it has been seen that the platform has none */
    bool bridge;                          /* and that it is another bridge: that one knows what it has been sent */
};

/* What a call is for. */
enum platform_purpose {
    PLATFORM_INVOKE, /* asks for the work */
    PLATFORM_LOOK,   /* finds out whether an invocation arrived */
    PLATFORM_ATTACH, /* follows the events of a task behind another bridge */
    PLATFORM_POLL,   /* asks how the task stands */
    PLATFORM_REPLY,  /* side: gives answers, to another bridge or to the platform's own approvals */
    PLATFORM_STOP    /* side */
};

/* Who answers what the task waits for, and how. */
enum platform_wait {
    PLATFORM_NOTHING,   /* it does not wait */
    PLATFORM_BRIDGE,    /* the other bridge takes answers */
    PLATFORM_TURN,      /* the answer is the conversation's next turn */
    PLATFORM_SIGN_IN,   /* a page is to be visited, of which an event told; the platform then goes on by itself */
    PLATFORM_CONNECTOR, /* the same, and the task itself tells when it is done */
    PLATFORM_APPROVAL   /* somebody is to approve: by the configured routes, or on the platform */
};

struct platform_call {
    struct platform_run *run;
    struct ab_http_call *call; /* NULL: none is under way */
    enum platform_purpose purpose;
    unsigned status; /* 0 until the head is there */
    bool events;     /* the answer is a stream */
    bool heard;      /* an event has come */
    bool too_large;
    struct ab_buf body;
    struct ab_sse_reader *reader;
    int64_t retry_after_ms; /* as the answer wishes; 0: it does not say */
    int64_t there_ms;       /* the other end's clock; 0: it does not say */
};

struct platform_run {
    struct platform_agent *agent;
    struct ab_run *run;
    struct platform_call main;
    struct platform_call side;
    struct ab_timer *timer;      /* for the next main call */
    struct ab_timer *side_timer; /* for the next side call */
    struct ab_timer *note_timer; /* for notes that can wait */
    enum platform_purpose next;  /* what `timer` is for */
    enum platform_purpose next_side;

    /* What was asked for; ours. */
    struct ab_task_request request;
    char *title;
    char *surface;
    uint32_t turn; /* of the thread */
    struct ab_rest_scrub *scrub;

    /* Where it stands there; kept in the notes. */
    char *conversation; /* the id that the platform knows the thread by: ours to choose */
    char *upstream;     /* what the task is asked after by; the conversation until the platform says otherwise */
    bool arrived;       /* the invocation is known to have */
    bool bridge;        /* another bridge is behind it */
    unsigned round;     /* the invocations of this task: 1, and one more for each question that a turn answers */
    int64_t began_ms;   /* when this round's was first sent; wall clock */
    char *cursor;       /* or NULL: the id of the last event */
    enum platform_wait wait;
    uint64_t mark; /* of what was last asked, so that it is not asked twice */

    /* Where it stands here. */
    enum ab_rest_mode mode;
    bool sent;               /* an invocation was */
    char *answer_text;       /* the next turn's text; or NULL */
    char *answers;           /* on their way; or NULL */
    char *reply_route;       /* where they go */
    uint64_t answered_mark;  /* of what they answer */
    bool turn_due;           /* the next turn is to be begun once the main call is gone */
    bool resync;             /* the task is to be asked after before it is followed */
    char *said;              /* the last words about its state */
    char *progress;          /* as last told by a task */
    struct ab_map artifacts; /* id -> hash of what was told of it */
    unsigned tries;          /* that failed in a row */
    unsigned side_tries;
    int64_t ahead; /* the event up to which a bridge's task was told of as a whole */
    unsigned gone; /* times in a row that the platform did not know the task */
    uint32_t pause_ms;
    bool no_events;       /* the other bridge has none to follow */
    bool slow;            /* the engine cannot take more now */
    bool told;            /* something has been reported since the notes were stored */
    bool note_due;        /* the timer for them runs */
    int64_t left_ms;      /* when the task last changed before a restart; wall clock */
    bool answered_before; /* what it waited for was answered before a restart: whether that was sent is not known */
    bool noted;           /* what the notes hold has changed */
    bool over;     /* nothing more is reported: it is finished, or the engine has ended it and says what is next */
    bool finished; /* its end was reported */
    bool stopping; /* and the work is to be stopped there */
    bool ending;   /* nothing more is begun */
};

/* --- platform.c --- */
/* Reports what has been scrubbed; an end, or the engine's word that the task is over, sets `over`. */
void platform_report(struct platform_run *run, const struct ab_report *report);
/* Text (or NULL) and JSON are scrubbed on the way. */
void platform_report_text(struct platform_run *run, enum ab_report_kind kind, struct ab_str text);
AB_PRINTF(3, 4)
void platform_fail(struct platform_run *run, enum ab_task_reason reason, const char *format, ...);
/* Nothing more is begun; calls under way are cut off; the rest follows by itself. */
void platform_end(struct platform_run *run);
/* After a call's end: the rest of it, once no call is left. */
void platform_end_when_idle(struct platform_run *run);
/* Stores what the notes hold, if that has changed: with what was just reported, else in a moment, for a task that is
 * soon over needs none. */
void platform_note(struct platform_run *run);

/* --- platform_notes.c --- */
AB_MUST char *platform_notes_write(const struct platform_run *run);
/* False: they are none of ours. */
AB_MUST bool platform_notes_read(struct platform_run *run, const char *notes_json);

/* --- platform_call.c --- */
/* Begins a call on its slot, which is free. */
void platform_call_start(struct platform_run *run, enum platform_purpose purpose);
void platform_call_cancel(struct platform_call *call);
/* Follows how fast the engine takes what comes. */
void platform_call_pause(struct platform_call *call, bool paused);
void platform_call_deinit(struct platform_call *call);
bool platform_is_side(enum platform_purpose purpose);

/* --- platform_next.c --- */
void platform_invoke(struct platform_run *run);
/* Something was heard of the task: the invocation is there. */
void platform_arrived(struct platform_run *run);
/* After a restart: an invocation of which nothing is known. */
void platform_look(struct platform_run *run);
/* Follows a task that is there, by its events or by asking after it. */
void platform_follow(struct platform_run *run);
void platform_reply(struct platform_run *run);
/* Stops the work there, then ends the run. */
void platform_stop(struct platform_run *run);
/* The timers' callbacks. */
void platform_due(void *arg);
void platform_side_due(void *arg);
/* A call has ended; its slot is free again, what it brought is still in it. */
void platform_call_ended(struct platform_call *call, enum ab_http_call_outcome outcome, const char *text);

/* --- platform_tell.c --- */
void platform_tell_task(struct platform_run *run, const struct ab_rest_task *task);
void platform_tell_event(struct platform_run *run, const struct ab_rest_event *event);
/* The answers to what it waits for. */
void platform_take_answers(struct platform_run *run, const char *answers_json);

#endif
