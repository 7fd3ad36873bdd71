/* The port of a local socket's server: connections of the same user, whole lines in, bytes out.
 *
 * A connection whose peer does not read is not read either: once more waits for it than the server allows, no further
 * line of it is given out until that has gone. */
#ifndef AB_WIRE_PIPE_SERVER_H
#define AB_WIRE_PIPE_SERVER_H

#include "base/str.h"

struct ab_pipe;

/* None is called from inside ab_pipe_write. */
struct ab_pipe_events {
    void (*opened)(void *arg, struct ab_pipe *pipe);
    /* One line, without its end; valid during the call. */
    void (*line)(void *arg, struct ab_pipe *pipe, struct ab_str line);
    /* All that waited has gone out after ab_pipe_write gave AB_PIPE_BEHIND. */
    void (*drained)(void *arg, struct ab_pipe *pipe);
    /* The server ends this connection for the reason given, a sentence for the peer; a few last words may be written.
     * `closed` follows. */
    void (*refused)(void *arg, struct ab_pipe *pipe, const char *why);
    /* Once for each opened one; the pipe is invalid when this returns. */
    void (*closed)(void *arg, struct ab_pipe *pipe);
};

#define AB_PIPE_BEHIND 1

struct ab_pipe_ops {
    /* Copies. AB_OK, or AB_PIPE_BEHIND: taken, but the peer reads slowly; write nothing more until `drained` that can
     * wait. */
    int (*write)(struct ab_pipe *pipe, struct ab_str data);
};

/* First member of every implementation: io/pipe_server_uv.c. */
struct ab_pipe {
    const struct ab_pipe_ops *ops;
    void *context; /* the user's own */
};

#endif
