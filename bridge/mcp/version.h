/* The protocol's versions, each one a const table in a file of its own (v2025_11_25.c, ...). A version is chosen once
 * per request; nothing else compares version strings. */
#ifndef AB_MCP_VERSION_H
#define AB_MCP_VERSION_H

#include "agentbridge/types.h"

struct ab_mcp_request;

/* Legacy: `initialize`, sessions. Modern: every request stands alone and says of itself what it needs. */
enum ab_mcp_era { AB_MCP_LEGACY, AB_MCP_MODERN };

/* Which member of `params` the header Mcp-Name repeats (2026-07-28, basic/transports). */
enum ab_mcp_name_header { AB_MCP_NAME_NONE, AB_MCP_NAME_NAME, AB_MCP_NAME_URI, AB_MCP_NAME_TASK };

struct ab_mcp_method {
    const char *name;
    /* Answers the request, now or later. */
    void (*handle)(struct ab_mcp_request *request);
    enum ab_mcp_name_header name_header;
    bool needs_tasks; /* the caller must have declared the Tasks extension */
};

struct ab_mcp_version {
    const char *name;
    enum ab_mcp_era era;
    bool batches;     /* an array of messages is accepted */
    bool audio;       /* audio content; progress has a message */
    bool annotations; /* tools carry annotations */
    bool structured;  /* outputSchema, structuredContent, resource_link, title */
    bool icons;
    bool any_structured;                 /* structuredContent may be any JSON value, not only an object */
    bool resumable;                      /* events carry ids; a GET with Last-Event-ID goes on with a call's stream */
    bool priming;                        /* a stream begins with an id, before there is anything to tell */
    bool elicits_pages;                  /* elicitation has modes: a form, or a page to visit */
    bool core_tasks;                     /* params.task, tasks/get ... as part of the core */
    const struct ab_mcp_method *methods; /* ends with a NULL name */
};

/* All of them, newest first, ends with NULL. */
extern const struct ab_mcp_version *const ab_mcp_versions[];
extern const struct ab_mcp_version ab_mcp_v2024_11_05;
extern const struct ab_mcp_version ab_mcp_v2025_03_26;
extern const struct ab_mcp_version ab_mcp_v2025_06_18;
extern const struct ab_mcp_version ab_mcp_v2025_11_25;
extern const struct ab_mcp_version ab_mcp_v2026_07_28;

/* The version of this name, or NULL. */
const struct ab_mcp_version *ab_mcp_version_find(struct ab_str name);
/* The newest of an era. */
const struct ab_mcp_version *ab_mcp_version_newest(enum ab_mcp_era era);
/* The version's method of this name, or NULL. */
const struct ab_mcp_method *ab_mcp_method_find(const struct ab_mcp_version *version, const char *name);

/* What every legacy version has in common. */
extern const struct ab_mcp_method ab_mcp_legacy_methods[];

#endif
