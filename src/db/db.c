#include "db/db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine.h"

enum accord_error db_fail(struct db *db, enum accord_error error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(db->message, sizeof db->message, format, args);
    va_end(args);
    return error;
}

enum accord_error db_open_explained(const char *url, enum db_mode mode, struct db **ret, char *why,
                                    size_t why_size)
{
    static const char sqlite[] = "sqlite:";
    if (strncmp(url, sqlite, sizeof sqlite - 1) == 0)
        return db_sqlite_open(url + sizeof sqlite - 1, mode, ret, why, why_size);
    /* The address is not repeated: it may hold a password. */
    snprintf(why, why_size, "only addresses of the form sqlite:PATH are supported");
    return ACCORD_E_DATABASE_UNSUPPORTED;
}

enum accord_error db_open(const char *url, enum db_mode mode, struct db **ret)
{
    char why[256];
    return db_open_explained(url, mode, ret, why, sizeof why);
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_rollback(db);
    db->engine->close(db);
}

const char *db_message(const struct db *db)
{
    return db->message;
}

bool db_in_transaction(const struct db *db)
{
    return db->engine->in_transaction(db);
}

/* The transaction that the caller believes in must be there and sound. */
static enum accord_error check_transaction(struct db *db)
{
    if (!db->open)
        return ACCORD_OK;
    if (!db->engine->in_transaction(db))
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "the engine has ended the transaction");
    if (db->failed)
        return db_fail(db, ACCORD_E_DATABASE_ERROR,
                       "an earlier statement of the transaction failed");
    return ACCORD_OK;
}

static enum accord_error begin(struct db *db, enum db_control control)
{
    if (db->open || db->engine->in_transaction(db))
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "a transaction is open already");
    const enum accord_error error = db->engine->control(db, control);
    if (error != ACCORD_OK)
        return error;
    db->open = true;
    db->failed = false;
    db->savepoints = 0;
    return ACCORD_OK;
}

enum accord_error db_begin(struct db *db)
{
    return begin(db, DB_CONTROL_BEGIN);
}

enum accord_error db_begin_migration(struct db *db)
{
    return begin(db, DB_CONTROL_BEGIN_MIGRATION);
}

enum accord_error db_commit(struct db *db)
{
    enum accord_error error =
        db->open ? check_transaction(db) : db_fail(db, ACCORD_E_DATABASE_ERROR, "no transaction");
    if (error == ACCORD_OK)
        error = db->engine->control(db, DB_CONTROL_COMMIT);
    if (error != ACCORD_OK) {
        char message[sizeof db->message];
        memcpy(message, db->message, sizeof message);
        db_rollback(db);
        memcpy(db->message, message, sizeof message);
        return error;
    }
    db->open = false;
    db->savepoints = 0;
    return ACCORD_OK;
}

void db_rollback(struct db *db)
{
    db->open = false;
    db->failed = false;
    db->savepoints = 0;
    if (db->engine->in_transaction(db))
        (void)db->engine->control(db, DB_CONTROL_ROLLBACK);
}

enum accord_error db_savepoint(struct db *db)
{
    if (!db->open)
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "a savepoint needs a transaction");
    enum accord_error error = check_transaction(db);
    if (error == ACCORD_OK)
        error = db->engine->control(db, DB_CONTROL_SAVEPOINT);
    if (error == ACCORD_OK)
        db->savepoints++;
    return error;
}

enum accord_error db_release(struct db *db)
{
    if (!db->open || db->savepoints == 0)
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "no savepoint is open");
    enum accord_error error = check_transaction(db);
    if (error == ACCORD_OK)
        error = db->engine->control(db, DB_CONTROL_RELEASE);
    if (error == ACCORD_OK)
        db->savepoints--;
    return error;
}

enum accord_error db_rollback_to(struct db *db)
{
    if (!db->open || db->savepoints == 0)
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "no savepoint is open");
    if (!db->engine->in_transaction(db))
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "the engine has ended the transaction");
    enum accord_error error = db->engine->control(db, DB_CONTROL_ROLLBACK_TO);
    if (error == ACCORD_OK)
        error = db->engine->control(db, DB_CONTROL_RELEASE);
    if (error != ACCORD_OK)
        return error;
    db->savepoints--;
    db->failed = false;
    return ACCORD_OK;
}

enum accord_error db_data_version(struct db *db, int64_t *ret)
{
    return db->engine->data_version(db, ret);
}

void db_set_deadline(struct db *db, int64_t monotonic_us)
{
    db->deadline_us = monotonic_us;
}

/* NUL would end the text on one engine and be an error on another. */
static bool values_valid(const struct db_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].type == DB_TEXT && values[i].data.len != 0 &&
            memchr(values[i].data.data, '\0', values[i].data.len) != NULL)
            return false;
    }
    return true;
}

static enum accord_error run(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                             size_t columns, size_t row_count, int64_t *ret_changes,
                             db_row_fn *each, void *context)
{
    enum accord_error error = check_transaction(db);
    if (error != ACCORD_OK)
        return error;
    if (rows == NULL && columns != 0)
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "parameters are missing");
    if (!values_valid(rows, columns * row_count))
        return db_fail(db, ACCORD_E_DATABASE_ERROR, "a text parameter holds a NUL byte");
    return db->engine->run(db, sql, rows, columns, row_count, ret_changes, each, context);
}

enum accord_error db_run(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                         size_t columns, size_t row_count, int64_t *ret_changes)
{
    if (db->open || row_count < 2)
        return run(db, sql, rows, columns, row_count, ret_changes, NULL, NULL);
    int64_t changes = 0;
    enum accord_error error = db_begin(db);
    if (error != ACCORD_OK)
        return error;
    error = run(db, sql, rows, columns, row_count, &changes, NULL, NULL);
    if (error != ACCORD_OK) {
        db_rollback(db);
        return error;
    }
    error = db_commit(db);
    if (error == ACCORD_OK && ret_changes != NULL)
        *ret_changes = changes;
    return error;
}

enum accord_error db_query(struct db *db, const struct db_sql *sql, const struct db_value *rows,
                           size_t columns, size_t row_count, db_row_fn *each, void *context)
{
    return run(db, sql, rows, columns, row_count, NULL, each, context);
}

bool db_is_null(const struct db_row *row, unsigned column)
{
    return row->db->engine->is_null(row, column);
}

int64_t db_get_int(const struct db_row *row, unsigned column)
{
    return row->db->engine->get_int(row, column);
}

struct slice db_get_text(const struct db_row *row, unsigned column)
{
    return row->db->engine->get_text(row, column);
}

struct slice db_get_bytes(const struct db_row *row, unsigned column)
{
    return row->db->engine->get_bytes(row, column);
}

enum accord_error db_table_exists(struct db *db, const char *table, bool *ret)
{
    return db->engine->table_exists(db, table, ret);
}

enum accord_error db_checkpoint(struct db *db, int64_t restart_bytes, int64_t *ret_bytes)
{
    return db->engine->checkpoint(db, restart_bytes, ret_bytes);
}

enum accord_error db_script(struct db *db, const char *script)
{
    enum accord_error error = check_transaction(db);
    if (error != ACCORD_OK)
        return error;
    char *expanded = NULL;
    error = db_expand(db->engine->dialect, script, &expanded);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return error;
    if (error != ACCORD_OK)
        return db_fail(db, error, "the script has a token that is not known");
    error = db->engine->script(db, expanded);
    free(expanded);
    return error;
}
