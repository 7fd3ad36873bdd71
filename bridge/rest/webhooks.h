/* Webhooks: what a caller, or the configuration, says of those who want to be told of a task, as the wishes of
 * task/outbox.h. How one is posted: deliver/rest_webhook.h. */
#ifndef AB_REST_WEBHOOKS_H
#define AB_REST_WEBHOOKS_H

#include "auth/seal.h"
#include "wire/guard.h"
#include "wire/json.h"

/* The wishes' kind. */
#define AB_REST_WEBHOOK_KIND "rest-webhook"
/* What the secret of a caller is sealed for; bound to the task's owner and, behind a line break, the URL. */
#define AB_REST_WEBHOOK_SEAL "webhook-secret"
/* So many may one list hold. */
#define AB_REST_WEBHOOKS_MAX 8

/* What a list is read with. */
struct ab_rest_webhooks_reader {
    const struct ab_sealer *sealer;
    const struct ab_guard *guard; /* or NULL: public addresses only */
    const char *owner;            /* of the task that is to be made */
};

/* What is wrong with a list, and where. */
struct ab_rest_webhooks_fault {
    int index;          /* of the webhook; -1: the list itself */
    const char *member; /* "url", "secret", "events"; NULL: the webhook itself */
    char reason[320];
};

/* Reads a caller's [{"url","events"?:["completed",...],"secret"?:"whsec_..."}] into wishes, which the caller of this
 * function frees. NULL: `fault` is filled. The secret stands sealed in them, and nowhere in the fault. */
AB_MUST char *ab_rest_webhooks_read(const struct ab_rest_webhooks_reader *reader, struct ab_json list,
                                    struct ab_rest_webhooks_fault *fault);
/* One wish of the configuration. `events` and `secret` are those of the configuration or no value; the secret's
 * reference ({"env"} or {"file"}) stands in the wish and is looked up when it is needed. */
void ab_rest_webhook_write(struct ab_json_writer *writer, const char *url, const char *receiver, struct ab_json events,
                           const char *secret_json);

#endif
