#include "store/periods.h"

#include <string.h>

#include "store/rows.h"

/* ---- the last of each agreement ---- */

DB_SQL(sql_last, "SELECT MAX(day) FROM period WHERE agreement = $1");

static enum accord_error take_last(void *context, size_t param_row, const struct db_row *row)
{
    if (!db_is_null(row, 0))
        ((int64_t *)context)[param_row] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_periods_last(struct db *db, const char *const *agreements, size_t count,
                                     int64_t *ret)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = PERIOD_NONE;
    if (count == 0)
        return ACCORD_OK;
    ROWS params = rows_new(count, 1);
    if (params == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        params[i] = db_str(agreements[i]);
    return db_query(db, &sql_last, params, 1, count, take_last, ret);
}

/* ---- rows ---- */

#define COLUMNS                                                                                    \
    "agreement, day, label, to_day, from_at, to_at, zone_hash, closed_seq, closed_at, closed_by"
DB_SQL(sql_insert,
       "INSERT INTO period (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
DB_SQL(sql_find, "SELECT " COLUMNS " FROM period WHERE agreement = $1 AND day = $2");
DB_SQL(sql_list, "SELECT " COLUMNS " FROM period WHERE agreement = $1 AND day > $2 "
                 "ORDER BY day LIMIT $3");
DB_SQL(sql_each, "SELECT " COLUMNS " FROM period ORDER BY agreement, day");

enum accord_error store_period_insert(struct db *db, const struct period_row *row)
{
    const struct db_value params[] = {db_str(row->agreement),   db_int(row->day),
                                      db_str(row->label),       db_int(row->to_day),
                                      db_int(row->from_at),     db_int(row->to_at),
                                      db_hash(&row->zone_hash), db_int(row->closed_seq),
                                      db_int(row->closed_at),   db_str(row->closed_by)};
    return db_run(db, &sql_insert, params, 10, 1, NULL);
}

static enum accord_error read_row(struct arena *arena, const struct db_row *row,
                                  struct period_row *ret)
{
    *ret = (struct period_row){
        .agreement = arena_strdup(arena, db_get_text(row, 0)),
        .day = db_get_int(row, 1),
        .label = arena_strdup(arena, db_get_text(row, 2)),
        .to_day = db_get_int(row, 3),
        .from_at = db_get_int(row, 4),
        .to_at = db_get_int(row, 5),
        .closed_seq = db_get_int(row, 7),
        .closed_at = db_get_int(row, 8),
        .closed_by = arena_strdup(arena, db_get_text(row, 9)),
    };
    const struct slice hash = db_get_bytes(row, 6);
    if (hash.len != sizeof ret->zone_hash.bytes)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(ret->zone_hash.bytes, hash.data, hash.len);
    return ret->agreement == NULL || ret->label == NULL || ret->closed_by == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

struct rows {
    struct arena *arena;
    struct period_row *items;
    size_t count;
    size_t cap;
    period_row_fn *each; /* or NULL: kept in items */
    void *context;
};

static enum accord_error take_row(void *context, size_t param_row, const struct db_row *row)
{
    struct rows *rows = context;
    (void)param_row;
    if (rows->each != NULL) {
        struct period_row one;
        arena_reset(rows->arena);
        const enum accord_error error = read_row(rows->arena, row, &one);
        return error != ACCORD_OK ? error : rows->each(rows->context, &one);
    }
    struct period_row *items =
        arena_room(rows->arena, rows->items, rows->count, &rows->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    rows->items = items;
    return read_row(rows->arena, row, &rows->items[rows->count++]);
}

enum accord_error store_period_find(struct db *db, struct arena *arena, const char *agreement,
                                    int64_t day, bool *ret_found, struct period_row *ret)
{
    struct rows rows = {.arena = arena};
    const struct db_value params[] = {db_str(agreement), db_int(day)};
    const enum accord_error error = db_query(db, &sql_find, params, 2, 1, take_row, &rows);
    if (error != ACCORD_OK)
        return error;
    *ret_found = rows.count == 1;
    if (rows.count == 1)
        *ret = rows.items[0];
    return ACCORD_OK;
}

enum accord_error store_periods_list(struct db *db, struct arena *arena, const char *agreement,
                                     int64_t after, int64_t limit, struct period_row **ret,
                                     size_t *ret_count)
{
    struct rows rows = {.arena = arena};
    const struct db_value params[] = {db_str(agreement), db_int(after), db_int(limit)};
    const enum accord_error error = db_query(db, &sql_list, params, 3, 1, take_row, &rows);
    if (error != ACCORD_OK)
        return error;
    *ret = rows.items;
    *ret_count = rows.count;
    return ACCORD_OK;
}

enum accord_error store_periods_each(struct db *db, period_row_fn *each, void *context)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    struct rows rows = {.arena = arena_new(ONE_ROW_MAX), .each = each, .context = context};
    if (rows.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_each, NULL, 0, 1, take_row, &rows);
    arena_free(rows.arena);
    return error;
}
