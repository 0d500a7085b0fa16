/**
 * Payments as they stand: of the typed facts (store/operator_facts.h) the last states. Texts of
 * results live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_PAYMENTS_H
#define STORE_PAYMENTS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

/** A payment in the last state that stands: facts that were superseded or voided do not count. */
struct payment_summary {
    const char *partner; /**< the operator whose facts they are */
    const char *payment_id;
    const char *payer;
    const char *payee;
    const char *currency;
    int64_t amount;
    const char *state;
    const char *reference;   /**< of the bank, or "" */
    const char **statements; /**< those of the viewer */
    size_t statement_count;
    instant_us changed_at; /**< when the state was reached */
    int64_t seq;           /**< of the fact that says so */
};

/** Behind `after` in order of seq, at most `limit`.
 *  @param party   payer or payee; NULL: anybody
 *  @param viewer  whose statements are named; NULL: everybody's */
enum accord_error store_payment_list(struct db *db, struct arena *arena, const char *party,
                                     const char *viewer, int64_t after, int64_t limit,
                                     struct payment_summary **ret, size_t *ret_count);
/** One by its id; that of `partner`, or of the first operator that has one when NULL. */
enum accord_error store_payment_find(struct db *db, struct arena *arena, const char *partner,
                                     const char *payment_id, const char *viewer, bool *ret_found,
                                     struct payment_summary *ret);

#endif
