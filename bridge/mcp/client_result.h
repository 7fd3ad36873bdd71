/* What comes of a call of a tool: its result, a question in its place, or a task to be followed. */
#ifndef AB_MCP_CLIENT_RESULT_H
#define AB_MCP_CLIENT_RESULT_H

#include "mcp/version.h"
#include "wire/json.h"

enum ab_mcp_call_result {
    AB_MCP_CALL_RESULT,   /* content, structuredContent, isError */
    AB_MCP_CALL_INPUT,    /* inputRequests, requestState: to be called again with answers */
    AB_MCP_CALL_TASK,     /* a task of either dialect */
    AB_MCP_CALL_MALFORMED /* nothing that a server may answer */
};

/* What a result of tools/call or tasks/result is. A missing resultType means "complete"; one that nobody defined is
 * malformed (2026-07-28, basic). `reason` (256) says what is wrong with a malformed one. */
enum ab_mcp_call_result ab_mcp_client_result_kind(struct ab_json result, const struct ab_mcp_version *version,
                                                  char *reason, size_t reason_size);

/* A result in the form that a run reports: {"parts":[...],"data"?}; what a part cannot say of its block stands in its
 * metadata. */
void ab_mcp_client_write_result(struct ab_buf *out, struct ab_json result);
/* Its parts alone, as an array. */
void ab_mcp_client_write_parts(struct ab_json_writer *writer, struct ab_json content);
bool ab_mcp_client_is_error(struct ab_json result);
/* The words of an isError result; never empty, the caller frees. */
AB_MUST char *ab_mcp_client_error_text(struct ab_json result);
/* Whether it holds anything beside text. */
bool ab_mcp_client_has_more_than_text(struct ab_json result);

/* --- questions --- */

/* One request to the client (elicitation, sampling, roots) as a question of a task. False: it is not one that a client
 * with these capabilities may be asked, or malformed; `reason` (256) says which. */
AB_MUST bool ab_mcp_client_write_question(struct ab_json_writer *writer, struct ab_json method, struct ab_json params,
                                          uint32_t capabilities, char *reason, size_t reason_size);
/* All of `inputRequests` ({"<key>":{"method","params"}}), but those whose key stands in `known` (an object, or no
 * value): {"<key>":<question>}. Counts them. False as above; `out` is then of no use. */
AB_MUST bool ab_mcp_client_write_questions(struct ab_buf *out, struct ab_json requests, struct ab_json known,
                                           uint32_t capabilities, size_t *n, char *reason, size_t reason_size);
/* The answer to a request of this method as its result. False: it was refused, and the method has no result that says
 * so. */
AB_MUST bool ab_mcp_client_write_response(struct ab_buf *out, struct ab_json method, struct ab_json answer);
/* Answers by key to these `inputRequests`, as `inputResponses`. False as above. */
AB_MUST bool ab_mcp_client_write_responses(struct ab_buf *out, struct ab_json requests, struct ab_json answers);

/* --- tasks --- */

enum ab_mcp_remote_status {
    AB_MCP_REMOTE_WORKING,
    AB_MCP_REMOTE_INPUT,
    AB_MCP_REMOTE_COMPLETED,
    AB_MCP_REMOTE_FAILED,
    AB_MCP_REMOTE_CANCELLED,
    AB_MCP_REMOTE_STATUS_COUNT
};

/* A task of either dialect; strings owned. */
struct ab_mcp_remote_task {
    char *id;
    enum ab_mcp_remote_status status;
    char *message;         /* or NULL */
    int64_t poll_ms;       /* 0: not said */
    struct ab_json result; /* the extension's: slices of what was read */
    struct ab_json error;
    struct ab_json requests;
};
/* Reads a created task or what tasks/get gives; 2025-11-25 nests the former in "task". False: malformed. */
AB_MUST bool ab_mcp_client_read_task(struct ab_json value, struct ab_mcp_remote_task *out);
void ab_mcp_remote_task_deinit(struct ab_mcp_remote_task *task);

#endif
