/* Questions of a server on their way to the callers of a task, and the answers on their way back.
 *
 * A legacy server asks by requests on the open stream; each is answered by a response of its own. A modern one answers
 * the call with its questions, and is called again with the answers (MRTR). */
#include "agents/mcp_run.h"

#include "base/mem.h"
#include "task/question.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ROUNDS = 100, MAX_ASKED = 32, REASON_SIZE = 512, URL_REQUIRED = -32042, REFUSED = -1 };

void mcp_asked_free(struct mcp_asked *asked)
{
    ab_link_remove(&asked->link);
    free(asked->key);
    free(asked->id);
    free(asked->method_json);
    free(asked);
}

static void ask(struct mcp_run *run, const char *questions)
{
    run->paused = true;
    mcp_run_report_json(run, AB_REPORT_ASK, questions);
}

/* Whether the engine will take it: a server's mistake must not look like the agent's. */
static bool is_askable(const char *questions, char *reason, size_t reason_size)
{
    return ab_questions_check(ab_json_trusted(questions), reason, reason_size);
}

/* --- legacy: requests on the stream --- */

static bool write_asked(struct mcp_run *run, const struct ab_jsonrpc_message *message, const char *key,
                        struct ab_json method, struct ab_buf *out, char *reason, size_t reason_size)
{
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_write_key_str(&writer, ab_str(key));
    bool good = ab_mcp_client_write_question(&writer, method, message->params, run->agent->server->capabilities, reason,
                                             reason_size);
    if (good) {
        ab_json_object_end(&writer);
        good = is_askable(out->data, reason, reason_size);
    }
    return good;
}

static size_t count_asked(const struct mcp_run *run)
{
    size_t n = 0;
    for (struct ab_link *link = ab_list_first(&run->asked); link != NULL; link = ab_list_next(&run->asked, link)) {
        n++;
    }
    return n;
}

/* What was declared among the client's capabilities. */
static bool may_be_asked(const struct mcp_run *run, const char *method)
{
    uint32_t capabilities = run->agent->server->capabilities;
    return strcmp(method, "elicitation/create") == 0 ||
           (strcmp(method, "sampling/createMessage") == 0 && (capabilities & AB_MCP_CAN_SAMPLE) != 0) ||
           (strcmp(method, "roots/list") == 0 && (capabilities & AB_MCP_CAN_ROOTS) != 0);
}

static void refuse(struct mcp_run *run, const struct ab_jsonrpc_message *message, int64_t code, const char *reason)
{
    mcp_server_respond(run->agent->server, message->id, NULL, code, reason);
}

void mcp_run_ask(struct mcp_run *run, const struct ab_jsonrpc_message *message)
{
    char reason[REASON_SIZE] = "too many questions are open";
    struct ab_buf questions = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (!may_be_asked(run, message->method)) {
        refuse(run, message, AB_JSONRPC_METHOD_NOT_FOUND, "this was not declared among the client's capabilities");
        return;
    }
    AB_CLEANUP(ab_free_string) char *key = ab_format("question-%u", ++run->n_asked);
    AB_CLEANUP(ab_free_string) char *method = ab_format("\"%s\"", message->method);
    if (count_asked(run) >= MAX_ASKED ||
        !write_asked(run, message, key, ab_json_trusted(method), &questions, reason, sizeof reason)) {
        refuse(run, message, AB_JSONRPC_INVALID_PARAMS, reason);
    } else {
        struct mcp_asked *asked = ab_alloc(1, sizeof *asked);
        asked->key = ab_strdup(key);
        asked->id = ab_json_dup(message->id);
        asked->method_json = ab_strdup(method);
        ab_list_append(&run->asked, &asked->link);
        ask(run, questions.data);
    }
    ab_buf_deinit(&questions);
}

void mcp_run_unask(struct mcp_run *run, struct ab_json params)
{
    struct ab_json id = ab_json_member(params, "requestId");
    struct ab_link *link = ab_list_first(&run->asked);
    bool found = false;
    while (link != NULL) {
        struct mcp_asked *asked = AB_OWNER(link, struct mcp_asked, link);
        link = ab_list_next(&run->asked, link);
        if (ab_json_exists(id) && ab_json_equal(ab_json_trusted(asked->id), id)) {
            mcp_asked_free(asked);
            found = true;
        }
    }
    if (found && ab_list_is_empty(&run->asked)) {
        run->paused = false;
        mcp_run_report_text(run, AB_REPORT_EXECUTING, NULL);
    }
}

static void respond(struct mcp_run *run, struct mcp_asked *asked, struct ab_json answer)
{
    struct ab_buf result = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json id = ab_json_trusted(asked->id);
    bool good =
        ab_json_exists(answer) && ab_mcp_client_write_response(&result, ab_json_trusted(asked->method_json), answer);
    mcp_server_respond(run->agent->server, id, good ? result.data : NULL, REFUSED, "the user refused it");
    ab_buf_deinit(&result);
    mcp_asked_free(asked);
}

static void respond_all(struct mcp_run *run, struct ab_json answers)
{
    struct ab_link *link;
    while ((link = ab_list_first(&run->asked)) != NULL) {
        struct mcp_asked *asked = AB_OWNER(link, struct mcp_asked, link);
        respond(run, asked, ab_json_member(answers, asked->key));
    }
}

