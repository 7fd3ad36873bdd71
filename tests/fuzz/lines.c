/* Newline-delimited messages: the same lines however the bytes are cut. */
#include "support/fuzz.h"

#include "wire/lines.h"

#include <stdlib.h>

#define MAX_LINE 40

static enum ab_lines_result draw(struct ab_lines *lines, struct ab_buf *told)
{
    enum ab_lines_result result;
    struct ab_str line;

    while ((result = ab_lines_next(lines, &line)) == AB_LINES_LINE) {
        HOLDS(line.size <= MAX_LINE);
        ab_buf_printf(told, "%llu:", (unsigned long long)lines->number);
        ab_buf_append_str(told, line);
        ab_buf_append_char(told, '\n');
    }
    return result;
}

static void tell(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    enum ab_lines_result result = AB_LINES_NONE;
    struct ab_lines lines;
    struct ab_str line;
    char *data;
    size_t size;

    ab_lines_init(&lines, MAX_LINE);
    while (result != AB_LINES_TOO_LONG && fuzz_next_piece(pieces, &data, &size)) {
        ab_lines_feed(&lines, data, size);
        free(data);
        result = draw(&lines, told);
    }
    if (result != AB_LINES_TOO_LONG && (result = ab_lines_last(&lines, &line)) == AB_LINES_LINE) {
        ab_buf_append_text(told, "rest:");
        ab_buf_append_str(told, line);
    }
    if (result == AB_LINES_TOO_LONG)
        ab_buf_append_text(told, "too long");
    ab_lines_deinit(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_pieces(fuzz_text(data, size), tell);
    return 0;
}
