#include "store/postings.h"

#include "store/rows.h"

enum { CURRENCIES_MAX = 256 };

#define COLUMNS                                                                                    \
    "seq, number, kind, partner, account, agreement, currency, amount, reference, posted_at"

DB_SQL(sql_insert, "INSERT INTO posting (" COLUMNS ") "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
/* Of a partner by the index of its postings in the order of knowledge; of all by the key. */
DB_SQL(sql_list, "SELECT " COLUMNS " FROM posting WHERE (seq, number) > ($1, $2) "
                 "ORDER BY seq, number LIMIT $3");
DB_SQL(sql_list_partner, "SELECT " COLUMNS " FROM posting WHERE partner = $4 AND "
                         "(seq, number) > ($1, $2) ORDER BY seq, number LIMIT $3");
DB_SQL(sql_of, "SELECT " COLUMNS " FROM posting WHERE reference = $2 AND kind = $1 "
               "ORDER BY seq, number");

#define SUMS                                                                                       \
    "SELECT partner, account, agreement, currency, CAST(SUM(amount) AS BIGINT) FROM posting "      \
    "WHERE "
#define COUNTS "seq <= $1 AND posted_at <= $2 AND "
#define GROUPS                                                                                     \
    "GROUP BY partner, account, agreement, currency "                                              \
    "ORDER BY partner, account, agreement, currency LIMIT $3"
DB_SQL(sql_balances,
       SUMS COUNTS "(partner, account, agreement, currency) > ($4, $5, $6, $7) " GROUPS);
DB_SQL(sql_balances_partner,
       SUMS COUNTS "partner = $4 AND (account, agreement, currency) > ($5, $6, $7) " GROUPS);
DB_SQL(sql_trial, "SELECT '', '', '', currency, CAST(SUM(amount) AS BIGINT) FROM posting "
                  "WHERE seq <= $1 AND posted_at <= $2 GROUP BY currency ORDER BY currency");

enum accord_error store_postings_insert(struct db *db, const struct posting_row *rows, size_t count)
{
    ROWS values = rows_new(count, 10);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct posting_row *row = &rows[i];
        struct db_value *v = values + 10 * i;
        v[0] = db_int(row->seq);
        v[1] = db_int(row->number);
        v[2] = db_str(row->kind);
        v[3] = db_str(row->partner);
        v[4] = db_str(row->account);
        v[5] = db_str(row->agreement);
        v[6] = db_str(row->currency);
        v[7] = db_int(row->amount);
        v[8] = db_str(row->reference);
        v[9] = db_int(row->posted_at);
    }
    return db_run(db, &sql_insert, values, 10, count, NULL);
}

/* ---- lists ---- */

struct posting_list {
    struct arena *arena;
    struct posting_row *rows;
    size_t count;
    size_t cap;
};

