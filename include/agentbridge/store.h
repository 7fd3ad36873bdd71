/* The port of a store: where tasks and their event logs outlive the process.
 *
 * All functions are called on the loop's thread. Commits are asynchronous and take effect in the order they were
 * handed over; reads are synchronous, see only what is committed, and should take microseconds. One contract test
 * (tests/unit/support/store_contract.h) runs against every implementation. */
#ifndef AGENTBRIDGE_STORE_H
#define AGENTBRIDGE_STORE_H

#include "agentbridge/delivery.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a commit ended. Everything but AB_STORE_DONE left the store exactly as it was. */
enum ab_store_outcome {
    AB_STORE_DONE = 0,     /* on disk (for a store that has one) */
    AB_STORE_CONFLICT = 1, /* the row was not at `expected_last_event`, or the new id or idempotency key exists */
    AB_STORE_REFUSED = 2   /* the medium refused: full, read-only, broken; a later try may succeed */
};

/* Called once for each commit, on the loop's thread, never from inside commit(). `text` says what happened when the
 * outcome is not AB_STORE_DONE ("disk full"), for a person; it is valid during the call. */
typedef void (*ab_store_done_fn)(void *arg, enum ab_store_outcome outcome, const char *text);

/* One transaction: a task's row as it stands afterwards, and the events that led there. A row has a finished_at when
 * its status is terminal, and only then. */
struct ab_store_commit {
    const struct ab_task *task;
    const struct ab_task_request *request; /* on creation; else NULL, the stored one stays */
    uint64_t expected_last_event;          /* the stored row's last_event; ignored on creation */
    const struct ab_event *events;         /* numbered expected_last_event + 1 ...; may be none */
    size_t n_events;
    const struct ab_delivery *deliveries; /* what leaves with it: those of this task, `id` and `state` are the store's
                                             to set */
    size_t n_deliveries;
    const char *webhooks_json;     /* on update: the request's become these; NULL: they stay */
    const uint32_t *dropped_lanes; /* on update: of these lanes nothing is to leave any more, nor be kept as given up */
    size_t n_dropped_lanes;
};

/* How an attempt to deliver ended, or what the operator wants of it. */
enum ab_settlement_kind {
    AB_SETTLE_SENT,  /* done: the row goes, the next of its lane is due at `at` */
    AB_SETTLE_LATER, /* one more attempt at `at` */
    AB_SETTLE_DEAD,  /* given up: the row is kept, the next of its lane is due at `at` */
    AB_SETTLE_RESEND /* a dead one, or one that waits for its next attempt, starts anew at `at` */
};

struct ab_settlement {
    uint64_t delivery;
    enum ab_settlement_kind kind;
    int64_t at;
    const char *error; /* or NULL; what went wrong, without secrets */
};

/* What a list goes by. The newest come first; of one moment, those with the greater id. */
enum ab_store_order {
    AB_STORE_BY_CREATION, /* created_at: a task keeps its place */
    AB_STORE_BY_CHANGE    /* updated_at: once it has ended a task keeps its place */
};

/* What to list; a zeroed filter lists everything by creation. "Its time" is the one that the order goes by.
 *
 * Without a thread and an id's prefix a list costs what is told and skipped, what is open, and a little for each agent
 * of each owner in question: not what has ended. With a thread it costs that thread. */
struct ab_store_filter {
    const char *owner;     /* or NULL: all */
    const char *agent;     /* or NULL */
    const char *thread_id; /* or NULL */
    const char *id_prefix; /* or NULL; hexadecimal digits in lower case */
    uint32_t statuses;     /* set of 1u << status; 0: all */
    uint32_t reasons;      /* set of 1u << reason; 0: all */
    bool latest;           /* of each owner's thread only the task that was created last */
    int64_t from_at;       /* its time is not before this; 0: whenever */
    int64_t to_at;         /* and not after this; 0: whenever */
    enum ab_store_order order;
    int64_t before_at; /* with before_id: only what comes after this place in the order; 0: from the newest */
    const char *before_id;
    size_t skip;  /* so many are left out first */
    size_t limit; /* then at most so many; 0: all */
    bool brief; /* without questions, result, error, notes and answers: whoever walks over many rows does not read them
                 */
};

/* Called for each row or event; the argument is valid during the call. Returning false ends the reading. */
typedef bool (*ab_store_task_fn)(void *arg, const struct ab_task *task);
typedef bool (*ab_store_event_fn)(void *arg, const struct ab_event *event);
typedef bool (*ab_store_delivery_fn)(void *arg, const struct ab_delivery *delivery);
typedef bool (*ab_store_receiver_fn)(void *arg, const char *receiver, int64_t next_at);

