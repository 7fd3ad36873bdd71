/* Reads of the SQLite store, on the loop's thread and a connection of its own that cannot write. Each statement is
 * prepared at its first use and kept. */
#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <string.h>

static const char *const read_sql[AB_SQLITE_READ_COUNT] = {
    [AB_SQLITE_SNAPSHOT] = "BEGIN",
    [AB_SQLITE_SNAPSHOT_END] = "COMMIT",
    [AB_SQLITE_ROW] = "SELECT " AB_SQLITE_TASK_COLUMNS " FROM task WHERE seq = ?1",
    [AB_SQLITE_BRIEF_ROW] =
        "SELECT " AB_SQLITE_BRIEF_COLUMNS ", NULL, NULL, NULL, NULL, NULL, 0 FROM task WHERE seq = ?1",
    [AB_SQLITE_GET] = "SELECT " AB_SQLITE_TASK_COLUMNS " FROM task WHERE id = ?1",
    [AB_SQLITE_GET_REQUEST] = "SELECT message_json, arguments_json, input_json, options_json, idempotency_key, "
                              "webhooks_json "
                              "FROM task JOIN request ON request.task = task.seq WHERE id = ?1",
    [AB_SQLITE_FIND_KEY] = "SELECT id FROM task INDEXED BY task_of_key "
                           "WHERE owner = ?1 AND agent = ?2 AND idempotency_key = ?3",
    [AB_SQLITE_EVENTS] = "SELECT number, at, kind, body_json FROM event "
                         "WHERE task = (SELECT seq FROM task WHERE id = ?1) AND number > ?2 ORDER BY number",
    [AB_SQLITE_COUNT] = "SELECT status, sum(n) FROM shelf GROUP BY status UNION ALL "
                        "SELECT status, count(*) FROM task INDEXED BY task_open WHERE shelf IS NULL GROUP BY status",
    [AB_SQLITE_GET_RECORD] = "SELECT kind, id, owner, expires_at, body FROM record WHERE kind = ?1 AND id = ?2 "
                             "AND (expires_at = 0 OR expires_at > ?3)",
};

/* --- statements --- */

static struct ab_sqlite_store *store_of(struct ab_store *store)
{
    return (struct ab_sqlite_store *)(void *)store;
}

static int fault_of(const struct ab_sqlite_reader *reader, int code)
{
    AB_CLEANUP(ab_free_string) char *text = ab_sqlite_explain(reader->db, code, 0);
    ab_log(reader->log, AB_LOG_ERROR, "store", "the store cannot be read", "directory", reader->directory, "why", text,
           NULL);
    int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? AB_FAULT_CORRUPT : AB_FAULT_SYSTEM;
}

/* A statement to be given back with `give_back`: the kept one, or one of its own for a read inside a read. */
static int take(struct ab_sqlite_reader *reader, size_t which, const char *sql, sqlite3_stmt **out)
{
    if (reader->in_use[which]) {
        return sqlite3_prepare_v2(reader->db, sql, -1, out, NULL);
    }
    if (reader->statements[which] == NULL) {
        int code = ab_sqlite_prepare(reader->db, sql, &reader->statements[which]);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    reader->in_use[which] = true;
    *out = reader->statements[which];
    return SQLITE_OK;
}

/* At once after reading: a statement that stands on a row holds up the log. */
static void give_back(struct ab_sqlite_reader *reader, size_t which, sqlite3_stmt *statement)
{
    if (statement == reader->statements[which]) {
        (void)sqlite3_reset(statement);
        reader->in_use[which] = false;
    } else {
        (void)sqlite3_finalize(statement);
    }
}

/* The words of an error are lost with the next call on the connection: they are logged before the statement goes. */
static int end_read(struct ab_sqlite_reader *reader, size_t which, sqlite3_stmt *statement, int code, int result)
{
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        result = fault_of(reader, code);
    } else if (result == AB_FAULT_CORRUPT) {
        ab_log(reader->log, AB_LOG_ERROR, "store", "a stored row is not one of agentbridge's", "directory",
               reader->directory, NULL);
    }
    give_back(reader, which, statement);
    return result;
}

