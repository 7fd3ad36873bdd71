/* Server-sent events: writing, and reading bytes that are cut anywhere. */
#include "wire/sse.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

/* --- writing --- */

/* How many bytes there are before a line break. */
static size_t line_size(struct ab_str text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '\n' && text.data[size] != '\r') {
        size++;
    }
    return size;
}

/* One field; what follows a line break is left off, so that a value never forges another field. */
static void write_field(struct ab_buf *out, const char *name, struct ab_str value)
{
    ab_buf_append_text(out, name);
    ab_buf_append_text(out, ": ");
    ab_buf_append(out, value.data, line_size(value));
    ab_buf_append_char(out, '\n');
}

static void write_data(struct ab_buf *out, struct ab_str data)
{
    for (;;) {
        size_t size = line_size(data);
        write_field(out, "data", data);
        if (size == data.size) {
            return;
        }
        size += data.data[size] == '\r' && size + 1 < data.size && data.data[size + 1] == '\n' ? 2 : 1;
        data.data += size;
        data.size -= size;
    }
}

void ab_sse_write(struct ab_buf *out, const char *event, const char *id, struct ab_str data)
{
    if (event != NULL) {
        write_field(out, "event", ab_str(event));
    }
    if (id != NULL) {
        write_field(out, "id", ab_str(id));
    }
    write_data(out, data);
    ab_buf_append_char(out, '\n');
}

void ab_sse_write_retry(struct ab_buf *out, uint32_t milliseconds)
{
    ab_buf_printf(out, "retry: %u\n\n", milliseconds);
}

/* --- reading --- */

struct ab_sse_reader {
    ab_sse_event_fn each;
    void *arg;
    size_t max_event;
    struct ab_buf line;  /* of which the break has not come yet */
    struct ab_buf data;  /* of the event so far, each line with a "\n" behind it */
    struct ab_buf event; /* its name */
    char *id;
    uint32_t retry;
    bool began;        /* the first line, which may carry a byte order mark, is over */
    bool after_return; /* a "\n" that comes next belongs to the "\r" before it */
    bool broken;
};

struct ab_sse_reader *ab_sse_reader_new(size_t max_event, ab_sse_event_fn each, void *arg)
{
    struct ab_sse_reader *reader = ab_alloc(1, sizeof(*reader));
    reader->each = each;
    reader->arg = arg;
    reader->max_event = max_event;
    reader->line = AB_BUF_INIT(max_event + sizeof("data: "));
    reader->data = AB_BUF_INIT(max_event + 1);
    reader->event = AB_BUF_INIT(max_event);
    reader->id = ab_strdup("");
    return reader;
}

void ab_sse_reader_free(struct ab_sse_reader *reader)
{
    if (reader != NULL) {
        ab_buf_deinit(&reader->line);
        ab_buf_deinit(&reader->data);
        ab_buf_deinit(&reader->event);
        free(reader->id);
        free(reader);
    }
}

uint32_t ab_sse_reader_retry(const struct ab_sse_reader *reader)
{
    return reader->retry;
}

/* An empty line ends an event; one without data is none. */
static void give_event(struct ab_sse_reader *reader)
{
    if (reader->data.size > 0) {
        struct ab_str data = { reader->data.data, reader->data.size - 1 };
        reader->data.data[data.size] = '\0';
        const struct ab_sse_event event = {
            .event = reader->event.size > 0 ? reader->event.data : "message",
            .id = reader->id,
            .data = data,
        };
        reader->each(reader->arg, &event);
    }
    ab_buf_clear(&reader->data);
    ab_buf_clear(&reader->event);
}

static void take_field(struct ab_sse_reader *reader, struct ab_str name, struct ab_str value)
{
    if (ab_str_is(name, "data")) {
        ab_buf_append_str(&reader->data, value);
        ab_buf_append_char(&reader->data, '\n');
    } else if (ab_str_is(name, "event")) {
        ab_buf_clear(&reader->event);
        ab_buf_append_str(&reader->event, value);
    } else if (ab_str_is(name, "id")) {
        if (value.size == 0 || memchr(value.data, '\0', value.size) == NULL) {
            free(reader->id);
            reader->id = ab_strndup(value.size == 0 ? "" : value.data, value.size);
        }
    } else if (ab_str_is(name, "retry")) {
        uint64_t milliseconds;
        if (ab_str_to_uint(value, UINT32_MAX, &milliseconds)) {
            reader->retry = (uint32_t)milliseconds;
        }
    }
}

static void take_line(struct ab_sse_reader *reader)
{
    struct ab_str line = ab_buf_str(&reader->line);
    if (!reader->began && ab_str_starts(line, "\xef\xbb\xbf")) {
        line.data += 3;
        line.size -= 3;
    }
    reader->began = true;
    if (line.size == 0) {
        give_event(reader);
    } else {
        const char *colon = memchr(line.data, ':', line.size);
        size_t name_size = colon == NULL ? line.size : (size_t)(colon - line.data);
        struct ab_str value = { line.data + name_size, line.size - name_size };
        size_t skipped = value.size == 0 ? 0 : value.size > 1 && value.data[1] == ' ' ? 2 : 1;
        take_field(reader, (struct ab_str){ line.data, name_size },
                   (struct ab_str){ value.data + skipped, value.size - skipped });
    }
    ab_buf_clear(&reader->line);
}

bool ab_sse_reader_feed(struct ab_sse_reader *reader, const void *data, size_t size)
{
    struct ab_str rest = { data, size };
    if (rest.size > 0 && reader->after_return) {
        size_t skipped = rest.data[0] == '\n' ? 1 : 0;
        rest = (struct ab_str){ rest.data + skipped, rest.size - skipped };
        reader->after_return = false;
    }
    while (rest.size > 0 && !reader->broken) {
        size_t part = line_size(rest);
        ab_buf_append(&reader->line, rest.data, part);
        bool whole = part < rest.size;
        if (whole) {
            bool with_return = rest.data[part++] == '\r';
            reader->after_return = with_return && part == rest.size;
            part += with_return && part < rest.size && rest.data[part] == '\n' ? 1 : 0;
        }
        reader->broken = reader->line.full;
        if (whole && !reader->broken) {
            take_line(reader);
            reader->broken = reader->data.full || reader->event.full;
        }
        rest.data += part;
        rest.size -= part;
    }
    return !reader->broken;
}
