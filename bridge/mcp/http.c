/* Streamable HTTP: one endpoint for every version and both eras (MCP, basic/transports).
 *
 * The order of the checks is fixed by what clients of either era must be able to tell apart: content type, JSON, era,
 * then that era's headers and `_meta`, then the method. */
#include "mcp/core_tasks.h"
#include "mcp/dialogue.h"
#include "mcp/http_modern.h"
#include "mcp/methods.h"
#include "mcp/resumption.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>

static void respond_error(struct ab_http_exchange *exchange, unsigned status, const char *text,
                          const struct ab_http_header *header)
{
    struct ab_buf body = AB_BUF_INIT(1024);
    struct ab_http_head head = {
        .status = status, .content_type = "application/json", .headers = header, .n_headers = header != NULL ? 1 : 0
    };

    ab_jsonrpc_write_error(&body, (struct ab_json){ 0 }, AB_JSONRPC_INVALID_REQUEST, text, NULL);
    ab_http_respond(exchange, &head, ab_buf_str(&body));
    ab_buf_deinit(&body);
}

/* --- legacy sessions --- */

/* Finds the session of a legacy request; answers 400, 404 or 500 and returns false when there is none. */
static bool open_session(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner,
                         struct ab_mcp_session *session, struct ab_mcp_session_record *record)
{
    struct ab_str token;

    if (!ab_http_header(exchange, "mcp-session-id", &token)) {
        respond_error(exchange, 400, "The header Mcp-Session-Id is missing: send initialize first, or speak 2026-07-28",
                      NULL);
        return false;
    }
    if (!ab_mcp_session_open(mcp->settings.sealer, owner, token, session)) {
        respond_error(exchange, 404, "This session is unknown here: send initialize again", NULL);
        return false;
    }
    if (ab_mcp_session_load(mcp->settings.store, session->id, record) < 0) {
        respond_error(exchange, 500, "The session's record cannot be read", NULL);
        return false;
    }
    if (record->deleted) {
        respond_error(exchange, 404, "This session was ended: send initialize again", NULL);
        return false;
    }
    return true;
}

void ab_mcp_request_use_session(struct ab_mcp_request *request, const struct ab_mcp_session *session,
                                const struct ab_mcp_session_record *record)
{
    /* Messages are sent from "info" on until the client chooses a level (server/utilities/logging leaves it open). */
    const int default_level = 1;

    request->version = session->version;
    request->capabilities = session->capabilities;
    memcpy(request->client_name, session->client_name, sizeof(request->client_name));
    memcpy(request->session_id, session->id, sizeof(request->session_id));
    request->log_level = record->log_level >= 0 ? record->log_level : default_level;
    request->cancel_key = ab_format("%s %.*s", session->id, AB_STR_ARGS(request->message.id.text));
    ab_map_set(&request->mcp->cancellable, ab_str(request->cancel_key), request);
}

static void handle_cancelled(struct ab_mcp *mcp, const struct ab_mcp_session *session, struct ab_json params)
{
    struct ab_json id = ab_json_member(params, "requestId");
    AB_CLEANUP(ab_free_string) char *key = NULL;
    struct ab_mcp_request *request;

    if (!ab_json_exists(id))
        return;
    key = ab_format("%s %.*s", session->id, AB_STR_ARGS(id.text));
    request = ab_map_get(&mcp->cancellable, ab_str(key));
    if (request != NULL)
        ab_mcp_request_cancel(request);
}

static void handle_legacy_request(struct ab_mcp_request *request)
{
    const struct ab_mcp_method *method = ab_mcp_method_find(request->version, request->message.method);

    if (method == NULL)
        ab_mcp_answer_errorf(request, AB_JSONRPC_METHOD_NOT_FOUND, "There is no method \"%s\" in MCP %s",
                             request->message.method, request->version->name);
    else if (ab_json_exists(request->message.params) && !ab_json_is(request->message.params, AB_JSON_OBJECT))
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params must be an object, found %s",
                             ab_json_type_name(request->message.params));
    else
        method->handle(request);
}

