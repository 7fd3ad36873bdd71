/* Results, questions and tasks of a server, in the bridge's own words. */
#include "mcp/client_result.h"

#include "mcp/client_message.h"

#include "base/base64.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* --- what a result is --- */

static enum ab_mcp_call_result malformed(char *reason, size_t reason_size, const char *text)
{
    snprintf(reason, reason_size, "%s", text);
    return AB_MCP_CALL_MALFORMED;
}

static enum ab_mcp_call_result plain_kind(struct ab_json result, char *reason, size_t reason_size)
{
    if (ab_json_is(ab_json_member(result, "content"), AB_JSON_ARRAY) ||
        ab_json_exists(ab_json_member(result, "structuredContent")))
        return AB_MCP_CALL_RESULT;
    return malformed(reason, reason_size, "the result has no content");
}

static enum ab_mcp_call_result modern_kind(struct ab_json result, char *reason, size_t reason_size)
{
    struct ab_json type = ab_json_member(result, "resultType");

    if (!ab_json_exists(type) || ab_json_string_is(type, "complete"))
        return plain_kind(result, reason, reason_size);
    if (ab_json_string_is(type, "task"))
        return AB_MCP_CALL_TASK;
    if (!ab_json_string_is(type, "input_required"))
        return malformed(reason, reason_size, "the result is of a resultType that the bridge does not know");
    if (ab_json_is(ab_json_member(result, "inputRequests"), AB_JSON_OBJECT) ||
        ab_json_is(ab_json_member(result, "requestState"), AB_JSON_STRING))
        return AB_MCP_CALL_INPUT;
    return malformed(reason, reason_size, "the result wants input and does not say which");
}

enum ab_mcp_call_result ab_mcp_client_result_kind(struct ab_json result, const struct ab_mcp_version *version,
                                                  char *reason, size_t reason_size)
{
    if (!ab_json_is(result, AB_JSON_OBJECT))
        return malformed(reason, reason_size, "the result is no object");
    if (version->era == AB_MCP_MODERN)
        return modern_kind(result, reason, reason_size);
    if (version->core_tasks && ab_json_is(ab_json_member(result, "task"), AB_JSON_OBJECT))
        return AB_MCP_CALL_TASK;
    return plain_kind(result, reason, reason_size);
}

/* --- content blocks become parts --- */

static void put_member(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_exists(value))
        ab_json_put_value(writer, key, value);
}

/* What a part has no member for: all of the block but the members named. */
static void put_metadata(struct ab_json_writer *writer, struct ab_json block, const char *const *told)
{
    struct ab_json_iterator each = ab_json_iterate(block);
    struct ab_json key;
    struct ab_json value;
    bool any = false;

    while (ab_json_next(&each, &key, &value)) {
        bool known = false;
        for (size_t i = 0; told[i] != NULL; i++)
            known = known || ab_json_string_is(key, told[i]);
        if (known)
            continue;
        if (!any) {
            ab_json_write_key(writer, "metadata");
            ab_json_object_begin(writer);
        }
        any = true;
        ab_json_put_member(writer, key, value);
    }
    if (any)
        ab_json_object_end(writer);
}

static void write_text(struct ab_json_writer *writer, struct ab_json block)
{
    static const char *const told[] = { "type", "text", NULL };

    ab_json_put_value(writer, "text", ab_json_member(block, "text"));
    put_metadata(writer, block, told);
}

static void write_media(struct ab_json_writer *writer, struct ab_json block)
{
    static const char *const told[] = { "type", "data", "mimeType", NULL };

    ab_json_put_value(writer, "raw", ab_json_member(block, "data"));
    put_member(writer, "media_type", ab_json_member(block, "mimeType"));
    put_metadata(writer, block, told);
}

static void write_link(struct ab_json_writer *writer, struct ab_json block)
{
    static const char *const told[] = { "type", "uri", "mimeType", "name", NULL };

    ab_json_put_value(writer, "url", ab_json_member(block, "uri"));
    put_member(writer, "media_type", ab_json_member(block, "mimeType"));
    put_member(writer, "filename", ab_json_member(block, "name"));
    put_metadata(writer, block, told);
}

/* Its address stays in metadata.uri, where the MCP face looks for it. */
static void write_resource(struct ab_json_writer *writer, struct ab_json block)
{
    static const char *const told[] = { "text", "blob", "mimeType", NULL };
    struct ab_json resource = ab_json_member(block, "resource");
    struct ab_json text = ab_json_member(resource, "text");

    if (ab_json_exists(text))
        ab_json_put_value(writer, "text", text);
    else
        ab_json_put_value(writer, "raw", ab_json_member(resource, "blob"));
    put_member(writer, "media_type", ab_json_member(resource, "mimeType"));
    put_metadata(writer, resource, told);
}

/* Whether it is text, and the base64 of something: no one else's client is given what it would choke on. */
static bool is_base64(struct ab_json value)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good = ab_json_unescape(value, &text) && ab_base64_decode(&bytes, ab_buf_str(&text));

    ab_buf_deinit(&text);
    ab_buf_deinit(&bytes);
    return good;
}

