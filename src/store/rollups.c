#include "store/rollups.h"

#include <string.h>

#include "store/rows.h"

#define KEY "staged, " KEY_UNSTAGED
#define KEY_UNSTAGED                                                                               \
    "agreement, version, grain, day, held, channel, provider, course_id, currency, sale_currency"
#define ADD(column) #column " = rollup." #column " + excluded." #column
#define ADD2(a, b) ADD(a) ", " ADD(b)
#define ADD_SALE ADD2(line_count, quantity) ", " ADD2(gross, refunded) ", " ADD2(tax, store_fee)
#define ADD_NET ADD2(payment_fee, admin_fee) ", " ADD2(net_sale, net) ", " ADD2(added_back, base)
#define ADD_NUMBERS ADD_SALE ", " ADD_NET ", " ADD2(lines_qualified, units_qualified)

DB_SQL(sql_add, "INSERT INTO rollup (" KEY ", " ENTRY_NUMBER_COLUMNS ") "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
                "$17, $18, $19, $20, $21, $22, $23, $24, $25) ON CONFLICT (" KEY
                ") DO UPDATE SET " ADD_NUMBERS);
DB_SQL(sql_add_share,
       "INSERT INTO rollup_share (" KEY ", payee, amount) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
       "ON CONFLICT (" KEY ", payee) DO UPDATE SET amount = rollup_share.amount + excluded.amount");

static const char *const grain_names[] = {"period", "day", "course"};

const char *rollup_grain_name(enum rollup_grain grain)
{
    return grain_names[grain];
}

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

int rollup_key_compare(const struct rollup_key *a, const struct rollup_key *b)
{
    int order = compare_numbers(a->staged, b->staged);
    if (order == 0)
        order = strcmp(a->agreement, b->agreement);
    if (order == 0)
        order = compare_numbers(a->version, b->version);
    if (order == 0)
        order = strcmp(a->grain, b->grain);
    if (order == 0)
        order = compare_numbers(a->day, b->day);
    if (order == 0)
        order = strcmp(a->held, b->held);
    if (order == 0)
        order = strcmp(a->channel, b->channel);
    if (order == 0)
        order = strcmp(a->provider, b->provider);
    if (order == 0)
        order = strcmp(a->course_id, b->course_id);
    if (order == 0)
        order = strcmp(a->currency, b->currency);
    if (order == 0)
        order = strcmp(a->sale_currency, b->sale_currency);
    if (order == 0)
        order = strcmp(a->payee == NULL ? "" : a->payee, b->payee == NULL ? "" : b->payee);
    return order;
}

enum { KEY_COLUMNS = 11 };

static void key_values(const struct rollup_key *key, struct db_value *v)
{
    v[0] = db_int(key->staged);
    v[1] = db_str(key->agreement);
    v[2] = db_int(key->version);
    v[3] = db_str(key->grain);
    v[4] = db_int(key->day);
    v[5] = db_str(key->held);
    v[6] = db_str(key->channel);
    v[7] = db_str(key->provider);
    v[8] = db_str(key->course_id);
    v[9] = db_str(key->currency);
    v[10] = db_str(key->sale_currency);
}

enum accord_error store_rollups_add(struct db *db, const struct rollup_row *rows, size_t count)
{
    enum { COLUMNS = KEY_COLUMNS + ENTRY_NUMBERS };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        key_values(&rows[i].key, v);
        for (size_t j = 0; j < ENTRY_NUMBERS; j++)
            v[KEY_COLUMNS + j] = db_int(rows[i].numbers[j]);
    }
    return db_run(db, &sql_add, values, COLUMNS, count, NULL);
}

enum accord_error store_rollup_shares_add(struct db *db, const struct rollup_share *rows,
                                          size_t count)
{
    enum { COLUMNS = KEY_COLUMNS + 2 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        key_values(&rows[i].key, v);
        v[KEY_COLUMNS] = db_str(rows[i].key.payee);
        v[KEY_COLUMNS + 1] = db_int(rows[i].amount);
    }
    return db_run(db, &sql_add_share, values, COLUMNS, count, NULL);
}

/* ---- the switch ---- */

DB_SQL(sql_publish, "INSERT INTO rollup (" KEY ", " ENTRY_NUMBER_COLUMNS ") "
                    "SELECT 0, " KEY_UNSTAGED ", " ENTRY_NUMBER_COLUMNS " FROM rollup "
                    "WHERE staged = 1 ON CONFLICT (" KEY ") DO UPDATE SET " ADD_NUMBERS);
DB_SQL(sql_publish_shares,
       "INSERT INTO rollup_share (" KEY ", payee, amount) "
       "SELECT 0, " KEY_UNSTAGED ", payee, amount FROM rollup_share WHERE staged = 1 "
       "ON CONFLICT (" KEY ", payee) DO UPDATE SET amount = rollup_share.amount + excluded.amount");
