/**
 * `accord verify`: everything that the books derived, computed again from the journal and compared.
 *
 * - Facts: hash of what is stored, keys, texts, supersessions; typed rows against the body.
 * - Orders: settled anew from typed rows; the sums of their entries must be just that, and number
 *   and order of the entries as posting makes them.
 * - Rollups of every grain, shares and staged rows: sums of what was settled.
 * - Periods: every entry booked in one that was open; statements, their lines, hashes and chain,
 * what windows came to, postings that add up to zero.
 * - Ratings, reviews and counts of feedback: from the facts that stand.
 *
 * Streams: memory does not grow with the number of facts, only with that of rollups.
 */
#ifndef INGEST_VERIFY_H
#define INGEST_VERIFY_H

#include "store/store.h"

/** One difference: in which table, and what. */
typedef void verify_report_fn(void *context, const char *table, const char *what);

struct verify_summary {
    int64_t facts;
    int64_t orders;
    int64_t memberships;
    int64_t lines;
    int64_t entries;
    int64_t rollups; /**< rows, shares included */
    int64_t ratings;
    int64_t waiting;     /**< orders that wait to be settled again: taken as they stand */
    int64_t differences; /**< 0: the books are right */
};

/**
 * @param db  reads one snapshot: in the transaction that is open, or in one of its own
 * @return ACCORD_OK when it got through, whatever it found; an engine's error;
 * ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error ingest_verify(struct db *db, verify_report_fn *report, void *context,
                                struct verify_summary *ret);

#endif
