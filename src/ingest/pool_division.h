/**
 * Dividing a month of a pool: what its members put in, by what they used, among the providers that
 * joined.
 *
 * The version of the pool in force in the month divides it. Members are the learners with a fee
 * that is not zero. What they used counts for the provider of the course, when the version of an
 * agreement that covers the use (as it would a sale of that course at that instant) has joined this
 * version of the pool; use of anything else counts for nobody. What a provider gets that joined by
 * several terms is spread over these by the seconds (or events) of each.
 *
 * Months are divided again whenever something that may change them has come: in the background
 * (ingest_tx_idle), and before a period of an agreement that joined is closed.
 */
#ifndef INGEST_POOL_DIVISION_H
#define INGEST_POOL_DIVISION_H

#include "ingest/book.h"
#include "ingest/pool.h"
#include "ingest/tx.h"
#include "store/pool_months.h"

/** What a month comes to. */
struct pool_division {
    struct pool_month_row month;   /**< stale, seq, divided_at and took_us are left to the caller */
    struct pool_share_row *shares; /**< by key; none of zero units and amount */
    size_t count;
};

/** Who wants to see what a month is divided by. A month that cannot be divided shows nothing. */
struct pool_sheet {
    /** First: the terms, and who joined, by index; `weights_ppm` is in the same order. */
    enum accord_error (*begin)(void *context, const struct accord_pool_terms *terms,
                               const char *const *providers);
    /** Each member, by learner; `learner` is NULL for what nobody known put in. */
    enum accord_error (*member)(void *context, const uint8_t *learner, int64_t fee_minor,
                                const struct accord_pool_cell *cells, size_t count);
    void *context;
};

/** Divides a month on what the database says now, and writes nothing. @param sheet  NULL: nobody */
enum accord_error pool_divide(struct db *db, struct arena *arena, struct agreement_book *book,
                              const char *channel, const char *pool, int64_t day,
                              const struct pool_sheet *sheet, struct pool_division *ret);

/** The same with other terms than those of the version in force: what members put in stays. */
enum accord_error pool_divide_as(struct db *db, struct arena *arena, struct agreement_book *book,
                                 const char *channel, const char *pool, int64_t day,
                                 const struct pool *terms, struct pool_division *ret);

/** Divides one stale month that may be divided now; *ret_more: there may be others. */
enum accord_error pool_divide_next(struct ingest_tx *tx, bool *ret_more);
/** Divides what is stale of the pools that an agreement's versions joined, before `to_day`. */
enum accord_error pool_divide_joined(struct ingest_tx *tx, const struct agreement_version *versions,
                                     size_t count, int64_t to_day);
/** Whether something of that is stale. */
enum accord_error pool_joined_stale(struct db *db, struct arena *arena,
                                    const struct agreement_version *versions, size_t count,
                                    int64_t to_day, bool *ret);

/** Channels and instants of usage that came or was taken back. */
struct pool_usage_change {
    const char *channel;
    instant_us occurred_at;
};
/** Marks the months that they may divide otherwise; sorts `changes`. */
enum accord_error pool_usage_changed(struct ingest_tx *tx, struct pool_usage_change *changes,
                                     size_t count);

#endif