/* Takes one message of a legacy POST in; requests are handled once all were read. False: the channel was refused. */
static bool take_legacy_message(struct ab_mcp_channel *channel, struct ab_json value,
                                const struct ab_mcp_session *session, const struct ab_mcp_session_record *record)
{
    struct ab_jsonrpc_message message;
    const char *reason = NULL;

    if (!ab_jsonrpc_read(value, &message, &reason)) {
        ab_mcp_channel_refuse(channel, 400, message.id, AB_JSONRPC_INVALID_REQUEST, reason, NULL);
        ab_jsonrpc_message_deinit(&message);
        return false;
    }
    if (message.kind == AB_JSONRPC_REQUEST)
        ab_mcp_request_use_session(ab_mcp_request_new(channel, &message), session, record);
    else if (message.kind == AB_JSONRPC_NOTIFICATION && strcmp(message.method, "notifications/cancelled") == 0)
        handle_cancelled(channel->mcp, session, message.params);
    else if (message.kind == AB_JSONRPC_RESPONSE)
        (void)ab_mcp_dialogue_respond(channel->mcp, session->id, &message);
    ab_jsonrpc_message_deinit(&message);
    return true;
}

static void answer_accepted(struct ab_mcp_channel *channel)
{
    channel->status = 202;
    ab_mcp_channel_end(channel);
}

/* All of a batch is answered together: a list asked for a hundred thousand times would be held as often. */
#define BATCH_MESSAGES 100

/* False: the channel was refused. */
static bool take_batch(struct ab_mcp_channel *channel, struct ab_json body, const struct ab_mcp_session *session,
                       const struct ab_mcp_session_record *record)
{
    struct ab_json_iterator elements = ab_json_iterate(body);
    size_t n = ab_json_count(body);
    struct ab_json element;
    char text[128];

    if (!session->version->batches || n == 0 || n > BATCH_MESSAGES) {
        snprintf(text, sizeof text, "A batch holds 1 to %d messages", BATCH_MESSAGES);
        ab_mcp_channel_refuse(channel, 400, (struct ab_json){ 0 }, AB_JSONRPC_INVALID_REQUEST,
                              session->version->batches ? text : "This version takes one message per POST", NULL);
        return false;
    }
    channel->batch = true;
    while (ab_json_next(&elements, NULL, &element))
        if (!take_legacy_message(channel, element, session, record))
            return false;
    return true;
}

static void post_legacy(struct ab_mcp_channel *channel, struct ab_json body)
{
    struct ab_mcp_session session;
    struct ab_mcp_session_record record;

    if (!open_session(channel->mcp, channel->exchange, channel->owner, &session, &record)) {
        channel->done = true;
        return;
    }
    if (ab_json_is(body, AB_JSON_ARRAY) ? !take_batch(channel, body, &session, &record)
                                        : !take_legacy_message(channel, body, &session, &record))
        return;
    if (ab_list_is_empty(&channel->requests))
        answer_accepted(channel);
    else
        ab_mcp_channel_handle(channel, handle_legacy_request);
}

/* --- POST --- */

static bool is_initialize(struct ab_json body)
{
    return ab_json_string_is(ab_json_member(body, "method"), "initialize");
}

static void post_initialize(struct ab_mcp_channel *channel, struct ab_json body)
{
    struct ab_jsonrpc_message message;
    const char *reason = NULL;

    if (!ab_jsonrpc_read(body, &message, &reason) || message.kind != AB_JSONRPC_REQUEST) {
        ab_mcp_channel_refuse(channel, 400, message.id, AB_JSONRPC_INVALID_REQUEST,
                              reason != NULL ? reason : "initialize is a request: it needs an id", NULL);
        ab_jsonrpc_message_deinit(&message);
        return;
    }
    ab_mcp_request_new(channel, &message)->version = ab_mcp_version_newest(AB_MCP_LEGACY);
    ab_mcp_channel_handle(channel, handle_legacy_request);
}

/* MCP 2026-07-28, basic/transports and the decision that lets both eras share an endpoint. */
static bool is_modern(struct ab_http_exchange *exchange, struct ab_json body)
{
    struct ab_str header;

    if (ab_json_exists(ab_json_at(body, "params", "_meta", "io.modelcontextprotocol/protocolVersion", NULL)))
        return true;
    if (!ab_http_header(exchange, "mcp-protocol-version", &header))
        return false;
    const struct ab_mcp_version *version = ab_mcp_version_find(ab_str_trim(header));
    return version == NULL || version->era == AB_MCP_MODERN;
}

