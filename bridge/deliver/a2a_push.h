/* Push notifications of A2A on their way. */
#ifndef AB_DELIVER_A2A_PUSH_H
#define AB_DELIVER_A2A_PUSH_H

#include "a2a/a2a.h"
#include "deliver/courier.h"

/* All borrowed; they outlive the courier. */
struct ab_a2a_push_encoder {
    struct ab_engine *engine;
    const struct ab_sealer *sealer;
    const struct ab_signer *signer; /* or NULL: no JWT */
    const struct ab_a2a *a2a;       /* whose address is the issuer */
};

/* For struct ab_delivery_encoder; `arg` is the struct. */
AB_MUST enum ab_encoding ab_a2a_push_encode(void *arg, const struct ab_delivery *delivery, const struct ab_task *task,
                                            const struct ab_event *event, int64_t now_ms, struct ab_outgoing *out,
                                            struct ab_buf *why);

#endif
