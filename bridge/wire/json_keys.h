/* The keys of the objects that are open while a text is checked, to find those that stand twice; shared by the files
 * of wire/json.h, nobody else includes it. */
#ifndef AB_WIRE_JSON_KEYS_H
#define AB_WIRE_JSON_KEYS_H

#include "base/hash.h"
#include "base/str.h"

struct json_key {
    struct ab_str inside; /* between the quotes, as it is spelled */
    bool escaped;
    uint64_t hash; /* only once its object has a table */
};

#define JSON_KEYS_INLINE 32

/* One stack for all open objects: an inner object's keys stand above those of the outer one and go when it ends. */
struct json_keys {
    struct json_key *keys;
    size_t count;
    size_t capacity;
    struct json_key first[JSON_KEYS_INLINE]; /* spares small texts the heap */
};

/* One open object's part of the stack. A few keys are compared one by one, many through a table. */
struct json_key_set {
    size_t first;
    uint32_t *table; /* NULL while there are few; else place in the stack, relative to `first`, plus 1; 0: free */
    size_t capacity; /* a power of two */
};

void json_keys_init(struct json_keys *keys);
void json_keys_deinit(struct json_keys *keys);
void json_key_set_begin(struct json_keys *keys, struct json_key_set *set);
/* False when the object has this key already. */
bool json_key_set_add(struct json_keys *keys, struct json_key_set *set, struct ab_str inside, bool escaped);
/* The object has ended. */
void json_key_set_end(struct json_keys *keys, struct json_key_set *set);

#endif
