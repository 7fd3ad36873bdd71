/* Getting to know a server and keeping in touch with it.
 *
 * The era is found as MCP 2026-07-28 says (basic/versioning): server/discover first; whoever does not answer it as a
 * modern server would is asked to initialize. Then the tools are listed, and changes of the list listened for. What was
 * known last stays known while the server is down. */
#include "agents/mcp_server.h"

#include "agents/mcp_http.h"
#include "agents/mcp_stdio.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MS = 30000,
    PROBE_MS = 5000, /* a legacy program may not answer server/discover at all */
    RETRY_MS = 1000,
    RETRY_MAX_MS = 60000,
    MAX_TOOLS = 1000,
    MAX_PAGES = 200,
    MAX_PROBES = 3,
    REFRESH_MS = 300 * 1000,
    CHANGE_MS = 1000, /* between two looks, however often the server says that its tools changed */
    REASON_SIZE = 512
};

static void discover(struct mcp_server *server);
static void initialize(struct mcp_server *server);
static void list_tools(struct mcp_server *server, const char *cursor);

/* --- those who wait --- */

static void tell_waiters(struct mcp_server *server, const char *text)
{
    struct ab_list waiting;
    struct ab_link *link;
    ab_list_init(&waiting);
    ab_list_take(&waiting, &server->waiters);
    while ((link = ab_list_first(&waiting)) != NULL) {
        struct mcp_waiter *waiter = AB_OWNER(link, struct mcp_waiter, link);
        ab_link_remove(link);
        waiter->ready(waiter, text);
    }
}

bool mcp_server_wait(struct mcp_server *server, struct mcp_waiter *waiter)
{
    if (server->state == MCP_SERVER_READY) {
        return true;
    }
    ab_list_append(&server->waiters, &waiter->link);
    mcp_server_connect(server);
    return false;
}

/* --- states --- */

static uint64_t backoff(const struct mcp_server *server)
{
    uint64_t wait = RETRY_MS;
    for (unsigned i = 0; i < server->failures && wait < RETRY_MAX_MS; i++) {
        wait *= 2;
    }
    return wait < RETRY_MAX_MS ? wait : (uint64_t)RETRY_MAX_MS;
}

/* The session and all that is under way in it are given up. */
static void disconnect(struct mcp_server *server, enum mcp_server_state state, const char *text)
{
    server->state = state;
    server->exchange = NULL;
    server->changes = NULL;
    mcp_tools_free(server->listed);
    server->listed = NULL;
    server->transport->ops->close(server->transport);
    server->events->cut_off(server->arg, text);
}

static void go_down(struct mcp_server *server, const char *text)
{
    ab_log(server->log, AB_LOG_WARNING, "mcp", "the server cannot be had", "agent", server->id, "reason", text, NULL);
    disconnect(server, MCP_SERVER_DOWN, text);
    ab_timer_start(server->timer, backoff(server));
    server->failures++;
    tell_waiters(server, text);
}

static void listen_for_changes(struct mcp_server *server);

static void become_ready(struct mcp_server *server)
{
    bool first = server->state != MCP_SERVER_READY;
    mcp_tools_free(server->tools);
    server->tools = server->listed;
    server->listed = NULL;
    server->state = MCP_SERVER_READY;
    server->failures = first ? 0 : server->failures;
    server->probes = 0;
    if (server->tools->dropped > 0) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", server->tools->dropped);
        ab_log(server->log, AB_LOG_WARNING, "mcp", "not all tools of the server can be used", "agent", server->id,
               "left_out", number, NULL);
    }
    if (server->seat != NULL) {
        mcp_tools_describe(server->tools, &server->described, server->seat);
    }
    ab_timer_start(server->timer, server->refresh_ms);
    listen_for_changes(server);
    if (first) {
        tell_waiters(server, NULL);
    }
}

