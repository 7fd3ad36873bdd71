/* Where remote A2A agents post what becomes of the tasks that the bridge gave them (push notifications: A2A 1.0,
 * section 4.3; 0.3, section 9.5). Each run of an agent with push switched on has an address of its own below
 * AB_A2A_RECEIVER_PATH. */
#ifndef AB_AGENTS_A2A_RECEIVER_H
#define AB_AGENTS_A2A_RECEIVER_H

#include "agentbridge/store.h"
#include "auth/seal.h"
#include "base/log.h"
#include "wire/http_server.h"

/* What follows it is the agent's id and a name of the run. */
#define AB_A2A_RECEIVER_PATH "/notifications/"

struct ab_a2a_receiver;

/* Borrowed; all outlive the receiver. */
struct ab_a2a_receiver_settings {
    const struct ab_sealer *sealer; /* of the tokens */
    struct ab_store *store;         /* knows the tasks that nobody follows any more */
    unsigned json_depth;            /* of what is posted; 0: 64 */
    const struct ab_log *log;       /* or NULL */
};

AB_MUST struct ab_a2a_receiver *ab_a2a_receiver_new(const struct ab_a2a_receiver_settings *settings);
/* After all agents that were given it. NULL is accepted. */
void ab_a2a_receiver_free(struct ab_a2a_receiver *receiver);
/* Under which address others reach the bridge: set before any task is begun or taken up; copied. Until then nobody is
 * asked to post. */
void ab_a2a_receiver_set_url(struct ab_a2a_receiver *receiver, const char *url);
/* Answers a POST to a path below AB_A2A_RECEIVER_PATH, at once. */
void ab_a2a_receiver_handle(struct ab_a2a_receiver *receiver, struct ab_http_exchange *exchange);

#endif
