/**
 * Pools: a version from JSON to its canonical body and back, and what memberships put into one.
 *
 * A membership offer names the pool that it funds. Of every month of a term the version of that
 * pool in force in the month takes its share, before any term of the agreement that covers it.
 */
#ifndef INGEST_POOL_H
#define INGEST_POOL_H

#include "accord/pool.h"
#include "accord/window.h"
#include "base/zone.h"
#include "ingest/offer.h"
#include "store/entries.h"
#include "store/pools.h"

/** What usage counts as a unit. */
enum pool_basis { POOL_SECONDS, POOL_LEARNERS, POOL_STARTS, POOL_COMPLETIONS };

extern const char *const pool_basis_names[];  /**< by enum pool_basis; ends with NULL */
extern const char *const pool_method_names[]; /**< by enum accord_pool_method */
extern const char *const pool_idle_names[];   /**< by enum accord_pool_idle */

struct pool_weight {
    struct slice provider;
    int64_t weight_ppm;
};

/** Most units that count: of the basis, within a month but for the day. 0: no such cap. */
struct pool_caps {
    int64_t learner;
    int64_t learner_day;
    int64_t learner_course;
    int64_t learner_provider;
};

/** The terms of a pool's version. */
struct pool {
    struct slice title;
    struct accord_currency currency;
    struct slice time_zone;
    const struct zone *zone; /**< of that */
    struct slice from;       /**< label of the first month that it divides */
    int64_t from_day;        /**< first day of that */
    int64_t share_ppm;       /**< of a month's net */
    int basis;               /**< enum pool_basis */
    int method;              /**< enum accord_pool_method */
    int64_t lambda_ppm;      /**< hybrid */
    bool has_lambda;
    int idle;                  /**< enum accord_pool_idle */
    struct json_array weights; /**< of struct pool_weight; weighted Shapley. Who is not named weighs
                                    ACCORD_PPM_WHOLE */
    struct pool_caps caps;
    bool has_caps;
    int64_t min_units; /**< that a learner must use of a provider */
    bool open_inputs;  /**< every provider may download what it was divided by */
};

enum { POOL_BODY_MAX = 128 << 10, POOL_WEIGHTS_MAX = 1000 };

/**
 * Decodes and checks a version.
 *
 * @return ACCORD_OK; ACCORD_E_FIELDS_INVALID with at least one problem; ACCORD_E_JSON_INVALID;
 *         ACCORD_E_OUT_OF_MEMORY; *ret is unwritten on failure
 */
enum accord_error pool_decode(struct arena *arena, struct slice text, struct pool *ret,
                              struct json_problems *problems);
/** From a stored row; ACCORD_E_DATABASE_ERROR where that is unsound. */
enum accord_error pool_decode_row(struct arena *arena, const struct pool_row *row,
                                  struct pool *ret);
/** The canonical body: members in bytewise order, defaults written out. data NULL: out of memory.
 */
struct slice pool_encode(struct arena *arena, const struct pool *pool);
/** The members of the body, into an object at hand. */
void pool_write_terms(struct json_writer *w, const struct pool *pool);

/** Room for ACCORD_PAYEE_POOL and a pool's name. */
enum { POOL_PAYEE_MAX = 6 + 2 * ACCORD_ID_MAX + 2 };
/** The payee of a pool: ACCORD_PAYEE_POOL "channel/pool". */
void pool_payee(const char *channel, struct slice pool, char ret[POOL_PAYEE_MAX]);
/** The channel and the pool that a payee names, in the arena; *ret_is is false for a partner or a
 *  window. */
enum accord_error pool_of_payee(struct arena *arena, const char *payee, bool *ret_is,
                                const char **ret_channel, const char **ret_pool);

struct agreement_version;
/** Whether the pools that a version joins can be joined: they are there, and have its currency and
 *  time zone. What is wrong goes to `problems`. */
enum accord_error pool_check_terms(struct db *db, struct arena *arena,
                                   const struct agreement_version *version,
                                   struct json_problems *problems);

/* ---- funding ---- */

/** What the pools of channels take of memberships, in memory, read as it is needed. Not
 *  thread-safe. */
struct pool_book;
/** Lives in the arena, and as long as nothing of offers or pools changes. */
struct pool_book *pool_book_new(struct db *db, struct arena *arena);

/**
 * What a month of a term puts into a pool.
 *
 * @param offer    which was sold; the version in force when it was says which pool
 * @param sold_at  when
 * @param day      first of the month
 * @param ret      in the arena of the book; NULL: nothing
 */
enum accord_error pool_book_funding(struct pool_book *book, const char *channel, const char *offer,
                                    instant_us sold_at, int64_t day,
                                    const struct accord_pool_funding **ret);

/** What entries change in what learners put into pools: one row for each share of a pool. */
enum accord_error pool_members_of(struct db *db, struct arena *arena,
                                  const struct entry_row *entries, size_t count,
                                  struct pool_member_row **ret, size_t *ret_count);

#endif
