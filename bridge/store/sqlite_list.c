/* Lists of the SQLite store. What has ended stands on shelves (schemas/store/007.sql), each of them in order: a list is
 * the merge of those that fit the filter and of what is open, which is read whole. So it costs what is told, whatever
 * the number of finished tasks.
 *
 * Each of them is a run of keys, read some at a time; only what is told is read as a row. */
#include "base/mem.h"
#include "store/sqlite_internal.h"

#include <string.h>

/* So many keys of a run are read at a time. */
static const size_t chunk_max = 64;
/* Of all owners together there may be many shelves: then fewer of each. */
static const size_t many_shelves = 64;
static const size_t small_chunk = 4;

/* Parameters: ?1 an owner or a shelf, ?2 a thread or the beginning of an id, ?3 and ?4 the place before which to read,
 * ?5 the earliest time, ?6 how many. */
#define KEY "SELECT seq, id, created_at, updated_at, owner, agent, status, reason, latest FROM task "
#define CREATED_BETWEEN "(created_at, id) < (?3, ?4) AND created_at >= ?5 "
#define CHANGED_BETWEEN "(updated_at, id) < (?3, ?4) AND updated_at >= ?5 "
#define NEWEST "ORDER BY created_at DESC, id DESC LIMIT ?6"
/* Most threads have one task, with the thread's id, which the index of threads leaves out. */
#define THREAD(and_owner)                                                                                              \
    KEY "INDEXED BY task_of_thread WHERE thread_id = ?2 AND thread_id <> id" and_owner " AND " CREATED_BETWEEN         \
        "UNION ALL " KEY "WHERE id = ?2 AND thread_id = id" and_owner " AND " CREATED_BETWEEN NEWEST

static const char *sql_of(enum ab_sqlite_read which)
{
    static const char *const sql[AB_SQLITE_READ_COUNT] = {
        [AB_SQLITE_SHELVES] = "SELECT seq, agent, status, reason, latest, n FROM shelf",
        [AB_SQLITE_OWNERS_SHELVES] = "SELECT seq, agent, status, reason, latest, n FROM shelf WHERE owner = ?1",
        [AB_SQLITE_OPEN] = KEY "INDEXED BY task_open WHERE shelf IS NULL",
        [AB_SQLITE_OWNERS_OPEN] = KEY "INDEXED BY task_open WHERE shelf IS NULL AND owner = ?1",
        /* Ids are hexadecimal digits: "g" stands behind all of them. */
        [AB_SQLITE_WITH_PREFIX] = KEY "WHERE id >= ?2 AND id < ?2 || 'g'",
        [AB_SQLITE_IN_THREAD] = THREAD(""),
        [AB_SQLITE_IN_OWNERS_THREAD] = THREAD(" AND owner = ?1"),
        [AB_SQLITE_SHELF_BY_CREATION] = "SELECT seq, id, created_at FROM task INDEXED BY task_created "
                                        "WHERE shelf = ?1 AND " CREATED_BETWEEN NEWEST,
        [AB_SQLITE_SHELF_BY_CHANGE] =
            "SELECT seq, id, updated_at FROM task INDEXED BY task_changed "
            "WHERE shelf = ?1 AND " CHANGED_BETWEEN "ORDER BY updated_at DESC, id DESC LIMIT ?6",
        [AB_SQLITE_COUNT_BY_CREATION] = "SELECT count(*) FROM task INDEXED BY task_created "
                                        "WHERE shelf = ?1 AND " CREATED_BETWEEN,
        [AB_SQLITE_COUNT_BY_CHANGE] = "SELECT count(*) FROM task INDEXED BY task_changed "
                                      "WHERE shelf = ?1 AND " CHANGED_BETWEEN,
    };
    return sql[which];
}

/* --- what a list is made of --- */

/* A task's place in the order. */
struct place {
    int64_t at;
    char id[AB_TASK_ID_SIZE];
};

struct key {
    struct place place;
    int64_t seq;
};

struct run {
    enum ab_sqlite_read which;
    int64_t shelf;     /* or 0: rows are looked at one by one */
    size_t chunk;      /* so many are read at a time; 0: all at once, and sorted here */
    bool ended;        /* there is no more to read */
    struct place last; /* of the last one that was read */
    struct key *keys;
    size_t n;
    size_t capacity;
    size_t next; /* the first that was not taken yet */
};

struct list {
    struct ab_sqlite_reader *reader;
    const struct ab_store_filter *filter;
    struct place from; /* before which to begin */
    struct run *runs;
    size_t n_runs;
    size_t capacity;
    uint64_t on_shelves; /* how many stand on those that fit */
};

