/* Server-sent events (WHATWG HTML, "Server-sent events"), both directions. */
#ifndef AB_WIRE_SSE_H
#define AB_WIRE_SSE_H

#include "base/buf.h"

/* Writes one event. `event` and `id` may be NULL; `data` may hold line breaks (each line gets its own field). */
void ab_sse_write(struct ab_buf *out, const char *event, const char *id, struct ab_str data);
/* A comment: shows those in between that the stream lives. */
#define AB_SSE_KEEP_ALIVE ": still here\n\n"
/* "retry: <ms>" */
void ab_sse_write_retry(struct ab_buf *out, uint32_t milliseconds);

/* One event read; borrowed during the call. `event` is "message" when none was named; `id` is the last id seen. */
struct ab_sse_event {
    const char *event;
    const char *id;
    struct ab_str data;
};
typedef void (*ab_sse_event_fn)(void *arg, const struct ab_sse_event *event);

struct ab_sse_reader;
/* `max_event` bounds one event's bytes. */
AB_MUST struct ab_sse_reader *ab_sse_reader_new(size_t max_event, ab_sse_event_fn each, void *arg);
void ab_sse_reader_free(struct ab_sse_reader *reader);
/* Bytes as they come, cut anywhere. False when an event is over the limit; the reader is then of no more use. */
AB_MUST bool ab_sse_reader_feed(struct ab_sse_reader *reader, const void *data, size_t size);
/* The last "retry" field in ms, or 0. */
uint32_t ab_sse_reader_retry(const struct ab_sse_reader *reader);

#endif
