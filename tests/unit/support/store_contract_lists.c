/* The contract of a store's lists and totals: whatever happened to the tasks, they say what a look at each task says.
 * See store_contract.h. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "support/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- a model: all tasks as they should stand --- */

enum { TASKS = 300, STEPS = 1500, LOOK_EVERY = 100, FILTERS = 150 };

struct model {
    struct store_rig *rig;
    struct ab_task tasks[TASKS]; /* id[0] == '\0': removed */
    unsigned n_made;
    uint64_t random;
};

static unsigned dice(struct model *model, unsigned sides)
{
    model->random = model->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(model->random >> 33) % sides;
}

static struct ab_task *any_task(struct model *model)
{
    struct ab_task *task = &model->tasks[dice(model, model->n_made)];
    return task->id[0] != '\0' ? task : NULL;
}

static const char *any_owner(struct model *model)
{
    return dice(model, 3) > 0 ? "alice" : "bob";
}

static const char *any_agent(struct model *model)
{
    return dice(model, 3) > 0 ? "report" : "travel";
}

/* A thread of its own, one that somebody named, or one that another task began. */
static void join_thread(struct model *model, struct ab_task *task)
{
    char name[AB_TASK_ID_SIZE];
    unsigned choice = dice(model, 4);
    const struct ab_task *other = choice == 1 && model->n_made > 0 ? any_task(model) : NULL;
    snprintf(name, sizeof(name), "t%u", dice(model, 8));
    if (choice == 0) {
        ab_replace(&task->thread_id, name);
    } else if (other != NULL) {
        ab_replace(&task->thread_id, other->thread_id);
    }
}

static void move(struct model *model, struct ab_task *task)
{
    static const enum ab_task_reason reasons[] = { AB_REASON_NONE, AB_REASON_AUTH, AB_REASON_REJECTED,
                                                   AB_REASON_CRASHED };
    if (task->finished_at == 0) {
        task->status = (enum ab_task_status)dice(model, AB_TASK_STATUS_COUNT);
        task->reason = reasons[dice(model, 4)];
        task->updated_at += dice(model, 5);
        task->finished_at = ab_task_status_is_terminal(task->status) ? task->updated_at : 0;
    }
}

static void make_one(struct model *model)
{
    struct ab_task *task = &model->tasks[model->n_made];
    store_sample_task(task, 1 + model->n_made);
    ab_replace(&task->owner, any_owner(model));
    ab_replace(&task->agent, any_agent(model));
    join_thread(model, task);
    task->created_at = 1000 + model->n_made / 3 + dice(model, 10);
    task->updated_at = task->created_at;
    if (dice(model, 4) == 0) {
        move(model, task);
    }
    assert_int_equal(store_create(model->rig, task, NULL, 1), AB_STORE_DONE);
    model->n_made++;
}

static void forget(struct ab_task *task)
{
    ab_task_deinit(task);
    *task = (struct ab_task){ .id = "" };
}

static void sweep(struct model *model)
{
    int64_t before = 1000 + model->n_made / 4;
    assert_int_equal(store_sweep(model->rig, before, 0), AB_STORE_DONE);
    for (unsigned i = 0; i < model->n_made; i++) {
        if (model->tasks[i].finished_at > 0 && model->tasks[i].finished_at < before) {
            forget(&model->tasks[i]);
        }
    }
}

static void change_one(struct model *model, struct ab_task *task)
{
    if (task->finished_at > 0 && dice(model, 4) == 0) {
        assert_int_equal(store_remove(model->rig, task->id), AB_STORE_DONE);
        forget(task);
        return;
    }
    move(model, task);
    assert_int_equal(store_update(model->rig, task, 1, 0), AB_STORE_DONE);
}

static void step(struct model *model)
{
    if (model->n_made == 0 || (model->n_made < TASKS && dice(model, 3) == 0)) {
        make_one(model);
    } else if (dice(model, 200) == 0) {
        sweep(model);
    } else {
        struct ab_task *task = any_task(model);
        if (task != NULL) {
            change_one(model, task);
        }
    }
}

/* --- what a filter means --- */

static bool is_before(const struct ab_task *task, int64_t at, int64_t before_at, const char *before_id)
{
    return at != before_at ? at < before_at : strcmp(task->id, before_id) < 0;
}