static int compare_places(const struct place *one, const struct place *other)
{
    if (one->at != other->at) {
        return one->at > other->at ? 1 : -1;
    }
    return strcmp(one->id, other->id);
}

static int newest_first(const void *left, const void *right)
{
    return compare_places(&((const struct key *)right)->place, &((const struct key *)left)->place);
}

static void set_id(struct place *place, const char *id)
{
    size_t size = strnlen(id, sizeof(place->id) - 1);
    memcpy(place->id, id, size);
    place->id[size] = '\0';
}

static void list_init(struct list *list, struct ab_sqlite_reader *reader, const struct ab_store_filter *filter,
                      bool continues)
{
    *list = (struct list){ .reader = reader, .filter = filter, .from = { .at = INT64_MAX } };
    if (filter->to_at != 0 && filter->to_at < INT64_MAX) {
        list->from.at = filter->to_at + 1;
    }
    struct place before = { .at = filter->before_at };
    set_id(&before, filter->before_id != NULL ? filter->before_id : "");
    if (continues && filter->before_at != 0 && compare_places(&before, &list->from) < 0) {
        list->from = before;
    }
}

/* What is not on a shelf may have to be read on past what does not fit. */
static size_t chunk_for(const struct ab_store_filter *filter, bool on_shelf)
{
    bool all_fit =
        on_shelf || (filter->agent == NULL && filter->statuses == 0 && filter->reasons == 0 && !filter->latest);
    bool few = filter->limit > 0 && filter->limit <= chunk_max && filter->skip <= chunk_max - filter->limit;
    return all_fit && few ? filter->skip + filter->limit : chunk_max;
}

static void list_deinit(struct list *list)
{
    for (size_t index = 0; index < list->n_runs; index++) {
        free(list->runs[index].keys);
    }
    free(list->runs);
}

/* `chunk` as the run's. */
static void add_run(struct list *list, enum ab_sqlite_read which, int64_t shelf, size_t chunk)
{
    if (list->n_runs == list->capacity) {
        list->capacity = list->capacity * 2 + 8;
        list->runs = ab_realloc(list->runs, list->capacity * sizeof(*list->runs));
    }
    list->runs[list->n_runs++] = (struct run){ .which = which, .shelf = shelf, .chunk = chunk, .last = list->from };
}

/* --- what fits --- */

static bool is_or_any(const char *wanted, const char *found)
{
    return wanted == NULL || strcmp(wanted, found) == 0;
}

static const char *text_at(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text != NULL ? text : "";
}

/* Columns of a row or of a shelf: its agent, status, reason, and whether they are latest turns. */
static bool fits_from(const struct ab_store_filter *filter, sqlite3_stmt *row, int column)
{
    enum ab_task_status status;
    enum ab_task_reason reason;
    return is_or_any(filter->agent, text_at(row, column)) && ab_task_status_parse(text_at(row, column + 1), &status) &&
           ab_task_reason_parse(text_at(row, column + 2), &reason) &&
           (filter->statuses == 0 || (filter->statuses & (1u << (unsigned)status)) != 0) &&
           (filter->reasons == 0 || (filter->reasons & (1u << (unsigned)reason)) != 0) &&
           (!filter->latest || sqlite3_column_int(row, column + 3) != 0);
}

static bool fits(const struct list *list, sqlite3_stmt *row, const struct place *place)
{
    const struct ab_store_filter *filter = list->filter;
    return compare_places(place, &list->from) < 0 && place->at >= filter->from_at &&
           is_or_any(filter->owner, text_at(row, 4)) && fits_from(filter, row, 5);
}

/* --- reading a run --- */

/* As many parameters as the statement has; a run that is read whole has its bounds looked at here. */
static void bind(sqlite3_stmt *statement, const struct list *list, const struct run *run)
{
    const struct ab_store_filter *filter = list->filter;
    int count = sqlite3_bind_parameter_count(statement);
    if (count >= 1 && run->shelf != 0) {
        sqlite3_bind_int64(statement, 1, run->shelf);
    } else if (count >= 1) {
        sqlite3_bind_text(statement, 1, filter->owner, -1, SQLITE_STATIC);
    }
    if (count >= 2) {
        const char *text = filter->id_prefix != NULL ? filter->id_prefix : filter->thread_id;
        sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
    }
    if (count >= 5) {
        bool whole = run->chunk == 0;
        sqlite3_bind_int64(statement, 3, whole ? INT64_MAX : run->last.at);
        sqlite3_bind_text(statement, 4, whole ? "" : run->last.id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 5, whole ? INT64_MIN : filter->from_at);
    }
    if (count >= 6) {
        sqlite3_bind_int64(statement, 6, run->chunk > 0 ? (int64_t)run->chunk : -1);
    }
}

