/* Reports become events: each kind of report has one function that changes the hot task and collects the event. */
#include "task/engine_internal.h"
#include "task/output.h"
#include "task/result.h"

#include <math.h>
#include <string.h>

enum { REPORT_DEPTH = 64 };

/* --- small writers --- */

static char *two_texts(const char *first_key, const char *first, const char *second_key, const char *second)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &body);
    ab_json_object_begin(&writer);
    ab_json_put_optional_text(&writer, first_key, first);
    ab_json_put_optional_text(&writer, second_key, second);
    ab_json_object_end(&writer);
    return ab_buf_steal(&body);
}

static char *progress_body(const struct ab_task *task)
{
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &body);
    ab_progress_write(&writer, task);
    return ab_buf_steal(&body);
}

/* The report's JSON, checked; false: the task has ended for it. */
static bool read_json(struct hot *hot, const struct ab_report *report, const char *what, struct ab_json *out)
{
    struct ab_json_error error = { 0 };
    if (report->json == NULL) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent gave %s without a body", what);
        return false;
    }
    if (!ab_json_check(ab_str(report->json), REPORT_DEPTH, out, &error)) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent gave %s that is not JSON: %s", what, error.text);
        return false;
    }
    return true;
}

/* --- while it works --- */

static void report_executing(struct hot *hot, const struct ab_report *report)
{
    if (hot->task.status == AB_TASK_PAUSED) {
        /* What it waited for came another way. */
        hot_withdraw_questions(hot);
        (void)hot_move(hot, AB_TASK_EXECUTING, AB_REASON_NONE, report->text);
    } else if (report->text != NULL || hot->task.status_message != NULL) {
        (void)hot_stay(hot, AB_REASON_NONE, report->text);
    }
}

/* The latest words of a working task; those of a pause say what is asked and stay. */
static void say_status(struct hot *hot, const char *text)
{
    if (text != NULL && hot->task.status == AB_TASK_EXECUTING) {
        ab_replace(&hot->task.status_message, text);
    }
}

static void report_progress(struct hot *hot, const struct ab_report *report)
{
    struct ab_task *task = &hot->task;
    if (!isfinite(report->progress_value)) {
        return;
    }
    task->has_progress = true;
    task->progress_value = report->progress_value;
    task->has_progress_total = isfinite(report->progress_total);
    task->progress_total = task->has_progress_total ? report->progress_total : 0;
    ab_replace(&task->progress_message, report->text);
    say_status(hot, report->text);
    hot_collect(hot, AB_EVENT_PROGRESS, progress_body(task));
}

static const char *known_level(const char *level)
{
    static const char *const levels[] = { "debug", "info",     "notice", "warning",
                                          "error", "critical", "alert",  "emergency" };
    for (size_t i = 0; level != NULL && i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i], level) == 0) {
            return levels[i];
        }
    }
    return "info";
}

static void report_log(struct hot *hot, const struct ab_report *report)
{
    const char *level = known_level(report->level);
    const char *text = report->text != NULL ? report->text : "";
    if (strcmp(level, "debug") != 0 && text[0] != '\0') {
        say_status(hot, text);
    }
    hot_collect(hot, AB_EVENT_LOG, two_texts("level", level, "text", text));
}

static void report_chunk(struct hot *hot, const struct ab_report *report)
{
    if (report->text == NULL || report->text[0] == '\0') {
        return;
    }
    ab_buf_append_text(&hot->chunks, report->text);
    hot_collect(hot, AB_EVENT_CHUNK, two_texts("text", report->text, "", NULL));
}

static void report_artifact(struct hot *hot, const struct ab_report *report)
{
    struct ab_json artifact;
    char reason[AB_RESULT_REASON_SIZE];
    if (!read_json(hot, report, "an artifact", &artifact)) {
        return;
    }
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (ab_artifact_write(&body, artifact, reason, sizeof reason)) {
        hot->task.n_artifacts++;
        hot_collect(hot, AB_EVENT_ARTIFACT, ab_buf_steal(&body));
    } else {
        hot_fail(hot, AB_REASON_CRASHED, "the agent gave a malformed artifact: %s", reason);
    }
    ab_buf_deinit(&body);
}

/* --- ends --- */

