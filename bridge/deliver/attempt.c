/* One attempt to deliver: words, request, outcome, and what the store is told of it. */
#include "base/mem.h"
#include "base/str.h"
#include "deliver/courier_internal.h"

#include <string.h>

static void attempt_free(struct attempt *attempt)
{
    if (attempt->courier != NULL) {
        attempt->courier->n_attempts--;
        ab_link_remove(&attempt->link);
    }
    ab_delivery_deinit(&attempt->delivery);
    free(attempt);
}

void attempt_orphan(struct attempt *attempt)
{
    struct ab_http_client *client = attempt->courier->settings.client;

    ab_link_remove(&attempt->link);
    attempt->courier = NULL;
    if (attempt->call != NULL)
        client->ops->cancel(attempt->call);
}

/* --- outcomes --- */

static void on_settled(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct attempt *attempt = arg;
    struct ab_courier *courier = attempt->courier;

    if (courier != NULL && outcome == AB_STORE_REFUSED) {
        courier->refused = true;
        ab_log(courier->settings.log, AB_LOG_ERROR, "deliver", "how a delivery ended was not stored", "task",
               attempt->delivery.task, "why", text, NULL);
    }
    attempt_free(attempt);
    if (courier != NULL)
        ab_courier_wake(courier);
}

static void settle(struct attempt *attempt, enum ab_settlement_kind kind, int64_t at, const char *error)
{
    struct ab_courier *courier = attempt->courier;
    struct ab_store *store = courier->settings.store;
    struct ab_settlement settlement = { .delivery = attempt->delivery.id, .kind = kind, .at = at, .error = error };
    AB_CLEANUP(ab_free_string) char *number = ab_format("%u", attempt->delivery.attempts + 1);

    if (kind == AB_SETTLE_SENT) {
        ab_metric_add(courier->attempts_sent, 1);
    } else {
        bool dead = kind == AB_SETTLE_DEAD;
        ab_metric_add(dead ? courier->attempts_dead : courier->attempts_failed, 1);
        ab_log(courier->settings.log, dead ? AB_LOG_ERROR : AB_LOG_WARNING, "deliver",
               dead ? "a delivery was given up" : "a delivery failed and will be tried again", "task",
               attempt->delivery.task, "receiver", attempt->delivery.receiver, "attempt", number, "why", error, NULL);
    }
    store->ops->settle(store, &settlement, on_settled, attempt);
}

/* Between half the pause and all of it: many that failed together do not come back together. */
static int64_t pause_before_next(const struct attempt *attempt)
{
    const struct ab_courier_settings *settings = &attempt->courier->settings;
    int64_t pause = settings->retry_first_ms;
    uint32_t dice;

    for (uint32_t i = 0; i < attempt->delivery.attempts && pause < settings->retry_longest_ms; i++)
        pause *= 2;
    pause = pause < settings->retry_longest_ms ? pause : settings->retry_longest_ms;
    ab_random_fill(&settings->random, &dice, sizeof dice);
    pause = pause - pause / 2 + (int64_t)(dice % 1024) * (pause / 2) / 1024;
    if (attempt->retry_after_ms > pause)
        pause =
            attempt->retry_after_ms < settings->retry_longest_ms ? attempt->retry_after_ms : settings->retry_longest_ms;
    return pause > 0 ? pause : 1;
}

static void failed(struct attempt *attempt, bool for_good, const char *error)
{
    const struct ab_courier_settings *settings = &attempt->courier->settings;
    int64_t now = ab_clock_wall_ms(&settings->loop->clock);
    int64_t at = now + pause_before_next(attempt);

    if (for_good || at - attempt->delivery.started_at > settings->give_up_ms)
        settle(attempt, AB_SETTLE_DEAD, now, error);
    else
        settle(attempt, AB_SETTLE_LATER, at, error);
}

static void on_head(void *arg, struct ab_http_call *call, unsigned status)
{
    struct attempt *attempt = arg;
    struct ab_str value;
    uint64_t seconds;

    attempt->status = status;
    if (attempt->courier != NULL && attempt->courier->settings.client->ops->header(call, "retry-after", &value) &&
        ab_str_to_uint(value, 86400, &seconds))
        attempt->retry_after_ms = (int64_t)seconds * 1000;
}

