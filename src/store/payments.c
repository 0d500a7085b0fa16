#include "store/payments.h"

#include <string.h>

#include "store/rows.h"

/* States come in order, so the furthest that stands is the last. */
#define RANK(alias) "CASE " alias ".state WHEN 'approved' THEN 0 WHEN 'sent' THEN 1 ELSE 2 END"
#define STANDS(alias) "NOT EXISTS (SELECT 1 FROM fact_superseded s WHERE s.seq = " alias ".seq)"
#define PAYMENTS                                                                                   \
    "SELECT p.partner, p.payment_id, p.payer, p.payee, p.currency, p.amount, p.state, "            \
    "p.reference, p.occurred_at, p.seq FROM payment_fact p WHERE " STANDS(                         \
        "p") " AND NOT EXISTS (SELECT 1 FROM payment_fact l WHERE l.payment_id = p.payment_id "    \
             "AND l.partner = p.partner AND " RANK("l") " > " RANK("p") " AND " STANDS("l") ") "

DB_SQL(sql_list, PAYMENTS "AND p.seq > $1 ORDER BY p.seq LIMIT $2");
DB_SQL(sql_list_party,
       PAYMENTS "AND p.seq > $1 AND (p.payer = $3 OR p.payee = $3) ORDER BY p.seq LIMIT $2");
DB_SQL(sql_find, PAYMENTS "AND p.payment_id = $1 AND (CAST($2 AS TEXT) IS NULL OR p.partner = $2) "
                          "ORDER BY p.seq LIMIT 1");
DB_SQL(sql_statements,
       "SELECT p.statement FROM payment_statement p WHERE p.seq = $1 AND (CAST($2 AS TEXT) IS NULL "
       "OR EXISTS (SELECT 1 FROM statement t WHERE t.id = p.statement AND t.partner = $2)) "
       "ORDER BY p.statement");

struct payment_list {
    struct arena *arena;
    struct payment_summary *rows;
    size_t count;
    size_t max;
};

static enum accord_error add_payment(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct payment_list *list = context;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    struct arena *arena = list->arena;
    const struct payment_summary payment = {
        .partner = arena_strdup(arena, db_get_text(row, 0)),
        .payment_id = arena_strdup(arena, db_get_text(row, 1)),
        .payer = arena_strdup(arena, db_get_text(row, 2)),
        .payee = arena_strdup(arena, db_get_text(row, 3)),
        .currency = arena_strdup(arena, db_get_text(row, 4)),
        .amount = db_get_int(row, 5),
        .state = arena_strdup(arena, db_get_text(row, 6)),
        .reference = arena_strdup(arena, db_get_text(row, 7)),
        .changed_at = db_get_int(row, 8),
        .seq = db_get_int(row, 9),
    };
    if (payment.partner == NULL || payment.payment_id == NULL || payment.payer == NULL ||
        payment.payee == NULL || payment.currency == NULL || payment.state == NULL ||
        payment.reference == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows[list->count++] = payment;
    return ACCORD_OK;
}

static enum accord_error add_statement(void *context, size_t param_row, const struct db_row *row)
{
    struct payment_list *list = context;
    struct payment_summary *payment = &list->rows[param_row];
    /* The batch asks payment by payment: its rows come together. */
    const size_t count = payment->statement_count;
    if ((count & (count - 1)) == 0) {
        const char **grown = arena_array(list->arena, count == 0 ? 1 : 2 * count, sizeof *grown);
        if (grown == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (count > 0)
            memcpy(grown, payment->statements, count * sizeof *grown);
        payment->statements = grown;
    }
    const char *statement = arena_strdup(list->arena, db_get_text(row, 0));
    if (statement == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    payment->statements[payment->statement_count++] = statement;
    return ACCORD_OK;
}

static enum accord_error add_statements(struct db *db, struct payment_list *list,
                                        const char *viewer)
{
    if (list->count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(list->count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < list->count; i++) {
        values[2 * i] = db_int(list->rows[i].seq);
        values[2 * i + 1] = db_str(viewer);
    }
    return db_query(db, &sql_statements, values, 2, list->count, add_statement, list);
}

enum accord_error store_payment_list(struct db *db, struct arena *arena, const char *party,
                                     const char *viewer, int64_t after, int64_t limit,
                                     struct payment_summary **ret, size_t *ret_count)
{
    struct payment_list list = {.arena = arena, .max = (size_t)limit};
    list.rows = arena_array(arena, list.max, sizeof list.rows[0]);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value values[] = {db_int(after), db_int(limit), db_str(party)};
    enum accord_error error = party == NULL
                                  ? db_query(db, &sql_list, values, 2, 1, add_payment, &list)
                                  : db_query(db, &sql_list_party, values, 3, 1, add_payment, &list);
    if (error == ACCORD_OK)
        error = add_statements(db, &list, viewer);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_payment_find(struct db *db, struct arena *arena, const char *partner,
                                     const char *payment_id, const char *viewer, bool *ret_found,
                                     struct payment_summary *ret)
{
    struct payment_summary row = {.partner = NULL};
    struct payment_list list = {.arena = arena, .rows = &row, .max = 1};
    const struct db_value values[] = {db_str(payment_id), db_str(partner)};
    enum accord_error error = db_query(db, &sql_find, values, 2, 1, add_payment, &list);
    if (error == ACCORD_OK)
        error = add_statements(db, &list, viewer);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = row;
    *ret_found = list.count == 1;
    return ACCORD_OK;
}
