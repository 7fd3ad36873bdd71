/* What was said in a task, in order: the caller's message, then each round of questions and answers. The log keeps
 * answers by key, whichever face they came through, so they are shown as the messages that would give them. */
#include "a2a/answer.h"
#include "a2a/write.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

struct history {
    struct ab_a2a_view view;
    const struct ab_task *task;
    char **messages; /* JSON, oldest first */
    size_t n;
    char *asked; /* the round that is open at this place of the log */
};

static void add(struct history *history, const struct ab_a2a_message *message)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    if (history->view.form->kinds)
        ab_json_put_text(&writer, "kind", "message");
    ab_a2a_write_message(&writer, history->view.form, message);
    ab_json_object_end(&writer);
    history->messages = ab_realloc(history->messages, (history->n + 1) * sizeof *history->messages);
    history->messages[history->n++] = ab_buf_steal(&text);
}

static void add_request(struct history *history, const char *message_json)
{
    struct ab_json message = ab_json_trusted(message_json);
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(message, "message_id"));

    add(history, &(struct ab_a2a_message){ .id = id != NULL ? id : history->task->id,
                                           .role = AB_A2A_USER,
                                           .context_id = history->task->thread_id,
                                           .task_id = history->task->id,
                                           .parts = ab_json_member(message, "parts"),
                                           .metadata = ab_json_member(message, "metadata"),
                                           .extensions = ab_json_member(message, "extensions"),
                                           .references = ab_json_member(message, "reference_task_ids") });
}

static char *question_parts(struct ab_json asked)
{
    struct ab_json_iterator each = ab_json_iterate(asked);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json question;

    ab_json_writer_init(&writer, &out);
    ab_json_array_begin(&writer);
    while (ab_json_next(&each, NULL, &question)) {
        struct ab_json words = ab_json_member(question, "message");
        if (!ab_json_exists(words))
            words = ab_json_member(question, "title");
        if (!ab_json_is(words, AB_JSON_STRING))
            continue;
        ab_json_object_begin(&writer);
        ab_json_put_value(&writer, "text", words);
        ab_json_object_end(&writer);
    }
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "data");
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "questions", asked);
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    ab_json_array_end(&writer);
    return ab_buf_steal(&out);
}

static bool add_event(void *arg, const struct ab_event *event)
{
    struct history *history = arg;
    bool asks = event->kind == AB_EVENT_QUESTION;
    struct ab_json body = ab_json_trusted(event->body_json);
    AB_CLEANUP(ab_free_string) char *id = ab_format("%s-%" PRIu64, history->task->id, event->number);
    AB_CLEANUP(ab_free_string)
    char *parts = asks ? question_parts(body) : ab_a2a_answer_parts(ab_json_trusted(history->asked), body);

    if (asks)
        ab_replace(&history->asked, event->body_json);
    add(history, &(struct ab_a2a_message){ .id = id,
                                           .role = asks ? AB_A2A_AGENT : AB_A2A_USER,
                                           .context_id = history->task->thread_id,
                                           .task_id = history->task->id,
                                           .parts = ab_json_trusted(parts) });
    return true;
}

static int collect(struct history *history)
{
    struct ab_engine *engine = history->view.engine;
    struct ab_task_request request = { 0 };
    int result = ab_engine_request(engine, history->task->id, &request);

    if (result < 0)
        return result;
    if (result == AB_OK)
        add_request(history, request.message_json);
    ab_task_request_deinit(&request);
    return ab_engine_events(engine, history->task->id, 0,
                            AB_EVENT_BIT(AB_EVENT_QUESTION) | AB_EVENT_BIT(AB_EVENT_ANSWER), 0, add_event, history);
}

int ab_a2a_write_history(struct ab_json_writer *writer, struct ab_a2a_view view, const struct ab_task *task,
                         int64_t length)
{
    struct history history = { .view = view, .task = task };
    size_t first;
    int result;

    if (length == 0)
        return AB_OK;
    result = collect(&history);
    first = length > 0 && (size_t)length < history.n ? history.n - (size_t)length : 0;
    ab_json_write_key(writer, "history");
    ab_json_array_begin(writer);
    for (size_t i = 0; i < history.n; i++) {
        if (i >= first)
            ab_json_write_raw(writer, history.messages[i]);
        free(history.messages[i]);
    }
    ab_json_array_end(writer);
    free(history.messages);
    free(history.asked);
    return result;
}
