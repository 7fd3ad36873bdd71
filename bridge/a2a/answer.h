/* A message to a task that waits for one: which questions its parts answer, and the reverse. */
#ifndef AB_A2A_ANSWER_H
#define AB_A2A_ANSWER_H

#include "task/engine.h"

/* The answers ({"<key>":{"action",...}}) that these parts give to the task's open questions; the caller frees. NULL:
 * they give none, and `expected` (512) says what would. */
AB_MUST char *ab_a2a_answers_from_parts(const struct ab_task *task, struct ab_json parts, char *expected,
                                        size_t expected_size);
/* The parts that give these answers to what was `asked` (or no value); the caller frees. */
AB_MUST char *ab_a2a_answer_parts(struct ab_json asked, struct ab_json answers);

#endif
