/* The answer to one exchange, given whole or as a stream of events (wire/sse.h), whoever is done first: the client may
 * go away while callbacks of the house are still to come, and the other way round. */
#ifndef AB_WIRE_HTTP_REPLY_H
#define AB_WIRE_HTTP_REPLY_H

#include "wire/http_server.h"

struct ab_http_reply_events {
    /* A client that was behind has caught up. */
    void (*caught_up)(void *arg);
    /* The exchange is over; nobody reads any more. */
    void (*left)(void *arg);
    /* The last event: it is over, and no promised callback is left. The owner frees itself, the reply within. */
    void (*done)(void *arg);
};

/* A member of its owner; others read it only. */
struct ab_http_reply {
    struct ab_http_exchange *exchange; /* NULL once it is over */
    const struct ab_http_reply_events *events;
    void *arg;
    unsigned promised; /* callbacks that are still to come */
    bool answered;     /* nothing more is taken */
    bool streaming;
    bool behind; /* the client reads slowly: nothing is written until it caught up */
};

/* From now on the reply hears what becomes of the exchange. `events`, told with `arg`, outlive the reply. */
void ab_http_reply_init(struct ab_http_reply *reply, struct ab_http_exchange *exchange,
                        const struct ab_http_reply_events *events, void *arg);
/* A callback will come to the owner; ab_http_reply_kept is then called first, and says whether somebody still waits.
 * False: the owner may be gone. */
void ab_http_reply_promise(struct ab_http_reply *reply);
AB_MUST bool ab_http_reply_kept(struct ab_http_reply *reply);
/* Whether something can still be said: it has not ended, and the client has not gone. */
AB_MUST bool ab_http_reply_is_open(const struct ab_http_reply *reply);
/* These copy what they are given, and do nothing when the reply is not open or has taken the other form. */
/* The whole answer. */
void ab_http_reply_whole(struct ab_http_reply *reply, const struct ab_http_head *head, struct ab_str body);
/* The head of a stream. */
void ab_http_reply_begin(struct ab_http_reply *reply, const struct ab_http_head *head);
/* One event of the stream; `event` and `id` may be NULL. */
void ab_http_reply_event(struct ab_http_reply *reply, const char *event, const char *id, struct ab_str data);
/* A comment, which shows those in between that the stream lives; left out for a client that is behind. */
void ab_http_reply_comment(struct ab_http_reply *reply);
void ab_http_reply_end(struct ab_http_reply *reply);

/* Answers an exchange that nobody keeps with {"error":"..."}; the sentence is for the person who reads it. `header` or
 * NULL. */
void ab_http_refuse(struct ab_http_exchange *exchange, unsigned status, const struct ab_http_header *header,
                    const char *sentence);

#endif
