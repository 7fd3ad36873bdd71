/* One attempt to deliver: words, request, outcome, and what the store is told of it. */
#include "base/mem.h"
#include "base/str.h"
#include "deliver/courier_internal.h"
#include "task/as_of.h"
#include "wire/http_values.h"

#include <string.h>

/* What a receiver answers is not read; so much is let pass, so that its connection can be used again. */
#define ANSWER_BYTES ((size_t)65536)

static void attempt_free(struct attempt *attempt)
{
    if (attempt->courier != NULL) {
        attempt->courier->n_attempts--;
        ab_link_remove(&attempt->link);
    }
    ab_delivery_deinit(&attempt->delivery);
    free(attempt->error);
    free(attempt);
}

/* What the client or the store still owes it frees it. */
void attempt_orphan(struct attempt *attempt)
{
    struct ab_http_client *client = attempt->courier->settings.client;

    if (attempt->unsettled) {
        attempt_free(attempt);
        return;
    }
    ab_link_remove(&attempt->link);
    attempt->courier = NULL;
    if (attempt->call != NULL)
        client->ops->cancel(attempt->call);
}

/* --- outcomes --- */

/* A conflict: it went with its task, or nobody wants it any more. */
static void on_settled(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct attempt *attempt = arg;
    struct ab_courier *courier = attempt->courier;

    if (courier != NULL && outcome == AB_STORE_REFUSED) {
        ab_log(courier->settings.log, AB_LOG_ERROR, "deliver", "how a delivery ended was not stored", "task",
               attempt->delivery.task, "why", text, NULL);
        attempt->unsettled = true;
        courier_refused(courier);
        return;
    }
    attempt_free(attempt);
    if (courier != NULL)
        ab_courier_wake(courier);
}

/* Kept until the store takes it: what was delivered is not to be delivered again because a disk is full. */
void attempt_settle_again(struct attempt *attempt)
{
    struct ab_store *store = attempt->courier->settings.store;

    attempt->unsettled = false;
    store->ops->settle(store, &attempt->settlement, on_settled, attempt);
}

static void count_and_log(const struct attempt *attempt, int64_t now)
{
    const struct ab_courier *courier = attempt->courier;
    AB_CLEANUP(ab_free_string) char *number = ab_format("%u", attempt->delivery.attempts + 1);
    bool dead = attempt->settlement.kind == AB_SETTLE_DEAD;

    if (attempt->settlement.kind == AB_SETTLE_SENT) {
        ab_metric_add(courier->attempts_sent, 1);
        ab_metric_observe(courier->seconds, (double)(now - attempt->delivery.created_at) / 1e3);
        return;
    }
    ab_metric_add(dead ? courier->attempts_dead : courier->attempts_failed, 1);
    ab_log(courier->settings.log, dead ? AB_LOG_ERROR : AB_LOG_WARNING, "deliver",
           dead ? "a delivery was given up" : "a delivery failed and will be tried again", "task",
           attempt->delivery.task, "receiver", attempt->delivery.receiver, "attempt", number, "why", attempt->error,
           NULL);
}

static void settle(struct attempt *attempt, enum ab_settlement_kind kind, int64_t at, const char *error)
{
    attempt->error = ab_strdup(error);
    attempt->settlement =
        (struct ab_settlement){ .delivery = attempt->delivery.id, .kind = kind, .at = at, .error = attempt->error };
    count_and_log(attempt, ab_clock_wall_ms(&attempt->courier->settings.loop->clock));
    attempt_settle_again(attempt);
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
    const struct ab_courier *courier = attempt->courier;
    struct ab_str value;

    attempt->status = status;
    if (courier == NULL || !courier->settings.client->ops->header(call, "retry-after", &value) ||
        !ab_http_retry_after(value, ab_clock_wall_ms(&courier->settings.loop->clock), &attempt->retry_after_ms))
        attempt->retry_after_ms = 0;
}

static bool is_plain(const struct attempt *attempt)
{
    return strncmp(attempt->delivery.receiver, "http://", 7) == 0;
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
        failed(attempt, outcome == AB_HTTP_CALL_FORBIDDEN,
               outcome == AB_HTTP_CALL_FORBIDDEN && is_plain(attempt)
                   ? "plain http leads only to addresses that outbound.allow names"
                   : text);
    }
}

/* --- the request --- */

void ab_outgoing_add(struct ab_outgoing *outgoing, char *line)
{
    size_t n = 0;

    while (outgoing->headers != NULL && outgoing->headers[n] != NULL)
        n++;
    outgoing->headers = ab_realloc(outgoing->headers, (n + 2) * sizeof *outgoing->headers);
    outgoing->headers[n] = line;
    outgoing->headers[n + 1] = NULL;
}

void ab_outgoing_deinit(struct ab_outgoing *outgoing)
{
    for (size_t i = 0; outgoing->headers != NULL && outgoing->headers[i] != NULL; i++)
        ab_free_secret(&outgoing->headers[i]);
    free(outgoing->headers);
    free(outgoing->url);
    ab_buf_deinit(&outgoing->body);
}

/* What is posted, and the credentials with it, is not for everybody on the way to read. */
static const struct ab_guard *guard_of(const struct attempt *attempt)
{
    static const struct ab_guard nowhere = { .listed_only = true };
    const struct ab_courier_settings *settings = &attempt->courier->settings;

    if (!is_plain(attempt))
        return settings->guard;
    return settings->plain_guard != NULL ? settings->plain_guard : &nowhere;
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
        .max_body = ANSWER_BYTES,
        .guarded = true,
        .guard = guard_of(attempt),
    };

    attempt->call = settings->client->ops->start(settings->client, &call, &events, attempt);
}

static bool take_event(void *arg, const struct ab_event *event)
{
    ab_event_copy(arg, event);
    return false;
}

static enum ab_encoding encode(struct attempt *attempt, const struct ab_task *task, const struct ab_event *event,
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
    return AB_ENCODE_NEVER;
}

static bool read(struct attempt *attempt, struct ab_task *task, struct ab_event *event)
{
    struct ab_store *store = attempt->courier->settings.store;

    return store->ops->get(store, attempt->delivery.task, task) == AB_OK &&
           store->ops->events(store, task->id, attempt->delivery.event - 1, AB_EVENTS_ALL, 1, take_event, event) ==
               AB_OK &&
           event->number == attempt->delivery.event;
}

static void encode_and_post(struct attempt *attempt, const struct ab_task *task, const struct ab_event *event)
{
    struct ab_outgoing outgoing = { .body = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    struct ab_buf why = AB_BUF_INIT(1024);
    enum ab_encoding encoding = encode(attempt, task, event, &outgoing, &why);

    if (encoding == AB_ENCODED)
        post(attempt, &outgoing);
    else
        failed(attempt, encoding == AB_ENCODE_NEVER, why.data);
    ab_outgoing_deinit(&outgoing);
    ab_buf_deinit(&why);
}

void attempt_start(struct ab_courier *courier, const struct ab_delivery *delivery)
{
    struct attempt *attempt = ab_alloc(1, sizeof *attempt);
    struct ab_event event = { 0 };
    struct ab_task task = { 0 };

    attempt->courier = courier;
    ab_delivery_copy(&attempt->delivery, delivery);
    ab_list_append(&courier->attempts, &attempt->link);
    courier->n_attempts++;
    if (read(attempt, &task, &event)) {
        ab_task_as_of(&task, &event);
        encode_and_post(attempt, &task, &event);
    } else {
        failed(attempt, false, "the task could not be read from the store");
    }
    ab_event_deinit(&event);
    ab_task_deinit(&task);
}