static bool is_text(struct ab_json value)
{
    return ab_json_is(value, AB_JSON_STRING);
}

static bool is_resource(struct ab_json block)
{
    struct ab_json resource = ab_json_member(block, "resource");
    struct ab_json text = ab_json_member(resource, "text");

    return is_text(ab_json_member(resource, "uri")) &&
           (is_text(text) || (!ab_json_exists(text) && is_base64(ab_json_member(resource, "blob"))));
}

/* A block that is none of the known, or not as it should be, is handed on as data. */
static void write_block(struct ab_json_writer *writer, struct ab_json block)
{
    struct ab_json type = ab_json_member(block, "type");

    ab_json_object_begin(writer);
    if (ab_json_string_is(type, "text") && is_text(ab_json_member(block, "text")))
        write_text(writer, block);
    else if ((ab_json_string_is(type, "image") || ab_json_string_is(type, "audio")) &&
             is_base64(ab_json_member(block, "data")))
        write_media(writer, block);
    else if (ab_json_string_is(type, "resource_link") && is_text(ab_json_member(block, "uri")))
        write_link(writer, block);
    else if (ab_json_string_is(type, "resource") && is_resource(block))
        write_resource(writer, block);
    else
        ab_json_put_value(writer, "data", block);
    ab_json_object_end(writer);
}

void ab_mcp_client_write_parts(struct ab_json_writer *writer, struct ab_json content)
{
    struct ab_json_iterator each = ab_json_iterate(content);
    struct ab_json block;

    ab_json_array_begin(writer);
    while (ab_json_is(content, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &block))
        write_block(writer, block);
    ab_json_array_end(writer);
}

void ab_mcp_client_write_result(struct ab_buf *out, struct ab_json result)
{
    struct ab_json data = ab_json_member(result, "structuredContent");
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "parts");
    ab_mcp_client_write_parts(&writer, ab_json_member(result, "content"));
    put_member(&writer, "data", data);
    ab_json_object_end(&writer);
}

/* --- errors of the tool --- */

bool ab_mcp_client_is_error(struct ab_json result)
{
    return ab_json_is_true(ab_json_member(result, "isError"));
}

char *ab_mcp_client_error_text(struct ab_json result)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(result, "content"));
    struct ab_json data = ab_json_member(result, "structuredContent");
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json block;

    while (ab_json_next(&each, NULL, &block)) {
        struct ab_json said = ab_json_member(block, "text");
        if (!is_text(said))
            continue;
        if (text.size > 0)
            ab_buf_append_char(&text, '\n');
        (void)!ab_json_unescape(said, &text);
    }
    if (text.size == 0 && ab_json_exists(data))
        ab_buf_append_str(&text, data.text);
    if (text.size == 0 || memchr(text.data, '\0', text.size) != NULL) {
        ab_buf_clear(&text);
        ab_buf_append_text(&text, "the tool failed without saying why");
    }
    return ab_buf_steal(&text);
}

bool ab_mcp_client_has_more_than_text(struct ab_json result)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(result, "content"));
    struct ab_json block;

    if (ab_json_exists(ab_json_member(result, "structuredContent")))
        return true;
    while (ab_json_next(&each, NULL, &block))
        if (!ab_json_string_is(ab_json_member(block, "type"), "text"))
            return true;
    return false;
}

/* --- questions --- */

static bool refuse(char *reason, size_t reason_size, const char *text)
{
    snprintf(reason, reason_size, "%s", text);
    return false;
}

static bool write_elicitation(struct ab_json_writer *writer, struct ab_json params, char *reason, size_t reason_size)
{
    struct ab_json message = ab_json_member(params, "message");
    bool url = ab_json_string_is(ab_json_member(params, "mode"), "url");

    if (!is_text(message))
        return refuse(reason, reason_size, "elicitation/create has no message");
    if (url && !is_text(ab_json_member(params, "url")))
        return refuse(reason, reason_size, "elicitation/create of mode url has no url");
    if (!url && !ab_json_is(ab_json_member(params, "requestedSchema"), AB_JSON_OBJECT))
        return refuse(reason, reason_size, "elicitation/create has no requestedSchema");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "kind", url ? "url" : "form");
    ab_json_put_value(writer, "message", message);
    if (url)
        ab_json_put_value(writer, "url", ab_json_member(params, "url"));
    else
        ab_json_put_value(writer, "schema", ab_json_member(params, "requestedSchema"));
    ab_json_object_end(writer);
    return true;
}

