/* The face: its agents, and the way from an address to the binding that it belongs to. */
#include "a2a/card.h"
#include "a2a/follow.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>

/* --- settings --- */

static const char *copy(const char *text)
{
    return ab_strdup(text);
}

static void drop(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void copy_agent(struct ab_a2a_agent_settings *out, const struct ab_a2a_agent_settings *from)
{
    *out = (struct ab_a2a_agent_settings){
        .agent = copy(from->agent),
        .version = copy(from->version),
        .skills_json = copy(from->skills_json),
        .input_modes_json = copy(from->input_modes_json),
        .output_modes_json = copy(from->output_modes_json),
        .extensions_json = copy(from->extensions_json),
        .provider_json = copy(from->provider_json),
        .documentation_url = copy(from->documentation_url),
        .icon_url = copy(from->icon_url),
    };
}

static void drop_agent(struct ab_a2a_agent_settings *settings)
{
    drop(settings->agent);
    drop(settings->version);
    drop(settings->skills_json);
    drop(settings->input_modes_json);
    drop(settings->output_modes_json);
    drop(settings->extensions_json);
    drop(settings->provider_json);
    drop(settings->documentation_url);
    drop(settings->icon_url);
}

const struct ab_a2a_agent_settings *ab_a2a_agent_settings(const struct ab_a2a *a2a, const char *agent)
{
    static const struct ab_a2a_agent_settings nothing = { 0 };

    for (size_t i = 0; i < a2a->n_published; i++)
        if (strcmp(a2a->published[i].settings.agent, agent) == 0)
            return &a2a->published[i].settings;
    return &nothing;
}

/* The configured default, or the only agent; NULL: the caller must choose. */
static const char *default_agent(const struct ab_a2a *a2a)
{
    const struct ab_agent_settings *first = ab_engine_agent_at(a2a->settings.engine, 0);

    if (a2a->settings.default_agent != NULL)
        return a2a->settings.default_agent;
    return first != NULL && ab_engine_agent_at(a2a->settings.engine, 1) == NULL ? first->id : NULL;
}

/* --- the face --- */

static void on_keep_alive(void *arg)
{
    struct ab_a2a *a2a = arg;
    struct ab_link *link = ab_list_first(&a2a->calls);

    for (; link != NULL; link = ab_list_next(&a2a->calls, link))
        ab_http_reply_comment(&AB_OWNER(link, struct ab_a2a_call, link)->reply);
    ab_timer_start(a2a->keep_alive, a2a->settings.heartbeat_ms);
}

void ab_a2a_note_time(const struct ab_a2a *a2a, char out[40])
{
    ab_time_format_http(ab_clock_wall_ms(&a2a->settings.loop->clock), out);
}

struct ab_a2a *ab_a2a_new(const struct ab_a2a_settings *settings)
{
    struct ab_a2a *a2a = ab_alloc(1, sizeof *a2a);

    a2a->settings = *settings;
    a2a->settings.json_depth = settings->json_depth > 0 ? settings->json_depth : 64;
    a2a->settings.head_ms = settings->head_ms > 0 ? settings->head_ms : 250;
    a2a->settings.heartbeat_ms = settings->heartbeat_ms > 0 ? settings->heartbeat_ms : 10000;
    a2a->settings.default_agent = copy(settings->default_agent);
    a2a->settings.user_json = copy(settings->user_json);
    a2a->settings.agents = NULL;
    a2a->published = ab_alloc(settings->n_agents + 1, sizeof *a2a->published);
    a2a->n_published = settings->n_agents;
    for (size_t i = 0; i < settings->n_agents; i++)
        copy_agent(&a2a->published[i].settings, &settings->agents[i]);
    for (size_t i = 0; i < settings->n_agents; i++)
        ab_a2a_note_time(a2a, a2a->published[i].modified);
    a2a->url = ab_strdup("http://localhost");
    ab_list_init(&a2a->calls);
    a2a->keep_alive = ab_timer_new(settings->loop, on_keep_alive, a2a);
    ab_timer_start(a2a->keep_alive, a2a->settings.heartbeat_ms);
    return a2a;
}

void ab_a2a_set_url(struct ab_a2a *a2a, const char *url)
{
    size_t size = strlen(url);

    while (size > 0 && url[size - 1] == '/')
        size--;
    free(a2a->url);
    a2a->url = ab_strndup(url, size);
}

const char *ab_a2a_url(const struct ab_a2a *a2a)
{
    return a2a->url;
}

void ab_a2a_drain(struct ab_a2a *a2a)
{
    struct ab_link *link = ab_list_first(&a2a->calls);

    a2a->draining = true;
    while (link != NULL) {
        struct ab_a2a_call *call = AB_OWNER(link, struct ab_a2a_call, link);
        link = ab_list_next(&a2a->calls, link);
        if (call->follow != NULL && ab_a2a_follow_is_open_ended(call->follow))
            ab_http_reply_end(&call->reply);
    }
}

void ab_a2a_free(struct ab_a2a *a2a)
{
    if (a2a == NULL)
        return;
    ab_timer_free(a2a->keep_alive);
    for (size_t i = 0; i < a2a->n_published; i++) {
        drop_agent(&a2a->published[i].settings);
        free(a2a->published[i].signature);
    }
    free(a2a->published);
    drop(a2a->settings.default_agent);
    drop(a2a->settings.user_json);
    free(a2a->url);
    free(a2a);
}

/* --- addresses --- */

static void respond_error(struct ab_http_exchange *exchange, unsigned status, const char *code, const char *allow,
                          const char *sentence)
{
    const struct ab_http_header headers[] = { { "Allow", allow } };
    struct ab_http_head head = {
        .status = status, .content_type = "application/json", .headers = headers, .n_headers = allow != NULL ? 1 : 0
    };
    struct ab_buf body = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "error");
    ab_json_object_begin(&writer);
    ab_json_put_int(&writer, "code", status);
    ab_json_put_text(&writer, "status", code);
    ab_json_put_text(&writer, "message", sentence);
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    ab_http_respond(exchange, &head, ab_buf_str(&body));
    ab_buf_deinit(&body);
}

