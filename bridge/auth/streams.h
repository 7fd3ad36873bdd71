/* How many streams each caller holds open at once, over all faces: each costs memory for as long as it is there. */
#ifndef AB_AUTH_STREAMS_H
#define AB_AUTH_STREAMS_H

#include "agentbridge/types.h"

/* Room for what ab_streams_enter says. */
#define AB_STREAMS_TEXT_SIZE 160

struct ab_streams;
/* A place taken by one open stream. */
struct ab_stream_place;

/* `per_principal` may be 0 for the default of 20,000. */
AB_MUST struct ab_streams *ab_streams_new(size_t per_principal);
/* When no place is taken any more. NULL is accepted. */
void ab_streams_free(struct ab_streams *streams);
/* A place for one more stream of this caller. False: he has as many as he may; `text` says so to him. `streams` NULL:
 * it is not counted, and `*place` is NULL. */
AB_MUST bool ab_streams_enter(struct ab_streams *streams, const char *principal, struct ab_stream_place **place,
                              char text[AB_STREAMS_TEXT_SIZE]);
/* The stream is closed. NULL is accepted. */
void ab_stream_leave(struct ab_stream_place *place);

#endif
