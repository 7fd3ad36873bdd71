/* The other side of MCP: what the bridge says to a server whose tools it calls, and what it reads in the answers. Bytes
 * in, messages out; who carries them is agents/'s business. */
#ifndef AB_MCP_CLIENT_MESSAGE_H
#define AB_MCP_CLIENT_MESSAGE_H

#include "mcp/session.h"
#include "mcp/version.h"
#include "wire/jsonrpc.h"

/* --- writing --- */

/* How this client speaks to this server. */
struct ab_mcp_client_words {
    const struct ab_mcp_version *version; /* the one agreed on, or to be proposed */
    uint32_t capabilities;                /* enum ab_mcp_capability: what our callers can be asked */
};

/* A message under construction: `writer` stands inside its `params`. */
struct ab_mcp_client_message {
    struct ab_buf text;
    struct ab_json_writer writer;
};

/* Begins a request (`id` > 0) or a notification (0). Modern requests say of themselves what they need (2026-07-28,
 * basic: `_meta`). With `follow`, the id is the progress token as well, and log messages are welcome. */
void ab_mcp_client_begin(struct ab_mcp_client_message *message, const struct ab_mcp_client_words *words, int64_t id,
                         const char *method, bool follow);
/* Ends it; `message->text` is the caller's to free. */
void ab_mcp_client_end(struct ab_mcp_client_message *message);

/* The whole message at once. */
void ab_mcp_client_write_initialize(struct ab_buf *out, const struct ab_mcp_client_words *words, int64_t id);
void ab_mcp_client_write_plain(struct ab_buf *out, const struct ab_mcp_client_words *words, int64_t id,
                               const char *method, const char *key, const char *value);
void ab_mcp_client_write_cancelled(struct ab_buf *out, const struct ab_mcp_client_words *words, int64_t id);

/* A header's value as 2026-07-28 wants it: plain where it can be, else "=?base64?...?=". */
void ab_mcp_client_write_header_value(struct ab_buf *out, struct ab_str value);

/* --- reading --- */

/* What a server says of itself; strings owned, NULL where absent. */
struct ab_mcp_client_server {
    const struct ab_mcp_version *version;
    char *title; /* or its name */
    char *server_version;
    char *instructions;
    bool tools;
    bool tells_changes; /* tools.listChanged */
    bool core_tasks;    /* 2025-11-25: takes params.task on tools/call, and tasks/cancel */
};

/* The results of `initialize` and `server/discover`. False: `reason` (256) says what is wrong with them; `out` needs
 * deinit either way. */
AB_MUST bool ab_mcp_client_read_initialize(struct ab_json result, struct ab_mcp_client_server *out, char *reason,
                                           size_t reason_size);
AB_MUST bool ab_mcp_client_read_discover(struct ab_json result, struct ab_mcp_client_server *out, char *reason,
                                         size_t reason_size);
void ab_mcp_client_server_deinit(struct ab_mcp_client_server *server);

/* Whether only a server of the modern era gives such an error (2026-07-28, basic/versioning: how a client tells). */
bool ab_mcp_client_is_modern_error(struct ab_json error);
/* Of an error -32022: the newest version that both speak, or NULL. */
const struct ab_mcp_version *ab_mcp_client_supported(struct ab_json error);

/* notifications/progress. False when it is none, or not for this token. `message` is the caller's, or NULL. */
struct ab_mcp_client_progress {
    double value;
    double total; /* NaN: none */
    char *message;
};
AB_MUST bool ab_mcp_client_read_progress(struct ab_json params, int64_t token, struct ab_mcp_client_progress *out);
/* notifications/message: the text of its data, with the logger's name before it; the caller frees. `level` is one of
 * the protocol's names, a literal. */
AB_MUST char *ab_mcp_client_read_log(struct ab_json params, const char **level);

#endif
