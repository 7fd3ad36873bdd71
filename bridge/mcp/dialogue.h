/* Questions put to a legacy client on the stream of its open call (elicitation/create, sampling/createMessage,
 * roots/list), and the responses that come back by POST. */
#ifndef AB_MCP_DIALOGUE_H
#define AB_MCP_DIALOGUE_H

#include "mcp/request.h"

struct ab_mcp_dialogue;

/* NULL when this request's client cannot be asked: not legacy, no stream, or no capability at all. `related`: what is
 * put carries its task's id in _meta. */
AB_MUST struct ab_mcp_dialogue *ab_mcp_dialogue_new(struct ab_mcp_request *request, const char *task_id, bool related);
/* Forgets what is open; what was asked is withdrawn (notifications/cancelled) while the request is still there. NULL is
 * accepted. */
void ab_mcp_dialogue_free(struct ab_mcp_dialogue *dialogue);
/* Puts what has been opened since, withdraws what somebody else answered. True while the client has something to
 * answer. */
bool ab_mcp_dialogue_sync(struct ab_mcp_dialogue *dialogue, const struct ab_task *task);
/* The request is gone: nothing can be withdrawn any more. */
void ab_mcp_dialogue_detach(struct ab_mcp_dialogue *dialogue);
/* A response that a client posted; false when nobody waits for it. */
bool ab_mcp_dialogue_respond(struct ab_mcp *mcp, const char *session_id, const struct ab_jsonrpc_message *response);

#endif
