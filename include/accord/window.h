/**
 * Windows: terms that are settled on the sums of a period, a year or the life of an agreement, with
 * one rounding, and not line by line.
 *
 * The fold: periods of an agreement are settled in order, each version of a period in order of its
 * number; a state carries what windows longer than a period have come to. A window's amount is
 * always that of all of the window so far, and what a period gets is the difference to what came
 * before it:  pay(t) = f(sum up to t) - f(sum before t).  So the periods of a year add up to the
 * year computed at once, and an early period that is restated moves the later ones consistently.
 *
 * Order of calculation: tiered, CPA and greater-of in declared order, out of what the lines left
 * open; the residual is what remains (it may be negative: terms do not depend on there being
 * enough); then guarantee, advance and recoupment; then floors and caps. What is not cut from net
 * (top-ups, advances, floors) is a pair of lines, one of them negative, that of who funds it; what
 * a cap cuts goes to the payee of the residual. So all lines of a window add up to `open`.
 *
 * Pure, re-entrant, allocates nothing.
 */
#ifndef ACCORD_WINDOW_H
#define ACCORD_WINDOW_H

#include "accord/settle.h"

#ifdef __cplusplus
extern "C" {
#endif

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
    int64_t shares[ACCORD_PARTIES_MAX]; /**< what the lines gave each party */
};

/** Which part of which period a version was in force for. */
struct accord_window_period {
    int64_t period; /**< numbers the periods of the agreement, ascending */
    int64_t year;   /**< of the calendar in the agreement's zone */
    int64_t days;   /**< of the period that the version was in force for: of a part, amounts of
                         period guarantees and floors are that part, rounded half to even */
    int64_t days_of_period;
    bool first_of_life; /**< the agreement begins here: advances are paid out */
    bool ends_period;   /**< nothing of this period comes after it */
    bool ends_year;     /**< nothing of this year comes after it */
    bool ends_life;     /**< the agreement ends here */
};

enum { ACCORD_WINDOW_ACCOUNTS = 16, ACCORD_ID_MAX = 63 };

/** What windows have come to for one payee. */
struct accord_window_account {
    char payee[ACCORD_ID_MAX + 1];
    int64_t earned[ACCORD_WINDOWS];    /**< so far: lines and window terms, before the rest */
    int64_t floored[ACCORD_WINDOWS];   /**< given by floors */
    int64_t capped[ACCORD_WINDOWS];    /**< taken by caps */
    int64_t topped_up[ACCORD_WINDOWS]; /**< given by guarantees */
    int64_t to_recoup;                 /**< of guarantees */
    int64_t unrecouped;                /**< of advances */
    int64_t carry;                     /**< <= 0: of earnings below zero; see revenue recoupment */
    int64_t paid;                      /**< advances and what was payable; for a minimum */
};

/** The state of the fold; zeroed before the first period. */
struct accord_window_state {
    int64_t period;
    int64_t year;
    /** Sums of the windows so far, by window and metric. */
    int64_t sums[ACCORD_WINDOWS][ACCORD_METRICS];
    struct accord_window_account accounts[ACCORD_WINDOW_ACCOUNTS];
    uint32_t account_count;
};

/** One amount of a window. */
struct accord_window_line {
    uint32_t term;    /**< index of the term; of a cap's other side too */
    const char *kind; /**< "tiered", "cpa", "greater_of", "residual", "guarantee", "recoupment",
                           "advance", "true_up", "floor", "cap"; static */
    uint32_t payee;   /**< party of the version */
    int64_t amount;   /**< never 0 */
};

enum { ACCORD_WINDOW_LINES_MAX = 4 * ACCORD_TERMS_MAX };

/**
 * Settles one version's part of one period.
 *
 * @param version  accepted by accord_agreement_check()
 * @param state    in: as the part before left it; out: as this one leaves it; unchanged on failure
 * @param ret      ACCORD_WINDOW_LINES_MAX lines, in order of calculation
 * @param ret_term NULL, or the index of the term at fault on failure (UINT32_MAX: none)
 * @param step     NULL, or gets the steps of each term with exact values: op as kind of the line,
 *                 "tier" for each bracket that took part; `line` is 0
 * @return ACCORD_OK; ACCORD_E_OVERFLOW; ACCORD_E_COUNT_OUT_OF_RANGE (more payees over the life of
 *         an agreement than the state has room for)
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
