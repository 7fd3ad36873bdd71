/* Who is told of which status changes elsewhere: lists of wishes, and the deliveries that a commit leaves behind for
 * them.
 *
 * A wish is {"kind":"rest-webhook","receiver":"https://host:443","events"?:["completed",...],"target":{...}}; all but
 * the events is opaque here. Without `events`: the ends and the pauses. */
#ifndef AB_TASK_OUTBOX_H
#define AB_TASK_OUTBOX_H

#include "agentbridge/delivery.h"

/* Lanes of the caller's wishes begin here, those of the agent's at 0. */
#define AB_OUTBOX_CALLER_LANES 1000u

struct ab_outbox_rows {
    struct ab_delivery *rows;
    size_t count;
};

/* Adds what these events leave for the wishes in `webhooks_json` (trusted, or NULL for none). */
void ab_outbox_collect(struct ab_outbox_rows *rows, const char *webhooks_json, uint32_t first_lane,
                       const struct ab_event *events, size_t n_events);
void ab_outbox_deinit(struct ab_outbox_rows *rows);

#endif
