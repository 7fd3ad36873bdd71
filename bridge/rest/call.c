/* A call's life, and the way its answer goes out: whole, or as a stream of events. */
#include "rest/follow.h"
#include "rest/task.h"

#include "base/mem.h"
#include "wire/http_values.h"
#include "wire/sse.h"

#include <stdarg.h>
#include <stdio.h>

static void call_free(struct ab_rest_call *call)
{
    free(call->owner);
    free(call->id);
    free(call->failure);
    free(call);
}

static void on_writable(void *arg)
{
    struct ab_rest_call *call = arg;

    call->behind = false;
    if (call->follow != NULL)
        ab_rest_follow_go_on(call->follow);
}

static void on_closed(void *arg, bool finished)
{
    struct ab_rest_call *call = arg;

    (void)finished;
    call->exchange = NULL;
    if (call->streaming)
        ab_metric_add(call->rest->streams, -1);
    ab_stream_leave(call->place);
    ab_link_remove(&call->link);
    ab_rest_follow_free(call->follow);
    call->follow = NULL;
    if (call->promised == 0)
        call_free(call);
}

struct ab_rest_call *ab_rest_call_new(struct ab_rest *rest, struct ab_http_exchange *exchange, const char *owner)
{
    static const struct ab_http_events events = { .writable = on_writable, .closed = on_closed };
    struct ab_rest_call *call = ab_alloc(1, sizeof *call);

    call->rest = rest;
    call->exchange = exchange;
    call->owner = ab_strdup(owner);
    ab_list_append(&rest->calls, &call->link);
    ab_http_listen(exchange, &events, call);
    return call;
}

void ab_rest_promise(struct ab_rest_call *call)
{
    call->promised++;
}

bool ab_rest_kept(struct ab_rest_call *call)
{
    call->promised--;
    if (call->exchange != NULL)
        return true;
    if (call->promised == 0)
        call_free(call);
    return false;
}

bool ab_rest_take_place(struct ab_rest_call *call)
{
    struct ab_streams *streams = call->rest->settings.streams;
    char text[256];

    if (streams == NULL)
        return true;
    call->place = ab_streams_enter(streams, call->owner);
    if (call->place != NULL)
        return true;
    ab_streams_refusal(streams, text, sizeof text);
    ab_rest_refuse(call, 429, "%s", text);
    return false;
}

/* --- answers --- */

static void put_head(struct ab_rest_call *call, unsigned status, const char *content_type, struct ab_str body)
{
    struct ab_http_header headers[2];
    size_t n = 0;

    headers[n++] = (struct ab_http_header){ "Cache-Control", "no-store" };
    if (call->streaming)
        headers[n++] = (struct ab_http_header){ "X-Accel-Buffering", "no" };

    struct ab_http_head head = { .status = status, .content_type = content_type, .headers = headers, .n_headers = n };
    if (call->streaming)
        ab_http_begin(call->exchange, &head);
    else
        ab_http_respond(call->exchange, &head, body);
}

void ab_rest_answer(struct ab_rest_call *call, unsigned status, struct ab_str body)
{
    if (call->answered || call->exchange == NULL)
        return;
    call->answered = true;
    put_head(call, status, body.size > 0 ? "application/json" : NULL, body);
}

void ab_rest_answer_task(struct ab_rest_call *call, const struct ab_task *task, const char *id)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    if (ab_rest_task_write(&writer, call->rest->settings.engine, task, id) < 0)
        ab_rest_refuse(call, 500, "The task cannot be read");
    else
        ab_rest_answer(call, 200, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

static void refuse(struct ab_rest_call *call, unsigned status, struct ab_str body)
{
    if (call->streaming)
        ab_rest_stream_end(call);
    else
        ab_rest_answer(call, status, body);
}

void ab_rest_refuse(struct ab_rest_call *call, unsigned status, const char *format, ...)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "detail", sentence);
    ab_json_object_end(&writer);
    refuse(call, status, ab_buf_str(&body));
    ab_buf_deinit(&body);
}

void ab_rest_refuse_faults(struct ab_rest_call *call, const struct ab_rest_faults *faults)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_rest_faults_write(faults, &body);
    refuse(call, 422, ab_buf_str(&body));
    ab_buf_deinit(&body);
}

bool ab_rest_is_json(struct ab_rest_call *call)
{
    struct ab_str type;

    if (!ab_http_header(call->exchange, "content-type", &type) || ab_http_is_media_type(type, "application/json"))
        return true;
    ab_rest_refuse(call, 415, "The body must be application/json");
    return false;
}

/* --- streams --- */

void ab_rest_stream_begin(struct ab_rest_call *call)
{
    if (call->answered || call->streaming || call->exchange == NULL)
        return;
    call->streaming = true;
    ab_metric_add(call->rest->streams, 1);
    put_head(call, 200, "text/event-stream", AB_STR(""));
}

void ab_rest_stream_event(struct ab_rest_call *call, const char *id, struct ab_str data)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_rest_stream_begin(call);
    if (call->answered || call->exchange == NULL)
        return;
    ab_sse_write(&bytes, NULL, id, data);
    if (ab_http_write(call->exchange, ab_buf_str(&bytes)) == AB_HTTP_BEHIND)
        call->behind = true;
    ab_buf_deinit(&bytes);
}

void ab_rest_stream_end(struct ab_rest_call *call)
{
    if (call->answered || call->exchange == NULL || !call->streaming)
        return;
    call->answered = true;
    ab_http_end(call->exchange);
}

void ab_rest_stream_comment(struct ab_rest_call *call)
{
    if (call->streaming && !call->answered && !call->behind &&
        ab_http_write(call->exchange, AB_STR(": still here\n\n")) == AB_HTTP_BEHIND)
        call->behind = true;
}
