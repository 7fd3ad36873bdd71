/* Maps and lists. */
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void setting_and_getting(void **state)
{
    (void)state;
    int one = 1;
    int two = 2;
    struct ab_map map;
    ab_map_init(&map);
    assert_null(ab_map_get(&map, AB_STR("a")));
    assert_null(ab_map_remove(&map, AB_STR("a")));
    assert_null(ab_map_set(&map, AB_STR("a"), &one));
    assert_null(ab_map_set(&map, AB_STR(""), &two));
    assert_null(ab_map_set(&map, AB_STR("nul\0x"), &two));
    assert_null(ab_map_get(&map, AB_STR("nul")));
    assert_ptr_equal(ab_map_get(&map, AB_STR("nul\0x")), &two);
    assert_ptr_equal(ab_map_set(&map, AB_STR("a"), &two), &one);
    assert_ptr_equal(ab_map_get(&map, AB_STR("a")), &two);
    assert_ptr_equal(ab_map_get(&map, ab_str(NULL)), &two);
    assert_int_equal(map.count, 3);
    assert_ptr_equal(ab_map_remove(&map, AB_STR("a")), &two);
    assert_null(ab_map_get(&map, AB_STR("a")));
    ab_map_deinit(&map);
    ab_map_deinit(&map);
}

static struct ab_str key_of(char *text, size_t size, unsigned i)
{
    return (struct ab_str){ text, (size_t)snprintf(text, size, "key-%u", i) };
}

static void many_keys(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static int values[COUNT];
    char text[32];
    struct ab_map map;
    ab_map_init(&map);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_null(ab_map_set(&map, key_of(text, sizeof(text), i), &values[i]));
    }
    for (unsigned i = 0; i < COUNT; i += 2) {
        assert_ptr_equal(ab_map_remove(&map, key_of(text, sizeof(text), i)), &values[i]);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_ptr_equal(ab_map_get(&map, key_of(text, sizeof(text), i)), i % 2 == 0 ? NULL : &values[i]);
    }
    assert_int_equal(map.count, COUNT / 2);
    ab_map_deinit(&map);
}

static void coming_and_going_does_not_grow_it(void **state)
{
    (void)state;
    int value = 0;
    char text[32];
    struct ab_map map;
    ab_map_init(&map);
    for (unsigned i = 0; i < 100000; i++) {
        ab_map_set(&map, key_of(text, sizeof(text), i), &value);
        if (i >= 10) {
            assert_ptr_equal(ab_map_remove(&map, key_of(text, sizeof(text), i - 10)), &value);
        }
    }
    assert_int_equal(map.count, 10);
    assert_true(map.capacity <= 64);
    ab_map_deinit(&map);
}

static void removing_while_iterating(void **state)
{
    (void)state;
    static int values[100];
    char text[32];
    struct ab_map map;
    ab_map_init(&map);
    for (unsigned i = 0; i < 100; i++) {
        ab_map_set(&map, key_of(text, sizeof(text), i), &values[i]);
    }
    size_t position = 0;
    size_t seen = 0;
    struct ab_str key;
    void *value;
    while (ab_map_next(&map, &position, &key, &value)) {
        int *found = value;
        assert_int_equal(*found, 0);
        *found = 1;
        seen++;
        assert_ptr_equal(ab_map_remove(&map, key), value);
    }
    assert_int_equal(seen, 100);
    assert_int_equal(map.count, 0);
    ab_map_deinit(&map);
}

static void hash_sees_every_byte(void **state)
{
    (void)state;
    /* What matters: it depends on every byte, on the length and on the seed. */
    const struct ab_hash_seed seed = { 1, 2 };
    const struct ab_hash_seed other = { 1, 3 };
    char data[64] = { 0 };
    for (size_t size = 0; size < sizeof(data); size++) {
        uint64_t plain = ab_hash(seed, (struct ab_str){ data, size });
        assert_true(plain != ab_hash(other, (struct ab_str){ data, size }));
        assert_true(plain != ab_hash(seed, (struct ab_str){ data, size + 1 }));
        for (size_t i = 0; i < size; i++) {
            data[i] = 1;
            assert_true(plain != ab_hash(seed, (struct ab_str){ data, size }));
            data[i] = 0;
        }
    }
}

struct item {
    int number;
    struct ab_link link;
};

static void lists(void **state)
{
    (void)state;
    struct ab_list list, other;
    ab_list_init(&list);
    ab_list_init(&other);
    struct item items[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
    assert_true(ab_list_is_empty(&list));
    assert_null(ab_list_first(&list));
    ab_link_remove(&items[0].link); /* in no list: left alone */
    for (size_t i = 0; i < 2; i++) {
        ab_list_append(&list, &items[i].link);
        ab_list_append(&other, &items[i + 2].link);
    }
    ab_list_take(&list, &other);
    ab_list_take(&list, &other);
    assert_true(ab_list_is_empty(&other));
    int expected = 0;
    for (struct ab_link *link = ab_list_first(&list); link != NULL; link = ab_list_next(&list, link)) {
        assert_int_equal(AB_OWNER(link, struct item, link)->number, expected++);
    }
    assert_int_equal(expected, 4);
    ab_link_remove(&items[1].link);
    assert_false(ab_link_is_linked(&items[1].link));
    assert_true(ab_link_is_linked(&items[2].link));
    assert_ptr_equal(ab_list_next(&list, &items[0].link), &items[2].link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_and_getting),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(coming_and_going_does_not_grow_it),
        cmocka_unit_test(removing_while_iterating),
        cmocka_unit_test(hash_sees_every_byte),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
