/* A task that the server made of a call, followed in either dialect: looked at every so often, answered when it asks,
 * and its result fetched. 2025-11-25 asks and answers on the stream of tasks/result; the extension of 2026-07-28 tells
 * everything by tasks/get and takes answers by tasks/update. Both outlive a restart of the bridge. */
#include "agents/mcp_run.h"

#include "base/mem.h"
#include "task/question.h"

#include <stdio.h>
#include <string.h>

enum {
    POLL_MS = 1000,
    POLL_MIN_MS = 100,
    POLL_MAX_MS = 60000,
    ANSWER_MS = 30000,
    FAILURES = 30, /* in a row, of looks that got an error */
    REASON_SIZE = 512
};

void mcp_run_look_later(struct mcp_run *run)
{
    uint64_t wait = run->poll_ms;
    for (unsigned i = 0; i < run->poll_failures && wait < POLL_MAX_MS; i++) {
        wait *= 2;
    }
    if (!run->over) {
        ab_timer_start(run->timer, wait < POLL_MAX_MS ? wait : (uint64_t)POLL_MAX_MS);
    }
}

static void set_pace(struct mcp_run *run, int64_t poll_ms)
{
    run->poll_ms = poll_ms <= 0            ? (uint64_t)POLL_MS
                   : poll_ms < POLL_MIN_MS ? (uint64_t)POLL_MIN_MS
                   : poll_ms > POLL_MAX_MS ? (uint64_t)POLL_MAX_MS
                                           : (uint64_t)poll_ms;
}

/* A request about the task: its id, and `responses` or NULL. */
static struct mcp_exchange *send(struct mcp_run *run, const char *method, const char *responses, uint32_t timeout_ms,
                                 const struct mcp_exchange_events *events)
{
    struct mcp_server *server = run->agent->server;
    struct ab_mcp_client_message message;
    int64_t id = mcp_server_next_id(server);
    ab_mcp_client_begin(&message, &server->words, id, method, false);
    ab_json_put_text(&message.writer, "taskId", run->task_id);
    ab_json_put_optional_raw(&message.writer, "inputResponses", responses);
    ab_mcp_client_end(&message);
    struct mcp_outgoing outgoing = {
        .id = id, .method = method, .name = run->task_id, .text = ab_buf_str(&message.text), .timeout_ms = timeout_ms
    };
    struct mcp_exchange *exchange = server->transport->ops->send(server->transport, &outgoing, events, run);
    ab_buf_deinit(&message.text);
    return exchange;
}

void mcp_run_cancel_task(struct mcp_run *run)
{
    if (run->agent->server->words.version != NULL) {
        (void)send(run, "tasks/cancel", NULL, ANSWER_MS, NULL);
    }
}

/* --- tasks/result (2025-11-25) --- */

static void on_result_said(void *arg, const struct ab_jsonrpc_message *message)
{
    struct mcp_run *run = arg;
    if (!mcp_server_hears(run->agent->server, message)) {
        mcp_run_hear(run, message);
    }
}

static void on_result(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_run *run = arg;
    run->call = NULL;
    if (ab_json_exists(response->error)) {
        mcp_run_finish_error(run, response->error);
    } else {
        mcp_run_finish(run, response->result);
    }
}

/* What was asked on the stream that broke off is asked anew on the next one. */
static void forget_asked(struct mcp_run *run)
{
    struct ab_link *link;
    while ((link = ab_list_first(&run->asked)) != NULL) {
        mcp_asked_free(AB_OWNER(link, struct mcp_asked, link));
    }
    if (run->paused) {
        run->paused = false;
        mcp_run_report_text(run, AB_REPORT_EXECUTING, NULL);
    }
}

static void on_result_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_run *run = arg;
    (void)status;
    (void)text;
    run->call = NULL;
    forget_asked(run);
    if (failure == MCP_SESSION_GONE) {
        mcp_server_renew(run->agent->server);
    }
    run->poll_failures++;
    mcp_run_look_later(run);
}

static void fetch_result(struct mcp_run *run)
{
    static const struct mcp_exchange_events events = { .said = on_result_said,
                                                       .answered = on_result,
                                                       .failed = on_result_failed };
    if (run->call == NULL) {
        run->call = send(run, "tasks/result", NULL, 0, &events);
    }
}

/* --- questions of the extension --- */

