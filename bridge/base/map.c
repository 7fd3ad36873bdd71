/* Open addressing with linear probing. A removed entry leaves a mark, so that iteration may remove as it goes. */
#include "base/map.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define SMALLEST_CAPACITY 8

struct ab_map_slot {
    char *key; /* NULL: never used, or removed */
    size_t size;
    uint64_t hash;
    void *value;
    bool removed;
};

void ab_map_init(struct ab_map *map)
{
    *map = (struct ab_map){ 0 };
}

void ab_map_deinit(struct ab_map *map)
{
    for (size_t i = 0; i < map->capacity; i++) {
        free(map->slots[i].key);
    }
    free(map->slots);
    ab_map_init(map);
}

static uint64_t hash_of(struct ab_str key)
{
    return ab_hash(ab_hash_seed_process(), key);
}

static bool slot_holds(const struct ab_map_slot *slot, uint64_t hash, struct ab_str key)
{
    return slot->key != NULL && slot->hash == hash && slot->size == key.size &&
           (key.size == 0 || memcmp(slot->key, key.data, key.size) == 0);
}

/* The slot that holds the key, or NULL. */
static struct ab_map_slot *find(const struct ab_map *map, uint64_t hash, struct ab_str key)
{
    if (map->count == 0) {
        return NULL;
    }
    for (size_t at = hash & (map->capacity - 1);; at = (at + 1) & (map->capacity - 1)) {
        struct ab_map_slot *slot = &map->slots[at];
        if (slot_holds(slot, hash, key)) {
            return slot;
        }
        if (slot->key == NULL && !slot->removed) {
            return NULL;
        }
    }
}

/* The first slot for a key that is not in the map. */
static struct ab_map_slot *find_room(const struct ab_map *map, uint64_t hash)
{
    size_t at = hash & (map->capacity - 1);
    while (map->slots[at].key != NULL) {
        at = (at + 1) & (map->capacity - 1);
    }
    return &map->slots[at];
}

/* Keeps at most three quarters used; marks of removed entries vanish on the way. */
static void make_room(struct ab_map *map)
{
    if (map->capacity > 0 && (map->used + 1) * 4 <= map->capacity * 3) {
        return;
    }
    struct ab_map old = *map;
    map->capacity = SMALLEST_CAPACITY;
    while ((map->count + 1) * 2 > map->capacity) {
        map->capacity *= 2;
    }
    map->slots = ab_alloc(map->capacity, sizeof(*map->slots));
    map->used = map->count;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].key != NULL) {
            *find_room(map, old.slots[i].hash) = old.slots[i];
        }
    }
    free(old.slots);
}

void *ab_map_get(const struct ab_map *map, struct ab_str key)
{
    struct ab_map_slot *slot = map->count == 0 ? NULL : find(map, hash_of(key), key);
    return slot == NULL ? NULL : slot->value;
}

void *ab_map_set(struct ab_map *map, struct ab_str key, void *value)
{
    uint64_t hash = hash_of(key);
    struct ab_map_slot *slot = find(map, hash, key);
    if (slot != NULL) {
        void *before = slot->value;
        slot->value = value;
        return before;
    }
    make_room(map);
    slot = find_room(map, hash);
    map->used += slot->removed ? 0 : 1;
    map->count++;
    *slot = (struct ab_map_slot){
        .key = ab_strndup(key.size == 0 ? "" : key.data, key.size), .size = key.size, .hash = hash, .value = value
    };
    return NULL;
}

void *ab_map_remove(struct ab_map *map, struct ab_str key)
{
    struct ab_map_slot *slot = map->count == 0 ? NULL : find(map, hash_of(key), key);
    if (slot == NULL) {
        return NULL;
    }
    void *value = slot->value;
    free(slot->key);
    *slot = (struct ab_map_slot){ .removed = true };
    map->count--;
    return value;
}

bool ab_map_next(const struct ab_map *map, size_t *position, struct ab_str *key, void **value)
{
    while (*position < map->capacity) {
        const struct ab_map_slot *slot = &map->slots[(*position)++];
        if (slot->key == NULL) {
            continue;
        }
        if (key != NULL) {
            *key = (struct ab_str){ slot->key, slot->size };
        }
        if (value != NULL) {
            *value = slot->value;
        }
        return true;
    }
    return false;
}
