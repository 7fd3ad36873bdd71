/* Series by name and labels, shown in the order they were made. */
#include "base/metrics.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_SERIES 1000

static const double bounds[] = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
};
#define BOUND_COUNT (sizeof(bounds) / sizeof(bounds[0]))

struct ab_metric {
    char *labels;     /* or NULL */
    double value;     /* of a histogram: the sum */
    uint64_t *counts; /* a histogram's: one for each bound, one for what is above */
    bool dummy;
};

struct family {
    char *name;
    char *help;
    enum ab_metric_type type;
    struct ab_metric **series;
    size_t count;
    struct ab_map by_labels;
};

struct ab_metrics {
    struct family **families;
    size_t count;
    struct ab_map by_name;
};

struct ab_metrics *ab_metrics_new(void)
{
    struct ab_metrics *metrics = ab_alloc(1, sizeof(*metrics));
    ab_map_init(&metrics->by_name);
    return metrics;
}

static void family_free(struct family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        free(family->series[i]->labels);
        free(family->series[i]->counts);
        free(family->series[i]);
    }
    free(family->series);
    ab_map_deinit(&family->by_labels);
    free(family->name);
    free(family->help);
    free(family);
}

void ab_metrics_free(struct ab_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    for (size_t i = 0; i < metrics->count; i++) {
        family_free(metrics->families[i]);
    }
    free(metrics->families);
    ab_map_deinit(&metrics->by_name);
    free(metrics);
}

static struct family *family_of(struct ab_metrics *metrics, enum ab_metric_type type, const char *name,
                                const char *help)
{
    struct family *family = ab_map_get(&metrics->by_name, ab_str(name));
    if (family != NULL) {
        return family;
    }
    family = ab_alloc(1, sizeof(*family));
    family->name = ab_strdup(name);
    family->help = ab_strdup(help == NULL ? "" : help);
    family->type = type;
    ab_map_init(&family->by_labels);
    metrics->families = ab_realloc(metrics->families, (metrics->count + 1) * sizeof(struct family *));
    metrics->families[metrics->count++] = family;
    ab_map_set(&metrics->by_name, ab_str(name), family);
    return family;
}

static struct ab_metric *series_of(struct family *family, const char *labels)
{
    static const char overflow[] = "overflow=\"true\"";
    struct ab_metric *metric = ab_map_get(&family->by_labels, ab_str(labels));
    if (metric == NULL && family->count >= MAX_SERIES) {
        labels = overflow;
        metric = ab_map_get(&family->by_labels, ab_str(labels));
    }
    if (metric != NULL) {
        return metric;
    }
    metric = ab_alloc(1, sizeof(*metric));
    metric->labels = ab_strdup(labels);
    if (family->type == AB_METRIC_HISTOGRAM) {
        metric->counts = ab_alloc(BOUND_COUNT + 1, sizeof(*metric->counts));
    }
    family->series = ab_realloc(family->series, (family->count + 1) * sizeof(struct ab_metric *));
    family->series[family->count++] = metric;
    ab_map_set(&family->by_labels, ab_str(labels), metric);
    return metric;
}

struct ab_metric *ab_metric(struct ab_metrics *metrics, enum ab_metric_type type, const char *name, const char *help,
                            const char *labels)
{
    static struct ab_metric dummy = { .dummy = true }; /* never written */
    return metrics == NULL ? &dummy : series_of(family_of(metrics, type, name, help), labels);
}

void ab_metric_add(struct ab_metric *metric, double amount)
{
    if (!metric->dummy) {
        metric->value += amount;
    }
}

void ab_metric_set(struct ab_metric *metric, double value)
{
    if (!metric->dummy) {
        metric->value = value;
    }
}

void ab_metric_observe(struct ab_metric *metric, double seconds)
{
    if (metric->counts == NULL) {
        return;
    }
    size_t at = 0;
    while (at < BOUND_COUNT && !(seconds <= bounds[at])) {
        at++;
    }
    metric->counts[at]++;
    metric->value += seconds;
}

/* --- rendering --- */

void ab_metrics_escape(struct ab_buf *out, struct ab_str value)
{
    for (size_t i = 0; i < value.size; i++) {
        char found = value.data[i];
        if (found == '\n') {
            ab_buf_append_text(out, "\\n");
            continue;
        }
        if (found == '\\' || found == '"') {
            ab_buf_append_char(out, '\\');
        }
        ab_buf_append_char(out, found);
    }
}

static void render_number(struct ab_buf *out, double number)
{
    if (isnan(number)) {
        ab_buf_append_text(out, "NaN\n");
    } else if (isinf(number)) {
        ab_buf_append_text(out, number > 0 ? "+Inf\n" : "-Inf\n");
    } else if (number == floor(number) && fabs(number) < 1e15) {
        ab_buf_printf(out, "%.0f\n", number);
    } else {
        ab_buf_printf(out, "%.15g\n", number);
    }
}

/* A sample's name and labels; `bound` is a bucket's, or NULL. */
static void render_sample(struct ab_buf *out, const struct family *family, const char *suffix, const char *labels,
                          const char *bound)
{
    ab_buf_append_text(out, family->name);
    ab_buf_append_text(out, suffix);
    if (labels != NULL || bound != NULL) {
        ab_buf_append_char(out, '{');
        ab_buf_append_text(out, labels == NULL ? "" : labels);
        if (bound != NULL) {
            ab_buf_printf(out, "%sle=\"%s\"", labels == NULL ? "" : ",", bound);
        }
        ab_buf_append_char(out, '}');
    }
    ab_buf_append_char(out, ' ');
}

static void render_histogram(struct ab_buf *out, const struct family *family, const struct ab_metric *metric)
{
    uint64_t total = 0;
    for (size_t i = 0; i <= BOUND_COUNT; i++) {
        char bound[32] = "+Inf";
        if (i < BOUND_COUNT) {
            snprintf(bound, sizeof(bound), "%g", bounds[i]);
        }
        total += metric->counts[i];
        render_sample(out, family, "_bucket", metric->labels, bound);
        ab_buf_printf(out, "%" PRIu64 "\n", total);
    }
    render_sample(out, family, "_sum", metric->labels, NULL);
    render_number(out, metric->value);
    render_sample(out, family, "_count", metric->labels, NULL);
    ab_buf_printf(out, "%" PRIu64 "\n", total);
}

static void render_help(struct ab_buf *out, const struct family *family)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    ab_buf_printf(out, "# HELP %s ", family->name);
    for (const char *at = family->help; *at != '\0'; at++) {
        if (*at == '\\') {
            ab_buf_append_text(out, "\\\\");
        } else if (*at == '\n') {
            ab_buf_append_text(out, "\\n");
        } else {
            ab_buf_append_char(out, *at);
        }
    }
    ab_buf_printf(out, "\n# TYPE %s %s\n", family->name, types[family->type]);
}

void ab_metrics_render(const struct ab_metrics *metrics, struct ab_buf *out)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const struct family *family = metrics->families[i];
        render_help(out, family);
        for (size_t j = 0; j < family->count; j++) {
            const struct ab_metric *metric = family->series[j];
            if (family->type == AB_METRIC_HISTOGRAM) {
                render_histogram(out, family, metric);
            } else {
                render_sample(out, family, "", metric->labels, NULL);
                render_number(out, metric->value);
            }
        }
    }
}
