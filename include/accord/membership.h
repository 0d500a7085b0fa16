/**
 * Memberships: what of a term's price is recognised as revenue on which days.
 *
 * A term of D days paid with p is recognised day by day. After d of its days the sum is
 *
 *     cum(d) = floor(p · d / D)        0 <= d <= D
 *
 * and a range of days has the difference of two such sums, so any ranges that join end to end
 * (days, months, a month cut by an agreement) add up to p exactly, without a rounding of their own.
 *
 * Days are whole numbers from any origin, the same for all (days since 1970 in the zone of the
 * agreement, say): what a day is in which zone the caller decides, so neither clock nor daylight
 * saving comes in here. A trial is a term with p = 0. An upgrade in mid-term is a cancellation and
 * a new term. Pure; any thread; nothing is allocated.
 */
#ifndef ACCORD_MEMBERSHIP_H
#define ACCORD_MEMBERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The longest term, in days: a little more than ten years. */
#define ACCORD_MEMBERSHIP_DAYS_MAX 3660

/** When that is recognised which at a cancellation is neither recognised nor refunded. */
enum accord_on_cancel {
    ACCORD_ON_CANCEL_DAY,      /**< at once, on the day of the cancellation */
    ACCORD_OVER_ORIGINAL_TERM, /**< day by day over what was left of the term */
};

/** One paid term, and how it ended. */
struct accord_membership {
    int64_t paid_minor; /**< >= 0, in minor units: what there is to recognise */
    int64_t from_day;   /**< first day of the term */
    int64_t to_day;     /**< first day after it; 1 .. ACCORD_MEMBERSHIP_DAYS_MAX after from_day */
    bool cancelled;     /**< false: the fields below do not count */
    int64_t cancel_day; /**< the day of the cancellation, which is no day of the term any more.
                           Before the term: nothing of it was used, the sums stand on from_day.
                           After it: a late refund */
    int64_t refunded_minor; /**< 0 .. paid_minor: all that was given back */
    enum accord_on_cancel on_cancel;
};

/**
 * What is recognised on the days first_day .. end_day - 1.
 *
 * Over all days it adds up to paid − refunded. It is negative only for a range that contains the
 * day of a cancellation at which more was refunded than was left to recognise: what exceeds that is
 * taken back on this day, under both policies.
 *
 * @param first_day  any day, may lie outside the term, where nothing is recognised
 * @param end_day    >= first_day; equal: an empty range, 0
 * @param ret_minor  the amount; unwritten on failure
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for a range that ends before it begins, a term
 *         that is empty or too long, or amounts beyond their range; ACCORD_E_VALUE_UNKNOWN for an
 *         on_cancel that does not exist
 */
enum accord_error accord_membership_recognised(const struct accord_membership *membership,
                                               int64_t first_day, int64_t end_day,
                                               int64_t *ret_minor);

#ifdef __cplusplus
}
#endif

#endif
