/**
 * One small interface over the database engines: prepared statements, rows, batches, transactions.
 *
 * A struct db is one connection and belongs to one thread at a time. Statements are written once,
 * for both engines (ARCHITECTURE.md, "SQL"), as static DB_SQL() objects; a connection prepares each
 * at its first use and keeps it.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "base/hash.h"
#include "base/slice.h"

struct db;
struct db_row;

struct db_sql {
    const char *text;
};

/** Declares a statement. The SQL lint finds these by this macro's name. */
#define DB_SQL(name, sql) static const struct db_sql name = {sql}

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };

/** One parameter. Text and bytes are borrowed until the call returns. */
struct db_value {
    enum db_type type;
    int64_t number;
    struct slice data;
};

static inline struct db_value db_int(int64_t number)
{
    return (struct db_value){.type = DB_INT, .number = number};
}
static inline struct db_value db_text(struct slice text)
{
    return (struct db_value){.type = DB_TEXT, .data = text};
}
static inline struct db_value db_str(const char *text)
{
    return text == NULL ? (struct db_value){.type = DB_NULL}
                        : (struct db_value){.type = DB_TEXT, .data = slice_of(text)};
}
static inline struct db_value db_bytes(const void *data, size_t len)
{
    return (struct db_value){.type = DB_BYTES, .data = {data, len}};
}
static inline struct db_value db_hash(const struct hash *hash)
{
    return db_bytes(hash->bytes, sizeof hash->bytes);
}
static inline struct db_value db_null(void)
{
    return (struct db_value){.type = DB_NULL};
}

enum db_mode { DB_READ_ONLY, DB_READ_WRITE };

/** Opens "sqlite:PATH". Errors: ACCORD_E_DATABASE_UNAVAILABLE, ACCORD_E_DATABASE_UNSUPPORTED. */
enum accord_error db_open(const char *url, enum db_mode mode, struct db **ret);
void db_close(struct db *db);
/** The engine's own words about the last failure on this connection; for logs only. */
const char *db_message(const struct db *db);

enum accord_error db_begin(struct db *db); /* SQLite: BEGIN IMMEDIATE on read-write connections */
enum accord_error db_commit(struct db *db);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);
/** SQLite: PRAGMA data_version; changes when another connection wrote. */
enum accord_error db_data_version(struct db *db, int64_t *ret);

/**
 * Runs one statement for each of `row_count` rows of `columns` parameters ($1 … $columns).
 *
 * @param ret_changes  NULL, or the number of rows changed, summed
 */
enum accord_error db_run(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                         size_t columns, size_t row_count, int64_t *ret_changes);

/** Called once a result row; what it reads from `row` is valid until it returns. Return anything
 *  but ACCORD_OK to stop: db_query returns it. */
typedef enum accord_error db_row_fn(void *context, size_t param_row, const struct db_row *row);

/**
 * Runs one query for each of `row_count` rows of parameters; `param_row` says which one gave a row.
 * With row_count 1 it is an ordinary query.
 */
enum accord_error db_query(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                           size_t columns, size_t row_count, db_row_fn *each, void *context);

bool db_is_null(const struct db_row *row, unsigned column);
int64_t db_get_int(const struct db_row *row, unsigned column);
struct slice db_get_text(const struct db_row *row, unsigned column);
struct slice db_get_bytes(const struct db_row *row, unsigned column);

/** Runs a DDL script with the type tokens replaced; migrations only. */
enum accord_error db_script(struct db *db, const char *script);

/** Engine errors become: ACCORD_E_DATABASE_BUSY (503), _FULL (507), _UNAVAILABLE (503), _ERROR
 *  (500: a bug, or a broken file). */
#endif
