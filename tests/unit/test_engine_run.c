/* Runs: reports become events, ends become rows, and whatever an agent does wrong ends its task with a clear word. */
#include "support/engine_rig.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static void every_kind_of_report_is_an_event(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    assert_int_equal(fake_report_text(run, AB_REPORT_EXECUTING, "reading"), AB_OK);
    assert_int_equal(fake_report_progress(run, 1, 3, "one of three"), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_LOG, "a line"), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "Hel"), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "lo"), AB_OK);
    assert_int_equal(
        fake_report_json(run, AB_REPORT_ARTIFACT, "{\"id\":\"a\",\"parts\":[{\"text\":\"x\"}],\"extra\":[1]}"), AB_OK);
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_true(row.has_progress && row.has_progress_total);
    assert_true(row.progress_value >= 1 && row.progress_value <= 1);
    assert_string_equal(row.progress_message, "one of three");
    assert_string_equal(row.status_message, "a line");
    assert_int_equal(row.n_artifacts, 1);
    ab_task_deinit(&row);
    assert_int_equal(fake_report_json(run, AB_REPORT_RESULT, NULL), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_LOG, "late"), AB_RUN_OVER);
    fake_end(run);
    rig_run(rig);
    assert_int_equal(run->n_stops, 0);
    assert_log(rig, made.id,
               "status:pending status:executing status:executing progress log chunk chunk artifact status:completed");
    row = rig_row(rig, made.id);
    assert_string_equal(row.result_json, "{\"text\":\"Hello\",\"parts\":[{\"text\":\"Hello\"}]}");
    assert_null(row.status_message);
    ab_task_deinit(&row);
}

struct first_body {
    enum ab_event_kind kind;
    char text[512];
};

static bool take_body(void *arg, const struct ab_event *event)
{
    struct first_body *body = arg;
    (void)snprintf(body->text, sizeof body->text, "%s", event->body_json);
    return false;
}

static struct first_body first_event(struct rig *rig, const char *id, enum ab_event_kind kind)
{
    struct first_body body = { .kind = kind };
    assert_int_equal(ab_engine_events(rig->engine, id, 0, AB_EVENT_BIT(kind), 0, take_body, &body), AB_OK);
    return body;
}

static void bodies_have_their_shapes(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    (void)fake_report_progress(run, 0.5, (double)NAN, NULL);
    (void)ab_run_report(run->run, &(struct ab_report){ .kind = AB_REPORT_LOG, .level = "shout", .text = "l\"1" });
    (void)fake_report_text(run, AB_REPORT_CHUNK, "piece\n");
    (void)fake_report_json(run, AB_REPORT_ARTIFACT,
                           "{\"last\":true,\"id\":\"a\",\"name\":\"n\",\"parts\":[{\"data\":{\"k\":1.50}}]}");
    (void)fake_report_json(run, AB_REPORT_SAY, "{\"parts\":[{\"text\":\"hi\"}]}");
    fake_end(run);
    rig_run(rig);
    assert_string_equal(first_event(rig, made.id, AB_EVENT_STATUS).text, "{\"status\":\"pending\"}");
    assert_string_equal(first_event(rig, made.id, AB_EVENT_PROGRESS).text, "{\"value\":0.5}");
    assert_string_equal(first_event(rig, made.id, AB_EVENT_LOG).text, "{\"level\":\"info\",\"text\":\"l\\\"1\"}");
    assert_string_equal(first_event(rig, made.id, AB_EVENT_CHUNK).text, "{\"text\":\"piece\\n\"}");
    assert_string_equal(first_event(rig, made.id, AB_EVENT_ARTIFACT).text,
                        "{\"id\":\"a\",\"name\":\"n\",\"parts\":[{\"data\":{\"k\":1.50}}],"
                        "\"append\":false,\"last\":true}");
    assert_string_equal(first_event(rig, made.id, AB_EVENT_SAY).text, "{\"parts\":[{\"text\":\"hi\"}]}");
    assert_log(rig, made.id, "status:pending status:executing progress log chunk artifact say status:completed");
    struct ab_task row = rig_row(rig, made.id);
    assert_string_equal(row.result_json, "{\"text\":\"hi\",\"parts\":[{\"text\":\"hi\"}]}");
    ab_task_deinit(&row);
}

/* --- ends --- */

