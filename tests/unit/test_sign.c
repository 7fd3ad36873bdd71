/* What is signed: the canonical form of JSON (the cases of RFC 8785), and keys (that of RFC 7515, A.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/sign.h"
#include "base/base64.h"
#include "base/mem.h"

#include <string.h>

static void assert_canonical(const char *text, bool drop_empty, const char *expected)
{
    struct ab_buf out = AB_BUF_INIT(4096);
    struct ab_json value;
    struct ab_json_error error;

    if (!ab_json_check(ab_str(text), 32, &value, &error))
        fail_msg("%s: %s", text, error.text);
    ab_json_canonical(value, drop_empty, &out);
    assert_string_equal(out.data, expected);
    ab_buf_deinit(&out);
}

static void test_canonical_numbers(void **state)
{
    static const char *const table[][2] = {
        { "0", "0" },
        { "-0", "0" },
        { "-0.0", "0" },
        { "1.0", "1" },
        { "-5", "-5" },
        { "4.50", "4.5" },
        { "2e-3", "0.002" },
        { "1E30", "1e+30" },
        { "333333333.33333329", "333333333.3333333" },
        { "0.000000000000000000000000001", "1e-27" },
        { "0.000001", "0.000001" },
        { "0.0000001", "1e-7" },
        { "123e-9", "1.23e-7" },
        { "100000000000000000000", "100000000000000000000" },
        { "1e21", "1e+21" },
        { "1.5e300", "1.5e+300" },
        { "9007199254740993", "9007199254740992" },
        { "5e-324", "5e-324" },
        { "1.7976931348623157e308", "1.7976931348623157e+308" },
        { "295147905179352830000", "295147905179352830000" },
        { "1e999", "null" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_canonical(table[i][0], false, table[i][1]);
}

static void test_canonical_form(void **state)
{
    (void)state;
    assert_canonical(" { \"b\" : [ 1 , true, null ] , \"a\" : { } } ", false, "{\"a\":{},\"b\":[1,true,null]}");
    assert_canonical("\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"", false,
                     "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
    assert_canonical("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
                     false,
                     "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
                     "\"\xef\xac\xb3\":3}");
    assert_canonical("{\"ab\":1,\"a\":2,\"\":3}", false, "{\"\":3,\"a\":2,\"ab\":1}");
}

static void test_canonical_without_what_is_empty(void **state)
{
    (void)state;
    assert_canonical("{\"a\":\"\",\"b\":[],\"c\":{\"d\":{\"e\":null}},\"f\":false,\"g\":0,\"h\":[\"\",[[]],1]}", true,
                     "{\"f\":false,\"g\":0,\"h\":[1]}");
    assert_canonical("{\"a\":\"\"}", true, "{}");
}

static void test_key(void **state)
{
    unsigned char key[AB_SIGN_KEY_BYTES];
    struct ab_buf bytes = AB_BUF_INIT(64);
    struct ab_buf jwk = AB_BUF_INIT(1024);
    struct ab_json_writer writer;
    struct ab_signer *signer;

    (void)state;
    assert_true(ab_base64url_decode(&bytes, AB_STR("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")));
    memcpy(key, bytes.data, sizeof key);
    key[sizeof key - 1]--; /* the number is one more than the bytes, so that no bytes make zero */
    signer = ab_signer_new(key);
    assert_non_null(signer);
    ab_json_writer_init(&writer, &jwk);
    ab_signer_write_key(signer, &writer);
    assert_string_equal(jwk.data,
                        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
                        "\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"kid\":\"oKIywvGUpTVTyxMQ3"
                        "bwIIeQUudfr_CkLMjCE19ECD-U\",\"alg\":\"ES256\",\"use\":\"sig\"}");
    ab_buf_deinit(&jwk);
    ab_buf_deinit(&bytes);
    ab_signer_free(signer);
}

/* Every 32 bytes are a key, and a signature has one length. */
static void test_any_bytes(void **state)
{
    static const unsigned char fills[] = { 0x00, 0x01, 0x7f, 0xff };

    (void)state;
    for (size_t i = 0; i < sizeof fills; i++) {
        unsigned char key[AB_SIGN_KEY_BYTES];
        struct ab_buf signature = AB_BUF_INIT(256);
        struct ab_signer *signer;

        memset(key, fills[i], sizeof key);
        signer = ab_signer_new(key);
        assert_non_null(signer);
        assert_int_equal(strlen(ab_signer_key_id(signer)), 43);
        assert_int_equal(ab_signer_sign(signer, AB_STR("{}"), AB_STR("payload"), &signature), AB_OK);
        assert_int_equal(signature.size, 86);
        ab_buf_deinit(&signature);
        ab_signer_free(signer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_numbers),
        cmocka_unit_test(test_canonical_form),
        cmocka_unit_test(test_canonical_without_what_is_empty),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
