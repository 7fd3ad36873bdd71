/* A session's record. Some servers tie their tasks to the session in which these were made, so that a new one would
 * lose them. It is bound to the agent and its address, and sealed: whoever has the session's id can speak for the
 * bridge. */
#include "agents/mcp_server.h"

#include "base/mem.h"

enum { BODY_BYTES = 64 << 10 };

/* One that rests for longer begins anew. */
#define KEEP_MS ((int64_t)30 * 24 * 3600 * 1000)

static const char record_kind[] = "mcp-agent-session";

static char *bound_to(const struct mcp_server *server)
{
    return ab_format("%s\n%s", server->id, server->url);
}

void mcp_session_keep(struct mcp_server *server, struct ab_json initialized)
{
    struct ab_buf text = AB_BUF_INIT(BODY_BYTES);
    struct ab_buf sealed = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    server->session_gone = false;
    if (server->store == NULL || server->transport->session_id == NULL) {
        return; /* a program has no address to bind it to, either */
    }
    AB_CLEANUP(ab_free_string) char *bound = bound_to(server);
    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "session", server->transport->session_id);
    ab_json_put_value(&writer, "initialized", initialized);
    ab_json_object_end(&writer);
    if (!text.full && ab_seal(server->sealer, record_kind, ab_str(bound), ab_buf_str(&text), &sealed) == AB_OK) {
        struct ab_store_record record = { .kind = record_kind,
                                          .id = server->id,
                                          .expires_at = ab_clock_wall_ms(&server->loop->clock) + KEEP_MS,
                                          .body = ab_buf_str(&sealed) };
        server->store->ops->put_record(server->store, &record, NULL, NULL);
    }
    ab_buf_deinit(&sealed);
    ab_buf_deinit(&text);
}

struct opened {
    const struct mcp_server *server;
    struct ab_buf text;
    bool whole;
};

static bool open_record(void *arg, const struct ab_store_record *record)
{
    struct opened *opened = arg;
    AB_CLEANUP(ab_free_string) char *bound = bound_to(opened->server);
    opened->whole = ab_unseal(opened->server->sealer, record_kind, ab_str(bound), record->body, &opened->text);
    return false;
}

/* False: the configuration names another version since. */
static bool take_up(struct mcp_server *server, struct ab_json kept)
{
    struct ab_mcp_client_server described;
    char reason[256];
    bool good = ab_mcp_client_read_initialize(ab_json_member(kept, "initialized"), &described, reason, sizeof reason) &&
                (server->pinned == NULL || ab_mcp_version_find(ab_str(server->pinned)) == described.version);
    if (!good) {
        ab_mcp_client_server_deinit(&described);
        return false;
    }
    ab_mcp_client_server_deinit(&server->described);
    server->described = described;
    server->words.version = described.version;
    server->transport->version = described.version;
    server->transport->session_id = ab_json_string_dup(ab_json_member(kept, "session"));
    return true;
}

bool mcp_session_recall(struct mcp_server *server)
{
    struct opened opened = { .server = server, .text = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    if (server->store == NULL || server->url == NULL || server->session_gone) {
        return false;
    }
    (void)server->store->ops->get_record(server->store, record_kind, server->id, open_record, &opened);
    bool good = opened.whole && take_up(server, ab_json_trusted(opened.text.data));
    if (good) { /* ids of requests are never used twice in a session (MCP 2025-11-25, basic) */
        int64_t now = ab_clock_wall_ms(&server->loop->clock);
        server->last_id = server->last_id > now ? server->last_id : now;
    }
    ab_buf_deinit(&opened.text);
    return good;
}

/* A store removes it later; until then it must not be found. */
void mcp_session_forget(struct mcp_server *server)
{
    server->session_gone = true;
    if (server->store != NULL && server->transport->session_id != NULL) {
        server->store->ops->remove_record(server->store, record_kind, server->id, NULL, NULL);
    }
}
