/* What one change does to the tables, inside the writer's open transaction. */
#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <errno.h>
#include <string.h>

/* What is to be known of a row that is changed or removed. */
#define ROW_COLUMNS "seq, status, shelf, latest"

#define CHANGES                                                                                                        \
    "surface_json = ?6, title = ?7, status = ?8, reason = ?9, status_message = ?10, progress_value = ?11, "            \
    "progress_total = ?12, progress_message = ?13, updated_at = ?15, last_event = ?17, turn = ?18, attempt = ?19, "    \
    "n_artifacts = ?20, questions_json = ?21, result_json = ?22, error_json = ?23, notes_json = ?24, "                 \
    "answers_json = ?25, abandon_ms = ?26"

static const char *const write_sql[AB_SQLITE_WRITE_COUNT] = {
    [AB_SQLITE_BEGIN] = "BEGIN IMMEDIATE",
    [AB_SQLITE_COMMIT] = "COMMIT",
    [AB_SQLITE_ROLLBACK] = "ROLLBACK",
    [AB_SQLITE_ADD_TASK] = "INSERT INTO task (" AB_SQLITE_TASK_COLUMNS ", shelf, idempotency_key) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
                           "?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28) ON CONFLICT DO NOTHING",
    [AB_SQLITE_FIND_TASK] = "SELECT " ROW_COLUMNS " FROM task WHERE id = ?1 AND last_event = ?2",
    /* What names the task and its place in lists never changes. A statement that could change what an index holds
     * writes that index, changed or not: until a task ends, none does. */
    [AB_SQLITE_CHANGE_TASK] = "UPDATE task SET " CHANGES " WHERE seq = ?28",
    [AB_SQLITE_END_TASK] = "UPDATE task SET " CHANGES ", finished_at = ?16, shelf = ?27 WHERE seq = ?28",
    [AB_SQLITE_ADD_REQUEST] = "INSERT INTO request (task, message_json, arguments_json, input_json, options_json, "
                              "webhooks_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [AB_SQLITE_ADD_EVENT] = "INSERT INTO event (task, number, at, kind, body_json) VALUES (?1, ?2, ?3, ?4, ?5)",
    [AB_SQLITE_FIND_ROW] = "SELECT " ROW_COLUMNS " FROM task WHERE seq = ?1",
    [AB_SQLITE_FIND_FINISHED] = "SELECT seq FROM task INDEXED BY task_finished "
                                "WHERE finished_at > 0 AND finished_at < ?1 ORDER BY finished_at LIMIT ?2",
    [AB_SQLITE_FIND_ONE_FINISHED] = "SELECT " ROW_COLUMNS " FROM task WHERE id = ?1 AND finished_at > 0",
    [AB_SQLITE_REMOVE_EVENTS] = "DELETE FROM event WHERE task = ?1",
    [AB_SQLITE_REMOVE_REQUEST] = "DELETE FROM request WHERE task = ?1",
    [AB_SQLITE_REMOVE_TASK] = "DELETE FROM task WHERE seq = ?1",
    [AB_SQLITE_REMOVE_EXPIRED] =
        "DELETE FROM record WHERE (kind, id) IN (SELECT kind, id FROM record INDEXED BY record_expired "
        "WHERE expires_at > 0 AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    [AB_SQLITE_PUT_RECORD] = "INSERT OR REPLACE INTO record (kind, id, owner, expires_at, body) "
                             "VALUES (?1, ?2, ?3, ?4, ?5)",
    [AB_SQLITE_REMOVE_RECORD] = "DELETE FROM record WHERE kind = ?1 AND id = ?2",
};

int ab_sqlite_apply_prepare(struct ab_sqlite_writer *writer)
{
    int code = SQLITE_OK;
    for (size_t index = 0; index < AB_SQLITE_WRITE_COUNT && code == SQLITE_OK; index++) {
        const char *sql = write_sql[index];
        sql = sql != NULL ? sql : ab_sqlite_shelf_sql((enum ab_sqlite_write)index);
        sql = sql != NULL ? sql : ab_sqlite_outbox_sql((enum ab_sqlite_write)index);
        code = ab_sqlite_prepare(writer->db, sql, &writer->statements[index]);
    }
    return code;
}

