/* A delivery: one thing that somebody elsewhere is to be told of a task, kept in the store's outbox until that has been
 * done. What it says and to whom is opaque here; deliver/ knows. */
#ifndef AGENTBRIDGE_DELIVERY_H
#define AGENTBRIDGE_DELIVERY_H

#include "agentbridge/task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ab_delivery_state {
    AB_DELIVERY_DUE,    /* to be tried at next_at */
    AB_DELIVERY_QUEUED, /* behind an earlier one of its lane */
    AB_DELIVERY_DEAD,   /* given up: kept for the operator until its task goes */
    AB_DELIVERY_STATE_COUNT
};

/* One row of the outbox; those that were delivered leave it. Strings are owned by the struct. Times are ms since the
 * epoch. */
struct ab_delivery {
    uint64_t id; /* given by the store, ascending, never used twice; 0 before */
    char task[AB_TASK_ID_SIZE];
    uint32_t lane;     /* which of the task's targets: deliveries of one lane go out one after the other */
    uint64_t event;    /* number of the event that it tells of */
    char *kind;        /* "rest-webhook", ...: who encodes it */
    char *receiver;    /* what shares a bound: scheme, host and port of the target */
    char *target_json; /* where to and how; no secret that is not sealed */
    enum ab_delivery_state state;
    int64_t created_at;
    int64_t started_at; /* from when the time to give up counts */
    int64_t next_at;
    uint32_t attempts;
    char *last_error; /* or NULL */
};

/* "due", "queued", "dead"; the reverse is false for another name. */
const char *ab_delivery_state_name(enum ab_delivery_state state);
AB_MUST bool ab_delivery_state_parse(const char *name, enum ab_delivery_state *out);

/* A deep copy that the caller owns; deinit frees what the struct points to and may be repeated. */
void ab_delivery_copy(struct ab_delivery *out, const struct ab_delivery *delivery);
void ab_delivery_deinit(struct ab_delivery *delivery);

#ifdef __cplusplus
}
#endif
#endif
