/* Writing JSON straight into a buffer. */
#include "base/clock.h"
#include "base/escape.h"
#include "wire/json.h"

#include <assert.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void ab_json_writer_init(struct ab_json_writer *writer, struct ab_buf *out)
{
    *writer = (struct ab_json_writer){ .out = out };
}

/* The comma before an element, unless it is the first or a key stands before it. */
static void separate(struct ab_json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    uint64_t bit = (uint64_t)1 << writer->depth;
    if ((writer->comma & bit) != 0) {
        ab_buf_append_char(writer->out, ',');
    }
    writer->comma |= bit;
}

static void open(struct ab_json_writer *writer, char bracket)
{
    separate(writer);
    ab_buf_append_char(writer->out, bracket);
    assert(writer->depth < 63);
    writer->depth++;
    writer->comma &= ~((uint64_t)1 << writer->depth);
}

static void close(struct ab_json_writer *writer, char bracket)
{
    assert(writer->depth > 0 && !writer->after_key);
    writer->depth--;
    ab_buf_append_char(writer->out, bracket);
}

void ab_json_object_begin(struct ab_json_writer *writer)
{
    open(writer, '{');
}

void ab_json_object_end(struct ab_json_writer *writer)
{
    close(writer, '}');
}

void ab_json_array_begin(struct ab_json_writer *writer)
{
    open(writer, '[');
}

void ab_json_array_end(struct ab_json_writer *writer)
{
    close(writer, ']');
}

void ab_json_write_key(struct ab_json_writer *writer, const char *key)
{
    separate(writer);
    ab_buf_append_char(writer->out, '"');
    ab_buf_append_text(writer->out, key);
    ab_buf_append_text(writer->out, "\":");
    writer->after_key = true;
}

static void put_string(struct ab_buf *out, struct ab_str text)
{
    ab_buf_append_char(out, '"');
    ab_escape_json(out, text);
    ab_buf_append_char(out, '"');
}

void ab_json_write_key_str(struct ab_json_writer *writer, struct ab_str key)
{
    separate(writer);
    put_string(writer->out, key);
    ab_buf_append_char(writer->out, ':');
    writer->after_key = true;
}

void ab_json_write_key_json(struct ab_json_writer *writer, struct ab_json key)
{
    separate(writer);
    ab_buf_append_str(writer->out, key.text);
    ab_buf_append_char(writer->out, ':');
    writer->after_key = true;
}

void ab_json_write_str(struct ab_json_writer *writer, struct ab_str text)
{
    separate(writer);
    put_string(writer->out, text);
}

void ab_json_write_text(struct ab_json_writer *writer, const char *text)
{
    if (text == NULL) {
        ab_json_write_null(writer);
    } else {
        ab_json_write_str(writer, ab_str(text));
    }
}

void ab_json_write_int(struct ab_json_writer *writer, int64_t number)
{
    separate(writer);
    ab_buf_printf(writer->out, "%" PRId64, number);
}

/* The fewest digits that read back the same; whole numbers that a double holds exactly come without exponent. */
static void format_double(char *text, size_t size, double number)
{
    if (number == floor(number) && fabs(number) < 9007199254740992.0) {
        snprintf(text, size, "%.0f", number);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            return;
        }
    }
}

void ab_json_write_double(struct ab_json_writer *writer, double number)
{
    if (!isfinite(number)) {
        ab_json_write_null(writer);
        return;
    }
    /* A program that embeds us may have a locale with a decimal comma. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain == (locale_t)0 ? (locale_t)0 : uselocale(plain);
    char text[40];
    format_double(text, sizeof(text), number);
    if (plain != (locale_t)0) {
        uselocale(before);
        freelocale(plain);
    }
    separate(writer);
    ab_buf_append_text(writer->out, text);
}

void ab_json_write_bool(struct ab_json_writer *writer, bool value)
{
    ab_json_write_raw(writer, value ? "true" : "false");
}

void ab_json_write_null(struct ab_json_writer *writer)
{
    ab_json_write_raw(writer, "null");
}

void ab_json_write_value(struct ab_json_writer *writer, struct ab_json value)
{
    if (!ab_json_exists(value)) {
        ab_json_write_null(writer);
        return;
    }
    separate(writer);
    ab_buf_append_str(writer->out, value.text);
}

void ab_json_write_raw(struct ab_json_writer *writer, const char *json)
{
    separate(writer);
    ab_buf_append_text(writer->out, json == NULL ? "null" : json);
}

void ab_json_write_time(struct ab_json_writer *writer, int64_t wall_ms)
{
    char text[AB_TIME_TEXT_SIZE];
    ab_time_format(wall_ms, text);
    ab_json_write_text(writer, text);
}

/* --- key and value at once --- */

void ab_json_put_text(struct ab_json_writer *writer, const char *key, const char *text)
{
    ab_json_write_key(writer, key);
    ab_json_write_text(writer, text);
}

void ab_json_put_optional_text(struct ab_json_writer *writer, const char *key, const char *text)
{
    if (text != NULL) {
        ab_json_put_text(writer, key, text);
    }
}

void ab_json_put_int(struct ab_json_writer *writer, const char *key, int64_t number)
{
    ab_json_write_key(writer, key);
    ab_json_write_int(writer, number);
}

void ab_json_put_double(struct ab_json_writer *writer, const char *key, double number)
{
    ab_json_write_key(writer, key);
    ab_json_write_double(writer, number);
}

void ab_json_put_bool(struct ab_json_writer *writer, const char *key, bool value)
{
    ab_json_write_key(writer, key);
    ab_json_write_bool(writer, value);
}

void ab_json_put_time(struct ab_json_writer *writer, const char *key, int64_t wall_ms)
{
    ab_json_write_key(writer, key);
    ab_json_write_time(writer, wall_ms);
}

void ab_json_put_raw(struct ab_json_writer *writer, const char *key, const char *json)
{
    ab_json_write_key(writer, key);
    ab_json_write_raw(writer, json);
}

void ab_json_put_optional_raw(struct ab_json_writer *writer, const char *key, const char *json)
{
    if (json != NULL) {
        ab_json_put_raw(writer, key, json);
    }
}

void ab_json_put_value(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    ab_json_write_key(writer, key);
    ab_json_write_value(writer, value);
}

void ab_json_put_member(struct ab_json_writer *writer, struct ab_json key, struct ab_json value)
{
    ab_json_write_key_json(writer, key);
    ab_json_write_value(writer, value);
}

void ab_json_put_members(struct ab_json_writer *writer, struct ab_json object, const char *const *but)
{
    struct ab_json_iterator each = ab_json_iterate(object);
    struct ab_json key;
    struct ab_json value;

    while (each.object && ab_json_next(&each, &key, &value)) {
        bool left_out = false;
        for (size_t i = 0; but != NULL && but[i] != NULL && !left_out; i++) {
            left_out = ab_json_string_is(key, but[i]);
        }
        if (!left_out) {
            ab_json_put_member(writer, key, value);
        }
    }
}
