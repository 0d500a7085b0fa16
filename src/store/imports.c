#include "store/imports.h"

#include <stdlib.h>

static const char *const state_names[] = {
    [IMPORT_STAGED] = "staged",   [IMPORT_BLOCKED] = "blocked", [IMPORT_APPLYING] = "applying",
    [IMPORT_APPLIED] = "applied", [IMPORT_FAILED] = "failed",
};

const char *import_state_name(enum import_state state)
{
    return state_names[state];
}

static enum import_state state_of(struct slice name)
{
    for (int i = IMPORT_STAGED; i <= IMPORT_FAILED; i++)
        if (slice_equal(slice_of(state_names[i]), name))
            return (enum import_state)i;
    return IMPORT_FAILED;
}

/* ---- receipts ---- */

DB_SQL(import_add,
       "INSERT INTO catalog_import (id, provider, created_at, finished_at, state, reason, mode, "
       "format, dry_run, received, created, updated, unchanged, withdrawn, rejected, problems, "
       "generation, step, active_after) VALUES ($1, $2, $3, CAST($4 AS BIGINT), $5, $6, $7, $8, "
       "$9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)");

static struct db_value time_or_null(instant_us at)
{
    return at == 0 ? db_null() : db_int(at);
}

enum accord_error store_import_add(struct db *db, const struct store_import *row)
{
    const struct db_value values[] = {
        db_text(row->id),
        db_text(row->provider),
        db_int(row->created_at),
        time_or_null(row->finished_at),
        db_str(state_names[row->state]),
        db_text(row->reason),
        db_str(row->full ? "full" : "delta"),
        db_text(row->format),
        db_int(row->dry_run),
        db_int(row->counts.received),
        db_int(row->counts.created),
        db_int(row->counts.updated),
        db_int(row->counts.unchanged),
        db_int(row->counts.withdrawn),
        db_int(row->counts.rejected),
        db_int(row->problems),
        db_int(row->generation),
        db_int(row->adding),
        db_int(row->active_after),
    };
    return db_run(db, &import_add, values, sizeof values / sizeof values[0], 1, NULL);
}

DB_SQL(import_update,
       "UPDATE catalog_import SET finished_at = CAST($2 AS BIGINT), state = $3, reason = $4, "
       "received = $5, created = $6, updated = $7, unchanged = $8, withdrawn = $9, rejected = $10, "
       "problems = $11, generation = $12, step = $13, active_after = $14 WHERE id = $1");

enum accord_error store_import_update(struct db *db, const struct store_import *row)
{
    const struct db_value values[] = {
        db_text(row->id),
        time_or_null(row->finished_at),
        db_str(state_names[row->state]),
        db_text(row->reason),
        db_int(row->counts.received),
        db_int(row->counts.created),
        db_int(row->counts.updated),
        db_int(row->counts.unchanged),
        db_int(row->counts.withdrawn),
        db_int(row->counts.rejected),
        db_int(row->problems),
        db_int(row->generation),
        db_int(row->adding),
        db_int(row->active_after),
    };
    return db_run(db, &import_update, values, sizeof values / sizeof values[0], 1, NULL);
}

/* The columns of every SELECT below, in this order. */
static void read_import(const struct db_row *row, struct store_import *ret)
{
    *ret = (struct store_import){
        .id = db_get_text(row, 0),
        .provider = db_get_text(row, 1),
        .created_at = db_get_int(row, 2),
        .finished_at = db_is_null(row, 3) ? 0 : db_get_int(row, 3),
        .state = state_of(db_get_text(row, 4)),
        .reason = db_get_text(row, 5),
        .full = slice_equal(db_get_text(row, 6), SLICE("full")),
        .format = db_get_text(row, 7),
        .dry_run = db_get_int(row, 8) != 0,
        .counts = {.received = db_get_int(row, 9),
                   .created = db_get_int(row, 10),
                   .updated = db_get_int(row, 11),
                   .unchanged = db_get_int(row, 12),
                   .withdrawn = db_get_int(row, 13),
                   .rejected = db_get_int(row, 14)},
        .problems = db_get_int(row, 15),
        .generation = db_get_int(row, 16),
        .adding = db_get_int(row, 17) != 0,
        .active_after = db_get_int(row, 18),
    };
}

