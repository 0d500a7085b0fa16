#include "store/pool_months.h"

#include <string.h>

#include "store/rows.h"

/* ---- months ---- */

#define COLUMNS                                                                                    \
    "channel, pool, day, stale, seq, divided_at, took_us, version, fees, idle, unclaimed, "        \
    "members, idle_members, units, sheet_hash"
#define FROM "SELECT " COLUMNS " FROM pool_month WHERE "

enum { MONTH_COLUMNS = 15, SHARE_COLUMNS = 10 };

DB_SQL(sql_came, "INSERT INTO pool_month (" COLUMNS ") VALUES ($1, $2, $3, 1, 0, 0, 0, 0, 0, 0, 0, "
                 "0, 0, 0, $4) ON CONFLICT (channel, pool, day) DO UPDATE SET stale = 1");
DB_SQL(sql_changed, "UPDATE pool_month SET stale = 1 WHERE channel = $1 AND day >= $2 AND day < $3 "
                    "AND stale = 0");
/* What takes no more than a twentieth of a second need not rest. A clock that was set back makes
 * nobody wait. */
DB_SQL(sql_next, FROM "stale = 1 AND (divided_at + 10 * took_us - 500000 <= $1 OR divided_at > $1) "
                      "ORDER BY divided_at, channel, pool, day LIMIT 1");
DB_SQL(sql_stale, FROM "channel = $1 AND pool = $2 AND day < $3 AND stale = 1 ORDER BY day");
DB_SQL(sql_find, FROM "channel = $1 AND pool = $2 AND day = $3");
DB_SQL(sql_all, "SELECT " COLUMNS " FROM pool_month ORDER BY channel, pool, day");
DB_SQL(sql_seq,
       "SELECT CAST(COALESCE(MAX(m.seq), 0) AS BIGINT) FROM pool_share s JOIN pool_month m "
       "ON m.channel = s.channel AND m.pool = s.pool AND m.day = s.day "
       "WHERE s.agreement = $1 AND s.day < $2");
DB_SQL(sql_put, "UPDATE pool_month SET stale = $4, seq = $5, divided_at = $6, took_us = $7, "
                "version = $8, fees = $9, idle = $10, unclaimed = $11, members = $12, "
                "idle_members = $13, units = $14, sheet_hash = $15 "
                "WHERE channel = $1 AND pool = $2 AND day = $3");

static void month_values(const struct pool_month_row *row, struct db_value *v)
{
    v[0] = db_str(row->channel);
    v[1] = db_str(row->pool);
    v[2] = db_int(row->day);
    v[3] = db_int(row->stale);
    v[4] = db_int(row->seq);
    v[5] = db_int(row->divided_at);
    v[6] = db_int(row->took_us);
    v[7] = db_int(row->version);
    v[8] = db_int(row->fees);
    v[9] = db_int(row->idle);
    v[10] = db_int(row->unclaimed);
    v[11] = db_int(row->members);
    v[12] = db_int(row->idle_members);
    v[13] = db_int(row->units);
    v[14] = db_hash(&row->sheet_hash);
}

enum accord_error store_pool_month_came(struct db *db, const struct pool_member_row *rows,
                                        size_t count)
{
    static const struct hash none;
    ROWS values = rows_new(count, 4);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t months = 0;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[4 * months];
        /* Sorted rows name a month once. */
        if (i > 0 && rows[i].day == rows[i - 1].day &&
            strcmp(rows[i].pool, rows[i - 1].pool) == 0 &&
            strcmp(rows[i].channel, rows[i - 1].channel) == 0)
            continue;
        v[0] = db_str(rows[i].channel);
        v[1] = db_str(rows[i].pool);
        v[2] = db_int(rows[i].day);
        v[3] = db_hash(&none);
        months++;
    }
    return months == 0 ? ACCORD_OK : db_run(db, &sql_came, values, 4, months, NULL);
}

enum accord_error store_pool_months_changed(struct db *db, const char *channel, int64_t from_day,
                                            int64_t to_day)
{
    const struct db_value values[] = {db_str(channel), db_int(from_day), db_int(to_day)};
    return db_run(db, &sql_changed, values, 3, 1, NULL);
}

