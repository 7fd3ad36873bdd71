/* New tasks: what is asked for is checked against agents, idempotency keys, threads and quotas, and stored before
 * anyone hears of it. */
#include "task/engine_internal.h"
#include "task/output.h"

#include <stdio.h>
#include <string.h>

/* A refusal or an earlier task, in the making. */
struct verdict {
    enum ab_create_outcome outcome;
    char *text; /* owned, or NULL */
    char task_id[AB_TASK_ID_SIZE];
    struct hot *hot; /* whose durable state the caller waits for; or NULL */
};

static void name_task(struct verdict *verdict, enum ab_create_outcome outcome, const char *id)
{
    verdict->outcome = outcome;
    (void)snprintf(verdict->task_id, sizeof verdict->task_id, "%s", id);
}

/* --- agents --- */

static bool check_agent(const struct ab_engine *engine, const struct ab_new_task *wanted, struct verdict *verdict)
{
    if (engine_agent_find(engine, wanted->agent) != NULL) {
        return true;
    }
    struct ab_buf text = AB_BUF_INIT(4096);
    ab_buf_printf(&text, "there is no agent \"%.100s\"; there %s", wanted->agent,
                  engine->n_agents == 0 ? "are none" : (engine->n_agents == 1 ? "is" : "are"));
    for (size_t i = 0; i < engine->n_agents; i++) {
        ab_buf_printf(&text, "%s \"%s\"", i == 0 ? "" : ",", engine->agents[i]->settings.id);
    }
    verdict->outcome = AB_CREATE_UNKNOWN_AGENT;
    verdict->text = ab_buf_steal(&text);
    return false;
}

/* --- idempotency --- */

static bool same_json(const char *left, const char *right)
{
    if (left == NULL || right == NULL) {
        return left == right;
    }
    return strcmp(left, right) == 0 || ab_json_equal(ab_json_trusted(left), ab_json_trusted(right));
}

/* The message without its id: a face that mints one for every try still repeats the same wishes. */
static bool same_message(const char *left, const char *right)
{
    if (strcmp(left, right) == 0) {
        return true;
    }
    static const char *const members[] = { "role", "parts", "metadata" };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct ab_json one = ab_json_member(ab_json_trusted(left), members[i]);
        struct ab_json other = ab_json_member(ab_json_trusted(right), members[i]);
        bool absent = !ab_json_exists(one) || !ab_json_exists(other);
        if (absent ? ab_json_exists(one) != ab_json_exists(other) : !ab_json_equal(one, other)) {
            return false;
        }
    }
    return true;
}

static bool same_wishes(const struct ab_new_task *wanted, const struct ab_task_request *request, const char *thread_id)
{
    return (wanted->thread_id == NULL || strcmp(wanted->thread_id, thread_id) == 0) &&
           same_message(wanted->message_json, request->message_json) &&
           same_json(wanted->arguments_json, request->arguments_json) &&
           same_json(wanted->input_json, request->input_json) &&
           same_json(wanted->options_json != NULL ? wanted->options_json : "{}", request->options_json);
}

static void judge_earlier(const struct ab_new_task *wanted, const struct ab_task_request *request,
                          const char *thread_id, const char *id, struct verdict *verdict)
{
    if (same_wishes(wanted, request, thread_id)) {
        name_task(verdict, AB_CREATE_EXISTING, id);
        return;
    }
    name_task(verdict, AB_CREATE_KEY_REUSED, id);
    verdict->text = ab_format("the idempotency key \"%.100s\" was used before, for task %s with other wishes; take "
                              "another key for another task",
                              wanted->idempotency_key, id);
}

/* The same with a finished task; false: nothing is known of the key. */
static bool judge_stored(struct ab_engine *engine, const struct ab_new_task *wanted, struct verdict *verdict)
{
    struct ab_store *store = engine->settings.store;
    char id[AB_TASK_ID_SIZE];
    struct ab_task task;
    struct ab_task_request request;
    if (store->ops->find_key(store, wanted->owner, wanted->agent, wanted->idempotency_key, id) != AB_OK ||
        store->ops->get(store, id, &task) != AB_OK) {
        return false;
    }
    bool found = store->ops->get_request(store, id, &request) == AB_OK;
    if (found) {
        judge_earlier(wanted, &request, task.thread_id, id, verdict);
        ab_task_request_deinit(&request);
    }
    ab_task_deinit(&task);
    return found;
}