int ab_sqlite_read_begin(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, const char *sql,
                         sqlite3_stmt **out)
{
    return take(reader, which, sql, out);
}

int ab_sqlite_read_end(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, sqlite3_stmt *statement, int code,
                       int result)
{
    if (statement == NULL) {
        return fault_of(reader, code);
    }
    return end_read(reader, which, statement, code, result);
}

static void bind_text(sqlite3_stmt *statement, int number, const char *text)
{
    sqlite3_bind_text(statement, number, text, -1, SQLITE_STATIC);
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

static char *copy_at(sqlite3_stmt *statement, int column)
{
    const char *text = text_at(statement, column);
    return text != NULL ? ab_strndup(text, (size_t)sqlite3_column_bytes(statement, column)) : NULL;
}

static bool number_at(sqlite3_stmt *statement, int column, double *out)
{
    *out = sqlite3_column_double(statement, column);
    return sqlite3_column_type(statement, column) != SQLITE_NULL;
}

/* --- tasks --- */

static bool status_at(sqlite3_stmt *row, enum ab_task_status *out)
{
    const char *name = text_at(row, 7);
    return name != NULL && ab_task_status_parse(name, out);
}

/* A row of AB_SQLITE_TASK_COLUMNS; false when it was not written by us. */
static bool read_task(sqlite3_stmt *row, struct ab_task *out)
{
    const char *id = text_at(row, 0);
    const char *reason = text_at(row, 8);
    *out = (struct ab_task){ 0 };
    if (id == NULL || strlen(id) >= AB_TASK_ID_SIZE || reason == NULL || !status_at(row, &out->status) ||
        !ab_task_reason_parse(reason, &out->reason)) {
        return false;
    }
    memcpy(out->id, id, strlen(id) + 1);
    out->thread_id = copy_at(row, 1);
    out->owner = copy_at(row, 2);
    out->agent = copy_at(row, 3);
    out->surface = copy_at(row, 4);
    out->surface_json = copy_at(row, 5);
    out->title = copy_at(row, 6);
    out->status_message = copy_at(row, 9);
    out->has_progress = number_at(row, 10, &out->progress_value);
    out->has_progress_total = number_at(row, 11, &out->progress_total);
    out->progress_message = copy_at(row, 12);
    out->created_at = sqlite3_column_int64(row, 13);
    out->updated_at = sqlite3_column_int64(row, 14);
    out->finished_at = sqlite3_column_int64(row, 15);
    out->last_event = (uint64_t)sqlite3_column_int64(row, 16);
    out->turn = (uint32_t)sqlite3_column_int64(row, 17);
    out->attempt = (uint32_t)sqlite3_column_int64(row, 18);
    out->n_artifacts = (uint32_t)sqlite3_column_int64(row, 19);
    out->questions_json = copy_at(row, 20);
    out->result_json = copy_at(row, 21);
    out->error_json = copy_at(row, 22);
    out->notes_json = copy_at(row, 23);
    out->answers_json = copy_at(row, 24);
    out->abandon_ms = sqlite3_column_int64(row, 25);
    return true;
}

/* The row that the statement, whose parameters are bound, stands on after its first step. */
static int read_one(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, sqlite3_stmt *statement,
                    struct ab_task *out)
{
    int code = sqlite3_step(statement);
    int result = AB_STORE_NONE;
    if (code == SQLITE_ROW) {
        result = read_task(statement, out) ? AB_OK : AB_FAULT_CORRUPT;
    }
    return end_read(reader, which, statement, code, result);
}

int ab_sqlite_get(struct ab_store *store, const char *id, struct ab_task *out)
{
    struct ab_sqlite_reader *reader = &store_of(store)->reader;
    sqlite3_stmt *statement = NULL;
    int code = take(reader, AB_SQLITE_GET, read_sql[AB_SQLITE_GET], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    bind_text(statement, 1, id);
    return read_one(reader, AB_SQLITE_GET, statement, out);
}

int ab_sqlite_read_row(struct ab_sqlite_reader *reader, int64_t seq, bool brief, struct ab_task *out)
{
    enum ab_sqlite_read which = brief ? AB_SQLITE_BRIEF_ROW : AB_SQLITE_ROW;
    sqlite3_stmt *statement = NULL;
    int code = take(reader, which, read_sql[which], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    sqlite3_bind_int64(statement, 1, seq);
    return read_one(reader, which, statement, out);
}

int ab_sqlite_get_request(struct ab_store *store, const char *id, struct ab_task_request *out)
{
    struct ab_sqlite_reader *reader = &store_of(store)->reader;
    sqlite3_stmt *statement = NULL;
    int code = take(reader, AB_SQLITE_GET_REQUEST, read_sql[AB_SQLITE_GET_REQUEST], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    bind_text(statement, 1, id);
    code = sqlite3_step(statement);
    int result = AB_STORE_NONE;
    if (code == SQLITE_ROW) {
        *out = (struct ab_task_request){ .message_json = copy_at(statement, 0),
                                         .arguments_json = copy_at(statement, 1),
                                         .input_json = copy_at(statement, 2),
                                         .options_json = copy_at(statement, 3),
                                         .idempotency_key = copy_at(statement, 4),
                                         .webhooks_json = copy_at(statement, 5) };
        result = AB_OK;
    }
    return end_read(reader, AB_SQLITE_GET_REQUEST, statement, code, result);
}

int ab_sqlite_find_key(struct ab_store *store, const char *owner, const char *agent, const char *key,
                       char id[AB_TASK_ID_SIZE])
{
    struct ab_sqlite_reader *reader = &store_of(store)->reader;
    sqlite3_stmt *statement = NULL;
    int code = take(reader, AB_SQLITE_FIND_KEY, read_sql[AB_SQLITE_FIND_KEY], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    bind_text(statement, 1, owner);
    bind_text(statement, 2, agent);
    bind_text(statement, 3, key);
    code = sqlite3_step(statement);
    int result = AB_STORE_NONE;
    if (code == SQLITE_ROW) {
        const char *found = text_at(statement, 0);
        result = found != NULL && strlen(found) < AB_TASK_ID_SIZE ? AB_OK : AB_FAULT_CORRUPT;
        if (result == AB_OK) {
            memcpy(id, found, strlen(found) + 1);
        }
    }
    return end_read(reader, AB_SQLITE_FIND_KEY, statement, code, result);
}

/* --- snapshots --- */

static int run(struct ab_sqlite_reader *reader, enum ab_sqlite_read which)
{
    sqlite3_stmt *statement = NULL;
    int code = take(reader, which, read_sql[which], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    code = sqlite3_step(statement);
    return end_read(reader, which, statement, code, AB_OK);
}

int ab_sqlite_snapshot_begin(struct ab_sqlite_reader *reader)
{
    int result = sqlite3_get_autocommit(reader->db) != 0 ? run(reader, AB_SQLITE_SNAPSHOT) : AB_OK;
    reader->snapshots += result == AB_OK ? 1 : 0;
    return result;
}

void ab_sqlite_snapshot_end(struct ab_sqlite_reader *reader)
{
    if (--reader->snapshots == 0) {
        /* Nothing was written; a failure was logged, and the next list ends this snapshot as well. */
        (void)run(reader, AB_SQLITE_SNAPSHOT_END);
    }
}

/* --- events --- */

static int walk_events(sqlite3_stmt *statement, uint32_t kinds, size_t limit, ab_store_event_fn each, void *arg,
                       int *result)
{
    size_t left = limit > 0 ? limit : SIZE_MAX;
    int code = SQLITE_ROW;
    while (left > 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct ab_event event = { .number = (uint64_t)sqlite3_column_int64(statement, 0),
                                  .at = sqlite3_column_int64(statement, 1) };
        const char *kind = text_at(statement, 2);
        if (kind == NULL || !ab_event_kind_parse(kind, &event.kind)) {
            *result = AB_FAULT_CORRUPT;
            break;
        }
        if ((AB_EVENT_BIT(event.kind) & kinds) == 0) {
            continue;
        }
        event.body_json = copy_at(statement, 3);
        left--;
        bool more = each(arg, &event);
        ab_event_deinit(&event);
        if (!more) {
            break;
        }
    }
    return code;
}

int ab_sqlite_events(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                     ab_store_event_fn each, void *arg)
{
    struct ab_sqlite_reader *reader = &store_of(store)->reader;
    sqlite3_stmt *statement = NULL;
    int code = take(reader, AB_SQLITE_EVENTS, read_sql[AB_SQLITE_EVENTS], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    bind_text(statement, 1, id);
    sqlite3_bind_int64(statement, 2, after < INT64_MAX ? (int64_t)after : INT64_MAX);
    int result = AB_OK;
    code = walk_events(statement, kinds, limit, each, arg, &result);
    return end_read(reader, AB_SQLITE_EVENTS, statement, code, result);
}

/* --- counts and records --- */

int ab_sqlite_read_counts(struct ab_sqlite_reader *reader, uint64_t counts[AB_TASK_STATUS_COUNT])
{
    sqlite3_stmt *statement = NULL;
    int code = take(reader, AB_SQLITE_COUNT, read_sql[AB_SQLITE_COUNT], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    memset(counts, 0, AB_TASK_STATUS_COUNT * sizeof(*counts));
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        enum ab_task_status status;
        const char *name = text_at(statement, 0);
        if (name != NULL && ab_task_status_parse(name, &status)) {
            counts[status] += (uint64_t)sqlite3_column_int64(statement, 1);
        }
    }
    return end_read(reader, AB_SQLITE_COUNT, statement, code, AB_OK);
}

int ab_sqlite_count(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT])
{
    memcpy(counts, store_of(store)->counts, sizeof(store_of(store)->counts));
    return AB_OK;
}

int ab_sqlite_get_record(struct ab_store *base, const char *kind, const char *id, ab_store_record_fn each, void *arg)
{
    struct ab_sqlite_store *store = store_of(base);
    struct ab_sqlite_reader *reader = &store->reader;
    sqlite3_stmt *statement = NULL;
    int code = take(reader, AB_SQLITE_GET_RECORD, read_sql[AB_SQLITE_GET_RECORD], &statement);
    if (code != SQLITE_OK) {
        return fault_of(reader, code);
    }
    bind_text(statement, 1, kind);
    bind_text(statement, 2, id);
    sqlite3_bind_int64(statement, 3, ab_clock_wall_ms(&store->loop->clock));
    code = sqlite3_step(statement);
    int result = AB_STORE_NONE;
    if (code == SQLITE_ROW) {
        struct ab_store_record record = { .kind = text_at(statement, 0),
                                          .id = text_at(statement, 1),
                                          .owner = text_at(statement, 2),
                                          .expires_at = sqlite3_column_int64(statement, 3) };
        record.body.data = sqlite3_column_blob(statement, 4);
        record.body.size = (size_t)sqlite3_column_bytes(statement, 4);
        (void)each(arg, &record);
        result = AB_OK;
    }
    return end_read(reader, AB_SQLITE_GET_RECORD, statement, code, result);
}

void ab_sqlite_reader_close(struct ab_sqlite_reader *reader)
{
    for (size_t index = 0; index < AB_SQLITE_READ_COUNT; index++) {
        (void)sqlite3_finalize(reader->statements[index]);
    }
    (void)sqlite3_close(reader->db);
}
