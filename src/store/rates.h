/**
 * Exchange rates: days as they were published, in versions; the last version of a day stands,
 * whole. Texts of results live in the arena given. See fx_day in the migration.
 */
#ifndef STORE_RATES_H
#define STORE_RATES_H

#include <stdint.h>

#include "accord/money.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

/** One version of a day. */
struct rate_day {
    const char *base;
    int64_t day;     /**< days since 1970-01-01 */
    int64_t version; /**< 1, 2 … */
    const char *source;
    const char *reason; /**< why corrected, or "" */
    instant_us loaded_at;
    const char *loaded_by; /**< partner, or "": the program itself */
    int64_t seq;
};

/** One rate of a version of a day. */
struct rate_row {
    struct accord_currency currency;
    int64_t day;
    int64_t version;
    const char *rate; /**< as published */
};

/** What is known of a base. */
struct rate_head {
    bool known;         /**< false: nothing; then the rest is zero */
    int64_t newest_day; /**< days before it are final */
    int64_t seq;        /**< of the last change */
};
enum accord_error store_rates_head(struct db *db, const char *base, struct rate_head *ret);

/** Inserts versions of days with their rates, all of one base. */
enum accord_error store_rates_insert(struct db *db, const struct rate_day *days, size_t day_count,
                                     const struct rate_row *rates, size_t rate_count);

/** The versions that stand of days: ret[i] belongs to days[i]; version 0: there is none. */
enum accord_error store_rates_days(struct db *db, struct arena *arena, const char *base,
                                   const int64_t *days, size_t count, struct rate_day *ret);
/** Days that have rates behind `after`, at most `limit`, in order. */
enum accord_error store_rates_list(struct db *db, struct arena *arena, const char *base,
                                   int64_t after, int64_t limit, struct rate_day **ret,
                                   size_t *ret_count);

/** The rates of these versions, in the order of `days`; those of version 0 are passed over. */
enum accord_error store_rates_of(struct db *db, struct arena *arena, const char *base,
                                 const struct rate_day *days, size_t count, struct rate_row **ret,
                                 size_t *ret_count);
/** For every currency that has one: its last rate of a day up to this one, by currency. */
enum accord_error store_rates_applying(struct db *db, struct arena *arena, const char *base,
                                       int64_t day, struct rate_row **ret, size_t *ret_count);
/** The rates that stand of one currency, of days in [from, to), in order. */
enum accord_error store_rates_series(struct db *db, struct arena *arena, const char *base,
                                     struct accord_currency currency, int64_t from, int64_t to,
                                     struct rate_row **ret, size_t *ret_count);
/** Its last before a day; *ret_found false: there is none. */
enum accord_error store_rates_before(struct db *db, struct arena *arena, const char *base,
                                     struct accord_currency currency, int64_t day, bool *ret_found,
                                     struct rate_row *ret);
/** The next days that have a rate of these currencies: ret[i] belongs to currencies[i]; INT64_MAX:
 *  there is none. */
enum accord_error store_rates_next(struct db *db, const char *base,
                                   const struct accord_currency *currencies, size_t count,
                                   int64_t day, int64_t *ret);

/** Sales that are converted, or wait for a rate: what there is of them by day. */
struct converted_row {
    const char *agreement;
    int64_t version;
    int64_t day; /**< local */
    const char *channel;
    const char *provider;
    const char *currency;
    const char *sale_currency;
};
/** Calls back for days in [from, to); texts are valid during the call only. */
typedef enum accord_error converted_fn(void *context, const struct converted_row *row);
enum accord_error store_rates_converted(struct db *db, int64_t from, int64_t to, converted_fn *each,
                                        void *context);

#endif
