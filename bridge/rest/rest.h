/* The REST face: the agent platform's own API for every agent here, and what a bridge adds to it. */
#ifndef AB_REST_REST_H
#define AB_REST_REST_H

#include "auth/seal.h"
#include "auth/streams.h"
#include "task/engine.h"
#include "wire/guard.h"
#include "wire/http_server.h"

/* Borrowed ports outlive the face; texts are copied. Times in ms; 0 takes the default in brackets. */
struct ab_rest_settings {
    struct ab_engine *engine;
    struct ab_loop *loop;
    struct ab_streams *streams;     /* who may open one more; or NULL: everybody */
    const struct ab_sealer *sealer; /* for the secrets of callers' webhooks */
    const struct ab_guard *guard;   /* where those may lead; or NULL: to public addresses */
    struct ab_metrics *metrics;     /* or NULL */
    const char *user_json;          /* {"id","email",...}: who the caller is where nobody signs in; or NULL */
    bool strict;                    /* an invocation must say who its user is */
    unsigned json_depth;            /* [64] */
    uint32_t heartbeat_ms;          /* [10 s] between signs of life on a silent stream */
};

struct ab_rest;

AB_MUST struct ab_rest *ab_rest_new(const struct ab_rest_settings *settings);
/* Answers one request below /v1/, or for /openapi.json. `owner` is the principal's opaque name. */
void ab_rest_handle(struct ab_rest *rest, struct ab_http_exchange *exchange, const char *owner);
/* Ends the streams that would otherwise stay open for long, for a shutdown. */
void ab_rest_drain(struct ab_rest *rest);
/* When no exchange is left. NULL is accepted. */
void ab_rest_free(struct ab_rest *rest);

#endif
