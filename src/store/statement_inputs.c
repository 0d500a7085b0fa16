#include "store/statement_inputs.h"

DB_SQL(sql_insert, "INSERT INTO statement_input (statement, number, body) VALUES ($1, $2, $3)");
DB_SQL(sql_each, "SELECT number, body FROM statement_input WHERE statement = $1 AND number >= $2 "
                 "ORDER BY number LIMIT $3");
DB_SQL(sql_sales, "SELECT DISTINCT sale_seq FROM entry WHERE agreement = $1 AND booked = $2 "
                  "AND sale_seq > $3 AND held = '' ORDER BY sale_seq LIMIT $4");

enum accord_error store_statement_input_insert(struct db *db, const char *statement, int64_t number,
                                               struct slice body)
{
    const struct db_value params[] = {db_str(statement), db_int(number),
                                      db_bytes(body.data, body.len)};
    return db_run(db, &sql_insert, params, 3, 1, NULL);
}

struct pieces {
    statement_input_fn *each;
    void *context;
};

static enum accord_error take_piece(void *context, size_t param_row, const struct db_row *row)
{
    const struct pieces *pieces = context;
    (void)param_row;
    return pieces->each(pieces->context, db_get_int(row, 0), db_get_bytes(row, 1));
}

enum accord_error store_statement_inputs_each(struct db *db, const char *statement, int64_t from,
                                              int64_t limit, statement_input_fn *each,
                                              void *context)
{
    struct pieces pieces = {each, context};
    const struct db_value params[] = {db_str(statement), db_int(from), db_int(limit)};
    return db_query(db, &sql_each, params, 3, 1, take_piece, &pieces);
}

struct sales {
    int64_t *items;
    size_t count;
};

static enum accord_error take_sale(void *context, size_t param_row, const struct db_row *row)
{
    struct sales *sales = context;
    (void)param_row;
    sales->items[sales->count++] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_booked_sales(struct db *db, const char *agreement, int64_t booked,
                                     int64_t after, int64_t limit, int64_t *ret, size_t *ret_count)
{
    struct sales sales = {ret, 0};
    const struct db_value params[] = {db_str(agreement), db_int(booked), db_int(after),
                                      db_int(limit)};
    const enum accord_error error = db_query(db, &sql_sales, params, 4, 1, take_sale, &sales);
    if (error == ACCORD_OK)
        *ret_count = sales.count;
    return error;
}
