/* A run's call: made when the server can be had, listened to while it is open, and brought to its end. */
#include "agents/mcp_run.h"

#include "base/mem.h"

#include <string.h>

enum { CANCEL_MS = 10000, REASON_SIZE = 256 };

/* --- reports --- */

static bool is_end(enum ab_report_kind kind)
{
    return kind == AB_REPORT_SAY || kind == AB_REPORT_RESULT || kind == AB_REPORT_FAILED ||
           kind == AB_REPORT_REJECTED || kind == AB_REPORT_ERROR || kind == AB_REPORT_PROTOCOL_ERROR;
}

static void pause_call(struct mcp_run *run, bool paused)
{
    if (run->call != NULL) {
        run->agent->server->transport->ops->pause(run->call, paused);
    }
}

static void report_one(struct mcp_run *run, const struct ab_report *report)
{
    if (run->over) {
        return;
    }
    int result = ab_run_report(run->run, report);
    if (is_end(report->kind)) {
        mcp_run_end(run, false);
    } else if (result == AB_RUN_SLOW_DOWN) {
        pause_call(run, true);
    } else if (result != AB_OK) {
        mcp_run_end(run, true);
    }
}

void mcp_run_report_text(struct mcp_run *run, enum ab_report_kind kind, const char *text)
{
    report_one(run, &(struct ab_report){ .kind = kind, .text = text });
}

void mcp_run_report_json(struct mcp_run *run, enum ab_report_kind kind, const char *json)
{
    report_one(run, &(struct ab_report){ .kind = kind, .json = json });
}

void mcp_run_break(struct mcp_run *run, enum ab_task_reason reason, const char *text)
{
    report_one(run, &(struct ab_report){ .kind = AB_REPORT_ERROR, .reason = reason, .text = text });
}

/* --- what the server says meanwhile --- */

static void hear_progress(struct mcp_run *run, struct ab_json params)
{
    struct ab_mcp_client_progress progress;
    if (ab_mcp_client_read_progress(params, run->call_id, &progress)) {
        report_one(run, &(struct ab_report){ .kind = AB_REPORT_PROGRESS,
                                             .progress_value = progress.value,
                                             .progress_total = progress.total,
                                             .text = progress.message });
        free(progress.message);
    }
}

static void hear_log(struct mcp_run *run, struct ab_json params)
{
    const char *level = NULL;
    AB_CLEANUP(ab_free_string) char *text = ab_mcp_client_read_log(params, &level);
    report_one(run, &(struct ab_report){ .kind = AB_REPORT_LOG, .level = level, .text = text });
}

void mcp_run_hear(struct mcp_run *run, const struct ab_jsonrpc_message *message)
{
    if (run->over) {
        return;
    }
    if (message->kind == AB_JSONRPC_REQUEST) {
        mcp_run_ask(run, message);
    } else if (strcmp(message->method, "notifications/progress") == 0) {
        hear_progress(run, message->params);
    } else if (strcmp(message->method, "notifications/message") == 0) {
        hear_log(run, message->params);
    } else if (strcmp(message->method, "notifications/cancelled") == 0) {
        mcp_run_unask(run, message->params);
    }
}

static void on_said(void *arg, const struct ab_jsonrpc_message *message)
{
    struct mcp_run *run = arg;
    if (!mcp_server_hears(run->agent->server, message)) {
        mcp_run_hear(run, message);
    }
}

/* --- the result --- */

/* What is more than words is told as well, though the tool failed. */
static void report_failure(struct mcp_run *run, struct ab_json result)
{
    AB_CLEANUP(ab_free_string) char *text = ab_mcp_client_error_text(result);
    struct ab_json data = ab_json_member(result, "structuredContent");
    if (ab_mcp_client_has_more_than_text(result)) {
        struct ab_buf artifact = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_json_writer writer;
        ab_json_writer_init(&writer, &artifact);
        ab_json_object_begin(&writer);
        ab_json_put_text(&writer, "id", "failure");
        ab_json_write_key(&writer, "parts");
        if (ab_json_exists(data)) {
            ab_json_array_begin(&writer);
            ab_json_object_begin(&writer);
            ab_json_put_value(&writer, "data", data);
            ab_json_object_end(&writer);
            ab_json_array_end(&writer);
        } else {
            ab_mcp_client_write_parts(&writer, ab_json_member(result, "content"));
        }
        ab_json_put_bool(&writer, "last", true);
        ab_json_object_end(&writer);
        mcp_run_report_json(run, AB_REPORT_ARTIFACT, artifact.data);
        ab_buf_deinit(&artifact);
    }
    mcp_run_report_text(run, AB_REPORT_FAILED, text);
}

