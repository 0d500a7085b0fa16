#include "store/facts.h"

#include <string.h>

#include "store/rows.h"

/* ---- the order of knowledge ---- */

DB_SQL(sql_take, "UPDATE journal_head SET seq = seq + $1 WHERE id = 1 RETURNING seq");
DB_SQL(sql_head, "SELECT seq FROM journal_head WHERE id = 1");

static enum accord_error take_number(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_journal_take(struct db *db, int64_t count, int64_t *ret_first)
{
    int64_t last = 0;
    const struct db_value params[] = {db_int(count)};
    const enum accord_error error = db_query(db, &sql_take, params, 1, 1, take_number, &last);
    if (error != ACCORD_OK)
        return error;
    if (last < count)
        return ACCORD_E_DATABASE_ERROR; /* the head's row is missing */
    *ret_first = last - count + 1;
    return ACCORD_OK;
}

enum accord_error store_journal_head(struct db *db, int64_t *ret_seq)
{
    int64_t seq = 0;
    const enum accord_error error = db_query(db, &sql_head, NULL, 0, 1, take_number, &seq);
    if (error == ACCORD_OK)
        *ret_seq = seq;
    return error;
}

/* ---- names ---- */

DB_SQL(sql_known, "SELECT k.seq, k.body_hash, t.salt FROM fact_key k "
                  "LEFT JOIN fact_text t ON t.seq = k.seq "
                  "WHERE k.partner = $1 AND k.event_id = $2");

static bool take_bytes(struct slice from, void *ret, size_t len)
{
    if (from.len != len)
        return false;
    memcpy(ret, from.data, len);
    return true;
}

static enum accord_error take_known(void *context, size_t param_row, const struct db_row *row)
{
    struct fact_known *known = (struct fact_known *)context + param_row;
    known->found = true;
    known->seq = db_get_int(row, 0);
    if (!take_bytes(db_get_bytes(row, 1), known->body_hash.bytes, HASH_BYTES))
        return ACCORD_E_DATABASE_ERROR;
    known->has_text = !db_is_null(row, 2);
    if (known->has_text && !take_bytes(db_get_bytes(row, 2), known->salt, FACT_SALT_BYTES))
        return ACCORD_E_DATABASE_ERROR;
    return ACCORD_OK;
}

enum accord_error store_facts_known(struct db *db, const struct fact_name *names, size_t count,
                                    struct fact_known *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_str(names[i].partner);
        values[2 * i + 1] = db_str(names[i].event_id);
    }
    return db_query(db, &sql_known, values, 2, count, take_known, ret);
}

/* ---- targets ---- */

DB_SQL(sql_targets,
       "SELECT f.type, f.provider, f.course_id, f.learner, f.measure, f.occurred_at, x.by_seq, "
       "s.order_id, r.order_id, r.refund_id, f.body, "
       "COALESCE(m.membership_id, c.entry_id, a.adjustment_id, p.payment_id), "
       "COALESCE(m.term_id, p.state, n.purpose), t.link, t.kind FROM fact f "
       "LEFT JOIN fact_superseded x ON x.seq = f.seq LEFT JOIN sale s ON s.seq = f.seq "
       "LEFT JOIN refund_line r ON r.seq = f.seq AND r.line = 0 "
       "LEFT JOIN membership_term m ON m.seq = f.seq LEFT JOIN challenge_fact c ON c.seq = f.seq "
       "LEFT JOIN adjustment_fact a ON a.seq = f.seq LEFT JOIN payment_fact p ON p.seq = f.seq "
       "LEFT JOIN consent_fact n ON n.seq = f.seq LEFT JOIN touch_fact t ON t.seq = f.seq "
       "WHERE f.seq = $1");

struct targets {
    struct arena *arena;
    struct fact_target *rows;
};

