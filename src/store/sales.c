#include "store/sales.h"

#include <string.h>

#include "store/rows.h"

/* ---- what is taken ---- */

DB_SQL(sql_order_known, "SELECT seq FROM order_key WHERE channel = $1 AND order_id = $2");
DB_SQL(sql_refund_known, "SELECT seq FROM refund_key WHERE channel = $1 AND order_id = $2 "
                         "AND refund_id = $3 AND reversal = $4");
DB_SQL(sql_refund_name, "INSERT INTO refund_key (channel, order_id, refund_id, reversal, seq) "
                        "VALUES ($1, $2, $3, $4, $5)");

static enum accord_error take_seq(void *context, size_t param_row, const struct db_row *row)
{
    ((int64_t *)context)[param_row] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_orders_known(struct db *db, const struct order_name *names, size_t count,
                                     int64_t *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_str(names[i].channel);
        values[2 * i + 1] = db_str(names[i].order_id);
    }
    return db_query(db, &sql_order_known, values, 2, count, take_seq, ret);
}

enum { REFUND_NAME_COLUMNS = 5 };

static struct db_value *refund_name_rows(const struct refund_name *names, size_t count,
                                         size_t columns)
{
    struct db_value *values = rows_new(count, columns);
    if (values == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[columns * i];
        v[0] = db_str(names[i].channel);
        v[1] = db_str(names[i].order_id);
        v[2] = db_str(names[i].refund_id);
        v[3] = db_int(names[i].reversal);
        if (columns == REFUND_NAME_COLUMNS)
            v[4] = db_int(names[i].seq);
    }
    return values;
}