int ab_sqlite_run(struct ab_sqlite_writer *writer, enum ab_sqlite_write which)
{
    errno = 0;
    int code = sqlite3_step(writer->statements[which]);
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        writer->seen_errno = errno;
        int reset = sqlite3_reset(writer->statements[which]);
        return reset != SQLITE_OK ? reset : code;
    }
    return sqlite3_reset(writer->statements[which]);
}

/* Text, or NULL for NULL. The change outlives the statement's run, so nothing is copied. */
static void bind_text(sqlite3_stmt *statement, int number, const char *text)
{
    sqlite3_bind_text(statement, number, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int number, bool has, double value)
{
    if (has) {
        sqlite3_bind_double(statement, number, value);
    } else {
        sqlite3_bind_null(statement, number);
    }
}

/* Parameters 1 to 26, in the order of AB_SQLITE_TASK_COLUMNS, and 27 for the shelf (0: none). */
static void bind_task(sqlite3_stmt *statement, const struct ab_task *task, int64_t shelf)
{
    bind_text(statement, 1, task->id);
    bind_text(statement, 2, task->thread_id);
    bind_text(statement, 3, task->owner);
    bind_text(statement, 4, task->agent);
    bind_text(statement, 5, task->surface);
    bind_text(statement, 6, task->surface_json);
    bind_text(statement, 7, task->title);
    bind_text(statement, 8, ab_task_status_name(task->status));
    bind_text(statement, 9, ab_task_reason_name(task->reason));
    bind_text(statement, 10, task->status_message);
    bind_number(statement, 11, task->has_progress, task->progress_value);
    bind_number(statement, 12, task->has_progress_total, task->progress_total);
    bind_text(statement, 13, task->progress_message);
    sqlite3_bind_int64(statement, 14, task->created_at);
    sqlite3_bind_int64(statement, 15, task->updated_at);
    sqlite3_bind_int64(statement, 16, task->finished_at);
    sqlite3_bind_int64(statement, 17, (int64_t)task->last_event);
    sqlite3_bind_int64(statement, 18, task->turn);
    sqlite3_bind_int64(statement, 19, task->attempt);
    sqlite3_bind_int64(statement, 20, task->n_artifacts);
    bind_text(statement, 21, task->questions_json);
    bind_text(statement, 22, task->result_json);
    bind_text(statement, 23, task->error_json);
    bind_text(statement, 24, task->notes_json);
    bind_text(statement, 25, task->answers_json);
    sqlite3_bind_int64(statement, 26, task->abandon_ms);
    if (shelf != 0) {
        sqlite3_bind_int64(statement, 27, shelf);
    } else {
        sqlite3_bind_null(statement, 27);
    }
}

/* --- rows --- */

struct row {
    int64_t seq; /* 0: there is none */
    int64_t shelf;
    bool latest;
    enum ab_task_status status;
};

/* A row of ROW_COLUMNS. */
static int read_row(sqlite3_stmt *statement, struct row *out)
{
    const char *status = (const char *)sqlite3_column_text(statement, 1);
    out->seq = sqlite3_column_int64(statement, 0);
    out->shelf = sqlite3_column_int64(statement, 2);
    out->latest = sqlite3_column_int(statement, 3) != 0;
    return status != NULL && ab_task_status_parse(status, &out->status) ? SQLITE_OK : SQLITE_CORRUPT;
}

/* The first row of a statement whose parameters are bound. */
static int find_row(sqlite3_stmt *statement, struct row *out)
{
    *out = (struct row){ 0 };
    int code = sqlite3_step(statement);
    int result = code == SQLITE_ROW ? read_row(statement, out) : SQLITE_OK;
    int reset = sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? result : reset;
}

/* --- commits --- */

static int add_events(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t seq)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_ADD_EVENT];
    int code = SQLITE_OK;
    for (size_t index = 0; index < change->n_events && code == SQLITE_OK; index++) {
        const struct ab_event *event = &change->events[index];
        sqlite3_bind_int64(statement, 1, seq);
        sqlite3_bind_int64(statement, 2, (int64_t)event->number);
        sqlite3_bind_int64(statement, 3, event->at);
        bind_text(statement, 4, ab_event_kind_name(event->kind));
        bind_text(statement, 5, event->body_json);
        code = ab_sqlite_run(writer, AB_SQLITE_ADD_EVENT);
    }
    return code == SQLITE_OK ? ab_sqlite_add_deliveries(writer, change, seq) : code;
}

