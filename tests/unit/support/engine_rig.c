#include "support/engine_rig.h"

#include "base/mem.h"
#include "store/memory.h"
#include "support/fake_loop.h"
#include "support/fake_random.h"
#include "task/transition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- building --- */

static struct fake_agent *add(struct rig *rig, struct fake_agent *agent, struct ab_agent_settings settings)
{
    settings.kind = "fake";
    settings.timeout_ms = settings.timeout_ms > 0 ? settings.timeout_ms : 60000;
    settings.pause_timeout_ms = 600000;
    ab_engine_add_agent(rig->engine, &settings, &agent->agent);
    return agent;
}

static struct fake_agent *add_agent(struct rig *rig, struct ab_agent_settings settings)
{
    return add(rig, fake_agent_new(), settings);
}

void rig_restart(struct rig *rig, const struct ab_engine_settings *settings, bool start)
{
    if (rig->engine != NULL) {
        rig_crash(rig);
    }
    rig->settings = *settings;
    rig->settings.loop = rig->loop;
    rig->settings.store = &rig->store->store;
    rig->settings.random = fake_random(&rig->random, ++rig->n_engines);
    rig->settings.metrics = rig->metrics;
    rig->engine = ab_engine_new(&rig->settings);
    rig->one = add_agent(rig, (struct ab_agent_settings){ .id = "one", .turns_deep = 2 });
    rig->two = add_agent(rig, (struct ab_agent_settings){ .id = "two" });
    rig->retry = add_agent(rig, (struct ab_agent_settings){ .id = "retry", .retry_after_restart = true });
    rig->remote = add(rig, fake_remote_new(), (struct ab_agent_settings){ .id = "remote", .timeout_ms = 300000 });
    rig->refuse = add_agent(rig, (struct ab_agent_settings){ .id = "refuse", .turns = AB_TURNS_REFUSE });
    if (start) {
        assert_int_equal(ab_engine_start(rig->engine), AB_OK);
    }
}

void rig_crash(struct rig *rig)
{
    ab_engine_free(rig->engine);
    rig->engine = NULL;
}

int rig_setup(void **state)
{
    struct rig *rig = ab_alloc(1, sizeof *rig);
    rig->loop = fake_loop_new();
    rig->store = fake_store_new(ab_store_memory_new(rig->loop), rig->loop);
    rig->metrics = ab_metrics_new();
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    *state = rig;
    return 0;
}

static void note_down(void *arg)
{
    bool *down = arg;
    *down = true;
}

static void shut_down(struct rig *rig)
{
    bool down = false;
    struct fake_agent *agents[] = { rig->one, rig->two, rig->retry, rig->remote, rig->refuse };
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        agents[i]->lingers = false;
        for (size_t r = 0; r < agents[i]->n_runs; r++) {
            struct fake_run *run = &agents[i]->runs[r];
            if (run->run != NULL && run->n_stops > 0) {
                fake_end(run);
            }
        }
    }
    ab_engine_shut_down(rig->engine, note_down, &down);
    rig_run(rig);
    assert_true(down);
    rig_crash(rig);
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    if (rig->store->holding) {
        fake_store_release(rig->store);
    }
    if (rig->engine != NULL) {
        shut_down(rig);
    }
    rig_run(rig);
    rig_check_logs(rig);
    rig->store->store.ops->free(&rig->store->store);
    ab_metrics_free(rig->metrics);
    fake_loop_free(rig->loop);
    free(rig);
    return 0;
}

void rig_run(struct rig *rig)
{
    fake_loop_run_ready(rig->loop);
}

void rig_wait(struct rig *rig, int64_t ms)
{
    fake_loop_advance(rig->loop, (uint64_t)ms);
}

/* --- wishing --- */

struct ab_new_task rig_wish(void)
{
    return (struct ab_new_task){
        .owner = "ann",
        .agent = "one",
        .surface = "test",
        .message_json = "{\"message_id\":\"m\",\"role\":\"user\",\"parts\":[{\"text\":\"hello\"}]}",
        .input_json = "{\"text\":\"hello\"}",
    };
}

static void note_created(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct made *made = arg;
    made->n_calls++;
    made->outcome = outcome;
    made->id[0] = '\0';
    if (task != NULL) {
        (void)snprintf(made->id, sizeof made->id, "%s", task->id);
        made->status = task->status;
    }
    (void)snprintf(made->text, sizeof made->text, "%s", text != NULL ? text : "");
}

void rig_create(struct rig *rig, const struct ab_new_task *wish, struct made *made)
{
    unsigned before = made->n_calls;
    ab_engine_create(rig->engine, wish, note_created, made);
    assert_int_equal(made->n_calls, before);
}

struct made rig_made(struct rig *rig, const char *agent, const char *thread_id)
{
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.agent = agent;
    wish.thread_id = thread_id;
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.n_calls, 1);
    assert_int_equal(made.outcome, AB_CREATE_DONE);
    return made;
}

