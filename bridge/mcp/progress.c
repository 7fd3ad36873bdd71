#include "mcp/progress.h"

#include "mcp/core_tasks.h"

#include "base/mem.h"

static double step(const struct ab_mcp_progress *progress)
{
    if (!progress->any)
        return 0;
    if (progress->has_total && progress->total > progress->last)
        return progress->last + (progress->total - progress->last) / 1000;
    return progress->last + 1;
}

static void send(struct ab_mcp_progress *progress, struct ab_mcp_request *request, double value, const char *message)
{
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (!ab_json_exists(request->progress_token))
        return;
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "progressToken", request->progress_token);
    ab_json_put_double(&writer, "progress", value);
    if (progress->has_total)
        ab_json_put_double(&writer, "total", progress->total);
    if (request->version->audio) /* the version that brought audio brought the message, too */
        ab_json_put_optional_text(&writer, "message", message);
    ab_mcp_put_related_task(&writer, request);
    ab_json_object_end(&writer);
    progress->last = value;
    progress->any = true;
    ab_mcp_notify(request, "notifications/progress", ab_buf_str(&params));
    ab_buf_deinit(&params);
}

void ab_mcp_progress_report(struct ab_mcp_progress *progress, struct ab_mcp_request *request, struct ab_json event)
{
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(event, "message"));
    double value = 0;

    progress->has_total = ab_json_double(ab_json_member(event, "total"), &progress->total);
    if (!ab_json_double(ab_json_member(event, "value"), &value) || (progress->any && value <= progress->last))
        value = step(progress);
    send(progress, request, value, message);
}

void ab_mcp_progress_step(struct ab_mcp_progress *progress, struct ab_mcp_request *request, const char *message)
{
    send(progress, request, step(progress), message);
}
