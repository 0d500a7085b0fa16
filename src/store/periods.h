/**
 * Periods of agreements, once they are closed. A period is known by the agreement and its first
 * day (days since 1970-01-01); one that has no row is open. They are closed in order, so the last
 * one says it all. Texts of results live in the arena given.
 */
#ifndef STORE_PERIODS_H
#define STORE_PERIODS_H

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

struct period_row {
    const char *agreement;
    int64_t day;           /**< its first */
    const char *label;     /**< "2026-01", "2026-Q1" */
    int64_t to_day;        /**< exclusive */
    instant_us from_at;    /**< the bounds, in the agreement's zone */
    instant_us to_at;      /**< exclusive */
    struct hash zone_hash; /**< of the zone's name and the version of the data that gave them */
    int64_t closed_seq;
    instant_us closed_at;
    const char *closed_by; /**< partner id of the operator */
};

/** No period of the agreement is closed. */
#define PERIOD_NONE INT64_MIN

/** First days of the last closed periods: ret[i] belongs to agreements[i], or is PERIOD_NONE. */
enum accord_error store_periods_last(struct db *db, const char *const *agreements, size_t count,
                                     int64_t *ret);
enum accord_error store_period_insert(struct db *db, const struct period_row *row);
enum accord_error store_period_find(struct db *db, struct arena *arena, const char *agreement,
                                    int64_t day, bool *ret_found, struct period_row *ret);
/** Closed periods of an agreement behind day `after` (PERIOD_NONE: all), oldest first, at most
 *  `limit`. */
enum accord_error store_periods_list(struct db *db, struct arena *arena, const char *agreement,
                                     int64_t after, int64_t limit, struct period_row **ret,
                                     size_t *ret_count);

/** Calls back with every closed period, by agreement and day; texts are valid during the call. */
typedef enum accord_error period_row_fn(void *context, const struct period_row *row);
enum accord_error store_periods_each(struct db *db, period_row_fn *each, void *context);

#endif
