#include "rest/client_event.h"

#include <string.h>

#define DEPTH 128
/* What a line says at most of data that is not known. */
#define WORDS_BYTES 2000

/* --- reading --- */

/* The last four are names of older pages. */
static const struct {
    const char *type;
    enum ab_rest_event_kind kind;
} types[] = {
    { "task_created", AB_REST_EVENT_TASK },      { "task_updated", AB_REST_EVENT_TASK },
    { "task_finished", AB_REST_EVENT_FINISHED }, { "chunk", AB_REST_EVENT_CHUNK },
    { "progress", AB_REST_EVENT_PROGRESS },      { "log", AB_REST_EVENT_LOG },
    { "artifact", AB_REST_EVENT_ARTIFACT },      { "plan_updated", AB_REST_EVENT_PLAN },
    { "auth_event", AB_REST_EVENT_AUTH },        { "content_chunk", AB_REST_EVENT_CHUNK },
    { "task_started", AB_REST_EVENT_TASK },      { "task_completed", AB_REST_EVENT_FINISHED },
    { "error", AB_REST_EVENT_FINISHED },
};

/* It stands in "type"; one sample has it in "event", and a server may name its events. */
static struct ab_json type_of(struct ab_json object)
{
    struct ab_json type = ab_json_member(object, "type");

    return ab_json_exists(type) ? type : ab_json_member(object, "event");
}

static bool is_type(struct ab_json type, const char *name, const char *wanted)
{
    return ab_json_exists(type) ? ab_json_string_is(type, wanted) : strcmp(name, wanted) == 0;
}

/* The older flat forms have no "data": the members stand in the event itself, and the type says the status. */
static void read_flat_task(struct ab_json object, const char *name, struct ab_rest_event *out)
{
    bool good = ab_rest_task_read(object, &out->task);
    bool has_no_status = !good || !out->task.has_status;

    if (!ab_json_exists(out->task.id))
        out->task.id = out->task_id;
    if (has_no_status) {
        out->task.has_status = true;
        out->task.status = is_type(out->type, name, "error")     ? AB_TASK_ERROR
                           : out->kind == AB_REST_EVENT_FINISHED ? AB_TASK_COMPLETED
                                                                 : AB_TASK_EXECUTING;
    }
    if (out->task.status == AB_TASK_ERROR && !ab_json_exists(out->task.result)) {
        struct ab_json message = ab_json_member(object, "message");
        out->task.result = ab_json_is(message, AB_JSON_STRING) ? message : ab_json_member(object, "error");
    }
}

static void read_task(struct ab_json object, const char *name, struct ab_rest_event *out)
{
    if (!ab_json_is(out->data, AB_JSON_OBJECT))
        read_flat_task(object, name, out);
    else if (!ab_rest_task_read(out->data, &out->task))
        out->kind = AB_REST_EVENT_WORDS;
}

/* A piece may stand in "data" itself, in it under a name, or in the event. */
static void read_chunk(struct ab_json object, struct ab_rest_event *out)
{
    static const char *const names[] = { "content", "text", "chunk" };

    for (size_t i = 0; i < sizeof names / sizeof *names && !ab_json_is(out->data, AB_JSON_STRING); i++) {
        struct ab_json inner = ab_json_member(ab_json_exists(out->data) ? out->data : object, names[i]);
        if (ab_json_is(inner, AB_JSON_STRING))
            out->data = inner;
    }
    if (!ab_json_is(out->data, AB_JSON_STRING))
        out->kind = AB_REST_EVENT_WORDS;
}

bool ab_rest_event_read(struct ab_str data, const char *name, struct ab_rest_event *out)
{
    struct ab_json object = { { NULL, 0 } };

    *out = (struct ab_rest_event){ .kind = AB_REST_EVENT_WORDS };
    if (!ab_json_check(data, DEPTH, &object, NULL) || !ab_json_is(object, AB_JSON_OBJECT))
        return false;
    out->type = type_of(object);
    out->task_id = ab_json_member(object, "task_id");
    out->data = ab_json_member(object, "data");
    out->bridge = ab_json_member(object, "agentbridge");
    if (!ab_json_is(out->type, AB_JSON_STRING) && strcmp(name, "message") == 0)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (is_type(out->type, name, types[i].type))
            out->kind = types[i].kind;
    }
    if (out->kind == AB_REST_EVENT_TASK || out->kind == AB_REST_EVENT_FINISHED)
        read_task(object, name, out);
    else if (out->kind == AB_REST_EVENT_CHUNK)
        read_chunk(object, out);
    return true;
}

/* --- in words --- */

/* The string's characters in one line. */
static bool append_text(struct ab_buf *out, struct ab_json string)
{
    size_t start = out->size;

    if (!ab_json_unescape(string, out))
        return false;
    for (size_t i = start; i < out->size; i++) {
        if ((unsigned char)out->data[i] < 0x20)
            out->data[i] = ' ';
    }
    return out->size > start;
}

static void cut_back(struct ab_buf *out, size_t size)
{
    out->size = size;
    if (out->data != NULL)
        out->data[size] = '\0';
}

static bool append_first(struct ab_buf *out, struct ab_json object, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (append_text(out, ab_json_member(object, *names)))
            return true;
    }
    return false;
}

