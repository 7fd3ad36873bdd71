/* Reading checked JSON in place: values are slices, members are found by walking. */
#include "wire/json.h"

#include "base/mem.h"
#include "wire/json_text.h"

#include <stdarg.h>
#include <string.h>

static const struct ab_json nothing = { { NULL, 0 } };

/* --- walking; the text is checked, the bounds are kept all the same --- */

/* Whether an odd number of backslashes stands before this place: then it is escaped. */
static bool is_escaped(const char *start, const char *at)
{
    size_t count = 0;
    while (at - count > start && at[-(ptrdiff_t)count - 1] == '\\') {
        count++;
    }
    return count % 2 == 1;
}

/* From behind the opening quote to behind the closing one. */
static const char *skip_string(const char *start, const char *end)
{
    const char *at = start;
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        if (!is_escaped(start, at)) {
            return at + 1;
        }
        at++;
    }
    return end;
}

static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        char found = *at++;
        char folded = (char)(found | 0x20); /* a bracket becomes a brace */
        if (found == '"') {
            at = skip_string(at, end);
        } else if (folded == '{') {
            depth++;
        } else if (folded == '}' && --depth == 0) {
            return at;
        }
    }
    return end;
}

static bool ends_scalar(char character)
{
    return character == ',' || character == ']' || character == '}' || character == ':' || character == ' ' ||
           character == '\n' || character == '\r' || character == '\t';
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"') {
        return skip_string(at + 1, end);
    }
    if (at < end && (*at == '{' || *at == '[')) {
        return skip_container(at, end);
    }
    while (at < end && !ends_scalar(*at)) {
        at++;
    }
    return at;
}

struct ab_json ab_json_trusted(const char *text)
{
    if (text == NULL) {
        return nothing;
    }
    const char *end = text + strlen(text);
    const char *at = json_skip_blanks(text, end);
    const char *behind = skip_value(at, end);
    return at == end ? nothing : (struct ab_json){ { at, (size_t)(behind - at) } };
}

/* --- types --- */

enum ab_json_type ab_json_type(struct ab_json value)
{
    if (value.text.data == NULL || value.text.size == 0) {
        return AB_JSON_NONE;
    }
    switch (value.text.data[0]) {
    case 'n':
        return AB_JSON_NULL;
    case 'f':
        return AB_JSON_FALSE;
    case 't':
        return AB_JSON_TRUE;
    case '"':
        return AB_JSON_STRING;
    case '[':
        return AB_JSON_ARRAY;
    case '{':
        return AB_JSON_OBJECT;
    default:
        return AB_JSON_NUMBER;
    }
}

const char *ab_json_type_name(struct ab_json value)
{
    static const char *const names[] = {
        [AB_JSON_NONE] = "nothing", [AB_JSON_NULL] = "null",     [AB_JSON_FALSE] = "boolean",
        [AB_JSON_TRUE] = "boolean", [AB_JSON_NUMBER] = "number", [AB_JSON_STRING] = "string",
        [AB_JSON_ARRAY] = "array",  [AB_JSON_OBJECT] = "object",
    };
    return names[ab_json_type(value)];
}

bool ab_json_exists(struct ab_json value)
{
    return value.text.data != NULL;
}

bool ab_json_is(struct ab_json value, enum ab_json_type type)
{
    return ab_json_type(value) == type;
}

bool ab_json_is_true(struct ab_json value)
{
    return ab_json_type(value) == AB_JSON_TRUE;
}

/* --- members --- */

/* Whether a string's inside, unescaped, is this text. */
static bool inside_is(struct ab_str inside, struct ab_str text)
{
    /* Most differ in the first character; a backslash may stand for any. */
    if (inside.size > 0 && text.size > 0 && inside.data[0] != text.data[0] && inside.data[0] != '\\') {
        return false;
    }
    /* Escapes only ever make it longer: with one in it, it is not of the text's size. */
    if (inside.size <= text.size) {
        return ab_str_equal(inside, text) && memchr(inside.data, '\\', inside.size) == NULL;
    }
    if (memchr(inside.data, '\\', inside.size) == NULL) {
        return false;
    }
    struct json_pieces pieces = json_pieces(inside);
    struct ab_str piece;
    while (json_next_piece(&pieces, &piece)) {
        if (piece.size > text.size || memcmp(piece.data, text.data, piece.size) != 0) {
            return false;
        }
        text.data += piece.size;
        text.size -= piece.size;
    }
    return text.size == 0;
}

