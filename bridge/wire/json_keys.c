/* Finding keys that stand twice, without growing slow for an object of a hundred thousand keys. */
#include "wire/json_keys.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/json_text.h"

#include <string.h>

#define MANY 16

void json_keys_init(struct json_keys *keys)
{
    keys->keys = keys->first;
    keys->count = 0;
    keys->capacity = JSON_KEYS_INLINE;
}

void json_keys_deinit(struct json_keys *keys)
{
    if (keys->keys != keys->first) {
        free(keys->keys);
    }
}

static struct json_key *push(struct json_keys *keys, struct ab_str inside, bool escaped)
{
    if (keys->count == keys->capacity) {
        size_t size = keys->capacity * sizeof(*keys->keys);
        if (keys->keys == keys->first) {
            keys->keys = ab_realloc(NULL, size * 2);
            memcpy(keys->keys, keys->first, size);
        } else {
            keys->keys = ab_realloc(keys->keys, size * 2);
        }
        keys->capacity *= 2;
    }
    struct json_key *key = &keys->keys[keys->count++];
    *key = (struct json_key){ .inside = inside, .escaped = escaped };
    return key;
}

static bool same_key(const struct json_key *left, const struct json_key *right)
{
    if (!left->escaped && !right->escaped) {
        return ab_str_equal(left->inside, right->inside);
    }
    return json_same_inside(left->inside, right->inside);
}

static uint64_t hash_key(struct ab_hash_seed seed, const struct json_key *key)
{
    if (!key->escaped) {
        return ab_hash(seed, key->inside);
    }
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct json_pieces pieces = json_pieces(key->inside);
    struct ab_str piece;
    while (json_next_piece(&pieces, &piece)) {
        ab_buf_append_str(&text, piece);
    }
    uint64_t hash = ab_hash(seed, ab_buf_str(&text));
    ab_buf_deinit(&text);
    return hash;
}

/* Puts the key at `place` (relative to the set) into the table; false when an equal one is there. */
static bool table_add(const struct json_keys *keys, struct json_key_set *set, size_t place)
{
    const struct json_key *own = &keys->keys[set->first];
    for (size_t at = own[place].hash & (set->capacity - 1);; at = (at + 1) & (set->capacity - 1)) {
        if (set->table[at] == 0) {
            set->table[at] = (uint32_t)place + 1;
            return true;
        }
        const struct json_key *other = &own[set->table[at] - 1];
        if (other->hash == own[place].hash && same_key(other, &own[place])) {
            return false;
        }
    }
}

/* A table with room for twice as many keys; those before `count` are known to differ. */
static void table_grow(struct json_keys *keys, struct json_key_set *set, size_t count)
{
    struct ab_hash_seed seed = ab_hash_seed_process();
    bool first_table = set->table == NULL;
    free(set->table);
    set->capacity = set->capacity == 0 ? (size_t)MANY * 4 : set->capacity * 2;
    set->table = ab_alloc(set->capacity, sizeof(*set->table));
    for (size_t i = 0; i < count; i++) {
        struct json_key *key = &keys->keys[set->first + i];
        if (first_table) {
            key->hash = hash_key(seed, key);
        }
        size_t at = key->hash & (set->capacity - 1);
        while (set->table[at] != 0) {
            at = (at + 1) & (set->capacity - 1);
        }
        set->table[at] = (uint32_t)i + 1;
    }
}

void json_key_set_begin(struct json_keys *keys, struct json_key_set *set)
{
    *set = (struct json_key_set){ .first = keys->count };
}

bool json_key_set_add(struct json_keys *keys, struct json_key_set *set, struct ab_str inside, bool escaped)
{
    size_t count = keys->count - set->first;
    struct json_key *key = push(keys, inside, escaped);
    if (count < MANY) {
        for (const struct json_key *other = &keys->keys[set->first]; other < key; other++) {
            if (same_key(other, key)) {
                return false;
            }
        }
        return true;
    }
    if ((count + 1) * 2 > set->capacity) {
        table_grow(keys, set, count);
    }
    key->hash = hash_key(ab_hash_seed_process(), key);
    return table_add(keys, set, count);
}

void json_key_set_end(struct json_keys *keys, struct json_key_set *set)
{
    keys->count = set->first;
    free(set->table);
    set->table = NULL;
}
