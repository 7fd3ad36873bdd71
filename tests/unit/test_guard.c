/* Which addresses callers may have connected to, and what the operator adds. */
#include "wire/guard.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool allows(const struct ab_guard *guard, const char *text)
{
    unsigned char address[16];

    if (inet_pton(AF_INET, text, address) == 1)
        return ab_guard_allows(guard, address, 4);
    assert_int_equal(inet_pton(AF_INET6, text, address), 1);
    return ab_guard_allows(guard, address, 16);
}

static void public_addresses_pass(void **state)
{
    static const char *const cases[] = {
        "1.1.1.1",          "8.8.8.8",     "9.255.255.255",   "11.0.0.0",         "100.63.255.255",
        "100.128.0.0",      "126.0.0.1",   "128.0.0.1",       "169.253.0.1",      "169.255.0.1",
        "172.15.255.255",   "172.32.0.0",  "192.0.1.1",       "192.167.0.1",      "192.169.0.1",
        "198.17.0.1",       "198.20.0.1",  "223.255.255.255", "2600:1406::1",     "2001:4860:4860::8888",
        "2a00:1450:4001::", "2001:200::1", "::ffff:8.8.8.8",  "64:ff9b::808:808", "2002:808:808::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!allows(NULL, cases[i]))
            fail_msg("%s is refused", cases[i]);
    }
}

static void others_do_not(void **state)
{
    static const char *const cases[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (allows(NULL, cases[i]))
            fail_msg("%s is allowed", cases[i]);
    }
}

static void what_the_operator_allows(void **state)
{
    static const struct {
        const char *network;
        const char *inside[4];
        const char *outside[3];
    } cases[] = {
        { "10.1.2.0/24", { "10.1.2.0", "10.1.2.255", "::ffff:10.1.2.3", "64:ff9b::a01:203" }, { "10.1.3.0", "::1" } },
        { "127.0.0.1", { "127.0.0.1", "::ffff:127.0.0.1" }, { "127.0.0.2", "::1" } },
        { "::1", { "::1" }, { "127.0.0.1", "::2" } },
        { "fd00:1::/33", { "fd00:1:7fff::1" }, { "fd00:1:8000::1", "10.0.0.1" } },
        { "0.0.0.0/0", { "127.0.0.1", "255.255.255.255", "2002:7f00:1::1" }, { "::1", "fd00::1" } },
        { "::/0", { "127.0.0.1", "::1", "fe80::1" }, { NULL } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_guard_network network;
        struct ab_guard guard = { .networks = &network, .n_networks = 1 };
        assert_true(ab_guard_network_parse(ab_str(cases[i].network), &network));
        for (int k = 0; k < 4 && cases[i].inside[k] != NULL; k++) {
            if (!allows(&guard, cases[i].inside[k]))
                fail_msg("%s: %s is refused", cases[i].network, cases[i].inside[k]);
        }
        for (int k = 0; k < 3 && cases[i].outside[k] != NULL; k++) {
            if (allows(&guard, cases[i].outside[k]))
                fail_msg("%s: %s is allowed", cases[i].network, cases[i].outside[k]);
        }
    }
}

static void nothing_but_what_is_listed(void **state)
{
    struct ab_guard_network network;
    const struct ab_guard guard = { .networks = &network, .n_networks = 1, .listed_only = true };

    (void)state;
    assert_true(ab_guard_network_parse(AB_STR("10.0.0.0/8"), &network));
    assert_true(allows(&guard, "10.1.2.3"));
    assert_true(allows(&guard, "::ffff:10.1.2.3"));
    assert_false(allows(&guard, "8.8.8.8"));
    assert_false(allows(&guard, "2001:4860:4860::8888"));
    assert_false(allows(&guard, "127.0.0.1"));
}

static void what_is_no_network(void **state)
{
    static const char *const cases[] = {
        "",          "/",          "10.0.0.0/",  "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", " 10.0.0.0/8",
        "10.0.0/8",  "10.1.0.0/8", "fd00::/129", "fd00::1/64",  "localhost",   "[::1]",       "10.0.0.0/8/8",
        "010.0.0.1", "::1%lo",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ab_guard_network network;
        if (ab_guard_network_parse(ab_str(cases[i]), &network))
            fail_msg("\"%s\" is taken", cases[i]);
    }
}

static void an_address_of_another_size_is_refused(void **state)
{
    static const unsigned char bytes[16] = { 8, 8, 8, 8 };

    (void)state;
    assert_false(ab_guard_allows(NULL, bytes, 0));
    assert_false(ab_guard_allows(NULL, bytes, 6));
    assert_true(ab_guard_allows(NULL, bytes, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_pass),    cmocka_unit_test(others_do_not),
        cmocka_unit_test(what_the_operator_allows), cmocka_unit_test(nothing_but_what_is_listed),
        cmocka_unit_test(what_is_no_network),       cmocka_unit_test(an_address_of_another_size_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
