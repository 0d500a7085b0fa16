/**
 * settle: from the facts of one order and the agreement versions in force to what everybody earned.
 *
 * Pure: no clock, no I/O, no global state; equal input gives equal output on every machine. The
 * live report, the explanation, the audit and a partner's own re-derivation are this one function.
 *
 * Order of calculation per line: gross → tax → store fee → payment fee → net → amounts → shares →
 * residual. Single amounts round half to even; splits are accord_apportion(). A refund is
 * re-allocation: the line is computed anew on what remains of it, with the terms of the sale, and
 * the difference is posted.
 */
#ifndef ACCORD_SETTLE_H
#define ACCORD_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/apportion.h"
#include "accord/error.h"
#include "accord/money.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACCORD_TERMS_MAX = 16,
    ACCORD_PARTIES_MAX = 8,
    ACCORD_SCOPE_MAX = 1000,
    ACCORD_LINES_MAX = 2000,
};

/** Who funds a discount. */
enum accord_funder { ACCORD_FUNDER_PROVIDER, ACCORD_FUNDER_CHANNEL, ACCORD_FUNDER_PLATFORM };
enum { ACCORD_FUNDERS = 3 };

/** What a percentage is taken of. */
enum accord_fee_base {
    ACCORD_FEE_ON_GROSS,
    ACCORD_FEE_ON_EX_TAX,
    ACCORD_FEE_ON_RUNNING, /**< what is left after the steps before it */
};

/** One deduction between gross and net. */
struct accord_deduction {
    bool deduct;               /**< false: it does not lower net */
    int64_t rate_ppm;          /**< -1: the amount is given with the order. Tax: included in gross,
                                    V = G·r/(1+r); a fee: of `base` */
    enum accord_fee_base base; /**< fees only */
};

enum accord_term_kind { ACCORD_TERM_SHARE, ACCORD_TERM_AMOUNT, ACCORD_TERM_RESIDUAL };

/** One term. Payees are indexes into the version's parties. */
struct accord_term {
    enum accord_term_kind kind;
    uint32_t payee;
    int64_t share_ppm;    /**< SHARE: 0 .. 1 000 000, of what is left of net after the amounts */
    int64_t amount_minor; /**< AMOUNT: per line; scales with what is not refunded */
};

struct accord_course_ref {
    const char *provider;
    const char *course_id;
};

/** One version of an agreement, as settle needs it. Strings are borrowed. */
struct accord_agreement_version {
    const char *agreement;
    int64_t version;
    const char *parties[ACCORD_PARTIES_MAX]; /**< partner ids; all of them signed */
    uint32_t party_count;
    uint32_t collector;           /**< index of the party that holds the gross */
    bool clearing_direct;         /**< each settles with each; else with the operator */
    bool is_default;              /**< the operator's standard terms */
    const char *const *providers; /**< scope; count 0: not named */
    size_t provider_count;
    const char *const *channels;
    size_t channel_count;
    const struct accord_course_ref *courses;
    size_t course_count;
    int64_t effective_from_us; /**< inclusive */
    int64_t effective_to_us;   /**< exclusive; INT64_MAX: open */
    int64_t priority;          /**< higher wins within a rank */
    struct accord_currency currency;
    struct accord_deduction tax;
    struct accord_deduction store_fee;
    struct accord_deduction payment_fee;
    bool add_back[ACCORD_FUNDERS]; /**< a discount so funded is added back to the share base */
    uint32_t funder_party[ACCORD_FUNDERS];      /**< who is charged; index of a party */
    struct accord_term terms[ACCORD_TERMS_MAX]; /**< in declared order; exactly one residual */
    uint32_t term_count;
};

/** Checks what the type cannot say: one residual, shares within one whole, payees and collector
 *  among the parties, an add-back's funder a party, from < to.
 *  @param ret_term  index of the offending term, or UINT32_MAX when it is not a term's fault */
enum accord_error accord_agreement_check(const struct accord_agreement_version *version,
                                         uint32_t *ret_term);

/** Why a version wins: the more specific first. */
enum accord_rank {
    ACCORD_RANK_COURSE,
    ACCORD_RANK_PROVIDER_CHANNEL,
    ACCORD_RANK_PROVIDER,
    ACCORD_RANK_CHANNEL,
    ACCORD_RANK_DEFAULT,
    ACCORD_RANK_NONE, /**< does not cover the sale */
};

struct accord_sale_key {
    const char *provider;
    const char *channel;
    const char *course_id;
    int64_t occurred_at_us;
};

/** The rank with which a version covers a sale, or ACCORD_RANK_NONE. */
enum accord_rank accord_agreement_rank(const struct accord_agreement_version *version,
                                       const struct accord_sale_key *sale);

/**
 * The version that covers a sale: lowest rank, then highest priority, then agreement id bytewise
 * (activation refuses equals), then highest version number within one agreement.
 *
 * @param ret_rank    rank of the winner
 * @return the winner's index, or SIZE_MAX when none covers it
 */
