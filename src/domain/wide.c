#include "domain/wide.h"

#include <stdbool.h>
#include <stdlib.h>

struct candidate {
    uwide rest;
    size_t rank;
};

static int by_rest_then_rank(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->rest != y->rest)
        return x->rest > y->rest ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* a · b / m for 0 <= a <= m < 2^127, bit by bit: the product itself would not fit. */
static void mul_div(uwide a, uwide b, uwide m, uwide *ret_floor, uwide *ret_rest)
{
    uwide floor = 0;
    uwide rest = 0; /* < m: twice it and it plus a stay below 2^128 */
    for (int bit = 127; bit >= 0; bit--) {
        floor *= 2;
        rest *= 2;
        if (rest >= m) {
            rest -= m;
            floor += 1;
        }
        if ((b >> bit & 1) == 0)
            continue;
        rest += a;
        if (rest >= m) {
            rest -= m;
            floor += 1;
        }
    }
    *ret_floor = floor;
    *ret_rest = rest;
}

enum accord_error wide_split(wide total, const wide *weights, size_t count, wide *ret_parts)
{
    struct candidate *order = calloc(count + 1, sizeof *order);
    const uwide magnitude = (uwide)(total < 0 ? -total : total);
    uwide weight_sum = 0;
    uwide left = magnitude;

    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        weight_sum += (uwide)weights[i];
    for (size_t i = 0; i < count; i++) {
        uwide floor = 0;
        mul_div((uwide)weights[i], magnitude, weight_sum, &floor, &order[i].rest);
        order[i].rank = i;
        ret_parts[i] = (wide)floor;
        left -= floor;
    }
    /* left < number of positive rests, so a weight of zero is never reached. */
    if (left > 0)
        qsort(order, count, sizeof *order, by_rest_then_rank);
    for (size_t place = 0; place < left; place++)
        ret_parts[order[place].rank] += 1;
    if (total < 0)
        for (size_t i = 0; i < count; i++)
            ret_parts[i] = -ret_parts[i];
    free(order);
    return ACCORD_OK;
}

enum accord_error wide_round(const wide *numerators, uint64_t denominator, int64_t total,
                             size_t count, int64_t *ret_parts, struct accord_share *ret_shares)
{
    struct candidate *order = calloc(count + 1, sizeof *order);
    wide left = total;

    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        left -= numerators[i] / (wide)denominator; /* cut towards zero */
    const int sign = left < 0 ? -1 : 1;
    for (size_t i = 0; i < count; i++) {
        const wide whole = numerators[i] / (wide)denominator;
        const wide rest = numerators[i] % (wide)denominator;
        /* Fractions of the other sign are not in line. What is left is the sum of all fractions,
         * so it is less than the number of those that are. */
        order[i].rest = rest * sign > 0 ? (uwide)(rest * sign) : 0;
        order[i].rank = i;
        ret_parts[i] = (int64_t)whole;
        ret_shares[i] = (struct accord_share){.floor = (int64_t)(whole < 0 ? -whole : whole),
                                              .remainder = (uint64_t)(rest < 0 ? -rest : rest)};
    }
    qsort(order, count, sizeof *order, by_rest_then_rank);
    for (size_t place = 0; place < count; place++) {
        const bool extra = (wide)place < left * sign;
        ret_shares[order[place].rank].place = (uint32_t)place;
        ret_shares[order[place].rank].extra = extra;
        if (extra)
            ret_parts[order[place].rank] += sign;
    }
    free(order);
    return ACCORD_OK;
}
