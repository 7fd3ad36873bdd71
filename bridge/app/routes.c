/* The route table, and what is said to whoever is on none of its paths. */
#include "app/routes.h"

#include "wire/http_reply.h"

#include <stdio.h>
#include <string.h>

/* Where nobody signs in, everybody is this one. */
#define LOCAL_OWNER "local"

static void to_mcp(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_mcp_handle(routes->mcp, exchange, LOCAL_OWNER);
}

static void to_a2a(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_a2a_handle(routes->a2a, exchange, LOCAL_OWNER);
}

static void to_rest(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_rest_handle(routes->rest, exchange, LOCAL_OWNER);
}

static void to_receiver(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_a2a_receiver_handle(routes->receiver, exchange);
}

static void to_live(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_health_live(routes->health, exchange);
}

static void to_ready(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_health_ready(routes->health, exchange);
}

static void to_metrics(struct ab_routes *routes, struct ab_http_exchange *exchange)
{
    ab_health_metrics(routes->health, exchange);
}

struct route {
    const char *path;    /* one that ends in a slash and a star is all that is below it */
    const char *methods; /* as in Allow; NULL: the handler says itself which it takes */
    void (*handle)(struct ab_routes *routes, struct ab_http_exchange *exchange);
};

static const struct route table[] = {
    { "/mcp", NULL, to_mcp },
    { "/a2a", NULL, to_a2a },
    { "/a2a/*", NULL, to_a2a },
    { "/.well-known/agent-card.json", NULL, to_a2a },
    { "/.well-known/agent.json", NULL, to_a2a },
    { "/.well-known/jwks.json", "GET, HEAD", to_a2a },
    { "/v1/*", NULL, to_rest },
    { "/openapi.json", NULL, to_rest },
    { AB_A2A_RECEIVER_PATH "*", "POST", to_receiver },
    { "/health", "GET, HEAD", to_live },
    { "/ready", "GET, HEAD", to_ready },
    { "/metrics", "GET, HEAD", to_metrics },
};

static void refuse(struct ab_http_exchange *exchange, unsigned status, const char *allow, const char *sentence)
{
    const struct ab_http_header header = { "Allow", allow };

    ab_http_refuse(exchange, status, allow != NULL ? &header : NULL, sentence);
}

static bool allows(const struct route *route, struct ab_str method)
{
    const char *at = route->methods;

    while (at != NULL) {
        size_t size = strcspn(at, ",");

        if (ab_str_equal(method, (struct ab_str){ at, size }))
            return true;
        at = at[size] == ',' ? at + size + 2 : NULL;
    }
    return route->methods == NULL;
}

static bool is_at(struct ab_str path, const char *pattern)
{
    size_t size = strlen(pattern) - 1;

    if (pattern[size] != '*')
        return ab_str_is(path, pattern);
    return path.size >= size && memcmp(path.data, pattern, size) == 0;
}

void ab_routes_handle(void *routes, struct ab_http_exchange *exchange)
{
    const struct ab_http_request *request = ab_http_request(exchange);
    char sentence[256];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!is_at(request->path, table[i].path))
            continue;
        if (allows(&table[i], request->method)) {
            table[i].handle(routes, exchange);
            return;
        }
        snprintf(sentence, sizeof sentence, "%s takes %s", table[i].path, table[i].methods);
        refuse(exchange, 405, table[i].methods, sentence);
        return;
    }
    refuse(exchange, 404, NULL,
           "nothing is here; there are /mcp, /a2a, /v1, /openapi.json, /health, /ready and /metrics");
}
