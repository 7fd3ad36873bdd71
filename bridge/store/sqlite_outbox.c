/* The outbox in SQLite: rows are added by the commit that they tell of and settled one by one. */
#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <string.h>

#define DELIVERY_COLUMNS                                                                                               \
    "delivery.seq, task.id, lane, event, kind, receiver, target_json, state, delivery.created_at, started_at, "        \
    "next_at, attempts, last_error"

static const char *const read_sql[AB_SQLITE_READ_COUNT] = {
    /* From one receiver to the next in the index, whatever lies between. */
    [AB_SQLITE_RECEIVERS] =
        "WITH RECURSIVE found (receiver) AS (SELECT min(receiver) FROM delivery WHERE state = 'due' UNION ALL "
        "SELECT (SELECT min(receiver) FROM delivery WHERE state = 'due' AND receiver > found.receiver) "
        "FROM found WHERE found.receiver IS NOT NULL) "
        "SELECT receiver, (SELECT min(next_at) FROM delivery WHERE state = 'due' AND receiver = found.receiver) "
        "FROM found WHERE receiver IS NOT NULL",
    [AB_SQLITE_DUE_DELIVERIES] = "SELECT " DELIVERY_COLUMNS " FROM delivery JOIN task ON task.seq = delivery.task "
                                 "WHERE state = 'due' AND receiver = ?1 AND next_at <= ?2 "
                                 "ORDER BY next_at, delivery.seq LIMIT ?3",
    [AB_SQLITE_DELIVERIES] = "SELECT " DELIVERY_COLUMNS " FROM delivery JOIN task ON task.seq = delivery.task "
                             "WHERE state = ?1 AND delivery.seq > ?2 ORDER BY delivery.seq LIMIT ?3",
    [AB_SQLITE_COUNT_DELIVERIES] = "SELECT state, count(*) FROM delivery GROUP BY state",
};

const char *ab_sqlite_outbox_sql(enum ab_sqlite_write which)
{
    static const char *const sql[AB_SQLITE_WRITE_COUNT] = {
        [AB_SQLITE_ADD_DELIVERY] =
            "INSERT INTO delivery (task, lane, event, kind, receiver, target_json, created_at, started_at, next_at, "
            "attempts, last_error, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
            "CASE WHEN EXISTS (SELECT 1 FROM delivery WHERE task = ?1 AND lane = ?2 AND state = 'due') "
            "THEN 'queued' ELSE 'due' END)",
        [AB_SQLITE_REMOVE_DELIVERIES] = "DELETE FROM delivery WHERE task = ?1",
        [AB_SQLITE_CHANGE_WEBHOOKS] = "UPDATE request SET webhooks_json = ?2 WHERE task = ?1",
        [AB_SQLITE_DROP_LANE] = "DELETE FROM delivery WHERE task = ?1 AND lane = ?2",
        [AB_SQLITE_FIND_DELIVERY] = "SELECT task, lane, state FROM delivery WHERE seq = ?1",
        [AB_SQLITE_DELIVERY_SENT] = "DELETE FROM delivery WHERE seq = ?1",
        [AB_SQLITE_DELIVERY_CHANGED] =
            "UPDATE delivery SET state = ?2, next_at = ?3, attempts = CASE WHEN ?5 THEN 0 ELSE attempts + 1 END, "
            "started_at = CASE WHEN ?5 THEN ?3 ELSE started_at END, "
            "last_error = CASE WHEN ?5 THEN last_error ELSE ?4 END WHERE seq = ?1",
        [AB_SQLITE_NEXT_OF_LANE] =
            "UPDATE delivery SET state = 'due', next_at = ?3, started_at = ?3 WHERE seq = (SELECT min(seq) "
            "FROM delivery WHERE task = ?1 AND lane = ?2 AND state = 'queued') "
            "AND NOT EXISTS (SELECT 1 FROM delivery WHERE task = ?1 AND lane = ?2 AND state = 'due')",
    };
    return sql[which];
}

static void bind_text(sqlite3_stmt *statement, int number, const char *text)
{
    sqlite3_bind_text(statement, number, text, -1, SQLITE_STATIC);
}

int ab_sqlite_add_deliveries(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t seq)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_ADD_DELIVERY];
    int code = SQLITE_OK;
    for (size_t index = 0; index < change->n_deliveries && code == SQLITE_OK; index++) {
        const struct ab_delivery *delivery = &change->deliveries[index];
        sqlite3_bind_int64(statement, 1, seq);
        sqlite3_bind_int64(statement, 2, delivery->lane);
        sqlite3_bind_int64(statement, 3, (int64_t)delivery->event);
        bind_text(statement, 4, delivery->kind);
        bind_text(statement, 5, delivery->receiver);
        bind_text(statement, 6, delivery->target_json);
        sqlite3_bind_int64(statement, 7, delivery->created_at);
        sqlite3_bind_int64(statement, 8, delivery->started_at);
        sqlite3_bind_int64(statement, 9, delivery->next_at);
        sqlite3_bind_int64(statement, 10, delivery->attempts);
        bind_text(statement, 11, delivery->last_error);
        code = ab_sqlite_run(writer, AB_SQLITE_ADD_DELIVERY);
    }
    return code;
}

