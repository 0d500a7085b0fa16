/**
 * Sums coalesced in memory while a transaction runs, written once at its end: rollups of entries
 * and counts of feedback. Also what verify sums up from scratch. Not thread-safe.
 */
#ifndef INGEST_ROLLUP_H
#define INGEST_ROLLUP_H

#include "store/entries.h"
#include "store/feedback.h"
#include "store/rollups.h"

struct rollup_batch;

struct rollup_batch *rollup_batch_new(void); /* NULL: out of memory */
void rollup_batch_free(struct rollup_batch *batch);
/** Forgets what was added. */
void rollup_batch_clear(struct rollup_batch *batch);

/** Adds an entry to the rollups of every grain; those of a generation go to the stage.
 *  ACCORD_E_OVERFLOW when a sum does not fit. Texts are copied. */
enum accord_error rollup_batch_entry(struct rollup_batch *batch, const struct entry_row *entry);
/** Adds to a count of a course. */
enum accord_error rollup_batch_feedback(struct rollup_batch *batch, const char *provider,
                                        const char *course_id, const char *kind, int64_t change);

/** Adds all of it to the tables, in the order of their keys, and clears the batch. */
enum accord_error rollup_batch_flush(struct rollup_batch *batch, struct db *db);

/* For verify: what was summed up, and what of it was compared. */
/** Numbers under a key, or NULL; marks them as seen. */
const int64_t *rollup_batch_numbers(struct rollup_batch *batch, const struct rollup_key *key);
const int64_t *rollup_batch_amount(struct rollup_batch *batch, const struct rollup_key *key);
const int64_t *rollup_batch_total(struct rollup_batch *batch, const char *provider,
                                  const char *course_id, const char *kind);
/** Calls back with what is not zero and was not seen. */
enum accord_error rollup_batch_unseen(struct rollup_batch *batch, rollup_row_fn *row,
                                      rollup_share_fn *share, feedback_count_fn *count,
                                      void *context);

#endif