static void on_timer(void *arg)
{
    struct mcp_server *server = arg;
    if (server->open_fault != NULL) {
        AB_CLEANUP(ab_free_string) char *text = server->open_fault;
        server->open_fault = NULL;
        go_down(server, text);
    } else if (server->state == MCP_SERVER_DOWN) {
        mcp_server_connect(server);
    } else if (server->state == MCP_SERVER_READY) {
        list_tools(server, NULL);
    }
}

void mcp_server_renew(struct mcp_server *server)
{
    if (server->state != MCP_SERVER_READY) {
        return;
    }
    disconnect(server, MCP_SERVER_IDLE, "the session with the server has ended");
    mcp_server_connect(server);
}

/* --- sending --- */

int64_t mcp_server_next_id(struct mcp_server *server)
{
    return ++server->last_id;
}

static struct mcp_exchange *send_text(struct mcp_server *server, int64_t id, const char *method, struct ab_str text,
                                      uint32_t timeout_ms, const struct mcp_exchange_events *events)
{
    struct mcp_outgoing outgoing = { .id = id, .method = method, .text = text, .timeout_ms = timeout_ms };
    return server->transport->ops->send(server->transport, &outgoing, events, server);
}

void mcp_server_respond(struct mcp_server *server, struct ab_json id, const char *result, int64_t code,
                        const char *text)
{
    struct ab_buf message = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (result != NULL) {
        ab_jsonrpc_write_result(&message, id, ab_str(result));
    } else {
        ab_jsonrpc_write_error(&message, id, code, text, NULL);
    }
    (void)send_text(server, 0, "", ab_buf_str(&message), ANSWER_MS, NULL);
    ab_buf_deinit(&message);
}

/* --- what it says on its own --- */

static void look_soon(struct mcp_server *server)
{
    int64_t since_ms = (ab_clock_monotonic_us(&server->loop->clock) - server->listed_us) / 1000;
    if (since_ms >= CHANGE_MS) {
        list_tools(server, NULL);
    } else {
        ab_timer_start(server->timer, (uint64_t)(CHANGE_MS - since_ms));
    }
}

static void note_change(struct mcp_server *server)
{
    if (server->state == MCP_SERVER_READY && server->exchange == NULL) {
        look_soon(server);
    } else {
        server->changed = true;
    }
}

bool mcp_server_hears(struct mcp_server *server, const struct ab_jsonrpc_message *message)
{
    if (strcmp(message->method, "notifications/tools/list_changed") == 0) {
        note_change(server);
        return true;
    }
    if (message->kind == AB_JSONRPC_REQUEST && strcmp(message->method, "ping") == 0) {
        mcp_server_respond(server, message->id, "{}", 0, NULL);
        return true;
    }
    return false;
}

static void on_said(void *arg, const struct ab_jsonrpc_message *message)
{
    struct mcp_server *server = arg;
    if (!mcp_server_hears(server, message)) {
        server->events->stray(server->arg, message);
    }
}

static void on_lost(void *arg, const char *text)
{
    struct mcp_server *server = arg;
    if (server->state != MCP_SERVER_DOWN) {
        go_down(server, text);
    }
}

/* Modern: one long request. When it breaks off, the list is looked at again, and then listened for anew; a server that
 * refuses it tells nothing. */
static void on_changes_answered(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_server *server = arg;
    server->changes = NULL;
    if (ab_json_exists(response->error)) {
        server->described.tells_changes = false;
    } else {
        ab_timer_start(server->timer, backoff(server));
        server->failures++;
    }
}

static void on_changes_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_server *server = arg;
    (void)failure;
    (void)status;
    server->changes = NULL;
    ab_timer_start(server->timer, backoff(server));
    server->failures++;
    ab_log(server->log, AB_LOG_DEBUG, "mcp", "changes of the server's tools are not told", "agent", server->id,
           "reason", text, NULL);
}

