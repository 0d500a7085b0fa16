#include "accord/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "domain/pool_shapley.h"
#include "domain/trace.h"
#include "domain/wide.h"

/* What a payee has so far. */
struct payee {
    wide share;      /* in parts of the method: see parts_of() */
    int64_t units;   /* that count, of all members */
    int64_t weight;  /* weighted_shapley */
    int64_t of_user; /* of the member at hand; 0 between members */
};

struct accord_pool {
    struct accord_pool_terms terms;
    struct payee *payees;
    int64_t active_fees;
    int64_t idle_fees;
    int64_t fee_magnitude; /* sum of |fee|: bounds every share, whatever the order of members */
    int64_t units;
    /* The member at hand: which payees he used, what of it counts, his fee split over it. */
    uint32_t *used;
    int64_t *counted;
    int64_t *weights;
    wide *parts;
};

/* Shares are whole numbers of this part of a minor unit, while members come. */
static uint64_t parts_of(enum accord_pool_method method)
{
    return method == ACCORD_POOL_SHAPLEY ? POOL_SHAPLEY_PARTS : POOL_MICRO;
}

static bool has_pool(enum accord_pool_method method)
{
    return method == ACCORD_POOL_PRO_RATA || method == ACCORD_POOL_HYBRID;
}

static enum accord_error check_terms(const struct accord_pool_terms *terms)
{
    int64_t weight_sum = 0;
    if ((unsigned)terms->method > ACCORD_POOL_HYBRID || (unsigned)terms->idle > ACCORD_POOL_POOL ||
        (terms->idle == ACCORD_POOL_POOL && !has_pool(terms->method)))
        return ACCORD_E_VALUE_UNKNOWN;
    if (terms->payee_count > ACCORD_POOL_PAYEES_MAX)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    if (terms->lambda_ppm < 0 || terms->lambda_ppm > ACCORD_PPM_WHOLE || terms->min_units < 0 ||
        terms->cap_units < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (terms->method != ACCORD_POOL_WEIGHTED_SHAPLEY)
        return ACCORD_OK;
    for (uint32_t i = 0; terms->weights_ppm != NULL && i < terms->payee_count; i++) {
        if (terms->weights_ppm[i] < 0)
            return ACCORD_E_WEIGHT_NEGATIVE;
        if (accord_add(weight_sum, terms->weights_ppm[i], &weight_sum) != ACCORD_OK)
            return ACCORD_E_OVERFLOW;
    }
    return weight_sum > 0 ? ACCORD_OK : ACCORD_E_WEIGHTS_ZERO;
}

enum accord_error accord_pool_new(const struct accord_pool_terms *terms,
                                  struct accord_pool **ret_pool)
{
    const enum accord_error err = check_terms(terms);
    if (err != ACCORD_OK)
        return err;
    struct accord_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const size_t room = (size_t)terms->payee_count + 1;
    pool->terms = *terms;
    pool->terms.weights_ppm = NULL; /* borrowed for this call only */
    pool->payees = calloc(room, sizeof *pool->payees);
    pool->used = calloc(room, sizeof *pool->used);
    pool->counted = calloc(room, sizeof *pool->counted);
    pool->weights = calloc(room, sizeof *pool->weights);
    pool->parts = calloc(room, sizeof *pool->parts);
    if (pool->payees == NULL || pool->used == NULL || pool->counted == NULL ||
        pool->weights == NULL || pool->parts == NULL) {
        accord_pool_free(pool);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < terms->payee_count; i++)
        pool->payees[i].weight =
            terms->method == ACCORD_POOL_WEIGHTED_SHAPLEY ? terms->weights_ppm[i] : 1;
    *ret_pool = pool;
    return ACCORD_OK;
}

void accord_pool_free(struct accord_pool *pool)
{
    if (pool == NULL)
        return;
    free(pool->payees);
    free(pool->used);
    free(pool->counted);
    free(pool->weights);
    free(pool->parts);
    free(pool);
}

int64_t accord_pool_cap(int64_t units, int64_t cap)
{
    return cap > 0 && units > cap ? cap : units;
}

static int by_index(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Adds the cells up by payee: their indexes, ascending, go to pool->used, their units into
 * payee.of_user. The count is right on failure too. */
static enum accord_error gather(struct accord_pool *pool, const struct accord_pool_cell *cells,
                                size_t count, size_t *ret_used)
{
    size_t used = 0;
    bool sorted = true;
    enum accord_error err = ACCORD_OK;
    for (size_t i = 0; i < count && err == ACCORD_OK; i++) {
        if (cells[i].payee >= pool->terms.payee_count || cells[i].units < 0) {
            err = ACCORD_E_VALUE_OUT_OF_RANGE;
        } else if (cells[i].units > 0) {
            struct payee *payee = &pool->payees[cells[i].payee];
            if (payee->of_user == 0) {
                sorted = sorted && (used == 0 || pool->used[used - 1] < cells[i].payee);
                pool->used[used++] = cells[i].payee;
            }
            err = accord_add(payee->of_user, cells[i].units, &payee->of_user);
        }
    }
    if (!sorted)
        qsort(pool->used, used, sizeof *pool->used, by_index);
    *ret_used = used;
    return err;
}

/* Moves what counts to pool->counted, drops the rest from pool->used, and clears of_user. */
static size_t count_units(struct accord_pool *pool, size_t used)
{
    size_t kept = 0;
    for (size_t i = 0; i < used; i++) {
        const uint32_t index = pool->used[i];
        const int64_t units = pool->payees[index].of_user;
        pool->payees[index].of_user = 0;
        if (units < pool->terms.min_units)
            continue;
        pool->used[kept] = index;
        pool->counted[kept] = accord_pool_cap(units, pool->terms.cap_units);
        kept++;
    }
    return kept;
}

/* Splits one member's fee over what he used, in parts_of() a minor unit, into pool->parts. */
static enum accord_error split_fee(struct accord_pool *pool, int64_t fee, size_t used)
{
    const int64_t *weights = pool->counted;
    switch (pool->terms.method) {
    case ACCORD_POOL_PRO_RATA:
        memset(pool->parts, 0, used * sizeof *pool->parts); /* needs the whole: see finish */
        return ACCORD_OK;
    case ACCORD_POOL_SHAPLEY:
        return pool_shapley_equal(fee, used, pool->weights, pool->parts);
    case ACCORD_POOL_WEIGHTED_SHAPLEY:
        for (size_t i = 0; i < used; i++)
            pool->weights[i] = pool->payees[pool->used[i]].weight;
        weights = pool->weights;
        break;
    case ACCORD_POOL_USER_CENTRIC:
    case ACCORD_POOL_HYBRID:
        break;
    }
    const enum accord_error err =
        accord_apportion(fee * POOL_MICRO, weights, used, pool->weights, NULL);
    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < used; i++)
        pool->parts[i] = pool->weights[i];
    return ACCORD_OK;
}

/* True when the fee of a member goes to somebody. */
static bool is_active(const struct accord_pool *pool, size_t used)
{
    bool active = false;
    for (size_t i = 0; i < used; i++)
        active = active || pool->payees[pool->used[i]].weight > 0;
    return active;
}

enum accord_error accord_pool_user(struct accord_pool *pool, int64_t fee_minor,
                                   const struct accord_pool_cell *cells, size_t count)
{
    int64_t magnitude = 0;
    int64_t units = pool->units;
    size_t used = 0;

    if (fee_minor > ACCORD_POOL_FEE_MAX || fee_minor < -ACCORD_POOL_FEE_MAX)
        return ACCORD_E_OVERFLOW;
    enum accord_error err =
        accord_add(pool->fee_magnitude, fee_minor < 0 ? -fee_minor : fee_minor, &magnitude);
    if (err != ACCORD_OK)
        return err;
    err = gather(pool, cells, count, &used);
    used = count_units(pool, used);
    for (size_t i = 0; i < used && err == ACCORD_OK; i++)
        err = accord_add(units, pool->counted[i], &units);
    const bool active = is_active(pool, used);
    if (err == ACCORD_OK && active)
        err = split_fee(pool, fee_minor, used);
    if (err != ACCORD_OK)
        return err;

    for (size_t i = 0; i < used; i++) {
        pool->payees[pool->used[i]].units += pool->counted[i]; /* no more than pool->units */
        if (active)
            pool->payees[pool->used[i]].share += pool->parts[i];
    }
    pool->units = units;
    pool->fee_magnitude = magnitude;
    if (active)
        pool->active_fees += fee_minor; /* within fee_magnitude */
    else
        pool->idle_fees += fee_minor;
    return ACCORD_OK;
}

/* A division under way: payee i gets shares[i] / parts, and these add up to `total`. */
struct division {
    struct wide_part *shares;
    struct wide_part *added; /* scratch */
    wide *weights;           /* scratch */
    uwide whole;             /* of the shares' rests */
    uint64_t parts;
    int64_t total;
    int64_t unclaimed;
};

/* Nothing stays unclaimed. */
static void take_idle(const struct accord_pool *pool, struct division *division)
{
    division->total = pool->active_fees + pool->idle_fees;
    division->unclaimed = 0;
}

/* All fees that take part, by units: one exact fraction. */
static void divide_pro_rata(const struct accord_pool *pool, struct division *ret)
{
    if (pool->units == 0)
        return; /* nobody used anything, so all fees are idle */
    if (pool->terms.idle != ACCORD_POOL_RETAIN)
        take_idle(pool, ret);
    ret->parts = (uint64_t)pool->units;
    for (uint32_t i = 0; i < pool->terms.payee_count; i++)
        ret->shares[i].floor = (wide)ret->total * pool->payees[i].units;
}

/* lambda of the active fees and, if the terms say so, all of the idle ones by units; the rest as
 * the members used it. In millionths of millionths, exact below them too unless idle fees are to be
 * spread over the result: rests of two kinds have no common whole in 128 bits. */
static enum accord_error divide_hybrid(const struct accord_pool *pool, struct division *ret)
{
    const int64_t lambda = pool->terms.lambda_ppm;
    const uint32_t count = pool->terms.payee_count;
    wide by_units = (wide)pool->active_fees * lambda * POOL_MICRO;
    enum accord_error err = ACCORD_OK;
    if (pool->units == 0)
        return ACCORD_OK;
    if (pool->terms.idle == ACCORD_POOL_POOL) {
        by_units += (wide)pool->idle_fees * ACCORD_PPM_WHOLE * POOL_MICRO;
        take_idle(pool, ret);
    }
    ret->parts = (uint64_t)ACCORD_PPM_WHOLE * POOL_MICRO;
    for (uint32_t i = 0; i < count; i++)
        ret->weights[i] = pool->payees[i].units;
    if (pool->terms.idle == ACCORD_POOL_SPREAD)
        err = wide_split(by_units, ret->weights, count, ret->shares);
    else
        wide_divide(by_units, ret->weights, count, ret->shares, &ret->whole);
    for (uint32_t i = 0; err == ACCORD_OK && i < count; i++)
        ret->shares[i].floor += pool->payees[i].share * (ACCORD_PPM_WHOLE - lambda);
    return err;
}

/* Adds the idle fees to the shares, which have no rests, in proportion to them. A share of the
 * other sign than the whole (refunds) takes no part, so that nobody's is blown up. */
static void spread_idle(const struct accord_pool *pool, struct division *division)
{
    const uint32_t count = pool->terms.payee_count;
    if (pool->active_fees == 0 || pool->idle_fees == 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const wide share = division->shares[i].floor;
        division->weights[i] = (share < 0) == (pool->active_fees < 0) ? share : 0;
        if (share < 0)
            division->weights[i] = -division->weights[i];
    }
    wide_divide((wide)pool->idle_fees * (wide)division->parts, division->weights, count,
                division->added, &division->whole);
    for (uint32_t i = 0; i < count; i++) {
        division->shares[i].floor += division->added[i].floor;
        division->shares[i].rest = division->added[i].rest;
    }
    take_idle(pool, division);
}

static enum accord_error divide(const struct accord_pool *pool, struct division *ret)
{
    enum accord_error err = ACCORD_OK;
    ret->parts = parts_of(pool->terms.method);
    ret->total = pool->active_fees;
    ret->unclaimed = pool->idle_fees;
    for (uint32_t i = 0; i < pool->terms.payee_count; i++)
        ret->shares[i] = (struct wide_part){.floor = pool->payees[i].share};
    ret->whole = 1;
    switch (pool->terms.method) {
    case ACCORD_POOL_PRO_RATA:
        divide_pro_rata(pool, ret);
        return ACCORD_OK;
    case ACCORD_POOL_HYBRID:
        err = divide_hybrid(pool, ret);
        break;
    case ACCORD_POOL_USER_CENTRIC:
    case ACCORD_POOL_SHAPLEY:
    case ACCORD_POOL_WEIGHTED_SHAPLEY:
        break;
    }
    if (err == ACCORD_OK && pool->terms.idle == ACCORD_POOL_SPREAD)
        spread_idle(pool, ret);
    return err;
}

static void tell_whole(accord_step_fn *step, void *context, const char *op, int64_t amount)
{
    const struct accord_step told = {.op = op, .amount = amount, .rate_ppm = -1};
    step(context, SIZE_MAX, &told);
}

static void tell(const struct accord_pool *pool, const struct division *division,
                 const int64_t *amounts, const struct accord_share *shares, accord_step_fn *step,
                 void *context)
{
    tell_whole(step, context, "fees", pool->active_fees + pool->idle_fees);
    tell_whole(step, context, "idle", pool->idle_fees);
    tell_whole(step, context, "unclaimed", division->unclaimed);
    for (uint32_t i = 0; i < pool->terms.payee_count; i++) {
        const struct accord_step units = {
            .op = "units", .amount = pool->payees[i].units, .rate_ppm = -1};
        struct accord_step share = {.op = "pool", .amount = amounts[i], .rate_ppm = -1};
        trace_share(&shares[i], division->shares[i].floor < 0 ? -1 : 1, (int64_t)division->parts,
                    &share);
        step(context, i, &units);
        step(context, i, &share);
    }
}

enum accord_error accord_pool_explain(const struct accord_pool *pool, int64_t *ret_amounts,
                                      int64_t *ret_unclaimed, accord_step_fn *step, void *context)
{
    const size_t count = pool->terms.payee_count;
    struct accord_share *shares = calloc(count + 1, sizeof *shares);
    int64_t *amounts = calloc(count + 1, sizeof *amounts);
    struct division division = {.shares = calloc(count + 1, sizeof *division.shares),
                                .added = calloc(count + 1, sizeof *division.added),
                                .weights = calloc(count + 1, sizeof *division.weights)};
    enum accord_error err = ACCORD_E_OUT_OF_MEMORY;

    if (shares != NULL && amounts != NULL && division.shares != NULL && division.added != NULL &&
        division.weights != NULL)
        err = divide(pool, &division);
    if (err == ACCORD_OK)
        err = wide_round(division.shares, division.whole, division.parts, division.total, count,
                         amounts, shares);
    if (err == ACCORD_OK) {
        if (step != NULL)
            tell(pool, &division, amounts, shares, step, context);
        memcpy(ret_amounts, amounts, count * sizeof *amounts);
        *ret_unclaimed = division.unclaimed;
    }
    free(shares);
    free(amounts);
    free(division.shares);
    free(division.added);
    free(division.weights);
    return err;
}

enum accord_error accord_pool_finish(const struct accord_pool *pool, int64_t *ret_amounts,
                                     int64_t *ret_unclaimed)
{
    return accord_pool_explain(pool, ret_amounts, ret_unclaimed, NULL, NULL);
}
