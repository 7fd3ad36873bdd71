/* Base64, strictly; and random names. */
#include "base/base64.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/str.h"
#include "support/fake_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        const char *standard;
        const char *url;
    } cases[] = {
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xff\xfe\xfb\xf0", "//778A==", "__778A" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ab_buf buf = AB_BUF_INIT(100);
        ab_base64_encode(&buf, cases[i].plain, strlen(cases[i].plain));
        assert_true(ab_str_is(ab_buf_str(&buf), cases[i].standard));
        ab_buf_clear(&buf);
        ab_base64url_encode(&buf, cases[i].plain, strlen(cases[i].plain));
        assert_true(ab_str_is(ab_buf_str(&buf), cases[i].url));
        ab_buf_clear(&buf);
        assert_true(ab_base64_decode(&buf, ab_str(cases[i].standard)));
        assert_true(ab_str_is(ab_buf_str(&buf), cases[i].plain));
        ab_buf_clear(&buf);
        assert_true(ab_base64url_decode(&buf, ab_str(cases[i].url)));
        assert_true(ab_str_is(ab_buf_str(&buf), cases[i].plain));
        ab_buf_deinit(&buf);
    }
}

static void malformed(void **state)
{
    (void)state;
    static const char *const standard[] = { "Z",    "Zg",   "Zg=",  "Zg===", "Zm9v=",  "====", "=",       "Zh==",
                                            "Zm9=", "Zm-v", "Zm_v", "Zm 9v", "Zm9v\n", "Z=g=", "Zg==Zg==" };
    static const char *const url[] = { "Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9vY", "Zm9v " };
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        struct ab_buf buf = AB_BUF_INIT(100);
        if (ab_base64_decode(&buf, ab_str(standard[i]))) {
            fail_msg("\"%s\" was taken", standard[i]);
        }
        ab_buf_deinit(&buf);
    }
    for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++) {
        struct ab_buf buf = AB_BUF_INIT(100);
        if (ab_base64url_decode(&buf, ab_str(url[i]))) {
            fail_msg("\"%s\" was taken", url[i]);
        }
        ab_buf_deinit(&buf);
    }
}

static void every_size_there_and_back(void **state)
{
    (void)state;
    struct fake_random fake;
    struct ab_random source = fake_random(&fake, 1);
    for (size_t size = 0; size < 200; size++) {
        char bytes[200];
        ab_random_fill(&source, bytes, size);
        struct ab_buf text = AB_BUF_INIT(1000);
        struct ab_buf back = AB_BUF_INIT(1000);
        ab_base64_encode(&text, bytes, size);
        assert_true(ab_base64_decode(&back, ab_buf_str(&text)));
        assert_true(ab_str_equal(ab_buf_str(&back), (struct ab_str){ bytes, size }));
        ab_buf_deinit(&text);
        ab_buf_deinit(&back);
    }
}

static void the_maximum_holds(void **state)
{
    (void)state;
    struct ab_buf small = AB_BUF_INIT(2);
    assert_false(ab_base64_decode(&small, AB_STR("Zm9v")));
    ab_buf_deinit(&small);
    small = AB_BUF_INIT(3);
    ab_base64_encode(&small, "x", 1);
    assert_true(small.full);
    ab_buf_deinit(&small);
    small = AB_BUF_INIT(4); /* just enough */
    ab_base64_encode(&small, "abc", 3);
    assert_true(ab_str_is(ab_buf_str(&small), "YWJj"));
    ab_buf_deinit(&small);
    small = AB_BUF_INIT(2);
    ab_base64url_encode(&small, "x", 1);
    assert_true(ab_str_is(ab_buf_str(&small), "eA"));
    ab_buf_deinit(&small);
}

static void names(void **state)
{
    (void)state;
    char hex[9];
    ab_hex("\x00\x9f\xff\x10", 4, hex);
    assert_string_equal(hex, "009fff10");

    struct ab_random source = ab_random_system();
    char first[33], second[33];
    ab_id_make(&source, first);
    ab_id_make(&source, second);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(strspn(first, "0123456789abcdef"), 32);
    assert_string_not_equal(first, second);

    struct fake_random fake;
    source = fake_random(&fake, 7);
    ab_id_make(&source, first);
    source = fake_random(&fake, 7);
    ab_id_make(&source, second);
    assert_string_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),      cmocka_unit_test(malformed), cmocka_unit_test(every_size_there_and_back),
        cmocka_unit_test(the_maximum_holds), cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
