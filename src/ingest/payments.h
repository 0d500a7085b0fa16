/**
 * Payments in the books: what a confirmed payment posts, and which statements it settles.
 *
 * A payment moves an amount from the payer's settlement account to the payee's: the payer owes that
 * much less (+), the payee is owed that much less (-). It is laid on the statements that it names,
 * those of the payee that are to receive and those of the payer that are to pay, in the order of
 * their ids, up to what is left to pay of each; what remains goes to the agreement of the last of
 * them. A side that names no statement follows the other one; without any, nothing is said about
 * agreements.
 */
#ifndef INGEST_PAYMENTS_H
#define INGEST_PAYMENTS_H

#include "ingest/tx.h"
#include "store/operator_facts.h"

/** What a payment posts as. */
#define POSTING_PAYMENT "payment"

/**
 * Brings the books to what stands of a payment: posts it once it is confirmed, and takes that back
 * when the confirmation was voided. Renews the states of the statements that it touches; payer,
 * payee and the statements' partners see the change.
 *
 * @param seq  of the fact that changed it; of this payment alone
 */
enum accord_error payment_post(struct ingest_tx *tx, const struct payment_standing *payment,
                               int64_t seq);

#endif
