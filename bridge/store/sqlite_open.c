/* Opening the SQLite store: the directory, its lock, the two connections and the schema's migrations. Whatever is in
 * the way is said in words that help. */
#include "base/buf.h"
#include "base/embedded.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const int busy_ms = 5000;

/* --- the directory and its lock --- */

/* Also the missing ones above it. Returns 0 or an errno. */
static int make_directories(const char *directory)
{
    AB_CLEANUP(ab_free_string) char *path = ab_strdup(directory);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return errno;
        }
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return errno;
    }
    return 0;
}

static void say_in_use(int lock, const char *directory, char *reason, size_t reason_size)
{
    char pid[24] = "";
    ssize_t size = pread(lock, pid, sizeof(pid) - 1, 0);
    pid[size > 0 ? size : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    snprintf(reason, reason_size,
             "the data directory %s is in use by another agentbridge%s%s%s: stop that one, or give this one a data "
             "directory of its own",
             directory, pid[0] != '\0' ? " (process " : "", pid, pid[0] != '\0' ? ")" : "");
}

/* Only for the words of say_in_use: without it they are poorer, nothing else. Always of one size, so that it covers
 * what stood there: to cut a file off first costs the file system more than all else that is done here. */
static void write_pid(int lock)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%-20ld\n", (long)getpid());
    bool written = pwrite(lock, text, (size_t)size, 0) == size;
    (void)written;
}

/* A bridge that was killed while it started a program leaves its lock to the child until that has become the program:
 * a moment later the directory is free. False with errno set when it is not free within a second. */
static bool lock_patiently(int fd)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
    for (int tries = 0; tries < 50; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

static int take_lock(struct ab_sqlite_store *store, char *reason, size_t reason_size)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/lock", store->directory);
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock < 0) {
        snprintf(reason, reason_size,
                 "cannot write to the data directory %s: %s: it must be a directory that this "
                 "user may write to",
                 store->directory, strerror(errno));
        return AB_FAULT_SYSTEM;
    }
    if (!lock_patiently(store->lock)) {
        if (errno == EWOULDBLOCK) {
            say_in_use(store->lock, store->directory, reason, reason_size);
        } else {
            snprintf(reason, reason_size, "cannot lock %s: %s", path, strerror(errno));
        }
        return AB_FAULT_SYSTEM;
    }
    write_pid(store->lock);
    return AB_OK;
}

/* 0 or an errno. */
static int sync_directory(const char *directory)
{
    int handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) {
        return errno;
    }
    int result = fsync(handle) == 0 || errno == EINVAL ? 0 : errno;
    close(handle);
    return result;
}

/* Makes the database's file before SQLite does: SQLite gives its other files the mode it finds there. The directory is
 * synced so that a file made now is still named there after a loss of power: before anything is written to it, so one
 * that holds something needs no sync any more. Returns 0 or an errno. */
static int make_file(const char *directory, const char *path)
{
    struct stat status;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return errno;
    }
    int result = fstat(file, &status) == 0 ? 0 : errno;
    close(file);
    return result == 0 && status.st_size == 0 ? sync_directory(directory) : result;
}

/* --- words --- */

static const char *advice(int code, int system_errno)
{
    if (code == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG)) {
        code = SQLITE_FULL;
    }
    switch (code) {
    case SQLITE_FULL:
        return "the disk is full, or a limit on file sizes is reached: make room where the data directory is";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return "the database cannot be written to: the data directory, all files in it and the file system must be "
               "writable for this user";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program holds the database locked: end that one";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "the file is damaged or no database of agentbridge: put a backup in its place, or move it away to start "
               "with an empty one";
    case SQLITE_CANTOPEN:
        return "the database cannot be opened: the data directory and all files in it must be readable and writable "
               "for this user";
    case SQLITE_IOERR:
        return "the disk cannot be read or written";
    case SQLITE_TOOBIG:
        return "what was to be stored is too large";
    default:
        return "the database refused";
    }
}

char *ab_sqlite_explain(sqlite3 *db, int code, int seen_errno)
{
    int primary = code & 0xff;
    bool from_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
    int kept_errno = from_system && db != NULL ? sqlite3_system_errno(db) : 0;
    int system_errno = kept_errno == 0 && from_system ? seen_errno : kept_errno;
    const char *words =
        db != NULL && (sqlite3_errcode(db) & 0xff) == primary ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    return ab_format("%s (SQLite: %s%s%s)", advice(primary, system_errno), words, system_errno != 0 ? ", " : "",
                     system_errno != 0 ? strerror(system_errno) : "");
}

int ab_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

/* --- the schema --- */

