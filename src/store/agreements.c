#include "store/agreements.h"

#include <string.h>

#include "store/rows.h"

static const char *const state_names[] = {
    [AGREEMENT_DRAFT] = "draft",           [AGREEMENT_PROPOSED] = "proposed",
    [AGREEMENT_ACTIVE] = "active",         [AGREEMENT_REJECTED] = "rejected",
    [AGREEMENT_SUPERSEDED] = "superseded", [AGREEMENT_TERMINATED] = "terminated",
};

const char *agreement_state_name(enum agreement_state state)
{
    return state_names[state];
}

static bool state_of(struct slice name, enum agreement_state *ret)
{
    for (int state = AGREEMENT_DRAFT; state <= AGREEMENT_TERMINATED; state++)
        if (slice_equal(slice_of(state_names[state]), name)) {
            *ret = (enum agreement_state)state;
            return true;
        }
    return false;
}

/* ---- agreements ---- */

#define AGREEMENT_COLUMNS "a.id, a.name, a.created_by, a.created_at FROM agreement a "
DB_SQL(sql_find, "SELECT " AGREEMENT_COLUMNS "WHERE a.id = $1");
DB_SQL(sql_insert, "INSERT INTO agreement (id, name, created_by, created_at) "
                   "VALUES ($1, $2, $3, $4)");

struct agreements {
    struct arena *arena;
    struct agreement_row *rows;
    size_t count;
};

