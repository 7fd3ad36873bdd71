/* An agent that a test drives by hand: it remembers what the engine told it and reports what the test says. */
#ifndef AB_TEST_FAKE_AGENT_H
#define AB_TEST_FAKE_AGENT_H

#include "agentbridge/agent.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAKE_RUNS = 64 };

/* One run, kept after its end for the test to look at. */
struct fake_run {
    struct ab_run *run; /* NULL once ended */
    char task_id[AB_TASK_ID_SIZE];
    char *history;
    char *message;
    char *answers;         /* of the last round */
    char *earlier_answers; /* of the one before */
    unsigned n_answers;
    unsigned n_stops;
    unsigned n_resumes;
    unsigned n_let_go;
    char *notes; /* that it was taken up with; NULL: it was started */
};

struct fake_agent {
    struct ab_agent agent;
    struct fake_run runs[FAKE_RUNS];
    size_t n_runs;
    bool *freed; /* or NULL; set by free */

    /* How it behaves; zeroed: starts well, reports nothing, ends when told to stop. */
    int start_result;
    const struct ab_report *script; /* reported from inside start */
    size_t n_script;
    bool lingers; /* does not end when told to stop */

    struct ab_agent_seat *seat; /* of a remote one, once attached */
};

struct fake_agent *fake_agent_new(void);
/* One whose work goes on elsewhere when the process ends. */
struct fake_agent *fake_remote_new(void);
/* The newest run of a task; fails the test when there is none. */
struct fake_run *fake_agent_run(struct fake_agent *agent, const char *task_id);
/* Whether a task was ever started here. */
bool fake_agent_has(const struct fake_agent *agent, const char *task_id);

/* Reports through a run that has not ended; the engine's answer. */
int fake_report_text(struct fake_run *run, enum ab_report_kind kind, const char *text);
int fake_report_json(struct fake_run *run, enum ab_report_kind kind, const char *json);
int fake_report_progress(struct fake_run *run, double value, double total, const char *text);
int fake_report_error(struct fake_run *run, enum ab_task_reason reason, const char *text);
void fake_end(struct fake_run *run);

#endif
