/**
 * What a statement's state is, from what was done with it: one rule for every operation that does
 * something. An open dispute makes it disputed; else payments that cover what was payable make it
 * paid; else an acceptance makes it accepted; else it is as it was published.
 */
#ifndef INGEST_STATEMENT_STATE_H
#define INGEST_STATEMENT_STATE_H

#include "ingest/tx.h"

/**
 * Looks at disputes, payments and acceptance as the transaction sees them, and appends the state if
 * it is another than the one that stands; its partner sees that. Unknown statements are passed
 * over.
 *
 * @param seq  of the change; at most one for a statement
 * @param by   partner id of who caused it
 */
enum accord_error statement_renew(struct ingest_tx *tx, const char *statement, int64_t seq,
                                  const char *by);
/** Notes that its partner accepted it; then as above. Takes numbers of its own. */
enum accord_error statement_accept(struct ingest_tx *tx, const char *statement, const char *by);

#endif
