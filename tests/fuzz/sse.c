/* Server-sent events: the same events however the bytes are cut, and what is written is read again. */
#include "support/fuzz.h"

#include "wire/sse.h"

#include <stdlib.h>

#define MAX_EVENT 200

static void note_event(void *arg, const struct ab_sse_event *event)
{
    struct ab_buf *told = arg;

    ab_buf_printf(told, "%s|%s|", event->event, event->id);
    ab_buf_append_str(told, event->data);
    ab_buf_append_char(told, '\n');
}

static void tell(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    struct ab_sse_reader *reader = ab_sse_reader_new(MAX_EVENT, note_event, told);
    bool good = true;
    char *data;
    size_t size;

    while (good && fuzz_next_piece(pieces, &data, &size)) {
        good = ab_sse_reader_feed(reader, data, size);
        free(data);
    }
    ab_buf_printf(told, good ? "retry %u" : "too long", ab_sse_reader_retry(reader));
    ab_sse_reader_free(reader);
}

/* The text as a reader gets it: each kind of line break is a "\n". */
static void unify_breaks(struct ab_str text, struct ab_buf *out)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\r' && i + 1 < text.size && text.data[i + 1] == '\n')
            continue;
        ab_buf_append_char(out, text.data[i] == '\r' ? '\n' : text.data[i]);
    }
}

static void write_and_read(struct ab_str text)
{
    struct ab_buf wanted = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf written = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf told = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_sse_reader *reader = ab_sse_reader_new(text.size + 64, note_event, &told);

    ab_buf_append_text(&wanted, "name|7|");
    unify_breaks(text, &wanted);
    ab_buf_append_char(&wanted, '\n');
    ab_sse_write(&written, "name", "7", text);
    HOLDS(ab_sse_reader_feed(reader, written.data, written.size));
    HOLDS(ab_str_equal(ab_buf_str(&told), ab_buf_str(&wanted)));
    ab_sse_reader_free(reader);
    ab_buf_deinit(&wanted);
    ab_buf_deinit(&written);
    ab_buf_deinit(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_pieces(fuzz_text(data, size), tell);
    write_and_read(fuzz_text(data, size));
    return 0;
}
