/**
 * Apportionment of a whole among weights: largest remainder (Hamilton's method).
 *
 * q_i = floor(total * w_i / W), W = sum of w; the k = total - sum q_i units left over go one each
 * to the k largest remainders, ties to the smallest rank. The sum is exact, every part lies within
 * one unit of its exact share, a weight of zero gets zero, and a negative total is the mirror of
 * its positive. Pure; may be called from any thread.
 */
#ifndef ACCORD_APPORTION_H
#define ACCORD_APPORTION_H

#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One part's exact share, as kept for an explanation: floor + remainder / weight_sum. */
struct accord_share {
    int64_t floor;      /**< floor of the exact share of |total| */
    uint64_t remainder; /**< numerator of the rest, over the sum of weights */
    uint32_t place;     /**< 0-based place in the order in which left-over units are handed out */
    uint32_t extra;     /**< 1 when this part got a left-over unit, else 0 */
};

/**
 * Splits `total` over `count` weights.
 *
 * Parts are identified by position: position is the rank that decides ties (the order declared in
 * an agreement, or bytewise by id: the caller sorts).
 *
 * @param total       any int64 but INT64_MIN, in minor units
 * @param weights     `count` values >= 0 whose sum fits int64
 * @param ret_parts   `count` results, may be the array of weights; unwritten on failure
 * @param ret_shares  NULL, or `count` explanations
 * @return ACCORD_OK; ACCORD_E_WEIGHTS_ZERO when every weight is zero (or count is 0) and total is
 *         not; ACCORD_E_WEIGHT_NEGATIVE; ACCORD_E_OVERFLOW; ACCORD_E_OUT_OF_MEMORY (only when
 *         count exceeds ACCORD_APPORTION_INLINE)
 */
enum accord_error accord_apportion(int64_t total, const int64_t *weights, size_t count,
                                   int64_t *ret_parts, struct accord_share *ret_shares);

/** Up to so many parts accord_apportion() allocates nothing. */
#define ACCORD_APPORTION_INLINE 32

#ifdef __cplusplus
}
#endif

#endif
