/* `agentbridge serve`: the composition root. Everything is built here, in order, and taken down in reverse. */
#ifndef AB_APP_SERVE_H
#define AB_APP_SERVE_H

#include "app/command_line.h"

/* Runs until a signal ends it. The exit code: 0; 1: it could not run; 2: the configuration is wrong. */
int ab_serve_run(const struct ab_command_line *line);

#endif
