/* Tasks as a person reads them on a terminal. What agents and callers wrote never reaches it as a control sequence. */
#ifndef AB_APP_TASKS_TEXT_H
#define AB_APP_TASKS_TEXT_H

#include "wire/json.h"

/* A JSON string's characters with control characters as blanks; line breaks and tabs too unless `lines`. At most
 * `maximum` characters (0: all), then "...". Nothing for anything but a string. */
void ab_tasks_text_words(struct ab_json string, size_t maximum, bool lines, struct ab_buf *out);
/* "2026-07-28T09:30:00.125Z" as "2026-07-28 09:30:00". */
void ab_tasks_text_time(struct ab_json time, struct ab_buf *out);
/* Blanks up to the column, at least one. */
void ab_tasks_text_pad(struct ab_buf *out, size_t from, size_t width);
/* The heading of a list, and a line of it. */
void ab_tasks_text_heading(struct ab_buf *out);
void ab_tasks_text_row(struct ab_json task, struct ab_buf *out);
/* All of one task, as tasks/show gives it. */
void ab_tasks_text_task(struct ab_json shown, struct ab_buf *out);
/* How it ended, and its result. */
void ab_tasks_text_end(struct ab_json task, struct ab_buf *out);
/* One event in one line, without a line break; nothing for one that says nothing by itself. `dated`: with its time. */
void ab_tasks_text_event(struct ab_json event, bool dated, struct ab_buf *out);

#endif
