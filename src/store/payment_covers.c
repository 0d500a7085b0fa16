#include "store/payment_covers.h"

#include <string.h>

#include "store/rows.h"

DB_SQL(sql_cover_insert,
       "INSERT INTO payment_cover (statement, seq, payment, amount) VALUES ($1, $2, $3, $4)");
DB_SQL(sql_covers, "SELECT statement, CAST(SUM(amount) AS BIGINT) FROM payment_cover "
                   "WHERE payment = $1 GROUP BY statement HAVING CAST(SUM(amount) AS BIGINT) <> 0 "
                   "ORDER BY statement");
DB_SQL(sql_covered, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_cover "
                    "WHERE statement = $1");

const char *payment_reference(struct arena *arena, const char *partner, const char *payment_id)
{
    return arena_printf(arena, "%s/%s", partner, payment_id);
}

enum accord_error store_payment_covers_insert(struct db *db, const struct payment_cover *rows,
                                              size_t count)
{
    ROWS values = rows_new(count, 4);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = values + 4 * i;
        v[0] = db_str(rows[i].statement);
        v[1] = db_int(rows[i].seq);
        v[2] = db_str(rows[i].payment);
        v[3] = db_int(rows[i].amount);
    }
    return count == 0 ? ACCORD_OK : db_run(db, &sql_cover_insert, values, 4, count, NULL);
}

struct cover_list {
    struct arena *arena;
    const char *payment;
    struct payment_cover *rows;
    size_t count;
};

static enum accord_error add_cover(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct cover_list *list = context;
    if ((list->count & (list->count - 1)) == 0) {
        const size_t cap = list->count == 0 ? 1 : 2 * list->count;
        struct payment_cover *grown = arena_array(list->arena, cap, sizeof *grown);
        if (grown == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (list->count > 0)
            memcpy(grown, list->rows, list->count * sizeof *grown);
        list->rows = grown;
    }
    const struct payment_cover cover = {.statement = arena_strdup(list->arena, db_get_text(row, 0)),
                                        .payment = list->payment,
                                        .amount = db_get_int(row, 1)};
    if (cover.statement == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows[list->count++] = cover;
    return ACCORD_OK;
}

enum accord_error store_payment_covers(struct db *db, struct arena *arena, const char *payment,
                                       struct payment_cover **ret, size_t *ret_count)
{
    struct cover_list list = {.arena = arena, .payment = payment};
    const struct db_value values[] = {db_str(payment)};
    const enum accord_error error = db_query(db, &sql_covers, values, 1, 1, add_cover, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

static enum accord_error take_int(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_statement_covered(struct db *db, const char *statement, int64_t *ret)
{
    int64_t sum = 0;
    const struct db_value values[] = {db_str(statement)};
    const enum accord_error error = db_query(db, &sql_covered, values, 1, 1, take_int, &sum);
    if (error == ACCORD_OK)
        *ret = sum;
    return error;
}
