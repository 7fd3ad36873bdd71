/* Addresses to post to: what a receiver's name is, and which are refused before anything is connected to. */
#include "base/mem.h"
#include "base/str.h"
#include "wire/receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void same_host_and_port_are_one_receiver(void **state)
{
    static const char *const cases[][2] = {
        { "https://Example.com/hook?a=1", "https://example.com:443" },
        { "HTTP://example.com", "http://example.com:80" },
        { "http://example.com:8080/", "http://example.com:8080" },
        { "https://example.com?x", "https://example.com:443" },
        { "https://8.8.8.8/x", "https://8.8.8.8:443" },
        { "https://[2001:4860:4860::8888]:8443/", "https://[2001:4860:4860::8888]:8443" },
    };
    char receiver[AB_RECEIVER_SIZE];
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!ab_receiver_read(cases[i][0], NULL, receiver, reason, sizeof reason))
            fail_msg("%s: %s", cases[i][0], reason);
        assert_string_equal(receiver, cases[i][1]);
    }
}

static void refuses(const char *url, const char *words)
{
    char receiver[AB_RECEIVER_SIZE];
    char reason[256] = "";

    if (ab_receiver_read(url, NULL, receiver, reason, sizeof reason))
        fail_msg("%s is taken", url);
    if (strstr(reason, words) == NULL)
        fail_msg("%s: \"%s\" says nothing of \"%s\"", url, reason, words);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const cases[][2] = {
        { "", "must begin with" },
        { "ftp://example.com/", "must begin with" },
        { "file:///etc/passwd", "must begin with" },
        { "example.com/hook", "must begin with" },
        { "https://", "like https://host" },
        { "https:///path", "like https://host" },
        { "https://example.com:0x50/", "like https://host" },
        { "https://example.com:99999/", "like https://host" },
        { "https://user:secret@example.com/", "user" },
        { "https://example.com/#part", "fragment" },
        { "https://example.com/a b", "encoded" },
        { "https://example.com/a\r\nX: y", "encoded" },
        { "https://good.example\\@evil.example/", "encoded" },
        { "https://ex\xc3\xa4mple.com/", "encoded" },
        { "https://[::1", "like https://host" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(cases[i][0], cases[i][1]);
}

static void the_secret_of_a_url_is_in_no_reason(void **state)
{
    char receiver[AB_RECEIVER_SIZE];
    char reason[256] = "";

    (void)state;
    assert_false(ab_receiver_read("https://user:hunter2@example.com/", NULL, receiver, reason, sizeof reason));
    assert_null(strstr(reason, "hunter2"));
}

static void too_long_is_refused(void **state)
{
    char url[AB_RECEIVER_URL_BYTES + 20];

    (void)state;
    memset(url, 'a', sizeof url - 1);
    memcpy(url, "https://example.com/", 20);
    url[sizeof url - 1] = '\0';
    refuses(url, "longer");
}

static void addresses_are_judged_at_once(void **state)
{
    static const char *const forbidden[] = {
        "http://127.0.0.1:8000/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://localhost/",
        "http://LOCALHOST",
        "http://hooks.localhost:1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "http://0/",
    };
    struct ab_guard_network loopback;
    const struct ab_guard guard = { .networks = &loopback, .n_networks = 1 };
    char receiver[AB_RECEIVER_SIZE];
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        refuses(forbidden[i], "outbound.allow");
    refuses("http://8.8.8.8/", "plain http");
    refuses("http://[2001:4860:4860::8888]/", "plain http");
    assert_true(ab_guard_network_parse(AB_STR("127.0.0.0/8"), &loopback));
    assert_true(ab_receiver_read("http://127.0.0.1:8000/", &guard, receiver, reason, sizeof reason));
    assert_true(ab_receiver_read("http://localhost/", &guard, receiver, reason, sizeof reason));
    assert_false(ab_receiver_read("http://10.0.0.1/", &guard, receiver, reason, sizeof reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_host_and_port_are_one_receiver), cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(the_secret_of_a_url_is_in_no_reason), cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(addresses_are_judged_at_once),
    };

    return cmocka_run_group_tests_name("addresses to post to", tests, NULL, NULL);
}