/* Reads return AB_OK, or AB_STORE_NONE where nothing is there, or < 0. */
#define AB_STORE_NONE 1

/* A small record that faces and auth/ keep beside the tasks: session settings, deletions, sealed credentials. */
struct ab_store_record {
    const char *kind; /* "session", ... */
    const char *id;   /* unique within its kind */
    const char *owner;
    int64_t expires_at; /* ms since the epoch; 0: never */
    struct ab_str body;
};
typedef bool (*ab_store_record_fn)(void *arg, const struct ab_store_record *record);

struct ab_store;

struct ab_store_ops {
    /* Hands a transaction over. Copies all it needs before it returns. `done` may be NULL. */
    void (*commit)(struct ab_store *store, const struct ab_store_commit *commit, ab_store_done_fn done, void *arg);

    /* One task's row, filled into `out`, which the caller then owns (ab_task_deinit). */
    int (*get)(struct ab_store *store, const char *id, struct ab_task *out);
    /* What it was created with; the caller owns `out` (ab_task_request_deinit). */
    int (*get_request)(struct ab_store *store, const char *id, struct ab_task_request *out);
    /* The task of this idempotency key; fills `id`. */
    int (*find_key)(struct ab_store *store, const char *owner, const char *agent, const char *key,
                    char id[AB_TASK_ID_SIZE]);
    /* Tasks that fit the filter, in its order. */
    int (*list)(struct ab_store *store, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg);
    /* Events of a task with a number above `after` and a kind in `kinds`, in order, at most `limit` (0: all).
     * AB_OK also when there is none. */
    int (*events)(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                  ab_store_event_fn each, void *arg);
    /* How many tasks fit the filter, whatever its place, skip and limit say. Costs as little as a list's page; with
     * from_at or to_at, a walk over that part of an index. */
    int (*total)(struct ab_store *store, const struct ab_store_filter *filter, uint64_t *total);
    /* How many tasks stand in each status, over all owners: counts[status]. From memory, never a scan. */
    int (*count)(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT]);

    /* Removes tasks that finished before this time, oldest first, at most `limit` (0: all), with all that belongs to
     * them. */
    void (*sweep)(struct ab_store *store, int64_t finished_before, size_t limit, ab_store_done_fn done, void *arg);

    /* Removes one task that has finished, with all that belongs to it. AB_STORE_CONFLICT: there is no such one. */
    void (*remove)(struct ab_store *store, const char *id, ab_store_done_fn done, void *arg);

    /* Records: put replaces; remove of an absent one is done; get gives AB_STORE_NONE for an absent or expired one and
     * calls `each` once otherwise. Swept by sweep() when expired. */
    void (*put_record)(struct ab_store *store, const struct ab_store_record *record, ab_store_done_fn done, void *arg);
    void (*remove_record)(struct ab_store *store, const char *kind, const char *id, ab_store_done_fn done, void *arg);
    int (*get_record)(struct ab_store *store, const char *kind, const char *id, ab_store_record_fn each, void *arg);

    /* The outbox. A delivery is due at its `next_at`, or queued while an earlier one of its lane is due. */

    /* Every receiver that has due deliveries, and the earliest `next_at` of those. Costs as much as there are
     * receivers, not deliveries. */
    int (*receivers)(struct ab_store *store, ab_store_receiver_fn each, void *arg);
    /* A receiver's due deliveries with next_at <= due_by, earliest first, at most `limit` (0: all). */
    int (*due_deliveries)(struct ab_store *store, const char *receiver, int64_t due_by, size_t limit,
                          ab_store_delivery_fn each, void *arg);
    /* Deliveries in this state with an id above `after`, by id, at most `limit` (0: all). */
    int (*deliveries)(struct ab_store *store, enum ab_delivery_state state, uint64_t after, size_t limit,
                      ab_store_delivery_fn each, void *arg);
    /* How many stand in each state. */
    int (*count_deliveries)(struct ab_store *store, uint64_t counts[AB_DELIVERY_STATE_COUNT]);
    /* AB_STORE_CONFLICT: there is no such delivery in a state that this could happen to (any more). */
    void (*settle)(struct ab_store *store, const struct ab_settlement *settlement, ab_store_done_fn done, void *arg);

    /* Bytes and commits waiting to be written, for back pressure and metrics. */
    size_t (*backlog)(struct ab_store *store);

    /* Writes what was handed over, calls the `done`s that are left, and frees the store. May block. */
    void (*free)(struct ab_store *store);
};

/* First member of every implementation. */
struct ab_store {
    const struct ab_store_ops *ops;
};

#ifdef __cplusplus
}
#endif
#endif