static void subscribe(struct mcp_server *server)
{
    static const struct mcp_exchange_events events = { .said = on_said,
                                                       .answered = on_changes_answered,
                                                       .failed = on_changes_failed };
    struct ab_mcp_client_message message;
    int64_t id = mcp_server_next_id(server);
    ab_mcp_client_begin(&message, &server->words, id, "subscriptions/listen", false);
    ab_json_put_raw(&message.writer, "notifications", "{\"toolsListChanged\":true}");
    ab_mcp_client_end(&message);
    server->changes = send_text(server, id, "subscriptions/listen", ab_buf_str(&message.text), 0, &events);
    ab_buf_deinit(&message.text);
}

static void listen_for_changes(struct mcp_server *server)
{
    if (server->words.version->era == AB_MCP_LEGACY) {
        server->transport->ops->listen(server->transport);
    } else if (server->described.tells_changes && server->changes == NULL) {
        subscribe(server);
    }
}

/* --- the list of tools --- */

static void on_tools_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_server *server = arg;
    (void)status;
    server->exchange = NULL;
    if (server->state != MCP_SERVER_READY) {
        go_down(server, text);
    } else if (failure == MCP_SESSION_GONE) {
        mcp_server_renew(server);
    } else { /* what was known stays; it is looked for again in a while */
        mcp_tools_free(server->listed);
        server->listed = NULL;
        ab_log(server->log, AB_LOG_WARNING, "mcp", "the server's tools could not be listed", "agent", server->id,
               "reason", text, NULL);
        ab_timer_start(server->timer, backoff(server));
        server->failures++;
    }
}

static void end_of_list(struct mcp_server *server)
{
    bool again = server->changed;
    server->changed = false;
    become_ready(server);
    if (again) {
        look_soon(server);
    }
}

static void on_tools(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_server *server = arg;
    struct ab_json next = ab_json_member(response->result, "nextCursor");
    int64_t code = 0;
    server->exchange = NULL;
    (void)!ab_json_int(ab_json_member(response->error, "code"), &code);
    if (ab_json_exists(response->error) && code != AB_JSONRPC_METHOD_NOT_FOUND) {
        AB_CLEANUP(ab_free_string) char *said = ab_json_string_dup(ab_json_member(response->error, "message"));
        on_tools_failed(server, MCP_REFUSED, 0, said != NULL ? said : "the server refused to list its tools");
        return;
    }
    mcp_tools_add(server->listed, ab_json_member(response->result, "tools"), server);
    AB_CLEANUP(ab_free_string) char *cursor = ab_json_string_dup(next);
    if (cursor != NULL && ++server->pages < MAX_PAGES && !mcp_tools_full(server->listed, server)) {
        list_tools(server, cursor);
    } else {
        end_of_list(server);
    }
}

/* `cursor` NULL: from the beginning. */
static void list_tools(struct mcp_server *server, const char *cursor)
{
    static const struct mcp_exchange_events events = { .said = on_said,
                                                       .answered = on_tools,
                                                       .failed = on_tools_failed };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int64_t id = mcp_server_next_id(server);
    if (server->exchange != NULL) {
        return;
    }
    if (cursor == NULL) {
        mcp_tools_free(server->listed);
        server->listed = mcp_tools_new();
        server->listed_us = ab_clock_monotonic_us(&server->loop->clock);
        server->pages = 0;
    }
    ab_mcp_client_write_plain(&text, &server->words, id, "tools/list", "cursor", cursor);
    server->exchange = send_text(server, id, "tools/list", ab_buf_str(&text), ANSWER_MS, &events);
    ab_buf_deinit(&text);
}

/* --- initialize --- */

static void on_connect_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_server *server = arg;
    (void)status;
    server->exchange = NULL;
    if (failure == MCP_SIGN_IN) {
        AB_CLEANUP(ab_free_string)
        char *why =
            ab_format("%s: it wants a sign-in; agents.%s.api_key is what the bridge can give", text, server->id);
        go_down(server, why);
    } else {
        go_down(server, text);
    }
}

