/* What the HTTP server's files share; nobody else includes it. */
#ifndef AB_IO_HTTPD_INTERNAL_H
#define AB_IO_HTTPD_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "io/httpd_lws.h"
#include "io/listener.h"
#include "io/peerwatch.h"

#include <libwebsockets.h>

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
    uint16_t listening_port;
    const struct ab_log *log;
    struct ab_metrics *metrics;
    ab_http_handler_fn handler;
    void *arg;
    struct ab_list exchanges;
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

enum exchange_state {
    EXCHANGE_READING,   /* the body is still coming */
    EXCHANGE_WAITING,   /* the handler has it, nothing was answered */
    EXCHANGE_ANSWERING, /* whole or streamed bytes are on their way */
    EXCHANGE_ENDED,     /* all bytes are in `out` */
    EXCHANGE_OVER       /* closed: told, or about to be told */
};

struct exchange_header {
    struct exchange_header *next;
    char *name;
    struct ab_str value;
};

struct exchange {
    struct ab_http_exchange port;
    struct ab_httpd *httpd;
    struct lws *wsi;        /* NULL once the connection is gone */
    struct exchange **slot; /* where libwebsockets' transaction points here */
    struct ab_link link;
    enum exchange_state state;
    struct ab_http_request request;
    char *method;
    char *path;
    char *query;
    char peer[48];
    struct ab_buf body;
    struct exchange_header *headers; /* those that were asked for */
    struct ab_buf out;
    size_t out_at; /* bytes of `out` that are gone already */
    unsigned status;
    bool streamed;
    bool head_only;   /* HEAD: no body is sent */
    bool close_after; /* the connection ends with this answer */
    bool in_callback; /* the handler is running inside libwebsockets' callback */
    bool behind;
    bool dropped;  /* given up: what was written is not all there */
    bool finished; /* the whole answer went out */
    const struct ab_http_events *events;
    void *arg;
    struct ab_peerwatch *peerwatch;
    int64_t begun_us;
};

/* --- httpd_exchange.c --- */

/* For the transaction on `wsi`, whose user memory points to it through `slot`. */
struct exchange *exchange_new(struct ab_httpd *httpd, struct lws *wsi, struct exchange **slot);
/* Runs the handler. 0, or -1: the connection is to be closed. To be called in libwebsockets' callback. */
int exchange_handle(struct exchange *exchange);
/* Writes what can be written. 0, or -1: to be closed. In libwebsockets' callback. */
int exchange_flush(struct exchange *exchange);
/* libwebsockets let go of it. */
void exchange_detach(struct exchange *exchange);
/* Refuses without a handler: a JSON body, and the connection ends. In libwebsockets' callback. */
int exchange_refuse(struct exchange *exchange, unsigned status, const char *text);

/* --- httpd_doors.c --- */

/* NULL when the request may come in; else why not. */
const char *httpd_check_host(const struct ab_httpd *httpd, struct ab_str host);
const char *httpd_check_origin(const struct ab_httpd *httpd, struct ab_str origin);

/* --- httpd_lws.c --- */

/* A request header as libwebsockets has it, by its lower-case name; false when absent. The caller frees `value`. */
bool httpd_copy_header(struct lws *wsi, const char *name, char **value);

#endif
