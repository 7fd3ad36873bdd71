/* Which deliveries go out when; see courier.h. The store's outbox is the queue: here is only what is under way. */
#include "deliver/courier.h"

#include "base/mem.h"
#include "deliver/courier_internal.h"

#include <string.h>

static const int64_t look_again_ms = 60000;
static const int64_t count_every_ms = 5000;
static const int64_t store_pause_ms = 5000;

/* One look at the outbox. */
struct round {
    struct ab_courier *courier;
    int64_t now;
    int64_t next_at; /* when the next look is due at the latest */
    char **receivers;
    size_t n_receivers; /* that have something due now */
};

static void note_next(struct round *round, int64_t at)
{
    round->next_at = at < round->next_at ? at : round->next_at;
}

static bool note_receiver(void *arg, const char *receiver, int64_t next_at)
{
    struct round *round = arg;

    if (next_at > round->now) {
        note_next(round, next_at);
        return true;
    }
    round->receivers = ab_realloc(round->receivers, (round->n_receivers + 1) * sizeof *round->receivers);
    round->receivers[round->n_receivers++] = ab_strdup(receiver);
    return true;
}

static size_t under_way(const struct ab_courier *courier, const char *receiver)
{
    size_t count = 0;

    for (struct ab_link *link = ab_list_first(&courier->attempts); link != NULL;
         link = ab_list_next(&courier->attempts, link)) {
        const struct attempt *attempt = AB_OWNER(link, struct attempt, link);
        count += strcmp(attempt->delivery.receiver, receiver) == 0 ? 1 : 0;
    }
    return count;
}

static bool is_under_way(const struct ab_courier *courier, const struct ab_delivery *delivery)
{
    for (struct ab_link *link = ab_list_first(&courier->attempts); link != NULL;
         link = ab_list_next(&courier->attempts, link)) {
        if (AB_OWNER(link, struct attempt, link)->delivery.id == delivery->id)
            return true;
    }
    return false;
}

struct taken {
    struct round *round;
    struct ab_delivery *rows;
    size_t count;
    size_t room;
};

static bool take_row(void *arg, const struct ab_delivery *delivery)
{
    struct taken *taken = arg;

    if (is_under_way(taken->round->courier, delivery))
        return true;
    if (delivery->next_at > taken->round->now) {
        note_next(taken->round, delivery->next_at);
        return false;
    }
    ab_delivery_copy(&taken->rows[taken->count++], delivery);
    return taken->count < taken->room;
}

/* Those of one receiver that are due and for which there is room; where there is none, the end of an attempt leads to
 * another look. */
static void serve(struct round *round, const char *receiver)
{
    struct ab_courier *courier = round->courier;
    const struct ab_courier_settings *settings = &courier->settings;
    size_t busy = under_way(courier, receiver);
    size_t room = settings->parallel - courier->n_attempts;
    struct taken taken = { .round = round };

    if (busy >= settings->per_receiver || room == 0)
        return;
    taken.room = settings->per_receiver - busy < room ? settings->per_receiver - busy : room;
    taken.rows = ab_alloc(taken.room, sizeof *taken.rows);
    (void)settings->store->ops->due_deliveries(settings->store, receiver, INT64_MAX, taken.room + busy, take_row,
                                               &taken);
    for (size_t i = 0; i < taken.count; i++) {
        attempt_start(courier, &taken.rows[i]);
        ab_delivery_deinit(&taken.rows[i]);
    }
    free(taken.rows);
}

static void show_depth(struct ab_courier *courier, int64_t now)
{
    uint64_t counts[AB_DELIVERY_STATE_COUNT];
    struct ab_store *store = courier->settings.store;

    if (now - courier->counted_at < count_every_ms && now >= courier->counted_at)
        return;
    courier->counted_at = now;
    if (store->ops->count_deliveries(store, counts) != AB_OK)
        return;
    ab_metric_set(courier->waiting, (double)(counts[AB_DELIVERY_DUE] + counts[AB_DELIVERY_QUEUED]));
    ab_metric_set(courier->dead, (double)counts[AB_DELIVERY_DEAD]);
}

