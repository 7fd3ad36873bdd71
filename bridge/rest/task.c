#include "rest/task.h"

#include "rest/names.h"
#include "task/question.h"
#include "task/result.h"

#include <string.h>

/* The platform's own bound for what an agent's author says of the state. */
#define INTERNAL_STATUS_BYTES 255
/* The pause that a task is in stands among its last events. */
#define RECENT_EVENTS 32

/* What one task is written from. */
struct view {
    struct ab_engine *engine;
    const struct ab_task *task;
    struct ab_json input;
    struct ab_json options;
};

/* --- small writers --- */

static void put_optional_time(struct ab_json_writer *writer, const char *key, int64_t at)
{
    if (at != 0)
        ab_json_put_time(writer, key, at);
    else
        ab_json_put_raw(writer, key, NULL);
}

static void put_if_there(struct ab_json_writer *writer, const char *key, struct ab_json value)
{
    if (ab_json_exists(value))
        ab_json_put_value(writer, key, value);
}

/* --- what was asked for --- */

static void append_word(struct ab_buf *out, struct ab_json word)
{
    struct ab_buf text = AB_BUF_INIT(1024);

    if (ab_json_unescape(word, &text) && text.size > 0) {
        if (out->size > 0)
            ab_buf_append_char(out, ' ');
        ab_buf_append_str(out, ab_buf_str(&text));
    }
    ab_buf_deinit(&text);
}

