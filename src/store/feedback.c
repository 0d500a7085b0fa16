#include "store/feedback.h"

#include <string.h>

#include "store/rows.h"

/* ---- ratings ---- */

DB_SQL(sql_fact, "INSERT INTO rating_fact (provider, course_id, rater, seq, occurred_at, partner, "
                 "event_id, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_live, "SELECT seq, occurred_at, partner, event_id, value FROM rating "
                 "WHERE provider = $1 AND course_id = $2 AND rater = $3");
DB_SQL(sql_latest, "SELECT r.seq, r.occurred_at, r.partner, r.event_id, r.value FROM rating_fact r "
                   "WHERE r.provider = $1 AND r.course_id = $2 AND r.rater = $3 "
                   "AND NOT EXISTS (SELECT 1 FROM fact_superseded x WHERE x.seq = r.seq)");
DB_SQL(sql_set, "INSERT INTO rating (provider, course_id, rater, seq, occurred_at, partner, "
                "event_id, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                "ON CONFLICT (provider, course_id, rater) DO UPDATE SET seq = excluded.seq, "
                "occurred_at = excluded.occurred_at, partner = excluded.partner, "
                "event_id = excluded.event_id, value = excluded.value");
DB_SQL(sql_unset, "DELETE FROM rating WHERE provider = $1 AND course_id = $2 AND rater = $3");

bool rating_is_later(const struct rating_row *a, const struct rating_row *b)
{
    if (a->occurred_at != b->occurred_at)
        return a->occurred_at > b->occurred_at;
    const int order = strcmp(a->partner, b->partner);
    return order != 0 ? order > 0 : strcmp(a->event_id, b->event_id) > 0;
}

enum { RATER_COLUMNS = 3, RATING_COLUMNS = 8 };

static void rater_values(const struct rater *rater, struct db_value *v)
{
    v[0] = db_str(rater->provider);
    v[1] = db_str(rater->course_id);
    v[2] = db_bytes(rater->bytes, rater->len);
}

static void rating_values(const struct rating_row *row, struct db_value *v)
{
    rater_values(&row->rater, v);
    v[3] = db_int(row->seq);
    v[4] = db_int(row->occurred_at);
    v[5] = db_str(row->partner);
    v[6] = db_str(row->event_id);
    v[7] = db_int(row->value);
}

enum accord_error store_rating_facts_insert(struct db *db, const struct rating_row *rows,
                                            size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, RATING_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        rating_values(&rows[i], &values[RATING_COLUMNS * i]);
    return db_run(db, &sql_fact, values, RATING_COLUMNS, count, NULL);
}

struct ratings {
    struct arena *arena;
    struct rating_row *rows;
};

static enum accord_error take_later(void *context, size_t param_row, const struct db_row *row)
{
    const struct ratings *ratings = context;
    struct rating_row *rating = &ratings->rows[param_row];
    struct rating_row found = {
        .rater = rating->rater,
        .seq = db_get_int(row, 0),
        .occurred_at = db_get_int(row, 1),
        .partner = arena_strdup(ratings->arena, db_get_text(row, 2)),
        .event_id = arena_strdup(ratings->arena, db_get_text(row, 3)),
        .value = db_get_int(row, 4),
    };
    if (found.partner == NULL || found.event_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (rating->value == 0 || rating_is_later(&found, rating))
        *rating = found;
    return ACCORD_OK;
}

static enum accord_error find_ratings(struct db *db, const struct db_sql *sql, struct arena *arena,
                                      struct rating_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, RATER_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        rows[i].value = 0;
        rater_values(&rows[i].rater, &values[RATER_COLUMNS * i]);
    }
    struct ratings ratings = {arena, rows};
    return db_query(db, sql, values, RATER_COLUMNS, count, take_later, &ratings);
}

enum accord_error store_ratings_live(struct db *db, struct arena *arena, struct rating_row *rows,
                                     size_t count)
{
    return find_ratings(db, &sql_live, arena, rows, count);
}

enum accord_error store_ratings_latest(struct db *db, struct arena *arena, struct rating_row *rows,
                                       size_t count)
{
    return find_ratings(db, &sql_latest, arena, rows, count);
}

enum accord_error store_ratings_set(struct db *db, const struct rating_row *rows, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, RATING_COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t set = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].value != 0)
            rating_values(&rows[i], &values[RATING_COLUMNS * set++]);
    enum accord_error error = ACCORD_OK;
    if (set > 0)
        error = db_run(db, &sql_set, values, RATING_COLUMNS, set, NULL);
    size_t unset = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].value == 0)
            rater_values(&rows[i].rater, &values[RATER_COLUMNS * unset++]);
    if (error == ACCORD_OK && unset > 0)
        error = db_run(db, &sql_unset, values, RATER_COLUMNS, unset, NULL);
    return error;
}

/* ---- counts ---- */

DB_SQL(sql_add, "INSERT INTO feedback_rollup (provider, course_id, kind, total) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (provider, course_id, kind) "
                "DO UPDATE SET total = feedback_rollup.total + excluded.total");
