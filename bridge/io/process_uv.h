/* Child processes on libuv. */
#ifndef AB_IO_PROCESS_UV_H
#define AB_IO_PROCESS_UV_H

#include "io/loop_uv.h"
#include "wire/process.h"

/* Ignores SIGPIPE from here on. Its programs are killed when the calling thread ends: it is the one that runs the loop.
 */
AB_MUST struct ab_process_host *ab_process_uv_new(struct ab_loop_uv *loop);
/* When it has no processes left. */
void ab_process_uv_free(struct ab_process_host *host);

#endif
