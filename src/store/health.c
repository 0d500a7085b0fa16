#include "store/health.h"

#include "db/migrate.h"

DB_SQL(sql_seq, "SELECT seq FROM journal_head WHERE id = 1");

static enum accord_error take_int(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_last_seq(struct db *db, int64_t *ret)
{
    int64_t seq = -1;
    const enum accord_error error = db_query(db, &sql_seq, NULL, 0, 1, take_int, &seq);
    if (error != ACCORD_OK)
        return error;
    if (seq < 0)
        return ACCORD_E_DATABASE_ERROR;
    *ret = seq;
    return ACCORD_OK;
}

enum accord_error store_ready(struct db *db)
{
    int64_t seq = 0;
    int64_t version = 0;
    enum accord_error error = db_schema_version(db, &version);
    if (error == ACCORD_OK && version != db_schema_latest())
        error = ACCORD_E_DATABASE_UNSUPPORTED;
    return error == ACCORD_OK ? store_last_seq(db, &seq) : error;
}
