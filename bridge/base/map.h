/* A hash map from strings to pointers. Keys are copied; values are the caller's. Hashing is seeded per process, so a
 * peer who chooses keys cannot make it slow. */
#ifndef AB_BASE_MAP_H
#define AB_BASE_MAP_H

#include "agentbridge/types.h"

struct ab_map_slot;
struct ab_map {
    struct ab_map_slot *slots;
    size_t capacity;
    size_t count;
    size_t used; /* slots that hold or once held an entry */
};

void ab_map_init(struct ab_map *map);
/* Frees the map's own memory, not the values. May be repeated. */
void ab_map_deinit(struct ab_map *map);
/* The value, or NULL. */
void *ab_map_get(const struct ab_map *map, struct ab_str key);
/* Sets and returns the value that stood there before, or NULL. `value` must not be NULL. */
void *ab_map_set(struct ab_map *map, struct ab_str key, void *value);
/* Removes and returns the value, or NULL. */
void *ab_map_remove(struct ab_map *map, struct ab_str key);
/* Iteration in no particular order: start with *position = 0; false at the end. Entries may be removed meanwhile,
 * none added. `key` may be NULL; it is valid until the entry is removed. */
bool ab_map_next(const struct ab_map *map, size_t *position, struct ab_str *key, void **value);

#endif
