/**
 * What the operator posts as itself, as typed rows: adjustments of an agreement's accounts, states
 * of payments. Part of the journal: appended, never changed. Texts of results live in the arena
 * given.
 */
#ifndef STORE_OPERATOR_FACTS_H
#define STORE_OPERATOR_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/slice.h"
#include "store/store.h"

enum payment_state {
    PAYMENT_APPROVED,
    PAYMENT_SENT,
    PAYMENT_CONFIRMED,
    PAYMENT_FAILED,
    PAYMENT_STATES
};
extern const char *const payment_state_names[]; /**< ends with NULL */

/** An amount to one party, borne by another. */
struct adjustment_row {
    int64_t seq;
    const char *partner; /**< the operator that posted it */
    const char *adjustment_id;
    const char *event_id;
    instant_us occurred_at;
    const char *agreement;
    const char *payee;
    const char *funded_by;
    const char *currency;
    int64_t amount;
    const char *reason;
    const char *of_period; /**< "2026-01", "2026-Q1", or "" */
    const char *statement; /**< what it speaks of, or "" */
    const char *line;
};
enum accord_error store_adjustments_insert(struct db *db, const struct adjustment_row *rows,
                                           size_t count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_adjustment_stands(struct db *db, const struct adjustment_row *row,
                                          bool *ret);

/** A payment reached a state. */
struct payment_row {
    int64_t seq;
    const char *partner; /**< the operator that posted it */
    const char *payment_id;
    const char *event_id;
    instant_us occurred_at;
    const char *payer;
    const char *payee;
    const char *currency;
    int64_t amount;
    enum payment_state state;
    const char *reference;          /**< of the bank, or "" */
    const struct slice *statements; /**< ids, in bytewise order */
    size_t statement_count;
};
enum accord_error store_payments_insert(struct db *db, const struct payment_row *rows,
                                        size_t count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_payment_stands(struct db *db, const struct payment_row *row, bool *ret);

/** What stands of one payment, neither superseded nor voided: a row for each state reached. */
struct payment_standing {
    const char *partner;    /**< in */
    const char *payment_id; /**< in */
    bool stands[PAYMENT_STATES];
    struct payment_row rows[PAYMENT_STATES];
};
enum accord_error store_payments_standing(struct db *db, struct arena *arena,
                                          struct payment_standing *payments, size_t count);

#endif
