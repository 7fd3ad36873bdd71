/* What tests of stores share: a store on a real loop, samples, and commits that are waited for. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite.h"
#include "support/real_loop.h"
#include "support/store_contract.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const int patience = 20;

int store_rig_setup(void **state)
{
    struct store_rig *rig = ab_alloc(1, sizeof(*rig));
    rig->maker = *state;
    rig->loop = real_loop_new();
    if (rig->maker->has_directory) {
        rig->directory = ab_strdup("/tmp/agentbridge-store-XXXXXX");
        assert_non_null(mkdtemp(rig->directory));
    }
    rig->store = rig->maker->open(rig->loop, rig->directory);
    *state = rig;
    return rig->store != NULL ? 0 : -1;
}

static void remove_directory(const char *directory)
{
    DIR *handle = opendir(directory);
    const struct dirent *entry;
    while (handle != NULL && (entry = readdir(handle)) != NULL) {
        AB_CLEANUP(ab_free_string) char *path = ab_format("%s/%s", directory, entry->d_name);
        if (entry->d_type != DT_DIR) {
            unlink(path);
        }
    }
    if (handle != NULL) {
        closedir(handle);
    }
    rmdir(directory);
}

int store_rig_teardown(void **state)
{
    struct store_rig *rig = *state;
    if (rig->store != NULL) {
        rig->store->ops->free(rig->store);
    }
    real_loop_free(rig->loop);
    if (rig->directory != NULL) {
        remove_directory(rig->directory);
    }
    free(rig->directory);
    free(rig);
    return 0;
}

static struct ab_store *open_sqlite(struct ab_loop *loop, const char *directory)
{
    char reason[512] = "";
    struct ab_store *store = ab_store_sqlite_new(loop, directory, NULL, NULL, reason, sizeof(reason));
    if (store == NULL) {
        fprintf(stderr, "the store does not open: %s\n", reason);
    }
    return store;
}

const struct store_maker store_sqlite_maker = { .name = "store in SQLite", .open = open_sqlite, .has_directory = true };

void store_rig_close(struct store_rig *rig)
{
    rig->store->ops->free(rig->store);
    rig->store = NULL;
}

void store_rig_reopen(struct store_rig *rig)
{
    store_rig_close(rig);
    rig->store = rig->maker->open(rig->loop, rig->directory);
    assert_non_null(rig->store);
}

void store_wait_done(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct store_wait *wait = arg;
    assert_false(wait->done);
    assert_true(outcome == AB_STORE_DONE || text != NULL);
    wait->done = true;
    wait->outcome = outcome;
    snprintf(wait->text, sizeof(wait->text), "%s", text != NULL ? text : "");
}

/* --- samples --- */

void store_sample_task(struct ab_task *out, unsigned number)
{
    *out = (struct ab_task){ .status = AB_TASK_PENDING, .turn = 1, .attempt = 1 };
    snprintf(out->id, sizeof(out->id), "%032x", number);
    out->thread_id = ab_strdup(out->id);
    out->owner = ab_strdup("alice");
    out->agent = ab_strdup("report");
    out->surface = ab_strdup("mcp");
    out->created_at = 1000000 + number;
    out->updated_at = out->created_at;
}

struct ab_event *store_sample_events(uint64_t first, size_t n, size_t bytes)
{
    struct ab_event *events = ab_alloc(n + 1, sizeof(*events));
    for (size_t index = 0; index < n; index++) {
        uint64_t number = first + index;
        events[index] = (struct ab_event){ .number = number, .at = 5000 + (int64_t)number, .kind = AB_EVENT_CHUNK };
        events[index].body_json = ab_format("{\"text\":\"%llu%*s\"}", (unsigned long long)number, (int)bytes, "");
    }
    return events;
}

void store_free_events(struct ab_event *events, size_t n)
{
    for (size_t index = 0; index < n; index++) {
        ab_event_deinit(&events[index]);
    }
    free(events);
}

void store_sample_request(struct ab_task_request *out, const char *key)
{
    *out = (struct ab_task_request){ 0 };
    out->message_json = ab_strdup("{\"parts\":[{\"text\":\"write\"}]}");
    out->arguments_json = ab_strdup("{\"depth\":3}");
    out->input_json = ab_strdup("{\"text\":\"write\",\"files\":[]}");
    out->options_json = ab_strdup("{}");
    out->idempotency_key = ab_strdup(key);
}

/* --- commits that are waited for --- */

static enum ab_store_outcome commit(struct store_rig *rig, const struct ab_store_commit *commit)
{
    struct store_wait wait = { 0 };
    rig->store->ops->commit(rig->store, commit, store_wait_done, &wait);
    assert_false(wait.done);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

enum ab_store_outcome store_create(struct store_rig *rig, struct ab_task *task, const char *key, size_t n_events)
{
    struct ab_task_request request;
    store_sample_request(&request, key);
    struct ab_event *events = store_sample_events(1, n_events, 0);
    task->last_event = n_events;
    enum ab_store_outcome outcome = commit(
        rig, &(struct ab_store_commit){ .task = task, .request = &request, .events = events, .n_events = n_events });
    store_free_events(events, n_events);
    ab_task_request_deinit(&request);
    return outcome;
}

enum ab_store_outcome store_update(struct store_rig *rig, struct ab_task *task, size_t n_events, size_t bytes)
{
    uint64_t before = task->last_event;
    struct ab_event *events = store_sample_events(before + 1, n_events, bytes);
    task->last_event += n_events;
    enum ab_store_outcome outcome =
        commit(rig, &(struct ab_store_commit){
                        .task = task, .expected_last_event = before, .events = events, .n_events = n_events });
    store_free_events(events, n_events);
    if (outcome != AB_STORE_DONE) {
        task->last_event = before;
    }
    return outcome;
}

enum ab_store_outcome store_sweep(struct store_rig *rig, int64_t finished_before, size_t limit)
{
    struct store_wait wait = { 0 };
    rig->store->ops->sweep(rig->store, finished_before, limit, store_wait_done, &wait);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

enum ab_store_outcome store_remove(struct store_rig *rig, const char *id)
{
    struct store_wait wait = { 0 };
    rig->store->ops->remove(rig->store, id, store_wait_done, &wait);
    real_loop_run(rig->loop, &wait.done, patience);
    return wait.outcome;
}

/* --- looking --- */

static bool check_next(void *arg, const struct ab_event *event)
{
    uint64_t *last = arg;
    assert_int_equal(event->number, *last + 1);
    *last = event->number;
    return true;
}

void store_check_dense(struct ab_store *store, const char *id)
{
    struct ab_task task;
    uint64_t last = 0;
    assert_int_equal(store->ops->get(store, id, &task), AB_OK);
    assert_int_equal(store->ops->events(store, id, 0, AB_EVENTS_ALL, 0, check_next, &last), AB_OK);
    assert_int_equal(task.last_event, last);
    ab_task_deinit(&task);
}

static bool append_number(void *arg, const struct ab_task *task)
{
    ab_buf_printf(arg, "%s%lu", ((struct ab_buf *)arg)->size > 0 ? " " : "", strtoul(task->id, NULL, 16));
    return true;
}

char *store_list_text(struct ab_store *store, const struct ab_store_filter *filter)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    assert_int_equal(store->ops->list(store, filter, append_number, &text), AB_OK);
    return ab_buf_steal(&text);
}
