/* `agentbridge check`: what is wrong with a configuration, where, and what is allowed. */
#ifndef AB_APP_CHECK_H
#define AB_APP_CHECK_H

#include "app/command_line.h"

/* The exit code: 0 when it can be served, else 1. Problems go to standard output. */
int ab_check_run(const struct ab_command_line *line);

#endif
