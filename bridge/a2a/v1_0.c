/* A2A 1.0: both bindings write the JSON form of the protocol's messages (ProtoJSON). */
#include "a2a/methods.h"
#include "a2a/write.h"

#include <stdio.h>
#include <string.h>

static const char *const states[] = {
    [AB_A2A_SUBMITTED] = "TASK_STATE_SUBMITTED",
    [AB_A2A_WORKING] = "TASK_STATE_WORKING",
    [AB_A2A_INPUT_REQUIRED] = "TASK_STATE_INPUT_REQUIRED",
    [AB_A2A_AUTH_REQUIRED] = "TASK_STATE_AUTH_REQUIRED",
    [AB_A2A_COMPLETED] = "TASK_STATE_COMPLETED",
    [AB_A2A_FAILED] = "TASK_STATE_FAILED",
    [AB_A2A_CANCELED] = "TASK_STATE_CANCELED",
    [AB_A2A_REJECTED] = "TASK_STATE_REJECTED",
};

static const char *const roles[] = { [AB_A2A_USER] = "ROLE_USER", [AB_A2A_AGENT] = "ROLE_AGENT" };

static const char *const contents[] = { "text", "raw", "url" };

static void write_part(struct ab_json_writer *writer, struct ab_json part)
{
    ab_json_object_begin(writer);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
        if (ab_json_exists(ab_json_member(part, contents[i])))
            ab_json_put_value(writer, contents[i], ab_json_member(part, contents[i]));
    if (ab_json_exists(ab_json_member(part, "data")))
        ab_json_put_value(writer, "data", ab_json_member(part, "data"));
    ab_a2a_put_filled(writer, "mediaType", ab_json_member(part, "media_type"), AB_JSON_STRING);
    ab_a2a_put_filled(writer, "filename", ab_json_member(part, "filename"), AB_JSON_STRING);
    ab_a2a_put_filled(writer, "metadata", ab_json_member(part, "metadata"), AB_JSON_OBJECT);
    ab_json_object_end(writer);
}

/* Which of the four contents it has: exactly one of them. */
static bool find_content(struct ab_json part, const char **name, char *reason, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct ab_json value = ab_json_member(part, contents[i]);
        if (!ab_json_exists(value) || ab_json_is(value, AB_JSON_NULL))
            continue;
        *name = contents[i];
        n++;
        if (!ab_json_is(value, AB_JSON_STRING)) {
            snprintf(reason, size, "must have a string as %s, found %s", contents[i], ab_json_type_name(value));
            return false;
        }
    }
    if (ab_json_exists(ab_json_member(part, "data"))) {
        *name = "data";
        n++;
    }
    if (n != 1)
        snprintf(reason, size, "must have exactly one of text, raw, url and data");
    return n == 1;
}

static bool copy_others(struct ab_json part, struct ab_json_writer *writer, char *reason, size_t size)
{
    static const char *const names[][2] = { { "mediaType", "media_type" }, { "filename", "filename" } };
    struct ab_json metadata = ab_a2a_member(part, "metadata");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ab_json value = ab_a2a_member(part, names[i][0]);
        if (!ab_json_exists(value) || ab_json_string_is(value, ""))
            continue;
        if (!ab_json_is(value, AB_JSON_STRING)) {
            snprintf(reason, size, "must have a string as %s, found %s", names[i][0], ab_json_type_name(value));
            return false;
        }
        ab_json_put_value(writer, names[i][1], value);
    }
    if (!ab_json_exists(metadata))
        return true;
    ab_json_put_value(writer, "metadata", metadata);
    if (!ab_json_is(metadata, AB_JSON_OBJECT))
        snprintf(reason, size, "must have an object as metadata, found %s", ab_json_type_name(metadata));
    return ab_json_is(metadata, AB_JSON_OBJECT);
}

static bool read_part(struct ab_json part, struct ab_json_writer *writer, char *reason, size_t size)
{
    const char *name = NULL;
    struct ab_json value;

    if (!ab_json_is(part, AB_JSON_OBJECT)) {
        snprintf(reason, size, "must be an object, found %s", ab_json_type_name(part));
        return false;
    }
    if (!find_content(part, &name, reason, size))
        return false;
    value = ab_json_member(part, name);
    ab_json_object_begin(writer);
    if (strcmp(name, "raw") != 0) {
        ab_json_put_value(writer, name, value);
    } else if (!ab_a2a_put_bytes(writer, value)) {
        snprintf(reason, size, "must have base64 as raw");
        return false;
    }
    if (!copy_others(part, writer, reason, size))
        return false;
    ab_json_object_end(writer);
    return true;
}

static void write_push(struct ab_json_writer *writer, const struct ab_a2a_push_view *push)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "taskId", push->task_id);
    ab_json_put_text(writer, "id", push->id);
    ab_json_put_text(writer, "url", push->url);
    if (push->scheme != NULL) {
        ab_json_write_key(writer, "authentication");
        ab_json_object_begin(writer);
        ab_json_put_text(writer, "scheme", push->scheme);
        ab_json_object_end(writer);
    }
    ab_json_object_end(writer);
}

static const struct ab_a2a_form form = {
    .states = states,
    .roles = roles,
    .message_parts = "parts",
    .wraps = true,
    .blocks_unless_told = true,
    .write_part = write_part,
    .push_in_send = "taskPushNotificationConfig",
    .write_push = write_push,
};

#define CONFIGS "/tasks/{taskId}/pushNotificationConfigs"

static const struct ab_a2a_method methods[] = {
    { "SendMessage", "POST", "/message:send", false, ab_a2a_send },
    { "SendStreamingMessage", "POST", "/message:stream", true, ab_a2a_send_stream },
    { "GetTask", "GET", "/tasks/{id}", false, ab_a2a_get_task },
    { "ListTasks", "GET", "/tasks", false, ab_a2a_list_tasks },
    { "CancelTask", "POST", "/tasks/{id}:cancel", false, ab_a2a_cancel_task },
    { "SubscribeToTask", "POST", "/tasks/{id}:subscribe", true, ab_a2a_subscribe },
    { NULL, "GET", "/tasks/{id}:subscribe", true, ab_a2a_subscribe },
    { "CreateTaskPushNotificationConfig", "POST", CONFIGS, false, ab_a2a_push_create },
    { "ListTaskPushNotificationConfigs", "GET", CONFIGS, false, ab_a2a_push_list },
    { "GetTaskPushNotificationConfig", "GET", CONFIGS "/{id}", false, ab_a2a_push_get },
    { "DeleteTaskPushNotificationConfig", "DELETE", CONFIGS "/{id}", false, ab_a2a_push_delete },
    { "GetExtendedAgentCard", "GET", "/extendedAgentCard", false, ab_a2a_extended_card },
    { .handle = NULL },
};

const struct ab_a2a_version ab_a2a_v1_0 = {
    .name = "1.0",
    .prefix = "",
    .methods = methods,
    .rpc_form = &form,
    .http_form = &form,
    .extensions_header = "A2A-Extensions",
    .error_info = true,
    .typed_http = true,
    .push_events = true,
    .returns_immediately = true,
    .no_extended_card = AB_A2A_UNSUPPORTED_OPERATION,
    .read_part = read_part,
};
