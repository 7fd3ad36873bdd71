/* Looking at tasks, and ending them: GetTask, ListTasks, CancelTask, SubscribeToTask. */
#include "a2a/follow.h"
#include "a2a/methods.h"
#include "a2a/write.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_SIZE 50
#define PAGE_SIZE_MAX 100

static const char page_purpose[] = "a2a-tasks-page";

/* --- one task --- */

bool ab_a2a_load_task(struct ab_a2a_call *call, const char *id, struct ab_task *out)
{
    int found = ab_engine_get(call->a2a->settings.engine, call->owner, id, out);

    if (found == AB_OK && strcmp(out->agent, call->agent) == 0) {
        ab_engine_touch(call->a2a->settings.engine, out->id);
        return true;
    }
    if (found == AB_OK)
        ab_task_deinit(out);
    if (found < 0)
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
    else
        ab_a2a_refuse_task(call, AB_A2A_TASK_NOT_FOUND, id, "There is no task \"%.100s\"", id);
    return false;
}

/* The task that the parameters name. */
static bool load_named(struct ab_a2a_call *call, struct ab_task *out)
{
    AB_CLEANUP(ab_free_string) char *id = NULL;

    if (!ab_a2a_read_text(call, call->params, "id", &id))
        return false;
    if (id == NULL) {
        ab_a2a_refuse_field(call, "id", "id is missing: it names the task");
        return false;
    }
    return ab_a2a_load_task(call, id, out);
}

void ab_a2a_answer_task(struct ab_a2a_call *call, const struct ab_task *task, int64_t history_length)
{
    const struct ab_a2a_task_wish wish = { .history_length = history_length, .artifacts = true };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    if (call->form->kinds)
        ab_json_put_text(&writer, "kind", "task");
    if (ab_a2a_write_task(&writer, call, task, &wish) < 0) {
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
    } else {
        ab_json_object_end(&writer);
        ab_a2a_answer(call, ab_buf_str(&text));
    }
    ab_buf_deinit(&text);
}

void ab_a2a_get_task(struct ab_a2a_call *call)
{
    struct ab_task task = { 0 };
    int64_t history_length = -1;

    if (!ab_a2a_read_count(call, call->params, "historyLength", &history_length) || !load_named(call, &task))
        return;
    ab_a2a_answer_task(call, &task, history_length);
    ab_task_deinit(&task);
}

void ab_a2a_subscribe(struct ab_a2a_call *call)
{
    struct ab_task task = { 0 };

    if (!load_named(call, &task))
        return;
    if (ab_task_status_is_terminal(task.status)) {
        ab_a2a_refuse_task(call, AB_A2A_UNSUPPORTED_OPERATION, task.id,
                           "The task has ended: it is %s, and nothing follows", ab_task_status_name(task.status));
    } else {
        call->follow = ab_a2a_follow_new(call, AB_A2A_FOLLOW_SUBSCRIBE, -1);
        ab_a2a_follow_task(call->follow, &task, false);
    }
    ab_task_deinit(&task);
}

/* --- cancelling --- */

static void on_stopped(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_a2a_call *call = arg;

    if (!ab_a2a_kept(call))
        return;
    if (outcome == AB_STEER_DONE)
        ab_a2a_answer_task(call, task, -1);
    else if (outcome == AB_STEER_TERMINAL)
        ab_a2a_refuse_task(call, AB_A2A_TASK_NOT_CANCELABLE, task->id, "The task has ended already: it is %s",
                           ab_task_status_name(task->status));
    else if (outcome == AB_STEER_UNKNOWN)
        ab_a2a_refuse(call, AB_A2A_TASK_NOT_FOUND, "There is no such task");
    else
        ab_a2a_refuse(call, AB_A2A_UNAVAILABLE, "%s", text != NULL ? text : "The task could not be stopped");
}

void ab_a2a_cancel_task(struct ab_a2a_call *call)
{
    struct ab_task task = { 0 };

    if (!load_named(call, &task))
        return;
    ab_a2a_promise(call);
    ab_engine_stop(call->a2a->settings.engine, call->owner, task.id, on_stopped, call);
    ab_task_deinit(&task);
}

/* --- lists --- */

