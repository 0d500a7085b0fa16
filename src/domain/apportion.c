#include "accord/apportion.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* What is compared to hand out the left-over units: same denominator, so numerators suffice. */
struct candidate {
    uint64_t remainder;
    size_t rank;
};

static int by_remainder_then_rank(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->remainder != y->remainder)
        return x->remainder > y->remainder ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static enum accord_error sum_weights(const int64_t *weights, size_t count, int64_t *ret)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (weights[i] < 0)
            return ACCORD_E_WEIGHT_NEGATIVE;
        if (__builtin_add_overflow(sum, weights[i], &sum))
            return ACCORD_E_OVERFLOW;
    }
    *ret = sum;
    return ACCORD_OK;
}

enum accord_error accord_apportion(int64_t total, const int64_t *weights, size_t count,
                                   int64_t *ret_parts, struct accord_share *ret_shares)
{
    struct candidate inline_order[ACCORD_APPORTION_INLINE];
    struct candidate *order = inline_order;
    int64_t weight_sum = 0;
    enum accord_error err = sum_weights(weights, count, &weight_sum);

    if (err != ACCORD_OK)
        return err;
    if (total == INT64_MIN)
        return ACCORD_E_OVERFLOW;
    if (weight_sum == 0) {
        if (total != 0)
            return ACCORD_E_WEIGHTS_ZERO;
        for (size_t i = 0; i < count; i++) {
            ret_parts[i] = 0;
            if (ret_shares != NULL)
                ret_shares[i] = (struct accord_share){.place = (uint32_t)i};
        }
        return ACCORD_OK;
    }
    if (count > ACCORD_APPORTION_INLINE) {
        order = calloc(count, sizeof *order);
        if (order == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }

    const int64_t sign = total < 0 ? -1 : 1;
    const uint64_t magnitude = (uint64_t)(total < 0 ? -total : total);
    uint64_t left = magnitude;

    for (size_t i = 0; i < count; i++) {
        const u128 product = (u128)magnitude * (uint64_t)weights[i];
        const uint64_t floor = (uint64_t)(product / (uint64_t)weight_sum);
        order[i].remainder = (uint64_t)(product % (uint64_t)weight_sum);
        order[i].rank = i;
        left -= floor;
        ret_parts[i] = (int64_t)floor;
        if (ret_shares != NULL)
            ret_shares[i] =
                (struct accord_share){.floor = (int64_t)floor, .remainder = order[i].remainder};
    }

    /* left < number of positive remainders, so a weight of zero is never reached. */
    if (left > 0 || ret_shares != NULL)
        qsort(order, count, sizeof *order, by_remainder_then_rank);
    for (size_t place = 0; place < left; place++)
        ret_parts[order[place].rank] += 1;
    if (ret_shares != NULL)
        for (size_t place = 0; place < count; place++) {
            ret_shares[order[place].rank].place = (uint32_t)place;
            ret_shares[order[place].rank].extra = place < left;
        }
    if (sign < 0)
        for (size_t i = 0; i < count; i++)
            ret_parts[i] = -ret_parts[i];

    if (order != inline_order)
        free(order);
    return ACCORD_OK;
}
