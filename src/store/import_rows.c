/* Staged rows of an import, and how they become versions: set by set, inside the engine. */
#include <stdlib.h>

#include "store/imports.h"

static const char *const action_names[] = {
    [IMPORT_CREATE] = "create", [IMPORT_UPDATE] = "update", [IMPORT_KEEP] = "keep",
    [IMPORT_TOUCH] = "touch",   [IMPORT_SEEN] = "seen",
};

static enum import_action action_of(struct slice name)
{
    for (int i = IMPORT_CREATE; i < IMPORT_SEEN; i++)
        if (slice_equal(slice_of(action_names[i]), name))
            return (enum import_action)i;
    return IMPORT_SEEN;
}

DB_SQL(rows_seen,
       "SELECT action, content_hash FROM import_row WHERE import_id = $1 AND course_id = $2");

static enum accord_error take_seen(void *context, size_t param_row, const struct db_row *row)
{
    struct store_import_seen *seen = (struct store_import_seen *)context + param_row;
    const struct slice hash = db_get_bytes(row, 1);
    seen->found = true;
    seen->action = action_of(db_get_text(row, 0));
    if (hash.len == HASH_BYTES)
        memcpy(seen->content_hash.bytes, hash.data, HASH_BYTES);
    return ACCORD_OK;
}

enum accord_error store_rows_seen(struct db *db, struct slice import,
                                  const struct slice *course_ids, size_t count,
                                  struct store_import_seen *ret)
{
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * 2, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct store_import_seen){0};
        values[i * 2] = db_text(import);
        values[i * 2 + 1] = db_text(course_ids[i]);
    }
    const enum accord_error e = db_query(db, &rows_seen, values, 2, count, take_seen, ret);
    free(values);
    return e;
}

/* Only a row that was refused before can stand in the way: it gives way. */
DB_SQL(row_add,
       "INSERT INTO import_row (import_id, course_id, line, action, base_version, id, "
       "content_hash, raw_hash, title, language, level, kind, purposes, formats, price_amount, "
       "price_currency, rating_ppm, enrolments, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
       "$10, $11, $12, $13, $14, $15, $16, $17, $18, $19) "
       "ON CONFLICT (import_id, course_id) DO UPDATE SET line = excluded.line, "
       "action = excluded.action, base_version = excluded.base_version, id = excluded.id, "
       "content_hash = excluded.content_hash, raw_hash = excluded.raw_hash, "
       "title = excluded.title, language = excluded.language, level = excluded.level, "
       "kind = excluded.kind, purposes = excluded.purposes, formats = excluded.formats, "
       "price_amount = excluded.price_amount, price_currency = excluded.price_currency, "
       "rating_ppm = excluded.rating_ppm, enrolments = excluded.enrolments, body = excluded.body "
       "WHERE import_row.action = 'seen'");
DB_SQL(row_subject_add, "INSERT INTO import_subject (import_id, course_id, subject) "
                        "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");

static enum accord_error add_subjects(struct db *db, struct slice import,
                                      const struct store_import_row *rows, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += rows[i].course.subject_count;
    if (total == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(total * 3, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct db_value *v = values;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].course.subject_count; k++, v += 3) {
            v[0] = db_text(import);
            v[1] = db_text(rows[i].course.course_id);
            v[2] = db_text(rows[i].course.subjects[k]);
        }
    const enum accord_error e = db_run(db, &row_subject_add, values, 3, total, NULL);
    free(values);
    return e;
}

enum accord_error store_rows_add(struct db *db, struct slice import,
                                 const struct store_import_row *rows, size_t count)
{
    enum { COLUMNS = 19 };
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * COLUMNS, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct store_course *course = &rows[i].course;
        struct db_value *v = values + i * COLUMNS;
        v[0] = db_text(import);
        v[1] = db_text(course->course_id);
        v[2] = db_int(rows[i].line);
        v[3] = db_str(action_names[rows[i].action]);
        v[4] = db_int(rows[i].base_version);
        v[5] = db_text(course->id);
        v[6] = db_hash(&course->content_hash);
        v[7] = db_hash(&course->raw_hash);
        v[8] = db_text(course->title);
        v[9] = db_text(course->language);
        v[10] = db_text(course->level);
        v[11] = db_text(course->kind);
        v[12] = db_int(course->purposes);
        v[13] = db_int(course->formats);
        v[14] = db_int(course->price_amount);
        v[15] = db_text(course->price_currency);
        v[16] = db_int(course->rating_ppm);
        v[17] = db_int(course->enrolments);
        v[18] = db_text(course->body);
    }
    enum accord_error e = db_run(db, &row_add, values, COLUMNS, count, NULL);
    free(values);
    if (e == ACCORD_OK)
        e = add_subjects(db, import, rows, count);
    return e;
}