/* Whoever asked for a certain form builds on it: what has another one is no result. */
static void end_with(struct hot *hot, char *result_json)
{
    char reason[AB_OUTPUT_REASON_SIZE];
    struct ab_json options = ab_json_trusted(hot->request.options_json);
    if (ab_output_fits(options, ab_json_trusted(result_json), reason, sizeof reason)) {
        free(hot->task.result_json);
        hot->task.result_json = result_json;
        (void)hot_end(hot, AB_TASK_COMPLETED, AB_REASON_NONE, NULL);
    } else {
        free(result_json);
        (void)hot_end(hot, AB_TASK_FAILED, AB_REASON_NONE, reason);
    }
}

static void complete(struct hot *hot, struct ab_json result)
{
    char reason[AB_RESULT_REASON_SIZE];
    struct ab_buf body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (ab_result_write(&body, result, ab_buf_str(&hot->chunks), reason, sizeof reason)) {
        end_with(hot, ab_buf_steal(&body));
    } else {
        hot_fail(hot, AB_REASON_CRASHED, "the agent gave a malformed result: %s", reason);
    }
    ab_buf_deinit(&body);
}

static void report_result(struct hot *hot, const struct ab_report *report)
{
    struct ab_json result = { { NULL, 0 } };
    if (report->json == NULL || read_json(hot, report, "a result", &result)) {
        complete(hot, result);
    }
}

static void report_say(struct hot *hot, const struct ab_report *report)
{
    struct ab_json said;
    char reason[AB_RESULT_REASON_SIZE];
    if (!read_json(hot, report, "a message", &said)) {
        return;
    }
    if (!ab_parts_check(ab_json_member(said, "parts"), reason, sizeof reason)) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent gave a malformed message: %s", reason);
        return;
    }
    hot_collect(hot, AB_EVENT_SAY, ab_strdup(report->json));
    complete(hot, said);
}

static void report_error(struct hot *hot, const struct ab_report *report)
{
    enum ab_task_reason reason = report->reason;
    bool known = reason == AB_REASON_UNREACHABLE || reason == AB_REASON_TIMED_OUT || reason == AB_REASON_INTERRUPTED;
    (void)hot_end(hot, AB_TASK_ERROR, known ? reason : AB_REASON_CRASHED,
                  report->text != NULL ? report->text : "the agent failed without saying why");
}

static void report_protocol_error(struct hot *hot, const struct ab_report *report)
{
    struct ab_json error;
    if (!read_json(hot, report, "an error", &error)) {
        return;
    }
    if (!ab_error_is_well_formed(error)) {
        hot_fail(hot, AB_REASON_CRASHED,
                 "the agent gave a malformed error: it needs an integer \"code\" and a text \"message\"");
        return;
    }
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(error, "message"));
    free(hot->task.error_json);
    hot->task.error_json = ab_json_dup(error);
    (void)hot_end(hot, AB_TASK_ERROR, AB_REASON_PROTOCOL, message);
}

void hot_report(struct hot *hot, const struct ab_report *report)
{
    const char *no = report->text != NULL ? report->text : "the agent gave no reason";
    switch (report->kind) {
    case AB_REPORT_EXECUTING:
        report_executing(hot, report);
        break;
    case AB_REPORT_PROGRESS:
        report_progress(hot, report);
        break;
    case AB_REPORT_LOG:
        report_log(hot, report);
        break;
    case AB_REPORT_CHUNK:
        report_chunk(hot, report);
        break;
    case AB_REPORT_ARTIFACT:
        report_artifact(hot, report);
        break;
    case AB_REPORT_ASK:
        hot_ask(hot, report->json);
        break;
    case AB_REPORT_SAY:
        report_say(hot, report);
        break;
    case AB_REPORT_RESULT:
        report_result(hot, report);
        break;
    case AB_REPORT_FAILED:
        (void)hot_end(hot, AB_TASK_FAILED, AB_REASON_NONE, no);
        break;
    case AB_REPORT_REJECTED:
        (void)hot_end(hot, AB_TASK_FAILED, AB_REASON_REJECTED, no);
        break;
    case AB_REPORT_ERROR:
        report_error(hot, report);
        break;
    case AB_REPORT_PROTOCOL_ERROR:
        report_protocol_error(hot, report);
        break;
    case AB_REPORT_STOPPED:
        (void)hot_end(hot, AB_TASK_STOPPED, AB_REASON_NONE, report->text);
        break;
    default:
        break;
    }
}
