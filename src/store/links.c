#include "store/links.h"

#include <stdlib.h>
#include <string.h>

#include "store/rows.h"

static const char *const state_names[] = {
    [LINK_PROPOSED] = "proposed", [LINK_ACCEPTED] = "accepted", [LINK_CLOSED] = "closed"};

const char *link_state_name(enum link_state state)
{
    return state_names[state];
}

enum link_state link_state_of(const struct link_row *row)
{
    if (row->closed_at != 0)
        return LINK_CLOSED;
    return row->accepted_at != 0 ? LINK_ACCEPTED : LINK_PROPOSED;
}

/* ---- links ---- */

#define LINK_COLUMNS                                                                               \
    "SELECT channel, code, promoter, parent, learner_lookup, created_at, accepted_at, closed_at, " \
    "seq FROM link WHERE "
#define BEHIND "(channel, code) > ($1, $2) ORDER BY channel, code LIMIT $3"

DB_SQL(sql_get, LINK_COLUMNS "channel = $1 AND code = $2");
DB_SQL(sql_all, LINK_COLUMNS BEHIND);
DB_SQL(sql_of_channel, LINK_COLUMNS "channel = $4 AND " BEHIND);
DB_SQL(sql_of_one_promoter, LINK_COLUMNS "promoter = $4 AND " BEHIND);
DB_SQL(sql_of_both, LINK_COLUMNS "promoter = $4 AND channel = $5 AND " BEHIND);
DB_SQL(sql_put, "INSERT INTO link (channel, code, promoter, parent, learner_lookup, created_at, "
                "accepted_at, closed_at, seq) VALUES ($1, $2, $3, $4, $5, $6, "
                "CAST($7 AS BIGINT), CAST($8 AS BIGINT), $9) "
                "ON CONFLICT (channel, code) DO UPDATE SET promoter = excluded.promoter, "
                "parent = excluded.parent, learner_lookup = excluded.learner_lookup, "
                "accepted_at = excluded.accepted_at, closed_at = excluded.closed_at, "
                "seq = excluded.seq");

struct link_list {
    struct arena *arena;
    struct link_row *rows;
    size_t count;
    size_t max;
};

