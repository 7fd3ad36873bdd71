#include "a2a/message.h"

#include "a2a/push_config.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>

/* Beyond it an id is no name but a load. */
#define ID_BYTES 512

static bool read_id(struct ab_a2a_call *call, struct ab_json message, const char *path, char **out)
{
    if (!ab_a2a_read_text(call, message, path, out))
        return false;
    if (ab_str(*out).size <= ID_BYTES)
        return true;
    ab_a2a_refuse_field(call, path, "%s must not be longer than %d bytes", path, ID_BYTES);
    return false;
}

static bool check_role(struct ab_a2a_call *call, struct ab_json message)
{
    struct ab_json role = ab_a2a_member(message, "role");
    int64_t number;

    if (ab_json_string_is(role, "ROLE_USER") || ab_json_string_is(role, "user") ||
        (ab_json_int(role, &number) && number == 1))
        return true;
    ab_a2a_refuse_field(call, "message.role", "message.role must be \"%s\": messages to an agent are a user's",
                        call->form->roles[AB_A2A_USER]);
    return false;
}

static bool write_parts(struct ab_a2a_call *call, struct ab_json message, struct ab_json_writer *writer)
{
    struct ab_json parts = ab_a2a_member(message, "parts");
    struct ab_json_iterator each;
    struct ab_json part;
    char reason[256];
    char field[48];

    if (!ab_json_exists(parts))
        parts = ab_a2a_member(message, "content"); /* 0.3 over HTTP+JSON */
    if (!ab_json_is(parts, AB_JSON_ARRAY) || ab_json_count(parts) == 0) {
        ab_a2a_refuse_field(call, "message.parts", "message.parts must be an array of at least one part");
        return false;
    }
    each = ab_json_iterate(parts);
    ab_json_array_begin(writer);
    for (size_t i = 0; ab_json_next(&each, NULL, &part); i++) {
        if (!call->version->read_part(part, writer, reason, sizeof reason)) {
            snprintf(field, sizeof field, "message.parts[%zu]", i);
            ab_a2a_refuse_field(call, field, "%s %s", field, reason);
            return false;
        }
    }
    ab_json_array_end(writer);
    return true;
}

static bool check_object(struct ab_a2a_call *call, struct ab_json value, const char *field)
{
    if (!ab_json_exists(value) || ab_json_is(value, AB_JSON_OBJECT))
        return true;
    ab_a2a_refuse_field(call, field, "%s must be an object, found %s", field, ab_json_type_name(value));
    return false;
}

static void put_if_there(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_exists(value))
        ab_json_put_value(writer, key, value);
}

/* An array of strings, or nothing. */
static bool check_strings(struct ab_a2a_call *call, struct ab_json value, const char *field)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    bool good = !ab_json_exists(value) || ab_json_is(value, AB_JSON_ARRAY);
    struct ab_json item;

    while (good && ab_json_exists(value) && ab_json_next(&each, NULL, &item))
        good = ab_json_is(item, AB_JSON_STRING);
    if (!good)
        ab_a2a_refuse_field(call, field, "%s must be an array of strings", field);
    return good;
}

static bool make_message(struct ab_a2a_call *call, struct ab_json message, struct ab_a2a_sent *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json metadata = ab_a2a_member(message, "metadata");
    struct ab_json_writer writer;
    bool good;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "message_id", ab_a2a_member(message, "messageId"));
    ab_json_put_text(&writer, "role", "user");
    ab_json_write_key(&writer, "parts");
    good = write_parts(call, message, &writer) && check_object(call, metadata, "message.metadata") &&
           check_strings(call, ab_a2a_member(message, "extensions"), "message.extensions") &&
           check_strings(call, ab_a2a_member(message, "referenceTaskIds"), "message.referenceTaskIds");
    if (good) {
        ab_json_put_value(&writer, "metadata", ab_json_exists(metadata) ? metadata : ab_json_trusted("{}"));
        put_if_there(&writer, "extensions", ab_a2a_member(message, "extensions"));
        put_if_there(&writer, "reference_task_ids", ab_a2a_member(message, "referenceTaskIds"));
        ab_json_object_end(&writer);
        out->message_json = ab_buf_steal(&text);
    }
    ab_buf_deinit(&text);
    return good;
}

/* --- media types --- */

/* Whether one of the modes of a card takes this type; "text", as older cards have it, is none that could be compared.
 */
static bool modes_take(struct ab_json modes, const char *type)
{
    struct ab_json_iterator each = ab_json_iterate(modes);
    struct ab_json mode;

    while (ab_json_is(modes, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &mode)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(mode);
        if (name != NULL && (strchr(name, '/') == NULL || ab_http_accepts(ab_str(name), type)))
            return true;
    }
    return false;
}

/* Whether the agent or one of its skills is configured to take it; where nothing is, any is taken. */
static bool agent_takes(const struct ab_a2a_agent_settings *settings, const char *type)
{
    struct ab_json skills = ab_json_trusted(settings->skills_json);
    struct ab_json_iterator each = ab_json_iterate(skills);
    struct ab_json skill;

    if (settings->input_modes_json == NULL || modes_take(ab_json_trusted(settings->input_modes_json), type))
        return true;
    while (ab_json_is(skills, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &skill))
        if (modes_take(ab_json_member(skill, "inputModes"), type))
            return true;
    return false;
}

