/* One MCP server as the bridge knows it: the era it speaks, its session, its tools. Shared by the files of the `mcp`
 * agent; nobody else includes it. */
#ifndef AB_AGENTS_MCP_SERVER_H
#define AB_AGENTS_MCP_SERVER_H

#include "agents/mcp.h"
#include "agents/mcp_transport.h"
#include "base/list.h"
#include "mcp/client_message.h"
#include "mcp/client_tool.h"

enum mcp_server_state {
    MCP_SERVER_IDLE,
    MCP_SERVER_CONNECTING, /* server/discover, or initialize and what follows it */
    MCP_SERVER_LISTING,    /* the tools, for the first time */
    MCP_SERVER_READY,
    MCP_SERVER_DOWN, /* until the timer, or until somebody needs it */
    MCP_SERVER_LEFT  /* for good */
};

struct mcp_server_events;

struct mcp_server {
    char *id;              /* of the agent, for logs */
    char *pinned;          /* the protocol's version that the configuration names, or NULL */
    uint32_t capabilities; /* what our callers can be asked */
    uint32_t max_tools;
    uint32_t refresh_ms;
    struct ab_loop *loop;
    const struct ab_log *log;
    struct mcp_transport *transport;
    char *url;              /* over HTTP, else NULL */
    struct ab_store *store; /* where the session is kept; or NULL: nowhere */
    const struct ab_sealer *sealer;
    enum mcp_server_state state;
    struct ab_mcp_client_words words; /* version: the one agreed on, or being tried */
    struct ab_mcp_client_server described;
    struct mcp_exchange *exchange; /* of the connecting and listing */
    struct mcp_exchange *changes;  /* modern: subscriptions/listen */
    struct ab_timer *timer;        /* DOWN: the next try; READY: the next look at the tools */
    char *open_fault;              /* why the transport could not even begin; told in a later turn */
    unsigned failures;             /* tries in a row */
    unsigned probes;               /* server/discover sent for this connection */
    bool unprobed;                 /* server/discover was too much for it last time */
    bool session_gone;             /* the one that was kept is of no use any more */
    bool recalled;                 /* the session is one of before, and nothing shows yet that the server knows it */
    unsigned silences;             /* how often the server let the first request in that session time out, in a row */
    int64_t last_id;
    struct ab_list waiters;
    bool changed;      /* the tools did, while they were being listed */
    int64_t listed_us; /* when that began last */
    unsigned pages;
    struct mcp_tools *listed;   /* under construction */
    struct mcp_tools *tools;    /* as last known, NULL: never */
    struct ab_agent_seat *seat; /* NULL: not attached */
    const struct mcp_server_events *events;
    void *arg;
};

/* What the runs hear of. */
struct mcp_server_events {
    /* A message that belongs to one of the runs. */
    void (*stray)(void *arg, const struct ab_jsonrpc_message *message);
    /* Everything under way was dropped. */
    void (*cut_off)(void *arg, const char *text);
};

/* The server's tools at one time. */
struct mcp_tools {
    struct ab_mcp_client_tool *items;
    size_t n;
    size_t bytes;   /* of their definitions */
    size_t dropped; /* beyond a limit, or unusable */
};

/* Somebody who needs the server; member of its owner. */
struct mcp_waiter {
    struct ab_link link;
    /* In a later turn, once. `text`: why it cannot be had, or NULL: it is ready. */
    void (*ready)(struct mcp_waiter *waiter, const char *text);
};

AB_MUST struct mcp_server *mcp_server_new(const struct ab_mcp_agent_settings *settings,
                                          const struct mcp_server_events *events, void *arg);
void mcp_server_free(struct mcp_server *server);
/* Ends the connection for good; `left` is called once nothing of it is left. Then only mcp_server_free. */
void mcp_server_leave(struct mcp_server *server, void (*left)(void *arg), void *arg);
/* Begins to connect, if it is not at it already. */
void mcp_server_connect(struct mcp_server *server);
/* Connects if need be and tells the waiter; it may be READY at once, then nothing is told and true returned. */
AB_MUST bool mcp_server_wait(struct mcp_server *server, struct mcp_waiter *waiter);
/* The session is of no more use: a new one is made. */
void mcp_server_renew(struct mcp_server *server);
/* The next request's id. */
int64_t mcp_server_next_id(struct mcp_server *server);
/* Answers a request of the server's: `result` (JSON), or an error of this code when NULL. */
void mcp_server_respond(struct mcp_server *server, struct ab_json id, const char *result, int64_t code,
                        const char *text);
/* What concerns the server as a whole (its tools changed, ping). True: it was such a message. */
AB_MUST bool mcp_server_hears(struct mcp_server *server, const struct ab_jsonrpc_message *message);
/* A tool by name, or NULL. */
const struct ab_mcp_client_tool *mcp_server_tool(const struct mcp_server *server, const char *name);

/* What mcp_connect.c needs besides. */
/* The connection is given up until the timer; those who wait are told `text`. */
void mcp_server_go_down(struct mcp_server *server, const char *text);
/* It is known, now its tools are listed; then it is ready. */
void mcp_server_list_tools(struct mcp_server *server);
/* As the transport's send, of a message that has no name and no headers of its own; `events` are told of the server. */
struct mcp_exchange *mcp_server_send(struct mcp_server *server, int64_t id, const char *method, struct ab_str text,
                                     uint32_t timeout_ms, const struct mcp_exchange_events *events);
/* An exchange's `said`. */
void mcp_server_said(void *arg, const struct ab_jsonrpc_message *message);

/* --- mcp_session.c: the session of a legacy server over HTTP outlives the bridge, as its tasks do --- */
/* Keeps it as it was just agreed on; `initialized` is what initialize gave. Nothing where the server has none. */
void mcp_session_keep(struct mcp_server *server, struct ab_json initialized);
/* Goes on with the one that was kept last, as if it had just been agreed on; false: there is none. */
AB_MUST bool mcp_session_recall(struct mcp_server *server);
/* It is of no use: until the next mcp_session_keep none is recalled. */
void mcp_session_forget(struct mcp_server *server);

/* --- mcp_tools.c --- */
AB_MUST struct mcp_tools *mcp_tools_new(void);
void mcp_tools_free(struct mcp_tools *tools);
/* Adds a page of tools/list; what cannot be used is left out, with a word in the log. */
void mcp_tools_add(struct mcp_tools *tools, struct ab_json page, const struct mcp_server *server);
/* Whether nothing more is taken. */
bool mcp_tools_full(const struct mcp_tools *tools, const struct mcp_server *server);
/* Tells what the server and its tools are. */
void mcp_tools_describe(const struct mcp_tools *tools, const struct ab_mcp_client_server *described,
                        struct ab_agent_seat *seat);

#endif
