/* Shapley shares of one member of a pool. */
#ifndef ACCORD_DOMAIN_POOL_SHAPLEY_H
#define ACCORD_DOMAIN_POOL_SHAPLEY_H

#include "domain/wide.h"

enum {
    POOL_MICRO = 1000000 /**< parts of a minor unit in which one member's fee is split */
};

/** The least common multiple of 1 .. ACCORD_POOL_EXACT and POOL_MICRO: every f/k is a whole number
 *  of its parts. With fees that add up to 2^63 the sum of such parts stays below 2^126. */
#define POOL_SHAPLEY_PARTS UINT64_C(6678664321329000000)

/** One member's fee, |fee| <= ACCORD_POOL_FEE_MAX, in equal shares, each in 1/POOL_SHAPLEY_PARTS of
 *  a minor unit. Exact up to ACCORD_POOL_EXACT shares, beyond that split in millionths.
 *
 *  @param scratch    `count` numbers, overwritten
 *  @param ret_parts  `count` parts whose sum is fee · POOL_SHAPLEY_PARTS */
enum accord_error pool_shapley_equal(int64_t fee, size_t count, int64_t *scratch, wide *ret_parts);

#endif
