/* The MCP face: every protocol version on one endpoint. */
#ifndef AB_MCP_MCP_H
#define AB_MCP_MCP_H

#include "auth/seal.h"
#include "auth/streams.h"
#include "task/engine.h"
#include "wire/http_server.h"

enum ab_on_disconnect { AB_DISCONNECT_GRACE, AB_DISCONNECT_CANCEL, AB_DISCONNECT_KEEP };

enum ab_tool_task_mode { AB_TOOL_TASK_AUTO, AB_TOOL_TASK_NEVER, AB_TOOL_TASK_ALWAYS };

/* An agent published as a tool of its own. JSON members are checked text; NULL where absent. Copied. */
struct ab_mcp_tool {
    const char *agent;
    const char *name;
    const char *title;
    const char *description;
    const char *input_schema_json;
    const char *output_schema_json;
    const char *annotations_json;
    const char *icons_json;
    const char *requires_json; /* client capabilities it cannot do without */
    enum ab_tool_task_mode task;
    bool ask_on_call; /* `ask`: "call" */
    bool can_ask;     /* the agent may pause with a question, so a call may be answered by the task's shape */
    enum ab_on_disconnect on_disconnect;
};

/* An agent each of whose skills is a tool of its own. Copied. */
struct ab_mcp_skills {
    const char *agent;
    enum ab_on_disconnect on_disconnect;
};

/* Borrowed ports outlive the face; the rest is copied. Times in ms; 0 takes the default in brackets. */
struct ab_mcp_settings {
    struct ab_engine *engine;
    struct ab_store *store; /* for the sessions' records */
    struct ab_loop *loop;
    const struct ab_sealer *sealer;
    struct ab_streams *streams; /* who may open one more; or NULL: everybody */
    const struct ab_log *log;
    struct ab_metrics *metrics;
    const char *default_agent; /* or NULL */
    const char *user_json;     /* {"id","email",...}: who the caller is where nobody signs in; or NULL */
    const struct ab_mcp_tool *tools;
    size_t n_tools;
    const struct ab_mcp_skills *skills;
    size_t n_skills;
    unsigned json_depth;         /* [64] */
    uint32_t grace_ms;           /* [2 s] before a call of a client with the Tasks extension gets its handle */
    uint32_t hold_ms;            /* [45 s] a call of any other client is held so long */
    uint32_t wait_max_ms;        /* [55 s] `wait_s` is lowered to this unless the host's profile says otherwise */
    uint32_t head_ms;            /* [250 ms] an end before that is plain JSON */
    uint32_t heartbeat_ms;       /* [10 s] */
    uint32_t poll_interval_ms;   /* [1 s] told to pollers */
    int64_t disconnect_grace_ms; /* [600 s] */
    enum ab_on_disconnect on_disconnect; /* for calls of `invoke` */
    uint32_t subscribed_tasks;           /* [100] a listen stream may name */
    int64_t keep_ms;                     /* [7 days] told as ttl: finished tasks are kept so long */
};

struct ab_mcp;

/* NULL when a tool's settings are wrong (a schema that does not compile, a name twice); `reason` (512) says which. */
AB_MUST struct ab_mcp *ab_mcp_new(const struct ab_mcp_settings *settings, char *reason, size_t reason_size);
/* Answers one request to /mcp. `owner` is the principal's opaque name. */
void ab_mcp_handle(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner);
/* Ends the streams that would otherwise stay open for ever (listen, GET), for a shutdown. */
void ab_mcp_drain(struct ab_mcp *mcp);
/* When no exchange is left. */
void ab_mcp_free(struct ab_mcp *mcp);

#endif
