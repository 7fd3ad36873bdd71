/* A2A 0.3: JSON-RPC writes objects that name their kind, HTTP+JSON the JSON form of the proto of that version. */
#include "a2a/methods.h"
#include "a2a/write.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char *const rpc_states[] = {
    [AB_A2A_SUBMITTED] = "submitted",
    [AB_A2A_WORKING] = "working",
    [AB_A2A_INPUT_REQUIRED] = "input-required",
    [AB_A2A_AUTH_REQUIRED] = "auth-required",
    [AB_A2A_COMPLETED] = "completed",
    [AB_A2A_FAILED] = "failed",
    [AB_A2A_CANCELED] = "canceled",
    [AB_A2A_REJECTED] = "rejected",
};

static const char *const http_states[] = {
    [AB_A2A_SUBMITTED] = "TASK_STATE_SUBMITTED",
    [AB_A2A_WORKING] = "TASK_STATE_WORKING",
    [AB_A2A_INPUT_REQUIRED] = "TASK_STATE_INPUT_REQUIRED",
    [AB_A2A_AUTH_REQUIRED] = "TASK_STATE_AUTH_REQUIRED",
    [AB_A2A_COMPLETED] = "TASK_STATE_COMPLETED",
    [AB_A2A_FAILED] = "TASK_STATE_FAILED",
    [AB_A2A_CANCELED] = "TASK_STATE_CANCELLED",
    [AB_A2A_REJECTED] = "TASK_STATE_REJECTED",
};

static const char *const rpc_roles[] = { [AB_A2A_USER] = "user", [AB_A2A_AGENT] = "agent" };
static const char *const http_roles[] = { [AB_A2A_USER] = "ROLE_USER", [AB_A2A_AGENT] = "ROLE_AGENT" };

/* --- writing --- */

static void put_text(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_is(value, AB_JSON_STRING))
        ab_json_put_value(writer, key, value);
}

static void write_file(struct ab_json_writer *writer, struct ab_json part, const char *bytes, const char *uri)
{
    ab_json_write_key(writer, "file");
    ab_json_object_begin(writer);
    put_text(writer, bytes, ab_json_member(part, "raw"));
    put_text(writer, uri, ab_json_member(part, "url"));
    ab_a2a_put_filled(writer, "mimeType", ab_json_member(part, "media_type"), AB_JSON_STRING);
}

/* Data was an object in this version; another value stands in one, and the part's metadata says so. */
static const char wrapped_flag[] = "data_part_compat";

static bool is_wrapped(struct ab_json part)
{
    struct ab_json data = ab_json_member(part, "data");

    return ab_json_exists(data) && !ab_json_is(data, AB_JSON_OBJECT);
}

static void write_data(struct ab_json_writer *writer, struct ab_json part)
{
    struct ab_json data = ab_json_member(part, "data");

    ab_json_write_key(writer, "data");
    if (!is_wrapped(part)) {
        ab_json_write_value(writer, data);
        return;
    }
    ab_json_object_begin(writer);
    ab_json_put_value(writer, "value", data);
    ab_json_object_end(writer);
}

/* The members of a part's metadata but the flag, which is ours. */
static void copy_metadata(struct ab_json_writer *writer, struct ab_json metadata)
{
    ab_json_put_members(writer, metadata, (const char *const[]){ wrapped_flag, NULL });
}

static void end_part(struct ab_json_writer *writer, struct ab_json part)
{
    struct ab_json metadata = ab_json_member(part, "metadata");

    if (is_wrapped(part) || (ab_json_is(metadata, AB_JSON_OBJECT) && ab_json_count(metadata) > 0)) {
        ab_json_write_key(writer, "metadata");
        ab_json_object_begin(writer);
        copy_metadata(writer, metadata);
        if (is_wrapped(part))
            ab_json_put_bool(writer, wrapped_flag, true);
        ab_json_object_end(writer);
    }
    ab_json_object_end(writer);
}

static void write_rpc_part(struct ab_json_writer *writer, struct ab_json part)
{
    struct ab_json text = ab_json_member(part, "text");
    struct ab_json data = ab_json_member(part, "data");

    ab_json_object_begin(writer);
    if (ab_json_exists(text)) {
        ab_json_put_text(writer, "kind", "text");
        ab_json_put_value(writer, "text", text);
    } else if (ab_json_exists(data)) {
        ab_json_put_text(writer, "kind", "data");
        write_data(writer, part);
    } else {
        ab_json_put_text(writer, "kind", "file");
        write_file(writer, part, "bytes", "uri");
        ab_a2a_put_filled(writer, "name", ab_json_member(part, "filename"), AB_JSON_STRING);
        ab_json_object_end(writer);
    }
    end_part(writer, part);
}