static bool check_key(struct ab_engine *engine, const struct ab_new_task *wanted, struct verdict *verdict)
{
    if (wanted->idempotency_key == NULL) {
        return true;
    }
    struct hot *hot = hot_find_key(engine, wanted->owner, wanted->agent, wanted->idempotency_key);
    if (hot == NULL || hot->gone) {
        return !judge_stored(engine, wanted, verdict);
    }
    judge_earlier(wanted, &hot->request, hot->task.thread_id, hot->task.id, verdict);
    verdict->hot = hot;
    ab_engine_touch(engine, hot->task.id);
    return false;
}

/* --- threads --- */

/* The first task of the thread that has not ended, and how many there are. */
static struct hot *first_open(const struct thread *thread, uint32_t *n_open)
{
    struct hot *first = NULL;
    *n_open = 0;
    if (thread == NULL) {
        return NULL;
    }
    struct ab_link *link = ab_list_first(&thread->tasks);
    for (; link != NULL; link = ab_list_next(&thread->tasks, link)) {
        struct hot *hot = AB_OWNER(link, struct hot, in_thread);
        if (!hot->gone && !hot_is_terminal(hot)) {
            first = first != NULL ? first : hot;
            (*n_open)++;
        }
    }
    return first;
}

static bool check_thread(const struct ab_engine *engine, const struct ab_new_task *wanted, struct verdict *verdict)
{
    const struct ab_agent_settings *agent = ab_engine_agent(engine, wanted->agent);
    uint32_t n_open = 0;
    struct hot *open = NULL;
    if (wanted->thread_id != NULL) {
        open = first_open(thread_find(engine, wanted->owner, wanted->thread_id), &n_open);
    }
    if (open == NULL) {
        return true;
    }
    const char *id = open->task.id;
    if (open->task.status == AB_TASK_PAUSED) {
        verdict->text = ab_format("task %s of this thread waits for an answer; answer or stop it first", id);
    } else if (agent->turns == AB_TURNS_REFUSE) {
        verdict->text = ab_format("the agent \"%s\" takes one turn of a thread at a time, and task %s is still open; "
                                  "wait for its end or stop it",
                                  agent->id, id);
    } else if (n_open > agent->turns_deep) {
        verdict->text = ab_format("%u turns of this thread wait already, which is the limit; the open one is task %s",
                                  (unsigned)agent->turns_deep, id);
    } else {
        return true;
    }
    name_task(verdict, AB_CREATE_THREAD_BUSY, id);
    verdict->hot = open;
    return false;
}

/* --- quotas --- */

static bool check_quota(const struct ab_engine *engine, const struct ab_new_task *wanted, struct verdict *verdict)
{
    uint32_t limit = engine->settings.running_per_owner;
    if (owner_unfinished(engine, wanted->owner) < limit) {
        return true;
    }
    verdict->outcome = AB_CREATE_OVER_QUOTA;
    verdict->text =
        ab_format("%u of your tasks are not finished, which is the limit; wait for one or stop one", (unsigned)limit);
    return false;
}

/* --- options --- */

static bool check_options(const struct ab_new_task *wanted, struct verdict *verdict)
{
    char reason[AB_OUTPUT_REASON_SIZE];
    if (wanted->options_json == NULL ||
        ab_output_can_be_checked(ab_json_trusted(wanted->options_json), reason, sizeof reason)) {
        return true;
    }
    verdict->outcome = AB_CREATE_BAD_OPTIONS;
    verdict->text = ab_strdup(reason);
    return false;
}

/* --- making it --- */

struct place {
    uint32_t turn;
    int64_t created_at; /* of the newest turn so far */
};

static bool newest_turn(void *arg, const struct ab_task *task)
{
    struct place *place = arg;
    if (task->turn > place->turn) {
        place->turn = task->turn;
    }
    if (task->created_at > place->created_at) {
        place->created_at = task->created_at;
    }
    return true;
}

