#include "store/statements.h"

#include <string.h>

#include "store/rows.h"

/* The last state by seq stands. */
#define STATE                                                                                      \
    "(SELECT x.state FROM statement_state x WHERE x.statement = s.id "                             \
    "ORDER BY x.seq DESC LIMIT 1)"
#define COLUMNS                                                                                    \
    "s.id, s.partner, s.agreement, s.day, s.label, s.seq, s.currency, s.opening, s.earned, "       \
    "s.closing, s.due, s.payable, s.previous, s.lines_hash, s.hash, s.published_at, "              \
    "s.dispute_until, "
enum { COLUMN_COUNT = 17 };
#define WITH_BODY COLUMNS "s.body, " STATE " FROM statement s "
#define WITHOUT_BODY COLUMNS "'', " STATE " FROM statement s "

DB_SQL(sql_insert,
       "INSERT INTO statement (id, partner, agreement, day, label, seq, currency, opening, earned, "
       "closing, due, payable, previous, lines_hash, hash, body, published_at, dispute_until) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)");
DB_SQL(sql_state_insert, "INSERT INTO statement_state (statement, seq, state, changed_at, "
                         "changed_by, partner) VALUES ($1, $2, $3, $4, $5, $6)");

enum accord_error
store_statement_states_insert(struct db *db, const struct statement_state_row *rows, size_t count)
{
    enum { STATE_COLUMNS = 6 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, STATE_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[STATE_COLUMNS * i];
        v[0] = db_str(rows[i].statement);
        v[1] = db_int(rows[i].seq);
        v[2] = db_str(rows[i].state);
        v[3] = db_int(rows[i].changed_at);
        v[4] = db_str(rows[i].changed_by);
        v[5] = db_str(rows[i].partner);
    }
    return db_run(db, &sql_state_insert, values, STATE_COLUMNS, count, NULL);
}

enum accord_error store_statements_insert(struct db *db, const struct statement_row *rows,
                                          size_t count, const char *by)
{
    enum { INSERT_COLUMNS = 18 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, INSERT_COLUMNS);
    struct statement_state_row *states = calloc(count, sizeof *states);
    enum accord_error error = values == NULL || states == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct statement_row *row = &rows[i];
        struct db_value *v = &values[INSERT_COLUMNS * i];
        v[0] = db_str(row->id);
        v[1] = db_str(row->partner);
        v[2] = db_str(row->agreement);
        v[3] = db_int(row->day);
        v[4] = db_str(row->label);
        v[5] = db_int(row->seq);
        v[6] = db_str(row->currency);
        v[7] = db_int(row->opening);
        v[8] = db_int(row->earned);
        v[9] = db_int(row->closing);
        v[10] = db_int(row->due);
        v[11] = db_int(row->payable);
        v[12] = db_str(row->previous);
        v[13] = db_hash(&row->lines_hash);
        v[14] = db_hash(&row->hash);
        v[15] = db_text(row->body);
        v[16] = db_int(row->published_at);
        v[17] = db_int(row->dispute_until);
        states[i] = (struct statement_state_row){row->id,     row->partner,      row->seq,
                                                 "published", row->published_at, by};
    }
    if (error == ACCORD_OK)
        error = db_run(db, &sql_insert, values, INSERT_COLUMNS, count, NULL);
    if (error == ACCORD_OK)
        error = store_statement_states_insert(db, states, count);
    free(states);
    return error;
}

/* ---- reading ---- */

DB_SQL(sql_find, "SELECT " WITH_BODY "WHERE s.id = $1");
DB_SQL(sql_list,
       "SELECT " WITH_BODY "WHERE (s.seq, s.id) > ($1, $2) ORDER BY s.seq, s.id LIMIT $3");
DB_SQL(sql_list_partner, "SELECT " WITH_BODY "WHERE (s.seq, s.id) > ($1, $2) AND s.partner = $4 "
                         "ORDER BY s.seq, s.id LIMIT $3");
DB_SQL(sql_list_agreement,
       "SELECT " WITH_BODY "WHERE (s.seq, s.id) > ($1, $2) AND s.agreement = $4 "
       "ORDER BY s.seq, s.id LIMIT $3");
