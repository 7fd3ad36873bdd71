/* Event ids of the legacy streams (MCP 2025-03-26 and later, basic/transports, "Resumability and Redelivery"). An id
 * says all that is needed to go on from it: which call, which task, how far in the task's log. So nothing that was
 * sent is kept, and an id outlives a restart. It comes back from a stranger: it is sealed, bound to owner and session.
 */
#ifndef AB_MCP_EVENT_ID_H
#define AB_MCP_EVENT_ID_H

#include "mcp/progress.h"

/* How far a call's stream has come; its wait moves it on. */
struct ab_mcp_place {
    char task_id[AB_TASK_ID_SIZE];
    uint64_t cursor; /* number of the event told last */
    struct ab_mcp_progress progress;
    int64_t until;  /* wall clock, ms: the call is held so long; < 0: to the task's end */
    bool published; /* a tool of its own was called, not one that is always there */
    bool starts_task;
    bool core_task;
    bool related;
    bool with_events;
    uint64_t events_after;
};

/* Appends the id of what is sent next on this request's stream; nothing when the stream cannot be resumed. */
void ab_mcp_event_id_write(const struct ab_mcp_request *request, struct ab_buf *out);

/* Appends the id of a GET stream that has told these tasks' states: {"<task id>":<number of the event seen last>}. */
void ab_mcp_event_id_write_told(const struct ab_mcp *mcp, const char *owner, const char *session_id, struct ab_str told,
                                struct ab_buf *out);

/* An id that came back. */
struct ab_mcp_event_id {
    struct ab_buf text;
    bool done;            /* the response was sent with it: nothing is missing */
    struct ab_json id;    /* of the call; in `text` */
    struct ab_json token; /* its progressToken, if any; in `text` */
    struct ab_json told;  /* of a GET stream, and nothing else then; in `text` */
    struct ab_mcp_place place;
};
/* False when it is not ours, was changed, or belongs to another session or owner. Deinit in any case. */
AB_MUST bool ab_mcp_event_id_read(const struct ab_mcp *mcp, const char *owner, const char *session_id,
                                  struct ab_str token, struct ab_mcp_event_id *out);
void ab_mcp_event_id_deinit(struct ab_mcp_event_id *event_id);

#endif
