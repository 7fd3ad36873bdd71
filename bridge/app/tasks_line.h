/* The words behind `agentbridge tasks`. */
#ifndef AB_APP_TASKS_LINE_H
#define AB_APP_TASKS_LINE_H

#include "agentbridge/types.h"

enum ab_tasks_verb { AB_TASKS_HELP, AB_TASKS_LIST, AB_TASKS_SHOW, AB_TASKS_WATCH, AB_TASKS_STOP, AB_TASKS_REPLY };

/* The texts are those of argv; NULL where not given. */
struct ab_tasks_line {
    enum ab_tasks_verb verb;
    const char *config;
    const char *data;
    const char *id;
    const char *status;
    const char *agent;
    bool json;           /* list and show: as JSON */
    const char *answers; /* reply: the answers as JSON */
    bool approve;
    bool decline;
    const char *const *pairs; /* reply: KEY=VALUE, among the words in front of which options may stand */
    size_t n_pairs;
};

/* Reads the words behind "tasks"; may move the pairs among `words` to its front. False when they are wrong; `reason`
 * (at least 256 bytes) is one line that says what would be right. */
AB_MUST bool ab_tasks_line_read(int n_words, const char **words, struct ab_tasks_line *out, char *reason,
                                size_t reason_size);

#endif
