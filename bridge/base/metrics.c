#include "base/metrics.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SERIES_PER_NAME 1000

static const double bounds[] = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
};
#define N_BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct ab_metric {
    struct ab_metric *next; /* of the same name */
    char *labels;           /* or NULL */
    double value;           /* of a histogram: the sum */
    uint64_t count;
    uint64_t buckets[N_BOUNDS];
};

struct family {
    struct family *next;
    char *name;
    char *help;
    enum ab_metric_type type;
    struct ab_metric *series;
    size_t n_series;
    struct ab_map by_labels;
};

struct ab_metrics {
    struct family *families;
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
    while (family->series != NULL) {
        struct ab_metric *series = family->series;
        family->series = series->next;
        free(series->labels);
        free(series);
    }
    ab_map_deinit(&family->by_labels);
    free(family->name);
    free(family->help);
    free(family);
}

void ab_metrics_free(struct ab_metrics *metrics)
{
    if (metrics == NULL)
        return;
    while (metrics->families != NULL) {
        struct family *family = metrics->families;
        metrics->families = family->next;
        family_free(family);
    }
    ab_map_deinit(&metrics->by_name);
    free(metrics);
}

static struct family *find_family(struct ab_metrics *metrics, enum ab_metric_type type, const char *name,
                                  const char *help)
{
    struct family *family = ab_map_get(&metrics->by_name, ab_str(name));
    struct family **place = &metrics->families;

    if (family != NULL)
        return family;
    family = ab_alloc(1, sizeof(*family));
    family->name = ab_strdup(name);
    family->help = ab_strdup(help);
    family->type = type;
    ab_map_init(&family->by_labels);
    ab_map_set(&metrics->by_name, ab_str(name), family);
    while (*place != NULL && strcmp((*place)->name, name) < 0)
        place = &(*place)->next;
    family->next = *place;
    *place = family;
    return family;
}

struct ab_metric *ab_metric(struct ab_metrics *metrics, enum ab_metric_type type, const char *name, const char *help,
                            const char *labels)
{
    /* Without a registry every series is this one, which nobody reads. */
    static struct ab_metric nowhere;
    struct family *family;
    struct ab_metric *series;

    if (metrics == NULL)
        return &nowhere;
    family = find_family(metrics, type, name, help);
    series = ab_map_get(&family->by_labels, ab_str(labels));
    if (series != NULL)
        return series;
    if (family->n_series >= SERIES_PER_NAME) {
        labels = "overflow=\"true\"";
        series = ab_map_get(&family->by_labels, ab_str(labels));
        if (series != NULL)
            return series;
    }
    series = ab_alloc(1, sizeof(*series));
    series->labels = ab_strdup(labels);
    ab_map_set(&family->by_labels, ab_str(labels), series);
    series->next = family->series;
    family->series = series;
    family->n_series++;
    return series;
}

void ab_metric_add(struct ab_metric *metric, double amount)
{
    metric->value += amount;
}

void ab_metric_set(struct ab_metric *metric, double value)
{
    metric->value = value;
}

void ab_metric_observe(struct ab_metric *metric, double seconds)
{
    metric->value += seconds;
    metric->count++;
    for (size_t i = 0; i < N_BOUNDS; i++)
        if (seconds <= bounds[i]) {
            metric->buckets[i]++;
            return;
        }
}

void ab_metrics_escape(struct ab_buf *out, struct ab_str value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '\n')
            ab_buf_append_text(out, "\\n");
        else if (c == '"' || c == '\\')
            ab_buf_printf(out, "\\%c", c);
        else
            ab_buf_append_char(out, c);
    }
}

static void render_line(struct ab_buf *out, const char *name, const char *suffix, const char *labels, const char *le,
                        double value)
{
    ab_buf_printf(out, "%s%s", name, suffix);
    if (labels != NULL || le != NULL)
        ab_buf_printf(out, "{%s%s%s}", labels != NULL ? labels : "", labels != NULL && le != NULL ? "," : "",
                      le != NULL ? le : "");
    if (value == floor(value) && fabs(value) < 1e15)
        ab_buf_printf(out, " %.0f\n", value);
    else
        ab_buf_printf(out, " %.9g\n", value);
}

static void render_histogram(struct ab_buf *out, const struct family *family, const struct ab_metric *series)
{
    uint64_t below = 0;
    char le[32];

    for (size_t i = 0; i < N_BOUNDS; i++) {
        below += series->buckets[i];
        snprintf(le, sizeof(le), "le=\"%g\"", bounds[i]);
        render_line(out, family->name, "_bucket", series->labels, le, (double)below);
    }
    render_line(out, family->name, "_bucket", series->labels, "le=\"+Inf\"", (double)series->count);
    render_line(out, family->name, "_sum", series->labels, NULL, series->value);
    render_line(out, family->name, "_count", series->labels, NULL, (double)series->count);
}

void ab_metrics_render(const struct ab_metrics *metrics, struct ab_buf *out)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };

    for (const struct family *family = metrics->families; family != NULL; family = family->next) {
        ab_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                      types[family->type]);
        for (const struct ab_metric *series = family->series; series != NULL; series = series->next) {
            if (family->type == AB_METRIC_HISTOGRAM)
                render_histogram(out, family, series);
            else
                render_line(out, family->name, "", series->labels, NULL, series->value);
        }
    }
}
