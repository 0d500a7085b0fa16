#include "store/challenge_rounds.h"

#include <string.h>

#include "store/entries.h"
#include "store/rows.h"

/* ---- rounds ---- */

#define ROUND                                                                                      \
    "channel, offer, round, last_day, due_at, touched_at, settled_seq, settled_at, settled_by, "   \
    "currency, entries, finishers, deposits, payouts, forfeited, fee, pot, charity, carried_in, "  \
    "carried"
enum { ROUND_COLUMNS = 20, ENTRY_COLUMNS = 15 };

DB_SQL(sql_round_put,
       "INSERT INTO challenge_round (" ROUND ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
       "$11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (channel, offer, round) DO "
       "UPDATE SET touched_at = excluded.touched_at, settled_seq = excluded.settled_seq, "
       "settled_at = excluded.settled_at, settled_by = excluded.settled_by, entries = "
       "excluded.entries, finishers = excluded.finishers, deposits = excluded.deposits, payouts = "
       "excluded.payouts, forfeited = excluded.forfeited, fee = excluded.fee, pot = excluded.pot, "
       "charity = excluded.charity, carried_in = excluded.carried_in, carried = excluded.carried");
#define ROUNDS "SELECT " ROUND " FROM challenge_round WHERE "
DB_SQL(sql_round_find, ROUNDS "channel = $1 AND offer = $2 AND round = $3");
DB_SQL(sql_rounds_of, ROUNDS "channel = $1 AND offer = $2 AND round > $3 ORDER BY round LIMIT $4");
DB_SQL(sql_round_due, ROUNDS "settled_seq = 0 AND due_at <= $1 AND touched_at <= $2 "
                             "ORDER BY due_at, channel, offer, round LIMIT 1");
DB_SQL(sql_rounds_all, "SELECT " ROUND " FROM challenge_round ORDER BY channel, offer, round");

enum accord_error store_challenge_rounds_put(struct db *db, const struct challenge_round_row *rows,
                                             size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, ROUND_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct challenge_round_row *row = &rows[i];
        struct db_value *v = &values[ROUND_COLUMNS * i];
        const int64_t numbers[] = {row->entries,    row->finishers, row->deposits, row->payouts,
                                   row->forfeited,  row->fee,       row->pot,      row->charity,
                                   row->carried_in, row->carried};
        v[0] = db_str(row->channel);
        v[1] = db_str(row->offer);
        v[2] = db_str(row->round);
        v[3] = db_int(row->last_day);
        v[4] = db_int(row->due_at);
        v[5] = db_int(row->touched_at);
        v[6] = db_int(row->settled_seq);
        v[7] = rows_int(row->settled_seq != 0, row->settled_at);
        v[8] = db_str(row->settled_by);
        v[9] = db_str(row->currency);
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++)
            v[10 + j] = db_int(numbers[j]);
    }
    return db_run(db, &sql_round_put, values, ROUND_COLUMNS, count, NULL);
}

