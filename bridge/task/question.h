/* Questions that a task asks, and whether an answer fits.
 *
 * A question, as an agent asks it and as every face shows it:
 *   {"kind":"form","message":"...","schema":{...}}      an object of flat fields (MCP elicitation, form mode)
 *   {"kind":"approval","title":"...","message":"..."}    yes or no
 *   {"kind":"url","message":"...","url":"https://..."}   a page to visit; the pause's reason is auth
 *   {"kind":"request","method":"...","params":{...}}     a raw MCP input request, answered by {"result":{...}}
 * One that is about a sign-in without a page to name says so with "reason":"auth".
 * An open one whose last answer was not taken may say why in "problem". One that is answered only where the agent runs
 * says so in "elsewhere": it is shown, but no answer is taken here.
 * An answer: {"action":"accept|decline|cancel","content"?:{...}}. */
#ifndef AB_TASK_QUESTION_H
#define AB_TASK_QUESTION_H

#include "agentbridge/task.h"
#include "wire/json.h"

/* Whether `asked` ({"<key>":{"kind",...}}) is well formed, with at most 256 KiB of schemas; if not, `reason` (at least
 * 256 bytes) says what is wrong. */
AB_MUST bool ab_questions_check(struct ab_json asked, char *reason, size_t reason_size);
/* Whether an answer can be given here: it is open, and not to be answered elsewhere. */
bool ab_question_is_open(struct ab_json question);
/* Why a task pauses for these: auth when any is a url or has that reason, approval when all are approvals, else input.
 */
enum ab_task_reason ab_questions_reason(struct ab_json asked);
/* Whether just one question of a round has no answer yet; then it and its key are filled in. */
AB_MUST bool ab_questions_single(struct ab_json questions, struct ab_json *key, struct ab_json *question);
/* Appends those of a round that have no answer yet, as an object; nothing when there is none. */
void ab_questions_write_open(struct ab_json questions, struct ab_buf *out);
/* The key of the one field that a plain text can answer: a form's only required field, or its only one, when that is
 * a string. Else no value. */
struct ab_json ab_question_text_field(struct ab_json question);
/* Whether `answer` fits `question`; if not, `reason` names the field and what is expected. */
AB_MUST bool ab_question_fits(struct ab_json question, struct ab_json answer, char *reason, size_t reason_size);
/* Writes the answer as the agent gets it: a form's absent fields take their defaults. `answer` fits. */
void ab_question_write_answer(struct ab_json question, struct ab_json answer, struct ab_buf *out);

#endif
