/**
 * settle: from the facts of one order and the agreement versions in force to what everybody earned.
 *
 * Pure: no clock, no I/O, no global state; equal input gives equal output on every machine. The
 * live report, the explanation, the audit and a partner's own re-derivation are this one function.
 *
 * Order of calculation per line: gross → tax → store fee → payment fee → admin fee → net → pool →
 * CPA and amounts → referral → shares and residual. All steps up to net are in the currency of the
 * sale; where the agreement has another, net is converted once, as it stands, and everything behind
 * it is in the agreement's. Single amounts round half to even; splits are accord_apportion() in
 * declared order. A refund is re-allocation: the line is computed anew on what remains of it, with
 * the terms of the sale, and the caller posts the difference.
 *
 * Every function is re-entrant and may be called from any thread. Memory is bounded by the input:
 * orders of up to 8 lines, 16 refunds and 16 touches allocate nothing.
 */
#ifndef ACCORD_SETTLE_H
#define ACCORD_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/apportion.h"
#include "accord/attribution.h"
#include "accord/error.h"
#include "accord/fx.h"
#include "accord/money.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACCORD_TERMS_MAX = 16,
    ACCORD_TIERS_MAX = 20,
    ACCORD_PARTIES_MAX = 8,
    ACCORD_LEVELS_MAX = 2, /**< of a referral */
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

/**
 * One deduction between gross and net.
 *
 * A rate is what the parties signed, so it wins over an amount given with the order. Tax is part of
 * gross: V = G·r/(1+r). A fee is a part of its base as sold; a base below zero counts as zero.
 */
struct accord_deduction {
    bool deduct;      /**< false: it does not lower net */
    int64_t rate_ppm; /**< 0 .. 1 000 000; -1: the amount given with the order, else none */
    enum accord_fee_base base; /**< fees only */
    /** Payment fee only: >= 0, in the currency of the sale, added to what the rate gives on every
     *  line that something was paid for. */
    int64_t fixed_minor;
};

enum accord_term_kind {
    /* per line */
    ACCORD_TERM_SHARE,
    ACCORD_TERM_AMOUNT,
    ACCORD_TERM_RESIDUAL,
    ACCORD_TERM_CPA, /**< per window when it has a floor or a cap, or counts learners */
    ACCORD_TERM_REFERRAL,
    /* per window */
    ACCORD_TERM_TIERED,
    ACCORD_TERM_GREATER_OF,
    ACCORD_TERM_GUARANTEE,
    ACCORD_TERM_ADVANCE,
    ACCORD_TERM_FLOOR,
    ACCORD_TERM_CAP,
    ACCORD_TERM_POOL,
    /* per statement */
    ACCORD_TERM_WITHHOLDING,
    ACCORD_TERM_KINDS, /**< how many there are */
};

/** How far a window reaches. A year is one of the calendar in the agreement's zone. */
enum accord_window { ACCORD_WINDOW_PERIOD, ACCORD_WINDOW_YEAR, ACCORD_WINDOW_LIFE };
enum { ACCORD_WINDOWS = 3 };

/** What a term counts. Lines, units and learners are those that qualify: see `qualify_days`. */
enum accord_metric {
    ACCORD_METRIC_NET, /**< what shares are taken of, minor units */
    ACCORD_METRIC_LINES,
    ACCORD_METRIC_UNITS,
    ACCORD_METRIC_LEARNERS, /**< distinct in the window */
};
enum { ACCORD_METRICS = 4 };

/** The most that a tier gives for each one counted, in millionths of a minor unit. */
#define ACCORD_TIER_MICRO_MAX INT64_C(1000000000000000)

/** One bracket: from `from` (inclusive) up to where the next begins, so that there are no gaps. */
struct accord_tier {
    int64_t from; /**< of the metric; the first is 0, each above the one before */
    int64_t rate; /**< share in ppm of net, or millionths of a minor unit for each one counted */
};

struct accord_withholding; /* accord/withholding.h */

/** One term. Parties are indexes into the version's parties. Fields that a kind does not name are
 *  not read. */
