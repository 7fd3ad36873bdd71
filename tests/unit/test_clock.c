/* Times as text, and the fake loop that every other test trusts. */
#include "base/clock.h"
#include "base/str.h"
#include "support/fake_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void known_times(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { 951782400000, "2000-02-29T00:00:00.000Z" },
        { 951868800000, "2000-03-01T00:00:00.000Z" },
        { 4107542400000, "2100-03-01T00:00:00.000Z" },
        { FAKE_LOOP_START_MS, "2026-07-28T00:00:00.000Z" },
        { FAKE_LOOP_START_MS + 34200125, "2026-07-28T09:30:00.125Z" },
        { 253402300799999, "9999-12-31T23:59:59.999Z" },
        { -62167219200000, "0000-01-01T00:00:00.000Z" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[AB_TIME_TEXT_SIZE];
        int64_t back = 1;
        ab_time_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
        assert_true(ab_time_parse(ab_str(text), &back));
        assert_true(back == cases[i].ms);
    }
    char text[AB_TIME_TEXT_SIZE];
    ab_time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    ab_time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void times_in_headers(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
        { 784111777000, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110 */
        { FAKE_LOOP_START_MS + 34200999, "Tue, 28 Jul 2026 09:30:00 GMT" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[AB_TIME_HTTP_SIZE];
        ab_time_format_http(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
    for (int64_t day = -40000; day < 110000; day++) {
        char text[AB_TIME_HTTP_SIZE];
        char expected[64];
        time_t seconds = (time_t)(day * 86400 + 86399);
        struct tm parts;
        ab_time_format_http((int64_t)seconds * 1000, text);
        strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &parts));
        assert_string_equal(text, expected);
    }
}

static void every_day_for_400_years(void **state)
{
    (void)state;
    for (int64_t day = -40000; day < 110000; day++) {
        char text[AB_TIME_TEXT_SIZE];
        int64_t back = 0;
        ab_time_format(day * 86400000 + 1, text);
        if (!ab_time_parse(ab_str(text), &back) || back != day * 86400000 + 1) {
            fail_msg("%s", text);
        }
    }
}

static void no_times(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026-07-28",
        "2026-07-28T09:30:00Z",
        "2026-07-28T09:30:00.125",
        "2026-07-28T09:30:00.125z",
        "2026-07-28 09:30:00.125Z",
        "2026-13-01T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z",
        "2026-02-29T00:00:00.000Z",
        "2026-07-32T00:00:00.000Z",
        "2026-07-28T24:00:00.000Z",
        "2026-07-28T09:60:00.000Z",
        "2026-07-28T09:30:60.000Z",
        "+026-07-28T09:30:00.125Z",
        "2026-07-28T09:30:00.125Z ",
        "9999-12-31T23:59:60.000Z",
        "0000-00-00T00:00:00.000Z",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t time = 0;
        if (ab_time_parse(ab_str(cases[i]), &time)) {
            fail_msg("\"%s\" was taken", cases[i]);
        }
    }
}

static void times_as_others_write_them(void **state)
{
    static const int64_t taken = 1785231000125; /* 2026-07-28T09:30:00.125Z */
    static const struct {
        const char *text;
        int64_t time; /* 0: refused */
    } cases[] = {
        { "2026-07-28T09:30:00.125Z", taken },
        { "2026-07-28t09:30:00.125z", taken },
        { "2026-07-28 09:30:00.125", taken },
        { "2026-07-28T09:30:00.1259999Z", taken },
        { "2026-07-28T11:30:00.125+02:00", taken },
        { "2026-07-28T05:00:00.125-0430", taken },
        { "2026-07-28T09:30:00Z", taken - 125 },
        { "2026-07-28T09:30:00.1+00:00", taken - 25 },
        { "2026-07-28T09:30:00.Z", taken - 125 },
        { "", 0 },
        { "2026-07-28", 0 },
        { "2026-07-28T09:30", 0 },
        { "2026-07-28T09:30:00+", 0 },
        { "2026-07-28T09:30:00+2", 0 },
        { "2026-07-28T09:30:00+02:0", 0 },
        { "2026-07-28T09:30:00+02:00Z", 0 },
        { "2026-07-28T09:30:00 Z", 0 },
        { "2026-02-30T09:30:00Z", 0 },
        { "yesterday, some time before noon", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t time = 0;
        if (ab_time_read(cases[i].text, &time) != (cases[i].time != 0) || time != cases[i].time) {
            fail_msg("\"%s\" came out as %lld", cases[i].text, (long long)time);
        }
    }
}

static void the_system_clock(void **state)
{
    (void)state;
    struct ab_clock clock = ab_clock_system();
    int64_t before = ab_clock_monotonic_us(&clock);
    assert_true(ab_clock_wall_ms(&clock) > 1700000000000);
    assert_true(ab_clock_monotonic_us(&clock) >= before);
}

struct trace {
    char text[64];
    struct ab_loop *loop;
    struct ab_timer *timer;
};

static void note(struct trace *trace, char mark)
{
    size_t size = strlen(trace->text);
    trace->text[size] = mark;
}

static void mark_a(void *arg)
{
    note(arg, 'a');
}

static void mark_b(void *arg)
{
    struct trace *trace = arg;
    note(trace, 'b');
    ab_loop_defer(trace->loop, mark_a, trace);
}

static void again(void *arg)
{
    struct trace *trace = arg;
    note(trace, 't');
    assert_int_equal(ab_clock_wall_ms(&trace->loop->clock) % 10, 0);
    ab_timer_start(trace->timer, 10);
}

static void the_fake_loop(void **state)
{
    (void)state;
    struct trace trace = { .loop = fake_loop_new() };
    assert_true(ab_clock_wall_ms(&trace.loop->clock) == FAKE_LOOP_START_MS);
    trace.timer = ab_timer_new(trace.loop, again, &trace);
    struct ab_timer *once = ab_timer_new(trace.loop, mark_b, &trace);
    ab_timer_start(trace.timer, 10);
    ab_timer_start(once, 15);
    ab_loop_defer(trace.loop, mark_b, &trace);
    ab_loop_post(trace.loop, mark_a, &trace);
    assert_string_equal(trace.text, "");
    assert_int_equal(fake_loop_next_timer(trace.loop), 10);
    fake_loop_run_ready(trace.loop);
    assert_string_equal(trace.text, "baa");
    fake_loop_advance(trace.loop, 35);
    assert_string_equal(trace.text, "baatbatt");
    assert_true(ab_clock_wall_ms(&trace.loop->clock) == FAKE_LOOP_START_MS + 35);
    assert_int_equal(fake_loop_timers(trace.loop), 1);
    ab_timer_stop(trace.timer);
    fake_loop_advance(trace.loop, 1000);
    assert_string_equal(trace.text, "baatbatt");
    ab_timer_free(trace.timer);
    ab_timer_free(once);
    ab_timer_free(NULL);
    fake_loop_free(trace.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(every_day_for_400_years),
        cmocka_unit_test(times_in_headers),
        cmocka_unit_test(no_times),
        cmocka_unit_test(times_as_others_write_them),
        cmocka_unit_test(the_system_clock),
        cmocka_unit_test(the_fake_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
