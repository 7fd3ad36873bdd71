#include "mcp/http_modern.h"

#include "mcp/methods.h"
#include "mcp/tools.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdarg.h>
#include <stdio.h>

#define META "io.modelcontextprotocol/"

/* Refuses the whole POST with 400 (404 for an unknown method). */
AB_PRINTF(4, 5)
static bool refuse(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message, int64_t code,
                   const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ab_mcp_channel_refuse(channel, code == AB_JSONRPC_METHOD_NOT_FOUND ? 404 : 400, message->id, code, text, NULL);
    return false;
}

static bool refuse_version(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message,
                           struct ab_json requested)
{
    struct ab_buf data = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &data);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "supported");
    ab_json_array_begin(&writer);
    for (size_t i = 0; ab_mcp_versions[i] != NULL; i++)
        if (ab_mcp_versions[i]->era == AB_MCP_MODERN)
            ab_json_write_text(&writer, ab_mcp_versions[i]->name);
    ab_json_array_end(&writer);
    ab_json_put_value(&writer, "requested", requested);
    ab_json_object_end(&writer);
    ab_mcp_channel_refuse(channel, 400, message->id, AB_MCP_UNSUPPORTED_VERSION, "Unsupported protocol version",
                          data.data);
    ab_buf_deinit(&data);
    return false;
}

/* The required members of `_meta` (basic, "_meta"); `stated` becomes the version. */
static bool check_meta(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message, struct ab_json *stated)
{
    struct ab_json meta = ab_json_member(message->params, "_meta");
    struct ab_json_wanted required[] = { { .key = META "protocolVersion" }, { .key = META "clientCapabilities" } };

    ab_json_find(meta, required, sizeof required / sizeof *required);
    *stated = required[0].value;
    if (!ab_json_is(meta, AB_JSON_OBJECT))
        return refuse(channel, message, AB_JSONRPC_INVALID_PARAMS,
                      "params._meta is missing: it must hold " META "protocolVersion and " META "clientCapabilities");
    if (!ab_json_is(required[0].value, AB_JSON_STRING))
        return refuse(channel, message, AB_JSONRPC_INVALID_PARAMS,
                      "params._meta[\"" META "protocolVersion\"] must be a string");
    if (!ab_json_is(required[1].value, AB_JSON_OBJECT))
        return refuse(channel, message, AB_JSONRPC_INVALID_PARAMS,
                      "params._meta[\"" META "clientCapabilities\"] must be an object ({} for none)");
    return true;
}

static bool check_version(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message,
                          struct ab_json stated, struct ab_str header, const struct ab_mcp_version **version)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(stated);

    if (name == NULL || !ab_str_is(header, name))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH,
                      "The header MCP-Protocol-Version says \"%.*s\", _meta says \"%s\"", AB_STR_ARGS(header),
                      name != NULL ? name : "");
    *version = ab_mcp_version_find(ab_str(name));
    if (*version == NULL || (*version)->era != AB_MCP_MODERN)
        return refuse_version(channel, message, stated);
    return true;
}

static bool check_method_header(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message)
{
    struct ab_str header;

    if (!ab_http_header(channel->exchange, "mcp-method", &header))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH,
                      "The header Mcp-Method is missing: it repeats the method");
    if (!ab_str_is(ab_str_trim(header), message->method))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH, "The header Mcp-Method says \"%.*s\", the body \"%s\"",
                      AB_STR_ARGS(ab_str_trim(header)), message->method);
    return true;
}

static struct ab_json named_member(const struct ab_jsonrpc_message *message, enum ab_mcp_name_header which)
{
    switch (which) {
    case AB_MCP_NAME_NAME:
        return ab_json_member(message->params, "name");
    case AB_MCP_NAME_URI:
        return ab_json_member(message->params, "uri");
    case AB_MCP_NAME_TASK:
        return ab_json_member(message->params, "taskId");
    case AB_MCP_NAME_NONE:
        break;
    }
    return (struct ab_json){ 0 };
}

/* Whether a header says what a body's string says, also when it is base64-wrapped. */
static bool header_says(struct ab_str header, struct ab_json stated)
{
    struct ab_buf decoded = AB_BUF_INIT(64 * 1024);
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(stated);
    bool same = text != NULL && ab_http_decode_mcp_value(ab_str_trim(header), &decoded) &&
                ab_str_is(ab_buf_str(&decoded), text);

    ab_buf_deinit(&decoded);
    return same;
}

static bool check_name_header(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message,
                              const struct ab_mcp_method *method)
{
    struct ab_json stated;
    struct ab_str header;

    if (method == NULL || method->name_header == AB_MCP_NAME_NONE)
        return true;
    stated = named_member(message, method->name_header);
    if (!ab_http_header(channel->exchange, "mcp-name", &header))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH, "The header Mcp-Name is missing: %s needs it",
                      message->method);
    if (!ab_json_is(stated, AB_JSON_STRING))
        return true; /* the method says what is wrong with the member itself */
    if (!header_says(header, stated))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH, "The header Mcp-Name says \"%.*s\", the body %.*s",
                      AB_STR_ARGS(ab_str_trim(header)), AB_STR_ARGS(stated.text));
    return true;
}

/* A value of the body as a header says it: strings as they are, integers in decimal, true and false. */
static bool parameter_matches(struct ab_str header, struct ab_json value)
{
    int64_t body_number;
    int64_t header_number;
    struct ab_json parsed;

    if (ab_json_is(value, AB_JSON_STRING))
        return header_says(header, value);
    header = ab_str_trim(header);
    if (ab_json_int(value, &body_number) && ab_json_check(header, 1, &parsed, NULL) &&
        ab_json_int(parsed, &header_number))
        return body_number == header_number;
    return ab_str_equal(header, value.text);
}

