#include "a2a/client_reply.h"

#include "a2a/request.h"
#include "base/mem.h"
#include "wire/http_values.h"
#include "wire/jsonrpc.h"
#include "wire/sse.h"

#include <stdarg.h>
#include <stdio.h>

#define DEPTH 64

struct ab_a2a_reply {
    bool rpc;
    bool over;
    unsigned status;
    size_t max_stream;
    size_t received;
    struct ab_buf body;              /* of an answer that is no stream */
    struct ab_sse_reader *events_in; /* or NULL */
    size_t max_bytes;
    struct ab_a2a_reply_events events;
    void *arg;
};

AB_PRINTF(2, 3) static void break_off(struct ab_a2a_reply *reply, const char *format, ...)
{
    char reason[AB_A2A_REASON_SIZE];
    va_list arguments;

    if (reply->over)
        return;
    reply->over = true;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    reply->events.broken(reply->arg, reason);
}

/* --- refusals --- */

/* What the details (1.0: google.rpc.ErrorInfo) call it. */
static struct ab_json reason_in(struct ab_json details)
{
    struct ab_json_iterator each = ab_json_iterate(details);
    struct ab_json detail;

    while (ab_json_is(details, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &detail))
        if (ab_json_is(ab_json_member(detail, "reason"), AB_JSON_STRING))
            return ab_json_member(detail, "reason");
    return (struct ab_json){ 0 };
}

/* `error` is {"code","message",...}: of JSON-RPC, of google.rpc.Status, or what 0.3 puts there over HTTP. */
static void refuse(struct ab_a2a_reply *reply, struct ab_json error, bool rpc)
{
    struct ab_json reason = reason_in(ab_json_member(error, rpc ? "data" : "details"));
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(ab_json_member(error, "message"));
    AB_CLEANUP(ab_free_string) char *plain = ab_format("HTTP status %u", reply->status);
    struct ab_a2a_client_refusal refusal = { .status = reply->status, .text = plain };

    if (text != NULL && text[0] != '\0')
        refusal.text = text;
    (void)!ab_json_int(ab_json_member(error, "code"), &refusal.code);
    refusal.known = ab_a2a_error_find(refusal.code, reason, &refusal.error);
    if (rpc && ab_json_is(ab_json_member(error, "code"), AB_JSON_NUMBER) && text != NULL)
        refusal.error_json = error;
    reply->over = true;
    reply->events.refused(reply->arg, &refusal);
}

/* --- one message --- */

static void take_rpc(struct ab_a2a_reply *reply, struct ab_json value)
{
    struct ab_jsonrpc_message message;
    const char *reason = NULL;

    if (!ab_jsonrpc_read(value, &message, &reason)) {
        break_off(reply, "the agent's answer is no response of JSON-RPC: %s", reason);
        return;
    }
    if (message.kind != AB_JSONRPC_RESPONSE)
        break_off(reply, "the agent answered with a request of JSON-RPC instead of a response");
    else if (ab_json_exists(message.error))
        refuse(reply, message.error, true);
    else if (!ab_json_equal(message.id, ab_json_trusted("1")))
        break_off(reply, "the agent answered another request than the one that was made");
    else
        reply->events.result(reply->arg, message.result);
    ab_jsonrpc_message_deinit(&message);
}

static void take_bare(struct ab_a2a_reply *reply, struct ab_json value)
{
    struct ab_json error = ab_json_member(value, "error");

    if (ab_json_is(error, AB_JSON_OBJECT))
        refuse(reply, error, false);
    else if (reply->status >= 300)
        refuse(reply, value, false);
    else
        reply->events.result(reply->arg, value);
}

static void take(struct ab_a2a_reply *reply, struct ab_str text, const char *what)
{
    struct ab_json_error error = { 0 };
    struct ab_json value;

    if (ab_json_check(text, DEPTH, &value, &error)) {
        if (reply->rpc && (reply->status < 300 || ab_json_exists(ab_json_member(value, "jsonrpc"))))
            take_rpc(reply, value);
        else
            take_bare(reply, value);
    } else if (reply->status >= 300) {
        refuse(reply, (struct ab_json){ 0 }, false);
    } else {
        break_off(reply, "%s of the agent is no JSON: %s", what, error.text);
    }
}

static void take_event(void *arg, const struct ab_sse_event *event)
{
    struct ab_a2a_reply *reply = arg;

    if (!reply->over && event->data.size > 0)
        take(reply, event->data, "an event in the stream");
}

/* --- bytes --- */

struct ab_a2a_reply *ab_a2a_reply_new(bool rpc, size_t max_bytes, size_t max_stream,
                                      const struct ab_a2a_reply_events *events, void *arg)
{
    struct ab_a2a_reply *reply = ab_alloc(1, sizeof *reply);

    reply->rpc = rpc;
    reply->max_bytes = max_bytes;
    reply->max_stream = max_stream;
    reply->events = *events;
    reply->arg = arg;
    ab_buf_init(&reply->body, max_bytes);
    return reply;
}

void ab_a2a_reply_free(struct ab_a2a_reply *reply)
{
    if (reply == NULL)
        return;
    ab_buf_deinit(&reply->body);
    ab_sse_reader_free(reply->events_in);
    free(reply);
}

void ab_a2a_reply_head(struct ab_a2a_reply *reply, unsigned status, struct ab_str content_type)
{
    reply->status = status;
    if (status < 300 && ab_http_is_media_type(content_type, "text/event-stream"))
        reply->events_in = ab_sse_reader_new(reply->max_bytes, take_event, reply);
}

static void feed_stream(struct ab_a2a_reply *reply, struct ab_str data)
{
    reply->received += data.size;
    if (reply->received > reply->max_stream)
        break_off(reply, "the agent's stream is longer than %zu bytes", reply->max_stream);
    else if (!ab_sse_reader_feed(reply->events_in, data.data, data.size))
        break_off(reply, "an event in the agent's stream is longer than %zu bytes", reply->max_bytes);
}

void ab_a2a_reply_feed(struct ab_a2a_reply *reply, struct ab_str data)
{
    if (reply->over)
        return;
    if (reply->events_in != NULL) {
        feed_stream(reply, data);
        return;
    }
    ab_buf_append_str(&reply->body, data);
    if (reply->body.full)
        break_off(reply, "the agent's answer is longer than %zu bytes", reply->max_bytes);
}

void ab_a2a_reply_end(struct ab_a2a_reply *reply)
{
    if (reply->over || reply->events_in != NULL)
        return;
    if (reply->body.size == 0 && reply->status < 300)
        break_off(reply, "the agent's answer is empty");
    else
        take(reply, ab_buf_str(&reply->body), "the answer");
}
