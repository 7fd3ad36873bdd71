#include "a2a/client_news.h"

#include "a2a/request.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Beyond it an id is no name but a load. */
#define ID_BYTES 512

struct reading {
    const struct ab_a2a_version *version;
    struct ab_a2a_news *out;
    char *reason;
    size_t reason_size;
};

AB_PRINTF(2, 3) static bool wrong(const struct reading *reading, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reading->reason, reading->reason_size, format, arguments);
    va_end(arguments);
    return false;
}

/* --- small values --- */

static bool read_id(const struct reading *reading, struct ab_json object, const char *name, bool needed, char **out)
{
    struct ab_json value = ab_a2a_member(object, name);

    if (!ab_json_exists(value) || ab_json_string_is(value, ""))
        return !needed || wrong(reading, "%s is missing", name);
    *out = ab_json_string_dup(value);
    if (*out == NULL || ab_str(*out).size > ID_BYTES)
        return wrong(reading, "%s must be a string of at most %d bytes", name, ID_BYTES);
    return true;
}

/* Names of states as the versions and bindings have them; the proto of 0.3 has another spelling of one, and readers of
 * ProtoJSON may write the number. One that is not known yet is no end. */
static bool read_state(const struct reading *reading, struct ab_json value, enum ab_a2a_state *out)
{
    static const struct {
        const char *plain;
        const char *proto;
        int64_t number;
        enum ab_a2a_state state;
    } names[] = {
        { "submitted", "TASK_STATE_SUBMITTED", 1, AB_A2A_SUBMITTED },
        { "working", "TASK_STATE_WORKING", 2, AB_A2A_WORKING },
        { "completed", "TASK_STATE_COMPLETED", 3, AB_A2A_COMPLETED },
        { "failed", "TASK_STATE_FAILED", 4, AB_A2A_FAILED },
        { "canceled", "TASK_STATE_CANCELED", 5, AB_A2A_CANCELED },
        { "cancelled", "TASK_STATE_CANCELLED", 5, AB_A2A_CANCELED },
        { "input-required", "TASK_STATE_INPUT_REQUIRED", 6, AB_A2A_INPUT_REQUIRED },
        { "rejected", "TASK_STATE_REJECTED", 7, AB_A2A_REJECTED },
        { "auth-required", "TASK_STATE_AUTH_REQUIRED", 8, AB_A2A_AUTH_REQUIRED },
        { "unknown", "TASK_STATE_UNSPECIFIED", 0, AB_A2A_WORKING },
    };
    int64_t number;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ab_json_string_is(value, names[i].plain) || ab_json_string_is(value, names[i].proto) ||
            (ab_json_int(value, &number) && number == names[i].number)) {
            *out = names[i].state;
            return true;
        }
    }
    if (!ab_json_exists(value))
        return wrong(reading, "the task's state is missing");
    return wrong(reading, "the task's state %.*s is none of the protocol",
                 value.text.size < 60 ? (int)value.text.size : 60, value.text.data);
}

/* --- parts, messages, artifacts --- */

static bool write_parts(const struct reading *reading, struct ab_json parts, struct ab_json_writer *writer)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;
    char reason[256];

    ab_json_array_begin(writer);
    for (size_t i = 0; ab_json_next(&each, NULL, &part); i++)
        if (!reading->version->read_part(part, writer, reason, sizeof reason))
            return wrong(reading, "parts[%zu] %s", i, reason);
    ab_json_array_end(writer);
    return true;
}

static bool read_message(const struct reading *reading, struct ab_json message)
{
    struct ab_json parts = ab_a2a_member(message, "parts");
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    bool good;

    if (!ab_json_exists(parts))
        parts = ab_a2a_member(message, "content"); /* 0.3 over HTTP+JSON */
    if (!ab_json_exists(parts))
        return true;
    if (!ab_json_is(parts, AB_JSON_ARRAY))
        return wrong(reading, "a message's parts must be an array, found %s", ab_json_type_name(parts));
    ab_json_writer_init(&writer, &out);
    good = write_parts(reading, parts, &writer);
    if (good)
        reading->out->parts_json = ab_buf_steal(&out);
    ab_buf_deinit(&out);
    return good;
}

