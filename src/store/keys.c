#include "store/keys.h"

#define COLUMNS "k.id, k.partner, k.scopes, k.label, k.created_at, k.expires_at, k.revoked_at"

DB_SQL(sql_find, "SELECT " COLUMNS ", p.name, p.roles, p.state FROM api_key k "
                 "JOIN partner p ON p.id = k.partner WHERE k.hash = $1");
DB_SQL(sql_insert, "INSERT INTO api_key (id, partner, hash, scopes, label, created_at, expires_at, "
                   "revoked_at) VALUES ($1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), NULL) "
                   "ON CONFLICT DO NOTHING");
DB_SQL(sql_list, "SELECT " COLUMNS " FROM api_key k WHERE k.partner = $1 AND k.id > $2 "
                 "ORDER BY k.id LIMIT $3");
DB_SQL(sql_list_all, "SELECT " COLUMNS " FROM api_key k WHERE k.id > $1 ORDER BY k.id LIMIT $2");
DB_SQL(sql_get, "SELECT partner FROM api_key WHERE id = $1");
DB_SQL(sql_revoke, "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL");

struct key_list {
    struct arena *arena;
    struct key_row *rows;
    size_t count;
    size_t max;
};

static enum accord_error read_key(struct arena *arena, const struct db_row *row,
                                  struct key_row *ret)
{
    *ret = (struct key_row){
        .id = arena_strdup(arena, db_get_text(row, 0)),
        .partner = arena_strdup(arena, db_get_text(row, 1)),
        .scopes = (uint32_t)db_get_int(row, 2),
        .label = arena_strdup(arena, db_get_text(row, 3)),
        .created_at = db_get_int(row, 4),
        .expires_at = db_is_null(row, 5) ? INT64_MAX : db_get_int(row, 5),
        .revoked_at = db_is_null(row, 6) ? INT64_MAX : db_get_int(row, 6),
    };
    if (ret->id == NULL || ret->partner == NULL || ret->label == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return ACCORD_OK;
}

struct found_key {
    struct arena *arena;
    struct key_owner owner;
    bool found;
};

static enum accord_error take_owner(void *context, size_t param_row, const struct db_row *row)
{
    struct found_key *found = context;
    (void)param_row;
    const enum accord_error error = read_key(found->arena, row, &found->owner.key);
    if (error != ACCORD_OK)
        return error;
    found->owner.partner_name = arena_strdup(found->arena, db_get_text(row, 7));
    found->owner.roles = (uint32_t)db_get_int(row, 8);
    found->owner.suspended = !slice_equal(db_get_text(row, 9), SLICE("active"));
    found->found = true;
    return found->owner.partner_name == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_key_find(struct db *db, struct arena *arena, const struct hash *hash,
                                 struct key_owner *ret, bool *ret_found)
{
    struct found_key found = {.arena = arena};
    const struct db_value values[] = {db_hash(hash)};
    const enum accord_error error = db_query(db, &sql_find, values, 1, 1, take_owner, &found);
    if (error != ACCORD_OK)
        return error;
    if (found.found)
        *ret = found.owner;
    *ret_found = found.found;
    return ACCORD_OK;
}

enum accord_error store_key_insert(struct db *db, const struct key_row *row,
                                   const struct hash *hash, bool *ret_added)
{
    const struct db_value values[] = {
        db_str(row->id),
        db_str(row->partner),
        db_hash(hash),
        db_int(row->scopes),
        db_str(row->label),
        db_int(row->created_at),
        row->expires_at == INT64_MAX ? db_null() : db_int(row->expires_at),
    };
    int64_t changes = 0;
    const enum accord_error error = db_run(db, &sql_insert, values, 7, 1, &changes);
    if (error == ACCORD_OK)
        *ret_added = changes == 1;
    return error;
}

static enum accord_error add_key(void *context, size_t param_row, const struct db_row *row)
{
    struct key_list *list = context;
    (void)param_row;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    const enum accord_error error = read_key(list->arena, row, &list->rows[list->count]);
    if (error == ACCORD_OK)
        list->count++;
    return error;
}

enum accord_error store_key_list(struct db *db, struct arena *arena, const char *partner,
                                 const char *after, int64_t limit, struct key_row **ret,
                                 size_t *ret_count)
{
    struct key_list list = {.arena = arena, .max = (size_t)limit};
    list.rows = arena_array(arena, list.max, sizeof list.rows[0]);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value values[] = {db_str(partner), db_str(after), db_int(limit)};
    const enum accord_error error =
        partner == NULL ? db_query(db, &sql_list_all, values + 1, 2, 1, add_key, &list)
                        : db_query(db, &sql_list, values, 3, 1, add_key, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

struct found_owner {
    struct arena *arena;
    const char *owner;
};

static enum accord_error take_partner(void *context, size_t param_row, const struct db_row *row)
{
    struct found_owner *found = context;
    (void)param_row;
    found->owner = arena_strdup(found->arena, db_get_text(row, 0));
    return found->owner == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_key_revoke(struct db *db, struct arena *arena, const char *partner,
                                   const char *id, instant_us now, const char **ret_owner)
{
    struct found_owner found = {.arena = arena};
    const struct db_value values[] = {db_str(id), db_int(now)};
    enum accord_error error = db_query(db, &sql_get, values, 1, 1, take_partner, &found);
    if (error != ACCORD_OK)
        return error;
    if (found.owner != NULL && partner != NULL && strcmp(found.owner, partner) != 0)
        found.owner = NULL;
    if (found.owner != NULL)
        error = db_run(db, &sql_revoke, values, 2, 1, NULL);
    if (error == ACCORD_OK)
        *ret_owner = found.owner;
    return error;
}
