/* What the agent platform is sent: addresses, and the body of an invocation. Pure: wishes in, bytes out. */
#ifndef AB_REST_CLIENT_REQUEST_H
#define AB_REST_CLIENT_REQUEST_H

#include "wire/json.h"

/* How an invocation is answered. */
enum ab_rest_mode {
    AB_REST_STREAM, /* as events, at once */
    AB_REST_ASYNC,  /* with the task as it begins */
    AB_REST_SYNC    /* with the task as it ends */
};

/* Where invocations go; borrowed. */
struct ab_rest_target {
    const char *url;      /* https://host[:port][/prefix] */
    const char *agent_id; /* of the agent, or of the workflow */
    bool workflow;
};

/* Each appends a whole address. `version` NULL: the deployed one. `route` stands behind the task's id ("/stop", "" for
 * the task itself); in one that holds "{task_id}" the id is put there instead. */
void ab_rest_url_invoke(struct ab_buf *out, const struct ab_rest_target *target, enum ab_rest_mode mode,
                        const char *version);
void ab_rest_url_task(struct ab_buf *out, const char *base, const char *id, const char *route);

/* One invocation; borrowed during the call. */
struct ab_rest_invocation {
    struct ab_json input;      /* {"text","files","user"} of the task */
    const char *text;          /* instead of the input's own; or NULL */
    struct ab_json options;    /* the caller's further wishes, named as they are sent */
    struct ab_json secrets;    /* {"user_oidc_token","user_tokens","mcp_servers"}; no value: none */
    const char *id;            /* of the conversation there */
    const char *title;         /* or NULL; where the options have none */
    const char *surface_field; /* or NULL: what the surface's member is called */
    const char *surface;       /* or NULL: nothing is said of it */
    bool events;               /* finer events are wanted, where the caller did not say */
};

/* Appends the body: every member that the platform knows and the caller gave, and none that it does not know. */
void ab_rest_invocation_write(struct ab_buf *out, const struct ab_rest_invocation *invocation);

#endif
