/* Strict JSON: what is taken, what is refused and how the refusal reads. */
#include "base/mem.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DEPTH 64

/* Checks a copy of the exact size, so that the sanitizer sees a read beyond it. */
static bool check_copy(const char *text, size_t size, struct ab_json_error *error)
{
    char *copy = ab_alloc(1, size == 0 ? 1 : size);
    memcpy(copy, text, size);
    struct ab_json value;
    bool good = ab_json_check((struct ab_str){ copy, size }, DEPTH, &value, error);
    assert_int_equal(ab_json_exists(value), good);
    free(copy);
    return good;
}

static void taken(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "null",
        " true ",
        "\t\r\nfalse\n",
        "0",
        "-0",
        "-0.0e-0",
        "1.5E+300",
        "123456789012345678901234567890",
        "1e999999999",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\"",
        "\"\\u0000\"",
        "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\"",
        "\"a long plain text that is scanned in words of eight bytes\"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1,\"a\",null,true,{},[]]",
        "{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":3}]}",
        "{\"\":1}",
        "{\"a\":1,\"A\":2}",
        "{\"a\":{\"b\":1},\"b\":2}",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_json_error error;
        if (!check_copy(cases[i], strlen(cases[i]), &error)) {
            fail_msg("%s: %s", cases[i], error.text);
        }
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *error; /* its beginning */
    } cases[] = {
        { "", "line 1, column 1: the text is empty" },
        { " \n ", "line 2, column 2: the text is empty" },
        { "nul", "line 1, column 1: no such word" },
        { "True", "line 1, column 1: a value was expected" },
        { "nullx", "line 1, column 5: something stands behind" },
        { "1 2", "line 1, column 3: something stands behind" },
        { "01", "line 1, column 1: a number must not begin with 0" },
        { "-01", "line 1, column 2: a number must not begin with 0" },
        { "1.", "line 1, column 3: a digit was expected behind the point" },
        { ".5", "line 1, column 1: a value was expected" },
        { "+1", "line 1, column 1: a value was expected" },
        { "-", "line 1, column 2: a digit was expected behind the minus" },
        { "1e", "line 1, column 3: a digit was expected in the exponent" },
        { "1e+", "line 1, column 4: a digit was expected in the exponent" },
        { "1.e5", "line 1, column 3: a digit was expected behind the point" },
        { "0x10", "line 1, column 2: something stands behind" },
        { "NaN", "line 1, column 1: a value was expected" },
        { "Infinity", "line 1, column 1: a value was expected" },
        { "[1,]", "line 1, column 4: a value was expected" },
        { "[,1]", "line 1, column 2: a value was expected" },
        { "[1 2]", "line 1, column 4: a comma or ] was expected" },
        { "[1}", "line 1, column 3: a comma or ] was expected" },
        { "[", "line 1, column 2: the text ends where a value" },
        { "[1", "line 1, column 3: the text ends inside an array" },
        { "[1,", "line 1, column 4: the text ends where a value" },
        { "]", "line 1, column 1: a value was expected" },
        { "{", "line 1, column 2: the text ends inside an object" },
        { "{\"a\"", "line 1, column 5: a colon was expected" },
        { "{\"a\":", "line 1, column 6: the text ends where a value" },
        { "{\"a\":1", "line 1, column 7: the text ends inside an object" },
        { "{\"a\":1,", "line 1, column 8: the text ends inside an object" },
        { "{\"a\":1,}", "line 1, column 8: a key in quotes was expected" },
        { "{a:1}", "line 1, column 2: a key in quotes was expected" },
        { "{'a':1}", "line 1, column 2: a key in quotes was expected" },
        { "{1:1}", "line 1, column 2: a key in quotes was expected" },
        { "{\"a\" 1}", "line 1, column 6: a colon was expected" },
        { "{\"a\":1]", "line 1, column 7: a comma or } was expected" },
        { "\"abc", "line 1, column 5: the text ends inside a string" },
        { "\"abc\\", "line 1, column 6: the text ends inside a string" },
        { "\"a\nb\"", "line 1, column 3: a control character" },
        { "\"a\tb\"", "line 1, column 3: a control character" },
        { "\"12345678\x01\"", "line 1, column 10: a control character" },
        { "\"\\x41\"", "line 1, column 2: no such escape" },
        { "\"\\'\"", "line 1, column 2: no such escape" },
        { "\"\\u12\"", "line 1, column 2: \\u needs four" },
        { "\"\\u12g4\"", "line 1, column 2: \\u needs four" },
        { "\"\\u", "line 1, column 2: \\u needs four" },
        { "\"\\ud800\"", "line 1, column 2: half of a surrogate pair" },
        { "\"\\ud800x\"", "line 1, column 2: half of a surrogate pair" },
        { "\"\\ud800\\n\"", "line 1, column 2: half of a surrogate pair" },
        { "\"\\ud800\\ud800\"", "line 1, column 2: half of a surrogate pair" },
        { "\"\\udc00\"", "line 1, column 2: half of a surrogate pair" },
        { "\"\\udc00\\ud800\"", "line 1, column 2: half of a surrogate pair" },
        { "\"\xff\"", "line 1, column 2: these bytes are no UTF-8" },
        { "\"\xc0\x80\"", "line 1, column 2: these bytes are no UTF-8" },
        { "\"\xe0\x80\xaf\"", "line 1, column 2: these bytes are no UTF-8" },
        { "\"\xed\xa0\x80\"", "line 1, column 2: these bytes are no UTF-8" },
        { "\"\xf4\x90\x80\x80\"", "line 1, column 2: these bytes are no UTF-8" },
        { "\"\xe2\x82\"", "line 1, column 2: these bytes are no UTF-8" },
        { "\"\xe2\x82", "line 1, column 2: these bytes are no UTF-8" },
        { "\xef\xbb\xbf{}", "line 1, column 1: a value was expected" },
        { "/* no */ 1", "line 1, column 1: a value was expected" },
        { "{\n  \"id\": 1,\n  \"\xc3\xa4\": 2, \"id\": 3}", "line 3, column 11: a key stands twice: \"id\"" },
        { "{\"a\":1,\"\\u0061\":2}", "line 1, column 8: a key stands twice: \"\\u0061\"" },
        { "{\"\\u0061\":1,\"a\":2}", "line 1, column 13: a key stands twice: \"a\"" },
        { "{\"\\/\":1,\"/\":2}", "line 1, column 9: a key stands twice" },
        { "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "line 1, column 19: a key stands twice" },
        { "[{\"x\":{\"a\":1,\"b\":{},\"a\":2}}]", "line 1, column 21: a key stands twice: \"a\"" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_json_error error = { 0 };
        if (check_copy(cases[i].text, strlen(cases[i].text), &error)) {
            fail_msg("\"%s\" was taken", cases[i].text);
        }
        if (strncmp(error.text, cases[i].error, strlen(cases[i].error)) != 0) {
            fail_msg("\"%s\": %s", cases[i].text, error.text);
        }
        assert_false(check_copy(cases[i].text, strlen(cases[i].text), NULL));
    }
}

static void nul_bytes_are_no_blanks(void **state)
{
    (void)state;
    assert_false(check_copy("1\0", 2, NULL));
    assert_false(check_copy("\0", 1, NULL));
    assert_false(check_copy("\"a\0b\"", 5, NULL));
    assert_false(check_copy("\"\\\0\"", 4, NULL));
    assert_false(check_copy("[1,\0 2]", 7, NULL));
    struct ab_json value;
    assert_false(ab_json_check((struct ab_str){ NULL, 0 }, DEPTH, &value, NULL));
}

/* A text cut off anywhere is refused, and nothing behind its end is read. */
static void every_prefix_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"k\\u0041\":[1.5e-3,true,false,null,\"\xe2\x82\xac\\ud83d\\ude00\"],\"b\":{\"c\":-0}}";
    assert_true(check_copy(text, sizeof(text) - 1, NULL));
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        assert_false(check_copy(text, size, NULL));
    }
}