static enum accord_error copy(struct arena *arena, struct slice *text)
{
    const char *copied = arena_strdup(arena, *text);
    if (copied == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    text->data = copied;
    return ACCORD_OK;
}

static enum accord_error copy_import(struct arena *arena, struct store_import *row)
{
    struct slice *const texts[] = {&row->id, &row->provider, &row->reason, &row->format};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (copy(arena, texts[i]) != ACCORD_OK)
            return ACCORD_E_OUT_OF_MEMORY;
    return ACCORD_OK;
}

struct import_list {
    struct arena *arena;
    struct store_import *rows;
    size_t count;
};

static enum accord_error take_import(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct import_list *list = context;
    struct store_import *import = &list->rows[list->count];
    read_import(row, import);
    list->count++;
    return copy_import(list->arena, import);
}

DB_SQL(import_get,
       "SELECT id, provider, created_at, finished_at, state, reason, mode, format, dry_run, "
       "received, created, updated, unchanged, withdrawn, rejected, problems, generation, step, "
       "active_after FROM catalog_import WHERE id = $1");

enum accord_error store_import_get(struct db *db, struct arena *arena, struct slice id,
                                   bool *ret_found, struct store_import *ret)
{
    const struct db_value values[] = {db_text(id)};
    struct import_list list = {.arena = arena, .rows = ret};
    const enum accord_error e = db_query(db, &import_get, values, 1, 1, take_import, &list);
    if (e == ACCORD_OK)
        *ret_found = list.count != 0;
    return e;
}

DB_SQL(import_unfinished,
       "SELECT id, provider, created_at, finished_at, state, reason, mode, format, dry_run, "
       "received, created, updated, unchanged, withdrawn, rejected, problems, generation, step, "
       "active_after FROM catalog_import WHERE state = 'applying' OR (state = 'staged' AND "
       "finished_at IS NULL) ORDER BY created_at, id LIMIT $1");

enum accord_error store_import_unfinished(struct db *db, struct arena *arena, int64_t limit,
                                          struct store_import *ret, size_t *ret_count)
{
    const struct db_value values[] = {db_int(limit)};
    struct import_list list = {.arena = arena, .rows = ret};
    const enum accord_error e = db_query(db, &import_unfinished, values, 1, 1, take_import, &list);
    if (e == ACCORD_OK)
        *ret_count = list.count;
    return e;
}

DB_SQL(import_list_all,
       "SELECT id, provider, created_at, finished_at, state, reason, mode, format, dry_run, "
       "received, created, updated, unchanged, withdrawn, rejected, problems, generation, step, "
       "active_after FROM catalog_import WHERE (created_at, id) < ($1, $2) "
       "ORDER BY created_at DESC, id DESC LIMIT $3");
DB_SQL(import_list_own,
       "SELECT id, provider, created_at, finished_at, state, reason, mode, format, dry_run, "
       "received, created, updated, unchanged, withdrawn, rejected, problems, generation, step, "
       "active_after FROM catalog_import WHERE provider = $4 AND (created_at, id) < ($1, $2) "
       "ORDER BY created_at DESC, id DESC LIMIT $3");

struct import_each {
    store_import_fn *each;
    void *context;
};

static enum accord_error each_import(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct import_each *each = context;
    struct store_import import;
    read_import(row, &import);
    return each->each(each->context, &import);
}

enum accord_error store_import_list(struct db *db, const char *provider, instant_us before,
                                    struct slice before_id, int64_t limit, store_import_fn *each,
                                    void *context)
{
    const struct db_value values[] = {db_int(before), db_text(before_id), db_int(limit),
                                      db_str(provider)};
    struct import_each with = {each, context};
    return provider == NULL ? db_query(db, &import_list_all, values, 3, 1, each_import, &with)
                            : db_query(db, &import_list_own, values, 4, 1, each_import, &with);
}

DB_SQL(import_supersede,
       "UPDATE catalog_import SET state = 'failed', reason = 'superseded', finished_at = $3 "
       "WHERE provider = $1 AND state = 'blocked' AND dry_run = 0 AND id <> $2");

enum accord_error store_import_supersede(struct db *db, const char *provider,
                                         struct slice except_id, instant_us now)
{
    const struct db_value values[] = {db_str(provider), db_text(except_id), db_int(now)};
    return db_run(db, &import_supersede, values, 3, 1, NULL);
}

DB_SQL(import_leftover,
       "SELECT id, provider, created_at, finished_at, state, reason, mode, format, dry_run, "
       "received, created, updated, unchanged, withdrawn, rejected, problems, generation, step, "
       "active_after FROM catalog_import WHERE state = 'failed' AND reason = 'superseded' "
       "AND EXISTS (SELECT 1 FROM import_row r WHERE r.import_id = catalog_import.id) LIMIT $1");

enum accord_error store_import_leftover(struct db *db, struct arena *arena, bool *ret_found,
                                        struct store_import *ret)
{
    const struct db_value values[] = {db_int(1)};
    struct import_list list = {.arena = arena, .rows = ret};
    const enum accord_error e = db_query(db, &import_leftover, values, 1, 1, take_import, &list);
    if (e == ACCORD_OK)
        *ret_found = list.count != 0;
    return e;
}

/* ---- problems ---- */

DB_SQL(problem_add, "INSERT INTO import_problem (import_id, number, line, course_id, field, code, "
                    "message) VALUES ($1, $2, $3, $4, $5, $6, $7)");

enum accord_error store_problems_add(struct db *db, struct slice import,
                                     const struct store_problem *rows, size_t count)
{
    enum { COLUMNS = 7 };
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * COLUMNS, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = values + i * COLUMNS;
        v[0] = db_text(import);
        v[1] = db_int(rows[i].number);
        v[2] = db_int(rows[i].line);
        v[3] = db_text(rows[i].course_id);
        v[4] = db_text(rows[i].field);
        v[5] = db_text(rows[i].code);
        v[6] = db_text(rows[i].message);
    }
    const enum accord_error e = db_run(db, &problem_add, values, COLUMNS, count, NULL);
    free(values);
    return e;
}

DB_SQL(problem_list, "SELECT number, line, course_id, field, code, message FROM import_problem "
                     "WHERE import_id = $1 AND number > $2 ORDER BY number LIMIT $3");

struct problem_each {
    store_problem_fn *each;
    void *context;
};

static enum accord_error each_problem(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct problem_each *each = context;
    const struct store_problem problem = {
        .number = db_get_int(row, 0),
        .line = db_get_int(row, 1),
        .course_id = db_get_text(row, 2),
        .field = db_get_text(row, 3),
        .code = db_get_text(row, 4),
        .message = db_get_text(row, 5),
    };
    return each->each(each->context, &problem);
}

enum accord_error store_problems_list(struct db *db, struct slice import, int64_t after,
                                      int64_t limit, store_problem_fn *each, void *context)
{
    const struct db_value values[] = {db_text(import), db_int(after), db_int(limit)};
    struct problem_each with = {each, context};
    return db_query(db, &problem_list, values, 3, 1, each_problem, &with);
}
