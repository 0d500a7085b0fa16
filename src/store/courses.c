#include "store/courses.h"

#include <stdlib.h>

/* ---- a provider's catalog ---- */

DB_SQL(catalog_get,
       "SELECT generation, applying, active_courses FROM provider_catalog WHERE provider = $1");

struct catalog_read {
    struct arena *arena;
    struct store_catalog catalog;
};

static enum accord_error take_catalog(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct catalog_read *read = context;
    const struct slice applying = db_get_text(row, 1);
    const char *copy = arena_strdup(read->arena, applying);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    read->catalog = (struct store_catalog){.generation = db_get_int(row, 0),
                                           .applying = {copy, applying.len},
                                           .active_courses = db_get_int(row, 2)};
    return ACCORD_OK;
}

enum accord_error store_catalog_get(struct db *db, struct arena *arena, const char *provider,
                                    struct store_catalog *ret)
{
    const struct db_value values[] = {db_str(provider)};
    struct catalog_read read = {.arena = arena, .catalog.applying = SLICE("")};
    const enum accord_error e = db_query(db, &catalog_get, values, 1, 1, take_catalog, &read);
    if (e == ACCORD_OK)
        *ret = read.catalog;
    return e;
}

DB_SQL(catalog_begin, "INSERT INTO provider_catalog (provider, generation, applying, "
                      "active_courses) VALUES ($1, 0, '', 0) ON CONFLICT DO NOTHING");
DB_SQL(catalog_take,
       "UPDATE provider_catalog SET applying = $2 WHERE provider = $1 AND applying = ''");

enum accord_error store_catalog_take(struct db *db, const char *provider, struct slice import,
                                     bool *ret_taken)
{
    const struct db_value values[] = {db_str(provider), db_text(import)};
    enum accord_error e = db_run(db, &catalog_begin, values, 1, 1, NULL);
    int64_t changes = 0;
    if (e == ACCORD_OK)
        e = db_run(db, &catalog_take, values, 2, 1, &changes);
    if (e == ACCORD_OK)
        *ret_taken = changes == 1;
    return e;
}

DB_SQL(catalog_release,
       "UPDATE provider_catalog SET applying = '' WHERE provider = $1 AND applying = $2");

enum accord_error store_catalog_release(struct db *db, const char *provider, struct slice import)
{
    const struct db_value values[] = {db_str(provider), db_text(import)};
    return db_run(db, &catalog_release, values, 2, 1, NULL);
}

DB_SQL(catalog_switch, "UPDATE provider_catalog SET generation = $2, active_courses = $3, "
                       "applying = '' WHERE provider = $1 AND generation < $2");

enum accord_error store_catalog_switch(struct db *db, const char *provider, int64_t generation,
                                       int64_t active_courses)
{
    const struct db_value values[] = {db_str(provider), db_int(generation), db_int(active_courses)};
    int64_t changes = 0;
    const enum accord_error e = db_run(db, &catalog_switch, values, 3, 1, &changes);
    return e != ACCORD_OK || changes == 1 ? e : ACCORD_E_INTERNAL;
}

DB_SQL(catalog_watchers, "SELECT id FROM partner WHERE id = $1 "
                         "UNION SELECT channel FROM catalog_grant WHERE provider = $1 ORDER BY 1");

struct names {
    struct arena *arena;
    const char **items;
    size_t count, room;
};

