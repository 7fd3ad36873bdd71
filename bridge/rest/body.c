#include "rest/body.h"

#include "rest/names.h"
#include "task/message.h"
#include "task/output.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define ID_BYTES 512

/* A checked body on its way into its parts. */
struct reading {
    const struct ab_rest_body_reader *reader;
    struct ab_json body;
    struct ab_json input;
    struct ab_rest_body *out;
    struct ab_rest_faults *faults;
};

/* Null is the same as nothing. */
static struct ab_json given(struct ab_json object, const char *key)
{
    struct ab_json none = { { NULL, 0 } };
    struct ab_json value = ab_json_member(object, key);

    return ab_json_is(value, AB_JSON_NULL) ? none : value;
}

/* --- checks --- */

static bool is_flag(struct ab_json value)
{
    return ab_json_is(value, AB_JSON_TRUE) || ab_json_is(value, AB_JSON_FALSE);
}

static bool is_of_type(struct ab_json value, enum ab_rest_type type)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    struct ab_json element;

    switch (type) {
    case AB_REST_TEXT:
        return ab_json_is(value, AB_JSON_STRING);
    case AB_REST_FLAG:
        return is_flag(value);
    case AB_REST_OBJECT:
        return ab_json_is(value, AB_JSON_OBJECT);
    case AB_REST_OBJECTS:
        while (ab_json_is(value, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &element)) {
            if (!ab_json_is(element, AB_JSON_OBJECT))
                return false;
        }
        return ab_json_is(value, AB_JSON_ARRAY);
    }
    return false;
}

static const char *fault_type(enum ab_rest_type type)
{
    static const char *const types[] = { [AB_REST_TEXT] = "string_type",
                                         [AB_REST_FLAG] = "bool_type",
                                         [AB_REST_OBJECT] = "dict_type",
                                         [AB_REST_OBJECTS] = "list_type" };

    return types[type];
}

static bool check_type(const struct reading *reading, const char *where, struct ab_json value, enum ab_rest_type type)
{
    if (!ab_json_exists(value) || is_of_type(value, type))
        return true;
    ab_rest_fault_add(reading->faults, where, fault_type(type), "Must be %s, found %s", ab_rest_type_name(type),
                      ab_json_type_name(value));
    return false;
}

static void check_words(const struct reading *reading, const char *where, struct ab_json value,
                        const char *const *words)
{
    struct ab_buf list = AB_BUF_INIT(512);

    for (size_t i = 0; words[i] != NULL; i++) {
        if (ab_json_string_is(value, words[i])) {
            ab_buf_deinit(&list);
            return;
        }
        ab_buf_printf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    ab_rest_fault_add(reading->faults, where, "enum", "Must be one of %s", list.data);
    ab_buf_deinit(&list);
}

static void check_fields(const struct reading *reading)
{
    for (const struct ab_rest_field *field = ab_rest_fields; field->name != NULL; field++) {
        struct ab_json value = given(reading->body, field->name);
        char where[64];
        snprintf(where, sizeof where, "body.%s", field->name);
        if (check_type(reading, where, value, field->type) && field->words != NULL && ab_json_exists(value))
            check_words(reading, where, value, field->words);
    }
    (void)check_type(reading, "body.user_oidc_token", given(reading->body, "user_oidc_token"), AB_REST_TEXT);
    (void)check_type(reading, "body.user_tokens", given(reading->body, "user_tokens"), AB_REST_OBJECT);
    (void)check_type(reading, "body.mcp_servers", given(reading->body, "mcp_servers"), AB_REST_OBJECTS);
}

/* What cannot be kept later is told now. */
static void check_schema(const struct reading *reading)
{
    char reason[AB_OUTPUT_REASON_SIZE];

    if (ab_json_is(given(reading->body, "output_schema"), AB_JSON_OBJECT) &&
        !ab_output_can_be_checked(reading->body, reason, sizeof reason))
        ab_rest_fault_add(reading->faults, "body.output_schema", "json_schema", "%s", reason);
}

static void check_files(const struct reading *reading)
{
    struct ab_json files = given(reading->input, "files");
    struct ab_json_iterator each = ab_json_iterate(files);
    struct ab_json file;

    if (!ab_json_exists(files))
        return;
    if (!ab_json_is(files, AB_JSON_ARRAY)) {
        ab_rest_fault_add(reading->faults, "body.input.files", "list_type", "Must be an array of addresses, found %s",
                          ab_json_type_name(files));
        return;
    }
    for (unsigned i = 0; ab_json_next(&each, NULL, &file); i++) {
        char where[64];
        snprintf(where, sizeof where, "body.input.files.%u", i);
        (void)check_type(reading, where, file, AB_REST_TEXT);
    }
}

static void check_user(const struct reading *reading)
{
    static const char *const members[] = { "id", "email" };
    struct ab_json user = given(reading->input, "user");

    if (!ab_json_exists(user)) {
        if (reading->reader->strict)
            ab_rest_fault_add(reading->faults, "body.input.user", "missing", "Is required here: {\"id\",\"email\"}");
        return;
    }
    if (!check_type(reading, "body.input.user", user, AB_REST_OBJECT))
        return;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct ab_json value = given(user, members[i]);
        char where[64];
        snprintf(where, sizeof where, "body.input.user.%s", members[i]);
        if (!ab_json_exists(value) && reading->reader->strict)
            ab_rest_fault_add(reading->faults, where, "missing", "Is required here");
        (void)check_type(reading, where, value, AB_REST_TEXT);
    }
}

