/**
 * What reports read: rollups that are visible, in one order, with their payees' shares.
 *
 * A report costs as much as it has rollup rows, never as much as there are facts. Slices passed to
 * callbacks are valid until the callback returns.
 */
#ifndef STORE_REPORTS_H
#define STORE_REPORTS_H

#include "store/store.h"

enum report_grain { REPORT_PERIOD, REPORT_DAY, REPORT_COURSE };

/** Where a rollup row stands; rows come in this order, text bytewise. */
struct report_key {
    struct slice agreement;
    int64_t version;
    struct slice sale_currency; /**< of gross … net_sale */
    int64_t day; /**< days since 1970-01-01; of the period and course grains: its first day */
    struct slice held;
    struct slice provider;
    struct slice course_id;
    struct slice channel;
    struct slice currency; /**< of net, added_back and shares: the agreement's */
};

struct report_sums {
    int64_t line_count;
    int64_t quantity;
    int64_t gross;
    int64_t refunded;
    int64_t tax;
    int64_t store_fee;
    int64_t payment_fee;
    int64_t admin_fee;
    int64_t net_sale;
    int64_t net;
    int64_t added_back;
    int64_t base; /**< what shares and tiers are taken of */
    int64_t lines_qualified;
    int64_t units_qualified;
};

struct report_filter {
    const char *partner; /**< a party of the versions reported; NULL: of all versions */
    enum report_grain grain;
    int64_t day_from; /**< inclusive */
    int64_t day_to;   /**< exclusive */
    /** Only what comes behind this place; zeroed: from the beginning. The currency plays no part:
     *  a version has one. */
    struct report_key after;
};

/** Any error but ACCORD_OK stops the reading and is returned. */
typedef enum accord_error report_row_fn(void *context, const struct report_key *key,
                                        const struct report_sums *sums);
typedef enum accord_error report_share_fn(void *context, const struct report_key *key,
                                          struct slice payee, int64_t amount);

/** Rows that an agreement covers, settled (held is empty) or held under it. */
enum accord_error store_report_rows(struct db *db, const struct report_filter *filter,
                                    report_row_fn *each, void *context);
enum accord_error store_report_shares(struct db *db, const struct report_filter *filter,
                                      report_share_fn *each, void *context);

/** What a promoter got under agreements of others in a period. */
struct report_referral {
    struct slice agreement;
    int64_t version;
    struct slice currency;
    int64_t amount;
};
typedef enum accord_error report_referral_fn(void *context, const struct report_referral *row);
enum accord_error store_report_referrals(struct db *db, const char *promoter, int64_t day_from,
                                         int64_t day_to, report_referral_fn *each, void *context);

/** Who asks for what no agreement covers. */
enum report_side { REPORT_AS_OPERATOR, REPORT_AS_CHANNEL, REPORT_AS_PROVIDER };

/** Rows held without an agreement in a period, of one channel or provider, or all. */
enum accord_error store_report_uncovered(struct db *db, enum report_side side, const char *partner,
                                         int64_t day_from, int64_t day_to, report_row_fn *each,
                                         void *context);

#endif
