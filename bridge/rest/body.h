/* The body of an invocation, read: checked, and in the form that the engine and agents have. */
#ifndef AB_REST_BODY_H
#define AB_REST_BODY_H

#include "rest/faults.h"
#include "rest/webhooks.h"

/* What it is read with; borrowed. */
struct ab_rest_body_reader {
    unsigned json_depth;
    bool strict;           /* the caller must say who the user is */
    const char *user_json; /* who that is where he does not; or NULL */
    const char *version;   /* of the agent, from the address; or NULL */
    const char *message_id;
    struct ab_rest_webhooks_reader webhooks;
};

struct ab_rest_body {
    char *thread_id; /* or NULL */
    char *title;     /* or NULL */
    char *message_json;
    char *input_json;
    char *options_json;
    char *secrets_json; /* or NULL: no credentials were given */
    char *webhooks_json;
};

/* False: `faults` says what is wrong, each with its place. `out` needs deinit either way. */
AB_MUST bool ab_rest_body_read(const struct ab_rest_body_reader *reader, struct ab_str text, struct ab_rest_body *out,
                               struct ab_rest_faults *faults);
/* Wipes the credentials. */
void ab_rest_body_deinit(struct ab_rest_body *body);

/* Checks the text against `json_depth`; false: `faults` says where it is no JSON object. */
AB_MUST bool ab_rest_object_read(struct ab_str text, unsigned json_depth, struct ab_json *out,
                                 struct ab_rest_faults *faults);

#endif