struct end_case {
    enum ab_report_kind kind;
    const char *text;
    const char *json;
    enum ab_task_reason given;
    enum ab_task_status status;
    enum ab_task_reason reason;
    const char *result; /* or NULL */
    const char *error;  /* a part of error_json; or NULL */
    unsigned n_stops;   /* the engine ended it: the agent is told to wind down */
};

static const struct end_case end_cases[] = {
    { .kind = AB_REPORT_RESULT,
      .json = "{\"text\":\"t\"}",
      .status = AB_TASK_COMPLETED,
      .result = "{\"text\":\"t\",\"parts\":[{\"text\":\"t\"}]}" },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"parts\":[{\"text\":\"a\"},{\"url\":\"u\"},{\"text\":\"b\"}],\"data\":{\"n\":1e2}}",
      .status = AB_TASK_COMPLETED,
      .result =
          "{\"text\":\"a\\nb\",\"parts\":[{\"text\":\"a\"},{\"url\":\"u\"},{\"text\":\"b\"}],\"data\":{\"n\":1e2}}" },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"parts\":[{\"url\":\"u\"}]}",
      .status = AB_TASK_COMPLETED,
      .result = "{\"parts\":[{\"url\":\"u\"}]}" },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"data\":[1]}",
      .status = AB_TASK_COMPLETED,
      .result = "{\"parts\":[],\"data\":[1]}" },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"text\":\"t\",\"parts\":[],\"m\":null}",
      .status = AB_TASK_COMPLETED,
      .result = "{\"text\":\"t\",\"parts\":[],\"m\":null}" },
    { .kind = AB_REPORT_RESULT, .status = AB_TASK_COMPLETED, .result = "{\"text\":\"\",\"parts\":[]}" },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"text\":1}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "\\\"text\\\" must be a string, not number",
      .n_stops = 1 },
    { .kind = AB_REPORT_RESULT,
      .json = "[1]",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "must be an object, not array",
      .n_stops = 1 },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"text\":",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "a result that is not JSON",
      .n_stops = 1 },
    { .kind = AB_REPORT_RESULT,
      .json = "{\"parts\":[{\"text\":\"a\",\"url\":\"b\"}]}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "parts[0] must have exactly one",
      .n_stops = 1 },
    { .kind = AB_REPORT_SAY,
      .json = "{}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "\\\"parts\\\" must be an array, not nothing",
      .n_stops = 1 },
    { .kind = AB_REPORT_SAY,
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "without a body",
      .n_stops = 1 },
    { .kind = AB_REPORT_ARTIFACT,
      .json = "{\"parts\":[]}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "artifact: \\\"id\\\" must be a string",
      .n_stops = 1 },
    { .kind = AB_REPORT_ARTIFACT,
      .json = "{\"id\":\"a\",\"parts\":[7]}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "parts[0] must be an object, not number",
      .n_stops = 1 },
    { .kind = AB_REPORT_ASK,
      .json = "{\"k\":{\"kind\":\"quiz\"}}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "\\\"kind\\\" must be one of",
      .n_stops = 1 },
    { .kind = AB_REPORT_ASK, .status = AB_TASK_ERROR, .reason = AB_REASON_CRASHED, .error = "not JSON", .n_stops = 1 },
    { .kind = AB_REPORT_FAILED,
      .text = "no such repository",
      .status = AB_TASK_FAILED,
      .error = "{\"message\":\"no such repository\"}" },
    { .kind = AB_REPORT_FAILED, .status = AB_TASK_FAILED, .error = "gave no reason" },
    { .kind = AB_REPORT_REJECTED,
      .text = "not my work",
      .status = AB_TASK_FAILED,
      .reason = AB_REASON_REJECTED,
      .error = "not my work" },
    { .kind = AB_REPORT_ERROR,
      .text = "connection refused",
      .given = AB_REASON_UNREACHABLE,
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_UNREACHABLE,
      .error = "connection refused" },
    { .kind = AB_REPORT_ERROR,
      .given = AB_REASON_INPUT,
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "without saying why" },
    { .kind = AB_REPORT_PROTOCOL_ERROR,
      .json = "{\"code\":-32603,\"message\":\"boom\",\"data\":[1.0]}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_PROTOCOL,
      .error = "{\"code\":-32603,\"message\":\"boom\",\"data\":[1.0]}" },
    { .kind = AB_REPORT_PROTOCOL_ERROR,
      .json = "{\"code\":\"x\",\"message\":\"boom\"}",
      .status = AB_TASK_ERROR,
      .reason = AB_REASON_CRASHED,
      .error = "malformed error",
      .n_stops = 1 },
};

