#include "store/operator_facts.h"

#include <string.h>

#include "store/rows.h"

const char *const payment_state_names[] = {"approved", "sent", "confirmed", "failed", NULL};

/* ---- adjustments ---- */

DB_SQL(sql_adjustment_insert,
       "INSERT INTO adjustment_fact (seq, partner, adjustment_id, event_id, occurred_at, "
       "agreement, payee, funded_by, currency, amount, reason, of_period, statement, line) VALUES "
       "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
DB_SQL(sql_adjustment_stands,
       "SELECT 1 FROM adjustment_fact WHERE seq = $1 AND partner = $2 AND adjustment_id = $3 AND "
       "event_id = $4 AND occurred_at = $5 AND agreement = $6 AND payee = $7 AND funded_by = $8 "
       "AND currency = $9 AND amount = $10 AND reason = $11 AND of_period = $12 AND statement = "
       "$13 AND line = $14");

enum { ADJUSTMENT_COLUMNS = 14 };

static void adjustment_values(const struct adjustment_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->partner);
    v[2] = db_str(row->adjustment_id);
    v[3] = db_str(row->event_id);
    v[4] = db_int(row->occurred_at);
    v[5] = db_str(row->agreement);
    v[6] = db_str(row->payee);
    v[7] = db_str(row->funded_by);
    v[8] = db_str(row->currency);
    v[9] = db_int(row->amount);
    v[10] = db_str(row->reason);
    v[11] = db_str(row->of_period);
    v[12] = db_str(row->statement);
    v[13] = db_str(row->line);
}

enum accord_error store_adjustments_insert(struct db *db, const struct adjustment_row *rows,
                                           size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, ADJUSTMENT_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        adjustment_values(&rows[i], &values[ADJUSTMENT_COLUMNS * i]);
    return db_run(db, &sql_adjustment_insert, values, ADJUSTMENT_COLUMNS, count, NULL);
}

enum accord_error store_adjustment_stands(struct db *db, const struct adjustment_row *row,
                                          bool *ret)
{
    struct db_value values[ADJUSTMENT_COLUMNS];
    adjustment_values(row, values);
    return rows_any(db, &sql_adjustment_stands, values, ADJUSTMENT_COLUMNS, ret);
}

/* ---- payments ---- */

DB_SQL(sql_payment_insert,
       "INSERT INTO payment_fact (seq, partner, payment_id, event_id, occurred_at, payer, payee, "
       "currency, amount, state, reference) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
DB_SQL(sql_payment_stands,
       "SELECT 1 FROM payment_fact WHERE seq = $1 AND partner = $2 AND payment_id = $3 AND "
       "event_id = $4 AND occurred_at = $5 AND payer = $6 AND payee = $7 AND currency = $8 AND "
       "amount = $9 AND state = $10 AND reference = $11");

enum { PAYMENT_COLUMNS = 11 };

static void payment_values(const struct payment_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->partner);
    v[2] = db_str(row->payment_id);
    v[3] = db_str(row->event_id);
    v[4] = db_int(row->occurred_at);
    v[5] = db_str(row->payer);
    v[6] = db_str(row->payee);
    v[7] = db_str(row->currency);
    v[8] = db_int(row->amount);
    v[9] = db_str(payment_state_names[row->state]);
    v[10] = db_str(row->reference);
}

DB_SQL(sql_statement_insert, "INSERT INTO payment_statement (seq, statement) VALUES ($1, $2)");
DB_SQL(sql_statements, "SELECT statement FROM payment_statement WHERE seq = $1 ORDER BY statement");
DB_SQL(sql_standing,
       "SELECT p.seq, p.payer, p.payee, p.currency, p.amount, p.state FROM payment_fact p "
       "LEFT JOIN fact_superseded x ON x.seq = p.seq "
       "WHERE p.payment_id = $1 AND p.partner = $2 AND x.seq IS NULL ORDER BY p.seq");

static enum accord_error insert_statements(struct db *db, const struct payment_row *rows,
                                           size_t count)
{
    size_t statements = 0;
    for (size_t i = 0; i < count; i++)
        statements += rows[i].statement_count;
    if (statements == 0)
        return ACCORD_OK;
    ROWS values = rows_new(statements, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct db_value *v = values;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rows[i].statement_count; j++, v += 2) {
            v[0] = db_int(rows[i].seq);
            v[1] = db_text(rows[i].statements[j]);
        }
    return db_run(db, &sql_statement_insert, values, 2, statements, NULL);
}