struct list_wish {
    char *context_id;
    int64_t page_size;
    int64_t history_length;
    int64_t after;
    bool artifacts;
    bool has_state;
    enum ab_a2a_state state;
    struct ab_buf place;
};

struct list {
    struct ab_a2a_call *call;
    const struct list_wish *wish;
    struct ab_json_writer writer;
    int64_t n;
    int64_t total;
    bool more;
    bool broken;
    char last[64]; /* created_at and id of the last one shown */
};

/* States that share a status differ by the reason, which the store does not search. */
static bool fits(const struct list_wish *wish, const struct ab_task *task)
{
    return task->updated_at >= wish->after &&
           (!wish->has_state || ab_a2a_state_of(task->status, task->reason) == wish->state);
}

static bool add_task(void *arg, const struct ab_task *task)
{
    struct list *list = arg;
    const struct ab_a2a_task_wish wish = { .history_length = list->wish->history_length,
                                           .artifacts = list->wish->artifacts };

    if (!fits(list->wish, task))
        return true;
    if (list->n == list->wish->page_size) {
        list->more = true;
        return false;
    }
    ab_json_object_begin(&list->writer);
    if (list->call->form->kinds)
        ab_json_put_text(&list->writer, "kind", "task");
    list->broken = ab_a2a_write_task(&list->writer, list->call, task, &wish) < 0;
    ab_json_object_end(&list->writer);
    snprintf(list->last, sizeof list->last, "%" PRId64 " %s", task->created_at, task->id);
    list->n++;
    return !list->broken;
}

static bool count_task(void *arg, const struct ab_task *task)
{
    struct list *list = arg;

    list->total += fits(list->wish, task) ? 1 : 0;
    return true;
}

/* The statuses that look like this state. */
static uint32_t statuses_of(enum ab_a2a_state state)
{
    uint32_t set = 0;

    for (unsigned status = 0; status < AB_TASK_STATUS_COUNT; status++)
        for (unsigned reason = 0; reason < AB_REASON_COUNT; reason++)
            if (ab_a2a_state_of((enum ab_task_status)status, (enum ab_task_reason)reason) == state)
                set |= 1u << status;
    return set;
}

static bool read_state(struct ab_a2a_call *call, enum ab_a2a_state *out, bool *given)
{
    AB_CLEANUP(ab_free_string) char *name = NULL;

    *given = false;
    if (!ab_a2a_read_text(call, call->params, "status", &name))
        return false;
    if (name == NULL || strcmp(name, "TASK_STATE_UNSPECIFIED") == 0)
        return true;
    for (unsigned state = 0; state < AB_A2A_STATE_COUNT; state++) {
        if (strcmp(call->form->states[state], name) == 0) {
            *out = (enum ab_a2a_state)state;
            *given = true;
            return true;
        }
    }
    ab_a2a_refuse_field(call, "status", "status must be a task's state like %s, found \"%.60s\"",
                        call->form->states[AB_A2A_WORKING], name);
    return false;
}

/* "2026-07-28T09:30:00Z" with any number of digits behind the seconds; only UTC, as the protocol has it. */
static bool parse_time(const char *text, int64_t *out)
{
    char full[AB_TIME_TEXT_SIZE];
    char digits[4] = "000";
    const char *rest;
    size_t n;

    if (strlen(text) < 20)
        return false;
    rest = text + 19;
    if (*rest == '.') {
        n = strspn(++rest, "0123456789");
        memcpy(digits, rest, n < 3 ? n : 3);
        rest += n;
    }
    snprintf(full, sizeof full, "%.19s.%sZ", text, digits);
    return strcmp(rest, "Z") == 0 && ab_time_parse(ab_str(full), out);
}

static bool read_after(struct ab_a2a_call *call, int64_t *out)
{
    AB_CLEANUP(ab_free_string) char *text = NULL;

    if (!ab_a2a_read_text(call, call->params, "statusTimestampAfter", &text))
        return false;
    if (text == NULL || parse_time(text, out))
        return true;
    ab_a2a_refuse_field(call, "statusTimestampAfter",
                        "statusTimestampAfter must be a time like 2026-07-28T09:30:00.125Z, found \"%.60s\"", text);
    return false;
}

