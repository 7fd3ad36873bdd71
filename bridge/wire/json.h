/* Strict JSON (RFC 8259), read in place.
 *
 * A text is checked once by ab_json_check; from then on `struct ab_json` is a slice of it that holds exactly one value,
 * and members are found by walking. What is not ours is carried as its own text, so ids, numbers and key order come out
 * exactly as they went in. This is the only reader and the only writer of JSON in the program. */
#ifndef AB_WIRE_JSON_H
#define AB_WIRE_JSON_H

#include "base/buf.h"
#include "base/str.h"

/* One value inside a checked text, without blanks around it. `text.data` NULL: no such value. */
struct ab_json {
    struct ab_str text;
};

enum ab_json_type {
    AB_JSON_NONE,
    AB_JSON_NULL,
    AB_JSON_FALSE,
    AB_JSON_TRUE,
    AB_JSON_NUMBER,
    AB_JSON_STRING,
    AB_JSON_ARRAY,
    AB_JSON_OBJECT
};

/* What is wrong with a text, for a person: "line 3, column 17: a key stands twice: \"id\"". */
struct ab_json_error {
    size_t offset; /* bytes from the start */
    char text[160];
};

/* Checks that `text` is one JSON value: UTF-8, no duplicate keys in an object, no raw control characters, no lone
 * surrogates, nesting at most `max_depth`, nothing behind it but blanks. True: `out` is the value. False: `error` (may
 * be NULL) says why. The text must live as long as `out` is used. */
AB_MUST bool ab_json_check(struct ab_str text, unsigned max_depth, struct ab_json *out, struct ab_json_error *error);
/* For text that was checked before (rows of our own store, built-in schemas): no check. NULL gives no value. */
struct ab_json ab_json_trusted(const char *text);

enum ab_json_type ab_json_type(struct ab_json value);
/* "null", "boolean", "number", "string", "array", "object", "nothing". */
const char *ab_json_type_name(struct ab_json value);
bool ab_json_exists(struct ab_json value);
bool ab_json_is(struct ab_json value, enum ab_json_type type);
bool ab_json_is_true(struct ab_json value);

/* The member of an object, exact in case; no value when absent or not an object. */
struct ab_json ab_json_member(struct ab_json object, const char *key);
struct ab_json ab_json_member_str(struct ab_json object, struct ab_str key);
/* Several members in one walk: each one's value becomes that of its key, or no value. */
struct ab_json_wanted {
    const char *key;
    struct ab_json value;
};
void ab_json_find(struct ab_json object, struct ab_json_wanted *wanted, size_t n_wanted);
/* Follows several keys: ab_json_at(v, "params", "_meta", NULL). */
__attribute__((sentinel)) struct ab_json ab_json_at(struct ab_json value, ...);
/* Iterates over an object's members or an array's elements. */
struct ab_json_iterator {
    const char *next;
    const char *end;
    bool object;
};
struct ab_json_iterator ab_json_iterate(struct ab_json container);
/* False at the end. `key` (a JSON string; no value in arrays) may be NULL. */
bool ab_json_next(struct ab_json_iterator *iterator, struct ab_json *key, struct ab_json *value);
size_t ab_json_count(struct ab_json container);

/* A string's characters, unescaped and appended; false when it is not a string. U+0000 stays a NUL byte in `out`. */
AB_MUST bool ab_json_unescape(struct ab_json string, struct ab_buf *out);
/* The same as a fresh NUL-terminated string the caller frees, or NULL when it is not a string or holds U+0000. */
AB_MUST char *ab_json_string_dup(struct ab_json string);
/* Whether it is a string and equals `text` once unescaped. */
bool ab_json_string_is(struct ab_json string, const char *text);
/* A number as double; false when it is no number. Out of range gives +-HUGE_VAL. */
AB_MUST bool ab_json_double(struct ab_json number, double *out);
/* A number without fraction (1, 1.0, 1e2) within int64; false otherwise. */
AB_MUST bool ab_json_int(struct ab_json number, int64_t *out);
/* Whether it is a number without fraction, of any size (1.0 and 1e400 are). */
bool ab_json_is_integer(struct ab_json number);
/* A fresh NUL-terminated copy of the raw text, NULL for no value. */
AB_MUST char *ab_json_dup(struct ab_json value);
/* Same value, whatever the blanks, key order, escapes and number spelling (1 = 1.0). */
bool ab_json_equal(struct ab_json left, struct ab_json right);