static int add_request(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t seq)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_ADD_REQUEST];
    sqlite3_bind_int64(statement, 1, seq);
    bind_text(statement, 2, change->request.message_json);
    bind_text(statement, 3, change->request.arguments_json);
    bind_text(statement, 4, change->request.input_json);
    bind_text(statement, 5, change->request.options_json);
    bind_text(statement, 6, change->request.webhooks_json);
    return ab_sqlite_run(writer, AB_SQLITE_ADD_REQUEST);
}

/* Whether others may stand in its thread: one that was begun here has the id of its first task. */
static bool joins_thread(const struct ab_task *task)
{
    return strcmp(task->thread_id, task->id) != 0;
}

static int create(struct ab_sqlite_writer *writer, struct ab_change *change)
{
    const struct ab_task *task = &change->task;
    int64_t shelf = 0;
    int code = ab_sqlite_shelf_of(writer, task, true, &shelf);
    if (code != SQLITE_OK) {
        return code;
    }
    bind_task(writer->statements[AB_SQLITE_ADD_TASK], task, shelf);
    bind_text(writer->statements[AB_SQLITE_ADD_TASK], 28, change->request.idempotency_key);
    code = ab_sqlite_run(writer, AB_SQLITE_ADD_TASK);
    if (code != SQLITE_OK) {
        return code;
    }
    if (sqlite3_changes(writer->db) == 0) {
        ab_sqlite_shelf_add(writer, shelf, 0);
        ab_change_end(change, AB_STORE_CONFLICT, NULL);
        return SQLITE_OK;
    }
    int64_t seq = sqlite3_last_insert_rowid(writer->db);
    writer->moved[task->status]++;
    ab_sqlite_shelf_add(writer, shelf, 1);
    code = joins_thread(task) ? ab_sqlite_turn_added(writer, task, seq, shelf) : SQLITE_OK;
    if (code == SQLITE_OK) {
        code = add_request(writer, change, seq);
    }
    return code == SQLITE_OK ? add_events(writer, change, seq) : code;
}

/* Writes the row over; one that has ended, or does so now, finds its shelf. */
static int change_row(struct ab_sqlite_writer *writer, const struct ab_task *task, const struct row *row)
{
    int64_t shelf = 0;
    int code = ab_sqlite_shelf_of(writer, task, row->latest, &shelf);
    if (code != SQLITE_OK) {
        return code;
    }
    enum ab_sqlite_write which = shelf != 0 || row->shelf != 0 ? AB_SQLITE_END_TASK : AB_SQLITE_CHANGE_TASK;
    bind_task(writer->statements[which], task, shelf);
    sqlite3_bind_int64(writer->statements[which], 28, row->seq);
    writer->moved[row->status]--;
    writer->moved[task->status]++;
    ab_sqlite_shelf_add(writer, row->shelf, -1);
    ab_sqlite_shelf_add(writer, shelf, 1);
    return ab_sqlite_run(writer, which);
}

static int update(struct ab_sqlite_writer *writer, struct ab_change *change)
{
    sqlite3_stmt *find = writer->statements[AB_SQLITE_FIND_TASK];
    struct row row;
    bind_text(find, 1, change->task.id);
    sqlite3_bind_int64(find, 2, (int64_t)change->expected_last_event);
    int code = find_row(find, &row);
    if (code != SQLITE_OK) {
        return code;
    }
    if (row.seq == 0) {
        ab_change_end(change, AB_STORE_CONFLICT, NULL);
        return SQLITE_OK;
    }
    code = change_row(writer, &change->task, &row);
    if (code == SQLITE_OK) {
        code = ab_sqlite_change_webhooks(writer, change, row.seq);
    }
    return code == SQLITE_OK ? add_events(writer, change, row.seq) : code;
}

/* --- removing --- */

static int remove_by_seq(struct ab_sqlite_writer *writer, enum ab_sqlite_write which, int64_t seq)
{
    sqlite3_bind_int64(writer->statements[which], 1, seq);
    return ab_sqlite_run(writer, which);
}

static int remove_row(struct ab_sqlite_writer *writer, const struct row *row)
{
    static const enum ab_sqlite_write parts[] = { AB_SQLITE_REMOVE_EVENTS, AB_SQLITE_REMOVE_REQUEST,
                                                  AB_SQLITE_REMOVE_DELIVERIES, AB_SQLITE_REMOVE_TASK };
    int code = row->latest ? ab_sqlite_turn_removed(writer, row->seq) : SQLITE_OK;
    writer->moved[row->status]--;
    ab_sqlite_shelf_add(writer, row->shelf, -1);
    for (size_t index = 0; index < sizeof(parts) / sizeof(*parts) && code == SQLITE_OK; index++) {
        code = remove_by_seq(writer, parts[index], row->seq);
    }
    return code;
}

