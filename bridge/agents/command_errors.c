/* The stderr of an agent: log reports while it runs, and the reason when it fails. It is free text from a program
 * that may be in trouble, so everything about it is bounded: a line's length, lines a second, bytes in all. What is
 * beyond is counted and left out; it never ends the task. */
#include "agents/command_run.h"
#include "base/mem.h"

#include <string.h>

enum { LINE_BYTES = 4096, TAIL_BYTES = 2048, LINES_A_SECOND = 50, ALL_BYTES = 1 << 20, MICROSECONDS = 1000000 };

void command_errors_init(struct command_errors *errors)
{
    /* A buffer refuses an append that does not fit as a whole; these are fed in pieces that do. */
    ab_buf_init(&errors->line, LINE_BYTES);
    ab_buf_init(&errors->tail, (size_t)2 * TAIL_BYTES);
}

void command_errors_deinit(struct command_errors *errors)
{
    ab_buf_deinit(&errors->line);
    ab_buf_deinit(&errors->tail);
}

/* --- lines --- */

static void report_log(struct command_run *run, const char *level, const char *text)
{
    struct ab_report report = { .kind = AB_REPORT_LOG, .level = level, .text = text };
    run->errors.reported += strlen(text);
    command_report(run, &report);
}

static bool may_report(struct command_run *run, size_t size)
{
    struct command_errors *errors = &run->errors;
    int64_t now = ab_clock_monotonic_us(&run->agent->loop->clock);
    if (now - errors->window_us >= MICROSECONDS) {
        errors->window_us = now;
        errors->in_window = 0;
    }
    if (errors->in_window >= LINES_A_SECOND || errors->reported + size > ALL_BYTES) {
        return false;
    }
    errors->in_window++;
    return true;
}

static void report_left_out(struct command_run *run)
{
    if (run->errors.left_out > 0) {
        AB_CLEANUP(ab_free_string) char *text = ab_format("%lu lines of stderr left out", run->errors.left_out);
        run->errors.left_out = 0;
        report_log(run, "notice", text);
    }
}

static void end_line(struct command_run *run)
{
    struct command_errors *errors = &run->errors;
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    (void)command_text_clean(&clean, ab_buf_str(&errors->line), true);
    if (ab_str_trim(ab_buf_str(&clean)).size > 0 && !run->over) {
        if (may_report(run, clean.size)) {
            report_left_out(run);
            report_log(run, "info", clean.data);
        } else {
            errors->left_out++;
        }
    }
    ab_buf_deinit(&clean);
    ab_buf_clear(&errors->line);
}

/* A carriage return ends a line too: progress bars write over themselves with it. */
static size_t line_length(struct ab_str data)
{
    size_t length = 0;
    while (length < data.size && data.data[length] != '\n' && data.data[length] != '\r') {
        length++;
    }
    return length;
}

static void feed_lines(struct command_run *run, struct ab_str data)
{
    struct ab_buf *line = &run->errors.line;
    while (data.size > 0) {
        size_t length = line_length(data);
        size_t room = LINE_BYTES - line->size;
        ab_buf_append(line, data.data, length < room ? length : room); /* the rest of a longer line is left out */
        if (length < data.size) {
            end_line(run);
            length++;
        }
        data.data += length;
        data.size -= length;
    }
}

/* --- the tail --- */

static void feed_tail(struct ab_buf *tail, struct ab_str data)
{
    if (data.size > TAIL_BYTES) {
        data.data += data.size - TAIL_BYTES;
        data.size = TAIL_BYTES;
    }
    if (tail->size + data.size > (size_t)2 * TAIL_BYTES) {
        ab_buf_consume(tail, tail->size > TAIL_BYTES ? tail->size - TAIL_BYTES : 0);
    }
    ab_buf_append_str(tail, data);
}

static struct ab_str trim(struct ab_str text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL) {
        text.data++;
        text.size--;
    }
    return text;
}

char *command_errors_tail(const struct command_errors *errors)
{
    struct ab_str tail = ab_buf_str(&errors->tail);
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (tail.size > TAIL_BYTES) {
        tail.data += tail.size - TAIL_BYTES;
        tail.size = TAIL_BYTES;
        while (tail.size > 0 && ((unsigned char)tail.data[0] & 0xC0U) == 0x80U) {
            tail.data++;
            tail.size--;
        }
    }
    (void)command_text_clean(&clean, tail, true);
    struct ab_str trimmed = trim(ab_buf_str(&clean));
    char *text = ab_strndup(trimmed.size > 0 ? trimmed.data : "", trimmed.size);
    ab_buf_deinit(&clean);
    return text;
}

/* --- from the process --- */

void command_errors_output(struct command_run *run, struct ab_str data)
{
    feed_tail(&run->errors.tail, data);
    if (!run->over) {
        feed_lines(run, data);
    }
}

void command_errors_output_end(struct command_run *run)
{
    end_line(run);
    if (!run->over) {
        report_left_out(run);
    }
}
