/**
 * What entries and rounds of challenges come to, in the books: deposits as liabilities from the day of
 * joining, payouts and revenue once their round is settled, differences for what is told later.
 *
 * Deposits stand in accounts of the channel: what it owes learners (`deposit`) and what it has of that
 * (`cash`); once settled also what of it has become revenue (`forfeits`), and what it owes to
 * charity or to the next round. Each transaction adds up to zero.
 */
#ifndef INGEST_CHALLENGE_ROUNDS_H
#define INGEST_CHALLENGE_ROUNDS_H

#include "ingest/challenge.h"
#include "ingest/tx.h"

/** Facts about entries came or were taken back: brings what stands of their deposits, and rounds that
 *  are settled, to what follows from all facts. A name may come twice. Called after the rows have
 *  changed. */
enum accord_error challenge_entries_changed(struct ingest_tx *tx,
                                            const struct challenge_name *names, size_t count);
/** A version of an offer came: its entries may be of other rounds now. */
enum accord_error challenge_offer_changed(struct ingest_tx *tx, const char *channel,
                                          const char *offer);

/** What settling a round would come to now, of its entries too (by id); writes nothing. */
enum accord_error challenge_round_draft(struct db *db, struct arena *arena,
                                        const struct challenge_round_row *round,
                                        struct challenge_round_row *ret,
                                        struct challenge_entry_row **ret_entries,
                                        size_t *ret_count);
/**
 * Settles a round, once.
 *
 * @param by  who asked, or "": its time has come
 * @return ACCORD_OK, also when it is settled already; ACCORD_E_NOT_FOUND; ACCORD_E_ROUND_NOT_OVER;
 *         ACCORD_E_ROUND_NOT_OLDEST: one before it is not settled, whose money it may get
 */
enum accord_error challenge_round_settle(struct ingest_tx *tx, const char *channel,
                                         const char *offer, const char *round, const char *by,
                                         struct challenge_round_row *ret);
/** The refusals of that. */
enum accord_error challenge_round_check(struct db *db, struct arena *arena, const char *channel,
                                        const char *offer, const char *round, instant_us now,
                                        struct challenge_round_row *ret);
/** Settles one round whose time has come, and of which nothing was heard for an hour: who loads old
 *  facts loads entries before check-ins. */
enum accord_error challenge_settle_due(struct ingest_tx *tx, bool *ret_more);

/** Settles the revenue of entries again. Names must be distinct. */
enum accord_error ingest_post_challenges(struct ingest_tx *tx, const struct challenge_name *names,
                                         size_t count, int64_t seq);

#endif
