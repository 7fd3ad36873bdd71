/* Reading a tool's definition, and the headers that repeat its arguments. */
#include "mcp/client_tool.h"

#include "mcp/client_message.h"

#include "base/map.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 256

/* --- x-mcp-header: where it may stand, and on what --- */

struct header_check {
    struct ab_map seen; /* names in lower case */
    char *reason;
    size_t reason_size;
};

AB_PRINTF(2, 3) static bool wrong(struct header_check *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(check->reason, check->reason_size, format, arguments);
    va_end(arguments);
    return false;
}

/* RFC 9110: tchar. */
static bool is_token(const char *text)
{
    return text[0] != '\0' &&
           strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
               strlen(text);
}

static bool is_one_type(struct ab_json type)
{
    return ab_json_string_is(type, "string") || ab_json_string_is(type, "integer") ||
           ab_json_string_is(type, "boolean");
}

/* One of the types that a header can carry; null beside it means that the header is left out. */
static bool is_header_type(struct ab_json type)
{
    struct ab_json_iterator each = ab_json_iterate(type);
    struct ab_json one;
    bool any = false;

    if (!ab_json_is(type, AB_JSON_ARRAY))
        return is_one_type(type);
    while (ab_json_next(&each, NULL, &one)) {
        if (!is_one_type(one) && !ab_json_string_is(one, "null"))
            return false;
        any = any || is_one_type(one);
    }
    return any;
}

static char *lower(const char *text)
{
    char *copy = ab_strdup(text);

    for (char *at = copy; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return copy;
}

static bool check_header(struct header_check *check, struct ab_json schema, struct ab_json header, bool reachable)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(header);
    AB_CLEANUP(ab_free_string) char *key = NULL;

    if (name == NULL || !is_token(name))
        return wrong(check, "an x-mcp-header is no name of a header");
    if (!reachable)
        return wrong(check, "the x-mcp-header \"%s\" stands where no argument of the call is", name);
    if (!is_header_type(ab_json_member(schema, "type")))
        return wrong(check, "the x-mcp-header \"%s\" is not on a string, an integer or a boolean", name);
    key = lower(name);
    if (ab_map_set(&check->seen, ab_str(key), check) != NULL)
        return wrong(check, "the x-mcp-header \"%s\" stands twice", name);
    return true;
}

static bool check_schema(struct header_check *check, struct ab_json schema, bool is_property, bool reachable);

/* Each member is a schema under a name of the author's. */
static bool check_named(struct header_check *check, struct ab_json schemas, bool properties, bool reachable)
{
    struct ab_json_iterator each = ab_json_iterate(schemas);
    struct ab_json schema;

    while (ab_json_is(schemas, AB_JSON_OBJECT) && ab_json_next(&each, NULL, &schema))
        if (!check_schema(check, schema, properties, properties && reachable))
            return false;
    return true;
}

static bool check_list(struct header_check *check, struct ab_json schemas)
{
    struct ab_json_iterator each = ab_json_iterate(schemas);
    struct ab_json schema;

    while (ab_json_next(&each, NULL, &schema))
        if (!check_schema(check, schema, false, false))
            return false;
    return true;
}

static bool is_one_of(struct ab_json key, const char *const *names)
{
    for (; *names != NULL; names++)
        if (ab_json_string_is(key, *names))
            return true;
    return false;
}

static bool check_member(struct header_check *check, struct ab_json key, struct ab_json value, bool reachable)
{
    static const char *const data[] = { "default", "const", "enum", "examples", "required", NULL };
    static const char *const named[] = { "patternProperties", "$defs", "definitions", "dependentSchemas", NULL };

    if (is_one_of(key, data))
        return true;
    if (ab_json_string_is(key, "properties"))
        return check_named(check, value, true, reachable);
    if (is_one_of(key, named))
        return check_named(check, value, false, false);
    if (ab_json_is(value, AB_JSON_ARRAY))
        return check_list(check, value);
    return check_schema(check, value, false, false);
}

static bool check_schema(struct header_check *check, struct ab_json schema, bool is_property, bool reachable)
{
    struct ab_json_iterator each = ab_json_iterate(schema);
    struct ab_json header = ab_json_member(schema, "x-mcp-header");
    struct ab_json key;
    struct ab_json value;

    if (!ab_json_is(schema, AB_JSON_OBJECT))
        return true;
    if (ab_json_exists(header) && !check_header(check, schema, header, is_property && reachable))
        return false;
    while (ab_json_next(&each, &key, &value))
        if (!ab_json_string_is(key, "x-mcp-header") && !check_member(check, key, value, reachable))
            return false;
    return true;
}

