#include "store/bundles.h"

#include <string.h>

#include "store/rows.h"

#define COLUMNS                                                                                    \
    "seq, channel, offer, occurred_at, paid, tax, store_fee, payment_fee, discount_provider, "     \
    "discount_channel, discount_platform"
enum { BUNDLE_COLUMNS = 11 };

DB_SQL(sql_insert, "INSERT INTO bundle_sale (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                   "$9, $10, $11)");
DB_SQL(sql_of, "SELECT " COLUMNS " FROM bundle_sale WHERE channel = $1 AND offer = $2 "
               "AND occurred_at >= $3 ORDER BY occurred_at, seq");
DB_SQL(sql_stands, "SELECT 1 FROM bundle_sale WHERE seq = $1 AND channel = $2 AND offer = $3 AND "
                   "occurred_at = $4 AND paid = $5 AND tax = $6 AND store_fee = $7 AND "
                   "payment_fee = $8 AND discount_provider = $9 AND discount_channel = $10 AND "
                   "discount_platform = $11");

static void bundle_values(const struct bundle_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = db_str(row->offer);
    v[3] = db_int(row->occurred_at);
    v[4] = db_int(row->paid);
    v[5] = db_int(row->tax);
    v[6] = db_int(row->store_fee);
    v[7] = db_int(row->payment_fee);
    v[8] = db_int(row->discounts[ACCORD_FUNDER_PROVIDER]);
    v[9] = db_int(row->discounts[ACCORD_FUNDER_CHANNEL]);
    v[10] = db_int(row->discounts[ACCORD_FUNDER_PLATFORM]);
}

enum accord_error store_bundles_insert(struct db *db, const struct bundle_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, BUNDLE_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        bundle_values(&rows[i], &values[BUNDLE_COLUMNS * i]);
    return db_run(db, &sql_insert, values, BUNDLE_COLUMNS, count, NULL);
}

enum accord_error store_bundle_stands(struct db *db, const struct bundle_row *row, bool *ret)
{
    struct db_value values[BUNDLE_COLUMNS];
    bundle_values(row, values);
    return rows_any(db, &sql_stands, values, BUNDLE_COLUMNS, ret);
}

struct bundle_list {
    struct arena *arena;
    struct bundle_row *rows;
    size_t count;
    size_t cap;
};

static enum accord_error add_bundle(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct bundle_list *list = context;
    struct bundle_row *rows =
        arena_room(list->arena, list->rows, list->count, &list->cap, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->rows = rows;
    struct bundle_row *bundle = &list->rows[list->count++];
    *bundle = (struct bundle_row){
        .seq = db_get_int(row, 0),
        .channel = arena_strdup(list->arena, db_get_text(row, 1)),
        .offer = arena_strdup(list->arena, db_get_text(row, 2)),
        .occurred_at = db_get_int(row, 3),
        .paid = db_get_int(row, 4),
        .tax = db_get_int(row, 5),
        .store_fee = db_get_int(row, 6),
        .payment_fee = db_get_int(row, 7),
        .discounts = {db_get_int(row, 8), db_get_int(row, 9), db_get_int(row, 10)},
    };
    return bundle->channel == NULL || bundle->offer == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_bundles_of(struct db *db, struct arena *arena, const char *channel,
                                   const char *offer, instant_us from, struct bundle_row **ret,
                                   size_t *ret_count)
{
    struct bundle_list list = {.arena = arena};
    const struct db_value params[] = {db_str(channel), db_str(offer), db_int(from)};
    const enum accord_error error = db_query(db, &sql_of, params, 3, 1, add_bundle, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

DB_SQL(sql_items,
       "SELECT i.provider, i.course_id, i.weight FROM offer_item i JOIN offer_version v ON "
       "v.channel = i.channel AND v.offer = i.offer AND v.version = i.version "
       "WHERE i.channel = $1 AND i.offer = $2 AND i.version = (SELECT MAX(m.version) FROM "
       "offer_version m WHERE m.channel = $1 AND m.offer = $2 AND m.from_at <= $3) "
       "AND v.kind IN ('single', 'bundle') ORDER BY i.rank");

struct item_loading {
    struct arena *arena;
    struct bundle_offer *offers;
};

static enum accord_error add_item(void *context, size_t param_row, const struct db_row *row)
{
    const struct item_loading *loading = context;
    struct bundle_offer *offer = &loading->offers[param_row];
    struct bundle_item *items =
        arena_room(loading->arena, offer->items, offer->count, &offer->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    offer->items = items;
    struct bundle_item *item = &offer->items[offer->count++];
    *item =
        (struct bundle_item){arena_strdup(loading->arena, db_get_text(row, 0)),
                             arena_strdup(loading->arena, db_get_text(row, 1)), db_get_int(row, 2)};
    return item->provider == NULL || item->course_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_bundle_items(struct db *db, struct arena *arena,
                                     struct bundle_offer *offers, size_t count)
{
    enum { OFFER_COLUMNS = 3 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, OFFER_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[OFFER_COLUMNS * i] = db_str(offers[i].channel);
        values[OFFER_COLUMNS * i + 1] = db_str(offers[i].offer);
        values[OFFER_COLUMNS * i + 2] = db_int(offers[i].at);
        offers[i].items = NULL;
        offers[i].count = offers[i].cap = 0;
    }
    struct item_loading loading = {arena, offers};
    return db_query(db, &sql_items, values, OFFER_COLUMNS, count, add_item, &loading);
}
