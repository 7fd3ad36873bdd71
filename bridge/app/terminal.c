#include "app/terminal.h"

#include "app/command_line.h"
#include "app/config.h"
#include "base/mem.h"

#include <stdio.h>

int ab_terminal_fail(int code, const char *reason)
{
    (void)fprintf(stderr, "agentbridge: %s\n", reason);
    return code;
}

void ab_terminal_print(struct ab_buf *text)
{
    if (text->size > 0)
        (void)fwrite(text->data, 1, text->size, stdout);
    (void)fflush(stdout);
    ab_buf_deinit(text);
}

int ab_terminal_help(void)
{
    struct ab_buf text = AB_BUF_INIT(16384);

    ab_command_line_help(&text);
    ab_terminal_print(&text);
    return 0;
}

char *ab_terminal_data_directory(const char *path, const char *given)
{
    struct ab_config_overrides overrides = { .data = given };
    struct ab_problems problems = { 0 };
    struct ab_config config;
    char *data = NULL;

    if (given != NULL || path == NULL)
        return ab_strdup(given != NULL ? given : "./agentbridge-data");
    if (ab_config_load(&config, path, &overrides, &problems)) {
        data = ab_strdup(config.data);
    } else {
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        ab_problems_render(&problems, path, &text);
        (void)fwrite(text.data, 1, text.size, stderr);
        ab_buf_deinit(&text);
    }
    ab_problems_deinit(&problems);
    ab_config_deinit(&config);
    return data;
}
