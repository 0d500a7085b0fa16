/* The engine SQLite: write-ahead log, synchronous=FULL, one connection per thread. */
#include "db/sqlite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    CHECKPOINT_TIMEOUT_MS = 500,
    PROGRESS_OPS = 4000,
    /* Without a checkpoint thread, writers copy the log back from this size on, and wait for
     * readers (so that it can begin anew) from four times this size on. */
    LOG_PAGES_MAX = 16384,
    LOG_PAGES_STEP = 2048,
};

enum accord_error sqlite_error(const struct sqlite_db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ACCORD_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ACCORD_E_DATABASE_BUSY;
    case SQLITE_FULL:
        return ACCORD_E_DATABASE_FULL;
    case SQLITE_NOMEM:
        return ACCORD_E_OUT_OF_MEMORY;
    case SQLITE_INTERRUPT:
        return ACCORD_E_DEADLINE_EXCEEDED;
    case SQLITE_IOERR:
        return code == SQLITE_IOERR_NOMEM ? ACCORD_E_OUT_OF_MEMORY : ACCORD_E_DATABASE_UNAVAILABLE;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
        return ACCORD_E_DATABASE_UNAVAILABLE;
    case SQLITE_READONLY:
        return db->base.mode == DB_READ_ONLY ? ACCORD_E_DATABASE_ERROR
                                             : ACCORD_E_DATABASE_UNAVAILABLE;
    default: /* not an enum: SQLite's codes are macros */
        return ACCORD_E_DATABASE_ERROR;
    }
}

/* Arithmetic beyond int64 shows as an error of SUM(), or as a REAL that a STRICT table refuses. */
static bool is_overflow(int code, const char *message)
{
    return ((code & 0xff) == SQLITE_ERROR && strcmp(message, "integer overflow") == 0) ||
           (code == SQLITE_CONSTRAINT_DATATYPE &&
            strncmp(message, "cannot store REAL value in INTEGER column",
                    sizeof "cannot store REAL value in INTEGER column" - 1) == 0);
}

enum accord_error sqlite_fail(struct sqlite_db *db, int code, const char *text)
{
    const char *message = sqlite3_errmsg(db->handle);
    const enum accord_error error =
        is_overflow(code, message) ? ACCORD_E_OVERFLOW : sqlite_error(db, code);
    db->base.failed = db->base.open;
    return db_fail(&db->base, error, "%s (%d) in: %.120s", message, code, text);
}

static struct sqlite_db *sqlite_of(struct db *db)
{
    return (struct sqlite_db *)db;
}

DB_SQL(sql_begin, "BEGIN");
DB_SQL(sql_begin_immediate, "BEGIN IMMEDIATE");
DB_SQL(sql_commit, "COMMIT");
DB_SQL(sql_rollback, "ROLLBACK");
DB_SQL(sql_savepoint, "SAVEPOINT step");
DB_SQL(sql_release, "RELEASE step");
DB_SQL(sql_rollback_to, "ROLLBACK TO step");
DB_SQL(sql_data_version, "PRAGMA data_version");
DB_SQL(sql_table_exists, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1");

static const struct db_sql *control_sql(const struct db *db, enum db_control control)
{
    switch (control) {
    case DB_CONTROL_BEGIN:
        return db->mode == DB_READ_ONLY ? &sql_begin : &sql_begin_immediate;
    case DB_CONTROL_BEGIN_MIGRATION:
        return &sql_begin_immediate;
    case DB_CONTROL_COMMIT:
        return &sql_commit;
    case DB_CONTROL_ROLLBACK:
        return &sql_rollback;
    case DB_CONTROL_SAVEPOINT:
        return &sql_savepoint;
    case DB_CONTROL_RELEASE:
        return &sql_release;
    case DB_CONTROL_ROLLBACK_TO:
        return &sql_rollback_to;
    }
    return NULL;
}

/*
 * A COMMIT that fails for want of a lock or of room has not written its commit mark. After any
 * other failure (a write or a sync that went wrong) the mark may be on the disk, and a restart may
 * find it there.
 */
static enum accord_error commit_error(const struct sqlite_db *db, int code)
{
    const enum accord_error error = sqlite_error(db, code);
    if (db->base.mode == DB_READ_ONLY || error == ACCORD_E_DATABASE_BUSY ||
        error == ACCORD_E_DATABASE_FULL)
        return error;
    return ACCORD_E_OUTCOME_UNKNOWN;
}

static enum accord_error sqlite_control(struct db *base, enum db_control control)
{
    struct sqlite_db *db = sqlite_of(base);
    const struct db_sql *sql = control_sql(base, control);
    struct sqlite_statement *statement;
    const enum accord_error error = sqlite_statement_get(db, sql, &statement);
    if (error != ACCORD_OK)
        return error;
    db->uninterruptible = true;
    const int code = sqlite3_step(statement->handle);
    db->uninterruptible = false;
    enum accord_error result = ACCORD_OK;
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        result = sqlite_fail(db, code, sql->text);
        if (control == DB_CONTROL_COMMIT)
            result = commit_error(db, code);
    }
    sqlite3_reset(statement->handle);
    return result;
}