/* The media types of both directions; answers 415 or 406 itself. */
static bool check_media_types(struct ab_mcp_channel *channel)
{
    struct ab_str type = { 0 };
    struct ab_str accept = { 0 };

    ab_http_header(channel->exchange, "content-type", &type);
    ab_http_header(channel->exchange, "accept", &accept);
    channel->can_json = ab_http_accepts(accept, "application/json");
    channel->can_stream = ab_http_accepts(accept, "text/event-stream");
    if (!ab_http_is_media_type(type, "application/json")) {
        respond_error(channel->exchange, 415, "Content-Type must be application/json", NULL);
        channel->done = true;
        return false;
    }
    if (!channel->can_json && !channel->can_stream) {
        respond_error(channel->exchange, 406, "Accept must take application/json, text/event-stream", NULL);
        channel->done = true;
        return false;
    }
    return true;
}

static void post(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner)
{
    struct ab_str text = ab_http_request(exchange)->body;
    struct ab_mcp_channel *channel = ab_mcp_channel_new(mcp, exchange, owner);
    struct ab_json_error error;
    struct ab_json body;

    if (!check_media_types(channel))
        return;
    channel->body = ab_strndup(text.data, text.size);
    text.data = channel->body;
    if (!ab_json_check(text, mcp->settings.json_depth, &body, &error)) {
        ab_mcp_channel_refuse(channel, 400, (struct ab_json){ 0 }, AB_JSONRPC_PARSE_ERROR, error.text, NULL);
        return;
    }
    if (is_modern(exchange, body))
        ab_mcp_post_modern(channel, body);
    else if (is_initialize(body))
        post_initialize(channel, body);
    else
        post_legacy(channel, body);
}

/* --- GET and DELETE: sessions only --- */

static void refuse_method(struct ab_http_exchange *exchange, const char *text)
{
    respond_error(exchange, 405, text, &(struct ab_http_header){ "Allow", "POST" });
}

static bool speaks_modern(struct ab_http_exchange *exchange)
{
    struct ab_str header;
    const struct ab_mcp_version *version;

    if (!ab_http_header(exchange, "mcp-protocol-version", &header))
        return false;
    version = ab_mcp_version_find(ab_str_trim(header));
    return version != NULL && version->era == AB_MCP_MODERN;
}

/* False: the caller has as many streams as he may, and was refused. */
static bool take_place(const struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner,
                       struct ab_stream_place **place)
{
    char text[AB_STREAMS_TEXT_SIZE];

    if (ab_streams_enter(mcp->settings.streams, owner, place, text))
        return true;
    respond_error(exchange, 429, text, NULL);
    return false;
}

/* The session's own stream; `told` as ab_mcp_session_stream_opened has it. */
static void open_stream(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner,
                        const struct ab_mcp_session *session, struct ab_json told)
{
    struct ab_mcp_channel *channel;
    struct ab_stream_place *place;

    if (!take_place(mcp, exchange, owner, &place))
        return;
    channel = ab_mcp_channel_new(mcp, exchange, owner);
    channel->place = place;
    channel->can_stream = true;
    ab_list_append(&mcp->streams, &channel->stream_link);
    ab_mcp_channel_stream(channel);
    ab_mcp_session_stream_opened(channel, session, told);
    if (mcp->draining)
        ab_mcp_channel_end(channel);
}

/* A GET that names the last event of a stream. */
static void resume_stream(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner,
                          const struct ab_mcp_session *session, const struct ab_mcp_session_record *record,
                          struct ab_str token)
{
    struct ab_mcp_event_id event_id;
    struct ab_mcp_channel *channel;
    struct ab_stream_place *place;

