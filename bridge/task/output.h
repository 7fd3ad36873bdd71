/* What a caller wants the answer to be: the options "output_format":"json" with "output_schema":{...}. */
#ifndef AB_TASK_OUTPUT_H
#define AB_TASK_OUTPUT_H

#include "wire/json.h"

/* Enough for every reason below. */
#define AB_OUTPUT_REASON_SIZE 1024

/* Whether these options can be kept; true also when they wish for nothing. False: the schema is none that can be used,
 * and `reason` says where and why. */
AB_MUST bool ab_output_can_be_checked(struct ab_json options, char *reason, size_t reason_size);
/* Whether a result ({"text"?,"parts","data"?}) is what they wish for: its data, or else its text read as JSON. False:
 * `reason` says where it is not. */
AB_MUST bool ab_output_fits(struct ab_json options, struct ab_json result, char *reason, size_t reason_size);

#endif
