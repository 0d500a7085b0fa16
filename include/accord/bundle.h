/**
 * Bundles: one price for several courses, and what of it is whose.
 *
 * The price P is split by largest remainder over one weight per item, x_i = P · w_i / W: by list
 * price (the relative stand-alone selling price of revenue accounting, ASC 606 and IFRS 15), by
 * declared weight, by duration, or in equal parts. Ties go to the item declared first. An item of
 * weight zero gets nothing; all weights zero is an error unless the price is zero.
 *
 * The weights are those of the sale: they are stored with it, and a refund goes back by the same
 * ones, whatever list prices have become since. A discount that belongs to some items only is two
 * steps: the others have their own prices, and the rest is a bundle of its own.
 *
 * Pure; any thread. Nothing is allocated up to ACCORD_APPORTION_INLINE items.
 */
#ifndef ACCORD_BUNDLE_H
#define ACCORD_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "accord/apportion.h"
#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most items of one bundle. */
#define ACCORD_BUNDLE_ITEMS_MAX 1000

/** What an item weighs. */
enum accord_bundle_basis {
    ACCORD_BUNDLE_LIST_PRICE,
    ACCORD_BUNDLE_WEIGHT,
    ACCORD_BUNDLE_DURATION,
    ACCORD_BUNDLE_EQUAL,
};

/** One item, in declared order. Only the field of the basis counts, and it is >= 0. */
struct accord_bundle_item {
    int64_t list_price_minor; /**< as it stood at the sale, in the currency of the bundle */
    int64_t weight;
    int64_t duration_minutes;
};

/**
 * Allocates the price of a bundle to its items.
 *
 * @param price_minor  >= 0
 * @param count        1 .. ACCORD_BUNDLE_ITEMS_MAX
 * @param ret_weights  `count` weights, to be stored with the sale; unwritten on failure, as are
 * @param ret_parts    `count` amounts, their sum is the price, and
 * @param ret_shares   NULL, or `count` explanations
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for the price; ACCORD_E_COUNT_OUT_OF_RANGE;
 *         ACCORD_E_VALUE_UNKNOWN for a basis that does not exist; ACCORD_E_WEIGHT_NEGATIVE;
 *         ACCORD_E_WEIGHTS_ZERO; ACCORD_E_OVERFLOW when the weights' sum does not fit int64;
 *         ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error accord_bundle_allocate(int64_t price_minor, enum accord_bundle_basis basis,
                                         const struct accord_bundle_item *items, size_t count,
                                         int64_t *ret_weights, int64_t *ret_parts,
                                         struct accord_share *ret_shares);

/**
 * What a refund of a bundle takes back from each item: alloc(before) − alloc(after), where alloc(r)
 * splits the cumulative refund r by the weights of the sale.
 *
 * However many refunds lead there, what was taken back after refunds of r in all is alloc(r):
 * within one unit of the exact part, and with the last one exactly what the sale gave. Largest
 * remainder is not monotone, so in between an item may get a unit back, and may stand one unit
 * below what is left of it: never more.
 *
 * @param price_minor           what the sale allocated, >= 0
 * @param weights               `count` weights of the sale
 * @param refunded_before_minor 0 .. refunded_after_minor: all that was refunded before
 * @param refunded_after_minor  .. price_minor: with this refund
 * @param ret_parts             `count` amounts, their sum is −(after − before); unwritten on
 * failure
 * @return as accord_bundle_allocate()
 */
enum accord_error accord_bundle_refund(int64_t price_minor, const int64_t *weights, size_t count,
                                       int64_t refunded_before_minor, int64_t refunded_after_minor,
                                       int64_t *ret_parts);

#ifdef __cplusplus
}
#endif

#endif
