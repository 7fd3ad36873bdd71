/* Copies of changes; see change.h. */
#include "store/change.h"

#include "base/mem.h"

#include <string.h>

static struct ab_change *change_new(enum ab_change_kind kind, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = ab_alloc(1, sizeof(*change));
    change->kind = kind;
    change->done = done;
    change->arg = arg;
    change->bytes = sizeof(*change);
    return change;
}

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* What can grow large; the rest is lost in the struct's own size. */
static size_t commit_size(const struct ab_store_commit *commit)
{
    const struct ab_task *task = commit->task;
    size_t size = text_size(task->surface_json) + text_size(task->questions_json) + text_size(task->result_json) +
                  text_size(task->error_json) + text_size(task->status_message) + text_size(task->notes_json) +
                  text_size(task->answers_json);
    if (commit->request != NULL) {
        size += text_size(commit->request->message_json) + text_size(commit->request->arguments_json) +
                text_size(commit->request->input_json) + text_size(commit->request->options_json) +
                text_size(commit->request->webhooks_json);
    }
    for (size_t index = 0; index < commit->n_events; index++) {
        size += sizeof(struct ab_event) + text_size(commit->events[index].body_json);
    }
    for (size_t index = 0; index < commit->n_deliveries; index++) {
        size += sizeof(struct ab_delivery) + text_size(commit->deliveries[index].target_json);
    }
    return size + text_size(commit->webhooks_json);
}

/* What is wrong with the commit itself, or NULL. One bad commit must not spoil the group it is written in. */
static const char *commit_fault(const struct ab_store_commit *commit)
{
    const struct ab_task *task = commit->task;
    const struct ab_task_request *request = commit->request;
    if (task->thread_id == NULL || task->owner == NULL || task->agent == NULL || task->surface == NULL) {
        return "the task has no thread, owner, agent or surface";
    }
    if (ab_task_status_is_terminal(task->status) != (task->finished_at > 0)) {
        return "a task that has ended, and no other, says when it did";
    }
    if (request != NULL &&
        (request->message_json == NULL || request->input_json == NULL || request->options_json == NULL)) {
        return "the task's request has no message, input or options";
    }
    uint64_t before = request != NULL ? 0 : commit->expected_last_event;
    for (size_t index = 0; index < commit->n_events; index++) {
        if (commit->events[index].number != before + index + 1 || commit->events[index].body_json == NULL) {
            return "the events are not numbered one after the other, or one has no body";
        }
    }
    if (task->last_event != before + commit->n_events) {
        return "the row's last event is not the number of the newest event";
    }
    for (size_t index = 0; index < commit->n_deliveries; index++) {
        const struct ab_delivery *delivery = &commit->deliveries[index];
        if (delivery->kind == NULL || delivery->receiver == NULL || delivery->target_json == NULL) {
            return "a delivery has no kind, receiver or target";
        }
    }
    return NULL;
}

static void copy_deliveries(struct ab_change *change, const struct ab_store_commit *commit)
{
    change->n_deliveries = commit->n_deliveries;
    if (commit->n_deliveries > 0) {
        change->deliveries = ab_alloc(commit->n_deliveries, sizeof(*change->deliveries));
    }
    for (size_t index = 0; index < commit->n_deliveries; index++) {
        ab_delivery_copy(&change->deliveries[index], &commit->deliveries[index]);
    }
}

struct ab_change *ab_change_commit(const struct ab_store_commit *commit, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = change_new(AB_CHANGE_COMMIT, done, arg);
    change->bytes += commit_size(commit);
    const char *fault = commit_fault(commit);
    if (fault != NULL) {
        ab_change_end(change, AB_STORE_REFUSED, fault);
        return change;
    }
    ab_task_copy(&change->task, commit->task);
    if (commit->request != NULL) {
        change->creates = true;
        ab_task_request_copy(&change->request, commit->request);
    }
    change->expected_last_event = commit->expected_last_event;
    change->n_events = commit->n_events;
    if (commit->n_events > 0) {
        change->events = ab_alloc(commit->n_events, sizeof(*change->events));
    }
    for (size_t index = 0; index < commit->n_events; index++) {
        ab_event_copy(&change->events[index], &commit->events[index]);
    }
    copy_deliveries(change, commit);
    change->webhooks_json = ab_strdup(commit->webhooks_json);
    change->n_dropped_lanes = commit->n_dropped_lanes;
    if (commit->n_dropped_lanes > 0) {
        change->dropped_lanes = ab_alloc(commit->n_dropped_lanes, sizeof(*change->dropped_lanes));
        memcpy(change->dropped_lanes, commit->dropped_lanes, commit->n_dropped_lanes * sizeof(*change->dropped_lanes));
    }
    return change;
}

