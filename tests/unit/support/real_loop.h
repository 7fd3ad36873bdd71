/* A loop that really waits for other threads: posted and deferred work in one queue, the system's clock, no timers. */
#ifndef AB_TESTS_REAL_LOOP_H
#define AB_TESTS_REAL_LOOP_H

#include "wire/loop.h"

struct ab_loop *real_loop_new(void);
/* Work that is still waiting is done first. NULL is accepted. */
void real_loop_free(struct ab_loop *loop);
/* Does work until *until is true; fails the test after `seconds` without it. */
void real_loop_run(struct ab_loop *loop, const bool *until, int seconds);
/* Does what waits now and what that adds; waits for nothing. */
void real_loop_run_ready(struct ab_loop *loop);
/* Moves the loop's wall clock on; it stays so much ahead. */
void real_loop_jump_wall(struct ab_loop *loop, int64_t ms);
/* How often another thread has posted so far. */
size_t real_loop_posts(struct ab_loop *loop);

#endif
