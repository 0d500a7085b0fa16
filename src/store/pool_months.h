/**
 * Months of pools and how they were divided, and what they are divided by: members and their usage.
 * Texts of results live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_POOL_MONTHS_H
#define STORE_POOL_MONTHS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/pools.h"
#include "store/usage.h"

struct pool_month_row {
    const char *channel;
    const char *pool;
    int64_t day; /**< first of the month */
    bool stale;  /**< something has come since that may divide it otherwise */
    int64_t seq; /**< of the last division that changed a share; 0: none yet */
    instant_us divided_at;
    int64_t took_us;
    int64_t version; /**< of the pool; 0: none was in force */
    int64_t fees;
    int64_t idle; /**< of members who used nothing that counts */
    int64_t unclaimed;
    int64_t members;
    int64_t idle_members;
    int64_t units;
    struct hash sheet_hash;
};

/** What a provider gets, by the version and term by which it joined. */
struct pool_share_row {
    const char *channel;
    const char *pool;
    int64_t day;
    const char *provider;
    const char *agreement;
    int64_t version;
    int64_t term;
    int64_t units;
    int64_t amount;
    const char *exact; /**< the provider's share before rounding */
};

/* ---- what waits ---- */

/** Members put something in: the month is to be divided. */
enum accord_error store_pool_month_came(struct db *db, const struct pool_member_row *rows,
                                        size_t count);
/** Something that months of all pools of a channel are divided by has changed, in [from_day,
 *  to_day). */
enum accord_error store_pool_months_changed(struct db *db, const char *channel, int64_t from_day,
                                            int64_t to_day);
/** The stale month to be divided next: that was divided longest ago and, so that a month that is
 *  told all the time does not keep the writer from everything else, rested ten times as long as
 *  dividing it took. */
enum accord_error store_pool_month_next(struct db *db, struct arena *arena, instant_us now,
                                        struct pool_month_row *ret, bool *ret_found);
/** Stale months of a pool before `to_day`, by day. */
enum accord_error store_pool_months_stale(struct db *db, struct arena *arena, const char *channel,
                                          const char *pool, int64_t to_day,
                                          struct pool_month_row **ret, size_t *ret_count);
/** One month. */
enum accord_error store_pool_month_find(struct db *db, struct arena *arena, const char *channel,
                                        const char *pool, int64_t day, struct pool_month_row *ret,
                                        bool *ret_found);
/** All of them, by (channel, pool, day), for checking. */
enum accord_error store_pool_months_all(struct db *db, struct arena *arena,
                                        struct pool_month_row **ret, size_t *ret_count);
/** The latest division that changed a share of an agreement's months before `to_day`; 0: none. */
enum accord_error store_pool_months_seq(struct db *db, const char *agreement, int64_t to_day,
                                        int64_t *ret);

/* ---- what a month is divided by ---- */

/** Calls back with the members of a month whose fees are not zero, by learner: what nobody known
 *  put in first. */
enum accord_error store_pool_members_of(struct db *db, const char *channel, const char *pool,
                                        int64_t day, pool_member_fn *each, void *context);
/** Usage that counts now, and when it was received. */
typedef enum accord_error pool_usage_fn(void *context, const struct usage_row *row,
                                        instant_us received_at);
/** Calls back with what learners did in [from, to) on a channel, by learner. */
enum accord_error store_pool_usage(struct db *db, const char *channel, instant_us from,
                                   instant_us to, pool_usage_fn *each, void *context);

/* ---- shares ---- */

/** Of a month, by key. */
enum accord_error store_pool_shares(struct db *db, struct arena *arena, const char *channel,
                                    const char *pool, int64_t day, struct pool_share_row **ret,
                                    size_t *ret_count);
/** What members of an agreement's windows get in months before `to_day`, by day and key. */
enum accord_error store_pool_shares_of(struct db *db, struct arena *arena, const char *agreement,
                                       int64_t to_day, struct pool_share_row **ret,
                                       size_t *ret_count);
/** Puts a division in the place of the one before. */
enum accord_error store_pool_month_put(struct db *db, const struct pool_month_row *month,
                                       const struct pool_share_row *shares, size_t count);

#endif
