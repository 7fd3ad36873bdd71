#include "mcp/version.h"

#include "base/str.h"

#include <string.h>

const struct ab_mcp_version *const ab_mcp_versions[] = {
    &ab_mcp_v2026_07_28, &ab_mcp_v2025_11_25, &ab_mcp_v2025_06_18, &ab_mcp_v2025_03_26, &ab_mcp_v2024_11_05, NULL,
};

const struct ab_mcp_version *ab_mcp_version_find(struct ab_str name)
{
    for (size_t i = 0; ab_mcp_versions[i] != NULL; i++)
        if (ab_str_is(name, ab_mcp_versions[i]->name))
            return ab_mcp_versions[i];
    return NULL;
}

const struct ab_mcp_version *ab_mcp_version_newest(enum ab_mcp_era era)
{
    size_t i = 0;

    while (ab_mcp_versions[i]->era != era)
        i++;
    return ab_mcp_versions[i];
}

const struct ab_mcp_method *ab_mcp_method_find(const struct ab_mcp_version *version, const char *name)
{
    for (const struct ab_mcp_method *method = version->methods; method->name != NULL; method++)
        if (strcmp(method->name, name) == 0)
            return method;
    return NULL;
}
