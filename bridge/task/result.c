/* What an agent hands in, brought into the one shape that rows and events have. */
#include "task/result.h"

#include <stdio.h>

/* --- parts --- */

static bool part_check(struct ab_json part, size_t index, char *reason, size_t reason_size)
{
    static const char *const texts[] = { "text", "raw", "url" };
    if (!ab_json_is(part, AB_JSON_OBJECT)) {
        (void)snprintf(reason, reason_size, "parts[%zu] must be an object, not %s", index, ab_json_type_name(part));
        return false;
    }
    size_t found = ab_json_exists(ab_json_member(part, "data")) ? 1 : 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ab_json value = ab_json_member(part, texts[i]);
        if (!ab_json_exists(value)) {
            continue;
        }
        if (!ab_json_is(value, AB_JSON_STRING)) {
            (void)snprintf(reason, reason_size, "parts[%zu].%s must be a string, not %s", index, texts[i],
                           ab_json_type_name(value));
            return false;
        }
        found++;
    }
    if (found != 1) {
        (void)snprintf(reason, reason_size, "parts[%zu] must have exactly one of text, raw, url and data", index);
    }
    return found == 1;
}

bool ab_parts_check(struct ab_json parts, char *reason, size_t reason_size)
{
    if (!ab_json_is(parts, AB_JSON_ARRAY)) {
        (void)snprintf(reason, reason_size, "\"parts\" must be an array, not %s", ab_json_type_name(parts));
        return false;
    }
    struct ab_json_iterator iterator = ab_json_iterate(parts);
    struct ab_json part;
    for (size_t index = 0; ab_json_next(&iterator, NULL, &part); index++) {
        if (!part_check(part, index, reason, reason_size)) {
            return false;
        }
    }
    return true;
}

/* --- results --- */

/* The text parts, a line break between them; false when there is none. */
static bool join_texts(struct ab_json parts, struct ab_buf *out)
{
    struct ab_json_iterator iterator = ab_json_iterate(parts);
    struct ab_json part;
    bool any = false;
    while (ab_json_next(&iterator, NULL, &part)) {
        struct ab_json text = ab_json_member(part, "text");
        if (!ab_json_exists(text)) {
            continue;
        }
        if (any) {
            ab_buf_append_char(out, '\n');
        }
        any = ab_json_unescape(text, out) || any;
    }
    return any;
}

static bool result_check(struct ab_json given, char *reason, size_t reason_size)
{
    if (!ab_json_exists(given)) {
        return true;
    }
    if (!ab_json_is(given, AB_JSON_OBJECT)) {
        (void)snprintf(reason, reason_size, "it must be an object, not %s", ab_json_type_name(given));
        return false;
    }
    struct ab_json text = ab_json_member(given, "text");
    if (ab_json_exists(text) && !ab_json_is(text, AB_JSON_STRING)) {
        (void)snprintf(reason, reason_size, "\"text\" must be a string, not %s", ab_json_type_name(text));
        return false;
    }
    struct ab_json parts = ab_json_member(given, "parts");
    return !ab_json_exists(parts) || ab_parts_check(parts, reason, reason_size);
}

static void write_text_part(struct ab_json_writer *writer, struct ab_str text)
{
    ab_json_write_key(writer, "parts");
    ab_json_array_begin(writer);
    if (text.size > 0) {
        ab_json_object_begin(writer);
        ab_json_write_key(writer, "text");
        ab_json_write_str(writer, text);
        ab_json_object_end(writer);
    }
    ab_json_array_end(writer);
}

bool ab_result_write(struct ab_buf *out, struct ab_json given, struct ab_str chunks, char *reason, size_t reason_size)
{
    if (!result_check(given, reason, reason_size)) {
        return false;
    }
    struct ab_json parts = ab_json_member(given, "parts");
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool has_text = ab_json_unescape(ab_json_member(given, "text"), &text);
    if (!has_text && ab_json_exists(parts)) {
        has_text = join_texts(parts, &text);
    } else if (!has_text && (chunks.size > 0 || !ab_json_exists(ab_json_member(given, "data")))) {
        ab_buf_append_str(&text, chunks);
        has_text = true;
    }
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    if (has_text) {
        ab_json_write_key(&writer, "text");
        ab_json_write_str(&writer, ab_buf_str(&text));
    }
    if (ab_json_exists(parts)) {
        ab_json_put_value(&writer, "parts", parts);
    } else {
        write_text_part(&writer, ab_buf_str(&text));
    }
    ab_json_put_members(&writer, given, (const char *const[]){ "text", "parts", NULL });
    ab_json_object_end(&writer);
    ab_buf_deinit(&text);
    return true;
}

/* --- artifacts and errors --- */

bool ab_artifact_write(struct ab_buf *out, struct ab_json given, char *reason, size_t reason_size)
{
    struct ab_json id = ab_json_member(given, "id");
    if (!ab_json_is(id, AB_JSON_STRING) || ab_json_string_is(id, "")) {
        (void)snprintf(reason, reason_size, "\"id\" must be a string that is not empty");
        return false;
    }
    if (!ab_parts_check(ab_json_member(given, "parts"), reason, reason_size)) {
        return false;
    }
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_put_members(&writer, given, (const char *const[]){ "append", "last", NULL });
    ab_json_put_bool(&writer, "append", ab_json_is_true(ab_json_member(given, "append")));
    ab_json_put_bool(&writer, "last", ab_json_is_true(ab_json_member(given, "last")));
    ab_json_object_end(&writer);
    return true;
}

bool ab_error_is_well_formed(struct ab_json error)
{
    int64_t code;
    return ab_json_int(ab_json_member(error, "code"), &code) &&
           ab_json_is(ab_json_member(error, "message"), AB_JSON_STRING);
}

void ab_progress_write(struct ab_json_writer *writer, const struct ab_task *task)
{
    ab_json_object_begin(writer);
    ab_json_put_double(writer, "value", task->progress_value);
    if (task->has_progress_total) {
        ab_json_put_double(writer, "total", task->progress_total);
    }
    ab_json_put_optional_text(writer, "message", task->progress_message);
    ab_json_object_end(writer);
}

void ab_progress_put(struct ab_json_writer *writer, const struct ab_task *task)
{
    if (task->has_progress) {
        ab_json_write_key(writer, "progress");
        ab_progress_write(writer, task);
    }
}
