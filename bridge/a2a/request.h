/* Inside the A2A face: one request, from its first byte to the end of its answer.
 *
 * A call lives as long as its reply. Handlers read `params`, whatever the binding: of HTTP+JSON they are put together
 * from path, query and body. */
#ifndef AB_A2A_REQUEST_H
#define AB_A2A_REQUEST_H

#include "a2a/a2a.h"
#include "a2a/version.h"
#include "base/list.h"
#include "wire/http_reply.h"
#include "wire/jsonrpc.h"

/* One agent, as this face shows it. */
struct ab_a2a_agent {
    struct ab_a2a_agent_settings settings; /* strings owned */
    uint64_t card_hash;                    /* of its card when that was last fetched; 0: it never was */
    char modified[40];                     /* since when the card says that: an HTTP date */
    char *signature;                       /* of that card; or NULL */
};

struct ab_a2a {
    struct ab_a2a_settings settings; /* strings owned; `agents` is NULL: they stand in `published` */
    struct ab_a2a_agent *published;
    size_t n_published;
    char *url;
    struct ab_list calls; /* all that are open */
    struct ab_timer *keep_alive;
    bool draining;
};

struct ab_a2a_follow; /* follow.c */

/* The two ways to ask; see jsonrpc.c and http.c. */
struct ab_a2a_binding {
    bool envelope; /* answers stand in a JSON-RPC response, errors have the HTTP status 200 */
};
extern const struct ab_a2a_binding ab_a2a_jsonrpc;
extern const struct ab_a2a_binding ab_a2a_http_json;

struct ab_a2a_call {
    struct ab_a2a *a2a;
    struct ab_link link;
    struct ab_http_reply reply;
    const struct ab_a2a_version *version;
    const struct ab_a2a_binding *binding;
    const struct ab_a2a_form *form;
    const char *agent; /* its id, in the engine */
    char *owner;       /* principal and tenant */
    char *body;        /* HTTP+JSON: what params are a slice of; of JSON-RPC it is the exchange's body */
    struct ab_json id; /* of the JSON-RPC request */
    struct ab_json params;
    char *path;                    /* HTTP+JSON: below the agent's address, without the tenant */
    char *tenant;                  /* of the path; or NULL */
    char *extensions;              /* those that are active, as the header lists them; or NULL */
    bool refuses_in_stream;        /* its client reads nothing but a stream */
    char *principal;               /* the owner without the tenant */
    struct ab_stream_place *place; /* of its stream; or NULL */
    struct ab_a2a_follow *follow;
};

/* --- a2a.c --- */

/* The agent's settings for its card; never NULL for an agent of the engine. */
const struct ab_a2a_agent_settings *ab_a2a_agent_settings(const struct ab_a2a *a2a, const char *agent);
/* Now, as an HTTP date. */
void ab_a2a_note_time(const struct ab_a2a *a2a, char out[40]);

/* --- call.c --- */

AB_MUST struct ab_a2a_call *ab_a2a_call_new(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *agent);
/* A place for the stream it is going to be; false: the caller has as many as he may, and was refused. */
AB_MUST bool ab_a2a_take_place(struct ab_a2a_call *call);
/* Answers with this result. */
void ab_a2a_answer(struct ab_a2a_call *call, struct ab_str result);
/* Refuses; the sentence is for the person who reads it. On an open stream it becomes the last event. */
AB_PRINTF(3, 4) void ab_a2a_refuse(struct ab_a2a_call *call, enum ab_a2a_error error, const char *format, ...);
/* The same of a task, which is named in the details. */
AB_PRINTF(4, 5)
void ab_a2a_refuse_task(struct ab_a2a_call *call, enum ab_a2a_error error, const char *task_id, const char *format,
                        ...);
/* Invalid parameters, and which: "message.parts". */
AB_PRINTF(3, 4) void ab_a2a_refuse_field(struct ab_a2a_call *call, const char *field, const char *format, ...);
/* One event of a stream, which begins with the first; `result` as it would stand in an answer. */
void ab_a2a_stream_event(struct ab_a2a_call *call, struct ab_str result);

/* --- errors.c --- */

struct ab_a2a_fault {
    enum ab_a2a_error error;
    const char *text;
    const char *task_id; /* or NULL */
    const char *field;   /* or NULL */
};
unsigned ab_a2a_http_status(enum ab_a2a_error error);
/* The reverse, for a client: by the details' reason (a string, or no value), else by the code of JSON-RPC. False: it is
 * none of the protocol's own. */
AB_MUST bool ab_a2a_error_find(int64_t code, struct ab_json reason, enum ab_a2a_error *out);
/* The whole body of a refusal. */
void ab_a2a_write_fault(const struct ab_a2a_call *call, const struct ab_a2a_fault *fault, struct ab_buf *out);

/* --- params.c: members by their camelCase name, which may also come in snake_case --- */

struct ab_json ab_a2a_member(struct ab_json object, const char *name);
/* Each: absent (or null) is fine and leaves the default; false: of the wrong type, and the call was refused. */
AB_MUST bool ab_a2a_read_text(struct ab_a2a_call *call, struct ab_json object, const char *path, char **out);
AB_MUST bool ab_a2a_read_count(struct ab_a2a_call *call, struct ab_json object, const char *path, int64_t *out);
AB_MUST bool ab_a2a_read_flag(struct ab_a2a_call *call, struct ab_json object, const char *path, bool *out);
/* Base64 as ProtoJSON takes it, of either alphabet and with or without padding, written as the member "raw" in the
 * standard one. False: it is none; what was written then is of no use. */
AB_MUST bool ab_a2a_put_bytes(struct ab_json_writer *writer, struct ab_json value);

/* --- jsonrpc.c, http.c: read a request and call its method --- */

void ab_a2a_handle_jsonrpc(struct ab_a2a_call *call);
void ab_a2a_handle_http(struct ab_a2a_call *call);
/* The version that the request names, by header or query. False: it names one that is not spoken here; else `*version`
 * is NULL when it names none. */
AB_MUST bool ab_a2a_named_version(struct ab_http_exchange *exchange, const struct ab_a2a_version **version);
/* What both bindings check before the method: tenant, extensions. False: refused. */
AB_MUST bool ab_a2a_admit(struct ab_a2a_call *call);

#endif