struct accord_term {
    enum accord_term_kind kind;
    uint32_t payee; /**< but for REFERRAL, which pays the attributed promoter, and POOL */
    /** SHARE: 0 .. 1 000 000, of what is left of net after CPA, amounts and referral.
     *  GREATER_OF: its one side, of the same. */
    int64_t share_ppm;
    /** AMOUNT: >= 0, per line; scales with what is not refunded. CPA: for each one counted.
     *  GREATER_OF: its other side, for each one counted. GUARANTEE, FLOOR, CAP: of what the payee
     *  earns in the window. ADVANCE: what was paid up front. */
    int64_t amount_minor;
    uint32_t funded_by;        /**< GUARANTEE, ADVANCE, FLOOR: who pays it */
    enum accord_window window; /**< TIERED, CPA, GREATER_OF, GUARANTEE, FLOOR, CAP */
    enum accord_metric metric; /**< TIERED: any; CPA, GREATER_OF: not NET */
    /** TIERED: the bracket that is reached holds for all of the metric; else each for its part. */
    bool whole;
    /** TIERED by a count, whole: rates are shares of net; else amounts for each one counted. */
    bool of_net;
    const struct accord_tier *tiers; /**< TIERED; borrowed */
    uint32_t tier_count;
    int64_t floor_minor;   /**< CPA: the least of a window; -1: none */
    int64_t cap_minor;     /**< CPA: the most of a window; -1: none */
    bool recoup;           /**< GUARANTEE: what was topped up is taken back from later windows */
    int64_t minimum_minor; /**< ADVANCE: paid at least by the end of the term; 0: none */
    int64_t levels_ppm[ACCORD_LEVELS_MAX]; /**< REFERRAL: of net after CPA and amounts */
    uint32_t level_count;                  /**< 1 .. ACCORD_LEVELS_MAX */
    int64_t attribution_window_us;         /**< REFERRAL: 0 <= sale - touch <= it */
    bool first_touch;                      /**< REFERRAL: the first touch wins; else the last */
    bool coupon_beats_click;               /**< REFERRAL */
    const char *pool;     /**< POOL: "channel/pool", of a channel that is a party; borrowed */
    int64_t pool_version; /**< POOL: the version that is joined */
    const struct accord_withholding *withholding; /**< WITHHOLDING; borrowed */
    bool after_recoupment; /**< WITHHOLDING: its base is less what was recouped */
};

/** Which rate converts a sale in another currency: that of its local day, the mean of those
 *  published in its period, or that of the period's last day. */
enum accord_fx_policy { ACCORD_FX_ORDER_DAY, ACCORD_FX_PERIOD_AVERAGE, ACCORD_FX_CLOSE_DAY };

/** Where a refund counts. */
enum accord_refund_basis {
    ACCORD_REFUND_ORIGINAL,  /**< in the window of the sale, as a difference once that is closed */
    ACCORD_REFUND_IN_PERIOD, /**< in the window in which it occurred */
};

/** What happens when the amount of usage is learnt late. */
enum accord_late_usage {
    ACCORD_LATE_BOTH,        /**< corrections go both ways */
    ACCORD_LATE_UP_ONLY,     /**< nobody's closed amount is lowered */
    ACCORD_LATE_IGNORE_AFTER /**< usage received more than `late_usage_days` after it is ignored */
};

struct accord_course_ref {
    const char *provider;
    const char *course_id;
};

/**
 * One version of an agreement, as settle needs it. Strings and arrays are borrowed.
 *
 * Scope: a list that is not named (count 0) does not restrict, and every list that is named must
 * match. On top of that a version covers only courses of providers and sales of channels that are
 * among its parties, because only they signed it. `is_default` marks the operator's standard terms:
 * they cover, behind every other agreement, sales whose provider and channel have both accepted
 * them, that is, are parties of it; lists that it names narrow it without raising its rank.
 */
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
    struct accord_deduction admin_fee;     /**< after the others; none is given with orders */
    bool add_back[ACCORD_FUNDERS];         /**< a discount so funded is added to the share base */
    uint32_t funder_party[ACCORD_FUNDERS]; /**< who is charged for it; index of a party */
    struct accord_term terms[ACCORD_TERMS_MAX]; /**< in declared order; exactly one residual */
    uint32_t term_count;
    enum accord_refund_basis refund_basis;
    /** Fees that are kept of what was refunded are charged to one party; else all bear them in
     *  proportion, as they lower net. */
    bool kept_fees_charged;
    uint32_t fee_borne_by; /**< that party */
    bool referral_kept;    /**< a refund does not take the referral back */
    enum accord_late_usage late_usage;
    int64_t late_usage_days; /**< ACCORD_LATE_IGNORE_AFTER: >= 0 */
    /** A line counts for metrics unless it was refunded in full at most so many days (of 24 hours)
     *  after the sale; -1: whenever it was. */
    int64_t qualify_days;
    enum accord_fx_policy fx_policy;
    int64_t hold_days;        /**< 0 .. 366: younger earnings are pending, not due */
    int64_t reserve_ppm;      /**< of a period's earnings, not due until released */
    int64_t reserve_periods;  /**< released so many periods later; >= 1 with a reserve */
    int64_t min_payout_minor; /**< less than it is carried, not payable */
    int64_t tail_days;        /**< periods of differences only, after the end */
    int64_t dispute_days;     /**< how long a statement can be disputed */
};

