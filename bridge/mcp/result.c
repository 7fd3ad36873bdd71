#include "mcp/result.h"

#include "mcp/core_tasks.h"
#include "mcp/tools.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* At most so many events in one answer; a caller reads on from the last. */
#define EVENTS_PER_ANSWER 1000

void ab_mcp_call_kind_of(const struct ab_mcp *mcp, const struct ab_task *task, struct ab_mcp_call_kind *out)
{
    struct ab_json tool = ab_json_member(ab_json_trusted(task->surface_json), "tool");

    *out = (struct ab_mcp_call_kind){ 0 };
    if (strcmp(task->surface, "mcp") != 0 || !ab_json_exists(tool) || ab_mcp_find_builtin(mcp, tool) != NULL)
        return;
    out->tool = ab_mcp_find_published(mcp, tool);
    if (out->tool == NULL)
        out->tool = mcp->departed;
}

int64_t ab_mcp_agent_error(const struct ab_task *task, char **message, char **data_json)
{
    struct ab_json error = ab_json_trusted(task->error_json);
    struct ab_json data = ab_json_member(error, "data");
    int64_t code = AB_JSONRPC_INTERNAL_ERROR;

    *message = ab_json_string_dup(ab_json_member(error, "message"));
    if (*message == NULL)
        *message = ab_strdup("The agent gave an error");
    if (ab_json_exists(ab_json_member(error, "code")) && !ab_json_int(ab_json_member(error, "code"), &code))
        code = AB_JSONRPC_INTERNAL_ERROR;
    if (code == AB_JSONRPC_INTERNAL_ERROR || code < -32768 || code > -32000) {
        *data_json = ab_json_dup(data);
        return code;
    }
    *data_json = ab_format("{\"code\":%lld%s%.*s}", (long long)code, ab_json_exists(data) ? ",\"data\":" : "",
                           AB_STR_ARGS(data.text));
    return AB_JSONRPC_INTERNAL_ERROR;
}

static void write_artifact_blocks(struct ab_json_writer *writer, const char *artifacts_json,
                                  const struct ab_mcp_version *version)
{
    struct ab_json_iterator artifacts = ab_json_iterate(ab_json_trusted(artifacts_json));
    struct ab_json artifact;

    while (ab_json_next(&artifacts, NULL, &artifact))
        ab_mcp_write_parts(writer, ab_json_member(artifact, "parts"), version);
}

