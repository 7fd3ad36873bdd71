/* The methods of push notification configurations: create, get, list, delete. */
#include "a2a/methods.h"
#include "a2a/push_config.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define PAGE_SIZE 50
#define PAGE_SIZE_MAX 100

/* --- which task and which of its configurations --- */

/* 1.0, and 0.3 over HTTP+JSON, name them "taskId" and "id"; 0.3 over JSON-RPC has the task's as "id" but for set. */
static bool read_names(struct ab_a2a_call *call, char **task_id, char **config_id)
{
    bool named = ab_json_exists(ab_a2a_member(call->params, "taskId"));
    const char *task_name = named || call->form->push_nested == NULL ? "taskId" : "id";

    if (!ab_a2a_read_text(call, call->params, task_name, task_id) ||
        !ab_a2a_read_text(call, call->params, named ? "id" : "pushNotificationConfigId", config_id))
        return false;
    if (*task_id != NULL)
        return true;
    ab_a2a_refuse_field(call, task_name, "%s is missing: it names the task", task_name);
    return false;
}

/* What the task's caller wished for, as an array; the caller of this function frees. */
static bool load_wishes(struct ab_a2a_call *call, const char *task_id, char **wishes)
{
    struct ab_task_request request = { 0 };
    struct ab_task task = { 0 };

    if (!ab_a2a_load_task(call, task_id, &task))
        return false;
    ab_task_deinit(&task);
    if (ab_engine_request(call->a2a->settings.engine, task_id, &request) < 0) {
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The task cannot be read");
        return false;
    }
    *wishes = ab_strdup(request.webhooks_json != NULL ? request.webhooks_json : "[]");
    ab_task_request_deinit(&request);
    return true;
}

/* The configuration of this id, or the first one for NULL; no value when there is none. */
static struct ab_json find_config(const char *wishes, const char *config_id)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(wishes));
    struct ab_json wish;

    while (ab_json_next(&each, NULL, &wish)) {
        if (ab_a2a_is_push_config(wish) &&
            (config_id == NULL || ab_json_string_is(ab_json_member(wish, "id"), config_id)))
            return wish;
    }
    return (struct ab_json){ { NULL, 0 } };
}

static void answer_config(struct ab_a2a_call *call, const char *task_id, const char *config_id)
{
    AB_CLEANUP(ab_free_string) char *wishes = NULL;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (!load_wishes(call, task_id, &wishes))
        return;
    ab_json_writer_init(&writer, &text);
    if (ab_a2a_push_config_write(&writer, call, task_id, find_config(wishes, config_id)))
        ab_a2a_answer(call, ab_buf_str(&text));
    else
        ab_a2a_refuse_task(call, AB_A2A_TASK_NOT_FOUND, task_id,
                           "The task has no push notification configuration%s%.100s%s", config_id != NULL ? " \"" : "",
                           config_id != NULL ? config_id : "", config_id != NULL ? "\"" : "");
    ab_buf_deinit(&text);
}

/* --- changes --- */

/* One that waits for the store. */
struct change {
    struct ab_a2a_call *call;
    char *task_id;
    char config_id[AB_A2A_PUSH_ID_SIZE];
    bool removes;
};

static struct change *change_new(struct ab_a2a_call *call, const char *task_id, const char *config_id, bool removes)
{
    struct change *change = ab_alloc(1, sizeof *change);

    change->call = call;
    change->task_id = ab_strdup(task_id);
    snprintf(change->config_id, sizeof change->config_id, "%s", config_id);
    change->removes = removes;
    ab_http_reply_promise(&call->reply);
    return change;
}

static void answer_change(const struct change *change)
{
    struct ab_a2a_call *call = change->call;

    if (!change->removes)
        answer_config(call, change->task_id, change->config_id);
    else
        ab_a2a_answer(call, call->binding->envelope ? AB_STR("null") : AB_STR("{}"));
}

