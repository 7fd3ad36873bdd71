/* One request to a remote agent: the HTTP client's events become messages of A2A. It outlives whoever made it until
 * the client has said its last word. */
#include "agents/a2a_run.h"

#include "base/mem.h"

#include <string.h>

#define CREDENTIALS 8

struct a2a_call {
    struct a2a_agent *agent;
    struct ab_http_call *http; /* NULL once it is done */
    struct ab_a2a_reply *reply;
    struct a2a_call_events events;
    void *arg;
    bool over; /* nobody is told anything more */
    bool reached;
};

static void give_up(struct a2a_call *call)
{
    call->over = true;
    if (call->http != NULL)
        call->agent->settings.client->ops->cancel(call->http);
}

/* --- from the reply --- */

static void on_result(void *arg, struct ab_json result)
{
    struct a2a_call *call = arg;

    if (!call->over)
        call->events.result(call->arg, result);
}

static void on_refused(void *arg, const struct ab_a2a_client_refusal *refusal)
{
    struct a2a_call *call = arg;

    if (call->over)
        return;
    give_up(call);
    call->events.refused(call->arg, refusal);
}

static void on_broken(void *arg, const char *reason)
{
    struct a2a_call *call = arg;

    if (call->over)
        return;
    give_up(call);
    call->events.broken(call->arg, reason);
}

/* --- from the client --- */

static void on_head(void *arg, struct ab_http_call *http, unsigned status)
{
    struct a2a_call *call = arg;
    struct ab_str type = AB_STR("");

    call->reached = true;
    if (call->over)
        return;
    (void)call->agent->settings.client->ops->header(http, "content-type", &type);
    ab_a2a_reply_head(call->reply, status, type);
    call->events.alive(call->arg);
}

static void on_body(void *arg, struct ab_http_call *http, struct ab_str data)
{
    struct a2a_call *call = arg;

    (void)http;
    if (call->over)
        return;
    call->events.alive(call->arg);
    ab_a2a_reply_feed(call->reply, data);
}

static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct a2a_call *call = arg;

    call->http = NULL;
    if (!call->over && outcome == AB_HTTP_CALL_DONE)
        ab_a2a_reply_end(call->reply);
    if (!call->over && outcome == AB_HTTP_CALL_DONE)
        call->events.ended(call->arg);
    else if (!call->over)
        call->events.lost(call->arg, call->reached || outcome != AB_HTTP_CALL_UNREACHABLE, text);
    ab_a2a_reply_free(call->reply);
    free(call);
}

/* --- */

static struct ab_http_call *start(struct a2a_call *call, const struct ab_a2a_client_request *request,
                                  uint32_t patience_ms)
{
    static const struct ab_http_call_events events = { .head = on_head, .body = on_body, .done = on_done };
    const struct ab_a2a_remote_settings *settings = &call->agent->settings;
    const char *headers[AB_A2A_CLIENT_HEADERS + CREDENTIALS + 1] = { NULL };
    size_t n = 0;

    for (size_t i = 0; request->headers[i] != NULL; i++)
        headers[n++] = request->headers[i];
    for (size_t i = 0; i < CREDENTIALS && settings->credentials != NULL && settings->credentials[i] != NULL; i++)
        headers[n++] = settings->credentials[i];
    return settings->client->ops->start(settings->client,
                                        &(struct ab_http_call_settings){
                                            .method = request->verb,
                                            .url = request->url,
                                            .headers = headers,
                                            .body = ab_buf_str(&request->body),
                                            .connect_timeout_ms = settings->connect_ms,
                                            .total_timeout_ms = patience_ms,
                                            .sent_once = request->begins,
                                            .alone = settings->push,
                                        },
                                        &events, call);
}

struct a2a_call *a2a_call_new(struct a2a_agent *agent, struct ab_a2a_client_request *request, uint32_t patience_ms,
                              const struct a2a_call_events *events, void *arg)
{
    static const struct ab_a2a_reply_events reply_events = { .result = on_result,
                                                             .refused = on_refused,
                                                             .broken = on_broken };
    struct a2a_call *call = ab_alloc(1, sizeof *call);

    call->agent = agent;
    call->events = *events;
    call->arg = arg;
    call->reply = ab_a2a_reply_new(agent->directory->card.peer.rpc, agent->settings.answer_bytes,
                                   agent->settings.stream_bytes, &reply_events, call);
    call->http = start(call, request, patience_ms);
    ab_a2a_client_request_deinit(request);
    return call;
}

void a2a_call_drop(struct a2a_call *call)
{
    if (call != NULL && !call->over)
        give_up(call);
}

void a2a_call_pause(struct a2a_call *call, bool paused)
{
    if (call->http != NULL)
        call->agent->settings.client->ops->pause(call->http, paused);
}
