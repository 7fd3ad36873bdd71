#include "a2a/client_request.h"

#include "a2a/methods.h"
#include "a2a/write.h"
#include "base/mem.h"
#include "wire/jsonrpc.h"

#include <string.h>

/* The row of the version's table that this handler of ours answers: what we serve is what we ask for. */
static const struct ab_a2a_method *method_of(const struct ab_a2a_version *version,
                                             void (*handle)(struct ab_a2a_call *call))
{
    const struct ab_a2a_method *method = version->methods;

    while (method->handle != NULL && method->handle != handle)
        method++;
    return method;
}

/* --- addresses --- */

/* One segment of a path: whatever the other side chose as an id. */
static void append_segment(struct ab_buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            ab_buf_append_char(out, *text);
        else
            ab_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* What stands in braces is one id after the other. */
static void append_path(struct ab_buf *out, const char *pattern, const char *const *ids)
{
    const char *mark;

    while ((mark = strchr(pattern, '{')) != NULL) {
        ab_buf_append(out, pattern, (size_t)(mark - pattern));
        append_segment(out, *ids++);
        pattern = strchr(mark, '}') + 1;
    }
    ab_buf_append_text(out, pattern);
}

static char *make_url(const struct ab_a2a_peer *peer, const struct ab_a2a_method *method, const char *const *ids,
                      const char *query)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (peer->rpc)
        return ab_strdup(peer->url);
    ab_buf_append_text(&out, peer->url);
    ab_buf_append_text(&out, peer->version->prefix);
    if (peer->tenant != NULL) {
        ab_buf_append_char(&out, '/');
        append_segment(&out, peer->tenant);
    }
    append_path(&out, method->path, ids);
    ab_buf_append_text(&out, query);
    return ab_buf_steal(&out);
}

/* --- heads --- */

static char *join(const char *header, const char *const *values)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_buf_append_text(&out, header);
    for (size_t i = 0; values[i] != NULL; i++)
        ab_buf_printf(&out, "%s %s", i == 0 ? ":" : ",", values[i]);
    return ab_buf_steal(&out);
}

static void set_head(const struct ab_a2a_peer *peer, const struct ab_a2a_method *method, const char *const *extensions,
                     struct ab_a2a_client_request *out)
{
    size_t n = 0;

    out->verb = peer->rpc ? "POST" : method->verb;
    if (strcmp(out->verb, "POST") == 0)
        out->headers[n++] = ab_strdup("Content-Type: application/json");
    out->headers[n++] = ab_strdup(out->stream ? "Accept: text/event-stream, application/json"
                                              : "Accept: application/json, application/a2a+json");
    out->headers[n++] = ab_format("A2A-Version: %s", peer->version->name);
    if (extensions != NULL && extensions[0] != NULL)
        out->headers[n] = join(peer->version->extensions_header, extensions);
}

/* `params` becomes the body: on its own, or in a call of JSON-RPC. */
static void set_body(const struct ab_a2a_peer *peer, const struct ab_a2a_method *method, struct ab_buf *params,
                     struct ab_a2a_client_request *out)
{
    out->body = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (peer->rpc)
        ab_jsonrpc_write_call(&out->body, ab_json_trusted("1"), method->rpc, params->data);
    else if (strcmp(method->verb, "POST") == 0)
        ab_buf_append_str(&out->body, ab_buf_str(params));
    ab_buf_deinit(params);
}

void ab_a2a_client_request_deinit(struct ab_a2a_client_request *request)
{
    free(request->url);
    for (size_t i = 0; i < AB_A2A_CLIENT_HEADERS; i++)
        free(request->headers[i]);
    ab_buf_deinit(&request->body);
    *request = (struct ab_a2a_client_request){ 0 };
}

/* --- messages --- */

static void put_if_there(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_exists(value) && ab_json_count(value) > 0)
        ab_json_put_value(writer, key, value);
}

/* The token in both places: some agents send back the one, some the other, where both are given. */
static void write_push(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                       const struct ab_a2a_client_push *push)
{
    ab_json_write_key(writer, form->push_in_send);
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", push->id);
    ab_json_put_text(writer, "url", push->url);
    ab_json_put_text(writer, "token", push->token);
    ab_json_write_key(writer, "authentication");
    ab_json_object_begin(writer);
    if (form->push_schemes)
        ab_json_put_raw(writer, "schemes", "[\"Bearer\"]");
    else
        ab_json_put_text(writer, "scheme", "Bearer");
    ab_json_put_text(writer, "credentials", push->token);
    ab_json_object_end(writer);
    ab_json_object_end(writer);
}

