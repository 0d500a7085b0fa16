#include "store/entries.h"

#include <string.h>

#include "store/rows.h"

DB_SQL(sql_entry, "INSERT INTO entry (sale_seq, line, number, seq, generation, agreement, version, "
                  "held, day, booked, channel, provider, course_id, currency, "
                  "sale_currency, " ENTRY_NUMBER_COLUMNS ") "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
                  "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)");
DB_SQL(sql_share, "INSERT INTO entry_share (sale_seq, line, number, payee, amount) "
                  "VALUES ($1, $2, $3, $4, $5)");

static enum accord_error insert_shares(struct db *db, const struct entry_row *rows, size_t count)
{
    enum { COLUMNS = 5 };
    size_t shares = 0;
    for (size_t i = 0; i < count; i++)
        shares += rows[i].share_count;
    if (shares == 0)
        return ACCORD_OK;
    ROWS values = rows_new(shares, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct db_value *v = values;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rows[i].share_count; j++, v += COLUMNS) {
            v[0] = db_int(rows[i].sale_seq);
            v[1] = db_int(rows[i].line);
            v[2] = db_int(rows[i].number);
            v[3] = db_str(rows[i].shares[j].payee);
            v[4] = db_int(rows[i].shares[j].amount);
        }
    return db_run(db, &sql_share, values, COLUMNS, shares, NULL);
}

enum accord_error store_entries_insert(struct db *db, const struct entry_row *rows, size_t count)
{
    enum { KEYS = 15, COLUMNS = KEYS + ENTRY_NUMBERS };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct entry_row *row = &rows[i];
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_int(row->sale_seq);
        v[1] = db_int(row->line);
        v[2] = db_int(row->number);
        v[3] = db_int(row->seq);
        v[4] = db_int(row->generation);
        v[5] = db_str(row->agreement);
        v[6] = db_int(row->version);
        v[7] = db_str(row->held);
        v[8] = db_int(row->day);
        v[9] = db_int(row->booked);
        v[10] = db_str(row->channel);
        v[11] = db_str(row->provider);
        v[12] = db_str(row->course_id);
        v[13] = db_str(row->currency);
        v[14] = db_str(row->sale_currency);
        for (size_t j = 0; j < ENTRY_NUMBERS; j++)
            v[KEYS + j] = db_int(row->numbers[j]);
    }
    const enum accord_error error = db_run(db, &sql_entry, values, COLUMNS, count, NULL);
    return error != ACCORD_OK ? error : insert_shares(db, rows, count);
}

/* ---- loading ---- */

DB_SQL(sql_load,
       "SELECT line, number, seq, generation, agreement, version, held, day, booked, "
       "channel, provider, course_id, currency, sale_currency, " ENTRY_NUMBER_COLUMNS " FROM entry "
       "WHERE sale_seq = $1 ORDER BY line, number");
DB_SQL(sql_load_shares, "SELECT line, number, payee, amount FROM entry_share WHERE sale_seq = $1 "
                        "ORDER BY line, number, payee");

struct loading {
    struct arena *arena;
    struct entry_list *lists;
    struct entry_row *at; /* where the last share belonged */
    size_t at_list;
};