int ab_sqlite_change_webhooks(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t seq)
{
    int code = SQLITE_OK;
    if (change->webhooks_json != NULL) {
        sqlite3_bind_int64(writer->statements[AB_SQLITE_CHANGE_WEBHOOKS], 1, seq);
        bind_text(writer->statements[AB_SQLITE_CHANGE_WEBHOOKS], 2, change->webhooks_json);
        code = ab_sqlite_run(writer, AB_SQLITE_CHANGE_WEBHOOKS);
    }
    for (size_t index = 0; index < change->n_dropped_lanes && code == SQLITE_OK; index++) {
        sqlite3_bind_int64(writer->statements[AB_SQLITE_DROP_LANE], 1, seq);
        sqlite3_bind_int64(writer->statements[AB_SQLITE_DROP_LANE], 2, change->dropped_lanes[index]);
        code = ab_sqlite_run(writer, AB_SQLITE_DROP_LANE);
    }
    return code;
}

/* --- settling --- */

struct found {
    bool there;
    int64_t task;
    int64_t lane;
    enum ab_delivery_state state;
};

static int find_delivery(struct ab_sqlite_writer *writer, uint64_t id, struct found *found)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_FIND_DELIVERY];
    *found = (struct found){ 0 };
    sqlite3_bind_int64(statement, 1, (int64_t)id);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *state = (const char *)sqlite3_column_text(statement, 2);
        found->task = sqlite3_column_int64(statement, 0);
        found->lane = sqlite3_column_int64(statement, 1);
        found->there = state != NULL && ab_delivery_state_parse(state, &found->state);
    }
    int reset = sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : reset;
}

static int next_of_lane(struct ab_sqlite_writer *writer, const struct found *found, int64_t at)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_NEXT_OF_LANE];
    sqlite3_bind_int64(statement, 1, found->task);
    sqlite3_bind_int64(statement, 2, found->lane);
    sqlite3_bind_int64(statement, 3, at);
    return ab_sqlite_run(writer, AB_SQLITE_NEXT_OF_LANE);
}

static int change_delivery(struct ab_sqlite_writer *writer, const struct ab_settlement *settlement)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_DELIVERY_CHANGED];
    bool dead = settlement->kind == AB_SETTLE_DEAD;
    sqlite3_bind_int64(statement, 1, (int64_t)settlement->delivery);
    bind_text(statement, 2, ab_delivery_state_name(dead ? AB_DELIVERY_DEAD : AB_DELIVERY_DUE));
    sqlite3_bind_int64(statement, 3, settlement->at);
    bind_text(statement, 4, settlement->error);
    sqlite3_bind_int(statement, 5, settlement->kind == AB_SETTLE_RESEND ? 1 : 0);
    return ab_sqlite_run(writer, AB_SQLITE_DELIVERY_CHANGED);
}

int ab_sqlite_settle(struct ab_sqlite_writer *writer, struct ab_change *change)
{
    const struct ab_settlement *settlement = &change->settlement;
    struct found found;
    int code = find_delivery(writer, settlement->delivery, &found);
    if (code != SQLITE_OK) {
        return code;
    }
    if (!found.there || found.state == AB_DELIVERY_QUEUED ||
        (found.state == AB_DELIVERY_DEAD && settlement->kind != AB_SETTLE_RESEND)) {
        ab_change_end(change, AB_STORE_CONFLICT, NULL);
        return SQLITE_OK;
    }
    if (settlement->kind == AB_SETTLE_SENT) {
        sqlite3_bind_int64(writer->statements[AB_SQLITE_DELIVERY_SENT], 1, (int64_t)settlement->delivery);
        code = ab_sqlite_run(writer, AB_SQLITE_DELIVERY_SENT);
    } else {
        code = change_delivery(writer, settlement);
    }
    bool over = settlement->kind == AB_SETTLE_SENT || settlement->kind == AB_SETTLE_DEAD;
    return code == SQLITE_OK && over ? next_of_lane(writer, &found, settlement->at) : code;
}

/* --- reads --- */

static struct ab_sqlite_reader *reader_of(struct ab_store *store)
{
    return &((struct ab_sqlite_store *)(void *)store)->reader;
}

static int begin(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, sqlite3_stmt **statement)
{
    *statement = NULL;
    return ab_sqlite_read_begin(reader, which, read_sql[which], statement);
}