static void take_key(const struct list *list, struct run *run, sqlite3_stmt *row, struct place *last)
{
    bool by_change = run->shelf == 0 && list->filter->order == AB_STORE_BY_CHANGE;
    struct key key = { .seq = sqlite3_column_int64(row, 0) };
    key.place.at = sqlite3_column_int64(row, by_change ? 3 : 2);
    set_id(&key.place, text_at(row, 1));
    *last = key.place;
    if (run->shelf == 0 && !fits(list, row, &key.place)) {
        return;
    }
    if (run->n == run->capacity) {
        run->capacity = run->capacity > 0 ? run->capacity * 2 : 8;
        run->keys = ab_realloc(run->keys, run->capacity * sizeof(*run->keys));
    }
    run->keys[run->n++] = key;
}

/* Reads on from where the run stands. AB_OK or a fault. */
static int read_on(const struct list *list, struct run *run)
{
    sqlite3_stmt *statement = NULL;
    struct place last = run->last;
    size_t n_rows = 0;
    int code = ab_sqlite_read_begin(list->reader, run->which, sql_of(run->which), &statement);
    run->n = 0;
    run->next = 0;
    if (code == SQLITE_OK) {
        bind(statement, list, run);
        for (; (code = sqlite3_step(statement)) == SQLITE_ROW; n_rows++) {
            take_key(list, run, statement, &last);
        }
    }
    int result = ab_sqlite_read_end(list->reader, run->which, statement, code, AB_OK);
    run->last = last;
    run->ended = run->chunk == 0 || n_rows < run->chunk;
    if (run->chunk == 0 && run->n > 1) {
        qsort(run->keys, run->n, sizeof(*run->keys), newest_first);
    }
    return result;
}

/* The run with the newest key among those that are left, NULL at the end. AB_OK or a fault. */
static int newest_run(const struct list *list, struct run **out)
{
    *out = NULL;
    for (size_t index = 0; index < list->n_runs; index++) {
        struct run *run = &list->runs[index];
        while (run->next == run->n && !run->ended) {
            int result = read_on(list, run);
            if (result != AB_OK) {
                return result;
            }
        }
        if (run->next < run->n &&
            (*out == NULL || compare_places(&run->keys[run->next].place, &(*out)->keys[(*out)->next].place) > 0)) {
            *out = run;
        }
    }
    return AB_OK;
}

/* --- finding the runs --- */

/* Those that fit, with how many they hold. AB_OK or a fault. */
static int add_shelves(struct list *list)
{
    const struct ab_store_filter *filter = list->filter;
    bool by_change = filter->order == AB_STORE_BY_CHANGE;
    enum ab_sqlite_read which = filter->owner != NULL ? AB_SQLITE_OWNERS_SHELVES : AB_SQLITE_SHELVES;
    sqlite3_stmt *statement = NULL;
    int code = ab_sqlite_read_begin(list->reader, which, sql_of(which), &statement);
    if (code == SQLITE_OK) {
        if (filter->owner != NULL) {
            sqlite3_bind_text(statement, 1, filter->owner, -1, SQLITE_STATIC);
        }
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            if (fits_from(filter, statement, 1)) {
                list->on_shelves += (uint64_t)sqlite3_column_int64(statement, 5);
                add_run(list, by_change ? AB_SQLITE_SHELF_BY_CHANGE : AB_SQLITE_SHELF_BY_CREATION,
                        sqlite3_column_int64(statement, 0), chunk_for(filter, true));
            }
        }
    }
    return ab_sqlite_read_end(list->reader, which, statement, code, AB_OK);
}

static bool wants(const struct ab_store_filter *filter, bool ended)
{
    for (unsigned status = 0; status < AB_TASK_STATUS_COUNT; status++) {
        if ((filter->statuses == 0 || (filter->statuses & (1u << status)) != 0) &&
            ab_task_status_is_terminal((enum ab_task_status)status) == ended) {
            return true;
        }
    }
    return false;
}

static void add_open(struct list *list)
{
    if (wants(list->filter, false)) {
        add_run(list, list->filter->owner != NULL ? AB_SQLITE_OWNERS_OPEN : AB_SQLITE_OPEN, 0, 0);
    }
}

/* What fits in one thread, or with one beginning; false when it is neither. */
static bool add_narrow(struct list *list)
{
    const struct ab_store_filter *filter = list->filter;
    if (filter->id_prefix != NULL) {
        add_run(list, AB_SQLITE_WITH_PREFIX, 0, 0);
    } else if (filter->thread_id != NULL) {
        add_run(list, filter->owner != NULL ? AB_SQLITE_IN_OWNERS_THREAD : AB_SQLITE_IN_THREAD, 0,
                filter->order == AB_STORE_BY_CHANGE ? 0 : chunk_for(filter, false));
    }
    return list->n_runs > 0;
}

