/* What a stream says: the task, then each event of its log in the form of the version. */
#include "a2a/follow_internal.h"

#include "base/mem.h"

/* Events told in one turn; the rest follows when the client has taken these. */
#define EVENTS_AT_ONCE 64

static void send_event(struct ab_a2a_follow *follow, struct ab_buf *text)
{
    ab_a2a_stream_event(follow->call, ab_buf_str(text));
    ab_buf_deinit(text);
}

bool follow_tell_task(struct ab_a2a_follow *follow, const struct ab_task *task, bool artifacts)
{
    const struct ab_a2a_task_wish wish = { .history_length = follow->history_length, .artifacts = artifacts };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_begin(&writer, follow->call->form, "task", "task");
    if (ab_a2a_write_task(&writer, ab_a2a_view_of(follow->call), task, &wish) < 0) {
        ab_buf_deinit(&text);
        follow_fail(follow);
        return false;
    }
    ab_a2a_end(&writer, follow->call->form);
    follow->told = true;
    send_event(follow, &text);
    return true;
}

bool follow_ends_with(const struct ab_a2a_follow *follow, enum ab_a2a_state state)
{
    return ab_a2a_state_is_terminal(state) || (state == AB_A2A_INPUT_REQUIRED && follow->kind == AB_A2A_FOLLOW_STREAM);
}

void follow_tell_status(struct ab_a2a_follow *follow, const struct ab_a2a_status *status, const char *metadata_json)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_write_status_update(&writer, follow->call->form, status, follow_ends_with(follow, status->state),
                               metadata_json);
    send_event(follow, &text);
    if (follow_ends_with(follow, status->state)) {
        follow_stop(follow);
        ab_http_reply_end(&follow->call->reply);
    }
}

static void tell_artifact(struct ab_a2a_follow *follow, struct ab_json artifact)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_write_artifact_update(&writer, follow->call->form, follow->task_id, follow->context_id, artifact);
    send_event(follow, &text);
}

/* A piece of the answer as it comes: the beginning, or more, of what will be the result. */
static void tell_chunk(struct ab_a2a_follow *follow, struct ab_json chunk)
{
    AB_CLEANUP(ab_free_string) char *id = ab_a2a_result_id(follow->task_id);
    struct ab_json piece = ab_json_member(chunk, "text");
    AB_CLEANUP(ab_free_string)
    char *artifact = ab_format("{\"id\":\"%s\",\"name\":\"result\",\"parts\":[{\"text\":%.*s}],\"append\":%s}", id,
                               AB_STR_ARGS(piece.text), follow->chunked ? "true" : "false");

    follow->chunked = true;
    tell_artifact(follow, ab_json_trusted(artifact));
}

/* The whole result, in place of the pieces that may have been told: what is final is told as it is kept. */
static void tell_result(struct ab_a2a_follow *follow, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_begin_artifact_update(&writer, follow->call->form, follow->task_id, follow->context_id);
    if (ab_a2a_write_result(&writer, follow->call->form, task)) {
        ab_a2a_end_artifact_update(&writer, follow->call->form, false, true);
        send_event(follow, &text);
    } else {
        ab_buf_deinit(&text);
    }
}

static void tell_status_event(struct ab_a2a_follow *follow, const struct ab_event *event, struct ab_json body)
{
    AB_CLEANUP(ab_free_string) char *status_name = ab_json_string_dup(ab_json_member(body, "status"));
    AB_CLEANUP(ab_free_string) char *reason_name = ab_json_string_dup(ab_json_member(body, "reason"));
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(body, "message"));
    enum ab_task_status status;
    enum ab_task_reason reason = AB_REASON_NONE;
    struct ab_task task = { 0 };

    if (status_name == NULL || !ab_task_status_parse(status_name, &status) || status == AB_TASK_PENDING)
        return;
    if (reason_name != NULL && !ab_task_reason_parse(reason_name, &reason))
        reason = AB_REASON_NONE;
    if (status == AB_TASK_COMPLETED) {
        if (ab_engine_get(follow_engine(follow), follow->call->owner, follow->task_id, &task) != AB_OK) {
            follow_fail(follow);
            return;
        }
        tell_result(follow, &task);
        ab_task_deinit(&task);
    }
    follow_tell_status(follow,
                       &(struct ab_a2a_status){
                           .state = ab_a2a_state_of(status, reason),
                           .at = event->at,
                           .text = status == AB_TASK_COMPLETED ? NULL : message,
                           .questions = ab_json_trusted(status == AB_TASK_PAUSED ? follow->questions : NULL),
                           .context_id = follow->context_id,
                           .task_id = follow->task_id,
                           .number = event->number,
                       },
                       NULL);
}