/* Reasoning is a text, or an object with parts of one. */
static bool thought_words(struct ab_buf *out, struct ab_json data)
{
    static const char *const titles[] = { "title", NULL };
    static const char *const texts[] = { "thought", "analysis", "text", "content", "result", "action", NULL };
    size_t start;

    if (append_text(out, data))
        return true;
    start = out->size;
    if (append_first(out, data, titles))
        ab_buf_append_text(out, ": ");
    if (!append_first(out, data, texts) && out->size > start)
        cut_back(out, out->size - 2);
    return out->size > start;
}

static bool call_words(struct ab_buf *out, struct ab_json data)
{
    static const char *const tools[] = { "tool_name", "operation_id", NULL };
    static const char *const reasons[] = { "title", "description", NULL };
    size_t start;

    ab_buf_append_text(out, "calls ");
    if (!append_first(out, data, tools))
        return false;
    start = out->size;
    ab_buf_append_text(out, ": ");
    if (!append_first(out, ab_json_member(data, "reasoning"), reasons))
        cut_back(out, start);
    return true;
}

static bool called_words(struct ab_buf *out, struct ab_json data)
{
    static const char *const tools[] = { "tool_name", "operation_id", NULL };

    if (!append_first(out, data, tools))
        return false;
    ab_buf_append_text(out, ab_json_is_true(ab_json_member(data, "is_error")) ? " failed" : " has answered");
    return true;
}

static bool hand_over_words(struct ab_buf *out, struct ab_json data)
{
    static const char *const agents[] = { "agent_name", "agent_id", "id", NULL };
    static const char *const queries[] = { "query", "text", "title", NULL };
    size_t start;

    ab_buf_append_text(out, "hands over to ");
    if (!append_first(out, data, agents))
        return false;
    start = out->size;
    ab_buf_append_text(out, ": ");
    if (!append_first(out, data, queries))
        cut_back(out, start);
    return true;
}

static bool auth_words(struct ab_buf *out, struct ab_json data)
{
    struct ab_json kind = ab_json_member(data, "type");
    struct ab_json inner = ab_json_member(data, "data");
    static const char *const whys[] = { "message", "server_name", NULL };
    size_t start;

    if (ab_json_string_is(kind, "token_ready"))
        ab_buf_append_text(out, "the sign-in is done");
    else if (ab_json_string_is(kind, "login_required"))
        ab_buf_append_text(out, "a sign-in is needed");
    else if (ab_json_string_is(kind, "token_issue"))
        ab_buf_append_text(out, "the sign-in failed");
    else if (ab_json_string_is(kind, "not_supported"))
        ab_buf_append_text(out, "the sign-in is not supported");
    else
        return false;
    start = out->size;
    ab_buf_append_text(out, ": ");
    if (!append_first(out, inner, whys))
        cut_back(out, start);
    return true;
}

static const struct {
    const char *type;
    bool (*append)(struct ab_buf *out, struct ab_json data);
} sayings[] = {
    { "think", thought_words },
    { "analyze", thought_words },
    { "tool_call_request", call_words },
    { "tool_call_result", called_words },
    { "sub_agent_trigger", hand_over_words },
    { "auth_event", auth_words },
};

/* As much of the data as there is room for, ended at a whole character. */
static void append_unknown(struct ab_buf *out, const struct ab_rest_event *event)
{
    struct ab_str text = event->data.text;
    size_t room = text.size < WORDS_BYTES ? text.size : ab_utf8_valid_prefix((struct ab_str){ text.data, WORDS_BYTES });

    if (!append_text(out, event->type))
        ab_buf_append_text(out, "an event");
    if (text.data == NULL)
        return;
    ab_buf_append_text(out, ": ");
    if (ab_json_is(event->data, AB_JSON_STRING) && room == text.size)
        (void)append_text(out, event->data);
    else
        ab_buf_append(out, text.data, room);
    if (room < text.size)
        ab_buf_append_text(out, "...");
}

void ab_rest_event_words(struct ab_buf *out, const struct ab_rest_event *event)
{
    size_t start = out->size;

    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
        if (ab_json_string_is(event->type, sayings[i].type)) {
            if (sayings[i].append(out, event->data))
                return;
            cut_back(out, start);
        }
    }
    append_unknown(out, event);
}

/* --- sign-ins and plans --- */

bool ab_rest_event_sign_in(const struct ab_rest_event *event, struct ab_json *url, struct ab_json *who)
{
    struct ab_json inner = ab_json_member(event->data, "data");

    if (event->kind != AB_REST_EVENT_AUTH || !ab_json_string_is(ab_json_member(event->data, "type"), "login_required"))
        return false;
    *url = ab_json_member(inner, "url");
    if (!ab_json_exists(*url))
        *url = ab_json_member(inner, "auth_url");
    if (!ab_json_exists(*url))
        *url = ab_json_member(event->data, "auth_url");
    *who = ab_json_member(inner, "server_name");
    return ab_json_is(*url, AB_JSON_STRING);
}

bool ab_rest_event_plan(const struct ab_rest_event *event, unsigned *done, unsigned *all, struct ab_json *next)
{
    struct ab_json steps = ab_json_member(event->data, "tasks");
    struct ab_json_iterator each = ab_json_iterate(steps);
    struct ab_json step;

    *done = 0;
    *all = 0;
    *next = (struct ab_json){ { NULL, 0 } };
    while (ab_json_is(steps, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &step)) {
        ++*all;
        if (ab_json_is_true(ab_json_member(step, "completed")))
            ++*done;
        else if (!ab_json_exists(*next))
            *next = ab_json_member(step, "title");
    }
    return *all > 0;
}