int ab_sqlite_receivers(struct ab_store *store, ab_store_receiver_fn each, void *arg)
{
    struct ab_sqlite_reader *reader = reader_of(store);
    sqlite3_stmt *statement;
    int code = begin(reader, AB_SQLITE_RECEIVERS, &statement);
    while (statement != NULL && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!each(arg, (const char *)sqlite3_column_text(statement, 0), sqlite3_column_int64(statement, 1))) {
            break;
        }
    }
    return ab_sqlite_read_end(reader, AB_SQLITE_RECEIVERS, statement, code, AB_OK);
}

static char *text_at(sqlite3_stmt *row, int column)
{
    return ab_strdup((const char *)sqlite3_column_text(row, column));
}

/* A row of DELIVERY_COLUMNS; false when it was not written by us. */
static bool read_delivery(sqlite3_stmt *row, struct ab_delivery *out)
{
    const char *task = (const char *)sqlite3_column_text(row, 1);
    const char *state = (const char *)sqlite3_column_text(row, 7);
    *out = (struct ab_delivery){ .id = (uint64_t)sqlite3_column_int64(row, 0) };
    if (task == NULL || strlen(task) >= sizeof(out->task) || state == NULL ||
        !ab_delivery_state_parse(state, &out->state)) {
        return false;
    }
    memcpy(out->task, task, strlen(task) + 1);
    out->lane = (uint32_t)sqlite3_column_int64(row, 2);
    out->event = (uint64_t)sqlite3_column_int64(row, 3);
    out->kind = text_at(row, 4);
    out->receiver = text_at(row, 5);
    out->target_json = text_at(row, 6);
    out->created_at = sqlite3_column_int64(row, 8);
    out->started_at = sqlite3_column_int64(row, 9);
    out->next_at = sqlite3_column_int64(row, 10);
    out->attempts = (uint32_t)sqlite3_column_int64(row, 11);
    out->last_error = text_at(row, 12);
    return true;
}

static int walk(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, sqlite3_stmt *statement,
                ab_store_delivery_fn each, void *arg)
{
    int result = AB_OK;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct ab_delivery delivery;
        bool more = read_delivery(statement, &delivery);
        if (!more) {
            result = AB_FAULT_CORRUPT;
        } else {
            more = each(arg, &delivery);
            ab_delivery_deinit(&delivery);
        }
        if (!more) {
            break;
        }
    }
    return ab_sqlite_read_end(reader, which, statement, code, result);
}

static int64_t limit_of(size_t limit)
{
    return limit > 0 && limit < INT64_MAX ? (int64_t)limit : -1;
}

int ab_sqlite_due_deliveries(struct ab_store *store, const char *receiver, int64_t due_by, size_t limit,
                             ab_store_delivery_fn each, void *arg)
{
    struct ab_sqlite_reader *reader = reader_of(store);
    sqlite3_stmt *statement;
    int code = begin(reader, AB_SQLITE_DUE_DELIVERIES, &statement);
    if (statement == NULL) {
        return ab_sqlite_read_end(reader, AB_SQLITE_DUE_DELIVERIES, NULL, code, AB_OK);
    }
    bind_text(statement, 1, receiver);
    sqlite3_bind_int64(statement, 2, due_by);
    sqlite3_bind_int64(statement, 3, limit_of(limit));
    return walk(reader, AB_SQLITE_DUE_DELIVERIES, statement, each, arg);
}

int ab_sqlite_deliveries(struct ab_store *store, enum ab_delivery_state state, uint64_t after, size_t limit,
                         ab_store_delivery_fn each, void *arg)
{
    struct ab_sqlite_reader *reader = reader_of(store);
    sqlite3_stmt *statement;
    int code = begin(reader, AB_SQLITE_DELIVERIES, &statement);
    if (statement == NULL) {
        return ab_sqlite_read_end(reader, AB_SQLITE_DELIVERIES, NULL, code, AB_OK);
    }
    bind_text(statement, 1, ab_delivery_state_name(state));
    sqlite3_bind_int64(statement, 2, after < INT64_MAX ? (int64_t)after : INT64_MAX);
    sqlite3_bind_int64(statement, 3, limit_of(limit));
    return walk(reader, AB_SQLITE_DELIVERIES, statement, each, arg);
}

int ab_sqlite_count_deliveries(struct ab_store *store, uint64_t counts[AB_DELIVERY_STATE_COUNT])
{
    struct ab_sqlite_reader *reader = reader_of(store);
    sqlite3_stmt *statement;
    int code = begin(reader, AB_SQLITE_COUNT_DELIVERIES, &statement);
    memset(counts, 0, AB_DELIVERY_STATE_COUNT * sizeof(*counts));
    while (statement != NULL && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        enum ab_delivery_state state;
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (name != NULL && ab_delivery_state_parse(name, &state)) {
            counts[state] = (uint64_t)sqlite3_column_int64(statement, 1);
        }
    }
    return ab_sqlite_read_end(reader, AB_SQLITE_COUNT_DELIVERIES, statement, code, AB_OK);
}
