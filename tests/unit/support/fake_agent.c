#include "support/fake_agent.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_agent *fake(struct ab_agent *agent)
{
    return (struct fake_agent *)(void *)agent;
}

static struct fake_run *run_of(struct fake_agent *agent, const struct ab_run *run)
{
    for (size_t i = 0; i < agent->n_runs; i++) {
        if (agent->runs[i].run == run) {
            return &agent->runs[i];
        }
    }
    fail_msg("the engine named a run that does not exist");
    return NULL;
}

static struct fake_run *add_run(struct fake_agent *agent, struct ab_run *run, const struct ab_task *task,
                                const struct ab_task_request *request)
{
    assert_true(agent->n_runs < FAKE_RUNS);
    struct fake_run *added = &agent->runs[agent->n_runs++];
    added->run = run;
    (void)snprintf(added->task_id, sizeof added->task_id, "%s", task->id);
    added->message = ab_strdup(request->message_json);
    ab_run_set_context(run, added);
    return added;
}

static int fake_start(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                      const struct ab_task_request *request, const char *history_json)
{
    struct fake_agent *self = fake(agent);
    assert_int_equal(task->status, AB_TASK_EXECUTING);
    for (size_t i = 0; i < self->n_script; i++) {
        (void)ab_run_report(run, &self->script[i]);
    }
    if (self->start_result != AB_OK) {
        return self->start_result;
    }
    struct fake_run *added = add_run(self, run, task, request);
    added->history = ab_strdup(history_json);
    assert_ptr_equal(ab_run_context(run), added);
    assert_string_equal(ab_run_task_id(run), task->id);
    return AB_OK;
}

static void fake_answer(struct ab_agent *agent, struct ab_run *run, const char *answers_json)
{
    struct fake_run *mine = run_of(fake(agent), run);
    assert_int_equal(mine->n_stops, 0);
    ab_replace(&mine->earlier_answers, mine->answers);
    ab_replace(&mine->answers, answers_json);
    mine->n_answers++;
}

static void fake_stop(struct ab_agent *agent, struct ab_run *run)
{
    struct fake_run *mine = run_of(fake(agent), run);
    mine->n_stops++;
    assert_int_equal(mine->n_stops, 1);
    if (!fake(agent)->lingers) {
        fake_end(mine);
    }
}

static void fake_resume(struct ab_agent *agent, struct ab_run *run)
{
    run_of(fake(agent), run)->n_resumes++;
}

static void fake_free(struct ab_agent *agent)
{
    struct fake_agent *self = fake(agent);
    for (size_t i = 0; i < self->n_runs; i++) {
        free(self->runs[i].history);
        free(self->runs[i].message);
        free(self->runs[i].answers);
        free(self->runs[i].earlier_answers);
        free(self->runs[i].notes);
    }
    if (self->freed != NULL) {
        *self->freed = true;
    }
    free(self);
}

static const struct ab_agent_ops fake_ops = {
    .start = fake_start,
    .answer = fake_answer,
    .stop = fake_stop,
    .resume = fake_resume,
    .free = fake_free,
};

struct fake_agent *fake_agent_new(void)
{
    struct fake_agent *agent = ab_alloc(1, sizeof *agent);
    agent->agent.ops = &fake_ops;
    return agent;
}

static int fake_take_up(struct ab_agent *agent, struct ab_run *run, const struct ab_task *task,
                        const struct ab_task_request *request, const char *notes_json)
{
    assert_true(task->status == AB_TASK_EXECUTING || task->status == AB_TASK_PAUSED);
    if (fake(agent)->start_result != AB_OK) {
        return fake(agent)->start_result;
    }
    add_run(fake(agent), run, task, request)->notes = ab_strdup(notes_json);
    return AB_OK;
}

static void fake_let_go(struct ab_agent *agent, struct ab_run *run)
{
    struct fake_run *mine = run_of(fake(agent), run);
    mine->n_let_go++;
    fake_end(mine);
}

static void fake_attach(struct ab_agent *agent, struct ab_agent_seat *seat)
{
    fake(agent)->seat = seat;
}

static const struct ab_agent_ops remote_ops = {
    .start = fake_start,
    .take_up = fake_take_up,
    .answer = fake_answer,
    .stop = fake_stop,
    .let_go = fake_let_go,
    .attach = fake_attach,
    .free = fake_free,
};

struct fake_agent *fake_remote_new(void)
{
    struct fake_agent *agent = fake_agent_new();
    agent->agent.ops = &remote_ops;
    return agent;
}

bool fake_agent_has(const struct fake_agent *agent, const char *task_id)
{
    for (size_t i = 0; i < agent->n_runs; i++) {
        if (strcmp(agent->runs[i].task_id, task_id) == 0) {
            return true;
        }
    }
    return false;
}

struct fake_run *fake_agent_run(struct fake_agent *agent, const char *task_id)
{
    for (size_t i = agent->n_runs; i-- > 0;) {
        if (strcmp(agent->runs[i].task_id, task_id) == 0) {
            return &agent->runs[i];
        }
    }
    fail_msg("task %s was never started", task_id);
    return NULL;
}

static int give(struct fake_run *run, const struct ab_report *report)
{
    assert_non_null(run->run);
    return ab_run_report(run->run, report);
}

int fake_report_text(struct fake_run *run, enum ab_report_kind kind, const char *text)
{
    struct ab_report report = { .kind = kind, .text = text, .level = "info" };
    return give(run, &report);
}

int fake_report_json(struct fake_run *run, enum ab_report_kind kind, const char *json)
{
    struct ab_report report = { .kind = kind, .json = json };
    return give(run, &report);
}

int fake_report_progress(struct fake_run *run, double value, double total, const char *text)
{
    struct ab_report report = {
        .kind = AB_REPORT_PROGRESS, .progress_value = value, .progress_total = total, .text = text
    };
    return give(run, &report);
}

int fake_report_error(struct fake_run *run, enum ab_task_reason reason, const char *text)
{
    struct ab_report report = { .kind = AB_REPORT_ERROR, .reason = reason, .text = text };
    return give(run, &report);
}

void fake_end(struct fake_run *run)
{
    assert_non_null(run->run);
    struct ab_run *ended = run->run;
    run->run = NULL;
    ab_run_ended(ended);
}
