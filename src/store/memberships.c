#include "store/memberships.h"

#include "store/rows.h"

static const char *const membership_kind_names[] = {"started", "renewed", "cancelled"};

DB_SQL(sql_membership_insert,
       "INSERT INTO membership_term (seq, channel, membership_id, term_id, kind, event_id, "
       "occurred_at, offer, learner, currency, from_at, to_at, paid, tax, store_fee, payment_fee, "
       "refunded, tax_returned, fee_returned) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
       "$11, $12, $13, $14, $15, $16, $17, $18, $19)");
DB_SQL(sql_membership_stands,
       "SELECT 1 FROM membership_term WHERE seq = $1 AND channel = $2 AND membership_id = $3 AND "
       "term_id = $4 AND kind = $5 AND event_id = $6 AND occurred_at = $7 AND offer = $8 AND "
       "learner IS NOT DISTINCT FROM $9 AND currency = $10 AND from_at IS NOT DISTINCT FROM $11 "
       "AND to_at IS NOT DISTINCT FROM $12 AND paid = $13 AND tax = $14 AND store_fee = $15 AND "
       "payment_fee = $16 AND refunded = $17 AND tax_returned = $18 AND fee_returned = $19");

enum { MEMBERSHIP_COLUMNS = 19 };

static void membership_values(const struct membership_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_str(row->membership_id);
    v[3] = db_str(row->term_id);
    v[4] = db_str(membership_kind_names[row->kind]);
    v[5] = db_str(row->event_id);
    v[6] = db_int(row->occurred_at);
    v[7] = db_str(row->offer);
    v[8] = rows_learner(row->has_learner, row->learner);
    v[9] = db_str(row->currency);
    v[10] = rows_int(row->kind != MEMBERSHIP_CANCELLED, row->from);
    v[11] = rows_int(row->kind != MEMBERSHIP_CANCELLED, row->to);
    v[12] = db_int(row->paid);
    v[13] = db_int(row->tax);
    v[14] = db_int(row->store_fee);
    v[15] = db_int(row->payment_fee);
    v[16] = db_int(row->refunded);
    v[17] = db_int(row->tax_returned);
    v[18] = db_int(row->fee_returned);
}

enum accord_error store_memberships_insert(struct db *db, const struct membership_row *rows,
                                           size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, MEMBERSHIP_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        membership_values(&rows[i], &values[MEMBERSHIP_COLUMNS * i]);
    return db_run(db, &sql_membership_insert, values, MEMBERSHIP_COLUMNS, count, NULL);
}

enum accord_error store_membership_stands(struct db *db, const struct membership_row *row,
                                          bool *ret)
{
    struct db_value values[MEMBERSHIP_COLUMNS];
    membership_values(row, values);
    return rows_any(db, &sql_membership_stands, values, MEMBERSHIP_COLUMNS, ret);
}