static void check_input(struct reading *reading)
{
    struct ab_json text;

    reading->input = ab_json_member(reading->body, "input");
    if (!ab_json_exists(reading->input)) {
        ab_rest_fault_add(reading->faults, "body.input", "missing",
                          "Is required: {\"text\":\"...\"} says what is to be done");
        return;
    }
    if (!ab_json_is(reading->input, AB_JSON_OBJECT)) {
        ab_rest_fault_add(reading->faults, "body.input", "dict_type", "Must be an object with a text, found %s",
                          ab_json_type_name(reading->input));
        return;
    }
    text = ab_json_member(reading->input, "text");
    if (!ab_json_exists(text))
        ab_rest_fault_add(reading->faults, "body.input.text", "missing", "Is required: what is to be done");
    (void)check_type(reading, "body.input.text", text, AB_REST_TEXT);
    check_files(reading);
    check_user(reading);
}

/* --- what becomes of it --- */

static void take_id(const struct reading *reading)
{
    struct ab_json id = given(reading->body, "id");
    char *text;

    if (!ab_json_exists(id) || !check_type(reading, "body.id", id, AB_REST_TEXT))
        return;
    text = ab_json_string_dup(id);
    if (text != NULL && text[0] != '\0' && strlen(text) <= ID_BYTES) {
        reading->out->thread_id = text;
        return;
    }
    free(text);
    ab_rest_fault_add(reading->faults, "body.id", "string_type", "Must be a name of 1 to %d bytes", ID_BYTES);
}

static void take_webhooks(const struct reading *reading)
{
    struct ab_json list = given(reading->body, "webhooks");
    struct ab_rest_webhooks_fault fault;
    char where[64] = "body.webhooks";

    if (!ab_json_exists(list))
        return;
    reading->out->webhooks_json = ab_rest_webhooks_read(&reading->reader->webhooks, list, &fault);
    if (reading->out->webhooks_json != NULL)
        return;
    if (fault.index >= 0)
        snprintf(where, sizeof where, "body.webhooks.%d%s%s", fault.index, fault.member != NULL ? "." : "",
                 fault.member != NULL ? fault.member : "");
    ab_rest_fault_add(reading->faults, where, "value_error", "%s", fault.reason);
}

static char *make_input(const struct reading *reading)
{
    struct ab_json files = given(reading->input, "files");
    struct ab_json user = given(reading->input, "user");
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "text", ab_json_member(reading->input, "text"));
    ab_json_put_value(&writer, "files", ab_json_exists(files) ? files : ab_json_trusted("[]"));
    if (ab_json_exists(user))
        ab_json_put_value(&writer, "user", user);
    else
        ab_json_put_optional_raw(&writer, "user", reading->reader->user_json);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

/* --- servers and credentials --- */

/* Scheme and host: what follows may hold a key. */
static void put_origin(struct ab_json_writer *writer, struct ab_json url)
{
    AB_CLEANUP(ab_free_secret) char *text = ab_json_string_dup(url);
    const char *host = text != NULL ? strstr(text, "://") : NULL;
    const char *user;
    size_t size;

    if (host == NULL)
        return;
    host += strlen("://");
    size = strcspn(host, "/?#");
    user = memrchr(host, '@', size);
    if (user != NULL)
        size -= (size_t)(user + 1 - host);
    AB_CLEANUP(ab_free_string)
    char *origin = ab_format("%.*s%.*s", (int)(host - text), text, (int)size, user != NULL ? user + 1 : host);
    ab_json_put_text(writer, "url", origin);
}