static void on_changed(void *arg, enum ab_wish_outcome outcome, const char *text)
{
    struct change *change = arg;

    if (ab_http_reply_kept(&change->call->reply)) {
        if (outcome == AB_WISH_DONE)
            answer_change(change);
        else
            ab_a2a_refuse_wish(change->call, outcome, text);
    }
    free(change->task_id);
    free(change);
}

void ab_a2a_refuse_wish(struct ab_a2a_call *call, enum ab_wish_outcome outcome, const char *text)
{
    if (outcome == AB_WISH_UNKNOWN)
        ab_a2a_refuse(call, AB_A2A_TASK_NOT_FOUND, "Task not found: there is no such task");
    else if (outcome == AB_WISH_FULL)
        ab_a2a_refuse(call, AB_A2A_OVER_QUOTA, "No more push notification configurations: %s", text);
    else
        ab_a2a_refuse(call, AB_A2A_UNAVAILABLE, "%s", text != NULL ? text : "The configuration could not be stored");
}

/* --- the methods --- */

/* What is given to be kept. 0.3 has it in a member, and over HTTP+JSON clients send either that around it which a get
 * gives back ({"name","pushNotificationConfig"}) or the proto's whole request ({"configId","config":{...}}); an id may
 * stand in each of them. `*id` is the caller's to free. */
static struct ab_a2a_push_given find_given(const struct ab_a2a_call *call, char **id)
{
    const char *nested = call->form->push_nested;
    struct ab_json around = call->params;
    AB_CLEANUP(ab_free_string) char *name = NULL;

    if (nested == NULL)
        return (struct ab_a2a_push_given){ .object = call->params, .path = "" };
    if (!ab_json_exists(ab_a2a_member(around, nested)) && ab_json_is(ab_a2a_member(around, "config"), AB_JSON_OBJECT))
        around = ab_a2a_member(around, "config");
    *id = ab_json_string_dup(ab_a2a_member(call->params, "configId"));
    name = ab_json_string_dup(ab_a2a_member(around, "name"));
    if (*id == NULL && name != NULL && strrchr(name, '/') != NULL && strrchr(name, '/')[1] != '\0')
        *id = ab_strdup(strrchr(name, '/') + 1);
    return (struct ab_a2a_push_given){ .object = ab_a2a_member(around, nested), .path = nested, .id = *id };
}

void ab_a2a_push_create(struct ab_a2a_call *call)
{
    AB_CLEANUP(ab_free_string) char *given_id = NULL;
    AB_CLEANUP(ab_free_string) char *task_id = NULL;
    AB_CLEANUP(ab_free_string) char *wish = NULL;
    const struct ab_a2a_push_given given = find_given(call, &given_id);
    char config_id[AB_A2A_PUSH_ID_SIZE];
    struct ab_task task = { 0 };

    if (!ab_a2a_read_text(call, call->params, "taskId", &task_id))
        return;
    if (task_id == NULL) {
        ab_a2a_refuse_field(call, "taskId", "taskId is missing: it names the task");
        return;
    }
    if (!ab_a2a_load_task(call, task_id, &task))
        return;
    ab_task_deinit(&task);
    if (ab_a2a_push_config_read(call, &given, &wish, config_id))
        ab_engine_put_wish(call->a2a->settings.engine, call->owner, task_id, wish, on_changed,
                           change_new(call, task_id, config_id, false));
}

void ab_a2a_push_get(struct ab_a2a_call *call)
{
    AB_CLEANUP(ab_free_string) char *task_id = NULL;
    AB_CLEANUP(ab_free_string) char *config_id = NULL;

    if (!read_names(call, &task_id, &config_id))
        return;
    if (config_id == NULL && call->form->push_nested == NULL)
        ab_a2a_refuse_field(call, "id", "id is missing: it names the configuration");
    else
        answer_config(call, task_id, config_id);
}