    if (!ab_mcp_event_id_read(mcp, owner, session->id, token, &event_id)) {
        respond_error(exchange, 400,
                      "Last-Event-ID is not the id of an event of this session: leave it out, or call again", NULL);
    } else if (ab_json_exists(event_id.told)) {
        open_stream(mcp, exchange, owner, session, event_id.told);
    } else if (take_place(mcp, exchange, owner, &place)) {
        channel = ab_mcp_channel_new(mcp, exchange, owner);
        channel->place = place;
        channel->can_stream = true;
        ab_mcp_resume_stream(channel, session, record, &event_id);
    }
    ab_mcp_event_id_deinit(&event_id);
}

static bool last_event_id(struct ab_http_exchange *exchange, struct ab_str *out)
{
    if (!ab_http_header(exchange, "last-event-id", out))
        return false;
    *out = ab_str_trim(*out);
    return out->size > 0;
}

static void get_stream(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner)
{
    struct ab_mcp_session session;
    struct ab_mcp_session_record record;
    struct ab_str accept = { 0 };
    struct ab_str token;

    ab_http_header(exchange, "accept", &accept);
    if (!ab_http_accepts(accept, "text/event-stream")) {
        respond_error(exchange, 406, "Accept must take text/event-stream", NULL);
        return;
    }
    if (!open_session(mcp, exchange, owner, &session, &record))
        return;
    if (session.version->resumable && last_event_id(exchange, &token)) {
        resume_stream(mcp, exchange, owner, &session, &record, token);
        return;
    }
    open_stream(mcp, exchange, owner, &session, (struct ab_json){ 0 });
}

/* A deletion waits for its commit: after a restart the id must stay dead. */
struct deletion {
    struct ab_mcp *mcp;
    struct ab_http_exchange *exchange; /* NULL once the client left */
    char session_id[AB_MCP_SESSION_ID_SIZE];
    bool stored;
};

static void on_deletion_closed(void *arg, bool finished)
{
    struct deletion *deletion = arg;

    (void)finished;
    deletion->exchange = NULL;
    if (deletion->stored)
        free(deletion);
}

static void on_deleted(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct deletion *deletion = arg;

    deletion->stored = true;
    if (deletion->exchange == NULL) { /* perhaps because all is being taken down */
        free(deletion);
    } else if (outcome == AB_STORE_DONE) {
        ab_mcp_session_stream_end(deletion->mcp, deletion->session_id);
        ab_http_respond_simple(deletion->exchange, 204, NULL, (struct ab_str){ 0 });
    } else {
        respond_error(deletion->exchange, 503, text, NULL);
    }
}

/* The record outlives any use of the id that a forgetful client may make. */
#define DELETED_KEPT_MS ((int64_t)30 * 24 * 3600 * 1000)

static void delete_session(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner)
{
    static const struct ab_http_events events = { .closed = on_deletion_closed };
    struct deletion *deletion;
    struct ab_mcp_session session;
    struct ab_mcp_session_record record;

    if (!open_session(mcp, exchange, owner, &session, &record))
        return;
    record.deleted = true;
    deletion = ab_alloc(1, sizeof(*deletion));
    deletion->mcp = mcp;
    deletion->exchange = exchange;
    memcpy(deletion->session_id, session.id, sizeof(deletion->session_id));
    ab_http_listen(exchange, &events, deletion);
    ab_mcp_session_save(mcp->settings.store, session.id, owner, &record,
                        ab_clock_wall_ms(&mcp->settings.loop->clock) + DELETED_KEPT_MS, on_deleted, deletion);
}

void ab_mcp_handle(struct ab_mcp *mcp, struct ab_http_exchange *exchange, const char *owner)
{
    const struct ab_http_request *request = ab_http_request(exchange);
    struct ab_str id;

    if (ab_str_is(request->method, "POST"))
        post(mcp, exchange, owner);
    else if (!ab_str_is(request->method, "GET") && !ab_str_is(request->method, "DELETE"))
        refuse_method(exchange, "This endpoint takes POST, and GET and DELETE within a session");
    else if (speaks_modern(exchange) || !ab_http_header(exchange, "mcp-session-id", &id))
        refuse_method(exchange, "GET and DELETE need a session (Mcp-Session-Id); MCP 2026-07-28 has none");
    else if (ab_str_is(request->method, "GET"))
        get_stream(mcp, exchange, owner);
    else
        delete_session(mcp, exchange, owner);
}
