/* JSON-RPC 2.0 messages. */
#include "wire/jsonrpc.h"

#include "base/mem.h"

#include <string.h>

static bool is_id(struct ab_json value)
{
    return ab_json_is(value, AB_JSON_STRING) || ab_json_is_integer(value);
}

enum { JSONRPC, ID, METHOD, PARAMS, RESULT, ERROR, N_MEMBERS };

/* Requests and notifications. */
static const char *read_call(const struct ab_json_wanted *members, struct ab_jsonrpc_message *out)
{
    struct ab_json id = members[ID].value;
    if (ab_json_exists(members[RESULT].value) || ab_json_exists(members[ERROR].value)) {
        return "a message is either a call or a response: it has \"method\", and \"result\" or \"error\"";
    }
    if (ab_json_exists(id) && !is_id(id)) {
        return "\"id\" must be a string or an integer";
    }
    struct ab_json params = members[PARAMS].value;
    enum ab_json_type type = ab_json_type(params);
    if (type != AB_JSON_NONE && type != AB_JSON_NULL && type != AB_JSON_OBJECT && type != AB_JSON_ARRAY) {
        return "\"params\" must be an object or an array";
    }
    char *method = ab_json_string_dup(members[METHOD].value);
    if (method == NULL || method[0] == '\0') {
        free(method);
        return "\"method\" must be a string that names a method";
    }
    out->kind = ab_json_exists(id) ? AB_JSONRPC_REQUEST : AB_JSONRPC_NOTIFICATION;
    out->method = method;
    if (type != AB_JSON_NULL) { /* some clients write null where they mean nothing */
        out->params = params;
    }
    return NULL;
}

static const char *read_response(const struct ab_json_wanted *members, struct ab_jsonrpc_message *out)
{
    struct ab_json id = members[ID].value;
    out->result = members[RESULT].value;
    out->error = members[ERROR].value;
    if (ab_json_exists(out->result) == ab_json_exists(out->error)) {
        return ab_json_exists(out->result) ? "a response has \"result\" or \"error\", not both"
                                           : "one of \"method\", \"result\" and \"error\" is missing";
    }
    /* Who could not read a request answers it without its id. */
    bool without_id = !ab_json_exists(id) || ab_json_is(id, AB_JSON_NULL);
    if (!is_id(id) && !(without_id && ab_json_exists(out->error))) {
        return "\"id\" must be a string or an integer";
    }
    if (ab_json_exists(out->error) && (!ab_json_is_integer(ab_json_member(out->error, "code")) ||
                                       !ab_json_is(ab_json_member(out->error, "message"), AB_JSON_STRING))) {
        return "\"error\" must be an object with an integer \"code\" and a string \"message\"";
    }
    out->kind = AB_JSONRPC_RESPONSE;
    return NULL;
}

static const char *read_message(struct ab_json value, struct ab_jsonrpc_message *out)
{
    if (ab_json_is(value, AB_JSON_ARRAY)) {
        return "a batch is not taken: send each message by itself";
    }
    if (!ab_json_is(value, AB_JSON_OBJECT)) {
        return "a message is a JSON object";
    }
    struct ab_json_wanted members[N_MEMBERS] = {
        [JSONRPC] = { .key = "jsonrpc" }, [ID] = { .key = "id" },         [METHOD] = { .key = "method" },
        [PARAMS] = { .key = "params" },   [RESULT] = { .key = "result" }, [ERROR] = { .key = "error" },
    };
    ab_json_find(value, members, N_MEMBERS);
    if (is_id(members[ID].value)) {
        out->id = members[ID].value;
    }
    if (!ab_json_string_is(members[JSONRPC].value, "2.0")) {
        return "\"jsonrpc\" must be \"2.0\"";
    }
    return ab_json_exists(members[METHOD].value) ? read_call(members, out) : read_response(members, out);
}

bool ab_jsonrpc_read(struct ab_json value, struct ab_jsonrpc_message *out, const char **reason)
{
    *out = (struct ab_jsonrpc_message){ .kind = AB_JSONRPC_REQUEST };
    *reason = read_message(value, out);
    return *reason == NULL;
}

void ab_jsonrpc_message_deinit(struct ab_jsonrpc_message *message)
{
    ab_replace(&message->method, NULL);
}

static void begin(struct ab_json_writer *writer, struct ab_buf *out, struct ab_json id)
{
    ab_json_writer_init(writer, out);
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "jsonrpc", "2.0");
    if (ab_json_exists(id)) {
        ab_json_put_value(writer, "id", id);
    }
}

void ab_jsonrpc_write_result(struct ab_buf *out, struct ab_json id, struct ab_str result)
{
    struct ab_json_writer writer;
    begin(&writer, out, id);
    ab_json_put_value(&writer, "result", (struct ab_json){ result });
    ab_json_object_end(&writer);
}

void ab_jsonrpc_write_error(struct ab_buf *out, struct ab_json id, int64_t code, const char *message,
                            const char *data_json)
{
    struct ab_json_writer writer;
    begin(&writer, out, id);
    ab_json_write_key(&writer, "error");
    ab_json_object_begin(&writer);
    ab_json_put_int(&writer, "code", code);
    ab_json_put_text(&writer, "message", message == NULL ? "" : message);
    ab_json_put_optional_raw(&writer, "data", data_json);
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
}

void ab_jsonrpc_write_call(struct ab_buf *out, struct ab_json id, const char *method, const char *params_json)
{
    struct ab_json_writer writer;
    begin(&writer, out, id);
    ab_json_put_text(&writer, "method", method);
    ab_json_put_optional_raw(&writer, "params", params_json);
    ab_json_object_end(&writer);
}
