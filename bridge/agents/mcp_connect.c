/* Getting to know a server. Its era is found as MCP 2026-07-28 says (basic/versioning): server/discover first; whoever
 * does not answer it as a modern server would is asked to initialize. A session of before is gone on with. */
#include "agents/mcp_server.h"

#include "base/mem.h"

enum {
    ANSWER_MS = 30000,
    PROBE_MS = 5000, /* a legacy program may not answer server/discover at all */
    MAX_PROBES = 3,
    REASON_SIZE = 512
};

static void discover(struct mcp_server *server);

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
        mcp_server_go_down(server, why);
    } else {
        mcp_server_go_down(server, text);
    }
}

static void give_up_for_error(struct mcp_server *server, struct ab_json error)
{
    AB_CLEANUP(ab_free_string) char *said = ab_json_string_dup(ab_json_member(error, "message"));
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("the server refused to be connected: %s", said != NULL ? said : "no reason given");
    mcp_server_go_down(server, text);
}

static void on_noted(void *arg, const struct ab_jsonrpc_message *response)
{
    struct mcp_server *server = arg;
    (void)response;
    server->exchange = NULL;
    mcp_server_list_tools(server);
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
        give_up_for_error(server, response->error);
        return;
    }
    bool good = ab_mcp_client_read_initialize(response->result, &described, reason, sizeof reason);
    ab_mcp_client_server_deinit(&server->described);
    server->described = described;
    if (!good) {
        mcp_server_go_down(server, reason);
        return;
    }
    server->words.version = described.version;
    server->transport->version = described.version;
    mcp_session_keep(server, response->result);
    ab_mcp_client_write_plain(&text, &server->words, 0, "notifications/initialized", NULL, NULL);
    server->exchange = mcp_server_send(server, 0, "notifications/initialized", ab_buf_str(&text), ANSWER_MS, &events);
    ab_buf_deinit(&text);
}

static void initialize(struct mcp_server *server)
{
    static const struct mcp_exchange_events events = { .said = mcp_server_said,
                                                       .answered = on_initialized,
                                                       .failed = on_connect_failed };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int64_t id = mcp_server_next_id(server);
    server->transport->version = NULL;
    server->words.version =
        server->pinned != NULL ? ab_mcp_version_find(ab_str(server->pinned)) : ab_mcp_version_newest(AB_MCP_LEGACY);
    ab_mcp_client_write_initialize(&text, &server->words, id);
    server->exchange = mcp_server_send(server, id, "initialize", ab_buf_str(&text), ANSWER_MS, &events);
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
            give_up_for_error(server, response->error);
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
        mcp_server_list_tools(server);
    } else if (may_fall_back(server)) {
        initialize(server);
    } else {
        mcp_server_go_down(server, reason);
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
    static const struct mcp_exchange_events events = { .said = mcp_server_said,
                                                       .answered = on_discovered,
                                                       .failed = on_discover_failed };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int64_t id = mcp_server_next_id(server);
    server->probes++;
    ab_mcp_client_write_plain(&text, &server->words, id, "server/discover", NULL, NULL);
    server->exchange = mcp_server_send(server, id, "server/discover", ab_buf_str(&text), PROBE_MS, &events);
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
    server->recalled = mcp_session_recall(server);
    if (server->recalled) {
        mcp_server_list_tools(server);
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