/* AB_OK or a fault. */
static int find_runs(struct list *list)
{
    if (add_narrow(list)) {
        return AB_OK;
    }
    int result = wants(list->filter, true) ? add_shelves(list) : AB_OK;
    for (size_t index = 0; list->n_runs > many_shelves && index < list->n_runs; index++) {
        list->runs[index].chunk = list->runs[index].chunk < small_chunk ? list->runs[index].chunk : small_chunk;
    }
    add_open(list);
    return result;
}

/* --- telling --- */

/* AB_OK or a fault; `more` when the next one is wanted. */
static int tell_row(const struct list *list, int64_t seq, ab_store_task_fn each, void *arg, bool *more)
{
    struct ab_task task;
    int result = ab_sqlite_read_row(list->reader, seq, list->filter->brief, &task);
    if (result == AB_OK) {
        *more = each(arg, &task);
        ab_task_deinit(&task);
    }
    return result == AB_STORE_NONE ? AB_FAULT_CORRUPT : result; /* an index names a row that is not there */
}

static int tell(const struct list *list, ab_store_task_fn each, void *arg)
{
    size_t skip = list->filter->skip;
    size_t left = list->filter->limit > 0 ? list->filter->limit : SIZE_MAX;
    bool more = true;
    while (more && left > 0) {
        struct run *run;
        int result = newest_run(list, &run);
        if (result != AB_OK || run == NULL) {
            return result;
        }
        int64_t seq = run->keys[run->next++].seq;
        if (skip > 0) {
            skip--;
            continue;
        }
        left--;
        result = tell_row(list, seq, each, arg, &more);
        if (result != AB_OK) {
            return result;
        }
    }
    return AB_OK;
}

static struct ab_sqlite_reader *reader_of(struct ab_store *store)
{
    return &((struct ab_sqlite_store *)(void *)store)->reader;
}

int ab_sqlite_list(struct ab_store *store, const struct ab_store_filter *filter, ab_store_task_fn each, void *arg)
{
    struct ab_sqlite_reader *reader = reader_of(store);
    struct list list;
    int result = ab_sqlite_snapshot_begin(reader);
    if (result != AB_OK) {
        return result;
    }
    list_init(&list, reader, filter, true);
    result = find_runs(&list);
    if (result == AB_OK) {
        result = tell(&list, each, arg);
    }
    list_deinit(&list);
    ab_sqlite_snapshot_end(reader);
    return result;
}

/* --- totals --- */

/* How many of the shelf lie between the list's times. AB_OK or a fault. */
static int count_shelf(const struct list *list, const struct run *run, uint64_t *total)
{
    enum ab_sqlite_read which =
        run->which == AB_SQLITE_SHELF_BY_CHANGE ? AB_SQLITE_COUNT_BY_CHANGE : AB_SQLITE_COUNT_BY_CREATION;
    sqlite3_stmt *statement = NULL;
    int code = ab_sqlite_read_begin(list->reader, which, sql_of(which), &statement);
    if (code == SQLITE_OK) {
        bind(statement, list, run);
        code = sqlite3_step(statement);
        *total += code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    }
    return ab_sqlite_read_end(list->reader, which, statement, code, AB_OK);
}

static int count_keys(const struct list *list, struct run *run, uint64_t *total)
{
    int result = AB_OK;
    while (!run->ended && result == AB_OK) {
        result = read_on(list, run);
        *total += run->n;
    }
    return result;
}

static int count(struct list *list, uint64_t *total)
{
    bool whole_shelves = list->filter->from_at == 0 && list->filter->to_at == 0;
    int result = find_runs(list);
    *total = whole_shelves ? list->on_shelves : 0;
    for (size_t index = 0; index < list->n_runs && result == AB_OK; index++) {
        struct run *run = &list->runs[index];
        if (run->shelf == 0) {
            result = count_keys(list, run, total);
        } else if (!whole_shelves) {
            result = count_shelf(list, run, total);
        }
    }
    return result;
}

int ab_sqlite_total(struct ab_store *store, const struct ab_store_filter *filter, uint64_t *total)
{
    struct ab_sqlite_reader *reader = reader_of(store);
    struct list list;
    int result = ab_sqlite_snapshot_begin(reader);
    if (result != AB_OK) {
        return result;
    }
    list_init(&list, reader, filter, false);
    result = count(&list, total);
    list_deinit(&list);
    ab_sqlite_snapshot_end(reader);
    return result;
}