static enum accord_error add_link(void *context, size_t param_row, const struct db_row *row)
{
    struct link_list *list = context;
    (void)param_row;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    struct link_row *link = &list->rows[list->count++];
    *link = (struct link_row){
        .channel = arena_strdup(list->arena, db_get_text(row, 0)),
        .code = arena_strdup(list->arena, db_get_text(row, 1)),
        .promoter = arena_strdup(list->arena, db_get_text(row, 2)),
        .parent = arena_strdup(list->arena, db_get_text(row, 3)),
        .has_learner = !db_is_null(row, 4),
        .created_at = db_get_int(row, 5),
        .accepted_at = db_get_int(row, 6),
        .closed_at = db_get_int(row, 7),
        .seq = db_get_int(row, 8),
    };
    if (link->has_learner) {
        const struct slice lookup = db_get_bytes(row, 4);
        if (lookup.len != HASH_BYTES)
            return ACCORD_E_DATABASE_ERROR;
        memcpy(link->learner_lookup.bytes, lookup.data, HASH_BYTES);
    }
    return link->channel == NULL || link->code == NULL || link->promoter == NULL ||
                   link->parent == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_link_get(struct db *db, struct arena *arena, const char *channel,
                                 const char *code, struct link_row *ret, bool *ret_found)
{
    struct link_row link;
    struct link_list list = {.arena = arena, .rows = &link, .max = 1};
    const struct db_value params[] = {db_str(channel), db_str(code)};
    const enum accord_error error = db_query(db, &sql_get, params, 2, 1, add_link, &list);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = link;
    *ret_found = list.count == 1;
    return ACCORD_OK;
}

static enum accord_error add_links(struct db *db, const struct link_ask *ask,
                                   const char *after_channel, const char *after_code, int64_t limit,
                                   struct link_list *list)
{
    const struct db_value params[] = {db_str(after_channel), db_str(after_code), db_int(limit),
                                      db_str(ask->promoter == NULL ? ask->channel : ask->promoter),
                                      db_str(ask->channel)};
    if (ask->promoter != NULL && ask->channel != NULL)
        return db_query(db, &sql_of_both, params, 5, 1, add_link, list);
    if (ask->promoter != NULL)
        return db_query(db, &sql_of_one_promoter, params, 4, 1, add_link, list);
    return ask->channel != NULL ? db_query(db, &sql_of_channel, params, 4, 1, add_link, list)
                                : db_query(db, &sql_all, params, 3, 1, add_link, list);
}

static int by_place(const void *a, const void *b)
{
    const struct link_row *x = a;
    const struct link_row *y = b;
    const int order = strcmp(x->channel, y->channel);
    return order != 0 ? order : strcmp(x->code, y->code);
}

enum accord_error store_links_list(struct db *db, struct arena *arena, const struct link_ask *asks,
                                   size_t ask_count, const char *after_channel,
                                   const char *after_code, int64_t limit, struct link_row **ret,
                                   size_t *ret_count)
{
    struct link_list list = {.arena = arena, .max = ask_count * (size_t)limit};
    list.rows = arena_array(arena, list.max + 1, sizeof *list.rows);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < ask_count; i++) {
        const enum accord_error error =
            add_links(db, &asks[i], after_channel, after_code, limit, &list);
        if (error != ACCORD_OK)
            return error;
    }
    if (list.count > 1)
        qsort(list.rows, list.count, sizeof *list.rows, by_place);
    size_t kept = 0; /* one that two asks found stands once */
    for (size_t i = 0; i < list.count && kept < (size_t)limit; i++)
        if (kept == 0 || by_place(&list.rows[kept - 1], &list.rows[i]) != 0)
            list.rows[kept++] = list.rows[i];
    *ret = list.rows;
    *ret_count = kept;
    return ACCORD_OK;
}

enum accord_error store_link_put(struct db *db, const struct link_row *row)
{
    const struct db_value values[] = {
        db_str(row->channel),
        db_str(row->code),
        db_str(row->promoter),
        db_str(row->parent),
        row->has_learner ? db_hash(&row->learner_lookup) : db_null(),
        db_int(row->created_at),
        rows_int(row->accepted_at != 0, row->accepted_at),
        rows_int(row->closed_at != 0, row->closed_at),
        db_int(row->seq),
    };
    return db_run(db, &sql_put, values, sizeof values / sizeof *values, 1, NULL);
}

/* ---- promoters ---- */

DB_SQL(sql_kin, "SELECT parent, accepted_at FROM link WHERE channel = $1 AND promoter = $2 AND "
                "code <> $3");
DB_SQL(sql_brought, "SELECT 1 FROM link WHERE channel = $1 AND parent = $2 AND code <> $3 LIMIT 1");

struct kin {
    struct arena *arena;
    struct link_kin kin;
};

