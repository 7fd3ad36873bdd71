#include "auth/streams.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>

enum { PER_PRINCIPAL = 20000 };

struct ab_streams {
    size_t per_principal;
    struct ab_map callers; /* principal -> struct ab_stream_place */
};

/* All places of one caller are one: it counts them. */
struct ab_stream_place {
    struct ab_streams *streams;
    char *principal;
    size_t open;
};

struct ab_streams *ab_streams_new(size_t per_principal)
{
    struct ab_streams *streams = ab_alloc(1, sizeof *streams);

    streams->per_principal = per_principal > 0 ? per_principal : PER_PRINCIPAL;
    ab_map_init(&streams->callers);
    return streams;
}

void ab_streams_free(struct ab_streams *streams)
{
    if (streams == NULL)
        return;
    ab_map_deinit(&streams->callers);
    free(streams);
}

static struct ab_stream_place *place_of(struct ab_streams *streams, const char *principal)
{
    struct ab_stream_place *place = ab_map_get(&streams->callers, ab_str(principal));

    if (place == NULL) {
        place = ab_alloc(1, sizeof *place);
        place->streams = streams;
        place->principal = ab_strdup(principal);
        (void)ab_map_set(&streams->callers, ab_str(principal), place);
    }
    return place;
}

bool ab_streams_enter(struct ab_streams *streams, const char *principal, struct ab_stream_place **place,
                      char text[AB_STREAMS_TEXT_SIZE])
{
    struct ab_stream_place *found = streams != NULL ? place_of(streams, principal) : NULL;

    *place = NULL;
    if (found != NULL && found->open >= streams->per_principal) {
        (void)snprintf(
            text, AB_STREAMS_TEXT_SIZE,
            "%zu streams of yours are open, which is the limit (limits.streams_per_principal); close one first",
            streams->per_principal);
        return false;
    }
    if (found != NULL)
        found->open++;
    *place = found;
    return true;
}

void ab_stream_leave(struct ab_stream_place *place)
{
    if (place == NULL || --place->open > 0)
        return;
    (void)ab_map_remove(&place->streams->callers, ab_str(place->principal));
    free(place->principal);
    free(place);
}
