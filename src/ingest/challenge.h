/**
 * Challenges: what entries are, by what was posted of them, and what a round comes to.
 *
 * An entry follows the version of its offer that was in force when it joined. Its window begins on
 * the day of joining, or on the offer's own (`starts_on`), in the time zone fixed at joining; days
 * are whole days of that zone. Entries of an offer with a day of its own are one round, named by
 * that day; of others those whose windows end in the same calendar month, named by it.
 *
 * A round is settled as include/accord/challenge.h says, with the terms of its first entry. What is
 * kept of deposits is revenue of the channel's agreement with the operator: each entry that
 * forfeits bears its part of the fee (by largest remainder over what was forfeited, in the order of
 * joining), which is settled as an order of one line on the last day of its window, whose provider
 * is the operator and whose course is the offer.
 *
 * Nothing here writes; posting, verify and the API share it.
 */
#ifndef INGEST_CHALLENGE_H
#define INGEST_CHALLENGE_H

#include "accord/challenge.h"
#include "base/zone.h"
#include "ingest/offer.h"
#include "ingest/periods.h"
#include "ingest/settled.h"
#include "store/challenge_rounds.h"

/** Offers of challenges of channels, in memory, read as they are needed. Not thread-safe. */
struct challenge_book;
/** Lives in the arena, and as long as no offer changes. NULL when out of memory. */
struct challenge_book *challenge_book_new(struct db *db, struct arena *arena);

/** An entry as its facts say. */
struct challenge_view {
    const struct challenge_row *joined;    /**< NULL: it was taken back */
    const struct challenge_row *withdrawn; /**< within its window; or NULL */
    const struct offer *offer;             /**< NULL: there was none of its currency then */
    const struct zone *zone;               /**< fixed at joining */
    const char *round;                     /**< "" without an offer */
    int64_t round_last_day;
    int64_t first_day;
    int64_t last_day;
    int64_t done_days; /**< make-ups included */
    int64_t makeups;
};

enum accord_error challenge_view_of(struct challenge_book *book, struct arena *arena,
                                    const struct stored_challenge *stored,
                                    struct challenge_view *ret);

/** When a round is over everywhere, and what was done offline has had three days to arrive. */
instant_us challenge_due_at(int64_t last_day);

/**
 * What stands of the deposit while the round is not settled.
 *
 * @return minor units that the channel holds
 */
int64_t challenge_held(const struct challenge_view *view);

/**
 * Settles a round.
 *
 * @param views    of `count` entries, in any order; all joined, of one round
 * @param entries  likewise: what is settled of them is filled
 * @param ret      of it `carried_in` is read, and what is settled filled
 */
enum accord_error challenge_settle(struct arena *arena, const struct challenge_view *views,
                                   struct challenge_entry_row *entries, size_t count,
                                   struct challenge_round_row *ret);

/** What the entries of an entry's fee should add up to; nothing without a fee. */
enum accord_error challenge_settled(const struct agreement_choice *choice, struct rate_book *rates,
                                    struct arena *arena, const char *operator_id,
                                    const struct challenge_entry_row *entry, struct settled *ret);

/** The order that an entry's fee is settled as; in the arena. NULL: out of memory. */
struct accord_order *challenge_order(struct arena *arena, const char *operator_id,
                                     const struct challenge_entry_row *entry);

#endif
