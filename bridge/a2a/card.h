/* Agent cards: what an agent is, can do, and where it is called; and what they are signed with. */
#ifndef AB_A2A_CARD_H
#define AB_A2A_CARD_H

#include "a2a/request.h"

/* Answers a fetch of the agent's card: in the form of the version that the request names, with what caches need. */
void ab_a2a_card_answer(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *agent);
/* Answers a fetch of the public keys (a JWK set) that cards are signed with. */
void ab_a2a_keys_answer(const struct ab_a2a *a2a, struct ab_http_exchange *exchange);
/* The card's text without signatures; `old`: with the members that only 0.3 has. */
void ab_a2a_card_write(const struct ab_a2a *a2a, const char *agent, bool old, struct ab_buf *out);

#endif
