/* Slices of text, UTF-8 above all: what a peer sends is checked with these. */
#include "base/mem.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void comparing(void **state)
{
    (void)state;
    assert_true(ab_str_equal(ab_str(NULL), AB_STR("")));
    assert_true(ab_str_is(AB_STR("ab"), "ab"));
    assert_false(ab_str_is(AB_STR("ab"), "abc"));
    assert_true(ab_str_equal_nocase(AB_STR("Content-Type"), AB_STR("content-tYPE")));
    assert_false(ab_str_equal_nocase(AB_STR("a@"), AB_STR("a`")));
    assert_true(ab_str_starts(AB_STR("Bearer x"), "Bearer "));
    assert_false(ab_str_starts(AB_STR("Bear"), "Bearer "));
    assert_true(ab_str_is(ab_str_trim(AB_STR(" \t a b\t ")), "a b"));
    assert_true(ab_str_is(ab_str_trim(AB_STR(" \t ")), ""));
}

static void whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t maximum;
        bool good;
        uint64_t number;
    } cases[] = {
        { "0", 10, true, 0 },
        { "10", 10, true, 10 },
        { "11", 10, false, 0 },
        { "5", 3, false, 0 },
        { "007", 10, true, 7 },
        { "", 10, false, 0 },
        { "-1", 10, false, 0 },
        { "+1", 10, false, 0 },
        { " 1", 10, false, 0 },
        { "1x", 10, false, 0 },
        { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },
        { "99999999999999999999999", UINT64_MAX, false, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t number = 0;
        bool good = ab_str_to_uint(ab_str(cases[i].text), cases[i].maximum, &number);
        if (good != cases[i].good || number != cases[i].number) {
            fail_msg("\"%s\" up to %llu", cases[i].text, (unsigned long long)cases[i].maximum);
        }
    }
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        size_t valid; /* bytes that are well formed */
    } cases[] = {
        { "", 0, 0 },
        { "plain text of more than eight bytes", 35, 35 },
        { "nul \0 inside", 12, 12 },
        { "\xc3\xa4", 2, 2 },
        { "\xe2\x82\xac", 3, 3 },
        { "\xf0\x9f\x98\x80", 4, 4 },
        { "\xf4\x8f\xbf\xbf", 4, 4 },  /* U+10FFFF */
        { "\xf4\x90\x80\x80", 4, 0 },  /* beyond it */
        { "\xf5\x80\x80\x80", 4, 0 },  /* never a first byte */
        { "\xc0\x80", 2, 0 },          /* overlong NUL */
        { "\xc1\xbf", 2, 0 },          /* overlong */
        { "\xe0\x9f\xbf", 3, 0 },      /* overlong */
        { "\xf0\x8f\xbf\xbf", 4, 0 },  /* overlong */
        { "\xed\x9f\xbf", 3, 3 },      /* U+D7FF */
        { "\xed\xa0\x80", 3, 0 },      /* surrogate */
        { "\xed\xbf\xbf", 3, 0 },      /* surrogate */
        { "\x80", 1, 0 },              /* continues nothing */
        { "abc\xff", 4, 3 },           /* never valid */
        { "12345678\xe2\x82", 10, 8 }, /* cut off */
        { "ab\xf0\x9f\x98", 5, 2 },    /* cut off */
        { "\xc3\x28", 2, 0 },          /* continued by ASCII */
        { "\xe2\x82\xac\xe2\x28\xa1", 6, 3 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* A copy of the exact size, so that the sanitizer sees a read beyond it. */
        char *copy = ab_strndup(cases[i].text, cases[i].size);
        struct ab_str slice = { copy, cases[i].size };
        assert_int_equal(ab_utf8_valid_prefix(slice), cases[i].valid);
        assert_int_equal(ab_utf8_valid(slice), cases[i].valid == cases[i].size);
        free(copy);
    }
    assert_int_equal(ab_utf8_character(AB_STR("")), 0);
    assert_int_equal(ab_utf8_character(AB_STR("\xe2\x82\xacx")), 3);
}

static void memory(void **state)
{
    (void)state;
    AB_CLEANUP(ab_free_string) char *text = ab_format("%d-%s", 7, "x");
    assert_string_equal(text, "7-x");
    ab_replace(&text, text);
    assert_string_equal(text, "7-x");
    ab_replace(&text, NULL);
    assert_null(text);
    assert_null(ab_strdup(NULL));
    assert_null(ab_strndup(NULL, 4));
    void *nothing = ab_alloc(0, 8);
    assert_non_null(nothing);
    free(nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(utf8),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
