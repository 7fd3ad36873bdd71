/* The words behind `agentbridge webhooks`. */
#ifndef AB_APP_WEBHOOKS_LINE_H
#define AB_APP_WEBHOOKS_LINE_H

#include "agentbridge/types.h"

enum ab_webhooks_verb { AB_WEBHOOKS_HELP, AB_WEBHOOKS_LIST, AB_WEBHOOKS_SHOW, AB_WEBHOOKS_RESEND };

/* The texts are those of argv; NULL where not given. */
struct ab_webhooks_line {
    enum ab_webhooks_verb verb;
    const char *config;
    const char *data;
    const char *id;
    const char *state; /* list */
    bool json;         /* list and show: as JSON */
    bool all;          /* resend */
};

/* Reads them. False when they are wrong; `reason` (at least 256 bytes) is one line that says what would be right. */
AB_MUST bool ab_webhooks_line_read(int n_words, const char *const *words, struct ab_webhooks_line *out, char *reason,
                                   size_t reason_size);

#endif
