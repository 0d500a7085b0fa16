/** Parameter rows of one batch, in one allocation; only for files of the store. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdlib.h>

#include "db/db.h"

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

#endif
