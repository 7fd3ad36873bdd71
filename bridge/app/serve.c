/* From the configuration to a running bridge, what the signals do to it, and its end. */
#include "app/serve.h"

#include "app/bridge.h"
#include "app/examples.h"
#include "app/hints.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct serve {
    const struct ab_command_line *line;
    char *path;
    struct ab_config config;
    struct ab_bridge bridge;
};

static void on_end(void *arg)
{
    struct serve *serve = arg;

    if (ab_bridge_end(&serve->bridge))
        return;
    /* Somebody insists while a program takes its time to die. What was acknowledged is on disk. */
    ab_log(&serve->bridge.log, AB_LOG_WARNING, "app", "ended before all agents were", NULL);
    _exit(1);
}

/* --- reload --- */

static void log_problems(const struct ab_log *log, const struct ab_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        ab_log(log, problems->items[i].warning ? AB_LOG_WARNING : AB_LOG_ERROR, "app", "configuration", "problem",
               problems->items[i].text, NULL);
}

static bool load(const struct serve *serve, struct ab_config *config, struct ab_problems *problems)
{
    bool built_in = serve->line->config == NULL;
    struct ab_config_overrides overrides = {
        .listen = serve->line->listen,
        .data = serve->line->data != NULL ? serve->line->data
                : built_in                ? "./agentbridge-data"
                                          : NULL,
    };
    bool good = ab_config_load(config, serve->path, &overrides, problems);

    ab_config_check_programs(config, true, problems);
    return good;
}

static void on_reload(void *arg)
{
    struct serve *serve = arg;
    struct ab_log *log = &serve->bridge.log;
    struct ab_problems problems = { 0 };
    struct ab_config fresh;
    bool good = load(serve, &fresh, &problems);

    log_problems(log, &problems);
    if (!good) {
        ab_log(log, AB_LOG_ERROR, "app", "reload: the configuration is wrong, nothing was changed", NULL);
    } else {
        if (!serve->line->has_log_level)
            log->level = fresh.log_level;
        ab_log(log, AB_LOG_INFO, "app", "reload: the log level was taken over; other changes need a restart", NULL);
    }
    ab_config_deinit(&fresh);
    ab_problems_deinit(&problems);
}

/* --- the beginning --- */

/* Every stream, agent and connection takes a descriptor. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int fail(int code, const char *reason)
{
    (void)fprintf(stderr, "agentbridge: %s\n", reason);
    return code;
}

static int refuse(const struct serve *serve, const struct ab_problems *problems)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_problems_render(problems, serve->path, &text);
    (void)fwrite(text.data, 1, text.size, stderr);
    ab_buf_deinit(&text);
    return 2;
}

static void say_where(const struct serve *serve)
{
    const char *address = ab_httpd_address(serve->bridge.httpd);
    struct ab_buf text = AB_BUF_INIT(65536);
    char *url =
        serve->config.public_url != NULL ? ab_strdup(serve->config.public_url) : ab_format("http://%s", address);
    size_t size = strlen(url);

    if (size > 0 && url[size - 1] == '/')
        url[size - 1] = '\0';
    ab_buf_printf(&text, "listening on http://%s\n", address);
    if (serve->line->hints || isatty(STDOUT_FILENO) == 1)
        ab_hints_write(&text, url);
    (void)fwrite(text.data, 1, text.size, stdout);
    (void)fflush(stdout);
    ab_buf_deinit(&text);
    free(url);
}

static bool watch_signals(struct serve *serve)
{
    struct ab_loop_uv *loop = serve->bridge.loop;

    return ab_loop_uv_on_signal(loop, SIGTERM, on_end, serve) == AB_OK &&
           ab_loop_uv_on_signal(loop, SIGINT, on_end, serve) == AB_OK &&
           ab_loop_uv_on_signal(loop, SIGHUP, on_reload, serve) == AB_OK;
}

static int give_up(struct serve *serve, const char *reason)
{
    ab_bridge_give_up(&serve->bridge);
    return fail(1, reason);
}

static int run(struct serve *serve)
{
    char reason[2048] = "";

    if (!ab_bridge_build(&serve->bridge, &serve->config, reason, sizeof reason))
        return give_up(serve, reason);
    if (!watch_signals(serve))
        return give_up(serve, "the system lets no signals be watched");
    say_where(serve);
    ab_loop_uv_run(serve->bridge.loop);
    ab_log(&serve->bridge.log, AB_LOG_INFO, "app", "ended", NULL);
    return 0;
}

static int serve_path(struct serve *serve)
{
    struct ab_problems problems = { 0 };
    int code;

    if (!load(serve, &serve->config, &problems)) {
        code = refuse(serve, &problems);
    } else {
        ab_log_init(&serve->bridge.log, serve->line->has_log_level ? serve->line->log_level : serve->config.log_level);
        log_problems(&serve->bridge.log, &problems);
        code = run(serve);
        ab_bridge_free(&serve->bridge);
    }
    ab_problems_deinit(&problems);
    ab_config_deinit(&serve->config);
    return code;
}

int ab_serve_run(const struct ab_command_line *line)
{
    struct serve *serve = ab_alloc(1, sizeof *serve);
    char reason[8192];
    int code;

    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    serve->line = line;
    serve->path = line->config != NULL ? ab_strdup(line->config) : ab_examples_find(reason, sizeof reason);
    code = serve->path != NULL ? serve_path(serve) : fail(1, reason);
    free(serve->path);
    free(serve);
    return code;
}
