/* The port of the event loop: the one way to wait. Everything but ab_loop_post happens on the loop's thread. */
#ifndef AB_WIRE_LOOP_H
#define AB_WIRE_LOOP_H

#include "base/clock.h"

struct ab_timer;
typedef void (*ab_loop_fn)(void *arg);

struct ab_loop;
struct ab_loop_ops {
    /* A stopped timer. `due` is called once for each start. */
    struct ab_timer *(*timer_new)(struct ab_loop *loop, ab_loop_fn due, void *arg);
    /* Due in `ms` milliseconds from now (0: in the next turn); starting again moves it. */
    void (*timer_start)(struct ab_timer *timer, uint64_t ms);
    void (*timer_stop)(struct ab_timer *timer);
    /* NULL is accepted. Never called back afterwards; may be called from `due` itself. */
    void (*timer_free)(struct ab_timer *timer);
    /* Calls `fn` after the current callback has returned, before the loop waits again, in the order given. */
    void (*defer)(struct ab_loop *loop, ab_loop_fn fn, void *arg);
    /* The same from any thread; wakes the loop. The only function that another thread may call. */
    void (*post)(struct ab_loop *loop, ab_loop_fn fn, void *arg);
};

/* First member of every implementation: io/loop_uv.c, tests/unit/fake_loop.c. */
struct ab_loop {
    const struct ab_loop_ops *ops;
    struct ab_clock clock;
};

struct ab_timer {
    struct ab_loop *loop;
};

struct ab_timer *ab_timer_new(struct ab_loop *loop, ab_loop_fn due, void *arg);
void ab_timer_start(struct ab_timer *timer, uint64_t ms);
void ab_timer_stop(struct ab_timer *timer);
void ab_timer_free(struct ab_timer *timer);
void ab_loop_defer(struct ab_loop *loop, ab_loop_fn fn, void *arg);
void ab_loop_post(struct ab_loop *loop, ab_loop_fn fn, void *arg);

#endif
