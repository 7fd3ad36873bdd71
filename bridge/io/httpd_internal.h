/* What the HTTP server's files share; nobody else includes it.
 *
 *   listener -> connection (reads requests, one at a time) -> exchange (one request, its answer) -> handler */
#ifndef AB_IO_HTTPD_INTERNAL_H
#define AB_IO_HTTPD_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "io/httpd_lws.h"
#include "io/listener.h"
#include "wire/http1.h"

#include <libwebsockets.h>

/* What a connection waits for, each with its patience. All in one line wait equally long, so that the first in it is
 * always the next one due. */
enum httpd_line {
    LINE_HEAD,   /* a request's head, from its first byte on */
    LINE_BODY,   /* the next bytes of a body */
    LINE_IDLE,   /* the next request */
    LINE_LINGER, /* the peer's end, after a refusal it may still be sending through */
    LINES,
    LINE_NONE = LINES
};

struct ab_httpd {
    struct ab_loop_uv *loop;
    struct ab_loop *port;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct ab_listener *listener;
    size_t request_bytes;
    size_t header_bytes;
    size_t stream_bytes;
    char **hosts; /* NULL-terminated, owned */
    char **origins;
    bool loopback; /* bound to a loopback address: its names are good hosts */
    const struct ab_log *log;
    struct ab_metrics *metrics;
    ab_http_handler_fn handler;
    void *arg;
    struct ab_list exchanges;
    struct ab_list lines[LINES];
    struct ab_timer *sweep_timer; /* runs while anybody waits in a line */
    bool sweeping;
    bool draining;
    ab_loop_fn drained;
    void *drained_arg;
    struct ab_timer *drain_timer;
    struct ab_metric *open_connections;
    struct ab_metric *open_streams;
    struct ab_metric *requests[6]; /* by status class; 0 is not used */
    struct ab_metric *seconds;
    unsigned char *scratch; /* LWS_PRE and one write's bytes */
};

/* Bytes handed to libwebsockets in one go. */
#define AB_HTTPD_WRITE_BYTES 65536

struct connection {
    struct ab_httpd *httpd;
    struct lws *wsi;
    struct ab_http1_reader *reader;
    struct exchange *exchange; /* the one under way, or NULL */
    struct ab_buf pending;     /* what came meanwhile */
    struct ab_link link;       /* in a line */
    int64_t since_us;          /* when it joined the line */
    enum httpd_line line;
    bool in_callback; /* inside libwebsockets' callback: closing is its return value */
    bool reading;
    bool paused; /* too much is pending: the socket is not read */
    bool lingering;
    bool closing;
    char peer[48];
};

enum exchange_state {
    EXCHANGE_WAITING,   /* nothing was answered */
    EXCHANGE_ANSWERING, /* a stream is open */
    EXCHANGE_ENDED,     /* the whole answer is in `out` */
    EXCHANGE_OVER       /* closed: told, or about to be told */
};

struct exchange {
    struct ab_http_exchange port;
    struct ab_httpd *httpd;
    struct connection *connection; /* NULL once it is gone */
    struct ab_link link;
    enum exchange_state state;
    struct ab_http1_message *message; /* NULL when the request was refused unread */
    struct ab_http_request request;
    char peer[48];
    struct ab_buf out;
    size_t out_at; /* bytes of `out` that are gone already */
    unsigned status;
    bool streamed;
    bool chunked;     /* the stream is sent in chunks */
    bool head_only;   /* HEAD: no body is sent */
    bool close_after; /* the connection ends with this answer */
    bool in_handler;  /* what is answered now goes out when the handler returns */
    bool flush_due;
    bool behind;
    bool dropped;  /* given up: what was written is not all there */
    bool finished; /* the whole answer went out */
    const struct ab_http_events *events;
    void *arg;
    int64_t begun_us;
};

/* --- httpd_connection.c --- */

struct connection *connection_new(struct ab_httpd *httpd, struct lws *wsi);
/* Bytes from the peer. In libwebsockets' callback, as the next two. */
void connection_receive(struct connection *connection, struct ab_str bytes);
void connection_writable(struct connection *connection);
/* The socket is gone; frees. */
void connection_lost(struct connection *connection);
/* Its exchange is over, the whole answer out: the next request, or the end. */
void connection_answered(struct connection *connection, bool close_after);
/* Ends it, in this turn or the next. */
void connection_close(struct connection *connection);
/* Closes those that are between two requests. */
void connections_close_idle(struct ab_httpd *httpd);

/* --- httpd_exchange.c --- */

/* Takes `message`, which may be NULL. */
struct exchange *exchange_new(struct connection *connection, struct ab_http1_message *message);
void exchange_handle(struct exchange *exchange);
/* Refuses without a handler: a JSON body, and the connection ends. */
void exchange_refuse(struct exchange *exchange, unsigned status, const char *text);
/* Writes what can be written. */
void exchange_flush(struct exchange *exchange);
/* The connection let go of it. */
void exchange_detach(struct exchange *exchange);

/* --- httpd_doors.c --- */

/* NULL when the request may come in; else why not. */
const char *httpd_check_host(const struct ab_httpd *httpd, struct ab_str host);
const char *httpd_check_origin(const struct ab_httpd *httpd, struct ab_str origin);

#endif
