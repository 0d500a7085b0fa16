#include "store/rates.h"

#include <string.h>

#include "store/rows.h"

/* The version of a day that stands. */
#define STANDS(rate)                                                                               \
    rate ".version = (SELECT MAX(d.version) FROM fx_day d WHERE d.base = " rate                    \
         ".base AND d.day = " rate ".day)"

DB_SQL(sql_head, "SELECT (SELECT MAX(day) FROM fx_day WHERE base = $1), "
                 "(SELECT MAX(seq) FROM fx_day WHERE base = $1)");
DB_SQL(sql_day, "INSERT INTO fx_day (base, day, version, source, reason, loaded_at, loaded_by, "
                "seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_rate, "INSERT INTO fx_rate (base, currency, day, version, rate) "
                 "VALUES ($1, $2, $3, $4, $5)");
DB_SQL(sql_currency, "INSERT INTO fx_currency (base, currency) VALUES ($1, $2) "
                     "ON CONFLICT (base, currency) DO NOTHING");

#define DAY_COLUMNS                                                                                \
    "SELECT f.day, f.version, f.source, f.reason, f.loaded_at, f.loaded_by, f.seq FROM fx_day f "
DB_SQL(sql_days, DAY_COLUMNS "WHERE f.base = $1 AND f.day = $2 AND " STANDS("f"));
DB_SQL(sql_list,
       DAY_COLUMNS "WHERE f.base = $1 AND f.day > $2 AND " STANDS("f") " ORDER BY f.day LIMIT $3");

#define RATE_COLUMNS "SELECT r.currency, r.day, r.version, r.rate "
#define OF_CURRENCY "FROM fx_rate r WHERE r.base = $1 AND r.currency = $2 AND " STANDS("r")
/* CROSS JOIN keeps currencies the outer loop on SQLite, each with one look-up; else its planner
 * walks through all rates. */
DB_SQL(sql_of, RATE_COLUMNS "FROM fx_currency c CROSS JOIN fx_rate r "
                            "WHERE r.base = c.base AND r.currency = c.currency AND c.base = $1 AND "
                            "r.day = $2 AND r.version = $3 ORDER BY c.currency");
DB_SQL(sql_applying, RATE_COLUMNS
       "FROM fx_currency c CROSS JOIN fx_rate r WHERE r.base = c.base "
       "AND r.currency = c.currency AND c.base = $1 AND r.day = (SELECT MAX(x.day) FROM fx_rate x "
       "WHERE x.base = c.base AND x.currency = c.currency AND x.day <= $2 AND " STANDS(
           "x") ") "
                "AND " STANDS("r") " ORDER BY c.currency");
DB_SQL(sql_series, RATE_COLUMNS OF_CURRENCY " AND r.day >= $3 AND r.day < $4 ORDER BY r.day");
DB_SQL(sql_before, RATE_COLUMNS OF_CURRENCY " AND r.day < $3 ORDER BY r.day DESC LIMIT 1");
DB_SQL(sql_next, RATE_COLUMNS OF_CURRENCY " AND r.day > $3 ORDER BY r.day LIMIT 1");

DB_SQL(sql_converted,
       "SELECT r.agreement, r.version, r.day, r.channel, r.provider, r.currency, r.sale_currency "
       "FROM rollup r WHERE r.grain = 'day' AND r.sale_currency <> r.currency AND r.day >= $1 "
       "AND r.day < $2 AND r.line_count <> 0");

static enum accord_error take_head(void *context, size_t param_row, const struct db_row *row)
{
    struct rate_head *head = context;
    (void)param_row;
    head->known = !db_is_null(row, 0);
    head->newest_day = db_get_int(row, 0);
    head->seq = db_get_int(row, 1);
    return ACCORD_OK;
}

enum accord_error store_rates_head(struct db *db, const char *base, struct rate_head *ret)
{
    struct rate_head head = {false, 0, 0};
    const struct db_value params[] = {db_str(base)};
    const enum accord_error error = db_query(db, &sql_head, params, 1, 1, take_head, &head);
    if (error == ACCORD_OK)
        *ret = head;
    return error;
}

/* ---- inserting ---- */

static enum accord_error insert_days(struct db *db, const struct rate_day *days, size_t count)
{
    enum { COLUMNS = 8 };
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(days[i].base);
        v[1] = db_int(days[i].day);
        v[2] = db_int(days[i].version);
        v[3] = db_str(days[i].source);
        v[4] = db_str(days[i].reason);
        v[5] = db_int(days[i].loaded_at);
        v[6] = db_str(days[i].loaded_by);
        v[7] = db_int(days[i].seq);
    }
    return db_run(db, &sql_day, values, COLUMNS, count, NULL);
}

