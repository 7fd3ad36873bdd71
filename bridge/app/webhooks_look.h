/* Looking at what is to be delivered as the local operator, and sending it again: the same whether a bridge answers
 * over its control socket or the store was opened for one command. */
#ifndef AB_APP_WEBHOOKS_LOOK_H
#define AB_APP_WEBHOOKS_LOOK_H

#include "agentbridge/store.h"
#include "wire/json.h"

/* A page: {"state"?,"after"?} -> {"webhooks":[...],"next"?}, given up ones first; `next` is the `after` of the page
 * that follows. Appended to `out`; false: a sentence in `reason`. */
AB_MUST bool ab_webhooks_list(struct ab_store *store, struct ab_json params, struct ab_buf *out, struct ab_buf *reason);
/* {"id"} -> {"webhook":{...}}. */
AB_MUST bool ab_webhooks_show(struct ab_store *store, struct ab_json params, struct ab_buf *out, struct ab_buf *reason);

struct ab_webhooks_resend;
/* So many were sent again; `text` (or NULL) says what went wrong with one that was not. */
typedef void (*ab_webhooks_resent_fn)(void *arg, size_t n_resent, const char *text);
/* {"id"}, or {"all":true} for all that were given up: they are due at `now`, and may be tried for a day. `done` comes
 * in a later turn of the loop, and whoever delivers is to be woken then. NULL: it does not come, and `reason` says what
 * is wrong, or nothing when there is just none. */
AB_MUST struct ab_webhooks_resend *ab_webhooks_resend(struct ab_store *store, struct ab_json params, int64_t now,
                                                      ab_webhooks_resent_fn done, void *arg, struct ab_buf *reason);
/* `done` is not called any more; the rows are sent again all the same. */
void ab_webhooks_resend_forget(struct ab_webhooks_resend *resend);
/* {"resent":n} */
void ab_webhooks_write_resent(size_t n_resent, struct ab_buf *out);

#endif