/* One that its owner wants gone. */
static int remove_one(struct ab_sqlite_writer *writer, struct ab_change *change)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_FIND_ONE_FINISHED];
    struct row row;
    bind_text(statement, 1, change->removed_id);
    int code = find_row(statement, &row);
    if (code != SQLITE_OK) {
        return code;
    }
    if (row.seq == 0) {
        ab_change_end(change, AB_STORE_CONFLICT, NULL);
        return SQLITE_OK;
    }
    return remove_row(writer, &row);
}

static int remove_task(struct ab_sqlite_writer *writer, int64_t seq)
{
    struct row row;
    sqlite3_bind_int64(writer->statements[AB_SQLITE_FIND_ROW], 1, seq);
    int code = find_row(writer->statements[AB_SQLITE_FIND_ROW], &row);
    return code == SQLITE_OK ? remove_row(writer, &row) : code;
}

/* Reads all of them before the first is removed: the index must not change under the statement that walks it. Their
 * rows are read later, because removing one may mark another. */
static int find_finished(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t **found,
                         size_t *n_found)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_FIND_FINISHED];
    size_t capacity = 0;
    sqlite3_bind_int64(statement, 1, change->finished_before);
    sqlite3_bind_int64(statement, 2, change->limit > 0 && change->limit < INT64_MAX ? (int64_t)change->limit : -1);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*n_found == capacity) {
            capacity = capacity > 0 ? capacity * 2 : 64;
            *found = ab_realloc(*found, capacity * sizeof(**found));
        }
        (*found)[(*n_found)++] = sqlite3_column_int64(statement, 0);
    }
    int reset = sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : reset;
}

static int remove_expired(struct ab_sqlite_writer *writer, const struct ab_change *change)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_REMOVE_EXPIRED];
    sqlite3_bind_int64(statement, 1, change->now);
    sqlite3_bind_int64(statement, 2, change->limit > 0 && change->limit < INT64_MAX ? (int64_t)change->limit : -1);
    return ab_sqlite_run(writer, AB_SQLITE_REMOVE_EXPIRED);
}

static int sweep(struct ab_sqlite_writer *writer, const struct ab_change *change)
{
    int64_t *found = NULL;
    size_t n_found = 0;
    int code = find_finished(writer, change, &found, &n_found);
    for (size_t index = 0; index < n_found && code == SQLITE_OK; index++) {
        code = remove_task(writer, found[index]);
    }
    free(found);
    return code == SQLITE_OK ? remove_expired(writer, change) : code;
}

/* --- records --- */

static int put_record(struct ab_sqlite_writer *writer, const struct ab_change *change)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_PUT_RECORD];
    bind_text(statement, 1, change->record_kind);
    bind_text(statement, 2, change->record_id);
    bind_text(statement, 3, change->record_owner);
    sqlite3_bind_int64(statement, 4, change->expires_at);
    sqlite3_bind_blob64(statement, 5, change->record_body, change->record_size, SQLITE_STATIC);
    return ab_sqlite_run(writer, AB_SQLITE_PUT_RECORD);
}

static int remove_record(struct ab_sqlite_writer *writer, const struct ab_change *change)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_REMOVE_RECORD];
    bind_text(statement, 1, change->record_kind);
    bind_text(statement, 2, change->record_id);
    return ab_sqlite_run(writer, AB_SQLITE_REMOVE_RECORD);
}

int ab_sqlite_apply(struct ab_sqlite_writer *writer, struct ab_change *change)
{
    switch (change->kind) {
    case AB_CHANGE_COMMIT:
        return change->creates ? create(writer, change) : update(writer, change);
    case AB_CHANGE_SWEEP:
        return sweep(writer, change);
    case AB_CHANGE_REMOVE:
        return remove_one(writer, change);
    case AB_CHANGE_PUT_RECORD:
        return put_record(writer, change);
    case AB_CHANGE_REMOVE_RECORD:
        return remove_record(writer, change);
    case AB_CHANGE_SETTLE:
        return ab_sqlite_settle(writer, change);
    }
    return SQLITE_MISUSE;
}
