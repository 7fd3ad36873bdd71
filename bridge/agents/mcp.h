/* The `mcp` agent: the tools of an MCP server, each one a skill. No model stands between: who calls it says which tool
 * is run and with which arguments. */
#ifndef AB_AGENTS_MCP_H
#define AB_AGENTS_MCP_H

#include "agentbridge/agent.h"
#include "agentbridge/store.h"
#include "auth/seal.h"
#include "base/log.h"
#include "wire/http_client.h"
#include "wire/loop.h"
#include "wire/process.h"

/* Copied, but for the ports, which outlive the agent. Either `url` or `command` is set. */
struct ab_mcp_agent_settings {
    const char *id;                 /* the agent's id */
    const char *url;                /* Streamable HTTP */
    const char *api_key;            /* sent as a bearer token; or NULL */
    const char *const *command;     /* stdio: NULL-terminated, program and arguments */
    const char *directory;          /* where the program runs; or NULL */
    const char *const *environment; /* NULL-terminated: names of variables it gets from the bridge's own */
    const char *version;            /* the protocol's, when the server is not to be asked; or NULL */
    const char *default_tool;       /* what a plain text is given to; or NULL */
    const char *default_argument;   /* ["text"] the argument that gets it */
    bool sampling;                  /* callers can be asked sampling/createMessage */
    bool roots;                     /* callers can be asked roots/list */
    uint32_t max_tools;             /* [1000] the rest is left out */
    uint32_t refresh_ms;            /* [300 s] between two looks at the tools of a server that tells no changes */
    size_t message_bytes;           /* [16 MiB] longest message of the server */
    struct ab_loop *loop;
    struct ab_http_client *client;
    struct ab_process_host *processes;
    struct ab_store *store;         /* where a server's session is kept over a restart; NULL: nowhere */
    const struct ab_sealer *sealer; /* with a store: what seals it there */
    const struct ab_log *log;
};

AB_MUST struct ab_agent *ab_mcp_agent_new(const struct ab_mcp_agent_settings *settings);

#endif