static bool sqlite_in_transaction(const struct db *base)
{
    return sqlite3_get_autocommit(((const struct sqlite_db *)base)->handle) == 0;
}

static enum accord_error read_int(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

static enum accord_error sqlite_data_version(struct db *base, int64_t *ret)
{
    int64_t version = 0;
    const enum accord_error error =
        sqlite_run(base, &sql_data_version, NULL, 0, 1, NULL, read_int, &version);
    if (error == ACCORD_OK)
        *ret = version;
    return error;
}

static enum accord_error sqlite_table_exists(struct db *base, const char *table, bool *ret)
{
    int64_t found = 0;
    const struct db_value name = db_str(table);
    const enum accord_error error =
        sqlite_run(base, &sql_table_exists, &name, 1, 1, NULL, read_int, &found);
    if (error == ACCORD_OK)
        *ret = found != 0;
    return error;
}

static enum accord_error sqlite_script(struct db *base, const char *script)
{
    struct sqlite_db *db = sqlite_of(base);
    const int code = sqlite3_exec(db->handle, script, NULL, NULL, NULL);
    return code == SQLITE_OK ? ACCORD_OK : sqlite_fail(db, code, "a script");
}

static enum accord_error sqlite_checkpoint(struct db *base, int64_t restart_bytes,
                                           int64_t *ret_bytes)
{
    struct sqlite_db *db = sqlite_of(base);
    int pages = 0;
    int copied = 0;
    db->uninterruptible = true;
    int code =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (code == SQLITE_OK && pages * db->page_bytes > restart_bytes) {
        sqlite3_busy_timeout(db->handle, CHECKPOINT_TIMEOUT_MS);
        code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, &pages,
                                         &copied);
        sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    }
    db->uninterruptible = false;
    /* Busy: somebody reads or writes just now. The next round will do. */
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        return sqlite_fail(db, code, "a checkpoint");
    *ret_bytes = pages < 0 ? 0 : pages * db->page_bytes;
    return ACCORD_OK;
}

