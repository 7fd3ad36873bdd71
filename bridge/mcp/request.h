/* Inside the MCP face: one JSON-RPC request, and the channel its answer goes out on.
 *
 * A channel is one HTTP exchange with one request (or a batch of them). It answers as plain JSON when all is said
 * before the head has to go out, and as an event stream otherwise. Requests and channel live until the exchange is
 * closed; whatever waits longer than the handler's call is an operation, which is told when its request goes. */
#ifndef AB_MCP_REQUEST_H
#define AB_MCP_REQUEST_H

#include "base/list.h"
#include "base/map.h"
#include "mcp/mcp.h"
#include "mcp/session.h"
#include "mcp/version.h"
#include "wire/jsonrpc.h"
#include "wire/schema.h"

/* Codes of MCP 2026-07-28, basic/transports. */
enum ab_mcp_code {
    AB_MCP_HEADER_MISMATCH = -32020,
    AB_MCP_MISSING_CAPABILITY = -32021,
    AB_MCP_UNSUPPORTED_VERSION = -32022
};

/* An agent, or a skill of one, published as a tool, ready for use. */
struct ab_mcp_published {
    struct ab_mcp_tool settings; /* strings owned */
    struct ab_schema *input;     /* or NULL: anything */
    struct ab_schema *output;    /* or NULL */
    uint32_t requires;           /* client capabilities */
    char *skill;                 /* its id, or NULL: the agent itself */
    char *skill_json;            /* as the agent told it */
    unsigned holders;            /* the list, and calls that are open: skills come and go */
};

/* One of the six tools that are always there. */
struct ab_mcp_builtin {
    char *name;
    struct ab_json definition; /* in the embedded file */
    struct ab_schema *input;
};

#define AB_MCP_BUILTINS 6

struct ab_mcp {
    struct ab_mcp_settings settings;     /* strings owned; tools point into `published` no more */
    struct ab_mcp_published **published; /* the configured ones, then the skills */
    size_t n_published;
    size_t n_configured;
    struct ab_mcp_published *departed; /* stands for a tool that there was when its task was made */
    struct ab_watch *agents_watch;     /* or NULL */
    struct ab_mcp_builtin builtin[AB_MCP_BUILTINS];
    struct ab_map session_streams; /* session id -> its GET stream */
    struct ab_map dialogues;       /* "session id request id" -> a question put to a legacy client (dialogue.c) */
    uint64_t asked;                /* numbers our requests to clients */
    struct ab_map cancellable;     /* "session id request id" -> struct ab_mcp_request, open legacy requests */
    struct ab_list streams;        /* GET and listen channels, for keep-alives */
    struct ab_timer *keep_alive;
    bool draining;
};

struct ab_mcp_channel {
    struct ab_mcp *mcp;
    struct ab_http_exchange *exchange;
    struct ab_list requests; /* all of them, answered or not, until the end */
    char *body;              /* the messages' text */
    char *owner;
    struct ab_stream_place *place; /* of a stream that stays open; or NULL */
    size_t n_open;                 /* not yet answered */
    bool batch;
    bool can_stream; /* the client takes text/event-stream */
    bool can_json;
    bool streaming;
    bool opened;            /* the stream's first bytes were written */
    bool behind;            /* the client reads slowly: nothing is written until it caught up */
    bool done;              /* answered whole, or ended */
    bool handling;          /* inside the requests' handlers: answers are gathered */
    unsigned status;        /* of a plain answer */
    char *session_token;    /* sent as Mcp-Session-Id with the head, or NULL */
    struct ab_buf gathered; /* plain answers so far; of a stream, what is held while the client is behind */
    struct ab_timer *head_timer;
    struct ab_link stream_link;            /* in ab_mcp.streams */
    struct session_stream *session_stream; /* of a GET stream; core_tasks.c */
};

struct ab_mcp_place; /* event_id.h */
struct ab_mcp_operation;
struct ab_mcp_operation_ops {
    /* The request is gone (the client left, or cancelled it): `operation->request` is already NULL. */
    void (*gone)(struct ab_mcp_operation *operation, bool cancelled);
    /* The client reads again. */
    void (*drained)(struct ab_mcp_operation *operation);
};

/* First member of whatever answers a request later. */
struct ab_mcp_operation {
    const struct ab_mcp_operation_ops *ops;
    struct ab_mcp_request *request;
};

struct ab_mcp_request {
    struct ab_mcp *mcp;
    struct ab_mcp_channel *channel;
    struct ab_link link;
    struct ab_mcp_operation *operation; /* or NULL */
    const struct ab_mcp_version *version;
    struct ab_jsonrpc_message message; /* slices of channel->body */
    struct ab_json meta;               /* params._meta */
    struct ab_json progress_token;
    uint32_t capabilities; /* what the client can do: enum ab_mcp_capability */
    char client_name[AB_MCP_CLIENT_NAME_SIZE];
    int log_level;                           /* 0 debug ... 7 emergency; -1: no log messages */
    char session_id[AB_MCP_SESSION_ID_SIZE]; /* "" in the modern era */
    char *cancel_key;                        /* in ab_mcp.cancellable, or NULL */
    const struct ab_mcp_place *place;        /* how far its stream has come, while it waits for its task; or NULL */
    const char *related_task;                /* whose messages its stream carries, when each must say so; or NULL */
    bool resumable;                          /* its events carry ids */
    bool answered;
};