/* The first column of the first row. */
static int query_number(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static struct ab_str migration(int64_t version)
{
    char name[32];
    snprintf(name, sizeof(name), "store/%03d.sql", (int)version);
    return ab_embedded(name);
}

static int64_t newest_version(void)
{
    int64_t version = 0;
    while (migration(version + 1).data != NULL) {
        version++;
    }
    return version;
}

/* Up to the newest version, all the steps or none: one commit, and whoever cannot go on leaves what he found. */
static int migrate_from(sqlite3 *db, int64_t version, int64_t newest)
{
    struct ab_buf sql = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_text(&sql, "BEGIN IMMEDIATE;\n");
    while (version < newest) {
        ab_buf_append_str(&sql, migration(++version));
    }
    ab_buf_printf(&sql, "\nPRAGMA user_version = %d;\nCOMMIT;", (int)newest);
    /* After an error the connection is closed, which rolls back; until then it knows the error's words. */
    int code = sqlite3_exec(db, sql.data, NULL, NULL, NULL);
    ab_buf_deinit(&sql);
    return code;
}

static int migrate(sqlite3 *db, const char *path, char *reason, size_t reason_size)
{
    int64_t version = 0;
    int64_t tables = 0;
    int64_t newest = newest_version();
    int code = query_number(db, "PRAGMA user_version", &version);
    if (code == SQLITE_OK) {
        code = query_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (code == SQLITE_OK && version > newest) {
        snprintf(reason, reason_size,
                 "%s was written by a newer agentbridge (schema %lld; this one knows schemas up to %lld): install that "
                 "version or a later one, or give this one a data directory of its own",
                 path, (long long)version, (long long)newest);
        return AB_FAULT_SYSTEM;
    }
    if (code == SQLITE_OK && (version < 0 || (version == 0 && tables > 0))) {
        snprintf(reason, reason_size,
                 "%s is a database of another program: give agentbridge a data directory of its own", path);
        return AB_FAULT_SYSTEM;
    }
    if (code == SQLITE_OK && version < newest) {
        code = migrate_from(db, version, newest);
    }
    if (code != SQLITE_OK) {
        AB_CLEANUP(ab_free_string) char *text = ab_sqlite_explain(db, code, 0);
        snprintf(reason, reason_size, "cannot prepare %s: %s", path, text);
        return AB_FAULT_SYSTEM;
    }
    return AB_OK;
}

/* --- the connections --- */

/* Every commit is on disk when it returns; the log's file shrinks again after a long burst; what was swept does not
 * linger in pages that are written anyway. */
static const char writer_settings[] = "PRAGMA synchronous = FULL;"
                                      "PRAGMA journal_size_limit = 16777216;"
                                      "PRAGMA secure_delete = FAST;"
                                      "PRAGMA temp_store = MEMORY;"
                                      "PRAGMA cache_size = -1000;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA trusted_schema = OFF;";
static const char reader_settings[] = "PRAGMA query_only = ON;"
                                      "PRAGMA temp_store = MEMORY;"
                                      "PRAGMA cache_size = -1000;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA trusted_schema = OFF;";

static int switch_to_wal(sqlite3 *db, bool *is_wal)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        *is_wal = strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
        code = SQLITE_OK;
    }
    int end = sqlite3_finalize(statement);
    return code != SQLITE_OK ? code : end;
}

static int open_writer(sqlite3 **db, const char *path, bool *is_wal)
{
    *is_wal = true;
    int code = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(*db, 1);
        code = sqlite3_busy_timeout(*db, busy_ms);
    }
    if (code == SQLITE_OK && sqlite3_db_readonly(*db, "main") == 1) {
        code = SQLITE_READONLY;
    }
    if (code == SQLITE_OK) {
        code = switch_to_wal(*db, is_wal);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(*db, writer_settings, NULL, NULL, NULL);
    }
    return code;
}

static int open_reader(sqlite3 **db, const char *path)
{
    int code = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(*db, 1);
        code = sqlite3_busy_timeout(*db, busy_ms);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(*db, reader_settings, NULL, NULL, NULL);
    }
    return code;
}

static int say_cannot_open(sqlite3 *db, int code, const char *path, char *reason, size_t reason_size)
{
    AB_CLEANUP(ab_free_string) char *text = ab_sqlite_explain(db, code, 0);
    snprintf(reason, reason_size, "cannot open %s: %s", path, text);
    return AB_FAULT_SYSTEM;
}

static int open_database(struct ab_sqlite_store *store, const char *path, char *reason, size_t reason_size)
{
    bool is_wal = false;
    int code = open_writer(&store->writer.db, path, &is_wal);
    if (code != SQLITE_OK) {
        return say_cannot_open(store->writer.db, code, path, reason, reason_size);
    }
    if (!is_wal) {
        snprintf(reason, reason_size,
                 "%s cannot have a write-ahead log where it is: the data directory must be on a local file system",
                 path);
        return AB_FAULT_SYSTEM;
    }
    int result = migrate(store->writer.db, path, reason, reason_size);
    if (result != AB_OK) {
        return result;
    }
    code = open_reader(&store->reader.db, path);
    return code == SQLITE_OK ? AB_OK : say_cannot_open(store->reader.db, code, path, reason, reason_size);
}

int ab_sqlite_open(struct ab_sqlite_store *store, char *reason, size_t reason_size)
{
    int fault = make_directories(store->directory);
    if (fault != 0) {
        snprintf(reason, reason_size,
                 "cannot make the data directory %s: %s: give a directory that this user may write to",
                 store->directory, strerror(fault));
        return AB_FAULT_SYSTEM;
    }
    int result = take_lock(store, reason, reason_size);
    if (result != AB_OK) {
        return result;
    }
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/agentbridge.db", store->directory);
    fault = make_file(store->directory, path);
    if (fault != 0) {
        snprintf(reason, reason_size, "cannot write %s: %s: it must be a file that this user may write to", path,
                 strerror(fault));
        return AB_FAULT_SYSTEM;
    }
    return open_database(store, path, reason, reason_size);
}
