#include "store/subjects.h"

#include <string.h>

#include "store/rows.h"

DB_SQL(sql_known, "SELECT seq FROM subject_key WHERE partner = $1 AND kind = $2 AND id = $3 "
                  "AND part = $4");
DB_SQL(sql_insert, "INSERT INTO subject_key (partner, kind, id, part, seq) "
                   "VALUES ($1, $2, $3, $4, $5)");

enum { COLUMNS = 5 };

static const char *const kind_names[] = {"membership", "term", "entry", "withdrawal", "adjustment"};

static struct db_value *values_of(const struct subject_name *names, size_t count, size_t columns)
{
    struct db_value *values = rows_new(count, columns);
    for (size_t i = 0; values != NULL && i < count; i++) {
        struct db_value *v = &values[columns * i];
        v[0] = db_str(names[i].partner);
        v[1] = db_str(kind_names[names[i].kind]);
        v[2] = db_str(names[i].id);
        v[3] = db_str(names[i].part);
        if (columns == COLUMNS)
            v[4] = db_int(names[i].seq);
    }
    return values;
}

static enum accord_error take_seq(void *context, size_t param_row, const struct db_row *row)
{
    ((int64_t *)context)[param_row] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_subjects_known(struct db *db, const struct subject_name *names,
                                       size_t count, int64_t *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = values_of(names, count, COLUMNS - 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    return db_query(db, &sql_known, values, COLUMNS - 1, count, take_seq, ret);
}

enum accord_error store_subjects_insert(struct db *db, const struct subject_name *names,
                                        size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = values_of(names, count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return db_run(db, &sql_insert, values, COLUMNS, count, NULL);
}
