/**
 * Brings a database to the schema of this program: numbered scripts (migrations/NNNN_name.sql,
 * embedded when the program is built), each run once, in order, all of one start in one
 * transaction. A table of the database keeps their numbers and checksums.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/db.h"

struct db_migration {
    int64_t version; /**< 1, 2, 3 … */
    const char *name;
    const char *script; /**< with type tokens: see db_script() */
};

/** Those of this program, oldest first. */
extern const struct db_migration db_migrations[];
extern const size_t db_migration_count;

/** For error texts: what is wrong, and what to do. */
enum { DB_WHY_MAX = 512 };

/**
 * Opens the database, runs what is missing, closes it. Several processes may do so at once.
 *
 * @param ret_applied  NULL, or how many migrations were run
 * @param why  on failure: the reason, for whoever starts the program
 * @return ACCORD_E_DATABASE_UNSUPPORTED when the database was made by a newer program, or one of
 *         its migrations is not the one that this program holds; else an engine error
 */
enum accord_error db_migrate(const char *url, size_t *ret_applied, char why[DB_WHY_MAX]);

/** The same over a read-write connection and any list of migrations; for tests. */
enum accord_error db_migrate_list(struct db *db, const struct db_migration *list, size_t count,
                                  size_t *ret_applied, char why[DB_WHY_MAX]);

/** The newest migration that the database has; 0: none. */
enum accord_error db_schema_version(struct db *db, int64_t *ret);
/** The newest migration that this program knows. */
int64_t db_schema_latest(void);

#endif
