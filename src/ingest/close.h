/**
 * Closing a period of an agreement: what its statements are, and how they are published.
 *
 * A draft and a close are one computation: a close writes what a draft answers. Memory grows with
 * the number of payees, not with that of lines: these are read as a stream and hashed.
 *
 * Refusals: ACCORD_E_NOT_FOUND (no such agreement, or not a period of it),
 * ACCORD_E_PERIOD_NOT_OVER, ACCORD_E_PERIOD_CLOSED, ACCORD_E_PERIOD_NOT_OLDEST,
 * ACCORD_E_RESETTLEMENT_PENDING. They come before anything is written.
 */
#ifndef INGEST_CLOSE_H
#define INGEST_CLOSE_H

#include "ingest/periods.h"
#include "ingest/tx.h"
#include "store/statements.h"

struct close_result {
    struct period_row period;         /**< closed_seq is 0 in a draft */
    struct statement_row *statements; /**< by partner; seq and times are 0 in a draft */
    size_t count;
};

/**
 * The statements that closing would publish now; reads one snapshot (a read transaction should be
 * open) and writes nothing.
 *
 * @param label  of the period, as period_label() has it
 * @param now    decides whether the period is over
 */
enum accord_error close_draft(struct db *db, struct arena *arena, const char *agreement,
                              const char *label, instant_us now, struct close_result *ret);

/** Closes it in the writer's transaction. Everything lives in tx->arena. */
enum accord_error close_period(struct ingest_tx *tx, const char *agreement, const char *label,
                               const char *closed_by, struct close_result *ret);

/**
 * Whether an agreement has a period of that first day: up to its end and tail, or one in which
 * something is booked. The next one to be closed is one, too, while there is something that only a
 * statement can tell: an adjustment or a payment since the last, or what the last held back.
 *
 * @param day  not before periods->open
 */
enum accord_error close_goes_on(struct db *db, struct arena *arena,
                                const struct agreement_periods *periods, int64_t day, bool *ret);

/** Agreements whose period of that label is not closed yet, and which have it (close_goes_on): for
 *  closing all of a label. By id. */
enum accord_error close_candidates(struct db *db, struct arena *arena, const char *label,
                                   const char ***ret, size_t *ret_count);

/** The statement's id: the same for a draft and the close. */
void close_statement_id(const char *partner, const char *agreement, int64_t day,
                        char text[STATEMENT_ID_MAX]);

#endif
