/* Conversations: what was said in the turns of a thread, and in those that were begun for it. */
#include "rest/call.h"
#include "rest/task.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* The turns of one thread, the newest first. */
struct turns {
    struct ab_task *tasks;
    size_t n;
};

static bool add_turn(void *arg, const struct ab_task *task)
{
    struct turns *turns = arg;

    turns->tasks = ab_realloc(turns->tasks, (turns->n + 1) * sizeof *turns->tasks);
    ab_task_copy(&turns->tasks[turns->n++], task);
    return true;
}

static void turns_deinit(struct turns *turns)
{
    for (size_t i = 0; i < turns->n; i++)
        ab_task_deinit(&turns->tasks[i]);
    free(turns->tasks);
}

/* --- messages --- */

static void begin_message(struct ab_json_writer *writer, const struct ab_task *task, const char *side, const char *role)
{
    AB_CLEANUP(ab_free_string) char *id = ab_format("%s_%s_%" PRIu32, task->thread_id, side, task->turn);

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", id);
    ab_json_put_text(writer, "role", role);
    ab_json_write_key(writer, "content");
}

/* Times stand in seconds here. */
static void end_message(struct ab_json_writer *writer, int64_t at)
{
    ab_json_put_int(writer, "created_at", at / 1000);
    ab_json_object_end(writer);
}

/* Other faces say it in parts: their texts are the content. */
static void write_said(struct ab_json_writer *writer, const struct ab_task_request *request)
{
    struct ab_json text = ab_json_member(ab_json_trusted(request->input_json), "text");
    struct ab_json_iterator parts = ab_json_iterate(ab_json_member(ab_json_trusted(request->message_json), "parts"));
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json part;

    if (!ab_json_unescape(text, &out) || out.size == 0) {
        while (ab_json_next(&parts, NULL, &part)) {
            if (out.size > 0 && ab_json_exists(ab_json_member(part, "text")))
                ab_buf_append_char(&out, '\n');
            (void)!ab_json_unescape(ab_json_member(part, "text"), &out);
        }
    }
    ab_json_write_str(writer, ab_buf_str(&out));
    ab_buf_deinit(&out);
}

static int write_turn(struct ab_json_writer *writer, struct ab_engine *engine, const struct ab_task *task)
{
    struct ab_task_request request = { 0 };
    struct ab_buf answer = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int result = ab_engine_request(engine, task->id, &request);

    if (result < 0)
        return result;
    begin_message(writer, task, "user", "user");
    write_said(writer, &request);
    end_message(writer, task->created_at);
    ab_task_request_deinit(&request);
    if (task->status == AB_TASK_COMPLETED && ab_rest_result_text(task, &answer)) {
        begin_message(writer, task, "agent", "assistant");
        ab_json_write_str(writer, ab_buf_str(&answer));
        end_message(writer, task->finished_at);
    }
    ab_buf_deinit(&answer);
    return AB_OK;
}

/* The whole conversation of a thread, as an array. */
static int write_thread(struct ab_json_writer *writer, struct ab_rest_call *call, const char *thread_id)
{
    struct ab_engine *engine = call->rest->settings.engine;
    const struct ab_store_filter filter = { .owner = call->owner, .thread_id = thread_id };
    struct turns turns = { 0 };
    int result = ab_engine_list(engine, &filter, add_turn, &turns);

    ab_json_array_begin(writer);
    for (size_t i = turns.n; i-- > 0 && result >= 0;)
        result = write_turn(writer, engine, &turns.tasks[i]);
    ab_json_array_end(writer);
    turns_deinit(&turns);
    return result;
}

/* --- those that were begun for it --- */

struct children {
    const struct ab_rest_found *parent;
    struct turns found; /* one turn of each thread */
};

static bool is_child(const struct ab_task *task, const struct ab_task *parent)
{
    struct ab_json named = ab_json_member(ab_json_trusted(task->surface_json), "parent");

    return strcmp(task->thread_id, parent->thread_id) != 0 &&
           (ab_json_string_is(named, parent->thread_id) || ab_json_string_is(named, parent->id));
}

static bool add_child(void *arg, const struct ab_task *task)
{
    struct children *children = arg;

    for (size_t i = 0; i < children->found.n; i++) {
        if (strcmp(children->found.tasks[i].thread_id, task->thread_id) == 0)
            return true;
    }
    return !is_child(task, &children->parent->task) || add_turn(&children->found, task);
}

static int write_children(struct ab_json_writer *writer, struct ab_rest_call *call, const struct ab_rest_found *parent)
{
    const struct ab_store_filter filter = { .owner = call->owner };
    struct children children = { .parent = parent };
    int result = ab_engine_list(call->rest->settings.engine, &filter, add_child, &children);

    for (size_t i = children.found.n; i-- > 0 && result >= 0;) {
        ab_json_write_key_str(writer, ab_str(children.found.tasks[i].thread_id));
        result = write_thread(writer, call, children.found.tasks[i].thread_id);
    }
    turns_deinit(&children.found);
    return result;
}

/* --- the answers --- */

static void answer(struct ab_rest_call *call, bool full)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_rest_found found;
    struct ab_json_writer writer;
    int result;

    if (!ab_rest_find(call, &found))
        return;
    ab_json_writer_init(&writer, &text);
    if (full) {
        ab_json_object_begin(&writer);
        ab_json_write_key(&writer, "root");
    }
    result = write_thread(&writer, call, found.task.thread_id);
    if (full) {
        result = result < 0 ? result : write_children(&writer, call, &found);
        ab_json_object_end(&writer);
    }
    if (result < 0)
        ab_rest_refuse(call, 500, "The conversation cannot be read");
    else
        ab_rest_answer(call, 200, ab_buf_str(&text));
    ab_buf_deinit(&text);
    ab_task_deinit(&found.task);
}

void ab_rest_thread(struct ab_rest_call *call)
{
    answer(call, false);
}

void ab_rest_thread_full(struct ab_rest_call *call)
{
    answer(call, true);
}