/* Any single byte changed: never a crash, and what is taken is UTF-8. */
static void every_changed_byte(void **state)
{
    (void)state;
    static const char text[] = "{\"k\\u0041\":[1.5e-3,true,null,\"\xe2\x82\xac\\ud83d\\ude00\"],\"b\":{\"c\":-0}}";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof(text)];
            memcpy(changed, text, sizeof(text));
            changed[i] = (char)byte;
            if (check_copy(changed, sizeof(text) - 1, NULL)) {
                assert_true(ab_utf8_valid((struct ab_str){ changed, sizeof(text) - 1 }));
            }
        }
    }
}

static bool check_nested(unsigned levels, const char *opening, const char *inner, const char *closing, unsigned max)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    for (unsigned i = 0; i < levels; i++) {
        ab_buf_append_text(&text, opening);
    }
    ab_buf_append_text(&text, inner);
    for (unsigned i = 0; i < levels; i++) {
        ab_buf_append_text(&text, closing);
    }
    struct ab_json value;
    struct ab_json_error error;
    bool good = ab_json_check(ab_buf_str(&text), max, &value, &error);
    if (!good) {
        assert_non_null(strstr(error.text, "nested too deeply"));
    }
    ab_buf_deinit(&text);
    return good;
}

static void depth(void **state)
{
    (void)state;
    assert_true(check_nested(64, "[", "", "]", 64));
    assert_false(check_nested(65, "[", "", "]", 64));
    assert_true(check_nested(64, "{\"a\":", "1", "}", 64));
    assert_false(check_nested(65, "{\"a\":", "1", "}", 64));
    assert_true(check_nested(0, "", "1", "", 0));
    assert_false(check_nested(1, "[", "", "]", 0));
    assert_true(check_nested(5000, "{\"a\":", "1", "}", 5000));
    assert_false(check_nested(100000, "[", "", "]", 64));
}

