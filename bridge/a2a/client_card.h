/* The card of a remote agent (1.0, section 4.4; 0.3, section 5.5): where and how it is called, and what it says of
 * itself. Whoever serves a card is not trusted with more than its own host. Bytes in, a struct out. */
#ifndef AB_A2A_CLIENT_CARD_H
#define AB_A2A_CLIENT_CARD_H

#include "a2a/version.h"
#include "base/buf.h"

/* One way to call an agent. */
struct ab_a2a_peer {
    const struct ab_a2a_version *version;
    bool rpc; /* JSON-RPC, else HTTP+JSON */
    char *url;
    char *tenant; /* or NULL */
};
const struct ab_a2a_form *ab_a2a_peer_form(const struct ab_a2a_peer *peer);

/* What the operator wants of a card; borrowed. */
struct ab_a2a_card_wish {
    const char *url;               /* where it was fetched: its host may be named by the card without more ado */
    const char *const *hosts;      /* NULL-terminated: further ones, "host" or "host:port"; or NULL */
    const char *version;           /* or NULL: the newest */
    const char *binding;           /* or NULL: the first in the card's order; "JSONRPC", "HTTP+JSON" */
    const char *const *extensions; /* NULL-terminated: those that calls name; or NULL */
    const char *keys_json;         /* or NULL: an array of JWKs, one of which must have signed the card */
};

/* Strings owned; NULL where the card says nothing. */
struct ab_a2a_client_card {
    struct ab_a2a_peer peer;
    bool streaming;
    bool pushes;   /* it posts what becomes of a task to an address that it is given */
    bool extended; /* those who are let in are told more: see ab_a2a_client_write_extended */
    char *name;
    char *description;
    char *version;
    char *skills_json; /* as struct ab_agent_profile has them */
};

/* Nesting that a card may have. */
#define AB_A2A_CARD_DEPTH 32
/* Enough for every reason below. */
#define AB_A2A_REASON_SIZE 512

/* True: `out` needs deinit. False: `reason` (AB_A2A_REASON_SIZE) says why the card is of no use; nothing to deinit. */
AB_MUST bool ab_a2a_client_card_read(struct ab_str text, const struct ab_a2a_card_wish *wish,
                                     struct ab_a2a_client_card *out, char *reason, size_t reason_size);
void ab_a2a_client_card_deinit(struct ab_a2a_client_card *card);

#endif