/* The head decides: what follows it is not waited for in vain when it is cut off. */
static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct attempt *attempt = arg;
    AB_CLEANUP(ab_free_string) char *words = NULL;

    attempt->call = NULL;
    if (attempt->courier == NULL) {
        attempt_free(attempt);
    } else if (attempt->status >= 200 && attempt->status < 300) {
        settle(attempt, AB_SETTLE_SENT, ab_clock_wall_ms(&attempt->courier->settings.loop->clock), NULL);
    } else if (attempt->status != 0) {
        words = ab_format("the receiver answered %u%s", attempt->status,
                          attempt->status == 410                            ? ": it wants no more of this"
                          : attempt->status >= 300 && attempt->status < 400 ? ": redirects are not followed"
                                                                            : "");
        failed(attempt, attempt->status == 410, words);
    } else {
        failed(attempt, outcome == AB_HTTP_CALL_FORBIDDEN, text);
    }
}

/* --- the request --- */

static void outgoing_deinit(struct ab_outgoing *outgoing)
{
    for (size_t i = 0; outgoing->headers != NULL && outgoing->headers[i] != NULL; i++)
        free(outgoing->headers[i]);
    free(outgoing->headers);
    free(outgoing->url);
    ab_buf_deinit(&outgoing->body);
}

static void post(struct attempt *attempt, const struct ab_outgoing *outgoing)
{
    static const struct ab_http_call_events events = { .head = on_head, .done = on_done };
    const struct ab_courier_settings *settings = &attempt->courier->settings;
    struct ab_http_call_settings call = {
        .method = "POST",
        .url = outgoing->url,
        .headers = (const char *const *)outgoing->headers,
        .body = ab_buf_str(&outgoing->body),
        .connect_timeout_ms = settings->timeout_ms,
        .total_timeout_ms = settings->timeout_ms,
        .max_body = (size_t)1 << 20,
        .guarded = true,
        .guard = settings->guard,
    };

    attempt->call = settings->client->ops->start(settings->client, &call, &events, attempt);
}

static bool take_event(void *arg, const struct ab_event *event)
{
    ab_event_copy(arg, event);
    return false;
}

static bool encode(struct attempt *attempt, const struct ab_task *task, const struct ab_event *event,
                   struct ab_outgoing *out, struct ab_buf *why)
{
    const struct ab_courier_settings *settings = &attempt->courier->settings;

    for (size_t i = 0; i < settings->n_encoders; i++) {
        const struct ab_delivery_encoder *encoder = &settings->encoders[i];
        if (strcmp(encoder->kind, attempt->delivery.kind) == 0)
            return encoder->encode(encoder->arg, &attempt->delivery, task, event,
                                   ab_clock_wall_ms(&settings->loop->clock), out, why);
    }
    ab_buf_printf(why, "this version does not know deliveries of kind %s", attempt->delivery.kind);
    return false;
}

/* False: the store cannot say now. */
static bool read_and_post(struct attempt *attempt)
{
    struct ab_store *store = attempt->courier->settings.store;
    struct ab_outgoing outgoing = { .body = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    struct ab_buf why = AB_BUF_INIT(1024);
    struct ab_event event = { 0 };
    struct ab_task task;

    if (store->ops->get(store, attempt->delivery.task, &task) != AB_OK)
        return false;
    if (store->ops->events(store, task.id, attempt->delivery.event - 1, AB_EVENTS_ALL, 1, take_event, &event) !=
            AB_OK ||
        event.body_json == NULL) {
        ab_task_deinit(&task);
        return false;
    }
    if (encode(attempt, &task, &event, &outgoing, &why))
        post(attempt, &outgoing);
    else
        failed(attempt, true, why.data);
    outgoing_deinit(&outgoing);
    ab_buf_deinit(&why);
    ab_event_deinit(&event);
    ab_task_deinit(&task);
    return true;
}

void attempt_start(struct ab_courier *courier, const struct ab_delivery *delivery)
{
    struct attempt *attempt = ab_alloc(1, sizeof *attempt);

    attempt->courier = courier;
    ab_delivery_copy(&attempt->delivery, delivery);
    ab_list_append(&courier->attempts, &attempt->link);
    courier->n_attempts++;
    if (!read_and_post(attempt))
        failed(attempt, false, "the task could not be read from the store");
}
