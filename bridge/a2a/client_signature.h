/* Whether a card is from whom it says: its signatures (1.0, section 8.4), by keys that the operator has. */
#ifndef AB_A2A_CLIENT_SIGNATURE_H
#define AB_A2A_CLIENT_SIGNATURE_H

#include "wire/json.h"

/* Whether one of the card's signatures was made with one of these keys (an array of JWKs); if not, `reason` says why.
 * Addresses of keys that a card names are never fetched. */
AB_MUST bool ab_a2a_client_signature_check(struct ab_json card, struct ab_json keys, char *reason, size_t reason_size);

#endif
