/**
 * Windows: terms that are settled on the sums of a period, a year or the life of an agreement, with
 * one rounding, and not line by line.
 *
 * The fold: periods of an agreement are settled in order, each version of a period in order of its
 * number; a state carries what windows longer than a period have come to. A window's amount is
 * always that of all of the window so far, and what a period gets is the difference to what came
 * before it:  pay(t) = f(sum up to t) - f(sum before t).  So the periods of a year add up to the
 * year computed at once, and an early period that is restated moves the later ones consistently.
 * Windows belong to the agreement: they go on when a version follows another, and each version
 * applies its own f to both sums; what is decided at the end of a window is decided by the version
 * that is in force there.
 *
 * Order of calculation:
 *
 * 1. Out of what the lines left open, with S the metric of the window so far, base what shares are
 *    taken of, n what is counted:
 *      tiered, marginal   sum over brackets k of rate_k * max(0, min(S, to_k) - from_k)
 *      tiered, whole      rate(S) * S, or, of net by a count, rate(S) * base
 *      CPA                n * amount, at most the cap; at the window's end at least the floor
 *      greater of         max(share * base, n * amount)
 *    each rounded once, half to even. Below zero the first bracket goes on.
 * 2. The residual is what remains of open. It may be negative: terms do not depend on there being
 *    enough. Then come shares of pools, which are no part of open: each is a pair of lines, to its
 *    payee and from the pool. What a payee earned is what lines, these terms, the residual and the
 *    pools gave it.
 * 3. Guarantee G, at its window's end: a top-up of what earned and top-ups lie below G; or, when
 *    they lie above it and top-ups are recoupable, a recoupment of the excess, as long as there is
 *    any to recoup. (A floor owed regardless of sales, taken back from better windows.)
 *    Advance, paid out when the agreement begins: at the end of each period, with a = earned +
 *    carry, nothing is recouped and a is carried while a < 0; else min(a, unrecouped) is recouped.
 *    At the end of the agreement a true-up fills what was paid up to the minimum.
 * 4. Floors, each at its window's end, on what the payee earned and was topped up; then caps, at
 *    once, on that and the floors. When a window comes down again, its cap gives back.
 *
 * In 3 and 4 shorter windows come first, and a window sees what its own and shorter ones gave and
 * took. Within a window no two of a kind have one payee, so the declared order decides no amount.
 *
 * What is not cut from net (3 and floors) is a pair of lines, one of them negative, that of who
 * funds it; what a cap cuts goes to the payee of the residual. So all lines of a part add up to its
 * `open`, and together with what the lines gave, to net.
 *
 * Amounts of guarantees and floors whose window is the period are for a whole one: when the
 * agreement was in force for a part of it they are amount * days / days of the period, rounded half
 * to even. A year or a life is never cut. For a period or year in which the agreement was not in
 * force for a day, nothing is promised, whatever still comes in.
 *
 * Pure, re-entrant, allocates nothing.
 */
#ifndef ACCORD_WINDOW_H
#define ACCORD_WINDOW_H

#include "accord/settle.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a party gets of a pool that its version joined: see accord/pool.h. */
struct accord_window_pool {
    uint32_t term;  /**< index of the pool term */
    uint32_t payee; /**< party */
    int64_t amount; /**< of the pool, for the period */
    int64_t kept;   /**< >= 0: what it keeps although the pool has come down since it was told
                         (`late_usage: up_only`); the channel of the pool bears it */
};

/** What the settled lines of one version in one period add up to. */
struct accord_window_sums {
    int64_t net;
    int64_t base;  /**< of accord_line_result */
    int64_t open;  /**< likewise; what is to be handed out */
    int64_t lines; /**< that qualify */
    int64_t units;
    /** Distinct learners with a qualifying line who have none earlier in that window: in an earlier
     *  period of it, or in this period under an earlier version. By enum accord_window. */
    int64_t new_learners[ACCORD_WINDOWS];
    int64_t shares[ACCORD_PARTIES_MAX];     /**< what the lines gave each party */
    const struct accord_window_pool *pools; /**< at most ACCORD_WINDOW_POOLS_MAX; borrowed */
    size_t pool_count;
};

/** Which part of which period a version was in force for. */
struct accord_window_period {
    int64_t period; /**< numbers the periods of the agreement, ascending */
    int64_t year;   /**< of the calendar in the agreement's zone */
    int64_t days;   /**< of the period that the version was in force for; 0 .. days_of_period. Those
                         of all versions of a period add up */
    int64_t days_of_period; /**< >= 1 */
    bool first_of_life;     /**< the first part of all: advances are paid out */
    bool ends_period;       /**< nothing of this period comes after it */
    bool ends_year;         /**< nothing of this year comes after it; ends the period, too */
    bool ends_life;         /**< the agreement ends here, and with it the year and the period */
};

