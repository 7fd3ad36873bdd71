/* Notices that a peer has gone while its answer is still open. libwebsockets before 4.3.2 never reads the socket of a
 * GET whose answer stays open: it would neither notice nor, once the peer has closed, stop spinning. */
#ifndef AB_IO_PEERWATCH_H
#define AB_IO_PEERWATCH_H

#include "io/loop_uv.h"

struct ab_peerwatch;

/* Watches a duplicate of `fd`; `gone` is called once, on the loop. NULL when no descriptor is left. */
AB_MUST struct ab_peerwatch *ab_peerwatch_new(struct ab_loop_uv *loop, int fd, ab_loop_fn gone, void *arg);
/* NULL is accepted; may be called from `gone`. */
void ab_peerwatch_free(struct ab_peerwatch *watch);

#endif