static enum accord_error take_entry(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct arena *arena = loading->arena;
    struct entry_list *list = &loading->lists[param_row];
    if (list->count == list->cap) {
        const size_t cap = list->cap == 0 ? 1 : 2 * list->cap;
        struct entry_row *rows = arena_array(arena, cap, sizeof *rows);
        if (rows == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (list->count > 0)
            memcpy(rows, list->rows, list->count * sizeof *rows);
        list->rows = rows;
        list->cap = cap;
    }
    struct entry_row *entry = &list->rows[list->count++];
    *entry = (struct entry_row){
        .sale_seq = list->sale_seq,
        .line = db_get_int(row, 0),
        .number = db_get_int(row, 1),
        .seq = db_get_int(row, 2),
        .generation = db_get_int(row, 3),
        .agreement = arena_strdup(arena, db_get_text(row, 4)),
        .version = db_get_int(row, 5),
        .held = arena_strdup(arena, db_get_text(row, 6)),
        .day = db_get_int(row, 7),
        .booked = db_get_int(row, 8),
        .channel = arena_strdup(arena, db_get_text(row, 9)),
        .provider = arena_strdup(arena, db_get_text(row, 10)),
        .course_id = arena_strdup(arena, db_get_text(row, 11)),
        .currency = arena_strdup(arena, db_get_text(row, 12)),
        .sale_currency = arena_strdup(arena, db_get_text(row, 13)),
    };
    for (unsigned i = 0; i < ENTRY_NUMBERS; i++)
        entry->numbers[i] = db_get_int(row, 14 + i);
    return entry->agreement == NULL || entry->held == NULL || entry->channel == NULL ||
                   entry->provider == NULL || entry->course_id == NULL || entry->currency == NULL ||
                   entry->sale_currency == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

/* Shares come in the order of their entries, so each is found where the last one was, or behind. */
static enum accord_error take_share(void *context, size_t param_row, const struct db_row *row)
{
    struct loading *loading = context;
    struct entry_list *list = &loading->lists[param_row];
    if (loading->at == NULL || loading->at_list != param_row) {
        loading->at = list->rows;
        loading->at_list = param_row;
    }
    const int64_t line = db_get_int(row, 0);
    const int64_t number = db_get_int(row, 1);
    const struct entry_row *end = list->rows + list->count;
    while (loading->at < end && (loading->at->line != line || loading->at->number != number))
        loading->at++;
    if (loading->at == end || loading->at->share_count == ENTRY_SHARES_MAX)
        return ACCORD_E_DATABASE_ERROR; /* a share without its entry */
    struct entry_share *share = &loading->at->shares[loading->at->share_count++];
    share->payee = arena_strdup(loading->arena, db_get_text(row, 2));
    share->amount = db_get_int(row, 3);
    return share->payee == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static struct db_value *number_rows(const int64_t *numbers, size_t count)
{
    struct db_value *values = rows_new(count, 1);
    for (size_t i = 0; values != NULL && i < count; i++)
        values[i] = db_int(numbers[i]);
    return values;
}

enum accord_error store_entries_load(struct db *db, struct arena *arena, struct entry_list *lists,
                                     size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        lists[i] = (struct entry_list){.sale_seq = lists[i].sale_seq};
        values[i] = db_int(lists[i].sale_seq);
    }
    struct loading loading = {.arena = arena, .lists = lists};
    const enum accord_error error = db_query(db, &sql_load, values, 1, count, take_entry, &loading);
    if (error != ACCORD_OK)
        return error;
    return db_query(db, &sql_load_shares, values, 1, count, take_share, &loading);
}

/* ---- lists of numbers ---- */

struct numbers {
    int64_t *items;
    size_t count;
};

static enum accord_error add_number(void *context, size_t param_row, const struct db_row *row)
{
    struct numbers *numbers = context;
    (void)param_row;
    numbers->items[numbers->count++] = db_get_int(row, 0);
    return ACCORD_OK;
}

static enum accord_error query_numbers(struct db *db, const struct db_sql *sql,
                                       const struct db_value *params, size_t columns, int64_t *ret,
                                       size_t *ret_count)
{
    struct numbers numbers = {.items = ret};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_number, &numbers);
    if (error == ACCORD_OK)
        *ret_count = numbers.count;
    return error;
}

static enum accord_error query_number(struct db *db, const struct db_sql *sql, int64_t *ret)
{
    int64_t number = 0;
    size_t count = 0;
    const enum accord_error error = query_numbers(db, sql, NULL, 0, &number, &count);
    if (error == ACCORD_OK)
        *ret = number;
    return error;
}

static enum accord_error take_yes(void *context, size_t param_row, const struct db_row *row)
{
    (void)row;
    ((bool *)context)[param_row] = true;
    return ACCORD_OK;
}

DB_SQL(sql_entry_sales, "SELECT DISTINCT sale_seq FROM entry WHERE sale_seq > $1 "
                        "ORDER BY sale_seq LIMIT $2");
DB_SQL(sql_orphans,
       "SELECT CAST(COUNT(*) AS BIGINT) FROM entry_share s WHERE NOT EXISTS (SELECT 1 FROM entry e "
       "WHERE e.sale_seq = s.sale_seq AND e.line = s.line AND e.number = s.number)");

enum accord_error store_entry_sales(struct db *db, int64_t after, int64_t limit, int64_t *ret,
                                    size_t *ret_count)
{
    const struct db_value params[] = {db_int(after), db_int(limit)};
    return query_numbers(db, &sql_entry_sales, params, 2, ret, ret_count);
}

enum accord_error store_shares_orphaned(struct db *db, int64_t *ret)
{
    return query_number(db, &sql_orphans, ret);
}

/* ---- unmatched lines ---- */

DB_SQL(sql_unmatched_add, "INSERT INTO unmatched_line (provider, course_id, sale_seq, line) "
                          "VALUES ($1, $2, $3, $4) "
                          "ON CONFLICT (provider, course_id, sale_seq, line) DO NOTHING");
DB_SQL(sql_unmatched_drop, "DELETE FROM unmatched_line WHERE provider = $1 AND course_id = $2 "
                           "AND sale_seq = $3 AND line = $4");
DB_SQL(sql_unmatched_known, "SELECT 1 FROM unmatched_line WHERE provider = $1 AND course_id = $2 "
                            "AND sale_seq = $3 AND line = $4");
DB_SQL(sql_unmatched_count, "SELECT CAST(COUNT(*) AS BIGINT) FROM unmatched_line");

enum { UNMATCHED_COLUMNS = 4 };

static struct db_value *unmatched_rows(const struct unmatched_row *rows, size_t count)
{
    struct db_value *values = rows_new(count, UNMATCHED_COLUMNS);
    for (size_t i = 0; values != NULL && i < count; i++) {
        struct db_value *v = &values[UNMATCHED_COLUMNS * i];
        v[0] = db_str(rows[i].provider);
        v[1] = db_str(rows[i].course_id);
        v[2] = db_int(rows[i].sale_seq);
        v[3] = db_int(rows[i].line);
    }
    return values;
}

static enum accord_error run_unmatched(struct db *db, const struct db_sql *sql,
                                       const struct unmatched_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = unmatched_rows(rows, count);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return db_run(db, sql, values, UNMATCHED_COLUMNS, count, NULL);
}

enum accord_error store_unmatched_insert(struct db *db, const struct unmatched_row *rows,
                                         size_t count)
{
    return run_unmatched(db, &sql_unmatched_add, rows, count);
}

enum accord_error store_unmatched_delete(struct db *db, const struct unmatched_row *rows,
                                         size_t count)
{
    return run_unmatched(db, &sql_unmatched_drop, rows, count);
}

enum accord_error store_unmatched_known(struct db *db, const struct unmatched_row *rows,
                                        size_t count, bool *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = unmatched_rows(rows, count);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    return db_query(db, &sql_unmatched_known, values, UNMATCHED_COLUMNS, count, take_yes, ret);
}

enum accord_error store_unmatched_count(struct db *db, int64_t *ret)
{
    return query_number(db, &sql_unmatched_count, ret);
}

/* ---- settling again ---- */

DB_SQL(sql_head, "SELECT visible, staging, (SELECT CAST(COUNT(*) AS BIGINT) FROM resettle) "
                 "FROM resettle_head WHERE id = 1");
DB_SQL(sql_head_idle, "SELECT visible, staging FROM resettle_head WHERE id = 1");
DB_SQL(sql_head_set, "UPDATE resettle_head SET visible = $1, staging = $2 WHERE id = 1");
DB_SQL(sql_queued, "SELECT 1 FROM resettle WHERE sale_seq = $1");
/* A term counts as a year of months. */
DB_SQL(sql_take, "SELECT r.sale_seq, (SELECT CAST(COUNT(*) AS BIGINT) FROM sale_line l "
                 "WHERE l.seq = r.sale_seq) + 12 * (SELECT CAST(COUNT(*) AS BIGINT) "
                 "FROM membership_term m WHERE m.seq = r.sale_seq) "
                 "FROM resettle r ORDER BY r.sale_seq LIMIT $1");
DB_SQL(sql_remove, "DELETE FROM resettle WHERE sale_seq = $1");

static enum accord_error take_head(void *context, size_t param_row, const struct db_row *row)
{
    struct resettle_head *head = context;
    (void)param_row;
    head->visible = db_get_int(row, 0);
    head->staging = db_get_int(row, 1);
    return ACCORD_OK;
}

static enum accord_error take_full_head(void *context, size_t param_row, const struct db_row *row)
{
    struct resettle_head *head = context;
    head->waiting = db_get_int(row, 2);
    return take_head(context, param_row, row);
}

enum accord_error store_resettle_head(struct db *db, struct resettle_head *ret)
{
    struct resettle_head head = {.staging = -1};
    enum accord_error error = db_query(db, &sql_head_idle, NULL, 0, 1, take_head, &head);
    /* Counting is for the time in which there is something to count. */
    if (error == ACCORD_OK && head.staging > 0)
        error = db_query(db, &sql_head, NULL, 0, 1, take_full_head, &head);
    if (error == ACCORD_OK && head.staging < 0)
        error = ACCORD_E_DATABASE_ERROR;
    if (error == ACCORD_OK)
        *ret = head;
    return error;
}

enum accord_error store_resettle_head_set(struct db *db, int64_t visible, int64_t staging)
{
    const struct db_value params[] = {db_int(visible), db_int(staging)};
    return db_run(db, &sql_head_set, params, 2, 1, NULL);
}

enum accord_error store_resettle_pending(struct db *db, bool *ret)
{
    struct resettle_head head = {.staging = 0};
    const enum accord_error error = db_query(db, &sql_head_idle, NULL, 0, 1, take_head, &head);
    if (error == ACCORD_OK)
        *ret = head.staging > 0;
    return error;
}

enum accord_error store_resettle_queued(struct db *db, const int64_t *seqs, size_t count, bool *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = number_rows(seqs, count);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    return db_query(db, &sql_queued, values, 1, count, take_yes, ret);
}

struct piece {
    struct numbers sales;
    int64_t lines_left;
    bool full;
};

static enum accord_error add_to_piece(void *context, size_t param_row, const struct db_row *row)
{
    struct piece *piece = context;
    const int64_t lines = db_get_int(row, 1);
    if (piece->full || (piece->sales.count > 0 && lines > piece->lines_left)) {
        piece->full = true;
        return ACCORD_OK;
    }
    piece->lines_left -= lines;
    return add_number(&piece->sales, param_row, row);
}

enum accord_error store_resettle_take(struct db *db, int64_t sales_max, int64_t lines_max,
                                      int64_t *ret, size_t *ret_count)
{
    struct piece piece = {.sales.items = ret, .lines_left = lines_max};
    const struct db_value params[] = {db_int(sales_max)};
    const enum accord_error error = db_query(db, &sql_take, params, 1, 1, add_to_piece, &piece);
    if (error == ACCORD_OK)
        *ret_count = piece.sales.count;
    return error;
}

enum accord_error store_resettle_remove(struct db *db, const int64_t *seqs, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = number_rows(seqs, count);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return db_run(db, &sql_remove, values, 1, count, NULL);
}

/* A channel's sales of a time are found by index; superseded ones have nothing to settle. */
#define SCOPED                                                                                     \
    "FROM sale s JOIN sale_line l ON l.seq = s.seq WHERE s.channel = $2 AND l.provider = $1 "      \
    "AND s.occurred_at >= $3 AND s.occurred_at < $4 AND ($5 = '' OR s.currency = $5) "             \
    "AND NOT EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = s.seq)"
#define QUEUE(seq) "INSERT INTO resettle (sale_seq, asked_seq) SELECT DISTINCT s.seq, " seq " "
#define ONCE " ON CONFLICT (sale_seq) DO NOTHING"

DB_SQL(sql_find, "SELECT s.seq " SCOPED " LIMIT $6");
DB_SQL(sql_queue, QUEUE("CAST($6 AS BIGINT)") SCOPED ONCE);

enum { SCOPE_PARAMS = 6 };

/* Parameters of a scope with `last` behind them. */
static void scope_params(const struct resettle_scope *scope, int64_t last,
                         struct db_value ret[SCOPE_PARAMS])
{
    ret[0] = db_str(scope->provider);
    ret[1] = db_str(scope->channel);
    ret[2] = db_int(scope->from_us);
    ret[3] = db_int(scope->to_us);
    ret[4] = db_str(scope->currency);
    ret[5] = db_int(last);
}

enum accord_error store_resettle_find(struct db *db, const struct resettle_scope *scope,
                                      int64_t limit, int64_t *ret, size_t *ret_count)
{
    struct db_value params[SCOPE_PARAMS];
    scope_params(scope, limit, params);
    return query_numbers(db, &sql_find, params, SCOPE_PARAMS, ret, ret_count);
}

enum accord_error store_resettle_queue(struct db *db, const struct resettle_scope *scope,
                                       int64_t seq)
{
    struct db_value params[SCOPE_PARAMS];
    scope_params(scope, seq, params);
    return db_run(db, &sql_queue, params, SCOPE_PARAMS, 1, NULL);
}

DB_SQL(sql_queue_sale, "INSERT INTO resettle (sale_seq, asked_seq) VALUES ($1, $2)" ONCE);

enum accord_error store_resettle_queue_sales(struct db *db, const int64_t *sales, size_t count,
                                             int64_t seq)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_int(sales[i]);
        values[2 * i + 1] = db_int(seq);
    }
    return db_run(db, &sql_queue_sale, values, 2, count, NULL);
}

#define ARRIVED                                                                                    \
    "FROM unmatched_line u JOIN provider_catalog p ON p.provider = u.provider "                    \
    "WHERE u.provider = $1 AND EXISTS (SELECT 1 FROM course c WHERE c.provider = u.provider "      \
    "AND c.course_id = u.course_id AND c.gen_from <= p.generation)"

DB_SQL(sql_find_arrived, "SELECT u.sale_seq " ARRIVED " LIMIT $2");
DB_SQL(sql_queue_arrived, "INSERT INTO resettle (sale_seq, asked_seq) "
                          "SELECT DISTINCT u.sale_seq, CAST($2 AS BIGINT) " ARRIVED ONCE);

enum accord_error store_resettle_find_arrived(struct db *db, const char *provider, int64_t limit,
                                              int64_t *ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(provider), db_int(limit)};
    return query_numbers(db, &sql_find_arrived, params, 2, ret, ret_count);
}

enum accord_error store_resettle_queue_arrived(struct db *db, const char *provider, int64_t seq)
{
    const struct db_value params[] = {db_str(provider), db_int(seq)};
    return db_run(db, &sql_queue_arrived, params, 2, 1, NULL);
}