enum { ACCORD_WINDOW_ACCOUNTS = 16, ACCORD_ID_MAX = 63 };

/** What windows have come to for one payee; of guarantees, floors and caps those of the window
 *  itself and of shorter ones. */
struct accord_window_account {
    char payee[ACCORD_ID_MAX + 1];
    int64_t earned[ACCORD_WINDOWS];    /**< so far: lines, window terms and residual */
    int64_t topped_up[ACCORD_WINDOWS]; /**< given by guarantees */
    int64_t recouped[ACCORD_WINDOWS];  /**< taken back of that */
    int64_t floored[ACCORD_WINDOWS];   /**< given by floors */
    int64_t capped[ACCORD_WINDOWS];    /**< taken by caps */
    int64_t cut[ACCORD_WINDOWS];       /**< of that, by the cap of just this window */
    int64_t to_recoup;                 /**< of guarantees */
    int64_t unrecouped;                /**< of advances */
    int64_t carry;                     /**< <= 0: earnings below zero that wait for better ones */
    int64_t paid;                      /**< advances, top-ups, and what was payable */
};

/** The state of the fold; zeroed before the first period. */
struct accord_window_state {
    int64_t period;
    int64_t year;
    int64_t days[ACCORD_WINDOWS]; /**< of the windows, so far, in force */
    /** Sums of the windows so far, by window and metric. */
    int64_t sums[ACCORD_WINDOWS][ACCORD_METRICS];
    struct accord_window_account accounts[ACCORD_WINDOW_ACCOUNTS];
    uint32_t account_count;
};

/** Payee of the other side of a pool's share: the pool that the term names. */
#define ACCORD_PARTY_POOL UINT32_MAX

/** One amount of a window. */
struct accord_window_line {
    uint32_t term; /**< index of the term; of a cap's other side too */
    const char
        *kind;      /**< "tiered", "cpa", "greater_of", "residual", "pool", "late_usage",
                         "guarantee", "recoupment", "advance", "true_up", "floor", "cap"; static */
    uint32_t payee; /**< party of the version, or ACCORD_PARTY_POOL */
    int64_t amount; /**< never 0 */
};

enum {
    ACCORD_WINDOW_POOLS_MAX = ACCORD_TERMS_MAX * ACCORD_PARTIES_MAX,
    ACCORD_WINDOW_LINES_MAX = 6 * ACCORD_TERMS_MAX + 4 * ACCORD_WINDOW_POOLS_MAX,
};

/**
 * Settles one version's part of one period.
 *
 * Steps of an explanation: before each term's own step (op as kind of the line; its exact value is
 * that of the difference, while what is rounded are the window's amounts after and before it) come
 *
 *     tier      marginal: each bracket that the part moved in; amount: how much of the metric moved
 *               there, rate: the bracket's, exact: what that gives. Whole: the bracket that is
 *               reached; amount: the metric of the window; exact: what that gives
 *     share     greater of: the base of the window, the rate, and what that gives
 *     counted   CPA and greater of: what is counted in the window, and what that gives
 *     so_far    what the window had come to before, negative; not of marginal tiers
 *     earned    guarantee, advance, floor, cap: what the payee has in the window, before the term;
 *               an advance's includes what was carried
 *
 * and for each amount of a pair a step of its own. Rates of counts are in millionths of a minor
 * unit.
 *
 * @param version  accepted by accord_agreement_check()
 * @param state    in: as the part before left it; out: as this one leaves it; unchanged on failure
 * @param ret      ACCORD_WINDOW_LINES_MAX lines, in order of calculation; unwritten on failure, as
 *                 is ret_count
 * @param ret_term NULL, or the index of the term at fault on failure (UINT32_MAX: none)
 * @param step     NULL, or gets the steps; `line` is 0. After an error, what was reported is void
 * @return ACCORD_OK; ACCORD_E_OVERFLOW; ACCORD_E_COUNT_OUT_OF_RANGE (more payees over the life of
 *         an agreement than the state has room for); ACCORD_E_TEXT_LENGTH for a party's id beyond
 *         ACCORD_ID_MAX bytes; ACCORD_E_VALUE_OUT_OF_RANGE for days that cannot be; what
 *         accord_agreement_check() says of parties and terms that it does not accept
 */
enum accord_error accord_window_settle(const struct accord_agreement_version *version,
                                       const struct accord_window_period *period,
                                       const struct accord_window_sums *sums,
                                       struct accord_window_state *state,
                                       struct accord_window_line *ret, size_t *ret_count,
                                       uint32_t *ret_term, accord_step_fn *step, void *context);

#ifdef __cplusplus
}
#endif

#endif
