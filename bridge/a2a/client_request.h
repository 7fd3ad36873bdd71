/* Requests to a remote agent, in the words of its version and binding. Values in, an HTTP request out; who asks adds
 * the credentials. */
#ifndef AB_A2A_CLIENT_REQUEST_H
#define AB_A2A_CLIENT_REQUEST_H

#include "a2a/client_card.h"

/* Headers: Content-Type, Accept, A2A-Version, extensions. */
#define AB_A2A_CLIENT_HEADERS 4

/* Owned, but for `verb`; headers are "Name: value", those behind the last one NULL. */
struct ab_a2a_client_request {
    const char *verb;
    char *url;
    char *headers[AB_A2A_CLIENT_HEADERS + 1];
    struct ab_buf body;
    bool stream; /* events are wanted */
    bool begins; /* sent twice it would be two messages */
};
void ab_a2a_client_request_deinit(struct ab_a2a_client_request *request);

/* Where the agent shall post what becomes of the task; borrowed. */
struct ab_a2a_client_push {
    const char *id; /* ours: given again it replaces the one before */
    const char *url;
    const char *token; /* comes back with each post, in one of two headers: not every agent knows both */
};

/* A message to the agent; all borrowed, JSON as agents and rows have it. */
struct ab_a2a_client_message {
    const char *id;
    const char *context_id; /* or NULL */
    const char *task_id;    /* or NULL */
    struct ab_json parts;
    struct ab_json metadata;         /* of the message; or no value, as below */
    struct ab_json extensions;       /* of the message */
    struct ab_json request_metadata; /* what the caller said beside it */
    struct ab_json output_modes;
    const struct ab_a2a_client_push *push; /* or NULL */
    bool stream;                           /* else the answer comes at once, and the task is asked for later */
};
/* `extensions`: NULL-terminated, the URIs that are active; or NULL. */
void ab_a2a_client_write_message(const struct ab_a2a_peer *peer, const struct ab_a2a_client_message *message,
                                 const char *const *extensions, struct ab_a2a_client_request *out);

enum ab_a2a_client_verb { AB_A2A_CLIENT_GET, AB_A2A_CLIENT_SUBSCRIBE, AB_A2A_CLIENT_CANCEL };
void ab_a2a_client_write_task(const struct ab_a2a_peer *peer, enum ab_a2a_client_verb verb, const char *task_id,
                              const char *const *extensions, struct ab_a2a_client_request *out);
/* Asks for the card that the agent shows to those who are let in. */
void ab_a2a_client_write_extended(const struct ab_a2a_peer *peer, const char *const *extensions,
                                  struct ab_a2a_client_request *out);
/* Takes back the address that was given as this configuration of the task. */
void ab_a2a_client_write_push_delete(const struct ab_a2a_peer *peer, const char *task_id, const char *config_id,
                                     const char *const *extensions, struct ab_a2a_client_request *out);

#endif
