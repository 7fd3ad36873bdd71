/* What an agent hands in, brought into the one shape that rows, events and faces have. */
#ifndef AB_TASK_RESULT_H
#define AB_TASK_RESULT_H

#include "agentbridge/task.h"
#include "base/buf.h"
#include "wire/json.h"

/* Enough for every reason below. */
#define AB_RESULT_REASON_SIZE 256

/* Whether it is an array of parts, each with one of text, raw, url or data; if not, `reason` says what is wrong. */
AB_MUST bool ab_parts_check(struct ab_json parts, char *reason, size_t reason_size);
/* Writes {"text"?,"parts":[...],"data"?,...} from {"text"} or {"parts"}, or from the collected `chunks` where `given`
 * has neither (or is no value). False: `reason` says what is wrong, nothing was written. */
AB_MUST bool ab_result_write(struct ab_buf *out, struct ab_json given, struct ab_str chunks, char *reason,
                             size_t reason_size);
/* Writes an artifact's event: as given, with "append" and "last" always there. */
AB_MUST bool ab_artifact_write(struct ab_buf *out, struct ab_json given, char *reason, size_t reason_size);
/* Writes the progress of a task that has any: {"value","total"?,"message"?}. */
void ab_progress_write(struct ab_json_writer *writer, const struct ab_task *task);
/* The same as the member "progress" of an object; nothing for a task without any. */
void ab_progress_put(struct ab_json_writer *writer, const struct ab_task *task);
/* Whether it is {"code":integer,"message":string,"data"?}. */
bool ab_error_is_well_formed(struct ab_json error);

#endif