static enum accord_error take_agreement(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct agreements *agreements = context;
    struct agreement_row *next = &agreements->rows[agreements->count++];
    *next = (struct agreement_row){
        .id = arena_strdup(agreements->arena, db_get_text(row, 0)),
        .name = arena_strdup(agreements->arena, db_get_text(row, 1)),
        .created_by = arena_strdup(agreements->arena, db_get_text(row, 2)),
        .created_at = db_get_int(row, 3),
    };
    return next->id == NULL || next->name == NULL || next->created_by == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_agreement_find(struct db *db, struct arena *arena, const char *id,
                                       bool *ret_found, struct agreement_row *ret)
{
    struct agreement_row row = {0};
    struct agreements found = {.arena = arena, .rows = &row};
    const struct db_value params[] = {db_str(id)};
    const enum accord_error error = db_query(db, &sql_find, params, 1, 1, take_agreement, &found);
    if (error != ACCORD_OK)
        return error;
    *ret_found = found.count == 1;
    if (*ret_found)
        *ret = row;
    return ACCORD_OK;
}

enum accord_error store_agreement_insert(struct db *db, const struct agreement_row *row)
{
    const struct db_value params[] = {db_str(row->id), db_str(row->name), db_str(row->created_by),
                                      db_int(row->created_at)};
    return db_run(db, &sql_insert, params, 4, 1, NULL);
}

/* ---- versions ---- */

DB_SQL(sql_version_insert,
       "INSERT INTO agreement_version (agreement, version, state, effective_from, effective_to, "
       "body, body_hash, reason, created_at, activated_seq, changed_seq) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, NULL, $9)");
DB_SQL(sql_party_insert,
       "INSERT INTO agreement_party (partner, agreement, version, rank, signed_at, signed_key, "
       "signed_hash) VALUES ($1, $2, $3, $4, NULL, '', NULL)");

enum accord_error store_agreement_version_insert(struct db *db,
                                                 const struct agreement_version_row *row)
{
    const struct db_value version[] = {
        db_str(row->agreement),      db_int(row->version),      db_str(state_names[row->state]),
        db_int(row->effective_from), db_int(row->effective_to), db_text(row->body),
        db_hash(&row->body_hash),    db_int(row->created_at),   db_int(row->changed_seq),
    };
    const enum accord_error error = db_run(db, &sql_version_insert, version, 9, 1, NULL);
    if (error != ACCORD_OK)
        return error;
    struct db_value parties[ACCORD_PARTIES_MAX][4];
    for (uint32_t i = 0; i < row->party_count; i++) {
        parties[i][0] = db_str(row->parties[i].partner);
        parties[i][1] = db_str(row->agreement);
        parties[i][2] = db_int(row->version);
        parties[i][3] = db_int(i);
    }
    return db_run(db, &sql_party_insert, parties[0], 4, row->party_count, NULL);
}

/* One row a party: a version's rows stand next to each other. */
#define VERSION_COLUMNS                                                                            \
    "v.agreement, v.version, v.state, v.effective_from, v.effective_to, v.body, v.body_hash, "     \
    "v.reason, v.created_at, v.activated_seq, v.changed_seq, p.partner, p.signed_at, "             \
    "p.signed_key "
#define VERSION_TABLES                                                                             \
    "FROM agreement_version v JOIN agreement_party p "                                             \
    "ON p.agreement = v.agreement AND p.version = v.version "

DB_SQL(sql_versions, "SELECT " VERSION_COLUMNS VERSION_TABLES "WHERE v.agreement = $1 "
                     "ORDER BY v.version, p.rank");
DB_SQL(sql_settling, "SELECT " VERSION_COLUMNS VERSION_TABLES
                     "WHERE v.state IN ('active', 'superseded', 'terminated') "
                     "ORDER BY v.agreement, v.version, p.rank");
DB_SQL(sql_settling_of,
       "SELECT " VERSION_COLUMNS VERSION_TABLES
       "JOIN agreement_party own ON own.agreement = v.agreement AND own.version = v.version "
       "WHERE own.partner = $1 AND v.state IN ('active', 'superseded', 'terminated') "
       "ORDER BY v.agreement, v.version, p.rank");

struct versions {
    struct arena *arena;
    struct agreement_version_row *rows;
    size_t count;
    size_t cap;
};

/* Room for one more; an arena only grows, so the array doubles. */
static bool grow(struct versions *versions)
{
    if (versions->count < versions->cap)
        return true;
    const size_t cap = versions->cap == 0 ? 4 : versions->cap * 2;
    struct agreement_version_row *rows = arena_array(versions->arena, cap, sizeof *rows);
    if (rows == NULL)
        return false;
    if (versions->count > 0)
        // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): counted rows are there
        memcpy(rows, versions->rows, versions->count * sizeof *rows);
    versions->rows = rows;
    versions->cap = cap;
    return true;
}

static enum accord_error take_version(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct versions *versions = context;
    struct arena *arena = versions->arena;
    struct agreement_version_row *last =
        versions->count == 0 ? NULL : &versions->rows[versions->count - 1];
    if (last == NULL || last->version != db_get_int(row, 1) ||
        !slice_equal(slice_of(last->agreement), db_get_text(row, 0))) {
        if (!grow(versions))
            return ACCORD_E_OUT_OF_MEMORY;
        last = &versions->rows[versions->count++];
        const char *body = arena_strdup(arena, db_get_text(row, 5));
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): grow() made the room
        *last = (struct agreement_version_row){
            .agreement = arena_strdup(arena, db_get_text(row, 0)),
            .version = db_get_int(row, 1),
            .effective_from = db_get_int(row, 3),
            .effective_to = db_get_int(row, 4),
            .body = {body, db_get_text(row, 5).len},
            .reason = arena_strdup(arena, db_get_text(row, 7)),
            .created_at = db_get_int(row, 8),
            .activated_seq = db_is_null(row, 9) ? 0 : db_get_int(row, 9),
            .changed_seq = db_get_int(row, 10),
        };
        const struct slice hash = db_get_bytes(row, 6);
        if (hash.len != sizeof last->body_hash.bytes ||
            !state_of(db_get_text(row, 2), &last->state))
            return ACCORD_E_DATABASE_ERROR;
        memcpy(last->body_hash.bytes, hash.data, hash.len);
        if (last->agreement == NULL || body == NULL || last->reason == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    if (last->party_count == ACCORD_PARTIES_MAX)
        return ACCORD_E_DATABASE_ERROR;
    struct agreement_signature *party = &last->parties[last->party_count++];
    *party = (struct agreement_signature){
        .partner = arena_strdup(arena, db_get_text(row, 11)),
        .signed_ = !db_is_null(row, 12),
        .signed_at = db_is_null(row, 12) ? 0 : db_get_int(row, 12),
        .signed_key = arena_strdup(arena, db_get_text(row, 13)),
    };
    return party->partner == NULL || party->signed_key == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error query_versions(struct db *db, const struct db_sql *sql,
                                        struct arena *arena, const struct db_value *params,
                                        size_t columns, size_t row_count,
                                        struct agreement_version_row **ret, size_t *ret_count)
{
    struct versions versions = {.arena = arena};
    const enum accord_error error =
        db_query(db, sql, params, columns, row_count, take_version, &versions);
    if (error != ACCORD_OK)
        return error;
    *ret = versions.rows;
    *ret_count = versions.count;
    return ACCORD_OK;
}

enum accord_error store_agreement_versions(struct db *db, struct arena *arena,
                                           const char *const *ids, size_t id_count,
                                           struct agreement_version_row **ret, size_t *ret_count)
{
    struct db_value *params = arena_array(arena, id_count, sizeof *params);
    if (params == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < id_count; i++)
        params[i] = db_str(ids[i]);
    return query_versions(db, &sql_versions, arena, params, 1, id_count, ret, ret_count);
}

enum accord_error store_agreement_settling(struct db *db, struct arena *arena, const char *partner,
                                           struct agreement_version_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(partner)};
    if (partner == NULL)
        return query_versions(db, &sql_settling, arena, NULL, 0, 1, ret, ret_count);
    return query_versions(db, &sql_settling_of, arena, params, 1, 1, ret, ret_count);
}

DB_SQL(sql_move, "UPDATE agreement_version SET state = $4, reason = $5, changed_seq = $6 "
                 "WHERE agreement = $1 AND version = $2 AND state = $3");
DB_SQL(sql_end, "UPDATE agreement_version SET effective_to = $3, changed_seq = $4 "
                "WHERE agreement = $1 AND version = $2");
DB_SQL(sql_activated, "UPDATE agreement_version SET activated_seq = $3, changed_seq = $3 "
                      "WHERE agreement = $1 AND version = $2");
DB_SQL(sql_changed, "UPDATE agreement_version SET changed_seq = $3 "
                    "WHERE agreement = $1 AND version = $2");
DB_SQL(sql_sign, "UPDATE agreement_party SET signed_at = $4, signed_key = $5, signed_hash = $6 "
                 "WHERE agreement = $1 AND version = $2 AND partner = $3 AND signed_at IS NULL");

enum accord_error store_agreement_move(struct db *db, const char *agreement, int64_t version,
                                       enum agreement_state from, enum agreement_state to,
                                       const char *reason, int64_t seq, bool *ret_moved)
{
    const struct db_value params[] = {
        db_str(agreement),       db_int(version), db_str(state_names[from]),
        db_str(state_names[to]), db_str(reason),  db_int(seq)};
    int64_t changes;
    const enum accord_error error = db_run(db, &sql_move, params, 6, 1, &changes);
    if (error != ACCORD_OK)
        return error;
    *ret_moved = changes == 1;
    return ACCORD_OK;
}

enum accord_error store_agreement_end(struct db *db, const char *agreement, int64_t version,
                                      instant_us effective_to, int64_t seq)
{
    const struct db_value params[] = {db_str(agreement), db_int(version), db_int(effective_to),
                                      db_int(seq)};
    return db_run(db, &sql_end, params, 4, 1, NULL);
}

enum accord_error store_agreement_activated(struct db *db, const char *agreement, int64_t version,
                                            int64_t seq)
{
    const struct db_value params[] = {db_str(agreement), db_int(version), db_int(seq)};
    return db_run(db, &sql_activated, params, 3, 1, NULL);
}

enum accord_error store_agreement_sign(struct db *db, const char *agreement, int64_t version,
                                       const char *partner, instant_us at, const char *key,
                                       const struct hash *body_hash, int64_t seq, bool *ret_signed)
{
    const struct db_value params[] = {db_str(agreement), db_int(version), db_str(partner),
                                      db_int(at),        db_str(key),     db_hash(body_hash)};
    int64_t changes;
    enum accord_error error = db_run(db, &sql_sign, params, 6, 1, &changes);
    if (error == ACCORD_OK && changes == 1) {
        const struct db_value changed[] = {db_str(agreement), db_int(version), db_int(seq)};
        error = db_run(db, &sql_changed, changed, 3, 1, NULL);
    }
    if (error != ACCORD_OK)
        return error;
    *ret_signed = changes == 1;
    return ACCORD_OK;
}

/* ---- lists ---- */

DB_SQL(sql_known, "SELECT id FROM partner WHERE id = $1");

static enum accord_error mark_known(void *context, size_t param_row, const struct db_row *row)
{
    (void)row;
    bool *known = context;
    known[param_row] = true;
    return ACCORD_OK;
}

enum accord_error store_agreement_unknown_party(struct db *db, const char *const *ids, size_t count,
                                                size_t *ret_unknown)
{
    struct db_value params[ACCORD_PARTIES_MAX] = {{0}};
    bool known[ACCORD_PARTIES_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        params[i] = db_str(ids[i]);
    const enum accord_error error = db_query(db, &sql_known, params, 1, count, mark_known, known);
    if (error != ACCORD_OK)
        return error;
    size_t i = 0;
    while (i < count && known[i])
        i++;
    *ret_unknown = i;
    return ACCORD_OK;
}

DB_SQL(sql_list, "SELECT " AGREEMENT_COLUMNS "WHERE a.id > $1 AND (CAST($3 AS TEXT) = '' OR "
                 "EXISTS (SELECT 1 FROM agreement_version v "
                 "WHERE v.agreement = a.id AND v.state = CAST($3 AS TEXT))) "
                 "ORDER BY a.id LIMIT $2");
DB_SQL(sql_list_of, "SELECT " AGREEMENT_COLUMNS "WHERE a.id > $1 AND EXISTS ("
                    "SELECT 1 FROM agreement_party p JOIN agreement_version v "
                    "ON v.agreement = p.agreement AND v.version = p.version "
                    "WHERE p.partner = $4 AND p.agreement = a.id AND "
                    "(CAST($3 AS TEXT) = '' OR v.state = CAST($3 AS TEXT))) "
                    "ORDER BY a.id LIMIT $2");

enum accord_error store_agreement_list(struct db *db, struct arena *arena, const char *partner,
                                       const char *state, const char *after, int64_t limit,
                                       struct agreement_row **ret, size_t *ret_count)
{
    struct agreements list = {.arena = arena,
                              .rows = arena_array(arena, (size_t)limit, sizeof *list.rows)};
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value params[] = {db_str(after), db_int(limit), db_str(state), db_str(partner)};
    const enum accord_error error = db_query(db, partner == NULL ? &sql_list : &sql_list_of, params,
                                             partner == NULL ? 3 : 4, 1, take_agreement, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}