struct months {
    struct arena *arena;
    struct pool_month_row *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_month(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct months *list = context;
    const struct slice hash = db_get_bytes(row, 14);
    struct pool_month_row *items =
        arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (hash.len != HASH_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    list->items = items;
    struct pool_month_row *month = &items[list->count++];
    *month = (struct pool_month_row){
        .channel = arena_strdup(list->arena, db_get_text(row, 0)),
        .pool = arena_strdup(list->arena, db_get_text(row, 1)),
        .day = db_get_int(row, 2),
        .stale = db_get_int(row, 3) != 0,
        .seq = db_get_int(row, 4),
        .divided_at = db_get_int(row, 5),
        .took_us = db_get_int(row, 6),
        .version = db_get_int(row, 7),
        .fees = db_get_int(row, 8),
        .idle = db_get_int(row, 9),
        .unclaimed = db_get_int(row, 10),
        .members = db_get_int(row, 11),
        .idle_members = db_get_int(row, 12),
        .units = db_get_int(row, 13),
    };
    memcpy(month->sheet_hash.bytes, hash.data, HASH_BYTES);
    return month->channel == NULL || month->pool == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error read_months(struct db *db, struct arena *arena, const struct db_sql *sql,
                                     const struct db_value *params, size_t columns,
                                     struct pool_month_row **ret, size_t *ret_count)
{
    struct months list = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_month, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

static enum accord_error read_month(struct db *db, struct arena *arena, const struct db_sql *sql,
                                    const struct db_value *params, size_t columns,
                                    struct pool_month_row *ret, bool *ret_found)
{
    struct pool_month_row *rows;
    size_t count;
    const enum accord_error error = read_months(db, arena, sql, params, columns, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    *ret_found = count > 0;
    if (count > 0)
        *ret = rows[0];
    return ACCORD_OK;
}

enum accord_error store_pool_month_next(struct db *db, struct arena *arena, instant_us now,
                                        struct pool_month_row *ret, bool *ret_found)
{
    const struct db_value params[] = {db_int(now)};
    return read_month(db, arena, &sql_next, params, 1, ret, ret_found);
}

enum accord_error store_pool_months_stale(struct db *db, struct arena *arena, const char *channel,
                                          const char *pool, int64_t to_day,
                                          struct pool_month_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(channel), db_str(pool), db_int(to_day)};
    return read_months(db, arena, &sql_stale, params, 3, ret, ret_count);
}

enum accord_error store_pool_month_find(struct db *db, struct arena *arena, const char *channel,
                                        const char *pool, int64_t day, struct pool_month_row *ret,
                                        bool *ret_found)
{
    const struct db_value params[] = {db_str(channel), db_str(pool), db_int(day)};
    return read_month(db, arena, &sql_find, params, 3, ret, ret_found);
}

enum accord_error store_pool_months_all(struct db *db, struct arena *arena,
                                        struct pool_month_row **ret, size_t *ret_count)
{
    return read_months(db, arena, &sql_all, NULL, 0, ret, ret_count);
}

static enum accord_error take_number(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_pool_months_seq(struct db *db, const char *agreement, int64_t to_day,
                                        int64_t *ret)
{
    const struct db_value params[] = {db_str(agreement), db_int(to_day)};
    return db_query(db, &sql_seq, params, 2, 1, take_number, ret);
}

/* ---- what a month is divided by ---- */

DB_SQL(sql_members_of,
       "SELECT learner, fee_minor FROM pool_member WHERE channel = $1 AND pool = $2 "
       "AND day = $3 AND fee_minor <> 0 ORDER BY learner");
DB_SQL(sql_usage,
       "SELECT u.seq, u.kind, u.learner, u.provider, u.course_id, u.occurred_at, u.event_id, "
       "u.seconds, u.from_at, u.to_at, f.received_at FROM usage_fact u JOIN fact f ON f.seq = "
       "u.seq WHERE u.channel = $1 AND u.occurred_at >= $2 AND u.occurred_at < $3 AND u.learner IS "
       "NOT NULL AND NOT EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = u.seq) "
       "ORDER BY u.learner NULLS FIRST, u.occurred_at, u.event_id");

struct member_walk {
    struct pool_member_row row;
    pool_member_fn *each;
    void *context;
};

static enum accord_error walk_member(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct member_walk *walk = context;
    const struct slice learner = db_get_bytes(row, 0);
    if (learner.len != 0 && learner.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    walk->row.has_learner = learner.len > 0;
    if (learner.len > 0)
        memcpy(walk->row.learner, learner.data, LEARNER_BYTES);
    walk->row.fee_minor = db_get_int(row, 1);
    return walk->each(walk->context, &walk->row);
}

enum accord_error store_pool_members_of(struct db *db, const char *channel, const char *pool,
                                        int64_t day, pool_member_fn *each, void *context)
{
    const struct db_value params[] = {db_str(channel), db_str(pool), db_int(day)};
    struct member_walk walk = {
        .row = {.channel = channel, .pool = pool, .day = day}, .each = each, .context = context};
    return db_query(db, &sql_members_of, params, 3, 1, walk_member, &walk);
}

struct usage_walk {
    const char *channel;
    struct arena *arena; /* of one row */
    pool_usage_fn *each;
    void *context;
};

static enum accord_error walk_usage(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct usage_walk *walk = context;
    const struct slice learner = db_get_bytes(row, 2);
    arena_reset(walk->arena);
    struct usage_row usage = {
        .seq = db_get_int(row, 0),
        .channel = walk->channel,
        .has_learner = true,
        .provider = arena_strdup(walk->arena, db_get_text(row, 3)),
        .course_id = arena_strdup(walk->arena, db_get_text(row, 4)),
        .occurred_at = db_get_int(row, 5),
        .event_id = arena_strdup(walk->arena, db_get_text(row, 6)),
        .seconds = db_get_int(row, 7),
        .has_from = !db_is_null(row, 8),
        .from = db_get_int(row, 8),
        .has_to = !db_is_null(row, 9),
        .to = db_get_int(row, 9),
    };
    if (usage.provider == NULL || usage.course_id == NULL || usage.event_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (learner.len != LEARNER_BYTES || !usage_kind_find(db_get_text(row, 1), &usage.kind))
        return ACCORD_E_DATABASE_ERROR;
    memcpy(usage.learner, learner.data, LEARNER_BYTES);
    return walk->each(walk->context, &usage, db_get_int(row, 10));
}

enum accord_error store_pool_usage(struct db *db, const char *channel, instant_us from,
                                   instant_us to, pool_usage_fn *each, void *context)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    const struct db_value params[] = {db_str(channel), db_int(from), db_int(to)};
    struct usage_walk walk = {channel, arena_new(ONE_ROW_MAX), each, context};
    if (walk.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_usage, params, 3, 1, walk_usage, &walk);
    arena_free(walk.arena);
    return error;
}

/* ---- shares ---- */

#define SHARE_LIST "channel, pool, day, provider, agreement, version, term, units, amount, exact"
#define SHARES "SELECT " SHARE_LIST " FROM pool_share WHERE "
DB_SQL(sql_shares, SHARES "channel = $1 AND pool = $2 AND day = $3 "
                          "ORDER BY provider, agreement, version, term");
DB_SQL(sql_shares_of, SHARES "agreement = $1 AND day < $2 "
                             "ORDER BY day, channel, pool, provider, version, term");
DB_SQL(sql_forget, "DELETE FROM pool_share WHERE channel = $1 AND pool = $2 AND day = $3");
DB_SQL(sql_share, "INSERT INTO pool_share (" SHARE_LIST ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                  "$9, $10)");

struct shares {
    struct arena *arena;
    struct pool_share_row *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_share(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct shares *list = context;
    struct pool_share_row *items =
        arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->items = items;
    struct pool_share_row *share = &items[list->count++];
    *share = (struct pool_share_row){
        .channel = arena_strdup(list->arena, db_get_text(row, 0)),
        .pool = arena_strdup(list->arena, db_get_text(row, 1)),
        .day = db_get_int(row, 2),
        .provider = arena_strdup(list->arena, db_get_text(row, 3)),
        .agreement = arena_strdup(list->arena, db_get_text(row, 4)),
        .version = db_get_int(row, 5),
        .term = db_get_int(row, 6),
        .units = db_get_int(row, 7),
        .amount = db_get_int(row, 8),
        .exact = arena_strdup(list->arena, db_get_text(row, 9)),
    };
    return share->channel == NULL || share->pool == NULL || share->provider == NULL ||
                   share->agreement == NULL || share->exact == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error read_shares(struct db *db, struct arena *arena, const struct db_sql *sql,
                                     const struct db_value *params, size_t columns,
                                     struct pool_share_row **ret, size_t *ret_count)
{
    struct shares list = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_share, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_pool_shares(struct db *db, struct arena *arena, const char *channel,
                                    const char *pool, int64_t day, struct pool_share_row **ret,
                                    size_t *ret_count)
{
    const struct db_value params[] = {db_str(channel), db_str(pool), db_int(day)};
    return read_shares(db, arena, &sql_shares, params, 3, ret, ret_count);
}

enum accord_error store_pool_shares_of(struct db *db, struct arena *arena, const char *agreement,
                                       int64_t to_day, struct pool_share_row **ret,
                                       size_t *ret_count)
{
    const struct db_value params[] = {db_str(agreement), db_int(to_day)};
    return read_shares(db, arena, &sql_shares_of, params, 2, ret, ret_count);
}

enum accord_error store_pool_month_put(struct db *db, const struct pool_month_row *month,
                                       const struct pool_share_row *shares, size_t count)
{
    struct db_value head[MONTH_COLUMNS];
    month_values(month, head);
    ROWS values = rows_new(count, SHARE_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[SHARE_COLUMNS * i];
        v[0] = db_str(shares[i].channel);
        v[1] = db_str(shares[i].pool);
        v[2] = db_int(shares[i].day);
        v[3] = db_str(shares[i].provider);
        v[4] = db_str(shares[i].agreement);
        v[5] = db_int(shares[i].version);
        v[6] = db_int(shares[i].term);
        v[7] = db_int(shares[i].units);
        v[8] = db_int(shares[i].amount);
        v[9] = db_str(shares[i].exact);
    }
    enum accord_error error = db_run(db, &sql_put, head, MONTH_COLUMNS, 1, NULL);
    if (error == ACCORD_OK)
        error = db_run(db, &sql_forget, head, 3, 1, NULL);
    return error != ACCORD_OK || count == 0
               ? error
               : db_run(db, &sql_share, values, SHARE_COLUMNS, count, NULL);
}