static void copy(struct ab_json_writer *writer, struct ab_json artifact, const char *name, enum ab_json_type type)
{
    struct ab_json value = ab_a2a_member(artifact, name);

    if (ab_json_is(value, type) && !ab_json_string_is(value, "") &&
        (type == AB_JSON_STRING || ab_json_count(value) > 0))
        ab_json_put_value(writer, name, value);
}

static bool write_artifact(const struct reading *reading, struct ab_json artifact, struct ab_json_writer *writer)
{
    struct ab_json id = ab_a2a_member(artifact, "artifactId");
    struct ab_json parts = ab_a2a_member(artifact, "parts");

    if (!ab_json_is(id, AB_JSON_STRING) || ab_json_string_is(id, "") || id.text.size > ID_BYTES)
        return wrong(reading, "an artifact has no artifactId");
    if (!ab_json_is(parts, AB_JSON_ARRAY))
        return wrong(reading, "the artifact %.*s has no array of parts", AB_STR_ARGS(id.text));
    ab_json_object_begin(writer);
    ab_json_put_value(writer, "id", id);
    copy(writer, artifact, "name", AB_JSON_STRING);
    copy(writer, artifact, "description", AB_JSON_STRING);
    copy(writer, artifact, "metadata", AB_JSON_OBJECT);
    copy(writer, artifact, "extensions", AB_JSON_ARRAY);
    ab_json_write_key(writer, "parts");
    if (!write_parts(reading, parts, writer))
        return false;
    ab_json_object_end(writer);
    return true;
}

/* `artifacts` is an array, or one artifact. */
static bool read_artifacts(const struct reading *reading, struct ab_json artifacts)
{
    bool several = ab_json_is(artifacts, AB_JSON_ARRAY);
    struct ab_json_iterator each = ab_json_iterate(several ? artifacts : (struct ab_json){ 0 });
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json artifact;
    bool good = true;

    ab_json_writer_init(&writer, &out);
    ab_json_array_begin(&writer);
    if (!several)
        good = write_artifact(reading, artifacts, &writer);
    while (good && several && ab_json_next(&each, NULL, &artifact))
        good = write_artifact(reading, artifact, &writer);
    if (good) {
        ab_json_array_end(&writer);
        reading->out->artifacts_json = ab_buf_steal(&out);
    }
    ab_buf_deinit(&out);
    return good;
}

/* --- the four kinds --- */

static bool read_status(const struct reading *reading, struct ab_json status)
{
    struct ab_json message = ab_a2a_member(status, "message");

    if (!ab_json_exists(message))
        message = ab_json_member(status, "update"); /* its name in the proto of 0.3 */
    if (!ab_json_is(status, AB_JSON_OBJECT))
        return wrong(reading, "the status must be an object, found %s", ab_json_type_name(status));
    return read_state(reading, ab_a2a_member(status, "state"), &reading->out->state) &&
           (!ab_json_is(message, AB_JSON_OBJECT) || read_message(reading, message));
}

static bool read_task(const struct reading *reading, struct ab_json task)
{
    struct ab_json artifacts = ab_a2a_member(task, "artifacts");

    reading->out->kind = AB_A2A_NEWS_TASK;
    return read_id(reading, task, "id", true, &reading->out->task_id) &&
           read_id(reading, task, "contextId", false, &reading->out->context_id) &&
           read_status(reading, ab_a2a_member(task, "status")) &&
           (!ab_json_is(artifacts, AB_JSON_ARRAY) || read_artifacts(reading, artifacts));
}

static bool read_said(const struct reading *reading, struct ab_json message)
{
    reading->out->kind = AB_A2A_NEWS_MESSAGE;
    return read_id(reading, message, "taskId", false, &reading->out->task_id) &&
           read_id(reading, message, "contextId", false, &reading->out->context_id) && read_message(reading, message) &&
           (reading->out->parts_json != NULL || wrong(reading, "the message has no parts"));
}

static bool read_status_update(const struct reading *reading, struct ab_json update)
{
    reading->out->kind = AB_A2A_NEWS_STATUS;
    reading->out->metadata = ab_a2a_member(update, "metadata");
    return read_id(reading, update, "taskId", true, &reading->out->task_id) &&
           read_id(reading, update, "contextId", false, &reading->out->context_id) &&
           read_status(reading, ab_a2a_member(update, "status"));
}

