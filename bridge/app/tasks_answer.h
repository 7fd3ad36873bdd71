/* Answers to a task's open questions, from what a person types on a command line. */
#ifndef AB_APP_TASKS_ANSWER_H
#define AB_APP_TASKS_ANSWER_H

#include "wire/json.h"

/* FIELD=VALUE ... for the forms among `questions` ({"<key>":{"kind",...}}), QUESTION.FIELD=VALUE where several ask for
 * the same field; a value is read as its field's schema says. Appends {"<key>":{"action","content"}...}; false: a
 * sentence in `reason`. */
AB_MUST bool ab_tasks_answer_pairs(struct ab_json questions, const char *const *pairs, size_t n_pairs,
                                   struct ab_buf *out, struct ab_buf *reason);
/* Yes or no to the one open question. */
AB_MUST bool ab_tasks_answer_choice(struct ab_json questions, bool approve, struct ab_buf *out, struct ab_buf *reason);

#endif
