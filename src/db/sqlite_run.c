/* SQLite: the cache of prepared statements, binding by name, rows. */
#include <stdlib.h>

#include "db/sqlite.h"

enum { COLUMNS_MAX = 200, STATEMENTS_MIN = 64 };

static size_t place_of(const struct sqlite_statement *table, size_t cap, const struct db_sql *sql)
{
    /* Addresses differ in the middle bits; the multiplication spreads them. */
    uint64_t hash = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);
    size_t place = (size_t)(hash >> 32) & (cap - 1);
    while (table[place].sql != NULL && table[place].sql != sql)
        place = (place + 1) & (cap - 1);
    return place;
}

static enum accord_error grow(struct sqlite_db *db)
{
    if (db->statement_count * 2 < db->statement_cap)
        return ACCORD_OK;
    const size_t cap = db->statement_cap == 0 ? STATEMENTS_MIN : db->statement_cap * 2;
    struct sqlite_statement *table = calloc(cap, sizeof *table);
    if (table == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < db->statement_cap; i++) {
        if (db->statements[i].sql != NULL)
            table[place_of(table, cap, db->statements[i].sql)] = db->statements[i];
    }
    free(db->statements);
    db->statements = table;
    db->statement_cap = cap;
    return ACCORD_OK;
}

/* "$12" -> 12; 0 for anything else. */
static unsigned placeholder_number(const char *name)
{
    if (name == NULL || name[0] != '$' || name[1] == '0' || name[1] == '\0')
        return 0;
    unsigned number = 0;
    for (const char *at = name + 1; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || number > COLUMNS_MAX)
            return 0;
        number = number * 10 + (unsigned)(*at - '0');
    }
    return number > COLUMNS_MAX ? 0 : number;
}