/** True when the version has a term that is settled per window: its residual then is, too. */
bool accord_agreement_has_window(const struct accord_agreement_version *version);

/**
 * Checks what the type cannot say: counts, rates and amounts within their range, exactly one
 * residual, shares and the highest tiers within one whole, tables that begin at zero and rise, no
 * cap below a floor of the same payee and window, no term twice where one is meant, nothing that
 * could never pay, payees, funders and collector among the parties, no party twice, a scope that
 * names something (or the default) and only parties, from < to.
 *
 * @param ret_term  NULL, or where the index of the offending term goes on failure: UINT32_MAX when
 *                  it is not a term's fault
 */
enum accord_error accord_agreement_check(const struct accord_agreement_version *version,
                                         uint32_t *ret_term);

/** Why a version wins: the more specific first. Decided by the lists that its scope names. */
enum accord_rank {
    ACCORD_RANK_COURSE,
    ACCORD_RANK_PROVIDER_CHANNEL,
    ACCORD_RANK_PROVIDER,
    ACCORD_RANK_CHANNEL,
    ACCORD_RANK_DEFAULT,
    ACCORD_RANK_NONE, /**< does not cover the sale */
};
const char *accord_rank_name(enum accord_rank rank); /* "course", "provider_channel", …; "none" */

struct accord_sale_key {
    const char *provider;
    const char *channel;
    const char *course_id;
    int64_t occurred_at_us;
};

/** The rank with which a version covers a sale, or ACCORD_RANK_NONE. Looks at this version alone:
 *  see accord_agreement_in_force(). */
enum accord_rank accord_agreement_rank(const struct accord_agreement_version *version,
                                       const struct accord_sale_key *sale);

/**
 * True when versions[index] is the one of its agreement that is in force at an instant: a version
 * ends where a later version of the same agreement begins, also where that one covers less and
 * also when that one has ended since.
 */
bool accord_agreement_in_force(const struct accord_agreement_version *const *versions, size_t count,
                               size_t index, int64_t at_us);

/**
 * The version that covers a sale, among those in force when it occurred: lowest rank, then highest
 * priority, then agreement id bytewise (which never decides when activation refuses overlaps).
 *
 * @param versions  signed versions in any order; drafts and rejected ones are left out
 * @param ret_rank  rank of the winner, or ACCORD_RANK_NONE
 * @return the winner's index, or SIZE_MAX when none covers it
 */
size_t accord_agreement_resolve(const struct accord_agreement_version *const *versions,
                                size_t count, const struct accord_sale_key *sale,
                                enum accord_rank *ret_rank);

/**
 * True when two versions of different agreements could both cover a sale with equal rank and
 * priority: activating the second is refused. Symmetric.
 *
 * Looks at the two alone: a version that a later one of its agreement supersedes is passed with
 * effective_to_us cut to where that one begins.
 */
bool accord_agreement_overlap(const struct accord_agreement_version *a,
                              const struct accord_agreement_version *b);

