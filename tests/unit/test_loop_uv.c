/* The loop on libuv: order, starvation, and work from other threads. */
#include "base/mem.h"
#include "io/loop_uv.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

struct rig {
    struct ab_loop_uv *loop;
    struct ab_loop *port;
    struct ab_timer *timer;
    char said[64];
    unsigned count;
};

static int set_up(void **state)
{
    struct rig *rig = ab_alloc(1, sizeof(*rig));

    rig->loop = ab_loop_uv_new();
    rig->port = ab_loop_uv_port(rig->loop);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    ab_loop_uv_free(rig->loop);
    free(rig);
    return 0;
}

struct word {
    struct rig *rig;
    const char *text;
    bool last;
};

static void say(void *arg)
{
    const struct word *word = arg;
    size_t size = strlen(word->rig->said);

    snprintf(word->rig->said + size, sizeof(word->rig->said) - size, "%s", word->text);
    if (word->last)
        ab_loop_uv_stop(word->rig->loop);
}

/* --- timers --- */

static void timers_are_due_in_order(void **state)
{
    struct rig *rig = *state;
    struct word words[] = { { rig, "a", false }, { rig, "b", false }, { rig, "c", false }, { rig, "d", true } };
    struct ab_timer *timers[4];

    for (int i = 0; i < 4; i++)
        timers[i] = ab_timer_new(rig->port, say, &words[i]);
    ab_timer_start(timers[3], 40);
    ab_timer_start(timers[2], 20);
    ab_timer_start(timers[1], 1);
    ab_timer_start(timers[0], 30);
    ab_timer_start(timers[0], 0);  /* moved to the front */
    ab_timer_start(timers[2], 30); /* moved back */
    ab_timer_stop(timers[1]);
    ab_timer_start(timers[1], 10);
    ab_loop_uv_run(rig->loop);
    assert_string_equal(rig->said, "abcd");
    for (int i = 0; i < 4; i++)
        ab_timer_free(timers[i]);
}

static void a_stopped_timer_is_silent(void **state)
{
    struct rig *rig = *state;
    struct word never = { rig, "never", false };
    struct word end = { rig, "end", true };
    struct ab_timer *stopped = ab_timer_new(rig->port, say, &never);
    struct ab_timer *freed = ab_timer_new(rig->port, say, &never);
    struct ab_timer *last = ab_timer_new(rig->port, say, &end);

    ab_timer_start(stopped, 1);
    ab_timer_start(freed, 1);
    ab_timer_start(last, 20);
    ab_timer_stop(stopped);
    ab_timer_free(freed);
    ab_loop_uv_run(rig->loop);
    assert_string_equal(rig->said, "end");
    ab_timer_free(stopped);
    ab_timer_free(last);
    ab_timer_free(NULL);
}

static void free_myself(void *arg)
{
    struct rig *rig = arg;

    ab_timer_free(rig->timer);
    rig->count++;
    ab_loop_uv_stop(rig->loop);
}

static void a_timer_freed_in_its_own_call(void **state)
{
    struct rig *rig = *state;

    rig->timer = ab_timer_new(rig->port, free_myself, rig);
    ab_timer_start(rig->timer, 0);
    ab_loop_uv_run(rig->loop);
    assert_int_equal(rig->count, 1);
}

/* --- nobody starves --- */

static void start_again(void *arg)
{
    struct rig *rig = arg;

    rig->count++;
    ab_timer_start(rig->timer, 0);
}

static void defer_again(void *arg)
{
    struct rig *rig = arg;

    rig->count++;
    if (rig->said[0] == '\0') /* until the end was said */
        ab_loop_defer(rig->port, defer_again, rig);
}

static void *post_the_end(void *arg)
{
    usleep(20000);
    ab_loop_post(((struct word *)arg)->rig->port, say, arg);
    return NULL;
}

/* Another thread's post arrives like bytes at a socket do. */
static void busy_work_lets_others_in(void **state)
{
    struct rig *rig = *state;
    struct word end = { rig, "end", true };

    for (int kind = 0; kind < 2; kind++) {
        pthread_t thread;
        rig->said[0] = '\0';
        rig->count = 0;
        if (kind == 0) {
            rig->timer = ab_timer_new(rig->port, start_again, rig);
            ab_timer_start(rig->timer, 0);
        } else {
            ab_loop_defer(rig->port, defer_again, rig);
        }
        assert_int_equal(pthread_create(&thread, NULL, post_the_end, &end), 0);
        ab_loop_uv_run(rig->loop);
        pthread_join(thread, NULL);
        assert_string_equal(rig->said, "end");
        assert_true(rig->count > 1);
        if (kind == 0)
            ab_timer_free(rig->timer);
    }
}

static void defer_the_rest(void *arg)
{
    struct word *word = arg;

    say(word);
    ab_loop_defer(word->rig->port, say, word + 1);
}

static void deferred_in_order(void **state)
{
    struct rig *rig = *state;
    struct word words[] = { { rig, "1", false }, { rig, "3", true }, { rig, "2", false } };

    ab_loop_defer(rig->port, defer_the_rest, &words[0]);
    ab_loop_defer(rig->port, say, &words[2]);
    ab_loop_uv_run(rig->loop);
    assert_string_equal(rig->said, "123");
}

/* --- other threads --- */

#define POSTS 5000

struct poster {
    struct rig *rig;
    unsigned next; /* the number that must come next */
    unsigned sent;
};

struct posted {
    struct poster *poster;
    unsigned number;
};

static void on_posted(void *arg)
{
    struct posted *posted = arg;

    assert_int_equal(posted->number, posted->poster->next++); /* in the order given */
    if (++posted->poster->rig->count == 4 * POSTS)
        ab_loop_uv_stop(posted->poster->rig->loop);
    free(posted);
}

static void *post_many(void *arg)
{
    struct poster *poster = arg;

    for (unsigned i = 0; i < POSTS; i++) {
        struct posted *posted = ab_alloc(1, sizeof(*posted));
        *posted = (struct posted){ poster, i };
        ab_loop_post(poster->rig->port, on_posted, posted);
    }
    return NULL;
}

static void posts_of_four_threads(void **state)
{
    struct rig *rig = *state;
    struct poster posters[4] = { { .rig = rig }, { .rig = rig }, { .rig = rig }, { .rig = rig } };
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
    ab_loop_uv_run(rig->loop);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(rig->count, 4 * POSTS);
}

/* --- signals --- */

static void on_signal(void *arg)
{
    struct rig *rig = arg;

    if (++rig->count == 2)
        ab_loop_uv_stop(rig->loop);
    else
        (void)raise(SIGHUP);
}

static void signals_arrive(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(ab_loop_uv_on_signal(rig->loop, SIGHUP, on_signal, rig), AB_OK);
    (void)raise(SIGHUP);
    ab_loop_uv_run(rig->loop);
    assert_int_equal(rig->count, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(timers_are_due_in_order),  TEST(a_stopped_timer_is_silent), TEST(a_timer_freed_in_its_own_call),
        TEST(busy_work_lets_others_in), TEST(deferred_in_order),         TEST(posts_of_four_threads),
        TEST(signals_arrive),
    };
    cmocka_set_test_filter(getenv("AB_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