static enum accord_error take_name(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct names *names = context;
    if (names->count == names->room) {
        const size_t room = names->room == 0 ? 16 : names->room * 2;
        const char **items = arena_array(names->arena, room, sizeof *items);
        if (items == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (names->count != 0)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
        names->room = room;
    }
    const char *copy = arena_strdup(names->arena, db_get_text(row, 0));
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    names->items[names->count++] = copy;
    return ACCORD_OK;
}

enum accord_error store_catalog_watchers(struct db *db, struct arena *arena, const char *provider,
                                         const char ***ret, size_t *ret_count)
{
    const struct db_value values[] = {db_str(provider)};
    struct names names = {.arena = arena};
    const enum accord_error e = db_query(db, &catalog_watchers, values, 1, 1, take_name, &names);
    if (e != ACCORD_OK)
        return e;
    *ret = names.items;
    *ret_count = names.count;
    return ACCORD_OK;
}

/* ---- looking up, at a generation ---- */

static struct hash hash_from(struct slice bytes)
{
    struct hash hash = {0};
    if (bytes.len == HASH_BYTES)
        memcpy(hash.bytes, bytes.data, HASH_BYTES);
    return hash;
}

DB_SQL(course_heads,
       "SELECT version, state, id, content_hash, raw_hash FROM course WHERE provider = $1 "
       "AND course_id = $3 AND gen_from <= $2 AND gen_to > $2");

struct heads {
    struct arena *arena;
    struct store_course_head *heads;
};

static enum accord_error take_head(void *context, size_t param_row, const struct db_row *row)
{
    struct heads *heads = context;
    const struct slice id = db_get_text(row, 2);
    const char *copy = arena_strdup(heads->arena, id);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    heads->heads[param_row] = (struct store_course_head){
        .version = db_get_int(row, 0),
        .active = slice_equal(db_get_text(row, 1), SLICE("active")),
        .id = {copy, id.len},
        .content_hash = hash_from(db_get_bytes(row, 3)),
        .raw_hash = hash_from(db_get_bytes(row, 4)),
    };
    return ACCORD_OK;
}

enum accord_error store_course_heads(struct db *db, struct arena *arena, const char *provider,
                                     int64_t generation, const struct slice *course_ids,
                                     size_t count, struct store_course_head *ret)
{
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * 3, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct store_course_head){0};
        values[i * 3] = db_str(provider);
        values[i * 3 + 1] = db_int(generation);
        values[i * 3 + 2] = db_text(course_ids[i]);
    }
    struct heads heads = {arena, ret};
    const enum accord_error e = db_query(db, &course_heads, values, 3, count, take_head, &heads);
    free(values);
    return e;
}

DB_SQL(course_returns,
       "SELECT COUNT(*) FROM course WHERE provider = $1 AND course_id = $3 AND gen_from <= $2 "
       "AND content_hash = $4 AND state = 'active' AND changed_at > $5");

static enum accord_error take_return(void *context, size_t param_row, const struct db_row *row)
{
    struct store_course_return *rows = context;
    rows[param_row].count = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_course_returns(struct db *db, const char *provider, int64_t generation,
                                       instant_us since, struct store_course_return *rows,
                                       size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * 5, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        rows[i].count = 0;
        values[i * 5] = db_str(provider);
        values[i * 5 + 1] = db_int(generation);
        values[i * 5 + 2] = db_text(rows[i].course_id);
        values[i * 5 + 3] = db_hash(&rows[i].content_hash);
        values[i * 5 + 4] = db_int(since);
    }
    const enum accord_error e = db_query(db, &course_returns, values, 5, count, take_return, rows);
    free(values);
    return e;
}

DB_SQL(course_by_raw,
       "SELECT course_id, content_hash FROM course WHERE provider = $1 AND raw_hash = $3 "
       "AND gen_from <= $2 AND gen_to > $2 AND state = 'active'");

struct raw_found {
    struct arena *arena;
    struct slice *ids;
    struct hash *content;
};

static enum accord_error take_raw(void *context, size_t param_row, const struct db_row *row)
{
    struct raw_found *found = context;
    const struct slice id = db_get_text(row, 0);
    const char *copy = arena_strdup(found->arena, id);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    found->ids[param_row] = (struct slice){copy, id.len};
    found->content[param_row] = hash_from(db_get_bytes(row, 1));
    return ACCORD_OK;
}

