/* A GET with Last-Event-ID: a call's broken stream goes on (MCP 2025-03-26 ... 2025-11-25, basic/transports). */
#ifndef AB_MCP_RESUMPTION_H
#define AB_MCP_RESUMPTION_H

#include "mcp/event_id.h"

/* Tells on `channel`, the GET's, what the stream of this event missed, from the task's log, and goes on to the call's
 * response. Where the call's stream is still open elsewhere, that one ends: a message belongs to one stream only. */
void ab_mcp_resume_stream(struct ab_mcp_channel *channel, const struct ab_mcp_session *session,
                          const struct ab_mcp_session_record *record, const struct ab_mcp_event_id *event_id);

#endif
