/* How many streams each caller holds open at once, over all faces: each costs memory for as long as it is there. */
#ifndef AB_AUTH_STREAMS_H
#define AB_AUTH_STREAMS_H

#include "agentbridge/types.h"

struct ab_streams;
/* A place taken by one open stream. */
struct ab_stream_place;

/* `per_principal` may be 0 for the default of 20,000. */
AB_MUST struct ab_streams *ab_streams_new(size_t per_principal);
/* When no place is taken any more. NULL is accepted. */
void ab_streams_free(struct ab_streams *streams);
/* A place for one more stream of this caller, or NULL: he has as many as he may. */
AB_MUST struct ab_stream_place *ab_streams_enter(struct ab_streams *streams, const char *principal);
/* The stream is closed. NULL is accepted. */
void ab_stream_leave(struct ab_stream_place *place);
/* Says what is wrong, to the caller who got none; at most `size` bytes. */
void ab_streams_refusal(const struct ab_streams *streams, char *text, size_t size);

#endif