/* --- writing: straight into a buffer, commas by themselves --- */

struct ab_json_writer {
    struct ab_buf *out;
    uint64_t comma; /* a bit for each open level: an element stands there already */
    unsigned depth; /* at most 63 */
    bool after_key;
};

void ab_json_writer_init(struct ab_json_writer *writer, struct ab_buf *out);
void ab_json_object_begin(struct ab_json_writer *writer);
void ab_json_object_end(struct ab_json_writer *writer);
void ab_json_array_begin(struct ab_json_writer *writer);
void ab_json_array_end(struct ab_json_writer *writer);
/* `key` is plain ASCII without quotes; ab_json_write_key_str takes any UTF-8. */
void ab_json_write_key(struct ab_json_writer *writer, const char *key);
void ab_json_write_key_str(struct ab_json_writer *writer, struct ab_str key);
/* The key of another object's member, as its own text. */
void ab_json_write_key_json(struct ab_json_writer *writer, struct ab_json key);
/* Valid UTF-8 is written as it is; bytes that are not become U+FFFD. */
void ab_json_write_str(struct ab_json_writer *writer, struct ab_str text);
void ab_json_write_text(struct ab_json_writer *writer, const char *text); /* NULL writes null */
void ab_json_write_int(struct ab_json_writer *writer, int64_t number);
/* Shortest form that reads back the same; integers without a point. NaN and infinities write null. */
void ab_json_write_double(struct ab_json_writer *writer, double number);
void ab_json_write_bool(struct ab_json_writer *writer, bool value);
void ab_json_write_null(struct ab_json_writer *writer);
/* A value's own text, unchanged; no value writes null. */
void ab_json_write_value(struct ab_json_writer *writer, struct ab_json value);
void ab_json_write_raw(struct ab_json_writer *writer, const char *json); /* NULL writes null */
/* "2026-07-28T09:30:00.125Z" */
void ab_json_write_time(struct ab_json_writer *writer, int64_t wall_ms);

/* Key and value at once. The _optional ones write nothing for NULL. */
void ab_json_put_text(struct ab_json_writer *writer, const char *key, const char *text);
void ab_json_put_optional_text(struct ab_json_writer *writer, const char *key, const char *text);
void ab_json_put_int(struct ab_json_writer *writer, const char *key, int64_t number);
void ab_json_put_double(struct ab_json_writer *writer, const char *key, double number);
void ab_json_put_bool(struct ab_json_writer *writer, const char *key, bool value);
void ab_json_put_time(struct ab_json_writer *writer, const char *key, int64_t wall_ms);
void ab_json_put_raw(struct ab_json_writer *writer, const char *key, const char *json);
void ab_json_put_optional_raw(struct ab_json_writer *writer, const char *key, const char *json);
void ab_json_put_value(struct ab_json_writer *writer, const char *key, struct ab_json value);
/* A member of another object as it stands there: key and value are carried over as their own text. */
void ab_json_put_member(struct ab_json_writer *writer, struct ab_json key, struct ab_json value);
/* All members of an object but those of these names (ends with NULL; or NULL: all of them). */
void ab_json_put_members(struct ab_json_writer *writer, struct ab_json object, const char *const *but);

/* The value in its canonical form (RFC 8785): members sorted, numbers and escapes in one spelling, no blanks. With
 * `drop_empty` empty strings, arrays and objects and nulls are left out, however deep; nothing left is {}. */
void ab_json_canonical(struct ab_json value, bool drop_empty, struct ab_buf *out);

/* Blanks out // and block comments in place (configuration only), keeping lines and columns. */
void ab_json_strip_comments(char *text, size_t size);

#endif