DB_SQL(sql_list_both, "SELECT " WITH_BODY "WHERE (s.seq, s.id) > ($1, $2) AND s.partner = $4 "
                      "AND s.agreement = $5 ORDER BY s.seq, s.id LIMIT $3");
DB_SQL(sql_period, "SELECT " WITH_BODY "WHERE s.agreement = $1 AND s.day = $2 ORDER BY s.partner");
DB_SQL(sql_last, "SELECT " WITHOUT_BODY "WHERE s.agreement = $1 AND s.day < $2 AND NOT EXISTS "
                 "(SELECT 1 FROM statement later WHERE later.partner = s.partner AND "
                 "later.agreement = s.agreement AND later.day > s.day AND later.day < $2) "
                 "ORDER BY s.partner");
DB_SQL(sql_each, "SELECT " WITH_BODY "ORDER BY s.agreement, s.partner, s.day");

static bool take_hash(struct slice bytes, struct hash *ret)
{
    if (bytes.len != sizeof ret->bytes)
        return false;
    memcpy(ret->bytes, bytes.data, bytes.len);
    return true;
}

static enum accord_error read_row(struct arena *arena, const struct db_row *row,
                                  struct statement_row *ret)
{
    const struct slice body = db_get_text(row, COLUMN_COUNT);
    *ret = (struct statement_row){
        .id = arena_strdup(arena, db_get_text(row, 0)),
        .partner = arena_strdup(arena, db_get_text(row, 1)),
        .agreement = arena_strdup(arena, db_get_text(row, 2)),
        .day = db_get_int(row, 3),
        .label = arena_strdup(arena, db_get_text(row, 4)),
        .seq = db_get_int(row, 5),
        .currency = arena_strdup(arena, db_get_text(row, 6)),
        .opening = db_get_int(row, 7),
        .earned = db_get_int(row, 8),
        .closing = db_get_int(row, 9),
        .due = db_get_int(row, 10),
        .payable = db_get_int(row, 11),
        .previous = arena_strdup(arena, db_get_text(row, 12)),
        .published_at = db_get_int(row, 15),
        .dispute_until = db_get_int(row, 16),
        .body = {arena_strdup(arena, body), body.len},
        .state = arena_strdup(arena, db_get_text(row, COLUMN_COUNT + 1)),
    };
    if (!take_hash(db_get_bytes(row, 13), &ret->lines_hash) ||
        !take_hash(db_get_bytes(row, 14), &ret->hash))
        return ACCORD_E_DATABASE_ERROR;
    return ret->id == NULL || ret->partner == NULL || ret->agreement == NULL ||
                   ret->label == NULL || ret->currency == NULL || ret->previous == NULL ||
                   ret->body.data == NULL || ret->state == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

struct rows {
    struct arena *arena;
    struct statement_row *items;
    size_t count;
    size_t cap;
    statement_row_fn *each; /* or NULL: kept in items */
    void *context;
};

static enum accord_error take_row(void *context, size_t param_row, const struct db_row *row)
{
    struct rows *rows = context;
    (void)param_row;
    if (rows->each != NULL) {
        struct statement_row one;
        arena_reset(rows->arena);
        const enum accord_error error = read_row(rows->arena, row, &one);
        return error != ACCORD_OK ? error : rows->each(rows->context, &one);
    }
    struct statement_row *items =
        arena_room(rows->arena, rows->items, rows->count, &rows->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    rows->items = items;
    return read_row(rows->arena, row, &rows->items[rows->count++]);
}

static enum accord_error query_rows(struct db *db, struct arena *arena, const struct db_sql *sql,
                                    const struct db_value *params, size_t columns,
                                    struct statement_row **ret, size_t *ret_count)
{
    struct rows rows = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, take_row, &rows);
    if (error != ACCORD_OK)
        return error;
    *ret = rows.items;
    *ret_count = rows.count;
    return ACCORD_OK;
}

enum accord_error store_statement_find(struct db *db, struct arena *arena, const char *id,
                                       bool *ret_found, struct statement_row *ret)
{
    const struct db_value params[] = {db_str(id)};
    struct statement_row *rows;
    size_t count;
    const enum accord_error error = query_rows(db, arena, &sql_find, params, 1, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    *ret_found = count == 1;
    if (count == 1)
        *ret = rows[0];
    return ACCORD_OK;
}

enum accord_error store_statement_list(struct db *db, struct arena *arena,
                                       const struct statement_filter *filter,
                                       struct statement_row **ret, size_t *ret_count)
{
    const char *by = filter->partner != NULL ? filter->partner : filter->agreement;
    const struct db_value params[] = {db_int(filter->after_seq), db_str(filter->after_id),
                                      db_int(filter->limit), db_str(by), db_str(filter->agreement)};
    const struct db_sql *sql = &sql_list;
    size_t columns = 3;
    if (filter->partner != NULL && filter->agreement != NULL) {
        sql = &sql_list_both;
        columns = 5;
    } else if (by != NULL) {
        sql = filter->partner != NULL ? &sql_list_partner : &sql_list_agreement;
        columns = 4;
    }
    return query_rows(db, arena, sql, params, columns, ret, ret_count);
}

enum accord_error store_statements_of_period(struct db *db, struct arena *arena,
                                             const char *agreement, int64_t day,
                                             struct statement_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(agreement), db_int(day)};
    return query_rows(db, arena, &sql_period, params, 2, ret, ret_count);
}

enum accord_error store_statements_last(struct db *db, struct arena *arena, const char *agreement,
                                        int64_t day, struct statement_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(agreement), db_int(day)};
    return query_rows(db, arena, &sql_last, params, 2, ret, ret_count);
}

