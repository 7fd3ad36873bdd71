/* The port of an HTTP server: requests in whole, answers whole or as a stream. HTTP/1.1.
 *
 * An exchange is one request and its answer. It is valid from the handler's call until its `closed` event has been
 * given, exactly once for every exchange: after the answer went out, or when the peer went away before. Whoever keeps
 * an exchange beyond the handler's call sets events first. No function below calls back from inside. */
#ifndef AB_WIRE_HTTP_SERVER_H
#define AB_WIRE_HTTP_SERVER_H

#include "base/str.h"

struct ab_http_exchange;

/* Borrowed for as long as the exchange is valid. */
struct ab_http_request {
    struct ab_str method; /* "GET" */
    struct ab_str path;   /* before the "?", percent-encoding untouched */
    struct ab_str query;  /* behind the "?", without it */
    struct ab_str body;
    struct ab_str peer; /* "127.0.0.1" */
};

struct ab_http_header {
    const char *name;
    const char *value;
};

/* Status and headers of an answer. The server adds Date, Connection, Content-Length or Transfer-Encoding and
 * X-Content-Type-Options: nosniff. All strings are copied. */
struct ab_http_head {
    unsigned status;
    const char *content_type; /* or NULL: no body */
    const struct ab_http_header *headers;
    size_t n_headers;
};

struct ab_http_events {
    /* A stream that returned AB_HTTP_BEHIND has drained. */
    void (*writable)(void *arg);
    /* The exchange is over; `finished` is true when the whole answer went out, false when the peer left first. The
     * exchange is invalid once this returns. */
    void (*closed)(void *arg, bool finished);
};

#define AB_HTTP_BEHIND 1

struct ab_http_exchange_ops {
    const struct ab_http_request *(*request)(struct ab_http_exchange *exchange);
    /* A request header's value by its lower-case name ("mcp-method"), of several of one name the one with this number,
     * from 0; false when there is none. Borrowed like the request. */
    bool (*header)(struct ab_http_exchange *exchange, const char *name, size_t nth, struct ab_str *value);
    void (*listen)(struct ab_http_exchange *exchange, const struct ab_http_events *events, void *arg);
    /* The whole answer; copies. Once. */
    void (*respond)(struct ab_http_exchange *exchange, const struct ab_http_head *head, struct ab_str body);
    /* Begins a streamed answer (chunked), flushed at once. Once, instead of respond. */
    void (*begin)(struct ab_http_exchange *exchange, const struct ab_http_head *head);
    /* Adds to the stream; copies. AB_OK, or AB_HTTP_BEHIND: taken, but the peer reads slowly; write nothing more until
     * `writable`. Cheap when the exchange is closing: ignored. */
    int (*write)(struct ab_http_exchange *exchange, struct ab_str data);
    /* Ends the stream once all is written. */
    void (*end)(struct ab_http_exchange *exchange);
};

/* First member of every implementation: io/httpd_lws.c, tests/unit/fake_exchange.c. */
struct ab_http_exchange {
    const struct ab_http_exchange_ops *ops;
};

/* Called for each request that passed the server's own checks (size, framing, Host, Origin). Must answer, or keep the
 * exchange and answer later. */
typedef void (*ab_http_handler_fn)(void *arg, struct ab_http_exchange *exchange);

const struct ab_http_request *ab_http_request(struct ab_http_exchange *exchange);
/* The first of this name; lists may stand in several (RFC 9110, section 5.3): ab_http_header_at counts them. */
bool ab_http_header(struct ab_http_exchange *exchange, const char *name, struct ab_str *value);
bool ab_http_header_at(struct ab_http_exchange *exchange, const char *name, size_t nth, struct ab_str *value);
void ab_http_listen(struct ab_http_exchange *exchange, const struct ab_http_events *events, void *arg);
void ab_http_respond(struct ab_http_exchange *exchange, const struct ab_http_head *head, struct ab_str body);
void ab_http_begin(struct ab_http_exchange *exchange, const struct ab_http_head *head);
AB_MUST int ab_http_write(struct ab_http_exchange *exchange, struct ab_str data);
void ab_http_end(struct ab_http_exchange *exchange);
/* respond() with status, content type and body only. */
void ab_http_respond_simple(struct ab_http_exchange *exchange, unsigned status, const char *content_type,
                            struct ab_str body);

#endif
