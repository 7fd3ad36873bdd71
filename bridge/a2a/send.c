/* SendMessage and SendStreamingMessage: a new task, or what a waiting one was asked. */
#include "a2a/answer.h"
#include "a2a/follow.h"
#include "a2a/message.h"
#include "a2a/methods.h"
#include "a2a/write.h"

#include "base/mem.h"

#include <string.h>

/* --- a new task --- */

static enum ab_a2a_error create_error(enum ab_create_outcome outcome)
{
    switch (outcome) {
    case AB_CREATE_THREAD_BUSY:
        return AB_A2A_UNSUPPORTED_OPERATION;
    case AB_CREATE_OVER_QUOTA:
        return AB_A2A_OVER_QUOTA;
    case AB_CREATE_BAD_OPTIONS:
        return AB_A2A_INVALID_PARAMS;
    case AB_CREATE_NOT_STORED:
    case AB_CREATE_SHUTTING_DOWN:
        return AB_A2A_UNAVAILABLE;
    case AB_CREATE_DONE:
    case AB_CREATE_EXISTING:
    case AB_CREATE_UNKNOWN_AGENT:
    case AB_CREATE_KEY_REUSED:
        break;
    }
    return AB_A2A_INTERNAL_ERROR;
}

static void on_created(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_a2a_call *call = arg;

    if (!ab_http_reply_kept(&call->reply))
        return; /* the task goes on: a caller that leaves has not cancelled it */
    if (outcome == AB_CREATE_DONE)
        ab_a2a_follow_task(call->follow, task, true);
    else if (task != NULL)
        ab_a2a_refuse_task(call, create_error(outcome), task->id, "%s", text);
    else
        ab_a2a_refuse(call, create_error(outcome), "%s", text != NULL ? text : "the task could not be made");
}

static void create(struct ab_a2a_call *call, const struct ab_a2a_sent *sent)
{
    AB_CLEANUP(ab_free_string) char *surface = ab_format("{\"version\":\"%s\"}", call->version->name);
    AB_CLEANUP(ab_free_string)
    char *wishes = sent->push_wish != NULL ? ab_format("[%s]", sent->push_wish) : NULL;

    ab_http_reply_promise(&call->reply);
    ab_engine_create(call->a2a->settings.engine,
                     &(struct ab_new_task){ .owner = call->owner,
                                            .agent = call->agent,
                                            .surface = "a2a",
                                            .surface_json = surface,
                                            .thread_id = sent->context_id,
                                            .message_json = sent->message_json,
                                            .input_json = sent->input_json,
                                            .options_json = sent->options_json,
                                            .webhooks_json = wishes },
                     on_created, call);
}

/* --- a task that is there --- */

static void on_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_a2a_call *call = arg;

    if (!ab_http_reply_kept(&call->reply))
        return;
    switch (outcome) {
    case AB_STEER_DONE:
        ab_a2a_follow_task(call->follow, task, false);
        break;
    case AB_STEER_UNKNOWN:
        ab_a2a_refuse(call, AB_A2A_TASK_NOT_FOUND, "Task not found: there is no such task");
        break;
    case AB_STEER_TERMINAL:
        ab_a2a_refuse_task(call, AB_A2A_UNSUPPORTED_OPERATION, task->id, "The task has ended: it is %s",
                           ab_task_status_name(task->status));
        break;
    case AB_STEER_NO_QUESTION:
        ab_a2a_refuse_task(call, AB_A2A_UNSUPPORTED_OPERATION, task->id, "The task waits for no answer any more");
        break;
    case AB_STEER_MISFIT:
        ab_a2a_refuse_field(call, "message.parts", "%s", text);
        break;
    case AB_STEER_NOT_STORED:
        ab_a2a_refuse(call, AB_A2A_UNAVAILABLE, "%s", text);
        break;
    }
}

/* Answers that wait until the push notification configuration which came with them is kept. */
struct answering {
    struct ab_a2a_call *call;
    char *task_id;
    char *answers;
};

static void give_answers(struct ab_a2a_call *call, const char *task_id, const char *answers)
{
    ab_http_reply_promise(&call->reply);
    ab_engine_answer(call->a2a->settings.engine, call->owner, task_id, answers, on_steered, call);
}