static bool check_headers(struct ab_json schema, char *reason, size_t reason_size)
{
    struct header_check check = { .reason = reason, .reason_size = reason_size };
    bool good;

    ab_map_init(&check.seen);
    good = check_schema(&check, schema, false, true);
    ab_map_deinit(&check.seen);
    return good;
}

/* --- headers of a call --- */

static void write_value(struct ab_buf *out, struct ab_json value)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int64_t number;

    if (ab_json_unescape(value, &text))
        ab_mcp_client_write_header_value(out, ab_buf_str(&text));
    else if (ab_json_int(value, &number))
        ab_buf_printf(out, "%lld", (long long)number);
    else
        ab_buf_append_str(out, value.text);
    ab_buf_deinit(&text);
}

void ab_mcp_client_tool_headers(struct ab_json schema, struct ab_json arguments,
                                void (*each)(void *arg, const char *line), void *arg)
{
    struct ab_json_iterator properties = ab_json_iterate(ab_json_member(schema, "properties"));
    struct ab_json key;
    struct ab_json property;

    while (ab_json_is(arguments, AB_JSON_OBJECT) && ab_json_next(&properties, &key, &property)) {
        AB_CLEANUP(ab_free_string) char *header = ab_json_string_dup(ab_json_member(property, "x-mcp-header"));
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        struct ab_json value = name != NULL ? ab_json_member(arguments, name) : (struct ab_json){ 0 };
        struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        if (!ab_json_exists(value) || ab_json_is(value, AB_JSON_NULL))
            continue;
        ab_mcp_client_tool_headers(property, value, each, arg);
        if (header == NULL || ab_json_is(value, AB_JSON_OBJECT) || ab_json_is(value, AB_JSON_ARRAY))
            continue;
        ab_buf_printf(&line, "Mcp-Param-%s: ", header);
        write_value(&line, value);
        each(arg, line.data);
        ab_buf_deinit(&line);
    }
}

/* --- the definition --- */

static enum ab_mcp_task_support task_support(struct ab_json tool)
{
    struct ab_json support = ab_json_at(tool, "execution", "taskSupport", NULL);

    if (ab_json_string_is(support, "required"))
        return AB_MCP_TASK_REQUIRED;
    return ab_json_string_is(support, "optional") ? AB_MCP_TASK_OPTIONAL : AB_MCP_TASK_FORBIDDEN;
}

static char *raw_object(struct ab_json tool, const char *key)
{
    struct ab_json value = ab_json_member(tool, key);

    return ab_json_is(value, AB_JSON_OBJECT) ? ab_json_dup(value) : NULL;
}

bool ab_mcp_client_tool_read(struct ab_json value, const struct ab_mcp_version *version, struct ab_mcp_client_tool *out,
                             char *reason, size_t reason_size)
{
    struct ab_json input = ab_json_member(value, "inputSchema");
    struct ab_json name = ab_json_member(value, "name");
    struct ab_schema_error error;

    *out = (struct ab_mcp_client_tool){ 0 };
    if (!ab_json_is(input, AB_JSON_OBJECT) || !ab_json_string_is(ab_json_member(input, "type"), "object")) {
        snprintf(reason, reason_size, "its inputSchema is not one of the type \"object\"");
        return false;
    }
    if (version->era == AB_MCP_MODERN && !check_headers(input, reason, reason_size))
        return false;
    out->name = ab_json_string_dup(name);
    if (out->name == NULL || out->name[0] == '\0' || strlen(out->name) > NAME_BYTES) {
        snprintf(reason, reason_size, "its name is not a text of 1 to %d bytes", NAME_BYTES);
        ab_mcp_client_tool_deinit(out);
        return false;
    }
    out->title = ab_json_string_dup(ab_json_member(value, "title"));
    if (out->title == NULL)
        out->title = ab_json_string_dup(ab_json_at(value, "annotations", "title", NULL));
    out->description = ab_json_string_dup(ab_json_member(value, "description"));
    out->input_json = ab_json_dup(input);
    out->output_json = raw_object(value, "outputSchema");
    out->annotations_json = raw_object(value, "annotations");
    out->task_support = version->core_tasks ? task_support(value) : AB_MCP_TASK_FORBIDDEN;
    /* A remote $ref is never followed: such a schema is not usable here, and what it says is left to the server. */
    out->input = ab_schema_new(input, &error);
    return true;
}

void ab_mcp_client_tool_deinit(struct ab_mcp_client_tool *tool)
{
    free(tool->name);
    free(tool->title);
    free(tool->description);
    free(tool->input_json);
    free(tool->output_json);
    free(tool->annotations_json);
    ab_schema_free(tool->input);
    *tool = (struct ab_mcp_client_tool){ 0 };
}
