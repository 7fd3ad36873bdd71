/* How messages get to an MCP server and back: over HTTP (mcp_http.c) or through a program's pipes (mcp_stdio.c). Shared
 * by the files of the `mcp` agent; nobody else includes it. */
#ifndef AB_AGENTS_MCP_TRANSPORT_H
#define AB_AGENTS_MCP_TRANSPORT_H

#include "mcp/version.h"
#include "wire/jsonrpc.h"

struct mcp_exchange; /* one message under way, with what comes back for it */

enum mcp_failure {
    MCP_UNREACHABLE, /* it never got there */
    MCP_BROKEN,      /* no answer came, or none that can be read */
    MCP_TIMED_OUT,
    MCP_TOO_LARGE,
    MCP_REFUSED,      /* an HTTP status, and no answer in words of MCP */
    MCP_SIGN_IN,      /* HTTP 401 or 403 */
    MCP_SESSION_GONE, /* the server has forgotten the session; the message was not taken */
};

struct mcp_exchange_events {
    /* A notification or request of the server's that came with this exchange. */
    void (*said)(void *arg, const struct ab_jsonrpc_message *message);
    /* The response; NULL for a notification that was taken. */
    void (*answered)(void *arg, const struct ab_jsonrpc_message *response);
    /* None will come. `status` is that of HTTP, or 0; `text` says what happened, for a person. */
    void (*failed)(void *arg, enum mcp_failure failure, unsigned status, const char *text);
};

/* What is sent; borrowed during the call. */
struct mcp_outgoing {
    int64_t id; /* of a request; 0: nothing answers it */
    const char *method;
    const char *name;           /* what Mcp-Name repeats, or NULL */
    const char *const *headers; /* more lines, NULL-terminated; or NULL */
    struct ab_str text;
    uint32_t timeout_ms; /* to the whole answer; 0: none */
};

struct mcp_transport;
struct mcp_transport_ops {
    /* Makes ready for the first message. False: `reason` (256) says why it cannot. */
    bool (*open)(struct mcp_transport *transport, char *reason, size_t reason_size);
    /* Everything under way is forgotten without a word, the session too. */
    void (*close)(struct mcp_transport *transport);
    /* Sends. Exactly one of `answered` and `failed` comes, in a later turn, unless it is dropped before; the exchange
     * is gone when that returns. `events` NULL: nobody wants to know. */
    struct mcp_exchange *(*send)(struct mcp_transport *transport, const struct mcp_outgoing *outgoing,
                                 const struct mcp_exchange_events *events, void *arg);
    /* Nobody waits for it any more: nothing is told of it. Over HTTP its stream is closed. */
    void (*drop)(struct mcp_exchange *exchange);
    /* Stops and starts the reading of what comes back. */
    void (*pause)(struct mcp_exchange *exchange, bool paused);
    /* Legacy: opens the stream for what the server says on its own. */
    void (*listen)(struct mcp_transport *transport);
    /* As close; `left` is called once nothing of it is left, at once or within a few seconds. Then only free. */
    void (*leave)(struct mcp_transport *transport, void (*left)(void *arg), void *arg);
    void (*free)(struct mcp_transport *transport);
};

struct mcp_transport_events {
    /* A message that belongs to no exchange. */
    void (*said)(void *arg, const struct ab_jsonrpc_message *message);
    /* The program has ended, or the session is forgotten: nothing more comes of what is under way. */
    void (*lost)(void *arg, const char *text);
};

/* First member of both. */
struct mcp_transport {
    const struct mcp_transport_ops *ops;
    const struct ab_mcp_version *version; /* the one agreed on; NULL before */
    char *session_id;                     /* HTTP, legacy: what the server knows the bridge by; or NULL */
    const struct mcp_transport_events *events;
    void *arg;
};

#endif
