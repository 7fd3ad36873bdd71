/* The protocol's versions, each a const table in a file of its own (v1_0.c, v0_3.c): methods, paths and the forms in
 * which things are written. A version is chosen once for each request; nothing else compares version strings. */
#ifndef AB_A2A_VERSION_H
#define AB_A2A_VERSION_H

#include "wire/json.h"

struct ab_a2a_call;

/* A push notification configuration as clients see it; borrowed. Its secrets are shown to nobody. */
struct ab_a2a_push_view {
    const char *task_id;
    const char *id;
    const char *url;
    const char *scheme; /* of its authentication, or NULL */
};

/* What a task is for an A2A caller. */
enum ab_a2a_state {
    AB_A2A_SUBMITTED,
    AB_A2A_WORKING,
    AB_A2A_INPUT_REQUIRED,
    AB_A2A_AUTH_REQUIRED,
    AB_A2A_COMPLETED,
    AB_A2A_FAILED,
    AB_A2A_CANCELED,
    AB_A2A_REJECTED,
    AB_A2A_STATE_COUNT
};

enum ab_a2a_role { AB_A2A_USER, AB_A2A_AGENT, AB_A2A_ROLE_COUNT };

/* What can be wrong; errors.c has the codes. */
enum ab_a2a_error {
    AB_A2A_TASK_NOT_FOUND,
    AB_A2A_TASK_NOT_CANCELABLE,
    AB_A2A_PUSH_NOT_SUPPORTED,
    AB_A2A_UNSUPPORTED_OPERATION,
    AB_A2A_CONTENT_TYPE_NOT_SUPPORTED,
    AB_A2A_INVALID_AGENT_RESPONSE,
    AB_A2A_EXTENDED_CARD_NOT_CONFIGURED,
    AB_A2A_EXTENSION_SUPPORT_REQUIRED,
    AB_A2A_VERSION_NOT_SUPPORTED,
    AB_A2A_PARSE_ERROR,
    AB_A2A_INVALID_REQUEST,
    AB_A2A_METHOD_NOT_FOUND,
    AB_A2A_INVALID_PARAMS,
    AB_A2A_INTERNAL_ERROR,
    AB_A2A_OVER_QUOTA,
    AB_A2A_UNAVAILABLE
};

/* How things look on the wire. 1.0 has one form, 0.3 one for each binding. */
struct ab_a2a_form {
    const char *const *states; /* by enum ab_a2a_state */
    const char *const *roles;  /* by enum ab_a2a_role */
    const char *message_parts; /* the name of a message's parts */
    bool kinds;                /* objects say of themselves what they are */
    bool wraps;                /* an answer that may be of several kinds stands in a member named after its kind */
    bool blocks_unless_told;   /* a send whose configuration says nothing of it waits for the task */
    bool no_length_is_all;     /* a send's historyLength of 0 is no limit */
    bool final;                /* status updates say whether they are the last */
    bool streams_refusals;     /* who asked for a stream is refused in one: the clients read no other answer */
    /* One part as agents and rows have it ({"text"|"raw"|"url"|"data","media_type","filename","metadata"}). */
    void (*write_part)(struct ab_json_writer *writer, struct ab_json part);
    const char *push_in_send; /* the name of a push notification configuration in a send's */
    bool push_schemes;        /* its authentication has a list of schemes, else one */
    const char *push_nested;  /* where its members stand in the parameters of its own methods; NULL: side by side */
    bool bare_lists;          /* a list of them is an array, else an object with pages */
    void (*write_push)(struct ab_json_writer *writer, const struct ab_a2a_push_view *push);
};

struct ab_a2a_method {
    const char *rpc;  /* JSON-RPC's name of it; NULL: there is none */
    const char *verb; /* HTTP+JSON: "GET"; NULL: there is none */
    const char *path; /* "/tasks/{id}:cancel" */
    bool streams;     /* its answer is a stream */
    /* Answers the call, now or later. */
    void (*handle)(struct ab_a2a_call *call);
};

struct ab_a2a_version {
    const char *name;                    /* "1.0", as A2A-Version has it */
    const char *prefix;                  /* what all HTTP+JSON paths begin with: "", "/v1" */
    const struct ab_a2a_method *methods; /* ends with a NULL handler; several may share a path or a name: the first of
                                            a handler is how a client asks */
    const struct ab_a2a_form *rpc_form;
    const struct ab_a2a_form *http_form;
    const char *extensions_header; /* as it is sent */
    bool error_info;               /* errors carry google.rpc details */
    bool typed_http;               /* HTTP+JSON has a media type of its own */
    bool push_events;              /* push notifications say what happened, not always the whole task */
    bool returns_immediately;      /* what a client asks for so, it asked for as `blocking` before */
    enum ab_a2a_error no_extended_card;
    /* Reads one part of a message into the form of agents and rows; false: `reason` says what is wrong. */
    bool (*read_part)(struct ab_json part, struct ab_json_writer *writer, char *reason, size_t reason_size);
};

/* All of them, newest first, ends with NULL. */
extern const struct ab_a2a_version *const ab_a2a_versions[];
extern const struct ab_a2a_version ab_a2a_v1_0;
extern const struct ab_a2a_version ab_a2a_v0_3;

/* The version that a header's value names, patch digits aside; NULL when there is none such. */
const struct ab_a2a_version *ab_a2a_version_find(struct ab_str name);
/* The method of this JSON-RPC name, or NULL. */
const struct ab_a2a_method *ab_a2a_method_find(const struct ab_a2a_version *version, const char *rpc);

#endif
