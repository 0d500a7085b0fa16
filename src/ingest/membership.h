/**
 * Memberships: what of a term is recognised in which month, and what that comes to.
 *
 * A term is revenue of its channel's agreement with the operator: every calendar month that it
 * touches, in the agreement's zone, is settled as an order of one line whose provider is the
 * operator and whose course is the offer. A month's amounts are what accord/membership.h recognises
 * in it of what was paid, the tax and the fees. What a cancellation takes back beyond what is still
 * to come is settled as an order of its own, with the opposite sign.
 *
 * Nothing here writes; posting, verify and the API share it.
 */
#ifndef INGEST_MEMBERSHIP_H
#define INGEST_MEMBERSHIP_H

#include "ingest/periods.h"
#include "ingest/pool.h"
#include "ingest/settled.h"
#include "store/memberships.h"

enum membership_amount {
    MEMBERSHIP_PAID,
    MEMBERSHIP_TAX,
    MEMBERSHIP_STORE_FEE,
    MEMBERSHIP_PAYMENT_FEE,
    MEMBERSHIP_AMOUNTS,
};

struct membership_month {
    int64_t line;                           /**< months since that in which the term begins */
    char label[PERIOD_LABEL_MAX];           /**< "2026-01" */
    int64_t day;                            /**< the first that is recognised in it */
    instant_us at;                          /**< likewise */
    int64_t amounts[MEMBERSHIP_AMOUNTS];    /**< recognised; negative: taken back */
    const struct accord_pool_funding *pool; /**< that it funds, or NULL */
    const struct accord_rate_pin *rates;    /**< by version, or NULL: the book's */
};

struct membership_schedule {
    const struct membership_row *term;
    const char *operator_id;
    const char *offer; /**< "": that of a membership whose start is not known yet */
    struct accord_currency currency;
    const struct zone *zone; /**< whose months: of the agreement that covers it first, or UTC */
    bool given[MEMBERSHIP_AMOUNTS]; /**< by the channel */
    bool cancelled;
    instant_us cancelled_at;
    int64_t returned[MEMBERSHIP_AMOUNTS];
    int64_t excess; /**< refunded beyond what was paid */
    int64_t excess_count;
    struct membership_month *months;
    size_t count;
};

/** The term that a row of a membership stands for is current: neither superseded nor voided. */
bool membership_is_term(const struct stored_term *term);

/**
 * What is recognised when of a membership's term.
 *
 * @param choice  versions that may cover it: they say whose months count
 * @param pools   which pools months fund
 * @param index   of a row for which membership_is_term() is true
 */
enum accord_error membership_schedule(struct arena *arena, const struct agreement_choice *choice,
                                      struct pool_book *pools, const char *operator_id,
                                      const struct stored_membership *membership, size_t index,
                                      struct membership_schedule *ret);

/** The same in a zone that is known, and without pools: no database. */
enum accord_error membership_schedule_in(struct arena *arena, const struct zone *zone,
                                         const char *operator_id,
                                         const struct stored_membership *membership, size_t index,
                                         struct membership_schedule *ret);

/** Whether a row of a membership is a cancellation that stops the term of another one. */
bool membership_stops(const struct stored_membership *membership, size_t cancellation, size_t term);

/** The order that a month is settled as: of what is recognised in it or, with `taken_back`, of what
 *  is taken back. NULL in *ret: there is nothing of this. Lives in the arena. */
enum accord_error membership_order(struct arena *arena, const struct membership_schedule *schedule,
                                   size_t month, bool taken_back, struct accord_order **ret);

/** What the entries of a term should add up to.
 *  @param rates  NULL: months say theirs */
enum accord_error membership_settled(const struct agreement_choice *choice, struct rate_book *rates,
                                     struct arena *arena,
                                     const struct membership_schedule *schedule,
                                     struct settled *ret);

/** The same for all rows of a membership, with the terms of the book: one for each, empty for those
 *  that are no term. */
enum accord_error membership_settled_all(struct agreement_book *book, struct rate_book *rates,
                                         struct pool_book *pools, struct arena *arena,
                                         const char *operator_id,
                                         const struct stored_membership *membership,
                                         struct settled **ret, int64_t *ret_months);

#endif