/* Mcp-Param-<X>: what a tool's input schema annotates with `x-mcp-header` is repeated in a header. */
static bool check_parameter(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message,
                            struct ab_json property, struct ab_json annotation)
{
    AB_CLEANUP(ab_free_string) char *suffix = ab_json_string_dup(annotation);
    AB_CLEANUP(ab_free_string) char *name = NULL;
    struct ab_json value;
    struct ab_str header;
    bool present;
    bool wanted;

    if (suffix == NULL)
        return true;
    name = ab_format("mcp-param-%s", suffix);
    for (char *character = name; *character != '\0'; character++)
        if (*character >= 'A' && *character <= 'Z')
            *character = (char)(*character - 'A' + 'a');
    AB_CLEANUP(ab_free_string) char *key = ab_json_string_dup(property);
    value = ab_json_member(ab_json_member(message->params, "arguments"), key != NULL ? key : "");
    wanted = ab_json_exists(value) && !ab_json_is(value, AB_JSON_NULL);
    present = ab_http_header(channel->exchange, name, &header);
    if (wanted != present)
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH, "The header Mcp-Param-%s is %s", suffix,
                      wanted ? "missing: it repeats the argument" : "there, but the argument is not");
    if (wanted && !parameter_matches(header, value))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH,
                      "The header Mcp-Param-%s does not say what the body says", suffix);
    return true;
}

static bool check_parameter_headers(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message,
                                    const struct ab_mcp_method *method)
{
    const struct ab_mcp_published *tool;
    struct ab_json_iterator properties;
    struct ab_json name;
    struct ab_json property;

    if (method == NULL || method->handle != ab_mcp_tools_call)
        return true;
    tool = ab_mcp_find_published(channel->mcp, ab_json_member(message->params, "name"));
    if (tool == NULL)
        return true;
    properties = ab_json_iterate(ab_json_member(ab_json_trusted(tool->settings.input_schema_json), "properties"));
    while (ab_json_next(&properties, &name, &property)) {
        struct ab_json annotation = ab_json_member(property, "x-mcp-header");
        if (ab_json_exists(annotation) && !check_parameter(channel, message, name, annotation))
            return false;
    }
    return true;
}

static void read_client(struct ab_mcp_request *request, struct ab_json info, struct ab_json capabilities)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_member(info, "name"));

    request->capabilities = ab_mcp_capabilities_read(capabilities);
    snprintf(request->client_name, sizeof(request->client_name), "%s", name != NULL ? name : "");
}

static void handle(struct ab_mcp_request *request)
{
    const struct ab_mcp_method *method = ab_mcp_method_find(request->version, request->message.method);
    struct ab_json_wanted meta[] = { { .key = META "clientInfo" },
                                     { .key = META "clientCapabilities" },
                                     { .key = META "logLevel" } };
    struct ab_json level;

    ab_json_find(request->meta, meta, sizeof meta / sizeof *meta);
    read_client(request, meta[0].value, meta[1].value);
    level = meta[2].value;
    if (ab_json_exists(level)) {
        request->log_level = ab_mcp_level_parse(level);
        if (request->log_level < 0) {
            ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                                 "_meta[\"" META "logLevel\"] must be one of debug, info, notice, warning, error, "
                                 "critical, alert, emergency; found %.*s",
                                 AB_STR_ARGS(level.text));
            return;
        }
    }
    if (method->needs_tasks && (request->capabilities & AB_MCP_CAN_TASKS) == 0)
        ab_mcp_answer_error(request, AB_MCP_MISSING_CAPABILITY,
                            "This method needs the client capability extensions[\"io.modelcontextprotocol/tasks\"]",
                            "{\"requiredCapabilities\":{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}");
    else
        method->handle(request);
}

/* Everything between reading the message and running its method. */
static bool check_request(struct ab_mcp_channel *channel, const struct ab_jsonrpc_message *message,
                          const struct ab_mcp_version **version)
{
    const struct ab_mcp_method *method;
    struct ab_json stated;
    struct ab_str header;

    if (!ab_http_header(channel->exchange, "mcp-protocol-version", &header))
        return refuse(channel, message, AB_MCP_HEADER_MISMATCH,
                      "The header MCP-Protocol-Version is missing: it repeats _meta[\"" META "protocolVersion\"]");
    if (!check_meta(channel, message, &stated) ||
        !check_version(channel, message, stated, ab_str_trim(header), version) ||
        !check_method_header(channel, message))
        return false;
    method = ab_mcp_method_find(*version, message->method);
    if (!check_name_header(channel, message, method))
        return false;
    if (method == NULL)
        return refuse(channel, message, AB_JSONRPC_METHOD_NOT_FOUND, "There is no method \"%s\" in MCP %s",
                      message->method, (*version)->name);
    return check_parameter_headers(channel, message, method);
}

void ab_mcp_post_modern(struct ab_mcp_channel *channel, struct ab_json body)
{
    const struct ab_mcp_version *version = NULL;
    struct ab_jsonrpc_message message;
    const char *reason = NULL;

    if (!ab_jsonrpc_read(body, &message, &reason))
        refuse(channel, &message, AB_JSONRPC_INVALID_REQUEST, "%s", reason);
    else if (message.kind == AB_JSONRPC_RESPONSE)
        refuse(channel, &message, AB_JSONRPC_INVALID_REQUEST, "A client sends no responses in this version");
    else if (message.kind == AB_JSONRPC_NOTIFICATION) {
        channel->status = 202;
        ab_mcp_channel_end(channel);
    } else if (check_request(channel, &message, &version)) {
        ab_mcp_request_new(channel, &message)->version = version;
        ab_mcp_channel_handle(channel, handle);
    }
    ab_jsonrpc_message_deinit(&message);
}
