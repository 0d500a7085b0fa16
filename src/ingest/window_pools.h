/** Shares of pools in the sums of windows: what divisions gave the parties of an agreement. */
#ifndef INGEST_WINDOW_POOLS_H
#define INGEST_WINDOW_POOLS_H

#include "ingest/windows.h"
#include "store/pool_months.h"

/**
 * Fills `pools` of the parts of a sheet, which has what was posted before, from the divisions of
 * months before `to_day`.
 */
enum accord_error window_pools_read(struct db *db, struct arena *arena,
                                    const struct agreement_periods *periods, int64_t to_day,
                                    const struct window_sheet *sheet);

/** Of that: adds one share, of a month; ACCORD_E_VALUE_UNKNOWN when the sheet has no such part or
 *  party. No database. */
enum accord_error window_pools_add(struct arena *arena, const struct agreement_periods *periods,
                                   const struct window_sheet *sheet,
                                   const struct pool_share_row *row);
/** And when all are there, says what providers keep where late usage may only raise what they were
 *  told (`up_only`). No database. */
enum accord_error window_pools_keep(struct arena *arena, const struct agreement_periods *periods,
                                    const struct window_sheet *sheet);

#endif
