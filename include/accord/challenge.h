/**
 * Challenges: deposits that come back to who keeps at it, check-in by check-in.
 *
 * Everybody of a round puts in a deposit d and needs N days with a check-in. Who has them is a
 * finisher. The rest forfeit F: the deposits of those who failed and what was kept of those who
 * withdrew. With K finishers,
 *
 *     fee = phi · (F + carried in), rounded half to even      pot = F + carried in − fee
 *     payout = d + a part of the pot                          for finishers
 *     payout = what was refunded                              for those who withdrew
 *     payout = 0                                              for the others
 *
 * and the pot is split by largest remainder, in equal parts or by days. With no finisher there is
 * no fee, and everything forfeited goes where the agreement says: back, to charity, or to the next
 * round. The sum of payouts, fee, charity and what is carried on is the sum of deposits and of what
 * was carried in, always; a finisher never gets less than his deposit. Deposits are a liability
 * until then, never revenue.
 *
 * Sharing, inviting or promoting is no input here and so no condition for anything.
 *
 * Pure; any thread. accord_challenge_settle() allocates scratch for its entries, nothing else does.
 */
#ifndef ACCORD_CHALLENGE_H
#define ACCORD_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The longest window of a challenge, in days. */
#define ACCORD_CHALLENGE_DAYS_MAX 3660

/** How the pot is split over the finishers. */
enum accord_challenge_split {
    ACCORD_CHALLENGE_EQUAL,
    ACCORD_CHALLENGE_BY_DAYS, /**< by days done; more than needed count as needed, so it differs
                                 from equal parts where entries need different numbers of days */
};

/** Where everything goes that was forfeited when nobody finished. */
enum accord_challenge_none {
    ACCORD_CHALLENGE_REFUND, /**< back: everybody has his whole deposit returned. What was carried
                                in belongs to nobody of this round and is carried on */
    ACCORD_CHALLENGE_CHARITY,
    ACCORD_CHALLENGE_NEXT_ROUND,
};

struct accord_challenge_terms {
    int64_t fee_ppm; /**< phi: 0 .. 1 000 000, of what is forfeited, when somebody finished */
    enum accord_challenge_split split;
    enum accord_challenge_none none;
    int64_t carried_in; /**< >= 0: what an earlier round without finishers left, minor units */
};

/** One learner's entry. The order of entries decides ties: the caller sorts. */
struct accord_challenge_entry {
    int64_t deposit_minor;  /**< >= 0 */
    int64_t needed_days;    /**< 1 .. ACCORD_CHALLENGE_DAYS_MAX */
    int64_t done_days;      /**< >= 0, make-ups included: see accord_challenge_days() */
    bool withdrawn;         /**< left before the end: no finisher, whatever he did */
    int64_t refunded_minor; /**< of a withdrawn entry: 0 .. deposit, given back when it left */
};

/** What a round comes to, in minor units. */
struct accord_challenge_result {
    size_t finishers;
    int64_t forfeited; /**< F; without what was carried in */
    int64_t fee;
    int64_t pot;     /**< what the finishers share beyond their deposits */
    int64_t charity; /**< only without finishers */
    int64_t carried; /**< to the next round; only without finishers */
};

/**
 * Settles one round.
 *
 * @param ret_payouts  `count` amounts: all that an entry gets, what a withdrawn one already had
 *                     included; unwritten on failure, as is ret_result
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for a number beyond its range;
 *         ACCORD_E_VALUE_UNKNOWN for a split or policy that does not exist; ACCORD_E_OVERFLOW when
 *         the deposits and what is carried in do not fit int64; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error accord_challenge_settle(const struct accord_challenge_terms *terms,
                                          const struct accord_challenge_entry *entries,
                                          size_t count, int64_t *ret_payouts,
                                          struct accord_challenge_result *ret_result);

/**
 * The other kind of challenge, without a pot: a part of the deposit for each day done,
 * floor(deposit · min(done, needed) / needed).
 *
 * @param deposit_minor  >= 0
 * @param done_days      >= 0
 * @param needed_days    1 .. ACCORD_CHALLENGE_DAYS_MAX
 * @return ACCORD_OK or ACCORD_E_VALUE_OUT_OF_RANGE; *ret_minor is unwritten on failure
 */
enum accord_error accord_challenge_pro_rata(int64_t deposit_minor, int64_t done_days,
                                            int64_t needed_days, int64_t *ret_minor);

/** One check-in. Days are whole numbers in the zone that was fixed when the learner joined, so that
 *  neither travel nor daylight saving moves one: the caller turns instants into days. */
struct accord_challenge_checkin {
    int64_t day;
    bool makeup; /**< a make-up card: stands for a missing day */
};

/** The window of an entry and how many make-ups count in it. */
struct accord_challenge_window {
    int64_t first_day;
    int64_t last_day; /**< inclusive; at most ACCORD_CHALLENGE_DAYS_MAX days with the first */
    int64_t makeups_allowed; /**< >= 0 */
};

/**
 * Counts the days done.
 *
 * - Several check-ins of one day are one day; days outside the window are none.
 * - A make-up stands for one day without a check-in, its own or an earlier one of the window; each
 *   for another, and no more of them than allowed. So a card played on the last day still fills a
 *   gap, one played after it does not, and one for which there is no gap is lost.
 * - The order of check-ins does not matter.
 *
 * @param ret_done     days that count, make-ups included: 0 .. days of the window
 * @param ret_makeups  NULL, or how many of them are make-ups
 * @return ACCORD_OK or ACCORD_E_VALUE_OUT_OF_RANGE for a window that cannot be; outputs are
 *         unwritten on failure
 */
enum accord_error accord_challenge_days(const struct accord_challenge_window *window,
                                        const struct accord_challenge_checkin *checkins,
                                        size_t count, int64_t *ret_done, int64_t *ret_makeups);

#ifdef __cplusplus
}
#endif

#endif
