/* What the engine counts and logs about tasks. */
#include "task/engine_internal.h"

#include <stdio.h>

static char *labels(const char *agent, const char *status)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_text(&out, "agent=\"");
    ab_metrics_escape(&out, ab_str(agent));
    ab_buf_append_char(&out, '"');
    if (status != NULL) {
        ab_buf_printf(&out, ",status=\"%s\"", status);
    }
    return ab_buf_steal(&out);
}

void engine_metrics_init(struct ab_engine *engine)
{
    struct ab_metrics *metrics = engine->settings.metrics;
    engine->store_refused = ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_store_refused_total",
                                      "Changes of tasks that the store did not take.", NULL);
    engine->create_seconds = ab_metric(metrics, AB_METRIC_HISTOGRAM, "agentbridge_task_create_seconds",
                                       "From the wish for a task to the task on disk.", NULL);
}

void engine_metrics_agent(struct ab_engine *engine, struct engine_agent *agent)
{
    struct ab_metrics *metrics = engine->settings.metrics;
    const char *id = agent->settings.id;
    AB_CLEANUP(ab_free_string) char *of_agent = labels(id, NULL);
    agent->created =
        ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_tasks_created_total", "Tasks created.", of_agent);
    agent->duration = ab_metric(metrics, AB_METRIC_HISTOGRAM, "agentbridge_task_duration_seconds",
                                "From a task's creation to its end.", of_agent);
    agent->first_report = ab_metric(metrics, AB_METRIC_HISTOGRAM, "agentbridge_task_first_report_seconds",
                                    "From a task's creation to the first thing its agent reports.", of_agent);
    for (size_t i = 0; i < AB_TASK_STATUS_COUNT; i++) {
        enum ab_task_status status = (enum ab_task_status)i;
        AB_CLEANUP(ab_free_string) char *both = labels(id, ab_task_status_name(status));
        if (ab_task_status_is_terminal(status)) {
            agent->finished[i] = ab_metric(metrics, AB_METRIC_COUNTER, "agentbridge_tasks_finished_total",
                                           "Tasks that ended, by how.", both);
        } else {
            agent->standing[i] = ab_metric(metrics, AB_METRIC_GAUGE, "agentbridge_tasks_unfinished",
                                           "Tasks that have not ended, by where they stand.", both);
        }
    }
}

void engine_count_move(struct hot *hot, enum ab_task_status from, enum ab_task_status to)
{
    if (hot->agent == NULL) {
        return;
    }
    if (from < AB_TASK_STATUS_COUNT && hot->agent->standing[from] != NULL) {
        ab_metric_add(hot->agent->standing[from], -1);
    }
    if (to < AB_TASK_STATUS_COUNT && hot->agent->standing[to] != NULL) {
        ab_metric_add(hot->agent->standing[to], 1);
    }
}

void engine_count_created(struct hot *hot)
{
    struct ab_engine *engine = hot->engine;
    ab_metric_add(hot->agent->created, 1);
    ab_metric_observe(engine->create_seconds, (double)(engine_now_us(engine) - hot->born_us) / 1e6);
    ab_log(engine->settings.log, AB_LOG_INFO, "task", "task created", "task", hot->task.id, "agent", hot->task.agent,
           "surface", hot->task.surface, NULL);
}

void engine_count_finished(struct hot *hot)
{
    const struct ab_task *task = &hot->task;
    double seconds = (double)(task->finished_at - task->created_at) / 1e3;
    if (hot->agent != NULL) {
        ab_metric_add(hot->agent->finished[task->status], 1);
        ab_metric_observe(hot->agent->duration, seconds);
    }
    char took[32];
    (void)snprintf(took, sizeof took, "%.3f", seconds);
    const char *reason = task->reason != AB_REASON_NONE ? ab_task_reason_name(task->reason) : NULL;
    ab_log(hot->engine->settings.log, AB_LOG_INFO, "task", "task finished", "task", task->id, "agent", task->agent,
           "status", ab_task_status_name(task->status), "reason", reason, "seconds", took, NULL);
}