DB_SQL(sql_of, "SELECT provider, course_id, kind, total FROM feedback_rollup "
               "WHERE provider = $1 AND course_id = $2 ORDER BY kind");
DB_SQL(sql_counts, "SELECT provider, course_id, kind, total FROM feedback_rollup "
                   "ORDER BY provider, course_id, kind");

enum accord_error store_feedback_add(struct db *db, const struct feedback_count *rows, size_t count)
{
    enum { COLUMNS = 4 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_str(rows[i].provider);
        v[1] = db_str(rows[i].course_id);
        v[2] = db_str(rows[i].kind);
        v[3] = db_int(rows[i].total);
    }
    return db_run(db, &sql_add, values, COLUMNS, count, NULL);
}

struct counts {
    struct arena *arena;
    struct feedback_count *rows;
    size_t count;
    size_t cap;
};

static enum accord_error read_count(struct arena *arena, const struct db_row *row,
                                    struct feedback_count *ret)
{
    *ret = (struct feedback_count){
        .provider = arena_strdup(arena, db_get_text(row, 0)),
        .course_id = arena_strdup(arena, db_get_text(row, 1)),
        .kind = arena_strdup(arena, db_get_text(row, 2)),
        .total = db_get_int(row, 3),
    };
    return ret->provider == NULL || ret->course_id == NULL || ret->kind == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error add_count(void *context, size_t param_row, const struct db_row *row)
{
    struct counts *counts = context;
    (void)param_row;
    struct feedback_count *rows =
        arena_room(counts->arena, counts->rows, counts->count, &counts->cap, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    counts->rows = rows;
    return read_count(counts->arena, row, &counts->rows[counts->count++]);
}

enum accord_error store_feedback_of(struct db *db, struct arena *arena, const char *provider,
                                    const char *course_id, struct feedback_count **ret,
                                    size_t *ret_count)
{
    struct counts counts = {.arena = arena};
    const struct db_value params[] = {db_str(provider), db_str(course_id)};
    const enum accord_error error = db_query(db, &sql_of, params, 2, 1, add_count, &counts);
    if (error != ACCORD_OK)
        return error;
    *ret = counts.rows;
    *ret_count = counts.count;
    return ACCORD_OK;
}

/* ---- reviews ---- */

DB_SQL(sql_review, "INSERT INTO review (provider, course_id, occurred_at, seq, partner, event_id, "
                   "value, language) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_unreview, "DELETE FROM review WHERE provider = $1 AND course_id = $2 "
                     "AND occurred_at = $3 AND seq = $4");
DB_SQL(sql_reviews, "SELECT r.provider, r.course_id, r.occurred_at, r.seq, r.partner, r.event_id, "
                    "r.value, r.language, t.text FROM review r "
                    "LEFT JOIN fact_text t ON t.seq = r.seq "
                    "WHERE r.provider = $1 AND r.course_id = $2 "
                    "ORDER BY r.occurred_at DESC, r.seq DESC LIMIT $3");
DB_SQL(sql_all_reviews, "SELECT r.provider, r.course_id, r.occurred_at, r.seq, r.partner, "
                        "r.event_id, r.value, r.language, t.text FROM review r "
                        "LEFT JOIN fact_text t ON t.seq = r.seq");

static enum accord_error run_reviews(struct db *db, const struct db_sql *sql, size_t columns,
                                     const struct review_row *rows, size_t count)
{
    enum { COLUMNS = 8 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct review_row *row = &rows[i];
        const struct db_value all[COLUMNS] = {
            db_str(row->provider), db_str(row->course_id), db_int(row->occurred_at),
            db_int(row->seq),      db_str(row->partner),   db_str(row->event_id),
            db_int(row->value),    db_str(row->language),
        };
        memcpy(&values[columns * i], all, columns * sizeof *all);
    }
    return db_run(db, sql, values, columns, count, NULL);
}

enum accord_error store_reviews_insert(struct db *db, const struct review_row *rows, size_t count)
{
    return run_reviews(db, &sql_review, 8, rows, count);
}

enum accord_error store_reviews_delete(struct db *db, const struct review_row *rows, size_t count)
{
    return run_reviews(db, &sql_unreview, 4, rows, count);
}

struct reviews {
    struct arena *arena;
    struct review_row *rows;
    size_t count;
};

static enum accord_error read_review(struct arena *arena, const struct db_row *row,
                                     struct review_row *ret)
{
    *ret = (struct review_row){
        .provider = arena_strdup(arena, db_get_text(row, 0)),
        .course_id = arena_strdup(arena, db_get_text(row, 1)),
        .occurred_at = db_get_int(row, 2),
        .seq = db_get_int(row, 3),
        .partner = arena_strdup(arena, db_get_text(row, 4)),
        .event_id = arena_strdup(arena, db_get_text(row, 5)),
        .value = db_get_int(row, 6),
        .language = arena_strdup(arena, db_get_text(row, 7)),
    };
    if (!db_is_null(row, 8)) {
        const struct slice text = db_get_text(row, 8);
        ret->text = (struct slice){arena_strdup(arena, text), text.len};
        if (ret->text.data == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return ret->provider == NULL || ret->course_id == NULL || ret->partner == NULL ||
                   ret->event_id == NULL || ret->language == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error add_review(void *context, size_t param_row, const struct db_row *row)
{
    struct reviews *reviews = context;
    (void)param_row;
    return read_review(reviews->arena, row, &reviews->rows[reviews->count++]);
}

enum accord_error store_reviews_of(struct db *db, struct arena *arena, const char *provider,
                                   const char *course_id, int64_t limit, struct review_row **ret,
                                   size_t *ret_count)
{
    struct reviews reviews = {.arena = arena};
    reviews.rows = arena_array(arena, (size_t)limit, sizeof *reviews.rows);
    if (reviews.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value params[] = {db_str(provider), db_str(course_id), db_int(limit)};
    const enum accord_error error = db_query(db, &sql_reviews, params, 3, 1, add_review, &reviews);
    if (error != ACCORD_OK)
        return error;
    *ret = reviews.rows;
    *ret_count = reviews.count;
    return ACCORD_OK;
}

/* ---- every row ---- */

DB_SQL(sql_facts, "SELECT r.seq, r.occurred_at, r.partner, r.event_id, r.value, r.provider, "
                  "r.course_id, r.rater FROM rating_fact r WHERE NOT EXISTS "
                  "(SELECT 1 FROM fact_superseded x WHERE x.seq = r.seq) "
                  "ORDER BY r.provider, r.course_id, r.rater, r.seq");
DB_SQL(sql_ratings, "SELECT seq, occurred_at, partner, event_id, value, provider, course_id, rater "
                    "FROM rating ORDER BY provider, course_id, rater");

struct walk {
    struct arena *arena;
    rating_row_fn *rating;
    feedback_count_fn *count;
    review_row_fn *review;
    void *context;
};

static enum accord_error walk_rating(void *context, size_t param_row, const struct db_row *row)
{
    const struct walk *walk = context;
    (void)param_row;
    arena_reset(walk->arena);
    struct rating_row rating = {
        .seq = db_get_int(row, 0),
        .occurred_at = db_get_int(row, 1),
        .partner = arena_strdup(walk->arena, db_get_text(row, 2)),
        .event_id = arena_strdup(walk->arena, db_get_text(row, 3)),
        .value = db_get_int(row, 4),
        .rater = {.provider = arena_strdup(walk->arena, db_get_text(row, 5)),
                  .course_id = arena_strdup(walk->arena, db_get_text(row, 6))},
    };
    const struct slice rater = db_get_bytes(row, 7);
    if (rating.partner == NULL || rating.event_id == NULL || rating.rater.provider == NULL ||
        rating.rater.course_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (rater.len > RATER_BYTES_MAX)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(rating.rater.bytes, rater.data, rater.len);
    rating.rater.len = rater.len;
    return walk->rating(walk->context, &rating);
}

static enum accord_error walk_count(void *context, size_t param_row, const struct db_row *row)
{
    const struct walk *walk = context;
    struct feedback_count count;
    (void)param_row;
    arena_reset(walk->arena);
    const enum accord_error error = read_count(walk->arena, row, &count);
    return error != ACCORD_OK ? error : walk->count(walk->context, &count);
}

static enum accord_error walk_review(void *context, size_t param_row, const struct db_row *row)
{
    const struct walk *walk = context;
    struct review_row review;
    (void)param_row;
    arena_reset(walk->arena);
    const enum accord_error error = read_review(walk->arena, row, &review);
    return error != ACCORD_OK ? error : walk->review(walk->context, &review);
}

static enum accord_error walk_all(struct db *db, const struct db_sql *sql, db_row_fn *each,
                                  struct walk *walk)
{
    enum { ONE_ROW_MAX = 1 << 20 };
    walk->arena = arena_new(ONE_ROW_MAX);
    if (walk->arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = db_query(db, sql, NULL, 0, 1, each, walk);
    arena_free(walk->arena);
    return error;
}

enum accord_error store_rating_facts_each(struct db *db, rating_row_fn *each, void *context)
{
    return walk_all(db, &sql_facts, walk_rating,
                    &(struct walk){.rating = each, .context = context});
}

enum accord_error store_ratings_each(struct db *db, rating_row_fn *each, void *context)
{
    return walk_all(db, &sql_ratings, walk_rating,
                    &(struct walk){.rating = each, .context = context});
}

enum accord_error store_feedback_each(struct db *db, feedback_count_fn *each, void *context)
{
    return walk_all(db, &sql_counts, walk_count, &(struct walk){.count = each, .context = context});
}

enum accord_error store_reviews_each(struct db *db, review_row_fn *each, void *context)
{
    return walk_all(db, &sql_all_reviews, walk_review,
                    &(struct walk){.review = each, .context = context});
}
