/* One event of the agent platform's stream, in all the forms that were seen. */
#ifndef AB_REST_CLIENT_EVENT_H
#define AB_REST_CLIENT_EVENT_H

#include "rest/client_task.h"

enum ab_rest_event_kind {
    AB_REST_EVENT_TASK,     /* `task` as it stands now */
    AB_REST_EVENT_FINISHED, /* the same, and the stream's last */
    AB_REST_EVENT_CHUNK,    /* `data`: a text, a piece of the answer */
    AB_REST_EVENT_PROGRESS, /* `data`: {"value","total"?,"message"?}; of a bridge */
    AB_REST_EVENT_LOG,      /* `data`: {"level","text"}; of a bridge */
    AB_REST_EVENT_ARTIFACT, /* `data`: {"id","parts",...}; of a bridge */
    AB_REST_EVENT_PLAN,     /* `data`: {"tasks":[{"id","title","completed"}...]} */
    AB_REST_EVENT_AUTH,     /* `data`: {"type":"login_required",...,"data":{"url",...}} */
    AB_REST_EVENT_WORDS     /* anything else: what ab_rest_event_words makes of it */
};

/* Slices of the text it was read from. */
struct ab_rest_event {
    enum ab_rest_event_kind kind;
    struct ab_json type;
    struct ab_json task_id; /* or no value */
    struct ab_json data;    /* or no value */
    struct ab_json bridge;  /* "agentbridge" of another bridge's event: {"task_id","last_event"}; or no value */
    struct ab_rest_task task;
};

/* Reads the data of one server-sent event. `name` is the one of its "event" field, "message" where it had none. False
 * when it is no JSON object, or says of nothing what it is. */
AB_MUST bool ab_rest_event_read(struct ab_str data, const char *name, struct ab_rest_event *out);
/* Appends what the event says, for a person and in one line: "calls search: why"; an event that is not known by its
 * type and data. */
void ab_rest_event_words(struct ab_buf *out, const struct ab_rest_event *event);
/* Where to sign in and with whom, of an AB_REST_EVENT_AUTH that wants that; false when it does not. */
AB_MUST bool ab_rest_event_sign_in(const struct ab_rest_event *event, struct ab_json *url, struct ab_json *who);
/* How many steps of an AB_REST_EVENT_PLAN are done and how many there are, and the title of the first that is not (or
 * no value); false when there is none. */
AB_MUST bool ab_rest_event_plan(const struct ab_rest_event *event, unsigned *done, unsigned *all, struct ab_json *next);

#endif
