/* Which deliveries go out when; see courier.h. The store's outbox is the queue: here is only what is under way. */
#include "deliver/courier.h"

#include "base/mem.h"
#include "deliver/courier_internal.h"

#include <string.h>

static const int64_t look_again_ms = 60000;
static const int64_t count_every_ms = 1000;
static const int64_t store_pause_ms = 5000;

struct due_receivers {
    char **names;
    size_t count;
    int64_t now;
    int64_t next_at; /* of those not due yet; 0: none */
};

static bool note_receiver(void *arg, const char *receiver, int64_t next_at)
{
    struct due_receivers *due = arg;

    if (next_at > due->now) {
        due->next_at = due->next_at == 0 || next_at < due->next_at ? next_at : due->next_at;
        return true;
    }
    due->names = ab_realloc(due->names, (due->count + 1) * sizeof *due->names);
    due->names[due->count++] = ab_strdup(receiver);
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
    const struct ab_courier *courier;
    struct ab_delivery *rows;
    size_t count;
    size_t room;
};

static bool take_row(void *arg, const struct ab_delivery *delivery)
{
    struct taken *taken = arg;

    if (!is_under_way(taken->courier, delivery))
        ab_delivery_copy(&taken->rows[taken->count++], delivery);
    return taken->count < taken->room;
}

/* Those of one receiver that are due and for which there is room. */
static void serve(struct ab_courier *courier, const char *receiver, int64_t now)
{
    const struct ab_courier_settings *settings = &courier->settings;
    size_t busy = under_way(courier, receiver);
    size_t room = settings->parallel - courier->n_attempts;
    struct taken taken = { .courier = courier };

    if (busy >= settings->per_receiver || room == 0)
        return;
    taken.room = settings->per_receiver - busy < room ? settings->per_receiver - busy : room;
    taken.rows = ab_alloc(taken.room, sizeof *taken.rows);
    (void)settings->store->ops->due_deliveries(settings->store, receiver, now, taken.room + busy, take_row, &taken);
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

/* One round over all receivers with something due, each time beginning with another one. */
static void look(void *arg)
{
    struct ab_courier *courier = arg;
    const struct ab_courier_settings *settings = &courier->settings;
    struct due_receivers due = { .now = ab_clock_wall_ms(&settings->loop->clock) };
    int64_t wait = look_again_ms;

    courier->refused = false;
    (void)settings->store->ops->receivers(settings->store, note_receiver, &due);
    for (size_t i = 0; i < due.count; i++)
        serve(courier, due.names[(courier->turn + i) % due.count], due.now);
    courier->turn++;
    for (size_t i = 0; i < due.count; i++)
        free(due.names[i]);
    free(due.names);
    if (due.next_at > 0 && due.next_at - due.now < wait)
        wait = due.next_at - due.now;
    ab_timer_start(courier->timer, (uint64_t)wait);
    show_depth(courier, due.now);
}

void ab_courier_wake(void *arg)
{
    struct ab_courier *courier = arg;

    if (courier->refused)
        ab_timer_start(courier->timer, (uint64_t)store_pause_ms);
    else
        ab_timer_start(courier->timer, 0);
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
}

struct ab_courier *ab_courier_new(const struct ab_courier_settings *settings)
{
    struct ab_courier *courier = ab_alloc(1, sizeof *courier);

    courier->settings = *settings;
    set_defaults(&courier->settings);
    ab_list_init(&courier->attempts);
    add_metrics(courier);
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
    free(courier);
}
