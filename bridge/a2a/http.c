/* The HTTP+JSON binding: the method is found by verb and path, and its parameters are gathered from path, query and
 * body. 0.3 lives under /v1; 1.0 has no prefix. Every path may have a tenant in front. */
#include "a2a/request.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>

const struct ab_a2a_binding ab_a2a_http_json = { .envelope = false };

/* At most two things in a path have names. */
#define PATH_NAMES 2

struct path_value {
    char name[16];
    char *value;
};

struct found {
    const struct ab_a2a_method *method;
    struct path_value values[PATH_NAMES];
    size_t n;
    bool path_known; /* with another verb */
};

static void forget_values(struct found *found)
{
    for (size_t i = 0; i < found->n; i++)
        free(found->values[i].value);
    found->n = 0;
}

/* --- paths --- */

static size_t segment_size(const char *text)
{
    return strcspn(text, "/");
}

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t n = strlen(end);

    return size >= n && memcmp(text + size - n, end, n) == 0;
}

/* A segment "{id}:cancel" takes "7:cancel"; its name and value are noted. */
static bool match_named(const char *pattern, size_t pattern_size, const char *text, size_t size, struct found *found)
{
    const char *end = memchr(pattern, '}', pattern_size);
    size_t name_size = (size_t)(end - pattern) - 1;
    size_t suffix = pattern_size - name_size - 2;
    struct path_value *value = &found->values[found->n];

    if (size <= suffix || memcmp(text + size - suffix, end + 1, suffix) != 0 || found->n == PATH_NAMES)
        return false;
    /* "{id}" alone leaves names with an action to those patterns that have one. */
    if (suffix == 0 && (ends_with(text, size, ":cancel") || ends_with(text, size, ":subscribe")))
        return false;
    snprintf(value->name, sizeof value->name, "%.*s", (int)name_size, pattern + 1);
    value->value = ab_strndup(text, size - suffix);
    found->n++;
    return true;
}

static bool match(const char *pattern, const char *text, struct found *found)
{
    while (*pattern == '/' && *text == '/') {
        size_t pattern_size = segment_size(++pattern);
        size_t size = segment_size(++text);
        bool same = pattern[0] == '{' ? match_named(pattern, pattern_size, text, size, found)
                                      : size == pattern_size && memcmp(pattern, text, size) == 0;
        if (!same)
            return false;
        pattern += pattern_size;
        text += size;
    }
    return *pattern == '\0' && *text == '\0';
}

/* Looks the path up as it stands; what fits but for the verb is remembered. */
static bool find_method(const struct ab_a2a_version *version, struct ab_str verb, const char *path, struct found *found)
{
    size_t prefix = strlen(version->prefix);

    if (strncmp(path, version->prefix, prefix) != 0)
        return false;
    for (const struct ab_a2a_method *method = version->methods; method->handle != NULL; method++) {
        if (match(method->path, path + prefix, found)) {
            if (ab_str_is(verb, method->verb)) {
                found->method = method;
                return true;
            }
            found->path_known = true;
        }
        forget_values(found);
    }
    return false;
}

/* The same with the first segment as the tenant. */
static bool find_with_tenant(struct ab_a2a_call *call, const struct ab_a2a_version *version, struct ab_str verb,
                             struct found *found)
{
    const char *rest = strchr(call->path + 1, '/');
    struct ab_buf tenant = AB_BUF_INIT(1024);
    bool good;

    if (rest == NULL || rest == call->path + 1 || !find_method(version, verb, rest, found))
        return false;
    good = ab_http_decode_segment((struct ab_str){ call->path + 1, (size_t)(rest - call->path) - 1 }, &tenant);
    if (good)
        call->tenant = ab_strdup(tenant.data);
    ab_buf_deinit(&tenant);
    return good;
}

/* --- parameters --- */

static bool put_path_values(struct ab_json_writer *writer, const struct found *found)
{
    for (size_t i = 0; i < found->n; i++) {
        struct ab_buf value = AB_BUF_INIT(4096);
        bool good = ab_http_decode_segment(ab_str(found->values[i].value), &value);
        ab_json_write_key(writer, found->values[i].name);
        ab_json_write_str(writer, ab_buf_str(&value));
        ab_buf_deinit(&value);
        if (!good)
            return false;
    }
    return true;
}

static bool is_path_name(const struct found *found, const char *name)
{
    for (size_t i = 0; i < found->n; i++)
        if (strcmp(found->values[i].name, name) == 0)
            return true;
    return false;
}

/* What the query may say, in either spelling. */
static void put_query(struct ab_json_writer *writer, struct ab_str query, const struct found *found)
{
    static const char *const names[] = {
        "tenant",
        "contextId",
        "status",
        "pageSize",
        "pageToken",
        "historyLength",
        "history_length",
        "context_id",
        "page_size",
        "statusTimestampAfter",
        "page_token",
        "includeArtifacts",
        "include_artifacts",
        "status_timestamp_after",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ab_buf value = AB_BUF_INIT(8192);
        if (!is_path_name(found, names[i]) && ab_http_query_value(query, names[i], &value)) {
            ab_json_write_key(writer, names[i]);
            ab_json_write_str(writer, ab_buf_str(&value));
        }
        ab_buf_deinit(&value);
    }
}

