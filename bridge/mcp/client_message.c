/* Requests to a server, and what its first answers and notifications say. */
#include "mcp/client_message.h"

#include "mcp/request.h"

#include "base/base64.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- writing --- */

static void put_meta(struct ab_json_writer *writer, const struct ab_mcp_client_words *words, int64_t id, bool follow)
{
    bool modern = words->version->era == AB_MCP_MODERN;

    if (!modern && !follow)
        return;
    ab_json_write_key(writer, "_meta");
    ab_json_object_begin(writer);
    if (modern) {
        ab_json_put_text(writer, "io.modelcontextprotocol/protocolVersion", words->version->name);
        ab_json_write_key(writer, "io.modelcontextprotocol/clientInfo");
        ab_mcp_write_server_info(writer);
        ab_json_write_key(writer, "io.modelcontextprotocol/clientCapabilities");
        ab_mcp_capabilities_write(writer, words->capabilities);
    }
    if (modern && follow)
        ab_json_put_text(writer, "io.modelcontextprotocol/logLevel", "info");
    if (follow)
        ab_json_put_int(writer, "progressToken", id);
    ab_json_object_end(writer);
}

void ab_mcp_client_begin(struct ab_mcp_client_message *message, const struct ab_mcp_client_words *words, int64_t id,
                         const char *method, bool follow)
{
    ab_buf_init(&message->text, AB_BUF_UNBOUNDED);
    ab_json_writer_init(&message->writer, &message->text);
    ab_json_object_begin(&message->writer);
    ab_json_put_text(&message->writer, "jsonrpc", "2.0");
    if (id > 0)
        ab_json_put_int(&message->writer, "id", id);
    ab_json_put_text(&message->writer, "method", method);
    ab_json_write_key(&message->writer, "params");
    ab_json_object_begin(&message->writer);
    put_meta(&message->writer, words, id, follow);
}

void ab_mcp_client_end(struct ab_mcp_client_message *message)
{
    ab_json_object_end(&message->writer);
    ab_json_object_end(&message->writer);
}

void ab_mcp_client_write_initialize(struct ab_buf *out, const struct ab_mcp_client_words *words, int64_t id)
{
    struct ab_mcp_client_message message;

    ab_mcp_client_begin(&message, words, id, "initialize", false);
    ab_json_put_text(&message.writer, "protocolVersion", words->version->name);
    ab_json_write_key(&message.writer, "capabilities");
    /* The Tasks extension does not exist in this era. */
    ab_mcp_capabilities_write(&message.writer, words->capabilities & ~(uint32_t)AB_MCP_CAN_TASKS);
    ab_json_write_key(&message.writer, "clientInfo");
    ab_mcp_write_server_info(&message.writer);
    ab_mcp_client_end(&message);
    ab_buf_append_str(out, ab_buf_str(&message.text));
    ab_buf_deinit(&message.text);
}

void ab_mcp_client_write_plain(struct ab_buf *out, const struct ab_mcp_client_words *words, int64_t id,
                               const char *method, const char *key, const char *value)
{
    struct ab_mcp_client_message message;

    ab_mcp_client_begin(&message, words, id, method, false);
    if (key != NULL)
        ab_json_put_optional_text(&message.writer, key, value);
    ab_mcp_client_end(&message);
    ab_buf_append_str(out, ab_buf_str(&message.text));
    ab_buf_deinit(&message.text);
}

void ab_mcp_client_write_cancelled(struct ab_buf *out, const struct ab_mcp_client_words *words, int64_t id)
{
    struct ab_mcp_client_message message;

    ab_mcp_client_begin(&message, words, 0, "notifications/cancelled", false);
    ab_json_put_int(&message.writer, "requestId", id);
    ab_json_put_text(&message.writer, "reason", "nobody waits for it any more");
    ab_mcp_client_end(&message);
    ab_buf_append_str(out, ab_buf_str(&message.text));
    ab_buf_deinit(&message.text);
}