/* Over all receivers with something due, each time beginning with another one. */
static void look(void *arg)
{
    struct ab_courier *courier = arg;
    const struct ab_courier_settings *settings = &courier->settings;
    int64_t now = ab_clock_wall_ms(&settings->loop->clock);
    struct round round = { .courier = courier, .now = now, .next_at = now + look_again_ms };

    if (courier->refused)
        return;
    (void)settings->store->ops->receivers(settings->store, note_receiver, &round);
    for (size_t i = 0; i < round.n_receivers; i++)
        serve(&round, round.receivers[(courier->turn + i) % round.n_receivers]);
    courier->turn++;
    for (size_t i = 0; i < round.n_receivers; i++)
        free(round.receivers[i]);
    free(round.receivers);
    ab_timer_start(courier->timer, (uint64_t)(round.next_at - now));
    show_depth(courier, now);
}

void ab_courier_wake(void *arg)
{
    struct ab_courier *courier = arg;

    ab_timer_start(courier->timer, 0);
}

/* --- a store that refuses --- */

static void settle_again(void *arg)
{
    struct ab_courier *courier = arg;
    struct ab_link *link = ab_list_first(&courier->attempts);

    courier->refused = false;
    for (; link != NULL; link = ab_list_next(&courier->attempts, link)) {
        struct attempt *attempt = AB_OWNER(link, struct attempt, link);
        if (attempt->unsettled)
            attempt_settle_again(attempt);
    }
    ab_courier_wake(courier);
}

void courier_refused(struct ab_courier *courier)
{
    if (!courier->refused)
        ab_timer_start(courier->settle_timer, (uint64_t)store_pause_ms);
    courier->refused = true;
}

/* --- life --- */

static void set_defaults(struct ab_courier_settings *settings)
{
    settings->retry_first_ms = settings->retry_first_ms > 0 ? settings->retry_first_ms : 5000;
    settings->retry_longest_ms = settings->retry_longest_ms > 0 ? settings->retry_longest_ms : 3600000;
    settings->give_up_ms = settings->give_up_ms > 0 ? settings->give_up_ms : 86400000;
    settings->timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : 20000;
    settings->parallel = settings->parallel > 0 ? settings->parallel : 64;
    settings->per_receiver = settings->per_receiver > 0 ? settings->per_receiver : 4;
}

static void add_metrics(struct ab_courier *courier)
{
    struct ab_metrics *metrics = courier->settings.metrics;
    const char *name = "agentbridge_delivery_attempts_total";
    const char *help = "Attempts to deliver a notification, by how they ended.";

    courier->waiting = ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_deliveries_waiting",
                                 "Notifications that wait to be delivered.", NULL);
    courier->dead =
        ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_deliveries_dead", "Notifications that were given up.", NULL);
    courier->attempts_sent = ab_metric(metrics, AB_METRIC_COUNTER, name, help, "outcome=\"sent\"");
    courier->attempts_failed = ab_metric(metrics, AB_METRIC_COUNTER, name, help, "outcome=\"failed\"");
    courier->attempts_dead = ab_metric(metrics, AB_METRIC_COUNTER, name, help, "outcome=\"given_up\"");
    courier->seconds = ab_metric(metrics, AB_METRIC_HISTOGRAM, "agentbridge_delivery_seconds",
                                 "From a change of a task until its receiver had been notified.", NULL);
}

struct ab_courier *ab_courier_new(const struct ab_courier_settings *settings)
{
    struct ab_courier *courier = ab_alloc(1, sizeof *courier);

    courier->settings = *settings;
    set_defaults(&courier->settings);
    ab_list_init(&courier->attempts);
    add_metrics(courier);
    courier->settle_timer = ab_timer_new(settings->loop, settle_again, courier);
    courier->timer = ab_timer_new(settings->loop, look, courier);
    ab_timer_start(courier->timer, 0);
    return courier;
}

void ab_courier_free(struct ab_courier *courier)
{
    struct ab_link *link;

    if (courier == NULL)
        return;
    while ((link = ab_list_first(&courier->attempts)) != NULL)
        attempt_orphan(AB_OWNER(link, struct attempt, link));
    ab_timer_free(courier->timer);
    ab_timer_free(courier->settle_timer);
    free(courier);
}