/** Why a line (or a part of one) is not settled yet. */
enum accord_held {
    ACCORD_HELD_NOT,
    ACCORD_HELD_UNMATCHED,      /**< the course is not known */
    ACCORD_HELD_UNASSIGNED,     /**< no agreement covers it */
    ACCORD_HELD_NO_RATE,        /**< another currency than the agreement's, and no rate (yet), or
                                     one that makes an amount larger than JSON can carry */
    ACCORD_HELD_EXCESS_REFUND,  /**< refunded beyond what was paid */
    ACCORD_HELD_OVER_ALLOCATED, /**< amounts exceed net */
};
const char *accord_held_name(enum accord_held held); /* "unmatched", …; "" for NOT */

/**
 * Spreads an amount of the whole (a tax, a fee, a discount of an order or of a refund) over its
 * lines by largest remainder over `paid`, ties to the earlier line; over equal weights when nothing
 * was paid for any of them.
 *
 * @param total  any int64 but INT64_MIN
 * @param paid   `count` values >= 0 whose sum fits int64
 * @param ret    `count` parts whose sum is total; unwritten on failure
 * @return ACCORD_OK; ACCORD_E_WEIGHTS_ZERO when count is 0 and total is not; ACCORD_E_OVERFLOW;
 *         ACCORD_E_WEIGHT_NEGATIVE; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error accord_spread(int64_t total, const int64_t *paid, size_t count, int64_t *ret);

/** What stands before the name of a pool ("channel/pool") where a payee is named; no partner can
 *  have such an id. */
#define ACCORD_PAYEE_POOL "@pool:"

/** What a line of a membership puts into a pool. */
struct accord_pool_funding {
    const char *payee; /**< ACCORD_PAYEE_POOL and the pool's name; borrowed */
    int64_t share_ppm; /**< 0 .. 1 000 000, of net and what is added back to it */
    /** Of the pool: under an agreement in another one the line is held `no_rate`. */
    struct accord_currency currency;
};

/** One line of an order as sold. Amounts of the whole order are already spread over its lines. */
struct accord_line {
    const char *line_id; /**< unique in the order */
    const char *provider;
    const char *course_id;
    bool course_known;
    int64_t quantity;    /**< >= 0: what counts as units; `paid` is for all of it */
    int64_t paid;        /**< gross of the line, tax included, >= 0; 0 with a full coupon */
    int64_t tax;         /**< -1: not given */
    int64_t store_fee;   /**< -1: not given */
    int64_t payment_fee; /**< -1: not given */
    int64_t discounts[ACCORD_FUNDERS]; /**< >= 0; what was cut from the list price to get `paid` */
    const struct accord_pool_funding *pool; /**< or NULL: it puts nothing into a pool */
};

/** No promoter. */
#define ACCORD_PROMOTER_NONE UINT32_MAX

/** A promoter whom touches of an order name, or who brought one of those. */
struct accord_promoter {
    const char *id;     /**< of the partner; none stands twice */
    uint32_t parent;    /**< who brought it: index of a promoter, or ACCORD_PROMOTER_NONE */
    bool self_referral; /**< its own learner is the buyer */
    bool suspended;     /**< at the instant of the sale */
};

/** An order fact. */
struct accord_order {
    const char *channel;
    const char *order_id;
    int64_t occurred_at_us;
    struct accord_currency currency;
    const struct accord_line *lines;
    size_t line_count; /**< at most ACCORD_LINES_MAX */
    /** By version of the call: the conversion into its currency, for those with another currency
     *  than the order's; the others are not looked at. NULL: there are none. */
    const struct accord_rate_pin *rates;
    /** Those of the buyer, whose promoter is an index into `promoters`: referral terms pay on one
     *  of them. */
    const struct accord_touch *touches;
    size_t touch_count;
    const struct accord_promoter *promoters;
    size_t promoter_count;
};

/**
 * One refund or charge-back row. The caller leaves out what was voided, superseded or reversed.
 *
 * Rows apply in the order (occurred_at, partner, event_id, row), each up to what is left of what
 * was paid; what cannot be applied (too much, or no such line) is excess. A row of the whole order
 * goes to the lines by largest remainder over what is still unrefunded of each, ties to the earlier
 * line; since every row looks at what the rows before it left, many small ones drift nowhere. A row
 * of which nothing can be applied returns neither tax nor fee.
 *
 * Tax follows pro rata, unless the row says how much was returned; fees are kept, unless it says
 * so. Both are cut at what there is to return.
 */
