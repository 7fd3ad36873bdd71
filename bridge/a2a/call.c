/* A call's life, and the way its answer goes out: whole, or as a stream of events. */
#include "a2a/follow.h"

#include "base/mem.h"
#include "wire/http_values.h"
#include "wire/sse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void call_free(struct ab_a2a_call *call)
{
    free(call->owner);
    free(call->principal);
    free(call->body);
    free(call->path);
    free(call->tenant);
    free(call->extensions);
    free(call);
}

static void on_writable(void *arg)
{
    struct ab_a2a_call *call = arg;

    call->behind = false;
    if (call->follow != NULL)
        ab_a2a_follow_go_on(call->follow);
}

static void on_closed(void *arg, bool finished)
{
    struct ab_a2a_call *call = arg;

    (void)finished;
    call->exchange = NULL;
    ab_stream_leave(call->place);
    ab_link_remove(&call->link);
    ab_a2a_follow_free(call->follow);
    call->follow = NULL;
    if (call->promised == 0)
        call_free(call);
}

struct ab_a2a_call *ab_a2a_call_new(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *agent)
{
    static const struct ab_http_events events = { .writable = on_writable, .closed = on_closed };
    struct ab_a2a_call *call = ab_alloc(1, sizeof *call);

    call->a2a = a2a;
    call->exchange = exchange;
    call->agent = agent;
    ab_list_append(&a2a->calls, &call->link);
    ab_http_listen(exchange, &events, call);
    return call;
}

void ab_a2a_promise(struct ab_a2a_call *call)
{
    call->promised++;
}

bool ab_a2a_kept(struct ab_a2a_call *call)
{
    call->promised--;
    if (call->exchange != NULL)
        return true;
    if (call->promised == 0)
        call_free(call);
    return false;
}

bool ab_a2a_take_place(struct ab_a2a_call *call)
{
    struct ab_streams *streams = call->a2a->settings.streams;
    char text[256];

    if (streams == NULL)
        return true;
    call->place = ab_streams_enter(streams, call->principal);
    if (call->place != NULL)
        return true;
    ab_streams_refusal(streams, text, sizeof text);
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
    if (ab_http_header(call->exchange, "accept", &value) && memmem(value.data, value.size, own, sizeof own - 1) != NULL)
        return own;
    if (ab_http_header(call->exchange, "content-type", &value) && ab_http_is_media_type(value, own))
        return own;
    return "application/json";
}

static void put_head(struct ab_a2a_call *call, unsigned status, const char *content_type, struct ab_str body)
{
    struct ab_http_header headers[3];
    size_t n = 0;

    headers[n++] = (struct ab_http_header){ "Cache-Control", "no-store" };
    if (call->extensions != NULL)
        headers[n++] = (struct ab_http_header){ call->version->extensions_header, call->extensions };
    if (call->streaming)
        headers[n++] = (struct ab_http_header){ "X-Accel-Buffering", "no" };

    struct ab_http_head head = { .status = status, .content_type = content_type, .headers = headers, .n_headers = n };
    if (call->streaming)
        ab_http_begin(call->exchange, &head);
    else
        ab_http_respond(call->exchange, &head, body);
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

    if (call->answered || call->exchange == NULL)
        return;
    call->answered = true;
    wrap(call, result, &body);
    put_head(call, 200, media_type(call), ab_buf_str(&body));
    ab_buf_deinit(&body);
}

static void write_event(struct ab_a2a_call *call, const char *event, struct ab_str data)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (call->answered || call->exchange == NULL)
        return;
    if (!call->streaming) {
        call->streaming = true;
        put_head(call, 200, "text/event-stream", AB_STR(""));
    }
    ab_sse_write(&bytes, event, NULL, data);
    if (ab_http_write(call->exchange, ab_buf_str(&bytes)) == AB_HTTP_BEHIND)
        call->behind = true;
    ab_buf_deinit(&bytes);
}

void ab_a2a_stream_event(struct ab_a2a_call *call, struct ab_str result)
{
    struct ab_buf data = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    wrap(call, result, &data);
    write_event(call, NULL, ab_buf_str(&data));
    ab_buf_deinit(&data);
}

void ab_a2a_stream_end(struct ab_a2a_call *call)
{
    if (call->answered || call->exchange == NULL || !call->streaming)
        return;
    call->answered = true;
    ab_http_end(call->exchange);
}

void ab_a2a_stream_comment(struct ab_a2a_call *call)
{
    if (call->streaming && !call->answered && !call->behind &&
        ab_http_write(call->exchange, AB_STR(": still here\n\n")) == AB_HTTP_BEHIND)
        call->behind = true;
}

/* --- refusals --- */

static void refuse(struct ab_a2a_call *call, const struct ab_a2a_fault *fault)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (call->answered || call->exchange == NULL)
        return;
    ab_a2a_write_fault(call, fault, &body);
    if (call->streaming) {
        write_event(call, "error", ab_buf_str(&body));
        ab_a2a_stream_end(call);
    } else {
        call->answered = true;
        put_head(call, call->binding->envelope ? 200 : ab_a2a_http_status(fault->error), media_type(call),
                 ab_buf_str(&body));
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
