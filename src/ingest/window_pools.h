/** Shares of pools in the sums of windows: what divisions gave the parties of an agreement. */
#ifndef INGEST_WINDOW_POOLS_H
#define INGEST_WINDOW_POOLS_H

#include "ingest/windows.h"

/**
 * Fills `pools` of the parts of a sheet, which has what was posted before: where late usage may
 * only raise what a provider was told (`up_only`), that says how much it keeps.
 *
 * @param to_day  of months before that day
 */
enum accord_error window_pools_read(struct db *db, struct arena *arena,
                                    const struct agreement_periods *periods, int64_t to_day,
                                    const struct window_sheet *sheet);

#endif