/* SQLite numbers $2 … $1 by first appearance; the map leads back to what the names say. */
static enum accord_error map_parameters(struct sqlite_db *db, struct sqlite_statement *statement)
{
    const int count = sqlite3_bind_parameter_count(statement->handle);
    statement->columns = calloc((size_t)count + 1, sizeof *statement->columns);
    if (statement->columns == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (int i = 1; i <= count; i++) {
        const unsigned number =
            placeholder_number(sqlite3_bind_parameter_name(statement->handle, i));
        if (number == 0)
            return db_fail(&db->base, ACCORD_E_DATABASE_ERROR, "a placeholder is not $1 … $%d: %s",
                           COLUMNS_MAX, statement->sql->text);
        statement->columns[i - 1] = (uint8_t)(number - 1);
        if (number > statement->column_count)
            statement->column_count = number;
    }
    statement->parameters = (unsigned)count;
    /* A number that is left out would have no type on PostgreSQL. */
    if (statement->column_count != statement->parameters)
        return db_fail(&db->base, ACCORD_E_DATABASE_ERROR, "placeholders leave out a number: %s",
                       statement->sql->text);
    return ACCORD_OK;
}

static void statement_done(struct sqlite_statement *statement)
{
    sqlite3_finalize(statement->handle);
    free(statement->columns);
    *statement = (struct sqlite_statement){0};
}

static enum accord_error prepare(struct sqlite_db *db, const struct db_sql *sql,
                                 struct sqlite_statement *ret)
{
    struct sqlite_statement statement = {.sql = sql};
    const char *rest = "";
    const int code = sqlite3_prepare_v3(db->handle, sql->text, -1, SQLITE_PREPARE_PERSISTENT,
                                        &statement.handle, &rest);
    if (code != SQLITE_OK)
        return sqlite_fail(db, code, sql->text);
    enum accord_error error = ACCORD_OK;
    if (statement.handle == NULL || rest[0] != '\0')
        error =
            db_fail(&db->base, ACCORD_E_DATABASE_ERROR, "not exactly one statement: %s", sql->text);
    if (error == ACCORD_OK)
        error = map_parameters(db, &statement);
    if (error != ACCORD_OK) {
        statement_done(&statement);
        return error;
    }
    *ret = statement;
    return ACCORD_OK;
}

enum accord_error sqlite_statement_get(struct sqlite_db *db, const struct db_sql *sql,
                                       struct sqlite_statement **ret)
{
    enum accord_error error = grow(db);
    if (error != ACCORD_OK)
        return error;
    struct sqlite_statement *place =
        &db->statements[place_of(db->statements, db->statement_cap, sql)];
    if (place->sql == NULL) {
        error = prepare(db, sql, place);
        if (error != ACCORD_OK)
            return error;
        db->statement_count++;
    }
    *ret = place;
    return ACCORD_OK;
}

void sqlite_statements_free(struct sqlite_db *db)
{
    for (size_t i = 0; i < db->statement_cap; i++) {
        if (db->statements[i].sql != NULL)
            statement_done(&db->statements[i]);
    }
    free(db->statements);
    db->statements = NULL;
    db->statement_cap = 0;
    db->statement_count = 0;
}

static int bind_value(sqlite3_stmt *handle, int parameter, const struct db_value *value)
{
    const struct slice data = value->data;
    switch (value->type) {
    case DB_NULL:
        return sqlite3_bind_null(handle, parameter);
    case DB_INT:
        return sqlite3_bind_int64(handle, parameter, value->number);
    case DB_TEXT: /* SQLite takes a NULL pointer for NULL, whatever its length */
        return sqlite3_bind_text64(handle, parameter, data.len == 0 ? "" : data.data, data.len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case DB_BYTES:
        return data.len == 0
                   ? sqlite3_bind_zeroblob(handle, parameter, 0)
                   : sqlite3_bind_blob64(handle, parameter, data.data, data.len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int bind_row(const struct sqlite_statement *statement, const struct db_value *values)
{
    for (unsigned i = 0; i < statement->parameters; i++) {
        const int code = bind_value(statement->handle, (int)i + 1, &values[statement->columns[i]]);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

struct sqlite_row {
    struct db_row base;
    sqlite3_stmt *handle;
};

/* Steps a bound statement to its end. */
static enum accord_error step_all(struct sqlite_db *db, const struct db_sql *sql,
                                  sqlite3_stmt *handle, size_t param_row, db_row_fn *each,
                                  void *context)
{
    enum accord_error value_error = ACCORD_OK;
    struct sqlite_row row = {{&db->base, &value_error}, handle};
    for (;;) {
        const int code = sqlite3_step(handle);
        if (code == SQLITE_DONE)
            return ACCORD_OK;
        if (code != SQLITE_ROW)
            return sqlite_fail(db, code, sql->text);
        if (each == NULL)
            continue;
        const enum accord_error error = each(context, param_row, &row.base);
        if (error != ACCORD_OK)
            return error;
        if (value_error != ACCORD_OK)
            return value_error;
    }
}

enum accord_error sqlite_run(struct db *base, const struct db_sql *sql, const struct db_value *rows,
                             size_t columns, size_t row_count, int64_t *ret_changes,
                             db_row_fn *each, void *context)
{
    struct sqlite_db *db = (struct sqlite_db *)base;
    struct sqlite_statement *place;
    enum accord_error error = sqlite_statement_get(db, sql, &place);
    if (error != ACCORD_OK)
        return error;
    /* A copy: a callback that prepares another statement may move the table. */
    const struct sqlite_statement statement = *place;
    if (columns != statement.column_count)
        return db_fail(base, ACCORD_E_DATABASE_ERROR, "%zu values for %u placeholders: %s", columns,
                       statement.column_count, sql->text);
    if (sqlite3_stmt_busy(statement.handle) != 0)
        return db_fail(base, ACCORD_E_DATABASE_ERROR, "a statement runs inside itself: %s",
                       sql->text);
    const bool reads = sqlite3_stmt_readonly(statement.handle) != 0;
    int64_t changes = 0;
    for (size_t i = 0; i < row_count && error == ACCORD_OK; i++) {
        const int code = columns == 0 ? SQLITE_OK : bind_row(&statement, rows + i * columns);
        error = code != SQLITE_OK ? sqlite_fail(db, code, sql->text)
                                  : step_all(db, sql, statement.handle, i, each, context);
        sqlite3_reset(statement.handle);
        if (error == ACCORD_OK && !reads)
            changes += sqlite3_changes64(db->handle);
    }
    /* Borrowed text and bytes end with this call. */
    sqlite3_clear_bindings(statement.handle);
    if (error == ACCORD_OK && ret_changes != NULL)
        *ret_changes = changes;
    return error;
}

static sqlite3_stmt *handle_of(const struct db_row *row)
{
    return ((const struct sqlite_row *)row)->handle;
}

bool sqlite_is_null(const struct db_row *row, unsigned column)
{
    return sqlite3_column_type(handle_of(row), (int)column) == SQLITE_NULL;
}

/* True: the value has this type. A NULL reads as nothing; anything else is an error. */
static bool has_type(const struct db_row *row, unsigned column, int wanted)
{
    const int type = sqlite3_column_type(handle_of(row), (int)column);
    if (type == wanted)
        return true;
    const bool outside = column >= (unsigned)sqlite3_data_count(handle_of(row));
    if (type != SQLITE_NULL || outside) {
        /* Integer arithmetic that overflows gives a REAL. */
        *row->error = wanted == SQLITE_INTEGER && type == SQLITE_FLOAT ? ACCORD_E_OVERFLOW
                                                                       : ACCORD_E_DATABASE_ERROR;
        (void)db_fail(row->db, *row->error, "column %u is not of the type asked for: %.120s",
                      column, sqlite3_sql(handle_of(row)));
    }
    return false;
}

int64_t sqlite_get_int(const struct db_row *row, unsigned column)
{
    return has_type(row, column, SQLITE_INTEGER) ? sqlite3_column_int64(handle_of(row), (int)column)
                                                 : 0;
}

struct slice sqlite_get_text(const struct db_row *row, unsigned column)
{
    if (!has_type(row, column, SQLITE_TEXT))
        return (struct slice){"", 0};
    const char *text = (const char *)sqlite3_column_text(handle_of(row), (int)column);
    if (text == NULL) {
        *row->error = ACCORD_E_OUT_OF_MEMORY;
        return (struct slice){"", 0};
    }
    return (struct slice){text, (size_t)sqlite3_column_bytes(handle_of(row), (int)column)};
}

struct slice sqlite_get_bytes(const struct db_row *row, unsigned column)
{
    if (!has_type(row, column, SQLITE_BLOB))
        return (struct slice){"", 0};
    const char *bytes = sqlite3_column_blob(handle_of(row), (int)column);
    if (bytes == NULL)
        return (struct slice){"", 0};
    return (struct slice){bytes, (size_t)sqlite3_column_bytes(handle_of(row), (int)column)};
}
