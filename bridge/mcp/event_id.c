#include "mcp/event_id.h"

#include "base/mem.h"

#include <string.h>

static const char purpose[] = "mcp-event";

enum flag {
    FLAG_PUBLISHED = 1 << 0,
    FLAG_STARTS_TASK = 1 << 1,
    FLAG_CORE_TASK = 1 << 2,
    FLAG_RELATED = 1 << 3,
    FLAG_WITH_EVENTS = 1 << 4
};

static char *bound_text(const char *owner, const char *session_id)
{
    return ab_format("%s\n%s", owner, session_id);
}

/* --- writing --- */

static int flags_of(const struct ab_mcp_place *place)
{
    return (place->published ? FLAG_PUBLISHED : 0) | (place->starts_task ? FLAG_STARTS_TASK : 0) |
           (place->core_task ? FLAG_CORE_TASK : 0) | (place->related ? FLAG_RELATED : 0) |
           (place->with_events ? FLAG_WITH_EVENTS : 0);
}

static void write_place(struct ab_json_writer *writer, const struct ab_mcp_place *place)
{
    ab_json_put_text(writer, "task", place->task_id);
    ab_json_put_int(writer, "at", (int64_t)place->cursor);
    ab_json_put_int(writer, "flags", flags_of(place));
    ab_json_put_int(writer, "until", place->until);
    if (place->with_events)
        ab_json_put_int(writer, "after", (int64_t)place->events_after);
    if (place->progress.any)
        ab_json_put_double(writer, "last", place->progress.last);
    if (place->progress.has_total)
        ab_json_put_double(writer, "total", place->progress.total);
}

void ab_mcp_event_id_write(const struct ab_mcp_request *request, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (!request->resumable)
        return;
    AB_CLEANUP(ab_free_string) char *bound = bound_text(request->channel->owner, request->session_id);
    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "id", request->message.id);
    if (request->place != NULL) {
        write_place(&writer, request->place);
        if (ab_json_exists(request->progress_token))
            ab_json_put_value(&writer, "token", request->progress_token);
    }
    ab_json_object_end(&writer);
    if (ab_seal(request->mcp->settings.sealer, purpose, ab_str(bound), ab_buf_str(&text), out) != AB_OK)
        ab_buf_clear(out);
    ab_buf_deinit(&text);
}

void ab_mcp_event_id_write_told(const struct ab_mcp *mcp, const char *owner, const char *session_id, struct ab_str told,
                                struct ab_buf *out)
{
    AB_CLEANUP(ab_free_string) char *bound = bound_text(owner, session_id);
    AB_CLEANUP(ab_free_string) char *text = ab_format("{\"told\":%.*s}", AB_STR_ARGS(told));

    if (ab_seal(mcp->settings.sealer, purpose, ab_str(bound), ab_str(text), out) != AB_OK)
        ab_buf_clear(out);
}

/* --- reading --- */

static bool read_number(struct ab_json value, const char *key, int64_t *out)
{
    *out = 0;
    return ab_json_int(ab_json_member(value, key), out);
}

static bool read_place(struct ab_json value, struct ab_mcp_place *out)
{
    AB_CLEANUP(ab_free_string) char *task_id = ab_json_string_dup(ab_json_member(value, "task"));
    int64_t cursor;
    int64_t flags;
    int64_t after;

    if (task_id == NULL || strlen(task_id) != AB_TASK_ID_SIZE - 1 || !read_number(value, "at", &cursor) ||
        !read_number(value, "flags", &flags) || !read_number(value, "until", &out->until))
        return false;
    memcpy(out->task_id, task_id, AB_TASK_ID_SIZE);
    out->cursor = (uint64_t)cursor;
    out->published = (flags & FLAG_PUBLISHED) != 0;
    out->starts_task = (flags & FLAG_STARTS_TASK) != 0;
    out->core_task = (flags & FLAG_CORE_TASK) != 0;
    out->related = (flags & FLAG_RELATED) != 0;
    out->with_events = (flags & FLAG_WITH_EVENTS) != 0;
    if (read_number(value, "after", &after))
        out->events_after = (uint64_t)after;
    out->progress.any = ab_json_double(ab_json_member(value, "last"), &out->progress.last);
    out->progress.has_total = ab_json_double(ab_json_member(value, "total"), &out->progress.total);
    return true;
}

bool ab_mcp_event_id_read(const struct ab_mcp *mcp, const char *owner, const char *session_id, struct ab_str token,
                          struct ab_mcp_event_id *out)
{
    AB_CLEANUP(ab_free_string) char *bound = bound_text(owner, session_id);
    struct ab_json value;

    *out = (struct ab_mcp_event_id){ 0 };
    ab_buf_init(&out->text, AB_BUF_UNBOUNDED);
    if (!ab_unseal(mcp->settings.sealer, purpose, ab_str(bound), token, &out->text) ||
        !ab_json_check(ab_buf_str(&out->text), 2, &value, NULL))
        return false;
    out->told = ab_json_member(value, "told");
    if (ab_json_exists(out->told))
        return true;
    out->id = ab_json_member(value, "id");
    out->token = ab_json_member(value, "token");
    out->done = !ab_json_exists(ab_json_member(value, "task"));
    return ab_json_exists(out->id) && (out->done || read_place(value, &out->place));
}

void ab_mcp_event_id_deinit(struct ab_mcp_event_id *event_id)
{
    ab_buf_deinit(&event_id->text);
}