/* The place behind which the page begins; `place` keeps what the filter points to. */
static bool read_page_token(struct ab_a2a_call *call, struct ab_buf *place, struct ab_store_filter *filter)
{
    AB_CLEANUP(ab_free_string) char *token = NULL;
    char *id = NULL;

    if (!ab_a2a_read_text(call, call->params, "pageToken", &token))
        return false;
    if (token == NULL)
        return true;
    if (!ab_unseal(call->a2a->settings.sealer, page_purpose, ab_str(call->owner), ab_str(token), place)) {
        ab_a2a_refuse_field(call, "pageToken", "pageToken is unknown here: give the nextPageToken of the page before");
        return false;
    }
    filter->before_created_at = strtoll(place->data, &id, 10);
    filter->before_id = *id == ' ' ? id + 1 : id;
    return true;
}

static bool read_list(struct ab_a2a_call *call, struct list_wish *wish, struct ab_store_filter *filter)
{
    if (!ab_a2a_read_text(call, call->params, "contextId", &wish->context_id) ||
        !read_state(call, &wish->state, &wish->has_state) ||
        !ab_a2a_read_count(call, call->params, "pageSize", &wish->page_size) ||
        !ab_a2a_read_count(call, call->params, "historyLength", &wish->history_length) ||
        !ab_a2a_read_flag(call, call->params, "includeArtifacts", &wish->artifacts) ||
        !read_after(call, &wish->after) || !read_page_token(call, &wish->place, filter))
        return false;
    if (wish->page_size >= 1 && wish->page_size <= PAGE_SIZE_MAX)
        return true;
    ab_a2a_refuse_field(call, "pageSize", "pageSize must be from 1 to %d", PAGE_SIZE_MAX);
    return false;
}

static void put_next_page(struct list *list)
{
    struct ab_buf token = AB_BUF_INIT(4096);

    if (!list->more || ab_seal(list->call->a2a->settings.sealer, page_purpose, ab_str(list->call->owner),
                               ab_str(list->last), &token) != AB_OK)
        ab_buf_clear(&token);
    ab_json_put_text(&list->writer, "nextPageToken", token.size > 0 ? token.data : "");
    ab_buf_deinit(&token);
}

static void answer_list(struct ab_a2a_call *call, const struct list_wish *wish, struct ab_store_filter *filter)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_engine *engine = call->a2a->settings.engine;
    struct list list = { .call = call, .wish = wish };
    int result;

    ab_json_writer_init(&list.writer, &text);
    ab_json_object_begin(&list.writer);
    ab_json_write_key(&list.writer, "tasks");
    ab_json_array_begin(&list.writer);
    result = ab_engine_list(engine, filter, add_task, &list);
    ab_json_array_end(&list.writer);
    put_next_page(&list);
    filter->before_created_at = 0;
    filter->before_id = NULL;
    if (result >= 0)
        result = ab_engine_list(engine, filter, count_task, &list);
    ab_json_put_int(&list.writer, "pageSize", wish->page_size);
    ab_json_put_int(&list.writer, "totalSize", list.total);
    ab_json_object_end(&list.writer);
    if (result < 0 || list.broken)
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The tasks cannot be read");
    else
        ab_a2a_answer(call, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

void ab_a2a_list_tasks(struct ab_a2a_call *call)
{
    struct list_wish wish = { .page_size = PAGE_SIZE, .place = AB_BUF_INIT(4096) };
    struct ab_store_filter filter = { .owner = call->owner, .agent = call->agent };

    if (read_list(call, &wish, &filter)) {
        filter.thread_id = wish.context_id;
        filter.statuses = wish.has_state ? statuses_of(wish.state) : 0;
        answer_list(call, &wish, &filter);
    }
    free(wish.context_id);
    ab_buf_deinit(&wish.place);
}

/* --- what is not here --- */

void ab_a2a_push(struct ab_a2a_call *call)
{
    ab_a2a_refuse(call, AB_A2A_PUSH_NOT_SUPPORTED,
                  "Push notifications are not supported here; subscribe to the task, or poll it");
}

void ab_a2a_extended_card(struct ab_a2a_call *call)
{
    ab_a2a_refuse(call, call->version->no_extended_card, "There is no extended card: the public one says all");
}
