/* An event loop without an operating system: time stands still until a test moves it. */
#ifndef AB_TESTS_FAKE_LOOP_H
#define AB_TESTS_FAKE_LOOP_H

#include "wire/loop.h"

/* 2026-07-28T00:00:00Z in ms; the monotonic clock starts at one second. */
#define FAKE_LOOP_START_MS INT64_C(1785196800000)

/* The loop's clock is the fake one: `loop->clock` may be given to whoever needs a clock. */
struct ab_loop *fake_loop_new(void);
/* Fails the test when a timer was never freed; work that is still waiting is dropped. NULL is accepted. */
void fake_loop_free(struct ab_loop *loop);
/* Runs deferred and posted work, and what it adds, until none is left; then timers that are due already. */
void fake_loop_run_ready(struct ab_loop *loop);
/* Runs what is ready, then moves the clock on by `ms`; timers due on the way run in order, each with the clock set to
 * its time, and after each the work that it made ready. */
void fake_loop_advance(struct ab_loop *loop, uint64_t ms);
/* Moves the wall clock alone: an administrator sets it. */
void fake_loop_jump_wall(struct ab_loop *loop, int64_t ms);
/* How many timers are started; ms until the next one is due, or -1. */
size_t fake_loop_timers(struct ab_loop *loop);
int64_t fake_loop_next_timer(struct ab_loop *loop);

#endif