size_t accord_agreement_resolve(const struct accord_agreement_version *const *versions,
                                size_t count, const struct accord_sale_key *sale,
                                enum accord_rank *ret_rank);

/** True when two versions of different agreements could both win a sale with equal rank and
 *  priority: activating the second is refused. */
bool accord_agreement_overlap(const struct accord_agreement_version *a,
                              const struct accord_agreement_version *b);

/** Why a line (or a part of one) is not settled yet. */
enum accord_held {
    ACCORD_HELD_NOT,
    ACCORD_HELD_UNMATCHED,      /**< the course is not known */
    ACCORD_HELD_UNASSIGNED,     /**< no agreement covers it */
    ACCORD_HELD_NO_RATE,        /**< another currency than the agreement's, and no rate */
    ACCORD_HELD_EXCESS_REFUND,  /**< refunded beyond what was paid */
    ACCORD_HELD_OVER_ALLOCATED, /**< amounts exceed net */
};
const char *accord_held_name(enum accord_held held); /* "unmatched", …; "" for NOT */

/** One line of an order as sold. Amounts of the whole order are already spread over its lines. */
struct accord_line {
    const char *line_id;
    const char *provider;
    const char *course_id;
    bool course_known;
    int64_t quantity;
    int64_t paid;        /**< gross of the line, tax included, >= 0 */
    int64_t tax;         /**< -1: not given */
    int64_t store_fee;   /**< -1: not given */
    int64_t payment_fee; /**< -1: not given */
    int64_t discounts[ACCORD_FUNDERS];
};

/** An order fact. */
struct accord_order {
    const char *channel;
    const char *order_id;
    int64_t occurred_at_us;
    struct accord_currency currency;
    const struct accord_line *lines;
    size_t line_count;
};

/** One refund or charge-back row. The caller leaves out what was voided, superseded or reversed. */
struct accord_refund {
    int64_t occurred_at_us;
    const char *partner; /**< with event_id and the time: the order in which refunds apply */
    const char *event_id;
    uint32_t row;         /**< place within its fact */
    const char *line_id;  /**< NULL: an amount of the whole order */
    int64_t amount;       /**< > 0 */
    int64_t tax_returned; /**< -1: pro rata */
    int64_t fee_returned; /**< >= 0: lowers the payment fee, then the store fee */
};

/** What settle gave for one line. All amounts are what stands now, after refunds. */
struct accord_line_result {
    enum accord_held held;
    size_t version; /**< index of the winning version; SIZE_MAX when held without one */
    enum accord_rank rank;
    int64_t gross;    /**< paid, before refunds */
    int64_t refunded; /**< 0 .. gross */
    int64_t tax;      /**< of what remains */
    int64_t store_fee;
    int64_t payment_fee;
    int64_t net;        /**< what is received and split; the sum of shares */
    int64_t added_back; /**< discounts added to the share base and charged to their funders */
    int64_t shares[ACCORD_PARTIES_MAX]; /**< by party of the winning version; sum = net */
};

/** What of an order's refunds could not be applied. */
struct accord_excess {
    int64_t amount; /**< sum over the order */
    size_t count;   /**< rows that were cut or refused */
};

/**
 * Settles one order.
 *
 * @param refunds   any order of arrival; sorted inside (occurred_at, partner, event_id, row)
 * @param versions  every version that may cover a line
 * @param ret       order->line_count results
 * @return ACCORD_OK; ACCORD_E_OVERFLOW; ACCORD_E_OUT_OF_MEMORY. A line that cannot be settled is
 *         held, not an error.
 */
enum accord_error accord_settle_order(const struct accord_order *order,
                                      const struct accord_refund *refunds, size_t refund_count,
                                      const struct accord_agreement_version *const *versions,
                                      size_t version_count, struct accord_line_result *ret,
                                      struct accord_excess *ret_excess);

/** One step of an explanation, emitted by the code that computes. */
struct accord_step {
    const char *op; /**< "gross", "refunded", "tax", "store_fee", "net", "amount", "share", … */
    const char *payee; /**< NULL when the step is nobody's */
    int64_t amount;    /**< result of the step, minor units */
    int64_t exact_num; /**< the exact fraction before rounding; den 0: none */
    int64_t exact_den;
    int64_t rate_ppm;     /**< -1: none */
    const char *rounding; /**< "half_even", "largest_remainder", or NULL */
    uint32_t place;       /**< largest remainder: place in the order of left-over units */
    uint32_t extra;       /**< 1: it got one */
};
typedef void accord_step_fn(void *context, size_t line, const struct accord_step *step);

/** As accord_settle_order(), and reports each step of each line to `step`. */
enum accord_error accord_explain_order(const struct accord_order *order,
                                       const struct accord_refund *refunds, size_t refund_count,
                                       const struct accord_agreement_version *const *versions,
                                       size_t version_count, struct accord_line_result *ret,
                                       struct accord_excess *ret_excess, accord_step_fn *step,
                                       void *context);

#ifdef __cplusplus
}
#endif

#endif
