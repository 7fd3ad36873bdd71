/* What /metrics shows, and what the log writes. */
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *rendered(const struct ab_metrics *metrics)
{
    struct ab_buf out = AB_BUF_INIT(1 << 20);
    ab_metrics_render(metrics, &out);
    return ab_buf_steal(&out);
}

static void counters_and_gauges(void **state)
{
    (void)state;
    struct ab_metrics *metrics = ab_metrics_new();
    struct ab_metric *done = ab_metric(metrics, AB_METRIC_COUNTER, "ab_done_total", "Tasks\ndone.", "agent=\"a\"");
    ab_metric_add(done, 1);
    ab_metric_add(done, 2);
    assert_ptr_equal(done, ab_metric(metrics, AB_METRIC_COUNTER, "ab_done_total", "other", "agent=\"a\""));
    ab_metric_set(ab_metric(metrics, AB_METRIC_GAUGE, "ab_open", "Open.", NULL), 2.5);
    ab_metric_add(ab_metric(metrics, AB_METRIC_COUNTER, "ab_done_total", "", "agent=\"b\""), 1e9);
    char *text = rendered(metrics);
    assert_string_equal(text, "# HELP ab_done_total Tasks\\ndone.\n# TYPE ab_done_total counter\n"
                              "ab_done_total{agent=\"a\"} 3\nab_done_total{agent=\"b\"} 1000000000\n"
                              "# HELP ab_open Open.\n# TYPE ab_open gauge\nab_open 2.5\n");
    free(text);
    ab_metrics_free(metrics);
    ab_metrics_free(NULL);
}

static void histograms(void **state)
{
    (void)state;
    struct ab_metrics *metrics = ab_metrics_new();
    struct ab_metric *time = ab_metric(metrics, AB_METRIC_HISTOGRAM, "ab_s", "S.", "x=\"1\"");
    ab_metric_observe(time, 0.0005); /* a bound belongs to its bucket */
    ab_metric_observe(time, 0.3);
    ab_metric_observe(time, 61);
    char *text = rendered(metrics);
    assert_non_null(strstr(text, "ab_s_bucket{x=\"1\",le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(text, "ab_s_bucket{x=\"1\",le=\"0.25\"} 1\n"));
    assert_non_null(strstr(text, "ab_s_bucket{x=\"1\",le=\"0.5\"} 2\n"));
    assert_non_null(strstr(text, "ab_s_bucket{x=\"1\",le=\"60\"} 2\n"));
    assert_non_null(strstr(text, "ab_s_bucket{x=\"1\",le=\"+Inf\"} 3\nab_s_sum{x=\"1\"} 61.3005\n"
                                 "ab_s_count{x=\"1\"} 3\n"));
    free(text);
    ab_metrics_free(metrics);
}

static void too_many_series(void **state)
{
    (void)state;
    struct ab_metrics *metrics = ab_metrics_new();
    struct ab_metric *last = NULL;
    for (unsigned i = 0; i < 3000; i++) {
        AB_CLEANUP(ab_free_string) char *labels = ab_format("a=\"%u\"", i);
        last = ab_metric(metrics, AB_METRIC_COUNTER, "ab_x", "X.", labels);
        ab_metric_add(last, 1);
    }
    assert_ptr_equal(last, ab_metric(metrics, AB_METRIC_COUNTER, "ab_x", "", "overflow=\"true\""));
    char *text = rendered(metrics);
    assert_non_null(strstr(text, "ab_x{a=\"999\"} 1\n"));
    assert_null(strstr(text, "ab_x{a=\"1000\"}"));
    assert_non_null(strstr(text, "ab_x{overflow=\"true\"} 2000\n"));
    free(text);
    ab_metrics_free(metrics);
}

static void without_a_registry(void **state)
{
    (void)state;
    struct ab_metric *dummy = ab_metric(NULL, AB_METRIC_HISTOGRAM, "ab_x", "X.", NULL);
    assert_non_null(dummy);
    ab_metric_add(dummy, 1);
    ab_metric_set(dummy, 1);
    ab_metric_observe(dummy, 1);
}

static void label_values(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(100);
    ab_metrics_escape(&out, AB_STR("a\"b\\c\nd"));
    assert_string_equal(out.data, "a\\\"b\\\\c\\nd");
    ab_buf_deinit(&out);
}

/* --- the log --- */

static int64_t fixed_wall(void *context)
{
    (void)context;
    return 0;
}

struct pipe_log {
    int reading;
    struct ab_log log;
};

static struct pipe_log log_into_pipe(bool json)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    return (struct pipe_log){
        .reading = ends[0],
        .log = { .level = AB_LOG_INFO, .json = json, .fd = ends[1], .clock = { .wall_ms = fixed_wall } },
    };
}

static void read_log(struct pipe_log *pipe_log, char *out, size_t size)
{
    close(pipe_log->log.fd);
    ssize_t got = read(pipe_log->reading, out, size - 1);
    assert_true(got >= 0);
    out[got] = '\0';
    close(pipe_log->reading);
}

static void log_as_text(void **state)
{
    (void)state;
    char line[1000];
    struct pipe_log to = log_into_pipe(false);
    ab_log(&to.log, AB_LOG_DEBUG, "task", "too fine", NULL);
    ab_log(NULL, AB_LOG_ERROR, "task", "nowhere", NULL);
    ab_log(&to.log, AB_LOG_WARNING, "task", "it went on", "id", "ab12", "why", "two words", "forged", "x\n1970 error",
           "none", NULL, "empty", "", NULL);
    read_log(&to, line, sizeof(line));
    assert_string_equal(line, "1970-01-01T00:00:00.000Z warning task: it went on id=ab12 why=\"two words\" "
                              "forged=\"x\\n1970 error\" empty=\"\"\n");
}

static void log_as_json(void **state)
{
    (void)state;
    char line[1000];
    struct pipe_log to = log_into_pipe(true);
    ab_log(&to.log, AB_LOG_ERROR, "io", "broken", "peer", "\xff\"\x01", NULL);
    read_log(&to, line, sizeof(line));
    assert_string_equal(line, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"room\":\"io\","
                              "\"message\":\"broken\",\"peer\":\"\xef\xbf\xbd\\\"\\u0001\"}\n");
}

static void log_lines_stay_whole(void **state)
{
    (void)state;
    char *huge = ab_alloc(1, 100001);
    memset(huge, '"', 100000);
    char line[40000];
    struct pipe_log to = log_into_pipe(true);
    ab_log(&to.log, AB_LOG_ERROR, "io", "m", "a", huge, "b", huge, "c", huge, "d", huge, "e", huge, "f", huge, "g",
           "short", NULL);
    read_log(&to, line, sizeof(line));
    size_t size = strlen(line);
    assert_true(size > 1000 && size < 16500);
    assert_string_equal(line + size - 3, "\"}\n");
    free(huge);
}

static void level_names(void **state)
{
    (void)state;
    enum ab_log_level level = AB_LOG_NONE;
    assert_true(ab_log_level_parse("warning", &level));
    assert_int_equal(level, AB_LOG_WARNING);
    assert_false(ab_log_level_parse("Warning", &level));
    assert_false(ab_log_level_parse(NULL, &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges), cmocka_unit_test(histograms),
        cmocka_unit_test(too_many_series),     cmocka_unit_test(without_a_registry),
        cmocka_unit_test(label_values),        cmocka_unit_test(log_as_text),
        cmocka_unit_test(log_as_json),         cmocka_unit_test(log_lines_stay_whole),
        cmocka_unit_test(level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