static enum accord_error insert_currencies(struct db *db, const char *base,
                                           const struct rate_row *rates, size_t count)
{
    enum { COLUMNS = 2, CURRENCIES_MAX = 512 };
    struct db_value values[COLUMNS * CURRENCIES_MAX];
    size_t distinct = 0;
    for (size_t i = 0; i < count && distinct < CURRENCIES_MAX; i++) {
        size_t j = 0;
        while (j < distinct &&
               !slice_equal(values[COLUMNS * j + 1].data, slice_of(rates[i].currency.code)))
            j++;
        if (j < distinct)
            continue;
        values[COLUMNS * distinct] = db_str(base);
        values[COLUMNS * distinct + 1] = db_str(rates[i].currency.code);
        distinct++;
    }
    return db_run(db, &sql_currency, values, COLUMNS, distinct, NULL);
}

enum accord_error store_rates_insert(struct db *db, const struct rate_day *days, size_t day_count,
                                     const struct rate_row *rates, size_t rate_count)
{
    enum { COLUMNS = 5 };
    if (day_count == 0 || rate_count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(rate_count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < rate_count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(days[0].base);
        v[1] = db_str(rates[i].currency.code);
        v[2] = db_int(rates[i].day);
        v[3] = db_int(rates[i].version);
        v[4] = db_str(rates[i].rate);
    }
    enum accord_error error = insert_days(db, days, day_count);
    if (error == ACCORD_OK)
        error = db_run(db, &sql_rate, values, COLUMNS, rate_count, NULL);
    return error != ACCORD_OK ? error : insert_currencies(db, days[0].base, rates, rate_count);
}

/* ---- days ---- */

struct day_reading {
    struct arena *arena;
    const char *base;
    struct rate_day *days;
    size_t count;
};

static enum accord_error read_day(const struct day_reading *reading, const struct db_row *row,
                                  struct rate_day *ret)
{
    *ret = (struct rate_day){
        .base = reading->base,
        .day = db_get_int(row, 0),
        .version = db_get_int(row, 1),
        .source = arena_strdup(reading->arena, db_get_text(row, 2)),
        .reason = arena_strdup(reading->arena, db_get_text(row, 3)),
        .loaded_at = db_get_int(row, 4),
        .loaded_by = arena_strdup(reading->arena, db_get_text(row, 5)),
        .seq = db_get_int(row, 6),
    };
    return ret->source == NULL || ret->reason == NULL || ret->loaded_by == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error take_day(void *context, size_t param_row, const struct db_row *row)
{
    const struct day_reading *reading = context;
    return read_day(reading, row, &reading->days[param_row]);
}

static enum accord_error add_day(void *context, size_t param_row, const struct db_row *row)
{
    struct day_reading *reading = context;
    (void)param_row;
    return read_day(reading, row, &reading->days[reading->count++]);
}

enum accord_error store_rates_days(struct db *db, struct arena *arena, const char *base,
                                   const int64_t *days, size_t count, struct rate_day *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct rate_day){.base = base, .day = days[i]};
        values[2 * i] = db_str(base);
        values[2 * i + 1] = db_int(days[i]);
    }
    struct day_reading reading = {.arena = arena, .base = base, .days = ret};
    return db_query(db, &sql_days, values, 2, count, take_day, &reading);
}

enum accord_error store_rates_list(struct db *db, struct arena *arena, const char *base,
                                   int64_t after, int64_t limit, struct rate_day **ret,
                                   size_t *ret_count)
{
    const struct db_value params[] = {db_str(base), db_int(after), db_int(limit)};
    struct day_reading reading = {.arena = arena, .base = base};
    reading.days = arena_array(arena, (size_t)limit, sizeof *reading.days);
    if (reading.days == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_list, params, 3, 1, add_day, &reading);
    if (error != ACCORD_OK)
        return error;
    *ret = reading.days;
    *ret_count = reading.count;
    return ACCORD_OK;
}

/* ---- rates ---- */

struct rate_reading {
    struct arena *arena;
    struct rate_row *rows;
    size_t count;
    size_t cap;
};