struct accord_refund {
    int64_t occurred_at_us;
    const char *partner; /**< with event_id and the time: the order in which refunds apply */
    const char *event_id;
    uint32_t row;         /**< place within its fact */
    const char *line_id;  /**< NULL: an amount of the whole order */
    int64_t amount;       /**< >= 0 */
    int64_t tax_returned; /**< -1: pro rata */
    int64_t fee_returned; /**< >= 0: lowers the payment fee, then the store fee */
};

/** The payee under which `open` is posted beside the shares of parties and promoters; no partner
 *  can have this id. */
#define ACCORD_PAYEE_WINDOW "@window"

/**
 * What settle gave for one line: what stands now, after refunds.
 *
 * Of a held line only `gross` and `refunded` are filled, and the version where one won. Otherwise
 * net_sale = gross − refunded − tax − store_fee − payment_fee − admin_fee, all in the currency of
 * the sale; net is net_sale in the agreement's currency (converted by order->rates, half to even,
 * where the two differ), as are added_back, base, open, shares and referral. The sum of `shares`,
 * `referral`, `open` and `pooled` is net.
 */
struct accord_line_result {
    enum accord_held held;
    size_t version; /**< index of the winning version; SIZE_MAX when held without one */
    enum accord_rank rank;
    int64_t gross;    /**< paid, before refunds */
    int64_t refunded; /**< 0 .. gross */
    int64_t tax; /**< of what remains; 0 when the agreement does not deduct it. Fees likewise */
    int64_t store_fee;
    int64_t payment_fee;
    int64_t admin_fee;
    int64_t net_sale;   /**< what is received; negative when kept fees exceed the rest */
    int64_t net;        /**< the same in the agreement's currency: what is split */
    int64_t pooled;     /**< what of net goes into the line's pool, before any term */
    int64_t added_back; /**< discounts added to the share base and charged to their funders */
    int64_t base;       /**< what shares and tiers are taken of: after CPA, amounts and referral */
    int64_t open;       /**< left to the window: the residual's part, where that is settled there */
    int64_t lines_qualified;            /**< 1 when the line counts: see qualify_days; else 0 */
    int64_t units_qualified;            /**< its quantity, or 0 */
    int64_t shares[ACCORD_PARTIES_MAX]; /**< by party of the winning version */
    /** What the promoters of the attributed touch get, by level; see struct accord_order. */
    int64_t referral[ACCORD_LEVELS_MAX];
    const char *promoters[ACCORD_LEVELS_MAX]; /**< NULL: none; borrowed from the order */
};

/** What of an order's refunds could not be applied. */
struct accord_excess {
    int64_t amount; /**< sum over the order */
    size_t count;   /**< rows that were cut or refused */
};

/**
 * Settles one order.
 *
 * Of what is left of a line:
 * - Discounts that the agreement adds back raise what is shared out and are charged to their
 *   funders as negatives; they and the amounts of terms scale with what is not refunded. Discounts
 *   are converted like net, each once; amounts of terms are in the agreement's currency.
 * - Fees are kept, as sold, unless a refund says that they came back. Where one party bears the
 *   kept fees, so much of them as exceeds what is left of the line would bear (the fees as sold ·
 *   remaining / paid, rounded once) raises what is shared out and is charged to that party.
 * - What goes into a pool is its share of what there is to share out, rounded once, half to even.
 *   Terms see only the rest.
 * - Amounts and CPA come first, in declared order. CPA per line or unit is paid in full while the
 *   line counts for metrics, whatever is refunded of it, and not at all once it does not.
 * - Referral is next: the promoters of the attributed touch get their levels' part of what is left
 *   (see accord_referral_split()), or of what there was as sold when a refund does not take it
 *   back. They bear no loss: of less than nothing they get nothing. Without a touch that counts
 *   nobody gets it.
 * - Then share terms and the residual split the rest by largest remainder in declared order; the
 *   residual weighs what the shares leave of one whole. With a term that is settled per window the
 *   residual's part stays open.
 * - A line whose amounts and CPA exceed what there is to share out as sold is held
 * `over_allocated`, whatever is refunded later; refunds never turn a settled line into a held one.
 * - When kept fees exceed what remains, the rest is negative, and the payees of shares and residual
 *   bear it in the same proportions (the mirror of the split).
 *
 * @param refunds   any order of arrival; sorted inside
 * @param versions  every version that may cover a line, as for accord_agreement_resolve(), each
 *                  accepted by accord_agreement_check()
 * @param ret       order->line_count results; unwritten on failure, as is ret_excess
 * @return ACCORD_OK; ACCORD_E_OVERFLOW; ACCORD_E_OUT_OF_MEMORY; ACCORD_E_COUNT_OUT_OF_RANGE;
 *         ACCORD_E_VALUE_OUT_OF_RANGE for a negative where none may be; the error of
 *         accord_agreement_check() for a winning version whose parties or terms are not acceptable.
 *         A line that cannot be settled is held, not an error.
 */
