#include "store/disputes.h"

static const char *const state_names[] = {[DISPUTE_OPEN] = "open",
                                          [DISPUTE_UPHELD] = "upheld",
                                          [DISPUTE_REJECTED] = "rejected",
                                          [DISPUTE_WITHDRAWN] = "withdrawn"};

const char *dispute_state_name(enum dispute_state state)
{
    return state_names[state];
}

#define COLUMNS                                                                                    \
    "id, statement, line, opened_by, reason, claim_minor, state, resolution, correction, "         \
    "correction_by, opened_at, resolved_at, seq"

DB_SQL(sql_insert,
       "INSERT INTO dispute (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, CAST($6 AS BIGINT), $7, $8, "
       "$9, $10, $11, CAST($12 AS BIGINT), $13)");
DB_SQL(sql_find, "SELECT " COLUMNS " FROM dispute WHERE id = $1");
DB_SQL(sql_list, "SELECT " COLUMNS " FROM dispute WHERE statement = $1 AND "
                 "(opened_at, id) > ($2, $3) ORDER BY opened_at, id LIMIT $4");
DB_SQL(sql_open, "SELECT 1 FROM dispute WHERE statement = $1 AND state = 'open' "
                 "AND (CAST($2 AS TEXT) IS NULL OR line = $2) LIMIT 1");
DB_SQL(sql_end, "UPDATE dispute SET state = $2, resolution = $3, correction = $4, "
                "correction_by = $5, resolved_at = $6, seq = $7 WHERE id = $1 AND state = 'open'");

enum accord_error store_dispute_insert(struct db *db, const struct dispute_row *row)
{
    const struct db_value values[] = {
        db_str(row->id),
        db_str(row->statement),
        db_str(row->line),
        db_str(row->opened_by),
        db_str(row->reason),
        row->has_claim ? db_int(row->claim) : db_null(),
        db_str(state_names[row->state]),
        db_str(row->resolution),
        db_str(row->correction),
        db_str(row->correction_by),
        db_int(row->opened_at),
        row->resolved_at == 0 ? db_null() : db_int(row->resolved_at),
        db_int(row->seq),
    };
    return db_run(db, &sql_insert, values, sizeof values / sizeof values[0], 1, NULL);
}

struct dispute_list {
    struct arena *arena;
    struct dispute_row *rows;
    size_t count;
    size_t max;
};

static enum dispute_state state_of(struct slice name)
{
    for (int i = DISPUTE_UPHELD; i <= DISPUTE_WITHDRAWN; i++)
        if (slice_equal(slice_of(state_names[i]), name))
            return (enum dispute_state)i;
    return DISPUTE_OPEN;
}

static enum accord_error add_dispute(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct dispute_list *list = context;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    struct arena *arena = list->arena;
    const struct dispute_row dispute = {
        .id = arena_strdup(arena, db_get_text(row, 0)),
        .statement = arena_strdup(arena, db_get_text(row, 1)),
        .line = arena_strdup(arena, db_get_text(row, 2)),
        .opened_by = arena_strdup(arena, db_get_text(row, 3)),
        .reason = arena_strdup(arena, db_get_text(row, 4)),
        .has_claim = !db_is_null(row, 5),
        .claim = db_get_int(row, 5),
        .state = state_of(db_get_text(row, 6)),
        .resolution = arena_strdup(arena, db_get_text(row, 7)),
        .correction = arena_strdup(arena, db_get_text(row, 8)),
        .correction_by = arena_strdup(arena, db_get_text(row, 9)),
        .opened_at = db_get_int(row, 10),
        .resolved_at = db_get_int(row, 11),
        .seq = db_get_int(row, 12),
    };
    if (dispute.id == NULL || dispute.statement == NULL || dispute.line == NULL ||
        dispute.opened_by == NULL || dispute.reason == NULL || dispute.resolution == NULL ||
        dispute.correction == NULL || dispute.correction_by == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows[list->count++] = dispute;
    return ACCORD_OK;
}

enum accord_error store_dispute_find(struct db *db, struct arena *arena, const char *id,
                                     bool *ret_found, struct dispute_row *ret)
{
    struct dispute_row row = {.id = NULL};
    struct dispute_list list = {.arena = arena, .rows = &row, .max = 1};
    const struct db_value values[] = {db_str(id)};
    const enum accord_error error = db_query(db, &sql_find, values, 1, 1, add_dispute, &list);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = row;
    *ret_found = list.count == 1;
    return ACCORD_OK;
}

enum accord_error store_dispute_list(struct db *db, struct arena *arena, const char *statement,
                                     instant_us after_at, const char *after_id, int64_t limit,
                                     struct dispute_row **ret, size_t *ret_count)
{
    struct dispute_list list = {.arena = arena, .max = (size_t)limit};
    list.rows = arena_array(arena, list.max, sizeof list.rows[0]);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value values[] = {db_str(statement), db_int(after_at), db_str(after_id),
                                      db_int(limit)};
    const enum accord_error error = db_query(db, &sql_list, values, 4, 1, add_dispute, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

static enum accord_error note(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error store_dispute_open(struct db *db, const char *statement, const char *line,
                                     bool *ret)
{
    bool open = false;
    const struct db_value values[] = {db_str(statement), db_str(line)};
    const enum accord_error error = db_query(db, &sql_open, values, 2, 1, note, &open);
    if (error == ACCORD_OK)
        *ret = open;
    return error;
}

enum accord_error store_dispute_end(struct db *db, const struct dispute_row *row, bool *ret_ended)
{
    const struct db_value values[] = {
        db_str(row->id),         db_str(state_names[row->state]), db_str(row->resolution),
        db_str(row->correction), db_str(row->correction_by),      db_int(row->resolved_at),
        db_int(row->seq),
    };
    int64_t changes = 0;
    const enum accord_error error = db_run(db, &sql_end, values, 7, 1, &changes);
    if (error == ACCORD_OK)
        *ret_ended = changes == 1;
    return error;
}
