/* Sealing: what was changed, meant for something else or not ours does not open. */
#include "auth/seal.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char keys[3][AB_SEAL_KEY_BYTES] = { { 1 }, { 2 }, { 3 } };

/* Counts up, so that every run seals the same. */
static void fill(void *context, void *out, size_t size)
{
    unsigned char *next = context;
    unsigned char *bytes = out;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (*next)++;
}

static struct ab_sealer *sealer_of(size_t first, size_t n)
{
    static unsigned char next;

    return ab_sealer_new(keys + first, n, (struct ab_random){ fill, &next });
}

static char *seal(const struct ab_sealer *sealer, const char *purpose, const char *bound, struct ab_str text)
{
    struct ab_buf token = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    assert_int_equal(ab_seal(sealer, purpose, ab_str(bound), text, &token), AB_OK);
    return ab_buf_steal(&token);
}

static bool opens(const struct ab_sealer *sealer, const char *purpose, const char *bound, struct ab_str token,
                  struct ab_str wanted)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good = ab_unseal(sealer, purpose, ab_str(bound), token, &out);

    if (good)
        assert_true(ab_str_equal(ab_buf_str(&out), wanted));
    else
        assert_int_equal(out.size, 0);
    ab_buf_deinit(&out);
    return good;
}

static void comes_back_whole(void **state)
{
    static const char binary[] = "a\0b\xff";
    static const struct ab_str texts[] = {
        { "", 0 }, { "x", 1 }, { binary, sizeof binary }, { "sixteen bytes ok", 16 }
    };
    struct ab_sealer *sealer = sealer_of(0, 1);

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *token = seal(sealer, "p", "b", texts[i]);

        assert_true(opens(sealer, "p", "b", ab_str(token), texts[i]));
        assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                         strlen(token));
        free(token);
    }
    ab_sealer_free(sealer);
}

static void purpose_bound_and_key_must_fit(void **state)
{
    static const struct {
        const char *purpose;
        const char *bound;
        size_t first_key;
        size_t n_keys;
        bool opens;
    } cases[] = {
        { "session", "local", 1, 1, true },  { "session", "local", 0, 2, true }, /* a newer key stands in front */
        { "session", "local", 0, 3, true },  { "session", "local", 0, 1, false }, { "session", "local", 2, 1, false },
        { "state", "local", 1, 1, false },   { "session", "other", 1, 1, false }, { "session", "", 1, 1, false },
        { "", "local", 1, 1, false },        { "sessionlocal", "", 1, 1, false }, { "session", "local2", 1, 1, false },
        { "sessionl", "ocal", 1, 1, false },
    };
    struct ab_sealer *sealer = sealer_of(1, 1);
    char *token = seal(sealer, "session", "local", AB_STR("text"));

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_sealer *other = sealer_of(cases[i].first_key, cases[i].n_keys);

        assert_int_equal(opens(other, cases[i].purpose, cases[i].bound, ab_str(token), AB_STR("text")), cases[i].opens);
        ab_sealer_free(other);
    }
    free(token);
    ab_sealer_free(sealer);
}

static void every_bit_counts(void **state)
{
    struct ab_sealer *sealer = sealer_of(0, 2);
    char *token = seal(sealer, "p", "b", AB_STR("some text"));
    struct ab_buf bytes = AB_BUF_INIT(1024);

    (void)state;
    assert_true(ab_base64url_decode(&bytes, ab_str(token)));
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        struct ab_buf changed = AB_BUF_INIT(1024);

        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << (bit % 8)));
        ab_base64url_encode(&changed, bytes.data, bytes.size);
        assert_false(opens(sealer, "p", "b", ab_buf_str(&changed), AB_STR("")));
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << (bit % 8)));
        ab_buf_deinit(&changed);
    }
    ab_buf_deinit(&bytes);
    free(token);
    ab_sealer_free(sealer);
}

static void pieces_and_rubbish_do_not_open(void **state)
{
    static const char *const rubbish[] = { "", "A", "====", "not base64!",
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    struct ab_sealer *sealer = sealer_of(0, 1);
    struct ab_sealer *keyless = sealer_of(0, 0);
    char *token = seal(sealer, "p", "b", AB_STR("text"));
    char *longer = ab_format("%sAAAA", token);
    struct ab_buf out = AB_BUF_INIT(64);

    (void)state;
    for (size_t size = 0; size < strlen(token); size++)
        assert_false(opens(sealer, "p", "b", (struct ab_str){ token, size }, AB_STR("")));
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++)
        assert_false(opens(sealer, "p", "b", ab_str(rubbish[i]), AB_STR("")));
    assert_false(opens(sealer, "p", "b", ab_str(longer), AB_STR("")));
    assert_false(opens(keyless, "p", "b", ab_str(token), AB_STR("")));
    assert_true(ab_seal(keyless, "p", AB_STR("b"), AB_STR("text"), &out) < 0);
    ab_buf_deinit(&out);
    free(longer);
    free(token);
    ab_sealer_free(keyless);
    ab_sealer_free(sealer);
}

static void the_same_text_never_looks_the_same(void **state)
{
    struct ab_sealer *sealer = sealer_of(0, 1);
    char *one = seal(sealer, "p", "b", AB_STR("text"));
    char *two = seal(sealer, "p", "b", AB_STR("text"));

    (void)state;
    assert_string_not_equal(one, two);
    free(one);
    free(two);
    ab_sealer_free(sealer);
}

static void write_file(const char *path, const void *data, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void a_key_file_is_made_once(void **state)
{
    char folder[] = "/tmp/test_seal.XXXXXX";
    unsigned char one[AB_SEAL_KEY_BYTES];
    unsigned char two[AB_SEAL_KEY_BYTES];
    struct ab_random random = ab_random_system();
    char reason[256] = "";
    struct stat status;
    char *path;
    char *deep;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = ab_format("%s/seal.key", folder);
    deep = ab_format("%s/none/seal.key", folder);
    assert_int_equal(ab_seal_key_file(path, &random, one, reason, sizeof reason), AB_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(ab_seal_key_file(path, &random, two, reason, sizeof reason), AB_OK);
    assert_memory_equal(one, two, sizeof one);

    write_file(path, one, 31, 0600);
    assert_true(ab_seal_key_file(path, &random, two, reason, sizeof reason) < 0);
    assert_non_null(strstr(reason, "32 bytes"));
    write_file(path, one, 32, 0644);
    assert_true(ab_seal_key_file(path, &random, two, reason, sizeof reason) < 0);
    assert_non_null(strstr(reason, "others can read it"));
    assert_true(ab_seal_key_file(deep, &random, two, reason, sizeof reason) < 0);
    assert_non_null(strstr(reason, "No such file"));

    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else was left behind */
    free(path);
    free(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_whole),
        cmocka_unit_test(purpose_bound_and_key_must_fit),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(pieces_and_rubbish_do_not_open),
        cmocka_unit_test(the_same_text_never_looks_the_same),
        cmocka_unit_test(a_key_file_is_made_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