static void check_end(struct rig *rig, const struct end_case *end, size_t index)
{
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct ab_report report = { .kind = end->kind, .text = end->text, .json = end->json, .reason = end->given };
    assert_int_equal(ab_run_report(run->run, &report), AB_OK);
    rig_run(rig);
    if (run->run != NULL) {
        fake_end(run);
        rig_run(rig);
    }
    struct ab_task row = rig_row(rig, made.id);
    if (row.status != end->status || row.reason != end->reason || run->n_stops != end->n_stops) {
        fail_msg("case %zu: %s %s, %u stops, %s", index, ab_task_status_name(row.status),
                 ab_task_reason_name(row.reason), run->n_stops, row.error_json);
    }
    if (end->result != NULL) {
        assert_string_equal(row.result_json, end->result);
    }
    if (end->error != NULL && strstr(row.error_json, end->error) == NULL) {
        fail_msg("case %zu: %s", index, row.error_json);
    }
    ab_task_deinit(&row);
}

static void every_end(void **state)
{
    for (size_t i = 0; i < sizeof end_cases / sizeof end_cases[0]; i++) {
        check_end(*state, &end_cases[i], i);
    }
}

/* A round that is never answered does not grow for ever. */
static void one_question_too_many(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    for (int i = 0; i < 64; i++) {
        (void)fake_report_json(run, AB_REPORT_ASK, "{\"k\":{\"kind\":\"approval\",\"message\":\"?\"}}");
    }
    rig_run(rig);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_PAUSED);
    (void)fake_report_json(run, AB_REPORT_ASK, "{\"k\":{\"kind\":\"approval\",\"message\":\"?\"}}");
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.status, AB_TASK_ERROR);
    assert_non_null(strstr(row.error_json, "more than 64 questions"));
    ab_task_deinit(&row);
}

static void an_end_without_a_result_is_a_crash(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    fake_end(fake_agent_run(rig->one, made.id));
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.status, AB_TASK_ERROR);
    assert_int_equal(row.reason, AB_REASON_CRASHED);
    assert_string_equal(row.error_json, "{\"message\":\"the agent ended without a result\"}");
    ab_task_deinit(&row);
}

static void whoever_lingers_after_its_end_is_told_to_stop(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    (void)fake_report_json(run, AB_REPORT_RESULT, NULL);
    rig_wait(rig, 9000);
    assert_int_equal(run->n_stops, 0);
    rig_wait(rig, 2000);
    assert_int_equal(run->n_stops, 1);
    assert_int_equal(rig_status(rig, made.id), AB_TASK_COMPLETED);
}

/* --- starting --- */

static void reports_from_inside_start(void **state)
{
    struct rig *rig = *state;
    const struct ab_report script[] = {
        { .kind = AB_REPORT_CHUNK, .text = "all at " },
        { .kind = AB_REPORT_CHUNK, .text = "once" },
        { .kind = AB_REPORT_RESULT },
    };
    rig->one->script = script;
    rig->one->n_script = 3;
    struct made made = rig_made(rig, "one", NULL);
    assert_log(rig, made.id, "status:pending status:executing chunk chunk status:completed");
    fake_end(fake_agent_run(rig->one, made.id));
}

static void an_agent_that_cannot_start(void **state)
{
    struct rig *rig = *state;
    const struct ab_report why = { .kind = AB_REPORT_ERROR,
                                   .reason = AB_REASON_UNREACHABLE,
                                   .text = "no program of this name" };
    const struct {
        int result;
        size_t n_script;
        const char *error;
    } cases[] = { { AB_FAULT_SYSTEM, 0, "could not be started" }, { 1, 1, "no program of this name" } };
    for (size_t i = 0; i < 2; i++) {
        rig->one->start_result = cases[i].result;
        rig->one->script = &why;
        rig->one->n_script = cases[i].n_script;
        struct made made = rig_made(rig, "one", NULL);
        struct ab_task row = rig_row(rig, made.id);
        assert_int_equal(row.status, AB_TASK_ERROR);
        assert_int_equal(row.reason, AB_REASON_UNREACHABLE);
        assert_non_null(strstr(row.error_json, cases[i].error));
        ab_task_deinit(&row);
    }
}