bool ab_mcp_client_write_question(struct ab_json_writer *writer, struct ab_json method, struct ab_json params,
                                  uint32_t capabilities, char *reason, size_t reason_size)
{
    bool sampling = ab_json_string_is(method, "sampling/createMessage") && (capabilities & AB_MCP_CAN_SAMPLE) != 0;
    bool roots = ab_json_string_is(method, "roots/list") && (capabilities & AB_MCP_CAN_ROOTS) != 0;

    if (ab_json_string_is(method, "elicitation/create"))
        return write_elicitation(writer, params, reason, reason_size);
    if (!sampling && !roots) {
        snprintf(reason, reason_size, "%.*s was not declared among the client's capabilities",
                 (int)(method.text.size < 100 ? method.text.size : 100), method.text.data);
        return false;
    }
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "kind", "request");
    ab_json_put_value(writer, "method", method);
    if (ab_json_is(params, AB_JSON_OBJECT))
        ab_json_put_value(writer, "params", params);
    ab_json_object_end(writer);
    return true;
}

bool ab_mcp_client_write_questions(struct ab_buf *out, struct ab_json requests, struct ab_json known,
                                   uint32_t capabilities, size_t *n, char *reason, size_t reason_size)
{
    struct ab_json_iterator each = ab_json_iterate(requests);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json request;
    bool good = true;

    *n = 0;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (good && ab_json_next(&each, &key, &request)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        if (ab_json_unescape(key, &name) && !ab_json_exists(ab_json_member_str(known, ab_buf_str(&name)))) {
            ab_json_write_key_str(&writer, ab_buf_str(&name));
            good = ab_mcp_client_write_question(&writer, ab_json_member(request, "method"),
                                                ab_json_member(request, "params"), capabilities, reason, reason_size);
            (*n)++;
        }
        ab_buf_deinit(&name);
    }
    if (good) /* else a key stands there without its value */
        ab_json_object_end(&writer);
    return good;
}

bool ab_mcp_client_write_response(struct ab_buf *out, struct ab_json method, struct ab_json answer)
{
    struct ab_json result = ab_json_member(answer, "result");

    if (!ab_json_exists(result) && !ab_json_string_is(method, "elicitation/create"))
        return false;
    ab_buf_append_str(out, ab_json_exists(result) ? result.text : answer.text);
    return true;
}

bool ab_mcp_client_write_responses(struct ab_buf *out, struct ab_json requests, struct ab_json answers)
{
    struct ab_json_iterator each = ab_json_iterate(answers);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json answer;
    bool good = true;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (good && ab_json_next(&each, &key, &answer)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_buf response = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_json method = { { NULL, 0 } };
        if (ab_json_unescape(key, &name))
            method = ab_json_member(ab_json_member_str(requests, ab_buf_str(&name)), "method");
        good = !ab_json_exists(method) || ab_mcp_client_write_response(&response, method, answer);
        if (good && ab_json_exists(method)) {
            ab_json_write_key_str(&writer, ab_buf_str(&name));
            ab_json_write_raw(&writer, response.data);
        }
        ab_buf_deinit(&name);
        ab_buf_deinit(&response);
    }
    ab_json_object_end(&writer);
    return good;
}

/* --- tasks --- */

static bool read_status(struct ab_json value, enum ab_mcp_remote_status *out)
{
    static const char *const names[AB_MCP_REMOTE_STATUS_COUNT] = {
        [AB_MCP_REMOTE_WORKING] = "working",     [AB_MCP_REMOTE_INPUT] = "input_required",
        [AB_MCP_REMOTE_COMPLETED] = "completed", [AB_MCP_REMOTE_FAILED] = "failed",
        [AB_MCP_REMOTE_CANCELLED] = "cancelled",
    };

    for (int i = 0; i < AB_MCP_REMOTE_STATUS_COUNT; i++) {
        if (ab_json_string_is(value, names[i])) {
            *out = (enum ab_mcp_remote_status)i;
            return true;
        }
    }
    return false;
}

bool ab_mcp_client_read_task(struct ab_json value, struct ab_mcp_remote_task *out)
{
    struct ab_json nested = ab_json_member(value, "task");
    struct ab_json task = ab_json_is(nested, AB_JSON_OBJECT) ? nested : value;
    struct ab_json interval = ab_json_member(task, "pollIntervalMs");

    *out = (struct ab_mcp_remote_task){ .result = ab_json_member(task, "result"),
                                        .error = ab_json_member(task, "error"),
                                        .requests = ab_json_member(task, "inputRequests") };
    if (!read_status(ab_json_member(task, "status"), &out->status))
        return false;
    out->id = ab_json_string_dup(ab_json_member(task, "taskId"));
    out->message = ab_json_string_dup(ab_json_member(task, "statusMessage"));
    if (!ab_json_exists(interval))
        interval = ab_json_member(task, "pollInterval");
    if (!ab_json_int(interval, &out->poll_ms) || out->poll_ms < 0)
        out->poll_ms = 0;
    if (out->id != NULL && out->id[0] != '\0')
        return true;
    ab_mcp_remote_task_deinit(out);
    return false;
}

void ab_mcp_remote_task_deinit(struct ab_mcp_remote_task *task)
{
    free(task->id);
    free(task->message);
    *task = (struct ab_mcp_remote_task){ 0 };
}