static void large_strings(void **state)
{
    (void)state;
    const size_t size = 1 << 20;
    char *text = ab_alloc(1, size + 3);
    memset(text, 'x', size + 2);
    text[0] = '"';
    text[size + 1] = '"';
    assert_true(check_copy(text, size + 2, NULL));
    struct ab_json value = ab_json_trusted(text);
    AB_CLEANUP(ab_free_string) char *copy = ab_json_string_dup(value);
    assert_int_equal(strlen(copy), size);
    text[size / 2] = '\x02';
    assert_false(check_copy(text, size + 2, NULL));
    free(text);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* An object of so many keys, some with escapes, and one key more. */
static bool check_many_keys(unsigned count, const char *last)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_char(&text, '{');
    for (unsigned i = 0; i < count; i++) {
        ab_buf_printf(&text, i % 3 == 0 ? "\"\\u006bey%u\":{\"a\":1}," : "\"key%u\":1,", i);
    }
    ab_buf_printf(&text, "\"%s\":1}", last);
    struct ab_json value;
    bool good = ab_json_check(ab_buf_str(&text), DEPTH, &value, NULL);
    ab_buf_deinit(&text);
    return good;
}

static void many_keys(void **state)
{
    (void)state;
    double before = seconds_now();
    for (unsigned count = 1; count < 70; count++) { /* around the place where a table takes over */
        assert_true(check_many_keys(count, "other"));
        assert_false(check_many_keys(count, "key0"));
        assert_false(check_many_keys(count, "ke\\u00790"));
    }
    assert_true(check_many_keys(100000, "other"));
    assert_false(check_many_keys(100000, "key50000"));
    assert_false(check_many_keys(100000, "k\\u0065y99999"));
    /* Quadratic work would take minutes; a slow machine under a sanitizer takes a second. */
    assert_true(seconds_now() - before < 20);
}

/* --- reading --- */

static const char sample[] =
    " { \"id\" : 9007199254740993 , \"n\\u0061me\" : \"x\\ny\" , \"list\" : [ 1 , [ ] , { } ] ,"
    " \"deep\":{\"er\":{\"est\":true}},\"none\":null,\"brackets\":\"]}\\\"[{\" } ";

static struct ab_json read_sample(void)
{
    struct ab_json value;
    assert_true(ab_json_check(AB_STR(sample), DEPTH, &value, NULL));
    assert_int_equal(value.text.data[0], '{');
    assert_int_equal(value.text.data[value.text.size - 1], '}');
    return value;
}

