#include "base/map.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/str.h"

#include <pthread.h>
#include <string.h>

/* Open addressing with linear probing; removed entries leave a tombstone until the next growth. */
struct ab_map_slot {
    char *key; /* NULL: never used; the tombstone: removed */
    size_t size;
    uint64_t hash;
    void *value;
};

static char tombstone[1];

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    struct ab_random random = ab_random_system();

    ab_random_fill(&random, &seed, sizeof(seed));
}

/* FNV-1a from a secret start, then mixed, so that neither the low bits nor chosen keys collide on purpose. */
static uint64_t hash_of(struct ab_str key)
{
    uint64_t hash;

    pthread_once(&seed_once, make_seed);
    hash = seed ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * 0x100000001b3u + (seed >> 32);
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

void ab_map_init(struct ab_map *map)
{
    *map = (struct ab_map){ 0 };
}

static bool is_live(const struct ab_map_slot *slot)
{
    return slot->key != NULL && slot->key != tombstone;
}

void ab_map_deinit(struct ab_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        if (is_live(&map->slots[i]))
            free(map->slots[i].key);
    free(map->slots);
    ab_map_init(map);
}

static struct ab_map_slot *find(const struct ab_map *map, struct ab_str key, uint64_t hash)
{
    if (map->capacity == 0)
        return NULL;
    for (size_t i = hash & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1)) {
        struct ab_map_slot *slot = &map->slots[i];
        if (slot->key == NULL)
            return NULL;
        if (slot->key != tombstone && slot->hash == hash && ab_str_equal(key, (struct ab_str){ slot->key, slot->size }))
            return slot;
    }
}

static struct ab_map_slot *free_slot(struct ab_map_slot *slots, size_t capacity, uint64_t hash)
{
    size_t i = hash & (capacity - 1);

    while (slots[i].key != NULL)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static void make_room(struct ab_map *map)
{
    size_t capacity = 16;
    struct ab_map_slot *slots;

    if ((map->used + 1) * 4 <= map->capacity * 3)
        return;
    while (capacity < (map->count + 1) * 2)
        capacity *= 2;
    slots = ab_alloc(capacity, sizeof(*slots));
    for (size_t i = 0; i < map->capacity; i++)
        if (is_live(&map->slots[i]))
            *free_slot(slots, capacity, map->slots[i].hash) = map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    map->used = map->count;
}

void *ab_map_get(const struct ab_map *map, struct ab_str key)
{
    struct ab_map_slot *slot = find(map, key, hash_of(key));

    return slot != NULL ? slot->value : NULL;
}

void *ab_map_set(struct ab_map *map, struct ab_str key, void *value)
{
    uint64_t hash = hash_of(key);
    struct ab_map_slot *slot = find(map, key, hash);
    void *before = NULL;

    if (slot != NULL) {
        before = slot->value;
        slot->value = value;
        return before;
    }
    make_room(map);
    slot = free_slot(map->slots, map->capacity, hash);
    *slot = (struct ab_map_slot){ ab_strndup(key.data != NULL ? key.data : "", key.size), key.size, hash, value };
    map->count++;
    map->used++;
    return NULL;
}

void *ab_map_remove(struct ab_map *map, struct ab_str key)
{
    struct ab_map_slot *slot = find(map, key, hash_of(key));
    void *value;

    if (slot == NULL)
        return NULL;
    value = slot->value;
    free(slot->key);
    slot->key = tombstone;
    slot->value = NULL;
    map->count--;
    return value;
}

bool ab_map_next(const struct ab_map *map, size_t *position, struct ab_str *key, void **value)
{
    for (; *position < map->capacity; (*position)++) {
        const struct ab_map_slot *slot = &map->slots[*position];
        if (!is_live(slot))
            continue;
        if (key != NULL)
            *key = (struct ab_str){ slot->key, slot->size };
        *value = slot->value;
        (*position)++;
        return true;
    }
    return false;
}
