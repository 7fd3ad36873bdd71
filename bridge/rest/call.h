/* Inside the REST face: one request, from its first byte to the end of its answer. A call lives as long as its
 * reply. */
#ifndef AB_REST_CALL_H
#define AB_REST_CALL_H

#include "base/list.h"
#include "rest/faults.h"
#include "rest/rest.h"
#include "wire/http_reply.h"

struct ab_rest {
    struct ab_rest_settings settings; /* strings owned */
    struct ab_list calls;             /* all that are open */
    struct ab_timer *keep_alive;
    struct ab_metric *streams; /* open ones */
};

struct ab_rest_follow; /* follow.h */

struct ab_rest_call {
    struct ab_rest *rest;
    struct ab_link link;
    struct ab_http_reply reply;
    char *owner;
    char *id;                      /* what the path names: an agent, a task or a thread; or NULL */
    struct ab_stream_place *place; /* of its stream; or NULL */
    struct ab_rest_follow *follow;
    char *failure; /* of the removals under way, the first that failed; or NULL */
};

/* --- call.c --- */

AB_MUST struct ab_rest_call *ab_rest_call_new(struct ab_rest *rest, struct ab_http_exchange *exchange,
                                              const char *owner);
/* Answers with this JSON; an empty text is no body. */
void ab_rest_answer(struct ab_rest_call *call, unsigned status, struct ab_str body);
/* Answers with the task, under the id that it has here. */
void ab_rest_answer_task(struct ab_rest_call *call, const struct ab_task *task, const char *id);
/* Refuses with {"detail":"..."}; the sentence is for the person who reads it. An open stream ends. */
AB_PRINTF(3, 4) void ab_rest_refuse(struct ab_rest_call *call, unsigned status, const char *format, ...);
/* Refuses with 422 and what is wrong. */
void ab_rest_refuse_faults(struct ab_rest_call *call, const struct ab_rest_faults *faults);
/* Whether the body is JSON; a type that a browser sends without asking first is none of ours. False: refused. */
AB_MUST bool ab_rest_is_json(struct ab_rest_call *call);
/* A place for the stream it is going to be; false: the caller has as many as he may, and was refused. */
AB_MUST bool ab_rest_take_place(struct ab_rest_call *call);
/* One event of a stream, which begins with the first; `id` or NULL. */
void ab_rest_stream_event(struct ab_rest_call *call, const char *id, struct ab_str data);
/* The stream's head, when nothing has been told yet. */
void ab_rest_stream_begin(struct ab_rest_call *call);

/* --- tasks.c --- */

/* A caller's task, as it was found. */
struct ab_rest_found {
    struct ab_task task; /* ab_task_deinit */
    bool is_thread;      /* by its thread's id: the latest turn of it */
};
/* The task that the path names: the latest turn of the caller's thread of this id, else the one task. False: it was
 * refused. */
AB_MUST bool ab_rest_find(struct ab_rest_call *call, struct ab_rest_found *out);

/* --- the handlers that the routes name --- */

void ab_rest_agents(struct ab_rest_call *call);
void ab_rest_agent(struct ab_rest_call *call);
void ab_rest_invoke_sync(struct ab_rest_call *call);
void ab_rest_invoke_async(struct ab_rest_call *call);
void ab_rest_invoke_stream(struct ab_rest_call *call);
void ab_rest_agent_tasks(struct ab_rest_call *call);
void ab_rest_tasks(struct ab_rest_call *call);
void ab_rest_get_task(struct ab_rest_call *call);
void ab_rest_delete_task(struct ab_rest_call *call);
void ab_rest_stop_task(struct ab_rest_call *call);
void ab_rest_reply(struct ab_rest_call *call);
void ab_rest_events(struct ab_rest_call *call);
void ab_rest_thread(struct ab_rest_call *call);
void ab_rest_thread_full(struct ab_rest_call *call);
void ab_rest_openapi(struct ab_rest_call *call);

#endif
