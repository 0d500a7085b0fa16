#include "store/learners.h"

#include <string.h>

#include "store/rows.h"

DB_SQL(sql_find, "SELECT learner FROM learner_key WHERE lookup = $1");
DB_SQL(sql_insert, "INSERT INTO learner_key (lookup, learner) VALUES ($1, $2) "
                   "ON CONFLICT (lookup) DO NOTHING");
DB_SQL(sql_known, "SELECT 1 FROM learner_key WHERE learner = $1 LIMIT 1");

static enum accord_error take_learner(void *context, size_t param_row, const struct db_row *row)
{
    struct learner_row *learner = (struct learner_row *)context + param_row;
    const struct slice id = db_get_bytes(row, 0);
    if (id.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(learner->learner, id.data, LEARNER_BYTES);
    learner->found = true;
    return ACCORD_OK;
}

enum accord_error store_learners_find(struct db *db, struct learner_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        rows[i].found = false;
        values[i] = db_hash(&rows[i].lookup);
    }
    return db_query(db, &sql_find, values, 1, count, take_learner, rows);
}

enum accord_error store_learners_insert(struct db *db, const struct learner_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_hash(&rows[i].lookup);
        values[2 * i + 1] = db_bytes(rows[i].learner, LEARNER_BYTES);
    }
    return db_run(db, &sql_insert, values, 2, count, NULL);
}

static enum accord_error take_known(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error store_learner_known(struct db *db, const uint8_t learner[LEARNER_BYTES],
                                      bool *ret)
{
    const struct db_value values[] = {db_bytes(learner, LEARNER_BYTES)};
    *ret = false;
    return db_query(db, &sql_known, values, 1, 1, take_known, ret);
}