static enum accord_error take_target(void *context, size_t param_row, const struct db_row *row)
{
    const struct targets *targets = context;
    struct fact_target *target = &targets->rows[param_row];
    target->type = arena_strdup(targets->arena, db_get_text(row, 0));
    target->provider = arena_strdup(targets->arena, db_get_text(row, 1));
    target->course_id = arena_strdup(targets->arena, db_get_text(row, 2));
    target->has_learner = !db_is_null(row, 3);
    if (target->has_learner && !take_bytes(db_get_bytes(row, 3), target->learner, LEARNER_BYTES))
        return ACCORD_E_DATABASE_ERROR;
    target->measure = db_get_int(row, 4);
    target->occurred_at = db_get_int(row, 5);
    target->superseded = !db_is_null(row, 6);
    const unsigned order = db_is_null(row, 7) ? 8 : 7;
    if (!db_is_null(row, order))
        target->order_id = arena_strdup(targets->arena, db_get_text(row, order));
    if (!db_is_null(row, 9))
        target->refund_id = arena_strdup(targets->arena, db_get_text(row, 9));
    if (!db_is_null(row, 11))
        target->subject_id = arena_strdup(targets->arena, db_get_text(row, 11));
    if (!db_is_null(row, 12))
        target->subject_part = arena_strdup(targets->arena, db_get_text(row, 12));
    if (!db_is_null(row, 13)) {
        target->touch = arena_strdup(targets->arena, db_get_text(row, 13));
        target->touch_kind = arena_strdup(targets->arena, db_get_text(row, 14));
        if (target->touch == NULL || target->touch_kind == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    const struct slice body = db_get_text(row, 10);
    static const char text_hash[] = "\"text_hash\":\"";
    target->had_text = memmem(body.data, body.len, text_hash, sizeof text_hash - 1) != NULL;
    if (target->type == NULL || target->provider == NULL || target->course_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    target->found = true;
    return ACCORD_OK;
}

enum accord_error store_fact_targets(struct db *db, struct arena *arena, struct fact_target *rows,
                                     size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[i] = db_int(rows[i].seq);
        rows[i] = (struct fact_target){.seq = rows[i].seq};
    }
    struct targets targets = {arena, rows};
    return db_query(db, &sql_targets, values, 1, count, take_target, &targets);
}

/* ---- inserting ---- */

DB_SQL(sql_insert_key, "INSERT INTO fact_key (partner, event_id, seq, body_hash) "
                       "VALUES ($1, $2, $3, $4)");
DB_SQL(sql_insert, "INSERT INTO fact (seq, partner, posted_by, event_id, type, occurred_at, "
                   "received_at, learner, provider, course_id, measure, body, canon, body_hash, "
                   "supersedes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                   "$14, $15)");
DB_SQL(sql_insert_text, "INSERT INTO fact_text (seq, salt, text) VALUES ($1, $2, $3)");
DB_SQL(sql_supersede, "INSERT INTO fact_superseded (seq, by_seq) VALUES ($1, $2)");

static int by_name(const void *a, const void *b)
{
    const struct fact_row *x = *(const struct fact_row *const *)a;
    const struct fact_row *y = *(const struct fact_row *const *)b;
    const int order = strcmp(x->partner, y->partner);
    return order != 0 ? order : strcmp(x->event_id, y->event_id);
}

static enum accord_error insert_keys(struct db *db, const struct fact_row *rows, size_t count,
                                     struct db_value *values)
{
    const struct fact_row **sorted = calloc(count, sizeof *sorted);
    if (sorted == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &rows[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        struct db_value *v = &values[4 * i];
        v[0] = db_str(sorted[i]->partner);
        v[1] = db_str(sorted[i]->event_id);
        v[2] = db_int(sorted[i]->seq);
        v[3] = db_hash(&sorted[i]->body_hash);
    }
    free(sorted);
    return db_run(db, &sql_insert_key, values, 4, count, NULL);
}

enum accord_error store_facts_insert(struct db *db, const struct fact_row *rows, size_t count)
{
    enum { COLUMNS = 15 };
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, COLUMNS);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct fact_row *row = &rows[i];
        struct db_value *v = &values[COLUMNS * i];
        v[0] = db_int(row->seq);
        v[1] = db_str(row->partner);
        v[2] = db_str(row->posted_by);
        v[3] = db_str(row->event_id);
        v[4] = db_str(row->type);
        v[5] = db_int(row->occurred_at);
        v[6] = db_int(row->received_at);
        v[7] = row->has_learner ? db_bytes(row->learner, LEARNER_BYTES) : db_null();
        v[8] = db_str(row->provider);
        v[9] = db_str(row->course_id);
        v[10] = db_int(row->measure);
        v[11] = db_text(row->body);
        v[12] = db_int(row->canon);
        v[13] = db_hash(&row->body_hash);
        v[14] = row->supersedes != 0 ? db_int(row->supersedes) : db_null();
    }
    enum accord_error error = db_run(db, &sql_insert, values, COLUMNS, count, NULL);
    if (error == ACCORD_OK)
        error = insert_keys(db, rows, count, values);
    if (error != ACCORD_OK)
        return error;

    size_t texts = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].text.data != NULL) {
            struct db_value *v = &values[3 * texts++];
            v[0] = db_int(rows[i].seq);
            v[1] = db_bytes(rows[i].salt, FACT_SALT_BYTES);
            v[2] = db_text(rows[i].text);
        }
    if (texts > 0 && (error = db_run(db, &sql_insert_text, values, 3, texts, NULL)) != ACCORD_OK)
        return error;

    size_t superseded = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].supersedes != 0) {
            struct db_value *v = &values[2 * superseded++];
            v[0] = db_int(rows[i].supersedes);
            v[1] = db_int(rows[i].seq);
        }
    return superseded == 0 ? ACCORD_OK : db_run(db, &sql_supersede, values, 2, superseded, NULL);
}