DB_SQL(sql_unstage, "DELETE FROM rollup WHERE staged = 1");
DB_SQL(sql_unstage_shares, "DELETE FROM rollup_share WHERE staged = 1");

enum accord_error store_rollups_publish(struct db *db)
{
    const struct db_sql *const steps[] = {&sql_publish, &sql_publish_shares, &sql_unstage,
                                          &sql_unstage_shares};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const enum accord_error error = db_run(db, steps[i], NULL, 0, 1, NULL);
        if (error != ACCORD_OK)
            return error;
    }
    return ACCORD_OK;
}

/* ---- reading all ---- */

DB_SQL(sql_each, "SELECT " KEY ", " ENTRY_NUMBER_COLUMNS " FROM rollup");
DB_SQL(sql_each_share, "SELECT " KEY ", payee, amount FROM rollup_share");
DB_SQL(sql_staged, "SELECT " KEY ", " ENTRY_NUMBER_COLUMNS " FROM rollup "
                   "WHERE staged = 1 AND grain = 'period'");
DB_SQL(sql_staged_shares, "SELECT " KEY ", payee, amount FROM rollup_share "
                          "WHERE staged = 1 AND grain = 'period'");

struct walk {
    rollup_row_fn *each;
    rollup_share_fn *each_share;
    void *context;
    struct arena *arena;
};

static enum accord_error read_key(struct arena *arena, const struct db_row *row, unsigned columns,
                                  struct rollup_key *ret)
{
    *ret = (struct rollup_key){
        .staged = db_get_int(row, 0) != 0,
        .agreement = arena_strdup(arena, db_get_text(row, 1)),
        .version = db_get_int(row, 2),
        .grain = arena_strdup(arena, db_get_text(row, 3)),
        .day = db_get_int(row, 4),
        .held = arena_strdup(arena, db_get_text(row, 5)),
        .channel = arena_strdup(arena, db_get_text(row, 6)),
        .provider = arena_strdup(arena, db_get_text(row, 7)),
        .course_id = arena_strdup(arena, db_get_text(row, 8)),
        .currency = arena_strdup(arena, db_get_text(row, 9)),
        .sale_currency = arena_strdup(arena, db_get_text(row, 10)),
        .payee = columns == KEY_COLUMNS ? NULL : arena_strdup(arena, db_get_text(row, KEY_COLUMNS)),
    };
    return ret->agreement == NULL || ret->grain == NULL || ret->held == NULL ||
                   ret->channel == NULL || ret->provider == NULL || ret->course_id == NULL ||
                   ret->currency == NULL || ret->sale_currency == NULL ||
                   (ret->payee == NULL && columns != KEY_COLUMNS)
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error walk_row(void *context, size_t param_row, const struct db_row *row)
{
    const struct walk *walk = context;
    struct rollup_row rollup;
    (void)param_row;
    arena_reset(walk->arena);
    const enum accord_error error = read_key(walk->arena, row, KEY_COLUMNS, &rollup.key);
    if (error != ACCORD_OK)
        return error;
    for (unsigned i = 0; i < ENTRY_NUMBERS; i++)
        rollup.numbers[i] = db_get_int(row, KEY_COLUMNS + i);
    return walk->each(walk->context, &rollup);
}

static enum accord_error walk_share(void *context, size_t param_row, const struct db_row *row)
{
    const struct walk *walk = context;
    struct rollup_share share;
    (void)param_row;
    arena_reset(walk->arena);
    const enum accord_error error = read_key(walk->arena, row, KEY_COLUMNS + 1, &share.key);
    if (error != ACCORD_OK)
        return error;
    share.amount = db_get_int(row, KEY_COLUMNS + 1);
    return walk->each_share(walk->context, &share);
}

static enum accord_error walk_all(struct db *db, const struct db_sql *sql, db_row_fn *row,
                                  struct walk *walk)
{
    enum { ONE_ROW_MAX = 1 << 16 };
    walk->arena = arena_new(ONE_ROW_MAX);
    if (walk->arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, sql, NULL, 0, 1, row, walk);
    arena_free(walk->arena);
    return error;
}

enum accord_error store_rollups_each(struct db *db, rollup_row_fn *each, void *context)
{
    return walk_all(db, &sql_each, walk_row, &(struct walk){.each = each, .context = context});
}

enum accord_error store_rollup_shares_each(struct db *db, rollup_share_fn *each, void *context)
{
    return walk_all(db, &sql_each_share, walk_share,
                    &(struct walk){.each_share = each, .context = context});
}

enum accord_error store_rollups_staged(struct db *db, rollup_row_fn *each, void *context)
{
    return walk_all(db, &sql_staged, walk_row, &(struct walk){.each = each, .context = context});
}

enum accord_error store_rollup_shares_staged(struct db *db, rollup_share_fn *each, void *context)
{
    return walk_all(db, &sql_staged_shares, walk_share,
                    &(struct walk){.each_share = each, .context = context});
}
