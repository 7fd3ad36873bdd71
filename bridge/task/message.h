/* A message of the user's in the house's own form, for faces whose protocol has none. */
#ifndef AB_TASK_MESSAGE_H
#define AB_TASK_MESSAGE_H

#include "wire/json.h"

/* {"message_id","role":"user","parts":[...],"metadata":{}} with one part for the text, or where that is no string for
 * `data`, and one for each of the addresses in `files` (an array, or no value). The caller frees. */
AB_MUST char *ab_message_of_user(const char *id, struct ab_json text, struct ab_json data, struct ab_json files);

#endif
