/* What a remote agent replies, read as it comes: one JSON answer or a stream of events, in a response of JSON-RPC or
 * bare, a result or a refusal. Bytes in, messages out. */
#ifndef AB_A2A_CLIENT_REPLY_H
#define AB_A2A_CLIENT_REPLY_H

#include "a2a/client_card.h"

/* What the agent refused with. */
struct ab_a2a_client_refusal {
    unsigned status;           /* of HTTP */
    bool known;                /* it is one of the protocol's */
    enum ab_a2a_error error;   /* when known */
    int64_t code;              /* of JSON-RPC; 0: none */
    const char *text;          /* for a person, from the other side; never NULL */
    struct ab_json error_json; /* {"code","message","data"?}, when it came in a response of JSON-RPC */
};

struct ab_a2a_reply_events {
    /* A result: whole, or one event of a stream. Valid during the call. */
    void (*result)(void *arg, struct ab_json result);
    /* The agent said no; nothing follows. */
    void (*refused)(void *arg, const struct ab_a2a_client_refusal *refusal);
    /* It is no such reply, or too large; nothing follows. `reason` is for a person. */
    void (*broken)(void *arg, const char *reason);
};

struct ab_a2a_reply;

/* `max_bytes` bounds one answer or one event, `max_stream` all of a stream. Events are given from inside feed and end;
 * the reply must not be freed from there. */
AB_MUST struct ab_a2a_reply *ab_a2a_reply_new(bool rpc, size_t max_bytes, size_t max_stream,
                                              const struct ab_a2a_reply_events *events, void *arg);
void ab_a2a_reply_free(struct ab_a2a_reply *reply);
void ab_a2a_reply_head(struct ab_a2a_reply *reply, unsigned status, struct ab_str content_type);
void ab_a2a_reply_feed(struct ab_a2a_reply *reply, struct ab_str data);
/* The body is complete. */
void ab_a2a_reply_end(struct ab_a2a_reply *reply);

#endif
