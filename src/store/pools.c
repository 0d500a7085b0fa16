#include "store/pools.h"

#include <string.h>

#include "store/rows.h"

/* ---- versions ---- */

#define COLUMNS "v.channel, v.pool, v.version, v.from_day, v.body, v.hash, v.created_at, v.seq"
#define FROM "SELECT " COLUMNS " FROM pool_version v WHERE "

DB_SQL(sql_insert, "INSERT INTO pool_version (channel, pool, version, from_day, body, hash, "
                   "created_at, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_last, FROM "v.channel = $1 AND v.pool = $2 ORDER BY v.version DESC LIMIT 1");
DB_SQL(sql_version, FROM "v.channel = $1 AND v.pool = $2 AND v.version = $3");
DB_SQL(sql_in_force, FROM "v.channel = $1 AND v.pool = $2 AND v.from_day <= $3 "
                          "ORDER BY v.version DESC LIMIT 1");
DB_SQL(sql_of, FROM "v.channel = $1 ORDER BY v.pool, v.version");
#define LAST                                                                                       \
    "v.version = (SELECT MAX(m.version) FROM pool_version m WHERE m.channel = v.channel AND "      \
    "m.pool = v.pool) "
#define PAGE "ORDER BY v.channel, v.pool LIMIT $3"
/* Two partners with an agreement, signed or not: who is to sign must be able to read. */
#define TOGETHER(channel, partner)                                                                 \
    "SELECT 1 FROM agreement_party a JOIN agreement_party b ON b.agreement = a.agreement AND "     \
    "b.version = a.version AND b.partner = " channel " WHERE a.partner = " partner
DB_SQL(sql_all, FROM "(v.channel, v.pool) > ($1, $2) AND " LAST PAGE);
DB_SQL(sql_seen, FROM "(v.channel, v.pool) > ($1, $2) AND (v.channel = $4 OR EXISTS "
                      "(" TOGETHER("v.channel", "$4") ")) AND " LAST PAGE);
DB_SQL(sql_may_see, TOGETHER("$1", "$2") " LIMIT 1");

enum accord_error store_pool_insert(struct db *db, const struct pool_row *row)
{
    const struct db_value values[] = {
        db_str(row->channel), db_str(row->pool),   db_int(row->version),    db_int(row->from_day),
        db_text(row->body),   db_hash(&row->hash), db_int(row->created_at), db_int(row->seq),
    };
    return db_run(db, &sql_insert, values, sizeof values / sizeof *values, 1, NULL);
}

struct pool_rows {
    struct arena *arena;
    struct pool_row *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_pool(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct pool_rows *list = context;
    const struct slice body = db_get_text(row, 4);
    const struct slice hash = db_get_bytes(row, 5);
    struct pool_row *items =
        arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (hash.len != HASH_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    list->items = items;
    struct pool_row *pool = &items[list->count++];
    *pool = (struct pool_row){
        .channel = arena_strdup(list->arena, db_get_text(row, 0)),
        .pool = arena_strdup(list->arena, db_get_text(row, 1)),
        .version = db_get_int(row, 2),
        .from_day = db_get_int(row, 3),
        .body = {arena_strdup(list->arena, body), body.len},
        .created_at = db_get_int(row, 6),
        .seq = db_get_int(row, 7),
    };
    memcpy(pool->hash.bytes, hash.data, HASH_BYTES);
    return pool->channel == NULL || pool->pool == NULL || pool->body.data == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error read_one(struct db *db, struct arena *arena, const struct db_sql *sql,
                                  const struct db_value *params, size_t columns,
                                  struct pool_row *ret, bool *ret_found)
{
    struct pool_rows list = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_pool, &list);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = list.items[0];
    *ret_found = list.count == 1;
    return ACCORD_OK;
}

enum accord_error store_pool_get(struct db *db, struct arena *arena, const char *channel,
                                 const char *pool, int64_t version, struct pool_row *ret,
                                 bool *ret_found)
{
    const struct db_value params[] = {db_str(channel), db_str(pool), db_int(version)};
    return version == 0 ? read_one(db, arena, &sql_last, params, 2, ret, ret_found)
                        : read_one(db, arena, &sql_version, params, 3, ret, ret_found);
}

enum accord_error store_pool_in_force(struct db *db, struct arena *arena, const char *channel,
                                      const char *pool, int64_t day, struct pool_row *ret,
                                      bool *ret_found)
{
    const struct db_value params[] = {db_str(channel), db_str(pool), db_int(day)};
    return read_one(db, arena, &sql_in_force, params, 3, ret, ret_found);
}

static enum accord_error read_list(struct db *db, struct arena *arena, const struct db_sql *sql,
                                   const struct db_value *params, size_t columns,
                                   struct pool_row **ret, size_t *ret_count)
{
    struct pool_rows list = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_pool, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_pools_of(struct db *db, struct arena *arena, const char *channel,
                                 struct pool_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(channel)};
    return read_list(db, arena, &sql_of, params, 1, ret, ret_count);
}

enum accord_error store_pool_list(struct db *db, struct arena *arena, const char *partner,
                                  const char *after_channel, const char *after_pool, int64_t limit,
                                  struct pool_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(after_channel), db_str(after_pool), db_int(limit),
                                      db_str(partner)};
    return partner == NULL ? read_list(db, arena, &sql_all, params, 3, ret, ret_count)
                           : read_list(db, arena, &sql_seen, params, 4, ret, ret_count);
}

enum accord_error store_pool_may_see(struct db *db, const char *channel, const char *partner,
                                     bool *ret)
{
    const struct db_value params[] = {db_str(channel), db_str(partner)};
    return rows_any(db, &sql_may_see, params, 2, ret);
}

/* ---- members ---- */

DB_SQL(sql_member_add, "INSERT INTO pool_member (channel, pool, day, learner, fee_minor) "
                       "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, pool, day, learner) "
                       "DO UPDATE SET fee_minor = pool_member.fee_minor + excluded.fee_minor");
DB_SQL(sql_members, "SELECT channel, pool, day, learner, fee_minor FROM pool_member");

enum accord_error store_pool_members_add(struct db *db, const struct pool_member_row *rows,
                                         size_t count)
{
    enum { MEMBER_COLUMNS = 5 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, MEMBER_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[MEMBER_COLUMNS * i];
        v[0] = db_str(rows[i].channel);
        v[1] = db_str(rows[i].pool);
        v[2] = db_int(rows[i].day);
        v[3] = db_bytes(rows[i].learner, rows[i].has_learner ? LEARNER_BYTES : 0);
        v[4] = db_int(rows[i].fee_minor);
    }
    return db_run(db, &sql_member_add, values, MEMBER_COLUMNS, count, NULL);
}

struct members_walk {
    pool_member_fn *each;
    void *context;
    struct arena *arena;
};

static enum accord_error walk_member(void *context, size_t param_row, const struct db_row *row)
{
    const struct members_walk *walk = context;
    (void)param_row;
    arena_reset(walk->arena);
    const struct slice learner = db_get_bytes(row, 3);
    struct pool_member_row member = {
        .channel = arena_strdup(walk->arena, db_get_text(row, 0)),
        .pool = arena_strdup(walk->arena, db_get_text(row, 1)),
        .day = db_get_int(row, 2),
        .has_learner = learner.len > 0,
        .fee_minor = db_get_int(row, 4),
    };
    if (learner.len != 0 && learner.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    if (member.has_learner)
        memcpy(member.learner, learner.data, LEARNER_BYTES);
    return member.channel == NULL || member.pool == NULL ? ACCORD_E_OUT_OF_MEMORY
                                                         : walk->each(walk->context, &member);
}

enum accord_error store_pool_members_each(struct db *db, pool_member_fn *each, void *context)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    struct members_walk walk = {each, context, arena_new(ONE_ROW_MAX)};
    if (walk.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_members, NULL, 0, 1, walk_member, &walk);
    arena_free(walk.arena);
    return error;
}
