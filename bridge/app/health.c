/* Liveness, readiness, and the gauges that are only worth counting when somebody looks. */
#include "app/health.h"

#include "wire/json.h"

#include <stdio.h>
#include <unistd.h>

#define METRICS_BYTES ((size_t)8 << 20)
/* A store this far behind takes nothing new in useful time. */
#define BACKLOG_READY_BYTES ((size_t)256 << 20)

static void answer(struct ab_http_exchange *exchange, unsigned status, const char *state, const char *why)
{
    struct ab_buf body = AB_BUF_INIT(1024);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "status", state);
    ab_json_put_optional_text(&writer, "reason", why);
    ab_json_object_end(&writer);
    ab_http_respond_simple(exchange, status, "application/json", ab_buf_str(&body));
    ab_buf_deinit(&body);
}

void ab_health_live(struct ab_health *health, struct ab_http_exchange *exchange)
{
    (void)health;
    answer(exchange, 200, "alive", NULL);
}

void ab_health_ready(struct ab_health *health, struct ab_http_exchange *exchange)
{
    uint64_t counts[AB_TASK_STATUS_COUNT];

    if (health->draining)
        answer(exchange, 503, "not ready", "shutting down");
    else if (health->store->ops->count(health->store, counts) < 0)
        answer(exchange, 503, "not ready", "the store cannot be read");
    else if (health->store->ops->backlog(health->store) > BACKLOG_READY_BYTES)
        answer(exchange, 503, "not ready", "the store is behind");
    else
        answer(exchange, 200, "ready", NULL);
}

static void set(struct ab_health *health, const char *name, const char *help, const char *labels, double value)
{
    ab_metric_set(ab_metric(health->metrics, AB_METRIC_GAUGE, name, help, labels), value);
}

static void set_tasks(struct ab_health *health)
{
    uint64_t counts[AB_TASK_STATUS_COUNT] = { 0 };
    char label[64];

    if (health->store->ops->count(health->store, counts) < 0)
        return;
    for (int status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        snprintf(label, sizeof label, "status=\"%s\"", ab_task_status_name((enum ab_task_status)status));
        set(health, "agentbridge_tasks", "Tasks in the store, by status.", label, (double)counts[status]);
    }
}

/* Resident bytes, or 0 where the kernel does not tell. */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long total;
    unsigned long resident;
    int n;

    if (file == NULL)
        return 0;
    n = fscanf(file, "%lu %lu", &total, &resident);
    (void)fclose(file);
    return n == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

void ab_health_metrics(struct ab_health *health, struct ab_http_exchange *exchange)
{
    struct ab_buf body = AB_BUF_INIT(METRICS_BYTES);
    int64_t up_us = ab_clock_monotonic_us(&health->clock) - health->started_us;

    set_tasks(health);
    set(health, "agentbridge_store_backlog_bytes", "Bytes waiting to be written to the store.", NULL,
        (double)health->store->ops->backlog(health->store));
    set(health, "agentbridge_uptime_seconds", "Seconds since the start.", NULL, (double)up_us / 1e6);
    set(health, "process_resident_memory_bytes", "Resident memory.", NULL, resident_bytes());
    ab_metrics_render(health->metrics, &body);
    ab_http_respond_simple(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", ab_buf_str(&body));
    ab_buf_deinit(&body);
}