enum accord_error store_refunds_known(struct db *db, const struct refund_name *names, size_t count,
                                      int64_t *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = refund_name_rows(names, count, REFUND_NAME_COLUMNS - 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    return db_query(db, &sql_refund_known, values, REFUND_NAME_COLUMNS - 1, count, take_seq, ret);
}

enum accord_error store_refund_names_insert(struct db *db, const struct refund_name *names,
                                            size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = refund_name_rows(names, count, REFUND_NAME_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return db_run(db, &sql_refund_name, values, REFUND_NAME_COLUMNS, count, NULL);
}

/* ---- inserting ---- */

DB_SQL(sql_sale, "INSERT INTO sale (seq, id, channel, order_id, event_id, occurred_at, currency, "
                 "learner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_sale_line,
       "INSERT INTO sale_line (seq, line, line_id, provider, course_id, quantity, paid, tax, "
       "store_fee, payment_fee, discount_provider, discount_channel, discount_platform) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
DB_SQL(sql_order_key, "INSERT INTO order_key (channel, order_id, seq) VALUES ($1, $2, $3)");

static enum accord_error insert_lines(struct db *db, const struct sale_row *rows, size_t count)
{
    enum { COLUMNS = 13 };
    size_t lines = 0;
    for (size_t i = 0; i < count; i++)
        lines += rows[i].order->line_count;
    ROWS values = rows_new(lines, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct db_value *v = values;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rows[i].order->line_count; j++, v += COLUMNS) {
            const struct accord_line *line = &rows[i].order->lines[j];
            v[0] = db_int(rows[i].seq);
            v[1] = db_int((int64_t)j);
            v[2] = db_str(line->line_id);
            v[3] = db_str(line->provider);
            v[4] = db_str(line->course_id);
            v[5] = db_int(line->quantity);
            v[6] = db_int(line->paid);
            v[7] = db_int(line->tax);
            v[8] = db_int(line->store_fee);
            v[9] = db_int(line->payment_fee);
            v[10] = db_int(line->discounts[ACCORD_FUNDER_PROVIDER]);
            v[11] = db_int(line->discounts[ACCORD_FUNDER_CHANNEL]);
            v[12] = db_int(line->discounts[ACCORD_FUNDER_PLATFORM]);
        }
    return lines == 0 ? ACCORD_OK : db_run(db, &sql_sale_line, values, COLUMNS, lines, NULL);
}

DB_SQL(sql_lines_delete, "DELETE FROM sale_line WHERE seq = $1");

enum accord_error store_sale_lines_replace(struct db *db, const struct sale_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        values[i] = db_int(rows[i].seq);
    const enum accord_error error = db_run(db, &sql_lines_delete, values, 1, count, NULL);
    return error == ACCORD_OK ? insert_lines(db, rows, count) : error;
}

enum accord_error store_sales_insert(struct db *db, const struct sale_row *rows, size_t count)
{
    enum { COLUMNS = 8 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_int(rows[i].seq);
        v[1] = db_str(rows[i].id);
        v[2] = db_str(rows[i].order->channel);
        v[3] = db_str(rows[i].order->order_id);
        v[4] = db_str(rows[i].event_id);
        v[5] = db_int(rows[i].order->occurred_at_us);
        v[6] = db_str(rows[i].order->currency.code);
        v[7] = rows[i].has_learner ? db_bytes(rows[i].learner, LEARNER_BYTES) : db_null();
    }
    enum accord_error error = db_run(db, &sql_sale, values, COLUMNS, count, NULL);
    if (error == ACCORD_OK)
        error = insert_lines(db, rows, count);
    if (error != ACCORD_OK)
        return error;
    size_t first = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].first) {
            struct db_value *v = &values[3 * first++];
            v[0] = db_str(rows[i].order->channel);
            v[1] = db_str(rows[i].order->order_id);
            v[2] = db_int(rows[i].seq);
        }
    return first == 0 ? ACCORD_OK : db_run(db, &sql_order_key, values, 3, first, NULL);
}

DB_SQL(sql_refund_line,
       "INSERT INTO refund_line (seq, line, channel, order_id, refund_id, kind, event_id, "
       "occurred_at, line_id, amount, tax_returned, fee_returned) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");

static const char *const kind_names[] = {"refund", "charge_back", "reversal"};

enum accord_error store_refunds_insert(struct db *db, const struct refund_row *rows, size_t count)
{
    enum { COLUMNS = 12 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_int(rows[i].seq);
        v[1] = db_int(rows[i].line);
        v[2] = db_str(rows[i].channel);
        v[3] = db_str(rows[i].order_id);
        v[4] = db_str(rows[i].refund_id);
        v[5] = db_str(kind_names[rows[i].kind]);
        v[6] = db_str(rows[i].event_id);
        v[7] = db_int(rows[i].occurred_at);
        v[8] = db_str(rows[i].line_id);
        v[9] = db_int(rows[i].amount);
        v[10] = db_int(rows[i].tax_returned);
        v[11] = db_int(rows[i].fee_returned);
    }
    return db_run(db, &sql_refund_line, values, COLUMNS, count, NULL);
}

/* ---- loading ---- */

DB_SQL(sql_sales, "SELECT s.seq, s.id, s.event_id, s.occurred_at, s.currency, x.by_seq, "
                  "s.learner FROM sale s LEFT JOIN fact_superseded x ON x.seq = s.seq "
                  "WHERE s.channel = $1 AND s.order_id = $2 ORDER BY s.seq");
DB_SQL(sql_lines, "SELECT line_id, provider, course_id, quantity, paid, tax, store_fee, "
                  "payment_fee, discount_provider, discount_channel, discount_platform, line "
                  "FROM sale_line WHERE seq = $1 ORDER BY line");
DB_SQL(sql_refunds, "SELECT r.seq, r.line, r.refund_id, r.kind, r.event_id, r.occurred_at, "
                    "r.line_id, r.amount, r.tax_returned, r.fee_returned, x.by_seq "
                    "FROM refund_line r LEFT JOIN fact_superseded x ON x.seq = r.seq "
                    "WHERE r.channel = $1 AND r.order_id = $2 ORDER BY r.seq, r.line");

/* Makes room for one more element of a list in the arena; its capacities are powers of two. */
static void *grown(struct arena *arena, void *items, size_t count, size_t size)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return items;
    void *more = arena_array(arena, count == 0 ? 1 : 2 * count, size);
    if (more != NULL && count > 0)
        memcpy(more, items, count * size);
    return more;
}

struct loading {
    struct arena *arena;
    struct stored_order *orders;
    struct stored_sale **sales; /* those whose lines are loaded */
};

