/* The bridge that is measured with agents of its own program: "echo" answers at once; "ticker" never ends by itself,
 * and while it has runs, one of them is told the time every two milliseconds. Prints its address.
 *   agents DATA CONFIG     CONFIG: further configuration, as JSON */
#include <agentbridge/embed.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TICK_NS 2000000
#define MAX_RUNS 20000

static struct ab_embed *bridge;
static struct ab_run *runs[MAX_RUNS];
static size_t n_runs;
static size_t turn;
static atomic_bool ended;

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* --- echo --- */

static void finish(void *arg)
{
    ab_run_report(arg, &(struct ab_report){ .kind = AB_REPORT_RESULT, .json = "{\"text\":\"done\"}" });
    ab_run_ended(arg);
}

static int echo_start(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                      const struct ab_task_request *request, const char *history_json)
{
    (void)agent, (void)task, (void)request, (void)history_json;
    ab_embed_post(bridge, finish, run);
    return AB_OK;
}

static void echo_stop(struct ab_agent *agent, struct ab_run *run)
{
    (void)agent, (void)run;
}

/* --- ticker --- */

static int ticker_start(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                        const struct ab_task_request *request, const char *history_json)
{
    (void)agent, (void)task, (void)request, (void)history_json;
    if (n_runs == MAX_RUNS)
        return AB_FAULT_SYSTEM;
    runs[n_runs++] = run;
    return AB_OK;
}

static void ticker_stop(struct ab_agent *agent, struct ab_run *run)
{
    (void)agent;
    for (size_t i = 0; i < n_runs; i++)
        if (runs[i] == run)
            runs[i] = runs[--n_runs];
    ab_run_ended(run);
}

/* The event's text is when it came about. */
static void tick(void *arg)
{
    char text[32];

    (void)arg;
    if (n_runs == 0)
        return;
    snprintf(text, sizeof text, "at %lld", (long long)now_ns());
    turn++;
    ab_run_report(runs[turn % n_runs], &(struct ab_report){ .kind = AB_REPORT_PROGRESS,
                                                            .text = text,
                                                            .progress_value = (double)turn,
                                                            .progress_total = 1e12 });
}

static void *tick_on(void *arg)
{
    const struct timespec pause = { .tv_nsec = TICK_NS };

    while (!ended) {
        nanosleep(&pause, NULL);
        ab_embed_post(bridge, tick, NULL);
    }
    return arg;
}

/* --- the program --- */

int main(int argc, char **argv)
{
    static const struct ab_agent_ops echo_ops = { .start = echo_start, .stop = echo_stop };
    static const struct ab_agent_ops ticker_ops = { .start = ticker_start, .stop = ticker_stop };
    struct ab_agent echo = { &echo_ops };
    struct ab_agent ticker = { &ticker_ops };
    const struct ab_embed_agent mine[] = {
        { .id = "echo", .tool_name = "echo", .agent = &echo },
        { .id = "ticker", .tool_name = "ticker", .agent = &ticker },
    };
    struct ab_embed_settings settings = { .config = argc > 2 ? argv[2] : NULL,
                                          .listen = "127.0.0.1:0",
                                          .agents = mine,
                                          .n_agents = sizeof mine / sizeof *mine,
                                          .end_on_signals = true };
    char reason[2048];
    pthread_t ticking;

    settings.data = argc > 1 ? argv[1] : "./data";
    bridge = ab_embed_new(&settings, reason, sizeof reason);
    if (bridge == NULL || pthread_create(&ticking, NULL, tick_on, NULL) != 0)
        return fprintf(stderr, "%s\n", reason), 1;
    printf("listening on http://%s\n", ab_embed_address(bridge));
    (void)fflush(stdout);
    ab_embed_run(bridge);
    ended = true;
    pthread_join(ticking, NULL);
    ab_embed_free(bridge);
    return 0;
}