/* --- channel.c --- */

AB_MUST struct ab_mcp_channel *ab_mcp_channel_new(struct ab_mcp *mcp, struct ab_http_exchange *exchange,
                                                  const char *owner);
/* A request on the channel; `value` is a slice of channel->body that ab_jsonrpc_read accepted into `message`, which
 * the request owns from here on. */
struct ab_mcp_request *ab_mcp_request_new(struct ab_mcp_channel *channel, struct ab_jsonrpc_message *message);
/* Before and after the requests' handlers: answers given in between leave together, plain when all were given. */
void ab_mcp_channel_handle(struct ab_mcp_channel *channel, void (*handle)(struct ab_mcp_request *request));
/* Sends the head of a stream now. */
void ab_mcp_channel_stream(struct ab_mcp_channel *channel);
/* Ends the channel without (further) answers. */
void ab_mcp_channel_end(struct ab_mcp_channel *channel);
/* A comment on an open stream, unless it is behind. */
void ab_mcp_channel_keep_alive(struct ab_mcp_channel *channel);

/* Ties an operation to its request. */
void ab_mcp_operation_begin(struct ab_mcp_operation *operation, const struct ab_mcp_operation_ops *ops,
                            struct ab_mcp_request *request);
/* The operation lets go of its request; the request stays unanswered until answered. */
void ab_mcp_operation_end(struct ab_mcp_operation *operation);
/* For a request that waits for one callback and nothing else: the ticket travels as the callback's argument and gives
 * the request back, or NULL when it is gone meanwhile. Redeeming frees it. */
struct ab_mcp_ticket;
AB_MUST struct ab_mcp_ticket *ab_mcp_ticket_new(struct ab_mcp_request *request);
AB_MUST struct ab_mcp_request *ab_mcp_ticket_redeem(struct ab_mcp_ticket *ticket);
/* A request that the client cancelled: its operation is told, no answer follows. */
void ab_mcp_request_cancel(struct ab_mcp_request *request);
/* Its stream goes on elsewhere: this one ends without an answer, and nothing is cancelled. */
void ab_mcp_request_displace(struct ab_mcp_request *request);
/* From here on events carry ids, where version and channel allow. `place` lives until the request's operation sets
 * request->place to NULL. */
void ab_mcp_request_set_place(struct ab_mcp_request *request, const struct ab_mcp_place *place);

/* A notification on a stream without a request (GET); `event_id` or NULL. */
void ab_mcp_channel_notify(struct ab_mcp_channel *channel, const char *event_id, const char *method,
                           struct ab_str params);
/* An event that is only an id, on an open stream. */
void ab_mcp_channel_prime(struct ab_mcp_channel *channel, const char *event_id);
/* A notification on the request's stream; `params` is an object's text. Dropped when the client takes no stream. */
void ab_mcp_notify(struct ab_mcp_request *request, const char *method, struct ab_str params);
/* A request of ours to the client, on the same stream (legacy era). `id_json` names it. */
void ab_mcp_send_request(struct ab_mcp_request *request, const char *id_json, const char *method,
                         struct ab_json params);
bool ab_mcp_is_behind(const struct ab_mcp_request *request);

/* A result under construction: `writer` stands inside its object. */
struct ab_mcp_result {
    struct ab_mcp_request *request;
    struct ab_buf text;
    struct ab_json_writer writer;
    const char *meta_key; /* one more member of `_meta`, or NULL */
    struct ab_json meta_value;
};
/* Begins a result: in the modern era with this resultType ("complete", "task"). */
void ab_mcp_result_begin(struct ab_mcp_result *result, struct ab_mcp_request *request, const char *type);
/* One more member of the result's `_meta`. */
void ab_mcp_result_meta(struct ab_mcp_result *result, const char *key, struct ab_json value);
/* Ends it and answers the request. */
void ab_mcp_result_send(struct ab_mcp_result *result);
/* {} */
void ab_mcp_answer_empty(struct ab_mcp_request *request);
/* An error; the HTTP status follows from code and era. `data_json` may be NULL. */
void ab_mcp_answer_error(struct ab_mcp_request *request, int64_t code, const char *message, const char *data_json);
AB_PRINTF(3, 4) void ab_mcp_answer_errorf(struct ab_mcp_request *request, int64_t code, const char *format, ...);

/* An error for a message that made no request (unreadable, headers wrong ...); answers the whole channel. */
void ab_mcp_channel_refuse(struct ab_mcp_channel *channel, unsigned status, struct ab_json id, int64_t code,
                           const char *message, const char *data_json);

/* --- http.c --- */

/* What the session fixed and recorded becomes the request's. */
void ab_mcp_request_use_session(struct ab_mcp_request *request, const struct ab_mcp_session *session,
                                const struct ab_mcp_session_record *record);

/* --- lifecycle.c --- */

/* 0 ("debug") ... 7 ("emergency"), or -1. */
int ab_mcp_level_parse(struct ab_json name);
/* {"name","version","title"} of this server. */
void ab_mcp_write_server_info(struct ab_json_writer *writer);

#endif
