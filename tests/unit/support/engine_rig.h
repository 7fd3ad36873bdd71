/* An engine with everything around it replaced: a loop whose time the test turns, a store that can refuse, agents
 * driven by hand. Agents: "one" and "two"; "retry" is run again after a restart; "remote" takes its runs up after one;
 * "refuse" takes no second turn. */
#ifndef AB_TEST_ENGINE_RIG_H
#define AB_TEST_ENGINE_RIG_H

#include "support/fake_agent.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"
#include "support/fake_store.h"
#include "task/engine.h"

/* What a caller of create was told. */
struct made {
    unsigned n_calls;
    enum ab_create_outcome outcome;
    char id[AB_TASK_ID_SIZE]; /* "" : no task */
    enum ab_task_status status;
    char text[512];
};

/* What a caller of stop or answer was told. */
struct steered {
    unsigned n_calls;
    enum ab_steer_outcome outcome;
    enum ab_task_status status;
    char text[512];
};

struct rig {
    struct fake_random random;
    uint64_t n_engines; /* each has ids of its own */
    struct ab_loop *loop;
    struct fake_store *store;
    struct ab_metrics *metrics;
    struct ab_engine *engine;
    struct ab_engine_settings settings;
    struct fake_agent *one;
    struct fake_agent *two;
    struct fake_agent *retry;
    struct fake_agent *remote;
    struct fake_agent *refuse;
};

/* cmocka's setup and teardown; teardown checks every log in the store (rig_check_logs) and that nothing leaks. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* An engine with these settings in place of the present one (members left 0 take their defaults). */
void rig_restart(struct rig *rig, const struct ab_engine_settings *settings, bool start);
/* The process dies: the engine is gone, the store stays. Then rig_restart. */
void rig_crash(struct rig *rig);

/* Everything that can happen now happens. */
void rig_run(struct rig *rig);
/* Time passes, and what is due happens. */
void rig_wait(struct rig *rig, int64_t ms);

/* A wish of owner "ann" for agent "one"; change what you like. */
struct ab_new_task rig_wish(void);
/* Hands it over without running the loop. */
void rig_create(struct rig *rig, const struct ab_new_task *wish, struct made *made);
/* Creates a task of "ann" and runs the loop; its agent has been started. */
struct made rig_made(struct rig *rig, const char *agent, const char *thread_id);
void rig_stop(struct rig *rig, const char *id, struct steered *steered);
void rig_answer(struct rig *rig, const char *id, const char *answers_json, struct steered *steered);

/* From the store. */
struct ab_task rig_row(struct rig *rig, const char *id);
enum ab_task_status rig_status(struct rig *rig, const char *id);
/* The log as one text, "status:pending status:executing chunk ..."; the caller frees. */
char *rig_log(struct rig *rig, const char *id);
#define assert_log(rig, id, expected)                                                                                  \
    do {                                                                                                               \
        char *log_text = rig_log(rig, id);                                                                             \
        assert_string_equal(log_text, expected);                                                                       \
        free(log_text);                                                                                                \
    } while (0)
/* Every log is dense, begins with pending, moves only as allowed, ends once, and agrees with its row. */
void rig_check_logs(struct rig *rig);
size_t rig_count_tasks(struct rig *rig);

#endif
