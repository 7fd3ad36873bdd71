/* Reads the command line and does what it says. */
#include "app/check.h"
#include "app/command_line.h"
#include "app/serve.h"
#include "app/tasks_command.h"
#include "app/webhooks_command.h"

#include <stdio.h>

static int help(void)
{
    struct ab_buf text = AB_BUF_INIT(16384);

    ab_command_line_help(&text);
    (void)fwrite(text.data, 1, text.size, stdout);
    ab_buf_deinit(&text);
    return 0;
}

int main(int argc, char **argv)
{
    struct ab_command_line line;
    char reason[512];

    if (!ab_command_line_read(argc, (const char *const *)argv, &line, reason, sizeof reason)) {
        (void)fprintf(stderr, "agentbridge: %s\n", reason);
        return 2;
    }
    switch (line.command) {
    case AB_COMMAND_HELP:
        return help();
    case AB_COMMAND_VERSION:
        (void)puts("agentbridge " AB_VERSION);
        return 0;
    case AB_COMMAND_CHECK:
        return ab_check_run(&line);
    case AB_COMMAND_SERVE:
        return ab_serve_run(&line);
    case AB_COMMAND_TASKS:
        return ab_tasks_command_run(argc - 2, (const char *const *)argv + 2);
    case AB_COMMAND_WEBHOOKS:
        return ab_webhooks_command_run(argc - 2, (const char *const *)argv + 2);
    }
    return 2;
}
