/* Legacy sessions: the id itself seals what `initialize` fixed, so it outlives a restart and costs no memory. What
 * changes later (log level, deletion) is a small record in the store, written only when used. */
#ifndef AB_MCP_SESSION_H
#define AB_MCP_SESSION_H

#include "agentbridge/store.h"
#include "auth/seal.h"
#include "mcp/version.h"
#include "wire/json.h"

/* What a client said it can do. */
enum ab_mcp_capability {
    AB_MCP_CAN_FORM = 1 << 0, /* elicitation, form mode */
    AB_MCP_CAN_URL = 1 << 1,  /* elicitation, url mode */
    AB_MCP_CAN_SAMPLE = 1 << 2,
    AB_MCP_CAN_ROOTS = 1 << 3,
    AB_MCP_CAN_TASKS = 1 << 4 /* the Tasks extension (modern) */
};

#define AB_MCP_SESSION_ID_SIZE 33
#define AB_MCP_CLIENT_NAME_SIZE 64

struct ab_mcp_session {
    char id[AB_MCP_SESSION_ID_SIZE];
    const struct ab_mcp_version *version;
    uint32_t capabilities;
    char client_name[AB_MCP_CLIENT_NAME_SIZE];
};

/* The bits of a `capabilities` or `clientCapabilities` object. */
uint32_t ab_mcp_capabilities_read(struct ab_json capabilities);
/* The object with these bits, appended: {"sampling":{},...}. */
void ab_mcp_capabilities_write(struct ab_json_writer *writer, uint32_t capabilities);

/* Appends the token that stands for this session of this owner. < 0: a fault. */
AB_MUST int ab_mcp_session_seal(const struct ab_sealer *sealer, const char *owner, const struct ab_mcp_session *session,
                                struct ab_buf *token);
/* False when the token is not ours, or another owner's. */
AB_MUST bool ab_mcp_session_open(const struct ab_sealer *sealer, const char *owner, struct ab_str token,
                                 struct ab_mcp_session *out);

/* What was recorded of a session. */
struct ab_mcp_session_record {
    bool deleted;
    int log_level; /* as ab_mcp_level_parse; -1: never set */
};
AB_MUST int ab_mcp_session_load(struct ab_store *store, const char *id, struct ab_mcp_session_record *out);
/* Kept until `expires_at` (ms since the epoch). `done` as for every commit. */
void ab_mcp_session_save(struct ab_store *store, const char *id, const char *owner,
                         const struct ab_mcp_session_record *record, int64_t expires_at, ab_store_done_fn done,
                         void *arg);

#endif
