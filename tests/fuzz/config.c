/* The configuration: any text gives a configuration, or problems that say where. */
#include "support/fuzz.h"

#include "app/config.h"

static void check_whole(const struct ab_config *config)
{
    HOLDS(config->listen != NULL && config->hosts != NULL && config->origins != NULL);
    for (size_t i = 0; i < config->n_agents; i++)
        HOLDS(config->agents[i].settings.id != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_problems problems = { 0 };
    struct ab_buf rendered = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_config config;
    bool good = ab_config_read(&config, fuzz_text(data, size), "/nowhere", NULL, &problems);

    HOLDS(good == (problems.errors == 0));
    if (good) {
        check_whole(&config);
        ab_config_check_programs(&config, true, &problems);
        HOLDS(problems.errors == 0);
    }
    ab_problems_render(&problems, "fuzz.jsonc", &rendered);
    HOLDS(problems.count == 0 || ab_utf8_valid(ab_buf_str(&rendered)));
    ab_buf_deinit(&rendered);
    ab_problems_deinit(&problems);
    ab_config_deinit(&config);
    return 0;
}