struct ab_change *ab_change_sweep(int64_t finished_before, size_t limit, int64_t now, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = change_new(AB_CHANGE_SWEEP, done, arg);
    change->finished_before = finished_before;
    change->limit = limit;
    change->now = now;
    return change;
}

struct ab_change *ab_change_remove(const char *id, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = change_new(AB_CHANGE_REMOVE, done, arg);
    memcpy(change->removed_id, id, strnlen(id, AB_TASK_ID_SIZE - 1));
    return change;
}

struct ab_change *ab_change_put_record(const struct ab_store_record *record, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = change_new(AB_CHANGE_PUT_RECORD, done, arg);
    change->record_kind = ab_strdup(record->kind);
    change->record_id = ab_strdup(record->id);
    change->record_owner = ab_strdup(record->owner);
    change->record_body = ab_alloc(record->body.size + 1, 1);
    if (record->body.size > 0) {
        memcpy(change->record_body, record->body.data, record->body.size);
    }
    change->record_size = record->body.size;
    change->expires_at = record->expires_at;
    change->bytes += record->body.size;
    return change;
}

struct ab_change *ab_change_remove_record(const char *kind, const char *id, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = change_new(AB_CHANGE_REMOVE_RECORD, done, arg);
    change->record_kind = ab_strdup(kind);
    change->record_id = ab_strdup(id);
    return change;
}

struct ab_change *ab_change_settle(const struct ab_settlement *settlement, ab_store_done_fn done, void *arg)
{
    struct ab_change *change = change_new(AB_CHANGE_SETTLE, done, arg);
    change->settlement = *settlement;
    change->settle_error = ab_strdup(settlement->error);
    change->settlement.error = change->settle_error;
    return change;
}

void ab_change_end(struct ab_change *change, enum ab_store_outcome outcome, const char *text)
{
    change->outcome = outcome;
    ab_replace(&change->text, text);
}

void ab_change_finish(struct ab_change *change)
{
    if (change->done != NULL) {
        const char *text = change->text;
        if (text == NULL && change->outcome == AB_STORE_CONFLICT && change->kind == AB_CHANGE_SETTLE) {
            text = "there is no such delivery that waits or was given up";
        } else if (text == NULL && change->outcome == AB_STORE_CONFLICT && change->kind == AB_CHANGE_REMOVE) {
            text = "there is no such task that has finished";
        } else if (text == NULL && change->outcome == AB_STORE_CONFLICT) {
            text = change->creates ? "a task with this id or idempotency key exists already"
                                   : "the task was changed by somebody else, or is gone";
        }
        change->done(change->arg, change->outcome, text);
    }
    ab_change_free(change);
}

void ab_change_free(struct ab_change *change)
{
    if (change == NULL) {
        return;
    }
    ab_task_deinit(&change->task);
    ab_task_request_deinit(&change->request);
    for (size_t index = 0; index < change->n_events; index++) {
        ab_event_deinit(&change->events[index]);
    }
    free(change->events);
    for (size_t index = 0; index < change->n_deliveries; index++) {
        ab_delivery_deinit(&change->deliveries[index]);
    }
    free(change->deliveries);
    free(change->webhooks_json);
    free(change->dropped_lanes);
    free(change->settle_error);
    free(change->record_kind);
    free(change->record_id);
    free(change->record_owner);
    free(change->record_body);
    free(change->text);
    free(change);
}