static enum accord_error add_posting(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct posting_list *list = context;
    struct posting_row *rows =
        arena_room(list->arena, list->rows, list->count, &list->cap, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows = rows;
    const struct posting_row posting = {
        .seq = db_get_int(row, 0),
        .number = db_get_int(row, 1),
        .kind = arena_strdup(list->arena, db_get_text(row, 2)),
        .partner = arena_strdup(list->arena, db_get_text(row, 3)),
        .account = arena_strdup(list->arena, db_get_text(row, 4)),
        .agreement = arena_strdup(list->arena, db_get_text(row, 5)),
        .currency = arena_strdup(list->arena, db_get_text(row, 6)),
        .amount = db_get_int(row, 7),
        .reference = arena_strdup(list->arena, db_get_text(row, 8)),
        .posted_at = db_get_int(row, 9),
    };
    if (posting.kind == NULL || posting.partner == NULL || posting.account == NULL ||
        posting.agreement == NULL || posting.currency == NULL || posting.reference == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows[list->count++] = posting;
    return ACCORD_OK;
}

enum accord_error store_postings_list(struct db *db, struct arena *arena, const char *partner,
                                      struct posting_place after, int64_t limit,
                                      struct posting_row **ret, size_t *ret_count)
{
    struct posting_list list = {.arena = arena};
    const struct db_value values[] = {db_int(after.seq), db_int(after.number), db_int(limit),
                                      db_str(partner)};
    const enum accord_error error =
        partner == NULL ? db_query(db, &sql_list, values, 3, 1, add_posting, &list)
                        : db_query(db, &sql_list_partner, values, 4, 1, add_posting, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

enum accord_error store_postings_of(struct db *db, struct arena *arena, const char *kind,
                                    const char *reference, struct posting_row **ret,
                                    size_t *ret_count)
{
    struct posting_list list = {.arena = arena};
    const struct db_value values[] = {db_str(kind), db_str(reference)};
    const enum accord_error error = db_query(db, &sql_of, values, 2, 1, add_posting, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

/* ---- sums ---- */

struct balance_list {
    struct arena *arena;
    struct balance_row *rows;
    size_t count;
    size_t max;
};

static enum accord_error add_balance(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct balance_list *list = context;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    const struct balance_row balance = {
        .partner = arena_strdup(list->arena, db_get_text(row, 0)),
        .account = arena_strdup(list->arena, db_get_text(row, 1)),
        .agreement = arena_strdup(list->arena, db_get_text(row, 2)),
        .currency = arena_strdup(list->arena, db_get_text(row, 3)),
        .amount = db_get_int(row, 4),
    };
    if (balance.partner == NULL || balance.account == NULL || balance.agreement == NULL ||
        balance.currency == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows[list->count++] = balance;
    return ACCORD_OK;
}

static enum accord_error sums(struct db *db, const struct db_sql *sql,
                              const struct db_value *values, size_t columns,
                              struct balance_list *list, struct balance_row **ret,
                              size_t *ret_count)
{
    list->rows = arena_array(list->arena, list->max, sizeof list->rows[0]);
    if (list->rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, sql, values, columns, 1, add_balance, list);
    if (error != ACCORD_OK)
        return error;
    *ret = list->rows;
    *ret_count = list->count;
    return ACCORD_OK;
}

static struct db_value key_text(const char *text)
{
    return db_str(text == NULL ? "" : text);
}

enum accord_error store_balances(struct db *db, struct arena *arena, const struct balance_ask *ask,
                                 struct balance_row **ret, size_t *ret_count)
{
    struct balance_list list = {.arena = arena, .max = (size_t)ask->limit};
    const struct balance_row *after = &ask->after;
    const bool one = ask->partner != NULL;
    const struct db_value values[] = {
        db_int(ask->seq_max),     db_int(ask->at),
        db_int(ask->limit),       key_text(one ? ask->partner : after->partner),
        key_text(after->account), key_text(after->agreement),
        key_text(after->currency)};
    return sums(db, one ? &sql_balances_partner : &sql_balances, values, 7, &list, ret, ret_count);
}

enum accord_error store_trial_balance(struct db *db, struct arena *arena,
                                      const struct balance_ask *ask, struct balance_row **ret,
                                      size_t *ret_count)
{
    struct balance_list list = {.arena = arena, .max = CURRENCIES_MAX};
    const struct db_value values[] = {db_int(ask->seq_max), db_int(ask->at)};
    return sums(db, &sql_trial, values, 2, &list, ret, ret_count);
}

/* ---- sums of a kind ---- */

DB_SQL(sql_sums, "SELECT partner, account, currency, CAST(SUM(amount) AS BIGINT) FROM posting "
                 "WHERE kind = $1 GROUP BY partner, account, currency "
                 "ORDER BY partner, account, currency");

struct sums_walk {
    posting_account_fn *each;
    void *context;
    struct arena *arena;
};

static enum accord_error walk_sum(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct sums_walk *walk = context;
    arena_reset(walk->arena);
    const char *partner = arena_strdup(walk->arena, db_get_text(row, 0));
    const char *account = arena_strdup(walk->arena, db_get_text(row, 1));
    const char *currency = arena_strdup(walk->arena, db_get_text(row, 2));
    if (partner == NULL || account == NULL || currency == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return walk->each(walk->context, partner, account, currency, db_get_int(row, 3));
}

enum accord_error store_postings_sums(struct db *db, const char *kind, posting_account_fn *each,
                                      void *context)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    struct sums_walk walk = {each, context, arena_new(ONE_ROW_MAX)};
    const struct db_value params[] = {db_str(kind)};
    if (walk.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, &sql_sums, params, 1, 1, walk_sum, &walk);
    arena_free(walk.arena);
    return error;
}
