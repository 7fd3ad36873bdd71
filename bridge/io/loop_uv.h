/* The loop on libuv: carries libwebsockets, libcurl, child processes and timers. */
#ifndef AB_IO_LOOP_UV_H
#define AB_IO_LOOP_UV_H

#include "wire/loop.h"

struct ab_loop_uv;

/* NULL when the system gives no loop. */
AB_MUST struct ab_loop_uv *ab_loop_uv_new(void);
/* The port, for everybody else. */
struct ab_loop *ab_loop_uv_port(struct ab_loop_uv *loop);
/* The uv_loop_t, for the rooms' other files in io/ only. */
void *ab_loop_uv_raw(struct ab_loop_uv *loop);
/* Runs until ab_loop_uv_stop. */
void ab_loop_uv_run(struct ab_loop_uv *loop);
void ab_loop_uv_stop(struct ab_loop_uv *loop);
/* Calls `fn` for each arrival of `signal` (SIGTERM, SIGINT, SIGHUP), on the loop. */
AB_MUST int ab_loop_uv_on_signal(struct ab_loop_uv *loop, int signal, ab_loop_fn fn, void *arg);
/* After everything that uses it is gone. */
void ab_loop_uv_free(struct ab_loop_uv *loop);

#endif