static bool is_latest(const struct model *model, const struct ab_task *task)
{
    for (unsigned i = 0; i < model->n_made; i++) {
        const struct ab_task *other = &model->tasks[i];
        if (other->id[0] != '\0' && strcmp(other->owner, task->owner) == 0 &&
            strcmp(other->thread_id, task->thread_id) == 0 &&
            is_before(task, task->created_at, other->created_at, other->id)) {
            return false;
        }
    }
    return true;
}

static int64_t time_of(const struct ab_store_filter *filter, const struct ab_task *task)
{
    return filter->order == AB_STORE_BY_CHANGE ? task->updated_at : task->created_at;
}

static bool is_or_any(const char *wanted, const char *found)
{
    return wanted == NULL || strcmp(wanted, found) == 0;
}

static bool fits(const struct model *model, const struct ab_store_filter *filter, const struct ab_task *task)
{
    int64_t at = time_of(filter, task);
    return task->id[0] != '\0' && is_or_any(filter->owner, task->owner) && is_or_any(filter->agent, task->agent) &&
           is_or_any(filter->thread_id, task->thread_id) &&
           (filter->id_prefix == NULL || strncmp(filter->id_prefix, task->id, strlen(filter->id_prefix)) == 0) &&
           (filter->statuses == 0 || (filter->statuses >> task->status & 1u) == 1) &&
           (filter->reasons == 0 || (filter->reasons >> task->reason & 1u) == 1) && at >= filter->from_at &&
           (filter->to_at == 0 || at <= filter->to_at) && (!filter->latest || is_latest(model, task));
}

static const struct ab_store_filter *sorted_by;

static int newest_first(const void *left, const void *right)
{
    const struct ab_task *one = *(const struct ab_task *const *)left;
    const struct ab_task *other = *(const struct ab_task *const *)right;
    return is_before(one, time_of(sorted_by, one), time_of(sorted_by, other), other->id) ? 1 : -1;
}

/* As store_list_text, and how many there are whatever the place. */
static char *expected_text(const struct model *model, const struct ab_store_filter *filter, uint64_t *total)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    const struct ab_task *found[TASKS];
    size_t n = 0;
    for (unsigned i = 0; i < model->n_made; i++) {
        if (fits(model, filter, &model->tasks[i])) {
            found[n++] = &model->tasks[i];
        }
    }
    sorted_by = filter;
    qsort(found, n, sizeof(*found), newest_first);
    *total = n;
    for (size_t i = 0, told = 0; i < n && (filter->limit == 0 || told < filter->skip + filter->limit); i++) {
        const char *id = filter->before_id != NULL ? filter->before_id : "";
        if (filter->before_at != 0 && !is_before(found[i], time_of(filter, found[i]), filter->before_at, id)) {
            continue;
        }
        if (told++ >= filter->skip) {
            ab_buf_printf(&text, "%s%lu", text.size > 0 ? " " : "", strtoul(found[i]->id, NULL, 16));
        }
    }
    return ab_buf_steal(&text);
}

/* --- comparing --- */

static void choose_filter(struct model *model, struct ab_store_filter *filter, struct ab_task *place)
{
    *filter = (struct ab_store_filter){
        .owner = dice(model, 4) > 0 ? any_owner(model) : NULL,
        .agent = dice(model, 2) > 0 ? any_agent(model) : NULL,
        .statuses = dice(model, 2) > 0 ? dice(model, 1u << AB_TASK_STATUS_COUNT) : 0,
        .reasons = dice(model, 4) == 0 ? 1u << AB_REASON_NONE | 1u << AB_REASON_REJECTED : 0,
        .latest = dice(model, 3) == 0,
        .from_at = dice(model, 4) == 0 ? 1000 + dice(model, 100) : 0,
        .to_at = dice(model, 4) == 0 ? 1000 + dice(model, 130) : 0,
        .order = dice(model, 2) > 0 ? AB_STORE_BY_CHANGE : AB_STORE_BY_CREATION,
        .skip = dice(model, 4) == 0 ? dice(model, 80) : 0,
        .limit = dice(model, 2) > 0 ? 1 + dice(model, 90) : 0,
        .brief = dice(model, 2) > 0,
    };
    const struct ab_task *task = any_task(model);
    if (task != NULL && dice(model, 3) == 0) {
        ab_task_copy(place, task);
        filter->before_at = time_of(filter, task);
        filter->before_id = place->id;
    }
    task = any_task(model);
    if (task != NULL && dice(model, 4) == 0) {
        ab_replace(&place->thread_id, task->thread_id);
        filter->thread_id = place->thread_id;
    } else if (dice(model, 10) == 0) {
        filter->id_prefix = "0000000000000000000000000000004";
    }
}

