/* The courier takes what is due from the store's outbox, has it put into words, posts it and records how that ended:
 * at least once, in order within a lane, until the receiver has it or the time to give up is over. */
#ifndef AB_DELIVER_COURIER_H
#define AB_DELIVER_COURIER_H

#include "agentbridge/store.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "wire/http_client.h"
#include "wire/loop.h"

/* One request, filled by an encoder; owned by the courier. */
struct ab_outgoing {
    char *url;
    char **headers; /* "Name: value", NULL-terminated */
    struct ab_buf body;
};

enum ab_encoding {
    AB_ENCODED,
    AB_ENCODE_LATER, /* it cannot be sent now, but perhaps later */
    AB_ENCODE_NEVER
};

/* Puts deliveries of one kind into words. */
struct ab_delivery_encoder {
    const char *kind;
    /* `task` is as it was at `event`, the one that is told of; `now_ms` is the time of this attempt. When it is not
     * encoded, `why` (an empty buffer) is filled with the reason, without secrets. */
    enum ab_encoding (*encode)(void *arg, const struct ab_delivery *delivery, const struct ab_task *task,
                               const struct ab_event *event, int64_t now_ms, struct ab_outgoing *out,
                               struct ab_buf *why);
    void *arg;
};

/* Adds a header line, "Name: value", which becomes the request's. */
void ab_outgoing_add(struct ab_outgoing *outgoing, char *line);
/* Frees what it holds, secrets overwritten. */
void ab_outgoing_deinit(struct ab_outgoing *outgoing);

/* All borrowed; they outlive the courier. Times in ms; 0 takes the default in brackets. */
struct ab_courier_settings {
    struct ab_loop *loop;
    struct ab_store *store;
    struct ab_http_client *client;
    const struct ab_guard *guard;       /* or NULL: public addresses only */
    const struct ab_guard *plain_guard; /* the same for plain http; or NULL: that leads nowhere */
    struct ab_random random;
    const struct ab_log *log;   /* or NULL */
    struct ab_metrics *metrics; /* or NULL */
    const struct ab_delivery_encoder *encoders;
    size_t n_encoders;
    int64_t retry_first_ms;   /* [5 s] before the second attempt; doubled each time, with jitter */
    int64_t retry_longest_ms; /* [1 h] */
    int64_t give_up_ms;       /* [24 h] after the first attempt was due */
    uint32_t timeout_ms;      /* [20 s] for one attempt */
    size_t parallel;          /* [64] requests at once */
    size_t per_receiver;      /* [4] of them to one receiver */
};

struct ab_courier;

/* Begins with what an earlier process left, in the loop's next turn. */
AB_MUST struct ab_courier *ab_courier_new(const struct ab_courier_settings *settings);
/* Something has come into the outbox. `courier` is a struct ab_courier: an ab_loop_fn. */
void ab_courier_wake(void *courier);
/* Requests under way are dropped: they are repeated by the next courier. NULL is accepted. */
void ab_courier_free(struct ab_courier *courier);

#endif
