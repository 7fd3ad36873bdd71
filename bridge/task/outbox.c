/* From wishes and status events to rows; see outbox.h. */
#include "task/outbox.h"

#include "base/mem.h"
#include "wire/json.h"

static bool is_wished_for(struct ab_json wish, struct ab_json status)
{
    static const char *const usual[] = { "completed", "failed", "error", "stopped", "paused" };
    struct ab_json events = ab_json_member(wish, "events");
    struct ab_json_iterator iterator = ab_json_iterate(events);
    struct ab_json event;

    if (!ab_json_is(events, AB_JSON_ARRAY)) {
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
            if (ab_json_string_is(status, usual[i]))
                return true;
        }
        return false;
    }
    while (ab_json_next(&iterator, NULL, &event)) {
        if (ab_json_equal(event, status))
            return true;
    }
    return false;
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

void ab_outbox_collect(struct ab_outbox_rows *rows, const char *webhooks_json, uint32_t first_lane,
                       const struct ab_event *events, size_t n_events)
{
    for (size_t i = 0; webhooks_json != NULL && i < n_events; i++) {
        struct ab_json_iterator wishes = ab_json_iterate(ab_json_trusted(webhooks_json));
        struct ab_json wish;
        struct ab_json status;
        uint32_t lane = first_lane;

        if (events[i].kind != AB_EVENT_STATUS)
            continue;
        status = ab_json_member(ab_json_trusted(events[i].body_json), "status");
        for (; ab_json_next(&wishes, NULL, &wish); lane++) {
            if (is_wished_for(wish, status))
                add(rows, wish, lane, &events[i]);
        }
    }
}

void ab_outbox_deinit(struct ab_outbox_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        ab_delivery_deinit(&rows->rows[i]);
    free(rows->rows);
    *rows = (struct ab_outbox_rows){ 0 };
}