static bool check_media_types(struct ab_a2a_call *call, struct ab_json parts)
{
    const struct ab_a2a_agent_settings *settings = ab_a2a_agent_settings(call->a2a, call->agent);
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;

    for (size_t i = 0; ab_json_next(&each, NULL, &part); i++) {
        AB_CLEANUP(ab_free_string) char *type = ab_json_string_dup(ab_json_member(part, "media_type"));
        if (type == NULL)
            continue;
        type[strcspn(type, "; ")] = '\0';
        if (!agent_takes(settings, type)) {
            ab_a2a_refuse(call, AB_A2A_CONTENT_TYPE_NOT_SUPPORTED,
                          "message.parts[%zu] is %.80s; this agent takes %.200s", i, type, settings->input_modes_json);
            return false;
        }
    }
    return true;
}

/* --- what agents read --- */

/* The texts together, the addresses of files, and who asks: what agents read that know nothing of parts. */
static char *make_input(const struct ab_a2a *a2a, struct ab_json parts)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json_writer writer;
    struct ab_json part;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "files");
    ab_json_array_begin(&writer);
    while (ab_json_next(&each, NULL, &part)) {
        if (ab_json_exists(ab_json_member(part, "text"))) {
            if (text.size > 0)
                ab_buf_append_char(&text, '\n');
            (void)!ab_json_unescape(ab_json_member(part, "text"), &text);
        }
        if (ab_json_exists(ab_json_member(part, "url")))
            ab_json_write_value(&writer, ab_json_member(part, "url"));
    }
    ab_json_array_end(&writer);
    ab_json_write_key(&writer, "text");
    ab_json_write_str(&writer, ab_buf_str(&text));
    ab_json_put_optional_raw(&writer, "user", a2a->settings.user_json);
    ab_json_object_end(&writer);
    ab_buf_deinit(&text);
    return ab_buf_steal(&out);
}

/* What the caller said beside the message. */
static char *make_options(struct ab_json params, struct ab_json configuration)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    put_if_there(&writer, "accepted_output_modes", ab_a2a_member(configuration, "acceptedOutputModes"));
    put_if_there(&writer, "metadata", ab_a2a_member(params, "metadata"));
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

/* The push notification configuration that may stand in a send's, by its name in any of the forms. */
static bool read_push(struct ab_a2a_call *call, struct ab_json configuration, struct ab_a2a_sent *out)
{
    static const char *const names[] = { "taskPushNotificationConfig", "pushNotificationConfig", "pushNotification" };
    char id[AB_A2A_PUSH_ID_SIZE];
    char path[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ab_json push = ab_a2a_member(configuration, names[i]);
        if (!ab_json_exists(push))
            continue;
        snprintf(path, sizeof path, "configuration.%s", names[i]);
        return ab_a2a_push_config_read(call, &(struct ab_a2a_push_given){ .object = push, .path = path },
                                       &out->push_wish, id);
    }
    return true;
}

static bool read_configuration(struct ab_a2a_call *call, struct ab_json configuration, struct ab_a2a_sent *out)
{
    bool blocking = !ab_json_exists(configuration) || call->form->blocks_unless_told;

    out->history_length = -1;
    if (!check_object(call, configuration, "configuration") ||
        !check_object(call, ab_a2a_member(call->params, "metadata"), "metadata") ||
        !check_strings(call, ab_a2a_member(configuration, "acceptedOutputModes"),
                       "configuration.acceptedOutputModes") ||
        !ab_a2a_read_count(call, configuration, "configuration.historyLength", &out->history_length) ||
        !ab_a2a_read_flag(call, configuration, "configuration.returnImmediately", &out->return_immediately) ||
        !ab_a2a_read_flag(call, configuration, "configuration.blocking", &blocking))
        return false;
    out->return_immediately = out->return_immediately || !blocking;
    if (out->history_length == 0 && call->form->no_length_is_all)
        out->history_length = -1;
    return read_push(call, configuration, out);
}

bool ab_a2a_sent_read(struct ab_a2a_call *call, struct ab_a2a_sent *out)
{
    struct ab_json message = ab_a2a_member(call->params, "message");
    struct ab_json configuration = ab_a2a_member(call->params, "configuration");
    AB_CLEANUP(ab_free_string) char *id = NULL;
    struct ab_json parts;

    if (!ab_json_exists(message))
        message = ab_a2a_member(call->params, "request"); /* its name in the proto of 0.3 */
    if (!ab_json_is(message, AB_JSON_OBJECT)) {
        ab_a2a_refuse_field(call, "message", "message must be an object, found %s", ab_json_type_name(message));
        return false;
    }
    if (!read_id(call, message, "message.messageId", &id) ||
        !read_id(call, message, "message.contextId", &out->context_id) ||
        !read_id(call, message, "message.taskId", &out->task_id) || !check_role(call, message))
        return false;
    if (id == NULL) {
        ab_a2a_refuse_field(call, "message.messageId", "message.messageId is missing: the sender names its messages");
        return false;
    }
    if (!read_configuration(call, configuration, out) || !make_message(call, message, out))
        return false;
    parts = ab_json_member(ab_json_trusted(out->message_json), "parts");
    if (!check_media_types(call, parts))
        return false;
    out->input_json = make_input(call->a2a, parts);
    out->options_json = make_options(call->params, configuration);
    return true;
}

void ab_a2a_sent_deinit(struct ab_a2a_sent *sent)
{
    free(sent->context_id);
    free(sent->task_id);
    free(sent->message_json);
    free(sent->input_json);
    free(sent->options_json);
    free(sent->push_wish);
    *sent = (struct ab_a2a_sent){ 0 };
}
