/* ListTasks: the newest first, by when their status was last changed. */
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

/* Where a task stands in the order. */
struct place {
    int64_t at;
    char id[AB_TASK_ID_SIZE];
};

struct list_wish {
    char *context_id;
    int64_t page_size;
    int64_t history_length;
    int64_t after;
    bool artifacts;
    bool has_state;
    enum ab_a2a_state state;
    bool continues;
    struct place last; /* of the page before */
};

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

/* The place behind which the page begins. */
static bool read_page_token(struct ab_a2a_call *call, struct list_wish *wish)
{
    AB_CLEANUP(ab_free_string) char *token = NULL;
    struct ab_buf text = AB_BUF_INIT(4096);
    char *id = NULL;

    if (!ab_a2a_read_text(call, call->params, "pageToken", &token))
        return false;
    if (token == NULL)
        return true;
    wish->continues = ab_unseal(call->a2a->settings.sealer, page_purpose, ab_str(call->owner), ab_str(token), &text);
    if (wish->continues) {
        wish->last.at = strtoll(text.data, &id, 10);
        snprintf(wish->last.id, sizeof wish->last.id, "%s", *id == ' ' ? id + 1 : id);
    } else {
        ab_a2a_refuse_field(call, "pageToken", "pageToken is unknown here: give the nextPageToken of the page before");
    }
    ab_buf_deinit(&text);
    return wish->continues;
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

struct found {
    const struct list_wish *wish;
    struct place *places;
    size_t n;
    size_t capacity;
};

/* States that share a status differ by the reason, which the store does not search. */
static bool collect(void *arg, const struct ab_task *task)
{
    struct found *found = arg;
    struct place *place;

    if (task->updated_at < found->wish->after ||
        (found->wish->has_state && ab_a2a_state_of(task->status, task->reason) != found->wish->state))
        return true;
    if (found->n == found->capacity) {
        found->capacity = found->capacity * 2 + 64;
        found->places = ab_realloc(found->places, found->capacity * sizeof *found->places);
    }
    place = &found->places[found->n++];
    place->at = task->updated_at;
    memcpy(place->id, task->id, sizeof place->id);
    return true;
}

/* The newest first; those of one moment in a fixed order. */
static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;

    if (a->at != b->at)
        return a->at > b->at ? -1 : 1;
    return strcmp(b->id, a->id);
}

/* --- the answer --- */

/* One task of the page; what was swept meanwhile is left out. */
static int write_task(struct ab_json_writer *writer, struct ab_a2a_call *call, const struct list_wish *wish,
                      const struct place *place)
{
    const struct ab_a2a_task_wish task_wish = { .history_length = wish->history_length,
                                                .artifacts = wish->artifacts,
                                                .artifacts_always = true };
    struct ab_task task = { 0 };
    int result = ab_engine_get(call->a2a->settings.engine, call->owner, place->id, &task);

    if (result != AB_OK)
        return result < 0 ? result : AB_OK;
    ab_json_object_begin(writer);
    if (call->form->kinds)
        ab_json_put_text(writer, "kind", "task");
    result = ab_a2a_write_task(writer, ab_a2a_view_of(call), &task, &task_wish);
    ab_json_object_end(writer);
    ab_task_deinit(&task);
    return result;
}

/* `last` of the page, or NULL when nothing follows. */
static void put_next_page(struct ab_json_writer *writer, const struct ab_a2a_call *call, const struct place *last)
{
    struct ab_buf token = AB_BUF_INIT(4096);
    AB_CLEANUP(ab_free_string) char *text = last != NULL ? ab_format("%" PRId64 " %s", last->at, last->id) : NULL;

    if (last != NULL &&
        ab_seal(call->a2a->settings.sealer, page_purpose, ab_str(call->owner), ab_str(text), &token) != AB_OK)
        ab_buf_clear(&token);
    ab_json_put_text(writer, "nextPageToken", token.size > 0 ? token.data : "");
    ab_buf_deinit(&token);
}

static int write_page(struct ab_json_writer *writer, struct ab_a2a_call *call, const struct list_wish *wish,
                      const struct found *found)
{
    size_t first = 0;
    size_t end;
    int result = AB_OK;

    while (wish->continues && first < found->n && compare_places(&found->places[first], &wish->last) <= 0)
        first++;
    end = found->n - first > (size_t)wish->page_size ? first + (size_t)wish->page_size : found->n;
    ab_json_object_begin(writer);
    ab_json_write_key(writer, "tasks");
    ab_json_array_begin(writer);
    for (size_t i = first; i < end && result == AB_OK; i++)
        result = write_task(writer, call, wish, &found->places[i]);
    ab_json_array_end(writer);
    put_next_page(writer, call, end < found->n ? &found->places[end - 1] : NULL);
    ab_json_put_int(writer, "pageSize", wish->page_size);
    ab_json_put_int(writer, "totalSize", (int64_t)found->n);
    ab_json_object_end(writer);
    return result;
}

static void answer_list(struct ab_a2a_call *call, const struct list_wish *wish)
{
    const struct ab_store_filter filter = { .owner = call->owner,
                                            .agent = call->agent,
                                            .thread_id = wish->context_id,
                                            .statuses = wish->has_state ? statuses_of(wish->state) : 0,
                                            .brief = true };
    struct found found = { .wish = wish };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    int result = ab_engine_list(call->a2a->settings.engine, &filter, collect, &found);

    ab_json_writer_init(&writer, &text);
    if (result == AB_OK) {
        if (found.n > 0)
            qsort(found.places, found.n, sizeof *found.places, compare_places);
        result = write_page(&writer, call, wish, &found);
    }
    if (result < 0)
        ab_a2a_refuse(call, AB_A2A_INTERNAL_ERROR, "The tasks cannot be read");
    else
        ab_a2a_answer(call, ab_buf_str(&text));
    ab_buf_deinit(&text);
    free(found.places);
}

void ab_a2a_list_tasks(struct ab_a2a_call *call)
{
    struct list_wish wish = { .page_size = PAGE_SIZE };

    if (read_list(call, &wish))
        answer_list(call, &wish);
    free(wish.context_id);
}
