/* The HTTP server's port: hands each call to the implementation. */
#include "wire/http_server.h"

const struct ab_http_request *ab_http_request(struct ab_http_exchange *exchange)
{
    return exchange->ops->request(exchange);
}

bool ab_http_header(struct ab_http_exchange *exchange, const char *name, struct ab_str *value)
{
    return exchange->ops->header(exchange, name, 0, value);
}

bool ab_http_header_at(struct ab_http_exchange *exchange, const char *name, size_t nth, struct ab_str *value)
{
    return exchange->ops->header(exchange, name, nth, value);
}

void ab_http_listen(struct ab_http_exchange *exchange, const struct ab_http_events *events, void *arg)
{
    exchange->ops->listen(exchange, events, arg);
}

void ab_http_respond(struct ab_http_exchange *exchange, const struct ab_http_head *head, struct ab_str body)
{
    exchange->ops->respond(exchange, head, body);
}

void ab_http_begin(struct ab_http_exchange *exchange, const struct ab_http_head *head)
{
    exchange->ops->begin(exchange, head);
}

int ab_http_write(struct ab_http_exchange *exchange, struct ab_str data)
{
    return exchange->ops->write(exchange, data);
}

void ab_http_end(struct ab_http_exchange *exchange)
{
    exchange->ops->end(exchange);
}

void ab_http_respond_simple(struct ab_http_exchange *exchange, unsigned status, const char *content_type,
                            struct ab_str body)
{
    const struct ab_http_head head = { .status = status, .content_type = content_type };
    ab_http_respond(exchange, &head, body);
}