static void note_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct steered *steered = arg;
    steered->n_calls++;
    steered->outcome = outcome;
    steered->status = task != NULL ? task->status : AB_TASK_STATUS_COUNT;
    (void)snprintf(steered->text, sizeof steered->text, "%s", text != NULL ? text : "");
}

void rig_stop(struct rig *rig, const char *id, struct steered *steered)
{
    unsigned before = steered->n_calls;
    ab_engine_stop(rig->engine, "ann", id, note_steered, steered);
    assert_int_equal(steered->n_calls, before);
}

void rig_answer(struct rig *rig, const char *id, const char *answers_json, struct steered *steered)
{
    unsigned before = steered->n_calls;
    ab_engine_answer(rig->engine, "ann", id, answers_json, note_steered, steered);
    assert_int_equal(steered->n_calls, before);
}

/* --- looking --- */

struct ab_task rig_row(struct rig *rig, const char *id)
{
    struct ab_task row;
    assert_int_equal(rig->store->store.ops->get(&rig->store->store, id, &row), AB_OK);
    return row;
}

enum ab_task_status rig_status(struct rig *rig, const char *id)
{
    struct ab_task row = rig_row(rig, id);
    enum ab_task_status status = row.status;
    ab_task_deinit(&row);
    return status;
}

static bool log_event(void *arg, const struct ab_event *event)
{
    struct ab_buf *log = arg;
    if (log->size > 0) {
        ab_buf_append_char(log, ' ');
    }
    ab_buf_append_text(log, ab_event_kind_name(event->kind));
    if (event->kind == AB_EVENT_STATUS) {
        char *status = ab_json_string_dup(ab_json_member(ab_json_trusted(event->body_json), "status"));
        ab_buf_printf(log, ":%s", status);
        free(status);
    }
    return true;
}

char *rig_log(struct rig *rig, const char *id)
{
    struct ab_buf log = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_store *store = &rig->store->store;
    assert_int_equal(store->ops->events(store, id, 0, AB_EVENTS_ALL, 0, log_event, &log), AB_OK);
    return ab_buf_steal(&log);
}

struct reading {
    uint64_t last;
    int64_t at;
    enum ab_task_status status;
};

static bool check_event(void *arg, const struct ab_event *event)
{
    struct reading *reading = arg;
    struct ab_json body;
    assert_int_equal(event->number, reading->last + 1);
    assert_true(event->at >= reading->at);
    assert_true(ab_json_check(ab_str(event->body_json), 64, &body, NULL));
    assert_false(ab_task_status_is_terminal(reading->status));
    reading->last = event->number;
    reading->at = event->at;
    if (event->kind == AB_EVENT_STATUS) {
        enum ab_task_status to = AB_TASK_STATUS_COUNT;
        char *name = ab_json_string_dup(ab_json_member(body, "status"));
        assert_true(ab_task_status_parse(name, &to));
        free(name);
        bool first = event->number == 1 && to == AB_TASK_PENDING;
        bool stays = to == reading->status && (to == AB_TASK_EXECUTING || to == AB_TASK_PAUSED);
        assert_true(first || stays || ab_transition_allowed(reading->status, to));
        reading->status = to;
    }
    return true;
}

static bool check_task(void *arg, const struct ab_task *task)
{
    struct rig *rig = arg;
    struct ab_store *inner = rig->store->inner;
    struct reading reading = { 0, 0, AB_TASK_PENDING };
    assert_int_equal(inner->ops->events(inner, task->id, 0, AB_EVENTS_ALL, 0, check_event, &reading), AB_OK);
    assert_int_equal(task->last_event, reading.last);
    assert_int_equal(task->status, reading.status);
    bool failed = task->status == AB_TASK_FAILED || task->status == AB_TASK_ERROR;
    assert_int_equal(task->error_json != NULL, failed);
    assert_int_equal(task->result_json != NULL, task->status == AB_TASK_COMPLETED);
    assert_int_equal(task->questions_json != NULL, task->status == AB_TASK_PAUSED);
    assert_int_equal(task->finished_at != 0, ab_task_status_is_terminal(task->status));
    return true;
}

void rig_check_logs(struct rig *rig)
{
    struct ab_store *inner = rig->store->inner;
    struct ab_store_filter all = { 0 };
    assert_int_equal(inner->ops->list(inner, &all, check_task, rig), AB_OK);
}

static bool count_one(void *arg, const struct ab_task *task)
{
    (void)task;
    (*(size_t *)arg)++;
    return true;
}

size_t rig_count_tasks(struct rig *rig)
{
    struct ab_store *inner = rig->store->inner;
    struct ab_store_filter all = { 0 };
    size_t count = 0;
    assert_int_equal(inner->ops->list(inner, &all, count_one, &count), AB_OK);
    return count;
}
