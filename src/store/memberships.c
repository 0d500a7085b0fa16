#include "store/memberships.h"

#include <string.h>

#include "store/rows.h"

static const char *const membership_kind_names[] = {"started", "renewed", "cancelled"};

DB_SQL(sql_membership_insert,
       "INSERT INTO membership_term (seq, channel, membership_id, term_id, kind, event_id, "
       "occurred_at, offer, learner, currency, from_at, to_at, paid, tax, store_fee, payment_fee, "
       "refunded, tax_returned, fee_returned) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
       "$11, $12, $13, $14, $15, $16, $17, $18, $19)");
DB_SQL(sql_membership_stands,
       "SELECT 1 FROM membership_term WHERE seq = $1 AND channel = $2 AND membership_id = $3 AND "
       "term_id = $4 AND kind = $5 AND event_id = $6 AND occurred_at = $7 AND offer = $8 AND "
       "learner IS NOT DISTINCT FROM $9 AND currency = $10 AND from_at IS NOT DISTINCT FROM $11 "
       "AND to_at IS NOT DISTINCT FROM $12 AND paid = $13 AND tax = $14 AND store_fee = $15 AND "
       "payment_fee = $16 AND refunded = $17 AND tax_returned = $18 AND fee_returned = $19");

enum { MEMBERSHIP_COLUMNS = 19 };

static void membership_values(const struct membership_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_str(row->membership_id);
    v[3] = db_str(row->term_id);
    v[4] = db_str(membership_kind_names[row->kind]);
    v[5] = db_str(row->event_id);
    v[6] = db_int(row->occurred_at);
    v[7] = db_str(row->offer);
    v[8] = rows_learner(row->has_learner, row->learner);
    v[9] = db_str(row->currency);
    v[10] = rows_int(row->kind != MEMBERSHIP_CANCELLED, row->from);
    v[11] = rows_int(row->kind != MEMBERSHIP_CANCELLED, row->to);
    v[12] = db_int(row->paid);
    v[13] = db_int(row->tax);
    v[14] = db_int(row->store_fee);
    v[15] = db_int(row->payment_fee);
    v[16] = db_int(row->refunded);
    v[17] = db_int(row->tax_returned);
    v[18] = db_int(row->fee_returned);
}

enum accord_error store_memberships_insert(struct db *db, const struct membership_row *rows,
                                           size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, MEMBERSHIP_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        membership_values(&rows[i], &values[MEMBERSHIP_COLUMNS * i]);
    return db_run(db, &sql_membership_insert, values, MEMBERSHIP_COLUMNS, count, NULL);
}

enum accord_error store_membership_stands(struct db *db, const struct membership_row *row,
                                          bool *ret)
{
    struct db_value values[MEMBERSHIP_COLUMNS];
    membership_values(row, values);
    return rows_any(db, &sql_membership_stands, values, MEMBERSHIP_COLUMNS, ret);
}

/* ---- loading ---- */

DB_SQL(sql_membership_load,
       "SELECT m.seq, m.term_id, m.kind, m.event_id, m.occurred_at, m.offer, m.learner, "
       "m.currency, m.from_at, m.to_at, m.paid, m.tax, m.store_fee, m.payment_fee, m.refunded, "
       "m.tax_returned, m.fee_returned, x.by_seq FROM membership_term m "
       "LEFT JOIN fact_superseded x ON x.seq = m.seq "
       "WHERE m.channel = $1 AND m.membership_id = $2 ORDER BY m.seq");
DB_SQL(sql_membership_name, "SELECT channel, membership_id FROM membership_term "
                            "WHERE seq = $1 AND kind <> 'cancelled'");
DB_SQL(sql_membership_names,
       "SELECT DISTINCT channel, membership_id FROM membership_term "
       "WHERE (channel, membership_id) > ($1, $2) ORDER BY channel, membership_id LIMIT $3");

struct loading {
    struct arena *arena;
    struct stored_membership *memberships;
};

