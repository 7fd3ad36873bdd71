/* Skills of agents published as tools: they come and go with what the agents tell of themselves. */
#ifndef AB_MCP_SKILLS_H
#define AB_MCP_SKILLS_H

#include "mcp/request.h"

/* Publishes what the agents of settings.skills tell now, and from here on whatever they tell; clients are told that the
 * list has changed. After ab_mcp_tools_init. */
void ab_mcp_skills_init(struct ab_mcp *mcp);
void ab_mcp_skills_deinit(struct ab_mcp *mcp);

/* The name of a skill's tool: "<agent>_<skill>" with what a name may not hold made "_", at most 64 bytes (the rest
 * becomes a hash). `taken` says whether a name is another tool's; then the hash is added as well. The caller frees. */
AB_MUST char *ab_mcp_skill_name(const char *agent, const char *skill, bool (*taken)(void *arg, const char *name),
                                void *arg);
/* The tool that this skill is published as, or NULL. */
const struct ab_mcp_published *ab_mcp_published_skill(const struct ab_mcp *mcp, const char *agent,
                                                      struct ab_json skill);

#endif
