/* The A2A face: versions 1.0 and 0.3 on the same addresses, over JSON-RPC and HTTP+JSON, for every agent. */
#ifndef AB_A2A_A2A_H
#define AB_A2A_A2A_H

#include "auth/seal.h"
#include "auth/sign.h"
#include "auth/streams.h"
#include "task/engine.h"
#include "wire/guard.h"
#include "wire/http_server.h"

/* What a fetch of the card that names no version gets: a card of 1.0 with the members of 0.3 in it, which both kinds
 * of client read, or one of 1.0 and nothing else. */
enum ab_a2a_card_form { AB_A2A_CARD_HYBRID, AB_A2A_CARD_STRICT };

/* What the configuration says of one agent for its card, beyond what the engine knows. JSON members are checked text;
 * NULL takes the default in brackets. Copied. */
struct ab_a2a_agent_settings {
    const char *agent;
    const char *version;           /* ["1"] of the agent itself */
    const char *skills_json;       /* [one skill, the agent] array of {"id","name","description","tags",...} */
    const char *input_modes_json;  /* [any] array of media types */
    const char *output_modes_json; /* [any] */
    const char *extensions_json;   /* [none] array of {"uri","description"?,"required"?,"params"?} */
    const char *provider_json;     /* [none] {"organization","url"} */
    const char *documentation_url; /* [none] */
    const char *icon_url;          /* [none] */
};

/* Borrowed ports outlive the face; the rest is copied. Times in ms; 0 takes the default in brackets. */
struct ab_a2a_settings {
    struct ab_engine *engine;
    struct ab_loop *loop;
    struct ab_streams *streams;     /* who may open one more; or NULL: everybody */
    const struct ab_sealer *sealer; /* for page tokens, and the secrets of push notification configurations */
    const struct ab_guard *guard;   /* what those may lead to besides public addresses; or NULL */
    struct ab_random random;        /* for their ids */
    const struct ab_signer *signer; /* or NULL: cards are not signed */
    const char *default_agent;      /* or NULL: the only one, where there is only one */
    const char *user_json;          /* {"id","email",...}: who the caller is where nobody signs in; or NULL */
    const struct ab_a2a_agent_settings *agents;
    size_t n_agents;
    enum ab_a2a_card_form card_form;
    unsigned json_depth;   /* [64] */
    uint32_t head_ms;      /* [250 ms] a stream's first event waits so long for a message instead of a task */
    uint32_t heartbeat_ms; /* [10 s] between signs of life on a silent stream */
};

struct ab_a2a;

AB_MUST struct ab_a2a *ab_a2a_new(const struct ab_a2a_settings *settings);
/* "https://agents.example.com": what cards name as the bridge's address. Before the first request. */
void ab_a2a_set_url(struct ab_a2a *a2a, const char *url);
const char *ab_a2a_url(const struct ab_a2a *a2a);
/* Answers one request to /a2a, below it, to a card at the root, or for the keys that cards are signed with. `owner` is
 * the principal's opaque name. */
void ab_a2a_handle(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *owner);
/* Ends the streams that would otherwise stay open for long, for a shutdown. */
void ab_a2a_drain(struct ab_a2a *a2a);
/* When no exchange is left. NULL is accepted. */
void ab_a2a_free(struct ab_a2a *a2a);

#endif
