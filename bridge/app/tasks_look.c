#include "app/tasks_look.h"

#include "base/mem.h"
#include "base/str.h"
#include "mcp/shape.h"

#include <string.h>

#define PAGE_TASKS 100
/* A page ends early when its tasks' words are many. */
#define PAGE_BYTES ((size_t)256 << 10)

/* --- finding --- */

struct found {
    struct ab_task first;
    size_t n;
};

static bool keep_first(void *arg, const struct ab_task *task)
{
    struct found *found = arg;

    if (found->n++ == 0)
        ab_task_copy(&found->first, task);
    return true;
}

static bool is_hexadecimal(const char *text)
{
    return text[0] != '\0' && strlen(text) < AB_TASK_ID_SIZE && text[strspn(text, "0123456789abcdef")] == '\0';
}

bool ab_tasks_find(const struct ab_tasks_look *look, struct ab_json id, struct ab_task *out, struct ab_buf *reason)
{
    AB_CLEANUP(ab_free_string) char *prefix = ab_json_string_dup(id);
    struct ab_store_filter filter = { .id_prefix = prefix, .limit = 2 };
    struct found found = { 0 };

    if (prefix == NULL || !is_hexadecimal(prefix)) {
        ab_buf_append_text(reason, "a task's id is up to 32 of the characters 0-9 and a-f");
        return false;
    }
    if (look->store->ops->list(look->store, &filter, keep_first, &found) != AB_OK)
        ab_buf_append_text(reason, "the tasks cannot be read");
    else if (found.n == 0)
        ab_buf_printf(reason, "there is no task %s", prefix);
    else if (found.n > 1)
        ab_buf_printf(reason, "several tasks begin with %s: give more of the id", prefix);
    if (reason->size > 0) {
        ab_task_deinit(&found.first);
        return false;
    }
    *out = found.first;
    return true;
}

/* --- lists --- */

struct page {
    struct ab_json_writer writer;
    size_t n;
    int64_t last_created_at;
    char last_id[AB_TASK_ID_SIZE];
    bool more;
};

static bool add_task(void *arg, const struct ab_task *task)
{
    struct page *page = arg;

    if (page->n == PAGE_TASKS || page->writer.out->size > PAGE_BYTES) {
        page->more = true;
        return false;
    }
    page->n++;
    page->last_created_at = task->created_at;
    memcpy(page->last_id, task->id, sizeof page->last_id);
    ab_mcp_write_task_summary(&page->writer, task);
    return true;
}

/* "<created_at>-<id>" */
static bool read_after(char *after, struct ab_store_filter *filter)
{
    char *dash = strchr(after, '-');
    uint64_t created_at;

    if (dash == NULL || !ab_str_to_uint((struct ab_str){ after, (size_t)(dash - after) }, INT64_MAX, &created_at))
        return false;
    filter->before_at = (int64_t)created_at;
    filter->before_id = dash + 1;
    return created_at > 0;
}

static bool read_status(const char *name, struct ab_store_filter *filter, struct ab_buf *reason)
{
    enum ab_task_status status;

    if (ab_task_status_parse(name, &status)) {
        filter->statuses = 1u << (unsigned)status;
        return true;
    }
    ab_buf_printf(reason, "\"%.64s\" is no status; there are", name);
    for (unsigned i = 0; i < AB_TASK_STATUS_COUNT; i++)
        ab_buf_printf(reason, "%s %s", i > 0 ? "," : "", ab_task_status_name((enum ab_task_status)i));
    return false;
}

static void put_next(struct page *page)
{
    AB_CLEANUP(ab_free_string) char *next = ab_format("%lld-%s", (long long)page->last_created_at, page->last_id);

    ab_json_put_text(&page->writer, "next", next);
}

bool ab_tasks_list(const struct ab_tasks_look *look, struct ab_json params, struct ab_buf *out, struct ab_buf *reason)
{
    AB_CLEANUP(ab_free_string) char *status = ab_json_string_dup(ab_json_member(params, "status"));
    AB_CLEANUP(ab_free_string) char *agent = ab_json_string_dup(ab_json_member(params, "agent"));
    AB_CLEANUP(ab_free_string) char *after = ab_json_string_dup(ab_json_member(params, "after"));
    struct ab_store_filter filter = { .agent = agent, .limit = PAGE_TASKS + 1 };
    struct page page = { 0 };

    if (status != NULL && !read_status(status, &filter, reason))
        return false;
    if (after != NULL && !read_after(after, &filter)) {
        ab_buf_append_text(reason, "\"after\" is the \"next\" of an earlier page");
        return false;
    }
    ab_json_writer_init(&page.writer, out);
    ab_json_object_begin(&page.writer);
    ab_json_write_key(&page.writer, "tasks");
    ab_json_array_begin(&page.writer);
    if (look->store->ops->list(look->store, &filter, add_task, &page) != AB_OK) {
        ab_buf_append_text(reason, "the tasks cannot be read");
        return false;
    }
    ab_json_array_end(&page.writer);
    if (page.more)
        put_next(&page);
    ab_json_object_end(&page.writer);
    return true;
}

/* --- one task --- */

bool ab_tasks_write(const struct ab_tasks_look *look, const struct ab_task *task, struct ab_buf *out,
                    struct ab_buf *reason)
{
    struct ab_buf artifacts = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    bool good = task->n_artifacts == 0 || ab_engine_artifacts(look->engine, task->id, &artifacts) == AB_OK;

    if (good) {
        ab_json_writer_init(&writer, out);
        ab_json_object_begin(&writer);
        ab_json_write_key(&writer, "task");
        ab_mcp_write_task(&writer, task, artifacts.data, NULL, 0);
        ab_json_put_text(&writer, "owner", task->owner);
        ab_json_put_text(&writer, "surface", task->surface);
        ab_json_put_int(&writer, "turn", task->turn);
        ab_json_object_end(&writer);
    } else {
        ab_buf_append_text(reason, "the task's artifacts cannot be read");
    }
    ab_buf_deinit(&artifacts);
    return good;
}

bool ab_tasks_show(const struct ab_tasks_look *look, struct ab_json params, struct ab_buf *out, struct ab_buf *reason)
{
    struct ab_task task = { 0 };
    bool good =
        ab_tasks_find(look, ab_json_member(params, "id"), &task, reason) && ab_tasks_write(look, &task, out, reason);

    ab_task_deinit(&task);
    return good;
}
