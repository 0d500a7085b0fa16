/** Parameter rows of one batch, in one allocation; only for files of the store. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdlib.h>

#include "db/db.h"
#include "store/learners.h"

/** Room for `count` rows of `columns` values; NULL when out of memory. Freed with free(). */
static inline struct db_value *rows_new(size_t count, size_t columns)
{
    return calloc(count == 0 ? 1 : count, columns * sizeof(struct db_value));
}

static inline void rows_cleanup(struct db_value **rows)
{
    free(*rows);
}

/** A variable that frees its rows when it goes out of scope. */
#define ROWS __attribute__((cleanup(rows_cleanup))) struct db_value *

/** A value that may be absent. */
static inline struct db_value rows_int(bool has, int64_t number)
{
    return has ? db_int(number) : db_null();
}

static inline struct db_value rows_learner(bool has, const uint8_t *learner)
{
    return has ? db_bytes(learner, LEARNER_BYTES) : db_null();
}

/** Whether a query with one row of parameters gives any row. */
enum accord_error rows_any(struct db *db, const struct db_sql *sql, const struct db_value *values,
                           size_t columns, bool *ret);

#endif
