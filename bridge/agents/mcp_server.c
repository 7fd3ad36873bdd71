/* Keeping in touch with a server: once it is known (mcp_connect.c) its tools are listed, and changes of the list
 * listened for. What was known last stays known while the server is down. */
#include "agents/mcp_server.h"

#include "agents/mcp_http.h"
#include "agents/mcp_stdio.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MS = 30000,
    RETRY_MS = 1000,
    RETRY_MAX_MS = 60000,
    MAX_TOOLS = 1000,
    MAX_PAGES = 200,
    MAX_SILENCES = 3,
    REFRESH_MS = 300 * 1000,
    CHANGE_MS = 1000 /* between two looks, however often the server says that its tools changed */
};

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

void mcp_server_go_down(struct mcp_server *server, const char *text)
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
    server->silences = 0;
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
        mcp_server_go_down(server, text);
    } else if (server->state == MCP_SERVER_DOWN) {
        mcp_server_connect(server);
    } else if (server->state == MCP_SERVER_READY) {
        list_tools(server, NULL);
    }
}

static void begin_anew(struct mcp_server *server)
{
    mcp_session_forget(server);
    server->silences = 0;
    disconnect(server, MCP_SERVER_IDLE, "the session with the server has ended");
    mcp_server_connect(server);
}

void mcp_server_renew(struct mcp_server *server)
{
    if (server->state != MCP_SERVER_READY) {
        return;
    }
    begin_anew(server);
}

/* --- sending --- */

int64_t mcp_server_next_id(struct mcp_server *server)
{
    return ++server->last_id;
}

struct mcp_exchange *mcp_server_send(struct mcp_server *server, int64_t id, const char *method, struct ab_str text,
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
    (void)mcp_server_send(server, 0, "", ab_buf_str(&message), ANSWER_MS, NULL);
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

void mcp_server_said(void *arg, const struct ab_jsonrpc_message *message)
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
        mcp_session_forget(server);
        mcp_server_go_down(server, text);
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
    static const struct mcp_exchange_events events = { .said = mcp_server_said,
                                                       .answered = on_changes_answered,
                                                       .failed = on_changes_failed };
    struct ab_mcp_client_message message;
    int64_t id = mcp_server_next_id(server);
    ab_mcp_client_begin(&message, &server->words, id, "subscriptions/listen", false);
    ab_json_put_raw(&message.writer, "notifications", "{\"toolsListChanged\":true}");
    ab_mcp_client_end(&message);
    server->changes = mcp_server_send(server, id, "subscriptions/listen", ab_buf_str(&message.text), 0, &events);
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

/* Whether the session of before is given up: whatever the server says, it does not know that one. Who is away may know
 * it when he is back; who lets it time out over and over may have lost what stood behind it. */
static bool gives_session_up(struct mcp_server *server, enum mcp_failure failure)
{
    if (!server->recalled || failure == MCP_UNREACHABLE) {
        return false;
    }
    return failure != MCP_TIMED_OUT || ++server->silences == MAX_SILENCES;
}

static void on_tools_failed(void *arg, enum mcp_failure failure, unsigned status, const char *text)
{
    struct mcp_server *server = arg;
    (void)status;
    server->exchange = NULL;
    if (server->state != MCP_SERVER_READY && gives_session_up(server, failure)) {
        begin_anew(server);
    } else if (server->state != MCP_SERVER_READY) {
        mcp_server_go_down(server, text);
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

void mcp_server_list_tools(struct mcp_server *server)
{
    server->state = MCP_SERVER_LISTING;
    list_tools(server, NULL);
}

/* `cursor` NULL: from the beginning. */
static void list_tools(struct mcp_server *server, const char *cursor)
{
    static const struct mcp_exchange_events events = { .said = mcp_server_said,
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
    server->exchange = mcp_server_send(server, id, "tools/list", ab_buf_str(&text), ANSWER_MS, &events);
    ab_buf_deinit(&text);
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
    static const struct mcp_transport_events heard = { .said = mcp_server_said, .lost = on_lost };
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
    server->url = ab_strdup(settings->url);
    server->store = settings->store;
    server->sealer = settings->sealer;
    server->timer = ab_timer_new(settings->loop, on_timer, server);
    ab_list_init(&server->waiters);
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
    free(server->url);
    free(server->open_fault);
    free(server->id);
    free(server);
}
