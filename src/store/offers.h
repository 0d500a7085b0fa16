/** Offers of channels, by version. Texts of results live in the arena given. */
#ifndef STORE_OFFERS_H
#define STORE_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

/** One version of an offer. */
struct offer_row {
    const char *channel;
    const char *offer;
    int64_t version;
    instant_us from_at;
    const char *kind;
    struct slice body; /**< canonical JSON */
    struct hash hash;
    instant_us created_at;
    int64_t seq;
};
struct offer_item_row {
    struct slice provider;
    struct slice course_id;
    int64_t weight;
};
enum accord_error store_offer_insert(struct db *db, const struct offer_row *row,
                                     const struct offer_item_row *items, size_t count);
/** The last version. */
enum accord_error store_offer_get(struct db *db, struct arena *arena, const char *channel,
                                  const char *offer, struct offer_row *ret, bool *ret_found);

/** A version of an offer, with what decides when it applies. */
struct offer_version_row {
    const char *offer;
    instant_us from_at;
    struct slice body;
};
/** All versions of a channel's offers of a kind, by offer and version. */
enum accord_error store_offer_versions(struct db *db, struct arena *arena, const char *channel,
                                       const char *kind, struct offer_version_row **ret,
                                       size_t *ret_count);

/**
 * Last versions, in order of (channel, offer).
 *
 * @param partner  only its own and those that hold a course of it; NULL: all
 * @param limit    at most this many
 */
enum accord_error store_offer_list(struct db *db, struct arena *arena, const char *partner,
                                   const char *after_channel, const char *after_offer,
                                   int64_t limit, struct offer_row **ret, size_t *ret_count);

#endif
