#include "app/tasks_watch.h"

#include "app/tasks_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NARROW 20

void ab_tasks_show_init(struct ab_tasks_show *show, FILE *out)
{
    const char *terminal = getenv("TERM");
    struct winsize size = { 0 };

    *show = (struct ab_tasks_show){ .out = out };
    if (isatty(fileno(out)) != 1 || terminal == NULL || strcmp(terminal, "dumb") == 0)
        return;
    show->width = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROW ? size.ws_col : 80;
}

static void clear(struct ab_tasks_show *show)
{
    if (show->drawn)
        (void)fputs("\r\033[K", show->out);
    show->drawn = false;
}

/* What stays to be read: it scrolls by also on a terminal. */
static bool is_lasting(struct ab_json kind)
{
    return ab_json_string_is(kind, "log") || ab_json_string_is(kind, "question") ||
           ab_json_string_is(kind, "artifact") || ab_json_string_is(kind, "answer");
}

/* Cuts the text to what fits before the line would wrap. */
static size_t fitting(struct ab_str text, unsigned width)
{
    size_t at = 0;

    for (unsigned n = 1; n < width && at < text.size; n++) {
        size_t size = ab_utf8_character((struct ab_str){ text.data + at, text.size - at });
        at += size > 0 ? size : 1;
    }
    return at;
}

void ab_tasks_show_event(void *arg, struct ab_json event)
{
    struct ab_tasks_show *show = arg;
    struct ab_json kind = ab_json_member(event, "kind");
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    /* Pieces of the answer stand whole in the result. */
    if (show->width == 0 && ab_json_string_is(kind, "chunk"))
        return;
    ab_tasks_text_event(event, show->width == 0, &text);
    clear(show);
    if (show->width == 0 || is_lasting(kind)) {
        (void)fprintf(show->out, "%s\n", text.data != NULL ? text.data : "");
    } else {
        (void)fwrite(text.data, 1, fitting(ab_buf_str(&text), show->width), show->out);
        show->drawn = true;
    }
    (void)fflush(show->out);
    ab_buf_deinit(&text);
}

void ab_tasks_show_end(struct ab_tasks_show *show, struct ab_json shown)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    clear(show);
    if (ab_json_exists(shown))
        ab_tasks_text_end(ab_json_member(shown, "task"), &text);
    if (text.size > 0)
        (void)fwrite(text.data, 1, text.size, show->out);
    (void)fflush(show->out);
    ab_buf_deinit(&text);
}