/* A user has a name to be shown, made of what there is. */
static void put_display_name(struct ab_json_writer *writer, struct ab_json user)
{
    static const char *const names[] = { "first_name", "last_name" };
    static const char *const others[] = { "name", "email", "id" };
    struct ab_buf text = AB_BUF_INIT(4096);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        append_word(&text, ab_json_member(user, names[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others && text.size == 0; i++)
        append_word(&text, ab_json_member(user, others[i]));
    ab_json_write_key(writer, "display_name");
    ab_json_write_str(writer, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

static void put_user(struct ab_json_writer *writer, struct ab_json user)
{
    if (!ab_json_is(user, AB_JSON_OBJECT)) {
        ab_json_put_raw(writer, "user", NULL);
        return;
    }
    ab_json_write_key(writer, "user");
    ab_json_object_begin(writer);
    ab_json_put_members(writer, user, (const char *const[]){ "display_name", NULL });
    put_display_name(writer, user);
    ab_json_object_end(writer);
}

static void put_input(struct ab_json_writer *writer, struct ab_json input)
{
    struct ab_json text = ab_json_member(input, "text");
    struct ab_json files = ab_json_member(input, "files");

    ab_json_write_key(writer, "input");
    ab_json_object_begin(writer);
    ab_json_put_value(writer, "text", ab_json_exists(text) ? text : ab_json_trusted("\"\""));
    ab_json_put_value(writer, "files", ab_json_exists(files) ? files : ab_json_trusted("[]"));
    put_user(writer, ab_json_member(input, "user"));
    ab_json_object_end(writer);
}

static void put_wishes(struct ab_json_writer *writer, struct ab_json options)
{
    struct ab_json servers = ab_json_member(options, "mcp_servers");

    for (const struct ab_rest_field *field = ab_rest_fields; field->name != NULL; field++) {
        struct ab_json value = ab_json_member(options, field->name);
        if (field->shown != NULL)
            ab_json_put_value(writer, field->shown, ab_json_exists(value) ? value : ab_json_trusted(field->unset));
    }
    ab_json_put_value(writer, "mcp_servers", ab_json_exists(servers) ? servers : ab_json_trusted("[]"));
    ab_json_put_value(writer, "agent_version", ab_json_member(options, "version"));
}

/* Programs of the platform's name theirs, or are told of as the platform does it; other faces have their names. */
static void put_source(struct ab_json_writer *writer, const struct view *view)
{
    struct ab_json source = ab_json_member(view->options, "source");

    if (ab_json_exists(source))
        ab_json_put_value(writer, "source", source);
    else
        ab_json_put_text(writer, "source", strcmp(view->task->surface, "rest") == 0 ? "api" : view->task->surface);
}

/* --- how it stands --- */

bool ab_rest_result_text(const struct ab_task *task, struct ab_buf *out)
{
    struct ab_json result = ab_json_trusted(task->result_json);
    struct ab_json message = ab_json_member(ab_json_trusted(task->error_json), "message");
    struct ab_json data = ab_json_member(result, "data");

    if (task->status != AB_TASK_COMPLETED)
        return ab_json_unescape(message, out);
    if (ab_json_unescape(ab_json_member(result, "text"), out) && (out->size > 0 || !ab_json_exists(data)))
        return true;
    if (ab_json_exists(data))
        ab_buf_append_str(out, data.text);
    return ab_json_exists(data);
}

static void put_result(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_json_write_key(writer, "result");
    if (ab_rest_result_text(task, &text))
        ab_json_write_str(writer, ab_buf_str(&text));
    else
        ab_json_write_null(writer);
    ab_buf_deinit(&text);
}

static void put_internal_status(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_str text = ab_str(task->status_message);

    ab_json_write_key(writer, "internal_status");
    if (text.size > INTERNAL_STATUS_BYTES)
        text.size = ab_utf8_valid_prefix((struct ab_str){ text.data, INTERNAL_STATUS_BYTES });
    if (task->status_message != NULL)
        ab_json_write_str(writer, text);
    else
        ab_json_write_null(writer);
}

/* When a status was entered. */
struct entered {
    const char *status;
    uint64_t until; /* no event behind this one counts */
    bool first;     /* the first time, or the last */
    int64_t at;
};

static bool see_status(void *arg, const struct ab_event *event)
{
    struct entered *entered = arg;
    struct ab_json status = ab_json_member(ab_json_trusted(event->body_json), "status");

    if (event->number > entered->until)
        return false;
    if (!ab_json_string_is(status, entered->status))
        return true;
    entered->at = event->at;
    return !entered->first;
}

static int put_times(struct ab_json_writer *writer, const struct view *view)
{
    const struct ab_task *task = view->task;
    const uint32_t statuses = AB_EVENT_BIT(AB_EVENT_STATUS);
    struct entered started = { .status = "executing", .until = task->last_event, .first = true };
    struct entered paused = { .status = "paused", .until = task->last_event };
    uint64_t recent = task->last_event > RECENT_EVENTS ? task->last_event - RECENT_EVENTS : 0;
    int result = AB_OK;

    if (task->status != AB_TASK_PENDING)
        result = ab_engine_events(view->engine, task->id, 0, statuses, 0, see_status, &started);
    if (result >= 0 && task->status == AB_TASK_PAUSED) {
        result = ab_engine_events(view->engine, task->id, recent, statuses, 0, see_status, &paused);
        paused.at = paused.at != 0 ? paused.at : task->updated_at;
    }
    ab_json_put_time(writer, "created_at", task->created_at);
    ab_json_put_time(writer, "updated_at", task->updated_at);
    put_optional_time(writer, "started_at", started.at);
    put_optional_time(writer, "paused_at", paused.at);
    put_optional_time(writer, "finished_at", task->finished_at);
    return result;
}

/* --- what it waits for --- */

/* The first question of a kind that has no answer yet; `url`: one that leads to a page, or one that does not. */
static bool first_question(const struct ab_task *task, bool url, struct ab_json *key, struct ab_json *question)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(task->questions_json));

    if (task->status != AB_TASK_PAUSED || (task->reason == AB_REASON_AUTH) != url)
        return false;
    while (ab_json_next(&each, key, question)) {
        if (!ab_json_exists(ab_json_member(*question, "answer")) &&
            ab_json_string_is(ab_json_member(*question, "kind"), "url") == url)
            return true;
    }
    return false;
}

static void put_hitl(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_json key;
    struct ab_json question;

    ab_json_write_key(writer, "hitl_request");
    if (!first_question(task, false, &key, &question)) {
        ab_json_write_null(writer);
        return;
    }
    ab_json_object_begin(writer);
    ab_json_put_value(writer, "wait_node_id", key);
    put_if_there(writer, "title", ab_json_member(question, "title"));
    put_if_there(writer, "content", ab_json_member(question, "message"));
    ab_json_object_end(writer);
}

static void put_sign_in(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_json key;
    struct ab_json question;

    ab_json_write_key(writer, "pending_eca_request");
    if (!first_question(task, true, &key, &question)) {
        ab_json_write_null(writer);
        return;
    }
    ab_json_object_begin(writer);
    ab_json_put_value(writer, "connector_name", key);
    ab_json_put_value(writer, "auth_url", ab_json_member(question, "url"));
    ab_json_object_end(writer);
}

/* --- what a bridge adds --- */

static void put_questions(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (task->status == AB_TASK_PAUSED)
        ab_questions_write_open(ab_json_trusted(task->questions_json), &text);
    ab_json_put_optional_raw(writer, "questions", text.data);
    ab_buf_deinit(&text);
}

static int put_artifacts(struct ab_json_writer *writer, const struct view *view)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int result = AB_OK;

    if (view->task->n_artifacts > 0)
        result = ab_engine_artifacts(view->engine, view->task->id, &text);
    ab_json_put_optional_raw(writer, "artifacts", text.data);
    ab_buf_deinit(&text);
    return result;
}

static int put_bridge(struct ab_json_writer *writer, const struct view *view)
{
    const struct ab_task *task = view->task;
    int result;

    ab_json_write_key(writer, "agentbridge");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "task_id", task->id);
    ab_json_put_int(writer, "turn", task->turn);
    ab_json_put_int(writer, "last_event", (int64_t)task->last_event);
    if (task->reason != AB_REASON_NONE)
        ab_json_put_text(writer, "reason", ab_task_reason_name(task->reason));
    ab_json_put_optional_text(writer, "status_message", task->status_message);
    ab_progress_put(writer, task);
    put_questions(writer, task);
    result = put_artifacts(writer, view);
    if (task->status == AB_TASK_COMPLETED)
        ab_json_put_optional_raw(writer, "result", task->result_json);
    ab_json_put_optional_raw(writer, "error", task->error_json);
    ab_json_object_end(writer);
    return result;
}