/* The keys asked so far and those asked now. */
static void note_shown(struct mcp_run *run, struct ab_json requests)
{
    struct ab_json sources[2] = { ab_json_trusted(run->shown), requests };
    struct ab_buf shown = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &shown);
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < 2; i++) {
        struct ab_json_iterator each = ab_json_iterate(sources[i]);
        struct ab_json key;
        while (ab_json_exists(sources[i]) && ab_json_next(&each, &key, NULL)) {
            struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
            if (ab_json_unescape(key, &name) &&
                (i == 0 || !ab_json_exists(ab_json_member_str(sources[0], ab_buf_str(&name))))) {
                ab_json_write_key_str(&writer, ab_buf_str(&name));
                ab_json_write_bool(&writer, true);
            }
            ab_buf_deinit(&name);
        }
    }
    ab_json_object_end(&writer);
    free(run->shown);
    run->shown = ab_buf_steal(&shown);
}

static void take_requests(struct mcp_run *run, struct ab_json requests)
{
    char reason[REASON_SIZE];
    struct ab_buf questions = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t n = 0;
    free(run->requests);
    run->requests = ab_json_is(requests, AB_JSON_OBJECT) ? ab_json_dup(requests) : ab_strdup("{}");
    bool good = ab_mcp_client_write_questions(&questions, ab_json_trusted(run->requests), ab_json_trusted(run->shown),
                                              run->agent->server->capabilities, &n, reason, sizeof reason) &&
                (n == 0 || ab_questions_check(ab_json_trusted(questions.data), reason, sizeof reason));
    if (!good) {
        AB_CLEANUP(ab_free_string) char *text = ab_format("the server asked what cannot be asked: %s", reason);
        mcp_run_cancel_task(run);
        mcp_run_break(run, AB_REASON_CRASHED, text);
    } else if (n > 0) {
        note_shown(run, requests);
        run->paused = true;
        mcp_run_report_json(run, AB_REPORT_ASK, questions.data);
    }
    ab_buf_deinit(&questions);
}

static void on_updated(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_run *run = arg;
    run->update = NULL;
    ab_run_heard(run->run);
    free(run->answers);
    run->answers = NULL;
    if (ab_json_exists(response->error)) {
        mcp_run_cancel_task(run);
        mcp_run_finish_error(run, response->error);
        return;
    }
    ab_timer_start(run->timer, POLL_MIN_MS);
}

/* The answers stay, and go with the next look. */
static void on_update_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_run *run = arg;
    (void)failure;
    (void)status;
    (void)text;
    run->update = NULL;
    run->poll_failures++;
    mcp_run_look_later(run);
}

void mcp_run_update(struct mcp_run *run)
{
    static const struct mcp_exchange_events events = { .answered = on_updated, .failed = on_update_failed };
    struct ab_buf responses = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (run->recall || run->update != NULL || run->agent->server->state != MCP_SERVER_READY) {
        return; /* with the next look */
    }
    if (ab_mcp_client_write_responses(&responses, ab_json_trusted(run->requests), ab_json_trusted(run->answers))) {
        run->update = send(run, "tasks/update", responses.data, ANSWER_MS, &events);
    } else {
        mcp_run_cancel_task(run);
        mcp_run_report_text(run, AB_REPORT_FAILED, "what the tool asked for was refused");
    }
    ab_buf_deinit(&responses);
}

/* --- tasks/get --- */

/* Words that were not told yet. */
static bool is_news(struct mcp_run *run, const char *message)
{
    if (message == NULL || (run->told != NULL && strcmp(run->told, message) == 0)) {
        return false;
    }
    ab_replace(&run->told, message);
    return true;
}

/* It goes on though nobody answered: what it asked is no longer wanted. */
static void take_working(struct mcp_run *run, const struct ab_mcp_remote_task *task)
{
    bool withdrawn = run->paused && run->answers == NULL && !run->core;
    if (withdrawn) {
        run->paused = false;
    }
    if (withdrawn || (!run->paused && is_news(run, task->message))) {
        mcp_run_report_text(run, AB_REPORT_EXECUTING, task->message);
    }
}

static void take_cancelled(struct mcp_run *run, const struct ab_mcp_remote_task *task)
{
    AB_CLEANUP(ab_free_string)
    char *text = task->message != NULL ? ab_format("the server cancelled its task: %s", task->message)
                                       : ab_strdup("the server cancelled its task");
    mcp_run_report_text(run, AB_REPORT_FAILED, text);
}

static void take_failed(struct mcp_run *run, const struct ab_mcp_remote_task *task)
{
    if (ab_json_exists(task->error)) {
        mcp_run_finish_error(run, task->error);
    } else {
        mcp_run_report_text(run, AB_REPORT_FAILED, task->message != NULL ? task->message : "the tool failed");
    }
}

