/* The one way to log: a line each, text for a terminal, JSON for machines. Never give it a secret. */
#ifndef AB_BASE_LOG_H
#define AB_BASE_LOG_H

#include "base/clock.h"

enum ab_log_level { AB_LOG_DEBUG, AB_LOG_INFO, AB_LOG_WARNING, AB_LOG_ERROR, AB_LOG_NONE };

struct ab_log {
    enum ab_log_level level; /* below it nothing is written */
    bool json;
    int fd;
    struct ab_clock clock;
};

/* "debug", "info", "warning", "error"; false for anything else. */
AB_MUST bool ab_log_level_parse(const char *name, enum ab_log_level *out);
/* Standard error, JSON unless it is a terminal. */
void ab_log_init(struct ab_log *log, enum ab_log_level level);
/* One line: `room` is the module ("store"), `message` a fixed sentence, then pairs of `const char *` name and value,
 * ended by NULL; a NULL value leaves its pair out. Thread-safe. `log` may be NULL: nothing is written.
 *   ab_log(log, AB_LOG_INFO, "task", "task finished", "task", id, "status", name, NULL); */
__attribute__((sentinel)) void ab_log(const struct ab_log *log, enum ab_log_level level, const char *room,
                                      const char *message, ...);

#endif
