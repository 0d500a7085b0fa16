/**
 * The revenue report of one month: what is read from rollups and added up, before it is encoded.
 *
 * Sums come from the store as they stand in one read transaction. Not thread-safe beyond struct db.
 */
#ifndef API_REVENUE_REPORT_H
#define API_REVENUE_REPORT_H

#include "ingest/agreement.h"
#include "store/reports.h"

enum report_group_by {
    REPORT_BY_AGREEMENT,
    REPORT_BY_COURSE,
    REPORT_BY_DAY,
    REPORT_BY_COUNTERPARTY,
    REPORT_GROUPINGS,
};

/** What is asked. Texts are borrowed for as long as the report is used. */
struct report_ask {
    const char *partner;   /**< whose report it is */
    bool everything;       /**< the operator's view over all agreements */
    struct slice currency; /**< only rows in it; empty: all */
    enum report_group_by group_by;
    int32_t day_from;        /**< first day of the month */
    int32_t day_to;          /**< exclusive */
    instant_us now;          /**< periods that begin later have no windows yet */
    size_t limit;            /**< rows at most; > 0 */
    struct report_key after; /**< report.last of the page before; zeroed: the first page */
};

/** Settled sales of one version and in one currency that belong together. */
struct report_group {
    struct report_key key; /**< of its first rollup row */
    const struct agreement_version *version;
    struct report_sums sums;
    int64_t shares[ACCORD_PARTIES_MAX]; /**< by party of the version */
    int64_t referral;                   /**< what promoters get who are no party */
    int64_t pooled;                     /**< what pools get */
    int64_t open;                       /**< left to the window */
    int64_t handed_out; /**< to parties and promoters; net, but for a window amount's part */
    bool provisional;   /**< has part in a window that is open */
};

/** Settled sales of the whole period in one currency under agreements in one currency. */
struct report_total {
    struct slice currency;      /**< the agreements': of net, added_back, own and due */
    struct slice sale_currency; /**< the sales': of the sums before them */
    struct report_sums sums;
    int64_t own; /**< the partner's share */
    int64_t due; /**< + to receive, - to pay */
    bool provisional;
};

struct report_held {
    struct report_key key;
    int64_t lines;
    int64_t amount;     /**< gross that is left, or the refund that could not be applied */
    bool amount_hidden; /**< a provider sees only how many lines wait at a channel */
};

struct report {
    struct report_referral *referrals; /**< the partner's, under agreements of others */
    size_t referral_count;
    struct report_group *groups;
    size_t group_count;
    struct report_key last; /**< where the next page goes on; texts live in the arena */
    bool more;              /**< there is one */
    struct report_total *totals;
    size_t total_count;
    struct report_held *held;
    size_t held_count;
};

/**
 * @param arena  what the report points to lives there
 * @param ret    unwritten on failure
 * @return ACCORD_OK; ACCORD_E_OVERFLOW when a sum does not fit; ACCORD_E_OUT_OF_MEMORY; an error of
 *         the store
 */
enum accord_error report_read(struct db *db, struct arena *arena, const struct report_ask *ask,
                              struct report *ret);

/** Order of the groups that two rows belong to: the store's, so that rows of one group stand next
 * to each other. Zero: the same group. */
int report_compare_groups(enum report_group_by group_by, const struct report_key *a,
                          const struct report_key *b);

/** What is left of a row when all of its lines have gone elsewhere. */
bool report_is_nothing(const struct report_sums *sums);

#endif