enum accord_error store_payments_insert(struct db *db, const struct payment_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, PAYMENT_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        payment_values(&rows[i], &values[PAYMENT_COLUMNS * i]);
    const enum accord_error error =
        db_run(db, &sql_payment_insert, values, PAYMENT_COLUMNS, count, NULL);
    return error != ACCORD_OK ? error : insert_statements(db, rows, count);
}

/* Compares the statements that stand with those that should, as they come. */
struct comparing {
    const struct payment_row *row;
    size_t seen;
    bool differs;
};

static enum accord_error compare_statement(void *context, size_t param_row,
                                           const struct db_row *row)
{
    struct comparing *c = context;
    (void)param_row;
    if (c->seen == c->row->statement_count ||
        !slice_equal(c->row->statements[c->seen], db_get_text(row, 0)))
        c->differs = true;
    else
        c->seen++;
    return ACCORD_OK;
}

enum accord_error store_payment_stands(struct db *db, const struct payment_row *row, bool *ret)
{
    struct db_value values[PAYMENT_COLUMNS];
    payment_values(row, values);
    bool stands;
    enum accord_error error = rows_any(db, &sql_payment_stands, values, PAYMENT_COLUMNS, &stands);
    struct comparing comparing = {.row = row};
    if (error == ACCORD_OK)
        error = db_query(db, &sql_statements, values, 1, 1, compare_statement, &comparing);
    if (error == ACCORD_OK)
        *ret = stands && !comparing.differs && comparing.seen == row->statement_count;
    return error;
}

/* ---- what stands of a payment ---- */

struct loading {
    struct arena *arena;
    struct payment_standing *payments;
    struct payment_row **rows; /* whose statements are loaded */
};

static enum accord_error take_standing(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct payment_standing *payment = &loading->payments[param_row];
    for (int state = 0; state < PAYMENT_STATES; state++) {
        if (!slice_equal(db_get_text(row, 5), slice_of(payment_state_names[state])))
            continue;
        struct payment_row *p = &payment->rows[state];
        *p = (struct payment_row){
            .seq = db_get_int(row, 0),
            .partner = payment->partner,
            .payment_id = payment->payment_id,
            .payer = arena_strdup(loading->arena, db_get_text(row, 1)),
            .payee = arena_strdup(loading->arena, db_get_text(row, 2)),
            .currency = arena_strdup(loading->arena, db_get_text(row, 3)),
            .amount = db_get_int(row, 4),
            .state = (enum payment_state)state,
        };
        payment->stands[state] = true;
        return p->payer == NULL || p->payee == NULL || p->currency == NULL ? ACCORD_E_OUT_OF_MEMORY
                                                                           : ACCORD_OK;
    }
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error take_statement(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct payment_row *payment = loading->rows[param_row];
    const size_t count = payment->statement_count;
    if ((count & (count - 1)) == 0) { /* full, or empty: capacities are powers of two */
        struct slice *more = arena_array(loading->arena, count == 0 ? 1 : 2 * count, sizeof *more);
        if (more == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (count > 0)
            memcpy(more, payment->statements, count * sizeof *more);
        payment->statements = more;
    }
    const char *text = arena_strdup(loading->arena, db_get_text(row, 0));
    if (text == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct slice *statements = (struct slice *)(uintptr_t)payment->statements;
    statements[payment->statement_count++] = slice_of(text);
    return ACCORD_OK;
}

static enum accord_error load_statements(struct db *db, struct loading *loading, size_t count)
{
    const size_t max = count * PAYMENT_STATES;
    ROWS seqs = rows_new(max, 1);
    loading->rows = arena_array(loading->arena, max, sizeof *loading->rows);
    if (seqs == NULL || loading->rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t asked = 0;
    for (size_t i = 0; i < max; i++) {
        struct payment_standing *payment = &loading->payments[i / PAYMENT_STATES];
        struct payment_row *row = &payment->rows[i % PAYMENT_STATES];
        if (!payment->stands[i % PAYMENT_STATES])
            continue;
        seqs[asked] = db_int(row->seq);
        loading->rows[asked++] = row;
    }
    return asked == 0 ? ACCORD_OK
                      : db_query(db, &sql_statements, seqs, 1, asked, take_statement, loading);
}

enum accord_error store_payments_standing(struct db *db, struct arena *arena,
                                          struct payment_standing *payments, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_str(payments[i].payment_id);
        values[2 * i + 1] = db_str(payments[i].partner);
        memset(payments[i].stands, 0, sizeof payments[i].stands);
    }
    struct loading loading = {.arena = arena, .payments = payments};
    const enum accord_error error =
        db_query(db, &sql_standing, values, 2, count, take_standing, &loading);
    return error != ACCORD_OK ? error : load_statements(db, &loading, count);
}
