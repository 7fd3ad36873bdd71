/* A task in this protocol's words: the shape of `invoke` and `get-task`, and a call's content blocks. */
#ifndef AB_MCP_SHAPE_H
#define AB_MCP_SHAPE_H

#include "mcp/request.h"

/* Writes the shape's object. `artifacts_json` (an array) and `events_json` (an array) may be NULL: left out;
 * `retry_after_s` 0: left out. */
void ab_mcp_write_task(struct ab_json_writer *writer, const struct ab_task *task, const char *artifacts_json,
                       const char *events_json, unsigned retry_after_s);
/* The short form of list-tasks. */
void ab_mcp_write_task_summary(struct ab_json_writer *writer, const struct ab_task *task);

/* Content blocks of an array of parts, inside an open array. */
void ab_mcp_write_parts(struct ab_json_writer *writer, struct ab_json parts, const struct ab_mcp_version *version);
/* One text block. */
void ab_mcp_write_text_block(struct ab_json_writer *writer, struct ab_str text);

/* The sentence that says how a task stands and what to do next, for a model to read. */
void ab_mcp_describe(const struct ab_task *task, struct ab_buf *out);

/* `failed` and `error` and `stopped`: the call's result is an error (DESIGN: "caller without tasks"). */
bool ab_mcp_is_error(const struct ab_task *task);

/* A task's events behind `after`, as one array of at most `limit` objects {"number","at","kind",...}. Those that came
 * after `task` was read are left for the next time, so that last_event and events agree. */
int ab_mcp_events_array(struct ab_engine *engine, const struct ab_task *task, uint64_t after, size_t limit,
                        struct ab_buf *out);

#endif
