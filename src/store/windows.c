#include "store/windows.h"

#include <string.h>

#include "store/rows.h"

/* A growing list in an arena. */
struct list {
    struct arena *arena;
    void *items;
    size_t count;
    size_t cap;
    int64_t version; /* of the rows being read */
    const int64_t *versions;
};

static void *list_add(struct list *list, size_t size)
{
    void *items = arena_room(list->arena, list->items, list->count, &list->cap, size);
    if (items == NULL)
        return NULL;
    list->items = items;
    return (char *)list->items + size * list->count++;
}

/* One row of parameters a version: agreement, version and up to two days. */
static struct db_value *version_rows(const char *agreement, const int64_t *versions, size_t count,
                                     int64_t first, int64_t second, size_t columns)
{
    struct db_value *values = rows_new(count, columns);
    for (size_t i = 0; values != NULL && i < count; i++) {
        struct db_value *v = &values[columns * i];
        v[0] = db_str(agreement);
        v[1] = db_int(versions[i]);
        v[2] = db_int(first);
        if (columns == 4)
            v[3] = db_int(second);
    }
    return values;
}

/* ---- sums ---- */

#define OF_VERSION "staged = 0 AND agreement = $1 AND version = $2 "

DB_SQL(sql_months,
       "SELECT day, CAST(SUM(net) AS BIGINT), CAST(SUM(base) AS BIGINT), "
       "CAST(SUM(lines_qualified) AS BIGINT), CAST(SUM(units_qualified) AS BIGINT) FROM rollup "
       "WHERE " OF_VERSION "AND grain = 'period' AND day < $3 AND held = '' "
       "GROUP BY day ORDER BY day");
DB_SQL(sql_month_shares, "SELECT day, payee, CAST(SUM(amount) AS BIGINT) FROM rollup_share "
                         "WHERE " OF_VERSION "AND grain = 'period' AND day < $3 AND held = '' "
                         "GROUP BY day, payee ORDER BY day, payee");
DB_SQL(sql_recent, "SELECT day, payee, CAST(SUM(amount) AS BIGINT) FROM rollup_share "
                   "WHERE " OF_VERSION "AND grain = 'day' AND day >= $3 AND day < $4 AND held = '' "
                   "GROUP BY day, payee ORDER BY day, payee");
DB_SQL(sql_held, "SELECT held, sale_currency, CAST(SUM(line_count) AS BIGINT), "
                 "CAST(SUM(gross - refunded) AS BIGINT) FROM rollup "
                 "WHERE " OF_VERSION "AND grain = 'period' AND day < $3 AND held <> '' "
                 "GROUP BY held, sale_currency ORDER BY held, sale_currency");

