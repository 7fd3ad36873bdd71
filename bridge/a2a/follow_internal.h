/* Inside the following of a task: what follow.c and tell.c share. Nobody else includes it. */
#ifndef AB_A2A_FOLLOW_INTERNAL_H
#define AB_A2A_FOLLOW_INTERNAL_H

#include "a2a/follow.h"
#include "a2a/write.h"

/* What a stream tells; log lines are for the operator's and the developer's eyes, on other faces. */
#define FOLLOW_TOLD (AB_EVENTS_ALL & ~AB_EVENT_BIT(AB_EVENT_LOG) & ~AB_EVENT_BIT(AB_EVENT_SAY))

struct ab_a2a_follow {
    struct ab_a2a_call *call;
    enum ab_a2a_follow_kind kind;
    int64_t history_length;
    char task_id[AB_TASK_ID_SIZE];
    char *context_id;
    struct ab_watch *watch;
    struct ab_timer *head_timer; /* while a new task may still turn out to be a message */
    uint64_t cursor;
    bool fresh;      /* the call has made the task, and its caller knows of none yet */
    bool told;       /* the stream has begun with the task */
    bool chunked;    /* pieces of the result have been told */
    bool over;       /* nothing follows */
    char *questions; /* asked last */
};

/* --- follow.c --- */

struct ab_engine *follow_engine(const struct ab_a2a_follow *follow);
/* What stands up to this event and was not told is not wanted: it is not looked at again. */
void follow_pass(struct ab_a2a_follow *follow, uint64_t number);
/* Nothing is waited for any more; the exchange's end frees the rest. */
void follow_stop(struct ab_a2a_follow *follow);
/* The task cannot be read: the call is refused. */
void follow_fail(struct ab_a2a_follow *follow);

/* --- tell.c --- */

/* Tells the task as it is given. False: it could not be read, and the call was refused. */
AB_MUST bool follow_tell_task(struct ab_a2a_follow *follow, const struct ab_task *task, bool artifacts);
/* Whether the stream ends with this state: with the task, or when it is the caller's turn to speak. */
bool follow_ends_with(const struct ab_a2a_follow *follow, enum ab_a2a_state state);
/* Tells a status, and ends the stream where it ends with that. `metadata_json` or NULL. */
void follow_tell_status(struct ab_a2a_follow *follow, const struct ab_a2a_status *status, const char *metadata_json);
/* Tells what stands in the log behind the cursor, until the client is behind or nothing follows. */
void follow_tell_events(struct ab_a2a_follow *follow);
/* Tells the pieces of the answer up to the cursor as one, for a stream that began after them. */
void follow_tell_pieces(struct ab_a2a_follow *follow);

#endif
