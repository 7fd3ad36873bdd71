/* A call that follows a task: until it rests (a blocking send), or as a stream of what happens to it. A stream is a
 * cursor into the task's log: a slow reader lags behind, and costs no memory. */
#ifndef AB_A2A_FOLLOW_H
#define AB_A2A_FOLLOW_H

#include "a2a/request.h"

enum ab_a2a_follow_kind {
    AB_A2A_FOLLOW_NOT,      /* the task as it is, at once */
    AB_A2A_FOLLOW_WAIT,     /* the task, once it has ended or waits for somebody */
    AB_A2A_FOLLOW_STREAM,   /* of a message: ends with the task, or when the caller is to say something */
    AB_A2A_FOLLOW_SUBSCRIBE /* ends with the task */
};

/* Becomes the call's. `history_length` is for the task in the answer; < 0: all. */
struct ab_a2a_follow *ab_a2a_follow_new(struct ab_a2a_call *call, enum ab_a2a_follow_kind kind, int64_t history_length);
/* NULL is accepted. */
void ab_a2a_follow_free(struct ab_a2a_follow *follow);
/* The task is there. `fresh`: the call has made it, and is told of it from its beginning on; else as it stands. Ends
 * the call when there is nothing to wait for. */
void ab_a2a_follow_task(struct ab_a2a_follow *follow, const struct ab_task *task, bool fresh);
/* The client reads again. */
void ab_a2a_follow_go_on(struct ab_a2a_follow *follow);
/* Whether the caller wants events, not an answer. */
bool ab_a2a_follow_is_stream(const struct ab_a2a_follow *follow);
/* Whether it is a stream that a shutdown does not wait for. */
bool ab_a2a_follow_is_open_ended(const struct ab_a2a_follow *follow);

#endif
