/**
 * Pools of channels, by version, and what their members put in by month. Texts of results live in
 * the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_POOLS_H
#define STORE_POOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/learners.h"
#include "store/store.h"

/** One version of a pool. */
struct pool_row {
    const char *channel;
    const char *pool;
    int64_t version;
    int64_t from_day;  /**< first of the first month that it divides */
    struct slice body; /**< canonical JSON */
    struct hash hash;
    instant_us created_at;
    int64_t seq;
};
enum accord_error store_pool_insert(struct db *db, const struct pool_row *row);
/** One version; `version` 0: the last. */
enum accord_error store_pool_get(struct db *db, struct arena *arena, const char *channel,
                                 const char *pool, int64_t version, struct pool_row *ret,
                                 bool *ret_found);
/** The version that divides the month beginning on `day`. */
enum accord_error store_pool_in_force(struct db *db, struct arena *arena, const char *channel,
                                      const char *pool, int64_t day, struct pool_row *ret,
                                      bool *ret_found);
/** All versions of all pools of a channel, by pool and version. */
enum accord_error store_pools_of(struct db *db, struct arena *arena, const char *channel,
                                 struct pool_row **ret, size_t *ret_count);
/**
 * Last versions, in order of (channel, pool).
 *
 * @param partner  only its own and those of channels that it has an agreement with; NULL: all
 * @param limit    at most this many
 */
enum accord_error store_pool_list(struct db *db, struct arena *arena, const char *partner,
                                  const char *after_channel, const char *after_pool, int64_t limit,
                                  struct pool_row **ret, size_t *ret_count);
/** Whether two partners are parties of a version of one agreement, whatever its state. */
enum accord_error store_pool_may_see(struct db *db, const char *channel, const char *partner,
                                     bool *ret);

/** What a learner puts into a pool in a month, or a change of it. */
struct pool_member_row {
    const char *channel;
    const char *pool;
    int64_t day; /**< first of the month */
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    int64_t fee_minor;
};
/** Adds to what stands; sums that come to zero leave their rows behind. */
enum accord_error store_pool_members_add(struct db *db, const struct pool_member_row *rows,
                                         size_t count);
/** Calls back with every row; texts are valid during the call only. */
typedef enum accord_error pool_member_fn(void *context, const struct pool_member_row *row);
enum accord_error store_pool_members_each(struct db *db, pool_member_fn *each, void *context);

#endif
