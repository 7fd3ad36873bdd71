/* Parts become content blocks (MCP, server/tools, "Tool Result"): each in the kind the version knows. */
#include "mcp/shape.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void ab_mcp_write_text_block(struct ab_json_writer *writer, struct ab_str text)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "type", "text");
    ab_json_write_key(writer, "text");
    ab_json_write_str(writer, text);
    ab_json_object_end(writer);
}

static bool media_type_starts(struct ab_json part, const char *prefix)
{
    AB_CLEANUP(ab_free_string) char *type = ab_json_string_dup(ab_json_member(part, "media_type"));

    return type != NULL && strncmp(type, prefix, strlen(prefix)) == 0;
}

static void write_media(struct ab_json_writer *writer, const char *type, struct ab_json part)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "type", type);
    ab_json_put_value(writer, "data", ab_json_member(part, "raw"));
    ab_json_put_value(writer, "mimeType", ab_json_member(part, "media_type"));
    ab_json_object_end(writer);
}

/* A part's own address: metadata.uri, else one made from its file name. */
static char *resource_uri(struct ab_json part)
{
    char *uri = ab_json_string_dup(ab_json_at(part, "metadata", "uri", NULL));
    AB_CLEANUP(ab_free_string) char *name = NULL;

    if (uri != NULL)
        return uri;
    name = ab_json_string_dup(ab_json_member(part, "filename"));
    return ab_format("artifact:///%s", name != NULL ? name : "part");
}

static void write_resource(struct ab_json_writer *writer, struct ab_json part, const char *key, struct ab_json content)
{
    AB_CLEANUP(ab_free_string) char *uri = resource_uri(part);

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "type", "resource");
    ab_json_write_key(writer, "resource");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "uri", uri);
    if (ab_json_exists(ab_json_member(part, "media_type")))
        ab_json_put_value(writer, "mimeType", ab_json_member(part, "media_type"));
    ab_json_put_value(writer, key, content);
    ab_json_object_end(writer);
    ab_json_object_end(writer);
}

static void write_link(struct ab_json_writer *writer, struct ab_json part, const struct ab_mcp_version *version)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_member(part, "filename"));
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(ab_json_member(part, "url"));

    if (url == NULL)
        return;
    if (!version->structured) {
        ab_mcp_write_text_block(writer, ab_str(url));
        return;
    }
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "type", "resource_link");
    ab_json_put_text(writer, "uri", url);
    ab_json_put_text(writer, "name", name != NULL ? name : url);
    if (ab_json_exists(ab_json_member(part, "media_type")))
        ab_json_put_value(writer, "mimeType", ab_json_member(part, "media_type"));
    ab_json_object_end(writer);
}

static void write_part(struct ab_json_writer *writer, struct ab_json part, const struct ab_mcp_version *version)
{
    struct ab_json_wanted content[] = { { .key = "text" }, { .key = "raw" }, { .key = "data" }, { .key = "url" } };
    struct ab_json text;
    struct ab_json raw;
    struct ab_json data;

    ab_json_find(part, content, sizeof content / sizeof *content);
    text = content[0].value;
    raw = content[1].value;
    data = content[2].value;
    if (ab_json_is(text, AB_JSON_STRING) && ab_json_exists(ab_json_at(part, "metadata", "uri", NULL))) {
        write_resource(writer, part, "text", text);
    } else if (ab_json_is(text, AB_JSON_STRING)) {
        ab_json_object_begin(writer);
        ab_json_put_text(writer, "type", "text");
        ab_json_put_value(writer, "text", text);
        ab_json_object_end(writer);
    } else if (ab_json_exists(raw)) {
        if (media_type_starts(part, "image/"))
            write_media(writer, "image", part);
        else if (media_type_starts(part, "audio/") && version->audio)
            write_media(writer, "audio", part);
        else
            write_resource(writer, part, "blob", raw);
    } else if (ab_json_exists(content[3].value)) {
        write_link(writer, part, version);
    } else if (ab_json_exists(data)) {
        ab_mcp_write_text_block(writer, data.text);
    }
}

void ab_mcp_write_parts(struct ab_json_writer *writer, struct ab_json parts, const struct ab_mcp_version *version)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;

    while (ab_json_next(&each, NULL, &part))
        write_part(writer, part, version);
}