static bool is_plain(struct ab_str value)
{
    if (value.size == 0)
        return true;
    if (value.data[0] == ' ' || value.data[value.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.data[i] < 0x20 || (unsigned char)value.data[i] > 0x7E)
            return false;
    /* What only looks encoded would be decoded. */
    return !(ab_str_starts(value, "=?base64?") && value.size > 2 && memcmp(value.data + value.size - 2, "?=", 2) == 0);
}

void ab_mcp_client_write_header_value(struct ab_buf *out, struct ab_str value)
{
    if (is_plain(value)) {
        ab_buf_append_str(out, value);
        return;
    }
    ab_buf_append_text(out, "=?base64?");
    ab_base64_encode(out, value.data, value.size);
    ab_buf_append_text(out, "?=");
}

/* --- a server's description of itself --- */

static const struct ab_mcp_version *version_of(struct ab_json name, enum ab_mcp_era era)
{
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(name);
    const struct ab_mcp_version *version = text != NULL ? ab_mcp_version_find(ab_str(text)) : NULL;

    return version != NULL && version->era == era ? version : NULL;
}

static void read_info(struct ab_json info, struct ab_mcp_client_server *out)
{
    out->title = ab_json_string_dup(ab_json_member(info, "title"));
    if (out->title == NULL)
        out->title = ab_json_string_dup(ab_json_member(info, "name"));
    out->server_version = ab_json_string_dup(ab_json_member(info, "version"));
}

static void read_capabilities(struct ab_json capabilities, struct ab_mcp_client_server *out)
{
    out->tools = ab_json_is(ab_json_member(capabilities, "tools"), AB_JSON_OBJECT);
    out->tells_changes = ab_json_is_true(ab_json_at(capabilities, "tools", "listChanged", NULL));
    out->core_tasks = out->version->core_tasks &&
                      ab_json_is(ab_json_at(capabilities, "tasks", "requests", "tools", "call", NULL), AB_JSON_OBJECT);
}

/* One string for a person out of a value that should be one. */
static int shown(struct ab_json value)
{
    return value.text.size < 100 ? (int)value.text.size : 100;
}

bool ab_mcp_client_read_initialize(struct ab_json result, struct ab_mcp_client_server *out, char *reason,
                                   size_t reason_size)
{
    struct ab_json wanted = ab_json_member(result, "protocolVersion");

    *out = (struct ab_mcp_client_server){ .version = version_of(wanted, AB_MCP_LEGACY) };
    if (out->version == NULL) {
        snprintf(reason, reason_size, "the server chose the protocol version %.*s, which the bridge does not speak",
                 ab_json_exists(wanted) ? shown(wanted) : 7, ab_json_exists(wanted) ? wanted.text.data : "nothing");
        return false;
    }
    read_info(ab_json_member(result, "serverInfo"), out);
    out->instructions = ab_json_string_dup(ab_json_member(result, "instructions"));
    read_capabilities(ab_json_member(result, "capabilities"), out);
    return true;
}

/* The newest of ours in a list of names; NULL when none is. */
static const struct ab_mcp_version *newest_of(struct ab_json names)
{
    for (size_t i = 0; ab_mcp_versions[i] != NULL; i++) {
        struct ab_json_iterator each = ab_json_iterate(names);
        struct ab_json name;
        while (ab_json_is(names, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &name))
            if (ab_json_string_is(name, ab_mcp_versions[i]->name))
                return ab_mcp_versions[i];
    }
    return NULL;
}

bool ab_mcp_client_read_discover(struct ab_json result, struct ab_mcp_client_server *out, char *reason,
                                 size_t reason_size)
{
    struct ab_json info = ab_json_at(result, "_meta", "io.modelcontextprotocol/serverInfo", NULL);

    *out = (struct ab_mcp_client_server){ .version = newest_of(ab_json_member(result, "supportedVersions")) };
    if (out->version == NULL || out->version->era != AB_MCP_MODERN) {
        snprintf(reason, reason_size, "the server names no version in supportedVersions that the bridge speaks");
        return false;
    }
    read_info(ab_json_exists(info) ? info : ab_json_member(result, "serverInfo"), out);
    out->instructions = ab_json_string_dup(ab_json_member(result, "instructions"));
    read_capabilities(ab_json_member(result, "capabilities"), out);
    return true;
}

void ab_mcp_client_server_deinit(struct ab_mcp_client_server *server)
{
    free(server->title);
    free(server->server_version);
    free(server->instructions);
    *server = (struct ab_mcp_client_server){ 0 };
}

/* --- errors --- */

bool ab_mcp_client_is_modern_error(struct ab_json error)
{
    int64_t code;

    return ab_json_int(ab_json_member(error, "code"), &code) &&
           (code == AB_MCP_HEADER_MISMATCH || code == AB_MCP_MISSING_CAPABILITY || code == AB_MCP_UNSUPPORTED_VERSION);
}

const struct ab_mcp_version *ab_mcp_client_supported(struct ab_json error)
{
    int64_t code;

    if (!ab_json_int(ab_json_member(error, "code"), &code) || code != AB_MCP_UNSUPPORTED_VERSION)
        return NULL;
    return newest_of(ab_json_at(error, "data", "supported", NULL));
}

/* --- notifications --- */

static bool is_token(struct ab_json value, int64_t token)
{
    char text[24];
    int64_t number;

    if (ab_json_int(value, &number))
        return number == token;
    snprintf(text, sizeof(text), "%lld", (long long)token); /* some make a string of it */
    return ab_json_string_is(value, text);
}

bool ab_mcp_client_read_progress(struct ab_json params, int64_t token, struct ab_mcp_client_progress *out)
{
    if (!is_token(ab_json_member(params, "progressToken"), token) ||
        !ab_json_double(ab_json_member(params, "progress"), &out->value))
        return false;
    if (!ab_json_double(ab_json_member(params, "total"), &out->total))
        out->total = (double)NAN;
    out->message = ab_json_string_dup(ab_json_member(params, "message"));
    return true;
}

char *ab_mcp_client_read_log(struct ab_json params, const char **level)
{
    static const char *const levels[] = { "debug", "info",     "notice", "warning",
                                          "error", "critical", "alert",  "emergency" };
    struct ab_json data = ab_json_member(params, "data");
    int found = ab_mcp_level_parse(ab_json_member(params, "level"));
    AB_CLEANUP(ab_free_string) char *logger = ab_json_string_dup(ab_json_member(params, "logger"));
    AB_CLEANUP(ab_free_string) char *said = ab_json_string_dup(data);

    *level = levels[found >= 0 ? found : 1];
    if (said == NULL)
        said = ab_json_exists(data) ? ab_json_dup(data) : ab_strdup("");
    return logger != NULL && logger[0] != '\0' ? ab_format("%s: %s", logger, said) : ab_strdup(said);
}
