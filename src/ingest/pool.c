#include "ingest/pool.h"

#include <stdio.h>
#include <string.h>

#include "ingest/agreement.h"
#include "ingest/periods.h"

const char *const pool_basis_names[] = {"seconds", "learners", "starts", "completions", NULL};
const char *const pool_method_names[] = {"pro_rata",         "user_centric", "shapley",
                                         "weighted_shapley", "hybrid",       NULL};
const char *const pool_idle_names[] = {"retain", "spread", "pool", NULL};

enum { TITLE_MAX = 1000, ZONE_MAX = 64 };
#define UNITS_MAX INT64_C(1000000000)

static const struct json_field weight_fields[] = {
    JSON_SLUG(struct pool_weight, provider),
    JSON_INT(struct pool_weight, weight_ppm, 0, 1000 * ACCORD_PPM_WHOLE),
};
static const struct json_object weight_spec = JSON_OBJECT(struct pool_weight, weight_fields);

/* Absent is 0: no cap; a cap of nothing would pay nobody. */
#define CAP(member) JSON_INT_OR(struct pool_caps, member, 1, UNITS_MAX, 0)
static const struct json_field caps_fields[] = {CAP(learner), CAP(learner_day), CAP(learner_course),
                                                CAP(learner_provider)};
static const struct json_object caps_spec = JSON_OBJECT(struct pool_caps, caps_fields);

static const struct json_field pool_fields[] = {
    JSON_STRING(struct pool, title, 1, TITLE_MAX),
    JSON_CURRENCY(struct pool, currency),
    JSON_STRING(struct pool, time_zone, 1, ZONE_MAX),
    JSON_ID(struct pool, from, 7, 7),
    JSON_INT(struct pool, share_ppm, 0, ACCORD_PPM_WHOLE),
    JSON_ENUM(struct pool, basis, pool_basis_names),
    JSON_ENUM(struct pool, method, pool_method_names),
    JSON_INT_OPT(struct pool, lambda_ppm, has_lambda, 0, ACCORD_PPM_WHOLE),
    JSON_ENUM(struct pool, idle, pool_idle_names),
    JSON_ARRAY_OF_OPT(struct pool, weights, &weight_spec, 1, POOL_WEIGHTS_MAX),
    JSON_SUB_OPT(struct pool, caps, has_caps, &caps_spec),
    JSON_INT_OR(struct pool, min_units, 0, UNITS_MAX, 0),
    JSON_BOOLEAN_OR(struct pool, open_inputs, false),
};
static const struct json_object pool_spec = JSON_OBJECT(struct pool, pool_fields);

/* ---- checks ---- */