/* The proto of 0.3 has neither names of files nor metadata of parts, and its readers refuse what they do not know. */
static void write_http_part(struct ab_json_writer *writer, struct ab_json part)
{
    struct ab_json text = ab_json_member(part, "text");
    struct ab_json data = ab_json_member(part, "data");

    ab_json_object_begin(writer);
    if (ab_json_exists(text)) {
        ab_json_put_value(writer, "text", text);
    } else if (ab_json_exists(data)) {
        ab_json_write_key(writer, "data");
        ab_json_object_begin(writer);
        write_data(writer, part);
        ab_json_object_end(writer);
    } else {
        write_file(writer, part, "fileWithBytes", "fileWithUri");
        ab_json_object_end(writer);
    }
    ab_json_object_end(writer);
}

/* --- reading: the members say which kind it is, whatever binding it came over --- */

static struct ab_json either(struct ab_json object, const char *one, const char *other)
{
    struct ab_json value = ab_a2a_member(object, one);

    return ab_json_exists(value) ? value : ab_a2a_member(object, other);
}

static bool wrong(char *reason, size_t size, const char *what)
{
    snprintf(reason, size, "%s", what);
    return false;
}

/* Its address is called "url" by some, as in the versions before and after. */
static bool read_file(struct ab_json file, struct ab_json_writer *writer, char *reason, size_t size)
{
    struct ab_json bytes = either(file, "bytes", "fileWithBytes");
    struct ab_json uri = either(file, "uri", "fileWithUri");
    struct ab_json type = ab_a2a_member(file, "mimeType");
    struct ab_json name = ab_a2a_member(file, "name");

    if (!ab_json_exists(uri))
        uri = ab_a2a_member(file, "url");
    if (ab_json_exists(bytes) == ab_json_exists(uri))
        return wrong(reason, size, "must be a file with either bytes or uri");
    if (ab_json_exists(bytes)) {
        if (!ab_a2a_put_bytes(writer, bytes))
            return wrong(reason, size, "must have base64 as the file's bytes");
    } else if (ab_json_is(uri, AB_JSON_STRING)) {
        ab_json_put_value(writer, "url", uri);
    } else {
        return wrong(reason, size, "must have a string as the file's uri");
    }
    ab_a2a_put_filled(writer, "media_type", type, AB_JSON_STRING);
    ab_a2a_put_filled(writer, "filename", name, AB_JSON_STRING);
    return true;
}

/* The value that a part's data stands for; over HTTP+JSON there is a message around it. */
static struct ab_json data_value(struct ab_json part)
{
    struct ab_json data = ab_a2a_member(part, "data");
    struct ab_json inner = ab_json_member(data, "data");

    if (!ab_json_exists(ab_json_member(part, "kind")) && ab_json_count(data) == 1 && ab_json_is(inner, AB_JSON_OBJECT))
        data = inner;
    if (ab_json_is_true(ab_json_at(part, "metadata", wrapped_flag, NULL)) &&
        ab_json_exists(ab_json_member(data, "value")))
        return ab_json_member(data, "value");
    return data;
}

/* The one content that the part has; NULL: none, or several. */
static const char *content_of(struct ab_json part)
{
    static const char *const kinds[] = { "text", "file", "data" };
    const char *found = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!ab_json_exists(ab_a2a_member(part, kinds[i])))
            continue;
        if (found != NULL)
            return NULL;
        found = kinds[i];
    }
    return found;
}

/* What it says it is, where it does: "type" was the member's name before "kind". */
static bool is_of_kind(struct ab_json part, const char *content)
{
    struct ab_json kind = either(part, "kind", "type");

    return !ab_json_exists(kind) || ab_json_string_is(kind, content);
}

static bool read_content(struct ab_json part, struct ab_json_writer *writer, char *reason, size_t size)
{
    const char *content = content_of(part);
    struct ab_json value = ab_a2a_member(part, content != NULL ? content : "");

    if (content == NULL || !is_of_kind(part, content))
        return wrong(reason, size, "must be of kind text, file or data, and have one member of that name");
    if (strcmp(content, "file") == 0)
        return ab_json_is(value, AB_JSON_OBJECT) ? read_file(value, writer, reason, size)
                                                 : wrong(reason, size, "must have an object as file");
    if (strcmp(content, "data") == 0)
        value = data_value(part);
    else if (!ab_json_is(value, AB_JSON_STRING))
        return wrong(reason, size, "must have a string as text");
    ab_json_put_value(writer, content, value);
    return true;
}

/* As it came, but for our flag. */
static void put_metadata(struct ab_json_writer *writer, struct ab_json metadata)
{
    if (!ab_json_exists(ab_json_member(metadata, wrapped_flag))) {
        ab_json_put_value(writer, "metadata", metadata);
        return;
    }
    ab_json_write_key(writer, "metadata");
    ab_json_object_begin(writer);
    copy_metadata(writer, metadata);
    ab_json_object_end(writer);
}

