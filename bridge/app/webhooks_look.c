#include "app/webhooks_look.h"

#include "base/mem.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_ROWS 100

static const enum ab_delivery_state states[] = { AB_DELIVERY_DEAD, AB_DELIVERY_DUE, AB_DELIVERY_QUEUED };
#define N_STATES (sizeof states / sizeof *states)

/* --- one delivery --- */

/* Without the query, in which some receivers have their callers give a secret. */
static void put_address(struct ab_json_writer *writer, struct ab_json target)
{
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(ab_json_member(target, "url"));

    if (url == NULL)
        return;
    url[strcspn(url, "?")] = '\0';
    ab_json_put_text(writer, "url", url);
}

static void write_row(struct ab_json_writer *writer, const struct ab_delivery *delivery)
{
    ab_json_object_begin(writer);
    ab_json_put_int(writer, "id", (int64_t)delivery->id);
    ab_json_put_text(writer, "state", ab_delivery_state_name(delivery->state));
    ab_json_put_text(writer, "kind", delivery->kind);
    ab_json_put_text(writer, "task_id", delivery->task);
    ab_json_put_int(writer, "event", (int64_t)delivery->event);
    ab_json_put_int(writer, "lane", delivery->lane);
    put_address(writer, ab_json_trusted(delivery->target_json));
    ab_json_put_text(writer, "receiver", delivery->receiver);
    ab_json_put_time(writer, "created_at", delivery->created_at);
    if (delivery->state == AB_DELIVERY_DUE)
        ab_json_put_time(writer, "next_at", delivery->next_at);
    ab_json_put_int(writer, "attempts", delivery->attempts);
    ab_json_put_optional_text(writer, "last_error", delivery->last_error);
    ab_json_object_end(writer);
}

struct wanted {
    uint64_t id;
    struct ab_json_writer writer;
    bool found;
    enum ab_delivery_state state;
};

static bool take_wanted(void *arg, const struct ab_delivery *delivery)
{
    struct wanted *wanted = arg;

    wanted->found = delivery->id == wanted->id;
    wanted->state = delivery->state;
    if (wanted->found && wanted->writer.out != NULL)
        write_row(&wanted->writer, delivery);
    return false;
}

/* The delivery of this id, written where a writer is set; false: a sentence in `reason`. */
static bool find(struct ab_store *store, struct wanted *wanted, struct ab_buf *reason)
{
    for (size_t i = 0; i < N_STATES && !wanted->found; i++) {
        if (store->ops->deliveries(store, states[i], wanted->id - 1, 1, take_wanted, wanted) < 0) {
            ab_buf_append_text(reason, "the outbox cannot be read");
            return false;
        }
    }
    if (!wanted->found)
        ab_buf_printf(reason, "there is no webhook %" PRIu64 " that waits or was given up", wanted->id);
    return wanted->found;
}

/* A number, as JSON or as text. */
static bool read_id(struct ab_json id, uint64_t *out, struct ab_buf *reason)
{
    AB_CLEANUP(ab_free_string) char *text = ab_json_is(id, AB_JSON_STRING) ? ab_json_string_dup(id) : ab_json_dup(id);

    if (text != NULL && ab_str_to_uint(ab_str(text), INT64_MAX, out) && *out > 0)
        return true;
    ab_buf_append_text(reason, "a webhook's id is a number; \"agentbridge webhooks list\" shows them");
    return false;
}

bool ab_webhooks_show(struct ab_store *store, struct ab_json params, struct ab_buf *out, struct ab_buf *reason)
{
    struct wanted wanted = { .found = false };

    if (!read_id(ab_json_member(params, "id"), &wanted.id, reason))
        return false;
    ab_json_writer_init(&wanted.writer, out);
    ab_json_object_begin(&wanted.writer);
    ab_json_write_key(&wanted.writer, "webhook");
    if (!find(store, &wanted, reason))
        return false;
    ab_json_object_end(&wanted.writer);
    return true;
}

/* --- lists --- */

struct page {
    struct ab_json_writer writer;
    size_t n;
    uint64_t last;
    bool more;
};

static bool add_row(void *arg, const struct ab_delivery *delivery)
{
    struct page *page = arg;

    if (page->n == PAGE_ROWS) {
        page->more = true;
        return false;
    }
    page->n++;
    page->last = delivery->id;
    write_row(&page->writer, delivery);
    return true;
}

/* "<state>-<id>": where the page before ended. */
static bool read_after(char *after, size_t *state, uint64_t *id)
{
    char *dash = strchr(after, '-');
    enum ab_delivery_state found;

    if (dash == NULL || !ab_str_to_uint(ab_str(dash + 1), INT64_MAX, id))
        return false;
    *dash = '\0';
    if (!ab_delivery_state_parse(after, &found))
        return false;
    for (*state = 0; states[*state] != found;)
        (*state)++;
    return true;
}