static enum accord_error read_kind(struct slice text, enum membership_kind *ret)
{
    for (size_t i = 0; i < sizeof membership_kind_names / sizeof *membership_kind_names; i++)
        if (slice_equal(text, slice_of(membership_kind_names[i]))) {
            *ret = (enum membership_kind)i;
            return ACCORD_OK;
        }
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error read_learner(const struct db_row *row, struct membership_row *ret)
{
    if (db_is_null(row, 6))
        return ACCORD_OK;
    const struct slice learner = db_get_bytes(row, 6);
    if (learner.len != LEARNER_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(ret->learner, learner.data, LEARNER_BYTES);
    ret->has_learner = true;
    return ACCORD_OK;
}

static enum accord_error take_term(void *context, size_t param_row, const struct db_row *row)
{
    const struct loading *loading = context;
    struct arena *arena = loading->arena;
    struct stored_membership *membership = &loading->memberships[param_row];
    const size_t count = membership->count;
    if ((count & (count - 1)) == 0) { /* 0, or a power of two: full */
        struct stored_term *more = arena_array(arena, count == 0 ? 1 : 2 * count, sizeof *more);
        if (more == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (count > 0)
            memcpy(more, membership->terms, count * sizeof *more);
        membership->terms = more;
    }
    struct membership_row term = {
        .seq = db_get_int(row, 0),
        .channel = membership->name.channel,
        .membership_id = membership->name.membership_id,
        .term_id = arena_strdup(arena, db_get_text(row, 1)),
        .event_id = arena_strdup(arena, db_get_text(row, 3)),
        .occurred_at = db_get_int(row, 4),
        .offer = arena_strdup(arena, db_get_text(row, 5)),
        .currency = arena_strdup(arena, db_get_text(row, 7)),
        .paid = db_get_int(row, 10),
        .tax = db_get_int(row, 11),
        .store_fee = db_get_int(row, 12),
        .payment_fee = db_get_int(row, 13),
        .refunded = db_get_int(row, 14),
        .tax_returned = db_get_int(row, 15),
        .fee_returned = db_get_int(row, 16),
    };
    if (term.term_id == NULL || term.event_id == NULL || term.offer == NULL ||
        term.currency == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = read_kind(db_get_text(row, 2), &term.kind);
    if (error == ACCORD_OK)
        error = read_learner(row, &term);
    if (error == ACCORD_OK && term.kind != MEMBERSHIP_CANCELLED) {
        if (db_is_null(row, 8) || db_is_null(row, 9))
            return ACCORD_E_DATABASE_ERROR;
        term.from = db_get_int(row, 8);
        term.to = db_get_int(row, 9);
    }
    if (error == ACCORD_OK)
        membership->terms[membership->count++] = (struct stored_term){term, !db_is_null(row, 17)};
    return error;
}

enum accord_error store_memberships_load(struct db *db, struct arena *arena,
                                         struct stored_membership *memberships, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        memberships[i] = (struct stored_membership){.name = memberships[i].name};
        values[2 * i] = db_str(memberships[i].name.channel);
        values[2 * i + 1] = db_str(memberships[i].name.membership_id);
    }
    struct loading loading = {arena, memberships};
    return db_query(db, &sql_membership_load, values, 2, count, take_term, &loading);
}

struct naming {
    struct arena *arena;
    struct membership_name *names;
    size_t count;
};

static enum accord_error read_name(struct arena *arena, const struct db_row *row,
                                   struct membership_name *ret)
{
    *ret = (struct membership_name){arena_strdup(arena, db_get_text(row, 0)),
                                    arena_strdup(arena, db_get_text(row, 1))};
    return ret->channel == NULL || ret->membership_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error take_name(void *context, size_t param_row, const struct db_row *row)
{
    const struct naming *naming = context;
    return read_name(naming->arena, row, &naming->names[param_row]);
}

static enum accord_error add_name(void *context, size_t param_row, const struct db_row *row)
{
    struct naming *naming = context;
    (void)param_row;
    return read_name(naming->arena, row, &naming->names[naming->count++]);
}

enum accord_error store_memberships_of_terms(struct db *db, struct arena *arena,
                                             const int64_t *seqs, size_t count,
                                             struct membership_name *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++)
        values[i] = db_int(seqs[i]);
    struct naming naming = {.arena = arena, .names = ret};
    return db_query(db, &sql_membership_name, values, 1, count, take_name, &naming);
}

enum accord_error store_memberships_list(struct db *db, struct arena *arena,
                                         struct membership_name after, int64_t limit,
                                         struct membership_name *ret, size_t *ret_count)
{
    struct naming naming = {.arena = arena, .names = ret};
    const struct db_value params[] = {db_str(after.channel), db_str(after.membership_id),
                                      db_int(limit)};
    const enum accord_error error =
        db_query(db, &sql_membership_names, params, 3, 1, add_name, &naming);
    if (error == ACCORD_OK)
        *ret_count = naming.count;
    return error;
}

/* ---- settling again ---- */

#define SCOPED                                                                                     \
    "FROM membership_term m WHERE m.channel = $1 AND m.kind <> 'cancelled' AND m.from_at < $3 "    \
    "AND ($4 = '' OR m.currency = $4) AND (m.to_at > $2 OR EXISTS (SELECT 1 FROM "                 \
    "membership_term c WHERE c.channel = m.channel AND c.membership_id = m.membership_id "         \
    "AND c.kind = 'cancelled')) "                                                                  \
    "AND NOT EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = m.seq)"

DB_SQL(sql_find_terms, "SELECT m.seq " SCOPED " LIMIT $5");
DB_SQL(sql_queue_terms,
       "INSERT INTO resettle (sale_seq, asked_seq) "
       "SELECT m.seq, CAST($5 AS BIGINT) " SCOPED " ON CONFLICT (sale_seq) DO NOTHING");

enum { SCOPE_PARAMS = 5 };

static void scope_params(const struct resettle_scope *scope, int64_t last,
                         struct db_value ret[SCOPE_PARAMS])
{
    ret[0] = db_str(scope->channel);
    ret[1] = db_int(scope->from_us);
    ret[2] = db_int(scope->to_us);
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

enum accord_error store_resettle_find_terms(struct db *db, const struct resettle_scope *scope,
                                            int64_t limit, int64_t *ret, size_t *ret_count)
{
    struct db_value params[SCOPE_PARAMS];
    struct numbers numbers = {.items = ret};
    scope_params(scope, limit, params);
    const enum accord_error error =
        db_query(db, &sql_find_terms, params, SCOPE_PARAMS, 1, add_number, &numbers);
    if (error == ACCORD_OK)
        *ret_count = numbers.count;
    return error;
}

enum accord_error store_resettle_queue_terms(struct db *db, const struct resettle_scope *scope,
                                             int64_t seq)
{
    struct db_value params[SCOPE_PARAMS];
    scope_params(scope, seq, params);
    return db_run(db, &sql_queue_terms, params, SCOPE_PARAMS, 1, NULL);
}
