/* The `a2a` agent: a remote agent that speaks A2A, found by its card. A task here is a task there; what is told of it
 * there is told here. */
#ifndef AB_AGENTS_A2A_H
#define AB_AGENTS_A2A_H

#include "agentbridge/agent.h"
#include "agentbridge/store.h"
#include "base/id.h"
#include "base/log.h"
#include "wire/http_client.h"
#include "wire/loop.h"

struct ab_a2a_receiver;

/* Copied, but for the ports, which outlive the agent. Lists end with NULL, or are NULL. 0 takes the default in
 * brackets. */
struct ab_a2a_remote_settings {
    const char *id;                 /* the agent's id */
    const char *card;               /* the address of its card */
    const char *version;            /* or NULL: the newest of the card's that is spoken here */
    const char *binding;            /* or NULL: the card's preferred one; "JSONRPC", "HTTP+JSON" */
    const char *const *hosts;       /* that the card may name besides its own */
    const char *const *extensions;  /* URIs that calls name */
    const char *const *credentials; /* "Name: value": sent with each request to the hosts above */
    const char *keys_json;          /* or NULL; an array of JWKs, one of which must have signed the card */
    size_t card_bytes;              /* [256 KiB] */
    size_t answer_bytes;            /* [16 MiB] one answer, or one event of a stream */
    size_t stream_bytes;            /* [64 MiB] all of one stream */
    uint32_t connect_ms;            /* [10 s] */
    uint32_t answer_ms;             /* [30 s] for what the agent can answer at once */
    uint32_t silence_ms;            /* [60 s] a stream without a byte is asked for anew */
    uint32_t poll_ms;               /* [1 s] between the first looks at a task that is not streamed */
    uint32_t poll_max_ms;           /* [30 s] what that grows to */
    uint32_t refresh_ms;            /* [5 min] a card that does not say how long it holds */
    bool push;                      /* the agent is asked to post what becomes of a task, where its card says it can, so
                                     * that no connection to it stays open */
    uint32_t push_look_ms;          /* [5 min] between the looks at such a task, at most: posts get lost */
    struct ab_a2a_receiver *receiver; /* of the posts; or NULL, without `push` */
    struct ab_loop *loop;
    struct ab_http_client *client;
    struct ab_store *store; /* where contexts are kept */
    struct ab_random random;
    const struct ab_log *log; /* or NULL */
};

AB_MUST struct ab_agent *ab_a2a_agent_new(const struct ab_a2a_remote_settings *settings);

#endif
