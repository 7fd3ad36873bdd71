/* The port of an HTTP client: one request, its answer as it comes. */
#ifndef AB_WIRE_HTTP_CLIENT_H
#define AB_WIRE_HTTP_CLIENT_H

#include "wire/guard.h"

struct ab_http_call; /* one request under way */

struct ab_http_call_settings {
    const char *method;
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", NULL-terminated; or NULL */
    struct ab_str body;         /* copied */
    uint32_t connect_timeout_ms;
    uint32_t first_byte_timeout_ms; /* 0: none */
    uint32_t idle_timeout_ms;       /* no byte for so long; 0: none */
    uint32_t total_timeout_ms;      /* 0: none (streams) */
    size_t max_body;                /* 0: none; beyond it the call fails */
    bool sent_once;                 /* never again by itself, as on an idle connection that turns out to be dead */
    bool alone;                     /* on a connection that is not kept for others afterwards */
    bool guarded;                   /* a caller chose the URL: only what `guard` allows is connected to, and directly */
    const struct ab_guard *guard;   /* or NULL: public addresses only; outlives the call */
};

enum ab_http_call_outcome {
    AB_HTTP_CALL_DONE = 0,
    AB_HTTP_CALL_UNREACHABLE, /* name, connection or TLS */
    AB_HTTP_CALL_TIMED_OUT,
    AB_HTTP_CALL_TOO_LARGE,
    AB_HTTP_CALL_BROKEN,   /* the answer was cut off or malformed */
    AB_HTTP_CALL_FORBIDDEN /* a guarded call led to an address that is not allowed */
};

struct ab_http_call_events {
    /* Status and headers are there; once. `header(name)` may be asked through ab_http_call_header meanwhile. */
    void (*head)(void *arg, struct ab_http_call *call, unsigned status);
    /* A piece of the body. */
    void (*body)(void *arg, struct ab_http_call *call, struct ab_str data);
    /* The end, exactly once, also after cancel(); `call` is invalid once this returns. `text` says what went wrong. */
    void (*done)(void *arg, enum ab_http_call_outcome outcome, const char *text);
};

struct ab_http_client;
struct ab_http_client_ops {
    /* Begins a call. Events come later, never from inside. NULL never. */
    struct ab_http_call *(*start)(struct ab_http_client *client, const struct ab_http_call_settings *settings,
                                  const struct ab_http_call_events *events, void *arg);
    /* Ends it; `done` comes in a later turn. */
    void (*cancel)(struct ab_http_call *call);
    /* Stops and starts the reading of the body (back pressure). */
    void (*pause)(struct ab_http_call *call, bool paused);
    /* A header of the answer, by lower-case name; false when absent. From `head` on. */
    bool (*header)(struct ab_http_call *call, const char *name, struct ab_str *value);
    /* Ends every call and frees the client. */
    void (*free)(struct ab_http_client *client);
};

/* First member of every implementation: io/client_curl.c. */
struct ab_http_client {
    const struct ab_http_client_ops *ops;
};

#endif