/* What may be shown of a server, and kept: what it is, not how one gets in. */
static void put_server(struct ab_json_writer *writer, struct ab_json server)
{
    static const char *const plain[] = { "type", "name", "transport", "auth_type", "allowed_tools" };

    ab_json_object_begin(writer);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct ab_json value = ab_json_member(server, plain[i]);
        if (ab_json_exists(value))
            ab_json_put_value(writer, plain[i], value);
    }
    put_origin(writer, ab_json_member(server, "url"));
    ab_json_object_end(writer);
}

static void put_servers(struct ab_json_writer *writer, struct ab_json servers)
{
    struct ab_json_iterator each = ab_json_iterate(servers);
    struct ab_json server;

    ab_json_write_key(writer, "mcp_servers");
    ab_json_array_begin(writer);
    while (ab_json_next(&each, NULL, &server))
        put_server(writer, server);
    ab_json_array_end(writer);
}

static const char *const credentials[] = { "user_oidc_token", "user_tokens", "mcp_servers" };

static bool holds_something(struct ab_json value)
{
    if (ab_json_is(value, AB_JSON_STRING))
        return !ab_json_string_is(value, "");
    return ab_json_count(value) > 0;
}

/* Which credentials were given is kept with the task; what they are is not. */
static void put_credential_names(const struct reading *reading, struct ab_json_writer *writer)
{
    bool any = false;

    for (size_t i = 0; i < sizeof credentials / sizeof *credentials; i++) {
        if (!holds_something(given(reading->body, credentials[i])))
            continue;
        if (!any) {
            ab_json_write_key(writer, "credentials");
            ab_json_array_begin(writer);
        }
        any = true;
        ab_json_write_text(writer, credentials[i]);
    }
    if (any)
        ab_json_array_end(writer);
}

static char *make_options(const struct reading *reading)
{
    struct ab_json servers = given(reading->body, "mcp_servers");
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_optional_text(&writer, "version", reading->reader->version);
    for (const struct ab_rest_field *field = ab_rest_fields; field->name != NULL; field++) {
        struct ab_json value = given(reading->body, field->name);
        if (ab_json_exists(value))
            ab_json_put_value(&writer, field->name, value);
    }
    if (holds_something(servers))
        put_servers(&writer, servers);
    put_credential_names(reading, &writer);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

static char *make_secrets(const struct reading *reading)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    bool any = false;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < sizeof credentials / sizeof *credentials; i++) {
        struct ab_json value = given(reading->body, credentials[i]);
        if (holds_something(value)) {
            ab_json_put_value(&writer, credentials[i], value);
            any = true;
        }
    }
    ab_json_object_end(&writer);
    if (any)
        return ab_buf_steal(&out);
    ab_buf_deinit(&out);
    return NULL;
}

/* --- the whole --- */

bool ab_rest_object_read(struct ab_str text, unsigned json_depth, struct ab_json *out, struct ab_rest_faults *faults)
{
    struct ab_json_error error = { 0 };
    char where[64];

    if (!ab_json_check(text, json_depth, out, &error)) {
        snprintf(where, sizeof where, "body.%zu", error.offset);
        ab_rest_fault_add(faults, where, "json_invalid", "The body is no JSON: %s", error.text);
        return false;
    }
    if (ab_json_is(*out, AB_JSON_OBJECT))
        return true;
    ab_rest_fault_add(faults, "body", "dict_type", "The body must be an object, found %s", ab_json_type_name(*out));
    return false;
}

bool ab_rest_body_read(const struct ab_rest_body_reader *reader, struct ab_str text, struct ab_rest_body *out,
                       struct ab_rest_faults *faults)
{
    struct reading reading = { .reader = reader, .out = out, .faults = faults };

    *out = (struct ab_rest_body){ 0 };
    if (!ab_rest_object_read(text, reader->json_depth, &reading.body, faults))
        return false;
    check_input(&reading);
    check_fields(&reading);
    check_schema(&reading);
    take_id(&reading);
    take_webhooks(&reading);
    if (faults->n > 0)
        return false;
    out->title = ab_json_string_dup(given(reading.body, "title"));
    out->message_json = ab_message_of_user(reader->message_id, ab_json_member(reading.input, "text"),
                                           (struct ab_json){ { NULL, 0 } }, given(reading.input, "files"));
    out->input_json = make_input(&reading);
    out->options_json = make_options(&reading);
    out->secrets_json = make_secrets(&reading);
    return true;
}

void ab_rest_body_deinit(struct ab_rest_body *body)
{
    free(body->thread_id);
    free(body->title);
    free(body->message_json);
    free(body->input_json);
    free(body->options_json);
    ab_free_secret(&body->secrets_json);
    free(body->webhooks_json);
    *body = (struct ab_rest_body){ 0 };
}
