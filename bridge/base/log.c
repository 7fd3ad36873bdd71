#include "base/log.h"

#include "base/buf.h"
#include "base/str.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* One line is one write of at most this size, so that lines of two threads do not mix. */
#define LINE_BYTES 8192

static const char *const level_names[] = { "debug", "info", "warning", "error" };

bool ab_log_level_parse(const char *name, enum ab_log_level *out)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum ab_log_level)i;
            return true;
        }
    return false;
}

void ab_log_init(struct ab_log *log, enum ab_log_level level)
{
    log->level = level;
    log->fd = STDERR_FILENO;
    log->json = isatty(STDERR_FILENO) == 0;
    log->clock = ab_clock_system();
}

/* base knows no JSON: these few escapes are all a log line needs. */
static void write_quoted(struct ab_buf *line, const char *text)
{
    struct ab_str rest = ab_str(text);

    ab_buf_append_char(line, '"');
    while (rest.size > 0) {
        unsigned char c = (unsigned char)rest.data[0];
        size_t n = c < 0x80 ? 1 : ab_utf8_valid_prefix((struct ab_str){ rest.data, rest.size < 4 ? rest.size : 4 });
        if (c == '"' || c == '\\')
            ab_buf_printf(line, "\\%c", c);
        else if (c < 0x20)
            ab_buf_printf(line, "\\u%04x", c);
        else if (n == 0)
            ab_buf_append_text(line, "\\ufffd");
        else
            ab_buf_append(line, rest.data, n);
        n = n > 0 ? n : 1;
        rest.data += n;
        rest.size -= n;
    }
    ab_buf_append_char(line, '"');
}

static void write_field(struct ab_buf *line, bool json, const char *name, const char *value)
{
    if (json)
        ab_buf_printf(line, ",\"%s\":", name);
    else
        ab_buf_printf(line, " %s=", name);
    if (json || value[strcspn(value, " \"\\\n\t=")] != '\0' || value[0] == '\0')
        write_quoted(line, value);
    else
        ab_buf_append_text(line, value);
}

static void write_head(struct ab_buf *line, const struct ab_log *log, enum ab_log_level level, const char *room,
                       const char *message)
{
    char time[AB_TIME_TEXT_SIZE];

    ab_time_format(ab_clock_wall_ms(&log->clock), time);
    if (!log->json) {
        ab_buf_printf(line, "%s %-7s %s: %s", time, level_names[level], room, message);
        return;
    }
    ab_buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"room\":\"%s\",\"message\":", time, level_names[level],
                  room);
    write_quoted(line, message);
}

void ab_log(const struct ab_log *log, enum ab_log_level level, const char *room, const char *message, ...)
{
    struct ab_buf line = AB_BUF_INIT(LINE_BYTES);
    const char *name;
    va_list fields;

    if (log == NULL || level < log->level || level >= AB_LOG_NONE)
        return;
    write_head(&line, log, level, room, message);
    va_start(fields, message);
    while ((name = va_arg(fields, const char *)) != NULL) {
        const char *value = va_arg(fields, const char *);
        size_t before = line.size;
        if (value == NULL)
            continue;
        write_field(&line, log->json, name, value);
        if (line.full) { /* a field that does not fit is left out whole */
            line.full = false;
            line.size = before;
        }
    }
    va_end(fields);
    line.maximum += 2;
    ab_buf_append_text(&line, log->json ? "}\n" : "\n");
    (void)!write(log->fd, line.data, line.size);
    ab_buf_deinit(&line);
}
