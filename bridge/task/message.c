#include "task/message.h"

static void write_part(struct ab_json_writer *writer, const char *kind, struct ab_json value)
{
    ab_json_object_begin(writer);
    ab_json_put_value(writer, kind, value);
    ab_json_object_end(writer);
}

char *ab_message_of_user(const char *id, struct ab_json text, struct ab_json data, struct ab_json files)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_iterator each = ab_json_iterate(files);
    struct ab_json_writer writer;
    struct ab_json file;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "message_id", id);
    ab_json_put_text(&writer, "role", "user");
    ab_json_write_key(&writer, "parts");
    ab_json_array_begin(&writer);
    if (ab_json_is(text, AB_JSON_STRING))
        write_part(&writer, "text", text);
    else
        write_part(&writer, "data", data);
    while (ab_json_is(files, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &file))
        write_part(&writer, "url", file);
    ab_json_array_end(&writer);
    ab_json_put_raw(&writer, "metadata", "{}");
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}
