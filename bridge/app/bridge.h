/* All parts of a running bridge, and how they are put together. */
#ifndef AB_APP_BRIDGE_H
#define AB_APP_BRIDGE_H

#include "app/config.h"
#include "app/control.h"
#include "app/routes.h"
#include "deliver/a2a_push.h"
#include "deliver/rest_webhook.h"
#include "io/client_curl.h"
#include "io/httpd_lws.h"
#include "io/pipe_server_uv.h"
#include "io/process_uv.h"

/* In the order in which they are built; zeroed is empty. It stays where it is: parts point to others. */
struct ab_bridge {
    const struct ab_config *config;
    struct ab_log log;
    struct ab_metrics *metrics;
    struct ab_loop_uv *loop;
    struct ab_store *store;
    struct ab_sealer *sealer;
    struct ab_signer *signer; /* or NULL: nothing is signed */
    struct ab_process_host *processes;
    struct ab_streams *streams;
    char *files; /* the folder of fetched files */
    struct ab_http_client *client;
    struct ab_a2a_receiver *receiver;
    struct ab_engine *engine;
    struct ab_mcp *mcp;
    struct ab_a2a *a2a;
    struct ab_rest *rest;
    struct ab_rest_webhook_encoder webhooks;
    struct ab_a2a_push_encoder pushes;
    struct ab_delivery_encoder encoders[2]; /* one for each kind of delivery */
    struct ab_courier *courier;
    struct ab_health health;
    struct ab_routes routes;
    struct ab_httpd *httpd;
    struct ab_control *control;
    struct ab_pipe_server *control_server; /* or NULL: the system gives no local socket there */
    bool ending;                           /* no new connections; open calls are being answered */
    bool winding_down;                     /* the runs are being stopped */
    bool runs_gone;
};

/* Builds everything as `config` says, listens, and takes up what an earlier process left. `log` is set already. False
 * when a part cannot be had: `reason` (at least 1024 bytes) says which and why; ab_bridge_free is due either way. */
AB_MUST bool ab_bridge_build(struct ab_bridge *bridge, const struct ab_config *config, char *reason,
                             size_t reason_size);
/* Ends it from inside its loop: open calls are answered first, then the runs are wound down, then the loop stops.
 * Called once more it no longer waits for the calls; false when there is nothing left to be hurried. */
bool ab_bridge_end(struct ab_bridge *bridge);
/* For one that was not built whole: winds down what is at work already. */
void ab_bridge_give_up(struct ab_bridge *bridge);
/* Frees what there is, the last built first. The runs must be gone (ab_engine_shut_down), unless it was never built
 * whole. */
void ab_bridge_free(struct ab_bridge *bridge);

#endif
