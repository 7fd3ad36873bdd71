#include "mcp/profiles.h"

#include <string.h>
#include <strings.h>

/* Each limit lies safely below the host's own tool timer. */
static const struct ab_mcp_profile profiles[] = {
    { "openai-agents", 4000 },  /* 5 s by default */
    { "google-adk", 4000 },     /* 5 s by default */
    { "adk", 4000 },            /* the same */
    { "claude-code", 3600000 }, /* hours; only silence counts, and heartbeats break it */
    { "goose", 240000 },        /* 300 s */
};

const struct ab_mcp_profile *ab_mcp_profile_find(const char *client_name)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        if (strncasecmp(client_name, profiles[i].client, strlen(profiles[i].client)) == 0)
            return &profiles[i];
    return NULL;
}