/* From this place on, state after state, until the page is full; false: it cannot be read. */
static bool fill(struct ab_store *store, struct page *page, size_t state, size_t last_state, uint64_t after)
{
    for (; state <= last_state && !page->more; state++, after = 0) {
        if (store->ops->deliveries(store, states[state], after, 0, add_row, page) < 0)
            return false;
        if (page->more) {
            AB_CLEANUP(ab_free_string)
            char *next = ab_format("%s-%" PRIu64, ab_delivery_state_name(states[state]), page->last);
            ab_json_array_end(&page->writer);
            ab_json_put_text(&page->writer, "next", next);
        }
    }
    if (!page->more)
        ab_json_array_end(&page->writer);
    return true;
}

static bool read_state(const char *name, size_t *state, struct ab_buf *reason)
{
    enum ab_delivery_state found;

    if (ab_delivery_state_parse(name, &found)) {
        for (*state = 0; states[*state] != found;)
            (*state)++;
        return true;
    }
    ab_buf_printf(reason, "\"%.64s\" is no state; there are dead, due and queued", name);
    return false;
}

bool ab_webhooks_list(struct ab_store *store, struct ab_json params, struct ab_buf *out, struct ab_buf *reason)
{
    AB_CLEANUP(ab_free_string) char *wanted = ab_json_string_dup(ab_json_member(params, "state"));
    AB_CLEANUP(ab_free_string) char *after = ab_json_string_dup(ab_json_member(params, "after"));
    struct page page = { .n = 0 };
    size_t state = 0;
    size_t last_state = N_STATES - 1;
    uint64_t id = 0;

    if (wanted != NULL && !read_state(wanted, &state, reason))
        return false;
    if (wanted != NULL)
        last_state = state;
    if (after != NULL && !read_after(after, &state, &id)) {
        ab_buf_append_text(reason, "\"after\" is the \"next\" of an earlier page");
        return false;
    }
    ab_json_writer_init(&page.writer, out);
    ab_json_object_begin(&page.writer);
    ab_json_write_key(&page.writer, "webhooks");
    ab_json_array_begin(&page.writer);
    if (!fill(store, &page, state, last_state, id)) {
        ab_buf_append_text(reason, "the outbox cannot be read");
        return false;
    }
    ab_json_object_end(&page.writer);
    return true;
}

/* --- sending again --- */

struct ab_webhooks_resend {
    ab_webhooks_resent_fn done; /* NULL: forgotten */
    void *arg;
    size_t n_pending;
    size_t n_done;
    char *text; /* of the first that went wrong, or NULL */
};

static void on_settled(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct ab_webhooks_resend *resend = arg;

    if (outcome == AB_STORE_DONE)
        resend->n_done++;
    else if (resend->text == NULL)
        resend->text = ab_strdup(text != NULL ? text : "the store refused");
    if (--resend->n_pending > 0)
        return;
    if (resend->done != NULL)
        resend->done(resend->arg, resend->n_done, resend->text);
    free(resend->text);
    free(resend);
}

struct ids {
    uint64_t *items;
    size_t n;
};

static bool note_dead(void *arg, const struct ab_delivery *delivery)
{
    struct ids *ids = arg;

    ids->items = ab_realloc(ids->items, (ids->n + 1) * sizeof *ids->items);
    ids->items[ids->n++] = delivery->id;
    return true;
}

static void collect_all(struct ab_store *store, struct ids *ids, struct ab_buf *reason)
{
    if (store->ops->deliveries(store, AB_DELIVERY_DEAD, 0, 0, note_dead, ids) < 0)
        ab_buf_append_text(reason, "the outbox cannot be read");
}

static void collect_one(struct ab_store *store, struct ab_json id, struct ids *ids, struct ab_buf *reason)
{
    struct wanted wanted = { .found = false };

    if (!read_id(id, &wanted.id, reason) || !find(store, &wanted, reason))
        return;
    if (wanted.state == AB_DELIVERY_QUEUED) {
        ab_buf_append_text(reason, "it waits for an earlier one of the same task and receiver");
        return;
    }
    ids->items = ab_alloc(1, sizeof *ids->items);
    ids->items[ids->n++] = wanted.id;
}

struct ab_webhooks_resend *ab_webhooks_resend(struct ab_store *store, struct ab_json params, int64_t now,
                                              ab_webhooks_resent_fn done, void *arg, struct ab_buf *reason)
{
    struct ab_webhooks_resend *resend = NULL;
    struct ids ids = { .n = 0 };

    if (ab_json_is_true(ab_json_member(params, "all")))
        collect_all(store, &ids, reason);
    else
        collect_one(store, ab_json_member(params, "id"), &ids, reason);
    if (reason->size == 0 && ids.n > 0) {
        resend = ab_alloc(1, sizeof *resend);
        *resend = (struct ab_webhooks_resend){ .done = done, .arg = arg, .n_pending = ids.n };
        for (size_t i = 0; i < ids.n; i++)
            store->ops->settle(store,
                               &(struct ab_settlement){ .delivery = ids.items[i], .kind = AB_SETTLE_RESEND, .at = now },
                               on_settled, resend);
    }
    free(ids.items);
    return resend;
}

void ab_webhooks_resend_forget(struct ab_webhooks_resend *resend)
{
    resend->done = NULL;
}

void ab_webhooks_write_resent(size_t n_resent, struct ab_buf *out)
{
    ab_buf_printf(out, "{\"resent\":%zu}", n_resent);
}