static void compare_one(struct model *model)
{
    struct ab_store *store = model->rig->store;
    struct ab_task place = { 0 };
    struct ab_store_filter filter;
    uint64_t expected_total = 0;
    uint64_t total = 0;
    choose_filter(model, &filter, &place);
    AB_CLEANUP(ab_free_string) char *expected = expected_text(model, &filter, &expected_total);
    AB_CLEANUP(ab_free_string) char *found = store_list_text(store, &filter);
    assert_int_equal(store->ops->total(store, &filter, &total), AB_OK);
    if (strcmp(expected, found) != 0 || total != expected_total) {
        fail_msg(
            "owner %s agent %s thread %s statuses %x latest %d from %d to %d order %d before %d skip %zu limit %zu: "
            "expected %u: %s, found %u: %s",
            filter.owner, filter.agent, filter.thread_id, filter.statuses, filter.latest, (int)filter.from_at,
            (int)filter.to_at, (int)filter.order, (int)filter.before_at, filter.skip, filter.limit,
            (unsigned)expected_total, expected, (unsigned)total, found);
    }
    ab_task_deinit(&place);
}

static void compare_counts(const struct model *model)
{
    struct ab_store *store = model->rig->store;
    uint64_t expected[AB_TASK_STATUS_COUNT] = { 0 };
    uint64_t counts[AB_TASK_STATUS_COUNT];
    for (unsigned i = 0; i < model->n_made; i++) {
        expected[model->tasks[i].status] += model->tasks[i].id[0] != '\0' ? 1 : 0;
    }
    assert_int_equal(store->ops->count(store, counts), AB_OK);
    assert_memory_equal(counts, expected, sizeof(expected));
}

static void run_model(struct store_rig *rig, uint64_t seed)
{
    struct model *model = ab_alloc(1, sizeof(*model));
    model->rig = rig;
    model->random = seed;
    for (unsigned n = 1; n <= STEPS; n++) {
        step(model);
        for (unsigned i = 0; n % LOOK_EVERY == 0 && i < FILTERS; i++) {
            compare_one(model);
        }
        if (n % LOOK_EVERY == 0) {
            compare_counts(model);
        }
        if (n == STEPS / 2 && rig->maker->has_directory) {
            store_rig_reopen(rig);
        }
    }
    for (unsigned i = 0; i < model->n_made; i++) {
        ab_task_deinit(&model->tasks[i]);
    }
    free(model);
}

static void lists_and_totals_are_what_a_look_at_each_says(void **state)
{
    run_model(*state, 1);
}

/* --- many owners --- */

/* Each owner is one more place to look. */
static void everybodys_tasks_come_in_order(void **state)
{
    struct store_rig *rig = *state;
    struct ab_buf expected = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    const struct ab_store_filter all = { .statuses = 1u << AB_TASK_COMPLETED, .limit = 150 };
    for (unsigned number = 1; number <= 200; number++) {
        struct ab_task task;
        AB_CLEANUP(ab_free_string) char *owner = ab_format("owner-%u", number);
        store_sample_task(&task, number);
        ab_replace(&task.owner, owner);
        task.status = number % 2 == 0 ? AB_TASK_COMPLETED : AB_TASK_PENDING;
        task.finished_at = number % 2 == 0 ? task.updated_at : 0;
        assert_int_equal(store_create(rig, &task, NULL, 0), AB_STORE_DONE);
        ab_task_deinit(&task);
    }
    for (unsigned number = 200; number > 0; number -= 2) {
        ab_buf_printf(&expected, "%s%u", expected.size > 0 ? " " : "", number);
    }
    AB_CLEANUP(ab_free_string) char *found = store_list_text(rig->store, &all);
    assert_string_equal(found, expected.data);
    ab_buf_deinit(&expected);
}

const struct store_case *store_list_cases(size_t *count)
{
    static const struct store_case cases[] = {
        { "lists and totals are what a look at each says", lists_and_totals_are_what_a_look_at_each_says },
        { "everybody's tasks come in order", everybodys_tasks_come_in_order },
    };
    *count = sizeof(cases) / sizeof(cases[0]);
    return cases;
}
