/** Idempotency-Key: answers that are kept and replayed. */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "api/dispatch.h"

/** Reads the request's header into the flight; fails the call when it is not acceptable. */
void idempotency_read_key(struct flight *flight);
/** Hashes the request; once, when its body is complete. */
void idempotency_hash(struct flight *flight);
/**
 * Looks for a kept answer. When there is one the flight is done: its reply is the kept answer, or
 * it failed because the request is another or the answer held a secret.
 */
enum accord_error idempotency_replay(struct flight *flight, struct db *db);
/** Keeps the finished reply in the transaction open on `db`. Answers 5xx and 429 are not kept. */
enum accord_error idempotency_keep(struct flight *flight, struct db *db, instant_us now);

#endif
