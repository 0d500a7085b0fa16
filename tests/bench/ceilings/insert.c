/*
 * The least that rows cost in SQLite: a loop that inserts those of one database into another.
 *
 *   insert FEEDS.sql SOURCE TARGET NUMBER...
 *
 * FEEDS.sql says which: statements that begin with CREATE prepare SOURCE, with ?1 = AFTER and ?2 =
 * PER_COMMIT; then come pairs, an INSERT or UPDATE into TARGET and the SELECT from SOURCE whose
 * rows it takes. The first column of a SELECT is the commit that the row belongs to, in ascending
 * order; the others are bound. All rows are in memory before the clock runs. TARGET is durable as
 * Accord's books are, and its log is emptied once a second, as theirs is. Prints commits, rows,
 * seconds.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEEDS_MAX = 32, CHECKPOINT_S = 1 };

struct feed {
    sqlite3_stmt *insert;
    int columns;
    size_t count;
    size_t next;
    int64_t *commits;       /* of each row */
    sqlite3_value **values; /* columns of each row */
};

struct work {
    sqlite3 *source;
    sqlite3 *target;
    struct feed feeds[FEEDS_MAX];
    size_t count;
};

static void fail(sqlite3 *db, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(db, sql);
}

static sqlite3 *open_database(const char *path)
{
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        fail(db, path);
    return db;
}

static char *text_of(const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = fopen(path, "rb");
    FILE *copy = open_memstream(&text, &len);
    if (file == NULL || copy == NULL) {
        perror(path);
        exit(1);
    }
    for (int c = getc(file); c != EOF; c = getc(file))
        putc(c, copy);
    fclose(file);
    fclose(copy);
    return text;
}

/* Behind blanks and comments. */
static const char *statement_at(const char *text)
{
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (strncmp(text, "--", 2) != 0)
            return text;
        text += strcspn(text, "\n");
    }
}

static sqlite3_stmt *prepare(sqlite3 *db, const char **text)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, *text, -1, &statement, text) != SQLITE_OK)
        fail(db, *text);
    return statement;
}

static void grow(struct feed *feed, size_t *room)
{
    if (feed->count < *room)
        return;
    *room = *room == 0 ? 1024 : 2 * *room;
    feed->commits = realloc(feed->commits, *room * sizeof *feed->commits);
    feed->values = realloc(feed->values, *room * (size_t)feed->columns * sizeof(sqlite3_value *));
    if (feed->commits == NULL || feed->values == NULL)
        exit(1);
}

static void take_rows(struct work *work, struct feed *feed, sqlite3_stmt *select)
{
    size_t room = 0;
    feed->columns = sqlite3_column_count(select) - 1;
    while (sqlite3_step(select) == SQLITE_ROW) {
        grow(feed, &room);
        feed->commits[feed->count] = sqlite3_column_int64(select, 0);
        for (int i = 0; i < feed->columns; i++)
            feed->values[feed->count * (size_t)feed->columns + (size_t)i] =
                sqlite3_value_dup(sqlite3_column_value(select, i + 1));
        feed->count++;
    }
    if (sqlite3_finalize(select) != SQLITE_OK)
        fail(work->source, "reading");
}

static void take_feeds(struct work *work, const char *text, int count, char *const *numbers)
{
    for (text = statement_at(text); *text != '\0'; text = statement_at(text)) {
        if (strncmp(text, "CREATE", 6) == 0) {
            sqlite3_stmt *create = prepare(work->source, &text);
            if (sqlite3_bind_parameter_count(create) > count) {
                fprintf(stderr, "a number is missing\n");
                exit(1);
            }
            for (int i = 1; i <= sqlite3_bind_parameter_count(create); i++)
                sqlite3_bind_int64(create, i, strtoll(numbers[i - 1], NULL, 10));
            sqlite3_step(create);
            if (sqlite3_finalize(create) != SQLITE_OK)
                fail(work->source, "preparing");
            continue;
        }
        if (work->count == FEEDS_MAX)
            exit(1);
        struct feed *feed = &work->feeds[work->count++];
        feed->insert = prepare(work->target, &text);
        text = statement_at(text);
        take_rows(work, feed, prepare(work->source, &text));
    }
}

/* The rows of the next commit, in the order of the feeds; 0: there are none left. */
static size_t insert_commit(struct work *work)
{
    int64_t commit = INT64_MAX;
    size_t rows = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct feed *feed = &work->feeds[i];
        if (feed->next < feed->count && feed->commits[feed->next] < commit)
            commit = feed->commits[feed->next];
    }
    for (size_t i = 0; i < work->count; i++) {
        struct feed *feed = &work->feeds[i];
        for (; feed->next < feed->count && feed->commits[feed->next] == commit; feed->next++) {
            sqlite3_value **values = feed->values + feed->next * (size_t)feed->columns;
            for (int j = 0; j < feed->columns; j++)
                sqlite3_bind_value(feed->insert, j + 1, values[j]);
            if (sqlite3_step(feed->insert) != SQLITE_DONE)
                fail(work->target, "inserting");
            sqlite3_reset(feed->insert);
            rows++;
        }
    }
    return rows;
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct work work = {.source = open_database(argv[2]), .target = open_database(argv[3])};
    run(work.target, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -65536");
    take_feeds(&work, text_of(argv[1]), argc - 4, argv + 4);
    size_t commits = 0;
    size_t rows = 0;
    const double began = now();
    double emptied = began;
    for (;;) {
        run(work.target, "BEGIN IMMEDIATE");
        const size_t more = insert_commit(&work);
        run(work.target, "COMMIT");
        if (more == 0)
            break;
        rows += more;
        commits++;
        if (now() - emptied >= CHECKPOINT_S) {
            sqlite3_wal_checkpoint_v2(work.target, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
            emptied = now();
        }
    }
    printf("{\"commits\":%zu,\"rows\":%zu,\"seconds\":%.6f}\n", commits, rows, now() - began);
    return 0;
}
