/* Lines out of a stream of bytes. What was given out is dropped only when more comes in, so that many short lines cost
 * no more than one long one. */
#include "wire/lines.h"

#include <string.h>

void ab_lines_init(struct ab_lines *lines, size_t max_line)
{
    *lines = (struct ab_lines){ .pending = AB_BUF_INIT(AB_BUF_UNBOUNDED), .max_line = max_line };
}

void ab_lines_deinit(struct ab_lines *lines)
{
    ab_buf_deinit(&lines->pending);
    lines->start = 0;
    lines->scanned = 0;
}

void ab_lines_feed(struct ab_lines *lines, const void *data, size_t size)
{
    ab_buf_consume(&lines->pending, lines->start);
    lines->scanned -= lines->start;
    lines->start = 0;
    ab_buf_append(&lines->pending, data, size);
}

static struct ab_str without_return(struct ab_str line)
{
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    return line;
}

enum ab_lines_result ab_lines_next(struct ab_lines *lines, struct ab_str *line)
{
    if (lines->pending.size == lines->scanned) {
        return lines->scanned - lines->start > lines->max_line + 1 ? AB_LINES_TOO_LONG : AB_LINES_NONE;
    }
    const char *unseen = lines->pending.data + lines->scanned;
    const char *found = memchr(unseen, '\n', lines->pending.size - lines->scanned);
    size_t end = found == NULL ? lines->pending.size : (size_t)(found - lines->pending.data);
    struct ab_str whole = { lines->pending.data + lines->start, end - lines->start };
    if (found == NULL) {
        lines->scanned = end;
        /* One byte more may be the "\r" of a line that is just short enough. */
        return whole.size > lines->max_line + 1 ? AB_LINES_TOO_LONG : AB_LINES_NONE;
    }
    whole = without_return(whole);
    if (whole.size > lines->max_line) {
        return AB_LINES_TOO_LONG;
    }
    lines->start = end + 1;
    lines->scanned = lines->start;
    lines->number++;
    *line = whole;
    return AB_LINES_LINE;
}

enum ab_lines_result ab_lines_last(struct ab_lines *lines, struct ab_str *line)
{
    struct ab_str rest = { lines->pending.data, lines->pending.size - lines->start };
    if (rest.size == 0) {
        return AB_LINES_NONE;
    }
    rest.data += lines->start;
    lines->start = lines->pending.size;
    lines->scanned = lines->start;
    rest = without_return(rest);
    if (rest.size > lines->max_line) {
        return AB_LINES_TOO_LONG;
    }
    lines->number++;
    *line = rest;
    return AB_LINES_LINE;
}
