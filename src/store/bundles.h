/** Sales of offers as a whole, and the courses that an offer was at the time. Texts of results live
 *  in the arena given. */
#ifndef STORE_BUNDLES_H
#define STORE_BUNDLES_H

#include <stdbool.h>
#include <stdint.h>

#include "accord/settle.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

/** What was paid for an offer; amounts of the whole order. */
struct bundle_row {
    int64_t seq;
    const char *channel;
    const char *offer;
    instant_us occurred_at;
    int64_t paid;
    int64_t tax; /**< -1: not given, as are the fees */
    int64_t store_fee;
    int64_t payment_fee;
    int64_t discounts[ACCORD_FUNDERS];
};
enum accord_error store_bundles_insert(struct db *db, const struct bundle_row *rows, size_t count);
/** Those of an offer from an instant on, superseded ones too. */
enum accord_error store_bundles_of(struct db *db, struct arena *arena, const char *channel,
                                   const char *offer, instant_us from, struct bundle_row **ret,
                                   size_t *ret_count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_bundle_stands(struct db *db, const struct bundle_row *row, bool *ret);

struct bundle_item {
    const char *provider;
    const char *course_id;
    int64_t weight;
};
/** The items, by rank, of the version of an offer that is in force at an instant; none when there
 *  is no such version, or it is not one of courses at a price. */
struct bundle_offer {
    const char *channel; /**< in, like the two behind it */
    const char *offer;
    instant_us at;
    struct bundle_item *items;
    size_t count;
    size_t cap; /* the store's */
};
enum accord_error store_bundle_items(struct db *db, struct arena *arena,
                                     struct bundle_offer *offers, size_t count);

#endif