static void members(void **state)
{
    (void)state;
    struct ab_json value = read_sample();
    assert_true(ab_str_is(ab_json_member(value, "id").text, "9007199254740993"));
    assert_true(ab_json_string_is(ab_json_member(value, "name"), "x\ny"));
    assert_false(ab_json_exists(ab_json_member(value, "Name")));
    assert_false(ab_json_exists(ab_json_member(value, "nam")));
    assert_false(ab_json_exists(ab_json_member(value, "names")));
    assert_false(ab_json_exists(ab_json_member(value, "er"))); /* not of an inner object */
    assert_true(ab_json_is_true(ab_json_at(value, "deep", "er", "est", NULL)));
    assert_false(ab_json_exists(ab_json_at(value, "deep", "no", "est", NULL)));
    assert_false(ab_json_exists(ab_json_at(value, "list", "er", NULL)));
    assert_true(ab_json_is(ab_json_member(value, "none"), AB_JSON_NULL));
    assert_true(ab_json_string_is(ab_json_member(value, "brackets"), "]}\"[{"));
    assert_true(ab_json_exists(ab_json_member_str(value, (struct ab_str){ "identity", 2 })));
    assert_int_equal(ab_json_count(value), 6);
    assert_int_equal(ab_json_count(ab_json_member(value, "list")), 3);
    assert_int_equal(ab_json_count(ab_json_member(value, "id")), 0);
}

/* Whatever a look for one finds, a look for several finds too. */
static void members_at_once(void **state)
{
    (void)state;
    struct ab_json_wanted wanted[] = { { .key = "brackets" }, { .key = "nam" }, { .key = "name" }, { .key = "" },
                                       { .key = "er" },       { .key = "id" },  { .key = "none" }, { .key = "name" } };
    struct ab_json not_objects[] = { ab_json_trusted("[\"id\", 1]"), ab_json_trusted("\"id\""), ab_json_trusted(NULL) };
    size_t n = sizeof(wanted) / sizeof(wanted[0]);
    struct ab_json value = read_sample();
    ab_json_find(value, wanted, n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(wanted[i].value.text.data, ab_json_member(value, wanted[i].key).text.data);
    }
    for (size_t i = 0; i < sizeof(not_objects) / sizeof(not_objects[0]); i++) {
        ab_json_find(not_objects[i], wanted, n); /* what stood there before is gone */
        assert_false(ab_json_exists(wanted[0].value) || ab_json_exists(wanted[2].value));
    }
    ab_json_find(ab_json_trusted("{\"\":1,\"id\":2,\"id\":3}"), wanted, n); /* unchecked: the first counts */
    assert_true(ab_str_is(wanted[3].value.text, "1"));
    assert_true(ab_str_is(wanted[5].value.text, "2"));
}

static void iterating(void **state)
{
    (void)state;
    static const char *const keys[] = { "id", "name", "list", "deep", "none", "brackets" };
    struct ab_json_iterator iterator = ab_json_iterate(read_sample());
    struct ab_json key, value;
    for (size_t i = 0; i < 6; i++) {
        assert_true(ab_json_next(&iterator, &key, &value));
        assert_true(ab_json_string_is(key, keys[i]));
    }
    assert_false(ab_json_next(&iterator, &key, &value));
    assert_false(ab_json_next(&iterator, NULL, NULL));

    iterator = ab_json_iterate(ab_json_member(read_sample(), "list"));
    assert_true(ab_json_next(&iterator, &key, &value));
    assert_false(ab_json_exists(key));
    assert_true(ab_str_is(value.text, "1"));
    assert_true(ab_json_next(&iterator, NULL, &value));
    assert_true(ab_str_is(value.text, "[ ]"));
    struct ab_json_iterator empty = ab_json_iterate(value);
    assert_false(ab_json_next(&empty, NULL, &value));
    empty = ab_json_iterate(ab_json_trusted(NULL));
    assert_false(ab_json_next(&empty, NULL, &value));
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ab_json_type type;
        const char *name;
    } cases[] = {
        { NULL, AB_JSON_NONE, "nothing" },     { "  ", AB_JSON_NONE, "nothing" },
        { " null", AB_JSON_NULL, "null" },     { "true", AB_JSON_TRUE, "boolean" },
        { "false", AB_JSON_FALSE, "boolean" }, { "-1", AB_JSON_NUMBER, "number" },
        { "\"\"", AB_JSON_STRING, "string" },  { "[]", AB_JSON_ARRAY, "array" },
        { "{} ", AB_JSON_OBJECT, "object" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_json value = ab_json_trusted(cases[i].text);
        assert_int_equal(ab_json_type(value), cases[i].type);
        assert_string_equal(ab_json_type_name(value), cases[i].name);
    }
}