/* ---- the next rows of an import, as a range of course ids ---- */

DB_SQL(rows_range, "SELECT course_id FROM import_row WHERE import_id = $1 "
                   "ORDER BY course_id LIMIT $2");

struct range {
    char last[256];
    size_t len;
    int64_t count;
};

static enum accord_error take_range(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct range *range = context;
    const struct slice id = db_get_text(row, 0);
    if (id.len > sizeof range->last)
        return ACCORD_E_INTERNAL;
    memcpy(range->last, id.data, id.len);
    range->len = id.len;
    range->count++;
    return ACCORD_OK;
}

static enum accord_error next_range(struct db *db, struct slice import, int64_t limit,
                                    struct range *ret)
{
    const struct db_value values[] = {db_text(import), db_int(limit)};
    return db_query(db, &rows_range, values, 2, 1, take_range, ret);
}

DB_SQL(rows_delete, "DELETE FROM import_row WHERE import_id = $1 AND course_id <= $2");
DB_SQL(row_subjects_delete, "DELETE FROM import_subject WHERE import_id = $1 AND course_id <= $2");

static enum accord_error delete_range(struct db *db, struct slice import, const struct range *range)
{
    const struct db_value values[] = {db_text(import),
                                      db_text((struct slice){range->last, range->len})};
    const enum accord_error e = db_run(db, &rows_delete, values, 2, 1, NULL);
    return e != ACCORD_OK ? e : db_run(db, &row_subjects_delete, values, 2, 1, NULL);
}

enum accord_error store_rows_drop(struct db *db, struct slice import, int64_t limit, bool *ret_left)
{
    struct range range = {0};
    enum accord_error e = next_range(db, import, limit, &range);
    if (e == ACCORD_OK && range.count != 0)
        e = delete_range(db, import, &range);
    if (e == ACCORD_OK)
        *ret_left = range.count == limit;
    return e;
}

/* ---- applying ---- */

/* From the rows to their courses: never over the rest of a large catalog. */
DB_SQL(apply_close,
       "UPDATE course SET gen_to = $4 WHERE provider = $1 AND gen_to = 9223372036854775807 "
       "AND gen_from < $4 AND course_id IN (SELECT r.course_id FROM import_row r "
       "WHERE r.import_id = $2 AND r.course_id <= $3 AND r.action = 'update')");
DB_SQL(apply_add,
       "INSERT INTO course (provider, course_id, version, gen_from, gen_to, id, state, "
       "content_hash, raw_hash, title, language, level, kind, purposes, formats, price_amount, "
       "price_currency, rating_ppm, enrolments, body, source, changed_at) "
       "SELECT CAST($1 AS TEXT), r.course_id, r.base_version + 1, CAST($4 AS BIGINT), "
       "9223372036854775807, r.id, 'active', r.content_hash, r.raw_hash, r.title, r.language, "
       "r.level, r.kind, r.purposes, r.formats, r.price_amount, r.price_currency, r.rating_ppm, "
       "r.enrolments, r.body, r.import_id, CAST($5 AS BIGINT) FROM import_row r "
       "WHERE r.import_id = $2 AND r.course_id <= $3 AND r.action IN ('create', 'update') "
       "ORDER BY r.course_id");
DB_SQL(apply_subjects,
       "INSERT INTO course_subject (provider, course_id, version, subject) "
       "SELECT CAST($1 AS TEXT), s.course_id, r.base_version + 1, s.subject FROM import_subject s "
       "JOIN import_row r ON r.import_id = s.import_id AND r.course_id = s.course_id "
       "WHERE s.import_id = $2 AND s.course_id <= $3 AND r.action IN ('create', 'update')");
