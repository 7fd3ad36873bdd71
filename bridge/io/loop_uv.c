#include "io/loop_uv.h"

#include "base/list.h"
#include "base/mem.h"

#include <pthread.h>
#include <uv.h>

struct work {
    ab_loop_fn fn;
    void *arg;
};

/* Work that waits for its turn, in order. */
struct queue {
    struct work *items;
    size_t n;
    size_t capacity;
};

struct ab_loop_uv {
    struct ab_loop port;
    uv_loop_t loop;
    uv_prepare_t prepare; /* runs deferred work right before the loop waits */
    uv_idle_t idle;       /* keeps the loop from waiting while more was deferred */
    uv_async_t wake;
    struct queue deferred;
    bool in_timers;
    pthread_mutex_t lock; /* guards `posted` */
    struct queue posted;
    struct ab_list signals;
};

struct timer {
    struct ab_timer port;
    uv_timer_t uv;
    ab_loop_fn due;
    void *arg;
};

struct signal_watch {
    struct ab_link link;
    uv_signal_t uv;
    ab_loop_fn fn;
    void *arg;
};

static void push(struct queue *queue, ab_loop_fn fn, void *arg)
{
    if (queue->n == queue->capacity) {
        queue->capacity = queue->capacity > 0 ? queue->capacity * 2 : 64;
        queue->items = ab_realloc(queue->items, queue->capacity * sizeof(*queue->items));
    }
    queue->items[queue->n++] = (struct work){ fn, arg };
}

static void run_all(struct queue *queue)
{
    for (size_t i = 0; i < queue->n; i++)
        queue->items[i].fn(queue->items[i].arg);
    free(queue->items);
}

/* --- deferred and posted work --- */

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

/* Only what stands there now: what it defers is for the next turn, so that nobody starves the sockets. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct ab_loop_uv *loop = prepare->data;
    struct queue now = loop->deferred;

    loop->deferred = (struct queue){ 0 };
    run_all(&now);
    if (loop->deferred.n > 0)
        uv_idle_start(&loop->idle, on_idle);
    else
        uv_idle_stop(&loop->idle);
}

static void defer(struct ab_loop *port, ab_loop_fn fn, void *arg)
{
    push(&AB_OWNER(port, struct ab_loop_uv, port)->deferred, fn, arg);
}

static void post(struct ab_loop *port, ab_loop_fn fn, void *arg)
{
    struct ab_loop_uv *loop = AB_OWNER(port, struct ab_loop_uv, port);

    pthread_mutex_lock(&loop->lock);
    push(&loop->posted, fn, arg);
    pthread_mutex_unlock(&loop->lock);
    uv_async_send(&loop->wake);
}

static void on_wake(uv_async_t *wake)
{
    struct ab_loop_uv *loop = wake->data;
    struct queue now;

    pthread_mutex_lock(&loop->lock);
    now = loop->posted;
    loop->posted = (struct queue){ 0 };
    pthread_mutex_unlock(&loop->lock);
    run_all(&now);
}

/* --- timers --- */

static void on_timer(uv_timer_t *uv)
{
    struct timer *timer = AB_OWNER(uv, struct timer, uv);
    struct ab_loop_uv *loop = AB_OWNER(timer->port.loop, struct ab_loop_uv, port);

    loop->in_timers = true;
    timer->due(timer->arg); /* which may free it */
    loop->in_timers = false;
}

static struct ab_timer *timer_new(struct ab_loop *port, ab_loop_fn due, void *arg)
{
    struct timer *timer = ab_alloc(1, sizeof(*timer));

    timer->port.loop = port;
    timer->due = due;
    timer->arg = arg;
    uv_timer_init(&AB_OWNER(port, struct ab_loop_uv, port)->loop, &timer->uv);
    return &timer->port;
}

static void timer_start(struct ab_timer *port, uint64_t ms)
{
    struct timer *timer = AB_OWNER(port, struct timer, port);

    struct ab_loop_uv *loop = AB_OWNER(port->loop, struct ab_loop_uv, port);

    uv_update_time(timer->uv.loop); /* else a long callback would shorten the wait */
    /* libuv runs what is due until nothing is: a timer that starts itself again at once would be all that ever runs. */
    uv_timer_start(&timer->uv, on_timer, ms == 0 && loop->in_timers ? 1 : ms, 0);
}

static void timer_stop(struct ab_timer *port)
{
    uv_timer_stop(&AB_OWNER(port, struct timer, port)->uv);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(AB_OWNER(handle, struct timer, uv));
}

static void timer_free(struct ab_timer *port)
{
    if (port != NULL)
        uv_close((uv_handle_t *)&AB_OWNER(port, struct timer, port)->uv, on_timer_closed);
}

/* --- life --- */

static const struct ab_loop_ops ops = {
    .timer_new = timer_new,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .timer_free = timer_free,
    .defer = defer,
    .post = post,
};

struct ab_loop_uv *ab_loop_uv_new(void)
{
    struct ab_loop_uv *loop = ab_alloc(1, sizeof(*loop));

    if (uv_loop_init(&loop->loop) != 0) {
        free(loop);
        return NULL;
    }
    loop->port = (struct ab_loop){ .ops = &ops, .clock = ab_clock_system() };
    ab_list_init(&loop->signals);
    pthread_mutex_init(&loop->lock, NULL);
    uv_prepare_init(&loop->loop, &loop->prepare);
    uv_idle_init(&loop->loop, &loop->idle);
    uv_async_init(&loop->loop, &loop->wake, on_wake);
    loop->prepare.data = loop;
    loop->wake.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    return loop;
}

struct ab_loop *ab_loop_uv_port(struct ab_loop_uv *loop)
{
    return &loop->port;
}

void *ab_loop_uv_raw(struct ab_loop_uv *loop)
{
    return &loop->loop;
}

void ab_loop_uv_run(struct ab_loop_uv *loop)
{
    uv_run(&loop->loop, UV_RUN_DEFAULT);
}

void ab_loop_uv_stop(struct ab_loop_uv *loop)
{
    uv_stop(&loop->loop);
}

static void on_signal(uv_signal_t *uv, int number)
{
    struct signal_watch *watch = AB_OWNER(uv, struct signal_watch, uv);

    (void)number;
    watch->fn(watch->arg);
}

int ab_loop_uv_on_signal(struct ab_loop_uv *loop, int number, ab_loop_fn fn, void *arg)
{
    struct signal_watch *watch = ab_alloc(1, sizeof(*watch));

    watch->fn = fn;
    watch->arg = arg;
    uv_signal_init(&loop->loop, &watch->uv);
    ab_list_append(&loop->signals, &watch->link);
    return uv_signal_start(&watch->uv, on_signal, number) == 0 ? AB_OK : AB_FAULT_SYSTEM;
}

static void close_left_over(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void ab_loop_uv_free(struct ab_loop_uv *loop)
{
    struct ab_link *link;

    if (loop == NULL)
        return;
    on_wake(&loop->wake);
    while (loop->deferred.n > 0)
        on_prepare(&loop->prepare);
    uv_walk(&loop->loop, close_left_over, NULL);
    while (uv_run(&loop->loop, UV_RUN_DEFAULT) != 0)
        continue;
    uv_loop_close(&loop->loop);
    while ((link = ab_list_first(&loop->signals)) != NULL) {
        ab_link_remove(link);
        free(AB_OWNER(link, struct signal_watch, link));
    }
    free(loop->posted.items);
    free(loop->deferred.items);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
