/* A call's life, and the way its answer goes out: whole, or as a stream of events. */
#include "a2a/follow.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void on_caught_up(void *arg)
{
    struct ab_a2a_call *call = arg;

    if (call->follow != NULL)
        ab_a2a_follow_go_on(call->follow);
}

static void on_left(void *arg)
{
    struct ab_a2a_call *call = arg;

    ab_stream_leave(call->place);
    ab_link_remove(&call->link);
    ab_a2a_follow_free(call->follow);
    call->follow = NULL;
}

static void on_done(void *arg)
{
    struct ab_a2a_call *call = arg;

    free(call->owner);
    free(call->principal);
    free(call->body);
    free(call->path);
    free(call->tenant);
    free(call->extensions);
    free(call);
}

struct ab_a2a_call *ab_a2a_call_new(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *agent)
{
    static const struct ab_http_reply_events events = { .caught_up = on_caught_up, .left = on_left, .done = on_done };
    struct ab_a2a_call *call = ab_alloc(1, sizeof *call);

    call->a2a = a2a;
    call->agent = agent;
    ab_list_append(&a2a->calls, &call->link);
    ab_http_reply_init(&call->reply, exchange, &events, call);
    return call;
}

bool ab_a2a_take_place(struct ab_a2a_call *call)
{
    char text[AB_STREAMS_TEXT_SIZE];

    if (ab_streams_enter(call->a2a->settings.streams, call->principal, &call->place, text))
        return true;
    ab_a2a_refuse(call, AB_A2A_OVER_QUOTA, "%s", text);
    return false;
}

/* --- what leaves --- */

/* 1.0 gave HTTP+JSON a media type of its own, which not every client takes: who names it gets it. */
static const char *media_type(const struct ab_a2a_call *call)
{
    static const char own[] = "application/a2a+json";
    struct ab_str value;

    if (call->binding->envelope || !call->version->typed_http)
        return "application/json";
    if (ab_http_header(call->reply.exchange, "accept", &value) && ab_http_accepts(value, own) &&
        memmem(value.data, value.size, own, sizeof own - 1) != NULL)
        return own;
    if (ab_http_header(call->reply.exchange, "content-type", &value) && ab_http_is_media_type(value, own))
        return own;
    return "application/json";
}

/* Whole, or the beginning of a stream. */
static void put_head(struct ab_a2a_call *call, unsigned status, const char *content_type, const struct ab_str *body)
{
    struct ab_http_header headers[3];
    size_t n = 0;

    headers[n++] = (struct ab_http_header){ "Cache-Control", "no-store" };
    if (call->extensions != NULL)
        headers[n++] = (struct ab_http_header){ call->version->extensions_header, call->extensions };
    if (body == NULL)
        headers[n++] = (struct ab_http_header){ "X-Accel-Buffering", "no" };

    struct ab_http_head head = { .status = status, .content_type = content_type, .headers = headers, .n_headers = n };
    if (body == NULL)
        ab_http_reply_begin(&call->reply, &head);
    else
        ab_http_reply_whole(&call->reply, &head, *body);
}

static void put_whole(struct ab_a2a_call *call, unsigned status, const struct ab_buf *body)
{
    struct ab_str text = ab_buf_str(body);

    put_head(call, status, media_type(call), &text);
}

/* The result as the binding carries it. */
static void wrap(const struct ab_a2a_call *call, struct ab_str result, struct ab_buf *out)
{
    if (call->binding->envelope)
        ab_jsonrpc_write_result(out, ab_json_exists(call->id) ? call->id : ab_json_trusted("null"), result);
    else
        ab_buf_append_str(out, result);
}

void ab_a2a_answer(struct ab_a2a_call *call, struct ab_str result)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!ab_http_reply_is_open(&call->reply))
        return;
    wrap(call, result, &body);
    put_whole(call, 200, &body);
    ab_buf_deinit(&body);
}

void ab_a2a_stream_event(struct ab_a2a_call *call, struct ab_str result)
{
    struct ab_buf data = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!ab_http_reply_is_open(&call->reply))
        return;
    put_head(call, 200, "text/event-stream", NULL);
    wrap(call, result, &data);
    ab_http_reply_event(&call->reply, NULL, NULL, ab_buf_str(&data));
    ab_buf_deinit(&data);
}

/* --- refusals --- */

static void refuse(struct ab_a2a_call *call, const struct ab_a2a_fault *fault)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!ab_http_reply_is_open(&call->reply))
        return;
    ab_a2a_write_fault(call, fault, &body);
    if (call->reply.streaming || call->refuses_in_stream) {
        /* As the first event it is one like others to those clients: what has a name of its own they would not read. */
        const char *name = call->reply.streaming ? "error" : NULL;
        put_head(call, 200, "text/event-stream", NULL);
        ab_http_reply_event(&call->reply, name, NULL, ab_buf_str(&body));
        ab_http_reply_end(&call->reply);
    } else {
        put_whole(call, call->binding->envelope ? 200 : ab_a2a_http_status(fault->error), &body);
    }
    ab_buf_deinit(&body);
}

#define REFUSE(...)                                                                                                    \
    do {                                                                                                               \
        char text[512];                                                                                                \
        va_list arguments;                                                                                             \
        va_start(arguments, format);                                                                                   \
        vsnprintf(text, sizeof text, format, arguments);                                                               \
        va_end(arguments);                                                                                             \
        refuse(call, &(struct ab_a2a_fault){ .text = text, __VA_ARGS__ });                                             \
    } while (0)

void ab_a2a_refuse(struct ab_a2a_call *call, enum ab_a2a_error error, const char *format, ...)
{
    REFUSE(.error = error);
}

void ab_a2a_refuse_task(struct ab_a2a_call *call, enum ab_a2a_error error, const char *task_id, const char *format, ...)
{
    REFUSE(.error = error, .task_id = task_id);
}

void ab_a2a_refuse_field(struct ab_a2a_call *call, const char *field, const char *format, ...)
{
    REFUSE(.error = AB_A2A_INVALID_PARAMS, .field = field);
}
