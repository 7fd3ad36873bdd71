/* Lines out of bytes that are cut anywhere. */
#include "base/mem.h"
#include "base/str.h"
#include "wire/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void draw_all(struct ab_lines *lines, struct ab_buf *out)
{
    struct ab_str line;
    while (ab_lines_next(lines, &line) == AB_LINES_LINE) {
        ab_buf_append_str(out, line);
        ab_buf_append_char(out, ';');
    }
}

static void reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *lines;
        uint64_t number;
    } cases[] = {
        { "", "", 0 },          { "a\nb\n", "a;b;", 2 },  { "a\r\nb\r\n", "a;b;", 2 }, { "a\n\n\r\nb", "a;;;b;", 4 },
        { "\r\r\n", "\r;", 1 }, { "a\rb\n", "a\rb;", 1 }, { "last", "last;", 1 },      { "last\r", "last;", 1 },
        { "\n", ";", 1 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = strlen(cases[i].text);
        for (size_t cut = 0; cut <= size; cut++) {
            struct ab_lines lines;
            struct ab_buf out = AB_BUF_INIT(1000);
            struct ab_str line;
            ab_lines_init(&lines, 10);
            ab_lines_feed(&lines, cases[i].text, cut);
            draw_all(&lines, &out);
            ab_lines_feed(&lines, cases[i].text + cut, size - cut);
            draw_all(&lines, &out);
            if (ab_lines_last(&lines, &line) == AB_LINES_LINE) {
                ab_buf_append_str(&out, line);
                ab_buf_append_char(&out, ';');
            }
            assert_int_equal(ab_lines_last(&lines, &line), AB_LINES_NONE);
            assert_true(ab_str_is(ab_buf_str(&out), cases[i].lines));
            assert_int_equal(lines.number, cases[i].number);
            ab_buf_deinit(&out);
            ab_lines_deinit(&lines);
            ab_lines_deinit(&lines);
        }
    }
}

static void nul_bytes_stay(void **state)
{
    (void)state;
    struct ab_lines lines;
    struct ab_str line;
    ab_lines_init(&lines, 10);
    ab_lines_feed(&lines, "a\0b\n", 4);
    assert_int_equal(ab_lines_next(&lines, &line), AB_LINES_LINE);
    assert_int_equal(line.size, 3);
    ab_lines_deinit(&lines);
}

static enum ab_lines_result result_of(const char *text)
{
    struct ab_lines lines;
    struct ab_str line;
    ab_lines_init(&lines, 4);
    ab_lines_feed(&lines, text, strlen(text));
    enum ab_lines_result result = ab_lines_next(&lines, &line);
    if (result == AB_LINES_NONE) {
        result = ab_lines_last(&lines, &line);
    }
    ab_lines_deinit(&lines);
    return result;
}

static void limits(void **state)
{
    (void)state;
    assert_int_equal(result_of("1234\n"), AB_LINES_LINE);
    assert_int_equal(result_of("1234\r\n"), AB_LINES_LINE);
    assert_int_equal(result_of("1234"), AB_LINES_LINE);
    assert_int_equal(result_of("1234\r"), AB_LINES_LINE);
    assert_int_equal(result_of("12345\n"), AB_LINES_TOO_LONG);
    assert_int_equal(result_of("12345\r\n"), AB_LINES_TOO_LONG);
    assert_int_equal(result_of("12345"), AB_LINES_TOO_LONG);
    assert_int_equal(result_of("123456"), AB_LINES_TOO_LONG);

    struct ab_lines lines; /* it stays so */
    struct ab_str line;
    ab_lines_init(&lines, 4);
    ab_lines_feed(&lines, "123456", 6);
    assert_int_equal(ab_lines_next(&lines, &line), AB_LINES_TOO_LONG);
    assert_int_equal(ab_lines_next(&lines, &line), AB_LINES_TOO_LONG);
    ab_lines_deinit(&lines);
}

/* A megabyte of empty lines, and one long line that comes in small pieces: neither is quadratic. */
static void large_input(void **state)
{
    (void)state;
    const size_t size = 1 << 20;
    char *text = ab_alloc(1, size);
    struct ab_lines lines;
    struct ab_str line;
    clock_t before = clock();
    memset(text, '\n', size);
    ab_lines_init(&lines, 4 * size);
    ab_lines_feed(&lines, text, size);
    while (ab_lines_next(&lines, &line) == AB_LINES_LINE) {
        assert_int_equal(line.size, 0);
    }
    assert_int_equal(lines.number, size);
    memset(text, 'x', size);
    for (size_t at = 0; at < size; at += 16) {
        ab_lines_feed(&lines, text + at, 16);
        assert_int_equal(ab_lines_next(&lines, &line), AB_LINES_NONE);
    }
    ab_lines_feed(&lines, "\n", 1);
    assert_int_equal(ab_lines_next(&lines, &line), AB_LINES_LINE);
    assert_int_equal(line.size, size);
    assert_true(clock() - before < 20 * CLOCKS_PER_SEC);
    ab_lines_deinit(&lines);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(nul_bytes_stay),
        cmocka_unit_test(limits),
        cmocka_unit_test(large_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
