/** A connection of SQLite and its statements; between sqlite.c and sqlite_run.c only. */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include <sqlite3.h>

#include "db/engine.h"

enum { SQLITE_PRAGMA_MAX = 32 };

/** A prepared statement, and where its parameters go. */
struct sqlite_statement {
    const struct db_sql *sql; /**< NULL: a free place of the table */
    sqlite3_stmt *handle;
    uint8_t *columns;      /**< of SQLite's parameter i + 1: which $n - 1 */
    unsigned parameters;   /**< how many SQLite numbers */
    unsigned column_count; /**< the highest $n */
};

struct sqlite_db {
    struct db base;
    sqlite3 *handle;
    struct sqlite_statement *statements; /**< hash table by address of the struct db_sql */
    size_t statement_cap;
    size_t statement_count;
    int64_t page_bytes;
    int log_pages;
    int next_checkpoint_pages;
    bool uninterruptible; /**< COMMIT, ROLLBACK and checkpoints know no deadline */
};

enum accord_error sqlite_error(const struct sqlite_db *db, int code);
/** Keeps SQLite's message, marks an open transaction as failed, returns the error. */
enum accord_error sqlite_fail(struct sqlite_db *db, int code, const char *text);

/** From the cache, or prepared; it is reset. Valid until the next call. */
enum accord_error sqlite_statement_get(struct sqlite_db *db, const struct db_sql *sql,
                                       struct sqlite_statement **ret);
void sqlite_statements_free(struct sqlite_db *db);

enum accord_error sqlite_run(struct db *base, const struct db_sql *sql, const struct db_value *rows,
                             size_t columns, size_t row_count, int64_t *ret_changes,
                             db_row_fn *each, void *context);
bool sqlite_is_null(const struct db_row *row, unsigned column);
int64_t sqlite_get_int(const struct db_row *row, unsigned column);
struct slice sqlite_get_text(const struct db_row *row, unsigned column);
struct slice sqlite_get_bytes(const struct db_row *row, unsigned column);

#endif
