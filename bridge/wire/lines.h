/* Newline-delimited messages: bytes cut anywhere in, whole lines out. */
#ifndef AB_WIRE_LINES_H
#define AB_WIRE_LINES_H

#include "base/buf.h"

struct ab_lines {
    struct ab_buf pending;
    size_t start;   /* where in `pending` the next line begins */
    size_t scanned; /* no line break stands before it */
    size_t max_line;
    uint64_t number; /* of the last line given out; the first is 1 */
};

enum ab_lines_result { AB_LINES_NONE, AB_LINES_LINE, AB_LINES_TOO_LONG };

void ab_lines_init(struct ab_lines *lines, size_t max_line);
void ab_lines_deinit(struct ab_lines *lines);
/* Takes bytes in. Lines are then drawn out by ab_lines_next until it gives AB_LINES_NONE. */
void ab_lines_feed(struct ab_lines *lines, const void *data, size_t size);
/* The next line without its "\n" (and a "\r" before it), valid until the next call; empty lines are given out too.
 * AB_LINES_TOO_LONG: the line is over the limit; the reader is then of no more use. */
enum ab_lines_result ab_lines_next(struct ab_lines *lines, struct ab_str *line);
/* What is left without a line break at the end of the input; AB_LINES_NONE when nothing is. */
enum ab_lines_result ab_lines_last(struct ab_lines *lines, struct ab_str *line);

#endif