static enum accord_error add_rate(void *context, size_t param_row, const struct db_row *row)
{
    struct rate_reading *reading = context;
    const struct slice code = db_get_text(row, 0);
    (void)param_row;
    struct rate_row *rows =
        arena_room(reading->arena, reading->rows, reading->count, &reading->cap, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    reading->rows = rows;
    struct rate_row *rate = &reading->rows[reading->count];
    *rate = (struct rate_row){
        .day = db_get_int(row, 1),
        .version = db_get_int(row, 2),
        .rate = arena_strdup(reading->arena, db_get_text(row, 3)),
    };
    if (rate->rate == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (accord_currency_parse(code.data, code.len, &rate->currency) != ACCORD_OK)
        return ACCORD_E_DATABASE_ERROR;
    reading->count++;
    return ACCORD_OK;
}

static enum accord_error query_rates(struct db *db, struct arena *arena, const struct db_sql *sql,
                                     const struct db_value *params, size_t columns, size_t count,
                                     struct rate_row **ret, size_t *ret_count)
{
    struct rate_reading reading = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, count, add_rate, &reading);
    if (error != ACCORD_OK)
        return error;
    *ret = reading.rows;
    *ret_count = reading.count;
    return ACCORD_OK;
}

enum accord_error store_rates_of(struct db *db, struct arena *arena, const char *base,
                                 const struct rate_day *days, size_t count, struct rate_row **ret,
                                 size_t *ret_count)
{
    enum { COLUMNS = 3 };
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (days[i].version == 0)
            continue;
        struct db_value *v = &values[COLUMNS * known++];
        v[0] = db_str(base);
        v[1] = db_int(days[i].day);
        v[2] = db_int(days[i].version);
    }
    if (known == 0) {
        *ret = NULL;
        *ret_count = 0;
        return ACCORD_OK;
    }
    return query_rates(db, arena, &sql_of, values, COLUMNS, known, ret, ret_count);
}

enum accord_error store_rates_applying(struct db *db, struct arena *arena, const char *base,
                                       int64_t day, struct rate_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(base), db_int(day)};
    return query_rates(db, arena, &sql_applying, params, 2, 1, ret, ret_count);
}

enum accord_error store_rates_series(struct db *db, struct arena *arena, const char *base,
                                     struct accord_currency currency, int64_t from, int64_t to,
                                     struct rate_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(base), db_str(currency.code), db_int(from),
                                      db_int(to)};
    return query_rates(db, arena, &sql_series, params, 4, 1, ret, ret_count);
}

enum accord_error store_rates_before(struct db *db, struct arena *arena, const char *base,
                                     struct accord_currency currency, int64_t day, bool *ret_found,
                                     struct rate_row *ret)
{
    const struct db_value params[] = {db_str(base), db_str(currency.code), db_int(day)};
    struct rate_row *rows;
    size_t count;
    const enum accord_error error =
        query_rates(db, arena, &sql_before, params, 3, 1, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    *ret_found = count > 0;
    if (count > 0)
        *ret = rows[0];
    return ACCORD_OK;
}

static enum accord_error take_next(void *context, size_t param_row, const struct db_row *row)
{
    ((int64_t *)context)[param_row] = db_get_int(row, 1);
    return ACCORD_OK;
}

enum accord_error store_rates_next(struct db *db, const char *base,
                                   const struct accord_currency *currencies, size_t count,
                                   int64_t day, int64_t *ret)
{
    enum { COLUMNS = 3 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        ret[i] = INT64_MAX;
        values[COLUMNS * i] = db_str(base);
        values[COLUMNS * i + 1] = db_str(currencies[i].code);
        values[COLUMNS * i + 2] = db_int(day);
    }
    return db_query(db, &sql_next, values, COLUMNS, count, take_next, ret);
}

/* ---- what is converted ---- */

struct converted_reading {
    struct arena *arena;
    converted_fn *each;
    void *context;
};

static enum accord_error take_converted(void *context, size_t param_row, const struct db_row *row)
{
    const struct converted_reading *reading = context;
    struct arena *arena = reading->arena;
    (void)param_row;
    arena_reset(arena);
    const struct converted_row converted = {
        .agreement = arena_strdup(arena, db_get_text(row, 0)),
        .version = db_get_int(row, 1),
        .day = db_get_int(row, 2),
        .channel = arena_strdup(arena, db_get_text(row, 3)),
        .provider = arena_strdup(arena, db_get_text(row, 4)),
        .currency = arena_strdup(arena, db_get_text(row, 5)),
        .sale_currency = arena_strdup(arena, db_get_text(row, 6)),
    };
    if (converted.agreement == NULL || converted.channel == NULL || converted.provider == NULL ||
        converted.currency == NULL || converted.sale_currency == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return reading->each(reading->context, &converted);
}

enum accord_error store_rates_converted(struct db *db, int64_t from, int64_t to, converted_fn *each,
                                        void *context)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    const struct db_value params[] = {db_int(from), db_int(to)};
    struct converted_reading reading = {arena_new(ONE_ROW_MAX), each, context};
    if (reading.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        db_query(db, &sql_converted, params, 2, 1, take_converted, &reading);
    arena_free(reading.arena);
    return error;
}
