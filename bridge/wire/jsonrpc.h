/* JSON-RPC 2.0 messages (jsonrpc.org/specification, as MCP and A2A use it): one object each, ids carried as raw text.
 */
#ifndef AB_WIRE_JSONRPC_H
#define AB_WIRE_JSONRPC_H

#include "wire/json.h"

enum ab_jsonrpc_code {
    AB_JSONRPC_PARSE_ERROR = -32700,
    AB_JSONRPC_INVALID_REQUEST = -32600,
    AB_JSONRPC_METHOD_NOT_FOUND = -32601,
    AB_JSONRPC_INVALID_PARAMS = -32602,
    AB_JSONRPC_INTERNAL_ERROR = -32603
};

enum ab_jsonrpc_kind { AB_JSONRPC_REQUEST, AB_JSONRPC_NOTIFICATION, AB_JSONRPC_RESPONSE };

struct ab_jsonrpc_message {
    enum ab_jsonrpc_kind kind;
    struct ab_json id;     /* string or integer; no value on notifications and on errors without an id */
    char *method;          /* owned; NULL on responses; unescaped */
    struct ab_json params; /* object (or array, JSON-RPC allows it), or no value */
    struct ab_json result; /* responses: exactly one of result and error */
    struct ab_json error;
};

/* Reads one checked value. True: `out` is filled and needs deinit. False: it is no valid message; `reason` is a fixed
 * sentence that names the fault, and `out->id` is the id when one was readable (else no value). */
AB_MUST bool ab_jsonrpc_read(struct ab_json value, struct ab_jsonrpc_message *out, const char **reason);
void ab_jsonrpc_message_deinit(struct ab_jsonrpc_message *message);

/* {"jsonrpc":"2.0","id":...,"result":<result>} */
void ab_jsonrpc_write_result(struct ab_buf *out, struct ab_json id, struct ab_str result);
/* {"jsonrpc":"2.0","id":...,"error":{"code","message","data"?}}; without an id the member is left out. */
void ab_jsonrpc_write_error(struct ab_buf *out, struct ab_json id, int64_t code, const char *message,
                            const char *data_json);
/* {"jsonrpc":"2.0","id"?:...,"method","params"?}; an absent id makes a notification. */
void ab_jsonrpc_write_call(struct ab_buf *out, struct ab_json id, const char *method, const char *params_json);

#endif
