#include "store/touches.h"

#include "store/rows.h"

const char *const touch_kind_names[] = {"click", "share", "coupon", NULL};

DB_SQL(sql_touch_insert, "INSERT INTO touch_fact (seq, channel, learner, link, kind, occurred_at, "
                         "event_id) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_touch_stands, "SELECT 1 FROM touch_fact WHERE seq = $1 AND channel = $2 AND learner = "
                         "$3 AND link = $4 AND kind = $5 AND occurred_at = $6 AND event_id = $7");

enum { TOUCH_COLUMNS = 7 };

static void touch_values(const struct touch_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_bytes(row->learner, LEARNER_BYTES);
    v[3] = db_str(row->link);
    v[4] = db_str(touch_kind_names[row->kind]);
    v[5] = db_int(row->occurred_at);
    v[6] = db_str(row->event_id);
}

enum accord_error store_touches_insert(struct db *db, const struct touch_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, TOUCH_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        touch_values(&rows[i], &values[TOUCH_COLUMNS * i]);
    return db_run(db, &sql_touch_insert, values, TOUCH_COLUMNS, count, NULL);
}

enum accord_error store_touch_stands(struct db *db, const struct touch_row *row, bool *ret)
{
    struct db_value values[TOUCH_COLUMNS];
    touch_values(row, values);
    return rows_any(db, &sql_touch_stands, values, TOUCH_COLUMNS, ret);
}
