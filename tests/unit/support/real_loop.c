/* A loop for tests with threads; see real_loop.h. */
#include "support/real_loop.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

struct work {
    struct work *next;
    ab_loop_fn fn;
    void *arg;
};

struct real_loop {
    struct ab_loop base;
    struct ab_clock system;
    int64_t ahead_ms;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct work *first;
    struct work **end;
    size_t posts;
};

static struct real_loop *real_of(struct ab_loop *loop)
{
    return (struct real_loop *)(void *)loop;
}

static void append(struct real_loop *loop, ab_loop_fn fn, void *arg, size_t posts)
{
    struct work *work = ab_alloc(1, sizeof(*work));
    *work = (struct work){ .fn = fn, .arg = arg };
    pthread_mutex_lock(&loop->mutex);
    *loop->end = work;
    loop->end = &work->next;
    loop->posts += posts;
    pthread_cond_signal(&loop->wake);
    pthread_mutex_unlock(&loop->mutex);
}

static void real_defer(struct ab_loop *loop, ab_loop_fn fn, void *arg)
{
    append(real_of(loop), fn, arg, 0);
}

static void real_post(struct ab_loop *loop, ab_loop_fn fn, void *arg)
{
    append(real_of(loop), fn, arg, 1);
}

/* The first of the queue; waits until `deadline` (NULL: not at all) when it is empty. NULL when nothing came. */
static struct work *take(struct real_loop *loop, const struct timespec *deadline)
{
    pthread_mutex_lock(&loop->mutex);
    int waited = 0;
    while (loop->first == NULL && deadline != NULL && waited == 0) {
        waited = pthread_cond_timedwait(&loop->wake, &loop->mutex, deadline);
    }
    struct work *work = loop->first;
    if (work != NULL) {
        loop->first = work->next;
        if (loop->first == NULL) {
            loop->end = &loop->first;
        }
    }
    pthread_mutex_unlock(&loop->mutex);
    return work;
}

static void perform(struct work *work)
{
    ab_loop_fn fn = work->fn;
    void *arg = work->arg;
    free(work);
    fn(arg);
}

void real_loop_run(struct ab_loop *loop, const bool *until, int seconds)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += seconds;
    while (!*until) {
        struct work *work = take(real_of(loop), &deadline);
        if (work == NULL) {
            fail_msg("nothing more happened within %d seconds", seconds);
            return;
        }
        perform(work);
    }
}

void real_loop_run_ready(struct ab_loop *loop)
{
    struct work *work;
    while ((work = take(real_of(loop), NULL)) != NULL) {
        perform(work);
    }
}

static int64_t wall_ms(void *context)
{
    struct real_loop *loop = context;
    return ab_clock_wall_ms(&loop->system) + loop->ahead_ms;
}

static int64_t monotonic_us(void *context)
{
    struct real_loop *loop = context;
    return ab_clock_monotonic_us(&loop->system);
}

void real_loop_jump_wall(struct ab_loop *loop, int64_t ms)
{
    real_of(loop)->ahead_ms += ms;
}

size_t real_loop_posts(struct ab_loop *loop)
{
    struct real_loop *real = real_of(loop);
    pthread_mutex_lock(&real->mutex);
    size_t posts = real->posts;
    pthread_mutex_unlock(&real->mutex);
    return posts;
}

static const struct ab_loop_ops real_ops = { .defer = real_defer, .post = real_post };

struct ab_loop *real_loop_new(void)
{
    struct real_loop *loop = ab_alloc(1, sizeof(*loop));
    loop->base.ops = &real_ops;
    loop->system = ab_clock_system();
    loop->base.clock = (struct ab_clock){ .wall_ms = wall_ms, .monotonic_us = monotonic_us, .context = loop };
    loop->end = &loop->first;
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->wake, NULL);
    return &loop->base;
}

void real_loop_free(struct ab_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    real_loop_run_ready(loop);
    pthread_cond_destroy(&real_of(loop)->wake);
    pthread_mutex_destroy(&real_of(loop)->mutex);
    free(loop);
}
