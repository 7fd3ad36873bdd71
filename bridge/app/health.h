/* How the bridge is doing, for whoever supervises it: /health, /ready, /metrics. */
#ifndef AB_APP_HEALTH_H
#define AB_APP_HEALTH_H

#include "agentbridge/store.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "wire/http_server.h"

struct ab_health {
    struct ab_store *store;
    struct ab_metrics *metrics;
    struct ab_clock clock;
    int64_t started_us; /* monotonic */
    bool draining;      /* on its way out: alive, but not for new work */
};

/* 200 as long as the loop turns. */
void ab_health_live(struct ab_health *health, struct ab_http_exchange *exchange);
/* 200 when tasks are taken, else 503 and why not. */
void ab_health_ready(struct ab_health *health, struct ab_http_exchange *exchange);
/* All metrics as Prometheus text, the gauges below brought up to date first. */
void ab_health_metrics(struct ab_health *health, struct ab_http_exchange *exchange);

#endif
