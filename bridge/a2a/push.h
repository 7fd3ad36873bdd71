/* What a push notification says: the body and headers of the POST, in the form of the version that its receiver
 * registered under. Who posts it, when and how often is the business of deliver/. */
#ifndef AB_A2A_PUSH_H
#define AB_A2A_PUSH_H

#include "auth/seal.h"
#include "auth/sign.h"
#include "task/engine.h"

/* The kind of its wishes and deliveries, and what their secrets are sealed for. */
#define AB_A2A_PUSH_KIND "a2a-push"
#define AB_A2A_PUSH_SEAL "a2a-push"

/* Where a client wants to be told. */
struct ab_a2a_push_target {
    char *version; /* "1.0" or "0.3" */
    char *url;
    char *token;       /* or NULL */
    char *scheme;      /* or NULL; "Bearer" */
    char *credentials; /* or NULL; with a scheme only */
};

/* The wish's member "target" (trusted), with the secrets sealed for this owner; deinit wipes. Appended as an object. */
AB_MUST int ab_a2a_push_target_write(struct ab_json_writer *writer, const struct ab_sealer *sealer, const char *owner,
                                     const struct ab_a2a_push_target *target);
/* The reverse; false: the secrets cannot be unsealed. `out` needs deinit either way. */
AB_MUST bool ab_a2a_push_target_read(struct ab_json target, const struct ab_sealer *sealer, const char *owner,
                                     struct ab_a2a_push_target *out);
void ab_a2a_push_target_deinit(struct ab_a2a_push_target *target);

/* Appends the body that tells of `event` (a status or an artifact), with the task as it was then. In 1.0 that is the
 * update, and the whole task at its end; in 0.3 always the task. < 0: the log cannot be read; > 0: the version is
 * unknown. */
AB_MUST int ab_a2a_push_body(struct ab_engine *engine, const struct ab_a2a_push_target *target,
                             const struct ab_task *task, const struct ab_event *event, struct ab_buf *out);
/* The headers as fresh "Name: value" lines behind each other in `out`, at most AB_A2A_PUSH_HEADERS, each to be freed;
 * the rest is NULL. `jwt` (or NULL) is the bearer token of those who gave no authentication. False, and none, when a
 * value could not stand in a header. */
#define AB_A2A_PUSH_HEADERS 3
AB_MUST bool ab_a2a_push_headers(const struct ab_a2a_push_target *target, const char *jwt,
                                 char *out[AB_A2A_PUSH_HEADERS]);
/* Whether a text may stand in a header: a line break would begin another one. NULL may. */
bool ab_a2a_push_is_plain(const char *text);

/* By which a receiver knows that this body is ours, and meant for it. */
struct ab_a2a_push_claims {
    const char *issuer; /* the bridge's address */
    const char *audience;
    const char *task_id;
    const char *id; /* of this attempt */
    int64_t now_ms;
    struct ab_str body;
};
/* Appends a JWT with them, good for five minutes. AB_OK or < 0. */
AB_MUST int ab_a2a_push_jwt(const struct ab_signer *signer, const struct ab_a2a_push_claims *claims,
                            struct ab_buf *out);

#endif