void mcp_run_finish(struct mcp_run *run, struct ab_json result)
{
    struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (ab_mcp_client_is_error(result)) {
        report_failure(run, result);
        return;
    }
    ab_mcp_client_write_result(&json, result);
    mcp_run_report_json(run, AB_REPORT_RESULT, json.data);
    ab_buf_deinit(&json);
}

void mcp_run_finish_error(struct mcp_run *run, struct ab_json error)
{
    AB_CLEANUP(ab_free_string) char *json = ab_json_dup(error);
    mcp_run_report_json(run, AB_REPORT_PROTOCOL_ERROR, json);
}

static void on_answered(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_run *run = arg;
    char reason[REASON_SIZE];
    run->call = NULL;
    if (ab_json_exists(response->error)) {
        if (!mcp_run_take_url_error(run, response->error)) {
            mcp_run_finish_error(run, response->error);
        }
        return;
    }
    switch (ab_mcp_client_result_kind(response->result, run->agent->server->words.version, reason, sizeof reason)) {
    case AB_MCP_CALL_RESULT:
        mcp_run_finish(run, response->result);
        break;
    case AB_MCP_CALL_INPUT:
        mcp_run_take_input(run, response->result);
        break;
    case AB_MCP_CALL_TASK:
        mcp_run_follow(run, response->result);
        break;
    case AB_MCP_CALL_MALFORMED:
        mcp_run_break(run, AB_REASON_CRASHED, reason);
        break;
    }
}

static enum ab_task_reason reason_of(enum mcp_failure failure)
{
    if (failure == MCP_UNREACHABLE || failure == MCP_SIGN_IN || failure == MCP_REFUSED) {
        return AB_REASON_UNREACHABLE;
    }
    return failure == MCP_TIMED_OUT ? AB_REASON_TIMED_OUT : AB_REASON_CRASHED;
}

static void on_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_run *run = arg;
    (void)status;
    run->call = NULL;
    if (failure == MCP_SESSION_GONE && !run->again) { /* it was not taken: it is made again in a new session */
        run->again = true;
        mcp_server_renew(run->agent->server);
        mcp_run_wait(run, mcp_run_call);
    } else if (failure == MCP_SIGN_IN) {
        AB_CLEANUP(ab_free_string)
        char *why = ab_format("%s: the server wants a sign-in that the bridge does not have", text);
        mcp_run_break(run, AB_REASON_UNREACHABLE, why);
    } else {
        mcp_run_break(run, reason_of(failure), text);
    }
}

void mcp_run_cut_off(struct mcp_run *run, const char *text)
{
    bool open = run->call != NULL;
    bool follows = run->task_id != NULL;
    run->call = NULL;
    run->poll = NULL;
    run->update = NULL;
    if (run->over) {
        return;
    }
    if (follows) {
        mcp_run_look_later(run);
    } else if (open) {
        mcp_run_break(run, AB_REASON_CRASHED, text);
    }
}

void mcp_run_remember(struct mcp_run *run)
{
    struct ab_buf notes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &notes);
    ab_json_object_begin(&writer);
    if (run->task_id != NULL) {
        ab_json_put_text(&writer, "task", run->task_id);
        ab_json_put_bool(&writer, "core", run->core);
    } else if (run->requests != NULL) {
        ab_json_put_raw(&writer, "requests", run->requests);
        ab_json_put_optional_raw(&writer, "state", run->state);
    }
    ab_json_object_end(&writer);
    ab_run_remember(run->run, notes.data);
    ab_buf_deinit(&notes);
}

/* --- the call --- */

struct header_list {
    char **lines;
    size_t n;
};

static void add_header(void *arg, const char *line)
{
    struct header_list *list = arg;
    list->lines = ab_realloc(list->lines, (list->n + 2) * sizeof *list->lines);
    list->lines[list->n++] = ab_strdup(line);
    list->lines[list->n] = NULL;
}

static void header_list_deinit(struct header_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->lines[i]);
    }
    free(list->lines);
}

/* A task outlives a broken connection and a restart of either side: whoever can make one is asked to. */
static bool wants_task(const struct mcp_server *server, const struct ab_mcp_client_tool *tool)
{
    return server->described.core_tasks && tool != NULL && tool->task_support != AB_MCP_TASK_FORBIDDEN;
}

static void write_call(struct mcp_run *run, const struct ab_mcp_client_tool *tool,
                       struct ab_mcp_client_message *message)
{
    struct mcp_server *server = run->agent->server;
    ab_mcp_client_begin(message, &server->words, run->call_id, "tools/call", true);
    ab_json_put_text(&message->writer, "name", run->tool);
    ab_json_put_raw(&message->writer, "arguments", run->arguments);
    if (wants_task(server, tool)) {
        ab_json_put_raw(&message->writer, "task", "{}");
    }
    ab_json_put_optional_raw(&message->writer, "inputResponses", run->responses);
    ab_json_put_optional_raw(&message->writer, "requestState", run->state);
    ab_mcp_client_end(message);
}

