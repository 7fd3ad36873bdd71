/* The handlers that the versions' tables name. */
#ifndef AB_A2A_METHODS_H
#define AB_A2A_METHODS_H

#include "a2a/request.h"

void ab_a2a_send(struct ab_a2a_call *call);
void ab_a2a_send_stream(struct ab_a2a_call *call);
void ab_a2a_get_task(struct ab_a2a_call *call);
void ab_a2a_list_tasks(struct ab_a2a_call *call);
void ab_a2a_cancel_task(struct ab_a2a_call *call);
void ab_a2a_subscribe(struct ab_a2a_call *call);
void ab_a2a_push_create(struct ab_a2a_call *call);
void ab_a2a_push_get(struct ab_a2a_call *call);
void ab_a2a_push_list(struct ab_a2a_call *call);
void ab_a2a_push_delete(struct ab_a2a_call *call);
void ab_a2a_extended_card(struct ab_a2a_call *call);

/* The caller's task of this id, into `out` (ab_task_deinit); false: refused. */
AB_MUST bool ab_a2a_load_task(struct ab_a2a_call *call, const char *id, struct ab_task *out);
/* A wish that the engine did not take. */
void ab_a2a_refuse_wish(struct ab_a2a_call *call, enum ab_wish_outcome outcome, const char *text);

#endif
