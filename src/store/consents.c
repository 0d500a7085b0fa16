#include "store/consents.h"

#include "store/rows.h"

const char *const consent_purpose_names[] = {"analytics", "recommend", "share_provider",
                                             "marketing", NULL};

DB_SQL(sql_consent_insert, "INSERT INTO consent_fact (seq, partner, learner, purpose, granted, "
                           "occurred_at, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_consent_stands,
       "SELECT 1 FROM consent_fact WHERE seq = $1 AND partner = $2 AND learner = $3 AND purpose = "
       "$4 AND granted = $5 AND occurred_at = $6 AND event_id = $7");

enum { CONSENT_COLUMNS = 7 };

static void consent_values(const struct consent_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->partner);
    v[2] = db_bytes(row->learner, LEARNER_BYTES);
    v[3] = db_str(consent_purpose_names[row->purpose]);
    v[4] = db_int(row->granted);
    v[5] = db_int(row->occurred_at);
    v[6] = db_str(row->event_id);
}

enum accord_error store_consents_insert(struct db *db, const struct consent_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, CONSENT_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        consent_values(&rows[i], &values[CONSENT_COLUMNS * i]);
    return db_run(db, &sql_consent_insert, values, CONSENT_COLUMNS, count, NULL);
}

enum accord_error store_consent_stands(struct db *db, const struct consent_row *row, bool *ret)
{
    struct db_value values[CONSENT_COLUMNS];
    consent_values(row, values);
    return rows_any(db, &sql_consent_stands, values, CONSENT_COLUMNS, ret);
}
