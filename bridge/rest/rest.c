/* The face: its life, and the way from an address to its handler. */
#include "rest/rest.h"

#include "rest/follow.h"

#include "base/embedded.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <string.h>

/* --- life --- */

static void on_keep_alive(void *arg)
{
    struct ab_rest *rest = arg;
    struct ab_link *link = ab_list_first(&rest->calls);

    for (; link != NULL; link = ab_list_next(&rest->calls, link))
        ab_http_reply_comment(&AB_OWNER(link, struct ab_rest_call, link)->reply);
    ab_timer_start(rest->keep_alive, rest->settings.heartbeat_ms);
}

struct ab_rest *ab_rest_new(const struct ab_rest_settings *settings)
{
    struct ab_rest *rest = ab_alloc(1, sizeof *rest);

    rest->settings = *settings;
    rest->settings.json_depth = settings->json_depth > 0 ? settings->json_depth : 64;
    rest->settings.heartbeat_ms = settings->heartbeat_ms > 0 ? settings->heartbeat_ms : 10000;
    rest->settings.user_json = ab_strdup(settings->user_json);
    rest->streams = ab_metric(settings->metrics, AB_METRIC_GAUGE, "agentbridge_rest_streams",
                              "Open streams of the REST API.", NULL);
    ab_list_init(&rest->calls);
    rest->keep_alive = ab_timer_new(settings->loop, on_keep_alive, rest);
    ab_timer_start(rest->keep_alive, rest->settings.heartbeat_ms);
    return rest;
}

void ab_rest_drain(struct ab_rest *rest)
{
    struct ab_link *link = ab_list_first(&rest->calls);

    while (link != NULL) {
        struct ab_rest_call *call = AB_OWNER(link, struct ab_rest_call, link);
        link = ab_list_next(&rest->calls, link);
        if (call->follow != NULL && ab_rest_follow_is_open_ended(call->follow))
            ab_http_reply_end(&call->reply);
    }
}

void ab_rest_free(struct ab_rest *rest)
{
    if (rest == NULL)
        return;
    ab_timer_free(rest->keep_alive);
    free((void *)(uintptr_t)rest->settings.user_json);
    free(rest);
}

/* --- addresses --- */

struct route {
    const char *method;
    const char *path; /* "*" is a segment that names something */
    void (*handle)(struct ab_rest_call *call);
};

/* schemas/openapi.json says the same to the outside. */
static const struct route routes[] = {
    { "GET", "/v1/agents", ab_rest_agents },
    { "GET", "/v1/agents/*", ab_rest_agent },
    { "POST", "/v1/agents/*/invoke", ab_rest_invoke_sync },
    { "POST", "/v1/agents/*/invoke/async", ab_rest_invoke_async },
    { "POST", "/v1/agents/*/invoke/stream", ab_rest_invoke_stream },
    { "GET", "/v1/agents/*/tasks", ab_rest_agent_tasks },
    { "POST", "/v1/workflows/*/invoke", ab_rest_invoke_sync },
    { "POST", "/v1/workflows/*/invoke/async", ab_rest_invoke_async },
    { "POST", "/v1/workflows/*/invoke/stream", ab_rest_invoke_stream },
    { "GET", "/v1/tasks", ab_rest_tasks },
    { "GET", "/v1/tasks/*", ab_rest_get_task },
    { "DELETE", "/v1/tasks/*", ab_rest_delete_task },
    { "POST", "/v1/tasks/*/stop", ab_rest_stop_task },
    { "POST", "/v1/tasks/*/reply", ab_rest_reply },
    { "GET", "/v1/tasks/*/events", ab_rest_events },
    { "GET", "/v1/tasks/*/thread", ab_rest_thread },
    { "GET", "/v1/tasks/*/thread/full", ab_rest_thread_full },
    { "GET", "/openapi.json", ab_rest_openapi },
};

/* Whether the path is of this form; `named` is then the segment at the star, if there is one. */
static bool is_at(struct ab_str path, const char *form, struct ab_str *named)
{
    while (*form != '\0') {
        if (*form == '*') {
            const char *slash = memchr(path.data, '/', path.size);
            *named = (struct ab_str){ path.data, slash != NULL ? (size_t)(slash - path.data) : path.size };
            if (named->size == 0)
                return false;
            path.data += named->size;
            path.size -= named->size;
        } else if (path.size == 0 || *path.data != *form) {
            return false;
        } else {
            path.data++;
            path.size--;
        }
        form++;
    }
    return path.size == 0;
}

/* The route of this path and method; NULL and what would be taken there instead. */
static const struct route *find_route(const struct ab_http_request *request, struct ab_str *named,
                                      struct ab_buf *allowed)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_at(request->path, routes[i].path, named))
            continue;
        if (ab_str_is(request->method, routes[i].method))
            return &routes[i];
        ab_buf_printf(allowed, "%s%s", allowed->size > 0 ? ", " : "", routes[i].method);
    }
    return NULL;
}

static void refuse_route(struct ab_http_exchange *exchange, const char *allowed)
{
    const struct ab_http_header headers[] = { { "Allow", allowed } };
    struct ab_http_head head = { .status = 404, .content_type = "application/json" };

    if (allowed == NULL) {
        ab_http_respond(exchange, &head, AB_STR("{\"detail\":\"Not Found\"}"));
        return;
    }
    head.status = 405;
    head.headers = headers;
    head.n_headers = 1;
    ab_http_respond(exchange, &head, AB_STR("{\"detail\":\"Method Not Allowed\"}"));
}

void ab_rest_handle(struct ab_rest *rest, struct ab_http_exchange *exchange, const char *owner)
{
    struct ab_buf allowed = AB_BUF_INIT(64);
    struct ab_buf id = AB_BUF_INIT(2048);
    struct ab_str named = AB_STR("");
    const struct route *route = find_route(ab_http_request(exchange), &named, &allowed);
    struct ab_rest_call *call;

    if (route == NULL || !ab_http_decode_segment(named, &id) || (id.size > 0 && strlen(id.data) != id.size)) {
        refuse_route(exchange, route == NULL ? allowed.data : NULL);
    } else {
        call = ab_rest_call_new(rest, exchange, owner);
        call->id = named.size > 0 ? ab_buf_steal(&id) : NULL;
        route->handle(call);
    }
    ab_buf_deinit(&allowed);
    ab_buf_deinit(&id);
}

void ab_rest_openapi(struct ab_rest_call *call)
{
    ab_rest_answer(call, 200, ab_embedded("openapi.json"));
}