static enum accord_error take_kin(void *context, size_t param_row, const struct db_row *row)
{
    struct kin *kin = context;
    (void)param_row;
    kin->kin.found = true;
    kin->kin.accepted |= !db_is_null(row, 1);
    kin->kin.parent = arena_strdup(kin->arena, db_get_text(row, 0));
    return kin->kin.parent == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_link_kin(struct db *db, struct arena *arena, const char *channel,
                                 const char *promoter, const char *but, struct link_kin *ret)
{
    struct kin kin = {.arena = arena, .kin = {.parent = ""}};
    const struct db_value params[] = {db_str(channel), db_str(promoter), db_str(but)};
    enum accord_error error = db_query(db, &sql_kin, params, 3, 1, take_kin, &kin);
    if (error == ACCORD_OK)
        error = rows_any(db, &sql_brought, params, 3, &kin.kin.is_parent);
    if (error == ACCORD_OK)
        *ret = kin.kin;
    return error;
}

DB_SQL(sql_promoter,
       "SELECT (SELECT s.state FROM partner_state s WHERE s.partner = $1 AND s.from_at <= $4 "
       "ORDER BY s.from_at DESC LIMIT 1), "
       "(SELECT CAST(COUNT(*) AS BIGINT) FROM link l JOIN learner_key k ON k.lookup = "
       "l.learner_lookup WHERE l.promoter = $1 AND l.channel = $2 AND l.accepted_at IS NOT NULL "
       "AND k.learner = $3)");

static enum accord_error take_promoter(void *context, size_t param_row, const struct db_row *row)
{
    struct promoter_row *promoter = (struct promoter_row *)context + param_row;
    promoter->suspended = slice_equal(db_get_text(row, 0), SLICE("suspended"));
    promoter->is_buyer = db_get_int(row, 1) > 0;
    return ACCORD_OK;
}

enum accord_error store_promoters_load(struct db *db, struct promoter_row *rows, size_t count)
{
    enum { COLUMNS = 4 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(rows[i].id);
        v[1] = db_str(rows[i].channel);
        v[2] = rows_learner(rows[i].learner != NULL, rows[i].learner);
        v[3] = db_int(rows[i].at);
    }
    return db_query(db, &sql_promoter, values, COLUMNS, count, take_promoter, rows);
}

/* ---- sales ---- */

#define CURRENT "NOT EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = s.seq)"

DB_SQL(sql_of_learner, "SELECT s.seq FROM sale s WHERE s.channel = $1 AND s.learner = $2 "
                       "AND s.occurred_at >= $3 AND s.occurred_at <= $4 AND s.seq <> $5 "
                       "AND " CURRENT);
/* Of the buyers who had come by it, and those that name it themselves. */
DB_SQL(sql_of_link,
       "SELECT s.seq FROM touch_fact t JOIN sale s ON s.channel = t.channel "
       "AND s.learner = t.learner AND s.occurred_at >= t.occurred_at "
       "AND s.occurred_at <= t.occurred_at + $3 WHERE t.channel = $1 AND t.link = $2 AND " CURRENT
       " UNION SELECT s.seq FROM touch_fact t JOIN sale s ON s.seq = t.seq "
       "WHERE t.channel = $1 AND t.link = $2 AND " CURRENT);
DB_SQL(sql_of_promoter, "SELECT s.seq FROM sale s WHERE s.occurred_at >= $2 AND s.channel IN "
                        "(SELECT l.channel FROM link l WHERE l.promoter = $1) "
                        "AND (s.learner IS NOT NULL OR EXISTS (SELECT 1 FROM touch_fact t "
                        "WHERE t.seq = s.seq)) AND " CURRENT);

static enum accord_error add_seq(void *context, size_t param_row, const struct db_row *row)
{
    struct seq_list *list = context;
    (void)param_row;
    int64_t *items = arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->items = items;
    list->items[list->count++] = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_sales_of_learners(struct db *db, const struct learner_sales *of,
                                          size_t count, struct seq_list *ret)
{
    enum { COLUMNS = 5 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(of[i].channel);
        v[1] = db_bytes(of[i].learner, LEARNER_BYTES);
        v[2] = db_int(of[i].from);
        v[3] = db_int(of[i].to);
        v[4] = db_int(of[i].but);
    }
    return db_query(db, &sql_of_learner, values, COLUMNS, count, add_seq, ret);
}

enum accord_error store_sales_of_link(struct db *db, const char *channel, const char *code,
                                      int64_t window_us, struct seq_list *ret)
{
    const struct db_value params[] = {db_str(channel), db_str(code), db_int(window_us)};
    return db_query(db, &sql_of_link, params, 3, 1, add_seq, ret);
}

enum accord_error store_sales_of_promoter(struct db *db, const char *promoter, instant_us from,
                                          struct seq_list *ret)
{
    const struct db_value params[] = {db_str(promoter), db_int(from)};
    return db_query(db, &sql_of_promoter, params, 2, 1, add_seq, ret);
}
