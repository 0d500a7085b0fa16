#include "store/usage.h"

#include "store/rows.h"

static const char *const usage_kind_names[] = {"usage", "completion", "start"};

bool usage_kind_find(struct slice name, enum usage_kind *ret)
{
    for (unsigned i = 0; i < sizeof usage_kind_names / sizeof *usage_kind_names; i++)
        if (slice_equal(name, slice_of(usage_kind_names[i]))) {
            *ret = (enum usage_kind)i;
            return true;
        }
    return false;
}

DB_SQL(sql_usage_insert,
       "INSERT INTO usage_fact (seq, channel, kind, learner, provider, course_id, occurred_at, "
       "event_id, seconds, from_at, to_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
DB_SQL(
    sql_usage_stands,
    "SELECT 1 FROM usage_fact WHERE seq = $1 AND channel = $2 AND kind = $3 AND learner IS NOT "
    "DISTINCT FROM $4 AND provider = $5 AND course_id = $6 AND occurred_at = $7 AND event_id = $8 "
    "AND seconds = $9 AND from_at IS NOT DISTINCT FROM $10 AND to_at IS NOT DISTINCT FROM $11");

enum { USAGE_COLUMNS = 11 };

static void usage_values(const struct usage_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_str(usage_kind_names[row->kind]);
    v[3] = rows_learner(row->has_learner, row->learner);
    v[4] = db_str(row->provider);
    v[5] = db_str(row->course_id);
    v[6] = db_int(row->occurred_at);
    v[7] = db_str(row->event_id);
    v[8] = db_int(row->seconds);
    v[9] = rows_int(row->has_from, row->from);
    v[10] = rows_int(row->has_to, row->to);
}

enum accord_error store_usage_insert(struct db *db, const struct usage_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, USAGE_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        usage_values(&rows[i], &values[USAGE_COLUMNS * i]);
    return db_run(db, &sql_usage_insert, values, USAGE_COLUMNS, count, NULL);
}

enum accord_error store_usage_stands(struct db *db, const struct usage_row *row, bool *ret)
{
    struct db_value values[USAGE_COLUMNS];
    usage_values(row, values);
    return rows_any(db, &sql_usage_stands, values, USAGE_COLUMNS, ret);
}
