/**
 * Attribution: which promoter a sale is owed to, and why the others are not.
 *
 * A touch is a fact of the channel: a learner came through a promoter's link, a share of it, or
 * used its coupon. accord_attribute() picks the one that the sale is paid on; every other touch
 * gets the reason why not. accord_referral_split() cuts the promoter's share, and that of whoever
 * brought the promoter, from an amount. accord_credit_touches() is for reports only: it spreads a
 * sale over all touches that count, and nobody is paid by it.
 *
 * The order of touches is (occurred_at, partner, event_id), bytewise; the order in which they are
 * given decides nothing. All of it is pure, re-entrant, and free of floating point. Memory is only
 * allocated, and freed again, where it is said.
 */
#ifndef ACCORD_ATTRIBUTION_H
#define ACCORD_ATTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/apportion.h"
#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the learner came. A share counts like a click. */
enum accord_touch_kind { ACCORD_TOUCH_CLICK, ACCORD_TOUCH_SHARE, ACCORD_TOUCH_COUPON };

/** One touch of the learner who bought. */
struct accord_touch {
    int64_t occurred_at_us;
    const char *partner; /**< with event_id and the time: the order of touches */
    const char *event_id;
    enum accord_touch_kind kind;
    uint32_t promoter;       /**< the caller's number for the link's promoter */
    bool self_referral;      /**< the promoter's own learner is the buyer */
    bool promoter_suspended; /**< at the instant of the sale */
};

/** Which of the touches in the window is paid. */
enum accord_touch_model { ACCORD_TOUCH_LAST, ACCORD_TOUCH_FIRST };

struct accord_attribution_rules {
    int64_t window_us; /**< a touch counts when 0 <= sale − touch <= this; >= 0 */
    enum accord_touch_model model;
    bool coupon_beats_click; /**< any coupon that counts wins over clicks and shares */
};

/** What became of a touch. Of several reasons why one does not count the first here is given. */
enum accord_touch_outcome {
    ACCORD_TOUCH_WON,
    ACCORD_TOUCH_AFTER_SALE,
    ACCORD_TOUCH_OUTSIDE_WINDOW,
    ACCORD_TOUCH_SELF_REFERRAL,
    ACCORD_TOUCH_PROMOTER_SUSPENDED,
    ACCORD_TOUCH_BEATEN,           /**< counts, but the winner is later (or, by rule, earlier) */
    ACCORD_TOUCH_BEATEN_BY_COUPON, /**< counts, but the winner is a coupon and this is none */
};
const char *
accord_touch_outcome_name(enum accord_touch_outcome outcome); /* "won", "after_sale" … */

/**
 * Finds the touch that a sale is paid on.
 *
 * A touch that does not count (after the sale, outside the window, the promoter's own purchase, a
 * suspended promoter) is as if it were not there: the next best one wins.
 *
 * @param touches       those of the buyer in any order, each fact once
 * @param ret_outcomes  `count` outcomes
 * @param ret_winner    index of the one that won, or SIZE_MAX: nobody is owed anything
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for a negative window; ACCORD_E_VALUE_UNKNOWN for
 *         a kind or model that is none. Outputs are unwritten on failure
 */
enum accord_error accord_attribute(const struct accord_touch *touches, size_t count,
                                   int64_t sale_at_us, const struct accord_attribution_rules *rules,
                                   enum accord_touch_outcome *ret_outcomes, size_t *ret_winner);

/* ---- levels ---- */

/** Whoever brought the buyer, and whoever brought that one; there is no third level. */
enum { ACCORD_REFERRAL_LEVELS_MAX = 2 };

/** One promoter of a chain. */
struct accord_referrer {
    uint32_t promoter;
    bool self_referral; /**< this promoter's own learner is the buyer */
    bool suspended;     /**< at the instant of the sale */
};

/** Why a level is paid or not. */
enum accord_referral_outcome {
    ACCORD_REFERRAL_PAID,
    ACCORD_REFERRAL_NOBODY,   /**< the chain ends before */
    ACCORD_REFERRAL_REPEATED, /**< the promoter stands in the chain before */
    ACCORD_REFERRAL_SELF,
    ACCORD_REFERRAL_SUSPENDED,
};
const char *accord_referral_outcome_name(enum accord_referral_outcome outcome); /* "paid", … */

/** What one level gets. */
struct accord_referral_part {
    enum accord_referral_outcome outcome;
    uint32_t promoter;         /**< of a level that the chain reaches, else 0 */
    int64_t amount;            /**< 0 unless paid */
    struct accord_share exact; /**< of the split over one whole, for an explanation */
};

