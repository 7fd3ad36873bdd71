/* What the parts of the SQLite store share. Two connections: the writer's belongs to its thread from the moment that
 * runs, the reader's to the loop's thread. Between the threads stand two queues of changes, each under its own lock:
 * what waits to be written, and what has been written and waits to be told. */
#ifndef AB_STORE_SQLITE_INTERNAL_H
#define AB_STORE_SQLITE_INTERNAL_H

#include "base/log.h"
#include "base/metrics.h"
#include "store/change.h"
#include "wire/loop.h"

#include <pthread.h>
#include <sqlite3.h>

/* Columns of a task's row in the order of ab_sqlite_read_task; as parameters they are numbered from 1. */
#define AB_SQLITE_TASK_COLUMNS                                                                                         \
    AB_SQLITE_BRIEF_COLUMNS ", questions_json, result_json, error_json, notes_json, answers_json, abandon_ms"
/* Without the texts that may be large: SQLite reads a row as far as its last column that is named. */
#define AB_SQLITE_BRIEF_COLUMNS                                                                                        \
    "id, thread_id, owner, agent, surface, surface_json, title, status, reason, status_message, progress_value, "      \
    "progress_total, progress_message, created_at, updated_at, finished_at, last_event, turn, attempt, n_artifacts"

enum ab_sqlite_write {
    AB_SQLITE_BEGIN,
    AB_SQLITE_COMMIT,
    AB_SQLITE_ROLLBACK,
    AB_SQLITE_ADD_TASK,
    AB_SQLITE_FIND_TASK,
    AB_SQLITE_CHANGE_TASK, /* one that is open and stays so */
    AB_SQLITE_END_TASK,    /* any */
    AB_SQLITE_ADD_REQUEST,
    AB_SQLITE_ADD_EVENT,
    AB_SQLITE_FIND_SHELF,
    AB_SQLITE_ADD_SHELF,
    AB_SQLITE_COUNT_SHELF,
    AB_SQLITE_REMOVE_EMPTY_SHELF,
    AB_SQLITE_FIND_TURN,
    AB_SQLITE_MARK_TURN,
    AB_SQLITE_FIND_ROW,
    AB_SQLITE_FIND_FINISHED,
    AB_SQLITE_FIND_ONE_FINISHED,
    AB_SQLITE_REMOVE_EVENTS,
    AB_SQLITE_REMOVE_REQUEST,
    AB_SQLITE_REMOVE_TASK,
    AB_SQLITE_REMOVE_EXPIRED,
    AB_SQLITE_PUT_RECORD,
    AB_SQLITE_REMOVE_RECORD,
    AB_SQLITE_ADD_DELIVERY,
    AB_SQLITE_REMOVE_DELIVERIES,
    AB_SQLITE_CHANGE_WEBHOOKS,
    AB_SQLITE_DROP_LANE,
    AB_SQLITE_FIND_DELIVERY,
    AB_SQLITE_DELIVERY_SENT,
    AB_SQLITE_DELIVERY_CHANGED,
    AB_SQLITE_NEXT_OF_LANE,
    AB_SQLITE_WRITE_COUNT
};

/* What has been written and waits to be told on the loop's thread. It outlives the store when the loop still holds a
 * post to it. */
struct ab_sqlite_mailbox {
    pthread_mutex_t mutex;
    struct ab_list written;              /* of struct ab_change */
    size_t groups;                       /* transactions since the last look */
    int64_t moved[AB_TASK_STATUS_COUNT]; /* what those added to the counts */
    bool posted;                         /* the loop will look */
    bool closed;                         /* the store is gone */
    struct ab_sqlite_store *store;
};

/* So many more tasks (or fewer) stand on this shelf. */
struct ab_sqlite_filing {
    int64_t shelf;
    int64_t by;
};

struct ab_sqlite_writer {
    /* the thread's own */
    sqlite3 *db;
    sqlite3_stmt *statements[AB_SQLITE_WRITE_COUNT];
    int64_t moved[AB_TASK_STATUS_COUNT]; /* what the open transaction adds to the counts */
    struct ab_sqlite_filing *filings;    /* and to the shelves of finished tasks */
    size_t n_filings;
    size_t filings_capacity;
    int wal_pages;     /* length of the write-ahead log after the last commit */
    int checkpoint_at; /* when it is as long as this, pages are carried over to the database */
    bool failing;      /* the last transaction was refused */
    int seen_errno;    /* errno after the statement that failed last */
    const char *directory;
    const struct ab_log *log;
    struct ab_clock clock;

    pthread_t thread;
    bool running;

    pthread_mutex_t mutex; /* guards the two below */
    pthread_cond_t wake;
    struct ab_list waiting; /* of struct ab_change */
    bool closing;

    struct ab_sqlite_mailbox *mailbox;
    struct ab_loop *loop; /* only for ab_loop_post */
};