static void on_wished(void *arg, enum ab_wish_outcome outcome, const char *text)
{
    struct answering *answering = arg;

    if (ab_http_reply_kept(&answering->call->reply)) {
        if (outcome == AB_WISH_DONE)
            give_answers(answering->call, answering->task_id, answering->answers);
        else
            ab_a2a_refuse_wish(answering->call, outcome, text);
    }
    free(answering->task_id);
    free(answering->answers);
    free(answering);
}

static void wish_and_answer(struct ab_a2a_call *call, const char *task_id, const char *answers, const char *wish)
{
    struct answering *answering = ab_alloc(1, sizeof *answering);

    *answering = (struct answering){ call, ab_strdup(task_id), ab_strdup(answers) };
    ab_http_reply_promise(&call->reply);
    ab_engine_put_wish(call->a2a->settings.engine, call->owner, task_id, wish, on_wished, answering);
}

/* A message that answers nothing leaves the task as it is; the answer says what is expected. */
static void repeat_question(struct ab_a2a_call *call, const struct ab_task *task, const char *expected,
                            int64_t history_length)
{
    const struct ab_a2a_task_wish wish = { .history_length = history_length, .artifacts = true, .said = expected };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_a2a_begin(&writer, call->form, "task", "task");
    if (ab_a2a_write_task(&writer, ab_a2a_view_of(call), task, &wish) < 0) {
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
    } else {
        ab_a2a_end(&writer, call->form);
        if (call->follow != NULL && ab_a2a_follow_is_stream(call->follow)) {
            ab_a2a_stream_event(call, ab_buf_str(&text));
            ab_http_reply_end(&call->reply);
        } else {
            ab_a2a_answer(call, ab_buf_str(&text));
        }
    }
    ab_buf_deinit(&text);
}

/* Whether the message may go to this task; false: refused. */
static bool check_task(struct ab_a2a_call *call, const struct ab_a2a_sent *sent, const struct ab_task *task)
{
    if (sent->context_id != NULL && strcmp(sent->context_id, task->thread_id) != 0) {
        ab_a2a_refuse_field(call, "message.contextId",
                            "Task %s belongs to the context \"%s\"; leave contextId out or "
                            "give that one",
                            task->id, task->thread_id);
        return false;
    }
    if (task->status == AB_TASK_PAUSED)
        return true;
    if (ab_task_status_is_terminal(task->status))
        ab_a2a_refuse_task(call, AB_A2A_UNSUPPORTED_OPERATION, task->id,
                           "The task has ended: it is %s. A message with its contextId and without taskId goes on with "
                           "the conversation",
                           ab_task_status_name(task->status));
    else
        ab_a2a_refuse_task(
            call, AB_A2A_UNSUPPORTED_OPERATION, task->id,
            "The task is working and asks nothing; subscribe to it, or send the message when it is done");
    return false;
}

static void answer_task(struct ab_a2a_call *call, const struct ab_a2a_sent *sent)
{
    struct ab_json parts = ab_json_member(ab_json_trusted(sent->message_json), "parts");
    AB_CLEANUP(ab_free_string) char *answers = NULL;
    struct ab_task task = { 0 };
    char expected[512];

    if (!ab_a2a_load_task(call, sent->task_id, &task))
        return;
    if (check_task(call, sent, &task)) {
        answers = ab_a2a_answers_from_parts(&task, parts, expected, sizeof expected);
        if (answers == NULL) {
            repeat_question(call, &task, expected, sent->history_length);
        } else if (sent->push_wish != NULL) {
            wish_and_answer(call, task.id, answers, sent->push_wish);
        } else {
            give_answers(call, task.id, answers);
        }
    }
    ab_task_deinit(&task);
}

static void send_message(struct ab_a2a_call *call, bool stream)
{
    struct ab_a2a_sent sent = { 0 };

    if (ab_a2a_sent_read(call, &sent)) {
        enum ab_a2a_follow_kind kind = sent.return_immediately ? AB_A2A_FOLLOW_NOT : AB_A2A_FOLLOW_WAIT;
        call->follow = ab_a2a_follow_new(call, stream ? AB_A2A_FOLLOW_STREAM : kind, sent.history_length);
        if (sent.task_id != NULL)
            answer_task(call, &sent);
        else
            create(call, &sent);
    }
    ab_a2a_sent_deinit(&sent);
}

void ab_a2a_send(struct ab_a2a_call *call)
{
    send_message(call, false);
}

void ab_a2a_send_stream(struct ab_a2a_call *call)
{
    if (ab_a2a_take_place(call))
        send_message(call, true);
}
