#include "store/partners.h"

#define COLUMNS                                                                                    \
    "id, name, legal_name, tax_id, roles, currency, time_zone, profile, column_map, state, "       \
    "version, created_at, updated_at"

DB_SQL(sql_get, "SELECT " COLUMNS " FROM partner WHERE id = $1");
DB_SQL(sql_list, "SELECT " COLUMNS " FROM partner WHERE id > $1 ORDER BY id LIMIT $2");
DB_SQL(sql_insert, "INSERT INTO partner (" COLUMNS ") "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
                   "ON CONFLICT (id) DO NOTHING");
DB_SQL(sql_update,
       "UPDATE partner SET name = $2, legal_name = $3, tax_id = $4, roles = $5, currency = $6, "
       "time_zone = $7, profile = $8, column_map = $9, state = $10, version = $11, "
       "updated_at = $12 WHERE id = $1 AND version = $13");
DB_SQL(sql_state, "INSERT INTO partner_state (partner, from_at, state) VALUES ($1, $2, $3) "
                  "ON CONFLICT (partner, from_at) DO UPDATE SET state = excluded.state");
DB_SQL(sql_version, "SELECT seq FROM partner_version WHERE partner = $1");

struct partner_list {
    struct arena *arena;
    struct partner_row *rows;
    size_t count;
    size_t max;
};

static const char *text_of(struct arena *arena, const struct db_row *row, unsigned column)
{
    return arena_strdup(arena, db_get_text(row, column));
}

static enum accord_error add_partner(void *context, size_t param_row, const struct db_row *row)
{
    struct partner_list *list = context;
    (void)param_row;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    struct arena *arena = list->arena;
    const struct partner_row partner = {
        .id = text_of(arena, row, 0),
        .name = text_of(arena, row, 1),
        .legal_name = text_of(arena, row, 2),
        .tax_id = text_of(arena, row, 3),
        .roles = (uint32_t)db_get_int(row, 4),
        .currency = text_of(arena, row, 5),
        .time_zone = text_of(arena, row, 6),
        .profile = text_of(arena, row, 7),
        .column_map = text_of(arena, row, 8),
        .suspended = slice_equal(db_get_text(row, 9), SLICE("suspended")),
        .version = db_get_int(row, 10),
        .created_at = db_get_int(row, 11),
        .updated_at = db_get_int(row, 12),
    };
    if (partner.id == NULL || partner.name == NULL || partner.legal_name == NULL ||
        partner.tax_id == NULL || partner.currency == NULL || partner.time_zone == NULL ||
        partner.profile == NULL || partner.column_map == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows[list->count++] = partner;
    return ACCORD_OK;
}

enum accord_error store_partner_get(struct db *db, struct arena *arena, const char *id,
                                    struct partner_row *ret, bool *ret_found)
{
    struct partner_row row = {.id = NULL};
    struct partner_list list = {.arena = arena, .rows = &row, .max = 1};
    const struct db_value values[] = {db_str(id)};
    const enum accord_error error = db_query(db, &sql_get, values, 1, 1, add_partner, &list);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = row;
    *ret_found = list.count == 1;
    return ACCORD_OK;
}

enum accord_error store_partner_list(struct db *db, struct arena *arena, const char *after,
                                     int64_t limit, struct partner_row **ret, size_t *ret_count)
{
    struct partner_list list = {.arena = arena, .max = (size_t)limit};
    list.rows = arena_array(arena, list.max, sizeof list.rows[0]);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value values[] = {db_str(after), db_int(limit)};
    const enum accord_error error = db_query(db, &sql_list, values, 2, 1, add_partner, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

static const char *state_name(const struct partner_row *row)
{
    return row->suspended ? "suspended" : "active";
}

static enum accord_error add_state(struct db *db, const struct partner_row *row)
{
    const struct db_value values[] = {db_str(row->id), db_int(row->updated_at),
                                      db_str(state_name(row))};
    return db_run(db, &sql_state, values, 3, 1, NULL);
}

DB_SQL(sql_names, "SELECT legal_name, tax_id FROM partner WHERE id = $1");

struct naming {
    struct arena *arena;
    struct partner_name *names;
};

static enum accord_error take_name(void *context, size_t param_row, const struct db_row *row)
{
    const struct naming *naming = context;
    struct partner_name *name = &naming->names[param_row];
    name->legal_name = text_of(naming->arena, row, 0);
    name->tax_id = text_of(naming->arena, row, 1);
    return name->legal_name == NULL || name->tax_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_partner_names(struct db *db, struct arena *arena,
                                      struct partner_name *names, size_t count)
{
    struct naming naming = {arena, names};
    if (count == 0)
        return ACCORD_OK;
    struct db_value *params = arena_array(arena, count, sizeof *params);
    if (params == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        names[i].legal_name = names[i].tax_id = "";
        params[i] = db_str(names[i].id);
    }
    return db_query(db, &sql_names, params, 1, count, take_name, &naming);
}

enum accord_error store_partner_insert(struct db *db, const struct partner_row *row,
                                       bool *ret_added)
{
    const struct db_value values[] = {
        db_str(row->id),         db_str(row->name),    db_str(row->legal_name),
        db_str(row->tax_id),     db_int(row->roles),   db_str(row->currency),
        db_str(row->time_zone),  db_str(row->profile), db_str(row->column_map),
        db_str(state_name(row)), db_int(row->version), db_int(row->created_at),
        db_int(row->updated_at),
    };
    int64_t changes = 0;
    enum accord_error error = db_run(db, &sql_insert, values, 13, 1, &changes);
    if (error == ACCORD_OK && changes == 1)
        error = add_state(db, row);
    if (error == ACCORD_OK)
        *ret_added = changes == 1;
    return error;
}

enum accord_error store_partner_update(struct db *db, const struct partner_row *row,
                                       bool state_changed, bool *ret_updated)
{
    const struct db_value values[] = {
        db_str(row->id),          db_str(row->name),    db_str(row->legal_name),
        db_str(row->tax_id),      db_int(row->roles),   db_str(row->currency),
        db_str(row->time_zone),   db_str(row->profile), db_str(row->column_map),
        db_str(state_name(row)),  db_int(row->version), db_int(row->updated_at),
        db_int(row->version - 1),
    };
    int64_t changes = 0;
    enum accord_error error = db_run(db, &sql_update, values, 13, 1, &changes);
    if (error == ACCORD_OK && changes == 1 && state_changed)
        error = add_state(db, row);
    if (error == ACCORD_OK)
        *ret_updated = changes == 1;
    return error;
}

static enum accord_error take_int(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_partner_version(struct db *db, const char *partner, int64_t *ret)
{
    int64_t seq = 0;
    const struct db_value values[] = {db_str(partner)};
    const enum accord_error error = db_query(db, &sql_version, values, 1, 1, take_int, &seq);
    if (error == ACCORD_OK)
        *ret = seq;
    return error;
}

DB_SQL(sql_operator,
       "SELECT id FROM partner WHERE (roles & 8) <> 0 ORDER BY created_at, id LIMIT 1");

struct one_id {
    struct arena *arena;
    const char *id;
};

static enum accord_error take_id(void *context, size_t param_row, const struct db_row *row)
{
    struct one_id *one = context;
    (void)param_row;
    one->id = arena_strdup(one->arena, db_get_text(row, 0));
    return one->id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_partner_operator(struct db *db, struct arena *arena, const char **ret)
{
    struct one_id one = {arena, ""};
    const enum accord_error error = db_query(db, &sql_operator, NULL, 0, 1, take_id, &one);
    if (error == ACCORD_OK)
        *ret = one.id;
    return error;
}
