/* The JSON reader: whatever it takes can be walked, rewritten and brought into canonical form, and stays the same
 * value. */
#include "support/fuzz.h"

#include "base/mem.h"

static void try_string(struct ab_json string)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf written = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    AB_CLEANUP(ab_free_string) char *copy = ab_json_string_dup(string);
    struct ab_json_writer writer;

    HOLDS(ab_json_unescape(string, &text));
    HOLDS(ab_utf8_valid(ab_buf_str(&text)));
    HOLDS(copy == NULL || ab_json_string_is(string, copy));
    ab_json_writer_init(&writer, &written);
    ab_json_write_str(&writer, ab_buf_str(&text));
    fuzz_wrote_json(&written);
    HOLDS(ab_json_equal(string, (struct ab_json){ ab_buf_str(&written) }));
    ab_buf_deinit(&text);
    ab_buf_deinit(&written);
}

static void try_number(struct ab_json number)
{
    struct ab_buf written = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    int64_t whole;
    double real;

    ab_json_writer_init(&writer, &written);
    HOLDS(ab_json_double(number, &real));
    if (ab_json_int(number, &whole)) {
        HOLDS(ab_json_is_integer(number));
        ab_json_write_int(&writer, whole);
        HOLDS(ab_json_equal(number, (struct ab_json){ ab_buf_str(&written) }));
    } else {
        ab_json_write_double(&writer, real);
    }
    fuzz_wrote_json(&written);
    ab_buf_deinit(&written);
}

static void walk(struct ab_json value);

static void walk_container(struct ab_json container)
{
    struct ab_json_iterator each = ab_json_iterate(container);
    size_t count = 0;
    struct ab_json key;
    struct ab_json value;

    for (; ab_json_next(&each, &key, &value); count++) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        if (ab_json_is(container, AB_JSON_OBJECT)) {
            walk(key);
            HOLDS(ab_json_unescape(key, &name));
            HOLDS(ab_json_member_str(container, ab_buf_str(&name)).text.data == value.text.data);
            struct ab_json_wanted wanted = { .key = name.data != NULL ? name.data : "" };
            ab_json_find(container, &wanted, 1);
            HOLDS(wanted.value.text.data == ab_json_member(container, wanted.key).text.data);
        }
        walk(value);
        ab_buf_deinit(&name);
    }
    HOLDS(count == ab_json_count(container));
}

static void walk(struct ab_json value)
{
    HOLDS(ab_json_exists(value));
    switch (ab_json_type(value)) {
    case AB_JSON_STRING:
        try_string(value);
        break;
    case AB_JSON_NUMBER:
        try_number(value);
        break;
    case AB_JSON_ARRAY:
    case AB_JSON_OBJECT:
        walk_container(value);
        break;
    case AB_JSON_NONE:
    case AB_JSON_NULL:
    case AB_JSON_TRUE:
    case AB_JSON_FALSE:
        break;
    }
}

/* Numbers beyond a double lose digits in it, so it is only compared with itself. */
static void try_canonical(struct ab_json value)
{
    for (int drop_empty = 0; drop_empty < 2; drop_empty++) {
        struct ab_buf once = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_buf twice = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_json_canonical(value, drop_empty == 1, &once);
        fuzz_wrote_json(&once);
        ab_json_canonical((struct ab_json){ ab_buf_str(&once) }, drop_empty == 1, &twice);
        HOLDS(ab_str_equal(ab_buf_str(&once), ab_buf_str(&twice)));
        ab_buf_deinit(&once);
        ab_buf_deinit(&twice);
    }
}

/* Valid JSON has no comments to take out; anything else only must not be read beyond its end. */
static void try_comments(struct ab_str text, bool valid)
{
    AB_CLEANUP(ab_free_string) char *copy = ab_strndup(text.data, text.size);

    ab_json_strip_comments(copy, text.size);
    HOLDS(!valid || ab_str_equal(text, (struct ab_str){ copy, text.size }));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_str text = fuzz_text(data, size);
    struct ab_json_error error = { 0 };
    struct ab_json value;
    bool valid = ab_json_check(text, 64, &value, &error);

    if (valid) {
        HOLDS(ab_json_equal(value, value));
        walk(value);
        try_canonical(value);
    } else {
        HOLDS(error.offset <= size && error.text[0] != '\0' && ab_utf8_valid(ab_str(error.text)));
    }
    try_comments(text, valid);
    return 0;
}