/* --- limits --- */

static void output_is_bounded(void **state)
{
    struct rig *rig = *state;
    rig_restart(rig, &(struct ab_engine_settings){ .output_bytes = 10 }, true);
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "12345"), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "67890"), AB_OK);
    assert_int_equal(run->n_stops, 0);
    assert_int_equal(fake_report_text(run, AB_REPORT_LOG, "x"), AB_RUN_OVER);
    assert_int_equal(run->n_stops, 0); /* never from inside a report */
    rig_run(rig);
    assert_int_equal(run->n_stops, 1);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.reason, AB_REASON_CRASHED);
    assert_non_null(strstr(row.error_json, "wrote more than 10 bytes"));
    ab_task_deinit(&row);
}

static void reports_collect_while_a_commit_is_under_way(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    unsigned before = rig->store->n_commits;
    rig->store->holding = true;
    for (unsigned i = 0; i < 100; i++) {
        (void)fake_report_text(run, AB_REPORT_CHUNK, "x");
        rig_run(rig);
    }
    assert_int_equal(rig->store->n_commits, before + 1);
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(rig->store->n_commits, before + 2);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.last_event, 102);
    ab_task_deinit(&row);
}

static void uncommitted_progress_is_replaced(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    for (unsigned i = 1; i <= 50; i++) {
        (void)fake_report_progress(run, i, 50, NULL);
    }
    (void)fake_report_text(run, AB_REPORT_CHUNK, "x");
    (void)fake_report_progress(run, 51, (double)NAN, "beyond");
    rig_run(rig);
    (void)fake_report_progress(run, 52, (double)NAN, NULL);
    rig_run(rig);
    assert_log(rig, made.id, "status:pending status:executing progress chunk progress progress");
    assert_string_equal(first_event(rig, made.id, AB_EVENT_PROGRESS).text, "{\"value\":50,\"total\":50}");
}

static void senseless_progress_is_no_event(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    assert_int_equal(fake_report_progress(fake_agent_run(rig->one, made.id), (double)NAN, 1, "x"), AB_OK);
    rig_run(rig);
    assert_log(rig, made.id, "status:pending status:executing");
}

/* What waits for a task's own commit weighs as well: a store that hangs is never handed more than one. */
static void agents_slow_down_while_a_commit_hangs(void **state)
{
    struct rig *rig = *state;
    rig_restart(rig, &(struct ab_engine_settings){ .store_backlog_bytes = 3000 }, true);
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    AB_CLEANUP(ab_free_string) char *piece = ab_format("%0800d", 0);
    rig->store->holding = true;
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "first"), AB_OK);
    rig_run(rig);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, piece), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, piece), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, piece), AB_OK);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, piece), AB_RUN_SLOW_DOWN);
    rig_wait(rig, 1000);
    assert_int_equal(run->n_resumes, 0);
    rig->store->holding = false;
    fake_store_release(rig->store);
    rig_wait(rig, 1000);
    assert_int_equal(run->n_resumes, 1);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, piece), AB_OK);
}

static void agents_slow_down_while_the_store_is_behind(void **state)
{
    struct rig *rig = *state;
    rig_restart(rig, &(struct ab_engine_settings){ .store_backlog_bytes = 1000000 }, true);
    struct made first = rig_made(rig, "one", NULL);
    struct made second = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, first.id);
    struct fake_run *other = fake_agent_run(rig->one, second.id);
    rig->store->backlog = 2000000;
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "a"), AB_RUN_SLOW_DOWN);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "b"), AB_RUN_SLOW_DOWN);
    assert_int_equal(fake_report_text(other, AB_REPORT_CHUNK, "a"), AB_RUN_SLOW_DOWN);
    (void)fake_report_json(other, AB_REPORT_RESULT, NULL);
    fake_end(other);
    rig_wait(rig, 500);
    assert_int_equal(run->n_resumes, 0);
    rig->store->backlog = 0;
    rig_wait(rig, 50);
    assert_int_equal(run->n_resumes, 1);
    assert_int_equal(other->n_resumes, 0);
    assert_int_equal(fake_report_text(run, AB_REPORT_CHUNK, "c"), AB_OK);
    rig_wait(rig, 500);
    assert_int_equal(run->n_resumes, 1);
}

