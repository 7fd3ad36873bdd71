/* Puts finished tasks into a data folder, as the bridge would have left them:
 *   fill DATA COUNT */
#include "base/clock.h"
#include "base/mem.h"
#include "io/loop_uv.h"
#include "store/sqlite.h"

#include <stdio.h>

/* So many are on their way to the store at once. */
#define AHEAD 256

struct fill {
    struct ab_loop_uv *loop;
    struct ab_store *store;
    unsigned long wanted;
    unsigned long begun;
    unsigned long done;
    int64_t now;
};

static void on_done(void *arg, enum ab_store_outcome outcome, const char *text);

static void put_task(struct fill *fill)
{
    char thread[AB_TASK_ID_SIZE];
    struct ab_event events[] = {
        { .number = 1, .at = fill->now, .kind = AB_EVENT_STATUS, .body_json = (char[]){ "{\"status\":\"pending\"}" } },
        { .number = 2,
          .at = fill->now,
          .kind = AB_EVENT_STATUS,
          .body_json = (char[]){ "{\"status\":\"executing\"}" } },
        { .number = 3,
          .at = fill->now,
          .kind = AB_EVENT_STATUS,
          .body_json = (char[]){ "{\"status\":\"completed\"}" } },
    };
    struct ab_task_request request = { .message_json = (char[]){ "{\"message_id\":\"m\",\"role\":\"user\",\"parts\":[{"
                                                                 "\"text\":\"hello\"}],\"metadata\":{}}" },
                                       .input_json = (char[]){ "{\"text\":\"hello\",\"files\":[]}" },
                                       .options_json = (char[]){ "{}" } };
    struct ab_task task = { .thread_id = thread,
                            .owner = (char[]){ "local" },
                            .agent = (char[]){ "echo" },
                            .surface = (char[]){ "mcp" },
                            .status = AB_TASK_COMPLETED,
                            .created_at = fill->now,
                            .updated_at = fill->now,
                            .finished_at = fill->now,
                            .last_event = 3,
                            .turn = 1,
                            .attempt = 1,
                            .result_json = (char[]){ "{\"text\":\"done\",\"parts\":[{\"text\":\"done\"}]}" } };
    const struct ab_store_commit commit = { .task = &task, .request = &request, .events = events, .n_events = 3 };

    snprintf(task.id, sizeof task.id, "%032lx", 0x40000000UL + fill->begun * 2654435761UL);
    snprintf(thread, sizeof thread, "%s", task.id);
    fill->begun++;
    fill->store->ops->commit(fill->store, &commit, on_done, fill);
}

static void on_done(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct fill *fill = arg;

    if (outcome != AB_STORE_DONE) {
        (void)fprintf(stderr, "%s\n", text);
        exit(1);
    }
    fill->done++;
    if (fill->begun < fill->wanted)
        put_task(fill);
    else if (fill->done == fill->wanted)
        ab_loop_uv_stop(fill->loop);
}

int main(int argc, char **argv)
{
    struct fill fill = { .loop = ab_loop_uv_new(), .wanted = argc == 3 ? strtoul(argv[2], NULL, 10) : 0 };
    char reason[512];

    if (fill.wanted == 0 || fill.loop == NULL)
        return 2;
    fill.now = ab_clock_wall_ms(&ab_loop_uv_port(fill.loop)->clock);
    fill.store = ab_store_sqlite_new(ab_loop_uv_port(fill.loop), argv[1], NULL, NULL, reason, sizeof reason);
    if (fill.store == NULL)
        return (void)fprintf(stderr, "%s\n", reason), 1;
    while (fill.begun < fill.wanted && fill.begun < AHEAD)
        put_task(&fill);
    ab_loop_uv_run(fill.loop);
    fill.store->ops->free(fill.store);
    ab_loop_uv_free(fill.loop);
    return 0;
}
