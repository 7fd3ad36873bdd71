/* A change on its way into a store: a copy of what was handed over, and who wants to know how it ended. Both stores
 * queue changes and apply them later, in order. */
#ifndef AB_STORE_CHANGE_H
#define AB_STORE_CHANGE_H

#include "agentbridge/store.h"
#include "base/list.h"

enum ab_change_kind {
    AB_CHANGE_COMMIT,
    AB_CHANGE_SWEEP,
    AB_CHANGE_REMOVE,
    AB_CHANGE_PUT_RECORD,
    AB_CHANGE_REMOVE_RECORD,
    AB_CHANGE_SETTLE
};

struct ab_change {
    struct ab_link link;
    enum ab_change_kind kind;
    ab_store_done_fn done; /* or NULL */
    void *arg;
    size_t bytes; /* about what it holds in memory */
    int64_t handed_over_us;
    enum ab_store_outcome outcome; /* DONE until something else is known */
    char *text;                    /* or NULL; why it is not DONE */

    /* commit */
    bool creates;
    uint64_t expected_last_event;
    struct ab_task task;
    struct ab_task_request request;
    struct ab_event *events;
    size_t n_events;
    struct ab_delivery *deliveries;
    size_t n_deliveries;
    char *webhooks_json; /* or NULL: they stay */
    uint32_t *dropped_lanes;
    size_t n_dropped_lanes;

    /* settle */
    struct ab_settlement settlement;
    char *settle_error; /* or NULL */

    /* remove */
    char removed_id[AB_TASK_ID_SIZE];

    /* sweep */
    int64_t finished_before;
    size_t limit; /* 0: no limit */

    /* sweep: the time it is now; records: when it expires */
    int64_t now;
    int64_t expires_at;

    /* records */
    char *record_kind;
    char *record_id;
    char *record_owner; /* or NULL */
    char *record_body;
    size_t record_size;
};

/* Copies of what was handed over; free with ab_change_free. A commit that contradicts itself (a required member is
 * missing, events are not numbered without gaps up to the row's last_event) comes back REFUSED already. */
AB_MUST struct ab_change *ab_change_commit(const struct ab_store_commit *commit, ab_store_done_fn done, void *arg);
AB_MUST struct ab_change *ab_change_sweep(int64_t finished_before, size_t limit, int64_t now, ab_store_done_fn done,
                                          void *arg);
AB_MUST struct ab_change *ab_change_remove(const char *id, ab_store_done_fn done, void *arg);
AB_MUST struct ab_change *ab_change_put_record(const struct ab_store_record *record, ab_store_done_fn done, void *arg);
AB_MUST struct ab_change *ab_change_remove_record(const char *kind, const char *id, ab_store_done_fn done, void *arg);
AB_MUST struct ab_change *ab_change_settle(const struct ab_settlement *settlement, ab_store_done_fn done, void *arg);

/* Sets how it ended; `text` is copied, NULL for none. */
void ab_change_end(struct ab_change *change, enum ab_store_outcome outcome, const char *text);
/* Tells whoever waits and frees the change, which must be in no list. */
void ab_change_finish(struct ab_change *change);
void ab_change_free(struct ab_change *change);

#endif
