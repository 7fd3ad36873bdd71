/* The one place where what went wrong becomes an error on the wire (A2A 1.0, section 5.4; 0.3, section 8). */
#include "a2a/request.h"

#include <string.h>

struct code {
    int64_t rpc;
    const char *reason; /* of google.rpc.ErrorInfo */
    const char *status; /* google.rpc.Code */
    unsigned http;
    const char *name; /* the specification's */
};

/* By enum ab_a2a_error; the HTTP codes are those of 1.0.1. */
static const struct code codes[] = {
    [AB_A2A_TASK_NOT_FOUND] = { -32001, "TASK_NOT_FOUND", "NOT_FOUND", 404, "TaskNotFoundError" },
    [AB_A2A_TASK_NOT_CANCELABLE] = { -32002, "TASK_NOT_CANCELABLE", "FAILED_PRECONDITION", 400,
                                     "TaskNotCancelableError" },
    [AB_A2A_PUSH_NOT_SUPPORTED] = { -32003, "PUSH_NOTIFICATION_NOT_SUPPORTED", "FAILED_PRECONDITION", 400,
                                    "PushNotificationNotSupportedError" },
    [AB_A2A_UNSUPPORTED_OPERATION] = { -32004, "UNSUPPORTED_OPERATION", "FAILED_PRECONDITION", 400,
                                       "UnsupportedOperationError" },
    [AB_A2A_CONTENT_TYPE_NOT_SUPPORTED] = { -32005, "CONTENT_TYPE_NOT_SUPPORTED", "INVALID_ARGUMENT", 400,
                                            "ContentTypeNotSupportedError" },
    [AB_A2A_INVALID_AGENT_RESPONSE] = { -32006, "INVALID_AGENT_RESPONSE", "INTERNAL", 500,
                                        "InvalidAgentResponseError" },
    [AB_A2A_EXTENDED_CARD_NOT_CONFIGURED] = { -32007, "EXTENDED_AGENT_CARD_NOT_CONFIGURED", "FAILED_PRECONDITION", 400,
                                              "ExtendedAgentCardNotConfiguredError" },
    [AB_A2A_EXTENSION_SUPPORT_REQUIRED] = { -32008, "EXTENSION_SUPPORT_REQUIRED", "FAILED_PRECONDITION", 400,
                                            "ExtensionSupportRequiredError" },
    [AB_A2A_VERSION_NOT_SUPPORTED] = { -32009, "VERSION_NOT_SUPPORTED", "FAILED_PRECONDITION", 400,
                                       "VersionNotSupportedError" },
    [AB_A2A_PARSE_ERROR] = { -32700, "PARSE_ERROR", "INVALID_ARGUMENT", 400, "JSONParseError" },
    [AB_A2A_INVALID_REQUEST] = { -32600, "INVALID_REQUEST", "INVALID_ARGUMENT", 400, "InvalidRequestError" },
    [AB_A2A_METHOD_NOT_FOUND] = { -32601, "METHOD_NOT_FOUND", "NOT_FOUND", 404, "MethodNotFoundError" },
    [AB_A2A_INVALID_PARAMS] = { -32602, "INVALID_PARAMS", "INVALID_ARGUMENT", 400, "InvalidParamsError" },
    [AB_A2A_INTERNAL_ERROR] = { -32603, "INTERNAL_ERROR", "INTERNAL", 500, "InternalError" },
    [AB_A2A_OVER_QUOTA] = { -32603, "OVER_QUOTA", "RESOURCE_EXHAUSTED", 429, "InternalError" },
    [AB_A2A_UNAVAILABLE] = { -32603, "UNAVAILABLE", "UNAVAILABLE", 503, "InternalError" },
};

unsigned ab_a2a_http_status(enum ab_a2a_error error)
{
    return codes[error].http;
}

bool ab_a2a_error_find(int64_t code, struct ab_json reason, enum ab_a2a_error *out)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (ab_json_string_is(reason, codes[i].reason) || (!ab_json_exists(reason) && codes[i].rpc == code)) {
            *out = (enum ab_a2a_error)i;
            return true;
        }
    }
    return false;
}

static void write_details(struct ab_json_writer *writer, const struct ab_a2a_fault *fault)
{
    ab_json_array_begin(writer);
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
    ab_json_put_text(writer, "reason", codes[fault->error].reason);
    ab_json_put_text(writer, "domain", "a2a-protocol.org");
    if (fault->task_id != NULL) {
        ab_json_write_key(writer, "metadata");
        ab_json_object_begin(writer);
        ab_json_put_text(writer, "taskId", fault->task_id);
        ab_json_object_end(writer);
    }
    ab_json_object_end(writer);
    if (fault->field != NULL) {
        ab_json_object_begin(writer);
        ab_json_put_text(writer, "@type", "type.googleapis.com/google.rpc.BadRequest");
        ab_json_write_key(writer, "fieldViolations");
        ab_json_array_begin(writer);
        ab_json_object_begin(writer);
        ab_json_put_text(writer, "field", fault->field);
        ab_json_put_text(writer, "description", fault->text);
        ab_json_object_end(writer);
        ab_json_array_end(writer);
        ab_json_object_end(writer);
    }
    ab_json_array_end(writer);
}

/* The form of google.rpc.Status in HTTP; 0.3 left its own open: some clients read the code, others the type. */
static void write_http(struct ab_json_writer *writer, const struct ab_a2a_call *call, const struct ab_a2a_fault *fault)
{
    const struct code *code = &codes[fault->error];

    ab_json_object_begin(writer);
    if (call->version->error_info) {
        ab_json_write_key(writer, "error");
        ab_json_object_begin(writer);
        ab_json_put_int(writer, "code", code->http);
        ab_json_put_text(writer, "status", code->status);
        ab_json_put_text(writer, "message", fault->text);
        ab_json_write_key(writer, "details");
        write_details(writer, fault);
        ab_json_object_end(writer);
    } else {
        ab_json_put_int(writer, "code", code->rpc);
        ab_json_put_text(writer, "type", code->name);
        ab_json_put_text(writer, "message", fault->text);
    }
    ab_json_object_end(writer);
}

void ab_a2a_write_fault(const struct ab_a2a_call *call, const struct ab_a2a_fault *fault, struct ab_buf *out)
{
    struct ab_buf details = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (!call->binding->envelope) {
        ab_json_writer_init(&writer, out);
        write_http(&writer, call, fault);
        return;
    }
    ab_json_writer_init(&writer, &details);
    if (call->version->error_info)
        write_details(&writer, fault);
    ab_jsonrpc_write_error(out, ab_json_exists(call->id) ? call->id : ab_json_trusted("null"), codes[fault->error].rpc,
                           fault->text, details.data);
    ab_buf_deinit(&details);
}