/* Turns of a thread have rising numbers and rising times, whatever the clock does: their order is read from both. */
static struct place last_place(struct ab_engine *engine, const char *owner, const char *thread_id)
{
    struct place place = { 0, 0 };
    const struct thread *thread = thread_find(engine, owner, thread_id);
    struct ab_link *link = thread != NULL ? ab_list_first(&thread->tasks) : NULL;
    for (; link != NULL; link = ab_list_next(&thread->tasks, link)) {
        const struct hot *hot = AB_OWNER(link, struct hot, in_thread);
        if (!hot->gone) { /* one that was removed may still wind down */
            (void)newest_turn(&place, &hot->task);
        }
    }
    struct ab_store *store = engine->settings.store;
    struct ab_store_filter filter = { .owner = owner, .thread_id = thread_id, .limit = 1, .brief = true };
    (void)store->ops->list(store, &filter, newest_turn, &place);
    return place;
}

static void fill_task(struct ab_engine *engine, const struct ab_new_task *wanted, struct ab_task *task)
{
    ab_id_make(&engine->settings.random, task->id);
    task->thread_id = ab_strdup(wanted->thread_id != NULL ? wanted->thread_id : task->id);
    task->owner = ab_strdup(wanted->owner);
    task->agent = ab_strdup(wanted->agent);
    task->surface = ab_strdup(wanted->surface);
    task->surface_json = ab_strdup(wanted->surface_json);
    task->title = ab_strdup(wanted->title);
    task->created_at = engine_now(engine);
    task->turn = 1;
    task->attempt = 1;
    if (wanted->thread_id != NULL) {
        struct place last = last_place(engine, wanted->owner, wanted->thread_id);
        task->turn = last.turn + 1;
        task->created_at = last.created_at >= task->created_at ? last.created_at + 1 : task->created_at;
    }
    task->updated_at = task->created_at;
}

static void fill_request(const struct ab_new_task *wanted, struct ab_task_request *request)
{
    request->message_json = ab_strdup(wanted->message_json);
    request->arguments_json = ab_strdup(wanted->arguments_json);
    request->input_json = ab_strdup(wanted->input_json != NULL ? wanted->input_json : "{}");
    request->options_json = ab_strdup(wanted->options_json != NULL ? wanted->options_json : "{}");
    request->idempotency_key = ab_strdup(wanted->idempotency_key);
    request->webhooks_json = ab_strdup(wanted->webhooks_json);
}

static struct hot *make(struct ab_engine *engine, const struct ab_new_task *wanted)
{
    struct ab_task task = { 0 };
    struct ab_task_request request = { 0 };
    fill_task(engine, wanted, &task);
    fill_request(wanted, &request);
    struct hot *hot = hot_new(engine, &task, &request);
    hot->secrets = ab_strdup(wanted->secrets_json);
    hot_collect(hot, AB_EVENT_STATUS, ab_strdup(ENGINE_STATUS_MADE));
    return hot;
}

static void tell(struct ab_engine *engine, struct verdict *verdict, ab_created_fn created, void *arg)
{
    const char *id = verdict->task_id[0] != '\0' ? verdict->task_id : NULL;
    struct call *call = engine_call_created(created, arg, verdict->outcome, id, verdict->text);
    free(verdict->text);
    if (verdict->hot != NULL && !verdict->hot->stored) {
        engine_call_when_durable(verdict->hot, call);
    } else {
        engine_call_soon(engine, call);
    }
}

void ab_engine_create(struct ab_engine *engine, const struct ab_new_task *wanted, ab_created_fn created, void *arg)
{
    struct verdict verdict = { .outcome = AB_CREATE_DONE };
    if (engine->shutting_down) {
        verdict.outcome = AB_CREATE_SHUTTING_DOWN;
        verdict.text = ab_strdup("the bridge is going down; try again in a moment");
    } else if (check_agent(engine, wanted, &verdict) && check_options(wanted, &verdict) &&
               check_key(engine, wanted, &verdict) && check_thread(engine, wanted, &verdict) &&
               check_quota(engine, wanted, &verdict)) {
        verdict.hot = make(engine, wanted);
        name_task(&verdict, AB_CREATE_DONE, verdict.hot->task.id);
    }
    tell(engine, &verdict, created, arg);
}