/* ---- reading ---- */

#define FACT_COLUMNS                                                                               \
    "f.seq, f.partner, f.posted_by, f.event_id, f.type, f.occurred_at, f.received_at, f.learner, " \
    "f.provider, f.course_id, f.measure, f.body, f.canon, f.body_hash, f.supersedes, t.salt, "     \
    "t.text"

DB_SQL(sql_of, "SELECT " FACT_COLUMNS ", b.event_id FROM fact f "
               "LEFT JOIN fact_text t ON t.seq = f.seq "
               "LEFT JOIN fact_superseded x ON x.seq = f.seq "
               "LEFT JOIN fact b ON b.seq = x.by_seq "
               "WHERE f.partner = $1 AND f.seq > $2 ORDER BY f.seq LIMIT $3");
DB_SQL(sql_of_type, "SELECT " FACT_COLUMNS ", b.event_id FROM fact f "
                    "LEFT JOIN fact_text t ON t.seq = f.seq "
                    "LEFT JOIN fact_superseded x ON x.seq = f.seq "
                    "LEFT JOIN fact b ON b.seq = x.by_seq "
                    "WHERE f.partner = $1 AND f.seq > $2 AND f.type = $4 "
                    "ORDER BY f.seq LIMIT $3");
DB_SQL(sql_each, "SELECT " FACT_COLUMNS ", b.event_id, k.body_hash, b.supersedes FROM fact f "
                 "LEFT JOIN fact_text t ON t.seq = f.seq "
                 "LEFT JOIN fact_superseded x ON x.seq = f.seq "
                 "LEFT JOIN fact b ON b.seq = x.by_seq "
                 "LEFT JOIN fact_key k ON k.partner = f.partner AND k.event_id = f.event_id "
                 "AND k.seq = f.seq WHERE f.seq > $1 ORDER BY f.seq LIMIT $2");