enum accord_error accord_settle_order(const struct accord_order *order,
                                      const struct accord_refund *refunds, size_t refund_count,
                                      const struct accord_agreement_version *const *versions,
                                      size_t version_count, struct accord_line_result *ret,
                                      struct accord_excess *ret_excess);

/**
 * One step of an explanation, emitted by the code that computes.
 *
 * First come the rows "refund" of all lines, in the order in which they apply (amount: what the
 * line got of it, negative), then line after line:
 *
 *     gross, refunded, tax, tax_returned, store_fee, payment_fee, admin_fee, fee_returned
 *     (payment_fee twice where it has a fixed part)                                 add up to
 *     net                                                                           and with
 *     convert                                      (another currency: net in the agreement's)
 *     discount, kept_fees                          (another currency: in that of the sale)
 *     added_back (one per funder; payee: who funds it)                              and
 *     fees_added_back (payee: who bears the kept fees)                              to
 *     share_base                                   (only when something was added back)
 *     pool                                         (payee: the line's pool), and
 *     amount, cpa (one per term)                   and
 *     referral (one per level; event_id: of the touch) are handed out of it, which leaves
 *     to_share                                     (only when there were such), split into
 *     share, residual (in declared order; open: what is left to the window)         and at last
 *     funded (one per funder, negative), fees_charged (negative)
 *                                                  so that payees and open add up to net.
 *
 * A step whose amount is zero and has no rate is left out, except gross, net, convert and what goes
 * to a payee. A held line ends with a step "held" whose amount is what remains of gross.
 *
 * The exact value before rounding is ±(exact_floor + exact_num / exact_den), lowest terms.
 */
struct accord_step {
    const char *op;
    const char *payee;    /**< NULL when the step is nobody's */
    const char *event_id; /**< of "refund" and the first "referral": the fact; else NULL */
    int64_t amount;       /**< result of the step, minor units; deductions are negative */
    struct accord_currency
        currency; /**< of the amount: the sale's up to net, then the agreement's */
    const struct accord_rate_pin *rate; /**< of a conversion; else NULL */
    bool exact_negative;
    uint64_t exact_floor; /**< whole units of the magnitude of the exact value */
    uint64_t exact_num;   /**< 0 <= exact_num < exact_den */
    uint64_t exact_den;   /**< 0: the step does not round */
    int64_t rate_ppm;     /**< -1: none */
    const char *rounding; /**< "half_even", "largest_remainder", or NULL */
    uint32_t place;       /**< largest remainder: place in the order of left-over units, from 0 */
    uint32_t extra;       /**< 1: it got one */
};

/** Receives the steps; strings of the step live as long as the input of the call. */
typedef void accord_step_fn(void *context, size_t line, const struct accord_step *step);

/** As accord_settle_order(), and reports each step of each line to `step`. After an error, what was
 *  reported is void. */
enum accord_error accord_explain_order(const struct accord_order *order,
                                       const struct accord_refund *refunds, size_t refund_count,
                                       const struct accord_agreement_version *const *versions,
                                       size_t version_count, struct accord_line_result *ret,
                                       struct accord_excess *ret_excess, accord_step_fn *step,
                                       void *context);

/** Room for the text of any exact value. */
#define ACCORD_EXACT_TEXT 64

/** Writes the exact value of a step: "11868.6" where six decimals suffice, else a fraction in
 *  lowest terms, "138461/13"; "" when the step does not round. */
void accord_step_exact_text(const struct accord_step *step, char ret_text[ACCORD_EXACT_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
