/* The request to send a message, read: checked, and in the form that the engine and agents have. */
#ifndef AB_A2A_MESSAGE_H
#define AB_A2A_MESSAGE_H

#include "a2a/request.h"

struct ab_a2a_sent {
    char *context_id;   /* or NULL */
    char *task_id;      /* or NULL */
    char *message_json; /* {"message_id","role":"user","parts":[...],"metadata":{},...} */
    char *input_json;
    char *options_json;
    char *push_wish; /* or NULL; the push notification configuration that came with it, see push_config.h */
    bool return_immediately;
    int64_t history_length; /* < 0: all */
};

/* False: the call was refused. `out` needs deinit either way. */
AB_MUST bool ab_a2a_sent_read(struct ab_a2a_call *call, struct ab_a2a_sent *out);
void ab_a2a_sent_deinit(struct ab_a2a_sent *sent);

#endif
