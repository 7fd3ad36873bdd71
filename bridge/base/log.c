/* One line for each thing worth telling, written with one call so that lines of several threads do not mix. */
#include "base/log.h"

#include "base/escape.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Values beyond are cut off: a log line is for a person. */
#define MAX_VALUE 2048
/* The four pairs of the head, each byte escaped by six, fit in any case. */
#define MAX_LINE (16 * 1024)

static const char *const level_names[] = { "debug", "info", "warning", "error" };
#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

bool ab_log_level_parse(const char *name, enum ab_log_level *out)
{
    for (size_t i = 0; name != NULL && i < LEVEL_COUNT; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum ab_log_level)i;
            return true;
        }
    }
    return false;
}

void ab_log_init(struct ab_log *log, enum ab_log_level level)
{
    *log = (struct ab_log){
        .level = level, .json = isatty(STDERR_FILENO) == 0, .fd = STDERR_FILENO, .clock = ab_clock_system()
    };
}

/* Cut off between characters, unless it is no text anyway. */
static struct ab_str shortened(const char *value)
{
    struct ab_str slice = ab_str(value);
    if (slice.size > MAX_VALUE) {
        slice.size = MAX_VALUE;
        size_t whole = ab_utf8_valid_prefix(slice);
        slice.size = whole > MAX_VALUE - 4 ? whole : MAX_VALUE;
    }
    return slice;
}

static void add_json_pair(struct ab_buf *line, const char *name, const char *value)
{
    ab_buf_append_text(line, line->size == 0 ? "{\"" : ",\"");
    ab_buf_append_text(line, name);
    ab_buf_append_text(line, "\":\"");
    ab_escape_json(line, shortened(value));
    ab_buf_append_char(line, '"');
}

/* A word stands as it is, anything else in quotes: a value never forges another pair or line. */
static bool is_word(const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f || *at == '"' || *at == '=' || *at == '\\') {
            return false;
        }
    }
    return *value != '\0';
}

static void add_text_pair(struct ab_buf *line, const char *name, const char *value)
{
    const char *quote = is_word(value) ? "" : "\"";
    ab_buf_append_char(line, ' ');
    ab_buf_append_text(line, name);
    ab_buf_append_char(line, '=');
    ab_buf_append_text(line, quote);
    ab_escape_json(line, shortened(value));
    ab_buf_append_text(line, quote);
}

static void add_head(struct ab_buf *line, const struct ab_log *log, const char *level, const char *room,
                     const char *message)
{
    char time[AB_TIME_TEXT_SIZE];
    ab_time_format(ab_clock_wall_ms(&log->clock), time);
    if (log->json) {
        add_json_pair(line, "time", time);
        add_json_pair(line, "level", level);
        add_json_pair(line, "room", room);
        add_json_pair(line, "message", message);
    } else {
        ab_buf_printf(line, "%s %-7s %s: ", time, level, room);
        ab_escape_json(line, shortened(message));
    }
}

/* A pair that does not fit is left out whole: half of one would break the line's form. */
static void add_pair(struct ab_buf *line, bool json, const char *name, const char *value)
{
    size_t before = line->size;
    if (json) {
        add_json_pair(line, name, value);
    } else {
        add_text_pair(line, name, value);
    }
    if (line->full) {
        line->size = before;
        line->full = false;
    }
}

static void write_all(int fd, struct ab_str text)
{
    while (text.size > 0) {
        ssize_t written = write(fd, text.data, text.size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return; /* nobody left to tell */
        }
        text.data += written;
        text.size -= (size_t)written;
    }
}

void ab_log(const struct ab_log *log, enum ab_log_level level, const char *room, const char *message, ...)
{
    if (log == NULL || level < log->level || (size_t)level >= LEVEL_COUNT) {
        return;
    }
    int saved_errno = errno;
    struct ab_buf line = AB_BUF_INIT(MAX_LINE);
    add_head(&line, log, level_names[level], room, message);

    va_list pairs;
    va_start(pairs, message);
    for (const char *name = va_arg(pairs, const char *); name != NULL; name = va_arg(pairs, const char *)) {
        const char *value = va_arg(pairs, const char *);
        if (value != NULL) {
            add_pair(&line, log->json, name, value);
        }
    }
    va_end(pairs);
    line.maximum += 2;
    ab_buf_append_text(&line, log->json ? "}\n" : "\n");
    write_all(log->fd, ab_buf_str(&line));
    ab_buf_deinit(&line);
    errno = saved_errno;
}
