/* A remote A2A agent played by hand: an engine with one agent, "far", of the kind `a2a`, and an HTTP client that a test
 * answers in the agent's place. Everything else is real. */
#ifndef AB_TESTS_A2A_RIG_H
#define AB_TESTS_A2A_RIG_H

#include "agents/a2a.h"
#include "agents/a2a_receiver.h"
#include "support/fake_client.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"
#include "task/engine.h"

struct remote {
    struct ab_loop *loop;
    struct ab_store *store;
    struct fake_client *client;
    struct ab_sealer *sealer;
    struct ab_a2a_receiver *receiver;
    bool push;  /* the agent is made with it */
    bool retry; /* what nothing was heard of is run again after a restart */
    struct fake_random random;
    struct ab_random source;
    struct ab_engine *engine;
    size_t seen; /* calls looked at so far */
    uint64_t n_engines;
    char task[AB_TASK_ID_SIZE]; /* made last */
};

/* --- what the agent says --- */

/* `more` goes on with what it can do. */
#define CARD_OF(streaming, more)                                                                                       \
    "{\"name\":\"Far\",\"description\":\"Far away\",\"version\":\"7\",\"capabilities\":{\"streaming\":" streaming more \
    "},\"skills\":[{\"id\":\"s\",\"name\":\"S\"}],\"supportedInterfaces\":[{\"url\":\"http://far.example/rpc\","       \
    "\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\"}]}"
#define CARD(streaming) CARD_OF(streaming, "")
#define TASK(state) "{\"id\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_" state "\"}}"
#define FIRST "{\"task\":" TASK("SUBMITTED") "}"
#define STATUS(state, parts)                                                                                           \
    "{\"statusUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_" state                \
    "\",\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_AGENT\",\"parts\":[" parts "]}}}}"
#define DONE "{\"statusUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_COMPLETED\"}}}"
#define ARTIFACT(id, text, more)                                                                                       \
    "{\"artifactUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"artifact\":{\"artifactId\":\"" id                     \
    "\",\"parts\":[{\"text\":\"" text "\"}]}" more "}}"

/* cmocka's setup and teardown. */
int far_setup(void **state);
int far_teardown(void **state);
/* Everything that can happen now happens. */
void far_run(struct remote *remote);

/* The next call that was made to the agent, by a piece of its address or body; fails the test when there is none. */
size_t far_next_call(struct remote *remote, const char *piece);
void far_expect_no_call(struct remote *remote);
/* Answers call number `call`, as a whole ... */
void far_whole_answer(struct remote *remote, size_t call, unsigned status, const char *headers, const char *body);
void far_give_card(struct remote *remote, const char *card);
void far_answer_result(struct remote *remote, size_t call, const char *result);
void far_answer_error(struct remote *remote, size_t call, int code, const char *message);
/* ... or event by event. */
void far_begin_stream(struct remote *remote, size_t call);
void far_event(struct remote *remote, size_t call, const char *result);

/* The process ends as it should, and another one begins on the same store. */
void far_shut_down(struct remote *remote);
void far_build(struct remote *remote);
/* What a caller does: a new task (in this thread, or NULL), answers to its questions, a stop. */
void far_create_in(struct remote *remote, const char *thread_id);
void far_give_answer(struct remote *remote, const char *answers);
void far_stop_task(struct remote *remote);
/* The task as the store has it; the caller owns it. */
AB_MUST struct ab_task far_row_of(struct remote *remote);
/* Status, reason, and the result, error or questions: "completed  {...}". */
void far_expect_row(struct remote *remote, const char *expected);
/* All events but bare changes of the status. */
void far_expect_log(struct remote *remote, const char *expected);

#endif