static void go_down_for_error(struct mcp_server *server, struct ab_json error)
{
    AB_CLEANUP(ab_free_string) char *said = ab_json_string_dup(ab_json_member(error, "message"));
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("the server refused to be connected: %s", said != NULL ? said : "no reason given");
    go_down(server, text);
}

static void on_noted(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_server *server = arg;
    (void)response;
    server->exchange = NULL;
    server->state = MCP_SERVER_LISTING;
    list_tools(server, NULL);
}

static void on_initialized(void *arg, const struct ab_jsonrpc_message *response)
{
    static const struct mcp_exchange_events events = { .answered = on_noted, .failed = on_connect_failed };
    struct mcp_server *server = arg;
    struct ab_mcp_client_server described;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char reason[REASON_SIZE];
    server->exchange = NULL;
    if (ab_json_exists(response->error)) {
        go_down_for_error(server, response->error);
        return;
    }
    bool good = ab_mcp_client_read_initialize(response->result, &described, reason, sizeof reason);
    ab_mcp_client_server_deinit(&server->described);
    server->described = described;
    if (!good) {
        go_down(server, reason);
        return;
    }
    server->words.version = described.version;
    server->transport->version = described.version;
    ab_mcp_client_write_plain(&text, &server->words, 0, "notifications/initialized", NULL, NULL);
    server->exchange = send_text(server, 0, "notifications/initialized", ab_buf_str(&text), ANSWER_MS, &events);
    ab_buf_deinit(&text);
}

static void initialize(struct mcp_server *server)
{
    static const struct mcp_exchange_events events = { .said = on_said,
                                                       .answered = on_initialized,
                                                       .failed = on_connect_failed };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int64_t id = mcp_server_next_id(server);
    server->transport->version = NULL;
    server->words.version =
        server->pinned != NULL ? ab_mcp_version_find(ab_str(server->pinned)) : ab_mcp_version_newest(AB_MCP_LEGACY);
    ab_mcp_client_write_initialize(&text, &server->words, id);
    server->exchange = send_text(server, id, "initialize", ab_buf_str(&text), ANSWER_MS, &events);
    ab_buf_deinit(&text);
}

/* --- server/discover --- */

static bool may_fall_back(const struct mcp_server *server)
{
    return server->pinned == NULL;
}

static void on_discovered(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_server *server = arg;
    struct ab_mcp_client_server described;
    char reason[REASON_SIZE];
    const struct ab_mcp_version *other = ab_mcp_client_supported(response->error);
    server->exchange = NULL;
    if (other != NULL && other->era == AB_MCP_MODERN && server->probes < MAX_PROBES) {
        server->words.version = other;
        server->transport->version = other;
        discover(server);
        return;
    }
    if (ab_json_exists(response->error)) {
        /* A modern server that has only older versions in common says so by its list. */
        bool stays = ab_mcp_client_is_modern_error(response->error) && (other == NULL || other->era == AB_MCP_MODERN);
        if (stays || !may_fall_back(server)) {
            go_down_for_error(server, response->error);
        } else {
            initialize(server);
        }
        return;
    }
    bool good = ab_mcp_client_read_discover(response->result, &described, reason, sizeof reason);
    ab_mcp_client_server_deinit(&server->described);
    server->described = described;
    if (good) {
        server->words.version = described.version;
        server->transport->version = described.version;
        server->state = MCP_SERVER_LISTING;
        list_tools(server, NULL);
    } else if (may_fall_back(server)) {
        initialize(server);
    } else {
        go_down(server, reason);
    }
}

static void on_discover_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_server *server = arg;
    bool unknown =
        (failure == MCP_REFUSED && status >= 400 && status < 500) || failure == MCP_TIMED_OUT || failure == MCP_BROKEN;
    server->exchange = NULL;
    server->unprobed = failure == MCP_BROKEN;
    if (unknown && may_fall_back(server)) {
        initialize(server);
    } else {
        on_connect_failed(server, failure, status, text);
    }
}

