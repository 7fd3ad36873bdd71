#include "rest/client_request.h"

#include "base/mem.h"
#include "rest/names.h"

#include <string.h>

/* --- addresses --- */

/* RFC 3986, 2.3: what stands in a segment as it is. */
static bool is_unreserved(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
           (character >= '0' && character <= '9') || (character != '\0' && strchr("-._~", character) != NULL);
}

static void append_encoded(struct ab_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text))
            ab_buf_append_char(out, *text);
        else
            ab_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* "." and ".." alone would be walked away by whoever cleans the path up. */
static void append_segment(struct ab_buf *out, const char *text)
{
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        ab_buf_append_text(out, text[1] == '\0' ? "%2E" : "%2E%2E");
    else
        append_encoded(out, text);
}

static void append_base(struct ab_buf *out, const char *base)
{
    size_t size = strlen(base);

    while (size > 0 && base[size - 1] == '/')
        size--;
    ab_buf_append(out, base, size);
}

void ab_rest_url_invoke(struct ab_buf *out, const struct ab_rest_target *target, enum ab_rest_mode mode,
                        const char *version)
{
    static const char *const behind[] = {
        [AB_REST_STREAM] = "/stream", [AB_REST_ASYNC] = "/async", [AB_REST_SYNC] = ""
    };

    append_base(out, target->url);
    ab_buf_append_text(out, target->workflow ? "/v1/workflows/" : "/v1/agents/");
    append_segment(out, target->agent_id);
    ab_buf_append_text(out, "/invoke");
    ab_buf_append_text(out, behind[mode]);
    if (version != NULL) {
        ab_buf_append_text(out, "?version=");
        append_encoded(out, version);
    }
}

void ab_rest_url_task(struct ab_buf *out, const char *base, const char *id, const char *route)
{
    static const char place[] = "{task_id}";
    const char *at = strstr(route, place);

    append_base(out, base);
    if (at == NULL) {
        ab_buf_append_text(out, "/v1/tasks/");
        append_segment(out, id);
        ab_buf_append_text(out, route);
        return;
    }
    ab_buf_append(out, route, (size_t)(at - route));
    append_segment(out, id);
    ab_buf_append_text(out, at + strlen(place));
}

/* --- the body --- */

static const char *const credentials[] = { "user_oidc_token", "user_tokens" };

static void put_if_there(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_exists(value))
        ab_json_put_value(writer, key, value);
}

static void put_part_of(struct ab_json_writer *writer, const char *key, const char *from, size_t size)
{
    ab_json_write_key(writer, key);
    ab_json_write_str(writer, (struct ab_str){ from, size });
}

/* The bridge's own "name" is two names there. */
static void put_names(struct ab_json_writer *writer, struct ab_json user)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_member(user, "name"));
    const char *blank = name != NULL ? strrchr(name, ' ') : NULL;

    if (name == NULL || ab_json_exists(ab_json_member(user, "first_name")))
        return;
    put_part_of(writer, "first_name", name, blank != NULL ? (size_t)(blank - name) : strlen(name));
    if (blank != NULL)
        put_part_of(writer, "last_name", blank + 1, strlen(blank + 1));
}

/* There an address is required of every user: one without is left out, for it would be refused. */
static void put_user(struct ab_json_writer *writer, struct ab_json user)
{
    if (!ab_json_is(ab_json_member(user, "email"), AB_JSON_STRING))
        return;
    ab_json_write_key(writer, "user");
    ab_json_object_begin(writer);
    ab_json_put_members(writer, user, (const char *const[]){ "name", NULL });
    put_names(writer, user);
    ab_json_object_end(writer);
}

static void put_input(struct ab_json_writer *writer, const struct ab_rest_invocation *invocation)
{
    struct ab_json text = ab_json_member(invocation->input, "text");

    ab_json_write_key(writer, "input");
    ab_json_object_begin(writer);
    if (invocation->text != NULL)
        ab_json_put_text(writer, "text", invocation->text);
    else
        ab_json_put_value(writer, "text", ab_json_exists(text) ? text : ab_json_trusted("\"\""));
    if (ab_json_count(ab_json_member(invocation->input, "files")) > 0 && invocation->text == NULL)
        ab_json_put_value(writer, "files", ab_json_member(invocation->input, "files"));
    put_user(writer, ab_json_member(invocation->input, "user"));
    ab_json_object_end(writer);
}

static void put_title(struct ab_json_writer *writer, const struct ab_rest_invocation *invocation)
{
    struct ab_json title = ab_json_member(invocation->options, "title");

    if (ab_json_exists(title))
        ab_json_put_value(writer, "title", title);
    else
        ab_json_put_optional_text(writer, "title", invocation->title);
}

/* The caller's own word about where he comes from goes before ours. */
static void put_surface(struct ab_json_writer *writer, const struct ab_rest_invocation *invocation)
{
    const char *field = invocation->surface_field;
    struct ab_json given = { { NULL, 0 } };

    if (field == NULL)
        return;
    given = ab_json_member(invocation->options, field);
    if (ab_json_exists(given))
        ab_json_put_value(writer, field, given);
    else
        ab_json_put_optional_text(writer, field, invocation->surface);
}

/* Servers may carry keys of their own, so they may have come with the credentials. */
static void put_servers(struct ab_json_writer *writer, const struct ab_rest_invocation *invocation)
{
    struct ab_json secret = ab_json_member(invocation->secrets, "mcp_servers");

    put_if_there(writer, "mcp_servers",
                 ab_json_exists(secret) ? secret : ab_json_member(invocation->options, "mcp_servers"));
}

static void put_events(struct ab_json_writer *writer, const struct ab_rest_invocation *invocation)
{
    struct ab_json given = ab_json_member(invocation->options, "events_streaming");

    if (ab_json_exists(given))
        ab_json_put_value(writer, "events_streaming", given);
    else if (invocation->events)
        ab_json_put_bool(writer, "events_streaming", true);
}

/* Title, events and surface have rules of their own. */
static void put_wishes(struct ab_json_writer *writer, const struct ab_rest_invocation *invocation)
{
    static const char *const others[] = { "title", "events_streaming" };

    for (const struct ab_rest_field *field = ab_rest_fields; field->name != NULL; field++) {
        bool other = invocation->surface_field != NULL && strcmp(field->name, invocation->surface_field) == 0;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            other = other || strcmp(field->name, others[i]) == 0;
        if (!other)
            put_if_there(writer, field->name, ab_json_member(invocation->options, field->name));
    }
}

void ab_rest_invocation_write(struct ab_buf *out, const struct ab_rest_invocation *invocation)
{
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    put_input(&writer, invocation);
    ab_json_put_optional_text(&writer, "id", invocation->id);
    put_wishes(&writer, invocation);
    put_title(&writer, invocation);
    put_servers(&writer, invocation);
    put_surface(&writer, invocation);
    put_events(&writer, invocation);
    for (size_t i = 0; i < sizeof credentials / sizeof *credentials; i++)
        put_if_there(&writer, credentials[i], ab_json_member(invocation->secrets, credentials[i]));
    ab_json_object_end(&writer);
}
