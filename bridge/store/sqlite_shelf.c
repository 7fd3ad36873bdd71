/* The writer's side of lists that do not grow with what has ended (schemas/store/007.sql): each finished task stands on
 * the shelf of those that ended like it, and of each thread one turn is marked as the latest. */
#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <string.h>

#define TURN_COLUMNS                                                                                                   \
    "other.seq, other.owner, other.agent, other.status, other.reason, other.shelf, other.latest, "                     \
    "other.created_at, other.id "

const char *ab_sqlite_shelf_sql(enum ab_sqlite_write which)
{
    static const char *const sql[AB_SQLITE_WRITE_COUNT] = {
        [AB_SQLITE_FIND_SHELF] = "SELECT seq FROM shelf WHERE owner = ?1 AND agent = ?2 AND status = ?3 "
                                 "AND reason = ?4 AND latest = ?5",
        [AB_SQLITE_ADD_SHELF] = "INSERT INTO shelf (owner, agent, status, reason, latest, n) "
                                "VALUES (?1, ?2, ?3, ?4, ?5, 0)",
        [AB_SQLITE_COUNT_SHELF] = "UPDATE shelf SET n = n + ?2 WHERE seq = ?1",
        [AB_SQLITE_REMOVE_EMPTY_SHELF] = "DELETE FROM shelf WHERE seq = ?1 AND n = 0",
        /* The newest turn of the thread of ?1 besides that one itself. A thread that was begun here has the id of its
         * first task, which the index of threads leaves out. */
        [AB_SQLITE_FIND_TURN] =
            "SELECT " TURN_COLUMNS "FROM task AS this CROSS JOIN task AS other INDEXED BY task_of_thread "
            "ON other.thread_id = this.thread_id AND other.thread_id <> other.id AND other.owner = this.owner "
            "WHERE this.seq = ?1 AND other.seq <> ?1 UNION ALL "
            "SELECT " TURN_COLUMNS "FROM task AS this CROSS JOIN task AS other ON other.id = this.thread_id "
            "WHERE this.seq = ?1 AND other.seq <> ?1 AND other.thread_id = other.id AND other.owner = this.owner "
            "ORDER BY 8 DESC, 9 DESC LIMIT 1",
        [AB_SQLITE_MARK_TURN] = "UPDATE task SET latest = ?2, shelf = ?3 WHERE seq = ?1",
    };
    return sql[which];
}

/* --- shelves --- */

static void bind_shelf(sqlite3_stmt *statement, const struct ab_task *task, bool latest)
{
    sqlite3_bind_text(statement, 1, task->owner, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, task->agent, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, ab_task_status_name(task->status), -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, ab_task_reason_name(task->reason), -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 5, latest ? 1 : 0);
}

int ab_sqlite_shelf_of(struct ab_sqlite_writer *writer, const struct ab_task *task, bool latest, int64_t *shelf)
{
    *shelf = 0;
    if (!ab_task_status_is_terminal(task->status)) {
        return SQLITE_OK;
    }
    sqlite3_stmt *find = writer->statements[AB_SQLITE_FIND_SHELF];
    bind_shelf(find, task, latest);
    int code = sqlite3_step(find);
    *shelf = code == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    int reset = sqlite3_reset(find);
    if (code != SQLITE_DONE) {
        return code == SQLITE_ROW ? SQLITE_OK : reset;
    }
    bind_shelf(writer->statements[AB_SQLITE_ADD_SHELF], task, latest);
    code = ab_sqlite_run(writer, AB_SQLITE_ADD_SHELF);
    *shelf = sqlite3_last_insert_rowid(writer->db);
    return code;
}

void ab_sqlite_shelf_add(struct ab_sqlite_writer *writer, int64_t shelf, int64_t by)
{
    if (shelf == 0) {
        return;
    }
    for (size_t index = 0; index < writer->n_filings; index++) {
        if (writer->filings[index].shelf == shelf) {
            writer->filings[index].by += by;
            return;
        }
    }
    if (writer->n_filings == writer->filings_capacity) {
        writer->filings_capacity = writer->filings_capacity * 2 + 16;
        writer->filings = ab_realloc(writer->filings, writer->filings_capacity * sizeof(*writer->filings));
    }
    writer->filings[writer->n_filings++] = (struct ab_sqlite_filing){ .shelf = shelf, .by = by };
}

void ab_sqlite_shelves_begin(struct ab_sqlite_writer *writer)
{
    writer->n_filings = 0;
}