/**
 * Cuts the shares of a chain of promoters from an amount: accord_apportion() over the rates of the
 * levels in their order and, last, what is left of one whole. What a level is not paid stays in
 * what is left; no level moves up.
 *
 * @param whole        what the rates are of, minor units; negative: the mirror
 * @param level_ppm    `level_count` rates, each >= 0, at most one whole together
 * @param level_count  1 .. ACCORD_REFERRAL_LEVELS_MAX
 * @param chain        the promoter of the touch that won, then its parent; chain_count 0: nobody.
 *                     Members beyond level_count are not looked at
 * @param ret_parts    `level_count` parts
 * @param ret_left     whole less the parts
 * @return ACCORD_OK; ACCORD_E_COUNT_OUT_OF_RANGE; ACCORD_E_VALUE_OUT_OF_RANGE for a rate;
 *         ACCORD_E_SHARES_EXCEED_WHOLE; ACCORD_E_OVERFLOW. Outputs are unwritten on failure
 */
enum accord_error accord_referral_split(int64_t whole, const int64_t *level_ppm, size_t level_count,
                                        const struct accord_referrer *chain, size_t chain_count,
                                        struct accord_referral_part *ret_parts, int64_t *ret_left);

/* ---- reports ---- */

/** How a report spreads a sale over the touches that count. */
enum accord_credit_model {
    ACCORD_CREDIT_LINEAR,   /**< equally */
    ACCORD_CREDIT_POSITION, /**< 40 % the first, 40 % the last, 20 % equally those between; two:
                                 50 % each; one: all */
    ACCORD_CREDIT_DECAY,    /**< by accord_decay_weight() of the age at the sale */
    ACCORD_CREDIT_SHAPLEY,  /**< equally among the distinct promoters, which is the Shapley value of
                                 a sale that needed all of them; of each equally over its touches */
    ACCORD_CREDIT_LAST,     /**< all to the last one */
    ACCORD_CREDIT_FIRST,    /**< all to the first one */
};
/** "linear", "position", "time_decay", "shapley", "last", "first". */
const char *accord_credit_model_name(enum accord_credit_model model);

/**
 * Spreads an amount over the touches that count, by largest remainder, ties to the earlier touch
 * (to the promoter that came first, of equal ones).
 *
 * When every touch is so old that each weight rounds to zero, ages count from the youngest one.
 * Allocates for more than 32 touches, and for SHAPLEY.
 *
 * @param outcomes      what accord_attribute() gave for these touches: those that won or were
 *                      beaten count
 * @param half_life_us  DECAY: > 0
 * @param ret_parts     `count` parts, zero for a touch that does not count; all zero when none does
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for a half-life, or a touch after the sale that is
 *         said to count; ACCORD_E_VALUE_UNKNOWN for a model; ACCORD_E_OVERFLOW;
 *         ACCORD_E_OUT_OF_MEMORY. Unwritten on failure
 */
enum accord_error accord_credit_touches(enum accord_credit_model model, int64_t total,
                                        const struct accord_touch *touches,
                                        const enum accord_touch_outcome *outcomes, size_t count,
                                        int64_t sale_at_us, int64_t half_life_us,
                                        int64_t *ret_parts);

/** The weight of a touch of age 0. */
#define ACCORD_DECAY_ONE (INT64_C(1) << 32)

/**
 * 2^32 · 2^(−age / half_life), rounded: what time leaves of a touch.
 *
 * Made of integers only, so that every machine and language gets the same number. With q and r the
 * quotient and remainder of age by half_life, b the 64 bits of floor(2^64 · r / half_life), and
 * isqrt the floor of the square root:
 *
 *     y = 2^63
 *     for each bit of b, the least significant first:  y = isqrt(y · 2^(63 − bit))
 *     weight = y · 2^−(31 + q), rounded half to even
 *
 * y is 2^63 · 2^(−r / half_life) but for less than four units (each square root halves what the one
 * before it was off), so the weight is the exact one rounded to nearest unless that lies within
 * 2^−29 of a tie. In Python: math.isqrt.
 *
 * @return 0 .. ACCORD_DECAY_ONE by *ret; ACCORD_E_VALUE_OUT_OF_RANGE when age_us < 0 or
 *         half_life_us <= 0, and *ret is unwritten
 */
enum accord_error accord_decay_weight(int64_t age_us, int64_t half_life_us, int64_t *ret);

#ifdef __cplusplus
}
#endif

#endif