static void tell_progress(struct ab_a2a_follow *follow, const struct ab_event *event, struct ab_json body)
{
    AB_CLEANUP(ab_free_string) char *message = ab_json_string_dup(ab_json_member(body, "message"));
    AB_CLEANUP(ab_free_string) char *metadata = ab_format("{\"progress\":%.*s}", AB_STR_ARGS(body.text));

    follow_tell_status(follow,
                       &(struct ab_a2a_status){ .state = AB_A2A_WORKING,
                                                .at = event->at,
                                                .text = message,
                                                .context_id = follow->context_id,
                                                .task_id = follow->task_id,
                                                .number = event->number },
                       metadata);
}

struct pump {
    struct ab_a2a_follow *follow;
    size_t n;
};

static bool tell_event(void *arg, const struct ab_event *event)
{
    struct pump *pump = arg;
    struct ab_a2a_follow *follow = pump->follow;
    struct ab_json body = ab_json_trusted(event->body_json);

    pump->n++;
    follow->cursor = event->number;
    if (event->kind == AB_EVENT_STATUS)
        tell_status_event(follow, event, body);
    else if (event->kind == AB_EVENT_PROGRESS)
        tell_progress(follow, event, body);
    else if (event->kind == AB_EVENT_CHUNK)
        tell_chunk(follow, body);
    else if (event->kind == AB_EVENT_ARTIFACT)
        tell_artifact(follow, body);
    else if (event->kind == AB_EVENT_QUESTION)
        ab_replace(&follow->questions, event->body_json);
    return !follow->over && !follow->call->reply.behind;
}

static void end_if_gone(struct ab_a2a_follow *follow)
{
    struct ab_task task = { 0 };

    if (ab_engine_get(follow_engine(follow), follow->call->owner, follow->task_id, &task) != AB_OK)
        follow_fail(follow);
    ab_task_deinit(&task);
}

void follow_tell_events(struct ab_a2a_follow *follow)
{
    uint64_t newest = ab_engine_newest_event(follow_engine(follow), follow->task_id);
    struct pump pump = { .follow = follow };
    bool told = false;

    do {
        pump.n = 0;
        if (ab_engine_events(follow_engine(follow), follow->task_id, follow->cursor, FOLLOW_TOLD, EVENTS_AT_ONCE,
                             tell_event, &pump) < 0) {
            follow_fail(follow);
            return;
        }
        told = told || pump.n > 0;
    } while (pump.n == EVENTS_AT_ONCE && !follow->over && !follow->call->reply.behind);
    if (!told && newest == 0)
        end_if_gone(follow);
    else if (!follow->call->reply.behind)
        follow_pass(follow, newest);
}

/* --- pieces that were told before this stream began --- */

struct pieces {
    struct ab_buf text;
    uint64_t until;
};

static bool add_piece(void *arg, const struct ab_event *event)
{
    struct pieces *pieces = arg;

    if (event->number > pieces->until)
        return false;
    (void)!ab_json_unescape(ab_json_member(ab_json_trusted(event->body_json), "text"), &pieces->text);
    return true;
}

void follow_tell_pieces(struct ab_a2a_follow *follow)
{
    struct pieces pieces = { .text = AB_BUF_INIT(AB_BUF_UNBOUNDED), .until = follow->cursor };
    struct ab_buf chunk = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (ab_engine_events(follow_engine(follow), follow->task_id, 0, AB_EVENT_BIT(AB_EVENT_CHUNK), 0, add_piece,
                         &pieces) >= 0 &&
        pieces.text.size > 0) {
        ab_json_writer_init(&writer, &chunk);
        ab_json_object_begin(&writer);
        ab_json_write_key(&writer, "text");
        ab_json_write_str(&writer, ab_buf_str(&pieces.text));
        ab_json_object_end(&writer);
        tell_chunk(follow, ab_json_trusted(chunk.data));
    }
    ab_buf_deinit(&pieces.text);
    ab_buf_deinit(&chunk);
}