/* One that was emptied goes: owners come and go. */
int ab_sqlite_shelves_write(struct ab_sqlite_writer *writer)
{
    int code = SQLITE_OK;
    for (size_t index = 0; index < writer->n_filings && code == SQLITE_OK; index++) {
        const struct ab_sqlite_filing *filing = &writer->filings[index];
        if (filing->by != 0) {
            sqlite3_bind_int64(writer->statements[AB_SQLITE_COUNT_SHELF], 1, filing->shelf);
            sqlite3_bind_int64(writer->statements[AB_SQLITE_COUNT_SHELF], 2, filing->by);
            code = ab_sqlite_run(writer, AB_SQLITE_COUNT_SHELF);
        }
        if (filing->by <= 0 && code == SQLITE_OK) {
            sqlite3_bind_int64(writer->statements[AB_SQLITE_REMOVE_EMPTY_SHELF], 1, filing->shelf);
            code = ab_sqlite_run(writer, AB_SQLITE_REMOVE_EMPTY_SHELF);
        }
    }
    return code;
}

/* --- turns --- */

struct turn {
    int64_t seq; /* 0: there is none */
    int64_t shelf;
    bool latest;
    struct ab_task task; /* what names its shelf, and its place */
};

static const char *text_at(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text != NULL ? text : "";
}

static int read_turn(sqlite3_stmt *row, struct turn *out)
{
    const char *id = text_at(row, 8);
    if (strlen(id) >= AB_TASK_ID_SIZE || !ab_task_status_parse(text_at(row, 3), &out->task.status) ||
        !ab_task_reason_parse(text_at(row, 4), &out->task.reason)) {
        return SQLITE_CORRUPT;
    }
    memcpy(out->task.id, id, strlen(id) + 1);
    out->seq = sqlite3_column_int64(row, 0);
    out->task.owner = ab_strdup(text_at(row, 1));
    out->task.agent = ab_strdup(text_at(row, 2));
    out->shelf = sqlite3_column_int64(row, 5);
    out->latest = sqlite3_column_int(row, 6) != 0;
    out->task.created_at = sqlite3_column_int64(row, 7);
    return SQLITE_OK;
}

/* The newest turn of the thread besides the task with this seq. */
static int find_turn(struct ab_sqlite_writer *writer, int64_t besides, struct turn *out)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_FIND_TURN];
    *out = (struct turn){ 0 };
    sqlite3_bind_int64(statement, 1, besides);
    int code = sqlite3_step(statement);
    int result = code == SQLITE_ROW ? read_turn(statement, out) : SQLITE_OK;
    int reset = sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? result : reset;
}

/* Marks it, and puts it on the other shelf where it has ended. */
static int mark_turn(struct ab_sqlite_writer *writer, const struct turn *turn, bool latest)
{
    sqlite3_stmt *statement = writer->statements[AB_SQLITE_MARK_TURN];
    int64_t shelf = 0;
    int code = ab_sqlite_shelf_of(writer, &turn->task, latest, &shelf);
    if (code != SQLITE_OK) {
        return code;
    }
    ab_sqlite_shelf_add(writer, turn->shelf, -1);
    ab_sqlite_shelf_add(writer, shelf, 1);
    sqlite3_bind_int64(statement, 1, turn->seq);
    sqlite3_bind_int(statement, 2, latest ? 1 : 0);
    if (shelf != 0) {
        sqlite3_bind_int64(statement, 3, shelf);
    } else {
        sqlite3_bind_null(statement, 3);
    }
    return ab_sqlite_run(writer, AB_SQLITE_MARK_TURN);
}

static bool is_later(const struct ab_task *one, const struct ab_task *other)
{
    return one->created_at != other->created_at ? one->created_at > other->created_at : strcmp(one->id, other->id) > 0;
}

int ab_sqlite_turn_added(struct ab_sqlite_writer *writer, const struct ab_task *task, int64_t seq, int64_t shelf)
{
    struct turn other;
    int code = find_turn(writer, seq, &other);
    if (code == SQLITE_OK && other.seq != 0) {
        if (is_later(&other.task, task)) {
            const struct turn added = { .seq = seq, .shelf = shelf, .latest = true, .task = *task };
            code = mark_turn(writer, &added, false);
        } else if (other.latest) {
            code = mark_turn(writer, &other, false);
        }
    }
    ab_task_deinit(&other.task);
    return code;
}

int ab_sqlite_turn_removed(struct ab_sqlite_writer *writer, int64_t seq)
{
    struct turn other;
    int code = find_turn(writer, seq, &other);
    if (code == SQLITE_OK && other.seq != 0 && !other.latest) {
        code = mark_turn(writer, &other, true);
    }
    ab_task_deinit(&other.task);
    return code;
}
