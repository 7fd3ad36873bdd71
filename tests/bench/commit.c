/* What durable commits cost without a bridge:
 *   commit DIRECTORY SECONDS GROUP
 * Writes rows of the size of a small task and of its first event to an SQLite database (write-ahead log, synchronous
 * as the store has it), GROUP tasks in each transaction. Prints tasks a second and the time of a transaction as JSON.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TIMES 1000000

static sqlite3 *db;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run(const char *sql)
{
    char *error = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", sql, error != NULL ? error : "?");
    exit(1);
}

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
    return statement;
}

static void insert(sqlite3_stmt *statement, const char *id, const char *text)
{
    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) != SQLITE_DONE) {
        (void)fprintf(stderr, "%s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_reset(statement);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static void open_database(const char *directory)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/bare.db", directory);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE IF NOT EXISTS task (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL)");
    run("CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, task TEXT NOT NULL, text TEXT NOT NULL)");
}

int main(int argc, char **argv)
{
    double *times = calloc(MAX_TIMES, sizeof *times);
    double end = now() + (argc == 4 ? strtod(argv[2], NULL) : 0);
    unsigned long group = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    char task[700];
    char event[100];
    char id[48];
    size_t n = 0;
    double begin;

    if (times == NULL || group == 0)
        return 2;
    memset(task, 't', sizeof task);
    memset(event, 'e', sizeof event);
    task[sizeof task - 1] = event[sizeof event - 1] = '\0';
    open_database(argv[1]);
    sqlite3_stmt *add_task = prepare("INSERT INTO task (id, text) VALUES (?, ?)");
    sqlite3_stmt *add_event = prepare("INSERT INTO event (task, text) VALUES (?, ?)");
    begin = now();
    while (now() < end && n < MAX_TIMES) {
        double start = now();
        run("BEGIN IMMEDIATE");
        for (unsigned long i = 0; i < group; i++) {
            snprintf(id, sizeof id, "%08lx%08lx-%.0f", (unsigned long)random(), (unsigned long)random(), begin * 1e6);
            insert(add_task, id, task);
            insert(add_event, id, event);
        }
        run("COMMIT");
        times[n++] = now() - start;
    }
    end = now();
    qsort(times, n, sizeof *times, compare);
    printf("{\"tasks_per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", (double)(n * group) / (end - begin),
           times[n / 2] * 1e6, times[n * 99 / 100] * 1e6);
    sqlite3_finalize(add_task);
    sqlite3_finalize(add_event);
    sqlite3_close(db);
    free(times);
    return 0;
}