static bool read_artifact_update(const struct reading *reading, struct ab_json update)
{
    reading->out->kind = AB_A2A_NEWS_ARTIFACT;
    reading->out->append = ab_json_is_true(ab_a2a_member(update, "append"));
    reading->out->last = ab_json_is_true(ab_a2a_member(update, "lastChunk"));
    return read_id(reading, update, "taskId", true, &reading->out->task_id) &&
           read_id(reading, update, "contextId", false, &reading->out->context_id) &&
           read_artifacts(reading, ab_a2a_member(update, "artifact"));
}

/* --- which of them it is --- */

struct kind {
    const char *wrapped; /* the member that it stands in, where the form wraps */
    const char *kind;    /* what it says of itself, where the form has kinds */
    bool (*read)(const struct reading *reading, struct ab_json value);
    const char *id; /* where the task's name stands */
    bool needs_no_id;
};

static const struct kind kinds[] = {
    { "task", "task", read_task, "id", false },
    { "message", "message", read_said, "taskId", true },
    { "statusUpdate", "status-update", read_status_update, "taskId", false },
    { "artifactUpdate", "artifact-update", read_artifact_update, "taskId", false },
};

/* Clients and servers in the wild leave the kind out; then the members tell. */
static const struct kind *guess(struct ab_json value)
{
    bool of_task = ab_json_exists(ab_a2a_member(value, "taskId"));

    if (ab_json_is(ab_a2a_member(value, "artifact"), AB_JSON_OBJECT))
        return &kinds[3];
    if (ab_json_is(ab_a2a_member(value, "status"), AB_JSON_OBJECT))
        return ab_json_exists(ab_json_member(value, "id")) || !of_task ? &kinds[0] : &kinds[2];
    return ab_json_exists(ab_a2a_member(value, "role")) ? &kinds[1] : NULL;
}

static const struct kind *find_kind(struct ab_json *value)
{
    struct ab_json said = ab_json_member(*value, "kind");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ab_json inner = ab_a2a_member(*value, kinds[i].wrapped);
        if (ab_json_string_is(said, kinds[i].kind))
            return &kinds[i];
        if (!ab_json_exists(said) && ab_json_is(inner, AB_JSON_OBJECT) &&
            !ab_json_exists(ab_a2a_member(*value, "status"))) {
            *value = inner;
            return &kinds[i];
        }
    }
    return ab_json_exists(said) ? NULL : guess(*value);
}

bool ab_a2a_news_read(const struct ab_a2a_version *version, struct ab_json result, struct ab_a2a_news *out,
                      char *reason, size_t reason_size)
{
    struct reading reading = { .version = version, .out = out, .reason = reason, .reason_size = reason_size };
    const struct kind *kind;

    *out = (struct ab_a2a_news){ 0 };
    if (!ab_json_is(result, AB_JSON_OBJECT))
        return wrong(&reading, "the agent's answer must be an object, found %s", ab_json_type_name(result));
    kind = find_kind(&result);
    if (kind == NULL)
        return wrong(&reading, "the agent's answer is neither a task nor a message nor a change of one");
    if (kind->read(&reading, result))
        return true;
    ab_a2a_news_deinit(out);
    return false;
}

bool ab_a2a_news_task(struct ab_json body, char **task_id)
{
    char reason[AB_A2A_REASON_SIZE];
    struct reading reading = { .reason = reason, .reason_size = sizeof reason };
    const struct kind *kind = ab_json_is(body, AB_JSON_OBJECT) ? find_kind(&body) : NULL;

    *task_id = NULL;
    if (kind != NULL && read_id(&reading, body, kind->id, !kind->needs_no_id, task_id))
        return true;
    free(*task_id);
    *task_id = NULL;
    return false;
}

void ab_a2a_news_deinit(struct ab_a2a_news *news)
{
    free(news->task_id);
    free(news->context_id);
    free(news->parts_json);
    free(news->artifacts_json);
    *news = (struct ab_a2a_news){ 0 };
}
