#include "store/booked.h"

/* Names of the joined tables are changed where they would be those of an entry's numbers. A line of
 * an offer sold as a whole is named by its number, also when the sale has it no longer. */
DB_SQL(sql_booked,
       "SELECT e.sale_seq, e.line, e.number, e.day, e.version, e.channel, e.provider, e.course_id, "
       "e.sale_currency, COALESCE(o.order_id, m.membership_id, c.entry_id), "
       "COALESCE(l.line_id, m.term_id, CAST(e.line AS TEXT)), "
       "COALESCE(o.occurred_at, m.from_at, c.occurred_at), s.payee, s.amount, m.of_sale, "
       "c.of_sale, " ENTRY_NUMBER_COLUMNS
       " FROM entry e LEFT JOIN (SELECT seq AS of_sale, order_id, occurred_at FROM sale) o "
       "ON o.of_sale = e.sale_seq "
       "LEFT JOIN (SELECT seq AS of_sale, line AS of_line, line_id FROM sale_line) l "
       "ON l.of_sale = e.sale_seq AND l.of_line = e.line "
       "LEFT JOIN (SELECT seq AS of_sale, membership_id, term_id, from_at FROM membership_term) m "
       "ON m.of_sale = e.sale_seq "
       "LEFT JOIN (SELECT seq AS of_sale, entry_id, occurred_at FROM challenge_fact) c "
       "ON c.of_sale = e.sale_seq "
       "LEFT JOIN entry_share s ON s.sale_seq = e.sale_seq AND s.line = e.line "
       "AND s.number = e.number "
       "WHERE e.agreement = $1 AND e.booked = $2 AND e.sale_seq >= $3 AND e.held = '' "
       "ORDER BY e.sale_seq, e.line, e.number");
DB_SQL(sql_any, "SELECT 1 FROM entry WHERE agreement = $1 AND booked >= $2 LIMIT 1");

struct reading {
    booked_row_fn *each;
    void *context;
};

static enum accord_error take_row(void *context, size_t param_row, const struct db_row *row)
{
    const struct reading *reading = context;
    (void)param_row;
    if (db_is_null(row, 9) || db_is_null(row, 10) || db_is_null(row, 11))
        return ACCORD_E_DATABASE_ERROR; /* an entry of no sale */
    struct booked_row booked = {
        .sale_seq = db_get_int(row, 0),
        .line = db_get_int(row, 1),
        .number = db_get_int(row, 2),
        .day = db_get_int(row, 3),
        .version = db_get_int(row, 4),
        .channel = db_get_text(row, 5),
        .provider = db_get_text(row, 6),
        .course_id = db_get_text(row, 7),
        .currency = db_get_text(row, 8),
        .order_id = db_get_text(row, 9),
        .line_id = db_get_text(row, 10),
        .occurred_at = db_get_int(row, 11),
        .has_payee = !db_is_null(row, 12),
        .is_term = !db_is_null(row, 14),
        .is_entry = !db_is_null(row, 15),
    };
    if (booked.has_payee) {
        booked.payee = db_get_text(row, 12);
        booked.amount = db_get_int(row, 13);
    }
    for (unsigned i = 0; i < ENTRY_NUMBERS; i++)
        booked.numbers[i] = db_get_int(row, 16 + i);
    return reading->each(reading->context, &booked);
}

enum accord_error store_booked_each(struct db *db, const char *agreement, int64_t booked,
                                    int64_t from_sale, booked_row_fn *each, void *context)
{
    struct reading reading = {each, context};
    const struct db_value params[] = {db_str(agreement), db_int(booked), db_int(from_sale)};
    return db_query(db, &sql_booked, params, 3, 1, take_row, &reading);
}

static enum accord_error take_yes(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error store_booked_from(struct db *db, const char *agreement, int64_t booked, bool *ret)
{
    bool found = false;
    const struct db_value params[] = {db_str(agreement), db_int(booked)};
    const enum accord_error error = db_query(db, &sql_any, params, 2, 1, take_yes, &found);
    if (error == ACCORD_OK)
        *ret = found;
    return error;
}