static void strings(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(100);
    assert_true(ab_json_unescape(ab_json_trusted("\"a\\u0000b\\uD83D\\uDE00\\u20AC\\u00e4\\/\\\\\""), &out));
    assert_true(ab_str_equal(ab_buf_str(&out), AB_STR("a\0b\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa4/\\")));
    ab_buf_deinit(&out);
    assert_false(ab_json_unescape(ab_json_trusted("1"), &out));
    assert_null(ab_json_string_dup(ab_json_trusted("\"a\\u0000b\"")));
    assert_null(ab_json_string_dup(ab_json_trusted("1")));
    assert_null(ab_json_string_dup(ab_json_trusted(NULL)));
    AB_CLEANUP(ab_free_string) char *empty = ab_json_string_dup(ab_json_trusted("\"\""));
    assert_string_equal(empty, "");
    assert_false(ab_json_string_is(ab_json_trusted("\"a\\u0000\""), "a"));
    assert_false(ab_json_string_is(ab_json_trusted("null"), "null"));
    assert_true(ab_json_string_is(ab_json_trusted("\"\\u0061b\""), "ab"));
    assert_null(ab_json_dup(ab_json_trusted(NULL)));
}

static void whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t number;
        bool integer;
    } cases[] = {
        { "0", true, 0, true },
        { "-0.0", true, 0, true },
        { "0e99999999999999999999", true, 0, true },
        { "1", true, 1, true },
        { "1.0", true, 1, true },
        { "1e2", true, 100, true },
        { "100e-2", true, 1, true },
        { "12.50e1", true, 125, true },
        { "0.001e3", true, 1, true },
        { "1.5", false, 0, false },
        { "15e-1", false, 0, false },
        { "1e-400", false, 0, false },
        { "9007199254740993", true, 9007199254740993, true },
        { "9223372036854775807", true, INT64_MAX, true },
        { "9223372036854775807.0", true, INT64_MAX, true },
        { "9223372036854775808", false, 0, true },
        { "-9223372036854775808", true, INT64_MIN, true },
        { "-9223372036854775809", false, 0, true },
        { "9999999999999999999", false, 0, true },
        { "1e19", false, 0, true },
        { "1e400", false, 0, true },
        { "1e-99999999999999999999", false, 0, false },
        { "\"1\"", false, 0, false },
        { "true", false, 0, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_json value = ab_json_trusted(cases[i].text);
        int64_t number = 0;
        if (ab_json_int(value, &number) != cases[i].good || number != cases[i].number ||
            ab_json_is_integer(value) != cases[i].integer) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void doubles(void **state)
{
    (void)state;
    double number = 0;
    assert_true(ab_json_double(ab_json_trusted("-1.25e2"), &number));
    assert_true(number >= -125 && number <= -125);
    assert_true(ab_json_double(ab_json_trusted("1e999"), &number));
    assert_true(number > 1.7e308);
    assert_false(ab_json_double(ab_json_trusted("null"), &number));
    char long_number[200];
    memset(long_number, '1', sizeof(long_number) - 1);
    long_number[1] = '.';
    long_number[sizeof(long_number) - 1] = '\0';
    assert_true(ab_json_double(ab_json_trusted(long_number), &number));
    assert_true(number > 1.1 && number < 1.2);
}

static void equality(void **state)
{
    (void)state;
    static const struct {
        const char *left;
        const char *right;
        bool same;
    } cases[] = {
        { "1", "1.0", true },
        { "1", "10e-1", true },
        { "0", "-0.0e5", true },
        { "1.5", "15e-1", true },
        { "0.00125", "1.25e-3", true },
        { "100", "1e2", true },
        { "100", "1e3", false },
        { "12", "1.2", false },
        { "1", "-1", false },
        { "9007199254740992", "9007199254740993", false },
        { "1", "\"1\"", false },
        { "true", "false", false },
        { "null", "null", true },
        { "\"\\u0061\\n\"", "\"a\\u000a\"", true },
        { "\"ab\"", "\"a\"", false },
        { "\"\\u00e4\"", "\"\xc3\xa4\"", true },
        { "[1,2]", "[ 1 , 2.0 ]", true },
        { "[1,2]", "[2,1]", false },
        { "[1]", "[1,1]", false },
        { "{\"a\":1,\"b\":2}", "{ \"b\" : 2, \"\\u0061\" : 1 }", true },
        { "{\"x\":0,\"a\":1,\"b\":{\"c\":1,\"d\":2}}", "{\"x\":0,\"b\":{\"d\":2,\"c\":1},\"a\":1}", true },
        { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":2}", false },
        { "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
        { "{\"a\":1,\"b\":2}", "{\"b\":1,\"c\":2}", false },
        { "{\"b\":1,\"a\":1}", "{\"a\":1}", false },
        { "{}", "[]", false },
        { NULL, NULL, true },
        { NULL, "null", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_json left = ab_json_trusted(cases[i].left);
        struct ab_json right = ab_json_trusted(cases[i].right);
        if (ab_json_equal(left, right) != cases[i].same || ab_json_equal(right, left) != cases[i].same) {
            fail_msg("%s and %s", cases[i].left, cases[i].right);
        }
    }
}

static char *numbered_object(unsigned count, bool backwards)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_char(&text, '{');
    for (unsigned i = 0; i < count; i++) {
        unsigned number = backwards ? count - 1 - i : i;
        ab_buf_printf(&text, "%s\"k%u\":%u", i == 0 ? "" : ",", number, number);
    }
    ab_buf_append_char(&text, '}');
    return ab_buf_steal(&text);
}

static void large_objects_compare_in_time(void **state)
{
    (void)state;
    double before = seconds_now();
    AB_CLEANUP(ab_free_string) char *left = numbered_object(100000, false);
    AB_CLEANUP(ab_free_string) char *right = numbered_object(100000, true);
    assert_true(ab_json_equal(ab_json_trusted(left), ab_json_trusted(right)));
    assert_true(seconds_now() - before < 20);
}

/* Rows of the store are not checked again: whatever stands there, the bounds are kept. */
static void unchecked_text_stays_in_bounds(void **state)
{
    (void)state;
    static const char *const cases[] = { "{",         "[",       "\"",   "{\"a\"",  "{\"a\":",     "{\"a\":1",
                                         "[1,",       "{\"a\\",  "[[[[", "}",       "]",           "{]",
                                         "{\"a\" 1}", "[1 2 3]", "{:,}", "\"\\u12", "{\"a\":\"b}", "," };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AB_CLEANUP(ab_free_string) char *copy = ab_strdup(cases[i]);
        struct ab_json value = ab_json_trusted(copy);
        assert_false(ab_json_exists(ab_json_at(value, "a", "b", NULL)));
        assert_true(ab_json_count(value) < 4);
        struct ab_json_wanted wanted[] = { { .key = "a" }, { .key = "" } };
        ab_json_find(value, wanted, 2);
        (void)ab_json_equal(value, value);
        free(ab_json_string_dup(value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken),
        cmocka_unit_test(refused),
        cmocka_unit_test(nul_bytes_are_no_blanks),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(every_changed_byte),
        cmocka_unit_test(depth),
        cmocka_unit_test(large_strings),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(members),
        cmocka_unit_test(members_at_once),
        cmocka_unit_test(iterating),
        cmocka_unit_test(types),
        cmocka_unit_test(strings),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(equality),
        cmocka_unit_test(large_objects_compare_in_time),
        cmocka_unit_test(unchecked_text_stays_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
