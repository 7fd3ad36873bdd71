/* The command line. */
#ifndef AB_APP_COMMAND_LINE_H
#define AB_APP_COMMAND_LINE_H

#include "base/buf.h"
#include "base/log.h"

enum ab_command {
    AB_COMMAND_HELP,
    AB_COMMAND_VERSION,
    AB_COMMAND_SERVE,
    AB_COMMAND_CHECK,
    AB_COMMAND_TASKS,
    AB_COMMAND_WEBHOOKS
};

/* The texts are those of argv; NULL where not given. */
struct ab_command_line {
    enum ab_command command;
    const char *config;
    const char *listen;
    const char *data;
    bool has_log_level;
    enum ab_log_level log_level;
    bool hints; /* say how to connect even when stdout is no terminal */
};

/* The words behind "tasks" and "webhooks" are left to app/tasks_line.h and app/webhooks_line.h. False when it is wrong;
 * `reason` (at least 256 bytes) is one line that says what would be right. */
AB_MUST bool ab_command_line_read(int argc, const char *const *argv, struct ab_command_line *out, char *reason,
                                  size_t reason_size);
/* The text of --help. */
void ab_command_line_help(struct ab_buf *out);

#endif