static void discover(struct mcp_server *server)
{
    static const struct mcp_exchange_events events = { .said = on_said,
                                                       .answered = on_discovered,
                                                       .failed = on_discover_failed };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int64_t id = mcp_server_next_id(server);
    server->probes++;
    ab_mcp_client_write_plain(&text, &server->words, id, "server/discover", NULL, NULL);
    server->exchange = send_text(server, id, "server/discover", ab_buf_str(&text), PROBE_MS, &events);
    ab_buf_deinit(&text);
}

void mcp_server_connect(struct mcp_server *server)
{
    char reason[REASON_SIZE];
    if (server->state != MCP_SERVER_IDLE && server->state != MCP_SERVER_DOWN) {
        return;
    }
    server->state = MCP_SERVER_CONNECTING;
    ab_timer_stop(server->timer);
    if (!server->transport->ops->open(server->transport, reason, sizeof reason)) {
        ab_replace(&server->open_fault, reason);
        ab_timer_start(server->timer, 0);
        return;
    }
    const struct ab_mcp_version *version =
        server->pinned != NULL ? ab_mcp_version_find(ab_str(server->pinned)) : ab_mcp_version_newest(AB_MCP_MODERN);
    bool unprobed = server->unprobed && may_fall_back(server);
    server->unprobed = false; /* the next time it is asked again */
    server->words.version = version;
    server->probes = 0;
    if (version->era == AB_MCP_MODERN && !unprobed) {
        discover(server);
    } else {
        initialize(server);
    }
}

/* --- the rest --- */

void mcp_server_leave(struct mcp_server *server, void (*left)(void *arg), void *arg)
{
    server->state = MCP_SERVER_LEFT;
    server->exchange = NULL;
    server->changes = NULL;
    ab_timer_stop(server->timer);
    server->transport->ops->leave(server->transport, left, arg);
}

const struct ab_mcp_client_tool *mcp_server_tool(const struct mcp_server *server, const char *name)
{
    for (size_t i = 0; server->tools != NULL && i < server->tools->n; i++) {
        if (strcmp(server->tools->items[i].name, name) == 0) {
            return &server->tools->items[i];
        }
    }
    return NULL;
}

struct mcp_server *mcp_server_new(const struct ab_mcp_agent_settings *settings, const struct mcp_server_events *events,
                                  void *arg)
{
    static const struct mcp_transport_events heard = { .said = on_said, .lost = on_lost };
    struct mcp_server *server = ab_alloc(1, sizeof *server);
    server->events = events;
    server->arg = arg;
    server->id = ab_strdup(settings->id);
    server->pinned = ab_strdup(settings->version);
    server->capabilities = (uint32_t)AB_MCP_CAN_FORM | (uint32_t)AB_MCP_CAN_URL | (uint32_t)AB_MCP_CAN_TASKS |
                           (settings->sampling ? (uint32_t)AB_MCP_CAN_SAMPLE : 0) |
                           (settings->roots ? (uint32_t)AB_MCP_CAN_ROOTS : 0);
    server->words.capabilities = server->capabilities;
    server->max_tools = settings->max_tools > 0 ? settings->max_tools : (uint32_t)MAX_TOOLS;
    server->refresh_ms = settings->refresh_ms > 0 ? settings->refresh_ms : (uint32_t)REFRESH_MS;
    server->loop = settings->loop;
    server->log = settings->log;
    server->timer = ab_timer_new(settings->loop, on_timer, server);
    ab_list_init(&server->waiters);
    server->over_http = settings->url != NULL;
    server->transport =
        settings->url != NULL ? mcp_http_new(settings, &heard, server) : mcp_stdio_new(settings, &heard, server);
    return server;
}

void mcp_server_free(struct mcp_server *server)
{
    server->transport->ops->free(server->transport);
    ab_timer_free(server->timer);
    mcp_tools_free(server->tools);
    mcp_tools_free(server->listed);
    ab_mcp_client_server_deinit(&server->described);
    free(server->pinned);
    free(server->open_fault);
    free(server->id);
    free(server);
}
