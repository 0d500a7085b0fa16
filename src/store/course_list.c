/* Reading courses: one, its history, and pages in each order. */
#include "store/courses.h"

/* The columns of every SELECT below, in this order. */
#define COURSE_COLUMNS                                                                             \
    "SELECT c.provider, c.course_id, c.version, c.gen_from, c.gen_to, c.id, c.state, "             \
    "c.content_hash, c.title, c.price_amount, c.rating_ppm, c.changed_at, c.body, "                \
    "c.price_currency FROM course c "

static struct hash hash_from(struct slice bytes)
{
    struct hash hash = {0};
    if (bytes.len == HASH_BYTES)
        memcpy(hash.bytes, bytes.data, HASH_BYTES);
    return hash;
}

static void read_course(const struct db_row *row, struct store_course *ret)
{
    *ret = (struct store_course){
        .provider = db_get_text(row, 0),
        .course_id = db_get_text(row, 1),
        .version = db_get_int(row, 2),
        .gen_from = db_get_int(row, 3),
        .gen_to = db_get_int(row, 4),
        .id = db_get_text(row, 5),
        .active = slice_equal(db_get_text(row, 6), SLICE("active")),
        .content_hash = hash_from(db_get_bytes(row, 7)),
        .title = db_get_text(row, 8),
        .price_amount = db_get_int(row, 9),
        .rating_ppm = db_get_int(row, 10),
        .changed_at = db_get_int(row, 11),
        .body = db_get_text(row, 12),
        .price_currency = db_get_text(row, 13),
    };
}

struct each_course {
    store_course_fn *each;
    void *context;
};

static enum accord_error hand_on(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct each_course *each = context;
    struct store_course course;
    read_course(row, &course);
    return each->each(each->context, &course);
}

/* ---- one course ---- */

DB_SQL(course_find,
       COURSE_COLUMNS "CROSS JOIN provider_catalog g WHERE g.provider = c.provider "
                      "AND c.provider = $1 AND c.course_id = $2 AND c.gen_from <= g.generation "
                      "AND c.gen_to > g.generation");
DB_SQL(course_find_opaque,
       COURSE_COLUMNS "CROSS JOIN provider_catalog g WHERE g.provider = c.provider "
                      "AND c.provider = $1 AND c.id = $2 AND c.gen_from <= g.generation "
                      "AND c.gen_to > g.generation");

struct found {
    struct arena *arena;
    struct store_course *course;
    bool any;
};

