/* What the courier's two files share: which deliveries are taken, and what happens to one. */
#ifndef AB_DELIVER_COURIER_INTERNAL_H
#define AB_DELIVER_COURIER_INTERNAL_H

#include "base/list.h"
#include "deliver/courier.h"

struct ab_courier {
    struct ab_courier_settings settings;
    struct ab_timer *timer;
    struct ab_list attempts;
    size_t n_attempts;
    size_t turn; /* where the next round over the receivers begins */
    int64_t counted_at;
    struct ab_timer *settle_timer;
    bool refused; /* the store took an outcome not: nothing is begun until it does */
    struct ab_metric *waiting;
    struct ab_metric *dead;
    struct ab_metric *attempts_sent;
    struct ab_metric *attempts_failed;
    struct ab_metric *attempts_dead;
    struct ab_metric *seconds;
};

/* One delivery on its way, from taking it until the store knows how it ended. */
struct attempt {
    struct ab_courier *courier; /* NULL once that is gone */
    struct ab_link link;
    struct ab_delivery delivery;
    struct ab_http_call *call; /* or NULL */
    unsigned status;           /* 0: no answer's head yet */
    int64_t retry_after_ms;    /* as the answer asks; 0: it does not */
    struct ab_settlement settlement;
    char *error;    /* the settlement's, or NULL */
    bool unsettled; /* the store refused the settlement: to be given to it again */
};

/* --- attempt.c --- */

/* Starts it; the outcome comes later, and ends in ab_courier_wake. */
void attempt_start(struct ab_courier *courier, const struct ab_delivery *delivery);
/* Gives the outcome to the store once more. */
void attempt_settle_again(struct attempt *attempt);
/* The courier is going. */
void attempt_orphan(struct attempt *attempt);

/* --- courier.c --- */

/* The store refused an outcome. */
void courier_refused(struct ab_courier *courier);

#endif
