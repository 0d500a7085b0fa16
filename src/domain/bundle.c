#include "accord/bundle.h"

#include <string.h>

static int64_t weight_of(const struct accord_bundle_item *item, enum accord_bundle_basis basis)
{
    switch (basis) {
    case ACCORD_BUNDLE_LIST_PRICE:
        return item->list_price_minor;
    case ACCORD_BUNDLE_WEIGHT:
        return item->weight;
    case ACCORD_BUNDLE_DURATION:
        return item->duration_minutes;
    case ACCORD_BUNDLE_EQUAL:
        break;
    }
    return 1;
}

enum accord_error accord_bundle_allocate(int64_t price_minor, enum accord_bundle_basis basis,
                                         const struct accord_bundle_item *items, size_t count,
                                         int64_t *ret_weights, int64_t *ret_parts,
                                         struct accord_share *ret_shares)
{
    int64_t weights[ACCORD_BUNDLE_ITEMS_MAX];
    if (price_minor < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (count < 1 || count > ACCORD_BUNDLE_ITEMS_MAX)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    if ((unsigned)basis > ACCORD_BUNDLE_EQUAL)
        return ACCORD_E_VALUE_UNKNOWN;
    for (size_t i = 0; i < count; i++)
        weights[i] = weight_of(&items[i], basis);
    const enum accord_error err =
        accord_apportion(price_minor, weights, count, ret_parts, ret_shares);
    if (err == ACCORD_OK)
        memcpy(ret_weights, weights, count * sizeof *weights);
    return err;
}

enum accord_error accord_bundle_refund(int64_t price_minor, const int64_t *weights, size_t count,
                                       int64_t refunded_before_minor, int64_t refunded_after_minor,
                                       int64_t *ret_parts)
{
    int64_t before[ACCORD_BUNDLE_ITEMS_MAX];
    int64_t after[ACCORD_BUNDLE_ITEMS_MAX];
    if (refunded_before_minor < 0 || refunded_before_minor > refunded_after_minor ||
        refunded_after_minor > price_minor)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (count < 1 || count > ACCORD_BUNDLE_ITEMS_MAX)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    enum accord_error err = accord_apportion(refunded_before_minor, weights, count, before, NULL);
    if (err == ACCORD_OK)
        err = accord_apportion(refunded_after_minor, weights, count, after, NULL);
    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < count; i++)
        ret_parts[i] = before[i] - after[i];
    return ACCORD_OK;
}
