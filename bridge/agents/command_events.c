/* Output "events": each line of stdout is one event. */
#include "agents/agent_lines.h"
#include "agents/command_run.h"

#include <inttypes.h>

static bool is_blank(struct ab_str line)
{
    return ab_str_trim(line).size == 0;
}

static void log_late_line(const struct command_run *run, struct ab_str line)
{
    if (!is_blank(line)) {
        ab_log(run->agent->log, AB_LOG_WARNING, "command", "a line after the task's end is ignored", "agent",
               run->agent->id, "task", ab_run_task_id(run->run), NULL);
    }
}

/* Who is asking, and whether an answer is still to come, decides what an exit means. */
static void note_question(struct command_run *run, enum ab_report_kind kind)
{
    if (kind == AB_REPORT_ASK) {
        run->asking = true;
    } else if (kind == AB_REPORT_EXECUTING) {
        run->asking = false;
    }
}

static void take_line(struct command_run *run, struct ab_str line)
{
    struct ab_agent_line event;
    char reason[AB_AGENT_LINE_REASON_SIZE];
    if (is_blank(line)) {
        return;
    }
    if (!ab_agent_line_read(line, &event, reason, sizeof reason)) {
        command_break(run, "Line %" PRIu64 " of the agent's output is no valid event: %s", run->lines.number, reason);
        return;
    }
    note_question(run, event.report.kind);
    command_report(run, &event.report);
    ab_agent_line_deinit(&event);
}

/* False when the line is over the limit. */
static bool take(struct command_run *run, enum ab_lines_result result, struct ab_str line)
{
    if (result == AB_LINES_TOO_LONG) {
        command_break(run, "Line %" PRIu64 " of the agent's output is longer than %zu bytes (limits.line_bytes)",
                      run->lines.number + 1, run->agent->line_bytes);
        return false;
    }
    if (run->over) {
        log_late_line(run, line);
    } else {
        take_line(run, line);
    }
    return true;
}

void command_events_output(struct command_run *run, struct ab_str data)
{
    struct ab_str line = { NULL, 0 };
    enum ab_lines_result result;
    if (run->over) {
        /* One word about it is enough; what is left is drained. */
        log_late_line(run, data);
        return;
    }
    ab_lines_feed(&run->lines, data.data, data.size);
    while ((result = ab_lines_next(&run->lines, &line)) != AB_LINES_NONE) {
        if (!take(run, result, line)) {
            return;
        }
    }
}

void command_events_output_end(struct command_run *run)
{
    struct ab_str line = { NULL, 0 };
    if (run->over) {
        return;
    }
    enum ab_lines_result result = ab_lines_last(&run->lines, &line);
    if (result != AB_LINES_NONE) {
        (void)take(run, result, line);
    }
}