static int on_commit(void *context, sqlite3 *handle, const char *schema, int pages)
{
    struct sqlite_db *db = context;
    if (pages < db->log_pages)
        db->next_checkpoint_pages = LOG_PAGES_MAX;
    db->log_pages = pages;
    if (pages < db->next_checkpoint_pages)
        return SQLITE_OK;
    db->next_checkpoint_pages = pages + LOG_PAGES_STEP;
    const bool wait = pages >= 4 * LOG_PAGES_MAX;
    if (wait)
        sqlite3_busy_timeout(handle, CHECKPOINT_TIMEOUT_MS);
    /* Best effort: the commit stands, whatever comes of this. */
    (void)sqlite3_wal_checkpoint_v2(
        handle, schema, wait ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (wait)
        sqlite3_busy_timeout(handle, BUSY_TIMEOUT_MS);
    return SQLITE_OK;
}

static int on_progress(void *context)
{
    const struct sqlite_db *db = context;
    return db->base.deadline_us != 0 && !db->uninterruptible &&
           clock_monotonic_us() >= db->base.deadline_us;
}

static void sqlite_close(struct db *base)
{
    struct sqlite_db *db = sqlite_of(base);
    sqlite_statements_free(db);
    /* Every statement of this connection is in its cache, so nothing is left behind. */
    (void)sqlite3_close_v2(db->handle);
    free(db);
}

static const struct db_dialect dialect = {
    .name = "sqlite",
    .int64 = "INTEGER",
    .bytes = "BLOB",
    .text = "TEXT",
    .strict = "STRICT",
    .clustered = "STRICT, WITHOUT ROWID",
};

static const struct db_engine engine = {
    .dialect = &dialect,
    .close = sqlite_close,
    .control = sqlite_control,
    .in_transaction = sqlite_in_transaction,
    .data_version = sqlite_data_version,
    .run = sqlite_run,
    .script = sqlite_script,
    .table_exists = sqlite_table_exists,
    .checkpoint = sqlite_checkpoint,
    .is_null = sqlite_is_null,
    .get_int = sqlite_get_int,
    .get_text = sqlite_get_text,
    .get_bytes = sqlite_get_bytes,
};

/* One value of a PRAGMA, as text. */
static int on_pragma(void *context, int count, char **values, char **names)
{
    (void)names;
    char *text = context;
    if (count > 0 && values[0] != NULL)
        snprintf(text, SQLITE_PRAGMA_MAX, "%s", values[0]);
    return 0;
}

static int pragma(sqlite3 *handle, const char *sql, char text[SQLITE_PRAGMA_MAX])
{
    text[0] = '\0';
    return sqlite3_exec(handle, sql, on_pragma, text, NULL);
}

static int configure(struct sqlite_db *db)
{
    sqlite3 *handle = db->handle;
    const bool writes = db->base.mode == DB_READ_WRITE;
    char text[SQLITE_PRAGMA_MAX];
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, BUSY_TIMEOUT_MS);
    sqlite3_progress_handler(handle, PROGRESS_OPS, on_progress, db);
    /* "x" is a name and never a text; the schema of a foreign file runs no functions. */
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int code = pragma(handle, "PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY", text);
    if (code == SQLITE_OK)
        code = pragma(handle, writes ? "PRAGMA cache_size = -65536" : "PRAGMA cache_size = -8192",
                      text);
    if (code == SQLITE_OK && writes) {
        code = pragma(handle, "PRAGMA journal_mode = WAL", text);
        if (code == SQLITE_OK && strcmp(text, "wal") != 0)
            return SQLITE_CANTOPEN;
        if (code == SQLITE_OK)
            code = pragma(handle, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0", text);
        db->next_checkpoint_pages = LOG_PAGES_MAX;
        sqlite3_wal_hook(handle, on_commit, db);
    }
    if (code == SQLITE_OK)
        code = pragma(handle, "PRAGMA page_size", text);
    db->page_bytes = strtoll(text, NULL, 10);
    return code;
}

enum accord_error db_sqlite_open(const char *path, enum db_mode mode, struct db **ret, char *why,
                                 size_t why_size)
{
    if (path[0] == '\0') {
        snprintf(why, why_size, "the path after sqlite: is empty");
        return ACCORD_E_DATABASE_UNSUPPORTED;
    }
    struct sqlite_db *db = calloc(1, sizeof *db);
    /* "./" keeps SQLite from reading a meaning into names like ":memory:" and "file:…". */
    char *file = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);
    enum accord_error error = ACCORD_OK;
    if (db == NULL || file == NULL) {
        snprintf(why, why_size, "out of memory");
        error = ACCORD_E_OUT_OF_MEMORY;
    } else {
        db->base.engine = &engine;
        db->base.mode = mode;
        const int flags = mode == DB_READ_ONLY ? SQLITE_OPEN_READONLY
                                               : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        int code = sqlite3_open_v2(file, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
        if (code == SQLITE_OK)
            code = configure(db);
        if (code != SQLITE_OK) {
            const char *message =
                db->handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db->handle);
            snprintf(why, why_size, "%s: %s", path, message);
            error = sqlite_error(db, code);
        }
    }
    sqlite3_free(file);
    if (error != ACCORD_OK) {
        if (db != NULL)
            sqlite3_close_v2(db->handle);
        free(db);
        return error;
    }
    *ret = &db->base;
    return ACCORD_OK;
}