enum ab_sqlite_read {
    AB_SQLITE_SNAPSHOT,
    AB_SQLITE_SNAPSHOT_END,
    AB_SQLITE_ROW,
    AB_SQLITE_BRIEF_ROW,
    AB_SQLITE_GET,
    AB_SQLITE_GET_REQUEST,
    AB_SQLITE_FIND_KEY,
    AB_SQLITE_EVENTS,
    AB_SQLITE_COUNT,
    AB_SQLITE_GET_RECORD,
    AB_SQLITE_RECEIVERS,
    AB_SQLITE_DUE_DELIVERIES,
    AB_SQLITE_DELIVERIES,
    AB_SQLITE_COUNT_DELIVERIES,
    /* sqlite_list.c */
    AB_SQLITE_SHELVES,
    AB_SQLITE_OWNERS_SHELVES,
    AB_SQLITE_OPEN,
    AB_SQLITE_OWNERS_OPEN,
    AB_SQLITE_WITH_PREFIX,
    AB_SQLITE_IN_THREAD,
    AB_SQLITE_IN_OWNERS_THREAD,
    AB_SQLITE_SHELF_BY_CREATION,
    AB_SQLITE_SHELF_BY_CHANGE,
    AB_SQLITE_COUNT_BY_CREATION,
    AB_SQLITE_COUNT_BY_CHANGE,
    AB_SQLITE_READ_COUNT
};

struct ab_sqlite_reader {
    sqlite3 *db;
    sqlite3_stmt *statements[AB_SQLITE_READ_COUNT];
    bool in_use[AB_SQLITE_READ_COUNT]; /* a callback may read again while its own statement stands on a row */
    unsigned snapshots;                /* lists that are under way, one inside the other */
    const char *directory;
    const struct ab_log *log;
};

struct ab_sqlite_store {
    struct ab_store base;
    struct ab_loop *loop;
    const struct ab_log *log;
    char *directory;
    int lock; /* the locked file */
    struct ab_sqlite_reader reader;
    struct ab_sqlite_writer writer;

    uint64_t counts[AB_TASK_STATUS_COUNT]; /* tasks in each status, as far as it was told */
    size_t waiting;                        /* changes handed over and not yet told */
    size_t backlog;                        /* their bytes */
    struct ab_metric *seconds;
    struct ab_metric *changes;
    struct ab_metric *groups;
    struct ab_metric *refused;
    struct ab_metric *queue_changes;
    struct ab_metric *queue_bytes;
};

/* --- sqlite_open.c --- */

/* Makes the directory where missing, takes its lock, opens both connections and brings the schema up to date. AB_OK,
 * or AB_FAULT_SYSTEM after `reason` was filled. Fills store->lock, writer.db and reader.db, as far as it came. */
AB_MUST int ab_sqlite_open(struct ab_sqlite_store *store, char *reason, size_t reason_size);
/* What went wrong last on this connection, and what would help, for a person. It names no path: callers may see it.
 * `seen_errno` is errno as it was right after the call that failed, 0 when unknown: SQLite itself forgets it when a
 * commit fails. The caller frees it. */
AB_MUST char *ab_sqlite_explain(sqlite3 *db, int code, int seen_errno);
/* Prepares a statement that is kept. An SQLite code. */
AB_MUST int ab_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out);

/* --- sqlite_apply.c --- */

/* Prepares the writer's statements. An SQLite code. */
AB_MUST int ab_sqlite_apply_prepare(struct ab_sqlite_writer *writer);
/* Does one change inside the open transaction and sets its outcome to DONE or CONFLICT. Any SQLite code but SQLITE_OK
 * means that the transaction is to be rolled back. */
AB_MUST int ab_sqlite_apply(struct ab_sqlite_writer *writer, struct ab_change *change);
/* Runs a statement that gives no rows and resets it. SQLITE_OK or an error. */
AB_MUST int ab_sqlite_run(struct ab_sqlite_writer *writer, enum ab_sqlite_write which);

/* --- sqlite_shelf.c: tasks that have ended stand on shelves; which turn of a thread is the latest --- */

/* The statement of this file, or NULL when it is another's. */
const char *ab_sqlite_shelf_sql(enum ab_sqlite_write which);
/* Fills the shelf for this task, which is made where there is none; 0 for one that is open. An SQLite code, as all
 * below. */
AB_MUST int ab_sqlite_shelf_of(struct ab_sqlite_writer *writer, const struct ab_task *task, bool latest,
                               int64_t *shelf);
/* So many more stand on this shelf (0: none) when the transaction is written. */
void ab_sqlite_shelf_add(struct ab_sqlite_writer *writer, int64_t shelf, int64_t by);
/* Forgets what the transaction added, or writes it. */
void ab_sqlite_shelves_begin(struct ab_sqlite_writer *writer);
AB_MUST int ab_sqlite_shelves_write(struct ab_sqlite_writer *writer);
/* A task was just added, with this seq and shelf, as the latest turn of a thread that others may have begun: one of
 * them ceases to be the latest, or is later than this one. */
AB_MUST int ab_sqlite_turn_added(struct ab_sqlite_writer *writer, const struct ab_task *task, int64_t seq,
                                 int64_t shelf);
/* The latest turn of a thread is about to be removed: the one before it becomes that. */
AB_MUST int ab_sqlite_turn_removed(struct ab_sqlite_writer *writer, int64_t seq);

