/* A growable buffer of bytes with a maximum. Once an append does not fit, the buffer is `full`: it keeps what it had,
 * refuses everything that follows, and the caller asks once at the end. Always NUL-terminated behind `size`. */
#ifndef AB_BASE_BUF_H
#define AB_BASE_BUF_H

#include "agentbridge/types.h"

struct ab_buf {
    char *data; /* NULL until the first append */
    size_t size;
    size_t capacity;
    size_t maximum;
    bool full;
};

/* For buffers whose content is bounded by something already checked. */
#define AB_BUF_UNBOUNDED ((size_t)1 << 40)
#define AB_BUF_INIT(maximum_bytes) ((struct ab_buf){ .maximum = (maximum_bytes) })

void ab_buf_init(struct ab_buf *buf, size_t maximum);
/* Frees the bytes; the buffer may be used again with the same maximum. */
void ab_buf_deinit(struct ab_buf *buf);
/* The same for a secret: its bytes are overwritten first. */
void ab_buf_wipe(struct ab_buf *buf);
/* size = 0 and not full; keeps the memory. */
void ab_buf_clear(struct ab_buf *buf);
void ab_buf_append(struct ab_buf *buf, const void *data, size_t size);
void ab_buf_append_str(struct ab_buf *buf, struct ab_str slice);
void ab_buf_append_text(struct ab_buf *buf, const char *text);
void ab_buf_append_char(struct ab_buf *buf, char character);
AB_PRINTF(2, 3) void ab_buf_printf(struct ab_buf *buf, const char *format, ...);
/* Room for `size` more bytes, to be filled in place and then counted by ab_buf_grew; NULL when full. */
AB_MUST char *ab_buf_reserve(struct ab_buf *buf, size_t size);
void ab_buf_grew(struct ab_buf *buf, size_t size);
/* Drops bytes at the front. */
void ab_buf_consume(struct ab_buf *buf, size_t size);
struct ab_str ab_buf_str(const struct ab_buf *buf);
/* Hands the bytes over as a NUL-terminated string (never NULL) that the caller frees; the buffer is empty again. */
AB_MUST char *ab_buf_steal(struct ab_buf *buf);

#endif
