/* Webhooks on their way: the task as JSON, signed as the Standard Webhooks specification says. */
#ifndef AB_DELIVER_REST_WEBHOOK_H
#define AB_DELIVER_REST_WEBHOOK_H

#include "auth/seal.h"
#include "deliver/courier.h"
#include "task/engine.h"

/* All borrowed; they outlive the courier. */
struct ab_rest_webhook_encoder {
    struct ab_engine *engine;
    const struct ab_sealer *sealer; /* of callers' secrets */
    /* Appends the secret that a configured reference names; false: `reason` says why it cannot be had. */
    bool (*secret)(void *arg, struct ab_json reference, struct ab_buf *out, char *reason, size_t reason_size);
    void *secret_arg;
};

/* For struct ab_delivery_encoder; `arg` is the struct. */
AB_MUST enum ab_encoding ab_rest_webhook_encode(void *arg, const struct ab_delivery *delivery,
                                                const struct ab_task *task, const struct ab_event *event,
                                                int64_t now_ms, struct ab_outgoing *out, struct ab_buf *why);

#endif