static enum accord_error read_fact(struct arena *arena, const struct db_row *row,
                                   struct fact_row *ret)
{
    struct fact_row fact = {
        .seq = db_get_int(row, 0),
        .partner = arena_strdup(arena, db_get_text(row, 1)),
        .posted_by = arena_strdup(arena, db_get_text(row, 2)),
        .event_id = arena_strdup(arena, db_get_text(row, 3)),
        .type = arena_strdup(arena, db_get_text(row, 4)),
        .occurred_at = db_get_int(row, 5),
        .received_at = db_get_int(row, 6),
        .has_learner = !db_is_null(row, 7),
        .provider = arena_strdup(arena, db_get_text(row, 8)),
        .course_id = arena_strdup(arena, db_get_text(row, 9)),
        .measure = db_get_int(row, 10),
        .canon = db_get_int(row, 12),
        .supersedes = db_get_int(row, 14),
    };
    const char *body = arena_strdup(arena, db_get_text(row, 11));
    if (fact.partner == NULL || fact.posted_by == NULL || fact.event_id == NULL ||
        fact.type == NULL || fact.provider == NULL || fact.course_id == NULL || body == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    fact.body = (struct slice){body, db_get_text(row, 11).len};
    if (!take_bytes(db_get_bytes(row, 13), fact.body_hash.bytes, HASH_BYTES))
        return ACCORD_E_DATABASE_ERROR;
    if (fact.has_learner && !take_bytes(db_get_bytes(row, 7), fact.learner, LEARNER_BYTES))
        return ACCORD_E_DATABASE_ERROR;
    if (!db_is_null(row, 16)) {
        const char *text = arena_strdup(arena, db_get_text(row, 16));
        if (text == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        fact.text = (struct slice){text, db_get_text(row, 16).len};
        if (!take_bytes(db_get_bytes(row, 15), fact.salt, FACT_SALT_BYTES))
            return ACCORD_E_DATABASE_ERROR;
    }
    if (!db_is_null(row, 17)) {
        fact.superseded_by = arena_strdup(arena, db_get_text(row, 17));
        if (fact.superseded_by == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = fact;
    return ACCORD_OK;
}

struct fact_list {
    struct arena *arena;
    struct fact_row *rows;
    size_t count;
    size_t max;
};

static enum accord_error add_fact(void *context, size_t param_row, const struct db_row *row)
{
    struct fact_list *list = context;
    (void)param_row;
    if (list->count == list->max)
        return ACCORD_E_INTERNAL;
    return read_fact(list->arena, row, &list->rows[list->count++]);
}

enum accord_error store_facts_of(struct db *db, struct arena *arena, const char *partner,
                                 const char *type, int64_t after, int64_t limit,
                                 struct fact_row **ret, size_t *ret_count)
{
    struct fact_list list = {.arena = arena, .max = (size_t)limit};
    list.rows = arena_array(arena, list.max, sizeof *list.rows);
    if (list.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value params[] = {db_str(partner), db_int(after), db_int(limit), db_str(type)};
    const enum accord_error error = db_query(db, type == NULL ? &sql_of : &sql_of_type, params,
                                             type == NULL ? 3 : 4, 1, add_fact, &list);
    if (error != ACCORD_OK)
        return error;
    *ret = list.rows;
    *ret_count = list.count;
    return ACCORD_OK;
}

struct fact_walk {
    struct arena *arena;
    fact_row_fn *each;
    void *context;
};

static enum accord_error walk_fact(void *context, size_t param_row, const struct db_row *row)
{
    const struct fact_walk *walk = context;
    (void)param_row;
    struct fact_row fact;
    arena_reset(walk->arena);
    const enum accord_error error = read_fact(walk->arena, row, &fact);
    if (error != ACCORD_OK)
        return error;
    /* A key that is missing, or names another fact, leaves zeros: no hash is zero. */
    if (!db_is_null(row, 18) && !take_bytes(db_get_bytes(row, 18), fact.key_hash.bytes, HASH_BYTES))
        return ACCORD_E_DATABASE_ERROR;
    fact.superseded_seq = db_get_int(row, 19);
    return walk->each(walk->context, &fact);
}

enum accord_error store_facts_each(struct db *db, int64_t after, int64_t limit, fact_row_fn *each,
                                   void *context)
{
    enum { ONE_FACT_MAX = 64 << 20 };
    struct fact_walk walk = {arena_new(ONE_FACT_MAX), each, context};
    if (walk.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct db_value params[] = {db_int(after), db_int(limit)};
    const enum accord_error error = db_query(db, &sql_each, params, 2, 1, walk_fact, &walk);
    arena_free(walk.arena);
    return error;
}

/* ---- partners ---- */

DB_SQL(sql_roles, "SELECT roles FROM partner WHERE id = $1");
DB_SQL(sql_with, "SELECT id FROM partner WHERE (roles & $1) <> 0 ORDER BY id");
DB_SQL(sql_version_set, "INSERT INTO partner_version (partner, seq) VALUES ($1, $2) "
                        "ON CONFLICT (partner) DO UPDATE SET seq = excluded.seq");

static enum accord_error take_roles(void *context, size_t param_row, const struct db_row *row)
{
    ((uint32_t *)context)[param_row] = (uint32_t)db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_roles_of(struct db *db, const char *const *ids, size_t count, uint32_t *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 1);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++)
        values[i] = db_str(ids[i]);
    return db_query(db, &sql_roles, values, 1, count, take_roles, ret);
}

struct partner_walk {
    partner_id_fn *each;
    void *context;
};

static enum accord_error walk_partner(void *context, size_t param_row, const struct db_row *row)
{
    enum { SLUG_MAX = 63 };
    const struct partner_walk *walk = context;
    const struct slice id = db_get_text(row, 0);
    char text[SLUG_MAX + 1];
    (void)param_row;
    if (id.len > SLUG_MAX)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(text, id.data, id.len);
    text[id.len] = '\0';
    return walk->each(walk->context, text);
}

enum accord_error store_partners_with(struct db *db, uint32_t roles, partner_id_fn *each,
                                      void *context)
{
    struct partner_walk walk = {each, context};
    const struct db_value params[] = {db_int(roles)};
    return db_query(db, &sql_with, params, 1, 1, walk_partner, &walk);
}

enum accord_error store_partner_versions_set(struct db *db, const char *const *partners,
                                             size_t count, int64_t seq)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_str(partners[i]);
        values[2 * i + 1] = db_int(seq);
    }
    return db_run(db, &sql_version_set, values, 2, count, NULL);
}

/* ---- courses ---- */

DB_SQL(sql_course_known,
       "SELECT 1 FROM course c JOIN provider_catalog p ON p.provider = c.provider "
       "WHERE c.provider = $1 AND c.course_id = $2 AND c.gen_from <= p.generation LIMIT 1");

static enum accord_error take_yes(void *context, size_t param_row, const struct db_row *row)
{
    (void)row;
    ((bool *)context)[param_row] = true;
    return ACCORD_OK;
}

enum accord_error store_courses_known(struct db *db, const struct course_name *names, size_t count,
                                      bool *ret)
{
    if (count == 0)
        return ACCORD_OK;
    ROWS values = rows_new(count, 2);
    if (values == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(ret, 0, count * sizeof *ret);
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = db_str(names[i].provider);
        values[2 * i + 1] = db_str(names[i].course_id);
    }
    return db_query(db, &sql_course_known, values, 2, count, take_yes, ret);
}
