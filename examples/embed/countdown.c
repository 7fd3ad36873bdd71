/* A program that serves an agent of its own: it counts down, on a thread, and tells how far it is. `make embed` builds
 * it; then: claude mcp add --transport http countdown http://127.0.0.1:7801/mcp */
#include <agentbridge/embed.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct ab_embed *bridge;

/* One countdown. The thread only counts; what is reported is reported on the bridge's thread, by `tell`. */
struct countdown {
    struct ab_run *run;
    pthread_t thread;
    int from, left;
    atomic_bool stopped;
};

static void tell(void *arg)
{
    struct countdown *count = arg;
    char text[32];

    snprintf(text, sizeof(text), "%d", --count->left);
    ab_run_report(count->run, &(struct ab_report){ .kind = AB_REPORT_PROGRESS,
                                                   .text = text,
                                                   .progress_value = count->from - count->left,
                                                   .progress_total = count->from });
}

static void finish(void *arg)
{
    struct countdown *count = arg;

    pthread_join(count->thread, NULL);
    ab_run_report(count->run, &(struct ab_report){ .kind = AB_REPORT_RESULT, .json = "{\"text\":\"Lift-off!\"}" });
    ab_run_ended(count->run);
    free(count);
}

static void *work(void *arg)
{
    struct countdown *count = arg;

    for (int i = 0; i < count->from && !count->stopped; i++) {
        usleep(100000);
        ab_embed_post(bridge, tell, count);
    }
    ab_embed_post(bridge, finish, count);
    return NULL;
}

static int start(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                 const struct ab_task_request *request, const char *history_json)
{
    struct countdown *count = calloc(1, sizeof(*count));
    int from = 0;

    (void)agent, (void)task, (void)history_json;
    if (count == NULL || request->arguments_json == NULL ||
        sscanf(request->arguments_json, "{\"from\":%d", &from) != 1 || from > 1000) {
        free(count);
        ab_run_report(run, &(struct ab_report){ .kind = AB_REPORT_ERROR, .text = "give me {\"from\": 1 to 1000}" });
        return 1;
    }
    count->run = run;
    count->from = count->left = from;
    ab_run_set_context(run, count);
    return pthread_create(&count->thread, NULL, work, count) == 0 ? AB_OK : AB_FAULT_SYSTEM;
}

static void stop(struct ab_agent *agent, struct ab_run *run)
{
    (void)agent;
    ((struct countdown *)ab_run_context(run))->stopped = true;
}

int main(int argc, char **argv)
{
    static const struct ab_agent_ops ops = { .start = start, .stop = stop };
    struct ab_agent agent = { &ops };
    struct ab_embed_agent mine = {
        .id = "countdown", .description = "Counts down from a number", .agent = &agent, .tool_name = "countdown",
        .input_schema_json = "{\"type\":\"object\",\"properties\":{\"from\":{\"type\":\"integer\",\"minimum\":1,"
                             "\"maximum\":1000}},\"required\":[\"from\"]}" };
    struct ab_embed_settings settings = { .listen = argc > 1 ? argv[1] : "127.0.0.1:7801", .data = "./countdown-data",
                                          .agents = &mine, .n_agents = 1, .end_on_signals = true };
    char reason[2048];

    bridge = ab_embed_new(&settings, reason, sizeof(reason));
    if (bridge == NULL)
        return fprintf(stderr, "%s\n", reason), 1;
    printf("listening on http://%s\n", ab_embed_address(bridge));
    (void)fflush(stdout);
    ab_embed_run(bridge);
    ab_embed_free(bridge);
    return 0;
}
