/**
 * What windows give in a month of the revenue report, and how it stands in rows that are less than
 * the window.
 *
 * Everything is computed anew from rollups, by the fold that closes periods. Amounts are spread
 * from the top down: a quarter's over its months, a month's over the currencies of its sales, a
 * currency's over the rows of a grouping; each time by what is net of each. A negative net counts
 * as none, and when there is none at all the first gets everything.
 */
#ifndef API_REVENUE_WINDOWS_H
#define API_REVENUE_WINDOWS_H

#include "api/revenue_report.h"

/** Payees of a window: the parties of its version, and the pools that it joined as one. */
enum { REPORT_POOLS = ACCORD_PARTIES_MAX, REPORT_PAYEES };

/** What falls to the sales of one currency. */
struct report_window_part {
    struct slice sale_currency;
    int64_t net;
    int64_t amounts[REPORT_PAYEES]; /**< by party; what pools get last */
};

/** A version with window terms. */
struct report_window {
    const struct agreement_version *version;
    int64_t amounts[REPORT_PAYEES]; /**< likewise, of the month */
    bool pays;                      /**< one of them is not zero */
    bool provisional;               /**< the period is open */
    struct report_window_part *parts;
    size_t part_count;
};

struct report_windows {
    struct report_window *items; /**< in order of (agreement, version) */
    size_t count;
};

/**
 * Windows of those of these versions that have any, in the month asked for; without parts.
 *
 * A period that has not begun by `ask->now` gives nothing.
 *
 * @param versions  in order of (agreement, version)
 */
enum accord_error report_windows_read(struct db *db, struct arena *arena,
                                      const struct report_ask *ask,
                                      const struct agreement_version *versions,
                                      size_t version_count, struct report_windows *ret);

/** That of one of the versions, or NULL. */
struct report_window *report_window_of(const struct report_windows *windows,
                                       const struct agreement_version *version);

/** Tells a window what is net of a row of the month. */
enum accord_error report_window_count(struct arena *arena, struct report_window *window,
                                      struct slice sale_currency, int64_t net);

/** Divides what windows give among their parts, once all rows are counted: one of the agreement's
 * own currency where there was none. */
enum accord_error report_windows_divide(struct arena *arena, struct report_windows *windows);

/** Adds what falls to a part to groups of its version and currency: all `count` of them that stand
 *  on the page. Without any sale the only one gets everything. */
enum accord_error report_window_spread(struct db *db, struct arena *arena,
                                       const struct report_ask *ask,
                                       const struct report_filter *filter,
                                       const struct report_window *window,
                                       const struct report_window_part *part,
                                       struct report_group *groups, size_t count);

#endif
