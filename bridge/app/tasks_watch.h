/* A watched task as it goes on: one line that is written anew on a terminal, plain lines elsewhere. */
#ifndef AB_APP_TASKS_WATCH_H
#define AB_APP_TASKS_WATCH_H

#include "wire/json.h"

#include <stdio.h>

/* Zeroed but for `out`. */
struct ab_tasks_show {
    FILE *out;
    unsigned width; /* of the terminal; 0: it is none, or cannot move its cursor */
    bool drawn;     /* an unfinished line stands there */
};

/* `width` as the system says it. */
void ab_tasks_show_init(struct ab_tasks_show *show, FILE *out);
/* For ab_tasks_client_ask; `arg` is the struct. */
void ab_tasks_show_event(void *arg, struct ab_json event);
/* Its end: `shown` as tasks/show gives it, or no value when that is not known. */
void ab_tasks_show_end(struct ab_tasks_show *show, struct ab_json shown);

#endif