void mcp_run_call(struct mcp_run *run)
{
    static const struct mcp_exchange_events events = { .said = on_said, .answered = on_answered, .failed = on_failed };
    struct mcp_server *server = run->agent->server;
    const struct ab_mcp_client_tool *tool = mcp_server_tool(server, run->tool);
    struct ab_mcp_client_message message;
    struct header_list headers = { 0 };
    run->call_id = mcp_server_next_id(server);
    write_call(run, tool, &message);
    if (tool != NULL && server->words.version->era == AB_MCP_MODERN) {
        ab_mcp_client_tool_headers(ab_json_trusted(tool->input_json), ab_json_trusted(run->arguments), add_header,
                                   &headers);
    }
    struct mcp_outgoing outgoing = { .id = run->call_id,
                                     .method = "tools/call",
                                     .name = run->tool,
                                     .headers = (const char *const *)headers.lines,
                                     .text = ab_buf_str(&message.text) };
    run->call = server->transport->ops->send(server->transport, &outgoing, &events, run);
    header_list_deinit(&headers);
    ab_buf_deinit(&message.text);
}

/* --- waiting for the server --- */

static void on_ready(struct mcp_waiter *waiter, const char *text)
{
    struct mcp_run *run = AB_OWNER(waiter, struct mcp_run, waiter);
    if (text == NULL) {
        run->when_ready(run);
    } else if (run->task_id != NULL) { /* its work goes on meanwhile */
        run->poll_failures++;
        mcp_run_look_later(run);
    } else {
        mcp_run_break(run, AB_REASON_UNREACHABLE, text);
    }
}

void mcp_run_wait(struct mcp_run *run, void (*then)(struct mcp_run *run))
{
    ab_link_remove(&run->waiter.link);
    run->when_ready = then;
    run->waiter.ready = on_ready;
    if (mcp_server_wait(run->agent->server, &run->waiter)) {
        then(run);
    }
}

/* --- life --- */

static void on_timer(void *arg)
{
    struct mcp_run *run = arg;
    mcp_run_wait(run, mcp_run_poll);
}

struct mcp_run *mcp_run_new(struct mcp_agent *agent, struct ab_run *engine_run)
{
    struct mcp_run *run = ab_alloc(1, sizeof *run);
    run->agent = agent;
    run->run = engine_run;
    run->timer = ab_timer_new(agent->loop, on_timer, run);
    ab_list_init(&run->asked);
    ab_list_append(&agent->runs, &run->link);
    return run;
}

void mcp_run_free(struct mcp_run *run)
{
    struct ab_link *link;
    while ((link = ab_list_first(&run->asked)) != NULL) {
        mcp_asked_free(AB_OWNER(link, struct mcp_asked, link));
    }
    ab_link_remove(&run->link);
    ab_link_remove(&run->waiter.link);
    ab_timer_free(run->timer);
    free(run->tool);
    free(run->arguments);
    free(run->refusal);
    free(run->requests);
    free(run->state);
    free(run->responses);
    free(run->task_id);
    free(run->answers);
    free(run->told);
    free(run->shown);
    free(run);
}

static void end(void *arg)
{
    struct mcp_run *run = arg;
    struct ab_run *engine_run = run->run;
    mcp_run_free(run);
    ab_run_ended(engine_run);
}

/* Whom closing the stream does not tell is told in words (2025-11-25, basic/utilities/cancellation; stdio). */
static void cancel_call(struct mcp_run *run)
{
    struct mcp_server *server = run->agent->server;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (run->call == NULL || server->words.version == NULL) {
        return;
    }
    ab_mcp_client_write_cancelled(&text, &server->words, run->call_id);
    struct mcp_outgoing outgoing = { .method = "notifications/cancelled",
                                     .text = ab_buf_str(&text),
                                     .timeout_ms = CANCEL_MS };
    if (server->words.version->era == AB_MCP_LEGACY || server->url == NULL) {
        (void)server->transport->ops->send(server->transport, &outgoing, NULL, NULL);
    }
    ab_buf_deinit(&text);
}

static void drop(struct mcp_run *run, struct mcp_exchange **exchange)
{
    if (*exchange != NULL) {
        run->agent->server->transport->ops->drop(*exchange);
        *exchange = NULL;
    }
}

void mcp_run_end(struct mcp_run *run, bool cancel)
{
    if (run->over) {
        return;
    }
    run->over = true;
    if (cancel && run->task_id != NULL) {
        mcp_run_cancel_task(run);
    } else if (cancel) {
        cancel_call(run);
    }
    drop(run, &run->call);
    drop(run, &run->poll);
    drop(run, &run->update);
    ab_timer_stop(run->timer);
    ab_link_remove(&run->waiter.link);
    ab_loop_defer(run->agent->loop, end, run);
}
