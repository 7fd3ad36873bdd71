/* ListTasks: the newest first by the timestamp of their status, which is when anything about them last changed. */
#include "a2a/methods.h"
#include "a2a/write.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_SIZE 50
#define PAGE_SIZE_MAX 100

static const char page_purpose[] = "a2a-tasks-page";

/* --- what is wanted --- */

struct list_wish {
    char *context_id;
    int64_t page_size;
    int64_t history_length;
    int64_t after;
    bool artifacts;
    bool has_state;
    enum ab_a2a_state state;
    int64_t last_at; /* the place of the page before's last task; 0: there is none */
    char last_id[AB_TASK_ID_SIZE];
};

/* The states by their numbers in the protocol's enum, which ProtoJSON takes as well; 0 is "unspecified". */
static const enum ab_a2a_state numbered[] = {
    [1] = AB_A2A_SUBMITTED, [2] = AB_A2A_WORKING,        [3] = AB_A2A_COMPLETED, [4] = AB_A2A_FAILED,
    [5] = AB_A2A_CANCELED,  [6] = AB_A2A_INPUT_REQUIRED, [7] = AB_A2A_REJECTED,  [8] = AB_A2A_AUTH_REQUIRED,
};

/* False: no state is called so. `*given` is false for "unspecified". */
static bool parse_state(const struct ab_a2a_call *call, const char *name, enum ab_a2a_state *out, bool *given)
{
    const uint64_t last = sizeof numbered / sizeof *numbered - 1;
    uint64_t number;

    if (ab_str_to_uint(ab_str(name), last, &number)) {
        *given = number > 0;
        *out = numbered[number];
        return true;
    }
    *given = strcmp(name, "TASK_STATE_UNSPECIFIED") != 0;
    *out = AB_A2A_CANCELED; /* which 0.3 writes with two L */
    if (!*given || strcmp(name, "TASK_STATE_CANCELED") == 0)
        return true;
    for (unsigned state = 0; state < AB_A2A_STATE_COUNT; state++) {
        *out = (enum ab_a2a_state)state;
        if (strcmp(call->form->states[state], name) == 0)
            return true;
    }
    return false;
}

static bool read_state(struct ab_a2a_call *call, enum ab_a2a_state *out, bool *given)
{
    AB_CLEANUP(ab_free_string) char *name = NULL;
    struct ab_json value = ab_json_member(call->params, "status");

    *given = false;
    if (ab_json_is(value, AB_JSON_NUMBER))
        name = ab_strndup(value.text.data, value.text.size);
    else if (!ab_a2a_read_text(call, call->params, "status", &name))
        return false;
    if (name == NULL || parse_state(call, name, out, given))
        return true;
    ab_a2a_refuse_field(call, "status", "status must be a task's state like %s, found \"%.60s\"",
                        call->form->states[AB_A2A_WORKING], name);
    return false;
}

