/* Lists of tasks: one item for each conversation, as its latest turn stands; the newest first. */
#include "rest/query.h"
#include "rest/task.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* --- what is wanted --- */

struct list_wish {
    char *agent; /* or NULL; so all texts */
    char *status;
    char *internal_status;
    char *user_id;
    char *parent;
    char *triggering_agent_id;
    int64_t from; /* created not before; ms, 0: whenever */
    int64_t to;   /* and not after; 0: whenever */
    struct ab_rest_page page;
};

static void check_status(const struct list_wish *wish, struct ab_rest_faults *faults)
{
    struct ab_buf names = AB_BUF_INIT(256);
    enum ab_task_status status;

    if (wish->status == NULL || ab_task_status_parse(wish->status, &status))
        return;
    for (unsigned i = 0; i < AB_TASK_STATUS_COUNT; i++)
        ab_buf_printf(&names, "%s%s", i > 0 ? ", " : "", ab_task_status_name((enum ab_task_status)i));
    ab_rest_fault_add(faults, "query.status", "enum", "Must be one of %s", names.data);
    ab_buf_deinit(&names);
}

static void read_wish(struct ab_rest_call *call, struct list_wish *wish, struct ab_rest_faults *faults)
{
    *wish = (struct list_wish){ .agent = NULL };
    wish->agent = call->id != NULL ? ab_strdup(call->id) : ab_rest_query_text(call, "agent_id");
    wish->status = ab_rest_query_text(call, "status");
    wish->internal_status = ab_rest_query_text(call, "internal_status");
    wish->user_id = ab_rest_query_text(call, "user_id");
    wish->parent = ab_rest_query_text(call, "parent_task_id");
    wish->triggering_agent_id = ab_rest_query_text(call, "triggering_agent_id");
    ab_rest_query_time(call, "from_date", &wish->from, faults);
    ab_rest_query_time(call, "to_date", &wish->to, faults);
    ab_rest_query_page(call, &wish->page, faults);
    check_status(wish, faults);
}

static void wish_deinit(struct list_wish *wish)
{
    free(wish->agent);
    free(wish->status);
    free(wish->internal_status);
    free(wish->user_id);
    free(wish->parent);
    free(wish->triggering_agent_id);
}

/* --- which tasks these are --- */

struct found {
    const struct list_wish *wish;
    struct ab_engine *engine;
    uint64_t total;
    struct ab_task tasks[AB_REST_PER_PAGE_MAX]; /* of the page */
    size_t n_tasks;
};

static struct ab_store_filter filter_of(const struct ab_rest_call *call, const struct list_wish *wish)
{
    struct ab_store_filter filter = {
        .owner = call->owner, .agent = wish->agent, .latest = true, .from_at = wish->from, .to_at = wish->to
    };
    enum ab_task_status status;

    if (wish->status != NULL && ab_task_status_parse(wish->status, &status))
        filter.statuses = 1u << (unsigned)status;
    return filter;
}

/* --- what the store finds by itself --- */

static bool take_task(void *arg, const struct ab_task *task)
{
    struct found *found = arg;

    ab_task_copy(&found->tasks[found->n_tasks++], task);
    return true;
}

static int read_page(struct ab_store_filter *filter, struct found *found)
{
    const struct ab_rest_page *page = &found->wish->page;
    int result = ab_engine_total(found->engine, filter, &found->total);

    filter->skip = (page->page - 1) * page->per_page;
    filter->limit = page->per_page;
    if (result < 0 || filter->skip >= found->total)
        return result;
    return ab_engine_list(found->engine, filter, take_task, found);
}

/* --- what is looked for in each --- */

static bool is_searched(const struct list_wish *wish)
{
    return wish->internal_status != NULL || wish->user_id != NULL || wish->parent != NULL ||
           wish->triggering_agent_id != NULL;
}

static bool says(const struct ab_task *task, const char *member, const char *wanted)
{
    return wanted == NULL || ab_json_string_is(ab_json_member(ab_json_trusted(task->surface_json), member), wanted);
}

static bool is_wanted(const struct list_wish *wish, const struct ab_task *task)
{
    const char *internal = task->status_message != NULL ? task->status_message : "";

    return (wish->internal_status == NULL || strcmp(wish->internal_status, internal) == 0) &&
           says(task, "user_id", wish->user_id) && says(task, "parent", wish->parent) &&
           says(task, "triggering_agent_id", wish->triggering_agent_id);
}

static bool look_at(void *arg, const struct ab_task *task)
{
    struct found *found = arg;

    if (!is_wanted(found->wish, task))
        return true;
    if (ab_rest_page_has(&found->wish->page, found->total) &&
        ab_engine_get(found->engine, task->owner, task->id, &found->tasks[found->n_tasks]) == AB_OK)
        found->n_tasks++;
    found->total++;
    return true;
}

static int search(struct ab_store_filter *filter, struct found *found)
{
    filter->brief = true;
    return ab_engine_list(found->engine, filter, look_at, found);
}

/* --- the answer --- */

static void write_page(const struct found *found, struct ab_buf *out)
{
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "items");
    ab_json_array_begin(&writer);
    for (size_t i = 0; i < found->n_tasks; i++)
        ab_rest_item_write(&writer, &found->tasks[i]);
    ab_json_array_end(&writer);
    ab_rest_page_write(&writer, &found->wish->page, found->total);
    ab_json_object_end(&writer);
}

static void answer_list(struct ab_rest_call *call, const struct list_wish *wish)
{
    struct ab_store_filter filter = filter_of(call, wish);
    struct found *found = ab_alloc(1, sizeof *found);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    int result;

    found->wish = wish;
    found->engine = call->rest->settings.engine;
    result = is_searched(wish) ? search(&filter, found) : read_page(&filter, found);
    if (result < 0) {
        ab_rest_refuse(call, 500, "The tasks cannot be read");
    } else {
        write_page(found, &text);
        ab_rest_answer(call, 200, ab_buf_str(&text));
    }
    ab_buf_deinit(&text);
    for (size_t i = 0; i < found->n_tasks; i++)
        ab_task_deinit(&found->tasks[i]);
    free(found);
}

void ab_rest_tasks(struct ab_rest_call *call)
{
    struct ab_rest_faults faults;
    struct list_wish wish;

    ab_rest_faults_init(&faults);
    read_wish(call, &wish, &faults);
    if (faults.n > 0)
        ab_rest_refuse_faults(call, &faults);
    else
        answer_list(call, &wish);
    wish_deinit(&wish);
    ab_rest_faults_deinit(&faults);
}