struct ab_json_iterator ab_json_iterate(struct ab_json container)
{
    enum ab_json_type type = ab_json_type(container);
    if ((type != AB_JSON_OBJECT && type != AB_JSON_ARRAY) || container.text.size < 2) {
        return (struct ab_json_iterator){ NULL, NULL, false };
    }
    const char *end = container.text.data + container.text.size - 1;
    return (struct ab_json_iterator){ json_skip_blanks(container.text.data + 1, end), end, type == AB_JSON_OBJECT };
}

/* Takes the value at the iterator's place and the blanks behind it. */
static struct ab_json take(struct ab_json_iterator *iterator)
{
    const char *at = iterator->next;
    const char *behind = skip_value(at, iterator->end);
    iterator->next = json_skip_blanks(behind, iterator->end);
    return (struct ab_json){ { at, (size_t)(behind - at) } };
}

static void pass(struct ab_json_iterator *iterator, char separator)
{
    if (iterator->next < iterator->end && *iterator->next == separator) {
        iterator->next = json_skip_blanks(iterator->next + 1, iterator->end);
    } else {
        iterator->next = iterator->end; /* text that was never checked */
    }
}

bool ab_json_next(struct ab_json_iterator *iterator, struct ab_json *key, struct ab_json *value)
{
    if (iterator->next >= iterator->end) {
        return false;
    }
    struct ab_json found_key = nothing;
    if (iterator->object) {
        found_key = take(iterator);
        pass(iterator, ':');
    }
    struct ab_json found = take(iterator);
    pass(iterator, ',');
    if (key != NULL) {
        *key = found_key;
    }
    if (value != NULL) {
        *value = found;
    }
    return true;
}

size_t ab_json_count(struct ab_json container)
{
    struct ab_json_iterator iterator = ab_json_iterate(container);
    size_t count = 0;
    while (ab_json_next(&iterator, NULL, NULL)) {
        count++;
    }
    return count;
}

struct ab_json ab_json_member_str(struct ab_json object, struct ab_str key)
{
    struct ab_json_iterator iterator = ab_json_iterate(object);
    struct ab_json name, value;
    while (iterator.object && ab_json_next(&iterator, &name, &value)) {
        if (inside_is(json_inside(name.text), key)) {
            return value;
        }
    }
    return nothing;
}

struct ab_json ab_json_member(struct ab_json object, const char *key)
{
    return ab_json_member_str(object, ab_str(key));
}

void ab_json_find(struct ab_json object, struct ab_json_wanted *wanted, size_t n_wanted)
{
    struct ab_json_iterator iterator = ab_json_iterate(object);
    struct ab_json name, value;
    for (size_t i = 0; i < n_wanted; i++) {
        wanted[i].value = nothing;
    }
    while (iterator.object && ab_json_next(&iterator, &name, &value)) {
        struct ab_str inside = json_inside(name.text);
        for (size_t i = 0; i < n_wanted; i++) {
            if (!ab_json_exists(wanted[i].value) && inside_is(inside, ab_str(wanted[i].key))) {
                wanted[i].value = value;
            }
        }
    }
}

struct ab_json ab_json_at(struct ab_json value, ...)
{
    va_list keys;
    va_start(keys, value);
    for (const char *key = va_arg(keys, const char *); key != NULL; key = va_arg(keys, const char *)) {
        value = ab_json_member(value, key);
    }
    va_end(keys);
    return value;
}

/* --- strings --- */

bool ab_json_unescape(struct ab_json string, struct ab_buf *out)
{
    if (!ab_json_is(string, AB_JSON_STRING)) {
        return false;
    }
    struct json_pieces pieces = json_pieces(json_inside(string.text));
    struct ab_str piece;
    while (json_next_piece(&pieces, &piece)) {
        ab_buf_append_str(out, piece);
    }
    return true;
}

char *ab_json_string_dup(struct ab_json string)
{
    if (!ab_json_is(string, AB_JSON_STRING)) {
        return NULL;
    }
    struct ab_str inside = json_inside(string.text);
    char *text = ab_realloc(NULL, inside.size + 1); /* unescaped text is never longer */
    size_t size = 0;
    struct json_pieces pieces = json_pieces(inside);
    struct ab_str piece;
    while (json_next_piece(&pieces, &piece)) {
        memcpy(text + size, piece.data, piece.size);
        size += piece.size;
    }
    if (memchr(text, '\0', size) != NULL) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

bool ab_json_string_is(struct ab_json string, const char *text)
{
    return ab_json_is(string, AB_JSON_STRING) && inside_is(json_inside(string.text), ab_str(text));
}

char *ab_json_dup(struct ab_json value)
{
    return ab_strndup(value.text.data, value.text.size);
}