/* --- artifacts --- */

static void artifacts_are_put_together(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct ab_buf out = AB_BUF_INIT(4096);
    assert_int_equal(ab_engine_artifacts(rig->engine, made.id, &out), AB_OK);
    assert_string_equal(out.data, "[]");
    ab_buf_clear(&out);
    const char *const given[] = {
        "{\"id\":\"a\",\"name\":\"A\",\"parts\":[{\"text\":\"1\"}]}",
        "{\"id\":\"b\",\"parts\":[{\"text\":\"old\"}]}",
        "{\"id\":\"a\",\"parts\":[{\"text\":\"2\"},{\"text\":\"3\"}],\"append\":true}",
        "{\"id\":\"b\",\"description\":\"new\",\"parts\":[]}",
        "{\"id\":\"c\",\"parts\":[{\"text\":\"x\"}],\"append\":true,\"last\":true}",
    };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        (void)fake_report_json(run, AB_REPORT_ARTIFACT, given[i]);
    }
    rig_run(rig);
    assert_int_equal(ab_engine_artifacts(rig->engine, made.id, &out), AB_OK);
    assert_string_equal(out.data, "[{\"id\":\"a\",\"name\":\"A\",\"parts\":[{\"text\":\"1\"},{\"text\":\"2\"},"
                                  "{\"text\":\"3\"}]},{\"id\":\"b\",\"description\":\"new\",\"parts\":[]},"
                                  "{\"id\":\"c\",\"parts\":[{\"text\":\"x\"}]}]");
    ab_buf_deinit(&out);
}

/* --- watching --- */

struct watcher {
    struct ab_watch *watch;
    struct watcher *frees; /* another one, freed from `changed` */
    unsigned n_calls;
    bool frees_itself;
};

static void changed(void *arg)
{
    struct watcher *watcher = arg;
    watcher->n_calls++;
    if (watcher->frees != NULL) {
        ab_watch_free(watcher->frees->watch);
        watcher->frees->watch = NULL;
    }
    if (watcher->frees_itself) {
        ab_watch_free(watcher->watch);
        watcher->watch = NULL;
    }
}

static void watchers_are_told_after_the_commit(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct fake_run *run = fake_agent_run(rig->one, made.id);
    struct watcher watcher = { 0 };
    watcher.watch = ab_engine_watch(rig->engine, made.id, changed, &watcher);
    rig->store->holding = true;
    (void)fake_report_text(run, AB_REPORT_CHUNK, "x");
    (void)fake_report_text(run, AB_REPORT_CHUNK, "y");
    rig_run(rig);
    assert_int_equal(watcher.n_calls, 0);
    fake_store_release(rig->store);
    rig_run(rig);
    assert_int_equal(watcher.n_calls, 1);
    ab_watch_free(watcher.watch);
    (void)fake_report_text(run, AB_REPORT_CHUNK, "z");
    rig_run(rig);
    assert_int_equal(watcher.n_calls, 1);
    ab_watch_free(NULL);
}

static void watchers_may_free_each_other(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct watcher third = { 0 };
    struct watcher second = { .frees = &third };
    struct watcher first = { .frees_itself = true };
    first.watch = ab_engine_watch(rig->engine, made.id, changed, &first);
    second.watch = ab_engine_watch(rig->engine, made.id, changed, &second);
    third.watch = ab_engine_watch(rig->engine, made.id, changed, &third);
    (void)fake_report_text(fake_agent_run(rig->one, made.id), AB_REPORT_CHUNK, "x");
    rig_run(rig);
    assert_int_equal(first.n_calls, 1);
    assert_int_equal(second.n_calls, 1);
    assert_int_equal(third.n_calls, 0);
    ab_watch_free(second.watch);
}

static void a_watch_outlives_the_engine(void **state)
{
    struct rig *rig = *state;
    struct watcher watcher = { 0 };
    watcher.watch = ab_engine_watch(rig->engine, "none of this name", changed, &watcher);
    rig_restart(rig, &(struct ab_engine_settings){ 0 }, true);
    rig_run(rig);
    assert_int_equal(watcher.n_calls, 0);
    ab_watch_free(watcher.watch);
}

