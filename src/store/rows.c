#include "store/rows.h"

static enum accord_error take_any(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error rows_any(struct db *db, const struct db_sql *sql, const struct db_value *values,
                           size_t columns, bool *ret)
{
    bool any = false;
    const enum accord_error error = db_query(db, sql, values, columns, 1, take_any, &any);
    if (error == ACCORD_OK)
        *ret = any;
    return error;
}
