#include "mcp/session.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char purpose[] = "mcp-session";
static const char record_kind[] = "mcp-session";

uint32_t ab_mcp_capabilities_read(struct ab_json capabilities)
{
    struct ab_json elicitation = ab_json_member(capabilities, "elicitation");
    uint32_t bits = 0;

    if (ab_json_is(elicitation, AB_JSON_OBJECT)) {
        bool url = ab_json_exists(ab_json_member(elicitation, "url"));
        /* An empty object is the form mode: it was the only one when the capability was new. */
        if (ab_json_exists(ab_json_member(elicitation, "form")) || !url)
            bits |= AB_MCP_CAN_FORM;
        if (url)
            bits |= AB_MCP_CAN_URL;
    }
    if (ab_json_is(ab_json_member(capabilities, "sampling"), AB_JSON_OBJECT))
        bits |= AB_MCP_CAN_SAMPLE;
    if (ab_json_is(ab_json_member(capabilities, "roots"), AB_JSON_OBJECT))
        bits |= AB_MCP_CAN_ROOTS;
    if (ab_json_is(ab_json_at(capabilities, "extensions", "io.modelcontextprotocol/tasks", NULL), AB_JSON_OBJECT))
        bits |= AB_MCP_CAN_TASKS;
    return bits;
}

void ab_mcp_capabilities_write(struct ab_json_writer *writer, uint32_t capabilities)
{
    ab_json_object_begin(writer);
    if ((capabilities & (AB_MCP_CAN_FORM | AB_MCP_CAN_URL)) != 0) {
        ab_json_write_key(writer, "elicitation");
        ab_json_object_begin(writer);
        if ((capabilities & AB_MCP_CAN_FORM) != 0)
            ab_json_put_raw(writer, "form", "{}");
        if ((capabilities & AB_MCP_CAN_URL) != 0)
            ab_json_put_raw(writer, "url", "{}");
        ab_json_object_end(writer);
    }
    if ((capabilities & AB_MCP_CAN_SAMPLE) != 0)
        ab_json_put_raw(writer, "sampling", "{}");
    if ((capabilities & AB_MCP_CAN_ROOTS) != 0)
        ab_json_put_raw(writer, "roots", "{}");
    if ((capabilities & AB_MCP_CAN_TASKS) != 0)
        ab_json_put_raw(writer, "extensions", "{\"io.modelcontextprotocol/tasks\":{}}");
    ab_json_object_end(writer);
}

int ab_mcp_session_seal(const struct ab_sealer *sealer, const char *owner, const struct ab_mcp_session *session,
                        struct ab_buf *token)
{
    struct ab_buf text = AB_BUF_INIT(1024);
    struct ab_json_writer writer;
    int result;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "id", session->id);
    ab_json_put_text(&writer, "version", session->version->name);
    ab_json_put_int(&writer, "can", session->capabilities);
    ab_json_put_text(&writer, "client", session->client_name);
    ab_json_object_end(&writer);
    result = ab_seal(sealer, purpose, ab_str(owner), ab_buf_str(&text), token);
    ab_buf_deinit(&text);
    return result;
}

static bool read_text(struct ab_json value, char *out, size_t size)
{
    struct ab_buf text = AB_BUF_INIT(size - 1);
    bool fits = ab_json_unescape(value, &text) && !text.full;

    snprintf(out, size, "%.*s", fits ? (int)text.size : 0, fits && text.size > 0 ? text.data : "");
    ab_buf_deinit(&text);
    return fits;
}

static bool read_session(struct ab_str text, struct ab_mcp_session *out)
{
    struct ab_json value;
    char version[16];
    int64_t can = 0;

    if (!ab_json_check(text, 2, &value, NULL))
        return false;
    if (!read_text(ab_json_member(value, "version"), version, sizeof(version)) ||
        !read_text(ab_json_member(value, "id"), out->id, sizeof(out->id)) ||
        !read_text(ab_json_member(value, "client"), out->client_name, sizeof(out->client_name)) ||
        !ab_json_int(ab_json_member(value, "can"), &can))
        return false;
    out->capabilities = (uint32_t)can;
    out->version = ab_mcp_version_find(ab_str(version));
    return out->version != NULL && out->version->era == AB_MCP_LEGACY;
}

bool ab_mcp_session_open(const struct ab_sealer *sealer, const char *owner, struct ab_str token,
                         struct ab_mcp_session *out)
{
    struct ab_buf text = AB_BUF_INIT(1024);
    bool good;

    memset(out, 0, sizeof(*out));
    good = ab_unseal(sealer, purpose, ab_str(owner), token, &text) && read_session(ab_buf_str(&text), out);
    ab_buf_deinit(&text);
    return good;
}

static bool read_record(void *arg, const struct ab_store_record *record)
{
    struct ab_mcp_session_record *out = arg;
    struct ab_json value;
    int64_t level = -1;

    if (ab_json_check(record->body, 2, &value, NULL)) {
        out->deleted = ab_json_is_true(ab_json_member(value, "deleted"));
        if (ab_json_int(ab_json_member(value, "level"), &level))
            out->log_level = (int)level;
    }
    return false;
}

int ab_mcp_session_load(struct ab_store *store, const char *id, struct ab_mcp_session_record *out)
{
    int result;

    *out = (struct ab_mcp_session_record){ .log_level = -1 };
    result = store->ops->get_record(store, record_kind, id, read_record, out);
    return result < 0 ? result : AB_OK;
}

void ab_mcp_session_save(struct ab_store *store, const char *id, const char *owner,
                         const struct ab_mcp_session_record *record, int64_t expires_at, ab_store_done_fn done,
                         void *arg)
{
    struct ab_buf body = AB_BUF_INIT(256);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    if (record->deleted)
        ab_json_put_bool(&writer, "deleted", true);
    if (record->log_level >= 0)
        ab_json_put_int(&writer, "level", record->log_level);
    ab_json_object_end(&writer);
    store->ops->put_record(
        store,
        &(struct ab_store_record){
            .kind = record_kind, .id = id, .owner = owner, .expires_at = expires_at, .body = ab_buf_str(&body) },
        done, arg);
    ab_buf_deinit(&body);
}
