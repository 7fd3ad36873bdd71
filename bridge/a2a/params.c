/* What a request may hold, read leniently: ProtoJSON takes member names in both spellings and numbers as strings. */
#include "a2a/request.h"

#include "base/base64.h"
#include "base/mem.h"

#include <string.h>

#define NAME_SIZE 64

/* "historyLength" -> "history_length" */
static void snake(const char *name, char out[NAME_SIZE])
{
    size_t n = 0;

    for (; *name != '\0' && n + 3 < NAME_SIZE; name++) {
        if (*name >= 'A' && *name <= 'Z') {
            out[n++] = '_';
            out[n++] = (char)(*name - 'A' + 'a');
        } else {
            out[n++] = *name;
        }
    }
    out[n] = '\0';
}

struct ab_json ab_a2a_member(struct ab_json object, const char *name)
{
    struct ab_json value = ab_json_member(object, name);
    char other[NAME_SIZE];

    if (!ab_json_exists(value)) {
        snake(name, other);
        value = ab_json_member(object, other);
    }
    return ab_json_is(value, AB_JSON_NULL) ? (struct ab_json){ 0 } : value;
}

/* The last name of "message.taskId" is the member's, all of it tells the caller where it is. */
static struct ab_json last_member(struct ab_json object, const char *path)
{
    const char *dot = strrchr(path, '.');

    return ab_a2a_member(object, dot != NULL ? dot + 1 : path);
}

bool ab_a2a_read_text(struct ab_a2a_call *call, struct ab_json object, const char *path, char **out)
{
    struct ab_json value = last_member(object, path);

    *out = ab_json_string_dup(value);
    if (*out == NULL && ab_json_exists(value)) {
        ab_a2a_refuse_field(call, path, "%s must be a string without U+0000, found %s", path,
                            ab_json_is(value, AB_JSON_STRING) ? "one with it" : ab_json_type_name(value));
        return false;
    }
    if (*out != NULL && **out == '\0') { /* ProtoJSON: the empty string is the same as none */
        free(*out);
        *out = NULL;
    }
    return true;
}

bool ab_a2a_read_count(struct ab_a2a_call *call, struct ab_json object, const char *path, int64_t *out)
{
    struct ab_json value = last_member(object, path);
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(value);
    uint64_t number;

    if (!ab_json_exists(value))
        return true;
    if (text != NULL && ab_str_to_uint(ab_str(text), INT32_MAX, &number)) {
        *out = (int64_t)number;
        return true;
    }
    if (ab_json_int(value, out) && *out >= 0 && *out <= INT32_MAX)
        return true;
    ab_a2a_refuse_field(call, path, "%s must be a whole number from 0 on, found %.*s", path,
                        value.text.size > 40 ? 40 : (int)value.text.size, value.text.data);
    return false;
}

bool ab_a2a_read_flag(struct ab_a2a_call *call, struct ab_json object, const char *path, bool *out)
{
    struct ab_json value = last_member(object, path);

    if (!ab_json_exists(value))
        return true;
    *out = ab_json_is_true(value) || ab_json_string_is(value, "true");
    if (*out || ab_json_is(value, AB_JSON_FALSE) || ab_json_string_is(value, "false"))
        return true;
    ab_a2a_refuse_field(call, path, "%s must be true or false, found %s", path, ab_json_type_name(value));
    return false;
}

/* --- bytes --- */

/* Decodes any digits of either alphabet, with or without padding; `text` is changed for that. */
static bool decode_any(char *text, struct ab_buf *out)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == '=')
        size--;
    for (size_t i = 0; i < size; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return ab_base64url_decode(out, (struct ab_str){ text, size });
}

bool ab_a2a_put_bytes(struct ab_json_writer *writer, struct ab_json value)
{
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(value);
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf standard = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good = text != NULL && ab_base64_decode(&bytes, ab_str(text));

    if (good) {
        ab_json_put_value(writer, "raw", value);
    } else if (text != NULL) {
        ab_buf_clear(&bytes);
        good = decode_any(text, &bytes);
        ab_base64_encode(&standard, bytes.data, bytes.size);
        ab_json_put_text(writer, "raw", standard.data != NULL ? standard.data : "");
    }
    ab_buf_deinit(&standard);
    ab_buf_deinit(&bytes);
    return good;
}
