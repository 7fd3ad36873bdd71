/* The JSON-RPC binding. Both versions share the address: the spelling of the method tells them apart (1.0 has
 * "SendMessage", 0.3 "message/send"), and a header that names the other one is an error. */
#include "a2a/request.h"

#include "wire/http_values.h"

#include <string.h>

const struct ab_a2a_binding ab_a2a_jsonrpc = { .envelope = true };

static void use(struct ab_a2a_call *call, const struct ab_a2a_version *version)
{
    call->version = version;
    call->form = version->rpc_form;
}

/* A message without an id is answered all the same: there are no notifications here, and clients forget it. */
static bool read_message(struct ab_a2a_call *call, struct ab_jsonrpc_message *message)
{
    struct ab_json_error error;
    struct ab_json body;
    const char *reason = NULL;
    struct ab_str type;

    if (ab_http_header(call->reply.exchange, "content-type", &type) &&
        !ab_http_is_media_type(type, "application/json") && !ab_http_is_media_type(type, "application/a2a+json")) {
        ab_a2a_refuse(call, AB_A2A_CONTENT_TYPE_NOT_SUPPORTED, "Content-Type must be application/json, found %.*s",
                      type.size > 80 ? 80 : (int)type.size, type.data);
        return false;
    }
    if (!ab_json_check(ab_http_request(call->reply.exchange)->body, call->a2a->settings.json_depth, &body, &error)) {
        ab_a2a_refuse(call, AB_A2A_PARSE_ERROR, "The body is no JSON: %s", error.text);
        return false;
    }
    if (!ab_jsonrpc_read(body, message, &reason)) {
        call->id = message->id;
        ab_a2a_refuse(call, AB_A2A_INVALID_REQUEST, "%s", reason);
        return false;
    }
    call->id = message->id;
    call->params = message->params;
    if (message->kind != AB_JSONRPC_RESPONSE)
        return true;
    ab_a2a_refuse(call, AB_A2A_INVALID_REQUEST, "A client sends requests, not responses");
    return false;
}

/* Finds the method and with it the version; false: refused. A method of 0.3 is not there for who asks for 1.0; one of
 * 1.0 comes from a client of 1.0, whatever its header says. */
static bool choose(struct ab_a2a_call *call, const char *name, const struct ab_a2a_version *named,
                   const struct ab_a2a_method **method)
{
    if (ab_a2a_method_find(&ab_a2a_v1_0, name) != NULL)
        use(call, &ab_a2a_v1_0);
    else if (strchr(name, '/') != NULL && named == NULL)
        use(call, &ab_a2a_v0_3);
    *method = ab_a2a_method_find(call->version, name);
    if (*method == NULL) {
        ab_a2a_refuse(call, AB_A2A_METHOD_NOT_FOUND, "There is no method \"%.100s\" in A2A %s", name,
                      call->version->name);
        return false;
    }
    if (call->version == &ab_a2a_v1_0 && named == &ab_a2a_v0_3) {
        ab_a2a_refuse(call, AB_A2A_VERSION_NOT_SUPPORTED, "The method %s is one of A2A 1.0, but A2A-Version says 0.3",
                      name);
        return false;
    }
    return true;
}

/* Whether the client would read a stream, and does not say that it reads JSON: "*" as some libraries send it on their
 * own says nothing. */
static bool wants_stream(const struct ab_a2a_call *call)
{
    static const char json[] = "application/json";
    struct ab_str accept;

    return ab_http_header(call->reply.exchange, "accept", &accept) && ab_http_accepts(accept, "text/event-stream") &&
           memmem(accept.data, accept.size, json, sizeof json - 1) == NULL;
}

void ab_a2a_handle_jsonrpc(struct ab_a2a_call *call)
{
    const struct ab_a2a_version *named = NULL;
    const struct ab_a2a_method *method = NULL;
    struct ab_jsonrpc_message message = { 0 };
    bool known = ab_a2a_named_version(call->reply.exchange, &named);

    call->binding = &ab_a2a_jsonrpc;
    /* What names no version at all, and is not understood either, is answered as 0.3 would. */
    use(call, named != NULL ? named : known ? &ab_a2a_v0_3 : &ab_a2a_v1_0);
    if (read_message(call, &message)) {
        if (!known)
            ab_a2a_refuse(call, AB_A2A_VERSION_NOT_SUPPORTED, "A2A-Version must be 1.0 or 0.3");
        else if (choose(call, message.method, named, &method)) {
            call->refuses_in_stream = method->streams && call->form->streams_refusals && wants_stream(call);
            if (ab_json_exists(call->params) && !ab_json_is(call->params, AB_JSON_OBJECT))
                ab_a2a_refuse_field(call, "params", "params must be an object, found %s",
                                    ab_json_type_name(call->params));
            else if (ab_a2a_admit(call))
                method->handle(call);
        }
    }
    ab_jsonrpc_message_deinit(&message);
}
