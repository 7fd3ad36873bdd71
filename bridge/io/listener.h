/* The listening socket and the door behind it: connections are looked at before libwebsockets gets them, since it drops
 * a head that is too large without a word, and would wait for ever for one that never comes. */
#ifndef AB_IO_LISTENER_H
#define AB_IO_LISTENER_H

#include "io/loop_uv.h"

struct ab_listener;

struct ab_listener_settings {
    const char *address;
    uint16_t port;
    size_t header_bytes;      /* a first head larger than this is refused with 431 */
    uint32_t head_timeout_ms; /* a connection that says nothing for so long is closed (408 if it began) */
    /* A connection whose first head is whole: the callee owns `fd`. */
    void (*adopt)(void *arg, int fd);
    void *arg;
};

/* NULL when it cannot listen; `reason` (256) says why. */
AB_MUST struct ab_listener *ab_listener_new(struct ab_loop_uv *loop, const struct ab_listener_settings *settings,
                                            char *reason, size_t reason_size);
/* "127.0.0.1:7800" */
const char *ab_listener_address(const struct ab_listener *listener);
/* Takes no more connections; those at the door are closed. */
void ab_listener_close(struct ab_listener *listener);
void ab_listener_free(struct ab_listener *listener);

#endif