struct rounds {
    struct arena *arena;
    struct challenge_round_row *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_round(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct rounds *list = context;
    struct challenge_round_row *items =
        arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->items = items;
    struct challenge_round_row *round = &items[list->count++];
    *round = (struct challenge_round_row){
        .channel = arena_strdup(list->arena, db_get_text(row, 0)),
        .offer = arena_strdup(list->arena, db_get_text(row, 1)),
        .round = arena_strdup(list->arena, db_get_text(row, 2)),
        .last_day = db_get_int(row, 3),
        .due_at = db_get_int(row, 4),
        .touched_at = db_get_int(row, 5),
        .settled_seq = db_get_int(row, 6),
        .settled_at = db_get_int(row, 7),
        .settled_by = arena_strdup(list->arena, db_get_text(row, 8)),
        .currency = arena_strdup(list->arena, db_get_text(row, 9)),
        .entries = db_get_int(row, 10),
        .finishers = db_get_int(row, 11),
        .deposits = db_get_int(row, 12),
        .payouts = db_get_int(row, 13),
        .forfeited = db_get_int(row, 14),
        .fee = db_get_int(row, 15),
        .pot = db_get_int(row, 16),
        .charity = db_get_int(row, 17),
        .carried_in = db_get_int(row, 18),
        .carried = db_get_int(row, 19),
    };
    return round->channel == NULL || round->offer == NULL || round->round == NULL ||
                   round->settled_by == NULL || round->currency == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error read_rounds(struct db *db, struct arena *arena, const struct db_sql *sql,
                                     const struct db_value *params, size_t columns,
                                     struct challenge_round_row **ret, size_t *ret_count)
{
    struct rounds list = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_round, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

static enum accord_error read_round(struct db *db, struct arena *arena, const struct db_sql *sql,
                                    const struct db_value *params, size_t columns,
                                    struct challenge_round_row *ret, bool *ret_found)
{
    struct challenge_round_row *rows;
    size_t count;
    const enum accord_error error = read_rounds(db, arena, sql, params, columns, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    *ret_found = count > 0;
    if (count > 0)
        *ret = rows[0];
    return ACCORD_OK;
}

enum accord_error store_challenge_round_find(struct db *db, struct arena *arena,
                                             const char *channel, const char *offer,
                                             const char *round, struct challenge_round_row *ret,
                                             bool *ret_found)
{
    const struct db_value params[] = {db_str(channel), db_str(offer), db_str(round)};
    return read_round(db, arena, &sql_round_find, params, 3, ret, ret_found);
}

enum accord_error store_challenge_rounds_of(struct db *db, struct arena *arena, const char *channel,
                                            const char *offer, const char *after, int64_t limit,
                                            struct challenge_round_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(channel), db_str(offer), db_str(after), db_int(limit)};
    return read_rounds(db, arena, &sql_rounds_of, params, 4, ret, ret_count);
}

enum accord_error store_challenge_round_due(struct db *db, struct arena *arena, instant_us now,
                                            instant_us quiet, struct challenge_round_row *ret,
                                            bool *ret_found)
{
    const struct db_value params[] = {db_int(now), db_int(quiet)};
    return read_round(db, arena, &sql_round_due, params, 2, ret, ret_found);
}

enum accord_error store_challenge_rounds_all(struct db *db, struct arena *arena,
                                             struct challenge_round_row **ret, size_t *ret_count)
{
    return read_rounds(db, arena, &sql_rounds_all, NULL, 0, ret, ret_count);
}

/* ---- entries ---- */

#define ENTRY                                                                                      \
    "channel, entry_id, seq, offer, round, currency, first_day, last_day, held, cash, done_days, " \
    "makeups, payout, forfeited, fee"
DB_SQL(sql_entry_put,
       "INSERT INTO challenge_entry (" ENTRY ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
       "$11, $12, $13, $14, $15) ON CONFLICT (channel, entry_id) DO UPDATE SET seq = excluded.seq, "
       "offer = excluded.offer, round = excluded.round, currency = excluded.currency, first_day = "
       "excluded.first_day, last_day = excluded.last_day, held = excluded.held, cash = "
       "excluded.cash, done_days = excluded.done_days, makeups = excluded.makeups, payout = "
       "excluded.payout, forfeited = excluded.forfeited, fee = excluded.fee");
#define ENTRIES "SELECT " ENTRY " FROM challenge_entry WHERE "
DB_SQL(sql_entry_find, ENTRIES "channel = $1 AND entry_id = $2");
DB_SQL(sql_entries_of, ENTRIES "channel = $1 AND offer = $2 AND round = $3 AND entry_id > $4 "
                               "ORDER BY entry_id LIMIT $5");
DB_SQL(sql_entries_of_offer,
       ENTRIES "channel = $1 AND offer = $2 ORDER BY channel, offer, round, entry_id");

DB_SQL(sql_entries_page, "SELECT " ENTRY " FROM challenge_entry WHERE (channel, entry_id) > "
                         "($1, $2) ORDER BY channel, entry_id LIMIT $3");
DB_SQL(sql_entries_missing,
       "SELECT CAST(COUNT(*) AS BIGINT) FROM challenge_fact f WHERE f.kind = 'joined' AND NOT "
       "EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = f.seq) AND NOT EXISTS (SELECT 1 "
       "FROM challenge_entry e WHERE e.channel = f.channel AND e.entry_id = f.entry_id)");

enum accord_error store_challenge_entries_put(struct db *db, const struct challenge_entry_row *rows,
                                              size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, ENTRY_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct challenge_entry_row *row = &rows[i];
        struct db_value *v = &values[ENTRY_COLUMNS * i];
        v[0] = db_str(row->channel);
        v[1] = db_str(row->entry_id);
        v[2] = db_int(row->seq);
        v[3] = db_str(row->offer);
        v[4] = db_str(row->round);
        v[5] = db_str(row->currency);
        v[6] = db_int(row->first_day);
        v[7] = db_int(row->last_day);
        v[8] = db_int(row->held);
        v[9] = db_int(row->cash);
        v[10] = db_int(row->done_days);
        v[11] = db_int(row->makeups);
        v[12] = db_int(row->payout);
        v[13] = db_int(row->forfeited);
        v[14] = db_int(row->fee);
    }
    return db_run(db, &sql_entry_put, values, ENTRY_COLUMNS, count, NULL);
}

static enum accord_error read_entry(struct arena *arena, const struct db_row *row,
                                    struct challenge_entry_row *ret)
{
    *ret = (struct challenge_entry_row){
        .channel = arena_strdup(arena, db_get_text(row, 0)),
        .entry_id = arena_strdup(arena, db_get_text(row, 1)),
        .seq = db_get_int(row, 2),
        .offer = arena_strdup(arena, db_get_text(row, 3)),
        .round = arena_strdup(arena, db_get_text(row, 4)),
        .currency = arena_strdup(arena, db_get_text(row, 5)),
        .first_day = db_get_int(row, 6),
        .last_day = db_get_int(row, 7),
        .held = db_get_int(row, 8),
        .cash = db_get_int(row, 9),
        .done_days = db_get_int(row, 10),
        .makeups = db_get_int(row, 11),
        .payout = db_get_int(row, 12),
        .forfeited = db_get_int(row, 13),
        .fee = db_get_int(row, 14),
    };
    return ret->channel == NULL || ret->entry_id == NULL || ret->offer == NULL ||
                   ret->round == NULL || ret->currency == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

struct entries {
    struct arena *arena;
    struct challenge_entry_row *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_entry(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct entries *list = context;
    struct challenge_entry_row *items =
        arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->items = items;
    return read_entry(list->arena, row, &items[list->count++]);
}

static enum accord_error read_entries(struct db *db, struct arena *arena, const struct db_sql *sql,
                                      const struct db_value *params, size_t columns,
                                      struct challenge_entry_row **ret, size_t *ret_count)
{
    struct entries list = {.arena = arena};
    const enum accord_error error = db_query(db, sql, params, columns, 1, add_entry, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}

static enum accord_error take_entry(void *context, size_t param_row, const struct db_row *row)
{
    const struct entries *list = context;
    return read_entry(list->arena, row, &list->items[param_row]);
}

enum accord_error store_challenge_entries_find(struct db *db, struct arena *arena,
                                               const struct challenge_name *names, size_t count,
                                               struct challenge_entry_row *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_str(names[i].channel);
        values[2 * i + 1] = db_str(names[i].entry_id);
    }
    struct entries list = {.arena = arena, .items = ret};
    return db_query(db, &sql_entry_find, values, 2, count, take_entry, &list);
}

enum accord_error store_challenge_entries_of(struct db *db, struct arena *arena,
                                             const char *channel, const char *offer,
                                             const char *round, const char *after, int64_t limit,
                                             struct challenge_entry_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(channel), db_str(offer), db_str(round), db_str(after),
                                      db_int(limit)};
    return read_entries(db, arena, &sql_entries_of, params, 5, ret, ret_count);
}

enum accord_error store_challenge_entries_of_offer(struct db *db, struct arena *arena,
                                                   const char *channel, const char *offer,
                                                   struct challenge_entry_row **ret,
                                                   size_t *ret_count)
{
    const struct db_value params[] = {db_str(channel), db_str(offer)};
    return read_entries(db, arena, &sql_entries_of_offer, params, 2, ret, ret_count);
}

enum accord_error store_challenge_entries_page(struct db *db, struct arena *arena,
                                               struct challenge_name after, int64_t limit,
                                               struct challenge_entry_row **ret, size_t *ret_count)
{
    const struct db_value params[] = {db_str(after.channel), db_str(after.entry_id), db_int(limit)};
    return read_entries(db, arena, &sql_entries_page, params, 3, ret, ret_count);
}

static enum accord_error take_number(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_challenge_entries_missing(struct db *db, int64_t *ret)
{
    return db_query(db, &sql_entries_missing, NULL, 0, 1, take_number, ret);
}

/* ---- settling again ---- */

/* Days of windows are everybody's own, so a day more on both sides. */
#define SCOPED                                                                                     \
    "FROM challenge_entry c WHERE c.channel = $1 AND c.seq <> 0 AND c.fee <> 0 AND c.last_day >= " \
    "$2 AND c.last_day <= $3 AND ($4 = '' OR c.currency = $4)"
DB_SQL(sql_find_entries, "SELECT c.seq " SCOPED " LIMIT $5");
DB_SQL(sql_queue_entries,
       "INSERT INTO resettle (sale_seq, asked_seq) SELECT c.seq, CAST($5 AS BIGINT) " SCOPED
       " ON CONFLICT (sale_seq) DO NOTHING");

enum { SCOPE_PARAMS = 5 };

static void scope_params(const struct resettle_scope *scope, int64_t last,
                         struct db_value ret[SCOPE_PARAMS])
{
    ret[0] = db_str(scope->channel);
    ret[1] = db_int(scope->from_us / CLOCK_DAY_US - 2);
    ret[2] = db_int(scope->to_us / CLOCK_DAY_US + 1);
    ret[3] = db_str(scope->currency);
    ret[4] = db_int(last);
}

struct numbers {
    int64_t *items;
    size_t count;
};

static enum accord_error add_number(void *context, size_t param_row, const struct db_row *row)
{
    struct numbers *numbers = context;
    (void)param_row;
    numbers->items[numbers->count++] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_resettle_find_entries(struct db *db, const struct resettle_scope *scope,
                                              int64_t limit, int64_t *ret, size_t *ret_count)
{
    struct db_value params[SCOPE_PARAMS];
    struct numbers numbers = {.items = ret};
    scope_params(scope, limit, params);
    const enum accord_error error =
        db_query(db, &sql_find_entries, params, SCOPE_PARAMS, 1, add_number, &numbers);
    if (error == ACCORD_OK)
        *ret_count = numbers.count;
    return error;
}

enum accord_error store_resettle_queue_entries(struct db *db, const struct resettle_scope *scope,
                                               int64_t seq)
{
    struct db_value params[SCOPE_PARAMS];
    scope_params(scope, seq, params);
    return db_run(db, &sql_queue_entries, params, SCOPE_PARAMS, 1, NULL);
}
