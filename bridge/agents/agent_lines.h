/* Agent lines: newline-delimited JSON between the bridge and a `command` agent with output "events".
 * schemas/agent-lines.schema.json describes every line. Bytes in, reports out, and back; no I/O. */
#ifndef AB_AGENTS_AGENT_LINES_H
#define AB_AGENTS_AGENT_LINES_H

#include "agentbridge/agent.h"
#include "base/buf.h"

/* Enough for every reason below. */
#define AB_AGENT_LINE_REASON_SIZE 512

/* One event of an agent. The report's strings are owned by this struct. */
struct ab_agent_line {
    struct ab_report report;
    char *text;
    char *json;
};

/* Reads one line of an agent's stdout. True: `out` is the event and needs deinit. False: `reason` says what is wrong
 * with the line and what would be right; there is nothing to deinit. */
AB_MUST bool ab_agent_line_read(struct ab_str line, struct ab_agent_line *out, char *reason, size_t reason_size);
void ab_agent_line_deinit(struct ab_agent_line *line);

/* Lines for an agent's stdin, each appended with its line break: the task (`history_json` may be NULL), the answers of
 * a round, and the wish to stop. */
void ab_agent_lines_write_task(struct ab_buf *out, const struct ab_task *task, const struct ab_task_request *request,
                               const char *history_json);
void ab_agent_lines_write_answer(struct ab_buf *out, const char *answers_json);
void ab_agent_lines_write_cancel(struct ab_buf *out);

#endif