static enum accord_error take_month(void *context, size_t param_row, const struct db_row *row)
{
    struct list *list = context;
    struct window_month *month = list_add(list, sizeof *month);
    if (month == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *month =
        (struct window_month){list->versions[param_row], db_get_int(row, 0), db_get_int(row, 1),
                              db_get_int(row, 2),        db_get_int(row, 3), db_get_int(row, 4)};
    return ACCORD_OK;
}

static enum accord_error take_share(void *context, size_t param_row, const struct db_row *row)
{
    struct list *list = context;
    if (db_get_int(row, 2) == 0)
        return ACCORD_OK;
    struct window_month_share *share = list_add(list, sizeof *share);
    if (share == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *share = (struct window_month_share){list->versions[param_row], db_get_int(row, 0),
                                         arena_strdup(list->arena, db_get_text(row, 1)),
                                         db_get_int(row, 2)};
    return share->payee == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_window_months(struct db *db, struct arena *arena, const char *agreement,
                                      const int64_t *versions, size_t count, int64_t to_day,
                                      struct window_month **ret, size_t *ret_count)
{
    struct list list = {.arena = arena, .versions = versions};
    ROWS params = version_rows(agreement, versions, count, to_day, 0, 3);
    if (params == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        count == 0 ? ACCORD_OK : db_query(db, &sql_months, params, 3, count, take_month, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

static enum accord_error query_shares(struct db *db, struct arena *arena, const struct db_sql *sql,
                                      const struct db_value *params, size_t columns,
                                      const int64_t *versions, size_t count,
                                      struct window_month_share **ret, size_t *ret_count)
{
    struct list list = {.arena = arena, .versions = versions};
    if (params == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        count == 0 ? ACCORD_OK : db_query(db, sql, params, columns, count, take_share, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_window_shares(struct db *db, struct arena *arena, const char *agreement,
                                      const int64_t *versions, size_t count, int64_t to_day,
                                      struct window_month_share **ret, size_t *ret_count)
{
    ROWS params = version_rows(agreement, versions, count, to_day, 0, 3);
    return query_shares(db, arena, &sql_month_shares, params, 3, versions, count, ret, ret_count);
}

enum accord_error store_window_recent(struct db *db, struct arena *arena, const char *agreement,
                                      const int64_t *versions, size_t count, int64_t from_day,
                                      int64_t to_day, struct window_month_share **ret,
                                      size_t *ret_count)
{
    ROWS params = version_rows(agreement, versions, count, from_day, to_day, 4);
    return query_shares(db, arena, &sql_recent, params, 4, versions, count, ret, ret_count);
}

/* The few reasons, over all versions. */
static enum accord_error take_held(void *context, size_t param_row, const struct db_row *row)
{
    struct list *list = context;
    (void)param_row;
    const struct slice reason = db_get_text(row, 0);
    const struct slice currency = db_get_text(row, 1);
    struct window_held *held = NULL;
    for (size_t i = 0; i < list->count && held == NULL; i++) {
        struct window_held *other = (struct window_held *)list->items + i;
        if (slice_equal(slice_of(other->reason), reason) &&
            slice_equal(slice_of(other->currency), currency))
            held = other;
    }
    if (held == NULL) {
        held = list_add(list, sizeof *held);
        if (held == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        *held = (struct window_held){.reason = arena_strdup(list->arena, reason),
                                     .currency = arena_strdup(list->arena, currency)};
        if (held->reason == NULL || held->currency == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    enum accord_error error = accord_add(held->lines, db_get_int(row, 2), &held->lines);
    if (error == ACCORD_OK)
        error = accord_add(held->gross, db_get_int(row, 3), &held->gross);
    return error;
}

static int by_reason(const void *a, const void *b)
{
    const struct window_held *x = a;
    const struct window_held *y = b;
    const int order = strcmp(x->reason, y->reason);
    return order != 0 ? order : strcmp(x->currency, y->currency);
}

enum accord_error store_window_held(struct db *db, struct arena *arena, const char *agreement,
                                    const int64_t *versions, size_t count, int64_t to_day,
                                    struct window_held **ret, size_t *ret_count)
{
    struct list list = {.arena = arena, .versions = versions};
    ROWS params = version_rows(agreement, versions, count, to_day, 0, 3);
    if (params == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        count == 0 ? ACCORD_OK : db_query(db, &sql_held, params, 3, count, take_held, &list);
    if (error != ACCORD_OK)
        return error;
    struct window_held *all = list.items;
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++)
        if (all[i].lines != 0 || all[i].gross != 0)
            all[kept++] = all[i];
    if (kept > 0)
        qsort(all, kept, sizeof *all, by_reason);
    *ret = all;
    *ret_count = kept;
    return ACCORD_OK;
}

/* ---- lines ---- */

DB_SQL(sql_line_insert, "INSERT INTO window_line (agreement, booked, number, day, version, term, "
                        "kind, payee, amount) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
DB_SQL(sql_lines, "SELECT booked, number, day, version, term, kind, payee, amount FROM window_line "
                  "WHERE agreement = $1 AND booked = $2 ORDER BY number");
DB_SQL(sql_posted,
       "SELECT CAST(0 AS BIGINT), CAST(0 AS BIGINT), day, version, term, kind, payee, "
       "CAST(SUM(amount) AS BIGINT) FROM window_line WHERE agreement = $1 AND booked < $2 "
       "GROUP BY day, version, term, kind, payee ORDER BY day, version, term, kind, payee");

enum accord_error store_window_lines_insert(struct db *db, const struct window_row *rows,
                                            size_t count)
{
    enum { COLUMNS = 9 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(rows[i].agreement);
        v[1] = db_int(rows[i].booked);
        v[2] = db_int(rows[i].number);
        v[3] = db_int(rows[i].day);
        v[4] = db_int(rows[i].version);
        v[5] = db_int(rows[i].term);
        v[6] = db_str(rows[i].kind);
        v[7] = db_str(rows[i].payee);
        v[8] = db_int(rows[i].amount);
    }
    return db_run(db, &sql_line_insert, values, COLUMNS, count, NULL);
}

static enum accord_error take_line(void *context, size_t param_row, const struct db_row *row)
{
    struct list *list = context;
    (void)param_row;
    if (db_get_int(row, 7) == 0)
        return ACCORD_OK;
    struct window_row *line = list_add(list, sizeof *line);
    if (line == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *line = (struct window_row){
        .booked = db_get_int(row, 0),
        .number = db_get_int(row, 1),
        .day = db_get_int(row, 2),
        .version = db_get_int(row, 3),
        .term = db_get_int(row, 4),
        .kind = arena_strdup(list->arena, db_get_text(row, 5)),
        .payee = arena_strdup(list->arena, db_get_text(row, 6)),
        .amount = db_get_int(row, 7),
    };
    return line->kind == NULL || line->payee == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error query_lines(struct db *db, struct arena *arena, const struct db_sql *sql,
                                     const char *agreement, int64_t booked, struct window_row **ret,
                                     size_t *ret_count)
{
    struct list list = {.arena = arena};
    const struct db_value params[] = {db_str(agreement), db_int(booked)};
    const char *name = arena_strdup(arena, slice_of(agreement));
    const enum accord_error error =
        name == NULL ? ACCORD_E_OUT_OF_MEMORY : db_query(db, sql, params, 2, 1, take_line, &list);
    if (error != ACCORD_OK)
        return error;
    struct window_row *rows = list.items;
    for (size_t i = 0; i < list.count; i++)
        rows[i].agreement = name;
    *ret = rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_window_lines(struct db *db, struct arena *arena, const char *agreement,
                                     int64_t booked, struct window_row **ret, size_t *ret_count)
{
    return query_lines(db, arena, &sql_lines, agreement, booked, ret, ret_count);
}

enum accord_error store_window_posted(struct db *db, struct arena *arena, const char *agreement,
                                      int64_t booked, struct window_row **ret, size_t *ret_count)
{
    return query_lines(db, arena, &sql_posted, agreement, booked, ret, ret_count);
}

/* ---- learners ---- */

DB_SQL(sql_learner_add,
       "INSERT INTO window_learner (agreement, day, version, learner, line_count) "
       "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (agreement, day, version, learner) "
       "DO UPDATE SET line_count = window_learner.line_count + excluded.line_count");
DB_SQL(sql_new_learners,
       "SELECT CAST(COUNT(DISTINCT w.learner) AS BIGINT) FROM window_learner w "
       "WHERE w.agreement = $1 AND w.day >= $4 AND w.day < $5 AND w.version = $2 "
       "AND w.line_count > 0 AND NOT EXISTS (SELECT 1 FROM window_learner e "
       "WHERE e.agreement = w.agreement AND e.learner = w.learner AND e.line_count > 0 "
       "AND e.day >= $3 AND (e.day < $4 OR (e.day < $5 AND e.version < $2)))");

enum accord_error store_window_learners_add(struct db *db, const struct window_learner_row *rows,
                                            size_t count)
{
    enum { COLUMNS = 5 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(rows[i].agreement);
        v[1] = db_int(rows[i].day);
        v[2] = db_int(rows[i].version);
        v[3] = db_bytes(rows[i].learner, sizeof rows[i].learner);
        v[4] = db_int(rows[i].line_count);
    }
    return db_run(db, &sql_learner_add, values, COLUMNS, count, NULL);
}

static enum accord_error take_count(void *context, size_t param_row, const struct db_row *row)
{
    ((int64_t *)context)[param_row] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_window_new_learners(struct db *db, const struct window_learners_ask *asks,
                                            size_t count, int64_t *ret)
{
    enum { COLUMNS = 5 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(asks[i].agreement);
        v[1] = db_int(asks[i].version);
        v[2] = db_int(asks[i].since);
        v[3] = db_int(asks[i].from);
        v[4] = db_int(asks[i].to);
    }
    return db_query(db, &sql_new_learners, values, COLUMNS, count, take_count, ret);
}

DB_SQL(sql_sale_learner, "SELECT learner FROM sale WHERE seq = $1 UNION ALL "
                         "SELECT learner FROM membership_term WHERE seq = $1");
DB_SQL(sql_learners, "SELECT agreement, day, version, learner, line_count FROM window_learner");

struct sale_learners {
    uint8_t (*learners)[LEARNER_BYTES];
    bool *known;
};

static enum accord_error take_learner(void *context, size_t param_row, const struct db_row *row)
{
    const struct sale_learners *sales = context;
    if (db_is_null(row, 0))
        return ACCORD_OK;
    const struct slice learner = db_get_bytes(row, 0);
    if (learner.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(sales->learners[param_row], learner.data, LEARNER_BYTES);
    sales->known[param_row] = true;
    return ACCORD_OK;
}

enum accord_error store_sale_learners(struct db *db, const int64_t *seqs, size_t count,
                                      uint8_t (*ret)[LEARNER_BYTES], bool *ret_known)
{
    struct sale_learners sales = {ret, ret_known};
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[i] = db_int(seqs[i]);
        ret_known[i] = false;
    }
    return db_query(db, &sql_sale_learner, values, 1, count, take_learner, &sales);
}

struct learners_walk {
    window_learner_fn *each;
    void *context;
    struct arena *arena;
};

static enum accord_error walk_learner(void *context, size_t param_row, const struct db_row *row)
{
    const struct learners_walk *walk = context;
    (void)param_row;
    arena_reset(walk->arena);
    struct window_learner_row learner = {
        .agreement = arena_strdup(walk->arena, db_get_text(row, 0)),
        .day = db_get_int(row, 1),
        .version = db_get_int(row, 2),
        .line_count = db_get_int(row, 4),
    };
    const struct slice id = db_get_bytes(row, 3);
    if (id.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(learner.learner, id.data, LEARNER_BYTES);
    return learner.agreement == NULL ? ACCORD_E_OUT_OF_MEMORY : walk->each(walk->context, &learner);
}

enum accord_error store_window_learners_each(struct db *db, window_learner_fn *each, void *context)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    struct learners_walk walk = {each, context, arena_new(ONE_ROW_MAX)};
    if (walk.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_learners, NULL, 0, 1, walk_learner, &walk);
    arena_free(walk.arena);
    return error;
}
