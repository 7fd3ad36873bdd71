#include "wire/http_reply.h"

#include "wire/json.h"
#include "wire/sse.h"

static void on_writable(void *arg)
{
    struct ab_http_reply *reply = arg;

    reply->behind = false;
    reply->events->caught_up(reply->arg);
}

static void on_closed(void *arg, bool finished)
{
    struct ab_http_reply *reply = arg;

    (void)finished;
    reply->exchange = NULL;
    reply->events->left(reply->arg);
    if (reply->promised == 0)
        reply->events->done(reply->arg);
}

void ab_http_reply_init(struct ab_http_reply *reply, struct ab_http_exchange *exchange,
                        const struct ab_http_reply_events *events, void *arg)
{
    static const struct ab_http_events heard = { .writable = on_writable, .closed = on_closed };

    *reply = (struct ab_http_reply){ .exchange = exchange, .events = events, .arg = arg };
    ab_http_listen(exchange, &heard, reply);
}

void ab_http_reply_promise(struct ab_http_reply *reply)
{
    reply->promised++;
}

bool ab_http_reply_kept(struct ab_http_reply *reply)
{
    reply->promised--;
    if (reply->exchange != NULL)
        return true;
    if (reply->promised == 0)
        reply->events->done(reply->arg);
    return false;
}

bool ab_http_reply_is_open(const struct ab_http_reply *reply)
{
    return !reply->answered && reply->exchange != NULL;
}

void ab_http_reply_whole(struct ab_http_reply *reply, const struct ab_http_head *head, struct ab_str body)
{
    if (!ab_http_reply_is_open(reply) || reply->streaming)
        return;
    reply->answered = true;
    ab_http_respond(reply->exchange, head, body);
}

void ab_http_reply_begin(struct ab_http_reply *reply, const struct ab_http_head *head)
{
    if (!ab_http_reply_is_open(reply) || reply->streaming)
        return;
    reply->streaming = true;
    ab_http_begin(reply->exchange, head);
}

static bool is_streaming(const struct ab_http_reply *reply)
{
    return ab_http_reply_is_open(reply) && reply->streaming;
}

static void write(struct ab_http_reply *reply, struct ab_str bytes)
{
    if (ab_http_write(reply->exchange, bytes) == AB_HTTP_BEHIND)
        reply->behind = true;
}

void ab_http_reply_event(struct ab_http_reply *reply, const char *event, const char *id, struct ab_str data)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (!is_streaming(reply))
        return;
    ab_sse_write(&bytes, event, id, data);
    write(reply, ab_buf_str(&bytes));
    ab_buf_deinit(&bytes);
}

void ab_http_reply_comment(struct ab_http_reply *reply)
{
    if (is_streaming(reply) && !reply->behind)
        write(reply, AB_STR(AB_SSE_KEEP_ALIVE));
}

void ab_http_reply_end(struct ab_http_reply *reply)
{
    if (!is_streaming(reply))
        return;
    reply->answered = true;
    ab_http_end(reply->exchange);
}

void ab_http_refuse(struct ab_http_exchange *exchange, unsigned status, const struct ab_http_header *header,
                    const char *sentence)
{
    const struct ab_http_head head = {
        .status = status, .content_type = "application/json", .headers = header, .n_headers = header != NULL ? 1 : 0
    };
    struct ab_buf body = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "error", sentence);
    ab_json_object_end(&writer);
    ab_http_respond(exchange, &head, ab_buf_str(&body));
    ab_buf_deinit(&body);
}