enum accord_error store_course_by_raw(struct db *db, struct arena *arena, const char *provider,
                                      int64_t generation, const struct hash *raw, size_t count,
                                      struct slice *ret_ids, struct hash *ret_content)
{
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * 3, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        ret_ids[i] = (struct slice){NULL, 0};
        values[i * 3] = db_str(provider);
        values[i * 3 + 1] = db_int(generation);
        values[i * 3 + 2] = db_hash(&raw[i]);
    }
    struct raw_found found = {arena, ret_ids, ret_content};
    const enum accord_error e = db_query(db, &course_by_raw, values, 3, count, take_raw, &found);
    free(values);
    return e;
}

/* ---- writing ---- */

DB_SQL(course_add,
       "INSERT INTO course (provider, course_id, version, gen_from, gen_to, id, state, "
       "content_hash, raw_hash, title, language, level, kind, purposes, formats, price_amount, "
       "price_currency, rating_ppm, enrolments, body, source, changed_at) VALUES ($1, $2, $3, $4, "
       "9223372036854775807, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
       "$20, $21)");
DB_SQL(course_subject_add, "INSERT INTO course_subject (provider, course_id, version, subject) "
                           "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING");

static enum accord_error add_subjects(struct db *db, const struct store_course *row)
{
    enum { COLUMNS = 4 };
    if (row->subject_count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(row->subject_count * COLUMNS, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < row->subject_count; i++) {
        struct db_value *v = values + i * COLUMNS;
        v[0] = db_text(row->provider);
        v[1] = db_text(row->course_id);
        v[2] = db_int(row->version);
        v[3] = db_text(row->subjects[i]);
    }
    const enum accord_error e =
        db_run(db, &course_subject_add, values, COLUMNS, row->subject_count, NULL);
    free(values);
    return e;
}

enum accord_error store_course_add(struct db *db, const struct store_course *rows, size_t count)
{
    enum { COLUMNS = 21 };
    if (count == 0)
        return ACCORD_OK;
    struct db_value *values = calloc(count * COLUMNS, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct store_course *row = &rows[i];
        struct db_value *v = values + i * COLUMNS;
        v[0] = db_text(row->provider);
        v[1] = db_text(row->course_id);
        v[2] = db_int(row->version);
        v[3] = db_int(row->gen_from);
        v[4] = db_text(row->id);
        v[5] = db_str(row->active ? "active" : "withdrawn");
        v[6] = db_hash(&row->content_hash);
        v[7] = db_hash(&row->raw_hash);
        v[8] = db_text(row->title);
        v[9] = db_text(row->language);
        v[10] = db_text(row->level);
        v[11] = db_text(row->kind);
        v[12] = db_int(row->purposes);
        v[13] = db_int(row->formats);
        v[14] = db_int(row->price_amount);
        v[15] = db_text(row->price_currency);
        v[16] = db_int(row->rating_ppm);
        v[17] = db_int(row->enrolments);
        v[18] = db_text(row->body);
        v[19] = db_text(row->source);
        v[20] = db_int(row->changed_at);
    }
    enum accord_error e = db_run(db, &course_add, values, COLUMNS, count, NULL);
    free(values);
    for (size_t i = 0; i < count && e == ACCORD_OK; i++)
        e = add_subjects(db, &rows[i]);
    return e;
}

DB_SQL(course_close, "UPDATE course SET gen_to = $4 WHERE provider = $1 AND course_id = $2 "
                     "AND version = $3 AND gen_to = 9223372036854775807");

enum accord_error store_course_close(struct db *db, const char *provider, struct slice course_id,
                                     int64_t version, int64_t generation)
{
    const struct db_value values[] = {db_str(provider), db_text(course_id), db_int(version),
                                      db_int(generation)};
    int64_t changes = 0;
    const enum accord_error e = db_run(db, &course_close, values, 4, 1, &changes);
    return e != ACCORD_OK || changes == 1 ? e : ACCORD_E_INTERNAL;
}

/* The raw hash becomes the content hash: one that no element sent can have. */
DB_SQL(withdraw_add,
       "INSERT INTO course (provider, course_id, version, gen_from, gen_to, id, state, "
       "content_hash, raw_hash, title, language, level, kind, purposes, formats, price_amount, "
       "price_currency, rating_ppm, enrolments, body, source, changed_at) "
       "SELECT c.provider, c.course_id, c.version + 1, CAST($4 AS BIGINT), 9223372036854775807, "
       "c.id, 'withdrawn', c.content_hash, c.content_hash, c.title, c.language, c.level, c.kind, "
       "c.purposes, c.formats, c.price_amount, c.price_currency, c.rating_ppm, c.enrolments, "
       "c.body, CAST($5 AS TEXT), CAST($6 AS BIGINT) FROM course c "
       "WHERE c.provider = $1 AND c.course_id = $2 AND c.version = $3");
DB_SQL(withdraw_subjects,
       "INSERT INTO course_subject (provider, course_id, version, subject) "
       "SELECT s.provider, s.course_id, s.version + 1, s.subject FROM course_subject s "
       "WHERE s.provider = $1 AND s.course_id = $2 AND s.version = $3");

enum accord_error store_course_withdraw(struct db *db, struct arena *arena, struct slice provider,
                                        const struct slice *course_ids, const int64_t *versions,
                                        size_t count, int64_t generation, struct slice source,
                                        instant_us now)
{
    enum { COLUMNS = 6 };
    if (count == 0)
        return ACCORD_OK;
    struct db_value *add = arena_array(arena, count * COLUMNS, sizeof *add);
    struct db_value *key = arena_array(arena, count * 3, sizeof *key);
    struct db_value *close = arena_array(arena, count * 4, sizeof *close);
    if (add == NULL || key == NULL || close == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct db_value row[] = {db_text(provider),   db_text(course_ids[i]),
                                       db_int(versions[i]), db_int(generation),
                                       db_text(source),     db_int(now)};
        memcpy(add + i * COLUMNS, row, sizeof row);
        memcpy(close + i * 4, row, 4 * sizeof row[0]);
        memcpy(key + i * 3, row, 3 * sizeof row[0]);
    }
    enum accord_error e = db_run(db, &course_close, close, 4, count, NULL);
    if (e == ACCORD_OK)
        e = db_run(db, &withdraw_add, add, COLUMNS, count, NULL);
    if (e == ACCORD_OK)
        e = db_run(db, &withdraw_subjects, key, 3, count, NULL);
    return e;
}

/* ---- grants ---- */

DB_SQL(grants_clear, "DELETE FROM catalog_grant WHERE agreement = $1 AND version = $2");
DB_SQL(grant_add, "INSERT INTO catalog_grant (agreement, version, from_at, to_at, channel, "
                  "provider, course_id) VALUES ($1, $2, $3, $4, $5, $6, $7) "
                  "ON CONFLICT DO NOTHING");

enum accord_error store_grants_set(struct db *db, const char *agreement, int64_t version,
                                   instant_us from, instant_us to, const struct store_grant *grants,
                                   size_t count)
{
    enum { COLUMNS = 7 };
    const struct db_value key[] = {db_str(agreement), db_int(version)};
    enum accord_error e = db_run(db, &grants_clear, key, 2, 1, NULL);
    if (e != ACCORD_OK || count == 0)
        return e;
    struct db_value *values = calloc(count * COLUMNS, sizeof *values);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = values + i * COLUMNS;
        v[0] = key[0];
        v[1] = key[1];
        v[2] = db_int(from);
        v[3] = db_int(to);
        v[4] = db_text(grants[i].channel);
        v[5] = db_text(grants[i].provider);
        v[6] = db_text(grants[i].course_id);
    }
    e = db_run(db, &grant_add, values, COLUMNS, count, NULL);
    free(values);
    return e;
}