void ab_a2a_push_delete(struct ab_a2a_call *call)
{
    AB_CLEANUP(ab_free_string) char *task_id = NULL;
    AB_CLEANUP(ab_free_string) char *config_id = NULL;
    struct ab_task task = { 0 };

    if (!read_names(call, &task_id, &config_id))
        return;
    if (config_id == NULL || strlen(config_id) >= AB_A2A_PUSH_ID_SIZE) {
        ab_a2a_refuse_field(call, call->form->push_nested == NULL ? "id" : "pushNotificationConfigId",
                            "The id of the configuration is missing, or too long to be one");
        return;
    }
    if (!ab_a2a_load_task(call, task_id, &task))
        return;
    ab_task_deinit(&task);
    ab_engine_remove_wish(call->a2a->settings.engine, call->owner, task_id, config_id, on_changed,
                          change_new(call, task_id, config_id, true));
}

/* --- lists --- */

struct page {
    int64_t size;
    uint64_t after; /* lane of the last one of the page before; 0: from the beginning */
};

static bool read_page(struct ab_a2a_call *call, struct page *page)
{
    AB_CLEANUP(ab_free_string) char *token = NULL;

    if (!ab_a2a_read_count(call, call->params, "pageSize", &page->size) ||
        !ab_a2a_read_text(call, call->params, "pageToken", &token))
        return false;
    if (page->size < 1 || page->size > PAGE_SIZE_MAX) {
        ab_a2a_refuse_field(call, "pageSize", "pageSize must be from 1 to %d", PAGE_SIZE_MAX);
        return false;
    }
    if (token == NULL || ab_str_to_uint(ab_str(token), UINT32_MAX, &page->after))
        return true;
    ab_a2a_refuse_field(call, "pageToken", "pageToken is unknown here: give the nextPageToken of the page before");
    return false;
}

/* A place in the list that stays when others go: lanes only rise. */
static uint64_t lane_of(struct ab_json wish, uint64_t by_place)
{
    int64_t lane;

    return ab_json_int(ab_json_member(wish, "lane"), &lane) && lane > 0 ? (uint64_t)lane : by_place;
}

static void write_configs(struct ab_json_writer *writer, const struct ab_a2a_call *call, const char *task_id,
                          const char *wishes, struct page *page)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(wishes));
    struct ab_json wish;
    uint64_t next = 0;

    ab_json_array_begin(writer);
    for (uint64_t i = 1; ab_json_next(&each, NULL, &wish); i++) {
        uint64_t lane = lane_of(wish, i);
        if (lane <= page->after || !ab_a2a_is_push_config(wish))
            continue;
        if (page->size == 0) {
            next = page->after;
            break;
        }
        (void)ab_a2a_push_config_write(writer, call, task_id, wish);
        page->size--;
        page->after = lane;
    }
    page->after = next;
    ab_json_array_end(writer);
}

static void answer_configs(struct ab_a2a_call *call, const char *task_id, const char *wishes, struct page *page)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    char next[24] = "";

    ab_json_writer_init(&writer, &text);
    if (call->form->bare_lists) {
        page->size = INT64_MAX;
        write_configs(&writer, call, task_id, wishes, page);
    } else {
        ab_json_object_begin(&writer);
        ab_json_write_key(&writer, "configs");
        write_configs(&writer, call, task_id, wishes, page);
        if (page->after > 0)
            snprintf(next, sizeof next, "%llu", (unsigned long long)page->after);
        ab_json_put_text(&writer, "nextPageToken", next);
        ab_json_object_end(&writer);
    }
    ab_a2a_answer(call, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

void ab_a2a_push_list(struct ab_a2a_call *call)
{
    AB_CLEANUP(ab_free_string) char *task_id = NULL;
    AB_CLEANUP(ab_free_string) char *config_id = NULL;
    AB_CLEANUP(ab_free_string) char *wishes = NULL;
    struct page page = { .size = PAGE_SIZE };

    if (read_names(call, &task_id, &config_id) && read_page(call, &page) && load_wishes(call, task_id, &wishes))
        answer_configs(call, task_id, wishes, &page);
}
