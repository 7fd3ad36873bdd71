/* Which path is whose. */
#ifndef AB_APP_ROUTES_H
#define AB_APP_ROUTES_H

#include "a2a/a2a.h"
#include "agents/a2a_receiver.h"
#include "app/health.h"
#include "mcp/mcp.h"
#include "rest/rest.h"

struct ab_routes {
    struct ab_mcp *mcp;
    struct ab_a2a *a2a;
    struct ab_rest *rest;
    struct ab_a2a_receiver *receiver;
    struct ab_health *health;
};

/* Answers one request, or hands it to whom it concerns; unknown paths and methods get JSON. `routes` is a struct
 * ab_routes. */
void ab_routes_handle(void *routes, struct ab_http_exchange *exchange);

#endif
