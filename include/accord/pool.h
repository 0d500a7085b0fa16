/**
 * Pools: the money of many members, divided among those whose courses they used.
 *
 * A member u puts in a fee f_u and uses payee i for m_ui units (seconds, minutes, starts: the
 * agreement says which); s_u is the sum over i, L_u are the payees with m_ui > 0, P is the sum of
 * all fees. The exact share of payee i is
 *
 *     pro_rata          P · (sum of m_ui over u) / (sum of s_u over u)
 *     user_centric      sum over u of f_u · m_ui / s_u
 *     shapley           sum over the u with i in L_u of f_u / |L_u|
 *     weighted_shapley  sum over the u with i in L_u of f_u · w_i / (sum of w_k over k in L_u)
 *     hybrid            lambda · pro_rata + (1 - lambda) · user_centric
 *
 * (the proportional rule; the proportional rule of each member; the Shapley value of the game in
 * which a set of payees earns the fees of the members who use nothing else, also known as the
 * museum pass; its weighted form; the compromise family of the first two).
 *
 * What they promise differs, and the tests hold them to it: under user_centric and the Shapley
 * methods a member moves no payee's share by more than his own fee and no group of payees would
 * earn more alone; pro_rata has neither property, so one robot that plays all day takes from
 * everybody. A payee gains by splitting into two under Shapley: its payees are legal parties, never
 * courses.
 *
 * Exactness: pro_rata is one exact fraction. Shapley is exact while a member uses no more than
 * ACCORD_POOL_EXACT payees; beyond that, and for user_centric and weighted_shapley, the fee of each
 * member is split by largest remainder in millionths of a minor unit, so a share lies within
 * (number of members) · 10^-6 of a minor unit of its exact value. One rounding to minor units
 * follows, by largest remainder over all payees; ties go to the smaller index. Payees and what
 * stays unclaimed add up to the fees, always. Idle fees are spread over the shares as one exact
 * fraction more (over those of hybrid: rounded before in 10^-12 of a minor unit). No result depends
 * on the order of the members.
 *
 * Refunds may make fees negative, and so the pool: shares are the mirror of their positive. Where
 * some shares are positive and some negative, each is cut towards zero and the units left over go,
 * with their sign, to the largest fractions of that sign.
 *
 * A pool allocates: some 90 bytes per payee when it is made, and scratch while it works. It never
 * holds more than the cells of one member, so the number of members is not bounded by memory. One
 * pool belongs to one thread at a time; different pools are independent.
 */
#ifndef ACCORD_POOL_H
#define ACCORD_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "accord/settle.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most payees of one pool. */
#define ACCORD_POOL_PAYEES_MAX 1000000

/** Largest magnitude of one member's fee, in minor units: its millionths fit 64 bits. */
#define ACCORD_POOL_FEE_MAX (INT64_MAX / 1000000)

/** Shapley shares of a member who used no more payees than this are exact. */
#define ACCORD_POOL_EXACT 40

enum accord_pool_method {
    ACCORD_POOL_PRO_RATA,
    ACCORD_POOL_USER_CENTRIC,
    ACCORD_POOL_SHAPLEY,
    ACCORD_POOL_WEIGHTED_SHAPLEY,
    ACCORD_POOL_HYBRID,
};

/** What becomes of the fee of a member who used nothing that counts. */
enum accord_pool_idle {
    ACCORD_POOL_RETAIN, /**< it stays unclaimed */
    ACCORD_POOL_SPREAD, /**< it is added to the shares in proportion to them; under pro_rata, by
                             units */
    ACCORD_POOL_POOL,   /**< it is divided by units; pro_rata and hybrid only */
};