enum accord_error store_statements_each(struct db *db, statement_row_fn *each, void *context)
{
    /* A body grows with the number of counterparties and periods that it adjusts. */
    enum { ONE_ROW_MAX = 64 << 20 };
    struct rows rows = {.arena = arena_new(ONE_ROW_MAX), .each = each, .context = context};
    if (rows.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_each, NULL, 0, 1, take_row, &rows);
    arena_free(rows.arena);
    return error;
}

/* ---- what was earned ---- */

DB_SQL(sql_earned, "SELECT partner, day, earned FROM statement WHERE agreement = $1 AND day >= $2 "
                   "AND day < $3 ORDER BY partner, day");

struct earned_rows {
    struct arena *arena;
    struct statement_earned *items;
    size_t count;
    size_t cap;
};

static enum accord_error take_earned(void *context, size_t param_row, const struct db_row *row)
{
    struct earned_rows *rows = context;
    (void)param_row;
    struct statement_earned *items =
        arena_room(rows->arena, rows->items, rows->count, &rows->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    rows->items = items;
    struct statement_earned *next = &rows->items[rows->count++];
    *next = (struct statement_earned){arena_strdup(rows->arena, db_get_text(row, 0)),
                                      db_get_int(row, 1), db_get_int(row, 2)};
    return next->partner == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_statements_earned(struct db *db, struct arena *arena, const char *agreement,
                                          int64_t from, int64_t to, struct statement_earned **ret,
                                          size_t *ret_count)
{
    struct earned_rows rows = {.arena = arena};
    const struct db_value params[] = {db_str(agreement), db_int(from), db_int(to)};
    const enum accord_error error = db_query(db, &sql_earned, params, 3, 1, take_earned, &rows);
    if (error != ACCORD_OK)
        return error;
    *ret = rows.items;
    *ret_count = rows.count;
    return ACCORD_OK;
}

/* ---- adjustments and payments ---- */

DB_SQL(sql_adjustments,
       "SELECT a.seq, CAST(COALESCE(x.by_seq, 0) AS BIGINT), a.adjustment_id, a.payee, "
       "a.funded_by, a.currency, a.amount, a.reason, a.of_period FROM adjustment_fact a "
       "LEFT JOIN fact_superseded x ON x.seq = a.seq AND x.by_seq <= $2 "
       "WHERE a.agreement = $1 AND a.seq <= $2 ORDER BY a.seq");
DB_SQL(sql_payments,
       "SELECT partner, reference, currency, CAST(SUM(amount) AS BIGINT) FROM posting "
       "WHERE agreement = $1 AND kind = 'payment' AND seq > $2 AND seq <= $3 "
       "AND account = 'settlement' GROUP BY partner, reference, currency "
       "ORDER BY partner, reference, currency");
DB_SQL(sql_balance, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM posting "
                    "WHERE partner = $1 AND account = 'settlement' AND agreement = $2 "
                    "AND seq <= $3");

struct things {
    struct arena *arena;
    char *items;
    size_t count;
    size_t cap;
};

static void *add_thing(struct things *things, size_t size)
{
    char *items = arena_room(things->arena, things->items, things->count, &things->cap, size);
    if (items == NULL)
        return NULL;
    things->items = items;
    return things->items + size * things->count++;
}

static enum accord_error take_adjustment(void *context, size_t param_row, const struct db_row *row)
{
    struct things *things = context;
    struct statement_adjustment *next = add_thing(things, sizeof *next);
    (void)param_row;
    if (next == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *next = (struct statement_adjustment){
        .seq = db_get_int(row, 0),
        .superseded = db_get_int(row, 1),
        .adjustment_id = arena_strdup(things->arena, db_get_text(row, 2)),
        .payee = arena_strdup(things->arena, db_get_text(row, 3)),
        .funded_by = arena_strdup(things->arena, db_get_text(row, 4)),
        .currency = arena_strdup(things->arena, db_get_text(row, 5)),
        .amount = db_get_int(row, 6),
        .reason = arena_strdup(things->arena, db_get_text(row, 7)),
        .of_period = arena_strdup(things->arena, db_get_text(row, 8)),
    };
    return next->adjustment_id == NULL || next->payee == NULL || next->funded_by == NULL ||
                   next->currency == NULL || next->reason == NULL || next->of_period == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_statement_adjustments(struct db *db, struct arena *arena,
                                              const char *agreement, int64_t cutoff,
                                              struct statement_adjustment **ret, size_t *ret_count)
{
    struct things things = {.arena = arena};
    const struct db_value params[] = {db_str(agreement), db_int(cutoff)};
    const enum accord_error error =
        db_query(db, &sql_adjustments, params, 2, 1, take_adjustment, &things);
    if (error != ACCORD_OK)
        return error;
    *ret = (void *)things.items;
    *ret_count = things.count;
    return ACCORD_OK;
}

static enum accord_error take_payment(void *context, size_t param_row, const struct db_row *row)
{
    struct things *things = context;
    (void)param_row;
    if (db_get_int(row, 3) == 0)
        return ACCORD_OK;
    struct statement_payment *next = add_thing(things, sizeof *next);
    if (next == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *next = (struct statement_payment){
        .partner = arena_strdup(things->arena, db_get_text(row, 0)),
        .payment = arena_strdup(things->arena, db_get_text(row, 1)),
        .currency = arena_strdup(things->arena, db_get_text(row, 2)),
        .amount = db_get_int(row, 3),
    };
    return next->partner == NULL || next->payment == NULL || next->currency == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_statement_payments(struct db *db, struct arena *arena,
                                           const char *agreement, int64_t after, int64_t cutoff,
                                           struct statement_payment **ret, size_t *ret_count)
{
    struct things things = {.arena = arena};
    const struct db_value params[] = {db_str(agreement), db_int(after), db_int(cutoff)};
    const enum accord_error error =
        db_query(db, &sql_payments, params, 3, 1, take_payment, &things);
    if (error != ACCORD_OK)
        return error;
    *ret = (void *)things.items;
    *ret_count = things.count;
    return ACCORD_OK;
}

static enum accord_error take_balance(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_statement_balance(struct db *db, const char *partner, const char *agreement,
                                          int64_t seq, int64_t *ret)
{
    const struct db_value params[] = {db_str(partner), db_str(agreement), db_int(seq)};
    return db_query(db, &sql_balance, params, 3, 1, take_balance, ret);
}