static bool read_part(struct ab_json part, struct ab_json_writer *writer, char *reason, size_t size)
{
    struct ab_json metadata = ab_a2a_member(part, "metadata");

    if (!ab_json_is(part, AB_JSON_OBJECT))
        return wrong(reason, size, "must be an object");
    ab_json_object_begin(writer);
    if (!read_content(part, writer, reason, size))
        return false;
    if (ab_json_exists(metadata)) {
        if (!ab_json_is(metadata, AB_JSON_OBJECT))
            return wrong(reason, size, "must have an object as metadata");
        put_metadata(writer, metadata);
    }
    ab_json_object_end(writer);
    return true;
}

/* --- push notification configurations --- */

static void write_inner_push(struct ab_json_writer *writer, const struct ab_a2a_push_view *push)
{
    ab_json_write_key(writer, "pushNotificationConfig");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", push->id);
    ab_json_put_text(writer, "url", push->url);
    if (push->scheme != NULL) {
        ab_json_write_key(writer, "authentication");
        ab_json_object_begin(writer);
        ab_json_write_key(writer, "schemes");
        ab_json_array_begin(writer);
        ab_json_write_text(writer, push->scheme);
        ab_json_array_end(writer);
        ab_json_object_end(writer);
    }
    ab_json_object_end(writer);
}

static void write_rpc_push(struct ab_json_writer *writer, const struct ab_a2a_push_view *push)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "taskId", push->task_id);
    write_inner_push(writer, push);
    ab_json_object_end(writer);
}

static void write_http_push(struct ab_json_writer *writer, const struct ab_a2a_push_view *push)
{
    AB_CLEANUP(ab_free_string) char *name = ab_format("tasks/%s/pushNotificationConfigs/%s", push->task_id, push->id);

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "name", name);
    write_inner_push(writer, push);
    ab_json_object_end(writer);
}

/* --- the tables --- */

static const struct ab_a2a_form rpc_form = {
    .states = rpc_states,
    .roles = rpc_roles,
    .message_parts = "parts",
    .kinds = true,
    .blocks_unless_told = true,
    .final = true,
    .streams_refusals = true,
    .write_part = write_rpc_part,
    .push_in_send = "pushNotificationConfig",
    .push_schemes = true,
    .push_nested = "pushNotificationConfig",
    .bare_lists = true,
    .write_push = write_rpc_push,
};

/* There `blocking` is false unless set and a length 0 means no limit; clients leave out what is false or 0. */
static const struct ab_a2a_form http_form = {
    .states = http_states,
    .roles = http_roles,
    .message_parts = "content",
    .wraps = true,
    .no_length_is_all = true,
    .final = true,
    .write_part = write_http_part,
    .push_in_send = "pushNotification",
    .push_schemes = true,
    .push_nested = "pushNotificationConfig",
    .write_push = write_http_push,
};

#define CONFIGS "/tasks/{taskId}/pushNotificationConfigs"

static const struct ab_a2a_method methods[] = {
    { "message/send", "POST", "/message:send", false, ab_a2a_send },
    { "message/stream", "POST", "/message:stream", true, ab_a2a_send_stream },
    { "tasks/get", "GET", "/tasks/{id}", false, ab_a2a_get_task },
    { NULL, "GET", "/tasks", false, ab_a2a_list_tasks },
    { "tasks/cancel", "POST", "/tasks/{id}:cancel", false, ab_a2a_cancel_task },
    { "tasks/resubscribe", "GET", "/tasks/{id}:subscribe", true, ab_a2a_subscribe },
    { NULL, "POST", "/tasks/{id}:subscribe", true, ab_a2a_subscribe },
    { "tasks/pushNotificationConfig/set", "POST", CONFIGS, false, ab_a2a_push_create },
    { "tasks/pushNotificationConfig/list", "GET", CONFIGS, false, ab_a2a_push_list },
    { "tasks/pushNotificationConfig/get", "GET", CONFIGS "/{id}", false, ab_a2a_push_get },
    { "tasks/pushNotificationConfig/delete", "DELETE", CONFIGS "/{id}", false, ab_a2a_push_delete },
    { "agent/getAuthenticatedExtendedCard", "GET", "/card", false, ab_a2a_extended_card },
    { .handle = NULL },
};

const struct ab_a2a_version ab_a2a_v0_3 = {
    .name = "0.3",
    .prefix = "/v1",
    .methods = methods,
    .rpc_form = &rpc_form,
    .http_form = &http_form,
    .extensions_header = "X-A2A-Extensions",
    .no_extended_card = AB_A2A_EXTENDED_CARD_NOT_CONFIGURED,
    .read_part = read_part,
};