/* The words for a task that has no result: what went wrong, or what to do next. */
static void write_status_block(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json message = ab_json_member(ab_json_trusted(task->error_json), "message");

    if (!ab_mcp_is_error(task) || !ab_json_unescape(message, &text))
        ab_mcp_describe(task, &text);
    ab_mcp_write_text_block(writer, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

static void write_content(struct ab_json_writer *writer, const struct ab_task *task, const char *artifacts_json,
                          struct ab_json data, const struct ab_mcp_version *version)
{
    struct ab_json parts = ab_json_member(ab_json_trusted(task->result_json), "parts");

    ab_json_write_key(writer, "content");
    ab_json_array_begin(writer);
    if (task->status != AB_TASK_COMPLETED)
        write_status_block(writer, task);
    else if (ab_json_count(parts) > 0)
        ab_mcp_write_parts(writer, parts, version);
    else if (ab_json_exists(data))
        ab_mcp_write_text_block(writer, data.text);
    if (artifacts_json != NULL)
        write_artifact_blocks(writer, artifacts_json, version);
    ab_json_array_end(writer);
}

static unsigned retry_after(const struct ab_mcp *mcp, const struct ab_task *task)
{
    if (ab_task_status_is_terminal(task->status) || task->status == AB_TASK_PAUSED)
        return 0;
    return (mcp->settings.poll_interval_ms + 999) / 1000;
}

static int write_shape(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_task *task,
                       const struct ab_mcp_call_kind *kind, const char *artifacts_json)
{
    struct ab_buf events = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int result = AB_OK;

    if (kind->with_events)
        result = ab_mcp_events_array(mcp->settings.engine, task, kind->events_after, EVENTS_PER_ANSWER, &events);
    if (result == AB_OK)
        ab_mcp_write_task(writer, task, artifacts_json, events.data, retry_after(mcp, task));
    ab_buf_deinit(&events);
    return result;
}

/* --- a published tool's own output --- */

/* What the author's output schema is about: the result's data, or a text that is JSON itself. `text` keeps it alive. */
static struct ab_json tool_output(const struct ab_task *task, unsigned depth, struct ab_buf *text)
{
    struct ab_json result = ab_json_trusted(task->result_json);
    struct ab_json data = ab_json_member(result, "data");
    struct ab_json parsed;

    if (ab_json_exists(data))
        return data;
    if (ab_json_unescape(ab_json_member(result, "text"), text) &&
        ab_json_check(ab_buf_str(text), depth, &parsed, NULL) && ab_json_is(parsed, AB_JSON_OBJECT))
        return parsed;
    return (struct ab_json){ 0 };
}

/* False when a completed task's output is not what its tool promises; `reason` says why. */
static bool output_fits(const struct ab_mcp_published *tool, struct ab_json output, char *reason, size_t size)
{
    struct ab_schema_error error;

    if (tool->output == NULL)
        return true;
    if (!ab_json_exists(output)) {
        snprintf(reason, size, "The agent gave no structured data, which the tool's output schema asks for");
        return false;
    }
    if (ab_schema_check(tool->output, output, &error))
        return true;
    snprintf(reason, size, "The agent's data does not fit the tool's output schema: at \"%s\" (schema %s): %s",
             error.path, error.schema_path, error.text);
    return false;
}

static void write_failure(struct ab_json_writer *writer, const char *reason)
{
    ab_json_write_key(writer, "content");
    ab_json_array_begin(writer);
    ab_mcp_write_text_block(writer, ab_str(reason));
    ab_json_array_end(writer);
    ab_json_put_bool(writer, "isError", true);
}

static bool may_structure(const struct ab_mcp_version *version, struct ab_json output)
{
    if (version->any_structured)
        return ab_json_exists(output);
    return version->structured && ab_json_is(output, AB_JSON_OBJECT);
}

static int write_tool_result(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                             const struct ab_task *task, const struct ab_mcp_call_kind *kind,
                             const char *artifacts_json)
{
    bool completed = task->status == AB_TASK_COMPLETED;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json output = completed ? tool_output(task, mcp->settings.json_depth, &text) : (struct ab_json){ 0 };
    char reason[1200];
    int result = AB_OK;

    if (completed && !output_fits(kind->tool, output, reason, sizeof(reason))) {
        write_failure(writer, reason);
    } else {
        write_content(writer, task, artifacts_json, output, version);
        if (ab_mcp_is_error(task)) {
            ab_json_put_bool(writer, "isError", true);
        } else if (version->structured && !completed) {
            ab_json_write_key(writer, "structuredContent");
            result = write_shape(writer, mcp, task, kind, artifacts_json);
        } else if (may_structure(version, output)) {
            ab_json_put_value(writer, "structuredContent", output);
        }
    }
    ab_buf_deinit(&text);
    return result;
}

static int write_task_result(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                             const struct ab_task *task, const struct ab_mcp_call_kind *kind,
                             const char *artifacts_json, bool error_as_result)
{
    int result = AB_OK;

    write_content(writer, task, artifacts_json, ab_json_member(ab_json_trusted(task->result_json), "data"), version);
    if (version->structured) {
        ab_json_write_key(writer, "structuredContent");
        result = write_shape(writer, mcp, task, kind, artifacts_json);
    }
    if (error_as_result && ab_mcp_is_error(task))
        ab_json_put_bool(writer, "isError", true);
    return result;
}

int ab_mcp_write_call_result(struct ab_json_writer *writer, struct ab_mcp *mcp, const struct ab_mcp_version *version,
                             const struct ab_task *task, const struct ab_mcp_call_kind *kind, bool error_as_result)
{
    struct ab_buf artifacts = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int result = AB_OK;

    if (task->n_artifacts > 0)
        result = ab_engine_artifacts(mcp->settings.engine, task->id, &artifacts);
    if (result == AB_OK && kind->tool != NULL)
        result = write_tool_result(writer, mcp, version, task, kind, artifacts.data);
    else if (result == AB_OK)
        result = write_task_result(writer, mcp, version, task, kind, artifacts.data, error_as_result);
    ab_buf_deinit(&artifacts);
    return result;
}

void ab_mcp_answer_task(struct ab_mcp_request *request, const struct ab_task *task, const struct ab_mcp_call_kind *kind,
                        bool error_as_result)
{
    struct ab_mcp_result result;
    AB_CLEANUP(ab_free_string) char *related = kind->related ? ab_mcp_related_task(task->id) : NULL;

    if (error_as_result && task->status == AB_TASK_ERROR && task->reason == AB_REASON_PROTOCOL) {
        AB_CLEANUP(ab_free_string) char *message = NULL;
        AB_CLEANUP(ab_free_string) char *data = NULL;
        int64_t code = ab_mcp_agent_error(task, &message, &data);
        ab_mcp_answer_error(request, code, message, data);
        return;
    }
    ab_mcp_result_begin(&result, request, "complete");
    if (ab_mcp_write_call_result(&result.writer, request->mcp, request->version, task, kind, error_as_result) < 0) {
        ab_buf_deinit(&result.text);
        ab_mcp_answer_error(request, AB_JSONRPC_INTERNAL_ERROR, "The task's log cannot be read", NULL);
        return;
    }
    if (related != NULL)
        ab_mcp_result_meta(&result, AB_MCP_RELATED_TASK, ab_json_trusted(related));
    ab_mcp_result_send(&result);
}

void ab_mcp_answer_tool_error(struct ab_mcp_request *request, const char *format, ...)
{
    struct ab_mcp_result result;
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ab_mcp_result_begin(&result, request, "complete");
    write_failure(&result.writer, text);
    ab_mcp_result_send(&result);
}

void ab_mcp_answer_structured(struct ab_mcp_request *request, const char *structured_json)
{
    struct ab_mcp_result result;

    ab_mcp_result_begin(&result, request, "complete");
    ab_json_write_key(&result.writer, "content");
    ab_json_array_begin(&result.writer);
    ab_mcp_write_text_block(&result.writer, ab_str(structured_json));
    ab_json_array_end(&result.writer);
    if (request->version->structured)
        ab_json_put_raw(&result.writer, "structuredContent", structured_json);
    ab_mcp_result_send(&result);
}
