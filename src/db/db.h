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

/** Declares a statement, from string literals. The SQL lint finds these by this macro's name. */
#define DB_SQL(name, sql) static const struct db_sql name = {sql}

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };

/** One parameter. Text and bytes are borrowed until the call returns. An empty slice is an empty
 *  text, never NULL; text is UTF-8 without NUL bytes. */
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
    if (text == NULL)
        return (struct db_value){.type = DB_NULL};
    return (struct db_value){.type = DB_TEXT, .data = slice_of(text)};
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

/**
 * Opens "sqlite:PATH". Read-write makes the file (not its folder) when it is missing.
 *
 * Errors: ACCORD_E_DATABASE_UNAVAILABLE, ACCORD_E_DATABASE_UNSUPPORTED, ACCORD_E_DATABASE_BUSY,
 * ACCORD_E_OUT_OF_MEMORY.
 */
enum accord_error db_open(const char *url, enum db_mode mode, struct db **ret);
/** The same; on failure `why` gets the reason in words, for whoever starts the program. */
enum accord_error db_open_explained(const char *url, enum db_mode mode, struct db **ret, char *why,
                                    size_t why_size);
/** Rolls back what is open; NULL is a no-op. */
void db_close(struct db *db);
/**
 * Claims a database for a process that serves it: what such a process keeps in memory is right only
 * if nobody else posts. Tools that write what it reads anew (keys, rates) need no claim. Ends with
 * the process at the latest. SQLite: a lock on a file beside it, PATH-serving.
 *
 * Errors: ACCORD_E_DATABASE_BUSY (another has it), ACCORD_E_DATABASE_UNAVAILABLE (no such folder, or
 * it may not be written), ACCORD_E_OUT_OF_MEMORY.
 */
struct db_claim;
enum accord_error db_claim(const char *url, struct db_claim **ret);
/** NULL is a no-op. */
void db_unclaim(struct db_claim *claim);
/**
 * Copies a whole SQLite database to a new file, as it stands at one instant, while others read and
 * write; the write-ahead log grows meanwhile. The file gets its name once it is complete and on the
 * disk.
 *
 * @param why  on failure: the reason in words
 *
 * Errors: ACCORD_E_DATABASE_UNSUPPORTED (not sqlite:PATH), _UNAVAILABLE (one cannot be read or
 * written, or the target is there already), _FULL, _BUSY, ACCORD_E_OUT_OF_MEMORY.
 */
enum accord_error db_copy(const char *from_url, const char *to_url, char *why, size_t why_size);
/** The engine's own words about the last failure on this connection; for logs only. */
const char *db_message(const struct db *db);

/*
 * Transactions. As on PostgreSQL, a statement that fails spoils its transaction on every engine:
 * until db_rollback() or db_rollback_to() all further ones return ACCORD_E_DATABASE_ERROR, so that
 * nothing half-done is ever committed. Should the engine have ended the transaction by itself (a
 * full disk), they do so too, and nothing runs outside the transaction that its caller believes in.
 */

/** SQLite: BEGIN IMMEDIATE on read-write connections. */
enum accord_error db_begin(struct db *db);
/**
 * After any error the transaction is closed.
 *
 * ACCORD_E_OUTCOME_UNKNOWN: whether it was committed cannot be told. Any other error: it was not.
 */
enum accord_error db_commit(struct db *db);
/** Harmless when nothing is open. */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);
/** Opens a savepoint inside the transaction; they nest. */
enum accord_error db_savepoint(struct db *db);
/** Keeps what was done since the latest savepoint, and forgets it. */
enum accord_error db_release(struct db *db);
/** Undoes what was done since the latest savepoint, forgets it, and heals the transaction; an error
 *  means that the whole transaction is lost. */
enum accord_error db_rollback_to(struct db *db);
/** SQLite: PRAGMA data_version; changes when another connection wrote. */
enum accord_error db_data_version(struct db *db, int64_t *ret);
/** From `monotonic_us` (base/clock.h) on, statements stop with ACCORD_E_DEADLINE_EXCEEDED; 0:
 * never. */
void db_set_deadline(struct db *db, int64_t monotonic_us);

/**
 * Runs one statement for each of `row_count` rows of `columns` parameters ($1 … $columns), all or
 * none: outside a transaction, several rows are given one.
 *
 * @param ret_changes  NULL, or the number of rows changed, summed
 */
enum accord_error db_run(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                         size_t columns, size_t row_count, int64_t *ret_changes);

/** Called once a result row; what it reads from `row` is valid until it returns. Return anything
 *  but ACCORD_OK to stop: db_query returns it. It may run other statements, not the same one. */
typedef enum accord_error db_row_fn(void *context, size_t param_row, const struct db_row *row);

/**
 * Runs one query for each of `row_count` rows of parameters; `param_row` says which one gave a row.
 * With row_count 1 it is an ordinary query. ACCORD_E_OVERFLOW: a number that db_get_int() was asked
 * for does not fit.
 */
enum accord_error db_query(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                           size_t columns, size_t row_count, db_row_fn *each, void *context);

bool db_is_null(const struct db_row *row, unsigned column);
/** 0, or an empty slice, for NULL. Asking for the wrong type makes db_query() return
 *  ACCORD_E_DATABASE_ERROR: engines convert differently, so nothing is converted. */
int64_t db_get_int(const struct db_row *row, unsigned column);
struct slice db_get_text(const struct db_row *row, unsigned column);
struct slice db_get_bytes(const struct db_row *row, unsigned column);

/** Runs a DDL script with the type tokens replaced; migrations only. */
enum accord_error db_script(struct db *db, const char *script);

/**
 * Moves committed pages from SQLite's write-ahead log into the database, without holding up the
 * writer; once the log is larger than `restart_bytes` it is emptied too, for which the writer waits
 * a moment. For a thread and a read-write connection of its own, about once a second; without such
 * a thread writers do it themselves when the log has become very large.
 *
 * @param ret_bytes  size of the log that is left; 0 for engines without one
 */
enum accord_error db_checkpoint(struct db *db, int64_t restart_bytes, int64_t *ret_bytes);

/** Engine errors become: ACCORD_E_DATABASE_BUSY (503), _FULL (507), _UNAVAILABLE (503), _ERROR
 *  (500: a bug, or a broken file), ACCORD_E_OVERFLOW, ACCORD_E_OUT_OF_MEMORY. */
#endif
