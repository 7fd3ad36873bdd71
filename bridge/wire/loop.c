/* The loop's port: hands each call to the implementation. */
#include "wire/loop.h"

struct ab_timer *ab_timer_new(struct ab_loop *loop, ab_loop_fn due, void *arg)
{
    return loop->ops->timer_new(loop, due, arg);
}

void ab_timer_start(struct ab_timer *timer, uint64_t ms)
{
    timer->loop->ops->timer_start(timer, ms);
}

void ab_timer_stop(struct ab_timer *timer)
{
    timer->loop->ops->timer_stop(timer);
}

void ab_timer_free(struct ab_timer *timer)
{
    if (timer != NULL) {
        timer->loop->ops->timer_free(timer);
    }
}

void ab_loop_defer(struct ab_loop *loop, ab_loop_fn fn, void *arg)
{
    loop->ops->defer(loop, fn, arg);
}

void ab_loop_post(struct ab_loop *loop, ab_loop_fn fn, void *arg)
{
    loop->ops->post(loop, fn, arg);
}