static void problem(struct json_problems *problems, enum accord_error code, const char *pointer)
{
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

/* A field that one method has, and no other. */
static void check_method(bool has, bool wanted, const char *pointer, struct json_problems *problems)
{
    if (has != wanted)
        problem(problems, has ? ACCORD_E_FIELD_UNKNOWN : ACCORD_E_FIELD_MISSING, pointer);
}

static void check_weights(const struct pool *pool, struct json_problems *problems)
{
    const struct pool_weight *weights = pool->weights.items;
    for (size_t i = 0; i < pool->weights.count; i++)
        for (size_t j = 0; j < i; j++)
            if (slice_equal(weights[i].provider, weights[j].provider)) {
                char pointer[JSON_POINTER_MAX];
                snprintf(pointer, sizeof pointer, "/weights/%zu/provider", i);
                problem(problems, ACCORD_E_FIELD_DUPLICATE, pointer);
                break;
            }
}

enum accord_error pool_decode(struct arena *arena, struct slice text, struct pool *ret,
                              struct json_problems *problems)
{
    struct pool pool = {.share_ppm = 0};
    bool quarterly = false;
    enum accord_error error = json_decode(arena, text, &pool_spec, "", &pool, problems);
    if (error != ACCORD_OK)
        return error;
    if (zone_find(pool.time_zone, &pool.zone) != ACCORD_OK)
        problem(problems, ACCORD_E_TIME_ZONE_UNKNOWN, "/time_zone");
    if (!period_parse(pool.from, &quarterly, &pool.from_day) || quarterly)
        problem(problems, ACCORD_E_TIME_INVALID, "/from");
    check_method(pool.has_lambda, pool.method == ACCORD_POOL_HYBRID, "/lambda_ppm", problems);
    if (pool.method != ACCORD_POOL_WEIGHTED_SHAPLEY && pool.weights.items != NULL)
        problem(problems, ACCORD_E_FIELD_UNKNOWN, "/weights");
    if (pool.idle == ACCORD_POOL_POOL && pool.method != ACCORD_POOL_PRO_RATA &&
        pool.method != ACCORD_POOL_HYBRID)
        problem(problems, ACCORD_E_VALUE_UNKNOWN, "/idle");
    check_weights(&pool, problems);
    if (problems->total > 0)
        return ACCORD_E_FIELDS_INVALID;
    *ret = pool;
    return ACCORD_OK;
}

enum accord_error pool_decode_row(struct arena *arena, const struct pool_row *row, struct pool *ret)
{
    struct json_problems *unused = arena_alloc(arena, sizeof *unused);
    if (unused == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    unused->count = unused->total = 0;
    const enum accord_error error = pool_decode(arena, row->body, ret, unused);
    return error == ACCORD_OK || error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_DATABASE_ERROR;
}

/* ---- the canonical body ---- */

static void write_cap(struct json_writer *w, const char *name, int64_t units)
{
    if (units > 0)
        jw_key_int(w, name, units);
}

void pool_write_terms(struct json_writer *w, const struct pool *pool)
{
    const struct pool_weight *weights = pool->weights.items;
    jw_key_str(w, "basis", pool_basis_names[pool->basis]);
    jw_key(w, "caps");
    jw_object(w);
    write_cap(w, "learner", pool->caps.learner);
    write_cap(w, "learner_course", pool->caps.learner_course);
    write_cap(w, "learner_day", pool->caps.learner_day);
    write_cap(w, "learner_provider", pool->caps.learner_provider);
    jw_object_end(w);
    jw_key_str(w, "currency", pool->currency.code);
    jw_key_slice(w, "from", pool->from);
    jw_key_str(w, "idle", pool_idle_names[pool->idle]);
    if (pool->has_lambda)
        jw_key_int(w, "lambda_ppm", pool->lambda_ppm);
    jw_key_str(w, "method", pool_method_names[pool->method]);
    jw_key_int(w, "min_units", pool->min_units);
    jw_key_bool(w, "open_inputs", pool->open_inputs);
    jw_key_int(w, "share_ppm", pool->share_ppm);
    jw_key_slice(w, "time_zone", pool->time_zone);
    jw_key_slice(w, "title", pool->title);
    if (pool->weights.items != NULL) {
        jw_key(w, "weights");
        jw_array(w);
        for (size_t i = 0; i < pool->weights.count; i++) {
            jw_object(w);
            jw_key_slice(w, "provider", weights[i].provider);
            jw_key_int(w, "weight_ppm", weights[i].weight_ppm);
            jw_object_end(w);
        }
        jw_array_end(w);
    }
}

struct slice pool_encode(struct arena *arena, const struct pool *pool)
{
    struct slice ret = {NULL, 0};
    struct buf buf;
    struct json_writer writer;
    buf_init(&buf, 2 * POOL_BODY_MAX);
    jw_init(&writer, &buf);
    jw_object(&writer);
    pool_write_terms(&writer, pool);
    jw_object_end(&writer);
    if (buf_error(&buf) == ACCORD_OK) {
        ret.data = arena_strdup(arena, buf_slice(&buf));
        ret.len = ret.data == NULL ? 0 : buf.len;
    }
    buf_done(&buf);
    return ret;
}

/* ---- the payee ---- */

void pool_payee(const char *channel, struct slice pool, char ret[POOL_PAYEE_MAX])
{
    snprintf(ret, POOL_PAYEE_MAX, ACCORD_PAYEE_POOL "%s/%.*s", channel, (int)pool.len, pool.data);
}

enum accord_error pool_of_payee(struct arena *arena, const char *payee, bool *ret_is,
                                const char **ret_channel, const char **ret_pool)
{
    static const size_t head = sizeof ACCORD_PAYEE_POOL - 1;
    const char *slash = strchr(payee, '/');
    *ret_is = strncmp(payee, ACCORD_PAYEE_POOL, head) == 0 && slash != NULL;
    if (!*ret_is)
        return ACCORD_OK;
    *ret_channel =
        arena_strdup(arena, (struct slice){payee + head, (size_t)(slash - payee) - head});
    *ret_pool = arena_strdup(arena, slice_of(slash + 1));
    return *ret_channel == NULL || *ret_pool == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

/* ---- joining ---- */

static void term_problem(struct json_problems *problems, enum accord_error code, uint32_t term,
                         const char *field)
{
    char pointer[JSON_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "/terms/%u/%s", (unsigned)term, field);
    problem(problems, code, pointer);
}

static enum accord_error check_term(struct db *db, struct arena *arena,
                                    const struct agreement_version *version, uint32_t at,
                                    struct json_problems *problems)
{
    const struct accord_term *term = &version->terms.terms[at];
    const char *slash = strchr(term->pool, '/');
    const char *channel =
        arena_strdup(arena, (struct slice){term->pool, (size_t)(slash - term->pool)});
    struct pool_row row;
    struct pool pool;
    bool found = false;
    if (channel == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error =
        store_pool_get(db, arena, channel, slash + 1, term->pool_version, &row, &found);
    if (error == ACCORD_OK && !found) {
        error = store_pool_get(db, arena, channel, slash + 1, 0, &row, &found);
        if (error == ACCORD_OK)
            term_problem(problems, ACCORD_E_VALUE_UNKNOWN, at, found ? "version" : "pool");
        return error;
    }
    if (error == ACCORD_OK)
        error = pool_decode_row(arena, &row, &pool);
    if (error != ACCORD_OK)
        return error;
    /* Both are divided and paid in one currency, by one calendar. */
    if (!accord_currency_equal(pool.currency, version->terms.currency) ||
        !slice_equal(pool.time_zone, slice_of(version->time_zone)))
        term_problem(problems, ACCORD_E_POOL_MISMATCH, at, "pool");
    return ACCORD_OK;
}

enum accord_error pool_check_terms(struct db *db, struct arena *arena,
                                   const struct agreement_version *version,
                                   struct json_problems *problems)
{
    enum accord_error error = ACCORD_OK;
    for (uint32_t i = 0; error == ACCORD_OK && i < version->terms.term_count; i++)
        if (version->terms.terms[i].kind == ACCORD_TERM_POOL)
            error = check_term(db, arena, version, i, problems);
    return error;
}
