/* HTTP/1.1 requests: the same requests and the same refusal however the bytes are cut. */
#include "support/fuzz.h"

#include "base/mem.h"
#include "wire/http1.h"

#define HEADER_BYTES 300
#define BODY_BYTES 60

static void note_message(struct ab_http1_message *message, struct ab_buf *told)
{
    struct ab_str value = AB_STR("-");

    HOLDS(message->body.size <= BODY_BYTES);
    HOLDS(message->chunked || message->body.size == message->content_length);
    HOLDS(message->method.size > 0 && message->path.size > 0);
    (void)ab_http1_header(message, "x-a", &value);
    ab_buf_append_str(told, message->method);
    ab_buf_append_char(told, ' ');
    ab_buf_append_str(told, message->path);
    ab_buf_append_char(told, '?');
    ab_buf_append_str(told, message->query);
    ab_buf_append_str(told, value);
    ab_buf_append_str(told, ab_buf_str(&message->body));
    ab_buf_printf(told, "%d%d%d%d\n", message->chunked, message->expects_continue, message->is_1_0,
                  message->keep_alive);
    ab_http1_message_free(message);
}

static void note_refusal(const struct ab_http1_reader *reader, struct ab_buf *told)
{
    const char *text = NULL;
    unsigned status = ab_http1_refusal(reader, &text);

    HOLDS(status == 400 || status == 413 || status == 431 || status == 505);
    HOLDS(text != NULL && text[0] != '\0');
    ab_buf_printf(told, "%u", status);
}

/* False: refused. */
static bool read_piece(struct ab_http1_reader *reader, struct ab_str piece, struct ab_buf *told)
{
    while (piece.size > 0) {
        enum ab_http1_step step = ab_http1_read(reader, &piece);
        if (step == AB_HTTP1_REFUSED)
            return false;
        if (step == AB_HTTP1_HEAD)
            HOLDS(ab_http1_head(reader) != NULL && ab_http1_is_inside(reader));
        if (step == AB_HTTP1_WHOLE)
            note_message(ab_http1_take(reader), told);
        HOLDS(step != AB_HTTP1_MORE || piece.size == 0);
    }
    return true;
}

static void tell(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    struct ab_http1_reader *reader = ab_http1_reader_new(HEADER_BYTES, BODY_BYTES);
    bool good = true;
    char *data;
    size_t size;

    while (good && fuzz_next_piece(pieces, &data, &size)) {
        good = read_piece(reader, (struct ab_str){ data, size }, told);
        free(data);
    }
    if (good)
        ab_buf_append_text(told, ab_http1_is_inside(reader) ? "inside" : "between");
    else
        note_refusal(reader, told);
    ab_http1_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_pieces(fuzz_text(data, size), tell);
    return 0;
}
