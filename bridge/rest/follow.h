/* A call that follows a task: until it rests (a synchronous invocation), or as a stream of what happens to it. A stream
 * is a cursor into the task's log: a slow reader lags behind, and costs no memory. */
#ifndef AB_REST_FOLLOW_H
#define AB_REST_FOLLOW_H

#include "rest/call.h"

enum ab_rest_follow_kind {
    AB_REST_FOLLOW_WAIT,   /* the task, once it has ended or waits for somebody */
    AB_REST_FOLLOW_STREAM, /* what happens to it, as the platform streams it */
    AB_REST_FOLLOW_EVENTS  /* the same with ids, to go on behind any of them */
};

/* Follows the task from behind the event `after`; becomes the call's. `id` is what the task is called here. */
void ab_rest_follow_task(struct ab_rest_call *call, enum ab_rest_follow_kind kind, const struct ab_task *task,
                         const char *id, uint64_t after);
/* NULL is accepted. */
void ab_rest_follow_free(struct ab_rest_follow *follow);
/* The client reads again. */
void ab_rest_follow_go_on(struct ab_rest_follow *follow);
/* Whether it is a stream that a shutdown does not wait for. */
bool ab_rest_follow_is_open_ended(const struct ab_rest_follow *follow);

#endif
