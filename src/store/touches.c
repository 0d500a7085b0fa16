#include "store/touches.h"

#include <string.h>

#include "store/rows.h"

const char *const touch_kind_names[] = {"click", "share", "coupon", NULL};

DB_SQL(sql_touch_insert, "INSERT INTO touch_fact (seq, channel, learner, link, kind, occurred_at, "
                         "event_id) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_touch_stands, "SELECT 1 FROM touch_fact WHERE seq = $1 AND channel = $2 AND learner IS "
                         "NOT DISTINCT FROM $3 AND link = $4 AND kind = $5 AND occurred_at = $6 "
                         "AND event_id = $7");

enum { TOUCH_COLUMNS = 7 };

static void touch_values(const struct touch_row *row, struct db_value *v)
{
    v[0] = db_int(row->seq);
    v[1] = db_str(row->channel);
    v[2] = rows_learner(row->has_learner, row->learner);
    v[3] = db_str(row->link);
    v[4] = db_str(touch_kind_names[row->kind]);
    v[5] = db_int(row->occurred_at);
    v[6] = db_str(row->event_id);
}

enum accord_error store_touches_insert(struct db *db, const struct touch_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, TOUCH_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        touch_values(&rows[i], &values[TOUCH_COLUMNS * i]);
    return db_run(db, &sql_touch_insert, values, TOUCH_COLUMNS, count, NULL);
}

enum accord_error store_touch_stands(struct db *db, const struct touch_row *row, bool *ret)
{
    struct db_value values[TOUCH_COLUMNS];
    touch_values(row, values);
    return rows_any(db, &sql_touch_stands, values, TOUCH_COLUMNS, ret);
}

#define TOUCH_WITH_LINK                                                                            \
    "SELECT t.event_id, t.kind, t.occurred_at, t.link, l.promoter, l.parent, l.accepted_at, "      \
    "l.closed_at FROM touch_fact t LEFT JOIN link l ON l.channel = t.channel AND l.code = t.link "
#define STANDS "NOT EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = t.seq)"

DB_SQL(sql_touches_of, TOUCH_WITH_LINK
       "WHERE t.channel = $1 AND t.learner = $2 AND t.occurred_at >= $3 AND t.occurred_at <= $4 "
       "AND " STANDS " ORDER BY t.seq");
/* One that a sale names is its own, whoever bought. */
DB_SQL(sql_touch_of_sale, TOUCH_WITH_LINK "WHERE t.seq = $1 AND " STANDS);

struct touch_loading {
    struct arena *arena;
    struct touch_list **lists; /* by row of parameters */
};

/* Where the row's link stood when the touch occurred. */
static enum touch_standing standing_of(const struct db_row *row, instant_us occurred_at)
{
    if (db_is_null(row, 4))
        return TOUCH_LINK_UNKNOWN;
    if (db_is_null(row, 6))
        return TOUCH_LINK_NOT_ACCEPTED;
    return !db_is_null(row, 7) && occurred_at >= db_get_int(row, 7) ? TOUCH_LINK_CLOSED
                                                                    : TOUCH_LINKED;
}

static enum accord_error add_touch(void *context, size_t param_row, const struct db_row *row)
{
    const struct touch_loading *loading = context;
    struct touch_list *list = loading->lists[param_row];
    struct linked_touch *items =
        arena_room(loading->arena, list->items, list->count, &list->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    list->items = items;
    int kind = TOUCH_CLICK;
    while (touch_kind_names[kind] != NULL &&
           !slice_equal(db_get_text(row, 1), slice_of(touch_kind_names[kind])))
        kind++;
    if (touch_kind_names[kind] == NULL)
        return ACCORD_E_DATABASE_ERROR;
    const bool linked = !db_is_null(row, 4);
    struct linked_touch *touch = &list->items[list->count++];
    *touch = (struct linked_touch){
        .event_id = arena_strdup(loading->arena, db_get_text(row, 0)),
        .kind = (enum touch_kind)kind,
        .occurred_at = db_get_int(row, 2),
        .link = arena_strdup(loading->arena, db_get_text(row, 3)),
        .promoter = linked ? arena_strdup(loading->arena, db_get_text(row, 4)) : "",
        .parent = linked ? arena_strdup(loading->arena, db_get_text(row, 5)) : "",
    };
    touch->standing = standing_of(row, touch->occurred_at);
    return touch->event_id == NULL || touch->link == NULL || touch->promoter == NULL ||
                   touch->parent == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_touches_load(struct db *db, struct arena *arena, struct touch_list *lists,
                                     size_t count)
{
    enum { COLUMNS = 4 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    struct touch_list **asked = arena_array(arena, count, sizeof *asked);
    if (values == NULL || asked == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct touch_loading loading = {arena, asked};
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        lists[i].items = NULL;
        lists[i].count = lists[i].cap = 0;
        if (lists[i].learner == NULL)
            continue;
        struct db_value *v = &values[COLUMNS * n];
        v[0] = db_str(lists[i].channel);
        v[1] = db_bytes(lists[i].learner, LEARNER_BYTES);
        v[2] = db_int(lists[i].from);
        v[3] = db_int(lists[i].to);
        asked[n++] = &lists[i];
    }
    enum accord_error error =
        n == 0 ? ACCORD_OK : db_query(db, &sql_touches_of, values, COLUMNS, n, add_touch, &loading);
    n = 0;
    for (size_t i = 0; i < count; i++)
        if (lists[i].learner == NULL) {
            values[n] = db_int(lists[i].sale_seq);
            asked[n++] = &lists[i];
        }
    if (error == ACCORD_OK && n > 0)
        error = db_query(db, &sql_touch_of_sale, values, 1, n, add_touch, &loading);
    return error;
}
