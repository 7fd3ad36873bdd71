/* The listening socket. Connections are accepted here rather than by libwebsockets, so that running out of descriptors,
 * a socket given by the system and a drain are ours to handle. */
#ifndef AB_IO_LISTENER_H
#define AB_IO_LISTENER_H

#include "io/loop_uv.h"

struct ab_listener;

struct ab_listener_settings {
    const char *address;
    uint16_t port;
    uint32_t unread_ms; /* [120 s] a connection whose peer takes nothing of what waits for it fails after so long */
    /* A connection, non-blocking, without Nagle's delay: the callee owns `fd`. */
    void (*accepted)(void *arg, int fd);
    void *arg;
};

/* NULL when it cannot listen; `reason` (256) says why. */
AB_MUST struct ab_listener *ab_listener_new(struct ab_loop_uv *loop, const struct ab_listener_settings *settings,
                                            char *reason, size_t reason_size);
/* "127.0.0.1:7800" */
const char *ab_listener_address(const struct ab_listener *listener);
/* Takes no more connections. */
void ab_listener_close(struct ab_listener *listener);
void ab_listener_free(struct ab_listener *listener);

#endif
