/* What both bindings check before the method: version, tenant, extensions. */
#include "a2a/request.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <string.h>

#define TENANT_BYTES 256

const struct ab_a2a_version *const ab_a2a_versions[] = { &ab_a2a_v1_0, &ab_a2a_v0_3, NULL };

const struct ab_a2a_version *ab_a2a_version_find(struct ab_str name)
{
    for (const struct ab_a2a_version *const *version = ab_a2a_versions; *version != NULL; version++) {
        size_t size = strlen((*version)->name);
        if (name.size >= size && memcmp(name.data, (*version)->name, size) == 0 &&
            (name.size == size || name.data[size] == '.'))
            return *version;
    }
    return NULL;
}

const struct ab_a2a_method *ab_a2a_method_find(const struct ab_a2a_version *version, const char *rpc)
{
    for (const struct ab_a2a_method *method = version->methods; method->handle != NULL; method++)
        if (method->rpc != NULL && strcmp(method->rpc, rpc) == 0)
            return method;
    return NULL;
}

bool ab_a2a_named_version(struct ab_http_exchange *exchange, const struct ab_a2a_version **version)
{
    const struct ab_http_request *request = ab_http_request(exchange);
    struct ab_buf query = AB_BUF_INIT(256);
    struct ab_str name = AB_STR("");
    bool good = true;

    *version = NULL;
    if (ab_http_header(exchange, "a2a-version", &name))
        name = ab_str_trim(name);
    if (name.size == 0 && ab_http_query_value(request->query, "A2A-Version", &query))
        name = ab_buf_str(&query);
    if (name.size > 0) {
        *version = ab_a2a_version_find(name);
        good = *version != NULL;
    }
    ab_buf_deinit(&query);
    return good;
}

/* --- tenants --- */

/* The tenant of path or parameters becomes part of the owner: what belongs to one does not exist for another. */
static bool admit_tenant(struct ab_a2a_call *call)
{
    AB_CLEANUP(ab_free_string) char *tenant = ab_strdup(call->tenant);
    char *owner;

    if (tenant == NULL && !ab_a2a_read_text(call, call->params, "tenant", &tenant))
        return false;
    if (tenant == NULL)
        return true;
    if (strlen(tenant) > TENANT_BYTES || strpbrk(tenant, "\x1f\n") != NULL) {
        ab_a2a_refuse_field(call, "tenant", "tenant must be a name of at most %d bytes", TENANT_BYTES);
        return false;
    }
    owner = ab_format("%s\x1f%s", call->owner, tenant);
    free(call->owner);
    call->owner = owner;
    return true;
}

/* --- extensions --- */

/* Whether the list names this one. */
static bool names(struct ab_str list, const char *uri)
{
    while (list.size > 0) {
        const char *comma = memchr(list.data, ',', list.size);
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        if (ab_str_is(ab_str_trim((struct ab_str){ list.data, size }), uri))
            return true;
        size += comma != NULL ? 1 : 0;
        list.data += size;
        list.size -= size;
    }
    return false;
}

/* The request's list, which may stand in several headers, of either version's name. */
static bool is_activated(struct ab_http_exchange *exchange, const char *uri)
{
    static const char *const headers[] = { "a2a-extensions", "x-a2a-extensions" };
    struct ab_str list;

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        for (size_t nth = 0; ab_http_header_at(exchange, headers[i], nth, &list); nth++)
            if (names(list, uri))
                return true;
    return false;
}

static bool is_required(struct ab_json extension)
{
    return ab_json_is_true(ab_json_member(extension, "required"));
}

static bool admit_extensions(struct ab_a2a_call *call)
{
    const struct ab_a2a_agent_settings *settings = ab_a2a_agent_settings(call->a2a, call->agent);
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(settings->extensions_json));
    struct ab_buf active = AB_BUF_INIT(16384);
    struct ab_json extension;

    while (ab_json_next(&each, NULL, &extension)) {
        AB_CLEANUP(ab_free_string) char *uri = ab_json_string_dup(ab_json_member(extension, "uri"));
        if (uri != NULL && is_activated(call->reply.exchange, uri)) {
            ab_buf_printf(&active, "%s%s", active.size > 0 ? ", " : "", uri);
        } else if (is_required(extension)) {
            ab_a2a_refuse(call, AB_A2A_EXTENSION_SUPPORT_REQUIRED,
                          "This agent requires the extension %s: name it in the header %s", uri != NULL ? uri : "?",
                          call->version->extensions_header);
            ab_buf_deinit(&active);
            return false;
        }
    }
    if (active.size > 0)
        call->extensions = ab_strdup(active.data);
    ab_buf_deinit(&active);
    return true;
}

bool ab_a2a_admit(struct ab_a2a_call *call)
{
    return admit_tenant(call) && admit_extensions(call);
}
