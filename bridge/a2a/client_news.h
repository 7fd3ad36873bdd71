/* What a remote agent tells: a task, a message, or a change of a task, in either version and binding, brought into the
 * one form of this house. */
#ifndef AB_A2A_CLIENT_NEWS_H
#define AB_A2A_CLIENT_NEWS_H

#include "a2a/client_card.h"

enum ab_a2a_news_kind { AB_A2A_NEWS_TASK, AB_A2A_NEWS_MESSAGE, AB_A2A_NEWS_STATUS, AB_A2A_NEWS_ARTIFACT };

struct ab_a2a_news {
    enum ab_a2a_news_kind kind;
    char *task_id;    /* or NULL: of a message */
    char *context_id; /* or NULL */

    /* A task or status. */
    enum ab_a2a_state state;
    char *parts_json;        /* of the status' message, or of the message itself; or NULL */
    struct ab_json metadata; /* of the change, a slice of what was read; or no value */

    /* A task: all of its artifacts; an artifact: that one. An array of {"id","name"?,"description"?,"parts":[...],
     * "metadata"?,"extensions"?}; NULL where there is none. */
    char *artifacts_json;
    bool append;
    bool last;
};

/* Reads a result of a send or of a stream, or a bare task. True: `out` needs deinit. False: `reason`
 * (AB_A2A_REASON_SIZE) says what is wrong with it; nothing to deinit. */
AB_MUST bool ab_a2a_news_read(const struct ab_a2a_version *version, struct ab_json result, struct ab_a2a_news *out,
                              char *reason, size_t reason_size);
void ab_a2a_news_deinit(struct ab_a2a_news *news);
/* Which task a push notification says that it is about, of whatever version: one of the same four kinds. False: it is
 * none of them, or has no usable name. `task_id` is to be freed; NULL: a message that names none. */
AB_MUST bool ab_a2a_news_task(struct ab_json body, char **task_id);

#endif
