/* A call's life, and the way its answer goes out: whole, or as a stream of events. */
#include "rest/follow.h"
#include "rest/task.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdarg.h>
#include <stdio.h>

static void on_caught_up(void *arg)
{
    struct ab_rest_call *call = arg;

    if (call->follow != NULL)
        ab_rest_follow_go_on(call->follow);
}

static void on_left(void *arg)
{
    struct ab_rest_call *call = arg;

    if (call->reply.streaming)
        ab_metric_add(call->rest->streams, -1);
    ab_stream_leave(call->place);
    ab_link_remove(&call->link);
    ab_rest_follow_free(call->follow);
    call->follow = NULL;
}

static void on_done(void *arg)
{
    struct ab_rest_call *call = arg;

    free(call->owner);
    free(call->id);
    free(call->failure);
    free(call);
}

struct ab_rest_call *ab_rest_call_new(struct ab_rest *rest, struct ab_http_exchange *exchange, const char *owner)
{
    static const struct ab_http_reply_events events = { .caught_up = on_caught_up, .left = on_left, .done = on_done };
    struct ab_rest_call *call = ab_alloc(1, sizeof *call);

    call->rest = rest;
    call->owner = ab_strdup(owner);
    ab_list_append(&rest->calls, &call->link);
    ab_http_reply_init(&call->reply, exchange, &events, call);
    return call;
}

bool ab_rest_take_place(struct ab_rest_call *call)
{
    char text[AB_STREAMS_TEXT_SIZE];

    if (ab_streams_enter(call->rest->settings.streams, call->owner, &call->place, text))
        return true;
    ab_rest_refuse(call, 429, "%s", text);
    return false;
}

/* --- answers --- */

void ab_rest_answer(struct ab_rest_call *call, unsigned status, struct ab_str body)
{
    const struct ab_http_header header = { "Cache-Control", "no-store" };
    const struct ab_http_head head = {
        .status = status, .content_type = body.size > 0 ? "application/json" : NULL, .headers = &header, .n_headers = 1
    };

    ab_http_reply_whole(&call->reply, &head, body);
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
    if (call->reply.streaming)
        ab_http_reply_end(&call->reply);
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

    if (!ab_http_header(call->reply.exchange, "content-type", &type) || ab_http_is_media_type(type, "application/json"))
        return true;
    ab_rest_refuse(call, 415, "The body must be application/json");
    return false;
}

/* --- streams --- */

void ab_rest_stream_begin(struct ab_rest_call *call)
{
    static const struct ab_http_header headers[] = { { "Cache-Control", "no-store" }, { "X-Accel-Buffering", "no" } };
    const struct ab_http_head head = {
        .status = 200, .content_type = "text/event-stream", .headers = headers, .n_headers = 2
    };

    if (!ab_http_reply_is_open(&call->reply) || call->reply.streaming)
        return;
    ab_metric_add(call->rest->streams, 1);
    ab_http_reply_begin(&call->reply, &head);
}

void ab_rest_stream_event(struct ab_rest_call *call, const char *id, struct ab_str data)
{
    ab_rest_stream_begin(call);
    ab_http_reply_event(&call->reply, NULL, id, data);
}