/* There is no such agent, or no default: says which there are. */
static void refuse_without_agent(struct ab_a2a *a2a, struct ab_http_exchange *exchange)
{
    struct ab_buf sentence = AB_BUF_INIT(2048);
    const struct ab_agent_settings *agent;

    ab_buf_append_text(&sentence, "No agent is here: there are");
    for (size_t i = 0; (agent = ab_engine_agent_at(a2a->settings.engine, i)) != NULL && !sentence.full; i++)
        ab_buf_printf(&sentence, " /a2a/%s", agent->id);
    respond_error(exchange, 404, "NOT_FOUND", NULL, sentence.data);
    ab_buf_deinit(&sentence);
}

/* What may stand below /a2a when it is the default agent's. Nothing else: a misspelled agent is no tenant of it. */
static bool begins_own_path(struct ab_str segment)
{
    static const char *const names[] = {
        "", "message:send", "message:stream", "tasks", "extendedAgentCard", "v1", ".well-known",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ab_str_is(segment, names[i]))
            return true;
    return false;
}

/* Takes the agent's id off the path below /a2a; where there is none, it is the default agent's. NULL: there is none. */
static const char *take_agent(struct ab_a2a *a2a, struct ab_str *path)
{
    struct ab_buf id = AB_BUF_INIT(256);
    const struct ab_agent_settings *agent = NULL;
    struct ab_str rest;
    const char *slash;

    if (path->size > 1) {
        rest = (struct ab_str){ path->data + 1, path->size - 1 };
        slash = memchr(rest.data, '/', rest.size);
        rest.size = slash != NULL ? (size_t)(slash - rest.data) : rest.size;
        if (ab_http_decode_segment(rest, &id))
            agent = ab_engine_agent(a2a->settings.engine, id.data != NULL ? id.data : "");
        ab_buf_deinit(&id);
        if (agent != NULL) {
            *path = (struct ab_str){ rest.data + rest.size, path->size - rest.size - 1 };
            return agent->id;
        }
        if (!begins_own_path(rest))
            return NULL;
    }
    return default_agent(a2a);
}

static bool is_keys_path(struct ab_str path)
{
    return ab_str_is(path, "/.well-known/jwks.json");
}

static bool is_card_path(struct ab_str path)
{
    return ab_str_is(path, "/.well-known/agent-card.json") || ab_str_is(path, "/.well-known/agent.json");
}

static void handle_call(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *owner, const char *agent,
                        struct ab_str path)
{
    bool rpc = path.size == 0 || ab_str_is(path, "/");
    struct ab_a2a_call *call;

    if (rpc && !ab_str_is(ab_http_request(exchange)->method, "POST")) {
        respond_error(exchange, 405, "UNIMPLEMENTED", "POST",
                      "JSON-RPC is POSTed here; the card is at .well-known/agent-card.json below this address");
        return;
    }
    call = ab_a2a_call_new(a2a, exchange, agent);
    call->owner = ab_strdup(owner);
    call->principal = ab_strdup(owner);
    if (rpc) {
        ab_a2a_handle_jsonrpc(call);
    } else {
        call->path = ab_strndup(path.data, path.size);
        ab_a2a_handle_http(call);
    }
}

void ab_a2a_handle(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *owner)
{
    const struct ab_http_request *request = ab_http_request(exchange);
    struct ab_str path = request->path;
    const char *agent;

    if (is_keys_path(path)) {
        ab_a2a_keys_answer(a2a, exchange);
        return;
    }
    if (is_card_path(path)) {
        agent = default_agent(a2a);
    } else {
        path = (struct ab_str){ path.data + strlen("/a2a"), path.size - strlen("/a2a") };
        agent = take_agent(a2a, &path);
    }
    if (agent == NULL)
        refuse_without_agent(a2a, exchange);
    else if (!is_card_path(path))
        handle_call(a2a, exchange, owner, agent, path);
    else if (ab_str_is(request->method, "GET") || ab_str_is(request->method, "HEAD"))
        ab_a2a_card_answer(a2a, exchange, agent);
    else
        respond_error(exchange, 405, "UNIMPLEMENTED", "GET, HEAD", "A card is fetched with GET");
}