static void put_body(struct ab_json_writer *writer, struct ab_json body, const struct found *found)
{
    struct ab_json_iterator each = ab_json_iterate(body);
    struct ab_json key;
    struct ab_json value;

    while (ab_json_next(&each, &key, &value)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (name != NULL && !is_path_name(found, name))
            ab_json_put_member(writer, key, value);
    }
}

static bool is_json(struct ab_str type)
{
    return ab_http_is_media_type(type, "application/json") || ab_http_is_media_type(type, "application/a2a+json");
}

static bool read_body(struct ab_a2a_call *call, struct ab_json *body)
{
    struct ab_str text = ab_http_request(call->reply.exchange)->body;
    struct ab_json_error error;
    struct ab_str type;

    if (ab_str_trim(text).size == 0)
        return true;
    if (ab_http_header(call->reply.exchange, "content-type", &type) && !is_json(type)) {
        ab_a2a_refuse(call, AB_A2A_CONTENT_TYPE_NOT_SUPPORTED,
                      "Content-Type must be application/a2a+json or application/json, found %.*s",
                      type.size > 80 ? 80 : (int)type.size, type.data);
        return false;
    }
    if (!ab_json_check(text, call->a2a->settings.json_depth, body, &error)) {
        ab_a2a_refuse(call, AB_A2A_PARSE_ERROR, "The body is no JSON: %s", error.text);
        return false;
    }
    if (ab_json_is(*body, AB_JSON_OBJECT) || ab_json_is(*body, AB_JSON_NULL))
        return true;
    ab_a2a_refuse_field(call, "body", "The body must be an object, found %s", ab_json_type_name(*body));
    return false;
}

static bool gather(struct ab_a2a_call *call, const struct found *found)
{
    const struct ab_http_request *request = ab_http_request(call->reply.exchange);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json body = { 0 };
    struct ab_json_writer writer;

    if (!read_body(call, &body))
        return false;
    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    if (!put_path_values(&writer, found)) {
        ab_a2a_refuse_field(call, "path", "The path is not well encoded");
        ab_buf_deinit(&text);
        return false;
    }
    if (ab_json_is(body, AB_JSON_OBJECT))
        put_body(&writer, body, found);
    else
        put_query(&writer, request->query, found);
    ab_json_object_end(&writer);
    free(call->body);
    call->body = ab_buf_steal(&text);
    call->params = ab_json_trusted(call->body);
    return true;
}

/* --- the request --- */

static void use(struct ab_a2a_call *call, const struct ab_a2a_version *version)
{
    call->version = version;
    call->form = version->http_form;
}

/* 0.3 where the path says so and the header does not say 1.0, in which "v1" could be a tenant. */
static bool choose(struct ab_a2a_call *call, const struct ab_a2a_version *named, struct found *found)
{
    struct ab_str verb = ab_http_request(call->reply.exchange)->method;

    use(call, &ab_a2a_v0_3);
    if (named != &ab_a2a_v1_0 &&
        (find_method(call->version, verb, call->path, found) || find_with_tenant(call, call->version, verb, found)))
        return true;
    if (!found->path_known)
        use(call, &ab_a2a_v1_0);
    if (call->version == &ab_a2a_v1_0 &&
        (find_method(call->version, verb, call->path, found) || find_with_tenant(call, call->version, verb, found))) {
        if (named != &ab_a2a_v0_3)
            return true;
        ab_a2a_refuse(call, AB_A2A_VERSION_NOT_SUPPORTED,
                      "This address is one of A2A 1.0, but A2A-Version says 0.3: its addresses begin with /v1");
        return false;
    }
    if (found->path_known)
        ab_a2a_refuse(call, AB_A2A_METHOD_NOT_FOUND, "%.*s is not taken here", AB_STR_ARGS(verb));
    else
        ab_a2a_refuse(call, AB_A2A_METHOD_NOT_FOUND, "Nothing of A2A is at %.200s", call->path);
    return false;
}

void ab_a2a_handle_http(struct ab_a2a_call *call)
{
    const struct ab_a2a_version *named = NULL;
    struct found found = { 0 };

    call->binding = &ab_a2a_http_json;
    /* What is refused before its method is known is refused in the form of the path. */
    use(call, ab_str_starts(ab_str(call->path), "/v1/") ? &ab_a2a_v0_3 : &ab_a2a_v1_0);
    if (!ab_a2a_named_version(call->reply.exchange, &named))
        ab_a2a_refuse(call, AB_A2A_VERSION_NOT_SUPPORTED, "A2A-Version must be 1.0 or 0.3");
    else if (choose(call, named, &found) && gather(call, &found) && ab_a2a_admit(call))
        found.method->handle(call);
    forget_values(&found);
}