static enum accord_error read_sale(struct arena *arena, const struct db_row *row,
                                   struct stored_sale *ret)
{
    const struct slice currency = db_get_text(row, 4);
    struct stored_sale sale = {
        .seq = db_get_int(row, 0),
        .id = arena_strdup(arena, db_get_text(row, 1)),
        .event_id = arena_strdup(arena, db_get_text(row, 2)),
        .occurred_at = db_get_int(row, 3),
        .superseded = !db_is_null(row, 5),
    };
    if (sale.id == NULL || sale.event_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (currency.len >= sizeof sale.currency.code)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(sale.currency.code, currency.data, currency.len);
    if (!db_is_null(row, 6)) {
        const struct slice learner = db_get_bytes(row, 6);
        if (learner.len != LEARNER_BYTES)
            return ACCORD_E_DATABASE_ERROR;
        memcpy(sale.learner, learner.data, LEARNER_BYTES);
        sale.has_learner = true;
    }
    *ret = sale;
    return ACCORD_OK;
}

static enum accord_error take_sale(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct stored_order *order = &loading->orders[param_row];
    order->sales = grown(loading->arena, order->sales, order->sale_count, sizeof *order->sales);
    if (order->sales == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return read_sale(loading->arena, row, &order->sales[order->sale_count++]);
}

static enum accord_error take_line(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct stored_sale *sale = loading->sales[param_row];
    sale->lines = grown(loading->arena, sale->lines, sale->line_count, sizeof *sale->lines);
    if (sale->lines == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    /* Lines are numbered from 0 without gaps: anything else is a broken file. */
    if (db_get_int(row, 11) != (int64_t)sale->line_count)
        return ACCORD_E_DATABASE_ERROR;
    struct accord_line *line = &sale->lines[sale->line_count++];
    *line = (struct accord_line){
        .line_id = arena_strdup(loading->arena, db_get_text(row, 0)),
        .provider = arena_strdup(loading->arena, db_get_text(row, 1)),
        .course_id = arena_strdup(loading->arena, db_get_text(row, 2)),
        .quantity = db_get_int(row, 3),
        .paid = db_get_int(row, 4),
        .tax = db_get_int(row, 5),
        .store_fee = db_get_int(row, 6),
        .payment_fee = db_get_int(row, 7),
        .discounts = {db_get_int(row, 8), db_get_int(row, 9), db_get_int(row, 10)},
    };
    return line->line_id == NULL || line->provider == NULL || line->course_id == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error read_refund(struct arena *arena, const struct db_row *row,
                                     struct refund_row *ret)
{
    struct refund_row refund = {
        .seq = db_get_int(row, 0),
        .line = db_get_int(row, 1),
        .refund_id = arena_strdup(arena, db_get_text(row, 2)),
        .event_id = arena_strdup(arena, db_get_text(row, 4)),
        .occurred_at = db_get_int(row, 5),
        .line_id = db_is_null(row, 6) ? NULL : arena_strdup(arena, db_get_text(row, 6)),
        .amount = db_get_int(row, 7),
        .tax_returned = db_get_int(row, 8),
        .fee_returned = db_get_int(row, 9),
        .superseded = !db_is_null(row, 10),
    };
    const struct slice kind = db_get_text(row, 3);
    if (refund.refund_id == NULL || refund.event_id == NULL ||
        (refund.line_id == NULL && !db_is_null(row, 6)))
        return ACCORD_E_OUT_OF_MEMORY;
    size_t i = 0;
    while (i < sizeof kind_names / sizeof *kind_names &&
           !slice_equal(kind, slice_of(kind_names[i])))
        i++;
    if (i == sizeof kind_names / sizeof *kind_names)
        return ACCORD_E_DATABASE_ERROR;
    refund.kind = (enum refund_kind)i;
    *ret = refund;
    return ACCORD_OK;
}

static enum accord_error take_refund(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct stored_order *order = &loading->orders[param_row];
    order->refunds =
        grown(loading->arena, order->refunds, order->refund_count, sizeof *order->refunds);
    if (order->refunds == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct refund_row *refund = &order->refunds[order->refund_count];
    const enum accord_error error = read_refund(loading->arena, row, refund);
    if (error != ACCORD_OK)
        return error;
    refund->channel = order->name.channel;
    refund->order_id = order->name.order_id;
    order->refund_count++;
    return ACCORD_OK;
}

static struct db_value *order_rows(const struct stored_order *orders, size_t count)
{
    struct db_value *values = rows_new(count, 2);
    for (size_t i = 0; values != NULL && i < count; i++) {
        values[2 * i] = db_str(orders[i].name.channel);
        values[2 * i + 1] = db_str(orders[i].name.order_id);
    }
    return values;
}

enum accord_error store_order_refunds_load(struct db *db, struct arena *arena,
                                           struct stored_order *orders, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = order_rows(orders, count);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        orders[i].refunds = NULL;
        orders[i].refund_count = 0;
    }
    struct loading loading = {.arena = arena, .orders = orders};
    return db_query(db, &sql_refunds, values, 2, count, take_refund, &loading);
}

static enum accord_error load_lines(struct db *db, struct loading *loading, size_t count)
{
    loading->sales = arena_array(loading->arena, count, sizeof *loading->sales);
    ROWS values = rows_new(count, 1);
    if (loading->sales == NULL || values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t current = 0;
    for (size_t i = 0; i < count; i++) {
        struct stored_order *order = &loading->orders[i];
        for (size_t j = 0; j < order->sale_count; j++)
            if (!order->sales[j].superseded)
                order->current = &order->sales[j];
        if (order->current != NULL) {
            values[current] = db_int(order->current->seq);
            loading->sales[current++] = order->current;
        }
    }
    return current == 0 ? ACCORD_OK
                        : db_query(db, &sql_lines, values, 1, current, take_line, loading);
}

enum accord_error store_orders_load(struct db *db, struct arena *arena, struct stored_order *orders,
                                    size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = order_rows(orders, count);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        orders[i] = (struct stored_order){.name = orders[i].name};
    struct loading loading = {.arena = arena, .orders = orders};
    enum accord_error error = db_query(db, &sql_sales, values, 2, count, take_sale, &loading);
    if (error == ACCORD_OK)
        error = load_lines(db, &loading, count);
    if (error == ACCORD_OK)
        error = db_query(db, &sql_refunds, values, 2, count, take_refund, &loading);
    return error;
}

/* ---- names ---- */

DB_SQL(sql_name, "SELECT channel, order_id FROM sale WHERE seq = $1");
DB_SQL(sql_names, "SELECT channel, order_id FROM order_key WHERE (channel, order_id) > ($1, $2) "
                  "ORDER BY channel, order_id LIMIT $3");

struct naming {
    struct arena *arena;
    struct order_name *names;
    size_t count;
};

static enum accord_error read_name(struct arena *arena, const struct db_row *row,
                                   struct order_name *ret)
{
    const struct order_name name = {arena_strdup(arena, db_get_text(row, 0)),
                                    arena_strdup(arena, db_get_text(row, 1))};
    if (name.channel == NULL || name.order_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = name;
    return ACCORD_OK;
}

static enum accord_error take_name(void *context, size_t param_row, const struct db_row *row)
{
    const struct naming *naming = context;
    return read_name(naming->arena, row, &naming->names[param_row]);
}

static enum accord_error add_name(void *context, size_t param_row, const struct db_row *row)
{
    struct naming *naming = context;
    (void)param_row;
    return read_name(naming->arena, row, &naming->names[naming->count++]);
}

enum accord_error store_orders_of_sales(struct db *db, struct arena *arena, const int64_t *seqs,
                                        size_t count, struct order_name *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++)
        values[i] = db_int(seqs[i]);
    struct naming naming = {.arena = arena, .names = ret};
    return db_query(db, &sql_name, values, 1, count, take_name, &naming);
}

enum accord_error store_orders_list(struct db *db, struct arena *arena, struct order_name after,
                                    int64_t limit, struct order_name *ret, size_t *ret_count)
{
    struct naming naming = {.arena = arena, .names = ret};
    const struct db_value params[] = {db_str(after.channel), db_str(after.order_id), db_int(limit)};
    const enum accord_error error = db_query(db, &sql_names, params, 3, 1, add_name, &naming);
    if (error == ACCORD_OK)
        *ret_count = naming.count;
    return error;
}

/* ---- one fact's rows ---- */

DB_SQL(sql_sale_of, "SELECT s.seq, s.id, s.event_id, s.occurred_at, s.currency, x.by_seq, "
                    "s.learner, s.channel, s.order_id FROM sale s "
                    "LEFT JOIN fact_superseded x ON x.seq = s.seq WHERE s.seq = $1");
DB_SQL(sql_refund_of, "SELECT r.seq, r.line, r.refund_id, r.kind, r.event_id, r.occurred_at, "
                      "r.line_id, r.amount, r.tax_returned, r.fee_returned, x.by_seq, "
                      "r.channel, r.order_id FROM refund_line r "
                      "LEFT JOIN fact_superseded x ON x.seq = r.seq "
                      "WHERE r.seq = $1 ORDER BY r.line");

struct one_fact {
    struct arena *arena;
    struct stored_sale *sale;
    struct order_name *name;
    bool found;
    struct refund_row *refunds;
    size_t refund_count;
};

static enum accord_error take_one_sale(void *context, size_t param_row, const struct db_row *row)
{
    struct one_fact *one = context;
    (void)param_row;
    const enum accord_error error = read_sale(one->arena, row, one->sale);
    if (error != ACCORD_OK)
        return error;
    *one->name = (struct order_name){arena_strdup(one->arena, db_get_text(row, 7)),
                                     arena_strdup(one->arena, db_get_text(row, 8))};
    one->found = true;
    return one->name->channel == NULL || one->name->order_id == NULL ? ACCORD_E_OUT_OF_MEMORY
                                                                     : ACCORD_OK;
}

enum accord_error store_sale_of_fact(struct db *db, struct arena *arena, int64_t seq,
                                     struct stored_sale *ret, struct order_name *ret_name,
                                     bool *ret_found)
{
    struct one_fact one = {.arena = arena, .sale = ret, .name = ret_name};
    const struct db_value params[] = {db_int(seq)};
    enum accord_error error = db_query(db, &sql_sale_of, params, 1, 1, take_one_sale, &one);
    if (error == ACCORD_OK && one.found) {
        struct loading loading = {.arena = arena, .sales = &one.sale};
        error = db_query(db, &sql_lines, params, 1, 1, take_line, &loading);
    }
    if (error == ACCORD_OK)
        *ret_found = one.found;
    return error;
}

static enum accord_error take_one_refund(void *context, size_t param_row, const struct db_row *row)
{
    struct one_fact *one = context;
    (void)param_row;
    one->refunds = grown(one->arena, one->refunds, one->refund_count, sizeof *one->refunds);
    if (one->refunds == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct refund_row *refund = &one->refunds[one->refund_count++];
    const enum accord_error error = read_refund(one->arena, row, refund);
    if (error != ACCORD_OK)
        return error;
    refund->channel = arena_strdup(one->arena, db_get_text(row, 11));
    refund->order_id = arena_strdup(one->arena, db_get_text(row, 12));
    return refund->channel == NULL || refund->order_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_refund_of_fact(struct db *db, struct arena *arena, int64_t seq,
                                       struct refund_row **ret, size_t *ret_count)
{
    struct one_fact one = {.arena = arena};
    const struct db_value params[] = {db_int(seq)};
    const enum accord_error error =
        db_query(db, &sql_refund_of, params, 1, 1, take_one_refund, &one);
    if (error != ACCORD_OK)
        return error;
    *ret = one.refunds;
    *ret_count = one.refund_count;
    return ACCORD_OK;
}

DB_SQL(order_by_id, "SELECT channel, order_id FROM sale WHERE id = $1");

struct order_by_id {
    struct arena *arena;
    struct order_name name;
    bool found;
};

static enum accord_error take_by_id(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct order_by_id *by_id = context;
    by_id->name.channel = arena_strdup(by_id->arena, db_get_text(row, 0));
    by_id->name.order_id = arena_strdup(by_id->arena, db_get_text(row, 1));
    by_id->found = true;
    return by_id->name.channel == NULL || by_id->name.order_id == NULL ? ACCORD_E_OUT_OF_MEMORY
                                                                       : ACCORD_OK;
}

enum accord_error store_order_by_id(struct db *db, struct arena *arena, const char *id,
                                    bool *ret_found, struct order_name *ret)
{
    struct order_by_id by_id = {.arena = arena};
    const struct db_value params[] = {db_str(id)};
    const enum accord_error error = db_query(db, &order_by_id, params, 1, 1, take_by_id, &by_id);
    if (error != ACCORD_OK)
        return error;
    *ret_found = by_id.found;
    if (by_id.found)
        *ret = by_id.name;
    return ACCORD_OK;
}