static void take_status(struct mcp_run *run, const struct ab_mcp_remote_task *task)
{
    switch (task->status) {
    case AB_MCP_REMOTE_WORKING:
        take_working(run, task);
        break;
    case AB_MCP_REMOTE_INPUT:
        if (run->core) {
            fetch_result(run);
        } else {
            take_requests(run, task->requests);
        }
        break;
    case AB_MCP_REMOTE_COMPLETED:
        if (run->core) {
            fetch_result(run);
        } else {
            mcp_run_finish(run, task->result);
        }
        break;
    case AB_MCP_REMOTE_FAILED:
        if (run->core) {
            fetch_result(run);
        } else {
            take_failed(run, task);
        }
        break;
    case AB_MCP_REMOTE_CANCELLED:
        take_cancelled(run, task);
        break;
    case AB_MCP_REMOTE_STATUS_COUNT:
        break;
    }
}

static void take_error(struct mcp_run *run, struct ab_json error)
{
    AB_CLEANUP(ab_free_string) char *said = ab_json_string_dup(ab_json_member(error, "message"));
    AB_CLEANUP(ab_free_string)
    char *text =
        ab_format("the server does not tell of its task any more: %s", said != NULL ? said : "no reason given");
    int64_t code = 0;
    (void)!ab_json_int(ab_json_member(error, "code"), &code);
    if (code == AB_JSONRPC_INVALID_PARAMS || code == AB_JSONRPC_METHOD_NOT_FOUND || ++run->poll_failures > FAILURES) {
        mcp_run_break(run, AB_REASON_INTERRUPTED, text);
    } else {
        mcp_run_look_later(run);
    }
}

static void on_polled(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_run *run = arg;
    struct ab_mcp_remote_task task;
    run->poll = NULL;
    if (ab_json_exists(response->error)) {
        take_error(run, response->error);
        return;
    }
    if (!ab_mcp_client_read_task(response->result, &task)) {
        mcp_run_break(run, AB_REASON_CRASHED, "the server's tasks/get gave no task");
        return;
    }
    if (strcmp(task.id, run->task_id) != 0) {
        mcp_run_break(run, AB_REASON_CRASHED, "the server's tasks/get told of another task");
    } else {
        run->poll_failures = 0;
        set_pace(run, task.poll_ms);
        take_status(run, &task);
        run->recall = false;
        if (!run->over && run->answers != NULL) {
            mcp_run_update(run);
        }
        mcp_run_look_later(run);
    }
    ab_mcp_remote_task_deinit(&task);
}

/* Whoever cannot be reached is tried again, until the task's own time is over. */
static void on_poll_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_run *run = arg;
    run->poll = NULL;
    (void)status;
    (void)text;
    if (failure == MCP_SESSION_GONE) {
        mcp_server_renew(run->agent->server);
    }
    run->poll_failures++;
    mcp_run_look_later(run);
}

void mcp_run_poll(struct mcp_run *run)
{
    static const struct mcp_exchange_events events = { .answered = on_polled, .failed = on_poll_failed };
    if (run->poll == NULL && !run->over) {
        run->poll = send(run, "tasks/get", NULL, ANSWER_MS, &events);
    }
}

/* --- the beginning --- */

void mcp_run_follow(struct mcp_run *run, struct ab_json created)
{
    struct ab_mcp_remote_task task;
    if (!ab_mcp_client_read_task(created, &task)) {
        mcp_run_break(run, AB_REASON_CRASHED, "the server made a task and does not say which");
        return;
    }
    run->task_id = ab_strdup(task.id);
    run->core = run->agent->server->words.version->era == AB_MCP_LEGACY;
    free(run->requests);
    run->requests = NULL;
    mcp_run_remember(run);
    set_pace(run, task.poll_ms);
    if (is_news(run, task.message)) {
        mcp_run_report_text(run, AB_REPORT_EXECUTING, task.message);
    }
    if (task.status == AB_MCP_REMOTE_WORKING) {
        mcp_run_look_later(run);
    } else {
        mcp_run_poll(run);
    }
    ab_mcp_remote_task_deinit(&task);
}

bool mcp_run_recall_task(struct mcp_run *run, struct ab_json notes)
{
    run->task_id = ab_json_string_dup(ab_json_member(notes, "task"));
    run->core = ab_json_is_true(ab_json_member(notes, "core"));
    set_pace(run, 0);
    return run->task_id != NULL;
}
