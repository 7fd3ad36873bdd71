/* Growable bytes with a maximum. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SMALLEST_CAPACITY 64

void ab_buf_init(struct ab_buf *buf, size_t maximum)
{
    *buf = AB_BUF_INIT(maximum);
}

void ab_buf_deinit(struct ab_buf *buf)
{
    free(buf->data);
    *buf = AB_BUF_INIT(buf->maximum);
}

void ab_buf_wipe(struct ab_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->capacity);
    }
    ab_buf_deinit(buf);
}

void ab_buf_clear(struct ab_buf *buf)
{
    buf->size = 0;
    buf->full = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

/* The maximum leaves room for the NUL and for doubling without overflow. */
static size_t effective_maximum(const struct ab_buf *buf)
{
    return buf->maximum < AB_BUF_UNBOUNDED ? buf->maximum : AB_BUF_UNBOUNDED;
}

static char *make_room(struct ab_buf *buf, size_t size)
{
    size_t maximum = effective_maximum(buf);
    if (buf->full || buf->size > maximum || size > maximum - buf->size) {
        buf->full = true;
        return NULL;
    }
    size_t needed = buf->size + size + 1;
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity < SMALLEST_CAPACITY ? SMALLEST_CAPACITY : buf->capacity * 2;
        if (capacity > maximum + 1) {
            capacity = maximum + 1;
        }
        buf->capacity = capacity < needed ? needed : capacity;
        buf->data = ab_realloc(buf->data, buf->capacity);
        buf->data[buf->size] = '\0';
    }
    return buf->data + buf->size;
}

/* The capacity is never more than the maximum allows. */
static inline char *room_for(struct ab_buf *buf, size_t size)
{
    bool has_room = !buf->full && size < buf->capacity - buf->size;
    return has_room ? buf->data + buf->size : make_room(buf, size);
}

char *ab_buf_reserve(struct ab_buf *buf, size_t size)
{
    return room_for(buf, size);
}

void ab_buf_grew(struct ab_buf *buf, size_t size)
{
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void ab_buf_append(struct ab_buf *buf, const void *data, size_t size)
{
    char *room = room_for(buf, size);
    if (room != NULL && size > 0) {
        memcpy(room, data, size);
        ab_buf_grew(buf, size);
    }
}

void ab_buf_append_str(struct ab_buf *buf, struct ab_str slice)
{
    ab_buf_append(buf, slice.data, slice.size);
}

void ab_buf_append_text(struct ab_buf *buf, const char *text)
{
    ab_buf_append(buf, text, strlen(text));
}

void ab_buf_append_char(struct ab_buf *buf, char character)
{
    char *room = room_for(buf, 1);
    if (room != NULL) {
        *room = character;
        ab_buf_grew(buf, 1);
    }
}

void ab_buf_printf(struct ab_buf *buf, const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (size < 0) {
        buf->full = true;
        return;
    }
    if ((size_t)size < sizeof(small)) {
        ab_buf_append(buf, small, (size_t)size);
        return;
    }
    char *room = ab_buf_reserve(buf, (size_t)size);
    if (room != NULL) {
        va_start(arguments, format);
        vsnprintf(room, (size_t)size + 1, format, arguments);
        va_end(arguments);
        ab_buf_grew(buf, (size_t)size);
    }
}

void ab_buf_consume(struct ab_buf *buf, size_t size)
{
    if (size == 0) {
        return;
    }
    if (size >= buf->size) {
        buf->size = 0;
    } else {
        buf->size -= size;
        memmove(buf->data, buf->data + size, buf->size);
    }
    if (buf->data != NULL) {
        buf->data[buf->size] = '\0';
    }
}

struct ab_str ab_buf_str(const struct ab_buf *buf)
{
    return (struct ab_str){ buf->data, buf->size };
}

char *ab_buf_steal(struct ab_buf *buf)
{
    char *data = buf->data == NULL ? ab_strdup("") : buf->data;
    *buf = AB_BUF_INIT(buf->maximum);
    return data;
}
