/* What hosts are known to need, by the name their client gives (clientInfo.name). */
#ifndef AB_MCP_PROFILES_H
#define AB_MCP_PROFILES_H

#include "agentbridge/types.h"

struct ab_mcp_profile {
    const char *client;   /* beginning of the client's name, lower case */
    uint32_t wait_max_ms; /* its own timer fires soon after: no call is held longer */
};

/* The host's profile, or NULL: the configured limits hold. */
const struct ab_mcp_profile *ab_mcp_profile_find(const char *client_name);

#endif
