/* What the holder of a data directory answers on its control socket: JSON-RPC, one message a line, for the commands of
 * the same user. The local operator sees and steers everybody's tasks. */
#ifndef AB_APP_CONTROL_H
#define AB_APP_CONTROL_H

#include "base/log.h"
#include "task/engine.h"
#include "wire/pipe_server.h"

/* In the data directory. */
#define AB_CONTROL_SOCKET "control.sock"

struct ab_control;

/* All borrowed; they outlive it. */
struct ab_control_settings {
    struct ab_engine *engine;
    struct ab_store *store;
    struct ab_loop *loop;
    const struct ab_log *log;
    ab_loop_fn outbox_grew; /* called when something is to be delivered again */
    void *outbox_arg;
};
AB_MUST struct ab_control *ab_control_new(const struct ab_control_settings *settings);
/* For the server, with the control as its argument. */
const struct ab_pipe_events *ab_control_pipe_events(void);
/* After the server, before the engine, and when the loop does not turn any more. NULL is accepted. */
void ab_control_free(struct ab_control *control);

#endif
