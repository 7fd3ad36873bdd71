/* From wishes and events to rows; see outbox.h. */
#include "task/outbox.h"

#include "base/mem.h"
#include "wire/json.h"

static bool is_usual(struct ab_json status)
{
    static const char *const usual[] = { "completed", "failed", "error", "stopped", "paused" };

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (ab_json_string_is(status, usual[i]))
            return true;
    }
    return false;
}

static bool names_it(struct ab_json name, const struct ab_event *event, struct ab_json status)
{
    return event->kind == AB_EVENT_STATUS ? ab_json_equal(name, status)
                                          : ab_json_string_is(name, ab_event_kind_name(event->kind));
}

static bool is_wished_for(struct ab_json wish, const struct ab_event *event)
{
    struct ab_json status = ab_json_member(ab_json_trusted(event->body_json), "status");
    struct ab_json events = ab_json_member(wish, "events");
    struct ab_json_iterator iterator = ab_json_iterate(events);
    struct ab_json name;

    if (!ab_json_is(events, AB_JSON_ARRAY))
        return event->kind == AB_EVENT_STATUS && is_usual(status);
    while (ab_json_next(&iterator, NULL, &name)) {
        if (names_it(name, event, status))
            return true;
    }
    return false;
}

/* Its own, or that of its place in the list. */
static uint32_t lane_of(struct ab_json wish, uint32_t by_place)
{
    int64_t own;

    if (ab_json_int(ab_json_member(wish, "lane"), &own) && own >= 0 && own <= INT32_MAX)
        return (uint32_t)own;
    return by_place;
}

static void add(struct ab_outbox_rows *rows, struct ab_json wish, uint32_t lane, const struct ab_event *event)
{
    struct ab_delivery row = {
        .lane = lane,
        .event = event->number,
        .kind = ab_json_string_dup(ab_json_member(wish, "kind")),
        .receiver = ab_json_string_dup(ab_json_member(wish, "receiver")),
        .target_json = ab_json_dup(ab_json_member(wish, "target")),
        .created_at = event->at,
        .started_at = event->at,
        .next_at = event->at,
    };

    if (row.kind == NULL || row.receiver == NULL || row.target_json == NULL) {
        ab_delivery_deinit(&row);
        return;
    }
    rows->rows = ab_realloc(rows->rows, (rows->count + 1) * sizeof *rows->rows);
    rows->rows[rows->count++] = row;
}

static void collect(struct ab_outbox_rows *rows, const char *webhooks_json, uint32_t first_lane,
                    const struct ab_event *event)
{
    struct ab_json_iterator wishes = ab_json_iterate(ab_json_trusted(webhooks_json));
    struct ab_json wish;

    for (uint32_t i = 0; ab_json_next(&wishes, NULL, &wish); i++) {
        if (is_wished_for(wish, event))
            add(rows, wish, lane_of(wish, first_lane + i), event);
    }
}

void ab_outbox_collect(struct ab_outbox_rows *rows, const char *webhooks_json, uint32_t first_lane,
                       const struct ab_event *events, size_t n_events)
{
    for (size_t i = 0; webhooks_json != NULL && i < n_events; i++) {
        if (events[i].kind == AB_EVENT_STATUS || events[i].kind == AB_EVENT_ARTIFACT)
            collect(rows, webhooks_json, first_lane, &events[i]);
    }
}

void ab_outbox_deinit(struct ab_outbox_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        ab_delivery_deinit(&rows->rows[i]);
    free(rows->rows);
    *rows = (struct ab_outbox_rows){ 0 };
}

/* --- changing a caller's wishes --- */

static void write_wish(struct ab_json_writer *writer, struct ab_json wish, uint32_t lane)
{
    ab_json_object_begin(writer);
    ab_json_put_int(writer, "lane", lane);
    ab_json_put_members(writer, wish, (const char *const[]){ "lane", NULL });
    ab_json_object_end(writer);
}

/* The list with `wish` in place of that of its id, or without that where `wish` is no value. */
struct rewriting {
    struct ab_json id;
    struct ab_json wish;
    struct ab_json_writer writer;
    uint32_t next_lane;
    size_t count;
    bool found;
};

static void rewrite(struct rewriting *to, const char *webhooks_json, struct ab_outbox_edit *out)
{
    struct ab_json_iterator wishes = ab_json_iterate(ab_json_trusted(webhooks_json));
    struct ab_json wish;

    to->next_lane = AB_OUTBOX_CALLER_LANES;
    for (uint32_t i = 0; webhooks_json != NULL && ab_json_next(&wishes, NULL, &wish); i++) {
        uint32_t lane = lane_of(wish, AB_OUTBOX_CALLER_LANES + i);
        bool same = ab_json_equal(ab_json_member(wish, "id"), to->id);

        to->next_lane = lane >= to->next_lane ? lane + 1 : to->next_lane;
        if (same) {
            to->found = true;
            out->lane = lane;
            wish = to->wish;
        }
        if (!same || ab_json_exists(wish)) {
            write_wish(&to->writer, wish, lane);
            to->count++;
        }
    }
}

static void edit(const char *webhooks_json, struct ab_json id, struct ab_json wish, size_t most,
                 struct ab_outbox_edit *out)
{
    struct rewriting to = { .id = id, .wish = wish };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    *out = (struct ab_outbox_edit){ 0 };
    ab_json_writer_init(&to.writer, &text);
    ab_json_array_begin(&to.writer);
    rewrite(&to, webhooks_json, out);
    if (!to.found && ab_json_exists(wish)) {
        out->full = to.count >= most;
        out->lane = to.next_lane;
        write_wish(&to.writer, wish, to.next_lane);
    }
    ab_json_array_end(&to.writer);
    out->removed = to.found && !ab_json_exists(wish);
    if (!out->full && (to.found || ab_json_exists(wish)))
        out->webhooks_json = ab_buf_steal(&text);
    ab_buf_deinit(&text);
}

void ab_outbox_put(const char *webhooks_json, const char *wish_json, size_t most, struct ab_outbox_edit *out)
{
    struct ab_json wish = ab_json_trusted(wish_json);

    edit(webhooks_json, ab_json_member(wish, "id"), wish, most, out);
}

void ab_outbox_remove(const char *webhooks_json, const char *id, struct ab_outbox_edit *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_write_text(&writer, id);
    edit(webhooks_json, ab_json_trusted(text.data), (struct ab_json){ 0 }, 0, out);
    ab_buf_deinit(&text);
}
