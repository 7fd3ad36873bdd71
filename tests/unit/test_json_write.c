/* Writing JSON, and blanking out comments. */
#include "base/mem.h"
#include "wire/json.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void everything(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(10000);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "text", "a\"b\\c\n\x01\x7f");
    ab_json_put_text(&writer, "none", NULL);
    ab_json_put_optional_text(&writer, "left_out", NULL);
    ab_json_put_optional_text(&writer, "there", "x");
    ab_json_put_int(&writer, "int", INT64_MIN);
    ab_json_put_double(&writer, "double", 0.1);
    ab_json_put_bool(&writer, "yes", true);
    ab_json_put_time(&writer, "at", 0);
    ab_json_put_raw(&writer, "raw", "{\"b\":1,\"a\":2}");
    ab_json_put_raw(&writer, "raw_none", NULL);
    ab_json_put_optional_raw(&writer, "left_out", NULL);
    ab_json_put_optional_raw(&writer, "raw_there", "[]");
    ab_json_put_value(&writer, "value", ab_json_trusted("9007199254740993"));
    ab_json_put_value(&writer, "no_value", ab_json_trusted(NULL));
    ab_json_write_key_str(&writer, AB_STR("\"\xc3\xa4"));
    ab_json_array_begin(&writer);
    ab_json_write_null(&writer);
    ab_json_array_begin(&writer);
    ab_json_array_end(&writer);
    ab_json_object_begin(&writer);
    ab_json_object_end(&writer);
    ab_json_write_str(&writer, AB_STR("nul\0"));
    ab_json_array_end(&writer);
    ab_json_object_end(&writer);
    assert_string_equal(out.data, "{\"text\":\"a\\\"b\\\\c\\n\\u0001\x7f\",\"none\":null,\"there\":\"x\","
                                  "\"int\":-9223372036854775808,\"double\":0.1,\"yes\":true,"
                                  "\"at\":\"1970-01-01T00:00:00.000Z\",\"raw\":{\"b\":1,\"a\":2},\"raw_none\":null,"
                                  "\"raw_there\":[],\"value\":9007199254740993,\"no_value\":null,"
                                  "\"\\\"\xc3\xa4\":[null,[],{},\"nul\\u0000\"]}");
    struct ab_json value;
    assert_true(ab_json_check(ab_buf_str(&out), 64, &value, NULL));
    ab_buf_deinit(&out);
}

/* Whatever bytes an agent prints, what is written is JSON. */
static void broken_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        { "\xff", "\"\xef\xbf\xbd\"" },
        { "a\xc3", "\"a\xef\xbf\xbd\"" },
        { "\xe2\x82x", "\"\xef\xbf\xbd\xef\xbf\xbdx\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xc3\xa4", "\"\xc3\xa4\"" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_buf out = AB_BUF_INIT(100);
        struct ab_json_writer writer;
        ab_json_writer_init(&writer, &out);
        ab_json_write_text(&writer, cases[i].text);
        assert_string_equal(out.data, cases[i].written);
        ab_buf_deinit(&out);
    }
    for (int byte = 1; byte < 256; byte++) {
        struct ab_buf out = AB_BUF_INIT(100);
        struct ab_json_writer writer;
        struct ab_json value;
        char text[2] = { (char)byte, '\0' };
        ab_json_writer_init(&writer, &out);
        ab_json_write_text(&writer, text);
        assert_true(ab_json_check(ab_buf_str(&out), 1, &value, NULL));
        if (byte < 0x80) {
            assert_true(ab_json_string_is(value, text));
        }
        ab_buf_deinit(&out);
    }
}

static char *written_double(double number)
{
    struct ab_buf out = AB_BUF_INIT(100);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &out);
    ab_json_write_double(&writer, number);
    return ab_buf_steal(&out);
}

static void doubles(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *written;
    } cases[] = {
        { 0, "0" },
        { 1, "1" },
        { -3, "-3" },
        { 1e15, "1000000000000000" },
        { 0.1, "0.1" },
        { 1.0 / 3, "0.3333333333333333" },
        { 2.5e-7, "2.5e-07" },
        { 1e300, "1e+300" },
        { (double)NAN, "null" },
        { (double)INFINITY, "null" },
        { -(double)INFINITY, "null" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AB_CLEANUP(ab_free_string) char *text = written_double(cases[i].number);
        assert_string_equal(text, cases[i].written);
    }
    uint64_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        double number;
        memcpy(&number, &seed, sizeof(number));
        if (!isfinite(number)) {
            continue;
        }
        AB_CLEANUP(ab_free_string) char *text = written_double(number);
        double back = 0;
        struct ab_json value;
        assert_true(ab_json_check(ab_str(text), 1, &value, NULL));
        assert_true(ab_json_double(value, &back));
        assert_memory_equal(&back, &number, sizeof(back));
    }
}

static void a_decimal_comma_elsewhere(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        skip();
    }
    AB_CLEANUP(ab_free_string) char *text = written_double(0.5);
    double number = 0;
    bool good = ab_json_double(ab_json_trusted("0.5"), &number);
    setlocale(LC_ALL, "C");
    assert_string_equal(text, "0.5");
    assert_true(good && number > 0.4);
}

static void deep_writing(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(10000);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &out);
    for (unsigned i = 0; i < 63; i++) {
        ab_json_array_begin(&writer);
        ab_json_write_int(&writer, 1);
    }
    for (unsigned i = 0; i < 63; i++) {
        ab_json_array_end(&writer);
    }
    struct ab_json value;
    assert_true(ab_json_check(ab_buf_str(&out), 63, &value, NULL));
    ab_buf_deinit(&out);
}

static void a_full_buffer_is_seen(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(8);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &out);
    ab_json_write_text(&writer, "more than eight");
    assert_true(out.full);
    ab_buf_deinit(&out);
}

static void comments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *stripped;
    } cases[] = {
        { "{} // end", "{}       " },
        { "{ // a\n}", "{     \n}" },
        { "{/* a\nb */}", "{    \n    }" },
        { "{\"u\":\"http://x/*y*/\"}", "{\"u\":\"http://x/*y*/\"}" },
        { "{\"q\\\"//\":1}//", "{\"q\\\"//\":1}  " },
        { "/**/1/***/", "    1     " },
        { "/* never ends", "/* never ends" },
        { "/*/ 1", "/*/ 1" },
        { "1 / 2", "1 / 2" },
        { "/", "/" },
        { "\"open // \n// x", "\"open // \n    " },
        { "\"\\", "\"\\" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AB_CLEANUP(ab_free_string) char *text = ab_strdup(cases[i].text);
        ab_json_strip_comments(text, strlen(text));
        assert_string_equal(text, cases[i].stripped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),   cmocka_unit_test(broken_text),
        cmocka_unit_test(doubles),      cmocka_unit_test(a_decimal_comma_elsewhere),
        cmocka_unit_test(deep_writing), cmocka_unit_test(a_full_buffer_is_seen),
        cmocka_unit_test(comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
