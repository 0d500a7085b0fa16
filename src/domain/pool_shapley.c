#include "domain/pool_shapley.h"

#include "accord/pool.h"

/* The game of a pool is v(S) = sum of the fees of members with L_u within S: a sum of unanimity
 * games, one per member, whose Shapley value is the fee in equal parts to L_u. Additivity gives the
 * value of the pool as the sum over members, so one pass suffices. The exact sum has one
 * denominator because a fee is divided by no more than ACCORD_POOL_EXACT. */
enum accord_error pool_shapley_equal(int64_t fee, size_t count, int64_t *scratch, wide *ret_parts)
{
    if (count <= ACCORD_POOL_EXACT) {
        for (size_t i = 0; i < count; i++)
            ret_parts[i] = (wide)fee * (wide)(POOL_SHAPLEY_PARTS / count);
        return ACCORD_OK;
    }
    for (size_t i = 0; i < count; i++)
        scratch[i] = 1;
    const enum accord_error err = accord_apportion(fee * POOL_MICRO, scratch, count, scratch, NULL);
    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < count; i++)
        ret_parts[i] = (wide)scratch[i] * (wide)(POOL_SHAPLEY_PARTS / POOL_MICRO);
    return ACCORD_OK;
}
