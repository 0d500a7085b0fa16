/**
 * Periods of agreements: months or quarters of the calendar in the agreement's zone, known by their
 * first day. All versions of an agreement keep the kind and the zone.
 */
#ifndef INGEST_PERIODS_H
#define INGEST_PERIODS_H

#include "ingest/agreement.h"
#include "store/periods.h"

/** The first day of the period that a day lies in. */
int64_t period_of_day(bool quarterly, int64_t day);
/** The period after the one that begins at `first`. */
int64_t period_after(bool quarterly, int64_t first);
/** First day of the calendar year. */
int64_t period_year_of(int64_t day);

enum { PERIOD_LABEL_MAX = 32 };
/** "2026-01", "2026-Q1". */
void period_label(bool quarterly, int64_t first, char text[PERIOD_LABEL_MAX]);
/** False when a label is neither; years 1970 to 2199. */
bool period_parse(struct slice label, bool *ret_quarterly, int64_t *ret_first);

/** Where an entry is booked: its own period while that is open, else the oldest open one.
 *  `last_closed` may be PERIOD_NONE. */
int64_t period_booked(bool quarterly, int64_t own, int64_t last_closed);

/** What an agreement's periods are, as of now. */
struct agreement_periods {
    struct agreement_version *versions; /**< that settle sales, by number; at least one */
    struct slice *bodies;               /**< as they were signed, likewise */
    size_t version_count;
    bool quarterly;
    const char *time_zone;
    const struct zone *zone;
    int64_t first;       /**< the period in which the agreement begins */
    instant_us end;      /**< where it ends; INT64_MAX: open */
    int64_t last;        /**< the last period of its life and its tail; INT64_MAX: none */
    int64_t last_closed; /**< or PERIOD_NONE */
    int64_t open;        /**< the oldest open one */
};
/** *ret_found is false for an agreement that has no version in force, now or before. */
enum accord_error periods_of(struct db *db, struct arena *arena, const char *agreement,
                             bool *ret_found, struct agreement_periods *ret);

/** Bounds of a period, in the agreement's zone. */
instant_us period_from(const struct agreement_periods *periods, int64_t first);
instant_us period_to(const struct agreement_periods *periods, int64_t first);

/** Where a version's time ends: where the row says, or where the next one begins, if that is
 *  earlier. */
instant_us period_version_end(const struct agreement_periods *periods, size_t version);

#endif
