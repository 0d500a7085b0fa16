/* A book of accounts on a file of its own: partners, courses, agreements, facts posted as JSON. */
#ifndef ACCORD_TESTS_BOOKS_H
#define ACCORD_TESTS_BOOKS_H

#include <stdarg.h>
#include <string.h>

#include "../unit/temp_dir.h"
#include "db/migrate.h"
#include "ingest/agreement.h"
#include "ingest/facts.h"
#include "ingest/tx.h"
#include "ingest/verify.h"
#include "store/entries.h"
#include "store/partners.h"

struct books {
    char dir[TEMP_DIR_MAX];
    char url[TEMP_DIR_MAX + 32];
    struct ingest_config config;
    struct ingest_tx *tx;
    struct db *db;
    struct arena *arena; /* of what was posted; emptied by hand */
};

static inline void books_begin(struct books *b)
{
    ck_assert_int_eq(db_begin(b->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_enter(b->tx, b->db), ACCORD_OK);
}

static inline void books_commit(struct books *b)
{
    ck_assert_int_eq(ingest_tx_before_commit(b->tx, b->db), ACCORD_OK);
    ck_assert_int_eq(db_commit(b->db), ACCORD_OK);
}

static inline void books_roll_back(struct books *b)
{
    db_rollback(b->db);
    ingest_tx_rolled_back(b->tx);
}

static inline void books_partner(struct books *b, const char *id, uint32_t roles)
{
    const struct partner_row row = {.id = id,
                                    .name = id,
                                    .legal_name = "",
                                    .tax_id = "",
                                    .roles = roles,
                                    .currency = "CNY",
                                    .time_zone = "Asia/Shanghai",
                                    .profile = "{}",
                                    .column_map = "",
                                    .version = 1};
    bool added;
    books_begin(b);
    ck_assert_int_eq(store_partner_insert(b->db, &row, &added), ACCORD_OK);
    books_commit(b);
}

/* Partners of every test: providers p1 and p2, channels c1 and c2, the operator op. */
static inline void books_open(struct books *b)
{
    char why[DB_WHY_MAX];
    *b = (struct books){.config = {.learner_key = {1, 2, 3}}};
    temp_dir_make(b->dir);
    snprintf(b->url, sizeof b->url, "sqlite:%s/accord.db", b->dir);
    ck_assert_int_eq(db_migrate(b->url, NULL, why), ACCORD_OK);
    ck_assert_int_eq(db_open(b->url, DB_READ_WRITE, &b->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_new(&b->config, &b->tx), ACCORD_OK);
    b->arena = arena_new((size_t)1 << 30);
    books_partner(b, "p1", 1);
    books_partner(b, "p2", 1);
    books_partner(b, "c1", 2);
    books_partner(b, "c2", 2);
    books_partner(b, "op", 8);
}

static inline void books_close(struct books *b)
{
    ingest_tx_free(b->tx);
    db_close(b->db);
    arena_free(b->arena);
    temp_dir_remove(b->dir);
}

/* ---- courses ---- */

DB_SQL(books_catalog, "INSERT INTO provider_catalog (provider, generation, applying, "
                      "active_courses) VALUES ($1, 1, '', 0) ON CONFLICT (provider) DO NOTHING");
DB_SQL(books_add_course,
       "INSERT INTO course (provider, course_id, version, gen_from, gen_to, id, state, "
       "content_hash, raw_hash, title, language, level, kind, purposes, formats, price_amount, "
       "price_currency, rating_ppm, enrolments, body, source, changed_at) VALUES ($1, $2, 1, 1, "
       "9223372036854775807, $3, 'active', $4, $4, $2, 'zh', 'all', 'course', 1, 1, -1, '', "
       "-1, -1, '{}', 'put', 0)");

/* A course becomes visible, in the transaction that is open. */
static inline void books_course_now(struct books *b, const char *provider, const char *course_id)
{
    const struct db_value catalog[] = {db_str(provider)};
    char id[RANDOM_ID_MAX];
    random_id("crs_", id);
    const struct db_value course[] = {db_str(provider), db_str(course_id), db_str(id),
                                      db_bytes("x", 1)};
    ck_assert_int_eq(db_run(b->db, &books_catalog, catalog, 1, 1, NULL), ACCORD_OK);
    ck_assert_int_eq(db_run(b->db, &books_add_course, course, 4, 1, NULL), ACCORD_OK);
}

static inline void books_course(struct books *b, const char *provider, const char *course_id)
{
    books_begin(b);
    books_course_now(b, provider, course_id);
    ck_assert_int_eq(ingest_courses_arrived(b->tx, provider), ACCORD_OK);
    books_commit(b);
}

/* ---- agreements ---- */

/* Version `version` of an agreement, signed and in force; in the transaction that is open. */
static inline void books_agreement_now(struct books *b, const char *id, int64_t version,
                                       const char *body)
{
    struct agreement_version decoded;
    struct json_problems problems = {.count = 0};
    struct slice head_id;
    struct slice head_name;
    struct slice canonical;
    enum accord_error error = agreement_decode(b->arena, slice_of(body), id, version, false,
                                               &head_id, &head_name, &decoded, &problems);
    ck_assert_msg(error == ACCORD_OK, "%s: %s %s", id, problems.items[0].pointer,
                  problems.items[0].message);
    ck_assert_int_eq(agreement_encode(b->arena, &decoded, &canonical), ACCORD_OK);
    if (version == 1) {
        const struct agreement_row agreement = {id, id, "op", 0};
        ck_assert_int_eq(store_agreement_insert(b->db, &agreement), ACCORD_OK);
    }
    struct agreement_version_row row = {
        .agreement = id,
        .version = version,
        .state = AGREEMENT_ACTIVE,
        .effective_from = decoded.terms.effective_from_us,
        .effective_to = decoded.terms.effective_to_us,
        .body = canonical,
        .reason = "",
        .party_count = decoded.terms.party_count,
    };
    for (uint32_t i = 0; i < row.party_count; i++)
        row.parties[i] =
            (struct agreement_signature){.partner = decoded.terms.parties[i], .signed_key = ""};
    ck_assert_int_eq(store_agreement_version_insert(b->db, &row), ACCORD_OK);
    ck_assert_int_eq(ingest_agreement_changed(b->tx, &decoded.terms), ACCORD_OK);
}

static inline void books_agreement(struct books *b, const char *id, int64_t version,
                                   const char *body)
{
    books_begin(b);
    books_agreement_now(b, id, version, body);
    books_commit(b);
}

/* ---- facts ---- */

static inline struct fact_batch *books_decode(struct books *b, const char *partner,
                                              const char *json)
{
    struct fact_batch *batch = arena_alloc(b->arena, sizeof *batch);
    const char *why = NULL;
    *batch = (struct fact_batch){.partner = partner, .posted_by = ""};
    const enum accord_error error =
        facts_decode(b->arena, slice_of(json), *json == '[' ? FACT_SHAPE_ARRAY : FACT_SHAPE_NDJSON,
                     FACT_CLASS_ALL, clock_now_us(), b->config.learner_key, batch, &why);
    ck_assert_msg(error == ACCORD_OK, "%s: %s", accord_error_code(error), why == NULL ? "" : why);
    return batch;
}

/* Posts one batch in a transaction of its own. */
static inline struct fact_batch *books_post(struct books *b, const char *partner, const char *json)
{
    struct fact_batch *batch = books_decode(b, partner, json);
    books_begin(b);
    const enum accord_error error = facts_write(b->tx, &batch, 1);
    ck_assert_msg(error == ACCORD_OK, "%s (%s)", accord_error_code(error), db_message(b->db));
    ck_assert_int_eq(batch->refused, ACCORD_OK);
    books_commit(b);
    return batch;
}

static inline const char *books_text(struct books *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline const char *books_text(struct books *b, const char *format, ...)
{
    char text[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_strdup(b->arena, slice_of(text));
}

/* Posts one fact and expects it to be accepted. */
static inline const struct fact *books_accept(struct books *b, const char *partner,
                                              const char *json)
{
    const struct fact_batch *batch = books_post(b, partner, books_text(b, "[%s]", json));
    ck_assert_msg(batch->facts[0].status == FACT_ACCEPTED, "%s: %s %s %s", json,
                  fact_status_name(batch->facts[0].status), accord_error_code(batch->facts[0].code),
                  batch->facts[0].code_pointer == NULL ? "" : batch->facts[0].code_pointer);
    return &batch->facts[0];
}

/* Posts one fact and expects it to be refused with a code. */
static inline void books_refuse(struct books *b, const char *partner, const char *json,
                                enum accord_error code, const char *pointer)
{
    const struct fact_batch *batch = books_post(b, partner, books_text(b, "[%s]", json));
    ck_assert_msg(batch->facts[0].status != FACT_ACCEPTED, "accepted: %s", json);
    ck_assert_str_eq(accord_error_code(batch->facts[0].code), accord_error_code(code));
    ck_assert_str_eq(batch->facts[0].code_pointer, pointer);
}

/* ---- what stands ---- */

static inline enum accord_error books_take_number(void *context, size_t param_row,
                                                  const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

/* The one number that a query of the test gives. */
static inline int64_t books_number(struct books *b, const struct db_sql *sql)
{
    int64_t number = INT64_MIN;
    const enum accord_error error = db_query(b->db, sql, NULL, 0, 1, books_take_number, &number);
    ck_assert_msg(error == ACCORD_OK, "%s: %s", sql->text, db_message(b->db));
    return number;
}
/* A connection keeps statements by their address, so each text has one of its own. */
#define NUMBER(b, text)                                                                            \
    __extension__({                                                                                \
        static const struct db_sql number_sql = {"SELECT CAST(COALESCE((" text                     \
                                                 "), 0) AS BIGINT)"};                              \
        books_number((b), &number_sql);                                                            \
    })

static inline void books_print_difference(void *context, const char *table, const char *what)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", table, what);
}

/* Everything that is derived is what the journal gives. */
static inline void books_verify(struct books *b)
{
    struct verify_summary summary;
    const enum accord_error error = ingest_verify(b->db, books_print_difference, NULL, &summary);
    ck_assert_msg(error == ACCORD_OK, "%s (%s)", accord_error_code(error), db_message(b->db));
    ck_assert_int_eq(summary.differences, 0);
}

/* Background work until there is none; returns how many pieces there were. */
static inline int books_idle(struct books *b)
{
    int pieces = 0;
    for (bool more = true; more; pieces++) {
        ck_assert_int_eq(db_begin(b->db), ACCORD_OK);
        ck_assert_int_eq(ingest_tx_idle(b->tx, b->db, &more), ACCORD_OK);
        books_commit(b);
    }
    return pieces;
}

/* Provider p1 gets 60 %, channel c1 the rest; months of Shanghai. */
#define AGREEMENT_P1_C1                                                                            \
    "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"]},"       \
    "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","                 \
    "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"                             \
    "\"terms\":[{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":600000},"                       \
    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}"

#endif