/* --- modern: the call is made again --- */

bool mcp_run_recall_input(struct mcp_run *run, struct ab_json notes)
{
    struct ab_json requests = ab_json_member(notes, "requests");
    struct ab_json state = ab_json_member(notes, "state");
    if (!ab_json_is(requests, AB_JSON_OBJECT)) {
        return false;
    }
    run->requests = ab_json_dup(requests);
    run->state = ab_json_exists(state) ? ab_json_dup(state) : NULL;
    run->paused = true;
    return true;
}

static void take_requests(struct mcp_run *run, struct ab_json requests)
{
    char reason[REASON_SIZE];
    struct ab_buf questions = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t n = 0;
    bool good = ab_mcp_client_write_questions(&questions, requests, (struct ab_json){ { NULL, 0 } },
                                              run->agent->server->capabilities, &n, reason, sizeof reason) &&
                is_askable(questions.data, reason, sizeof reason);
    if (good) {
        free(run->requests);
        run->requests = ab_json_dup(requests);
        mcp_run_remember(run);
        ask(run, questions.data);
    } else {
        AB_CLEANUP(ab_free_string) char *text = ab_format("the server asked what cannot be asked: %s", reason);
        mcp_run_break(run, AB_REASON_CRASHED, text);
    }
    ab_buf_deinit(&questions);
}

void mcp_run_take_input(struct mcp_run *run, struct ab_json result)
{
    struct ab_json requests = ab_json_member(result, "inputRequests");
    struct ab_json state = ab_json_member(result, "requestState");
    free(run->state);
    run->state = ab_json_exists(state) ? ab_json_dup(state) : NULL;
    free(run->responses);
    run->responses = NULL;
    if (++run->rounds > MAX_ROUNDS) {
        mcp_run_break(run, AB_REASON_CRASHED, "the server asks again and again");
    } else if (ab_json_count(requests) > 0) {
        take_requests(run, requests);
    } else {
        mcp_run_call(run); /* it only wants its state back */
    }
}

/* As if it had asked by input requests, but the call is then made anew and carries nothing of it. */
bool mcp_run_take_url_error(struct mcp_run *run, struct ab_json error)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_at(error, "data", "elicitations", NULL));
    struct ab_buf requests = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json elicitation;
    int64_t code = 0;
    unsigned n = 0;
    if (!ab_json_int(ab_json_member(error, "code"), &code) || code != URL_REQUIRED || ++run->rounds > MAX_ROUNDS ||
        run->agent->server->words.version->era != AB_MCP_LEGACY) {
        return false;
    }
    ab_json_writer_init(&writer, &requests);
    ab_json_object_begin(&writer);
    while (ab_json_next(&each, NULL, &elicitation) && n < MAX_ASKED) {
        AB_CLEANUP(ab_free_string) char *key = ab_format("visit-%u", ++n);
        ab_json_write_key(&writer, key);
        ab_json_object_begin(&writer);
        ab_json_put_text(&writer, "method", "elicitation/create");
        ab_json_put_value(&writer, "params", elicitation);
        ab_json_object_end(&writer);
    }
    ab_json_object_end(&writer);
    if (n > 0) {
        take_requests(run, ab_json_trusted(requests.data));
    }
    ab_buf_deinit(&requests);
    return n > 0;
}

/* Whether a page that was to be visited was not: then there is no use in calling again. */
static bool any_refused(struct ab_json answers)
{
    struct ab_json_iterator each = ab_json_iterate(answers);
    struct ab_json answer;
    while (ab_json_next(&each, NULL, &answer)) {
        if (!ab_json_string_is(ab_json_member(answer, "action"), "accept")) {
            return true;
        }
    }
    return false;
}

/* From here on it is a plain call again, which does not outlive a restart. */
static void call_again(struct mcp_run *run)
{
    free(run->requests);
    run->requests = NULL;
    mcp_run_remember(run);
    ab_run_heard(run->run);
    mcp_run_call(run);
}

static void retry(struct mcp_run *run)
{
    struct ab_json answers = ab_json_trusted(run->answers);
    struct ab_buf responses = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool modern = run->agent->server->words.version->era == AB_MCP_MODERN;
    if (modern && !ab_mcp_client_write_responses(&responses, ab_json_trusted(run->requests), answers)) {
        ab_buf_deinit(&responses);
        mcp_run_report_text(run, AB_REPORT_FAILED, "what the tool asked for was refused");
        return;
    }
    if (!modern && any_refused(answers)) {
        ab_buf_deinit(&responses);
        mcp_run_report_text(run, AB_REPORT_FAILED, "the page that the tool needs visited was refused");
        return;
    }
    free(run->responses);
    run->responses = modern ? ab_buf_steal(&responses) : NULL;
    ab_buf_deinit(&responses);
    ab_replace(&run->answers, NULL);
    call_again(run);
}

void mcp_run_take_answers(struct mcp_run *run, const char *answers_json)
{
    run->paused = false;
    if (run->task_id != NULL && !run->core) {
        ab_replace(&run->answers, answers_json);
        mcp_run_update(run);
    } else if (run->requests != NULL) {
        ab_replace(&run->answers, answers_json);
        mcp_run_wait(run, retry);
    } else {
        respond_all(run, ab_json_trusted(answers_json));
        ab_run_heard(run->run);
    }
}