/* As the protocol has it, with a zone. Timestamps here have milliseconds: what lies between two means the later one. */
static bool parse_time(const char *text, int64_t *out)
{
    const size_t milliseconds_end = strlen("2026-07-28T09:30:00.125");
    size_t zone;

    if (!ab_time_read(text, out))
        return false;
    zone = 19 + strcspn(text + 19, "Zz+-");
    if (zone > milliseconds_end && strspn(text + milliseconds_end, "0") < zone - milliseconds_end)
        *out += 1;
    return text[zone] != '\0';
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

/* The place behind which the page begins. */
static bool read_page_token(struct ab_a2a_call *call, struct list_wish *wish)
{
    AB_CLEANUP(ab_free_string) char *token = NULL;
    struct ab_buf text = AB_BUF_INIT(4096);
    char *id = NULL;
    bool good;

    if (!ab_a2a_read_text(call, call->params, "pageToken", &token))
        return false;
    if (token == NULL)
        return true;
    good = ab_unseal(call->a2a->settings.sealer, page_purpose, ab_str(call->owner), ab_str(token), &text);
    if (good) {
        wish->last_at = strtoll(text.data, &id, 10);
        snprintf(wish->last_id, sizeof wish->last_id, "%s", *id == ' ' ? id + 1 : id);
    } else {
        ab_a2a_refuse_field(call, "pageToken", "pageToken is unknown here: give the nextPageToken of the page before");
    }
    ab_buf_deinit(&text);
    return good;
}

static bool read_list(struct ab_a2a_call *call, struct list_wish *wish)
{
    if (!ab_a2a_read_text(call, call->params, "contextId", &wish->context_id) ||
        !read_state(call, &wish->state, &wish->has_state) ||
        !ab_a2a_read_count(call, call->params, "pageSize", &wish->page_size) ||
        !ab_a2a_read_count(call, call->params, "historyLength", &wish->history_length) ||
        !ab_a2a_read_flag(call, call->params, "includeArtifacts", &wish->artifacts) ||
        !read_after(call, &wish->after) || !read_page_token(call, wish))
        return false;
    if (wish->page_size >= 1 && wish->page_size <= PAGE_SIZE_MAX)
        return true;
    ab_a2a_refuse_field(call, "pageSize", "pageSize must be from 1 to %d", PAGE_SIZE_MAX);
    return false;
}

/* --- which tasks these are --- */

/* The statuses that look like this state, and the reasons with which all of them do. */
static void put_state(enum ab_a2a_state state, struct ab_store_filter *filter)
{
    for (unsigned status = 0; status < AB_TASK_STATUS_COUNT; status++)
        for (unsigned reason = 0; reason < AB_REASON_COUNT; reason++)
            if (ab_a2a_state_of((enum ab_task_status)status, (enum ab_task_reason)reason) == state)
                filter->statuses |= 1u << status;
    filter->reasons = (1u << AB_REASON_COUNT) - 1u;
    for (unsigned status = 0; status < AB_TASK_STATUS_COUNT; status++)
        for (unsigned reason = 0; reason < AB_REASON_COUNT; reason++)
            if ((filter->statuses & (1u << status)) != 0 &&
                ab_a2a_state_of((enum ab_task_status)status, (enum ab_task_reason)reason) != state)
                filter->reasons &= ~(1u << reason);
}

static struct ab_store_filter filter_of(const struct ab_a2a_call *call, const struct list_wish *wish)
{
    struct ab_store_filter filter = { .owner = call->owner,
                                      .agent = call->agent,
                                      .thread_id = wish->context_id,
                                      .order = AB_STORE_BY_CHANGE,
                                      .from_at = wish->after,
                                      .before_at = wish->last_at,
                                      .before_id = wish->last_id,
                                      .limit = (size_t)wish->page_size + 1 };

    if (wish->has_state)
        put_state(wish->state, &filter);
    return filter;
}

/* --- the answer --- */

struct page {
    struct ab_json_writer writer;
    struct ab_a2a_call *call;
    const struct list_wish *wish;
    int64_t n;
    bool more;
    int64_t last_at;
    char last_id[AB_TASK_ID_SIZE];
    int result; /* < 0: a task cannot be read */
};

static bool add_task(void *arg, const struct ab_task *task)
{
    struct page *page = arg;
    struct ab_json_writer *writer = &page->writer;
    const struct ab_a2a_task_wish wish = { .history_length = page->wish->history_length,
                                           .artifacts = page->wish->artifacts,
                                           .artifacts_always = true };

    if (page->n == page->wish->page_size) {
        page->more = true;
        return false;
    }
    page->n++;
    page->last_at = task->updated_at;
    memcpy(page->last_id, task->id, sizeof page->last_id);
    ab_json_object_begin(writer);
    if (page->call->form->kinds)
        ab_json_put_text(writer, "kind", "task");
    page->result = ab_a2a_write_task(writer, ab_a2a_view_of(page->call), task, &wish);
    ab_json_object_end(writer);
    return page->result == AB_OK;
}

static void put_next_page(struct page *page)
{
    struct ab_buf token = AB_BUF_INIT(4096);
    AB_CLEANUP(ab_free_string) char *text = ab_format("%" PRId64 " %s", page->last_at, page->last_id);

    if (page->more && ab_seal(page->call->a2a->settings.sealer, page_purpose, ab_str(page->call->owner), ab_str(text),
                              &token) != AB_OK)
        ab_buf_clear(&token);
    ab_json_put_text(&page->writer, "nextPageToken", token.size > 0 ? token.data : "");
    ab_buf_deinit(&token);
}

static int write_page(struct page *page)
{
    struct ab_engine *engine = page->call->a2a->settings.engine;
    const struct ab_store_filter filter = filter_of(page->call, page->wish);
    uint64_t total = 0;
    int result = ab_engine_total(engine, &filter, &total);

    ab_json_object_begin(&page->writer);
    ab_json_write_key(&page->writer, "tasks");
    ab_json_array_begin(&page->writer);
    result = result < 0 ? result : ab_engine_list(engine, &filter, add_task, page);
    ab_json_array_end(&page->writer);
    put_next_page(page);
    ab_json_put_int(&page->writer, "pageSize", page->wish->page_size);
    ab_json_put_int(&page->writer, "totalSize", (int64_t)total);
    ab_json_object_end(&page->writer);
    return result < 0 ? result : page->result;
}

static void answer_list(struct ab_a2a_call *call, const struct list_wish *wish)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct page page = { .call = call, .wish = wish };

    ab_json_writer_init(&page.writer, &text);
    if (write_page(&page) < 0)
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The tasks cannot be read");
    else
        ab_a2a_answer(call, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

void ab_a2a_list_tasks(struct ab_a2a_call *call)
{
    struct list_wish wish = { .page_size = PAGE_SIZE };

    if (read_list(call, &wish))
        answer_list(call, &wish);
    free(wish.context_id);
}
