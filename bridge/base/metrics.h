/* Counters, gauges and histograms, rendered in the Prometheus text format (version 0.0.4). Loop's thread only. */
#ifndef AB_BASE_METRICS_H
#define AB_BASE_METRICS_H

#include "base/buf.h"

struct ab_metrics;
struct ab_metric; /* one series; owned by its registry */

enum ab_metric_type { AB_METRIC_COUNTER, AB_METRIC_GAUGE, AB_METRIC_HISTOGRAM };

AB_MUST struct ab_metrics *ab_metrics_new(void);
void ab_metrics_free(struct ab_metrics *metrics);

/* The series of this name and label set, made at the first call. `help` counts at the first call of a name. `labels`
 * is the text between the braces, with values already escaped ('agent="report",status="failed"'), or NULL. A histogram
 * has fixed bounds in seconds: 0.0005 ... 60. A name's series are limited to 1,000; beyond that the series whose
 * labels are 'overflow="true"' is given. Never NULL. With `metrics` NULL a shared dummy is given. */
struct ab_metric *ab_metric(struct ab_metrics *metrics, enum ab_metric_type type, const char *name, const char *help,
                            const char *labels);
void ab_metric_add(struct ab_metric *metric, double amount);
void ab_metric_set(struct ab_metric *metric, double value);
/* One observation of a histogram, in seconds. */
void ab_metric_observe(struct ab_metric *metric, double seconds);
/* Escapes a label's value. */
void ab_metrics_escape(struct ab_buf *out, struct ab_str value);
void ab_metrics_render(const struct ab_metrics *metrics, struct ab_buf *out);

#endif
