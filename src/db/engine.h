/**
 * What an engine provides to db.c: primitives only. db.c keeps the state of the transaction and the
 * rules that are the same for all engines, so that a statement that would fail on one of them fails
 * on every one.
 */
#ifndef DB_ENGINE_H
#define DB_ENGINE_H

#include "db/db.h"

enum db_control {
    DB_CONTROL_BEGIN,
    DB_CONTROL_BEGIN_MIGRATION, /**< a transaction that no other migration runs beside */
    DB_CONTROL_COMMIT,
    DB_CONTROL_ROLLBACK,
    DB_CONTROL_SAVEPOINT,
    DB_CONTROL_RELEASE,
    DB_CONTROL_ROLLBACK_TO, /**< back to the latest savepoint; it stays */
};

/** The types of a dialect for the tokens of a migration. */
struct db_dialect {
    const char *name;
    const char *int64;
    const char *bytes;
    const char *text;
    const char *strict;
    const char *clustered;
};

struct db_engine {
    const struct db_dialect *dialect;
    void (*close)(struct db *db);
    enum accord_error (*control)(struct db *db, enum db_control control);
    bool (*in_transaction)(const struct db *db);
    enum accord_error (*data_version)(struct db *db, int64_t *ret);
    /** `each` may be NULL; ret_changes may be NULL. Sets db->failed when the engine refused. */
    enum accord_error (*run)(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                             size_t columns, size_t row_count, int64_t *ret_changes,
                             db_row_fn *each, void *context);
    enum accord_error (*script)(struct db *db, const char *script);
    enum accord_error (*table_exists)(struct db *db, const char *table, bool *ret);
    enum accord_error (*checkpoint)(struct db *db, int64_t restart_bytes, int64_t *ret_bytes);
    bool (*is_null)(const struct db_row *row, unsigned column);
    int64_t (*get_int)(const struct db_row *row, unsigned column);
    struct slice (*get_text)(const struct db_row *row, unsigned column);
    struct slice (*get_bytes)(const struct db_row *row, unsigned column);
};

/** The head of each engine's connection. */
struct db {
    const struct db_engine *engine;
    enum db_mode mode;
    bool open;           /**< db_begin() was called, and neither commit nor rollback since */
    bool failed;         /**< a statement of the open transaction failed */
    unsigned savepoints; /**< how many are open */
    int64_t deadline_us; /**< monotonic; 0: none */
    char message[256];
};

/** The head of each engine's row. */
struct db_row {
    struct db *db;
    enum accord_error *error; /**< where a getter leaves that the value did not fit */
};

/** Sets the message, and returns the error. */
enum accord_error db_fail(struct db *db, enum accord_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** `path` follows "sqlite:". On failure `why` holds the engine's words. */
enum accord_error db_sqlite_open(const char *path, enum db_mode mode, struct db **ret, char *why,
                                 size_t why_size);

/** Begins a transaction that keeps other migrations of this database waiting. */
enum accord_error db_begin_migration(struct db *db);
enum accord_error db_table_exists(struct db *db, const char *table, bool *ret);

/** @strict and the like replaced for a dialect; malloc'ed. ACCORD_E_DATABASE_ERROR: a token that
 *  is not known. */
enum accord_error db_expand(const struct db_dialect *dialect, const char *script, char **ret);

#endif