static enum accord_error take_course(void *context, const struct store_course *row)
{
    struct found *found = context;
    struct store_course course = *row;
    struct slice *const texts[] = {&course.provider, &course.course_id, &course.id,
                                   &course.title,    &course.body,      &course.price_currency};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        texts[i]->data = arena_strdup(found->arena, *texts[i]);
        if (texts[i]->data == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    *found->course = course;
    found->any = true;
    return ACCORD_OK;
}

enum accord_error store_course_find(struct db *db, struct arena *arena, const char *provider,
                                    struct slice course_id, bool *ret_found,
                                    struct store_course *ret)
{
    const struct db_value values[] = {db_str(provider), db_text(course_id)};
    struct found found = {.arena = arena, .course = ret};
    struct each_course each = {take_course, &found};
    enum accord_error e = db_query(db, &course_find, values, 2, 1, hand_on, &each);
    /* The provider's own ids go first: one of them may look like an opaque id. */
    if (e == ACCORD_OK && !found.any)
        e = db_query(db, &course_find_opaque, values, 2, 1, hand_on, &each);
    if (e == ACCORD_OK)
        *ret_found = found.any;
    return e;
}

DB_SQL(course_granted, "SELECT 1 FROM catalog_grant WHERE channel = $1 AND provider = $2 "
                       "AND course_id IN ('', $3) AND from_at <= $4 AND to_at > $4 LIMIT 1");

static enum accord_error take_granted(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error store_course_may_see(struct db *db, const char *partner, const char *provider,
                                       struct slice course_id, instant_us now, bool *ret)
{
    bool granted = strcmp(partner, provider) == 0;
    enum accord_error e = ACCORD_OK;
    if (!granted) {
        const struct db_value values[] = {db_str(partner), db_str(provider), db_text(course_id),
                                          db_int(now)};
        e = db_query(db, &course_granted, values, 4, 1, take_granted, &granted);
    }
    if (e == ACCORD_OK)
        *ret = granted;
    return e;
}

DB_SQL(course_versions,
       COURSE_COLUMNS "CROSS JOIN provider_catalog g WHERE g.provider = c.provider "
                      "AND c.provider = $1 AND c.course_id = $2 AND c.version < $3 "
                      "AND c.gen_from <= g.generation ORDER BY c.version DESC LIMIT $4");

enum accord_error store_course_versions(struct db *db, const char *provider, struct slice course_id,
                                        int64_t before, int64_t limit, store_course_fn *each,
                                        void *context)
{
    const struct db_value values[] = {db_str(provider), db_text(course_id), db_int(before),
                                      db_int(limit)};
    struct each_course with = {each, context};
    return db_query(db, &course_versions, values, 4, 1, hand_on, &with);
}

/* ---- pages ----
 *
 * One statement an order, each along an index that ends in (provider, course_id). $1…$3 are the
 * keys of the last row shown, $4 the limit; the rest are filters, NULL (or 0, or -1) when not
 * asked for. CROSS JOIN keeps the course index the outer loop on SQLite, and the CASE around the
 * filters keeps its planner from thinking them so selective that sorting were cheaper. */
#define LIST_FROM COURSE_COLUMNS "CROSS JOIN provider_catalog g WHERE g.provider = c.provider "
#define LIST_FILTERS                                                                               \
    "AND CASE WHEN (CAST($5 AS TEXT) IS NULL OR c.provider = $5) "                                 \
    "AND c.gen_from <= g.generation AND c.gen_to > g.generation "                                  \
    "AND (CAST($6 AS TEXT) IS NULL OR c.state = $6) "                                              \
    "AND (CAST($7 AS TEXT) IS NULL OR c.level = $7) "                                              \
    "AND (CAST($8 AS TEXT) IS NULL OR c.kind = $8) "                                               \
    "AND (CAST($9 AS TEXT) IS NULL OR c.price_currency = $9) "                                     \
    "AND (CAST($10 AS BIGINT) < 0 OR c.price_amount >= $10) "                                      \
    "AND (CAST($11 AS BIGINT) < 0 OR (c.price_amount >= 0 AND c.price_amount <= $11)) "            \
    "AND (CAST($12 AS BIGINT) < 0 OR c.rating_ppm >= $12) "                                        \
    "AND (CAST($13 AS BIGINT) = 0 OR (c.formats & $13) <> 0) "                                     \
    "AND (CAST($14 AS BIGINT) = 0 OR (c.purposes & $14) <> 0) "                                    \
    "AND (CAST($15 AS TEXT) IS NULL OR c.language = $15 "                                          \
    "OR (c.language > ($15 || '-') AND c.language < ($15 || '.'))) "                               \
    "AND (CAST($16 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM course_subject s "                    \
    "WHERE s.subject = $16 AND s.provider = c.provider AND s.course_id = c.course_id "             \
    "AND s.version = c.version)) "                                                                 \
    "AND (CAST($17 AS TEXT) IS NULL OR c.provider = $17 OR EXISTS (SELECT 1 FROM catalog_grant r " \
    "WHERE r.channel = $17 AND r.provider = c.provider AND r.course_id IN ('', c.course_id) "      \
    "AND r.from_at <= $18 AND r.to_at > $18)) THEN 1 ELSE 0 END = 1 "

DB_SQL(list_title, LIST_FROM "AND (c.title, c.provider, c.course_id) > ($1, $2, $3) " LIST_FILTERS
                             "ORDER BY c.title, c.provider, c.course_id LIMIT $4");
DB_SQL(list_title_desc,
       LIST_FROM "AND (c.title, c.provider, c.course_id) < ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.title DESC, c.provider DESC, c.course_id DESC LIMIT $4");
DB_SQL(list_changed,
       LIST_FROM "AND (c.changed_at, c.provider, c.course_id) > ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.changed_at, c.provider, c.course_id LIMIT $4");
DB_SQL(list_changed_desc,
       LIST_FROM "AND (c.changed_at, c.provider, c.course_id) < ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.changed_at DESC, c.provider DESC, c.course_id DESC LIMIT $4");
DB_SQL(list_price,
       LIST_FROM "AND c.price_currency = $9 "
                 "AND (c.price_amount, c.provider, c.course_id) > ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.price_amount, c.provider, c.course_id LIMIT $4");
DB_SQL(list_price_desc,
       LIST_FROM "AND c.price_currency = $9 "
                 "AND (c.price_amount, c.provider, c.course_id) < ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.price_amount DESC, c.provider DESC, c.course_id DESC LIMIT $4");
DB_SQL(list_rating,
       LIST_FROM "AND (c.rating_ppm, c.provider, c.course_id) > ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.rating_ppm, c.provider, c.course_id LIMIT $4");
DB_SQL(list_rating_desc,
       LIST_FROM "AND (c.rating_ppm, c.provider, c.course_id) < ($1, $2, $3) " LIST_FILTERS
                 "ORDER BY c.rating_ppm DESC, c.provider DESC, c.course_id DESC LIMIT $4");
/* A provider looks at its own catalog: the commonest page gets the index for it. */
DB_SQL(
    list_own_title, LIST_FROM
    "AND c.provider = $5 AND c.provider >= $2 AND (c.title, c.course_id) > ($1, $3) " LIST_FILTERS
    "ORDER BY c.title, c.course_id LIMIT $4");
DB_SQL(
    list_own_title_desc, LIST_FROM
    "AND c.provider = $5 AND c.provider <= $2 AND (c.title, c.course_id) < ($1, $3) " LIST_FILTERS
    "ORDER BY c.title DESC, c.course_id DESC LIMIT $4");

static const struct db_sql *statement(enum store_course_sort sort, bool descending, bool own)
{
    switch (sort) {
    case STORE_COURSES_BY_TITLE:
        if (own)
            return descending ? &list_own_title_desc : &list_own_title;
        return descending ? &list_title_desc : &list_title;
    case STORE_COURSES_BY_CHANGED:
        return descending ? &list_changed_desc : &list_changed;
    case STORE_COURSES_BY_PRICE:
        return descending ? &list_price_desc : &list_price;
    case STORE_COURSES_BY_RATING:
        return descending ? &list_rating_desc : &list_rating;
    }
    return &list_title;
}

/* Behind every text: U+10FFFF twice. */
static const struct slice last_text = {"\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf", 8};

enum accord_error store_course_list(struct db *db, const struct store_course_filter *filter,
                                    enum store_course_sort sort, bool descending,
                                    const struct store_course_cursor *cursor, int64_t limit,
                                    store_course_fn *each, void *context)
{
    struct store_course_cursor from = {
        .text = SLICE(""), .number = INT64_MIN, .provider = SLICE(""), .course_id = SLICE("")};
    if (descending)
        from = (struct store_course_cursor){last_text, INT64_MAX, last_text, last_text};
    if (cursor != NULL)
        from = *cursor;
    const struct db_value values[] = {
        sort == STORE_COURSES_BY_TITLE ? db_text(from.text) : db_int(from.number),
        db_text(from.provider),
        db_text(from.course_id),
        db_int(limit),
        db_str(filter->provider),
        db_str(filter->state),
        db_str(filter->level),
        db_str(filter->kind),
        db_str(filter->currency),
        db_int(filter->price_min),
        db_int(filter->price_max),
        db_int(filter->rating_min),
        db_int(filter->formats),
        db_int(filter->purposes),
        db_str(filter->language),
        db_str(filter->subject),
        db_str(filter->partner),
        db_int(filter->now),
    };
    struct each_course with = {each, context};
    return db_query(db, statement(sort, descending, filter->provider != NULL), values,
                    sizeof values / sizeof values[0], 1, hand_on, &with);
}
