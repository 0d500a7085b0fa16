#include "store/offers.h"

#include <string.h>

#include "store/rows.h"

#define COLUMNS                                                                                    \
    "v.channel, v.offer, v.version, v.from_at, v.kind, v.body, v.hash, v.created_at, v.seq"

DB_SQL(sql_insert, "INSERT INTO offer_version (channel, offer, version, from_at, kind, body, hash, "
                   "created_at, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
DB_SQL(sql_item, "INSERT INTO offer_item (channel, offer, version, rank, provider, course_id, "
                 "weight) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_get, "SELECT " COLUMNS " FROM offer_version v WHERE v.channel = $1 AND v.offer = $2 "
                "ORDER BY v.version DESC LIMIT 1");
#define LAST                                                                                       \
    "v.version = (SELECT MAX(m.version) FROM offer_version m WHERE m.channel = v.channel AND "     \
    "m.offer = v.offer) "
#define PAGE "ORDER BY v.channel, v.offer LIMIT $3"
DB_SQL(sql_all, "SELECT " COLUMNS " FROM offer_version v WHERE (v.channel, v.offer) > ($1, $2) "
                "AND " LAST PAGE);
DB_SQL(sql_of, "SELECT " COLUMNS " FROM offer_version v WHERE (v.channel, v.offer) > ($1, $2) "
               "AND (v.channel = $4 OR EXISTS (SELECT 1 FROM offer_item i WHERE i.provider = $4 "
               "AND i.channel = v.channel AND i.offer = v.offer AND i.version = v.version)) "
               "AND " LAST PAGE);

static enum accord_error insert_items(struct db *db, const struct offer_row *row,
                                      const struct offer_item_row *items, size_t count)
{
    enum { ITEM_COLUMNS = 7 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, ITEM_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[ITEM_COLUMNS * i];
        v[0] = db_str(row->channel);
        v[1] = db_str(row->offer);
        v[2] = db_int(row->version);
        v[3] = db_int((int64_t)i);
        v[4] = db_text(items[i].provider);
        v[5] = db_text(items[i].course_id);
        v[6] = db_int(items[i].weight);
    }
    return db_run(db, &sql_item, values, ITEM_COLUMNS, count, NULL);
}

enum accord_error store_offer_insert(struct db *db, const struct offer_row *row,
                                     const struct offer_item_row *items, size_t count)
{
    const struct db_value values[] = {
        db_str(row->channel), db_str(row->offer),      db_int(row->version),
        db_int(row->from_at), db_str(row->kind),       db_text(row->body),
        db_hash(&row->hash),  db_int(row->created_at), db_int(row->seq),
    };
    const enum accord_error error =
        db_run(db, &sql_insert, values, sizeof values / sizeof *values, 1, NULL);
    return error != ACCORD_OK ? error : insert_items(db, row, items, count);
}

struct offer_list {
    struct arena *arena;
    struct offer_row *rows;
    size_t count;
    size_t max;
};

static enum accord_error add_offer(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct offer_list *list = context;
    const struct slice body = db_get_text(row, 5);
    const struct slice hash = db_get_bytes(row, 6);
    if (list->count == list->max || hash.len != HASH_BYTES)
        return ACCORD_E_DATABASE_ERROR;
    struct offer_row *offer = &list->rows[list->count++];
    *offer = (struct offer_row){
        .channel = arena_strdup(list->arena, db_get_text(row, 0)),
        .offer = arena_strdup(list->arena, db_get_text(row, 1)),
        .version = db_get_int(row, 2),
        .from_at = db_get_int(row, 3),
        .kind = arena_strdup(list->arena, db_get_text(row, 4)),
        .body = {arena_strdup(list->arena, body), body.len},
        .created_at = db_get_int(row, 7),
        .seq = db_get_int(row, 8),
    };
    memcpy(offer->hash.bytes, hash.data, HASH_BYTES);
    return offer->channel == NULL || offer->offer == NULL || offer->kind == NULL ||
                   offer->body.data == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_offer_get(struct db *db, struct arena *arena, const char *channel,
                                  const char *offer, struct offer_row *ret, bool *ret_found)
{
    struct offer_row row;
    struct offer_list list = {.arena = arena, .rows = &row, .max = 1};
    const struct db_value params[] = {db_str(channel), db_str(offer)};
    const enum accord_error error = db_query(db, &sql_get, params, 2, 1, add_offer, &list);
    if (error != ACCORD_OK)
        return error;
    if (list.count == 1)
        *ret = row;
    *ret_found = list.count == 1;
    return ACCORD_OK;
}

enum accord_error store_offer_list(struct db *db, struct arena *arena, const char *partner,
                                   const char *after_channel, const char *after_offer,
                                   int64_t limit, struct offer_row **ret, size_t *ret_count)
{
    struct offer_list list = {.arena = arena, .max = (size_t)limit};
    list.rows = arena_array(arena, list.max + 1, sizeof *list.rows);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value params[] = {db_str(after_channel), db_str(after_offer), db_int(limit),
                                      db_str(partner)};
    const enum accord_error error = partner == NULL
                                        ? db_query(db, &sql_all, params, 3, 1, add_offer, &list)
                                        : db_query(db, &sql_of, params, 4, 1, add_offer, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

/* ---- versions of a kind ---- */

DB_SQL(sql_versions, "SELECT offer, from_at, body FROM offer_version WHERE channel = $1 AND "
                     "kind = $2 ORDER BY offer, version");

struct versions {
    struct arena *arena;
    struct offer_version_row *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_version(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct versions *list = context;
    const struct slice body = db_get_text(row, 2);
    struct offer_version_row *items =
        arena_room(list->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->items = items;
    struct offer_version_row *offer = &items[list->count++];
    *offer = (struct offer_version_row){.offer = arena_strdup(list->arena, db_get_text(row, 0)),
                                        .from_at = db_get_int(row, 1),
                                        .body = {arena_strdup(list->arena, body), body.len}};
    return offer->offer == NULL || offer->body.data == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error store_offer_versions(struct db *db, struct arena *arena, const char *channel,
                                       const char *kind, struct offer_version_row **ret,
                                       size_t *ret_count)
{
    struct versions list = {.arena = arena};
    const struct db_value params[] = {db_str(channel), db_str(kind)};
    const enum accord_error error = db_query(db, &sql_versions, params, 2, 1, add_version, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.items;
    *ret_count = list.count;
    return ACCORD_OK;
}
