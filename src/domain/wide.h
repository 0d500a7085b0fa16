/* Largest remainder on 128-bit values: what a pool needs before its one rounding to minor units. */
#ifndef ACCORD_DOMAIN_WIDE_H
#define ACCORD_DOMAIN_WIDE_H

#include <stddef.h>
#include <stdint.h>

#include "accord/apportion.h"
#include "domain/fraction.h"

/** floor + rest / whole, for a `whole` that goes with it; 0 <= rest < whole. */
struct wide_part {
    wide floor;
    uwide rest;
};

/** The exact parts total · weights[i] / W for weights >= 0 whose sum W is in 1 .. 2^127 - 1; W is
 *  the `whole` of the parts. total > -2^127. */
void wide_divide(wide total, const wide *weights, size_t count, struct wide_part *ret_parts,
                 uwide *ret_whole);

/** The same parts rounded to whole numbers by largest remainder, as accord_apportion() does with
 *  64 bits, into the floors; the rests are 0 then. */
enum accord_error wide_split(wide total, const wide *weights, size_t count,
                             struct wide_part *ret_parts);

/**
 * Rounds the shares part / denominator, which add up to the whole number `total`, to whole numbers
 * with the same sum. Each is cut towards zero; the units left over go, with their sign, to the
 * largest fractions of that sign, ties to the smaller index. Without mixed signs that is the
 * largest remainder; the mirror of the input gives the mirror of the output.
 *
 * @param parts       of `whole`, and of a magnitude up to INT64_MAX · denominator
 * @param ret_shares  `count` explanations: floor and remainder (over the denominator, cut) are of
 *                    the magnitude
 * @return ACCORD_OK or ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error wide_round(const struct wide_part *parts, uwide whole, uint64_t denominator,
                             int64_t total, size_t count, int64_t *ret_parts,
                             struct accord_share *ret_shares);

#endif