/* --- sqlite_write.c --- */

/* Everything but the connection, before it is opened; deinit also closes that. */
void ab_sqlite_writer_init(struct ab_sqlite_writer *writer, struct ab_sqlite_store *store);
/* Starts the thread. AB_OK or AB_FAULT_SYSTEM. The writer's db is open and its statements are prepared. */
AB_MUST int ab_sqlite_writer_start(struct ab_sqlite_writer *writer);
/* Hands a change over; the writer owns it from here on. Loop's thread. */
void ab_sqlite_writer_add(struct ab_sqlite_writer *writer, struct ab_change *change);
/* Writes what waits and ends the thread. Afterwards ab_sqlite_writer_drain writes what is still handed over. */
void ab_sqlite_writer_stop(struct ab_sqlite_writer *writer);
void ab_sqlite_writer_drain(struct ab_sqlite_writer *writer);
/* After stop, with nothing left to be told. Carries the whole log over to the database. */
void ab_sqlite_writer_deinit(struct ab_sqlite_writer *writer);

/* Takes over what was written, in order, adds to the counts what it moved, and says how many transactions that took. */
void ab_sqlite_mailbox_take(struct ab_sqlite_mailbox *mailbox, struct ab_list *out,
                            uint64_t counts[AB_TASK_STATUS_COUNT], size_t *groups);
/* The store is going: the loop is no longer asked to look. */
void ab_sqlite_mailbox_close(struct ab_sqlite_mailbox *mailbox);

/* --- sqlite.c --- */

/* Tells whoever waits for what was written. */
void ab_sqlite_tell(struct ab_sqlite_store *store);

/* --- sqlite_read.c --- */

int ab_sqlite_get(struct ab_store *store, const char *id, struct ab_task *out);
int ab_sqlite_get_request(struct ab_store *store, const char *id, struct ab_task_request *out);
int ab_sqlite_find_key(struct ab_store *store, const char *owner, const char *agent, const char *key,
                       char id[AB_TASK_ID_SIZE]);
int ab_sqlite_events(struct ab_store *store, const char *id, uint64_t after, uint32_t kinds, size_t limit,
                     ab_store_event_fn each, void *arg);
int ab_sqlite_count(struct ab_store *store, uint64_t counts[AB_TASK_STATUS_COUNT]);
int ab_sqlite_get_record(struct ab_store *store, const char *kind, const char *id, ab_store_record_fn each, void *arg);
/* Finalizes the statements and closes the connection. */
void ab_sqlite_reader_close(struct ab_sqlite_reader *reader);

/* Counts the tasks of each status in the database; AB_OK or a fault. */
AB_MUST int ab_sqlite_read_counts(struct ab_sqlite_reader *reader, uint64_t counts[AB_TASK_STATUS_COUNT]);
/* One row by its seq, which the caller then owns; AB_OK, AB_STORE_NONE or a fault. */
AB_MUST int ab_sqlite_read_row(struct ab_sqlite_reader *reader, int64_t seq, bool brief, struct ab_task *out);
/* Between the two every read sees the same; they may stand inside each other. AB_OK or a fault, then there is no end.
 */
AB_MUST int ab_sqlite_snapshot_begin(struct ab_sqlite_reader *reader);
void ab_sqlite_snapshot_end(struct ab_sqlite_reader *reader);

/* A statement for one read, kept under `which`; an SQLite code. Then the end of that read: gives the statement back and
 * says `result`, or what `code`, of the last step, means. */
AB_MUST int ab_sqlite_read_begin(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, const char *sql,
                                 sqlite3_stmt **out);
AB_MUST int ab_sqlite_read_end(struct ab_sqlite_reader *reader, enum ab_sqlite_read which, sqlite3_stmt *statement,
                               int code, int result);

/* --- sqlite_list.c --- */

int ab_sqlite_list(struct ab_store *store, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg);
int ab_sqlite_total(struct ab_store *store, const struct ab_store_filter *filter, uint64_t *total);

/* --- sqlite_outbox.c --- */

/* The outbox's statement, or NULL when it is another's. */
const char *ab_sqlite_outbox_sql(enum ab_sqlite_write which);
/* SQLite codes. */
AB_MUST int ab_sqlite_add_deliveries(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t seq);
AB_MUST int ab_sqlite_change_webhooks(struct ab_sqlite_writer *writer, const struct ab_change *change, int64_t seq);
AB_MUST int ab_sqlite_settle(struct ab_sqlite_writer *writer, struct ab_change *change);

int ab_sqlite_receivers(struct ab_store *store, ab_store_receiver_fn each, void *arg);
int ab_sqlite_due_deliveries(struct ab_store *store, const char *receiver, int64_t due_by, size_t limit,
                             ab_store_delivery_fn each, void *arg);
int ab_sqlite_deliveries(struct ab_store *store, enum ab_delivery_state state, uint64_t after, size_t limit,
                         ab_store_delivery_fn each, void *arg);
int ab_sqlite_count_deliveries(struct ab_store *store, uint64_t counts[AB_DELIVERY_STATE_COUNT]);

#endif
