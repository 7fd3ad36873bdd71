/* The server of a local socket on libuv. */
#ifndef AB_IO_PIPE_SERVER_UV_H
#define AB_IO_PIPE_SERVER_UV_H

#include "io/loop_uv.h"
#include "wire/pipe_server.h"

struct ab_pipe_server;

/* Borrowed during ab_pipe_server_new. */
struct ab_pipe_server_settings {
    const char *directory; /* the caller has it to itself: a socket found there is a dead one's and is replaced */
    const char *name;
    size_t line_bytes;    /* longer lines end their connection */
    size_t behind_bytes;  /* more than this unsent makes a peer a slow one */
    unsigned connections; /* at once; further ones are refused */
};

/* Listens at once, for this user and root only (mode 0600). NULL when it cannot; `reason` (at least 512 bytes) says
 * why. */
AB_MUST struct ab_pipe_server *ab_pipe_server_new(struct ab_loop_uv *loop,
                                                  const struct ab_pipe_server_settings *settings,
                                                  const struct ab_pipe_events *events, void *arg, char *reason,
                                                  size_t reason_size);
/* Closes what is open (`closed` is given) and removes the socket. NULL is accepted. */
void ab_pipe_server_free(struct ab_pipe_server *server);

#endif
