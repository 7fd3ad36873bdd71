/* Loads as serve does, and finds fault with what serve would only warn of. */
#include "app/check.h"

#include "app/config.h"
#include "app/examples.h"
#include "base/mem.h"

#include <stdio.h>

static void print(const struct ab_config *config, const struct ab_problems *problems, const char *path)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_problems_render(problems, path, &text);
    if (problems->errors == 0)
        ab_buf_printf(&text, "%s: good: %zu agent%s\n", path, config->n_agents, config->n_agents == 1 ? "" : "s");
    (void)fwrite(text.data, 1, text.size, stdout);
    ab_buf_deinit(&text);
}

int ab_check_run(const struct ab_command_line *line)
{
    struct ab_problems problems = { 0 };
    struct ab_config config;
    char reason[8192];
    char *path = line->config != NULL ? ab_strdup(line->config) : ab_examples_find(reason, sizeof reason);
    bool good;

    if (path == NULL) {
        (void)fprintf(stderr, "agentbridge: %s\n", reason);
        return 1;
    }
    good = ab_config_load(&config, path, NULL, &problems);
    ab_config_check_programs(&config, false, &problems);
    good = good && problems.errors == 0;
    print(&config, &problems, path);
    ab_config_deinit(&config);
    ab_problems_deinit(&problems);
    free(path);
    return good ? 0 : 1;
}