/* --- the task --- */

static int write_members(struct ab_json_writer *writer, const struct view *view, const char *id)
{
    const struct ab_task *task = view->task;
    int times;
    int added;

    ab_json_put_text(writer, "id", id);
    ab_json_put_text(writer, "agent_id", task->agent);
    ab_json_put_text(writer, "organization_id", AB_REST_ORGANIZATION);
    put_input(writer, view->input);
    ab_json_put_text(writer, "status", ab_task_status_name(task->status));
    put_internal_status(writer, task);
    put_result(writer, task);
    times = put_times(writer, view);
    ab_json_put_bool(writer, "is_manually_stopped", task->status == AB_TASK_STOPPED);
    put_hitl(writer, task);
    put_sign_in(writer, task);
    put_source(writer, view);
    put_wishes(writer, view->options);
    ab_json_put_bool(writer, "is_orchestration",
                     ab_json_is_true(ab_json_member(ab_json_trusted(task->surface_json), "workflow")));
    ab_json_put_int(writer, "execution_attempts", task->attempt);
    added = put_bridge(writer, view);
    return times < 0 ? times : added;
}

int ab_rest_task_write(struct ab_json_writer *writer, struct ab_engine *engine, const struct ab_task *task,
                       const char *id)
{
    struct ab_task_request request = { 0 };
    struct view view = { .engine = engine, .task = task };
    int result = ab_engine_request(engine, task->id, &request);

    if (result < 0)
        return result;
    view.input = ab_json_trusted(request.input_json);
    view.options = ab_json_trusted(request.options_json);
    ab_json_object_begin(writer);
    result = write_members(writer, &view, id);
    ab_json_object_end(writer);
    ab_task_request_deinit(&request);
    return result;
}

/* --- lists --- */

static void put_listed(struct ab_json_writer *writer, const char *key, const struct ab_task *task, const char *member)
{
    ab_json_put_value(writer, key, ab_json_member(ab_json_trusted(task->surface_json), member));
}

/* The surface, by the caller's own word, or as the platform calls what comes over its API. */
static void put_surface(struct ab_json_writer *writer, const struct ab_task *task)
{
    struct ab_json named = ab_json_member(ab_json_trusted(task->surface_json), "source_node_type");

    if (ab_json_exists(named))
        ab_json_put_value(writer, "source_node_type", named);
    else
        ab_json_put_text(writer, "source_node_type", strcmp(task->surface, "rest") == 0 ? "sdk" : task->surface);
}

void ab_rest_item_write(struct ab_json_writer *writer, const struct ab_task *task)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", task->thread_id);
    ab_json_put_text(writer, "agent_id", task->agent);
    ab_json_put_text(writer, "organization_id", AB_REST_ORGANIZATION);
    ab_json_put_text(writer, "status", ab_task_status_name(task->status));
    put_listed(writer, "user_id", task, "user_id");
    put_listed(writer, "parent_task_id", task, "parent");
    put_listed(writer, "triggering_agent_id", task, "triggering_agent_id");
    ab_json_put_time(writer, "created_at", task->created_at);
    ab_json_put_time(writer, "updated_at", task->updated_at);
    put_surface(writer, task);
    put_result(writer, task);
    ab_json_put_text(writer, "title", task->title);
    ab_json_object_end(writer);
}

char *ab_rest_surface(struct ab_json options, struct ab_json input, bool workflow)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    put_if_there(&writer, "user_id", ab_json_at(input, "user", "id", NULL));
    put_if_there(&writer, "parent", ab_json_member(options, "parent_execution_id"));
    put_if_there(&writer, "triggering_agent_id", ab_json_member(options, "triggering_agent_id"));
    put_if_there(&writer, "source_node_type", ab_json_member(options, "source_node_type"));
    if (workflow)
        ab_json_put_bool(&writer, "workflow", true);
    ab_json_object_end(&writer);
    return ab_buf_steal(&text);
}
