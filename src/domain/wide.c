#include "domain/wide.h"

#include <stdbool.h>
#include <stdlib.h>

struct candidate {
    uwide fraction;
    uwide rest; /* decides where fractions are equal */
    size_t rank;
};

static int by_fraction_then_rank(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->fraction != y->fraction)
        return x->fraction > y->fraction ? -1 : 1;
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

void wide_divide(wide total, const wide *weights, size_t count, struct wide_part *ret_parts,
                 uwide *ret_whole)
{
    const uwide magnitude = (uwide)(total < 0 ? -total : total);
    uwide whole = 0;
    for (size_t i = 0; i < count; i++)
        whole += (uwide)weights[i];
    for (size_t i = 0; i < count; i++) {
        uwide floor = 0;
        uwide rest = 0;
        mul_div((uwide)weights[i], magnitude, whole, &floor, &rest);
        ret_parts[i] = (struct wide_part){.floor = (wide)floor, .rest = rest};
        if (total < 0)
            ret_parts[i] = (struct wide_part){.floor = -(wide)floor - (rest > 0),
                                              .rest = rest > 0 ? whole - rest : 0};
    }
    *ret_whole = whole;
}

enum accord_error wide_split(wide total, const wide *weights, size_t count,
                             struct wide_part *ret_parts)
{
    struct candidate *order = calloc(count + 1, sizeof *order);
    const wide sign = total < 0 ? -1 : 1;
    uwide whole = 0;
    wide left = total * sign;

    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    wide_divide(left, weights, count, ret_parts, &whole);
    for (size_t i = 0; i < count; i++) {
        order[i] = (struct candidate){.fraction = ret_parts[i].rest, .rank = i};
        left -= ret_parts[i].floor;
    }
    /* left < number of positive rests, so a weight of zero is never reached. */
    qsort(order, count, sizeof *order, by_fraction_then_rank);
    for (size_t place = 0; (wide)place < left; place++)
        ret_parts[order[place].rank].floor += 1;
    for (size_t i = 0; i < count; i++)
        ret_parts[i] = (struct wide_part){.floor = ret_parts[i].floor * sign};
    free(order);
    return ACCORD_OK;
}

/* The same of the mirror. */
static struct wide_part magnitude_of(struct wide_part part, uwide whole)
{
    if (part.floor >= 0)
        return part;
    if (part.rest == 0)
        return (struct wide_part){.floor = -part.floor};
    return (struct wide_part){.floor = -(part.floor + 1), .rest = whole - part.rest};
}

enum accord_error wide_round(const struct wide_part *parts, uwide whole, uint64_t denominator,
                             int64_t total, size_t count, int64_t *ret_parts,
                             struct accord_share *ret_shares)
{
    struct candidate *order = calloc(count + 1, sizeof *order);
    wide left = total;

    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct wide_part part = magnitude_of(parts[i], whole);
        const int64_t cut = (int64_t)(part.floor / (wide)denominator);
        ret_parts[i] = parts[i].floor < 0 ? -cut : cut;
        left -= ret_parts[i];
        order[i] = (struct candidate){
            .fraction = (uwide)part.floor % denominator, .rest = part.rest, .rank = i};
        ret_shares[i] =
            (struct accord_share){.floor = cut, .remainder = (uint64_t)order[i].fraction};
    }
    /* Fractions of the other sign are not in line. What is left is the sum of all fractions, so it
     * is less than the number of those that are. */
    const int sign = left < 0 ? -1 : 1;
    for (size_t i = 0; i < count; i++)
        if ((parts[i].floor < 0) != (sign < 0))
            order[i] = (struct candidate){.rank = i};
    qsort(order, count, sizeof *order, by_fraction_then_rank);
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
