#include "store/statement_states.h"

#include <string.h>

const char *statement_state_at(const char *state, instant_us dispute_until, instant_us now)
{
    return now > dispute_until && strcmp(state, STATEMENT_PUBLISHED) == 0 ? STATEMENT_ACCEPTED
                                                                          : state;
}

#define COLUMNS                                                                                    \
    "s.id, s.partner, s.agreement, s.label, s.currency, s.opening, s.earned, s.closing, s.due, "   \
    "s.payable, s.hash, s.published_at, s.dispute_until, c.state, c.seq "
/* A statement stands where its last change does. */
#define CHANGES                                                                                    \
    "SELECT " COLUMNS "FROM statement_state c JOIN statement s ON s.id = c.statement "             \
    "WHERE NOT EXISTS (SELECT 1 FROM statement_state l WHERE l.statement = c.statement "           \
    "AND l.seq > c.seq) "
#define BEHIND                                                                                     \
    "AND (c.seq, c.statement) > ($1, $2) AND (CAST($3 AS TEXT) IS NULL OR s.agreement = $3) "      \
    "AND (CAST($4 AS TEXT) IS NULL OR CASE WHEN c.state = 'published' AND s.dispute_until < $5 "   \
    "THEN 'accepted' ELSE c.state END = $4) "
#define ORDERED "ORDER BY c.seq, c.statement LIMIT $6"

DB_SQL(sql_changes, CHANGES BEHIND ORDERED);
DB_SQL(sql_changes_partner, CHANGES BEHIND "AND c.partner = $7 " ORDERED);
DB_SQL(sql_summary, CHANGES "AND s.id = $1");
DB_SQL(sql_accepted,
       "SELECT 1 FROM statement_state WHERE statement = $1 AND state = 'accepted' LIMIT 1");

struct summary_list {
    struct arena *arena;
    struct statement_summary *rows;
    size_t count;
    size_t max;
    instant_us now;
};

static enum accord_error add_summary(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct summary_list *list = context;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    struct arena *arena = list->arena;
    struct statement_summary summary = {
        .id = arena_strdup(arena, db_get_text(row, 0)),
        .partner = arena_strdup(arena, db_get_text(row, 1)),
        .agreement = arena_strdup(arena, db_get_text(row, 2)),
        .label = arena_strdup(arena, db_get_text(row, 3)),
        .currency = arena_strdup(arena, db_get_text(row, 4)),
        .opening = db_get_int(row, 5),
        .earned = db_get_int(row, 6),
        .closing = db_get_int(row, 7),
        .due = db_get_int(row, 8),
        .payable = db_get_int(row, 9),
        .published_at = db_get_int(row, 11),
        .dispute_until = db_get_int(row, 12),
        .state = arena_strdup(arena, db_get_text(row, 13)),
        .change_seq = db_get_int(row, 14),
    };
    const struct slice hash = db_get_bytes(row, 10);
    if (hash.len != sizeof summary.hash.bytes)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(summary.hash.bytes, hash.data, hash.len);
    if (summary.id == NULL || summary.partner == NULL || summary.agreement == NULL ||
        summary.label == NULL || summary.currency == NULL || summary.state == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    summary.state = statement_state_at(summary.state, summary.dispute_until, list->now);
    list->rows[list->count++] = summary;
    return ACCORD_OK;
}

enum accord_error store_statement_changes(struct db *db, struct arena *arena,
                                          const struct statement_changes *ask,
                                          struct statement_summary **ret, size_t *ret_count)
{
    struct summary_list list = {.arena = arena, .max = (size_t)ask->limit, .now = ask->now};
    list.rows = arena_array(arena, list.max, sizeof list.rows[0]);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value values[] = {
        db_int(ask->after_seq), db_str(ask->after_id), db_str(ask->agreement), db_str(ask->state),
        db_int(ask->now),       db_int(ask->limit),    db_str(ask->partner)};
    const enum accord_error error =
        ask->partner == NULL ? db_query(db, &sql_changes, values, 6, 1, add_summary, &list)
                             : db_query(db, &sql_changes_partner, values, 7, 1, add_summary, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_statement_summary(struct db *db, struct arena *arena, const char *id,
                                          instant_us now, bool *ret_found,
                                          struct statement_summary *ret)
{
    struct statement_summary row = {.id = NULL};
    struct summary_list list = {.arena = arena, .rows = &row, .max = 1, .now = now};
    const struct db_value values[] = {db_str(id)};
    const enum accord_error error = db_query(db, &sql_summary, values, 1, 1, add_summary, &list);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = row;
    *ret_found = list.count == 1;
    return ACCORD_OK;
}

static enum accord_error note(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error store_statement_was_accepted(struct db *db, const char *id, bool *ret)
{
    bool accepted = false;
    const struct db_value values[] = {db_str(id)};
    const enum accord_error error = db_query(db, &sql_accepted, values, 1, 1, note, &accepted);
    if (error == ACCORD_OK)
        *ret = accepted;
    return error;
}
