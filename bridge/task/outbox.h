/* Who is told of what elsewhere: lists of wishes, and the deliveries that a commit leaves behind for them.
 *
 * A wish is {"kind":"rest-webhook","receiver":"https://host:443","events"?:["completed",...],"target":{...}}; all but
 * the events is opaque here. They are names of statuses, and "artifact"; without them: the ends and the pauses. One
 * that can be changed later has an "id" of its own, too, and all that were written here have their "lane". */
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

/* --- changing a caller's wishes --- */

/* A list that was changed. */
struct ab_outbox_edit {
    char *webhooks_json; /* owned by the caller; NULL: the list stays as it is */
    bool full;           /* there is no room for one more */
    bool removed;        /* a wish is gone, and its lane with it */
    uint32_t lane;       /* of the wish that was put or removed */
};

/* Puts the wish `wish_json` (trusted, an object with an "id") in place of that of the same id, whose lane it keeps, or
 * behind the others, of which there may be `most` in all. */
void ab_outbox_put(const char *webhooks_json, const char *wish_json, size_t most, struct ab_outbox_edit *out);
/* Removes the wish of this id, where there is one. */
void ab_outbox_remove(const char *webhooks_json, const char *id, struct ab_outbox_edit *out);

#endif
