#include "mcp/resumption.h"

#include "mcp/wait.h"

#include "base/mem.h"

#include <string.h>

/* The call as it was, as far as its stream depends on it. */
static struct ab_mcp_request *request_again(struct ab_mcp_channel *channel, const struct ab_mcp_event_id *event_id)
{
    struct ab_jsonrpc_message message;
    struct ab_json value;
    const char *reason = NULL;
    bool token = ab_json_exists(event_id->token);

    channel->body =
        ab_format("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"method\":\"tools/call\",\"params\":{\"_meta\":{%s%.*s}}}",
                  AB_STR_ARGS(event_id->id.text), token ? "\"progressToken\":" : "", AB_STR_ARGS(event_id->token.text));
    value = ab_json_trusted(channel->body);
    if (!ab_jsonrpc_read(value, &message, &reason)) {
        ab_jsonrpc_message_deinit(&message);
        return NULL;
    }
    return ab_mcp_request_new(channel, &message);
}

static void displace_earlier(struct ab_mcp *mcp, const struct ab_mcp_session *session,
                             const struct ab_mcp_event_id *event_id)
{
    AB_CLEANUP(ab_free_string) char *key = ab_format("%s %.*s", session->id, AB_STR_ARGS(event_id->id.text));
    struct ab_mcp_request *earlier = ab_map_get(&mcp->cancellable, ab_str(key));

    if (earlier != NULL && earlier->place != NULL && strcmp(earlier->place->task_id, event_id->place.task_id) == 0)
        ab_mcp_request_displace(earlier);
}

static void go_on(struct ab_mcp_request *request, const struct ab_mcp_place *place, const struct ab_task *task)
{
    struct ab_mcp *mcp = request->mcp;
    struct ab_mcp_patience patience = { .core_task = place->core_task, .wait_ms = -1 };
    struct ab_mcp_call_kind kind = { 0 };

    if (place->published)
        ab_mcp_call_kind_of(mcp, task, &kind);
    kind.related = place->related;
    kind.with_events = place->with_events;
    kind.events_after = place->events_after;
    if (place->until >= 0) {
        int64_t left = place->until - ab_clock_wall_ms(&mcp->settings.loop->clock);
        patience.wait_ms = left > 0 ? left : 0;
    }
    ab_engine_touch(mcp->settings.engine, task->id);
    ab_mcp_wait_continue(ab_mcp_wait_new(request, &kind, &patience, place->starts_task, AB_DISCONNECT_KEEP), task,
                         place);
}

void ab_mcp_resume_stream(struct ab_mcp_channel *channel, const struct ab_mcp_session *session,
                          const struct ab_mcp_session_record *record, const struct ab_mcp_event_id *event_id)
{
    struct ab_mcp *mcp = channel->mcp;
    struct ab_mcp_request *request;
    struct ab_task task = { 0 };

    if (event_id->done || (request = request_again(channel, event_id)) == NULL) {
        ab_mcp_channel_stream(channel);
        ab_mcp_channel_end(channel);
        return;
    }
    displace_earlier(mcp, session, event_id);
    ab_mcp_request_use_session(request, session, record);
    ab_mcp_channel_stream(channel);
    if (ab_engine_get(mcp->settings.engine, channel->owner, event_id->place.task_id, &task) == AB_OK)
        go_on(request, &event_id->place, &task);
    else
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR,
                             "The task of this call is gone: finished tasks are kept for a limited time");
    ab_task_deinit(&task);
}
