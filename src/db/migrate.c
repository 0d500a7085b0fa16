#include "db/migrate.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "db/engine.h"

static const char table_script[] = "CREATE TABLE schema_migration ("
                                   " version @int64 NOT NULL PRIMARY KEY,"
                                   " name @text NOT NULL,"
                                   " checksum @bytes NOT NULL,"
                                   " applied_at @int64 NOT NULL"
                                   ") @strict";

DB_SQL(sql_applied, "SELECT version, name, checksum FROM schema_migration ORDER BY version");
DB_SQL(sql_version, "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM schema_migration");
DB_SQL(sql_record, "INSERT INTO schema_migration (version, name, checksum, applied_at)"
                   " VALUES ($1, $2, $3, $4)");

struct applied {
    const struct db_migration *list;
    size_t count;
    size_t done;
    char *why;
};

/* The n-th row of the table must be the n-th migration of the program. */
static enum accord_error check_applied(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct applied *applied = context;
    const int64_t version = db_get_int(row, 0);
    const struct slice name = db_get_text(row, 1);
    const struct slice checksum = db_get_bytes(row, 2);
    if (applied->done == applied->count) {
        snprintf(applied->why, DB_WHY_MAX,
                 "the database has migration %" PRId64
                 " (%.*s), which this program does not know: it was made by a newer version",
                 version, (int)name.len, name.data);
        return ACCORD_E_DATABASE_UNSUPPORTED;
    }
    const struct db_migration *migration = &applied->list[applied->done];
    const struct hash hash = hash_of(slice_of(migration->script));
    const struct slice expected = {(const char *)hash.bytes, sizeof hash.bytes};
    if (version != migration->version || !slice_equal(checksum, expected)) {
        snprintf(applied->why, DB_WHY_MAX,
                 "migration %" PRId64 " (%.*s) of the database is not the one of this program"
                 " (%" PRId64 ", %s): its checksum differs",
                 version, (int)name.len, name.data, migration->version, migration->name);
        return ACCORD_E_DATABASE_UNSUPPORTED;
    }
    applied->done++;
    return ACCORD_OK;
}

static enum accord_error apply(struct db *db, const struct db_migration *migration,
                               char why[DB_WHY_MAX])
{
    enum accord_error error = db_script(db, migration->script);
    if (error == ACCORD_OK) {
        const struct hash hash = hash_of(slice_of(migration->script));
        const struct db_value row[] = {db_int(migration->version), db_str(migration->name),
                                       db_hash(&hash), db_int(clock_now_us())};
        error = db_run(db, &sql_record, row, 4, 1, NULL);
    }
    if (error != ACCORD_OK)
        snprintf(why, DB_WHY_MAX, "migration %" PRId64 " (%s): %s", migration->version,
                 migration->name, db_message(db));
    return error;
}

/* Inside the transaction that other migrations wait for. */
static enum accord_error migrate(struct db *db, struct applied *applied, size_t *ret_ran)
{
    bool exists = false;
    enum accord_error error = db_table_exists(db, "schema_migration", &exists);
    if (error == ACCORD_OK && !exists)
        error = db_script(db, table_script);
    if (error == ACCORD_OK)
        error = db_query(db, &sql_applied, NULL, 0, 1, check_applied, applied);
    if (error != ACCORD_OK && applied->why[0] == '\0')
        snprintf(applied->why, DB_WHY_MAX, "%s", db_message(db));
    *ret_ran = 0;
    for (size_t i = applied->done; i < applied->count && error == ACCORD_OK; i++) {
        error = apply(db, &applied->list[i], applied->why);
        ++*ret_ran;
    }
    return error;
}

enum accord_error db_migrate_list(struct db *db, const struct db_migration *list, size_t count,
                                  size_t *ret_applied, char why[DB_WHY_MAX])
{
    struct applied applied = {.list = list, .count = count, .why = why};
    size_t ran = 0;
    why[0] = '\0';
    enum accord_error error = db_begin_migration(db);
    if (error == ACCORD_OK)
        error = migrate(db, &applied, &ran);
    if (error == ACCORD_OK)
        error = db_commit(db);
    else
        db_rollback(db);
    if (error != ACCORD_OK) {
        if (why[0] == '\0')
            snprintf(why, DB_WHY_MAX, "%s", db_message(db));
        return error;
    }
    if (ret_applied != NULL)
        *ret_applied = ran;
    return ACCORD_OK;
}

enum accord_error db_migrate(const char *url, size_t *ret_applied, char why[DB_WHY_MAX])
{
    struct db *db;
    enum accord_error error = db_open_explained(url, DB_READ_WRITE, &db, why, DB_WHY_MAX);
    if (error != ACCORD_OK)
        return error;
    error = db_migrate_list(db, db_migrations, db_migration_count, ret_applied, why);
    db_close(db);
    return error;
}

static enum accord_error read_version(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error db_schema_version(struct db *db, int64_t *ret)
{
    bool exists = false;
    int64_t version = 0;
    enum accord_error error = db_table_exists(db, "schema_migration", &exists);
    if (error == ACCORD_OK && exists)
        error = db_query(db, &sql_version, NULL, 0, 1, read_version, &version);
    if (error == ACCORD_OK)
        *ret = version;
    return error;
}

int64_t db_schema_latest(void)
{
    return db_migration_count == 0 ? 0 : db_migrations[db_migration_count - 1].version;
}
