#include "store/idempotency.h"

DB_SQL(sql_find, "SELECT request_hash, status, content_type, headers, body, created_at "
                 "FROM idempotency WHERE partner = $1 AND idempotency_key = $2");
DB_SQL(sql_insert, "INSERT INTO idempotency (partner, idempotency_key, request_hash, status, "
                   "content_type, headers, body, created_at) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                   "ON CONFLICT (partner, idempotency_key) DO NOTHING");

DB_SQL(sql_replace,
       "INSERT INTO idempotency (partner, idempotency_key, request_hash, status, content_type, "
       "headers, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
       "ON CONFLICT (partner, idempotency_key) DO UPDATE SET request_hash = excluded.request_hash, "
       "status = excluded.status, content_type = excluded.content_type, "
       "headers = excluded.headers, body = excluded.body, created_at = excluded.created_at");
DB_SQL(sql_forget, "DELETE FROM idempotency WHERE partner = $1 AND idempotency_key = $2");

struct found_answer {
    struct arena *arena;
    struct idempotency_row row;
    bool found;
};

static bool copy(struct arena *arena, struct slice from, struct slice *ret)
{
    char *text = arena_strdup(arena, from);
    *ret = (struct slice){text, from.len};
    return text != NULL;
}

static enum accord_error take_answer(void *context, size_t param_row, const struct db_row *row)
{
    struct found_answer *found = context;
    (void)param_row;
    const struct slice hash = db_get_bytes(row, 0);
    if (hash.len != sizeof found->row.request_hash.bytes)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(found->row.request_hash.bytes, hash.data, hash.len);
    found->row.status = (unsigned)db_get_int(row, 1);
    found->row.created_at = db_get_int(row, 5);
    found->found = copy(found->arena, db_get_text(row, 2), &found->row.content_type) &&
                   copy(found->arena, db_get_text(row, 3), &found->row.headers) &&
                   copy(found->arena, db_get_bytes(row, 4), &found->row.body);
    return found->found ? ACCORD_OK : ACCORD_E_OUT_OF_MEMORY;
}

enum accord_error store_idempotency_find(struct db *db, struct arena *arena, const char *partner,
                                         const char *key, struct idempotency_row *ret,
                                         bool *ret_found)
{
    struct found_answer found = {.arena = arena, .row = {.partner = partner, .key = key}};
    const struct db_value values[] = {db_str(partner), db_str(key)};
    const enum accord_error error = db_query(db, &sql_find, values, 2, 1, take_answer, &found);
    if (error != ACCORD_OK)
        return error;
    if (found.found)
        *ret = found.row;
    *ret_found = found.found;
    return ACCORD_OK;
}

static enum accord_error run_row(struct db *db, const struct db_sql *sql,
                                 const struct idempotency_row *row, int64_t *ret_changes)
{
    /* An empty body is bytes of length 0, not NULL. */
    const char *body = row->body.data == NULL ? "" : row->body.data;
    const struct db_value values[] = {
        db_str(row->partner),
        db_str(row->key),
        db_hash(&row->request_hash),
        db_int((int64_t)row->status),
        db_text(row->content_type.data == NULL ? SLICE("") : row->content_type),
        db_text(row->headers.data == NULL ? SLICE("") : row->headers),
        db_bytes(body, row->body.len),
        db_int(row->created_at),
    };
    return db_run(db, sql, values, 8, 1, ret_changes);
}

enum accord_error store_idempotency_insert(struct db *db, const struct idempotency_row *row,
                                           bool *ret_added)
{
    int64_t changes = 0;
    const enum accord_error error = run_row(db, &sql_insert, row, &changes);
    if (error == ACCORD_OK)
        *ret_added = changes == 1;
    return error;
}

enum accord_error store_idempotency_replace(struct db *db, const struct idempotency_row *row)
{
    return run_row(db, &sql_replace, row, NULL);
}

enum accord_error store_idempotency_forget(struct db *db, const char *partner, const char *key)
{
    const struct db_value values[] = {db_str(partner), db_str(key)};
    return db_run(db, &sql_forget, values, 2, 1, NULL);
}
