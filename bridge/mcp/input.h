/* A task's questions as this protocol's input requests (elicitation, sampling, roots), and the answers back. */
#ifndef AB_MCP_INPUT_H
#define AB_MCP_INPUT_H

#include "mcp/request.h"

/* Writes {"<key>":{"method","params"}} of the open questions whose kind the client can answer. `problem` (or NULL) is
 * why the last answer did not fit: each message ends with it. */
void ab_mcp_write_input_requests(struct ab_json_writer *writer, const struct ab_task *task, uint32_t capabilities,
                                 const char *problem);
/* Appends the answers ({"<key>":{"action",...}}) that these responses ({"<key>":ElicitResult ...}) mean; keys that are
 * not open are left out. */
void ab_mcp_answers_from_responses(struct ab_buf *out, const struct ab_task *task, struct ab_json responses);

#endif
