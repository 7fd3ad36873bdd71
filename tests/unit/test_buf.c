/* Growable buffers and their maximum. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void appending(void **state)
{
    (void)state;
    struct ab_buf buf;
    ab_buf_init(&buf, 1000);
    assert_null(buf.data);
    ab_buf_append(&buf, NULL, 0);
    ab_buf_append_text(&buf, "one");
    ab_buf_append_char(&buf, ' ');
    ab_buf_append_str(&buf, AB_STR("two"));
    ab_buf_printf(&buf, " %d %s", 3, "four");
    assert_string_equal(buf.data, "one two 3 four");
    assert_int_equal(buf.size, strlen(buf.data));
    ab_buf_consume(&buf, 4);
    assert_string_equal(buf.data, "two 3 four");
    ab_buf_consume(&buf, 100);
    assert_int_equal(buf.size, 0);
    assert_string_equal(buf.data, "");
    ab_buf_deinit(&buf);
    ab_buf_deinit(&buf);
    assert_int_equal(buf.maximum, 1000);
}

static void growing_byte_by_byte(void **state)
{
    (void)state;
    struct ab_buf buf = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    for (int i = 0; i < 100000; i++) {
        ab_buf_append_char(&buf, (char)('a' + i % 26));
    }
    assert_int_equal(buf.size, 100000);
    assert_int_equal(buf.data[99999], 'a' + 99999 % 26);
    assert_int_equal(buf.data[100000], '\0');
    ab_buf_deinit(&buf);
}

static void the_maximum(void **state)
{
    (void)state;
    struct ab_buf buf = AB_BUF_INIT(5);
    ab_buf_append_text(&buf, "12345");
    assert_false(buf.full);
    ab_buf_append_text(&buf, "6");
    assert_true(buf.full);
    assert_string_equal(buf.data, "12345");
    ab_buf_consume(&buf, 5);
    ab_buf_append_text(&buf, "x"); /* once full, nothing is taken, or a hole would go unseen */
    assert_int_equal(buf.size, 0);
    ab_buf_clear(&buf);
    ab_buf_append_text(&buf, "x");
    assert_string_equal(buf.data, "x");
    ab_buf_printf(&buf, "%s", "too long for it");
    assert_true(buf.full);
    assert_string_equal(buf.data, "x");
    ab_buf_deinit(&buf);

    struct ab_buf huge = AB_BUF_INIT(SIZE_MAX);
    assert_null(ab_buf_reserve(&huge, SIZE_MAX - 1));
    assert_true(huge.full);
    struct ab_buf none = AB_BUF_INIT(0);
    ab_buf_append_char(&none, 'x');
    assert_true(none.full);
}

static void long_formats(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct ab_buf buf = AB_BUF_INIT(4000);
    ab_buf_printf(&buf, "<%s>", text);
    assert_int_equal(buf.size, sizeof(text) + 1);
    assert_int_equal(buf.data[buf.size - 1], '>');
    ab_buf_deinit(&buf);
}

static void filling_in_place(void **state)
{
    (void)state;
    struct ab_buf buf = AB_BUF_INIT(100);
    char *room = ab_buf_reserve(&buf, 10);
    assert_non_null(room);
    memcpy(room, "abc", 3);
    ab_buf_grew(&buf, 3);
    assert_true(ab_str_is(ab_buf_str(&buf), "abc"));
    ab_buf_deinit(&buf);
}

static void stealing(void **state)
{
    (void)state;
    struct ab_buf buf = AB_BUF_INIT(10);
    char *empty = ab_buf_steal(&buf);
    assert_string_equal(empty, "");
    free(empty);
    ab_buf_append_text(&buf, "text");
    char *text = ab_buf_steal(&buf);
    assert_string_equal(text, "text");
    assert_null(buf.data);
    assert_int_equal(buf.maximum, 10);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending),    cmocka_unit_test(growing_byte_by_byte), cmocka_unit_test(the_maximum),
        cmocka_unit_test(long_formats), cmocka_unit_test(filling_in_place),     cmocka_unit_test(stealing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
