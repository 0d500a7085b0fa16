#include "store/challenges.h"

#include <string.h>

#include "store/rows.h"

static const char *const challenge_kind_names[] = {"joined", "withdrawn", "checkin"};

DB_SQL(sql_challenge_insert,
       "INSERT INTO challenge_fact (seq, channel, entry_id, kind, event_id, occurred_at, offer, "
       "learner, currency, time_zone, deposit, payment_fee, refunded, day, makeup) VALUES ($1, $2, "
       "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
DB_SQL(sql_challenge_stands,
       "SELECT 1 FROM challenge_fact WHERE seq = $1 AND channel = $2 AND entry_id = $3 AND kind = "
       "$4 AND event_id = $5 AND occurred_at = $6 AND offer = $7 AND learner IS NOT DISTINCT FROM "
       "$8 AND currency = $9 AND time_zone = $10 AND deposit = $11 AND payment_fee = $12 AND "
       "refunded = $13 AND day IS NOT DISTINCT FROM $14 AND makeup = $15");

enum { CHALLENGE_COLUMNS = 15 };

static void challenge_values(const struct challenge_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_str(row->entry_id);
    v[3] = db_str(challenge_kind_names[row->kind]);
    v[4] = db_str(row->event_id);
    v[5] = db_int(row->occurred_at);
    v[6] = db_str(row->offer);
    v[7] = rows_learner(row->has_learner, row->learner);
    v[8] = db_str(row->currency);
    v[9] = db_str(row->time_zone);
    v[10] = db_int(row->deposit);
    v[11] = db_int(row->payment_fee);
    v[12] = db_int(row->refunded);
    v[13] = rows_int(row->has_day, row->day);
    v[14] = db_int(row->makeup);
}

enum accord_error store_challenges_insert(struct db *db, const struct challenge_row *rows,
                                          size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, CHALLENGE_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        challenge_values(&rows[i], &values[CHALLENGE_COLUMNS * i]);
    return db_run(db, &sql_challenge_insert, values, CHALLENGE_COLUMNS, count, NULL);
}

enum accord_error store_challenge_stands(struct db *db, const struct challenge_row *row, bool *ret)
{
    struct db_value values[CHALLENGE_COLUMNS];
    challenge_values(row, values);
    return rows_any(db, &sql_challenge_stands, values, CHALLENGE_COLUMNS, ret);
}

/* ---- reading ---- */

DB_SQL(sql_challenge_load,
       "SELECT c.seq, c.kind, c.event_id, c.occurred_at, c.offer, c.learner, c.currency, "
       "c.time_zone, c.deposit, c.payment_fee, c.refunded, c.day, c.makeup, x.by_seq "
       "FROM challenge_fact c LEFT JOIN fact_superseded x ON x.seq = c.seq "
       "WHERE c.channel = $1 AND c.entry_id = $2 ORDER BY c.seq");
DB_SQL(sql_challenge_name, "SELECT channel, entry_id FROM challenge_fact WHERE seq = $1");

struct loading {
    struct arena *arena;
    struct stored_challenge *entries;
};

static enum accord_error read_kind(struct slice name, enum challenge_kind *ret)
{
    for (unsigned i = 0; i < sizeof challenge_kind_names / sizeof *challenge_kind_names; i++)
        if (slice_equal(name, slice_of(challenge_kind_names[i]))) {
            *ret = (enum challenge_kind)i;
            return ACCORD_OK;
        }
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error take_fact(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct arena *arena = loading->arena;
    struct stored_challenge *entry = &loading->entries[param_row];
    const size_t count = entry->count;
    const struct slice learner = db_get_bytes(row, 5);
    if ((count & (count - 1)) == 0) { /* 0, or a power of two: full */
        struct stored_challenge_fact *more =
            arena_array(arena, count == 0 ? 1 : 2 * count, sizeof *more);
        if (more == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (count > 0)
            memcpy(more, entry->facts, count * sizeof *more);
        entry->facts = more;
    }
    struct challenge_row fact = {
        .seq = db_get_int(row, 0),
        .channel = entry->name.channel,
        .entry_id = entry->name.entry_id,
        .event_id = arena_strdup(arena, db_get_text(row, 2)),
        .occurred_at = db_get_int(row, 3),
        .offer = arena_strdup(arena, db_get_text(row, 4)),
        .has_learner = learner.len > 0,
        .currency = arena_strdup(arena, db_get_text(row, 6)),
        .time_zone = arena_strdup(arena, db_get_text(row, 7)),
        .deposit = db_get_int(row, 8),
        .payment_fee = db_get_int(row, 9),
        .refunded = db_get_int(row, 10),
        .has_day = !db_is_null(row, 11),
        .day = (int32_t)db_get_int(row, 11),
        .makeup = db_get_int(row, 12) != 0,
    };
    if (fact.event_id == NULL || fact.offer == NULL || fact.currency == NULL ||
        fact.time_zone == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (learner.len != 0 && learner.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    if (fact.has_learner)
        memcpy(fact.learner, learner.data, LEARNER_BYTES);
    const enum accord_error error = read_kind(db_get_text(row, 1), &fact.kind);
    if (error == ACCORD_OK)
        entry->facts[entry->count++] = (struct stored_challenge_fact){fact, !db_is_null(row, 13)};
    return error;
}

enum accord_error store_challenges_load(struct db *db, struct arena *arena,
                                        struct stored_challenge *entries, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct stored_challenge){.name = entries[i].name};
        values[2 * i] = db_str(entries[i].name.channel);
        values[2 * i + 1] = db_str(entries[i].name.entry_id);
    }
    struct loading loading = {arena, entries};
    return db_query(db, &sql_challenge_load, values, 2, count, take_fact, &loading);
}

struct naming {
    struct arena *arena;
    struct challenge_name *names;
};

static enum accord_error take_name(void *context, size_t param_row, const struct db_row *row)
{
    const struct naming *naming = context;
    struct challenge_name *name = &naming->names[param_row];
    *name = (struct challenge_name){arena_strdup(naming->arena, db_get_text(row, 0)),
                                    arena_strdup(naming->arena, db_get_text(row, 1))};
    return name->channel == NULL || name->entry_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_challenges_of_facts(struct db *db, struct arena *arena, const int64_t *seqs,
                                            size_t count, struct challenge_name *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++)
        values[i] = db_int(seqs[i]);
    struct naming naming = {arena, ret};
    return db_query(db, &sql_challenge_name, values, 1, count, take_name, &naming);
}