/* What is asked for beside: the history is here already, and nobody waits on an open request without events. */
static void write_configuration(struct ab_json_writer *writer, const struct ab_a2a_peer *peer,
                                const struct ab_a2a_client_message *message)
{
    ab_json_write_key(writer, "configuration");
    ab_json_object_begin(writer);
    put_if_there(writer, "acceptedOutputModes", message->output_modes);
    if (peer->version->returns_immediately)
        ab_json_put_int(writer, "historyLength", 0);
    if (!message->stream && peer->version->returns_immediately)
        ab_json_put_bool(writer, "returnImmediately", true);
    if (!message->stream && !peer->version->returns_immediately)
        ab_json_put_bool(writer, "blocking", false);
    if (message->push != NULL)
        write_push(writer, ab_a2a_peer_form(peer), message->push);
    ab_json_object_end(writer);
}

void ab_a2a_client_write_message(const struct ab_a2a_peer *peer, const struct ab_a2a_client_message *message,
                                 const char *const *extensions, struct ab_a2a_client_request *out)
{
    const struct ab_a2a_method *method = method_of(peer->version, message->stream ? ab_a2a_send_stream : ab_a2a_send);
    const struct ab_a2a_form *form = ab_a2a_peer_form(peer);
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    *out = (struct ab_a2a_client_request){ .stream = message->stream, .begins = true };
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    if (peer->rpc)
        ab_json_put_optional_text(&writer, "tenant", peer->tenant);
    ab_json_write_key(&writer, "message");
    ab_json_object_begin(&writer);
    if (form->kinds)
        ab_json_put_text(&writer, "kind", "message");
    ab_a2a_write_message(&writer, form,
                         &(struct ab_a2a_message){ .id = message->id,
                                                   .role = AB_A2A_USER,
                                                   .context_id = message->context_id,
                                                   .task_id = message->task_id,
                                                   .parts = message->parts,
                                                   .metadata = message->metadata,
                                                   .extensions = message->extensions });
    ab_json_object_end(&writer);
    write_configuration(&writer, peer, message);
    put_if_there(&writer, "metadata", message->request_metadata);
    ab_json_object_end(&writer);
    out->url = make_url(peer, method, NULL, "");
    set_head(peer, method, extensions, out);
    set_body(peer, method, &params, out);
}

/* --- tasks --- */

void ab_a2a_client_write_task(const struct ab_a2a_peer *peer, enum ab_a2a_client_verb verb, const char *task_id,
                              const char *const *extensions, struct ab_a2a_client_request *out)
{
    static void (*const handlers[])(struct ab_a2a_call *) = {
        [AB_A2A_CLIENT_GET] = ab_a2a_get_task,
        [AB_A2A_CLIENT_SUBSCRIBE] = ab_a2a_subscribe,
        [AB_A2A_CLIENT_CANCEL] = ab_a2a_cancel_task,
    };
    const struct ab_a2a_method *method = method_of(peer->version, handlers[verb]);
    bool short_history = verb == AB_A2A_CLIENT_GET && peer->version->returns_immediately;
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    *out = (struct ab_a2a_client_request){ .stream = verb == AB_A2A_CLIENT_SUBSCRIBE };
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    if (peer->rpc) {
        ab_json_put_optional_text(&writer, "tenant", peer->tenant);
        ab_json_put_text(&writer, "id", task_id);
        if (short_history)
            ab_json_put_int(&writer, "historyLength", 0);
    }
    ab_json_object_end(&writer);
    out->url = make_url(peer, method, &task_id, short_history ? "?historyLength=0" : "");
    set_head(peer, method, extensions, out);
    set_body(peer, method, &params, out);
}

void ab_a2a_client_write_extended(const struct ab_a2a_peer *peer, const char *const *extensions,
                                  struct ab_a2a_client_request *out)
{
    const struct ab_a2a_method *method = method_of(peer->version, ab_a2a_extended_card);
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    *out = (struct ab_a2a_client_request){ 0 };
    if (peer->tenant != NULL) { /* else there are none */
        ab_json_writer_init(&writer, &params);
        ab_json_object_begin(&writer);
        ab_json_put_text(&writer, "tenant", peer->tenant);
        ab_json_object_end(&writer);
    }
    out->url = make_url(peer, method, NULL, "");
    set_head(peer, method, extensions, out);
    set_body(peer, method, &params, out);
}

void ab_a2a_client_write_push_delete(const struct ab_a2a_peer *peer, const char *task_id, const char *config_id,
                                     const char *const *extensions, struct ab_a2a_client_request *out)
{
    const struct ab_a2a_method *method = method_of(peer->version, ab_a2a_push_delete);
    bool nested = ab_a2a_peer_form(peer)->push_nested != NULL;
    const char *const ids[] = { task_id, config_id };
    struct ab_buf params = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    *out = (struct ab_a2a_client_request){ 0 };
    ab_json_writer_init(&writer, &params);
    ab_json_object_begin(&writer);
    ab_json_put_optional_text(&writer, "tenant", peer->tenant);
    ab_json_put_text(&writer, nested ? "id" : "taskId", task_id);
    ab_json_put_text(&writer, nested ? "pushNotificationConfigId" : "id", config_id);
    ab_json_object_end(&writer);
    out->url = make_url(peer, method, ids, "");
    set_head(peer, method, extensions, out);
    set_body(peer, method, &params, out);
}
