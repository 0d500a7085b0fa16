#include "store/challenges.h"

#include "store/rows.h"

static const char *const challenge_kind_names[] = {"joined", "withdrawn", "checkin"};

DB_SQL(sql_challenge_insert,
       "INSERT INTO challenge_fact (seq, channel, entry_id, kind, event_id, occurred_at, offer, "
       "learner, currency, time_zone, deposit, payment_fee, refunded, day, makeup) VALUES ($1, $2, "
       "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
DB_SQL(sql_challenge_stands,
       "SELECT 1 FROM challenge_fact WHERE seq = $1 AND channel = $2 AND entry_id = $3 AND kind = "
       "$4 AND event_id = $5 AND occurred_at = $6 AND offer = $7 AND learner IS NOT DISTINCT FROM "
       "$8 AND currency = $9 AND time_zone = $10 AND deposit = $11 AND payment_fee = $12 AND "
       "refunded = $13 AND day IS NOT DISTINCT FROM $14 AND makeup = $15");

enum { CHALLENGE_COLUMNS = 15 };

static void challenge_values(const struct challenge_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_str(row->entry_id);
    v[3] = db_str(challenge_kind_names[row->kind]);
    v[4] = db_str(row->event_id);
    v[5] = db_int(row->occurred_at);
    v[6] = db_str(row->offer);
    v[7] = rows_learner(row->has_learner, row->learner);
    v[8] = db_str(row->currency);
    v[9] = db_str(row->time_zone);
    v[10] = db_int(row->deposit);
    v[11] = db_int(row->payment_fee);
    v[12] = db_int(row->refunded);
    v[13] = rows_int(row->has_day, row->day);
    v[14] = db_int(row->makeup);
}

enum accord_error store_challenges_insert(struct db *db, const struct challenge_row *rows,
                                          size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, CHALLENGE_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        challenge_values(&rows[i], &values[CHALLENGE_COLUMNS * i]);
    return db_run(db, &sql_challenge_insert, values, CHALLENGE_COLUMNS, count, NULL);
}

enum accord_error store_challenge_stands(struct db *db, const struct challenge_row *row, bool *ret)
{
    struct db_value values[CHALLENGE_COLUMNS];
    challenge_values(row, values);
    return rows_any(db, &sql_challenge_stands, values, CHALLENGE_COLUMNS, ret);
}