DB_SQL(apply_touch,
       "UPDATE course SET raw_hash = (SELECT r.raw_hash FROM import_row r WHERE r.import_id = $2 "
       "AND r.course_id = course.course_id) WHERE provider = $1 AND gen_to = 9223372036854775807 "
       "AND course_id IN (SELECT r.course_id FROM import_row r "
       "WHERE r.import_id = $2 AND r.course_id <= $3 AND r.action = 'touch')");

enum accord_error store_apply_rows(struct db *db, const struct store_import *import, instant_us now,
                                   int64_t limit, int64_t *ret_count)
{
    struct range range = {0};
    enum accord_error e = next_range(db, import->id, limit, &range);
    if (e != ACCORD_OK || range.count == 0) {
        if (e == ACCORD_OK)
            *ret_count = 0;
        return e;
    }
    const struct db_value import_id = db_text(import->id);
    const struct db_value provider = db_text(import->provider);
    const struct db_value last = db_text((struct slice){range.last, range.len});
    const struct db_value generation = db_int(import->generation + 1);
    const struct db_value close[] = {provider, import_id, last, generation};
    const struct db_value add[] = {provider, import_id, last, generation, db_int(now)};
    const struct db_value range_of[] = {provider, import_id, last};
    const struct {
        const struct db_sql *sql;
        const struct db_value *values;
        size_t columns;
    } steps[] = {
        {&apply_close, close, 4},
        {&apply_add, add, 5},
        {&apply_subjects, range_of, 3},
        {&apply_touch, range_of, 3},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        e = db_run(db, steps[i].sql, steps[i].values, steps[i].columns, 1, NULL);
        if (e != ACCORD_OK)
            return e;
    }
    e = delete_range(db, import->id, &range);
    if (e == ACCORD_OK)
        *ret_count = range.count;
    return e;
}

/* Active at the generation checked, not ended since (an earlier chunk did), and not in the upload.
 */
DB_SQL(absent_list,
       "SELECT c.course_id, c.version FROM course c WHERE c.provider = $1 AND c.state = 'active' "
       "AND c.gen_to = 9223372036854775807 AND c.gen_from <= $2 AND NOT EXISTS (SELECT 1 FROM "
       "import_row r WHERE r.import_id = $3 AND r.course_id = c.course_id) AND c.course_id > $5 "
       "ORDER BY c.course_id LIMIT $4");
struct absent {
    struct arena *arena;
    struct slice *ids;
    int64_t *versions;
    size_t count;
};

static enum accord_error take_absent(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct absent *absent = context;
    const struct slice id = db_get_text(row, 0);
    const char *copy = arena_strdup(absent->arena, id);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    absent->ids[absent->count] = (struct slice){copy, id.len};
    absent->versions[absent->count++] = db_get_int(row, 1);
    return ACCORD_OK;
}

enum accord_error store_apply_withdrawals(struct db *db, struct arena *arena,
                                          const struct store_import *import, instant_us now,
                                          int64_t limit, struct store_course_place *place,
                                          int64_t *ret_count)
{
    struct absent absent = {
        .arena = arena,
        .ids = arena_array(arena, (size_t)limit, sizeof *absent.ids),
        .versions = arena_array(arena, (size_t)limit, sizeof *absent.versions),
    };
    if (absent.ids == NULL || absent.versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value values[] = {db_text(import->provider), db_int(import->generation),
                                      db_text(import->id), db_int(limit),
                                      db_text((struct slice){place->course_id, place->len})};
    enum accord_error e = db_query(db, &absent_list, values, 5, 1, take_absent, &absent);
    if (e != ACCORD_OK)
        return e;
    e = store_course_withdraw(db, arena, import->provider, absent.ids, absent.versions,
                              absent.count, import->generation + 1, import->id, now);
    if (e != ACCORD_OK)
        return e;
    if (absent.count > 0) {
        const struct slice last = absent.ids[absent.count - 1];
        if (last.len > sizeof place->course_id)
            return ACCORD_E_INTERNAL;
        memcpy(place->course_id, last.data, last.len);
        place->len = last.len;
    }
    *ret_count = (int64_t)absent.count;
    return ACCORD_OK;
}