/** The terms of a pool. Arrays are borrowed for the call that takes them. */
struct accord_pool_terms {
    enum accord_pool_method method;
    enum accord_pool_idle idle;
    uint32_t payee_count;       /**< 0 .. ACCORD_POOL_PAYEES_MAX; their order decides ties */
    const int64_t *weights_ppm; /**< weighted_shapley: one >= 0 per payee, a sum that fits int64 and
                                     is not 0. Other methods do not look at it */
    int64_t lambda_ppm;         /**< hybrid: 0 .. 1 000 000, the part that is pro_rata */
    int64_t min_units; /**< a payee whom a member used for less does not count for him; 0: none */
    int64_t cap_units; /**< what a member used of one payee counts up to here; 0: no cap. The
                            minimum looks at the units before the cap */
};

/** What one member used of one payee. */
struct accord_pool_cell {
    uint32_t payee; /**< index below payee_count */
    int64_t units;  /**< >= 0 */
};

struct accord_pool;

/**
 * Makes an empty pool.
 *
 * @param ret_pool  the pool, to be freed by accord_pool_free(); unwritten on failure
 * @return ACCORD_OK; ACCORD_E_COUNT_OUT_OF_RANGE for too many payees; ACCORD_E_VALUE_OUT_OF_RANGE
 *         for lambda, minimum or cap; ACCORD_E_VALUE_UNKNOWN for a method or idle policy that does
 *         not exist, or the policy `pool` with a method that has no pool;
 *         ACCORD_E_WEIGHT_NEGATIVE, ACCORD_E_WEIGHTS_ZERO (also when there are none) and
 *         ACCORD_E_OVERFLOW for weights; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error accord_pool_new(const struct accord_pool_terms *terms,
                                  struct accord_pool **ret_pool);

/**
 * Adds one member with everything that he used in the period.
 *
 * A member must come in one call: two calls are two members. Cells of the same payee are added up,
 * in any order. Who shall not count (a trial, staff, a refunded membership) is left out by the
 * caller, as are units beyond a cap per day or course: see accord_pool_cap(). A fee of 0 is a
 * member: under pro_rata his units count.
 *
 * @param fee_minor  what he adds to the pool, net of the platform's cut;
 *                   magnitude <= ACCORD_POOL_FEE_MAX
 * @param cells      `count` cells; NULL when count is 0
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for a payee or units that cannot be;
 *         ACCORD_E_OVERFLOW when a fee is too large, or the magnitudes of all fees or all units do
 *         not fit int64; ACCORD_E_OUT_OF_MEMORY. On failure the pool is as it was before the call
 */
enum accord_error accord_pool_user(struct accord_pool *pool, int64_t fee_minor,
                                   const struct accord_pool_cell *cells, size_t count);

/**
 * Divides what is in the pool. May be called again, also after more members came.
 *
 * A pool nobody used, or whose shares add up to zero while there is idle money to be spread over
 * them, leaves its idle money unclaimed under every policy.
 *
 * @param ret_amounts    payee_count amounts in minor units; unwritten on failure, as is
 * @param ret_unclaimed  the fees that went to no payee
 * @return ACCORD_OK or ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error accord_pool_finish(const struct accord_pool *pool, int64_t *ret_amounts,
                                     int64_t *ret_unclaimed);

/**
 * As accord_pool_finish(), and tells how. `line` of the steps is the payee's index, or SIZE_MAX for
 * the first three; strings are static. Steps:
 *
 *     fees       everything that came in
 *     idle       what of it came from members who used nothing that counts
 *     unclaimed  what of it goes to no payee
 *     units      per payee: units that counted (no money)
 *     pool       per payee: the amount, the exact share before rounding, and the place in the order
 *                in which left-over units are handed out
 *
 * After an error, what was reported is void.
 */
enum accord_error accord_pool_explain(const struct accord_pool *pool, int64_t *ret_amounts,
                                      int64_t *ret_unclaimed, accord_step_fn *step, void *context);

/** Frees a pool; NULL is fine. */
void accord_pool_free(struct accord_pool *pool);

/** Units that count under a cap: the smaller of the two; cap 0: all of them. For the caps per
 *  member and day, or per course, which the caller applies while making cells. */
int64_t accord_pool_cap(int64_t units, int64_t cap);

#ifdef __cplusplus
}
#endif

#endif