/* --- looking and counting --- */

static void a_task_is_its_owners(void **state)
{
    struct rig *rig = *state;
    struct made made = rig_made(rig, "one", NULL);
    struct ab_task task;
    assert_int_equal(ab_engine_get(rig->engine, "ann", made.id, &task), AB_OK);
    ab_task_deinit(&task);
    assert_int_equal(ab_engine_get(rig->engine, "bob", made.id, &task), AB_TASK_UNKNOWN);
    assert_int_equal(ab_engine_get(rig->engine, "ann", "0123", &task), AB_TASK_UNKNOWN);
}

static void assert_metric(struct rig *rig, const char *line)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_metrics_render(rig->metrics, &text);
    if (strstr(text.data, line) == NULL) {
        fail_msg("no \"%s\" in:\n%s", line, text.data);
    }
    ab_buf_deinit(&text);
}

static void tasks_are_counted(void **state)
{
    struct rig *rig = *state;
    struct made first = rig_made(rig, "one", NULL);
    (void)rig_made(rig, "one", NULL);
    assert_metric(rig, "agentbridge_tasks_created_total{agent=\"one\"} 2\n");
    assert_metric(rig, "agentbridge_tasks_unfinished{agent=\"one\",status=\"executing\"} 2\n");
    assert_metric(rig, "agentbridge_tasks_unfinished{agent=\"one\",status=\"pending\"} 0\n");
    struct fake_run *run = fake_agent_run(rig->one, first.id);
    (void)fake_report_text(run, AB_REPORT_FAILED, "no");
    fake_end(run);
    rig_run(rig);
    assert_metric(rig, "agentbridge_tasks_unfinished{agent=\"one\",status=\"executing\"} 1\n");
    assert_metric(rig, "agentbridge_tasks_finished_total{agent=\"one\",status=\"failed\"} 1\n");
    assert_metric(rig, "agentbridge_task_duration_seconds_count{agent=\"one\"} 1\n");
    assert_metric(rig, "agentbridge_task_first_report_seconds_count{agent=\"one\"} 1\n");
}

static void an_answer_of_another_form_fails(void **state)
{
    struct rig *rig = *state;
    struct made made = { 0 };
    struct ab_new_task wish = rig_wish();
    wish.options_json = "{\"output_format\":\"json\",\"output_schema\":{\"required\":[\"n\"]}}";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    (void)fake_report_json(fake_agent_run(rig->one, made.id), AB_REPORT_RESULT, "{\"text\":\"{}\"}");
    fake_end(fake_agent_run(rig->one, made.id));
    rig_run(rig);
    struct ab_task row = rig_row(rig, made.id);
    assert_int_equal(row.status, AB_TASK_FAILED);
    assert_null(row.result_json);
    assert_non_null(strstr(row.error_json, "does not fit output_schema at its root"));
    ab_task_deinit(&row);
    wish.options_json = "{\"output_format\":\"json\",\"output_schema\":{\"type\":\"none\"}}";
    rig_create(rig, &wish, &made);
    rig_run(rig);
    assert_int_equal(made.outcome, AB_CREATE_BAD_OPTIONS);
    assert_int_equal(rig_count_tasks(rig), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(every_kind_of_report_is_an_event),
        with_rig(bodies_have_their_shapes),
        with_rig(every_end),
        with_rig(one_question_too_many),
        with_rig(an_end_without_a_result_is_a_crash),
        with_rig(whoever_lingers_after_its_end_is_told_to_stop),
        with_rig(reports_from_inside_start),
        with_rig(an_agent_that_cannot_start),
        with_rig(output_is_bounded),
        with_rig(reports_collect_while_a_commit_is_under_way),
        with_rig(uncommitted_progress_is_replaced),
        with_rig(senseless_progress_is_no_event),
        with_rig(agents_slow_down_while_a_commit_hangs),
        with_rig(agents_slow_down_while_the_store_is_behind),
        with_rig(artifacts_are_put_together),
        with_rig(watchers_are_told_after_the_commit),
        with_rig(watchers_may_free_each_other),
        with_rig(a_watch_outlives_the_engine),
        with_rig(a_task_is_its_owners),
        with_rig(an_answer_of_another_form_fails),
        with_rig(tasks_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
