/* What a push notification says: the body and headers of the POST, in the form of the version that its receiver
 * registered under. Who posts it, when and how often is the business of deliver/. */
#ifndef AB_A2A_PUSH_H
#define AB_A2A_PUSH_H

#include "task/engine.h"

/* Where a client wants to be told; borrowed. */
struct ab_a2a_push_target {
    const char *version;     /* "1.0" or "0.3" */
    const char *token;       /* or NULL */
    const char *scheme;      /* or NULL; "Bearer" */
    const char *credentials; /* or NULL; with a scheme only */
};

/* Appends the body: the task as it stands. < 0: the log cannot be read; > 0: the version is unknown. */
AB_MUST int ab_a2a_push_body(struct ab_engine *engine, const struct ab_a2a_push_target *target,
                             const struct ab_task *task, struct ab_buf *out);
/* The headers as fresh "Name: value" lines behind each other in `out`, at most AB_A2A_PUSH_HEADERS, each to be freed;
 * the rest is NULL. False, and none, when a value could not stand in a header. */
#define AB_A2A_PUSH_HEADERS 3
AB_MUST bool ab_a2a_push_headers(const struct ab_a2a_push_target *target, char *out[AB_A2A_PUSH_HEADERS]);

#endif
