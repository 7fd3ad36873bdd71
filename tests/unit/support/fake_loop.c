/* A loop in memory: a list of timers and a queue of work. Post may come from another thread, so the queue is locked. */
#include "support/fake_loop.h"

#include "base/list.h"
#include "base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct work {
    struct ab_link link;
    ab_loop_fn fn;
    void *arg;
};

struct fake_timer {
    struct ab_timer base;
    struct ab_link link; /* all of the loop's timers */
    ab_loop_fn due;
    void *arg;
    bool started;
    int64_t at_us;
    uint64_t order; /* of two due at once, the one started first goes first */
};

struct fake_loop {
    struct ab_loop base;
    struct ab_list timers;
    struct ab_list work;
    pthread_mutex_t lock;
    int64_t now_us;
    int64_t wall_offset_ms;
    uint64_t starts;
};

static int64_t wall_ms(void *context)
{
    const struct fake_loop *fake = context;
    return fake->now_us / 1000 + fake->wall_offset_ms;
}

static int64_t monotonic_us(void *context)
{
    const struct fake_loop *fake = context;
    return fake->now_us;
}

static struct fake_loop *fake_of(struct ab_loop *loop)
{
    return (struct fake_loop *)(void *)loop;
}

static struct ab_timer *timer_new(struct ab_loop *loop, ab_loop_fn due, void *arg)
{
    struct fake_timer *timer = ab_alloc(1, sizeof(*timer));
    timer->base.loop = loop;
    timer->due = due;
    timer->arg = arg;
    ab_list_append(&fake_of(loop)->timers, &timer->link);
    return &timer->base;
}

static void timer_start(struct ab_timer *base, uint64_t ms)
{
    struct fake_timer *timer = (struct fake_timer *)(void *)base;
    struct fake_loop *fake = fake_of(base->loop);
    timer->started = true;
    timer->at_us = fake->now_us + (int64_t)ms * 1000;
    timer->order = ++fake->starts;
}

static void timer_stop(struct ab_timer *base)
{
    ((struct fake_timer *)(void *)base)->started = false;
}

static void timer_free(struct ab_timer *base)
{
    if (base != NULL) {
        struct fake_timer *timer = (struct fake_timer *)(void *)base;
        ab_link_remove(&timer->link);
        free(timer);
    }
}

static void add_work(struct ab_loop *loop, ab_loop_fn fn, void *arg)
{
    struct fake_loop *fake = fake_of(loop);
    struct work *work = ab_alloc(1, sizeof(*work));
    work->fn = fn;
    work->arg = arg;
    pthread_mutex_lock(&fake->lock);
    ab_list_append(&fake->work, &work->link);
    pthread_mutex_unlock(&fake->lock);
}

static struct work *take_work(struct fake_loop *fake)
{
    pthread_mutex_lock(&fake->lock);
    struct ab_link *link = ab_list_first(&fake->work);
    if (link != NULL) {
        ab_link_remove(link);
    }
    pthread_mutex_unlock(&fake->lock);
    return link == NULL ? NULL : AB_OWNER(link, struct work, link);
}

static const struct ab_loop_ops fake_ops = {
    .timer_new = timer_new,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .timer_free = timer_free,
    .defer = add_work,
    .post = add_work,
};

struct ab_loop *fake_loop_new(void)
{
    struct fake_loop *fake = ab_alloc(1, sizeof(*fake));
    fake->base.ops = &fake_ops;
    fake->base.clock = (struct ab_clock){ .wall_ms = wall_ms, .monotonic_us = monotonic_us, .context = fake };
    ab_list_init(&fake->timers);
    ab_list_init(&fake->work);
    pthread_mutex_init(&fake->lock, NULL);
    fake->now_us = 1000000;
    fake->wall_offset_ms = FAKE_LOOP_START_MS - fake->now_us / 1000;
    return &fake->base;
}

void fake_loop_free(struct ab_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    struct fake_loop *fake = fake_of(loop);
    bool forgotten = !ab_list_is_empty(&fake->timers);
    for (struct work *work = take_work(fake); work != NULL; work = take_work(fake)) {
        free(work);
    }
    while (!ab_list_is_empty(&fake->timers)) {
        timer_free(&AB_OWNER(ab_list_first(&fake->timers), struct fake_timer, link)->base);
    }
    pthread_mutex_destroy(&fake->lock);
    free(fake);
    if (forgotten) {
        fail_msg("a timer was never freed");
    }
}

static void run_work(struct fake_loop *fake)
{
    for (struct work *work = take_work(fake); work != NULL; work = take_work(fake)) {
        struct work now = *work;
        free(work);
        now.fn(now.arg);
    }
}

/* The started timer that is due first, if it is due by then; NULL otherwise. */
static struct fake_timer *first_due(const struct fake_loop *fake, int64_t by_us)
{
    struct fake_timer *first = NULL;
    for (struct ab_link *link = ab_list_first(&fake->timers); link != NULL; link = ab_list_next(&fake->timers, link)) {
        struct fake_timer *timer = AB_OWNER(link, struct fake_timer, link);
        if (timer->started && timer->at_us <= by_us &&
            (first == NULL || timer->at_us < first->at_us ||
             (timer->at_us == first->at_us && timer->order < first->order))) {
            first = timer;
        }
    }
    return first;
}

static void run_until(struct fake_loop *fake, int64_t until_us)
{
    run_work(fake);
    for (struct fake_timer *timer = first_due(fake, until_us); timer != NULL; timer = first_due(fake, until_us)) {
        timer->started = false;
        if (timer->at_us > fake->now_us) {
            fake->now_us = timer->at_us;
        }
        timer->due(timer->arg);
        run_work(fake);
    }
}

void fake_loop_run_ready(struct ab_loop *loop)
{
    run_until(fake_of(loop), fake_of(loop)->now_us);
}

void fake_loop_advance(struct ab_loop *loop, uint64_t ms)
{
    struct fake_loop *fake = fake_of(loop);
    int64_t until_us = fake->now_us + (int64_t)ms * 1000;
    run_until(fake, until_us);
    fake->now_us = until_us;
}

void fake_loop_jump_wall(struct ab_loop *loop, int64_t ms)
{
    fake_of(loop)->wall_offset_ms += ms;
}

size_t fake_loop_timers(struct ab_loop *loop)
{
    const struct fake_loop *fake = fake_of(loop);
    size_t count = 0;
    for (struct ab_link *link = ab_list_first(&fake->timers); link != NULL; link = ab_list_next(&fake->timers, link)) {
        count += AB_OWNER(link, struct fake_timer, link)->started ? 1 : 0;
    }
    return count;
}

int64_t fake_loop_next_timer(struct ab_loop *loop)
{
    const struct fake_loop *fake = fake_of(loop);
    const struct fake_timer *timer = first_due(fake, INT64_MAX);
    return timer == NULL ? -1 : (timer->at_us - fake->now_us) / 1000;
}
